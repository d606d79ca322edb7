"""The cheapest path whose use of resources stays within bounds."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from corridor.core.graph import FloatArray, Graph, IntArray, as_array, as_count, as_floats
from corridor.core.paths._checks import as_costs
from corridor.core.paths._multipliers import Multipliers, exceeds_limits, find_multipliers
from corridor.core.paths._whole import LARGEST_TOTAL, Whole, as_whole
from corridor.core.paths.fronts import MAX_LABELS
from corridor.core.paths.ksp import Path
from corridor.errors import InputError, SolverError

Ends: TypeAlias = tuple[int, int]
"""Origin and destination."""

EASY_LABELS = 20_000
"""Labels that are tried before multipliers are looked for."""

FIRST_GAP = 0.002
"""How far above the bound, in shares of it, the cost is taken to be at first."""

FINEST = 20
"""Most binary digits behind the point of a priced total."""

ULPS = 1.0 + 2.0**-51
"""Factor that forgives a bound the rounding of its own scaling, and less than one whole number."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outcome:
    """What a search found: at most one row of ``total``; ``criteria`` with useless arcs closed."""

    complete: bool
    total: FloatArray
    arcs: IntArray
    criteria: FloatArray


def constrained_path(
    graph: Graph,
    cost: npt.ArrayLike,
    resources: npt.ArrayLike,
    limits: npt.ArrayLike,
    origin: int,
    destination: int,
    lower: npt.ArrayLike | None = None,
    *,
    max_labels: int = MAX_LABELS,
) -> Path | None:
    """Return the cheapest simple path that uses every resource within its bounds.

    Parameters
    ----------
    graph
        The graph.
    cost
        (n_arcs,), >= 0; inf closes an arc.
    resources
        (n_resources, n_arcs), >= 0: what an arc uses of each; inf closes it.
    limits
        (n_resources,), >= 0: most that the arcs of a path may use together; inf sets no limit.
    origin, destination
        Nodes; when they are the same the empty path, which uses nothing, is the only one.
    lower
        (n_resources,), finite, between 0 and ``limits``: least that they must use together; None
        asks for nothing.
    max_labels
        Partial paths to keep at once, beyond which the search is given up; >= 1.

    Returns
    -------
    Path or None
        None where no simple path keeps the bounds. Which of several cheapest paths it is, is
        fixed by the input but otherwise unspecified.

    Raises
    ------
    InputError
        For shapes that do not fit, negative or NaN values, nodes out of range, a lower bound above
        its limit, or values too far apart to be added in float64.
    SolverError
        When the search needs more than ``max_labels`` labels. Nothing is ever cut off in silence.

    Notes
    -----
    Arcs that no path within the limits can use are closed, by least use of each resource from the
    origin and to the destination, until none is left [1]_; then labels are set in order of cost
    plus the least cost to come, and the first to arrive is the answer. Where that takes many
    labels, Lagrange multipliers give a bound on the cost [2]_, and labels above a ceiling near it
    are dropped; the ceiling is raised until a path is found.

    A label is dropped when another at its node costs and uses no more. With a lower bound that
    some path could miss this is not enough: the other must use exactly as much, or enough already,
    and must have visited no further node, since a detour can be what a path needs and may not be
    driven twice. Such searches can take exponentially long where those without would not.

    Values are scaled to whole numbers: decimals (of at most nine places) add up exactly, so that
    0.1 + 0.2 keeps a limit of 0.3. Others are rounded to one part in 2**50 of the greatest total
    that matters, and a total may miss a bound by as much for every arc.

    .. [1] J. E. Beasley, N. Christofides, "An algorithm for the resource constrained shortest
       path problem", Networks 19 (1989).
    .. [2] G. Y. Handler, I. Zang, "A dual algorithm for the constrained shortest path problem",
       Networks 10 (1980).

    Examples
    --------
    >>> graph = Graph(3, tail=[0, 1, 0], head=[1, 2, 2])
    >>> hours = [[4.0, 4.0, 3.0]]
    >>> constrained_path(graph, [1.0, 1.0, 5.0], hours, [8.0], 0, 2)
    Path(arcs=array([0, 1], dtype=int32), cost=2.0)
    >>> constrained_path(graph, [1.0, 1.0, 5.0], hours, [7.0], 0, 2)
    Path(arcs=array([2], dtype=int32), cost=5.0)
    >>> constrained_path(graph, [1.0, 1.0, 5.0], hours, [2.0], 0, 2) is None
    True
    """
    costs = as_costs("cost", cost, graph, (1,))
    use = as_costs("resources", resources, graph, (2,))
    most = _as_bounds("limits", limits, len(use))
    least = _as_bounds("lower", np.zeros(len(use)) if lower is None else lower, len(use))
    _check_order(least, most)
    source = as_count("origin", origin, most=graph.n_nodes - 1)
    target = as_count("destination", destination, most=graph.n_nodes - 1)
    label_limit = as_count("max_labels", max_labels, least=1)
    if source == target:
        return None if least.any() else _path_of(costs, np.empty(0, dtype=np.int32))
    costs = np.where(np.isinf(use).any(axis=0), np.inf, costs)
    matters = np.isfinite(most) | (least > 0)
    criteria, bounds = _scaled(costs, use[matters], least[matters], most[matters], graph.n_nodes)
    arcs = _search(graph, criteria, bounds, (source, target), label_limit)
    return None if arcs is None else _path_of(costs, arcs)


