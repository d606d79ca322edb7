"""Lower bounds on the cost of every portfolio, from the prices of one.

Whatever prices pools and side rows have, no portfolio costs less than Lagrange's function::

    sum over demand x min(cheapest path, price of unmet) + sum over pools of min(delay(v) - price v)
    + prices x bounds of the side rows

The pools' terms know the projects that touch them and add up. What a portfolio saves on paths is
bounded for each group of shipments by the projects that their cheaper paths need, so that the bound
is linear in the projects and in one saving a group: rows of a small integer program.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from corridor.core.flows import FlowProblem, FlowResult
from corridor.core.flows.delay import curves_of
from corridor.core.graph import Graph
from corridor.core.paths import shortest_paths
from corridor.planning.investment.project_effects import Case, Effects, Key

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.intp]
BoolArray: TypeAlias = NDArray[np.bool_]

_HALVINGS: Final = 32
_DOUBLINGS: Final = 60
_NOISE: Final = 1e-12
"""Share of a cost by which another must be lower to count."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Savings:
    """What a group of shipments can save, at most, in every portfolio x.

    Formula: ``saving <= constant[i] + coefficient[i] @ x`` for every row i.

    Attributes
    ----------
    constant : ndarray of float64, shape (n_rows,)
        [USD/day]
    coefficient : ndarray of float64, shape (n_rows, n_projects)
        [USD/day]
    """

    constant: FloatArray
    coefficient: FloatArray

    def most(self, chosen: BoolArray) -> float:
        """Return the most that can be saved by some projects [USD/day]."""
        return float((self.constant + self.coefficient @ chosen).min())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PriceBound:
    """A lower bound on the cost of every portfolio.

    Formula: ``constant + coefficient @ x - sum of the groups' savings`` [USD/day].
    """

    constant: float
    coefficient: FloatArray
    groups: tuple[Savings, ...]

    def value(self, chosen: BoolArray) -> float:
        """Return the bound for some projects [USD/day]."""
        saved = sum(group.most(chosen) for group in self.groups)
        return self.constant + float(self.coefficient @ chosen) - saved


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Prices:
    """Prices as Lagrange's function takes them: by key of pool, and by side row (<= 0 floors)."""

    pool: FloatArray
    row: FloatArray


