"""The verb ``invest``: which projects a budget should buy."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from corridor.errors import Fault, InputError
from corridor.network import Demand, Network
from corridor.planning.economics import capital_recovery_factor, check_rate, value_at_opening
from corridor.planning.plans import UNMET_USD_PER_T
from corridor.planning.portfolio_search import (
    MUSD_PER_YEAR,
    Found,
    Interrupt,
    PortfolioSearch,
    Progress,
)
from corridor.planning.portfolio_values import PortfolioValues, Value, affordable
from corridor.planning.projects import Project, closure, prerequisite_faults, read_projects
from corridor.planning.results import Plan
from corridor.planning.welfare import welfare_plan
from corridor.sovereignty import Rules

FloatArray: TypeAlias = NDArray[np.float64]
InvestmentStatus: TypeAlias = Literal["optimal", "feasible", "infeasible", "unknown"]

DISCOUNT_RATE: Final = 0.06
"""Real rate a year (World Bank 2016); the Asian Development Bank asks for 0.09."""
GAP: Final = 1e-6
"""Relative gap at which the search for a portfolio stops."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class InvestmentPlan:
    """What a budget should buy, and what it saves.

    Costs count resources and time; what one pays another (fees, a host's part of tariffs) is no
    cost. Unmet demand has its price in the choice, and is told apart from costs everywhere.

    Attributes
    ----------
    status
        ``optimal`` (gap within the tolerance), ``feasible`` (a limit stopped the search),
        ``infeasible`` (no portfolio is lawful) or ``unknown``.
    limit
        What stopped the search, ``time`` or ``interrupt``, or None.
    budget_musd
        The budget [MUSD]; inf is none.
    discount_rate
        Real rate a year, as a fraction.
    chosen
        Ids of the projects to build, in the order of the table.
    capex_musd
        What they cost to build [MUSD].
    objective_musd_per_year, bound_musd_per_year
        Capital, upkeep, use and the price of unmet demand, and the proved lower bound on that of
        every portfolio within the budget [MUSD/year].
    gap
        (objective - bound) / objective.
    solved
        Portfolios that were solved.
    projects
        A row per project: ``project_id, name, country, chosen, capex_musd, opex_musd_per_year,
        build_years, life_years, yearly_musd`` (capital and upkeep), ``saving_musd_per_year`` (what
        use and unmet demand would cost more without it and what requires it; NaN where it is not
        chosen) and ``reason`` (``chosen``, ``over budget``, ``not worth its cost or its room in the
        budget``).
    costs
        ``item, unit, before, after, change``: ``capital``, ``upkeep``, ``use`` (resources and time
        of all shipments), ``background`` (time of other vehicles at posts), their ``total``, and
        apart the price of ``unmet`` demand and ``unmet_demand`` in tonnes.
    base, plan
        Use of the network without projects and with the chosen ones; None where there is none.
    """

    status: InvestmentStatus
    limit: str | None
    budget_musd: float
    discount_rate: float
    chosen: tuple[str, ...]
    capex_musd: float
    objective_musd_per_year: float
    bound_musd_per_year: float
    gap: float
    solved: int
    projects: pd.DataFrame
    costs: pd.DataFrame
    base: Plan | None
    plan: Plan | None

    @property
    def sentences(self) -> tuple[str, ...]:
        """What to build and why, in words."""
        if self.status in ("infeasible", "unknown"):
            return (f"No portfolio was found that the rules allow: {self.status}.",)
        if not self.chosen:
            return (f"The budget buys nothing that pays: {_why_nothing(self)}",)
        saved = -float(self.costs.set_index("item")["change"]["total"])
        build = (
            f"Build {len(self.chosen)} of {len(self.projects)} projects for "
            f"{self.capex_musd:,.1f} MUSD: {', '.join(self.chosen)}."
        )
        more = self.objective_musd_per_year - self.bound_musd_per_year
        proof = (
            f"They save {saved:,.1f} MUSD a year after capital and upkeep; no portfolio saves "
            f"{more:,.3f} MUSD a year more (gap {self.gap:.1e})."
        )
        return build, proof

    def __repr__(self) -> str:
        built = ", ".join(self.chosen) or "nothing"
        cost = f"{self.objective_musd_per_year:,.2f} MUSD/year, gap {self.gap:.1e}"
        return f"InvestmentPlan({self.status}, build {built}, {cost})"


