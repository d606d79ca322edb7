"""Indicators of a plan in the field's own terms (CAREC CPMM, screenlines, HHI), as one long table.

TFI1 and TFI2 are hours and USD at one border post, averaged over the vehicles that pass; TFI3 is
USD for 500 km and 20 t in tariffs, returning empties and fees, so it lies below CPMM's own by the
hours of vehicle and crew, which count as time here (`ArcCosts.usd_per_t_h`), as they do in every
other cost per tonne; TFI4 is speed: SWOD without delay (km by moving hours) and SWD with delay
(km by all hours of the mode).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from corridor.network.supernetwork import ArcKind
from corridor.planning.answer import FlowAnswer
from corridor.planning.tables import SEPARATOR, teu_per_t
from corridor.planning.weighted import ratio, weighted_mean, weighted_quantile
from corridor.units import DAYS_PER_YEAR, HOURS_PER_DAY, KG_PER_T, T_PER_MT

FloatArray: TypeAlias = NDArray[np.float64]

COLUMNS: Final = ["indicator", "unit", "value", "scope", "direction", "commodity"]
SECTION_KM: Final = 500.0
SECTION_T: Final = 20.0
CROWDED: Final = 0.8
"""Utilization above which a crossing counts as crowded."""

_K: Final = 1e3
_M: Final = 1e6
_BN: Final = 1e9
_MT_PER_YEAR: Final = DAYS_PER_YEAR / T_PER_MT
"""Mt a year in one tonne a day."""
_BORDER_NUMBERS: Final = (
    "t_per_day",
    "vehicles_per_day",
    "utilization",
    "fixed_h",
    "service_h",
    "wait_h",
    "cost_usd_per_t",
    "marginal_delay_usd_per_vehicle",
    "capacity_price_usd_per_vehicle",
    "next_server_at_flow_usd_per_year",
)


_PRICED: Final = (
    "t_per_day",
    "marginal_delay_usd_per_vehicle",
    "capacity_price_usd_per_vehicle",
    "next_server_at_flow_usd_per_year",
)


class _Rows:
    """Collects indicator rows."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, str, float, str, str, str]] = []

    def add(
        self,
        indicator: str,
        unit: str,
        value: float,
        scope: str = "",
        direction: str = "",
        commodity: str = "",
    ) -> None:
        """Add one value; what cannot be said is NaN and stays blank."""
        self.rows.append((indicator, unit, float(value), scope, direction, commodity))

    def frame(self) -> pd.DataFrame:
        """Return the long table."""
        return pd.DataFrame(self.rows, columns=COLUMNS)


def plan_indicators(
    answer: FlowAnswer,
    paths: pd.DataFrame,
    crossings: pd.DataFrame,
    countries: pd.DataFrame,
    unmet: pd.DataFrame,
    rules: pd.DataFrame,
    carried_usd_per_day: float,
) -> pd.DataFrame:
    """Return every indicator of a plan.

    Parameters
    ----------
    answer
        The evaluated flow.
    paths, crossings, countries, unmet, rules
        The plan's tables.
    carried_usd_per_day
        Generalized cost of what is served, without a price for what is not.

    Returns
    -------
    DataFrame
        ``indicator, unit, value, scope, direction, commodity``; annual volumes are 365 days.
        ``total_cost`` is the generalized cost of what is served. ``unmet_value`` is what the goods
        that stay at home are worth, ``total_loss`` the sum of both: plans that do not carry the
        same goods are held against each other by it, as `unmet_usd_per_t` only steers.
    """
    rows = _Rows()
    _totals(rows, answer, unmet)
    _losses(rows, answer, carried_usd_per_day)
    _door_to_door(rows, paths)
    _borders(rows, answer, crossings)
    _modes(rows, answer)
    _states(rows, countries)
    _screenlines(rows, answer)
    _rules(rows, rules)
    return rows.frame()


