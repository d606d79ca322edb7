"""The verb ``equilibrium``: where shippers' own choices lead, queues and full ways included."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Final, Literal, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from corridor.core.flows import (
    ChoiceResult,
    FlowProblem,
    FlowResult,
    PoolCharges,
    capacitated_equilibrium,
    consumer_surplus,
    logit_equilibrium,
)
from corridor.errors import InputError
from corridor.network import Demand, Network
from corridor.planning.answer import FlowAnswer, evaluate
from corridor.planning.borders.server_values import PRECISION, ServerQuestion
from corridor.planning.charges import ChoiceConstant, constant_costs, pool_charges
from corridor.planning.indicators import COLUMNS
from corridor.planning.model import Model, compile_model
from corridor.planning.plans import (
    UNMET_USD_PER_T,
    NextServers,
    asked_crossings,
    broken_rules,
    build_tables,
    no_plan,
    plan_date,
    unmet_rows,
)
from corridor.planning.reasons.obstacles import binding_bans, explain_unmet
from corridor.planning.results import Plan, Status
from corridor.planning.tables import full_quotas
from corridor.sovereignty import Rules
from corridor.units import DAYS_PER_YEAR

FloatArray: TypeAlias = NDArray[np.float64]
ChoiceModel: TypeAlias = Literal["deterministic", "logit"]

_M: Final = 1e6


def equilibrium(
    network: Network,
    demand: Demand,
    rules: Rules | None = None,
    model: ChoiceModel = "deterministic",
    dispersion_per_usd: float | None = None,
    elastic: bool = False,  # noqa: FBT001, FBT002 (the contract's order)
    tolerance: float = 1e-6,
    *,
    constants: Sequence[ChoiceConstant] = (),
    unmet_usd_per_t: float = UNMET_USD_PER_T,
    next_servers: NextServers = False,
) -> Plan:
    r"""Return the flow at which shippers' choices and the queues that they cause agree.

    Every shipper pays generalized cost at the own value of time. Queues at posts grow with all
    traffic; in front of a full post there is a queue beyond the model's, as long as it takes to
    turn the others away; room on full links, ships and terminals, and permits, have a price.
    Nobody pays for the time that others lose by one's own choice: therefore this is no optimum.

    Deterministic, all take a way that costs them least. Logit, ways with lower costs are taken
    more often, which stands for what the tables do not know; see
    `corridor.core.flows.logit_equilibrium` for the formula and
    `corridor.core.flows.ChoiceSet` for the ways there are to choose from.

    Parameters
    ----------
    network
        The network as of its date.
    demand
        Demand of one scenario.
    rules
        Rules as of their date; None is no rules.
    model
        ``deterministic`` or ``logit``.
    dispersion_per_usd
        Weight of a USD per tonne in the choice, > 0: for ``logit`` alone.
    elastic
        True: demand falls as its expected cost exceeds that on the empty network, by its
        elasticity, and `consumer_surplus` is an indicator (rule of half).
    tolerance
        Largest gap, > 0. Deterministic, the gap is what is spent above each shipper's cheapest way,
        over all that is spent; logit, the share of demand that would choose otherwise at the costs
        of this flow.
    constants
        Costs that shippers act on and no table states; the indicators leave them out.
    unmet_usd_per_t
        Cost at which a shipper stays at home [USD/t], > 0.
    next_servers
        Crossings whose next server is solved for (True: all): by how much the objective falls
        where all choose again with it there. That may be below 0. Not with elastic demand, whose
        cost grows with what it gains.

    Returns
    -------
    Plan
        As of `plan`. The objective is generalized cost as `plan` counts it, queues in front of full
        posts included, so that it is never below the optimum's. Prices of capacity are what users
        pay in front of full pools.

    Raises
    ------
    InputError
        If network, demand and rules do not fit each other, an argument is out of its range, or a
        rule has a floor or a band: no price that shippers pay makes them keep it.
    SolverError
        If the answer does not pass the independent checks.

    Examples
    --------
    >>> import corridor
    >>> case = corridor.load_study("crossroads").case("crossroads_full")
    >>> found = corridor.equilibrium(*case, "logit", 0.02, unmet_usd_per_t=20000.0)
    >>> found.status, found.gap < 1e-6
    ('optimal', True)
    """
    compiled = compile_model(network, demand, rules)
    return solve_equilibrium(
        compiled,
        model=model,
        dispersion_per_usd=dispersion_per_usd,
        elasticity=demand.rows["elasticity"].to_numpy(float) if elastic else None,
        tolerance=tolerance,
        constants=constants,
        unmet_usd_per_t=unmet_usd_per_t,
        next_servers=next_servers,
    )


def solve_equilibrium(
    compiled: Model,
    *,
    model: ChoiceModel = "deterministic",
    dispersion_per_usd: float | None = None,
    elasticity: FloatArray | None = None,
    tolerance: float = 1e-6,
    constants: Sequence[ChoiceConstant] = (),
    unmet_usd_per_t: float = UNMET_USD_PER_T,
    next_servers: NextServers = False,
    threads: int | None = None,
) -> Plan:
    """Return the equilibrium of a compiled model; see `equilibrium`.

    Parameters
    ----------
    compiled
        The model.
    model, dispersion_per_usd, tolerance, constants, unmet_usd_per_t, next_servers
        As of `equilibrium`.
    elasticity : ndarray of float64, shape (n_shipments,), optional
        Elasticity of each shipment's demand, <= 0; None leaves the demand as it is.
    threads
        Threads for shortest paths; None takes all cores.
    """
    _check(model, dispersion_per_usd, unmet_usd_per_t)
    _check_rows(compiled)
    asked = asked_crossings(compiled, next_servers)
    if asked != frozenset() and elasticity is not None:
        msg = "next_servers must be without elastic demand, which changes with each. Drop one."
        raise InputError(msg)
    if compiled.breaches:
        return no_plan(compiled, "infeasible", None, broken_rules(compiled))
    charges = pool_charges(compiled)
    result = assign(
        compiled, charges, dispersion_per_usd, constants, elasticity, tolerance, unmet_usd_per_t,
        threads,
    )  # fmt: skip
    if result.flow.status not in ("optimal", "feasible"):
        return no_plan(compiled, "unknown", result.flow.limit or None, set())
    moved = compiled if elasticity is None else replace(compiled, t_per_day=result.demand)
    problem = moved.flow_problem(congestion=True, unmet_usd_per_t=unmet_usd_per_t)
    price = _arc_prices(moved, problem, result, charges, constants)
    servers = None
    if asked != frozenset():
        again = partial(
            equilibrium_cost, dispersion_per_usd=dispersion_per_usd, constants=constants,
            tolerance=PRECISION, unmet_usd_per_t=unmet_usd_per_t,
        )  # fmt: skip
        servers = ServerQuestion(crossings=asked, cost_usd_per_day=again)
    return _plan(
        moved, problem, result, price, unmet_usd_per_t,
        elastic=elasticity is not None, servers=servers,
    )  # fmt: skip


def equilibrium_cost(
    compiled: Model,
    *,
    dispersion_per_usd: float | None,
    constants: Sequence[ChoiceConstant] = (),
    tolerance: float = 1e-6,
    unmet_usd_per_t: float = UNMET_USD_PER_T,
) -> float:
    """Return what an equilibrium costs as `plan` counts it, full posts' queues too [USD/day].

    Parameters
    ----------
    compiled, dispersion_per_usd, constants, tolerance, unmet_usd_per_t
        As of `assign`.

    Returns
    -------
    float
        NaN where there is no flow.
    """
    result = assign(
        compiled, pool_charges(compiled), dispersion_per_usd, constants,
        tolerance=tolerance, unmet_usd_per_t=unmet_usd_per_t,
    )  # fmt: skip
    problem = compiled.flow_problem(congestion=True, unmet_usd_per_t=unmet_usd_per_t)
    flow, posts = _measured(problem, result.flow), slice(0, compiled.posts.n_pools)
    return float(flow.objective) + float(flow.pool_price[posts] @ flow.pool_load[posts])


def assign(
    compiled: Model,
    charges: PoolCharges,
    dispersion_per_usd: float | None,
    constants: Sequence[ChoiceConstant] = (),
    elasticity: FloatArray | None = None,
    tolerance: float = 1e-6,
    unmet_usd_per_t: float = UNMET_USD_PER_T,
    threads: int | None = None,
) -> ChoiceResult:
    """Return the core's equilibrium of a model: logit at a dispersion, deterministic without."""
    problem = compiled.flow_problem(congestion=True, unmet_usd_per_t=unmet_usd_per_t)
    if constants:
        # What attracts can make an arc cost less than nothing; no way can be worth taking for it.
        cost = np.maximum(problem.cost + constant_costs(compiled, constants), 0.0)
        problem = replace(problem, cost=cost)
    length = compiled.supernetwork.arc_length_km
    if dispersion_per_usd is None:
        return capacitated_equilibrium(
            problem, charges,
            length=length, elasticity=elasticity, tolerance=tolerance, threads=threads,
        )  # fmt: skip
    return logit_equilibrium(
        problem, dispersion_per_usd, charges,
        length=length, elasticity=elasticity, tolerance=tolerance, threads=threads,
    )  # fmt: skip


