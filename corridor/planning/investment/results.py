"""What ``invest`` returns: the portfolio, its certificate and its tables."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, get_args

import numpy as np
import pandas as pd

from corridor.core.flows import FlowResult
from corridor.network import Network
from corridor.planning.investment.appraisals import RATES, Subject, benefit_table, economics_table
from corridor.planning.investment.effect_ranges import End, at_end, capex_ends
from corridor.planning.investment.outcomes import (
    Outcome,
    SearchStatus,
    outcome_of,
    told_rules,
    told_stop,
)
from corridor.planning.investment.portfolio_program import MUSD_PER_YEAR
from corridor.planning.investment.portfolio_search import Found, PortfolioSearch
from corridor.planning.investment.portfolio_values import PortfolioValues, Value, affordable
from corridor.planning.investment.project_effects import Case
from corridor.planning.investment.projects import (
    Project,
    capital_musd_per_year,
    without,
    yearly_costs,
)
from corridor.planning.investment.savings import Saving, saving_between
from corridor.planning.investment.welfare import welfare_plan
from corridor.planning.results import Plan

_LEFT: Final[dict[Outcome, str]] = {
    "proved": "not worth its cost or its room in the budget",
    "stopped": "not in the best found; the search was stopped",
    "unlawful": "no portfolio is lawful",
}
"""Why a project that the budget can pay is not chosen."""
_NO_SAVING: Final = Saving(
    resources_musd_per_year=np.nan,
    goods_musd_per_year=np.nan,
    goods_t_per_day=np.nan,
    goods_priced_musd_per_year=np.nan,
)
_FEW_T_PER_DAY: Final = 0.05
"""Tonnes a day that are not worth a word."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class InvestmentPlan:
    """What a budget should buy, and what it saves.

    Costs count resources and time; what one pays another (fees, a host's part of tariffs) is no
    cost. Goods that stay at home have a price in the choice, `unmet_usd_per_t`, which steers it and
    which nobody pays: objective, bound and gap count it. Savings do not: they are resources saved
    on what is carried, and goods newly carried at their own value, told apart everywhere
    (`corridor.planning.investment.savings`).

    Attributes
    ----------
    status
        ``optimal`` (gap within the tolerance), ``feasible`` (a limit stopped the search),
        ``infeasible`` (no portfolio is lawful) or ``unknown`` (a limit stopped the search before it
        had a portfolio). `outcome` says the same in three words.
    limit
        What stopped the search, ``time`` or ``interrupt``, or None.
    broken_rules
        Ids of the rules that open posts break where no portfolio is lawful.
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
        build_years, life_years, yearly_musd`` (capital and upkeep); what it and what requires it
        save, NaN where it is not chosen: ``saving_musd_per_year``, the sum of
        ``resources_musd_per_year`` and ``goods_musd_per_year`` (goods newly carried, at their own
        value), ``goods_t_per_day`` (their tonnes), ``goods_priced_musd_per_year`` (what the search
        counted for them, no benefit); and ``reason``: ``chosen``; ``over budget`` (with what it
        requires); where the search proved it, ``barred by`` the rules that close all crossings at
        which it works to all goods, or ``not worth its cost or its room in the budget``; where it
        was stopped, ``not in the best found``; where no portfolio is lawful, that.
    costs
        ``item, unit, before, after, change``: ``capital``, ``upkeep``, ``use`` (resources and time
        of all shipments), ``background`` (time of other vehicles at posts), their ``total``, and
        apart what stays at home: ``unmet_price`` (at `unmet_usd_per_t`, which steers the search and
        nobody pays), ``unmet_value`` (at the goods' own value) and ``unmet_demand`` in tonnes.
    unmet_usd_per_t
        The price of a tonne that stays at home in the search [USD/t].
    economics
        The portfolio and each chosen project at the study's rate, 6 % and 9 %, and at the ends of
        the ranges of what projects do and cost, see
        `corridor.planning.investment.appraisals.economics_table`.
    benefits
        Who saves what: ``scope, item, musd_per_year``, see
        `corridor.planning.investment.appraisals.benefit_table`.
    base, plan
        Use of the network without projects and with the chosen ones; None where there is none.
    """

    status: SearchStatus
    limit: str | None
    broken_rules: tuple[str, ...]
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
    unmet_usd_per_t: float
    economics: pd.DataFrame
    benefits: pd.DataFrame
    base: Plan | None
    plan: Plan | None

    @property
    def outcome(self) -> Outcome:
        """How the search ended: ``proved``, ``stopped`` or ``unlawful``."""
        return outcome_of(self.status)

    @property
    def sentences(self) -> tuple[str, ...]:
        """What to build and why, in words; what is proved, and what stopped the search."""
        if self.outcome == "unlawful":
            return (told_rules(self.broken_rules),)
        stop = told_stop(self.limit, self.gap)
        if self.status == "unknown":
            return (f"No portfolio was found. {stop}",)
        if self.chosen:
            proof = self._told_proof() if self.outcome == "proved" else stop
            return (self._told_choice(), f"They save {self._told_saving()}.", proof)
        if self.outcome == "proved":
            return (f"The budget buys nothing that pays: {_why_nothing(self)}",)
        return ("The best found builds nothing; others were not ruled out.", stop)

    def _told_choice(self) -> str:
        return (
            f"Build {len(self.chosen)} of {len(self.projects)} projects for "
            f"{self.capex_musd:,.1f} MUSD: {', '.join(self.chosen)}."
        )

    def _told_saving(self) -> str:
        change = self.costs.set_index("item")["change"]
        told = f"{-change['total']:,.1f} MUSD a year of resources and time after capital and upkeep"
        newly = -float(change["unmet_demand"])
        if abs(newly) < _FEW_T_PER_DAY:
            return told
        return (
            f"{told}, and carry {newly:,.1f} t/day more of goods that are worth "
            f"{-change['unmet_value']:,.1f} MUSD a year themselves (in the choice they counted as "
            f"{-change['unmet_price']:,.1f}, at {self.unmet_usd_per_t:,.0f} USD for each tonne "
            "left at home, which nobody pays)"
        )

    def _told_proof(self) -> str:
        more = self.objective_musd_per_year - self.bound_musd_per_year
        left = self.costs.loc[self.costs["item"] == "unmet_demand", ["before", "after"]]
        price = ""
        if (left > _FEW_T_PER_DAY).any(axis=None):
            price = f", tonnes left at home counted at {self.unmet_usd_per_t:,.0f} USD each"
        return f"No portfolio saves {more:,.3f} MUSD a year more{price} (gap {self.gap:.1e})."

    def __repr__(self) -> str:
        built = ", ".join(self.chosen) or "nothing"
        cost = f"{self.objective_musd_per_year:,.2f} MUSD/year, gap {self.gap:.1e}"
        return f"InvestmentPlan({self.status}, build {built}, {cost})"


