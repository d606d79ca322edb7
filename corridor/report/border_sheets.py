"""One crossing as sheets for the terminal."""

import math
from collections.abc import Iterable, Sequence
from typing import Any, Final

import pandas as pd

from corridor.planning import Crossing
from corridor.report.border_words import ENDLESS, crossing_sentences, write_hours
from corridor.report.sheets import Column, Sheet, write_number
from corridor.units import HOURS_PER_DAY

_WEEK_BLOCK_H: Final = 6.0
_DAYS: Final = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
_OPENING_SHOWN_H: Final = 0.005


def crossing_sheets(crossing: Crossing, title: str = "") -> list[Sheet]:
    """Return a crossing for the terminal.

    Parameters
    ----------
    crossing
        What `corridor.crossing` returned.
    title
        Whose traffic it carries; for the first sheet.
    """
    sheets = [
        _summary_sheet(crossing, title),
        _posts_sheet(crossing),
        _stages_sheet(crossing),
        _hours_sheet(crossing),
        _servers_sheet(crossing),
        _regimes_sheet(crossing),
    ]
    if len(crossing.blocking):
        sheets.append(_blocking_sheet(crossing))
    if len(crossing.ferries):
        sheets.append(_ferries_sheet(crossing))
    return [*sheets, _assumptions_sheet(crossing)]


def _rows(frame: pd.DataFrame) -> Iterable[Any]:
    return frame.itertuples()


def _share(value: object) -> str:
    return write_number(value, 0, percent=True)


def _range(low: float, high: float, digits: int) -> str:
    """Return both ends; nothing where no range is given."""
    return "" if low == high else f"{write_number(low, digits)}-{write_number(high, digits)}"


def _share_range(low: float, high: float) -> str:
    return "" if math.isnan(low) else f"{_share(low)}-{_share(high)}"


def _hours_range(low: float, high: float) -> str:
    return "" if low == high else f"{write_hours(low)}-{write_hours(high)}"


def _with_range(value: float, low: float, high: float) -> str:
    """Return hours, and the ends of their range in brackets where there is one."""
    ends = _range(low, high, 1)
    return f"{value:.1f} ({ends})" if ends else f"{value:.1f}"


def _way(frame: pd.DataFrame) -> "pd.Series[str]":
    return frame["from_country"] + ">" + frame["to_country"]


def _text(title: str, unit: str = "", *, wrap: bool = False) -> Column:
    return Column(name="", title=title, unit=unit, wrap=wrap)


def _number(title: str, unit: str = "") -> Column:
    """Return a column of numbers that are written by the rows themselves."""
    return Column(name="", title=title, unit=unit, digits=0)


def _sheet(
    title: str,
    columns: Sequence[Column],
    cells: Iterable[Sequence[object]],
    *,
    n_keys: int = 1,
    note: str = "",
) -> Sheet:
    rows = tuple(tuple(str(cell) for cell in row) for row in cells)
    return Sheet(title=title, columns=tuple(columns), rows=rows, n_keys=n_keys, note=note)


def _summary_sheet(crossing: Crossing, title: str) -> Sheet:
    ways = crossing.ways
    beyond = bool((ways["beyond_h"] > 0.0).any())
    columns = [
        _text("way"),
        _number("vehicles", "per day"),
        _number("background", "of them"),
        _number("room", "per day"),
        _number("used", "%"),
        _text("bottleneck"),
        _number("fixed", "h"),
        _number("service", "h"),
        _number("queue", "h"),
        *([_number("in front", "h")] if beyond else []),
        _number("time", "h"),
        _number("fees", "USD/veh."),
    ]
    cells = [
        [
            f"{row.from_country}>{row.to_country}",
            write_number(row.vehicles_per_day, 1),
            write_number(row.background_vehicles_per_day, 1),
            write_number(row.capacity_per_day, 0),
            _share(row.utilization),
            f"{row.bottleneck_country} {row.bottleneck_stage}",
            write_hours(row.fixed_h),
            write_hours(row.service_h),
            write_hours(row.wait_h),
            *([write_hours(row.beyond_h)] if beyond else []),
            write_hours(row.time_h),
            write_number(row.fee_usd_per_vehicle, 0),
        ]
        for row in _rows(ways)
    ]
    hours = crossing.opening_hours or "24/7"
    head = f"{crossing.name} ({crossing.crossing_id}): {crossing.layer}, {crossing.status}"
    head += f", regime {crossing.regime}, hours {hours}{'; ' if title else ''}{title}"
    return _sheet(head, columns, cells, note="\n".join(crossing_sentences(crossing)))


