"""Equilibria of choices against closed forms, convex solvers, brute force and the optimum."""

from itertools import pairwise
from typing import Any

import networkx as nx
import numpy as np
import pytest
import scipy.optimize
import scipy.sparse as sp

from corridor.core.flows import (
    ChoiceSet,
    FlowProblem,
    HingeDelay,
    PoolCharges,
    Pools,
    Rows,
    capacitated_equilibrium,
    logit_equilibrium,
    min_cost_flow,
)
from corridor.core.flows._choice_sets import find_alternatives
from corridor.core.flows._network import build_network
from corridor.core.graph import Graph
from corridor.core.queues import BeckmannDelay, QueueDelay
from corridor.errors import InputError
from tests.core.flows.conftest import random_problem

EVERY = ChoiceSet(count=50, factor=1e6, overlap=1.0)


def queues(n_pools: int, usd_per_h: float = 1.0, service_h: float = 1.0) -> QueueDelay:
    """Return one M/M/2 stage in each pool."""
    one = np.ones(n_pools)
    return QueueDelay(
        n_pools=n_pools, pool=np.arange(n_pools), share=one, servers=np.full(n_pools, 2),
        service_h=service_h * one, arrival_scv=one, service_scv=one, open_h_per_day=24 * one,
        usd_per_vehicle_h=usd_per_h * one, base_load=0 * one,
    )  # fmt: skip


def parallel(seed: int) -> tuple[FlowProblem, PoolCharges, np.ndarray]:
    """Return 3 pairs of nodes with 4 arcs each, over 3 queues, of which the last is tight."""
    rng = np.random.default_rng(seed)
    tail = np.repeat([0, 2, 4], 4)
    pair = np.repeat([0, 1, 2], 4)
    matrix = sp.csr_matrix(rng.uniform(0.2, 1.5, (3, 12)) * (rng.random((3, 12)) < 0.6))
    problem = FlowProblem(
        Graph(6, tail, tail + 1), [0, 2, 4], [1, 3, 5], rng.uniform(5, 15, 3),
        rng.uniform(5, 15, 12), pools=Pools(matrix, [40.0, 40.0, 4.0]),
        unmet_cost=np.full(3, 40.0),
    )  # fmt: skip
    charges = PoolCharges(waits=BeckmannDelay(queues(3)), charge=7.0 * matrix)
    return problem, charges, pair


def two_roads(**options: object) -> FlowProblem:
    return FlowProblem(Graph(2, [0, 0], [1, 1]), [0], [1], [100.0], [10.0, 12.0], **options)


@pytest.mark.parametrize("theta", [1e-6, 0.1, 1.0, 5.0])
def test_two_paths_share_as_the_formula_says(theta: float) -> None:
    flow = logit_equilibrium(two_roads(), theta).flow.arc_flow
    assert flow[0] == pytest.approx(100.0 / (1.0 + np.exp(-2.0 * theta)), rel=1e-12)


def test_sharp_choice_is_the_cheapest_path_and_dull_choice_goes_by_path_size() -> None:
    """Paths 0-1-3 and 0-2-3 by either of two last arcs, which share half of their length."""
    graph = Graph(4, [0, 1, 0, 2, 2], [1, 3, 2, 3, 3])
    cost, length = [1.0, 1.0, 1.0, 1.0, 1.1], [1.0, 1.0, 1.0, 1.0, 1.0]
    problem = FlowProblem(graph, [0], [3], [8.0], cost)
    dull = logit_equilibrium(problem, 1e-9, length=length, choice_set=EVERY).flow.arc_flow
    # Sizes: 1, and twice 1/2 x 1/2 + 1/2 = 3/4.
    assert dull == pytest.approx(8.0 * np.array([0.4, 0.4, 0.6, 0.3, 0.3]), rel=1e-6)
    plain = logit_equilibrium(problem, 1e-9, path_size=0.0, choice_set=EVERY).flow.arc_flow
    assert plain[:2] == pytest.approx(8.0 / 3.0, rel=1e-6)
    sharp = logit_equilibrium(problem, 400.0, path_size=0.0, choice_set=EVERY).flow.arc_flow
    assert sharp == pytest.approx([4.0, 4.0, 4.0, 4.0, 0.0], abs=1e-9)


