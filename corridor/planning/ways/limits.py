"""Limits of one way: at most so many borders, days, dollars, kilometers in a state; states avoided.

A limit holds for the way as a whole, at the mean waits of the background load.
"""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from numbers import Real
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from corridor.core.paths import constrained_path
from corridor.errors import InputError
from corridor.network.supernetwork import Supernetwork
from corridor.planning.model import Model
from corridor.planning.ways.measures import Measure, arc_km_in, arc_measure, state_codes

BoolArray: TypeAlias = NDArray[np.bool_]
FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int32]
Ends: TypeAlias = tuple[int, int]
"""Node of the origin, node of the destination."""

ROUNDING: Final = 1.0 + 1e-9
"""Factor that a total may be above its limit: the rounding of sums."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Limits:
    """What a way must keep; the default is no limit.

    Parameters
    ----------
    max_crossings
        Most borders.
    max_time_h
        Most hours from door to door.
    max_cost_usd_per_t
        Most money [USD/t].
    max_km_in
        Most kilometers in each of some states [km].
    avoid
        States whose territory may not be used, their ports and posts included.

    Raises
    ------
    InputError
        If a limit is negative or no number, or a state is both avoided and limited.
    """

    max_crossings: int | None = None
    max_time_h: float | None = None
    max_cost_usd_per_t: float | None = None
    max_km_in: Mapping[str, float] = field(default_factory=dict)
    avoid: Collection[str] = ()

    def __post_init__(self) -> None:
        """Refuse what is no limit."""
        wrong = [f"{name} = {value!r}" for name, value in self.named() if not _is_limit(value)]
        if wrong:
            msg = (
                f"A limit must be a number >= 0; found {', '.join(wrong)}. Leave a limit out to "
                "have none."
            )
            raise InputError(msg)

    def named(self) -> list[tuple[str, float]]:
        """Return the name and value of every limit on a total that is set."""
        totals = ("max_crossings", "max_time_h", "max_cost_usd_per_t")
        named = [(name, getattr(self, name)) for name in totals if getattr(self, name) is not None]
        return [*named, *((f"max_km_in {state}", most) for state, most in self.max_km_in.items())]


def _is_limit(value: object) -> bool:
    return not isinstance(value, bool) and isinstance(value, Real) and float(value) >= 0.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bounds:
    """Limits on totals as arrays.

    Attributes
    ----------
    names
        What each limit is called.
    use : ndarray of float64, shape (n_limits, n_arcs)
        What each arc uses of it.
    most : ndarray of float64, shape (n_limits,)
        The limit.
    """

    names: tuple[str, ...]
    use: FloatArray
    most: FloatArray

    def keeps(self, arcs: IntArray) -> bool:
        """Return whether a way keeps all limits."""
        return bool((self.use[:, arcs].sum(axis=1) <= self.most * ROUNDING).all())

    def without(self, position: int) -> "Bounds":
        """Return the bounds without one of them."""
        return Bounds(
            names=self.names[:position] + self.names[position + 1 :],
            use=np.delete(self.use, position, axis=0),
            most=np.delete(self.most, position),
        )

    def best(self, net: Supernetwork, cost: FloatArray, ends: Ends) -> IntArray | None:
        """Return the arcs of the cheapest way that keeps all limits, None where there is none."""
        path = constrained_path(net.graph, cost, self.use, self.most * ROUNDING, *ends)
        return None if path is None else path.arcs


_MEASURE_OF: Final[dict[str, Measure]] = {
    "max_crossings": "n_crossings",
    "max_time_h": "time_h",
    "max_cost_usd_per_t": "cost_usd_per_t",
}


def compile_bounds(model: Model, code: int, limits: Limits, *, with_time: bool = True) -> Bounds:
    """Return the limits on totals for a class.

    Parameters
    ----------
    model, code
        A compiled model, and a class of its shipments.
    limits
        The limits.
    with_time
        False leaves the time out: a dated way keeps to its own clock.

    Raises
    ------
    InputError
        If a state is unknown.
    """
    use = [
        arc_measure(model, code, measure)
        for name, measure in _MEASURE_OF.items()
        if getattr(limits, name) is not None and (with_time or name != "max_time_h")
    ]
    use += [arc_km_in(model, [state]) for state in limits.max_km_in]
    named = [pair for pair in limits.named() if with_time or pair[0] != "max_time_h"]
    return Bounds(
        names=tuple(name for name, _ in named),
        use=np.array(use).reshape(len(use), model.supernetwork.n_arcs),
        most=np.array([most for _, most in named], dtype=np.float64),
    )


def avoided_arcs(model: Model, avoid: Collection[str], ends: Ends) -> BoolArray:
    """Return the arcs in the jurisdiction of avoided states, bool (n_arcs,).

    Raises
    ------
    InputError
        If a state is unknown, or the way must start or end in one.
    """
    net = model.supernetwork
    codes = state_codes(model, avoid)
    home = {str(model.shipments.place_country[net.node_place[node]]) for node in ends}
    needed = sorted(home.intersection(avoid))
    if needed:
        msg = (
            f"The states to avoid must not be those of origin and destination; found "
            f"{', '.join(needed)}. Take it out, or choose other ends."
        )
        raise InputError(msg)
    return np.isin(net.arc_country, codes)


def least_limits(
    model: Model, cost: FloatArray, ends: Ends, bounds: Bounds, avoid: Collection[str]
) -> dict[str, float]:
    """Return the least that each limit would have to be for a way to keep the others.

    Parameters
    ----------
    model
        A compiled model.
    cost : ndarray of float64, shape (n_arcs,)
        What the way should have least of, inf where rules or works close an arc.
    ends
        Its ends.
    bounds, avoid
        The limits that no way keeps together.

    Returns
    -------
    dict
        Name and least value; a limit that would not help is left out.
    """
    shut = np.isinf(cost) | avoided_arcs(model, avoid, ends)
    least: dict[str, float] = {}
    for i, name in enumerate(bounds.names):
        use = np.where(shut, np.inf, bounds.use[i])
        arcs = bounds.without(i).best(model.supernetwork, use, ends)
        if arcs is not None:
            least[name] = rounded_up(float(use[arcs].sum()))
    return least


def spared_states(
    model: Model, cost: FloatArray, ends: Ends, bounds: Bounds, avoid: Collection[str]
) -> list[str]:
    """Return the states that, if one of them were not avoided, would open a way within bounds.

    Parameters are those of `least_limits`.
    """
    spared: list[str] = []
    for state in avoid:
        others = avoided_arcs(model, [other for other in avoid if other != state], ends)
        if bounds.best(model.supernetwork, np.where(others, np.inf, cost), ends) is not None:
            spared.append(state)
    return spared


def rounded_up(value: float) -> float:
    """Return a limit to one decimal that a total keeps."""
    return math.ceil(value * 10.0 / ROUNDING) / 10.0
