"""What must hold of every minimum-cost flow, whatever the network."""

import dataclasses

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from corridor.core.flows import FlowProblem, HingeDelay, Pools, min_cost_flow
from corridor.core.graph import Graph

SETTINGS = settings(max_examples=40, deadline=None, derandomize=True)
N_NODES, N_CLASSES = 6, 2


@st.composite
def problems(draw: st.DrawFn) -> FlowProblem:
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_arcs, n_commodities = draw(st.integers(4, 24)), draw(st.integers(1, 6))
    density = rng.random((2, N_CLASSES * n_arcs)) < 0.3
    pools = Pools(sp.csr_matrix(density * rng.uniform(0.1, 1, density.shape)), rng.uniform(0, 9, 2))
    hinge = HingeDelay(rng.uniform(0, 5, 2), rng.uniform(0, 5, 2))
    return FlowProblem(
        Graph(N_NODES, rng.integers(0, N_NODES, n_arcs), rng.integers(0, N_NODES, n_arcs)),
        rng.integers(0, N_NODES, n_commodities),
        rng.integers(0, N_NODES, n_commodities),
        rng.uniform(0, 9, n_commodities) * (rng.random(n_commodities) < 0.9),
        np.round(rng.uniform(0, 9, (N_CLASSES, n_arcs)), draw(st.integers(0, 3))),
        np.where(rng.random(n_arcs) < 0.5, np.round(rng.uniform(0, 9, n_arcs)), np.inf),
        commodity_class=rng.integers(0, N_CLASSES, n_commodities),
        allowed=rng.random((N_CLASSES, n_arcs)) < 0.8,
        pools=pools,
        delay=hinge if draw(st.booleans()) else None,
        unmet_cost=rng.uniform(5, 50, n_commodities),
    )


@SETTINGS
@given(problems())
def test_flow_is_conserved_and_within_limits(problem: FlowProblem) -> None:
    result = min_cost_flow(problem)
    assert result.status == "optimal"
    assert result.bound <= result.objective
    graph = problem.graph
    for position in range(N_CLASSES):
        net = np.zeros(N_NODES)
        np.add.at(net, graph.tail, result.class_flow[position])
        np.subtract.at(net, graph.head, result.class_flow[position])
        mine = np.asarray(problem.commodity_class) == position
        served = (problem.demand - result.unmet)[mine]
        np.subtract.at(net, problem.origin[mine], served)
        np.add.at(net, problem.destination[mine], served)
        np.testing.assert_allclose(net, 0, atol=1e-8)
    np.testing.assert_allclose(result.class_flow.sum(axis=0), result.arc_flow)
    assert problem.capacity is not None
    assert problem.pools is not None
    assert (result.arc_flow <= problem.capacity + 1e-6).all()
    assert (result.pool_load <= problem.pools.capacity + 1e-6).all()
    assert not result.class_flow[~np.asarray(problem.allowed)].any()
    assert (result.unmet >= 0).all()
    assert (result.unmet <= problem.demand * (1 + 1e-12)).all()


@SETTINGS
@given(problems(), st.integers(0, 2**16))
def test_more_capacity_never_costs_more(problem: FlowProblem, seed: int) -> None:
    rng = np.random.default_rng(seed)
    assert problem.capacity is not None
    assert problem.pools is not None
    wider = dataclasses.replace(
        problem,
        capacity=problem.capacity + rng.uniform(0, 3, problem.graph.n_arcs),
        pools=Pools(problem.pools.matrix, problem.pools.capacity + rng.uniform(0, 3, 2)),
    )
    before, after = min_cost_flow(problem), min_cost_flow(wider)
    assert after.objective <= before.objective + 1e-8 * max(1.0, before.objective)


@SETTINGS
@given(problems(), st.sampled_from([1e-4, 3e3, 1e7]), st.sampled_from([1e-4, 3e3, 1e7]))
def test_units_change_nothing(problem: FlowProblem, per_flow: float, per_cost: float) -> None:
    assert problem.capacity is not None
    assert problem.pools is not None
    delay = None
    if isinstance(problem.delay, HingeDelay):
        delay = HingeDelay(problem.delay.limit * per_flow, problem.delay.price * per_cost)
    scaled = dataclasses.replace(
        problem,
        demand=problem.demand * per_flow,
        capacity=problem.capacity * per_flow,
        cost=problem.cost * per_cost,
        unmet_cost=np.asarray(problem.unmet_cost) * per_cost,
        pools=Pools(problem.pools.matrix, problem.pools.capacity * per_flow),
        delay=delay,
    )
    before, after = min_cost_flow(problem), min_cost_flow(scaled)
    assert after.status == before.status == "optimal"
    scale = per_flow * per_cost
    assert after.objective == pytest.approx(before.objective * scale, rel=1e-8, abs=1e-9 * scale)


@SETTINGS
@given(problems(), st.integers(0, 2**16))
def test_relabelling_nodes_and_arcs_changes_nothing(problem: FlowProblem, seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph, n_arcs = problem.graph, problem.graph.n_arcs
    node, arc = rng.permutation(N_NODES), rng.permutation(n_arcs)
    assert problem.capacity is not None
    assert problem.pools is not None
    columns = (np.arange(N_CLASSES)[:, None] * n_arcs + arc).ravel()
    relabelled = dataclasses.replace(
        problem,
        graph=Graph(N_NODES, node[graph.tail[arc]], node[graph.head[arc]]),
        origin=node[problem.origin],
        destination=node[problem.destination],
        cost=problem.cost[:, arc],
        allowed=np.asarray(problem.allowed)[:, arc],
        capacity=problem.capacity[arc],
        pools=Pools(problem.pools.matrix[:, columns], problem.pools.capacity),
    )
    before, after = min_cost_flow(problem), min_cost_flow(relabelled)
    assert after.objective == pytest.approx(before.objective, rel=1e-8, abs=1e-8)
