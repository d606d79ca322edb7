"""Gradient projection on paths: the search behind user equilibrium and system optimum."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

from corridor.core.flows._arrays import (
    BoolArray,
    FloatArray,
    IntArray,
    LongArray,
    check_values,
)
from corridor.core.flows._curves import (
    N_PARAMETERS,
    STRAIGHT,
    CurveTable,
    TabledDelay,
    VolumeDelay,
)
from corridor.core.flows._path_lists import PathLists, n_parts
from corridor.core.flows._trips import Trips
from corridor.core.paths import shortest_trees
from corridor.core.paths.trees import run_blocks

if TYPE_CHECKING:
    from corridor.core.flows._equilibrium_kernels import Loads, Work

MOST_ROUNDS: Final = 1000
"""More rounds than any problem seen needed, by a factor of twenty."""

PATIENCE: Final = 40
"""Rounds without progress after which rounding is taken to hide the rest of the gap."""

LOADING_BLOCKS: Final = 16
"""Parts of the trees that are loaded one after the other at first, each at the costs so far."""

WORTHWHILE: Final = 0.1
"""Share of the mean excess above which a commodity gets a new path, or moves flow."""

INNER_SHARE: Final = 0.03
"""Share of a round's excess at which its sweeps stop."""

LEAST_SWEEPS: Final = 10
"""Sweeps of a round that are made in any case where they are needed."""

MOST_SWEEPS: Final = 200
"""Sweeps of a round at most: as many as let each commodity be looked at twice on average."""

NEAR: Final = 100.0
"""Multiple of the tolerance below which flows are added up anew each round, against rounding."""

LEAST_TREES: Final = 8
"""Trees that such a part has at least."""

LEAST_ARCS: Final = 1 << 15
"""Arcs that are searched for each thread at least, so that starting it pays."""

SLACK: Final = 0.1
"""Share of its first derivative that the objective may keep where a step along tangents ends."""

