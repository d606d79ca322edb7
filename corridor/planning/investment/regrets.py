"""The verb ``robust_portfolio``: what to build when numbers and rules may turn out otherwise."""

import time
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import pandas as pd

from corridor.errors import Fault, InputError
from corridor.network import Demand, Network
from corridor.planning.investment.investments import (
    DISCOUNT_RATE,
    GAP,
    check_investment,
    new_search,
)
from corridor.planning.investment.outcomes import Outcome, SearchStatus, outcome_of
from corridor.planning.investment.portfolio_program import MUSD_PER_YEAR
from corridor.planning.investment.portfolio_search import Interrupt, PortfolioSearch
from corridor.planning.investment.portfolio_values import Portfolio, affordable
from corridor.planning.investment.projects import Project, read_projects, yearly_costs
from corridor.planning.investment.regret_search import RegretProgress, RegretSearch, above, over
from corridor.planning.plans import UNMET_USD_PER_T
from corridor.sovereignty import Rules

InvestmentCase: TypeAlias = tuple[Network, Demand, Rules | None]
"""What one scenario is: a network without its projects, demand, rules."""

_LITTLE_MUSD: Final = 0.005
"""Money a year that is not worth a word [MUSD/year]."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RobustPortfolio:
    """The portfolios that are regretted least, whichever scenario comes.

    The regret of a portfolio in a scenario is what it costs there above the best portfolio for that
    scenario: what one would give to have known. Both are solved to a gap, so a regret is known
    between two ends: a proved least and most.

    Attributes
    ----------
    status
        ``optimal`` (both regrets proved least within the tolerance), ``feasible`` (a limit stopped
        the search), ``infeasible`` (some scenario allows no portfolio) or ``unknown``.
    limit
        What stopped the search, ``time`` or ``interrupt``, or None.
    budget_musd
        The budget [MUSD]; inf is none.
    chosen, capex_musd
        Ids of the portfolio of least greatest regret, in the order of the table, and its capex in
        the first scenario [MUSD].
    regret_musd_per_year, regret_most, regret_bound
        Its greatest regret, the proved most that it can be, and the proved least of the greatest
        regret of every portfolio within the budget [MUSD/year].
    mean_chosen, mean_regret_musd_per_year, mean_regret_most, mean_regret_bound
        The same for the least mean regret over the scenarios, all counted alike.
    scenarios
        A row per scenario: ``scenario, status, gap, cost_musd_per_year`` (of its best portfolio),
        ``bound_musd_per_year, projects`` (ids joined with ``;``), ``regret_musd_per_year`` (of
        ``chosen`` there).
    candidates
        A row per portfolio that was solved in every scenario (the best of each among them), the one
        of least greatest regret first: ``portfolio`` (a number), ``projects, capex_musd,
        regret_musd_per_year`` (greatest), ``regret_most, scenario`` (where it is greatest),
        ``regret_unmet_price`` (of that, more goods at home at their price, which nobody pays),
        ``mean_regret_musd_per_year, mean_regret_most, best_in`` (scenarios, joined with ``;``).
    regrets
        A row per candidate and scenario: ``portfolio, scenario, cost_musd_per_year,
        regret_musd_per_year, regret_least, regret_most, unmet_price_musd_per_year`` (of the cost)
        [MUSD/year].
    """

    status: SearchStatus
    limit: str | None
    budget_musd: float
    chosen: tuple[str, ...]
    capex_musd: float
    regret_musd_per_year: float
    regret_most: float
    regret_bound: float
    mean_chosen: tuple[str, ...]
    mean_regret_musd_per_year: float
    mean_regret_most: float
    mean_regret_bound: float
    scenarios: pd.DataFrame
    candidates: pd.DataFrame
    regrets: pd.DataFrame

    @property
    def outcome(self) -> Outcome:
        """How the search ended: ``proved``, ``stopped`` or ``unlawful``."""
        return outcome_of(self.status)

    @property
    def sentences(self) -> tuple[str, ...]:
        """What to build and how sure it is, in words."""
        if not len(self.candidates):
            return (self._told_nothing(),)
        worst = self.candidates["scenario"].iloc[0]
        greatest = (
            f"Build {_named(self.chosen)} for {self.capex_musd:,.1f} MUSD: whichever of "
            f"{len(self.scenarios)} scenarios comes, another portfolio would have cost at most "
            f"{self.regret_most:,.2f} MUSD a year less ({worst}); no portfolio is regretted by "
            f"less than {self.regret_bound:,.2f}."
        )
        price = float(self.candidates["regret_unmet_price"].iloc[0])
        if price >= _LITTLE_MUSD:
            greatest += (
                f" {price:,.2f} of its regret is the price of goods that stay at home, "
                "which nobody pays."
            )
        mean = (
            f"In the mean of the scenarios {_named(self.mean_chosen)} is regretted least: by "
            f"{self.mean_regret_musd_per_year:,.2f} MUSD a year, none by less than "
            f"{self.mean_regret_bound:,.2f}."
        )
        if self.limit is not None:
            done = int((self.scenarios["status"] != "not searched").sum())
            mean += f" The search was stopped ({self.limit}) with {done} scenarios searched."
        return greatest, mean

    def _told_nothing(self) -> str:
        if self.outcome != "unlawful":
            return f"No portfolio was found for every scenario: stopped ({self.limit})."
        rows = self.scenarios[self.scenarios["status"] == "infeasible"]
        told = [
            f"{name} ({rules.replace(';', ', ') or 'its rules contradict each other'})"
            for name, rules in zip(rows["scenario"], rows["broken_rules"], strict=True)
        ]
        return "No portfolio is lawful in every scenario: none is in " + ", ".join(told) + "."

    def __repr__(self) -> str:
        return (
            f"RobustPortfolio({self.status}, build {_named(self.chosen)}, regret at most "
            f"{self.regret_most:,.2f} MUSD/year in {len(self.scenarios)} scenarios)"
        )


def _named(projects: Sequence[str]) -> str:
    return ", ".join(projects) or "nothing"


def robust_portfolio(
    cases: Mapping[str, InvestmentCase],
    budget_musd: float | None = None,
    *,
    projects: Sequence[str] | None = None,
    discount_rate: float = DISCOUNT_RATE,
    congestion: bool = True,
    unmet_usd_per_t: float = UNMET_USD_PER_T,
    tolerance: float = GAP,
    time_limit: float | None = None,
    progress: RegretProgress | None = None,
    interrupt: Interrupt | None = None,
) -> RobustPortfolio:
    """Return the portfolio whose greatest regret over scenarios is least, and that of least mean.

    Scenarios may differ in anything but the projects that there are: numbers drawn from their
    ranges (`corridor.study.investment_cases`), rules, demand, capex.

    Parameters
    ----------
    cases
        Scenario -> network (without the projects), demand and rules; two or more. Budget,
        requirements and exclusive groups are those of the first: money is granted for the costs
        known today, and what a project costs in another scenario counts in the regret there.
    budget_musd
        Sum of capex in the first scenario, at most [MUSD], > 0; None is no limit.
    projects, discount_rate, congestion, unmet_usd_per_t
        As in `corridor.invest`.
    tolerance
        Gap at which each search stops, > 0, relative to the yearly cost of a scenario.
    time_limit
        Seconds for all searches, or None; the best found is returned.
    progress
        Told after each portfolio: the scenario or the regret that is minimized, portfolios solved,
        best and bound [MUSD/year].
    interrupt
        Asked before each portfolio; True stops the search with the best found, as Ctrl-C does.

    Returns
    -------
    RobustPortfolio
        The portfolios, all regrets, and the proof.

    Raises
    ------
    InputError
        If there are fewer than two scenarios, their projects are not the same, or as in
        `corridor.invest` for each of them.

    Notes
    -----
    Exact over all portfolios, not over a list, see
    `corridor.planning.investment.regret_search`.

    Examples
    --------
    >>> import corridor
    >>> from corridor.study import unbuilt_case
    >>> study = corridor.load_study("crossroads")
    >>> cases = {name: unbuilt_case(study, name) for name in ("status_quo", "am_tr_open")}
    >>> robust = corridor.robust_portfolio(cases, 15, projects=["red_bridge_epermit"])
    >>> robust.chosen, round(robust.regret_most, 1)
    (('red_bridge_epermit',), 0.0)
    """
    began = time.perf_counter()
    _check_cases(cases)
    for network, _, _ in cases.values():
        check_investment(
            network, projects, budget_musd, discount_rate, unmet_usd_per_t, tolerance, time_limit
        )
    budget = np.inf if budget_musd is None else float(budget_musd)
    first = next(iter(cases.values()))[0]
    within = affordable(read_projects(first, projects), budget)
    searches = {
        name: _search(
            case, within, discount_rate, congestion=congestion, unmet_usd_per_t=unmet_usd_per_t,
            plan_tolerance=0.1 * tolerance,
        )
        for name, case in cases.items()
    }  # fmt: skip
    search = RegretSearch(searches=searches, budget_musd=budget)
    deadline = None if time_limit is None else began + time_limit
    search.run(tolerance, deadline, progress, interrupt)
    return _describe(search, within, budget)


def _check_cases(cases: Mapping[str, InvestmentCase]) -> None:
    faults = []
    if len(cases) < 2:  # noqa: PLR2004 (two)
        faults.append(
            Fault(file="robust_portfolio", column="cases", found=f"{len(cases)} scenarios",
                  expected="two scenarios or more", remedy="add rule sets or draws")
        )  # fmt: skip
    ids = {name: network.projects["project_id"].tolist() for name, (network, _, _) in cases.items()}
    first = next(iter(ids), "")
    faults += [
        Fault(file="robust_portfolio", key=name, column="projects",
              found=f"{len(set(found) ^ set(ids[first]))} projects that only one of them has",
              expected=f"the projects of {first!r}, in its order",
              remedy="give all scenarios one table of projects")
        for name, found in ids.items()
        if list(dict.fromkeys(found)) != list(dict.fromkeys(ids[first]))
    ]  # fmt: skip
    if faults:
        subject = "The set of scenarios"
        raise InputError.from_faults(subject, faults)


def _search(
    case: InvestmentCase,
    projects: tuple[Project, ...],
    discount_rate: float,
    *,
    congestion: bool,
    unmet_usd_per_t: float,
    plan_tolerance: float,
) -> PortfolioSearch:
    """Return the search of one scenario: conditions of the first one, costs of its own."""
    search = new_search(
        *case, projects, discount_rate, congestion=congestion, unmet_usd_per_t=unmet_usd_per_t,
        plan_tolerance=plan_tolerance,
    )  # fmt: skip
    own = {project.id: project for project in read_projects(case[0])}
    search.yearly_musd = yearly_costs([own[project.id] for project in projects], discount_rate)
    return search


# -- tables -----------------------------------------------------------------------------------


def _describe(
    search: RegretSearch, projects: tuple[Project, ...], budget_musd: float
) -> RobustPortfolio:
    known = search.portfolios
    candidates, regrets = _tables(search, projects, known)
    every = bool(len(candidates)) and len(search.found) == len(search.searches)
    lawless = any(one.value is None and not one.limit for one in search.found.values())
    status: SearchStatus = "feasible" if search.limit else "optimal"
    if not len(candidates) or not np.isfinite(candidates["regret_musd_per_year"].iloc[0]):
        candidates, regrets = candidates.iloc[:0], regrets.iloc[:0]
        status = "infeasible" if lawless or not search.limit else "unknown"
    by_mean = candidates.sort_values("mean_regret_musd_per_year", kind="stable")
    rows = [table.iloc[0].to_dict() if len(table) else {} for table in (candidates, by_mean)]
    names = [tuple(name for name in str(row.get("projects", "")).split(";") if name)
             for row in rows]  # fmt: skip
    unsearched = np.nan if not len(candidates) else 0.0 if every else np.inf
    return RobustPortfolio(
        status=status,
        limit=search.limit or None,
        budget_musd=budget_musd,
        chosen=names[0],
        capex_musd=_number(rows[0], "capex_musd"),
        regret_musd_per_year=_number(rows[0], "regret_musd_per_year"),
        # A scenario that was not searched may bring any regret.
        regret_most=_number(rows[0], "regret_most") + unsearched,
        regret_bound=search.bounds["greatest"] if len(candidates) else np.nan,
        mean_chosen=names[1],
        mean_regret_musd_per_year=_number(rows[1], "mean_regret_musd_per_year"),
        mean_regret_most=_number(rows[1], "mean_regret_most") + unsearched,
        mean_regret_bound=search.bounds["mean"] if len(candidates) else np.nan,
        scenarios=_scenario_table(search, projects, regrets),
        candidates=candidates,
        regrets=regrets,
    )


def _number(row: Mapping[Hashable, object], name: str) -> float:
    return float(str(row.get(name, np.nan)))


def _joined(projects: Sequence[Project], portfolio: Portfolio) -> str:
    return ";".join(project.id for project in projects if project.id in portfolio)


def _tables(
    search: RegretSearch, projects: Sequence[Project], known: Sequence[Portfolio]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the candidates and their regrets in each scenario searched."""
    names = np.array(list(search.found), dtype=object)
    cost, least = search.costs(known)
    best = search.optima() if known else np.zeros(names.size)
    proved = np.array([one.bound_musd_per_year for one in search.found.values()])
    regret, most = above(cost, best), above(cost, proved)
    price = search.unmet_prices(known)
    kept = search.unmet_prices_of_best()
    worst = regret.argmax(axis=1) if known else np.zeros(0, np.intp)
    candidates = pd.DataFrame(
        {
            "projects": [_joined(projects, one) for one in known],
            "capex_musd": [sum(p.capex_musd for p in projects if p.id in one) for one in known],
            "regret_musd_per_year": over("greatest", regret) if known else [],
            "regret_most": over("greatest", most) if known else [],
            "scenario": names[worst],
            "regret_unmet_price": (price - kept)[np.arange(worst.size), worst],
            "mean_regret_musd_per_year": over("mean", regret) if known else [],
            "mean_regret_most": over("mean", most) if known else [],
            "best_in": [";".join(names[row <= best]) for row in cost],
        }
    )
    order = candidates.sort_values(
        ["regret_musd_per_year", "mean_regret_musd_per_year", "capex_musd"], kind="stable"
    ).index.to_numpy(np.intp)
    candidates = candidates.loc[order].reset_index(drop=True)
    candidates.insert(0, "portfolio", np.arange(1, order.size + 1))
    regrets = pd.DataFrame(
        {
            "portfolio": np.repeat(candidates["portfolio"].to_numpy(), names.size),
            "scenario": np.tile(names, order.size),
            "cost_musd_per_year": cost[order].ravel(),
            "regret_musd_per_year": regret[order].ravel(),
            "regret_least": above(least, best)[order].ravel(),
            "regret_most": most[order].ravel(),
            "unmet_price_musd_per_year": price[order].ravel(),
        }
    )
    return candidates, regrets


def _scenario_table(
    search: RegretSearch, projects: Sequence[Project], regrets: pd.DataFrame
) -> pd.DataFrame:
    mine = regrets[regrets["portfolio"] == 1].set_index("scenario")["regret_musd_per_year"]
    records = []
    for name in search.searches:
        one = search.found.get(name)
        value = None if one is None else one.value
        lawless = one is not None and one.status == "infeasible"
        broken = search.searches[name].values.solve(()).rules if lawless else ()
        records.append(
            {
                "scenario": name,
                "status": "not searched" if one is None else one.status,
                "gap": np.nan if one is None or value is None else one.gap,
                "cost_musd_per_year": np.nan if one is None else one.cost_musd_per_year,
                "bound_musd_per_year": np.nan if one is None else one.bound_musd_per_year,
                "projects": "" if value is None else _joined(projects, value.projects),
                "regret_musd_per_year": float(mine.get(name, np.nan)),
                "broken_rules": ";".join(broken),
                "unmet_price_musd_per_year": (
                    np.nan if value is None else value.unmet_usd_per_day * MUSD_PER_YEAR
                ),
            }
        )
    return pd.DataFrame(records)
