"""Plans against other methods: arc programs of the model and of the tables, convex envelopes."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse
from scipy.optimize import linprog

from corridor.core.flows import FlowProblem
from corridor.planning import Model, Plan, solve_plan
from tests.planning.worlds import draw_world, on_roads, with_rules
from tests.reference.table_program import Letter, least_cost, least_cost_by_ways

UNMET = 400.0
SEEDS = range(10)
GRID = 160


Lines = list[tuple[int, float, float]]
"""Pool, slope and value at load 0."""


def arc_program(model: Model, problem: FlowProblem, lines: Lines) -> float:
    """Return the optimum of the compiled model as an arc program, one variable a flow and arc.

    The delay of each pool is the highest of its lines.
    """
    graph, pools = problem.graph, problem.pools
    assert pools is not None
    n_flows, n_arcs, n_pools = len(model.t_per_day), graph.n_arcs, pools.n_pools
    arc = np.arange(n_arcs)
    incidence = sparse.csr_array(
        (np.concatenate((np.ones(n_arcs), -np.ones(n_arcs))),
         (np.concatenate((graph.tail, graph.head)), np.concatenate((arc, arc)))),
        shape=(graph.n_nodes, n_arcs),
    )  # fmt: skip
    ends = sparse.lil_array((n_flows * graph.n_nodes, n_flows))
    supply = np.zeros((n_flows, graph.n_nodes))
    for f, (a, b) in enumerate(zip(problem.origin, problem.destination, strict=True)):
        ends[f * graph.n_nodes + a, f], ends[f * graph.n_nodes + b, f] = 1.0, -1.0
        supply[f, a], supply[f, b] = problem.demand[f], -problem.demand[f]
    by_class = pools.matrix.tocsc()
    load = sparse.hstack(
        [by_class[:, k * n_arcs : (k + 1) * n_arcs] for k in problem.commodity_class]
    )
    # Columns: flows by arc, unmet, load of each pool, delay of each pool.
    conserve = sparse.hstack(
        [sparse.block_diag([incidence] * n_flows), ends,
         sparse.csr_array((n_flows * graph.n_nodes, 2 * n_pools))]
    )  # fmt: skip
    weigh = sparse.hstack(
        [load, sparse.csr_array((n_pools, n_flows)), -sparse.eye_array(n_pools),
         sparse.csr_array((n_pools, n_pools))]
    )  # fmt: skip
    first = n_flows * n_arcs + n_flows
    rows = np.arange(len(lines))
    pool, slope, at_zero = (np.array(column) for column in zip(*lines, strict=True))
    above = sparse.csr_array(
        (np.concatenate((slope, -np.ones(rows.size))),
         (np.concatenate((rows, rows)),
          np.concatenate((first + pool, first + n_pools + pool)).astype(int))),
        shape=(rows.size, first + 2 * n_pools),
    )  # fmt: skip
    open_arcs = problem.allowed[problem.commodity_class].ravel()
    cost = np.concatenate(
        (problem.cost[problem.commodity_class].ravel(), problem.unmet_cost, np.zeros(n_pools),
         np.ones(n_pools))
    )  # fmt: skip
    upper = np.concatenate(
        (np.where(open_arcs, np.inf, 0.0), np.full(n_flows, np.inf), pools.capacity,
         np.full(n_pools, np.inf))
    )  # fmt: skip
    answer = linprog(
        cost,
        A_ub=above,
        b_ub=-at_zero,
        A_eq=sparse.vstack([conserve, weigh]).tocsr(),
        b_eq=np.concatenate((supply.ravel(), np.zeros(n_pools))),
        bounds=np.column_stack((np.zeros(cost.size), upper)),
        method="highs",
    )
    assert answer.status == 0, answer.message
    return float(answer.fun)


def hinges(model: Model) -> Lines:
    """Return the exact lines of the prices of soft quotas."""
    overruns = model.pools.overruns
    flat = [(pool, 0.0, 0.0) for pool in range(overruns.n_pools)]
    priced = np.flatnonzero(overruns.price)
    return flat + [
        (int(p), float(overruns.price[p]), -float(overruns.price[p] * overruns.limit[p]))
        for p in priced
    ]


def envelopes(model: Model, problem: FlowProblem) -> tuple[Lines, Lines]:
    """Return tangents and chords of the queues on a fine grid, dense where the queue is long.

    The program with the tangents is an optimum from below, the one with the chords from above.
    """
    assert problem.pools is not None
    queues, n = model.pools.queues, model.posts.n_pools
    most = np.zeros(queues.n_pools)
    most[:n] = np.maximum(problem.pools.capacity[:n], 1e-6)
    points = [(1.0 - (1.0 - u) ** 2) * most for u in np.linspace(0.0, 1.0, GRID)]
    values = [queues.value(load) for load in points]
    slopes = [queues.slope(load) for load in points]
    below, above = hinges(model), hinges(model)
    for pool in range(n):
        for load, value, slope in zip(points, values, slopes, strict=True):
            below.append((pool, slope[pool], value[pool] - slope[pool] * load[pool]))
        for i in range(GRID - 1):
            rise = values[i + 1][pool] - values[i][pool]
            chord = rise / (points[i + 1][pool] - points[i][pool])
            above.append((pool, chord, values[i][pool] - chord * points[i][pool]))
    return below, above


@pytest.mark.parametrize("seed", SEEDS)
def test_without_congestion_a_plan_is_the_programs_optimum(seed: int) -> None:
    world = draw_world(seed)
    model = world.model()
    plan = solve_plan(model, congestion=False, unmet_usd_per_t=UNMET, tolerance=1e-9)
    problem = model.flow_problem(congestion=False, unmet_usd_per_t=UNMET)
    assert plan.status in ("optimal", "partial")
    compiled = arc_program(model, problem, hinges(model))
    assert plan.objective_usd_per_day == pytest.approx(compiled, rel=1e-9)
    # ... and of a program that never saw the compiled model.
    assert plan.objective_usd_per_day == pytest.approx(least_cost(world, UNMET), rel=1e-9)


KINDS = ("share_cap", "reciprocity", "quota", "forbid")
FEW_WAYS = (
    105, 107, 109, 112, 113, 114, 116, 120, 121, 125, 126, 129, 134, 135, 142, 147, 152, 157, 160,
    161, 165, 169,
)  # fmt: skip
"""Worlds of at most 2,300 ways a flow."""


@pytest.mark.parametrize("seed", FEW_WAYS)
def test_rules_on_quantities_against_the_program_of_the_tables(seed: int) -> None:
    """Shares, bands and floors, their rows written by hand from the rules alone."""
    world = with_rules(on_roads(draw_world(seed)), seed, KINDS, 3)
    expected = least_cost_by_ways(world, UNMET)
    plan = solve_plan(world.model(), congestion=False, unmet_usd_per_t=UNMET, tolerance=1e-9)
    if np.isinf(expected):
        assert plan.status == "infeasible"
        return
    assert plan.status in ("optimal", "partial")
    assert plan.objective_usd_per_day == pytest.approx(expected, rel=1e-8)
    assert "broken" not in set(plan.compliance["verdict"])


@pytest.mark.parametrize("seed", range(100, 108))
def test_ways_and_moves_make_one_program_where_nothing_pays_for_flow(seed: int) -> None:
    world = with_rules(on_roads(draw_world(seed)), seed, ("share_cap", "quota", "fee", "forbid"))
    assert least_cost_by_ways(world, UNMET) == pytest.approx(least_cost(world, UNMET), rel=1e-9)


def test_the_worlds_try_every_part_of_the_rules_on_quantities() -> None:
    tried: set[str] = set()
    for seed in FEW_WAYS:
        model = with_rules(on_roads(draw_world(seed)), seed, KINDS, 3).model()
        plan = solve_plan(model, congestion=False, unmet_usd_per_t=UNMET, tolerance=1e-9)
        tried |= {plan.status, *plan.rules.loc[plan.rules["price"] > 1e-6, "kind"]}
    assert tried >= {"infeasible", "partial", "share_cap", "reciprocity", "quota"}


def test_the_price_of_a_share_is_what_a_tonne_more_of_it_saves() -> None:
    """Of every binding share: its price against the program with a little more of it."""
    tried = 0
    for seed in range(100, 115):
        world = draw_world(seed, kinds=("share_cap",))
        plan = solve_plan(world.model(), congestion=False, unmet_usd_per_t=UNMET, tolerance=1e-10)
        letter = Letter(world)
        for position, row in enumerate(plan.rules.to_dict("records")):
            rule = world.rules[position]
            served = served_t_per_day(letter, rule, plan)
            if row["price"] < 1e-6 or served < 1.0:
                continue
            step = 1e-6
            more = {**rule, "share": rule["share"] + step}
            rules = [*world.rules[:position], more, *world.rules[position + 1 :]]
            eased = least_cost(replace(world, rules=rules), UNMET)
            saved = (plan.objective_usd_per_day - eased) / (step * served)
            # At a kink of the cost the price lies on one of its sides.
            assert saved <= row["price"] * 1.01 + 1e-3
            tried += saved == pytest.approx(row["price"], rel=1e-2)
    assert tried >= 5


def served_t_per_day(letter: Letter, rule: dict[str, object], plan: Plan) -> float:
    """Return the served demand of a rule's shipments."""
    columns = (plan.unmet[name] for name in ("origin", "destination", "commodity", "t_per_day"))
    left = {(a, b, c): t for a, b, c, t in zip(*columns, strict=True)}
    flows = [flow for _, flow in letter.flows.iterrows() if letter.speaks_of(rule, flow)]
    ends = ("origin", "destination", "commodity")
    return float(sum(f["t_per_day"] - left.get(tuple(f[e] for e in ends), 0.0) for f in flows))


