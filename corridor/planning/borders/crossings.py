"""The verb ``crossing``: one border crossing, stage by stage and hour by hour."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from corridor.border import MAX_UTILIZATION
from corridor.border.assumed import (
    FINDS,
    SEPARATION,
    VEHICLES_PER_KM,
    Assumed,
    assumption_rows,
)
from corridor.border.day_profiles import Calendar, DayProfile, day_profile, profile_table
from corridor.border.next_servers import fixed_range_h, one_more_server, profile_saving_h_per_day
from corridor.border.worksheets import ENTRY, EXIT, Worksheet
from corridor.network import Network
from corridor.network.hours import parse_hours
from corridor.planning.borders.arrival_profiles import arrival_profile
from corridor.planning.borders.cases import BorderCase, at_sea, open_cases
from corridor.planning.borders.ferries import Ferry, ferries
from corridor.planning.borders.regime_comparison import SEALED, regime_table, skipped_under_seal
from corridor.planning.results import Plan
from corridor.sovereignty import Rules
from corridor.units import DAYS_PER_YEAR

FloatArray: TypeAlias = NDArray[np.float64]

TABLES: Final = (
    "ways",
    "posts",
    "stages",
    "hours",
    "servers",
    "blocking",
    "regimes",
    "ferries",
    "assumptions",
)
"""Names of the tables of a crossing."""
P95: Final = 0.95
_TAILS_H: Final = (1.0, 4.0)
_ROUNDING: Final = 1e-6


@dataclass(frozen=True, kw_only=True, eq=False)
class Crossing:
    """A border crossing under its regime: what every stage does, and what would change it.

    Time at a post = fixed delay (permits, queues of paper that no server shortens) + service +
    queue. Means are over loaded vehicles. Each table is computed when it is first read.

    Attributes
    ----------
    crossing_id, name, layer, status, regime, opening_hours, date
        The crossing, and the regime in force by rule or table.
    has_plan
        Whether a plan's vehicles were added to the background.
    usd_per_vehicle_h
        Value of an hour that a vehicle waits with its cargo [USD/h].
    ways
        A row a direction, both posts together: ``from_country, to_country, vehicles_per_day,
        background_vehicles_per_day, capacity_per_day, utilization, bottleneck_stage,
        bottleneck_country, fixed_h, service_h, wait_h, time_h, fee_usd_per_vehicle``; ``beyond_h``
        is what an equilibrium waits in front of a full post besides.
    posts
        A row a direction and post: ``from_country, to_country, country, direction, host,
        arrivals_per_day, utilization, fixed_h, opening_wait_h`` (part of the fixed delay),
        ``service_h, wait_h, time_h, p95_h`` (of the time), ``day_wait_h`` with ``day_wait_low_h,
        day_wait_high_h`` (mean wait over the day's profile, closed hours included, and at the ends
        of the range of its swing), ``is_lasting`` and ``reason`` (why the steady wait is infinite;
        the day's wait is then that of one period from an empty post).
    stages
        A row a direction, post and stage, in order: ``from_country, to_country, country, order,
        stage, class, regime, servers, is_shared`` (with the other direction), ``service_min,
        share, open_h_per_day, arrivals_per_day`` (sent to the stage), ``utilization, wait_h``,
        ``p_over_1h, p_over_4h`` (of the wait), ``day_wait_h``.
    hours
        Waits by slot of the day, or of the week where days differ: see `profile_table`.
    servers
        A row a stage, what one more server there saves at this traffic: ``country, direction,
        stage, servers, utilization, wait_h, saved_h_per_day`` with ``saved_h_low, saved_h_high``,
        ``day_saved_h_per_day`` (over the day's profile), ``saved_usd_per_year`` with
        ``saved_usd_low, saved_usd_high, low_by, high_by`` (the ranges that do it),
        ``solved_usd_per_year`` and ``most_usd_per_year`` (what the plan tells of its most utilized
        stages, traffic that comes because of the server included: solved again, and a bound; NaN
        elsewhere, see ``next_servers`` of `corridor.plan`), ``fixed_h, fixed_low_h, fixed_high_h``
        (the delay at the post that it cannot touch), ``time_h``.
    blocking
        A row a direction over land by road: ``from_country, to_country, space_vehicles`` between
        the posts, ``queue_vehicles`` (mean, steady) and ``peak_queue_vehicles`` (day's profile) of
        the entry post, ``spills_h_per_day`` (hours in which the mean queue reaches back to the exit
        post), ``binding_country``. Shown, not fed back: servers of the exit post go on.
    regimes
        The same traffic under each regime: see `regime_table`.
    ferries
        Where vehicles come ashore by ferry: ``country, batch, landings_per_day, stage, wait_h,
        batch_wait_h`` (of the first stage, arrivals one by one as in plans, and by shiploads).
    assumptions
        What was taken for granted here: ``assumption, value, low, high, unit, meaning``.
    case, swing, peak
        What the tables are computed from: the crossing compiled, by how much arrivals swing over
        the day, and the hour of their peak.
    """

    crossing_id: str
    name: str
    layer: str
    status: str
    regime: str
    opening_hours: str
    date: dt.date | None
    has_plan: bool
    usd_per_vehicle_h: float
    case: BorderCase = field(repr=False)
    swing: Assumed = field(repr=False)
    peak: Assumed = field(repr=False)

    @cached_property
    def _sheet(self) -> Worksheet:
        """The worksheet under the regime in force."""
        return self.case.planned_sheet()

    def _profile(self, swing: float) -> DayProfile:
        calendar = Calendar.of(parse_hours(self.opening_hours), swing, self.peak.value)
        return day_profile(self._sheet, calendar, at_sea=at_sea(self.case))

    @cached_property
    def _day(self) -> DayProfile:
        """The day at the likely swing."""
        return self._profile(self.swing.value)

    @cached_property
    def _shiploads(self) -> list[Ferry]:
        return ferries(self.case, self._sheet)

    @cached_property
    def ways(self) -> pd.DataFrame:
        """A row a direction, both posts together."""
        return _ways(self.case, self._sheet)

    @cached_property
    def posts(self) -> pd.DataFrame:
        """A row a direction and post."""
        ends = [self._profile(size) for size in (self.swing.low, self.swing.high)]
        return _posts(self.case, self._sheet, [self._day, *ends])

    @cached_property
    def stages(self) -> pd.DataFrame:
        """A row a direction, post and stage, in order."""
        return _stages(self.case, self._sheet, self._day)

    @cached_property
    def hours(self) -> pd.DataFrame:
        """Waits by slot of the day, or of the week where days differ."""
        return profile_table(self._day, self.case.names)

    @cached_property
    def servers(self) -> pd.DataFrame:
        """A row a stage, what one more server there saves."""
        return _servers(self.case, self._sheet, self._day)

    @cached_property
    def blocking(self) -> pd.DataFrame:
        """A row a direction by road: where the queue reaches back to the exit post."""
        return _blocking(self.case, self._sheet, self._day)

    @cached_property
    def regimes(self) -> pd.DataFrame:
        """The same traffic under each regime."""
        return regime_table(self.case)

    @cached_property
    def ferries(self) -> pd.DataFrame:
        """Where vehicles come ashore by ferry."""
        return pd.DataFrame(self._shiploads, columns=Ferry._fields)

    @cached_property
    def assumptions(self) -> pd.DataFrame:
        """What was taken for granted here."""
        return _assumptions(self.case, self.swing, self.peak, self._shiploads)

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """All tables by name."""
        return {name: getattr(self, name) for name in TABLES}

    def __repr__(self) -> str:
        said = "; ".join(
            f"{way.from_country}>{way.to_country} {way.time_h:.1f} h, {way.utilization:.0%} used"
            for way in self.ways.itertuples()
        )
        return f"Crossing({self.crossing_id!r}, {self.regime}: {said})"


def crossing(
    network: Network, crossing_id: str, rules: Rules | None = None, plan: Plan | None = None
) -> Crossing:
    """Return what happens at a border crossing, and what would change it.

    Parameters
    ----------
    network
        The network as of its date.
    crossing_id
        The crossing.
    rules
        Rules as of their date: they set its regime, and the inspection floors that every regime is
        held against. None is no rules.
    plan
        A plan of this network: its vehicles come on top of the background, and its numbers are
        those of ``plan.crossings``. None is the background alone.

    Returns
    -------
    Crossing
        Stages, posts, hours, next servers and regimes.

    Raises
    ------
    InputError
        If the crossing is unknown, network and rules do not fit, or the plan is of another network.

    Examples
    --------
    >>> import corridor
    >>> post = corridor.crossing(corridor.load_network("crossroads"), "agarak-road")
    >>> post.stages.loc[post.stages["country"] == "ARM", "stage"].unique().tolist()
    ['documents', 'sanitary', 'scanner', 'inspection']
    """
    return crossings_of(network, [crossing_id], rules, plan)[0]


def crossings_of(
    network: Network,
    crossing_ids: Iterable[str],
    rules: Rules | None = None,
    plan: Plan | None = None,
) -> list[Crossing]:
    """Return several crossings, each as `crossing` returns it; the network is compiled once.

    Parameters
    ----------
    network, rules, plan
        As of `crossing`.
    crossing_ids
        The crossings, in the order of the answer.

    Raises
    ------
    InputError
        As `crossing`.

    Examples
    --------
    >>> import corridor
    >>> net = corridor.load_network("crossroads")
    >>> [post.name for post in crossings_of(net, ["sarpi-road", "lars-road"])]
    ['Sarpi / Sarp', 'Kazbegi / Verkhny Lars']
    """
    cases = open_cases(network, crossing_ids, rules, plan)
    return [_crossing(case) for case in cases]


def _crossing(case: BorderCase) -> Crossing:
    swing, peak = arrival_profile(case)
    return Crossing(
        crossing_id=str(case.row["crossing_id"]),
        name=str(case.row["name"]),
        layer=str(case.row["layer"]),
        status=str(case.row["status"]),
        regime=case.regime,
        opening_hours=str(case.row["opening_hours"]),
        date=case.model.network.date,
        has_plan=case.plan is not None,
        usd_per_vehicle_h=case.usd_per_vehicle_h,
        case=case,
        swing=swing,
        peak=peak,
    )


def _ways(case: BorderCase, sheet: Worksheet) -> pd.DataFrame:
    wait = sheet.post_wait_h(sheet.wait_h)
    rows = []
    for way in case.ways:
        leaves, enters = case.names[way]
        tightest = sheet.tightest(way)
        stage = sheet.stages.iloc[tightest]
        parts = {
            "fixed_h": float(sheet.fixed_h[way].sum()),
            "service_h": float(sheet.service_h[way].sum()),
            "wait_h": float(wait[way].sum()),
            "beyond_h": _beyond_h(case, way, float(wait[way].sum())),
        }
        rows.append(
            {
                "from_country": leaves,
                "to_country": enters,
                "vehicles_per_day": float(case.traffic.vehicles[way].sum()),
                "background_vehicles_per_day": float(case.traffic.background[way]),
                "capacity_per_day": sheet.capacity_per_day(way, MAX_UTILIZATION),
                "utilization": float(sheet.utilization[tightest]),
                "bottleneck_stage": stage["stage"],
                "bottleneck_country": stage["country"],
                **parts,
                "time_h": sum(parts.values()),
                "fee_usd_per_vehicle": float(sheet.fee_usd[way].sum()),
            }
        )
    return pd.DataFrame(rows)


def _beyond_h(case: BorderCase, way: int, wait_h: float) -> float:
    """Return what a plan waits over its servers' queues: in front of full posts [h]."""
    if case.plan is None or not np.isfinite(wait_h):
        return 0.0
    told = case.plan.crossings
    at = told[
        (told["crossing_id"] == case.row["crossing_id"])
        & (told["from_country"] == case.names[way][0])
    ]
    beyond = float(at["wait_h"].iloc[0]) - wait_h if len(at) else 0.0
    return beyond if beyond > _ROUNDING else 0.0


def _ends(case: BorderCase) -> list[tuple[int, int, dict[str, Any]]]:
    """Return way, end and labels of every post, in the order in which tables have them."""
    found = []
    for way in case.ways:
        leaves, enters = case.names[way]
        for end, country in ((EXIT, leaves), (ENTRY, enters)):
            labels = {"from_country": leaves, "to_country": enters, "country": country}
            found.append((way, end, labels))
    return found


def _posts(case: BorderCase, sheet: Worksheet, profiles: list[DayProfile]) -> pd.DataFrame:
    wait, p95 = sheet.post_wait_h(sheet.wait_h), sheet.time_quantile_h(P95)
    of_day, of_low, of_high = (profile.mean_post_wait_h() for profile in profiles)
    lasting = profiles[0].is_lasting
    rows = []
    for way, end, labels in _ends(case):
        at = sheet.serves[:, way, end] > 0.0
        fixed, service = float(sheet.fixed_h[way, end]), float(sheet.service_h[way, end])
        rows.append(
            labels
            | {
                "direction": "out" if end == EXIT else "in",
                "host": str(sheet.stages["host"][at].iloc[0]) if at.any() else "",
                "arrivals_per_day": float(case.traffic.total[way]),
                "utilization": float(sheet.utilization[at].max(initial=0.0)),
                "fixed_h": fixed,
                "opening_wait_h": float(sheet.opening_wait_h[way, end]),
                "service_h": service,
                "wait_h": float(wait[way, end]),
                "time_h": fixed + service + float(wait[way, end]),
                "p95_h": float(p95[way, end]),
                "day_wait_h": float(of_day[way, end]),
                "day_wait_low_h": float(of_low[way, end]),
                "day_wait_high_h": float(of_high[way, end]),
                "is_lasting": bool(lasting[at].all()),
                "reason": sheet.reason(way, end),
            }
        )
    return pd.DataFrame(rows)


def _stages(case: BorderCase, sheet: Worksheet, profile: DayProfile) -> pd.DataFrame:
    over = [sheet.wait_tail(hours) for hours in _TAILS_H]
    weight = profile.stage_arrivals * profile.calendar.length
    with np.errstate(divide="ignore", invalid="ignore"):
        of_day = (weight * profile.stage_wait_h).sum(axis=1) / weight.sum(axis=1)
    table = sheet.stages[
        ["order", "stage", "class", "regime", "servers", "service_min", "share", "open_h_per_day"]
    ].assign(
        is_shared=sheet.stages["direction"] == "both",
        arrivals_per_day=sheet.arrivals_per_day,
        utilization=sheet.utilization,
        wait_h=sheet.wait_h,
        p_over_1h=over[0],
        p_over_4h=over[1],
        day_wait_h=np.nan_to_num(of_day),
    )
    table["regime"] = table["regime"].where(table["regime"] != "", case.regime)
    parts = []
    for way, end, labels in _ends(case):
        rows = table[sheet.serves[:, way, end] > 0.0].sort_values("order", kind="stable")
        parts.append(
            pd.concat([pd.DataFrame([labels] * len(rows), index=rows.index), rows], axis=1)
        )
    return pd.concat(parts, ignore_index=True)


def _servers(case: BorderCase, sheet: Worksheet, profile: DayProfile) -> pd.DataFrame:
    uncertainty = case.uncertainty(sheet)
    saving = one_more_server(sheet, case.usd_per_vehicle_h, uncertainty)
    fixed_low, fixed_high = fixed_range_h(sheet, uncertainty)
    time_h = sheet.fixed_h + sheet.service_h + sheet.post_wait_h(sheet.wait_h)
    solved, most = _solved(case, sheet)

    def of_post(values: FloatArray) -> FloatArray:
        """Return the mean over the posts of each stage, the ways weighted by their vehicles."""
        weight = (sheet.serves > 0.0) * np.maximum(case.traffic.total, _ROUNDING)[None, :, None]
        finite = np.where(weight > 0.0, values[None], 0.0)
        return np.asarray((weight * finite).sum(axis=(1, 2)) / weight.sum(axis=(1, 2)))

    columns = ["country", "direction", "stage", "servers"]
    table = sheet.stages[columns].assign(
        utilization=sheet.utilization,
        wait_h=sheet.wait_h,
        saved_h_per_day=saving.hours_per_day,
        saved_h_low=saving.hours_low,
        saved_h_high=saving.hours_high,
        day_saved_h_per_day=profile_saving_h_per_day(sheet, profile),
        saved_usd_per_year=saving.usd_per_day * DAYS_PER_YEAR,
        saved_usd_low=saving.usd_low * DAYS_PER_YEAR,
        saved_usd_high=saving.usd_high * DAYS_PER_YEAR,
        low_by=saving.low_by,
        high_by=saving.high_by,
        solved_usd_per_year=solved,
        most_usd_per_year=most,
        fixed_h=of_post(sheet.fixed_h),
        fixed_low_h=of_post(fixed_low),
        fixed_high_h=of_post(fixed_high),
        time_h=of_post(time_h),
    )
    return table.sort_values("saved_usd_per_year", ascending=False, ignore_index=True)


def _solved(case: BorderCase, sheet: Worksheet) -> tuple[FloatArray, FloatArray]:
    """Return what the plan tells of one more server: solved again, and at most [USD/year].

    A plan speaks of the most utilized stage of each way; NaN elsewhere.
    """
    value, most = (np.full(len(sheet.stages), np.nan) for _ in range(2))
    if case.plan is None:
        return value, most
    told = case.plan.crossings
    told = told[told["crossing_id"] == case.row["crossing_id"]]
    stages = sheet.stages
    for way in told.to_dict("records"):
        country = way["bottleneck_country"]
        here = (stages["country"] == country) & (stages["stage"] == way["bottleneck_stage"])
        here &= stages["direction"].isin(
            ["out" if country == way["from_country"] else "in", "both"]
        )
        at = here.to_numpy(bool)
        value[at] = np.fmax(value[at], way["next_server_usd_per_year"])
        most[at] = np.fmax(most[at], way["next_server_most_usd_per_year"])
    return value, most


def _blocking(case: BorderCase, sheet: Worksheet, profile: DayProfile) -> pd.DataFrame:
    """Return where the queue of the entry post reaches back to the exit post."""
    columns = ["from_country", "to_country", "space_vehicles", "queue_vehicles"]
    columns += ["peak_queue_vehicles", "spills_h_per_day", "binding_country"]
    if str(case.layer["mode"]) != "road":
        return pd.DataFrame(columns=columns)
    links = case.model.network.links
    length_km = float(links.loc[links["crossing_id"] == case.row["crossing_id"], "length_km"].sum())
    space = length_km * VEHICLES_PER_KM.value
    waiting = sheet.arrivals_per_day / sheet.column("open_h_per_day") * sheet.wait_h
    rows: list[dict[str, Any]] = []
    for way in case.ways:
        leaves, enters = case.names[way]
        at = sheet.serves[:, way, ENTRY] > 0.0
        by_hour = profile.stage_queue[at].sum(axis=0)
        spilled = float(profile.calendar.length[by_hour > space].sum()) / profile.calendar.days
        tightest = sheet.tightest(way)
        values = (leaves, enters, space, float(waiting[at].sum()), float(by_hour.max(initial=0.0)))
        country = sheet.stages["country"].iloc[tightest]
        rows.append(dict(zip(columns, (*values, spilled, country), strict=True)))
    return pd.DataFrame(rows, columns=columns)


def _assumptions(
    case: BorderCase, swing: Assumed, peak: Assumed, shiploads: list[Ferry]
) -> pd.DataFrame:
    chosen = [("arrival_swing", swing), ("arrival_peak_h", peak)]
    if str(case.layer["mode"]) == "road":
        chosen.append(("vehicles_per_km", VEHICLES_PER_KM))
    for name, table in (("separation", SEPARATION), ("finds", FINDS)):
        chosen += [(f"{name}:{stage}", value) for stage, value in table.items()]
    for boat in shiploads:
        batch = Assumed(
            boat.batch, boat.batch, boat.batch, "vehicles", "mean shipload, by services"
        )
        chosen.append((f"batch:{boat.country}", batch))
    skips = ", ".join(sorted(skipped_under_seal(case)))
    said = Assumed(np.nan, np.nan, np.nan, "", f"goods {SEALED} skip: {skips}")
    return assumption_rows([*chosen, ("skipped_under_seal", said)])