# SLSQP of the oldest SciPy warns of its own steps; the test judges where it ends.
@pytest.mark.filterwarnings("ignore:Values in x were outside bounds:RuntimeWarning")
@pytest.mark.parametrize("seed", range(3))
def test_one_value_of_waiting_solves_fisks_program(seed: int) -> None:
    """Against SLSQP on the primal; the dual at our prices proves it to ten digits."""
    problem, charges, pair = parallel(seed)
    theta, demand, cost = 0.5, problem.demand, problem.cost
    waits, capacity = charges.waits, problem.pools.capacity
    use = problem.pools.matrix.toarray()

    def primal(flows: np.ndarray) -> float:
        path, home = flows[:12], flows[12:]
        load = np.maximum(use @ path, 0.0)
        entropy = scipy.special.xlogy(flows, flows / demand[np.r_[pair, 0:3]]).sum()
        return cost @ path + 40.0 * home.sum() + entropy / theta + 7.0 * waits.value(load).sum()

    result = logit_equilibrium(problem, theta, charges, choice_set=EVERY)
    ours = np.r_[result.flow.arc_flow, result.flow.unmet]
    split = np.zeros((3, 15))
    split[np.r_[pair, 0:3], np.arange(15)] = 1.0
    start = 0.2 * split.T @ demand
    start[:12] *= 0.1
    start[12:] = demand - split[:, :12] @ start[:12]
    best = scipy.optimize.minimize(
        primal, start, method="SLSQP", bounds=[(1e-12, None)] * 15,
        constraints=[
            {"type": "eq", "fun": lambda f: split @ f - demand},
            {"type": "ineq", "fun": lambda f: capacity - use @ f[:12]},
        ],
        options={"maxiter": 1000, "ftol": 1e-13},
    )  # fmt: skip
    assert primal(ours) <= best.fun * (1 + 1e-9)
    assert ours == pytest.approx(best.x, abs=2e-3 * demand.max())
    # Fenchel: logsums of priced costs, less what pools keep of their prices.
    priced = np.r_[cost + 7.0 * use.T @ result.price, np.full(3, 40.0)]
    logsum = -np.log(split @ np.exp(-theta * priced)) / theta
    load = use @ ours[:12]
    dual = demand @ logsum - 7.0 * (result.price * load - waits.value(load)).sum()
    assert dual == pytest.approx(primal(ours), rel=1e-10)
    assert result.flow.relative_gap < 1e-9
    assert result.capacity_violation < 1e-9
    if seed == 0:
        assert result.beyond[2] > 0.0, "the tight pool is full"


@pytest.mark.parametrize("seed", range(6))
def test_values_of_waiting_that_differ_end_in_a_fixed_point(seed: int) -> None:
    """Recomputed from the path flows alone, on random networks with capacities and classes."""
    problem = random_problem(seed)
    rng = np.random.default_rng(seed)
    charge = sp.csr_matrix(problem.pools.matrix)
    charge.data = charge.data * rng.uniform(0.1, 20.0, charge.data.size)
    curve = BeckmannDelay(queues(4, service_h=0.5))
    charges = PoolCharges(waits=curve, charge=charge)
    result = logit_equilibrium(problem, 0.3, charges, path_size=0.0)
    flow = result.flow
    assert flow.status == "optimal"
    assert result.capacity_violation < 1e-9
    load = problem.pools.matrix @ flow.class_flow.ravel()
    wait, _ = curve.wait_and_slope(np.maximum(load, 0.0))
    assert result.price - result.beyond == pytest.approx(wait, abs=1e-8)
    full = load > problem.pools.capacity * (1 - 1e-8)
    assert (result.beyond[~full] == 0.0).all()
    arc = (charge.T @ result.price).reshape(problem.open_cost().shape) + flow.capacity_price
    arc += problem.open_cost()
    for k in range(problem.n_commodities):
        mine = [i for i, c in enumerate(flow.path_commodity) if c == k]
        row = int(problem.commodity_class[k])
        cost = np.array([arc[row, flow.path_arcs[i]].sum() for i in mine])
        ratio = flow.path_flow[mine] * np.exp(0.3 * cost)
        if flow.unmet[k] > 0:
            ratio = np.r_[ratio, flow.unmet[k] * np.exp(0.3 * problem.unmet_cost[k])]
        assert ratio == pytest.approx(np.full(ratio.size, ratio.mean()), rel=1e-6)


