"""The verb ``invest``: which projects a budget should buy."""

import time
from collections.abc import Sequence
from typing import Final

import numpy as np

from corridor.arguments import check_names, check_type
from corridor.errors import Fault, InputError
from corridor.network import Demand, Network
from corridor.planning.investment.economics import check_rate
from corridor.planning.investment.portfolio_search import Interrupt, PortfolioSearch, Progress
from corridor.planning.investment.portfolio_values import PortfolioValues, affordable
from corridor.planning.investment.projects import (
    Project,
    prerequisite_faults,
    read_projects,
    yearly_costs,
)
from corridor.planning.investment.results import InvestmentPlan, describe
from corridor.planning.plans import UNMET_USD_PER_T
from corridor.sovereignty import Rules

DISCOUNT_RATE: Final = 0.06
"""Real rate a year (World Bank 2016); the Asian Development Bank asks for 0.09."""
GAP: Final = 1e-6
"""Relative gap at which the search for a portfolio stops."""


def invest(  # noqa: PLR0913 (a verb's options)
    network: Network,
    demand: Demand,
    rules: Rules | None = None,
    budget_musd: float | None = None,
    *,
    projects: Sequence[str] | None = None,
    discount_rate: float = DISCOUNT_RATE,
    growth: float = 0.0,
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
    growth
        Growth of demand a year, as a fraction, for the economics alone: savings grow with it until
        what is built is full. The choice is made at the demand given.
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
        The projects to build, the certificate, and what they save. A KeyboardInterrupt during the
        search is not raised: it returns the best found, with ``status`` ``feasible`` (or
        ``unknown``) and ``limit`` ``interrupt``, so look at both before you believe the choice. A
        second one is raised.

    Raises
    ------
    InputError
        If projects require each other in a circle or contradict themselves, an option is out of its
        range (all faults at once), or network, demand and rules do not fit each other.

    Notes
    -----
    See `corridor.planning.investment.portfolio_search` for the method.

    Examples
    --------
    >>> import corridor
    >>> case = corridor.load_study("crossroads").case("status_quo")
    >>> plan = corridor.invest(*case, budget_musd=15, projects=["red_bridge_epermit"])
    >>> plan.status, plan.chosen
    ('optimal', ('red_bridge_epermit',))
    """
    began = time.perf_counter()
    check_investment(
        network, projects, budget_musd, discount_rate, unmet_usd_per_t, tolerance, time_limit,
        growth,
    )  # fmt: skip
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
    return describe(search, found, every, budget, discount_rate, growth)


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


def check_investment(
    network: Network,
    projects: Sequence[str] | None,
    budget_musd: float | None,
    discount_rate: float,
    unmet_usd_per_t: float,
    tolerance: float,
    time_limit: float | None = None,
    growth: float = 0.0,
) -> None:
    """Report everything that is wrong with the projects and the options at once."""
    check_type("network", network, Network, advice="Load it with corridor.load_network.")
    if projects is not None:
        check_names("projects", projects, "track")
    faults = prerequisite_faults(network.projects, projects)
    for name, value, least, advice in (
        ("budget_musd", budget_musd, 0.0, "None is no limit"),
        ("unmet_usd_per_t", unmet_usd_per_t, 0.0, "leave it out for the usual price"),
        ("tolerance", tolerance, 0.0, f"{GAP:g} is usual"),
        ("growth", growth, -1.0, "0.02 is 2 % a year"),
        ("time_limit", time_limit, 0.0, "None is no limit"),
    ):
        if value is None or least < value < np.inf:
            continue
        faults.append(
            Fault(file="invest", column=name, found=repr(value),
                  expected=f"a finite number > {least:g}", remedy=advice)
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
