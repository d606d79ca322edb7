"""Equilibria and optima against closed forms, enumeration of all paths, and each other."""

import dataclasses
import itertools

import numpy as np
import pytest
from scipy.optimize import minimize

from corridor.core.flows import (
    BPR,
    Akcelik,
    Conical,
    ExponentialDemand,
    FlowResult,
    LinearDemand,
    MixedDelay,
    StageDelay,
    UserClasses,
    VolumeDelay,
    consumer_surplus,
    marginal_tolls,
    price_of_anarchy,
    system_optimum,
    user_equilibrium,
)
from corridor.core.flows._arrays import FloatArray
from corridor.core.flows._projection import stopping_share
from corridor.core.graph import Graph
from corridor.errors import InputError

ROADS = Graph(2, [0, 0], [1, 1])
PIGOU = BPR([1.0, 1e-9], [1.0, 1.0], [0.0, 1e9], [1.0, 1.0])


@dataclasses.dataclass(frozen=True)
class Opaque:
    """A curve that the kernels do not know."""

    curve: VolumeDelay

    @property
    def n_arcs(self) -> int:
        return self.curve.n_arcs

    def cost(self, flow: FloatArray) -> FloatArray:
        return self.curve.cost(flow)

    def integral(self, flow: FloatArray) -> FloatArray:
        return self.curve.integral(flow)

    def slope(self, flow: FloatArray) -> FloatArray:
        return self.curve.slope(flow)


def simple_paths(graph: Graph, origin: int, destination: int) -> list[list[int]]:
    found: list[list[int]] = []

    def walk(node: int, arcs: list[int], seen: set[int]) -> None:
        if node == destination:
            found.append(arcs)
            return
        for arc in np.flatnonzero(graph.tail == node):
            head = int(graph.head[arc])
            if head not in seen:
                walk(head, [*arcs, int(arc)], seen | {head})

    walk(origin, [], {origin})
    return found


def random_case(seed: int) -> tuple[Graph, list[int], list[int], list[float]]:
    """Draw a ring of six nodes with six more arcs, and three commodities."""
    rng = np.random.default_rng(seed)
    n = 6
    tail = np.r_[np.arange(n), rng.integers(0, n, n)]
    head = np.r_[(np.arange(n) + 1) % n, rng.integers(0, n, n)]
    pairs = [(o, d) for o in range(n) for d in range(n) if o != d]
    chosen = rng.choice(len(pairs), 3, replace=False)
    origin, destination = zip(*(pairs[i] for i in chosen), strict=True)
    return Graph(n, tail, head), list(origin), list(destination), rng.uniform(0.5, 4, 3).tolist()


def random_curve(kind: str, n_arcs: int, seed: int) -> VolumeDelay:
    rng = np.random.default_rng(seed)
    free, capacity = rng.uniform(0.5, 3, n_arcs), rng.uniform(0.5, 3, n_arcs)
    fixed = rng.uniform(0, 1, n_arcs)
    if kind == "bpr":
        power = rng.choice([1.0, 1.5, 2.0, 4.0, 4.0, 7.3], n_arcs)
        return BPR(free, capacity, rng.uniform(0.1, 2, n_arcs), power, fixed)
    if kind == "conical":
        return Conical(free, capacity, rng.uniform(1.5, 8, n_arcs), fixed)
    if kind == "akcelik":
        return Akcelik(free, capacity, rng.uniform(0.1, 2, n_arcs), 2.0, fixed)
    if kind == "stages":
        return StageDelay(
            fixed=free, arc=np.arange(n_arcs), servers=rng.integers(1, 5, n_arcs),
            service_time=rng.uniform(0.1, 0.6, n_arcs), service_scv=rng.uniform(0, 2, n_arcs),
        )  # fmt: skip
    half = n_arcs // 2
    parts = (random_curve("bpr", half, seed), random_curve("akcelik", n_arcs - half, seed))
    places = rng.permutation(n_arcs)
    return MixedDelay(parts, (places[:half], places[half:]))