def _totals(rows: _Rows, answer: FlowAnswer, unmet: pd.DataFrame) -> None:
    model = answer.model
    mt = DAYS_PER_YEAR / T_PER_MT
    served = answer.path_t_per_day.sum()
    rows.add("demand", "Mt_per_year", model.t_per_day.sum() * mt)
    rows.add("served", "Mt_per_year", served * mt)
    goods = model.network.commodities["commodity_id"].to_numpy(object)
    by_good = np.bincount(
        model.shipments.commodity[answer.path_shipment],
        weights=answer.path_t_per_day,
        minlength=goods.size,
    )
    for name, t in zip(goods, by_good, strict=True):
        rows.add("served", "Mt_per_year", t * mt, commodity=name)
    rows.add("unmet", "Mt_per_year", answer.unmet_t_per_day.sum() * mt)
    for reason in ("no_path", "rule", "capacity"):
        rows.add(
            "unmet",
            "Mt_per_year",
            unmet.loc[unmet["reason"] == reason, "t_per_day"].sum() * mt,
            scope=reason,
        )
    flow = answer.step_t_per_day
    km = model.supernetwork.arc_length_km[answer.path_arc]
    t_km = float((flow * km).sum())
    co2_kg = float((flow * answer.step_of(model.costs.co2_kg_per_t)).sum())
    rows.add("transport", "bn_t_km_per_year", t_km * DAYS_PER_YEAR / 1e9)
    rows.add("co2", "kt_per_year", co2_kg / KG_PER_T * DAYS_PER_YEAR / _K)
    rows.add("co2_intensity", "g_per_t_km", ratio(co2_kg * _K, t_km))


def _losses(rows: _Rows, answer: FlowAnswer, carried_usd_per_day: float) -> None:
    model, musd = answer.model, DAYS_PER_YEAR / _M
    value = model.network.commodities["value_usd_per_t"].to_numpy(float)
    lost = float(answer.unmet_t_per_day @ value[model.shipments.commodity])
    rows.add("total_cost", "musd_per_year", carried_usd_per_day * musd)
    rows.add("unmet_value", "musd_per_year", lost * musd)
    rows.add("total_loss", "musd_per_year", (carried_usd_per_day + lost) * musd)


def _door_to_door(rows: _Rows, paths: pd.DataFrame) -> None:
    t = paths["t_per_day"].to_numpy(float)
    days = paths["time_h"].to_numpy(float) / HOURS_PER_DAY
    rows.add("door_to_door_time_mean", "d", weighted_mean(days, t))
    rows.add("door_to_door_time_median", "d", weighted_quantile(days, t, 0.5))
    rows.add("door_to_door_time_p95", "d", weighted_quantile(days, t, 0.95))
    for column, name, unit in (
        ("cost_usd_per_t", "door_to_door_cost_mean", "usd_per_t"),
        ("generalized_usd_per_t", "generalized_cost_mean", "usd_per_t"),
        ("border_usd_per_t", "border_cost_mean", "usd_per_t"),
        ("border_h", "border_time_mean", "h"),
        ("length_km", "haul_mean", "km"),
    ):
        rows.add(name, unit, weighted_mean(paths[column].to_numpy(float), t))
    crossed = paths["crossings"].map(lambda ids: len(ids.split(SEPARATOR)) if ids else 0)
    rows.add("borders_crossed_mean", "crossings", weighted_mean(crossed.to_numpy(float), t))
    total_h = paths["time_h"].to_numpy(float)
    rows.add(
        "border_share_of_time", "share", ratio((paths["border_h"] * t).sum(), (total_h * t).sum())
    )


def _borders(rows: _Rows, answer: FlowAnswer, crossings: pd.DataFrame) -> None:
    used = crossings[crossings["vehicles_per_day"] > 0]
    layers = answer.model.network.layers
    mode = used["layer"].map(dict(zip(layers["layer"], layers["mode"], strict=True)))
    column = {name: used[name].to_numpy(float) for name in _BORDER_NUMBERS}
    hours = column["fixed_h"] + column["service_h"] + column["wait_h"]
    for name in ("road", "rail"):
        weight = np.where((mode == name).to_numpy(bool), column["vehicles_per_day"], 0.0)
        # A crossing is two posts; CPMM's indicators are per post.
        per_post = weighted_mean(hours, weight) / 2.0
        rows.add("tfi1_border_time", "h_per_post", per_post, name)
        # ... and its USD are those of a shipment of 20 t: a truck, or a wagon's load of a train.
        fee = weighted_mean(column["cost_usd_per_t"] * SECTION_T, weight) / 2.0
        rows.add("tfi2_border_cost", "usd_per_20_t_per_post", fee, name)
        rows.add("queue_time_mean", "h_per_crossing", weighted_mean(column["wait_h"], weight), name)
    crowded = used.loc[column["utilization"] > CROWDED, "crossing_id"].nunique()
    rows.add("crossings_crowded", "crossings", crowded)
    utilization = column["utilization"]
    rows.add("crossing_utilization_max", "share", utilization.max() if len(used) else np.nan)
    rows.add("queue_cost", "musd_per_year", answer.queue_usd_per_day * DAYS_PER_YEAR / _M)
    ways = (used["from_country"] + "-" + used["to_country"]).tolist()
    for i, (scope, way) in enumerate(zip(used["crossing_id"].tolist(), ways, strict=True)):
        t_per_day, delay, price, saved = (column[name][i] for name in _PRICED)
        rows.add("crossing_flow", "Mt_per_year", t_per_day * _MT_PER_YEAR, scope, way)
        rows.add("crossing_time", "h", hours[i], scope, way)
        rows.add("crossing_utilization", "share", utilization[i], scope, way)
        rows.add("crossing_marginal_delay", "usd_per_vehicle", delay, scope, way)
        rows.add("crossing_capacity_price", "usd_per_vehicle", price, scope, way)
        rows.add("next_server_at_this_flow", "musd_per_year", saved / _M, scope, way)


