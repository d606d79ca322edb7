"""Budget against cost, throughput and border time: what each million more would buy."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from corridor.errors import InputError
from corridor.network import Demand, Network
from corridor.planning.investment.investments import (
    DISCOUNT_RATE,
    GAP,
    check_investment,
    new_search,
)
from corridor.planning.investment.portfolio_program import MUSD_PER_YEAR
from corridor.planning.investment.portfolio_search import (
    Found,
    Interrupt,
    PortfolioSearch,
    Progress,
)
from corridor.planning.investment.portfolio_values import affordable
from corridor.planning.investment.projects import read_projects
from corridor.planning.investment.results import used_network
from corridor.planning.plans import UNMET_USD_PER_T
from corridor.planning.results import Plan
from corridor.sovereignty import Rules

SERVER_MUSD: Final = 2.5
"""Capex of one lane or scanner more at a post [MUSD]: a post of 10 to 20 MUSD has four to eight."""
STEPS: Final = (0.02, 0.06, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0)
"""Shares of the largest budget that a frontier shows, beside no budget."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BudgetFrontier:
    """Best portfolios for rising budgets.

    Attributes
    ----------
    points
        A row per budget: ``budget_musd, status, gap, capex_musd, n_projects, projects`` (ids joined
        with ``;``), ``objective_musd_per_year`` (what the search minimizes, the price of unmet
        demand included), ``total_musd_per_year`` (capital, upkeep, use and background),
        ``unmet_price_musd_per_year`` and ``unmet_value_musd_per_year`` (what stays at home, at the
        price that steers the search and at its own value), ``saving_musd_per_year`` (against no
        budget, net of capital and upkeep), of which ``goods_musd_per_year`` are goods newly
        carried, at their own value, ``saving_per_musd`` (what a million more than
        budget before saves a year, net), ``served_t_per_day, border_t_per_day`` (through all
        crossings), ``border_h`` (time at both posts of a crossing, mean over all vehicles,
        background included).
    entries
        The order in which projects enter: ``project_id, enters_musd`` (first budget that buys it),
        ``budgets`` (in how many of the budgets it is bought), ``leaves_musd`` (first later budget
        that does not buy it, NaN where it stays).
    borders
        What a million buys at each border with the largest budget built: ``crossing_id,
        from_country, to_country, stage, country, wait_h, saving_at_flow_per_musd,
        saving_at_most_per_musd``: what one more server at the tightest stage saves a year per
        million of its capex [MUSD/year per MUSD], between the two; the dearest first.
    limit
        What stopped the searches, ``time`` or ``interrupt``, or None. Larger budgets than that of
        the last point were not searched.
    """

    points: pd.DataFrame
    entries: pd.DataFrame
    borders: pd.DataFrame
    limit: str | None = None


def budget_frontier(  # noqa: PLR0913 (a verb's options)
    network: Network,
    demand: Demand,
    rules: Rules | None = None,
    budgets_musd: Sequence[float] = (100.0, 250.0, 500.0),
    *,
    projects: Sequence[str] | None = None,
    discount_rate: float = DISCOUNT_RATE,
    congestion: bool = True,
    unmet_usd_per_t: float = UNMET_USD_PER_T,
    tolerance: float = GAP,
    server_musd: float = SERVER_MUSD,
    time_limit: float | None = None,
    progress: Progress | None = None,
    interrupt: Interrupt | None = None,
) -> BudgetFrontier:
    """Return the best portfolio for each of several budgets.

    What the search learns under one budget serves the others.

    Parameters
    ----------
    network, demand, rules, projects, discount_rate, congestion, unmet_usd_per_t, tolerance
        As in `corridor.invest`.
    budgets_musd
        Budgets [MUSD], > 0; no budget is always shown.
    server_musd
        Capex of one server more at a post [MUSD], > 0.
    time_limit
        Seconds for all searches, or None; the budgets searched until then are returned.
    progress, interrupt
        As in `corridor.invest`; a KeyboardInterrupt stops the searches of all budgets.

    Raises
    ------
    InputError
        As in `corridor.invest`.
    """
    budgets = sorted({float(budget) for budget in budgets_musd})
    if not budgets or not server_musd > 0.0:
        msg = (
            "A frontier needs at least one budget, and a server must cost something; found "
            f"{len(budgets)} budgets and {server_musd} MUSD a server. Correct them."
        )
        raise InputError(msg)
    began = time.perf_counter()
    deadline = None if time_limit is None else began + time_limit
    for budget in budgets:
        check_investment(
            network, projects, budget, discount_rate, unmet_usd_per_t, tolerance, time_limit
        )
    every = read_projects(network, projects)
    search = new_search(
        network, demand, rules, affordable(every, budgets[-1]), discount_rate,
        congestion=congestion, unmet_usd_per_t=unmet_usd_per_t, plan_tolerance=0.1 * tolerance,
    )  # fmt: skip
    points: list[dict[str, object]] = []
    chosen: list[frozenset[str]] = []
    plans: dict[frozenset[str], Plan | None] = {}
    plan: Plan | None = None
    for budget in [0.0, *budgets]:
        found = search.find(
            budget, tolerance=tolerance, deadline=deadline, progress=progress, interrupt=interrupt
        )
        names = frozenset[str]() if found.value is None else found.value.projects
        if names not in plans:
            plans[names] = used_network(search.values, found.value)[1]
        plan = plans[names]
        chosen.append(names)
        points.append(_point(search, found, plan, budget, points))
        if found.limit:
            break
    return BudgetFrontier(
        points=pd.DataFrame(points),
        entries=_entries(search.values.ids, [0.0, *budgets][: len(chosen)], chosen),
        borders=_borders(plan, server_musd),
        limit=found.limit or None,
    )