def _posts_sheet(crossing: Crossing) -> Sheet:
    posts = crossing.posts
    opens = bool((posts["opening_wait_h"] > _OPENING_SHOWN_H).any())
    columns = [
        _text("way"),
        _text("post"),
        _number("vehicles", "per day"),
        _number("used", "%"),
        _number("fixed", "h"),
        *([_number("opening", "of it, h")] if opens else []),
        _number("service", "h"),
        _number("queue", "h"),
        _number("time", "h"),
        _number("P95", "h"),
        _number("day's queue", "h"),
        _text("low-high", "h"),
    ]
    cells = [
        [
            f"{row.from_country}>{row.to_country}",
            f"{row.country} {row.direction}"
            + (f" at {row.host}" if row.host != row.country else ""),
            write_number(row.arrivals_per_day, 1),
            _share(row.utilization),
            write_hours(row.fixed_h),
            *([write_hours(row.opening_wait_h)] if opens else []),
            write_hours(row.service_h),
            write_hours(row.wait_h),
            write_hours(row.time_h),
            write_hours(row.p95_h),
            write_hours(row.day_wait_h),
            _hours_range(row.day_wait_low_h, row.day_wait_high_h),
        ]
        for row in _rows(posts)
    ]
    return _sheet(
        "Posts", columns, cells, n_keys=2,
        note=(
            "queue: steady state; day's queue: arrivals that swing over the day, at the ends of "
            "the swing's range too"
            + (", closed hours included." if opens else ".")
        ),
    )  # fmt: skip


def _stages_sheet(crossing: Crossing) -> Sheet:
    columns = [
        _text("post"),
        _text("stage"),
        _number("servers"),
        _number("service", "min"),
        _number("share", "%"),
        _number("sent", "per day"),
        _number("used", "%"),
        _number("queue", "h"),
        _number("over 1 h", "%"),
        _number("day's queue", "h"),
    ]
    cells = [
        [
            f"{row.country} {'out' if row.country == row.from_country else 'in'}",
            row.stage if row.user == "all" else f"{row.stage} ({row.user})",
            f"{row.servers}{' shared' if row.is_shared else ''}",
            write_number(row.service_min, 1),
            _share(row.share),
            write_number(row.arrivals_per_day, 1),
            _share(row.utilization),
            write_hours(row.wait_h),
            write_number(row.p_over_1h, 1, percent=True),
            write_hours(row.day_wait_h),
        ]
        for row in _rows(crossing.stages.rename(columns={"class": "user"}))
    ]
    return _sheet(
        "Stages", columns, cells, n_keys=2,
        note="used: of the servers' open time; queue: of a vehicle that is sent there.",
    )  # fmt: skip


