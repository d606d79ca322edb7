"""What it costs to use an arc, against the flow on it: the usual volume-delay curves.

A curve is a frozen object of arrays, one entry an arc; see `VolumeDelay`.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from corridor.core.flows._arrays import FloatArray, check_values
from corridor.core.flows._curves import (
    AKCELIK,
    AKCELIK_MARGINAL,
    BPR_FOUR,
    BPR_REAL,
    BPR_WHOLE,
    CONICAL,
    CONICAL_MARGINAL,
    MOST_WHOLE,
    N_PARAMETERS,
    STRAIGHT,
    CurveTable,
    as_flow,
    check_parameters,
)


@dataclass(frozen=True, slots=True, eq=False)
class BPR:
    """The curve of the Bureau of Public Roads.

    Formula: ``cost = free_flow * (1 + b * (flow / capacity)**power) + fixed``.

    Parameters
    ----------
    free_flow : array-like of float64, shape (n_arcs,)
        Cost of the empty arc, >= 0 and finite.
    capacity : array-like of float64, shape (n_arcs,)
        Flow at which the cost is ``1 + b`` times that of the empty arc, > 0; inf means no delay.
    b : array-like of float64, shape (n_arcs,)
        Added share at capacity, >= 0 and finite (0.15 in the original).
    power : array-like of float64, shape (n_arcs,)
        Steepness, >= 0 and finite (4 in the original). Below 1 the slope is infinite at flow 0.
    fixed : array-like of float64, shape (n_arcs,) or a number
        Cost that does not depend on the flow, >= 0 and finite: tolls, distance.

    Raises
    ------
    InputError
        If a shape differs, or a value is out of its range.

    References
    ----------
    Bureau of Public Roads, "Traffic Assignment Manual", U.S. Department of Commerce, 1964.

    Examples
    --------
    >>> curve = BPR([10.0], [100.0], [0.15], [4.0], 2.0)
    >>> full = np.array([100.0])
    >>> curve.cost(full), curve.integral(full).round(9), curve.slope(full).round(9)
    (array([13.5]), array([1230.]), array([0.06]))
    """

    free_flow: FloatArray
    capacity: FloatArray
    b: FloatArray
    power: FloatArray
    fixed: FloatArray | float = 0.0

    def __post_init__(self) -> None:
        _store(self, ("free_flow", "capacity", "b", "power", "fixed"), positive=("capacity",))

    @property
    def n_arcs(self) -> int:
        """Number of arcs."""
        return int(self.free_flow.size)

    def cost(self, flow: FloatArray) -> FloatArray:
        """Return the cost of a unit of flow, shape (n_arcs,)."""
        share = self._filled(flow) ** self.power
        return self.free_flow * (1.0 + self.b * share) + self.fixed

    def integral(self, flow: FloatArray) -> FloatArray:
        """Return ``flow (free_flow (1 + b x**power / (power + 1)) + fixed)``, x = flow/capacity."""
        share = self._filled(flow) ** self.power / (self.power + 1.0)
        return flow * (self.free_flow * (1.0 + self.b * share) + self.fixed)

    def slope(self, flow: FloatArray) -> FloatArray:
        """Return the derivative of the cost, shape (n_arcs,)."""
        return self._derivative(flow, 1)

    def curvature(self, flow: FloatArray) -> FloatArray:
        """Return the second derivative of the cost, shape (n_arcs,)."""
        return self._derivative(flow, 2)

    def _derivative(self, flow: FloatArray, order: int) -> FloatArray:
        """Return a derivative of the cost; inf at flow 0 where the power is below its order."""
        x = self._filled(flow)
        factor = self.free_flow * self.b / self.capacity**order
        for number in range(order):
            factor = factor * (self.power - number)
        with np.errstate(divide="ignore", invalid="ignore"):
            steep = factor * x ** (self.power - order)
        return np.where(factor == 0.0, 0.0, steep)

    def table(self, *, marginal: bool) -> CurveTable:
        """Return the curves as the kernels read them; the marginal cost is a BPR curve too."""
        factor = 1.0 + self.power if marginal else 1.0
        parameter = np.zeros((self.n_arcs, N_PARAMETERS))
        parameter[:, 0] = self.free_flow + self.fixed
        parameter[:, 1] = self.free_flow * self.b * factor
        parameter[:, 2] = 1.0 / self.capacity
        parameter[:, 3] = self.power
        whole = (self.power == np.floor(self.power)) & (self.power <= MOST_WHOLE)
        code = np.where(whole, BPR_WHOLE, BPR_REAL)
        code[self.power == 4.0] = BPR_FOUR  # noqa: PLR2004 - the original's power
        constant = (self.power == 0.0) | (parameter[:, 1] == 0.0)
        code[constant] = STRAIGHT
        parameter[constant, 0] += parameter[constant, 1]
        parameter[constant, 1] = 0.0
        return CurveTable(code.astype(np.int32), parameter)

    def _filled(self, flow: FloatArray) -> FloatArray:
        return as_flow(flow, self.n_arcs) / self.capacity


@dataclass(frozen=True, slots=True, eq=False)
class Conical:
    r"""The conical curve of Spiess: steep near capacity, straight beyond it.

    Formula, with x = flow / capacity and beta = (2 alpha - 1) / (2 alpha - 2)::

        cost = free_flow (2 + sqrt(alpha^2 (1 - x)^2 + beta^2) - alpha (1 - x) - beta) + fixed

    so that the cost is ``free_flow`` on the empty arc and twice that at capacity, as BPR's is with
    b = 1, and no power makes it explode beyond.

    Parameters
    ----------
    free_flow : array-like of float64, shape (n_arcs,)
        Cost of the empty arc, >= 0 and finite.
    capacity : array-like of float64, shape (n_arcs,)
        Flow at which it doubles, > 0; inf means no delay.
    alpha : array-like of float64, shape (n_arcs,)
        Steepness, > 1 and finite; plays the part of BPR's power.
    fixed : array-like of float64, shape (n_arcs,) or a number
        Cost that does not depend on the flow, >= 0 and finite.

    Raises
    ------
    InputError
        If a shape differs, or a value is out of its range.

    References
    ----------
    H. Spiess, "Conical volume-delay functions", Transportation Science 24 (1990) 153-158.

    Examples
    --------
    >>> curve = Conical([10.0, 10.0], [100.0, 100.0], [4.0, 4.0])
    >>> curve.cost(np.array([0.0, 100.0])).round(9)
    array([10., 20.])
    """

    free_flow: FloatArray
    capacity: FloatArray
    alpha: FloatArray
    fixed: FloatArray | float = 0.0

    def __post_init__(self) -> None:
        _store(self, ("free_flow", "capacity", "alpha", "fixed"), positive=("capacity",))
        check_values("alpha", self.alpha, self.alpha > 1.0, "> 1")

    @property
    def n_arcs(self) -> int:
        """Number of arcs."""
        return int(self.free_flow.size)

    @property
    def beta(self) -> FloatArray:
        """``(2 alpha - 1) / (2 alpha - 2)``, shape (n_arcs,)."""
        return (2.0 * self.alpha - 1.0) / (2.0 * self.alpha - 2.0)

    def cost(self, flow: FloatArray) -> FloatArray:
        """Return the cost of a unit of flow, shape (n_arcs,)."""
        _, _, gain = self._cone(as_flow(flow, self.n_arcs))
        return self.free_flow * (2.0 - self.beta + gain) + self.fixed

    def integral(self, flow: FloatArray) -> FloatArray:
        """Return the integral of the cost, in closed form, shape (n_arcs,)."""
        x = as_flow(flow, self.n_arcs) / self.capacity
        rise = (self._area(self.alpha) - self._area(self.alpha * (1.0 - x))) / self.alpha
        area = (2.0 - self.beta) * x + rise - self.alpha * (x - 0.5 * x * x)
        # Without a capacity the area is 0 and the width infinite: all is free flow.
        endless = np.isinf(self.capacity)
        width = np.where(endless, 0.0, self.capacity)
        curved = np.where(endless, flow, width * area)
        return self.free_flow * curved + self.fixed * flow

    def slope(self, flow: FloatArray) -> FloatArray:
        """Return the derivative of the cost, shape (n_arcs,)."""
        _, root, gain = self._cone(as_flow(flow, self.n_arcs))
        return self.free_flow * self.alpha / self.capacity * gain / root

    def curvature(self, flow: FloatArray) -> FloatArray:
        """Return the second derivative of the cost, shape (n_arcs,)."""
        _, root, _ = self._cone(as_flow(flow, self.n_arcs))
        return self.free_flow * (self.alpha / self.capacity * self.beta) ** 2 / root**3

    def table(self, *, marginal: bool) -> CurveTable:
        """Return the curves as the kernels read them."""
        columns = (self.free_flow, self.alpha, 1.0 / self.capacity, self.beta, self.fixed)
        code = np.full(self.n_arcs, CONICAL_MARGINAL if marginal else CONICAL, dtype=np.int32)
        return CurveTable(code, np.stack(np.broadcast_arrays(*columns), axis=1))

    def _cone(self, flow: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return y = alpha (1 - x), the root of y^2 + beta^2, and root - y without cancellation."""
        y = self.alpha * (1.0 - flow / self.capacity)
        root = np.hypot(y, self.beta)
        gain = np.where(y > 0.0, self.beta**2 / (root + np.abs(y)), root - y)
        return y, root, gain

    def _area(self, y: FloatArray) -> FloatArray:
        """Return the integral of the root of y^2 + beta^2 by y."""
        area: FloatArray = y * np.hypot(y, self.beta) + self.beta**2 * np.arcsinh(y / self.beta)
        return 0.5 * area