class PriceBounds:
    """Makes bounds from prices.

    Parameters
    ----------
    effects
        What projects do; its cases must be aligned.
    """

    def __init__(self, effects: Effects) -> None:
        self.effects = effects
        problem = effects.base.problem
        self.graph = problem.graph
        self.reverse = Graph(problem.graph.n_nodes, problem.graph.head, problem.graph.tail)
        served = problem.demand > 0
        classes = np.asarray(problem.commodity_class)
        self.rows = np.flatnonzero(served)
        self.class_of = classes[self.rows]
        self.demand = problem.demand[self.rows]
        self.origin = problem.origin[self.rows]
        self.destination = problem.destination[self.rows]
        self.open_cost = [case.problem.open_cost() for case in effects.cases]
        self._alike = _alike(effects)
        standing = np.array([case.standing_usd_per_day for case in effects.cases])
        self._standing = _add_up(standing, standing[1:-1] != standing[0])

    def bound(self, case: Case, result: FlowResult, chosen: BoolArray) -> PriceBound:
        """Return the bound at the prices of a solved case.

        Parameters
        ----------
        case, result
            A case that is aligned with those of the effects, and its solution.
        chosen : ndarray of bool, shape (n_projects,)
            Its projects.
        """
        prices = self._carry(case, result)
        priced = self._priced(prices)
        if min(float(cost.min(initial=0.0)) for cost in priced) < 0.0:
            # A row that pays for flow would want simple paths; without its price it still bounds.
            prices = _Prices(pool=prices.pool, row=np.zeros_like(prices.row))
            priced = self._priced(prices)
        constant, coefficient = self._pool_terms(prices)
        constant += self._standing[0]
        coefficient = coefficient + self._standing[1]
        constant += _row_term(self.effects.base.problem, prices.row)
        before, groups = self._path_terms(priced, self._unmet_usd_per_t(prices), chosen)
        return PriceBound(
            constant=constant + float(self.demand @ before), coefficient=coefficient, groups=groups
        )

    # -- prices -------------------------------------------------------------------------------

    def _carry(self, case: Case, result: FlowResult) -> _Prices:
        numbers = {
            key: number
            for one, index in zip(self.effects.cases, self.effects.index, strict=True)
            for key, number in zip(one.keys, index.tolist(), strict=True)
        }
        pool = np.zeros(self.effects.n_keys)
        for key, price in zip(case.keys, result.pool_load_price.tolist(), strict=True):
            # A pool that none of the cases has got stays without a price.
            if key in numbers:
                pool[numbers[key]] = max(price, 0.0)
        return _Prices(pool=pool, row=-np.asarray(result.row_price, dtype=np.float64))

    def _priced(self, prices: _Prices) -> list[FloatArray]:
        """Return the price of every class and arc in every case, inf where it is closed."""
        priced = []
        rows = self.effects.base.problem.rows
        shape = self.open_cost[0].shape
        by_rows = 0.0 if rows is None else (rows.matrix.T @ prices.row).reshape(shape)
        for case, index, cost in zip(
            self.effects.cases, self.effects.index, self.open_cost, strict=True
        ):
            total = cost + by_rows
            if case.problem.pools is not None:
                total += (case.problem.pools.matrix.T @ prices.pool[index]).reshape(shape)
            priced.append(total)
        return priced

    def _unmet_usd_per_t(self, prices: _Prices) -> FloatArray:
        problem = self.effects.base.problem
        assert problem.unmet_cost is not None  # noqa: S101 (welfare problems have one)
        unmet = problem.unmet_cost
        if problem.rows is not None and problem.rows.unmet is not None:
            unmet = unmet + problem.rows.unmet.T @ prices.row
        return np.asarray(unmet[self.rows], dtype=np.float64)

    # -- pools --------------------------------------------------------------------------------

    def _pool_terms(self, prices: _Prices) -> tuple[float, FloatArray]:
        """Return what the pools add without projects, and what each project changes of it."""
        effects, n_projects = self.effects, len(self.effects.projects)
        alike = self._alike
        least = np.zeros((len(effects.cases), effects.n_keys))
        for row, (case, index) in enumerate(zip(effects.cases, effects.index, strict=True)):
            mine = np.zeros(effects.n_keys, np.bool_)
            mine[index] = True
            least[row] = np.where(alike[row], least[0], 0.0)
            asked = mine[index] & ~alike[row, index]
            least[row, index[asked]] = _least_delays(
                case.problem, prices.pool[index], np.flatnonzero(asked)
            )
        return _add_up(least, ~alike[1 : n_projects + 1])

    # -- paths --------------------------------------------------------------------------------

    def _path_terms(
        self, priced: list[FloatArray], unmet: FloatArray, chosen: BoolArray
    ) -> tuple[FloatArray, tuple[Savings, ...]]:
        """Return the cheapest paths without projects, and what groups of shipments can save."""
        n_projects = len(self.effects.projects)
        base, alone, together = priced[0], priced[1 : n_projects + 1], priced[-1]
        alone = _with_joint_gains(base, alone, together)
        before = np.empty(self.rows.size)
        members: dict[tuple[int, ...], list[tuple[float, ...]]] = {}
        tables: dict[tuple[int, ...], FloatArray] = {}
        for of_class in _runs(self.class_of):
            k = self.class_of[of_class[0]]
            ends = _Ends(self, of_class, unmet[of_class])
            costs = np.stack([one[k] for one in alone])
            found = _class_savings(ends, base[k], costs, chosen)
            before[of_class] = found.before
            for relevant, rows in found.by_projects.items():
                amount = rows * self.demand[of_class][found.members[relevant]][:, None]
                total = amount.sum(axis=0)
                tables[relevant] = tables.get(relevant, 0.0) + total
        del members
        groups = tuple(
            _savings(relevant, total, chosen, n_projects) for relevant, total in tables.items()
        )
        return before, groups


def _runs(values: IntArray) -> Iterator[IntArray]:
    """Yield the positions of each value."""
    order = np.argsort(values, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(values[order]) != 0]) if order.size else order
    yield from np.split(order, starts[1:]) if order.size else ()


def _row_term(problem: FlowProblem, price: FloatArray) -> float:
    """Return what the side rows add: prices above 0 pay at upper bounds, below 0 at lower ones."""
    if problem.rows is None:
        return 0.0
    up, down = price > 0.0, price < 0.0
    return -float(price[up] @ problem.rows.upper[up] + price[down] @ problem.rows.lower[down])