@pytest.mark.parametrize("seed", range(6))
def test_the_limit_is_beckmanns_minimum(seed: int) -> None:
    curve = BeckmannDelay(queues(4, usd_per_h=3.0, service_h=0.5))
    problem = random_problem(seed, delay=curve)
    charges = PoolCharges(waits=curve, charge=3.0 * problem.pools.matrix)
    least = min_cost_flow(problem, tolerance=1e-9)
    result = capacitated_equilibrium(problem, charges, tolerance=1e-7)
    assert result.flow.status == "optimal"
    assert result.flow.objective == pytest.approx(least.objective, rel=1e-6)
    assert result.flow.objective >= least.bound * (1 - 1e-7)


def test_the_limit_of_the_logit_is_the_deterministic_equilibrium() -> None:
    problem = random_problem(3)
    sharp = logit_equilibrium(problem, 300.0, path_size=0.0)
    limit = capacitated_equilibrium(problem, tolerance=1e-6)
    assert sharp.flow.objective == pytest.approx(limit.flow.objective, rel=1e-4)


def test_pools_in_a_row_have_one_price_together() -> None:
    """Every vehicle passes two posts; only the second is full."""
    graph = Graph(3, [0, 1, 0], [1, 2, 2])
    for first in (60.0, 60.000001, 1e9):
        pools = Pools(sp.csr_matrix([[1.0, 0, 0], [0, 1.0, 0]]), [first, 60.0])
        problem = FlowProblem(graph, [0], [2], [100.0], [4.0, 4.0, 9.0], pools=pools)
        result = logit_equilibrium(problem, 2.0)
        assert result.flow.arc_flow[0] == pytest.approx(60.0, rel=1e-9)
        assert result.price.sum() == pytest.approx(1.0 - np.log(1.5) / 2.0, rel=1e-6)


def test_soft_limits_cost_what_they_say_and_no_more() -> None:
    for price, expected in ((0.5, None), (50.0, 60.0)):
        pools = Pools(sp.csr_matrix([[1.0, 0.0]]), [np.inf])
        charges = PoolCharges(overruns=HingeDelay([60.0], [price]))
        result = logit_equilibrium(two_roads(pools=pools), 1.0, charges)
        flow = result.flow.arc_flow[0]
        if expected is None:
            assert flow == pytest.approx(100.0 / (1.0 + np.exp(-2.0 + price)), rel=1e-9)
            assert result.price[0] == pytest.approx(price)
        else:
            assert flow == pytest.approx(expected, rel=1e-9)
            assert result.price[0] == pytest.approx(2.0 - np.log(60.0 / 40.0), rel=1e-9)


def test_caps_as_side_rows_have_a_price_and_count_who_stays_at_home() -> None:
    """At most 40 % of what is carried may take the first road."""
    rows = Rows(sp.csr_matrix([[1.0, 0.0]]), [-np.inf], [40.0], unmet=sp.csr_matrix([[0.4]]))
    problem = two_roads(rows=rows, unmet_cost=13.0)
    result = logit_equilibrium(problem, 1.0, choice_set=EVERY)
    flow, unmet = result.flow.arc_flow, result.flow.unmet[0]
    assert flow[0] == pytest.approx(0.4 * (100.0 - unmet), rel=1e-9)
    price = -result.flow.row_price[0]
    utility = np.exp(-np.array([10.0 + price, 12.0, 13.0 + 0.4 * price]))
    assert np.r_[flow, unmet] == pytest.approx(100.0 * utility / utility.sum(), rel=1e-8)