KINDS = ("bpr", "conical", "akcelik", "stages", "mixed")


def by_enumeration(
    graph: Graph,
    paths: list[list[list[int]]],
    curve: VolumeDelay,
    demand: list[float],
    extra: FloatArray | None = None,
) -> tuple[float, FloatArray]:
    """Minimize Beckmann's function over the flows of all paths."""
    owner = np.repeat(np.arange(len(paths)), [len(some) for some in paths])
    usage = np.zeros((owner.size, graph.n_arcs))
    for row, arcs in zip(usage, itertools.chain(*paths), strict=True):
        row[arcs] = 1.0
    pays = np.zeros(owner.size) if extra is None else (usage * extra[owner]).sum(axis=1)
    total = np.asarray(demand)
    start = total[owner] / np.bincount(owner)[owner]

    def value(flow: FloatArray) -> float:
        return float(curve.integral(np.maximum(flow @ usage, 0)).sum() + pays @ flow)

    def slope(flow: FloatArray) -> FloatArray:
        return usage @ curve.cost(np.maximum(flow @ usage, 0)) + pays

    carried = (owner == np.arange(len(paths))[:, None]).astype(float)
    found = minimize(
        value, start, jac=slope, method="SLSQP", bounds=[(0, None)] * owner.size,
        constraints={"type": "eq", "fun": lambda f: carried @ f - total, "jac": lambda _: carried},
        options={"ftol": 1e-14, "maxiter": 1000},
    )  # fmt: skip
    return float(found.fun), found.x @ usage


def assert_equilibrium(
    graph: Graph, paths: list[list[list[int]]], cost: FloatArray, result: FlowResult
) -> None:
    """Assert that no path in use costs more than the cheapest of its commodity's."""
    for commodity, some in enumerate(paths):
        least = min(cost[arcs].sum() for arcs in some)
        assert result.demand_price[commodity] == pytest.approx(least, rel=1e-9)
        for path in np.flatnonzero(result.path_commodity == commodity):
            assert cost[result.path_arcs[path]].sum() == pytest.approx(least, rel=1e-5)
    assert graph.n_arcs == cost.size


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("kind", KINDS)
def test_user_equilibrium_is_the_optimum_over_all_paths(kind: str, seed: int) -> None:
    graph, origin, destination, demand = random_case(seed)
    curve = random_curve(kind, graph.n_arcs, seed + 50)
    paths = [simple_paths(graph, o, d) for o, d in zip(origin, destination, strict=True)]
    objective, flow = by_enumeration(graph, paths, curve, demand)
    result = user_equilibrium(graph, origin, destination, demand, curve, 1e-11)
    assert result.status == "optimal"
    assert result.objective <= objective * (1 + 1e-9)
    assert result.bound <= objective * (1 + 1e-12)
    np.testing.assert_allclose(result.arc_flow, flow, atol=1e-3 * sum(demand))
    assert_equilibrium(graph, paths, curve.cost(result.arc_flow), result)
    assert result.objective == pytest.approx(result.bound + result.gap, rel=1e-12)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", KINDS)
def test_tolls_make_the_equilibrium_the_optimum(kind: str, seed: int) -> None:
    graph, origin, destination, demand = random_case(seed)
    curve = random_curve(kind, graph.n_arcs, seed + 50)
    case = (graph, origin, destination, demand)
    best = system_optimum(*case, curve, 1e-12)
    free = user_equilibrium(*case, curve, 1e-12)
    tolls = marginal_tolls(curve, best.arc_flow)
    classes = UserClasses(commodity_class=[0, 0, 0], money_cost=[tolls], value_of_time=[1.0])
    tolled = user_equilibrium(*case, curve, 1e-12, classes=classes)
    np.testing.assert_allclose(tolled.arc_flow, best.arc_flow, atol=1e-6 * sum(demand))
    assert best.objective == pytest.approx(best.arc_flow @ curve.cost(best.arc_flow), rel=1e-12)
    assert price_of_anarchy(curve, free, best) >= 1 - 1e-11
    assert price_of_anarchy(curve, tolled, best) == pytest.approx(1.0, rel=1e-9)


