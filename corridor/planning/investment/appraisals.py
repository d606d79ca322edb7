"""Economics of a portfolio and of each of its projects, as development banks ask for them."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from corridor.core.flows import FlowProblem, FlowResult
from corridor.planning.investment.economics import (
    internal_rate,
    payback_years,
    present_value,
    spending,
)
from corridor.planning.investment.portfolio_values import goods_usd_per_t
from corridor.planning.investment.project_effects import Case
from corridor.planning.investment.projects import Project, with_capex
from corridor.units import DAYS_PER_YEAR

FloatArray: TypeAlias = NDArray[np.float64]

RATES: Final = (0.06, 0.09)
"""Rates that the World Bank and the Asian Development Bank ask for."""
_TRIFLE: Final = 1e-9
HORIZON_YEARS: Final = 30
"""Years of use that are appraised."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CashFlows:
    """Costs and benefits at the ends of years, year 0 being the first of building [MUSD].

    Attributes
    ----------
    costs, benefits : ndarray of float64, shape (n_years,)
        Capex, upkeep and renewal less what is left at the end; what is saved.
    opens
        First year of use.
    """

    costs: FloatArray
    benefits: FloatArray
    opens: int

    @property
    def net(self) -> FloatArray:
        """Benefits less costs [MUSD]."""
        return self.benefits - self.costs


def cash_flows(
    projects: Sequence[Project],
    saving_musd_per_year: float,
    *,
    horizon_years: int = HORIZON_YEARS,
    growth: float = 0.0,
    growing_years: float = math.inf,
) -> CashFlows:
    """Return the flows of projects that open together.

    Each is built just in time for the opening, is renewed at the end of its life, and leaves at the
    end of the horizon the part of its life that is not used.

    Parameters
    ----------
    projects
        What is built.
    saving_musd_per_year
        What they save together in the first year of use [MUSD/year].
    horizon_years
        Years of use.
    growth
        Growth of the saving a year, as a fraction.
    growing_years
        Years after which it grows no more.

    Examples
    --------
    >>> lane = Project(id="lane", name="Lane", country="AAA", capex_musd=10.0, build_years=2.0,
    ...                opex_musd_per_year=1.0, life_years=2.0)
    >>> flows = cash_flows([lane], 8.0, horizon_years=3)
    >>> flows.costs.tolist(), flows.benefits.tolist()
    ([5.0, 5.0, 1.0, 11.0, -4.0], [0.0, 0.0, 8.0, 8.0, 8.0])
    """
    opens = max((spending(p.build_years).size for p in projects), default=0)
    costs = np.zeros(opens + horizon_years)
    for project in projects:
        spent = spending(project.build_years) * project.capex_musd
        costs[opens - spent.size : opens] += spent
        costs[opens:] += project.opex_musd_per_year
        renewals = math.ceil(horizon_years / project.life_years) - 1
        for number in range(1, renewals + 1):
            costs[opens + round(number * project.life_years) - 1] += project.capex_musd
        used = (horizon_years - renewals * project.life_years) / project.life_years
        costs[-1] -= project.capex_musd * max(1.0 - used, 0.0)
    years = np.minimum(np.arange(horizon_years), growing_years)
    benefits = np.concatenate([np.zeros(opens), saving_musd_per_year * (1.0 + growth) ** years])
    return CashFlows(costs=costs, benefits=benefits, opens=opens)


