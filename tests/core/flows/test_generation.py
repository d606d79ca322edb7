"""`min_cost_flow` against the arc-form program, closed forms and its own statuses."""

import dataclasses
import math
from collections.abc import Callable

import numpy as np
import pytest
import scipy.optimize
import scipy.sparse as sp

from corridor.core.flows import (
    FlowProblem,
    HingeDelay,
    PathColumns,
    Pools,
    Rows,
    SumDelay,
    min_cost_flow,
)
from corridor.core.graph import Graph
from corridor.core.queues import QueueDelay
from corridor.errors import InputError

Make = Callable[..., FlowProblem]
Oracle = Callable[[FlowProblem], scipy.optimize.OptimizeResult]

TWO_LINKS = Graph(2, [0, 0], [1, 1])


class Congestion:
    """Total delay ``rate * load**2 / capacity``: the mean delay rises linearly."""

    def __init__(self, rate: list[float], capacity: list[float]) -> None:
        self.rate, self.capacity = np.array(rate), np.array(capacity)

    @property
    def n_pools(self) -> int:
        return self.rate.size

    def value(self, load: np.ndarray) -> np.ndarray:
        return self.rate * load**2 / self.capacity

    def slope(self, load: np.ndarray) -> np.ndarray:
        return 2 * self.rate * load / self.capacity


# -- against the arc-form linear program ------------------------------------------------------


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("extra", [{}, {"rows": True}], ids=["plain", "rows"])
def test_equals_arc_program(
    seed: int, extra: dict[str, bool], make_problem: Make, oracle: Oracle
) -> None:
    problem = make_problem(seed, **extra)
    result = min_cost_flow(problem)
    assert result.status == "optimal"
    assert result.objective == pytest.approx(oracle(problem).fun, rel=1e-9)
    assert result.relative_gap <= 1e-9


@pytest.mark.parametrize("seed", range(20))
def test_equals_arc_program_when_all_must_be_carried(
    seed: int, make_problem: Make, oracle: Oracle
) -> None:
    problem = make_problem(seed, unmet=False)
    result, exact = min_cost_flow(problem), oracle(problem)
    assert result.status == ("optimal" if exact.status == 0 else "infeasible")
    if exact.status == 0:
        assert result.objective == pytest.approx(exact.fun, rel=1e-9)
        assert not result.unmet.any()
    else:
        assert math.isnan(result.objective)
        assert not result.arc_flow.any()


def test_both_outcomes_occur_when_all_must_be_carried(make_problem: Make, oracle: Oracle) -> None:
    found = {oracle(make_problem(seed, unmet=False)).status for seed in range(20)}
    assert found == {0, 2}


@pytest.mark.parametrize("seed", range(10))
def test_prices_have_the_right_sign_and_strong_duality_holds(seed: int, make_problem: Make) -> None:
    problem = make_problem(seed, rows=True)
    result = min_cost_flow(problem)
    assert problem.capacity is not None
    assert problem.pools is not None
    assert problem.rows is not None
    assert (result.capacity_price >= 0).all()
    assert (result.pool_price >= 0).all()
    assert (result.row_price <= 1e-9).all()  # more room never costs more
    assert (result.demand_price <= problem.unmet_cost + 1e-7).all()
    arcs, pools = np.isfinite(problem.capacity), np.isfinite(problem.pools.capacity)
    dual = (
        problem.demand @ result.demand_price
        - problem.capacity[arcs] @ result.capacity_price[arcs]
        - problem.pools.capacity[pools] @ result.pool_price[pools]
        + problem.rows.upper @ result.row_price
    )
    assert dual == pytest.approx(result.objective, rel=1e-7)


@pytest.mark.parametrize("seed", range(4))
def test_price_is_what_more_capacity_saves(seed: int, make_problem: Make) -> None:
    problem = make_problem(seed)
    assert problem.pools is not None
    base = min_cost_flow(problem)
    step = 1e-5
    for pool in np.flatnonzero(base.pool_price > 1e-6):
        more = problem.pools.capacity.copy()
        more[pool] += step
        other = min_cost_flow(dataclasses.replace(problem, pools=Pools(problem.pools.matrix, more)))
        saved = (base.objective - other.objective) / step
        assert saved == pytest.approx(base.pool_price[pool], rel=1e-3, abs=1e-3)