@pytest.mark.parametrize("verb", [user_equilibrium, system_optimum])
@pytest.mark.parametrize("kind", ["bpr", "conical", "akcelik"])
def test_curves_the_kernels_do_not_know_give_the_same(kind: str, verb: object) -> None:
    graph, origin, destination, demand = random_case(1)
    curve = random_curve(kind, graph.n_arcs, 51)
    assert callable(verb)
    known = verb(graph, origin, destination, demand, curve, 1e-12)
    unknown = verb(graph, origin, destination, demand, Opaque(curve), 1e-12)
    assert unknown.status == "optimal"
    assert unknown.objective == pytest.approx(known.objective, rel=1e-11)
    np.testing.assert_allclose(unknown.arc_flow, known.arc_flow, atol=1e-5)


def test_braess_paradox() -> None:
    """A fifth arc, from 1 to 2, makes everybody's journey longer: 92 instead of 83."""
    tail, head = [0, 0, 1, 2, 1], [1, 2, 3, 3, 2]
    free, rise = np.array([1e-8, 50, 50, 1e-8, 10]), np.array([10, 1, 1, 10, 1])
    cost = []
    for n_arcs in (4, 5):
        graph = Graph(4, tail[:n_arcs], head[:n_arcs])
        delay = BPR(free[:n_arcs], np.ones(n_arcs), (rise / free)[:n_arcs], np.ones(n_arcs))
        result = user_equilibrium(graph, [0], [3], [6.0], delay, 1e-12)
        cost.append(result.demand_price[0])
        best = system_optimum(graph, [0], [3], [6.0], delay, 1e-12)
        assert best.objective == pytest.approx(498.0, rel=1e-7)
    assert cost == pytest.approx([83.0, 92.0], rel=1e-7)
    np.testing.assert_allclose(result.arc_flow, [4, 2, 2, 4, 2], rtol=1e-7)


def test_two_crossings_share_the_traffic() -> None:
    """Solved apart by bisection on the difference of sojourn times."""
    delay = StageDelay(fixed=[0.0, 0.0], arc=[0, 1], servers=[5, 4], service_time=[1.0, 1 / 1.2])
    free = user_equilibrium(ROADS, [0], [1], [8.0], delay, 1e-12)
    best = system_optimum(ROADS, [0], [1], [8.0], delay, 1e-12)
    np.testing.assert_allclose(free.arc_flow, [4.041852, 3.958148], atol=5e-7)
    np.testing.assert_allclose(delay.cost(free.arc_flow), 1.595276, atol=5e-7)
    assert best.arc_flow[0] == pytest.approx(4.087896, abs=2e-6)
    assert price_of_anarchy(delay, free, best) == pytest.approx(1.00224, abs=5e-6)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("is_known", [True, False])
def test_classes_with_values_of_time(seed: int, *, is_known: bool) -> None:
    graph, origin, destination, demand = random_case(seed)
    rng = np.random.default_rng(seed)
    curve = random_curve("bpr", graph.n_arcs, seed + 50)
    classes = UserClasses(
        commodity_class=[1, 0, 1],
        money_cost=rng.uniform(0, 9, (2, graph.n_arcs)),
        value_of_time=[2.0, 25.0],
    )
    delay = curve if is_known else Opaque(curve)
    result = user_equilibrium(
        graph, origin, destination, demand, delay, 1e-12, classes=classes
    )  # fmt: skip
    paths = [simple_paths(graph, o, d) for o, d in zip(origin, destination, strict=True)]
    extra = classes.extra[[1, 0, 1]]
    objective, flow = by_enumeration(graph, paths, curve, demand, extra)
    assert result.objective <= objective * (1 + 1e-9)
    np.testing.assert_allclose(result.arc_flow, flow, atol=2e-4 * sum(demand))
    np.testing.assert_allclose(result.class_flow.sum(axis=0), result.arc_flow)
    cost = curve.cost(result.arc_flow)
    for commodity, some in enumerate(paths):
        felt = cost + extra[commodity]
        least = min(felt[arcs].sum() for arcs in some)
        for path in np.flatnonzero(result.path_commodity == commodity):
            assert felt[result.path_arcs[path]].sum() == pytest.approx(least, rel=1e-6)
    paid = (classes.extra * result.class_flow).sum()
    assert result.flow_cost == pytest.approx(paid, rel=1e-12)


