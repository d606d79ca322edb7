"""Fixed-charge design against enumeration, against scipy's MIP, and its laws."""

import dataclasses
import itertools
import math
import threading

import numpy as np
import pytest
import scipy.optimize
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from corridor.core.flows import (
    DesignResult,
    FlowProblem,
    Pools,
    Rows,
    _design_relaxation,
    _design_search,
    design_network,
    min_cost_flow,
)
from corridor.core.flows._design_model import build_model
from corridor.core.flows._design_paths import paths_of
from corridor.core.flows._design_relaxation import Relaxation
from corridor.core.graph import Graph
from corridor.core.solver.check import verify_point
from corridor.errors import InputError


def random_design(
    seed: int, n_nodes: int = 5, n_arcs: int = 9, n_commodities: int = 3, *, unmet: bool = False
) -> tuple[FlowProblem, np.ndarray]:
    """Return a ring and random arcs of which some are open already."""
    rng = np.random.default_rng(seed)
    ring = np.arange(n_nodes)
    extra = n_arcs - n_nodes
    tail = np.r_[ring, rng.integers(0, n_nodes, extra)]
    head = np.r_[np.roll(ring, -1), rng.integers(0, n_nodes, extra)]
    origin = rng.integers(0, n_nodes, n_commodities)
    destination = (origin + rng.integers(1, n_nodes, n_commodities)) % n_nodes
    demand = rng.uniform(1, 10, n_commodities)
    capacity = rng.uniform(0.3, 1.2, n_arcs) * demand.sum()
    capacity[rng.random(n_arcs) < 0.2] = np.inf
    fixed = np.where(rng.random(n_arcs) < 0.2, 0.0, rng.uniform(5, 80, n_arcs))
    problem = FlowProblem(
        Graph(n_nodes, tail, head),
        origin,
        destination,
        demand,
        rng.uniform(0, 5, n_arcs),
        capacity,
        unmet_cost=rng.uniform(5, 40, n_commodities) if unmet else None,
    )
    return problem, fixed


def arc_matrices(problem: FlowProblem) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return balances over (commodity, arc) and unmet columns, supplies, and costs."""
    graph, n_k = problem.graph, problem.n_commodities
    n_v, n_a = graph.n_nodes, graph.n_arcs
    balance = np.zeros((n_k * n_v, n_k * n_a + n_k))
    supply = np.zeros(n_k * n_v)
    for k in range(n_k):
        for a in range(n_a):
            balance[k * n_v + graph.tail[a], k * n_a + a] += 1
            balance[k * n_v + graph.head[a], k * n_a + a] -= 1
        for node, sign in ((problem.origin[k], 1.0), (problem.destination[k], -1.0)):
            balance[k * n_v + node, n_k * n_a + k] += sign
            supply[k * n_v + node] += sign * problem.demand[k]
    price = np.zeros(n_k) if problem.unmet_cost is None else problem.unmet_cost
    return balance, supply, np.r_[np.tile(problem.cost, n_k), price]


def most_unmet(problem: FlowProblem) -> np.ndarray:
    return np.zeros(problem.n_commodities) if problem.unmet_cost is None else problem.demand


def by_enumeration(problem: FlowProblem, fixed: np.ndarray) -> float:
    """Return the least cost over all sets of paid arcs, each routed by scipy's linear program."""
    n_k, n_a = problem.n_commodities, problem.graph.n_arcs
    balance, supply, cost = arc_matrices(problem)
    room = np.hstack([np.tile(np.eye(n_a), n_k), np.zeros((n_a, n_k))])
    total = problem.demand.sum()
    paid = np.flatnonzero(fixed > 0)
    best = math.inf
    for choice in itertools.product([False, True], repeat=paid.size):
        charge = float(fixed[paid] @ np.array(choice, dtype=float))
        if charge >= best:
            continue
        capacity = np.minimum(problem.capacity, total)
        capacity[paid[~np.array(choice, dtype=bool)]] = 0.0
        flow = scipy.optimize.linprog(
            cost,
            A_ub=room,
            b_ub=capacity,
            A_eq=balance,
            b_eq=supply,
            bounds=np.column_stack(
                [np.zeros(cost.size), np.r_[np.full(n_k * n_a, np.inf), most_unmet(problem)]]
            ),
            method="highs",
        )
        if flow.status == 0:
            best = min(best, charge + flow.fun)
    return best


