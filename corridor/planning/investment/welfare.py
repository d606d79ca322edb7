"""The flow problem of a planner: resources and time count, what one pays another does not."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from corridor.core.flows import FlowProblem, FlowResult
from corridor.planning.answer import evaluate
from corridor.planning.model import Model
from corridor.planning.plans import arc_prices, build_tables, plan_date, unmet_rows
from corridor.planning.reasons.obstacles import binding_bans, explain_unmet
from corridor.planning.results import Plan
from corridor.planning.tables import full_quotas

FloatArray: TypeAlias = NDArray[np.float64]


def resource_cost(model: Model, *, with_wait: bool) -> FloatArray:
    """Return resource and time cost by class and arc [USD/t], shape (n_classes, n_arcs).

    Formula: tariff - the host's part + empties + value of time x hours + reliability x sd + fees
    that nobody receives. The host's part, fees of posts and fees of rules with a payee are
    transfers: they change who has the money, not how much there is.

    Parameters
    ----------
    model
        The compiled model.
    with_wait
        Whether the queue at background load is part of it.
    """
    costs = model.costs
    hours = costs.time_h + costs.wait_h if with_wait else costs.time_h
    by_commodity = (
        costs.tariff_usd_per_t
        - costs.host_usd_per_t
        + costs.empties_usd_per_t
        + costs.usd_per_t_h * hours
        + costs.reliability_usd_per_t_h * costs.sd_h
    )
    cost = np.array(by_commodity[model.classes.commodity])
    for fee in model.effects.fees:
        if fee.payee == "none":
            entries = fee.usd_per_t.tocoo()
            cost[entries.coords] += entries.data
    # A host may take all of a tariff: what is left is 0 but for rounding.
    return np.maximum(cost, 0.0)


def welfare_problem(model: Model, *, congestion: bool, unmet_usd_per_t: float) -> FlowProblem:
    """Return the flow problem of `Model.flow_problem` with resource and time cost alone."""
    net = model.supernetwork
    return FlowProblem(
        net.graph,
        net.source[model.shipments.origin],
        net.sink[model.shipments.destination],
        model.t_per_day,
        resource_cost(model, with_wait=not congestion),
        commodity_class=model.class_of,
        allowed=model.allowed,
        pools=model.pools.pools,
        delay=model.pools.delay if congestion else model.pools.overruns,
        rows=model.rows.rows,
        unmet_cost=np.full(len(model.shipments), unmet_usd_per_t),
    )


def welfare_plan(
    model: Model, problem: FlowProblem, result: FlowResult, *, congestion: bool
) -> Plan:
    """Return a solved `welfare_problem` as a plan; its objective counts resources and time alone.

    Parameters
    ----------
    model, problem, result
        The model, its welfare problem and a solution of that.
    congestion
        As in `welfare_problem`.
    """
    answer = evaluate(model, problem, result, congestion=congestion)
    unmet = unmet_rows(answer)
    price = arc_prices(model, problem, answer)
    worth = np.asarray(problem.unmet_cost)
    obstacles = explain_unmet(model, problem.cost, price, unmet, worth, full_quotas(answer))
    partial = result.status == "optimal" and unmet.size > 0
    return Plan(
        status="partial" if partial else "optimal" if result.status == "optimal" else "feasible",
        limit=result.limit or None,
        objective_usd_per_day=float(result.objective),
        gap=float(result.relative_gap),
        date=plan_date(model),
        served_t_per_day=float(answer.path_t_per_day.sum()),
        demand_t_per_day=float(model.t_per_day.sum()),
        assumptions=model.assumptions,
        **build_tables(
            answer,
            binding_bans(model, price),
            unmet,
            obstacles,
            float(result.objective - result.unmet_cost),
        ),
    )