def invest(  # noqa: PLR0913 (a verb's options)
    network: Network,
    demand: Demand,
    rules: Rules | None = None,
    budget_musd: float | None = None,
    *,
    projects: Sequence[str] | None = None,
    discount_rate: float = DISCOUNT_RATE,
    congestion: bool = True,
    unmet_usd_per_t: float = UNMET_USD_PER_T,
    tolerance: float = GAP,
    time_limit: float | None = None,
    progress: Progress | None = None,
    interrupt: Interrupt | None = None,
) -> InvestmentPlan:
    """Return the portfolio of projects of least yearly cost, with the proof of how good it is.

    Yearly cost is capital (an annuity over the life, with interest while building), upkeep, use
    (resources and time of all shipments in the best possible plan, queues with the exact delay of
    their servers) and the price of unmet demand. Portfolios keep the budget, requirements and
    exclusive groups.

    Parameters
    ----------
    network
        The network without the projects; its table ``projects`` says what can be built.
    demand, rules
        As in `corridor.plan`.
    budget_musd
        Sum of capex, at most [MUSD], > 0; None is no limit.
    projects
        Ids of the projects that may be built; None is all.
    discount_rate
        Real rate a year, as a fraction.
    congestion, unmet_usd_per_t
        As in `corridor.plan`.
    tolerance
        Relative gap at which the search stops, > 0; plans are solved to a tenth of it.
    time_limit
        Seconds for the search, or None; the best found is returned.
    progress
        Told after each portfolio: portfolios solved, best cost and bound [MUSD/year].
    interrupt
        Asked before each portfolio; True stops the search with the best found, as Ctrl-C does.

    Returns
    -------
    InvestmentPlan
        The projects to build, the certificate, and what they save.

    Raises
    ------
    InputError
        If projects require each other in a circle or contradict themselves, an option is out of its
        range (all faults at once), or network, demand and rules do not fit each other.

    Notes
    -----
    See `corridor.planning.portfolio_search` for the method.

    Examples
    --------
    >>> import corridor
    >>> case = corridor.load_study("crossroads").case("status_quo")
    >>> plan = corridor.invest(*case, budget_musd=15, projects=["red_bridge_epermit"])
    >>> plan.status, plan.chosen
    ('optimal', ('red_bridge_epermit',))
    """
    began = time.perf_counter()
    _check_options(
        network, projects, budget_musd, discount_rate, unmet_usd_per_t, tolerance, time_limit
    )
    every = read_projects(network, projects)
    budget = np.inf if budget_musd is None else float(budget_musd)
    search = new_search(
        network, demand, rules, affordable(every, budget), discount_rate,
        congestion=congestion, unmet_usd_per_t=unmet_usd_per_t, plan_tolerance=0.1 * tolerance,
    )  # fmt: skip
    found = search.find(
        budget,
        tolerance=tolerance,
        deadline=None if time_limit is None else began + time_limit,
        progress=progress,
        interrupt=interrupt,
    )
    return describe(search, found, every, budget, discount_rate)


def new_search(
    network: Network,
    demand: Demand,
    rules: Rules | None,
    projects: tuple[Project, ...],
    discount_rate: float,
    *,
    congestion: bool,
    unmet_usd_per_t: float,
    plan_tolerance: float,
) -> PortfolioSearch:
    """Return a search over projects; see `invest`."""
    values = PortfolioValues(
        network=network,
        demand=demand,
        rules=rules,
        projects=projects,
        congestion=congestion,
        unmet_usd_per_t=unmet_usd_per_t,
        tolerance=plan_tolerance,
    )
    return PortfolioSearch(values=values, yearly_musd=yearly_costs(projects, discount_rate))


def yearly_costs(projects: Sequence[Project], discount_rate: float) -> FloatArray:
    """Return capital and upkeep of projects a year of use [MUSD/year], shape (n_projects,).

    Formula: capex x value at opening x capital recovery factor over the life + opex.
    """
    return np.array(
        [capital_musd_per_year(p, discount_rate) + p.opex_musd_per_year for p in projects]
    )


def capital_musd_per_year(project: Project, discount_rate: float) -> float:
    """Return the annuity of a project's capex with interest while building [MUSD/year]."""
    opened = project.capex_musd * value_at_opening(discount_rate, project.build_years)
    return opened * capital_recovery_factor(discount_rate, project.life_years)


def _check_options(
    network: Network,
    projects: Sequence[str] | None,
    budget_musd: float | None,
    discount_rate: float,
    unmet_usd_per_t: float,
    tolerance: float,
    time_limit: float | None,
) -> None:
    """Report everything that is wrong with the projects and the options at once."""
    faults = prerequisite_faults(network.projects, projects)
    for name, value, optional in (
        ("budget_musd", budget_musd, True),
        ("unmet_usd_per_t", unmet_usd_per_t, False),
        ("tolerance", tolerance, False),
        ("time_limit", time_limit, True),
    ):
        if (optional and value is None) or (value is not None and 0.0 < value < np.inf):
            continue
        advice = "leave it out for no limit" if optional else "leave it out for the usual value"
        faults.append(
            Fault(file="invest", column=name, found=repr(value), expected="a finite number > 0",
                  remedy=advice)
        )  # fmt: skip
    try:
        check_rate("discount_rate", discount_rate)
    except InputError:
        faults.append(
            Fault(file="invest", column="discount_rate", found=repr(discount_rate),
                  expected="a rate a year as a fraction, 0 <= rate < 1", remedy="0.06 is 6 %")
        )  # fmt: skip
    if faults:
        subject = "The investment"
        raise InputError.from_faults(subject, faults)