def _add_up(terms: FloatArray, touches: BoolArray) -> tuple[float, FloatArray]:
    """Return what separate terms add up to without projects, and what each project changes of it.

    Where several projects touch a term, any of them may bring the least that any case brings; what
    only all together change is granted to all portfolios.

    Parameters
    ----------
    terms : ndarray of float64, shape (n_cases, n_terms)
        Terms of the base, of each project alone and of all together.
    touches : ndarray of bool, shape (n_projects, n_terms)
        Terms that each project changes.
    """
    change = np.where(touches, terms[1:-1] - terms[0], 0.0)
    worst = np.minimum(terms.min(axis=0) - terms[0], 0.0)
    shared = touches.sum(axis=0) > 1
    change[:, shared] = np.where(touches[:, shared], worst[shared], 0.0)
    untouched = ~touches.any(axis=0)
    return float(terms[0].sum() + worst[untouched].sum()), change.sum(axis=1)


def _alike(effects: Effects) -> BoolArray:
    """Return which pools are in each case as they are in the base: (n_cases, n_keys).

    A pool that neither has is alike; in the base itself none counts as such.
    """
    before: dict[int, Key] = dict(zip(effects.index[0].tolist(), effects.base.signs, strict=True))
    alike = np.zeros((len(effects.cases), effects.n_keys), np.bool_)
    for row, (case, index) in enumerate(zip(effects.cases, effects.index, strict=True)):
        if row:
            now = dict(zip(index.tolist(), case.signs, strict=True))
            alike[row] = [now.get(k) == before.get(k) for k in range(effects.n_keys)]
    return alike


def _least_delays(problem: FlowProblem, price: FloatArray, pools: IntArray) -> FloatArray:
    """Return a value below min of delay(v) - price v over 0 <= v <= capacity, <= 0, for some pools.

    By halving, with a tangent to be below for certain. A pool without limit whose price is above
    every slope would have none: its price is that of a solution, so it is not.
    """
    least = np.zeros(pools.size)
    priced = np.flatnonzero(price[pools] > 0.0)
    if problem.pools is None or not priced.size:
        return least
    pools = pools[priced]
    wanted, capacity = price[pools], problem.pools.capacity[pools]
    if problem.delay is None:
        least[priced] = -wanted * capacity
        return least
    curve = curves_of(problem.delay, pools)
    low, high = np.zeros(pools.size), np.where(np.isfinite(capacity), capacity, 1.0)
    open_ended = ~np.isfinite(capacity)
    for _ in range(_DOUBLINGS):
        grow = open_ended & (curve.slope(high) < wanted)
        if not grow.any():
            break
        high = np.where(grow, 2.0 * high, high)
    # Most pools that bind are worth more than any delay: their least is at the capacity.
    low = np.where(~open_ended & (curve.slope(high) <= wanted), high, low)
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        below = curve.slope(middle) < wanted
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    slope = np.minimum(curve.slope(low), wanted)
    tangent = curve.value(low) - wanted * low + (slope - wanted) * (high - low)
    least[priced] = np.minimum(tangent, 0.0)
    return least


def _with_joint_gains(
    base: FloatArray, alone: list[FloatArray], together: FloatArray
) -> list[FloatArray]:
    """Return the prices of each project alone, cheaper where several projects open an arc jointly.

    An arc that only several projects together open or make cheaper counts as theirs each: of all
    projects, because none of them alone shows which it is.
    """
    best = np.minimum.reduce([base, *alone])
    joint = together < best - _NOISE * np.where(np.isfinite(best), np.abs(best), 1.0)
    if not joint.any():
        return alone
    return [np.where(joint, together, one) for one in alone]