def _plan(
    model: Model,
    problem: FlowProblem,
    result: ChoiceResult,
    price: FloatArray,
    unmet_usd_per_t: float,
    *,
    elastic: bool,
    servers: ServerQuestion | None,
) -> Plan:
    flow = _measured(problem, result.flow)
    answer = _with_overflow(evaluate(model, problem, flow, congestion=True), result)
    unmet = unmet_rows(answer)
    worth = np.full(len(model.shipments), unmet_usd_per_t)
    obstacles = explain_unmet(model, problem.cost, price, unmet, worth, full_quotas(answer))
    overflow = _overflow_usd_per_day(answer)
    carried = float(flow.objective - flow.unmet_cost) + overflow
    tables = build_tables(
        answer, binding_bans(model, price), unmet, obstacles, carried, best=False, servers=servers
    )
    more = [("overflow_cost", "musd_per_year", overflow * DAYS_PER_YEAR / _M, "", "", "")]
    if elastic:
        gain = _surplus_usd_per_day(result) * DAYS_PER_YEAR / _M
        more.append(("consumer_surplus", "musd_per_year", gain, "", "", ""))
    rows = pd.DataFrame(more, columns=COLUMNS)
    tables["indicators"] = pd.concat([tables["indicators"], rows], ignore_index=True)
    status: Status = "partial" if flow.status == "optimal" and unmet.size > 0 else "optimal"
    return Plan(
        status=status if flow.status == "optimal" else "feasible",
        limit=flow.limit or None,
        objective_usd_per_day=float(flow.objective) + overflow,
        gap=float(flow.relative_gap),
        date=plan_date(model),
        served_t_per_day=float(answer.path_t_per_day.sum()),
        demand_t_per_day=float(model.t_per_day.sum()),
        assumptions=model.assumptions,
        **tables,
    )