def test_who_values_time_takes_the_toll_road() -> None:
    delay = BPR([1.0, 1.0], [1.0, 1.0], [1.0, 1.0], [1.0, 1.0])
    classes = UserClasses(
        commodity_class=[0, 1], money_cost=[[3.0, 0.0], [3.0, 0.0]], value_of_time=[1.0, 30.0]
    )
    result = user_equilibrium(ROADS, [0, 0], [1, 1], [1.0, 1.0], delay, 1e-12, classes=classes)
    # The fast are indifferent between x + 0.1 and (2 - x), and only they pay.
    np.testing.assert_allclose(result.class_flow, [[0, 1], [0.95, 0.05]], atol=1e-9)


def test_an_arc_closed_to_a_class() -> None:
    delay = BPR([1.0, 5.0], [1.0, 1.0], [0.0, 0.0], [1.0, 1.0])
    closed = UserClasses(
        commodity_class=[0, 1], money_cost=[[np.inf, 0.0], [0.0, 0.0]], value_of_time=[1.0, 1.0]
    )
    result = user_equilibrium(ROADS, [0, 0], [1, 1], [2.0, 3.0], delay, classes=closed)
    np.testing.assert_array_equal(result.class_flow, [[0, 2], [3, 0]])
    none = UserClasses(commodity_class=[0], money_cost=[[np.inf, np.inf]], value_of_time=[1.0])
    assert user_equilibrium(ROADS, [0], [1], [2.0], delay, classes=none).status == "infeasible"


ELASTIC = {
    "exponential": ExponentialDemand([0.3, 0.1, 1.0], [2.0, 0.0, 1.0]),
    "linear": LinearDemand([0.2, 0.1, 0.05], [2.0, 0.0, 1.0]),
}


@pytest.mark.parametrize("is_known", [True, False])
@pytest.mark.parametrize("form", ELASTIC)
@pytest.mark.parametrize("seed", range(4))
def test_elastic_demand_is_what_its_cost_says(form: str, seed: int, *, is_known: bool) -> None:
    graph, origin, destination, demand = random_case(seed)
    curve = random_curve("bpr", graph.n_arcs, seed + 50)
    delay = curve if is_known else Opaque(curve)
    elastic = ELASTIC[form]
    case = (graph, origin, destination, demand, delay, 1e-12)
    result = user_equilibrium(*case, elastic=elastic)
    assert result.status == "optimal"
    cost = curve.cost(result.arc_flow)
    carried = np.bincount(result.path_commodity, result.path_flow, 3)
    for commodity, (o, d) in enumerate(zip(origin, destination, strict=True)):
        paths = simple_paths(graph, o, d)
        least = min(cost[arcs].sum() for arcs in paths)
        wanted = elastic.demand(np.asarray(demand), np.full(3, least))[commodity]
        assert carried[commodity] == pytest.approx(wanted, rel=1e-5, abs=1e-9)
    assert result.unmet_cost >= 0
    best = system_optimum(*case, elastic=elastic)
    # At the optimum users pay what they cost, so fewer travel.
    assert best.path_flow.sum() <= carried.sum() * (1 + 1e-9)


