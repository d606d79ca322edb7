"""Indicators of a plan in the field's own terms (CAREC CPMM, screenlines, HHI), as one long table.

TFI1 and TFI2 are hours and USD at one border post, averaged over the vehicles that pass; TFI3 is
USD for 500 km and 20 t; TFI4 is speed: SWOD without delay (km by moving hours) and SWD with delay
(km by all hours of the mode).
"""

from typing import Final, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from corridor.network.supernetwork import ArcKind
from corridor.planning.answer import FlowAnswer
from corridor.planning.tables import SEPARATOR, teu_per_t
from corridor.units import DAYS_PER_YEAR, HOURS_PER_DAY, KG_PER_T, T_PER_MT

FloatArray: TypeAlias = NDArray[np.float64]

COLUMNS: Final = ["indicator", "unit", "value", "scope", "direction", "commodity"]
WATCHED_STATES: Final = ("GEO", "ARM", "AZE", "IRN", "RUS")
"""States whose share of the traffic planners ask for."""
SECTION_KM: Final = 500.0
SECTION_T: Final = 20.0
CROWDED: Final = 0.8
"""Utilization above which a crossing counts as crowded."""

_K: Final = 1e3
_M: Final = 1e6


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
) -> pd.DataFrame:
    """Return every indicator of a plan.

    Parameters
    ----------
    answer
        The evaluated flow.
    paths, crossings, countries, unmet
        The plan's tables.

    Returns
    -------
    DataFrame
        ``indicator, unit, value, scope, direction, commodity``; annual volumes are 365 days.
    """
    rows = _Rows()
    _totals(rows, answer, unmet)
    _door_to_door(rows, paths)
    _borders(rows, answer, crossings)
    _modes(rows, answer)
    _states(rows, countries)
    _screenlines(rows, answer)
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
    rows.add("co2_intensity", "g_per_t_km", _ratio(co2_kg * _K, t_km))


def _door_to_door(rows: _Rows, paths: pd.DataFrame) -> None:
    t = paths["t_per_day"].to_numpy(float)
    days = paths["time_h"].to_numpy(float) / HOURS_PER_DAY
    rows.add("door_to_door_time_mean", "d", _mean(days, t))
    rows.add("door_to_door_time_median", "d", _quantile(days, t, 0.5))
    rows.add("door_to_door_time_p95", "d", _quantile(days, t, 0.95))
    for column, name, unit in (
        ("cost_usd_per_t", "door_to_door_cost_mean", "usd_per_t"),
        ("generalized_usd_per_t", "generalized_cost_mean", "usd_per_t"),
        ("border_usd_per_t", "border_cost_mean", "usd_per_t"),
        ("border_h", "border_time_mean", "h"),
        ("length_km", "haul_mean", "km"),
    ):
        rows.add(name, unit, _mean(paths[column].to_numpy(float), t))
    crossed = paths["crossings"].map(lambda ids: len(ids.split(SEPARATOR)) if ids else 0)
    rows.add("borders_crossed_mean", "crossings", _mean(crossed.to_numpy(float), t))
    total_h = paths["time_h"].to_numpy(float)
    rows.add(
        "border_share_of_time", "share", _ratio((paths["border_h"] * t).sum(), (total_h * t).sum())
    )


def _borders(rows: _Rows, answer: FlowAnswer, crossings: pd.DataFrame) -> None:
    land = answer.model.network.layers
    mode = dict(zip(land["layer"], land["mode"], strict=True))
    used = crossings[crossings["vehicles_per_day"] > 0]
    hours = used["fixed_h"] + used["service_h"] + used["wait_h"]
    for name in ("road", "rail"):
        of_mode = (used["layer"].map(mode) == name).to_numpy(bool)
        vehicles = used["vehicles_per_day"].to_numpy(float)[of_mode]
        # A crossing is two posts; CPMM's indicators are per post.
        rows.add(
            "tfi1_border_time",
            "h_per_post",
            _mean(hours.to_numpy(float)[of_mode], vehicles) / 2.0,
            name,
        )
        # ... and its USD are those of a shipment of 20 t: a truck, or a wagon's load of a train.
        fee = used["cost_usd_per_t"].to_numpy(float)[of_mode] * SECTION_T
        rows.add("tfi2_border_cost", "usd_per_20_t_per_post", _mean(fee, vehicles) / 2.0, name)
        wait = used["wait_h"].to_numpy(float)[of_mode]
        rows.add("queue_time_mean", "h_per_crossing", _mean(wait, vehicles), name)
    rows.add("crossings_crowded", "crossings", float((used["utilization"] > CROWDED).sum()))
    rows.add(
        "crossing_utilization_max", "share", used["utilization"].max() if len(used) else np.nan
    )
    rows.add("queue_cost", "musd_per_year", answer.queue_usd_per_day * DAYS_PER_YEAR / _M)
    for row in used.itertuples():
        scope, direction = str(row.crossing_id), f"{row.from_country}-{row.to_country}"
        rows.add(
            "crossing_flow",
            "Mt_per_year",
            row.t_per_day * DAYS_PER_YEAR / T_PER_MT,
            scope,
            direction,
        )
        rows.add("crossing_time", "h", row.fixed_h + row.service_h + row.wait_h, scope, direction)
        rows.add("crossing_utilization", "share", row.utilization, scope, direction)
        rows.add(
            "crossing_capacity_price",
            "usd_per_vehicle",
            row.capacity_price_usd_per_vehicle,
            scope,
            direction,
        )


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
    usd = (
        answer.step_of(costs.money_usd_per_t)
        + model.fee_usd_per_t[answer.step_class, answer.path_arc]
    )
    all_t_km = float((flow * km).sum())
    for name in ("road", "rail", "sea"):
        of_mode = modes == name
        t_km = float((flow * km)[of_mode].sum())
        rows.add("mode_share", "share", _ratio(t_km, all_t_km), name)
        if name == "sea":
            continue
        vehicle_km = float((vehicles * km)[of_mode].sum())
        travelling, passing = of_mode & moving, of_mode & in_vehicle
        rows.add(
            "tfi4_swod",
            "km_per_h",
            _ratio(vehicle_km, (vehicles * under_way)[travelling].sum()),
            name,
        )
        rows.add(
            "tfi4_swd", "km_per_h", _ratio(vehicle_km, (vehicles * hours)[passing].sum()), name
        )
        section = _ratio(float((flow * usd)[passing].sum()), t_km) * SECTION_KM * SECTION_T
        rows.add("tfi3_section_cost", "usd_per_500_km_20_t", section, name)