def _modes(rows: _Rows, answer: FlowAnswer) -> None:
    """Add speeds, section costs and shares by mode."""
    model = answer.model
    net, costs = model.supernetwork, model.costs
    modes = model.network.layers["mode"].to_numpy(object)[net.arc_layer][answer.path_arc]
    moving = net.is_kind(ArcKind.TRAVEL)[answer.path_arc]
    in_vehicle = moving | net.is_kind(ArcKind.EXIT, ArcKind.ENTRY)[answer.path_arc]
    flow = answer.step_t_per_day
    vehicles = flow / answer.step_of(costs.payload_t)
    km = net.arc_length_km[answer.path_arc]
    hours = answer.step_of(costs.time_h + answer.wait_h)
    under_way = hours - model.service_wait_h[answer.path_arc]
    # CPMM's speed without delay leaves out the hours in which a crew rests.
    moves = model.filled.layers["moving_share"].to_numpy(float)[net.arc_layer][answer.path_arc]
    usd = (
        answer.step_of(costs.money_usd_per_t)
        + model.fee_usd_per_t[answer.step_class, answer.path_arc]
    )
    all_t_km = float((flow * km).sum())
    for name in ("road", "rail", "sea"):
        of_mode = modes == name
        t_km = float((flow * km)[of_mode].sum())
        rows.add("mode_share", "share", ratio(t_km, all_t_km), name)
        if name == "sea":
            continue
        vehicle_km = float((vehicles * km)[of_mode].sum())
        travelling, passing = of_mode & moving, of_mode & in_vehicle
        rows.add(
            "tfi4_swod",
            "km_per_h",
            ratio(vehicle_km, (vehicles * under_way * moves)[travelling].sum()),
            name,
        )
        rows.add("tfi4_swd", "km_per_h", ratio(vehicle_km, (vehicles * hours)[passing].sum()), name)
        section = ratio(float((flow * usd)[passing].sum()), t_km) * SECTION_KM * SECTION_T
        rows.add("tfi3_section_cost", "usd_per_500_km_20_t", section, name)


def _states(rows: _Rows, countries: pd.DataFrame) -> None:
    columns = [
        countries[name].tolist()
        for name in (
            "country", "t_km_per_day", "transit_t_per_day", "revenue_usd_per_day", "share",
        )
    ]  # fmt: skip
    for state, t_km, transit, revenue, share in zip(*columns, strict=True):
        rows.add("transit_share", "share", share, state)
        if t_km > 0 or revenue > 0:
            rows.add("transit", "Mt_per_year", transit * _MT_PER_YEAR, state)
            rows.add("revenue", "musd_per_year", revenue * DAYS_PER_YEAR / _M, state)
            rows.add("state_transport", "bn_t_km_per_year", t_km * DAYS_PER_YEAR / _BN, state)


def _rules(rows: _Rows, rules: pd.DataFrame) -> None:
    """Add the price of every rule that has one: what one unit more of its limit would save."""
    priced = rules[rules["binding"].astype(bool) & (rules["price"] > 0.0)]
    columns = (priced["rule_id"], priced["unit"], priced["price"])
    for rule_id, unit, price in zip(*columns, strict=True):
        rows.add("rule_price", unit, price, rule_id)