def test_demand_falls_with_the_expected_cost() -> None:
    """One road with room for half: its price is what makes half of the demand stay away."""
    problem = FlowProblem(Graph(2, [0], [1]), [0], [1], [100.0], [10.0], [50.0])
    result = logit_equilibrium(problem, 1.0, elasticity=[-0.5])
    assert result.demand == pytest.approx([50.0], rel=1e-9)
    assert result.flow.capacity_price == pytest.approx([10.0 * np.log(2.0) / 0.5], rel=1e-8)
    assert result.expected_cost - result.free_cost == pytest.approx(result.flow.capacity_price)
    sharp = capacitated_equilibrium(problem, elasticity=[-0.5])
    assert sharp.demand == pytest.approx([50.0], rel=1e-6)
    rigid = logit_equilibrium(two_roads(), 1.0, elasticity=[-0.5])
    assert rigid.demand == pytest.approx([100.0])


def test_answers_repeat_and_do_not_depend_on_threads_or_on_the_order_of_demand() -> None:
    problem = random_problem(2)
    first = logit_equilibrium(problem, 0.5, threads=1)
    again = logit_equilibrium(problem, 0.5, threads=2)
    assert (first.flow.class_flow == again.flow.class_flow).all()
    turned = FlowProblem(
        problem.graph, problem.origin[::-1], problem.destination[::-1], problem.demand[::-1],
        problem.cost, problem.capacity, commodity_class=problem.commodity_class[::-1],
        allowed=problem.allowed, pools=problem.pools, unmet_cost=problem.unmet_cost[::-1],
    )  # fmt: skip
    other = logit_equilibrium(turned, 0.5)
    assert other.flow.class_flow == pytest.approx(first.flow.class_flow, abs=1e-7)


def test_equal_commodities_share_as_their_demands_do() -> None:
    problem = FlowProblem(
        Graph(2, [0, 0], [1, 1]), [0, 0, 1], [1, 1, 1], [30.0, 70.0, 5.0],
        [10.0, 12.0], [50.0, 99.0],
    )  # fmt: skip
    flow = logit_equilibrium(problem, 1.0).flow
    assert flow.arc_flow == pytest.approx([50.0, 50.0], rel=1e-9)
    shares = {
        (c, a[0]): f
        for c, a, f in zip(flow.path_commodity, flow.path_arcs, flow.path_flow, strict=True)
        if a.size
    }
    assert shares[0, 0] / shares[1, 0] == pytest.approx(3.0 / 7.0)


@pytest.mark.parametrize("overlap", [1.0, 0.6])
def test_alternatives_are_the_cheapest_ways_through_arcs(overlap: float) -> None:
    rng = np.random.default_rng(5)
    n, m = 12, 40
    tail, head = rng.integers(0, n, m), rng.integers(0, n, m)
    cost, length = rng.uniform(1, 9, m), rng.uniform(1, 5, m)
    problem = FlowProblem(Graph(n, tail, head), [0, 3], [7, 9], [1.0, 1.0], cost)
    network = build_network(problem)
    rule = ChoiceSet(count=6, factor=2.0, overlap=overlap)
    group, indptr, arcs = find_alternatives(network, network.cost, length, rule, 1)
    digraph = nx.MultiDiGraph()
    digraph.add_nodes_from(range(n))
    for a in range(m):
        digraph.add_edge(tail[a], head[a], key=a, weight=cost[a])
    for k, (o, d) in enumerate([(0, 7), (3, 9)]):
        expected = _ways_by_brute_force(digraph, (cost, length), o, d, rule)
        at = np.flatnonzero(group == k)
        found = [arcs[indptr[p] : indptr[p + 1]].tolist() for p in at]
        assert found == expected