def by_milp(problem: FlowProblem, fixed: np.ndarray) -> float:
    """Return the optimum of the weak form by scipy's MIP."""
    n_k, n_a = problem.n_commodities, problem.graph.n_arcs
    balance, supply, cost = arc_matrices(problem)
    capacity = np.minimum(problem.capacity, problem.demand.sum())
    room = np.hstack([np.tile(np.eye(n_a), n_k), np.zeros((n_a, n_k)), -np.diag(capacity)])
    answer = scipy.optimize.milp(
        np.r_[cost, fixed],
        constraints=[
            scipy.optimize.LinearConstraint(
                sp.csr_matrix(np.hstack([balance, np.zeros((supply.size, n_a))])), supply, supply
            ),
            scipy.optimize.LinearConstraint(sp.csr_matrix(room), -np.inf, 0.0),
        ],
        integrality=np.r_[np.zeros(cost.size), np.ones(n_a)],
        bounds=scipy.optimize.Bounds(
            0, np.r_[np.full(n_k * n_a, np.inf), most_unmet(problem), np.ones(n_a)]
        ),
        options={"mip_rel_gap": 0.0},
    )
    return float(answer.fun) if answer.status == 0 else math.inf


def check(problem: FlowProblem, fixed: np.ndarray, result: DesignResult, optimum: float) -> None:
    """Assert that a result is the optimum, and that its parts hold together."""
    if not math.isfinite(optimum):
        assert result.status == "infeasible"
        assert result.bound == math.inf
        assert not result.open.any()
        return
    assert result.status == "optimal"
    assert result.limit == ""
    assert result.objective == pytest.approx(optimum, rel=1.1e-4)
    assert result.bound <= optimum * (1 + 1e-9)
    assert result.relative_gap <= 1e-4
    assert not result.arc_flow[~result.open].any()
    assert result.fixed_cost == pytest.approx(fixed[result.open].sum())
    assert result.flow is not None
    parts = problem.cost @ result.arc_flow + fixed[result.open].sum() + result.flow.unmet_cost
    assert result.objective == pytest.approx(parts, rel=1e-9)


@pytest.mark.parametrize("unmet", [False, True])
@pytest.mark.parametrize("seed", range(8))
def test_design_is_the_best_of_all_subsets(seed: int, unmet: bool) -> None:  # noqa: FBT001
    problem, fixed = random_design(seed, unmet=unmet)
    check(problem, fixed, design_network(problem, fixed), by_enumeration(problem, fixed))


@pytest.mark.parametrize("seed", range(5))
def test_design_agrees_with_another_solver(seed: int) -> None:
    problem, fixed = random_design(seed, 8, 40, 6, unmet=seed % 2 == 0)
    check(problem, fixed, design_network(problem, fixed), by_milp(problem, fixed))


@pytest.mark.parametrize("seed", [1, 6])
def test_dear_arcs_make_it_hard_and_change_nothing(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_design_search, "FEW_SWITCHES", 0)
    problem, fixed = random_design(seed, 9, 50, 8)
    fixed *= 15
    told: list[float] = []
    result = design_network(problem, fixed, progress=lambda best, _: told.append(best))
    check(problem, fixed, result, by_milp(problem, fixed))
    first = next(value for value in told if math.isfinite(value))
    assert first > result.objective * 1.02  # the first design was poor: all steps were taken


def test_many_flows_begin_with_paths(monkeypatch: pytest.MonkeyPatch) -> None:
    problem, fixed = random_design(2, 8, 40, 6)
    expected = design_network(problem, fixed)
    monkeypatch.setattr(_design_search, "MANY_FLOWS", 0)
    monkeypatch.setattr(_design_relaxation, "LINKS_AT_ONCE", 0)
    result = design_network(problem, fixed)
    assert result.objective == pytest.approx(expected.objective, rel=1.1e-4)
    wanting = design_network(dataclasses.replace(problem, capacity=problem.capacity / 9), fixed)
    assert wanting.status == "infeasible"


def test_the_bound_is_what_checked_prices_prove() -> None:
    problem, fixed = random_design(4, 8, 40, 6)
    model = build_model(problem, fixed)
    relaxation = Relaxation(model)
    answer = relaxation.solve(None)
    program = relaxation.program
    # Lagrange's function at the prices of all rows: the least over the columns' bounds.
    price = answer.row_price
    sides = np.where(price > 0, program.row_lower, program.row_upper)
    value = (price[price != 0] * sides[price != 0]).sum()
    reduced = program.cost - program.matrix.T @ price
    value += np.minimum(reduced * program.lower, reduced * program.upper).sum()
    assert value * model.money == pytest.approx(answer.bound * model.money, rel=1e-9)
    assert value * model.money <= design_network(problem, fixed).objective * (1 + 1e-9)