def _states(rows: _Rows, countries: pd.DataFrame) -> None:
    by_state = countries.set_index("country")
    for state in WATCHED_STATES:
        share = by_state["share"].get(state, np.nan)
        rows.add("transit_share", "share", share, state)
    for row in countries.itertuples():
        if row.t_km_per_day > 0 or row.revenue_usd_per_day > 0:
            scope = str(row.country)
            rows.add(
                "transit", "Mt_per_year", row.transit_t_per_day * DAYS_PER_YEAR / T_PER_MT, scope
            )
            rows.add(
                "revenue", "musd_per_year", row.revenue_usd_per_day * DAYS_PER_YEAR / _M, scope
            )
            rows.add(
                "state_transport", "bn_t_km_per_year", row.t_km_per_day * DAYS_PER_YEAR / 1e9, scope
            )


def _screenlines(rows: _Rows, answer: FlowAnswer) -> None:
    """Add throughput by gate and direction, totals by commodity, shares and concentration."""
    model = answer.model
    lines = model.network.screenlines
    goods = model.network.commodities["commodity_id"].to_numpy(object)
    mt, kteu = DAYS_PER_YEAR / T_PER_MT, DAYS_PER_YEAR / _K
    per_teu = teu_per_t(model)
    for line, gates in lines.groupby("screenline", sort=False):
        columns = (gates["gate"], gates["crossing_id"], gates["link_id"], gates["direction"])
        flows = {
            (gate, way): _gate_flow(answer, crossing_id, link_id, direction, way)
            for gate, crossing_id, link_id, direction in zip(*columns, strict=True)
            for way in _WAYS
        }
        for (gate, way), flow in flows.items():
            if flow.sum() > 0:
                scope = f"{line}/{gate}"
                rows.add("throughput", "Mt_per_year", flow.sum() * mt, scope, way)
                rows.add("throughput", "kTEU_per_year", (flow * per_teu).sum() * kteu, scope, way)
        for way in _WAYS:
            total = np.sum([flow for (_, w), flow in flows.items() if w == way], axis=0)
            rows.add("throughput", "Mt_per_year", total.sum() * mt, str(line), way)
            rows.add("throughput", "kTEU_per_year", (total * per_teu).sum() * kteu, str(line), way)
            for name, t in zip(goods, total, strict=True):
                if t > 0:
                    rows.add("throughput", "Mt_per_year", t * mt, str(line), way, name)
        by_gate = (
            pd.Series({key: flow.sum() for key, flow in flows.items()})
            .groupby(level=0, sort=False)
            .sum()
        )
        shares = by_gate / by_gate.sum() if by_gate.sum() > 0 else by_gate * np.nan
        rows.add("hhi", "share", (shares**2).sum(skipna=False), str(line))
        for gate, share in shares.items():
            if share > 0:
                rows.add("gate_share", "share", share, f"{line}/{gate}")


_WAYS: Final = ("forward", "backward")


def _gate_flow(
    answer: FlowAnswer, crossing_id: str, link_id: str, direction: str, way: str
) -> FloatArray:
    """Return what passes a gate in one direction of its screenline, by commodity [t/day]."""
    net, network = answer.model.supernetwork, answer.model.network
    # A gate turned "backward" lies across the screenline the other way round.
    along = (way == "forward") != (direction == "backward")
    if crossing_id:
        at = np.flatnonzero((network.crossings["crossing_id"] == crossing_id).to_numpy(bool))
        arcs = (
            np.isin(net.arc_crossing, at) & net.is_kind(ArcKind.ENTRY) & (net.arc_a_to_b == along)
        )
    else:
        at = np.flatnonzero((network.links["link_id"] == link_id).to_numpy(bool))
        arcs = np.isin(net.arc_link, at) & net.arc_is_main & (net.arc_forward == along)
    return np.asarray(answer.arc_t_per_day[:, arcs].sum(axis=1), dtype=float)


def _mean(values: FloatArray, weights: FloatArray) -> float:
    return float(np.average(values, weights=weights)) if weights.sum() > 0 else float("nan")


def _ratio(over: float, under: float) -> float:
    return float(over / under) if under > 0 else float("nan")


def _quantile(values: FloatArray, weights: FloatArray, q: float) -> float:
    """Return the smallest value that at least a share ``q`` of the weight does not exceed."""
    if not weights.sum() > 0:
        return float("nan")
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order]) >= q * weights.sum() * (1.0 - 1e-12)
    return float(values[order][reached.argmax()])