def _hours_sheet(crossing: Crossing) -> Sheet:
    table = _blocks(crossing.hours)
    posts = list(dict.fromkeys(zip(_way(table), table["country"], strict=True)))
    columns = [_text("from"), _text("")]
    for way, country in posts:
        columns += [_number(f"{way}", "per h"), _number(f"at {country}", "wait h")]
    cells = []
    for start, rows in table.groupby("start_h", sort=True):
        line: list[object] = [_clock(float(str(start)), table), _open_word(rows)]
        for row in _rows(rows):
            line += [write_number(row.arrivals_per_h, 1), write_hours(row.wait_h)]
        cells.append(line)
    peak = table.iloc[int(table["wait_h"].to_numpy().argmax())]
    longest = f"{peak['from_country']}>{peak['to_country']}"
    return _sheet(
        "Wait by hour of arrival", columns, cells, n_keys=2,
        note=(
            f"Longest: {write_hours(peak['wait_h'])} h for who comes at "
            f"{_clock(float(peak['start_h']), table)} to {peak['country']}, {longest}. "
            "The swing of the arrivals is assumed, see below."
        ),
    )  # fmt: skip


def _blocks(hours: pd.DataFrame) -> pd.DataFrame:
    """Return the profile by hour of a day, or by six hours of a week; waits by arrivals."""
    block = _WEEK_BLOCK_H if hours["start_h"].max() >= HOURS_PER_DAY else 1.0
    frame = hours.assign(
        start_h=hours["start_h"] // block * block,
        came=hours["arrivals_per_h"] * hours["length_h"],
        waited=hours["arrivals_per_h"] * hours["length_h"] * hours["wait_h"],
        open_h=hours["is_open"] * hours["length_h"],
    )
    key = ["from_country", "to_country", "country", "start_h"]
    sums = frame.groupby(key, sort=False)[["length_h", "came", "waited", "open_h"]].sum()
    table = sums.reset_index()
    came = table["came"].where(table["came"] > 0.0)
    return table.assign(
        arrivals_per_h=table["came"] / table["length_h"],
        wait_h=(table["waited"] / came).fillna(0.0),
        is_open=table["open_h"] / table["length_h"],
    )


def _clock(start: float, table: pd.DataFrame) -> str:
    hour = f"{int(start % HOURS_PER_DAY):02d}:00"
    is_week = table["start_h"].max() >= HOURS_PER_DAY
    return f"{_DAYS[int(start // HOURS_PER_DAY)]} {hour}" if is_week else hour


def _open_word(rows: pd.DataFrame) -> str:
    share = float(rows["is_open"].iloc[0])
    return "" if share >= 1.0 else "closed" if share <= 0.0 else "part"


def _servers_sheet(crossing: Crossing) -> Sheet:
    is_solved = bool(crossing.servers["solved_usd_per_year"].notna().any())
    columns = [
        _text("one more at"),
        _number("has"),
        _number("used", "%"),
        _number("saves", "h/day"),
        _text("low-high", "h/day"),
        _number("by day", "h/day"),
        _number("saves", "kUSD/year"),
        _text("low-high", "kUSD/year"),
        *([_number("solved", "kUSD/year")] if is_solved else []),
        _text("leaves", "h, low-high"),
        _text("most by", "range"),
    ]
    cells = [
        [
            f"{row.country} {row.direction} {row.stage}",
            row.servers,
            _share(row.utilization),
            write_hours(row.saved_h_per_day),
            _hours_range(row.saved_h_low, row.saved_h_high),
            write_hours(row.day_saved_h_per_day),
            write_number(row.saved_usd_per_year / 1e3, 1),
            _range(row.saved_usd_low / 1e3, row.saved_usd_high / 1e3, 1),
            *([write_number(row.solved_usd_per_year / 1e3, 1)] if is_solved else []),
            _with_range(row.fixed_h, row.fixed_low_h, row.fixed_high_h),
            row.high_by,
        ]
        for row in _rows(crossing.servers)
    ]
    return _sheet(
        "What one more server saves, at this traffic", columns, cells,
        note=(
            f"An hour of a vehicle with its goods is worth {crossing.usd_per_vehicle_h:.0f} USD. "
            "low-high: over the post's ranges, each moved alone, blank without any; by day: with "
            "the day's peaks. leaves: the fixed delay at the post that no server shortens."
            + (" solved: others come and go because of it." if is_solved else "")
        ),
    )  # fmt: skip