@pytest.mark.slow  # the oracle takes minutes with the oldest SciPy
@pytest.mark.parametrize("seed", range(6))
def test_convex_delay_equals_a_fine_grid(seed: int, make_problem: Make, oracle: Oracle) -> None:
    delay = SumDelay(
        (Congestion([1.0, 3.0, 0.0, 8.0], [5.0, 9.0, 1.0, 4.0]), HingeDelay([3.0] * 4, [2.0] * 4))
    )
    problem = make_problem(seed, delay=delay)
    result = min_cost_flow(problem, tolerance=1e-8)
    exact = oracle(problem).fun
    assert result.status == "optimal"
    assert result.objective == pytest.approx(exact, rel=1e-4)
    assert result.bound <= exact * (1 + 1e-9)


@pytest.mark.slow  # as above
def test_queue_delay_equals_a_fine_grid(make_problem: Make, oracle: Oracle) -> None:
    ones = np.ones(4)
    queues = QueueDelay(
        n_pools=4, pool=np.arange(4), share=ones, servers=np.array([1, 2, 3, 1]),
        service_h=np.array([0.9, 1.8, 2.7, 0.9]), arrival_scv=ones, service_scv=0.5 * ones,
        open_h_per_day=24 * ones, usd_per_vehicle_h=6 * ones, base_load=ones,
    )  # fmt: skip
    problem = make_problem(2, delay=queues)
    result = min_cost_flow(problem, tolerance=1e-7)
    assert result.status == "optimal"
    assert result.delay_cost > 0
    assert result.objective == pytest.approx(oracle(problem).fun, rel=1e-4)


# -- closed forms -----------------------------------------------------------------------------


def test_two_links_with_linear_mean_delay() -> None:
    # Costs 1 and 4 plus mean delay v and v/2: marginal costs 1 + 2v = 4 + (10 - v) at v = 13/3.
    pools = Pools(sp.identity(2, format="csr"), [np.inf, np.inf])
    delay = Congestion([1.0, 1.0], [1.0, 2.0])
    problem = FlowProblem(TWO_LINKS, [0], [1], [10.0], [1.0, 4.0], pools=pools, delay=delay)
    result = min_cost_flow(problem, tolerance=1e-10)
    v = 13 / 3
    assert result.status == "optimal"
    assert result.objective == pytest.approx(v + 4 * (10 - v) + v**2 + (10 - v) ** 2 / 2, rel=1e-9)
    np.testing.assert_allclose(result.arc_flow, [v, 10 - v], rtol=1e-4)
    np.testing.assert_allclose(result.pool_delay_slope, [2 * v, 10 - v], rtol=1e-4)
    assert result.demand_price[0] == pytest.approx(1 + 2 * v, rel=1e-4)


def test_pool_price_leaves_the_delay_out() -> None:
    # The cheap link holds 3; its marginal cost there is 1 + 6 = 7, the other's 4 + 7 = 11.
    pools = Pools(sp.identity(2, format="csr"), [3.0, np.inf])
    delay = Congestion([1.0, 1.0], [1.0, 2.0])
    problem = FlowProblem(TWO_LINKS, [0], [1], [10.0], [1.0, 4.0], pools=pools, delay=delay)
    result = min_cost_flow(problem, tolerance=1e-10)
    np.testing.assert_allclose(result.arc_flow, [3, 7], rtol=1e-9)
    np.testing.assert_allclose(result.pool_price, [4, 0], rtol=1e-3, atol=1e-3)


def test_soft_quota_is_exceeded_only_when_it_pays() -> None:
    pools = Pools(sp.csr_matrix([[1.0, 0.0]]), [np.inf])
    for price, over in ((1.0, 6.0), (3.0, 0.0)):
        problem = FlowProblem(
            TWO_LINKS, [0], [1], [10.0], [1.0, 3.0], pools=pools, delay=HingeDelay([4.0], [price])
        )
        result = min_cost_flow(problem)
        assert result.status == "optimal"
        assert result.arc_flow[0] == pytest.approx(4.0 + over)
        # One unit more under the quota saves what the detour costs, at most the fee.
        assert result.pool_load_price[0] == pytest.approx(min(price, 2.0))