def test_paths_carry_the_flows_of_a_point() -> None:
    problem, fixed = random_design(4, 8, 40, 6)
    result = design_network(problem, fixed)
    model = build_model(problem, fixed)
    point = model.point(result.flow, result.open)
    verify_point(model.program, point)
    assert model.program.cost @ point * model.money == pytest.approx(result.objective)
    paths = paths_of(model, point)
    routed = min_cost_flow(
        dataclasses.replace(problem, allowed=result.open), columns=paths, tolerance=1e-9
    )
    assert routed.objective == pytest.approx(result.flow.objective)
    for position in range(len(paths)):
        arcs = paths.path(position)
        commodity = paths.commodity[position]
        assert problem.graph.tail[arcs[0]] == problem.origin[commodity]
        assert problem.graph.head[arcs[-1]] == problem.destination[commodity]
        assert (problem.graph.head[arcs[:-1]] == problem.graph.tail[arcs[1:]]).all()


def test_without_fixed_costs_it_is_the_cheapest_flow() -> None:
    problem, _ = random_design(3, 8, 40, 6, unmet=True)
    result = design_network(problem, np.zeros(40))
    flow = min_cost_flow(problem)
    assert result.status == flow.status == "optimal"
    assert result.objective == pytest.approx(flow.objective, rel=1e-4)
    assert result.fixed_cost == 0.0


@pytest.mark.parametrize("value", [np.inf, np.nan, -1.0])
def test_fixed_costs_must_be_finite_and_not_negative(value: float) -> None:
    problem, fixed = random_design(0)
    fixed[4] = value
    with pytest.raises(InputError, match="fixed_cost"):
        design_network(problem, fixed)


def test_other_arguments_out_of_range_are_refused() -> None:
    problem, fixed = random_design(0)
    with pytest.raises(InputError, match="shape"):
        design_network(problem, fixed[:-1])
    with pytest.raises(InputError, match="tolerance"):
        design_network(problem, fixed, tolerance=math.nan)
    with pytest.raises(InputError, match="time_limit"):
        design_network(problem, fixed, time_limit=0.0)
    with pytest.raises(InputError, match="start must be bool"):
        design_network(problem, fixed, start=np.ones(9))
    with pytest.raises(InputError, match="start has shape"):
        design_network(problem, fixed, start=np.ones(8, dtype=bool))


def test_nothing_to_carry_opens_nothing() -> None:
    graph = Graph(2, [0], [1])
    for demand in ([0.0], []):
        ends = [0] * len(demand), [1] * len(demand)
        result = design_network(FlowProblem(graph, *ends, demand, [1.0]), [5.0])
        assert (result.status, result.objective, result.bound) == ("optimal", 0.0, 0.0)
        assert not result.open.any()


def test_demand_without_a_way_is_infeasible_or_stays_behind() -> None:
    graph = Graph(3, [0, 1], [1, 0])
    lost = FlowProblem(graph, [0, 0], [1, 2], [4.0, 2.0], [1.0, 1.0])
    assert design_network(lost, [3.0, 3.0]).status == "infeasible"
    priced = FlowProblem(graph, [0, 0], [1, 2], [4.0, 2.0], [1.0, 1.0], unmet_cost=[9.0, 7.0])
    result = design_network(priced, [3.0, 3.0])
    assert result.status == "optimal"
    assert result.objective == pytest.approx(4.0 + 3.0 + 2 * 7.0)
    assert result.flow is not None
    assert result.flow.unmet.tolist() == pytest.approx([0.0, 2.0])


def test_too_little_capacity_is_infeasible() -> None:
    problem = FlowProblem(Graph(2, [0, 0], [1, 1]), [0], [1], [5.0], [1.0, 1.0], [2.0, 2.5])
    result = design_network(problem, [3.0, 3.0])
    assert (result.status, result.bound) == ("infeasible", math.inf)


def test_closed_arcs_and_masks_stay_closed() -> None:
    problem = FlowProblem(
        Graph(2, [0, 0, 0, 0], [1, 1, 1, 1]),
        [0, 0],
        [1, 1],
        [5.0, 5.0],
        [[1.0, np.inf, 2.0, 3.0], [1.0, 1.0, 2.0, 3.0]],
        [0.0, 99.0, 99.0, 99.0],
        commodity_class=[0, 1],
        allowed=[True, True, False, True],
    )
    result = design_network(problem, [1.0, 2.0, 1.0, 4.0])
    # One road for both at 3 costs 34; a second one for the class that may use it 2 + 5 less 15.
    assert result.open.tolist() == [False, True, False, True]
    assert result.objective == pytest.approx(5 * 1.0 + 5 * 3.0 + 2.0 + 4.0)