def _measured(problem: FlowProblem, flow: FlowResult) -> FlowResult:
    """Return the flow with the cost that a plan counts, without constants."""
    used = flow.class_flow > 0.0
    cost = float(np.broadcast_to(problem.cost, used.shape)[used] @ flow.class_flow[used])
    return replace(flow, flow_cost=cost, objective=cost + flow.delay_cost + flow.unmet_cost)


def _with_overflow(answer: FlowAnswer, result: ChoiceResult) -> FlowAnswer:
    """Return the answer with the waits in front of full posts."""
    posts = answer.model.posts
    over = np.zeros(posts.n_pools)
    over[:] = result.beyond[: posts.n_pools]
    hours = np.zeros(posts.fixed_h.shape)
    np.add.at(
        hours,
        posts.member_post,
        over[posts.member_pool, None] * posts.pool_users[posts.member_pool],
    )
    wait = answer.wait_h.copy()
    wait[:, posts.arc] += hours[:, :-1].T
    lost = float(answer.pool_price[: posts.n_pools] @ answer.pool_load[: posts.n_pools])
    return replace(answer, wait_h=wait, queue_usd_per_day=answer.queue_usd_per_day + lost)


def _overflow_usd_per_day(answer: FlowAnswer) -> float:
    """Return what is lost in front of full posts [USD/day]."""
    posts = slice(0, answer.model.posts.n_pools)
    return float(answer.pool_price[posts] @ answer.pool_load[posts])