def _point(
    search: PortfolioSearch,
    found: Found,
    plan: Plan | None,
    budget_musd: float,
    before: Sequence[dict[str, object]],
) -> dict[str, object]:
    value = found.value
    names = frozenset[str]() if value is None else value.projects
    built = [project for project in search.values.projects if project.id in names]
    price = np.nan if value is None else value.unmet_usd_per_day * MUSD_PER_YEAR
    worth = np.nan if value is None else value.unmet_value_usd_per_day * MUSD_PER_YEAR
    cost = found.cost_musd_per_year if value is not None else np.nan
    none = float(str(before[0]["total_musd_per_year"])) if before else cost - price
    left = float(str(before[0]["unmet_value_musd_per_year"])) if before else worth
    saving = none + left - (cost - price) - worth
    step = np.nan
    if before:
        more = budget_musd - float(str(before[-1]["budget_musd"]))
        step = (saving - float(str(before[-1]["saving_musd_per_year"]))) / more
    return {
        "budget_musd": budget_musd,
        "status": found.status,
        "gap": found.gap if value is not None else np.nan,
        "capex_musd": float(sum(project.capex_musd for project in built)),
        "n_projects": len(built),
        "projects": ";".join(project.id for project in built),
        "objective_musd_per_year": cost,
        "total_musd_per_year": cost - price,
        "unmet_price_musd_per_year": price,
        "unmet_value_musd_per_year": worth,
        "saving_musd_per_year": saving,
        "goods_musd_per_year": left - worth,
        "saving_per_musd": step,
        **_throughput(plan),
    }


def _throughput(plan: Plan | None) -> dict[str, float]:
    """Return what is served and what passes borders, and the time at them."""
    if plan is None:
        return dict.fromkeys(("served_t_per_day", "border_t_per_day", "border_h"), np.nan)
    rows = plan.crossings
    hours = (rows["fixed_h"] + rows["service_h"] + rows["wait_h"]).to_numpy(float)
    vehicles = (rows["vehicles_per_day"] + rows["background_vehicles_per_day"]).to_numpy(float)
    passes = (vehicles > 0.0) & np.isfinite(hours)
    mean = np.average(hours[passes], weights=vehicles[passes]) if passes.any() else np.nan
    return {
        "served_t_per_day": plan.served_t_per_day,
        "border_t_per_day": float(rows["t_per_day"].sum()),
        "border_h": float(mean),
    }


def _entries(
    ids: Sequence[str], budgets: Sequence[float], chosen: Sequence[frozenset[str]]
) -> pd.DataFrame:
    records = []
    for name in ids:
        bought = [name in portfolio for portfolio in chosen]
        if not any(bought):
            continue
        first = bought.index(True)
        later = [b for b, one in zip(budgets[first:], bought[first:], strict=True) if not one]
        records.append((name, budgets[first], sum(bought), later[0] if later else np.nan))
    columns = ["project_id", "enters_musd", "budgets", "leaves_musd"]
    table = pd.DataFrame(records, columns=columns)
    return table.sort_values(["enters_musd", "project_id"], ignore_index=True)


def _borders(plan: Plan | None, server_musd: float) -> pd.DataFrame:
    columns = ["crossing_id", "from_country", "to_country", "stage", "country", "wait_h"]
    worth = ["saving_at_flow_per_musd", "saving_at_most_per_musd"]
    if plan is None:
        return pd.DataFrame(columns=[*columns, *worth])
    rows = plan.crossings
    table = rows.rename(columns={"bottleneck_stage": "stage", "bottleneck_country": "country"})
    table = table[columns].assign(
        saving_at_flow_per_musd=rows["next_server_at_flow_usd_per_year"] / 1e6 / server_musd,
        saving_at_most_per_musd=rows["next_server_most_usd_per_year"] / 1e6 / server_musd,
    )
    table = table[table["saving_at_most_per_musd"] > 0.0]
    return table.sort_values(
        ["saving_at_flow_per_musd", "crossing_id"], ascending=[False, True], ignore_index=True
    )