class _Ends:
    """Origins and destinations of the shipments of one class."""

    def __init__(self, bounds: PriceBounds, rows: IntArray, unmet: FloatArray) -> None:
        self.graph, self.reverse, self.unmet = bounds.graph, bounds.reverse, unmet
        self.origins, self.origin = np.unique(bounds.origin[rows], return_inverse=True)
        self.destinations, self.destination = np.unique(
            bounds.destination[rows], return_inverse=True
        )
        self.own = bounds.destination[rows]

    def cheapest(self, cost: FloatArray) -> FloatArray:
        """Return the cheapest path of each shipment, the price of unmet where that is less."""
        distance, _ = shortest_paths(self.graph, cost, self.origins, threads=1)
        return np.minimum(distance[self.origin, self.own], self.unmet)

    def through(self, cost: FloatArray, arcs: IntArray) -> FloatArray:
        """Return the cheapest walk of each shipment through any one of the arcs, (n, n_arcs)."""
        there, _ = shortest_paths(self.graph, cost, self.origins, threads=1)
        onward, _ = shortest_paths(self.reverse, cost, self.destinations, threads=1)
        tail, head = self.graph.tail[arcs], self.graph.head[arcs]
        walk: FloatArray = (
            there[self.origin][:, tail] + cost[arcs] + onward[self.destination][:, head]
        )
        return walk


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _ClassSavings:
    """Savings of the shipments of one class, grouped by the projects that matter to them.

    ``by_projects[relevant]`` has a row per shipment in ``members[relevant]`` [USD/t]: the saving of
    all, of the chosen, and for each relevant project: the most through it over nothing, the same
    over the chosen, and the saving of all without it.
    """

    before: FloatArray
    members: dict[tuple[int, ...], IntArray]
    by_projects: dict[tuple[int, ...], FloatArray]


def _class_savings(
    ends: _Ends, base: FloatArray, costs: FloatArray, chosen: BoolArray
) -> _ClassSavings:
    before = ends.cheapest(base)
    best = np.minimum(base, costs.min(axis=0, initial=np.inf))
    gains = costs < base - _NOISE * np.where(np.isfinite(base), np.abs(base), 1.0)
    arcs = np.flatnonzero(gains.any(axis=0))
    none = _ClassSavings(before=before, members={}, by_projects={})
    if not arcs.size:
        return none
    walks = ends.through(best, arcs)
    through = np.stack(
        [np.where(gain, walks, np.inf).min(axis=1) for gain in gains[:, arcs]], axis=1
    )
    slack = _NOISE * np.maximum(before, 1.0)
    relevant = through < (before - slack)[:, None]
    if not relevant.any():
        return none
    after = ends.cheapest(best)
    with_chosen = before
    if chosen.any():
        with_chosen = ends.cheapest(np.minimum(base, costs[chosen].min(axis=0)))
    without = np.broadcast_to(after[:, None], through.shape).copy()
    for project in np.flatnonzero(relevant.any(axis=0)):
        others = np.delete(costs, project, axis=0).min(axis=0, initial=np.inf)
        without[:, project] = ends.cheapest(np.minimum(base, others))
    members, by_projects = {}, {}
    patterns, pattern = np.unique(relevant, axis=0, return_inverse=True)
    for number, row in enumerate(patterns):
        if not row.any():
            continue
        which = tuple(np.flatnonzero(row).tolist())
        mine = np.flatnonzero(pattern.reshape(-1) == number)
        cut = np.ix_(mine, np.array(which, np.intp))
        members[which] = mine
        by_projects[which] = np.column_stack(
            [
                before[mine] - after[mine],
                before[mine] - with_chosen[mine],
                np.maximum(before[mine, None] - through[cut], 0.0),
                np.maximum(with_chosen[mine, None] - through[cut], 0.0),
                before[mine, None] - without[cut],
            ]
        )
    return _ClassSavings(before=before, members=members, by_projects=by_projects)


def _savings(
    relevant: tuple[int, ...], total: FloatArray, chosen: BoolArray, n_projects: int
) -> Savings:
    """Return the rows that bound what a group saves, from its sums in the order of `_ClassSavings`.

    Whatever is built, the group saves no more than all projects together; no more than the sum of
    the best walks through each that is built; no more than the chosen save and the best walks
    through each other; and without a project no more than all others save.
    """
    size = len(relevant)
    every, by_chosen = float(total[0]), float(total[1])
    over_none, over_chosen, without = np.split(total[2:], 3)
    which = np.array(relevant, np.intp)
    constant = np.concatenate([[every, 0.0, by_chosen], without])
    coefficient = np.zeros((3 + size, n_projects))
    coefficient[1, which] = over_none
    coefficient[2, which] = np.where(chosen[which], 0.0, over_chosen)
    coefficient[3 + np.arange(size), which] = every - without
    return Savings(constant=constant, coefficient=coefficient)