def _search(
    graph: Graph, criteria: FloatArray, bounds: FloatArray, ends: Ends, max_labels: int
) -> IntArray | None:
    """Return the arcs of the cheapest path with totals of ``criteria`` (k, n_arcs) in ``bounds``.

    ``criteria`` has the cost first, in whole numbers; ``bounds`` is (2, k). Most searches are over
    before multipliers would have been found. Of the others, those that take the cost to be little
    above the bound are small, and a path that one of them finds is the cheapest of all.
    """
    found = _search_once(graph, criteria, bounds, ends, min(max_labels, EASY_LABELS))
    if found.complete:
        return found.arcs if len(found.total) else None
    lower, limits = bounds
    best = find_multipliers(graph, found.criteria, lower, limits, *ends)
    if best.cost == math.inf and exceeds_limits(graph, found.criteria, limits, *ends):
        return None
    for ceiling in _ceilings(best, found.criteria[0]):
        priced = _with_prices(found.criteria, bounds, best.price, ceiling, graph.n_nodes - 1)
        trial = _search_once(graph, *priced, ends, max_labels)
        if len(trial.total):
            return trial.arcs
        if not trial.complete:
            break
    else:
        trial = _search_once(graph, found.criteria, bounds, ends, max_labels)
    if not trial.complete:
        message = (
            f"the constrained path must be found with at most max_labels = {max_labels:,} labels "
            "at once; found that more were needed; try tighter limits, coarser resources, no "
            "lower bounds, or a larger max_labels"
        )
        raise SolverError(message)
    return trial.arcs if len(trial.total) else None


def _ceilings(best: Multipliers, cost: FloatArray) -> Iterator[float]:
    """Yield ever higher costs that the cheapest path may not pass, up to that of a known path."""
    worst = float(cost[np.isfinite(cost)].sum())
    gap = max(FIRST_GAP * abs(best.bound), 1.0)
    while best.bound + gap < min(best.cost, worst):
        yield best.bound + gap
        gap *= 4.0
    if best.cost < math.inf:
        yield best.cost


def _search_once(
    graph: Graph, criteria: FloatArray, bounds: FloatArray, ends: Ends, max_labels: int
) -> Outcome:
    """Close arcs and search once; ``criteria`` stay as they are."""
    from corridor.core.paths import _budget_kernels, _kernels, _label_kernels

    lower, limits = bounds
    arcs = _kernels.arcs_of(graph)
    reverse = _kernels.reversed_arcs(arcs)
    left = criteria.copy()
    to_go = _budget_kernels.close_arcs(arcs, reverse, left, limits, *ends)
    if (lower <= to_go[:, ends[0]]).all():
        found = _label_kernels.best_paths(arcs, left, to_go, *ends, 1.0, limits, 1, max_labels)
    else:
        found = _budget_kernels.best_between(arcs, left, to_go, lower, limits, *ends, max_labels)
    return Outcome(complete=found.complete, total=found.total, arcs=found.arcs, criteria=left)