def test_pools_limit_what_is_opened() -> None:
    graph = Graph(2, [0, 0], [1, 1])
    pools = Pools(sp.csr_matrix([[1.0, 0.0]]), [3.0])
    problem = FlowProblem(graph, [0], [1], [5.0], [1.0, 4.0], pools=pools)
    result = design_network(problem, [2.0, 2.0])
    # 3 units by the cheap road and 2 by the other: 3 + 8 + 4, against 20 + 2 by the other alone.
    assert result.objective == pytest.approx(15.0)
    assert result.open.all()


def test_side_rows_hold() -> None:
    graph = Graph(2, [0, 0], [1, 1])
    rows = Rows(sp.csr_matrix([[0.0, 1.0]]), [1.5], [np.inf])
    problem = FlowProblem(graph, [0], [1], [5.0], [1.0, 4.0], rows=rows)
    result = design_network(problem, [2.0, 2.0])
    assert result.status == "optimal"
    assert result.arc_flow.tolist() == pytest.approx([3.5, 1.5])
    assert result.objective == pytest.approx(3.5 + 6.0 + 4.0)


def test_delay_makes_a_second_road_worth_its_price() -> None:
    graph = Graph(2, [0, 0], [1, 1])
    pools = Pools(sp.csr_matrix(np.eye(2)), [np.inf, np.inf])
    objective = {}
    for demand in (2.0, 6.0):
        problem = FlowProblem(
            graph, [0], [1], [demand], [1.0, 1.0], pools=pools, delay=SquareDelay()
        )
        objective[demand] = design_network(problem, [3.0, 3.0], tolerance=1e-6)
    # load**2 on one road: 2 + 4 + 3 = 9 beats 2 + 2 + 6; at 6 two roads: 6 + 18 + 6 beats 45.
    assert objective[2.0].objective == pytest.approx(9.0, rel=1e-5)
    assert objective[2.0].open.sum() == 1
    assert objective[6.0].objective == pytest.approx(30.0, rel=1e-5)
    assert objective[6.0].status == "optimal"


def richest(seed: int, *, delay: bool) -> tuple[FlowProblem, np.ndarray]:
    """Return a design problem with classes, pools, side rows, and delay where asked for."""
    base, fixed = random_design(seed, 5, 9, 4, unmet=True)
    fixed[np.flatnonzero(fixed)[4:]] = 0.0
    rng = np.random.default_rng(seed)
    matrix = sp.csr_matrix((rng.random((2, 18)) < 0.4) * rng.uniform(0.5, 2.0, (2, 18)))
    ceiling = 0.4 * base.demand.sum()
    picks = sp.csr_matrix((rng.random((1, 18)) < 0.3).astype(float))
    problem = dataclasses.replace(
        base,
        cost=rng.uniform(0, 5, (2, 9)),
        commodity_class=rng.integers(0, 2, 4),
        allowed=rng.random((2, 9)) < 0.9,
        pools=Pools(matrix, [np.inf, np.inf] if delay else [ceiling, 2 * ceiling]),
        delay=SquareDelay() if delay else None,
        rows=Rows(picks, [-np.inf], [ceiling], unmet=sp.csr_matrix([[0.1, 0.0, 0.2, 0.0]])),
    )
    return problem, fixed


