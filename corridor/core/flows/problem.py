"""What is to be carried, on what, and what limits it: the input of the flow engine."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike

from corridor.core.flows._arrays import (
    BoolArray,
    FloatArray,
    IntArray,
    LongArray,
    as_csr,
    as_floats,
    check_values,
    locked,
    wrong_shape,
)
from corridor.core.graph import Graph, as_positions
from corridor.errors import InputError

_PER_ARC, _PER_CLASS_AND_ARC = 1, 2


@runtime_checkable
class Delay(Protocol):
    """One convex, nondecreasing curve for each pool: total delay cost against load, 0 at load 0.

    Total, not mean: vehicles x wait x rate. ``slope`` is the derivative (at a kink any value
    between the two one-sided ones). Loads come in pool units, shape (n_pools,), >= 0.
    """

    @property
    def n_pools(self) -> int:
        """Number of pools."""
        ...

    def value(self, load: FloatArray) -> FloatArray:
        """Return the total delay cost of each pool [cost unit], shape (n_pools,)."""
        ...

    def slope(self, load: FloatArray) -> FloatArray:
        """Return the derivative of `value` [cost unit per pool unit], shape (n_pools,)."""
        ...


@runtime_checkable
class JointDelay(Delay, Protocol):
    """A `Delay` that gives value and slope together for the price of one of them."""

    def value_and_slope(self, load: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return `value` and `slope`."""
        ...


@runtime_checkable
class PartialDelay(Delay, Protocol):
    """A `Delay` that can be asked for some of its pools, for the price of those."""

    def take(self, pools: LongArray) -> Delay:
        """Return the curves of some pools, in the order given; a pool may come again."""
        ...


