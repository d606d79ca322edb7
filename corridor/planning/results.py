"""What a planning verb returns: named tables with units, frozen."""

import datetime as dt
from dataclasses import dataclass
from typing import Literal, TypeAlias

import pandas as pd

Status: TypeAlias = Literal["optimal", "partial", "feasible", "infeasible", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plan:
    """The use of a network, best possible or by choice: flows, prices, what stands in the way.

    Attributes
    ----------
    status
        ``optimal`` (all demand served, gap within tolerance), ``partial`` (proved, and some demand
        cannot be served: `unmet` says which and why), ``feasible`` (a limit stopped the solver),
        ``infeasible`` (rules contradict each other even when nothing need be served), ``unknown``.
    limit
        What stopped the solver, or None.
    objective_usd_per_day
        Generalized cost of what is served, queues included, and the price of unmet demand
        [USD/day]; NaN without a plan.
    gap
        Of an optimum (objective - lower bound) / objective. Of a deterministic equilibrium what is
        spent above the cheapest ways, over all that is spent; of a logit the share of the demand
        that would choose otherwise.
    date
        The day whose works and rules were planned with.
    served_t_per_day, demand_t_per_day
        Totals [t/day].
    links
        ``link_id, direction, from_node, to_node, layer, t_per_day, teu_per_day, vehicles_per_day,
        utilization, shadow_price_usd_per_t``; utilization is NaN where no capacity is known.
    crossings
        One row per crossing and direction: ``crossing_id, from_country, to_country, layer,
        t_per_day, teu_per_day, vehicles_per_day, background_vehicles_per_day, utilization,
        bottleneck_stage, bottleneck_country, fixed_h, service_h, wait_h, cost_usd_per_t,
        cost_usd_per_vehicle``, and three prices that are often mixed up:
        ``marginal_delay_usd_per_vehicle``, what one vehicle more costs all others in the queues;
        ``capacity_price_usd_per_vehicle``, what it takes to turn away those for whom a full post
        has no room (0 while it is not full); and ``next_server_usd_per_year``, what one more
        server at the bottleneck stage saves in a year, solved again with it there. That is told
        where it was asked for (``next_servers`` of the verb) or where two bounds agree, else NaN:
        ``next_server_at_flow_usd_per_year``, the delay that it saves all vehicles with nobody
        going another way, which is at least so much for an optimum, and
        ``next_server_most_usd_per_year``, by duality (NaN for an equilibrium).
    paths
        ``origin, destination, commodity, path_id, t_per_day, time_h, border_h, moving_h,
        terminal_h, service_wait_h, cost_usd_per_t, border_usd_per_t, generalized_usd_per_t,
        co2_kg_per_t, length_km, links, crossings, countries``; lists are joined with ``>``, and
        moving, border, terminal and service wait add up to the time.
    rules
        ``rule_id, kind, title, binding, price, unit`` (``usd_per_t``, ``usd_per_vehicle``,
        ``usd_per_teu`` or ``usd_per_train``); quotas, shares, bands and floors have a price: what
        one unit more of the limit would save.
    countries
        ``country, t_km_per_day, transit_t_per_day, revenue_usd_per_day, share``; share is transit
        by served demand.
    unmet
        ``origin, destination, commodity, t_per_day, reason`` (``no_path``, ``rule``, ``capacity``)
        and ``rules`` (ids joined with ``>``).
    stages
        Queues behind `crossings`: ``crossing_id, country, direction`` (``in``, ``out``, ``both``),
        ``regime, order, class, stage, servers, vehicles_per_day, background_vehicles_per_day,
        utilization, wait_h, capacity_price_usd_per_vehicle``.
    compliance
        How the plan stands to the four principles: ``principle, verdict, rules, detail``, see
        `corridor.planning.reasons.compliance.compliance_table`.
    assumptions
        Every blank that was filled, and what was taken for granted.
    indicators
        ``indicator, unit, value, scope, direction, commodity``.
    """

    status: Status
    limit: str | None
    objective_usd_per_day: float
    gap: float
    date: dt.date | None
    served_t_per_day: float
    demand_t_per_day: float
    links: pd.DataFrame
    crossings: pd.DataFrame
    paths: pd.DataFrame
    rules: pd.DataFrame
    countries: pd.DataFrame
    unmet: pd.DataFrame
    stages: pd.DataFrame
    compliance: pd.DataFrame
    assumptions: pd.DataFrame
    indicators: pd.DataFrame

    def __repr__(self) -> str:
        served = f"{self.served_t_per_day:,.0f} of {self.demand_t_per_day:,.0f} t/day"
        cost = f"{self.objective_usd_per_day:,.0f} USD/day, gap {self.gap:.1e}"
        return f"Plan({self.status}, {served}, {cost})"