def appraise(flows: CashFlows, rate: float) -> dict[str, float]:
    """Return what banks ask of flows at a rate.

    Returns
    -------
    dict of str to float
        ``npv_musd``; ``benefit_cost_ratio``; ``payback_years`` (discounted, from the first year of
        building); ``switching_cost`` and ``switching_benefit``: by what share costs may rise, or
        benefits fall, until the net present value is 0 (below 0 where it is below 0 already).
    """
    costs, benefits = present_value(flows.costs, rate), present_value(flows.benefits, rate)
    ratio = benefits / costs if costs > 0.0 else math.nan
    return {
        "npv_musd": benefits - costs,
        "benefit_cost_ratio": ratio,
        "payback_years": payback_years(flows.net, rate),
        "switching_cost": ratio - 1.0,
        "switching_benefit": 1.0 - costs / benefits if benefits > 0.0 else math.nan,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is appraised: a portfolio, or a project with those that require it.

    Attributes
    ----------
    id
        ``portfolio``, or the id of the project.
    projects
        What is built.
    saving_musd_per_year
        What it saves in the first year [MUSD/year], with goods newly carried at their own value.
    goods_musd_per_year
        These goods alone [MUSD/year].
    saving_ends
        The saving at the worst and best of the ranges of the effects [MUSD/year]; None where no
        effect has a range.
    capex_ends
        Low and high of the capex of each project [MUSD]; empty where none has a range.
    utilization
        Largest utilization of what it builds, NaN where no capacity is known.
    """

    id: str
    projects: tuple[Project, ...]
    saving_musd_per_year: float
    goods_musd_per_year: float = 0.0
    saving_ends: tuple[float, float] | None = None
    capex_ends: tuple[tuple[float, float], ...] = ()
    utilization: float


def economics_table(
    subjects: Iterable[Subject],
    rates: Sequence[float],
    *,
    first_year: int | None,
    growth: float,
    horizon_years: int = HORIZON_YEARS,
) -> pd.DataFrame:
    """Return the economics of subjects at several rates.

    Parameters
    ----------
    subjects
        What is appraised.
    rates
        Rates a year, as fractions.
    first_year
        Calendar year in which building begins; None leaves years as numbers from 0.
    growth
        Growth of demand a year. Savings grow with it until what is built is full.
    horizon_years
        Years of use.

    Returns
    -------
    DataFrame
        A row per subject and rate: ``subject, rate, capex_musd, saving_musd_per_year``, of which
        ``goods_musd_per_year`` are goods newly carried, at their own value; ``npv_musd, eirr,
        benefit_cost_ratio, payback_years, switching_cost, switching_benefit, opening_year,
        first_year_return`` (saving of the first year over capex), ``saturation_year`` (NaN where
        capacity is not known or demand does not grow). With ranges of effects or capex also
        ``saving_low, saving_high, capex_low_musd, capex_high_musd``, and at the worst of both and
        the best of both ``npv_low_musd, npv_high_musd, eirr_low, eirr_high``; NaN without ranges,
        or where there is no such rate.
    """
    records = []
    for subject in subjects:
        grows = saturation_years(subject.utilization, growth)
        flows = cash_flows(
            subject.projects, subject.saving_musd_per_year, horizon_years=horizon_years,
            growth=growth, growing_years=grows,
        )  # fmt: skip
        capex = sum(project.capex_musd for project in subject.projects)
        opening = (first_year or 0) + flows.opens
        for rate in rates:
            told = appraise(flows, rate)
            records.append(
                {
                    "subject": subject.id,
                    "rate": rate,
                    "capex_musd": capex,
                    "saving_musd_per_year": subject.saving_musd_per_year,
                    "goods_musd_per_year": subject.goods_musd_per_year,
                    "npv_musd": told["npv_musd"],
                    "eirr": internal_rate(flows.net),
                    "benefit_cost_ratio": told["benefit_cost_ratio"],
                    "payback_years": told["payback_years"],
                    "switching_cost": told["switching_cost"],
                    "switching_benefit": told["switching_benefit"],
                    "opening_year": opening,
                    "first_year_return": (
                        subject.saving_musd_per_year / capex if capex > 0.0 else math.nan
                    ),
                    "saturation_year": (
                        opening + math.floor(grows) if math.isfinite(grows) else math.nan
                    ),
                    **_told_ends(subject, rate, horizon_years, growth, grows),
                }
            )
    return pd.DataFrame(records, columns=list(_COLUMNS))


def _told_ends(
    subject: Subject, rate: float, horizon_years: int, growth: float, growing_years: float
) -> dict[str, float]:
    """Return the economics of a subject at the worst and the best of its ranges."""
    found = dict.fromkeys(_ENDS, math.nan)
    if subject.saving_ends is None and not subject.capex_ends:
        return found
    saving = subject.saving_ends or (subject.saving_musd_per_year,) * 2
    capex = subject.capex_ends or tuple((p.capex_musd, p.capex_musd) for p in subject.projects)
    for name, saved, side in (("low", saving[0], 1), ("high", saving[1], 0)):
        built = [
            with_capex(project, ends[side])
            for project, ends in zip(subject.projects, capex, strict=True)
        ]
        flows = cash_flows(
            built, saved, horizon_years=horizon_years, growth=growth, growing_years=growing_years
        )
        found[f"saving_{name}"] = saved
        found[f"npv_{name}_musd"] = appraise(flows, rate)["npv_musd"]
        found[f"eirr_{name}"] = internal_rate(flows.net)
    found["capex_low_musd"] = sum(ends[0] for ends in capex)
    found["capex_high_musd"] = sum(ends[1] for ends in capex)
    return found


_ENDS: Final = (
    "saving_low", "saving_high", "capex_low_musd", "capex_high_musd", "npv_low_musd",
    "npv_high_musd", "eirr_low", "eirr_high",
)  # fmt: skip
_COLUMNS: Final = (
    "subject", "rate", "capex_musd", "saving_musd_per_year", "goods_musd_per_year", "npv_musd",
    "eirr", "benefit_cost_ratio", "payback_years", "switching_cost", "switching_benefit",
    "opening_year", "first_year_return", "saturation_year", *_ENDS,
)  # fmt: skip


def saturation_years(utilization: float, growth: float) -> float:
    """Return the years until something is full; inf where it never is or nothing is known.

    Formula: ln(1 / utilization) / ln(1 + growth).

    Examples
    --------
    >>> round(saturation_years(0.5, 0.04), 2), saturation_years(0.5, 0.0)
    (17.67, inf)
    """
    if not (growth > 0.0 and utilization > 0.0):
        return math.inf
    return max(-math.log(utilization) / math.log1p(growth), 0.0)


def shipment_costs(problem: FlowProblem, result: FlowResult) -> FloatArray:
    """Return what each shipment's use costs, without what stays at home [USD/day], (n,).

    The delay that a pool's load makes is shared by load, so that all shares add up to the
    objective but for the price of unmet demand.
    """
    n_arcs = problem.graph.n_arcs
    sizes = np.array([arcs.size for arcs in result.path_arcs], np.intp)
    arcs = np.concatenate([np.zeros(0, np.int32), *result.path_arcs]).astype(np.intp)
    path = np.repeat(np.arange(sizes.size), sizes)
    shipment = result.path_commodity.astype(np.intp)
    flow = np.asarray(result.path_flow, dtype=np.float64)
    classes = np.asarray(problem.commodity_class)[shipment][path]
    cost = np.broadcast_to(problem.cost, (problem.n_classes, n_arcs))
    price: FloatArray = cost[classes, arcs]
    if problem.pools is not None:
        load = np.maximum(result.pool_load, 1e-12)
        mean = np.where(result.pool_delay > 0.0, result.pool_delay / load, 0.0)
        price = price + (problem.pools.matrix.T @ mean)[classes * n_arcs + arcs]
    steps = price * flow[path]
    total = np.bincount(shipment[path], steps, problem.n_commodities)
    return np.asarray(total, dtype=np.float64)


def benefit_table(
    before: tuple[Case, FlowResult] | None, after: tuple[Case, FlowResult] | None
) -> pd.DataFrame:
    """Return who saves what: by commodity, by state of the shipments, and background at posts.

    Parameters
    ----------
    before, after
        Case and solution without and with the portfolio, on the same shipments; None where there
        is none, and then nothing is told.

    Returns
    -------
    DataFrame
        ``scope`` (``commodity``, ``country``, ``background``), ``item``, ``musd_per_year``, of
        which ``goods_musd_per_year`` are goods newly carried, at their own value. By country a
        shipment's saving goes half to the state of its origin and half to that of its
        destination; the background's to the state whose post it is. The commodities add up to what
        all shipments save, so do the countries.
    """
    if before is None or after is None:
        return pd.DataFrame(columns=["scope", "item", "musd_per_year", "goods_musd_per_year"])
    model = before[0].model
    use = [shipment_costs(case.problem, result) for case, result in (before, after)]
    newly = (before[1].unmet - after[1].unmet) * goods_usd_per_t(model)
    saved = pd.DataFrame({"musd_per_year": use[0] - use[1] + newly, "goods_musd_per_year": newly})
    saved *= DAYS_PER_YEAR / 1e6
    shipments = model.shipments
    goods = shipments.commodities[shipments.commodity]
    ends = [shipments.place_country[place] for place in (shipments.origin, shipments.destination)]
    waits = before[0].standing_usd_per_day - after[0].standing_usd_per_day
    net = model.supernetwork
    states = np.array(net.countries, dtype=object)[net.arc_country]
    of_posts = pd.DataFrame(
        {"musd_per_year": waits * DAYS_PER_YEAR / 1e6, "goods_musd_per_year": 0.0}
    )
    both = pd.concat([saved, saved], ignore_index=True) / 2.0
    parts = (
        ("commodity", saved.groupby(goods).sum()),
        ("country", both.groupby(np.concatenate(ends)).sum()),
        ("background", of_posts.groupby(states).sum()),
    )
    tables = [sums.rename_axis("item").reset_index().assign(scope=scope) for scope, sums in parts]
    table = pd.concat(tables, ignore_index=True)
    trifle = (table["scope"] == "background") & (table["musd_per_year"].abs() < _TRIFLE)
    columns = ["scope", "item", "musd_per_year", "goods_musd_per_year"]
    return table.loc[~trifle, columns].reset_index(drop=True)
