"""Values of all sets of states, against a linear program for each and against shortest paths."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from benchmarks.harness import Answer, Contestant, Run, Workload
from corridor.core.flows import FlowProblem, min_cost_flow
from corridor.planning import Model, compile_model
from corridor.study import load_study
from corridor.study.cooperation.coalitions import closed_border_values
from corridor.study.cooperation.route_sets import find_route_sets
from corridor.study.cooperation.transfers import split_costs
from corridor.study.disruption.interruptions import Interruptible, compile_closures

STUDY, VARIANT = "crossroads", "crossroads_full"
PLAYERS = (
    "ARM", "AZE", "GEO", "TUR", "IRN", "KAZ", "RUS", "TKM", "UZB", "BLR", "UKR", "BGR", "ROU",
    "KGZ", "POL",
)  # fmt: skip
"""The states between China and Europe that goods cross, and Armenia's neighbors: 2**15 sets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Game:
    """The bundled study as a game.

    `order` is a fixed shuffle of the sets, so that a peer that solves the first few solves a fair
    sample of them.
    """

    players: tuple[str, ...]
    model: Model
    case: Interruptible
    order: npt.NDArray[np.int64]

    def values(self) -> Answer:
        """Return what every set is worth, shuffled [USD/day]."""
        cost = split_costs(self.model).resource_usd_per_t
        sets = find_route_sets(self.model, cost, self.players)
        found = closed_border_values(sets, self.model.t_per_day)
        return found.usd_per_day[self.order]

    def demand(self) -> Answer:
        """Return the demand of the shipments with a way past all players [t/day]."""
        cost = split_costs(self.model).resource_usd_per_t
        sets = find_route_sets(self.model, cost, self.players)
        found = closed_border_values(sets, self.model.t_per_day)
        return np.where(found.has_bypass, self.model.t_per_day, 0.0)

    def allowed(self, mask: int) -> npt.NDArray[np.bool_]:
        """Return the arcs open to each class when only the states of a set let goods pass."""
        is_open = self.case.model.allowed.copy()
        for player, name in enumerate(self.players):
            if not mask >> player & 1:
                is_open[self.case.bans[name].nonzero()] = False
        return is_open


@cache
def game(n: int) -> Game:
    """Return the game of the first n players."""
    network, demand, rules = load_study(STUDY).case(VARIANT)
    players = PLAYERS[:n]
    return Game(
        players=players,
        model=compile_model(network, demand, rules),
        case=compile_closures(network, demand, rules, players),
        order=np.random.default_rng(1).permutation(2**n),
    )


def by_route_sets(n: int) -> Run:
    """Find the routes that matter in one search for each origin, for all sets at once."""
    return game(n).values


def by_programs(n: int, count: int) -> Run:
    """Solve a linear program for each set: column generation, warm from the paths of all open."""
    played = game(n)
    model, net = played.case.model, played.case.model.supernetwork
    goods, cost = model.shipments, split_costs(model).resource_usd_per_t
    demand = played.demand()

    def problem(mask: int) -> FlowProblem:
        return FlowProblem(
            net.graph, net.source[goods.origin], net.sink[goods.destination], demand, cost,
            commodity_class=model.class_of, allowed=played.allowed(mask),
        )  # fmt: skip

    open_, shut = (min_cost_flow(problem(mask)) for mask in (2**n - 1, 0))

    def run() -> Answer:
        least = [
            min_cost_flow(problem(int(mask)), columns=open_.columns).objective
            for mask in played.order[:count]
        ]
        return shut.objective - np.array(least)

    return run


def by_scipy(n: int, count: int) -> Run:
    """Search with SciPy's Dijkstra for each set, from each origin of each class."""
    import scipy.sparse as sp
    from scipy.sparse.csgraph import dijkstra

    played = game(n)
    model, net = played.case.model, played.case.model.supernetwork
    goods, cost = model.shipments, split_costs(model).resource_usd_per_t
    demand = played.demand()
    rows = np.flatnonzero(demand > 0)
    source, sink = net.source[goods.origin[rows]], net.sink[goods.destination[rows]]
    kind = model.class_of[rows]
    shape = (net.graph.n_nodes, net.graph.n_nodes)
    # Of parallel arcs the cheapest counts, so that each class has a matrix of its own order.
    ends = net.graph.tail.astype(np.int64) * net.graph.n_nodes + net.graph.head

    def total(mask: int) -> float:
        is_open, sum_ = played.allowed(mask), 0.0
        for row in np.unique(kind):
            arcs = np.flatnonzero(is_open[row])
            arcs = arcs[np.lexsort((cost[row, arcs], ends[arcs]))]
            arcs = arcs[np.unique(ends[arcs], return_index=True)[1]]
            # SciPy takes an explicit 0 for no arc.
            length = np.maximum(cost[row, arcs], 1e-12)
            graph = sp.csr_matrix((length, (net.graph.tail[arcs], net.graph.head[arcs])), shape)
            mine = np.flatnonzero(kind == row)
            origins, place = np.unique(source[mine], return_inverse=True)
            found = dijkstra(graph, indices=origins)
            sum_ += float(demand[rows[mine]] @ found[place, sink[mine]])
        return sum_

    shut = total(0)
    return lambda: shut - np.array([total(int(mask)) for mask in played.order[:count]])


def coalitions(smoke: bool) -> Workload:  # noqa: FBT001
    """Value all sets of 15 states of the bundled study that may close."""
    n, sample = (2, 2) if smoke else (15, 12)
    return Workload(
        name="coalitions",
        title=f"values of all 2^{n} = {2**n:,} sets of states, 355 shipments, 3,420 arcs",
        contestants=(
            Contestant(name="corridor", package="corridor", prepare=lambda: by_route_sets(n)),
            Contestant(
                name="a linear program for each, warm",
                package="ortools",
                prepare=lambda: by_programs(n, sample),
                share=sample / 2**n,
                floor=50.0,
                goal=200.0,
            ),
            Contestant(
                name="SciPy Dijkstra for each",
                package="scipy",
                prepare=lambda: by_scipy(n, sample),
                share=sample / 2**n,
            ),
        ),
        rtol=1e-6,
        atol=1e-3,  # USD a day, out of sums of 1e8
    )


WORKLOADS: dict[str, Callable[[bool], Workload]] = {"coalitions": coalitions}