def test_the_worlds_try_what_matters() -> None:
    """Capacities, borders, terminals and every kind of rule bind somewhere in the worlds."""
    tried: set[str] = set()
    for seed in SEEDS:
        model = draw_world(seed).model()
        plan = solve_plan(model, congestion=False, unmet_usd_per_t=UNMET, tolerance=1e-9)
        binding = plan.rules[plan.rules["binding"].astype(bool)]
        tried |= set(binding["kind"]) | set(plan.unmet["reason"]) | {plan.status}
        if (plan.links["shadow_price_usd_per_t"] > 0).any():
            tried.add("link")
        if (plan.crossings["capacity_price_usd_per_vehicle"] > 0).any():
            tried.add("post")
        if (plan.paths["terminal_h"] > 0).any():
            tried.add("terminal")
        if model.fee_usd_per_t.any():
            tried.add("fee")
    assert tried >= {
        "forbid", "quota", "fee", "link", "post", "terminal", "capacity", "optimal", "partial",
    }  # fmt: skip


@pytest.mark.parametrize("seed", [3, 6, 9, 12])
def test_with_congestion_a_plan_lies_between_fine_envelopes(seed: int) -> None:
    model = draw_world(seed).model()
    plan = solve_plan(model, unmet_usd_per_t=UNMET, tolerance=1e-7)
    problem = model.flow_problem(congestion=True, unmet_usd_per_t=UNMET)
    below, above = (arc_program(model, problem, lines) for lines in envelopes(model, problem))
    assert below <= above
    assert above / below - 1 < 2e-5
    assert below * (1 - 1e-7) <= plan.objective_usd_per_day <= above * (1 + 1e-7)
    assert plan.gap <= 1e-7
    # The queues are not a trifle: their cost is many times what the envelopes leave open.
    queues = plan.indicators.set_index("indicator").loc["queue_cost", "value"] * 1e6 / 365
    assert queues > 5e-3 * plan.objective_usd_per_day