def test_demand_that_is_hardly_elastic_is_fixed() -> None:
    graph, origin, destination, demand = random_case(2)
    curve = random_curve("bpr", graph.n_arcs, 52)
    case = (graph, origin, destination, demand, curve, 1e-11)
    fixed = user_equilibrium(*case)
    elastic = user_equilibrium(*case, elastic=ExponentialDemand(np.full(3, 1e-7), 1.0))
    np.testing.assert_allclose(elastic.arc_flow, fixed.arc_flow, rtol=1e-4, atol=1e-4)


def test_demand_beyond_its_choke_cost_stays_at_home() -> None:
    delay = BPR([10.0, 10.0], [1.0, 1.0], [1.0, 1.0], [4.0, 4.0])
    result = user_equilibrium(ROADS, [0], [1], [5.0], delay, elastic=LinearDemand([0.2], 0.0))
    assert result.status == "optimal"
    assert result.arc_flow.tolist() == [0.0, 0.0]
    lone = Graph(3, [0], [1])
    gone = user_equilibrium(
        lone, [0, 0], [1, 2], [5.0, 7.0], BPR([1.0], [9.0], [0.0], [1.0]),
        elastic=ExponentialDemand([0.5, 0.5]),
    )  # fmt: skip
    assert gone.status == "optimal"
    assert gone.arc_flow[0] == pytest.approx(5 * np.exp(-0.5))


def test_rule_of_half_is_exact_for_linear_demand() -> None:
    curve = LinearDemand([0.05], 4.0)
    before, after = (curve.demand(np.array([8.0]), np.array([u])) for u in (10.0, 6.0))
    area = np.trapezoid(
        [curve.demand(np.array([8.0]), np.array([u]))[0] for u in (6.0, 10.0)], [6, 10]
    )
    assert consumer_surplus(before, 10.0, after, 6.0)[0] == pytest.approx(area)
    assert consumer_surplus(after, 6.0, before, 10.0)[0] == pytest.approx(-area)
    with pytest.raises(InputError, match="cost_after must be >= 0 and finite"):
        consumer_surplus(1.0, 2.0, 3.0, np.inf)


def test_nodes_without_through_traffic() -> None:
    """0 and 1 are zones; 0 -> 1 -> 3 is short, but may not be taken to 3."""
    graph = Graph(4, [0, 1, 0, 2, 3], [1, 3, 2, 3, 0])
    delay = BPR([1.0, 1, 5, 5, 1], np.ones(5), np.zeros(5), np.ones(5))
    open_ = user_equilibrium(graph, [0, 0, 3], [3, 1, 1], [1.0, 1, 1], delay)
    np.testing.assert_array_equal(open_.arc_flow, [3, 1, 0, 0, 1])
    shut = user_equilibrium(graph, [0, 0], [3, 1], [1.0, 1], delay, first_through_node=2)
    np.testing.assert_array_equal(shut.arc_flow, [1, 0, 1, 1, 0])
    blocked = user_equilibrium(graph, [0, 3], [3, 1], [1.0, 2], delay, first_through_node=2)
    assert blocked.status == "infeasible"
    assert blocked.unmet.tolist() == [0.0, 2.0]
    assert np.isinf(blocked.demand_price).tolist() == [False, True]
    assert blocked.bound == np.inf


def test_demand_that_stays_at_its_node_and_none() -> None:
    delay = BPR([1.0, 1.0], [1.0, 1.0], [1.0, 1.0], [4.0, 4.0])
    result = user_equilibrium(ROADS, [0, 1, 0], [0, 0, 1], [5.0, 0.0, 2.0], delay, 1e-12)
    assert result.status == "optimal"  # 1 -> 0 has no path, and no demand
    assert [path.size for path in result.path_arcs] == [0, 1, 1]
    np.testing.assert_allclose(result.path_flow, [5, 1, 1])
    assert result.demand_price[0] == 0.0
    for demand in ([], [0.0]):
        nothing = user_equilibrium(ROADS, [0][: len(demand)], [1][: len(demand)], demand, delay)
        assert (nothing.status, nothing.objective, nothing.gap) == ("optimal", 0.0, 0.0)
        assert nothing.relative_gap == 0.0