def _why_nothing(plan: InvestmentPlan) -> str:
    if (plan.projects["reason"] == "over budget").all():
        return "every project costs more with what it requires. The plan is the base plan."
    return "no project saves as much as it costs. The plan is the base plan."


def describe(
    search: PortfolioSearch,
    found: Found,
    every: Sequence[Project],
    budget_musd: float,
    discount_rate: float,
    growth: float,
) -> InvestmentPlan:
    """Return a search's answer with its tables and plans."""
    value = found.value
    before = search.values.solve(())
    chosen = () if value is None else tuple(p.id for p in every if p.id in value.projects)
    outcome = outcome_of(found.status)
    table = _project_table(search, value, every, chosen, budget_musd, discount_rate, outcome)
    now, after = used_network(search.values, before), used_network(search.values, value)
    return InvestmentPlan(
        status=found.status,
        limit=found.limit or None,
        broken_rules=before.rules if found.status == "infeasible" else (),
        budget_musd=budget_musd,
        discount_rate=discount_rate,
        chosen=chosen,
        capex_musd=float(sum(p.capex_musd for p in every if p.id in chosen)),
        objective_musd_per_year=found.cost_musd_per_year if value is not None else np.nan,
        bound_musd_per_year=found.bound_musd_per_year if value is not None else np.nan,
        gap=found.gap if value is not None else np.nan,
        solved=len(search.values.known),
        projects=table,
        costs=_cost_table(search, before, value, discount_rate),
        unmet_usd_per_t=search.values.unmet_usd_per_t,
        economics=_economics(search, before, value, after[1], discount_rate, growth),
        benefits=benefit_table(now[0], after[0]),
        base=now[1],
        plan=after[1],
    )


def used_network(
    values: PortfolioValues, value: Value | None
) -> tuple[tuple[Case, FlowResult] | None, Plan | None]:
    """Return the use of a network with a portfolio, and its plan; None where there is none."""
    if value is None or not np.isfinite(value.cost_usd_per_day):
        return None, None
    case, result = values.solve_flow(value.projects)
    plan = welfare_plan(case.model, case.problem, result, congestion=values.congestion)
    return (case, result), plan


def _economics(
    search: PortfolioSearch,
    before: Value,
    after: Value | None,
    plan: Plan | None,
    discount_rate: float,
    growth: float,
) -> pd.DataFrame:
    """Return the economics of the portfolio and of each chosen project with those that need it."""
    subjects = []
    if after is not None and after.projects and plan is not None:
        by_id = {project.id: project for project in search.values.projects}
        fullest = _utilizations(search.values.network, plan)
        parts = [("portfolio", after.projects, before)]
        for name in (one for one in by_id if one in after.projects):
            ids = after.projects - without(search.values.projects, after.projects, name)
            parts.append((name, ids, search.values.solve(after.projects - ids)))
        for name, ids, rest in parts:
            saving = saving_between(rest, after)
            built = tuple(by_id[one] for one in by_id if one in ids)
            full = [fullest[one] for one in ids if np.isfinite(fullest[one])]
            subjects.append(
                Subject(
                    id=name,
                    projects=built,
                    saving_musd_per_year=saving.total_musd_per_year,
                    goods_musd_per_year=saving.goods_musd_per_year,
                    saving_ends=_saving_ends(search, rest, after, ids),
                    capex_ends=_capex_ends(search.values.network, built),
                    utilization=max(full, default=np.nan),
                )
            )
    date = search.values.network.date
    return economics_table(
        subjects, sorted({discount_rate, *RATES}),
        first_year=None if date is None else date.year + 1, growth=growth,
    )  # fmt: skip