@pytest.mark.parametrize("delay", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_classes_pools_rows_and_delay_are_the_best_of_all_subsets(seed: int, delay: bool) -> None:  # noqa: FBT001
    problem, fixed = richest(seed, delay=delay)
    paid = np.flatnonzero(fixed > 0)
    best = math.inf
    for choice in itertools.product([False, True], repeat=paid.size):
        is_open = fixed <= 0
        is_open[paid] = choice
        charge = float(fixed[is_open].sum())
        if charge < best:
            some = dataclasses.replace(problem, allowed=problem.allowed & is_open)
            flow = min_cost_flow(some, 1e-7)
            best = min(best, charge + (flow.objective if flow.status == "optimal" else math.inf))
    result = design_network(problem, fixed)
    assert result.status == "optimal"
    assert result.objective == pytest.approx(best, rel=1.1e-4)
    assert result.bound <= best * (1 + 1e-7)


def test_flow_in_circles_meets_no_side_row() -> None:
    # Arc 2 leads back to where paths begin: only a circle could use it.
    graph = Graph(2, [0, 0, 1], [1, 1, 0])
    floor = Rows(sp.csr_matrix([[0.0, 0.0, 1.0]]), [1.0], [np.inf])
    problem = FlowProblem(graph, [0], [1], [5.0], [1.0, 4.0, 0.0], rows=floor)
    assert min_cost_flow(problem).status == "infeasible"
    assert design_network(problem, [2.0, 2.0, 2.0]).status == "infeasible"


class SquareDelay:
    """Total delay load**2 in two pools."""

    n_pools = 2

    def value(self, load: np.ndarray) -> np.ndarray:
        return load**2

    def slope(self, load: np.ndarray) -> np.ndarray:
        return 2 * load


def test_a_start_is_used_and_no_harm() -> None:
    problem, fixed = random_design(5, 8, 40, 6)
    best = design_network(problem, fixed)
    again = design_network(problem, fixed, start=best.open)
    assert again.objective == pytest.approx(best.objective, rel=1e-9)
    nothing = design_network(problem, fixed, start=np.zeros(40, dtype=bool))
    assert nothing.objective == pytest.approx(best.objective, rel=1e-4)


def test_progress_only_ever_improves() -> None:
    problem, fixed = random_design(5, 8, 40, 6)
    told: list[tuple[float, float]] = []
    result = design_network(
        problem, fixed, progress=lambda objective, bound: told.append((objective, bound))
    )
    objectives, bounds = np.array(told).T
    assert (np.diff(objectives[np.isfinite(objectives)]) <= 1e-6 * result.objective).all()
    assert (np.diff(bounds) >= -1e-6 * result.objective).all()
    assert objectives[-1] == pytest.approx(result.objective, rel=1e-6)


def test_an_interrupt_leaves_a_valid_bound() -> None:
    problem, fixed = random_design(5, 12, 90, 14)
    best = design_network(problem, fixed)
    stop = threading.Event()
    stop.set()
    stopped = design_network(problem, fixed, interrupt=stop, start=np.ones(90, dtype=bool))
    assert (stopped.status, stopped.limit) == ("feasible", "interrupt")
    assert stopped.bound <= best.objective * (1 + 1e-9)
    assert stopped.objective >= best.bound * (1 - 1e-9)
    nothing = design_network(problem, fixed, interrupt=stop)
    assert nothing.status in ("unknown", "feasible")
    assert nothing.bound <= best.objective * (1 + 1e-9)


def test_a_time_limit_leaves_a_valid_bound() -> None:
    problem, fixed = random_design(5, 12, 90, 14)
    best = design_network(problem, fixed)
    stopped = design_network(problem, fixed, time_limit=1e-6, start=np.ones(90, dtype=bool))
    assert (stopped.status, stopped.limit) == ("feasible", "time")
    assert stopped.bound <= best.objective * (1 + 1e-9)
    assert stopped.objective >= best.bound * (1 - 1e-9)


@given(seed=st.integers(0, 10_000), arc=st.integers(0, 11), factor=st.floats(1.0, 5.0))
@settings(max_examples=20)
def test_more_capacity_never_costs_more(seed: int, arc: int, factor: float) -> None:
    problem, fixed = random_design(seed, 5, 12, 4, unmet=True)
    capacity = problem.capacity.copy()
    capacity[arc] *= factor
    wider = FlowProblem(
        problem.graph, problem.origin, problem.destination, problem.demand, problem.cost,
        capacity, unmet_cost=problem.unmet_cost,
    )  # fmt: skip
    before, after = design_network(problem, fixed), design_network(wider, fixed)
    assert after.bound <= before.objective * (1 + 1e-9)


@given(
    seed=st.integers(0, 10_000),
    money=st.floats(1e-3, 1e6),
    unit=st.floats(1e-3, 1e3),
)
@settings(max_examples=20)
def test_units_change_nothing(seed: int, money: float, unit: float) -> None:
    problem, fixed = random_design(seed, 5, 12, 4, unmet=True)
    scaled = FlowProblem(
        problem.graph, problem.origin, problem.destination, problem.demand * unit,
        problem.cost * money / unit, problem.capacity * unit,
        unmet_cost=problem.unmet_cost * money / unit,
    )  # fmt: skip
    before, after = design_network(problem, fixed), design_network(scaled, fixed * money)
    assert after.status == "optimal"
    assert after.objective == pytest.approx(before.objective * money, rel=1.1e-4)