@dataclass(frozen=True, slots=True, eq=False)
class Akcelik:
    r"""Akcelik's time-dependent form of Davidson's curve: a queue that builds up over a period.

    Formula, with x = flow / capacity::

        cost = free_flow + period / 4 (x - 1 + sqrt((x - 1)^2 + 8 delay x / (capacity period)))
               + fixed

    Far below capacity it is Davidson's ``free_flow + delay x / (capacity (1 - x))``, whose
    ``delay`` of 1 is the wait of a queue with one server and random arrivals; far above, that of a
    queue that grows all through the period, ``free_flow + period (x - 1) / 2``. It is finite
    everywhere.

    Parameters
    ----------
    free_flow : array-like of float64, shape (n_arcs,)
        Time on the empty arc, >= 0 and finite.
    capacity : array-like of float64, shape (n_arcs,)
        Units that leave per unit of time, > 0 and finite.
    delay : array-like of float64, shape (n_arcs,)
        Delay parameter, > 0 and finite: 0 would be perfectly regular traffic, 1 is random.
    period : array-like of float64, shape (n_arcs,) or a number
        How long the flow lasts, > 0 and finite, in the unit of time of ``free_flow``.
    fixed : array-like of float64, shape (n_arcs,) or a number
        Cost that does not depend on the flow, >= 0 and finite.

    Raises
    ------
    InputError
        If a shape differs, or a value is out of its range.

    References
    ----------
    R. Akcelik, "Travel time functions for transport planning purposes: Davidson's function, its
    time-dependent form and an alternative travel time function", Australian Road Research 21
    (1991) 49-59; K. B. Davidson, "A flow-travel time relationship for use in transportation
    planning", Proceedings of the 3rd ARRB Conference 3 (1966) 183-194.

    Examples
    --------
    At capacity, with 100 trains a day for a day and random arrivals: sqrt(8 / 100) / 4 days more.

    >>> Akcelik([0.5], [100.0], [1.0], 1.0).cost(np.array([100.0])).round(6)
    array([0.570711])
    """

    free_flow: FloatArray
    capacity: FloatArray
    delay: FloatArray
    period: FloatArray | float
    fixed: FloatArray | float = 0.0

    def __post_init__(self) -> None:
        positive = ("capacity", "delay", "period")
        _store(self, ("free_flow", *positive, "fixed"), positive=positive)
        for name in positive:
            values = getattr(self, name)
            check_values(name, values, np.isfinite(values), "> 0 and finite")

    @property
    def n_arcs(self) -> int:
        """Number of arcs."""
        return int(self.free_flow.size)

    @property
    def spread(self) -> FloatArray:
        """``8 delay / (capacity period)``, shape (n_arcs,)."""
        return 8.0 * self.delay / (self.capacity * self.period)

    def cost(self, flow: FloatArray) -> FloatArray:
        """Return the cost of a unit of flow, shape (n_arcs,)."""
        x, root = self._root(flow)
        z = x - 1.0
        gain = np.where(z < 0.0, self.spread * x / (root + np.abs(z)), root + z)
        return self.free_flow + self.fixed + 0.25 * self.period * gain

    def integral(self, flow: FloatArray) -> FloatArray:
        """Return the integral of the cost, in closed form, shape (n_arcs,)."""
        x, _ = self._root(flow)
        area = self._area(x) - self._area(np.zeros_like(x)) + x * (0.5 * x - 1.0)
        queue = 0.25 * self.period * self.capacity * area
        return (self.free_flow + self.fixed) * flow + queue

    def slope(self, flow: FloatArray) -> FloatArray:
        """Return the derivative of the cost, shape (n_arcs,)."""
        x, root = self._root(flow)
        return 0.25 * self.period / self.capacity * self._total(x, root) / root

    def curvature(self, flow: FloatArray) -> FloatArray:
        """Return the second derivative of the cost, shape (n_arcs,)."""
        _, root = self._root(flow)
        return 0.25 * self.period / self.capacity**2 * self._rest / root**3

    def table(self, *, marginal: bool) -> CurveTable:
        """Return the curves as the kernels read them."""
        columns = (
            self.free_flow + self.fixed, 0.25 * np.asarray(self.period), 1.0 / self.capacity,
            self.spread, np.zeros(self.n_arcs),
        )  # fmt: skip
        code = np.full(self.n_arcs, AKCELIK_MARGINAL if marginal else AKCELIK, dtype=np.int32)
        return CurveTable(code, np.stack(np.broadcast_arrays(*columns), axis=1))

    def _root(self, flow: FloatArray) -> tuple[FloatArray, FloatArray]:
        x = as_flow(flow, self.n_arcs) / self.capacity
        return x, np.sqrt((x - 1.0) ** 2 + self.spread * x)

    def _area(self, x: FloatArray) -> FloatArray:
        """Return the integral of the root, sqrt(s^2 + rest) with s = x - 1 + spread / 2."""
        lean = x - 1.0 + 0.5 * self.spread
        root = np.sqrt((x - 1.0) ** 2 + self.spread * x)
        area: FloatArray = lean * root + self._rest * np.log(self._total(x, root))
        return 0.5 * area

    @property
    def _rest(self) -> FloatArray:
        return self.spread * (1.0 - 0.25 * self.spread)

    def _total(self, x: FloatArray, root: FloatArray) -> FloatArray:
        """Return root + s, by root^2 - s^2 = rest where s < 0 so that nothing cancels."""
        lean = x - 1.0 + 0.5 * self.spread
        return np.where(lean < 0.0, self._rest / (root + np.abs(lean)), root + lean)


def _store(curve: object, names: Iterable[str], positive: tuple[str, ...]) -> None:
    """Replace the parameters of a curve by checked, read-only arrays."""
    read = check_parameters({name: getattr(curve, name) for name in names}, positive)
    for name, values in read.items():
        object.__setattr__(curve, name, values)
