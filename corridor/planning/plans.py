"""The verb ``plan``: the best possible use of a network under capacities, queues and rules."""

import datetime as dt
from collections.abc import Sequence
from typing import Final, TypeAlias, TypedDict

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from corridor.arguments import check_names
from corridor.core.flows import FlowProblem, FlowResult, PathColumns, min_cost_flow
from corridor.errors import InputError
from corridor.network import Demand, Network
from corridor.planning.answer import FlowAnswer, evaluate, no_flow
from corridor.planning.borders.server_values import PRECISION, ServerQuestion
from corridor.planning.borders.tables import crossing_table
from corridor.planning.borders.workloads import workload_table
from corridor.planning.indicators import plan_indicators
from corridor.planning.model import Model, compile_model
from corridor.planning.reasons.compliance import compliance_table
from corridor.planning.reasons.obstacles import Obstacle, binding_bans, explain_unmet
from corridor.planning.results import Plan, Status
from corridor.planning.tables import (
    country_table,
    full_quotas,
    link_table,
    path_table,
    rule_table,
    unmet_table,
)
from corridor.sovereignty import Rules

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int32]

NextServers: TypeAlias = bool | Sequence[str]
UNMET_USD_PER_T: Final = 5000.0
"""Price of a tonne that is not served, unless the study has its own [USD/t]."""
_NEGLIGIBLE_T_PER_DAY: Final = 1e-6


def plan(
    network: Network,
    demand: Demand,
    rules: Rules | None = None,
    congestion: bool = True,  # noqa: FBT001, FBT002 (the contract's order)
    unmet_usd_per_t: float = UNMET_USD_PER_T,
    tolerance: float = 1e-6,
    time_limit: float | None = None,
    *,
    next_servers: NextServers = False,
) -> Plan:
    """Return the plan of least total cost: the best possible, not a forecast.

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
    next_servers
        Crossings whose next server is solved for (True: all), each at the stage that is tightest;
        a third of a second each on the bundled network. Without, its value is told only where
        bounds prove it.

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
        next_servers=next_servers,
    )


def solve_plan(
    model: Model,
    *,
    congestion: bool = True,
    unmet_usd_per_t: float = UNMET_USD_PER_T,
    tolerance: float = 1e-6,
    time_limit: float | None = None,
    next_servers: NextServers = False,
    threads: int | None = None,
) -> Plan:
    """Return the plan of a compiled model; see `plan`.

    Shortest paths are searched on `threads` threads; None takes all cores.
    """
    found, _ = plan_and_flow(
        model, congestion=congestion, unmet_usd_per_t=unmet_usd_per_t, tolerance=tolerance,
        time_limit=time_limit, next_servers=next_servers, threads=threads,
    )  # fmt: skip
    return found


def plan_and_flow(
    model: Model,
    *,
    congestion: bool,
    unmet_usd_per_t: float,
    tolerance: float,
    time_limit: float | None = None,
    next_servers: NextServers = False,
    threads: int | None = None,
) -> tuple[Plan, FlowResult | None]:
    """Return the plan of a compiled model, and the flow that it tells of; None where there is none.

    Parameters are those of `solve_plan`.
    """
    asked = asked_crossings(model, next_servers)
    if model.breaches:
        return no_plan(model, "infeasible", None, broken_rules(model)), None
    problem = model.flow_problem(congestion=congestion, unmet_usd_per_t=unmet_usd_per_t)
    result = min_cost_flow(problem, tolerance=tolerance, time_limit=time_limit, threads=threads)
    if result.status not in ("optimal", "feasible"):
        status: Status = "infeasible" if result.status == "infeasible" else "unknown"
        return no_plan(model, status, result.limit or None, set()), None
    answer = evaluate(model, problem, result, congestion=congestion)
    price = arc_prices(model, problem, answer)
    unmet = unmet_rows(answer)
    quotas = full_quotas(answer)
    worth = np.full(len(model.shipments), unmet_usd_per_t)
    obstacles = explain_unmet(model, problem.cost, price, unmet, worth, quotas)
    servers = None
    if asked != frozenset():
        again = _Again(result.columns, congestion=congestion, unmet_usd_per_t=unmet_usd_per_t)
        servers = ServerQuestion(crossings=asked, cost_usd_per_day=again)
    carried = float(result.objective - result.unmet_cost)
    tables = build_tables(
        answer, binding_bans(model, price), unmet, obstacles, carried, servers=servers
    )
    partial = result.status == "optimal" and unmet.size > 0
    found = Plan(
        status="partial" if partial else result.status,
        limit=result.limit or None,
        objective_usd_per_day=float(result.objective),
        gap=float(result.relative_gap),
        date=plan_date(model),
        served_t_per_day=float(answer.path_t_per_day.sum()),
        demand_t_per_day=float(model.t_per_day.sum()),
        assumptions=model.assumptions,
        **tables,
    )
    return found, result


class _Again:
    """Solves other models on the same graph, each from the paths of all before."""

    def __init__(self, columns: PathColumns, *, congestion: bool, unmet_usd_per_t: float) -> None:
        self._columns, self._congestion, self._unmet = columns, congestion, unmet_usd_per_t

    def __call__(self, model: Model) -> float:
        """Return the least cost of a model [USD/day], NaN where none was found."""
        problem = model.flow_problem(congestion=self._congestion, unmet_usd_per_t=self._unmet)
        result = min_cost_flow(problem, tolerance=PRECISION, columns=self._columns)
        self._columns = result.columns
        return float(result.objective)


def asked_crossings(model: Model, next_servers: NextServers) -> frozenset[str] | None:
    """Return the crossings whose next server is asked for, None for all.

    Raises
    ------
    InputError
        If it is no list, or one is unknown.
    """
    if isinstance(next_servers, bool):
        return None if next_servers else frozenset()
    check_names("next_servers", next_servers, "agarak-road", optional="True for all")
    known = set(model.network.crossings["crossing_id"])
    unknown = sorted(set(next_servers) - known)
    if unknown:
        msg = (
            f"next_servers must be ids of crossings; {len(unknown)} are not: "
            f"{', '.join(unknown[:5])}. Correct them."
        )
        raise InputError(msg)
    return frozenset(next_servers)


def arc_prices(model: Model, problem: FlowProblem, answer: FlowAnswer) -> FloatArray:
    """Return the price of every arc for every class at the solution [USD/t]."""
    surcharge = model.pools.pools.matrix.T @ np.maximum(answer.pool_load_price, 0.0)
    price = np.asarray(problem.cost + surcharge.reshape(problem.cost.shape))
    if model.rows.rows is None:
        return price
    # Where a row pays for flow, an arc's price may fall below 0; none is paid for passing.
    for_rows = model.rows.rows.matrix.T @ -answer.row_price
    return np.asarray(np.maximum(price + for_rows.reshape(problem.cost.shape), 0.0))


def unmet_rows(answer: FlowAnswer) -> IntArray:
    """Return the shipments that are not served, a solver's zeros left out."""
    least = np.maximum(_NEGLIGIBLE_T_PER_DAY, 1e-9 * answer.model.t_per_day)
    return np.flatnonzero(answer.unmet_t_per_day > least).astype(np.int32)