def test_unmet_demand_is_a_price() -> None:
    problem = FlowProblem(TWO_LINKS, [0], [1], [10.0], [1.0, 3.0], [4.0, 5.0], unmet_cost=2.0)
    result = min_cost_flow(problem)
    # Staying at home (2) beats the dear link (3).
    np.testing.assert_allclose(result.arc_flow, [4, 0], atol=1e-12)
    assert result.unmet[0] == pytest.approx(6.0)
    assert result.objective == pytest.approx(4 + 12)
    assert (result.flow_cost, result.unmet_cost) == (pytest.approx(4), pytest.approx(12))


# -- edges and statuses -----------------------------------------------------------------------


def test_origin_equal_to_destination_costs_nothing() -> None:
    result = min_cost_flow(FlowProblem(TWO_LINKS, [1], [1], [10.0], [1.0, 3.0]))
    assert (result.status, result.objective) == ("optimal", 0.0)
    assert [path.size for path in result.path_arcs] == [0]
    assert result.path_flow.tolist() == [10.0]
    assert not result.unmet.any()


def test_unreachable_demand_is_unmet_or_infeasible() -> None:
    arguments = (TWO_LINKS, [1, 0], [0, 1], [10.0, 2.0], [1.0, 3.0])
    result = min_cost_flow(FlowProblem(*arguments, unmet_cost=5.0))
    assert result.status == "optimal"
    np.testing.assert_allclose(result.unmet, [10, 0])
    assert result.objective == pytest.approx(52)
    assert min_cost_flow(FlowProblem(*arguments)).status == "infeasible"


def test_closed_arcs_carry_nothing() -> None:
    by_mask = FlowProblem(TWO_LINKS, [0], [1], [2.0], [1.0, 3.0], allowed=[False, True])
    by_cost = FlowProblem(TWO_LINKS, [0], [1], [2.0], [np.inf, 3.0])
    for problem in (by_mask, by_cost):
        result = min_cost_flow(problem)
        np.testing.assert_allclose(result.arc_flow, [0, 2])
        assert result.objective == pytest.approx(6)


def test_capacity_below_demand_is_infeasible() -> None:
    result = min_cost_flow(FlowProblem(TWO_LINKS, [0], [1], [9.1], [1.0, 3.0], [4.0, 5.0]))
    assert (result.status, result.limit) == ("infeasible", "")
    assert math.isnan(result.objective)
    assert math.isinf(result.bound)
    assert len(result.path_arcs) == 0


def test_dear_detour_is_found_though_it_costs_more_than_the_first_penalty() -> None:
    problem = FlowProblem(TWO_LINKS, [0], [1], [9.0], [1.0, 3e6], [4.0, 5.0])
    result = min_cost_flow(problem)
    assert result.status == "optimal"
    assert result.objective == pytest.approx(4 + 15e6)


def test_zero_capacity_and_zero_demand() -> None:
    problem = FlowProblem(TWO_LINKS, [0, 0], [1, 1], [2.0, 0.0], [1.0, 3.0], [0.0, 9.0])
    result = min_cost_flow(problem)
    assert result.objective == pytest.approx(6)
    assert result.capacity_price[0] == pytest.approx(2)
    assert result.path_commodity.tolist() == [0]


def test_nothing_to_carry() -> None:
    result = min_cost_flow(FlowProblem(TWO_LINKS, [], [], [], [1.0, 3.0], [1.0, 1.0]))
    assert (result.status, result.objective, result.relative_gap) == ("optimal", 0.0, 0.0)


def test_contradicting_side_rows_are_infeasible() -> None:
    rows = Rows(sp.csr_matrix([[1.0, 0.0], [0.0, 1.0]]), [-np.inf, -np.inf], [2.0, 1.0])
    problem = FlowProblem(TWO_LINKS, [0], [1], [4.0], [1.0, 3.0], rows=rows)
    result = min_cost_flow(problem)
    assert (result.status, result.bound) == ("infeasible", math.inf)
    assert min_cost_flow(dataclasses.replace(problem, unmet_cost=50.0)).unmet.sum() == (
        pytest.approx(1.0)
    )


def test_floor_that_pays_less_than_the_arc_costs_is_met() -> None:
    # At least 3 on the dear link: each costs 2 more.
    rows = Rows(sp.csr_matrix([[0.0, 1.0]]), [3.0], [np.inf])
    result = min_cost_flow(FlowProblem(TWO_LINKS, [0], [1], [10.0], [1.0, 3.0], rows=rows))
    np.testing.assert_allclose(result.arc_flow, [7, 3])
    assert result.row_price[0] == pytest.approx(2)