def test_free_roads_and_parallel_arcs() -> None:
    graph = Graph(3, [0, 0, 1, 1, 2], [1, 1, 2, 2, 0])
    delay = BPR([0.0, 0, 2, 2, 0], np.ones(5), np.ones(5), np.full(5, 4.0))
    result = user_equilibrium(graph, [0, 2], [2, 1], [2.0, 1.0], delay, 1e-12)
    np.testing.assert_allclose(result.arc_flow[2:], [1, 1, 1], rtol=1e-6)
    assert result.arc_flow[:2].sum() == pytest.approx(3.0)


def test_powers_below_one_converge() -> None:
    delay = BPR([1.0, 2.0], [1.0, 1.0], [1.0, 1.0], [0.5, 0.5])
    result = user_equilibrium(ROADS, [0], [1], [3.0], delay, 1e-10)
    cost = delay.cost(result.arc_flow)
    assert result.status == "optimal"
    assert (result.arc_flow[1] < 1e-6) or cost[0] == pytest.approx(cost[1])


def test_a_steep_curve_is_not_overshot() -> None:
    """The slope is 0 on the empty arc, so Newton's first step would move everything."""
    delay = BPR([1.0, 1.5], [1.0, 1.0], [0.1, 0.1], [12.0, 30.0])
    result = user_equilibrium(ROADS, [0], [1], [40.0], delay, 1e-12)
    assert result.status == "optimal"
    cost = delay.cost(result.arc_flow)
    assert cost[0] == pytest.approx(cost[1], rel=1e-9)


def test_rounding_stops_what_no_tolerance_does() -> None:
    graph, origin, destination, demand = random_case(3)
    curve = random_curve("bpr", graph.n_arcs, 53)
    result = user_equilibrium(graph, origin, destination, demand, curve, 0.0)
    assert result.status == "optimal" or (result.status, result.limit) == ("feasible", "precision")
    assert result.relative_gap < 1e-13


def grid_case(n: int, n_zones: int) -> tuple[Graph, FloatArray, FloatArray, FloatArray, BPR]:
    """Make a grid of two-way streets with demand between its first nodes."""
    rng = np.random.default_rng(7)
    node = np.arange(n * n).reshape(n, n)
    right, down = (node[:, :-1], node[:, 1:]), (node[:-1], node[1:])
    tail = np.concatenate([part.ravel() for part in (*right, *down)])
    head = np.concatenate([part.ravel() for part in (*right[::-1], *down[::-1])])
    zones = rng.permutation(n * n)[:n_zones]
    origin, destination = (part.ravel() for part in np.meshgrid(zones, zones))
    m = tail.size
    delay = BPR(
        rng.uniform(1, 2, m), np.full(m, n_zones**2 / 3.0), np.full(m, 0.15), np.full(m, 4.0)
    )
    return Graph(n * n, tail, head), origin, destination, rng.gamma(1.0, 1.0, origin.size), delay


def test_threads_change_nothing() -> None:
    case = grid_case(18, 170)
    results = [user_equilibrium(*case, 1e-7, threads=threads) for threads in (1, 2, 5)]
    assert results[0].status == "optimal"
    for result in results[1:]:
        np.testing.assert_array_equal(result.arc_flow, results[0].arc_flow)
        np.testing.assert_array_equal(result.path_flow, results[0].path_flow)
        np.testing.assert_array_equal(result.columns.arcs, results[0].columns.arcs)
        assert result.gap == results[0].gap
        assert result.rounds == results[0].rounds