def _saving_ends(
    search: PortfolioSearch, rest: Value, after: Value, ids: frozenset[str]
) -> tuple[float, float] | None:
    """Return what projects save at the worst and best of their effects; None without ranges."""
    values = search.values
    savings = [saving_between(rest, after).total_musd_per_year]
    for end in get_args(End):
        network = at_end(values.network, ids, end)
        if network is None:
            return None
        used = values.solve_otherwise(network, after.projects)
        savings.append(saving_between(rest, used).total_musd_per_year)
    return min(savings), max(savings)


def _capex_ends(network: Network, projects: Sequence[Project]) -> tuple[tuple[float, float], ...]:
    """Return low and high of the capex of projects; empty where none has a range."""
    ends = tuple(capex_ends(network, project) for project in projects)
    return ends if any(low < high for low, high in ends) else ()


def _utilizations(network: Network, plan: Plan) -> dict[str, float]:
    """Return the largest utilization of what each project touches; NaN where none is known."""
    full = {
        "links": plan.links.groupby("link_id")["utilization"].max(),
        "crossings": plan.crossings.groupby("crossing_id")["utilization"].max(),
    }
    service_link = dict(
        zip(network.services["service_id"], network.services["link_id"], strict=True)
    )
    found: dict[str, float] = {}
    columns = (network.projects[name] for name in ("project_id", "table", "key"))
    for project, table, key in zip(*columns, strict=True):
        place = ("crossings", key.split("/")[0]) if table == "stages" else (table, key)
        if table == "services":
            place = ("links", service_link.get(key, ""))
        known = full.get(place[0], pd.Series(dtype=float)).get(place[1], np.nan)
        found[project] = float(np.fmax(found.get(project, np.nan), known))
    return found


def saving_of(search: PortfolioSearch, value: Value, name: str) -> Saving:
    """Return what a chosen project and those that require it save in use."""
    rest = search.values.solve(without(search.values.projects, value.projects, name))
    return saving_between(rest, value)


def _project_table(
    search: PortfolioSearch,
    value: Value | None,
    every: Sequence[Project],
    chosen: Sequence[str],
    budget_musd: float,
    discount_rate: float,
    outcome: Outcome,
) -> pd.DataFrame:
    within = {project.id for project in affordable(every, budget_musd)}
    barred = search.values.barred if outcome == "proved" else {}
    records = []
    for project, yearly in zip(every, yearly_costs(every, discount_rate), strict=True):
        built = project.id in chosen
        reason = _LEFT[outcome]
        if built:
            reason = "chosen"
        elif project.id not in within:
            reason = "over budget"
        elif project.id in barred:
            reason = f"barred by {', '.join(barred[project.id])}"
        saving = _NO_SAVING
        if built and value is not None:
            saving = saving_of(search, value, project.id)
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
                "saving_musd_per_year": saving.total_musd_per_year,
                "resources_musd_per_year": saving.resources_musd_per_year,
                "goods_musd_per_year": saving.goods_musd_per_year,
                "goods_t_per_day": saving.goods_t_per_day,
                "goods_priced_musd_per_year": saving.goods_priced_musd_per_year,
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
        (
            value.cost_usd_per_day,
            value.background_usd_per_day,
            value.unmet_usd_per_day,
            value.unmet_value_usd_per_day,
        )
        if value is not None
        else (np.nan,) * 4
        for value in (before, after)
    ]
    use, background, price, worth = np.array(parts).T * MUSD_PER_YEAR
    built_musd = np.array([0.0, capital + upkeep])
    tonnes = [np.nan if value is None else value.unmet_t_per_day for value in (before, after)]
    rows = [
        ("capital", "musd_per_year", 0.0, capital),
        ("upkeep", "musd_per_year", 0.0, upkeep),
        ("use", "musd_per_year", *use),
        ("background", "musd_per_year", *background),
        ("total", "musd_per_year", *(built_musd + use + background)),
        ("unmet_price", "musd_per_year", *price),
        ("unmet_value", "musd_per_year", *worth),
        ("unmet_demand", "t_per_day", *tonnes),
    ]
    table = pd.DataFrame(rows, columns=["item", "unit", "before", "after"])
    return table.assign(change=table["after"] - table["before"])