class _Tables(TypedDict):
    """The tables of a plan that come from its flow."""

    links: pd.DataFrame
    crossings: pd.DataFrame
    paths: pd.DataFrame
    rules: pd.DataFrame
    countries: pd.DataFrame
    unmet: pd.DataFrame
    compliance: pd.DataFrame
    stages: pd.DataFrame
    indicators: pd.DataFrame


def build_tables(
    answer: FlowAnswer,
    bans: set[str],
    unmet: IntArray,
    obstacles: list[Obstacle],
    carried_usd_per_day: float,
    *,
    best: bool = True,
    servers: ServerQuestion | None = None,
) -> _Tables:
    """Return the tables of an evaluated flow.

    Parameters
    ----------
    answer
        The flow.
    bans
        Bans that bind.
    unmet, obstacles
        Shipments that are not served, and what stops each, see `explain_unmet`.
    carried_usd_per_day
        As of `plan_indicators`.
    best, servers
        As of `crossing_table`.
    """
    paths = path_table(answer)
    crossings = crossing_table(answer, best=best, servers=servers)
    countries = country_table(answer, paths)
    left, rules = unmet_table(answer, unmet, obstacles), rule_table(answer, bans)
    return _Tables(
        links=link_table(answer),
        crossings=crossings,
        paths=paths,
        rules=rules,
        countries=countries,
        unmet=left,
        compliance=compliance_table(answer),
        stages=workload_table(answer),
        indicators=plan_indicators(
            answer, paths, crossings, countries, left, rules, carried_usd_per_day
        ),
    )


def plan_date(model: Model) -> dt.date | None:
    """Return the day whose works and rules a model holds."""
    return model.network.date or model.rules.date


def broken_rules(model: Model) -> set[str]:
    """Return the ids of the inspection floors that posts do not meet, and of the seals there."""
    return {b.rule_id for b in model.breaches} | {b.seal_id for b in model.breaches} - {""}


def no_plan(model: Model, status: Status, limit: str | None, broken: set[str]) -> Plan:
    """Return a plan without flow: empty tables, and in `unmet` the broken rules, if it is they."""
    rows = np.flatnonzero(model.t_per_day > 0.0).astype(np.int32)
    if not broken:
        rows = rows[:0]
    stopped = Obstacle("rule", tuple(sorted(broken)))
    tables = build_tables(no_flow(model), broken, rows, [stopped] * rows.size, float("nan"))
    for name in ("links", "crossings", "paths", "countries", "stages", "indicators"):
        tables[name] = tables[name].iloc[:0]
    return Plan(
        status=status,
        limit=limit,
        objective_usd_per_day=float("nan"),
        gap=float("nan"),
        date=plan_date(model),
        served_t_per_day=0.0,
        demand_t_per_day=float(model.t_per_day.sum()),
        assumptions=model.assumptions,
        **tables,
    )