def test_path_flows_add_up() -> None:
    graph, origin, destination, demand, delay = grid_case(8, 20)
    result = user_equilibrium(graph, origin, destination, demand, delay, 1e-10)
    flow = np.zeros(graph.n_arcs)
    for arcs, amount, commodity in zip(
        result.path_arcs, result.path_flow, result.path_commodity, strict=True
    ):
        flow[arcs] += amount
        nodes = [origin[commodity], *graph.head[arcs]]
        assert (graph.tail[arcs] == nodes[:-1]).all()
        assert nodes[-1] == destination[commodity]
        assert len(set(nodes)) == len(nodes)
    np.testing.assert_allclose(result.arc_flow, flow, rtol=1e-12)
    carried = np.bincount(result.path_commodity, result.path_flow, demand.size)
    np.testing.assert_allclose(carried, demand, rtol=1e-12)
    assert (np.diff(result.path_commodity) >= 0).all()
    assert (result.path_flow > 0).all()


def test_stopping_share_finds_the_root() -> None:
    assert stopping_share(lambda share: share - 2.0) == 1.0
    assert stopping_share(lambda share: 1.0 + share) == 1.0
    for root in (0.02, 0.5, 0.97):
        found = stopping_share(lambda share, root=root: share**5 - root**5)
        assert abs(found**5 - root**5) <= 0.1 * root**5 or found == 1.0


GOOD = {
    "graph": ROADS, "origin": [0], "destination": [1], "demand": [1.0], "delay": PIGOU,
}  # fmt: skip
TWO = ExponentialDemand([1.0, 1.0])
BAD = {
    "tolerance must be >= 0": {"tolerance": float("nan")},
    "threads must be a whole number": {"threads": 0},
    "first_through_node must be a whole number in 0..2": {"first_through_node": 3},
    "destination must lie in 0..1": {"destination": [2]},
    r"destination has shape \(2,\)": {"destination": [1, 1]},
    "demand must be >= 0 and finite; found -1.0": {"demand": [-1.0]},
    "demand must be a number; found nan": {"demand": [np.nan]},
    "a curve for each of the 2 arcs; found 1": {"delay": Conical([1.0], [1.0], [2.0])},
    "an entry for each of the 1 commodities; found 2": {"elastic": TWO},
    r"money_cost has shape \(1, 3\)": {
        "classes": UserClasses(commodity_class=[0], money_cost=[[1, 1, 1]], value_of_time=[1])
    },
    r"commodity_class has shape \(2,\)": {
        "classes": UserClasses(commodity_class=[0, 0], money_cost=[[1, 1]], value_of_time=[1])
    },
    "demand on the empty network must be >= 0 and finite": {
        "elastic": ExponentialDemand([1e6], 1.0), "delay": BPR([0.0, 0], [1.0, 1], [0, 0], [1, 1])
    },
}  # fmt: skip


@pytest.mark.parametrize("message", BAD)
def test_bad_input_is_refused(message: str) -> None:
    with pytest.raises(InputError, match=message):
        user_equilibrium(**{**GOOD, **BAD[message]})


BAD_CLASSES = {
    "value_of_time must be > 0": {"value_of_time": [0.0]},
    "money_cost must be >= 0": {"money_cost": [[-1.0]]},
    "commodity_class must lie in 0..0": {"commodity_class": [1]},
    r"money_cost has shape \(2, 1\)": {"money_cost": [[1.0], [1.0]]},
}


@pytest.mark.parametrize("message", BAD_CLASSES)
def test_bad_classes_are_refused(message: str) -> None:
    good = {"commodity_class": [0], "money_cost": [[1.0]], "value_of_time": [1.0]}
    with pytest.raises(InputError, match=message):
        UserClasses(**{**good, **BAD_CLASSES[message]})


def test_a_curve_that_is_no_cost_is_refused() -> None:
    class Broken(Opaque):
        def cost(self, flow: FloatArray) -> FloatArray:
            return super().cost(flow) * np.nan

    with pytest.raises(InputError, match="cost of delay must be >= 0 and finite; found nan"):
        user_equilibrium(ROADS, [0], [1], [1.0], Broken(PIGOU))