def _arc_prices(
    model: Model,
    problem: FlowProblem,
    result: ChoiceResult,
    charges: PoolCharges,
    constants: Sequence[ChoiceConstant],
) -> FloatArray:
    """Return what every arc costs those of every class at the equilibrium [USD/t]."""
    price = np.asarray(problem.cost + constant_costs(model, constants))
    if charges.charge is not None:
        price = price + (charges.charge.T @ result.price).reshape(problem.cost.shape)
    if problem.rows is not None:
        for_rows = problem.rows.matrix.T @ -result.flow.row_price
        price = price + for_rows.reshape(problem.cost.shape)
    return np.asarray(np.maximum(price, 0.0))


def _surplus_usd_per_day(result: ChoiceResult) -> float:
    """Return what shippers lose against the empty network, by the rule of half [USD/day]."""
    free, now = result.free_cost, result.expected_cost
    known = np.isfinite(free) & np.isfinite(now)
    # Demand is that of the model on the empty network; logsums have no zero, only differences.
    least = np.minimum(free, now)[known]
    gain = consumer_surplus(
        result.reference_demand[known],
        free[known] - least,
        result.demand[known],
        now[known] - least,
    )
    return float(gain.sum())


def _check(model: str, dispersion_per_usd: float | None, unmet_usd_per_t: float) -> None:
    if model not in ("deterministic", "logit"):
        msg = f"model must be deterministic or logit; found {model!r}."
        raise InputError(msg)
    if (model == "logit") != (dispersion_per_usd is not None):
        what = f"{dispersion_per_usd!r} with model {model!r}"
        msg = (
            f"dispersion_per_usd belongs to the logit model, which needs it; found {what}. Give "
            "0.02, say, or another model."
        )
        raise InputError(msg)
    if not (np.isfinite(unmet_usd_per_t) and unmet_usd_per_t > 0):
        msg = f"unmet_usd_per_t must be a finite price > 0; found {unmet_usd_per_t}. 5000 is usual."
        raise InputError(msg)


def _check_rows(model: Model) -> None:
    """Refuse rules that no price which shippers pay makes them keep."""
    names = unpriced_rules(model)
    if names:
        msg = (
            "Rules of an equilibrium must be bans, caps, fees, regimes or rules on whole ways; "
            f"{', '.join(names)} asks for a floor or a balance, which no price that shippers pay "
            "makes them keep. Drop it, or ask for the optimum with plan."
        )
        raise InputError(msg)


def unpriced_rules(model: Model) -> list[str]:
    """Return the ids of the rules that no price which shippers pay makes them keep.

    A ban, a cap, a fee, a regime and a rule on whole ways can be kept by closing, or by selling the
    room there is. A floor on a flow, or a balance of two, would take a subsidy.
    """
    rows, table = model.rows.rows, model.rows.table
    if rows is None:
        return []
    bad = np.isfinite(rows.lower)
    for matrix in (rows.matrix, rows.unmet):
        if matrix is not None:
            least = matrix.min(axis=1).toarray().ravel()
            bad |= least < 0.0
    return [str(name) for name in dict.fromkeys(table["rule_id"].to_numpy(object)[bad])]
