"""The verb ``plan``: the best possible use of a network under capacities, queues and rules."""

import datetime as dt
from typing import cast

import numpy as np
import pandas as pd

from corridor.core.flows import FlowProblem, FlowResult, min_cost_flow
from corridor.errors import InputError
from corridor.network import Demand, Network
from corridor.planning.answer import FlowAnswer, evaluate
from corridor.planning.indicators import plan_indicators
from corridor.planning.model import Model, compile_model
from corridor.planning.obstacles import Obstacles, find_obstacles
from corridor.planning.pools import QUOTA
from corridor.planning.results import Plan, Status
from corridor.planning.tables import (
    country_table,
    crossing_table,
    link_table,
    path_table,
    rule_table,
    unmet_table,
)
from corridor.sovereignty import Rules

UNMET_USD_PER_T = 5000.0


def plan(
    network: Network,
    demand: Demand,
    rules: Rules | None = None,
    congestion: bool = True,  # noqa: FBT001, FBT002 (the contract's order)
    unmet_usd_per_t: float = UNMET_USD_PER_T,
    tolerance: float = 1e-6,
    time_limit: float | None = None,
) -> Plan:
    """Return the plan of least total cost: the best possible, not a forecast of what shippers choose.

    Total cost is generalized cost of all shipments, the delay of all vehicles in the queues of the
    posts, and a price for every tonne that is not served. Queues are convex curves of total delay
    (vehicles x wait), valued at one rate per layer, so that the reported gap is a certificate.

    Parameters
    ----------
    network
        The network as of its date.
    demand
        Demand of one scenario.
    rules
        Rules as of their date; None is no rules.
    congestion
        True: queues grow with the flow. False: every queue stays as the background makes it (a
        linear program).
    unmet_usd_per_t
        Price of a tonne that is not served [USD/t], > 0.
    tolerance
        Relative gap at which the search stops, > 0.
    time_limit
        Seconds for the solver, or None.

    Returns
    -------
    Plan
        Status, flows, prices and reasons.

    Raises
    ------
    InputError
        If network, demand and rules do not fit each other.
    SolverError
        If the answer does not pass the independent checks.

    Examples
    --------
    >>> import corridor
    >>> case = corridor.load_study("crossroads").case("status_quo")
    >>> corridor.plan(*case).status
    'partial'
    """
    if not (np.isfinite(unmet_usd_per_t) and unmet_usd_per_t > 0):
        msg = f"unmet_usd_per_t must be a finite price > 0; found {unmet_usd_per_t}. 5000 is usual."
        raise InputError(msg)
    model = compile_model(network, demand, rules)
    return solve_plan(
        model,
        congestion=congestion,
        unmet_usd_per_t=unmet_usd_per_t,
        tolerance=tolerance,
        time_limit=time_limit,
    )


def solve_plan(
    model: Model,
    *,
    congestion: bool = True,
    unmet_usd_per_t: float = UNMET_USD_PER_T,
    tolerance: float = 1e-6,
    time_limit: float | None = None,
) -> Plan:
    """Return the plan of a compiled model; see `plan`."""
    if model.breaches:
        return _unlawful(model)
    problem = model.flow_problem(congestion=congestion, unmet_usd_per_t=unmet_usd_per_t)
    result = min_cost_flow(problem, tolerance=tolerance, time_limit=time_limit)
    if result.status in ("infeasible", "unbounded", "unknown"):
        return _without_flow(
            model, "unknown" if result.status == "unknown" else "infeasible", result.limit or None
        )
    answer = evaluate(model, problem, result, congestion=congestion)
    obstacles = find_obstacles(model, _arc_prices(model, problem, answer))
    return _tables(model, result, answer, obstacles)


def _arc_prices(
    model: Model, problem: FlowProblem, answer: FlowAnswer
) -> "np.ndarray[tuple[int, ...], np.dtype[np.float64]]":
    """Return the price of every arc for every class at the solution [USD/t], shape (n_classes, n_arcs)."""
    price = np.maximum(answer.pool_price + answer.pool_slope, 0.0)
    surcharge = model.pools.pools.matrix.T @ price
    return np.asarray(problem.cost + surcharge.reshape(problem.cost.shape))


def _tables(model: Model, result: FlowResult, answer: FlowAnswer, obstacles: Obstacles) -> Plan:
    paths = path_table(answer)
    rules = rule_table(answer, obstacles)
    hard_quotas = rules[(rules["kind"] == QUOTA) & rules["binding"]]["rule_id"].tolist()
    unmet = unmet_table(answer, obstacles, hard_quotas)
    status = cast(
        "Status", "partial" if result.status == "optimal" and len(unmet) else result.status
    )
    crossings, countries = crossing_table(answer), country_table(answer, paths)
    demand_t = float(model.t_per_day.sum())
    served_t = float(answer.path_t_per_day.sum())
    return Plan(
        status=status,
        limit=result.limit or None,
        objective_usd_per_day=float(result.objective),
        gap=float(result.relative_gap),
        date=_date(model),
        served_t_per_day=served_t,
        demand_t_per_day=demand_t,
        links=link_table(answer),
        crossings=crossings,
        paths=paths,
        rules=rules,
        countries=countries,
        unmet=unmet,
        assumptions=model.assumptions,
        indicators=plan_indicators(answer, paths, crossings, countries, unmet),
    )


def _date(model: Model) -> dt.date | None:
    return model.network.date or model.rules.date


def _unlawful(model: Model) -> Plan:
    """Return the plan that cannot be: an open post inspects less than its own state's floor."""
    return _without_flow(
        model, "infeasible", None, sorted({breach.rule_id for breach in model.breaches})
    )


def _without_flow(
    model: Model, status: Status, limit: str | None, rule_ids: list[str] | None = None
) -> Plan:
    broken = rule_ids or []
    goods = model.network.commodities["commodity_id"].to_numpy(object)
    shipments = model.shipments
    unmet = pd.DataFrame(
        {
            "origin": shipments.places[shipments.origin],
            "destination": shipments.places[shipments.destination],
            "commodity": goods[shipments.commodity],
            "t_per_day": model.t_per_day,
            "reason": "rule",
            "rules": ">".join(broken),
        }
    )
    rules = pd.DataFrame(
        [(r.id, r.kind, r.title, r.id in broken, np.nan, "") for r in model.rules.in_force],
        columns=["rule_id", "kind", "title", "binding", "price", "unit"],
    )
    empty = pd.DataFrame()
    return Plan(
        status=status, limit=limit, objective_usd_per_day=float("nan"), gap=float("nan"), date=_date(model),
        served_t_per_day=0.0, demand_t_per_day=float(model.t_per_day.sum()), links=empty, crossings=empty,
        paths=empty, rules=rules, countries=empty, unmet=unmet, assumptions=model.assumptions, indicators=empty,
    )  # fmt: skip