def value_and_slope(delay: Delay, load: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return value and slope of every curve, at once where the curve can."""
    # Looked up by name: asking a protocol costs more than a small curve.
    both: Callable[[FloatArray], tuple[FloatArray, FloatArray]] | None
    both = getattr(delay, "value_and_slope", None)
    return (delay.value(load), delay.slope(load)) if both is None else both(load)


@dataclass(frozen=True, slots=True, eq=False)
class Pools:
    """Capacity that arcs and classes share, in units of the pool (vehicles, say).

    Formula: ``matrix @ class_flow.ravel() <= capacity``.

    Parameters
    ----------
    matrix : scipy sparse matrix of float64, shape (n_pools, n_classes * n_arcs)
        Pool units per unit of flow, finite and >= 0; column ``class * n_arcs + arc``.
    capacity : array-like of float64, shape (n_pools,)
        Pool units, >= 0; inf where there is no limit.

    Raises
    ------
    InputError
        If a shape differs, or a value is NaN or negative.

    Examples
    --------
    Two arcs share a post of 100 vehicles; a unit of flow is a tonne, a vehicle carries 20 t.

    >>> import scipy.sparse as sp
    >>> pools = Pools(sp.csr_matrix([[0.05, 0.05]]), [100.0])
    >>> pools.n_pools
    1
    """

    matrix: sp.csr_matrix
    capacity: FloatArray

    def __post_init__(self) -> None:
        matrix = as_csr("pools.matrix", self.matrix)
        check_values("pools.matrix.data", matrix.data, matrix.data >= 0, ">= 0 and finite")
        capacity = as_floats("pools.capacity", self.capacity, (matrix.shape[0],))
        check_values("pools.capacity", capacity, capacity >= 0, ">= 0")
        object.__setattr__(self, "matrix", matrix)
        object.__setattr__(self, "capacity", capacity)

    @property
    def n_pools(self) -> int:
        """Number of pools."""
        return int(self.capacity.size)


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Linear side rows over class flows and unmet demand.

    Formula: ``lower <= matrix @ class_flow.ravel() + unmet @ unmet_demand <= upper``.

    Floors (``F(a) >= x``) have a lower bound, bands (``low F(b) <= F(a) <= high F(b)``) are two
    rows with entries of both signs. A cap on a share of what is served, ``F(S) <= share x
    (demand - unmet)``, is ``F(S) + share x unmet <= share x demand``.

    Parameters
    ----------
    matrix : scipy sparse matrix of float64, shape (n_rows, n_classes * n_arcs)
        Coefficients, finite, of any sign; column ``class * n_arcs + arc``.
    lower, upper : array-like of float64, shape (n_rows,)
        Bounds; -inf and inf mean none.
    unmet : scipy sparse matrix of float64, shape (n_rows, n_commodities), optional
        Coefficients of the demand that is not carried; none by default.

    Raises
    ------
    InputError
        If a shape differs, a value is NaN, or a lower bound exceeds its upper bound.

    Examples
    --------
    At most 40 % of what is carried of 10 units, all of commodity 0, may use arc 1 of 2:

    >>> import scipy.sparse as sp
    >>> cap = Rows(sp.csr_matrix([[0.0, 1.0]]), [-np.inf], [4.0], unmet=sp.csr_matrix([[0.4]]))
    >>> cap.n_rows
    1
    """

    matrix: sp.csr_matrix
    lower: FloatArray
    upper: FloatArray
    unmet: sp.csr_matrix | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        matrix = as_csr("rows.matrix", self.matrix)
        lower = as_floats("rows.lower", self.lower, (matrix.shape[0],))
        upper = as_floats("rows.upper", self.upper, (matrix.shape[0],))
        good = (lower <= upper) & (lower < np.inf) & (upper > -np.inf)
        check_values("rows.lower", lower, good, "<= rows.upper")
        for name, value in (("matrix", matrix), ("lower", lower), ("upper", upper)):
            object.__setattr__(self, name, value)
        if self.unmet is not None:
            unmet = as_csr("rows.unmet", self.unmet)
            if unmet.shape[0] != self.n_rows:
                wanted = (self.n_rows, unmet.shape[1])
                raise InputError(wrong_shape("rows.unmet", unmet.shape, wanted))
            object.__setattr__(self, "unmet", unmet)

    def values(self, class_flow: FloatArray, unmet: FloatArray) -> FloatArray:
        """Return what each row adds up to.

        Parameters
        ----------
        class_flow : ndarray of float64, shape (n_classes, n_arcs)
            Flow of each class.
        unmet : ndarray of float64, shape (n_commodities,)
            Demand not carried.
        """
        total: FloatArray = self.matrix @ class_flow.ravel()
        return total if self.unmet is None else total + self.unmet @ unmet

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return int(self.lower.size)


@dataclass(frozen=True, slots=True, eq=False)
class FlowProblem:
    """A multicommodity flow problem: who wants to go where, at what cost, within what limits.

    Formula: minimize ``sum(cost * class_flow) + sum(delay(load)) + unmet_cost @ unmet`` over path
    flows >= 0 that carry ``demand - unmet`` of each commodity from origin to destination, with
    ``arc_flow <= capacity``, ``load = pools.matrix @ class_flow.ravel() <= pools.capacity`` and
    the side rows.

    Parameters
    ----------
    graph : Graph
        The network.
    origin, destination : array-like of int, shape (n_commodities,)
        Nodes. Where both are the same the demand is met by the empty path, at cost 0.
    demand : array-like of float64, shape (n_commodities,)
        Units to carry, >= 0, finite.
    cost : array-like of float64, shape (n_arcs,) or (n_classes, n_arcs)
        Cost per unit of flow, >= 0; inf closes the arc.
    capacity : array-like of float64, shape (n_arcs,), optional
        Units of flow that all classes share on an arc, >= 0; inf or None means no limit.
    commodity_class : array-like of int, shape (n_commodities,), optional
        Class of each commodity; all of class 0 by default. Classes differ in costs, in the arcs
        they may use and in their use of pools.
    allowed : array-like of bool, shape (n_arcs,) or (n_classes, n_arcs), optional
        Arcs that may be used; all by default.
    pools : Pools, optional
        Shared capacities.
    delay : Delay, optional
        One curve for each pool; needs pools.
    rows : Rows, optional
        Side rows.
    unmet_cost : float or array-like of float64, shape (n_commodities,), optional
        Price of a unit that is not carried, >= 0. Demand whose cheapest path costs more stays at
        home. None means that all demand must be carried.

    Attributes
    ----------
    n_classes, n_commodities : int
        Sizes.

    Raises
    ------
    InputError
        If a shape differs or a value is out of its range; the message says which, where and how
        many.

    Examples
    --------
    >>> from corridor.core.graph import Graph
    >>> problem = FlowProblem(Graph(2, [0, 0], [1, 1]), [0], [1], [5.0], [1.0, 3.0], [4.0, 9.0])
    >>> problem.n_classes, problem.n_commodities
    (1, 1)
    >>> FlowProblem(Graph(2, [0], [1]), [0], [1], [-5.0], [1.0])
    Traceback (most recent call last):
    corridor.errors.InputError: demand must be >= 0 and finite; found -5.0 at position 0 \
(1 of 1 values).
    """

    graph: Graph
    origin: IntArray
    destination: IntArray
    demand: FloatArray
    cost: FloatArray
    capacity: FloatArray | None = None
    commodity_class: IntArray | None = field(default=None, kw_only=True)
    allowed: BoolArray | None = field(default=None, kw_only=True)
    pools: Pools | None = field(default=None, kw_only=True)
    delay: Delay | None = field(default=None, kw_only=True)
    rows: Rows | None = field(default=None, kw_only=True)
    unmet_cost: FloatArray | None = field(default=None, kw_only=True)
    n_classes: int = field(init=False)

    def __post_init__(self) -> None:
        self._set_demand()
        self._set_classes()
        self._set_costs()
        self._check_columns()
        self._check_delay()

    @property
    def n_commodities(self) -> int:
        """Number of commodities."""
        return int(self.demand.size)

    def open_cost(self) -> FloatArray:
        """Return the cost of every class and arc, inf where the class may not go.

        Returns
        -------
        ndarray of float64, shape (n_classes, n_arcs)
            A new array.
        """
        shape = (self.n_classes, self.graph.n_arcs)
        if self.allowed is None:
            return np.array(np.broadcast_to(self.cost, shape))
        # Broadcast by hand: both may be of one row, for all classes.
        allowed = np.broadcast_to(self.allowed, shape)
        cost: FloatArray = np.where(allowed, self.cost, np.inf)
        return cost

    def _store(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    def _set_demand(self) -> None:
        nodes = self.graph.n_nodes
        self._store("origin", locked(as_positions("origin", self.origin, nodes)))
        self._store("destination", locked(as_positions("destination", self.destination, nodes)))
        shape = (int(self.origin.size),)
        if self.destination.shape != shape:
            raise InputError(wrong_shape("destination", self.destination.shape, shape))
        demand = as_floats("demand", self.demand, shape)
        good = (demand >= 0) & np.isfinite(demand)
        check_values("demand", demand, good, ">= 0 and finite")
        self._store("demand", demand)
        if self.unmet_cost is not None:
            spread = np.asarray(self.unmet_cost, dtype=np.float64)
            spread = np.broadcast_to(spread, shape) if spread.ndim == 0 else spread
            price = as_floats("unmet_cost", spread, shape)
            good = (price >= 0) & np.isfinite(price)
            check_values("unmet_cost", price, good, ">= 0 and finite")
            self._store("unmet_cost", price)

    def _set_classes(self) -> None:
        shape = (self.n_commodities,)
        given = self.commodity_class
        if given is None:
            given = np.zeros(shape, dtype=np.int32)
        limit = self._class_limit()
        classes = locked(as_positions("commodity_class", given, limit or 2**31 - 1))
        if classes.shape != shape:
            raise InputError(wrong_shape("commodity_class", classes.shape, shape))
        self._store("commodity_class", classes)
        self._store("n_classes", limit or int(classes.max(initial=0)) + 1)

    def _class_limit(self) -> int | None:
        """Return the number of classes the arrays imply, None where they imply none."""
        for array in (self.cost, self.allowed):
            if array is not None and np.ndim(array) == _PER_CLASS_AND_ARC:
                return int(np.shape(array)[0])
        for part in (self.pools, self.rows):
            if part is not None and self.graph.n_arcs:
                return max(1, int(part.matrix.shape[1]) // self.graph.n_arcs)
        return None

    def _set_costs(self) -> None:
        arcs = self.graph.n_arcs
        cost = as_floats("cost", self.cost, *self._arc_shapes(self.cost))
        check_values("cost", cost, cost >= 0, ">= 0")
        self._store("cost", cost)
        if self.capacity is not None:
            capacity = as_floats("capacity", self.capacity, (arcs,))
            check_values("capacity", capacity, capacity >= 0, ">= 0")
            self._store("capacity", capacity)
        if self.allowed is not None:
            allowed = np.array(self.allowed)
            shapes = self._arc_shapes(allowed)
            if allowed.dtype != np.bool_:
                msg = f"allowed must be bool; found {allowed.dtype}. Compare, or use astype(bool)."
                raise InputError(msg)
            if allowed.shape not in shapes:
                raise InputError(wrong_shape("allowed", allowed.shape, *shapes))
            allowed.flags.writeable = False
            self._store("allowed", allowed)

    def _arc_shapes(self, array: ArrayLike) -> tuple[tuple[int, ...], ...]:
        per_arc, per_class = (self.graph.n_arcs,), (self.n_classes, self.graph.n_arcs)
        return (per_class,) if np.ndim(array) == _PER_CLASS_AND_ARC else (per_arc, per_class)

    def _check_columns(self) -> None:
        columns = self.n_classes * self.graph.n_arcs
        for name, part in (("pools", self.pools), ("rows", self.rows)):
            if part is not None and part.matrix.shape[1] != columns:
                wanted = (part.matrix.shape[0], columns)
                msg = wrong_shape(f"{name}.matrix", part.matrix.shape, wanted)
                msg += " One column for each class and arc: class * n_arcs + arc."
                raise InputError(msg)
        if self.rows is not None and self.rows.unmet is not None:
            shape = (self.rows.n_rows, self.n_commodities)
            if self.rows.unmet.shape != shape:
                raise InputError(wrong_shape("rows.unmet", self.rows.unmet.shape, shape))

    def _check_delay(self) -> None:
        if self.delay is None:
            return
        if self.pools is None:
            msg = "delay needs pools: a curve for each pool. Give pools, or drop delay."
            raise InputError(msg)
        if self.delay.n_pools != self.pools.n_pools:
            msg = (
                f"delay must have one curve for each of the {self.pools.n_pools} pools; "
                f"found {self.delay.n_pools}."
            )
            raise InputError(msg)
