"""What must hold of every equilibrium and every optimum, whatever the network."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corridor.core.flows import (
    BPR,
    ExponentialDemand,
    UserClasses,
    marginal_tolls,
    system_optimum,
    user_equilibrium,
)
from corridor.core.flows._arrays import FloatArray, IntArray
from corridor.core.graph import Graph
from corridor.core.paths import shortest_paths

SETTINGS = settings(max_examples=30, deadline=None, derandomize=True)
N_NODES = 6


@dataclasses.dataclass(frozen=True)
class Case:
    graph: Graph
    origin: IntArray
    destination: IntArray
    demand: FloatArray
    delay: BPR

    @property
    def arguments(self) -> tuple[Graph, IntArray, IntArray, FloatArray, BPR]:
        return self.graph, self.origin, self.destination, self.demand, self.delay


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Draw a ring, so that everything is reached, and arcs across; costs may be 0 or constant."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    ring = np.arange(N_NODES)
    n_more, n_commodities = draw(st.integers(0, 12)), draw(st.integers(1, 8))
    tail = np.r_[ring, rng.integers(0, N_NODES, n_more)]
    head = np.r_[(ring + 1) % N_NODES, rng.integers(0, N_NODES, n_more)]
    n = tail.size
    power = rng.choice([1.0, 2.0, 4.0, 4.0, 3.3], n)
    b = rng.uniform(0, 1, n) * (rng.random(n) < 0.8)
    fixed = rng.uniform(0, 2, n) * (rng.random(n) < 0.5)
    free = rng.uniform(0, 3, n) * (rng.random(n) < 0.9)
    return Case(
        Graph(N_NODES, tail, head),
        rng.integers(0, N_NODES, n_commodities).astype(np.int32),
        rng.integers(0, N_NODES, n_commodities).astype(np.int32),
        rng.uniform(0, 5, n_commodities) * (rng.random(n_commodities) < 0.9),
        BPR(free, rng.uniform(0.5, 9, n), b, power, fixed),
    )


@SETTINGS
@given(cases())
def test_flow_is_conserved_and_nobody_has_a_cheaper_path(case: Case) -> None:
    result = user_equilibrium(*case.arguments, 1e-11)
    assert result.status == "optimal"
    graph = case.graph
    net = np.zeros(N_NODES)
    np.add.at(net, graph.tail, result.arc_flow)
    np.subtract.at(net, graph.head, result.arc_flow)
    np.subtract.at(net, case.origin, case.demand)
    np.add.at(net, case.destination, case.demand)
    np.testing.assert_allclose(net, 0, atol=1e-10)
    carried = np.bincount(result.path_commodity, result.path_flow, case.demand.size)
    np.testing.assert_allclose(carried, case.demand, rtol=1e-12)
    cost = case.delay.cost(result.arc_flow)
    distance = shortest_paths(graph, cost, np.arange(N_NODES))[0]
    least = distance[case.origin, case.destination]
    spent = sum(
        flow * cost[arcs].sum()
        for arcs, flow in zip(result.path_arcs, result.path_flow, strict=True)
    )
    best = float(case.demand @ least)
    assert spent - best <= 1e-11 * best + 1e-12
    assert result.gap == pytest.approx(spent - best, abs=1e-12 * max(1.0, best))
    assert result.bound <= result.objective


@SETTINGS
@given(cases())
def test_the_optimum_is_no_worse_and_tolls_bring_it_about(case: Case) -> None:
    free, best = (verb(*case.arguments, 1e-12) for verb in (user_equilibrium, system_optimum))
    spent = free.arc_flow @ case.delay.cost(free.arc_flow)
    assert best.objective <= spent + 1e-10 * max(1.0, spent)
    # Beckmann's function at the optimum bounds it from above at the equilibrium.
    assert free.objective <= case.delay.integral(best.arc_flow).sum() + 1e-10 * max(1.0, spent)
    tolls = marginal_tolls(case.delay, best.arc_flow)
    tolled = dataclasses.replace(case.delay, fixed=case.delay.fixed + tolls)
    paid = user_equilibrium(*case.arguments[:4], tolled, 1e-12)
    cost = paid.arc_flow @ case.delay.cost(paid.arc_flow)
    assert cost == pytest.approx(best.objective, rel=1e-7, abs=1e-9)


@SETTINGS
@given(cases(), st.integers(0, 2**16))
def test_relabelling_changes_nothing(case: Case, seed: int) -> None:
    rng = np.random.default_rng(seed)
    node, arc = rng.permutation(N_NODES), rng.permutation(case.graph.n_arcs)
    order = rng.permutation(case.demand.size)
    delay = BPR(*(getattr(case.delay, field.name)[arc] for field in dataclasses.fields(BPR)))
    moved = Graph(N_NODES, node[case.graph.tail[arc]], node[case.graph.head[arc]])
    before = user_equilibrium(*case.arguments, 1e-12)
    after = user_equilibrium(
        moved, node[case.origin[order]], node[case.destination[order]], case.demand[order], delay,
        1e-12,
    )  # fmt: skip
    assert after.objective == pytest.approx(before.objective, rel=1e-10, abs=1e-10)
    # Costs are unique even where flows are not; flows where costs rise.
    np.testing.assert_allclose(after.demand_price, before.demand_price[order], rtol=1e-5, atol=1e-7)


@SETTINGS
@given(cases(), st.floats(1.0, 3.0))
def test_more_demand_raises_the_objective(case: Case, factor: float) -> None:
    """It is the least of a sum of integrals of costs >= 0, so less demand never costs more."""
    before = user_equilibrium(*case.arguments, 1e-11)
    more = dataclasses.replace(case, demand=case.demand * factor)
    after = user_equilibrium(*more.arguments, 1e-11)
    assert after.objective >= before.objective * (1 - 1e-10)


@SETTINGS
@given(cases(), st.sampled_from([1e-3, 40.0, 1e5]), st.sampled_from([1e-3, 40.0, 1e5]))
def test_units_change_nothing(case: Case, per_flow: float, per_cost: float) -> None:
    delay = case.delay
    scaled = BPR(
        delay.free_flow * per_cost, delay.capacity * per_flow, delay.b, delay.power,
        delay.fixed * per_cost,
    )  # fmt: skip
    before = user_equilibrium(*case.arguments, 1e-11)
    after = user_equilibrium(*case.arguments[:3], case.demand * per_flow, scaled, 1e-11)
    assert after.status == before.status == "optimal"
    scale = per_flow * per_cost
    assert after.objective == pytest.approx(before.objective * scale, rel=1e-9, abs=1e-9 * scale)


@SETTINGS
@given(cases())
def test_classes_of_one_kind_are_one_class(case: Case) -> None:
    n = case.demand.size
    money = np.ones((2, case.graph.n_arcs)) * [[3.0], [12.0]]
    classes = UserClasses(
        commodity_class=np.arange(n) % 2, money_cost=money, value_of_time=[6.0, 24.0]
    )
    split = user_equilibrium(*case.arguments, 1e-11, classes=classes)
    fixed = dataclasses.replace(case.delay, fixed=case.delay.fixed + 0.5)
    whole = user_equilibrium(*case.arguments[:4], fixed, 1e-11)
    assert split.objective == pytest.approx(whole.objective, rel=1e-9, abs=1e-12)


@SETTINGS
@given(cases(), st.floats(0.01, 2.0))
def test_dearer_journeys_are_made_less(case: Case, sensitivity: float) -> None:
    elastic = ExponentialDemand(np.full(case.demand.size, sensitivity), 0.0)
    result = user_equilibrium(*case.arguments, 1e-11, elastic=elastic)
    assert result.status == "optimal"
    carried = np.bincount(result.path_commodity, result.path_flow, case.demand.size)
    wanted = elastic.demand(case.demand, result.demand_price)
    np.testing.assert_allclose(carried, wanted, rtol=1e-4, atol=1e-7)