def test_floor_is_met_by_a_dear_path_over_a_cheap_arc() -> None:
    # Path 0-1-3 must carry 1 though 0-2-3 is 98 cheaper: arc 0 alone is paid 98 and costs 1.
    graph = Graph(4, [0, 1, 0, 2], [1, 3, 2, 3])
    rows = Rows(sp.csr_matrix([[1.0, 0.0, 0.0, 0.0]]), [1.0], [np.inf])
    problem = FlowProblem(graph, [0], [3], [2.0], [1.0, 99.0, 1.0, 1.0], rows=rows)
    result = min_cost_flow(problem)
    assert (result.status, result.objective) == ("optimal", pytest.approx(102))
    assert result.row_price[0] == pytest.approx(98)


@pytest.mark.parametrize("limit", [1e-6, 0.05])
def test_time_limit_is_a_status(limit: float) -> None:
    rng = np.random.default_rng(0)
    side = 30
    nodes = np.arange(side * side).reshape(side, side)
    tail = np.r_[nodes[:, :-1].ravel(), nodes[:-1].ravel(), nodes[:, 1:].ravel(), nodes[1:].ravel()]
    head = np.r_[nodes[:, 1:].ravel(), nodes[1:].ravel(), nodes[:, :-1].ravel(), nodes[:-1].ravel()]
    ends = rng.integers(0, side * side, (2, 300))
    problem = FlowProblem(
        Graph(side * side, tail, head), ends[0], ends[1], rng.uniform(1, 9, 300),
        rng.uniform(1, 9, tail.size), np.full(tail.size, 25.0), unmet_cost=500.0,
    )  # fmt: skip
    result = min_cost_flow(problem, time_limit=limit)
    assert result.status in ("feasible", "unknown")
    assert result.limit == "time"
    assert result.seconds < 5


def test_result_does_not_depend_on_threads_or_repetition(make_problem: Make) -> None:
    problem = make_problem(1, delay=Congestion([1.0] * 4, [5.0] * 4))
    first, *others = (min_cost_flow(problem, 1e-7, threads=threads) for threads in (1, 1, 2))
    for other in others:
        np.testing.assert_array_equal(first.path_flow, other.path_flow)
        np.testing.assert_array_equal(first.pool_price, other.pool_price)
        assert first.objective == other.objective


def test_warm_columns_change_rounds_only(make_problem: Make) -> None:
    problem = make_problem(3)
    cold = min_cost_flow(problem)
    warm = min_cost_flow(problem, columns=cold.columns)
    assert warm.objective == pytest.approx(cold.objective, rel=1e-12)
    assert warm.rounds < cold.rounds
    closed = np.ones(problem.graph.n_arcs, dtype=bool)
    closed[cold.path_arcs[0][0]] = False
    other = dataclasses.replace(problem, allowed=closed)
    again = min_cost_flow(other, columns=cold.columns)
    assert again.objective == pytest.approx(min_cost_flow(other).objective, rel=1e-9)


@pytest.mark.parametrize(
    ("commodity", "arcs", "message"),
    [
        (0, [0, 1], "must lead from the origin"),
        (3, [0], "same commodities"),
        (0, [7], "same graph"),
        (-1, [0], "same commodities"),
    ],
)
def test_foreign_columns_are_refused(commodity: int, arcs: list[int], message: str) -> None:
    columns = PathColumns(
        commodity=np.array([commodity]),
        indptr=np.array([0, len(arcs)]),
        arcs=np.array(arcs, dtype=np.int32),
    )
    problem = FlowProblem(TWO_LINKS, [0], [1], [2.0], [1.0, 3.0])
    with pytest.raises(InputError, match=message):
        min_cost_flow(problem, columns=columns)


@pytest.mark.parametrize(
    ("tolerance", "limit", "message"),
    [(-1.0, None, "tolerance"), (math.nan, None, "tolerance"), (1e-6, 0.0, "time_limit")],
)
def test_wrong_arguments_are_refused(tolerance: float, limit: float | None, message: str) -> None:
    problem = FlowProblem(TWO_LINKS, [0], [1], [2.0], [1.0, 3.0])
    with pytest.raises(InputError, match=message):
        min_cost_flow(problem, tolerance, limit)