def _screenlines(rows: _Rows, answer: FlowAnswer) -> None:
    """Add throughput by gate in the direction it counts, totals by commodity, concentration."""
    lines, passing = answer.model.network.screenlines, _GateFlows.of(answer)
    for line, gates in lines.groupby("screenline", sort=False):
        flows: dict[tuple[str, str], FloatArray] = {}
        columns = (gates["gate"], gates["crossing_id"], gates["link_id"], gates["direction"])
        for gate, crossing_id, link_id, direction in zip(*columns, strict=True):
            for way in _WAYS if direction == "both" else (direction,):
                flows[gate, way] = passing.through(crossing_id, link_id, way)
        _throughput(rows, answer, str(line), flows)
        _concentration(rows, str(line), flows)


def _throughput(
    rows: _Rows, answer: FlowAnswer, line: str, flows: Mapping[tuple[str, str], FloatArray]
) -> None:
    goods = answer.model.network.commodities["commodity_id"].tolist()
    per_teu, kteu = teu_per_t(answer.model), DAYS_PER_YEAR / _K
    for (gate, way), flow in flows.items():
        if flow.sum() > 0:
            scope = f"{line}/{gate}"
            rows.add("throughput", "Mt_per_year", flow.sum() * _MT_PER_YEAR, scope, way)
            rows.add("throughput", "kTEU_per_year", (flow * per_teu).sum() * kteu, scope, way)
    for way in dict.fromkeys(way for _, way in flows):
        total = np.sum([flow for (_, w), flow in flows.items() if w == way], axis=0)
        rows.add("throughput", "Mt_per_year", total.sum() * _MT_PER_YEAR, line, way)
        rows.add("throughput", "kTEU_per_year", (total * per_teu).sum() * kteu, line, way)
        for name, t in zip(goods, total, strict=True):
            if t > 0:
                rows.add("throughput", "Mt_per_year", t * _MT_PER_YEAR, line, way, name)


def _concentration(rows: _Rows, line: str, flows: Mapping[tuple[str, str], FloatArray]) -> None:
    by_gate: dict[str, float] = {}
    for (gate, _), flow in flows.items():
        by_gate[gate] = by_gate.get(gate, 0.0) + float(flow.sum())
    total = sum(by_gate.values())
    hhi = sum((t / total) ** 2 for t in by_gate.values()) if total > 0 else np.nan
    rows.add("hhi", "share", hhi, line)
    for gate, t in by_gate.items():
        if t > 0:
            rows.add("gate_share", "share", t / total, f"{line}/{gate}")


_WAYS: Final = ("forward", "backward")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _GateFlows:
    """What passes every crossing and link by commodity and direction [t/day].

    Arrays have the shape (n_commodities, 2 x n); column ``2 i`` is the way back over item ``i``,
    column ``2 i + 1`` its own direction.
    """

    crossing: Mapping[str, int]
    link: Mapping[str, int]
    over_crossings: FloatArray
    over_links: FloatArray

    @classmethod
    def of(cls, answer: FlowAnswer) -> "_GateFlows":
        """Return the flows of a plan."""
        net, network = answer.model.supernetwork, answer.model.network
        crossings, links = network.crossings["crossing_id"], network.links["link_id"]
        flow = answer.arc_t_per_day
        over_crossings = np.zeros((flow.shape[0], 2 * len(crossings)))
        entry = np.flatnonzero(net.is_kind(ArcKind.ENTRY))
        way = 2 * net.arc_crossing[entry] + net.arc_a_to_b[entry]
        np.add.at(over_crossings.T, way, flow[:, entry].T)
        over_links = np.zeros((flow.shape[0], 2 * len(links)))
        main = np.flatnonzero(net.arc_is_main)
        way = 2 * net.arc_link[main] + net.arc_forward[main]
        np.add.at(over_links.T, way, flow[:, main].T)
        return cls(
            crossing={name: i for i, name in enumerate(crossings)},
            link={name: i for i, name in enumerate(links)},
            over_crossings=over_crossings,
            over_links=over_links,
        )

    def through(self, crossing_id: str, link_id: str, way: str) -> FloatArray:
        """Return what passes a crossing or link in one direction, by commodity [t/day]."""
        along = way == "forward"
        if crossing_id:
            return self.over_crossings[:, 2 * self.crossing[crossing_id] + along]
        return self.over_links[:, 2 * self.link[link_id] + along]