def describe(
    search: PortfolioSearch,
    found: Found,
    every: Sequence[Project],
    budget_musd: float,
    discount_rate: float,
) -> InvestmentPlan:
    """Return a search's answer with its tables and plans."""
    value = found.value
    before = search.values.solve(())
    chosen = () if value is None else tuple(p.id for p in every if p.id in value.projects)
    status: InvestmentStatus = "optimal" if not found.limit else "feasible"
    if value is None:
        status = "unknown" if found.limit else "infeasible"
    return InvestmentPlan(
        status=status,
        limit=found.limit or None,
        budget_musd=budget_musd,
        discount_rate=discount_rate,
        chosen=chosen,
        capex_musd=float(sum(p.capex_musd for p in every if p.id in chosen)),
        objective_musd_per_year=found.cost_musd_per_year if value is not None else np.nan,
        bound_musd_per_year=found.bound_musd_per_year if value is not None else np.nan,
        gap=found.gap if value is not None else np.nan,
        solved=len(search.values.known),
        projects=_project_table(search, value, every, chosen, budget_musd, discount_rate),
        costs=_cost_table(search, before, value, discount_rate),
        base=_plan_of(search.values, before),
        plan=_plan_of(search.values, value),
    )


def _plan_of(values: PortfolioValues, value: Value | None) -> Plan | None:
    """Return the use of a network with a portfolio; None where there is none."""
    if value is None or not np.isfinite(value.cost_usd_per_day):
        return None
    case, result = values.solve_flow(value.projects)
    return welfare_plan(case.model, case.problem, result, congestion=values.congestion)


def without(projects: Sequence[Project], portfolio: frozenset[str], name: str) -> frozenset[str]:
    """Return a portfolio without a project and without what requires it."""
    return frozenset(other for other in portfolio if name not in closure(projects, [other]))


def saving_of(search: PortfolioSearch, value: Value, name: str) -> float:
    """Return what a chosen project and those that require it save in use [MUSD/year]."""
    rest = search.values.solve(without(search.values.projects, value.projects, name))
    return (rest.total_usd_per_day - value.total_usd_per_day) * MUSD_PER_YEAR


def _project_table(
    search: PortfolioSearch,
    value: Value | None,
    every: Sequence[Project],
    chosen: Sequence[str],
    budget_musd: float,
    discount_rate: float,
) -> pd.DataFrame:
    within = {project.id for project in affordable(every, budget_musd)}
    records = []
    for project, yearly in zip(every, yearly_costs(every, discount_rate), strict=True):
        built = project.id in chosen
        reason = "not worth its cost or its room in the budget"
        if built:
            reason = "chosen"
        elif project.id not in within:
            reason = "over budget"
        saving = saving_of(search, value, project.id) if built and value is not None else np.nan
        records.append(
            {
                "project_id": project.id,
                "name": project.name,
                "country": project.country,
                "chosen": built,
                "capex_musd": project.capex_musd,
                "opex_musd_per_year": project.opex_musd_per_year,
                "build_years": project.build_years,
                "life_years": project.life_years,
                "yearly_musd": float(yearly),
                "saving_musd_per_year": saving,
                "reason": reason,
            }
        )
    return pd.DataFrame(records)


def _cost_table(
    search: PortfolioSearch, before: Value, after: Value | None, discount_rate: float
) -> pd.DataFrame:
    """Return what is spent before and after, unmet demand apart."""
    built = [] if after is None else [p for p in search.values.projects if p.id in after.projects]
    capital = sum(capital_musd_per_year(project, discount_rate) for project in built)
    upkeep = sum(project.opex_musd_per_year for project in built)
    parts = [
        (value.cost_usd_per_day, value.background_usd_per_day, value.unmet_usd_per_day)
        if value is not None
        else (np.nan,) * 3
        for value in (before, after)
    ]
    use, background, unmet = np.array(parts).T * MUSD_PER_YEAR
    built_musd = np.array([0.0, capital + upkeep])
    tonnes = [np.nan if value is None else value.unmet_t_per_day for value in (before, after)]
    rows = [
        ("capital", "musd_per_year", 0.0, capital),
        ("upkeep", "musd_per_year", 0.0, upkeep),
        ("use", "musd_per_year", *use),
        ("background", "musd_per_year", *background),
        ("total", "musd_per_year", *(built_musd + use + background)),
        ("unmet", "musd_per_year", *unmet),
        ("unmet_demand", "t_per_day", *tonnes),
    ]
    table = pd.DataFrame(rows, columns=["item", "unit", "before", "after"])
    return table.assign(change=table["after"] - table["before"])


def _why_nothing(plan: InvestmentPlan) -> str:
    if (plan.projects["reason"] == "over budget").all():
        return "every project costs more with what it requires. The plan is the base plan."
    return "no project saves as much as it costs. The plan is the base plan."