MOST_HALVINGS: Final = 60
"""Evaluations of the curves that such a step may take."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Equilibrium:
    """Where the search ended.

    Parameters
    ----------
    commodity : ndarray of int64, shape (n_paths,)
        Position in `Trips.commodity` of each path with flow, in order.
    indptr, arcs, flow
        The paths and their flow.
    least : ndarray of float64, shape (n_moving,)
        Cost of the cheapest path; inf where there is none.
    excess
        What is spent above that: the gap.
    spent
        What all would spend on their cheapest path.
    rounds, limit
        Rounds, and what stopped the search if the tolerance did not.
    """

    commodity: LongArray
    indptr: LongArray
    arcs: IntArray
    flow: FloatArray
    least: FloatArray
    excess: float
    spent: float
    rounds: int
    limit: str

    @property
    def relative_gap(self) -> float:
        """``excess / spent``; 0 where nothing is spent."""
        return self.excess / self.spent if self.spent > 0 else 0.0


class Projection:
    """The state of one search.

    Parameters
    ----------
    trips
        Who travels; the demand is the potential one where it is elastic.
    delay
        A curve for each arc.
    extra : ndarray of float64, shape (n_classes, n_arcs)
        What each class pays on each arc, in the unit of the delay; inf where it may not go.
    stay
        For each commodity the cost at which some stay at home; None where demand is fixed.
    tolerance, threads
        As in `user_equilibrium`.
    """

    def __init__(
        self,
        trips: Trips,
        delay: VolumeDelay,
        extra: FloatArray,
        stay: CurveTable | None,
        tolerance: float,
        threads: int,
    ) -> None:
        from corridor.core.flows import _equilibrium_kernels
        from corridor.core.paths import _kernels

        self.kernels = _equilibrium_kernels
        self.trips, self.delay, self.tolerance, self.threads = trips, delay, tolerance, threads
        self.graph, self.arcs = trips.graph, _kernels.arcs_of(trips.graph)
        self.demand = trips.demand[trips.commodity]
        self.loads = self._loads(extra, stay)
        self.flow = self.loads.arc[:, self.kernels.FLOW]
        n_moving, n_trees = self.demand.size, trips.tree_origin.size
        shape = (n_trees, self.graph.n_nodes)
        self.trees = self.kernels.Trees(
            trips.tree_row, trips.tree_origin, trips.tree_start, trips.destination,
            np.empty(shape, dtype=np.int32), np.empty(shape, dtype=np.int32),
        )  # fmt: skip
        self.prices = self.kernels.Prices(
            np.zeros(n_moving), np.zeros(n_moving), np.zeros(n_moving, dtype=np.bool_)
        )
        self.lists = PathLists(n_moving, self.flow.size, threads)
        self.several: BoolArray = np.zeros(n_moving, dtype=np.bool_)
        self.mark: IntArray = np.zeros(self.flow.size, dtype=np.int32)

    def _loads(self, extra: FloatArray, stay: CurveTable | None) -> "Loads":
        """Return room for flows and costs; where the kernels know no curve, it is straight."""
        n_arcs, n_stay = self.graph.n_arcs, 0 if stay is None else self.demand.size
        table = None
        if isinstance(self.delay, TabledDelay):
            table = self.delay.table(marginal=False)
        self.is_straight = table is None
        arc = np.zeros((n_arcs + n_stay, N_PARAMETERS + 3))
        arc[:, self.kernels.CODE] = STRAIGHT
        for curves, part in ((table, arc[:n_arcs]), (stay, arc[n_arcs:])):
            if curves is not None:
                part[:, self.kernels.CODE], part[:, :N_PARAMETERS] = curves
        payments = np.zeros((extra.shape[0], arc.shape[0]))
        payments[:, :n_arcs] = extra
        return self.kernels.Loads(arc, payments, np.zeros(payments.shape))

    # -- the plan -----------------------------------------------------------------------------

    def run(self) -> Equilibrium:
        """Search until the gap is closed, or rounding or the limit of rounds ends it."""
        self._load_first()
        if not np.isfinite(self.prices.least).all():
            return self._finish(0, "")
        best, best_round, gap, limit = math.inf, 0, math.inf, "rounds"
        for number in range(1, MOST_ROUNDS + 1):
            is_exact = self.is_straight or gap <= max(NEAR * self.tolerance, 1e-9)
            if is_exact:
                self.flow[:] = self.lists.add_up()
            self._refresh()
            gap = self._price()
            if gap < 0.99 * best:
                best, best_round = gap, number
            if gap <= self.tolerance and is_exact:
                limit = ""
                break
            if number - best_round >= PATIENCE and is_exact:
                limit = "precision"
                break
            enough = WORTHWHILE * gap * self.demand * self.prices.least
            self._add_paths(
                np.flatnonzero(self.prices.is_new & (self.prices.excess > enough)), None
            )
            self._improve(enough)
        return self._finish(number, limit)

    def _load_first(self) -> None:
        """Put all demand on shortest paths, some trees at a time, each at the costs so far."""
        trips, n_trees = self.trips, self.trees.row.size
        n_arcs, part = self.graph.n_arcs, np.empty(self.flow.size)
        n_blocks = min(LOADING_BLOCKS, 1 + n_trees // LEAST_TREES)
        edges = np.linspace(0, n_trees, n_blocks + 1).astype(int).tolist()
        for first, last in pairwise(edges):
            self._refresh()
            distance, predecessor = shortest_trees(
                self.graph, self.loads.cost[:, :n_arcs], trips.tree_row[first:last],
                trips.tree_origin[first:last], threads=self.threads,
            )  # fmt: skip
            self.trees.predecessor[first:last] = predecessor
            self.trees.order[first:last] = np.argsort(distance, axis=1)
            begin, end = int(trips.tree_start[first]), int(trips.tree_start[last])
            tree = trips.tree_of[begin:end] - first
            least = distance[tree, trips.destination[begin:end]]
            self.prices.least[begin:end] = least
            reached = np.flatnonzero(np.isfinite(least)) + begin
            self._add_paths(reached, self.demand[reached])
            self.kernels.add_flows(self.lists.paths, begin, end, part)
            self.flow[:] += part
        if self.flow.size > n_arcs:
            self.lists.add_single_arcs(n_arcs)
            self.several[:] = True

    def _finish(self, rounds: int, limit: str) -> Equilibrium:
        """Return the flows, paths in the order of `Trips.commodity`."""
        commodity, indptr, arcs, flow = self.lists.in_order()
        return Equilibrium(
            commodity=commodity,
            indptr=indptr,
            arcs=arcs,
            flow=flow,
            least=self.prices.least,
            excess=float(self.prices.excess.sum()),
            spent=float((self.demand * self.prices.least).sum()),
            rounds=rounds,
            limit=limit,
        )

    # -- one round ----------------------------------------------------------------------------

    def _refresh(self) -> None:
        """Make the costs those of the flows; straight curves become the tangents there."""
        loads, n_arcs = self.loads, self.graph.n_arcs
        if self.is_straight:
            flow = self.flow[:n_arcs].copy()
            cost, slope = checked_curves(self.delay, flow)
            loads.arc[:n_arcs, 0] = cost - slope * flow
            loads.arc[:n_arcs, 1] = slope
        self.kernels.update_all(loads)
        if self.is_straight:  # without the rounding of a tangent
            loads.cost[:, :n_arcs] = loads.extra[:, :n_arcs] + cost

    def _price(self) -> float:
        """Search all trees, compare the paths in use with the cheapest; return the gap."""
        cost, n_arcs = self.loads.cost, self.graph.n_arcs
        packed = cost[:, self.graph.order]

        def search(first: int, last: int) -> None:
            self.kernels.price_trees(
                self.arcs, packed, cost, self.trees, self.lists.paths, first, last, self.prices
            )

        run_blocks(search, self.trees.row.size, self.threads, least=1 + LEAST_ARCS // (1 + n_arcs))
        # Not a dot product, whose rounding depends on the threads of the algebra library.
        spent = float((self.demand * self.prices.least).sum())
        return float(self.prices.excess.sum()) / spent if spent > 0 else 0.0

    def _add_paths(self, commodities: LongArray, flow: FloatArray | None) -> None:
        """Give commodities the paths in their trees, with some flow or none."""
        self.lists.add_from_trees(
            self.graph.tail, self.trees, self.trips.tree_of, commodities, flow
        )
        self.several[commodities] = flow is None

    def _improve(self, enough: FloatArray) -> None:
        """Move flow between the paths of commodities that have several."""
        kernels, paths = self.kernels, self.lists.paths
        active = np.flatnonzero(self.several).astype(np.int32)
        parts = np.array_split(active, n_parts(active.size))
        works: dict[int, Work] = {}

        def pack(first: int, last: int) -> None:
            for part in range(first, last):
                works[part] = kernels.pack(paths, self.trips.row, parts[part])

        run_blocks(pack, len(parts), self.threads)
        ordered = [works[part] for part in range(len(parts))]
        before = self.flow.copy() if self.is_straight else None
        goal = INNER_SHARE * float(self.prices.excess.sum())
        margins = [enough[work.commodity] for work in ordered]
        most = min(MOST_SWEEPS, 2 * self.demand.size // max(1, active.size))
        for _ in range(max(LEAST_SWEEPS, most)):
            excess = [
                kernels.sweep(self.loads, work, margin, self.mark)
                for work, margin in zip(ordered, margins, strict=True)
            ]
            if sum(excess) <= goal:
                break
        if before is not None:
            self._cut_back(ordered, before)
        for work in ordered:
            kernels.unpack(work, paths, self.graph.n_arcs, self.demand, self.several)

    def _cut_back(self, works: "list[Work]", before: FloatArray) -> None:
        """Go only as far towards what the tangents proposed as the true curves agree."""
        way = self.flow - before
        old = [self.lists.paths.flow[work.path] for work in works]
        moved = zip(works, old, strict=True)
        paid = sum(_payment(self.loads.extra, work, work.flow - flow) for work, flow in moved)

        def lean(share: float) -> float:
            """Return the derivative of the objective along the way."""
            flow = np.maximum(before + share * way, 0.0)
            return float((self._plain_cost(flow) * way).sum()) + paid

        share = stopping_share(lean)
        if share < 1.0:
            for work, flow in zip(works, old, strict=True):
                work.flow[:] = flow + share * (work.flow - flow)

    def _plain_cost(self, flow: FloatArray) -> FloatArray:
        """Return what the true curves say, pseudo-arcs included, without what classes pay."""
        n_arcs = self.graph.n_arcs
        cost = np.empty(flow.size)
        cost[:n_arcs] = self.delay.cost(flow[:n_arcs])
        self.kernels.curve_costs(self.loads.arc, flow, n_arcs, cost)
        return cost


def stopping_share(lean: Callable[[float], float]) -> float:
    """Return how far to go, 0 < share <= 1, where ``lean`` is the derivative along the way.

    All the way, unless it rises there by more than ``SLACK`` of what it fell at the start; else to
    where it is about 0, found by false position (the Illinois rule keeps both ends moving).
    """
    start, end = lean(0.0), lean(1.0)
    if not start < 0.0 or end <= -SLACK * start:
        return 1.0
    low, at_low, high, at_high, side = 0.0, start, 1.0, end, 0
    for _ in range(MOST_HALVINGS):
        share = (low * at_high - high * at_low) / (at_high - at_low)
        here = lean(share)
        if abs(here) <= -SLACK * start:
            return share
        if here > 0.0:
            high, at_high = share, here
            at_low *= 0.5 if side > 0 else 1.0
            side = 1
        else:
            low, at_low = share, here
            at_high *= 0.5 if side < 0 else 1.0
            side = -1
    return low


def checked_curves(delay: VolumeDelay, flow: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return cost and slope, or say that a curve gives no finite cost.

    Raises
    ------
    InputError
        If a cost or a slope is negative, NaN or infinite.
    """
    cost, slope = delay.cost(flow), delay.slope(flow)
    for name, values in (("cost", cost), ("slope", slope)):
        good = (values >= 0) & np.isfinite(values)
        check_values(f"{name} of delay", values, good, ">= 0 and finite")
    return cost, slope


def _payment(extra: FloatArray, work: "Work", change: FloatArray) -> float:
    """Return what classes pay for a change of the flow of their paths."""
    steps = np.diff(work.start)
    row = np.repeat(np.repeat(work.row, np.diff(work.first)), steps)
    return float((np.repeat(change, steps) * extra[row, work.arcs[: row.size]]).sum())