def _with_prices(
    criteria: FloatArray, bounds: FloatArray, price: FloatArray, ceiling: float, n_steps: int
) -> tuple[FloatArray, FloatArray]:
    """Return criteria and bounds with one more, cost + price @ use, and a ceiling on the cost.

    Its values are rounded down, which keeps the ceiling valid.
    """
    is_open = np.isfinite(criteria[0])
    weight = np.full(len(is_open), np.inf)
    weight[is_open] = criteria[0, is_open] + price @ criteria[1:, is_open]
    most = ceiling + float(price[price > 0] @ bounds[1, 1:][price > 0])
    top = max(float(weight[is_open].max(initial=0.0)) * n_steps, most, 1.0)
    scale = 2.0 ** min(math.frexp(LARGEST_TOTAL / top)[1] - 2, FINEST)
    # Rounding of prices and sums is worth less than the one unit added.
    limit = math.floor(most * scale * (1.0 + 1e-12)) + 1.0
    above = bounds[1].copy()
    above[0] = ceiling
    lower, limits = np.append(bounds[0], 0.0), np.append(above, limit)
    return np.vstack([criteria, np.floor(weight * scale)]), np.stack([lower, limits])


def _scaled(
    cost: FloatArray, use: FloatArray, lower: FloatArray, limits: FloatArray, n_nodes: int
) -> tuple[FloatArray, FloatArray]:
    """Return (criteria, bounds) in whole numbers: (k, n_arcs) and (2, k), the cost first."""
    closed = np.isinf(cost) | (use > ULPS * limits[:, np.newaxis]).any(axis=0)
    criteria = [as_whole("cost", np.where(closed, np.inf, cost), n_nodes - 1).values]
    bounds = [(0.0, np.inf)]
    for row, (amounts, low, high) in enumerate(zip(use, lower, limits, strict=True)):
        whole = as_whole(
            f"resources[{row}]", np.where(closed, np.inf, amounts), n_nodes - 1, ceiling=high
        )
        criteria.append(whole.values)
        bounds.append(_whole_bounds(whole, low, high, n_nodes - 1))
    if len(criteria) == 1:  # labels have at least one component beside the cost
        criteria.append(np.where(closed, np.inf, 0.0))
        bounds.append((0.0, np.inf))
    return np.stack(criteria), np.array(bounds).T.copy()


def _whole_bounds(whole: Whole, lower: float, limit: float, n_steps: int) -> tuple[float, float]:
    """Return the bounds as whole numbers that forgive rounding."""
    rounding = 0 if whole.exact else n_steps
    low = np.ceil(lower * whole.scale / ULPS) - rounding
    high = np.floor(limit * whole.scale * ULPS) + rounding
    return float(low), float(high)


def _path_of(cost: FloatArray, arcs: IntArray) -> Path:
    arcs.flags.writeable = False
    return Path(arcs, float(sum(cost[arcs].tolist())))


def _as_bounds(name: str, values: npt.ArrayLike, n_resources: int) -> FloatArray:
    """Return bounds as float64 (n_resources,), >= 0, or say what is wrong."""
    array = as_array(name, values)
    if array.shape != (n_resources,) or (array.size and array.dtype.kind not in "iuf"):
        message = (
            f"{name} must have shape ({n_resources},), one number for each resource; "
            f"found shape {array.shape}, dtype {array.dtype}; give them in the order of resources"
        )
        raise InputError(message)
    bounds = as_floats(name, array)
    if not (bounds >= 0).all():
        bad = ~(bounds >= 0)
        first = int(np.argmax(bad))
        message = (
            f"{name} must be >= 0; found {bounds[first]} at position {first} "
            f"({int(bad.sum())} of {bounds.size} values); use inf for no limit and 0 for no minimum"
        )
        raise InputError(message)
    return bounds


def _check_order(lower: FloatArray, limits: FloatArray) -> None:
    """Raise when a lower bound is infinite or above its limit."""
    bad = (lower > limits) | np.isinf(lower)
    if bad.any():
        first = int(np.argmax(bad))
        message = (
            f"lower must be finite and at most limits; found {lower[first]} above {limits[first]} "
            f"at position {first} ({int(bad.sum())} of {bad.size} values); swap or loosen them"
        )
        raise InputError(message)