def _regimes_sheet(crossing: Crossing) -> Sheet:
    columns = [
        _text("regime"),
        _text("way"),
        _number("time", "h"),
        _text("low-high", "h"),
        _number("queue", "h"),
        _number("room", "per day"),
        _text("bottleneck"),
        _number("cost", "USD/veh."),
        _number("fees", "of it"),
        _number("finds", "%"),
        _text("low-high", "%"),
        _text("floors"),
    ]
    cells = [
        [
            f"{row.regime} *" if row.in_force else row.regime,
            f"{row.from_country}>{row.to_country}",
            write_hours(row.time_h),
            ENDLESS if math.isinf(row.time_h) else _range(row.time_low_h, row.time_high_h, 1),
            write_hours(row.wait_h),
            write_number(row.capacity_per_day, 0),
            f"{row.bottleneck_country} {row.bottleneck_stage}",
            ENDLESS if math.isinf(row.time_h) else write_number(row.cost_usd_per_vehicle, 0),
            write_number(row.fee_usd_per_vehicle, 0),
            _share(row.detection),
            _share_range(row.detection_low, row.detection_high),
            "met" if row.meets_floors else "broken",
        ]
        for row in _rows(crossing.regimes)
    ]
    broken = sorted(
        {rule for text in crossing.regimes["floors_broken"] for rule in text.split(">")}
    )
    named = ", ".join(rule for rule in broken if rule)
    full = bool((crossing.ways["beyond_h"] > 0.0).any())
    front = " Without the wait in front of a full post." if full else ""
    told = f" Inspection floors broken: {named}; no plan may use such a regime." if named else ""
    return _sheet(
        "The same traffic under each regime", columns, cells, n_keys=2,
        note=(
            "* in force. cost: time and fees; finds: probability that misdeclared goods are found, "
            f"both posts together.{front}{told}"
        ),
    )  # fmt: skip


def _blocking_sheet(crossing: Crossing) -> Sheet:
    columns = [
        _text("way"),
        _number("space", "vehicles"),
        _number("queue", "mean"),
        _number("queue", "day's peak"),
        _number("reaches back", "h/day"),
        _text("binds in"),
    ]
    cells = [
        [
            f"{row.from_country}>{row.to_country}",
            write_number(row.space_vehicles, 0),
            ENDLESS if math.isinf(row.queue_vehicles) else write_number(row.queue_vehicles, 1),
            write_number(row.peak_queue_vehicles, 1),
            write_number(row.spills_h_per_day, 1),
            row.binding_country,
        ]
        for row in _rows(crossing.blocking)
    ]
    return _sheet(
        "From the entry post back to the exit post", columns, cells,
        note="space: between the posts; reaches back: while the queue is longer than that.",
    )  # fmt: skip


def _ferries_sheet(crossing: Crossing) -> Sheet:
    columns = [
        _text("lands in"),
        _number("shipload", "vehicles"),
        _number("landings", "per day"),
        _text("first stage"),
        _number("queue", "one by one, h"),
        _number("queue", "by shiploads, h"),
    ]
    cells = [
        [
            row.country,
            write_number(row.batch, 1),
            write_number(row.landings_per_day, 2),
            row.stage,
            write_hours(row.wait_h),
            write_hours(row.batch_wait_h),
        ]
        for row in _rows(crossing.ferries)
    ]
    return _sheet("Ashore by ferry", columns, cells)


def _assumptions_sheet(crossing: Crossing) -> Sheet:
    columns = [
        _text("taken for granted", wrap=True),
        _number("value"),
        _text("low-high"),
        _text("unit"),
        _text("meaning", wrap=True),
    ]
    cells = [
        [
            row.assumption,
            write_number(row.value, 1),
            "" if row.low == row.high or math.isnan(row.low) else _range(row.low, row.high, 1),
            row.unit,
            row.meaning,
        ]
        for row in _rows(crossing.assumptions)
    ]
    return _sheet("In no table of the data, but assumed here", columns, cells)