def _ways_by_brute_force(
    digraph: nx.MultiDiGraph, costs: tuple[np.ndarray, np.ndarray], o: int, d: int, rule: ChoiceSet
) -> list[list[int]]:
    cost, length = costs
    tail, head = np.array([(u, v) for _, u, v in sorted((k, u, v) for u, v, k in digraph.edges)]).T

    def cheapest(a: int, b: int) -> list[int]:
        nodes = nx.dijkstra_path(digraph, a, b)
        return [
            min(digraph[u][v], key=lambda e: digraph[u][v][e]["weight"]) for u, v in pairwise(nodes)
        ]

    ways = {}
    for arc in range(tail.size):
        if nx.has_path(digraph, o, tail[arc]) and nx.has_path(digraph, head[arc], d):
            way = [*cheapest(o, tail[arc]), arc, *cheapest(head[arc], d)]
            nodes = [o, *head[way]]
            if len(set(nodes)) == len(nodes):
                ways[tuple(way)] = cost[way].sum()
    order = sorted(ways, key=ways.get)
    taken = []
    for way in order:
        if ways[way] > rule.factor * ways[order[0]] or len(taken) == rule.count:
            break
        km = length[list(way)].sum()
        if all(
            length[list(set(way) & set(t))].sum() <= rule.overlap * min(km, length[list(t)].sum())
            for t in taken
        ):
            taken.append(way)
    return [list(way) for way in taken]


def test_no_way_is_infeasible_and_too_little_room_has_no_prices() -> None:
    apart = FlowProblem(Graph(3, [0], [1]), [0, 0], [1, 2], [1.0, 1.0], [1.0])
    result = logit_equilibrium(apart, 1.0)
    assert result.flow.status == "infeasible"
    assert result.expected_cost.tolist() == [0.0, np.inf]
    tight = FlowProblem(Graph(2, [0], [1]), [0], [1], [5.0], [1.0], [2.0])
    assert logit_equilibrium(tight, 1.0).flow.status == "unknown"
    shut = FlowProblem(Graph(2, [0, 0], [1, 1]), [0], [1], [5.0], [1.0, 2.0], [0.0, 9.0])
    assert logit_equilibrium(shut, 1.0).flow.arc_flow == pytest.approx([0.0, 5.0])


def test_nothing_to_carry_and_nowhere_to_go() -> None:
    still = FlowProblem(Graph(2, [0], [1]), [0, 0], [1, 0], [0.0, 3.0], [1.0])
    flow = logit_equilibrium(still, 1.0).flow
    assert flow.status == "optimal"
    assert flow.arc_flow.tolist() == [0.0]
    nobody = FlowProblem(Graph(2, [0], [1]), [0], [1], [0.0], [1.0])
    assert capacitated_equilibrium(nobody).flow.status == "optimal"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"dispersion": 0.0}, "dispersion must be > 0"),
        ({"dispersion": np.nan}, "dispersion must be > 0"),
        ({"tolerance": -1.0}, "tolerance must be > 0"),
        ({"path_size": -1.0}, "path_size must be >= 0"),
        ({"length": [1.0, -1.0]}, "length must be >= 0"),
        ({"elasticity": [0.5]}, "elasticity must be <= 0"),
        ({"elasticity": [-0.5, 0.0]}, "elasticity has shape"),
    ],
)
def test_bad_arguments_are_refused(change: dict[str, Any], message: str) -> None:
    arguments = {"dispersion": 1.0} | change
    with pytest.raises(InputError, match=message):
        logit_equilibrium(two_roads(), **arguments)


@pytest.mark.parametrize(
    "rows",
    [
        Rows(sp.csr_matrix([[1.0, 0.0]]), [5.0], [np.inf]),
        Rows(sp.csr_matrix([[1.0, -1.0]]), [-np.inf], [0.0]),
    ],
)
def test_rows_that_pay_for_flow_are_refused(rows: Rows) -> None:
    with pytest.raises(InputError, match="no price that users pay keeps a floor"):
        logit_equilibrium(two_roads(rows=rows), 1.0)


def test_choice_sets_and_charges_are_checked() -> None:
    for bad in ({"count": 0}, {"factor": 0.5}, {"overlap": 1.5}):
        with pytest.raises(InputError):
            ChoiceSet(**bad)
    with pytest.raises(InputError, match="charge"):
        PoolCharges(charge=sp.csr_matrix([[-1.0]]))
