"""One crossing as sheets for the terminal."""

import math
from typing import Final

import pandas as pd

from corridor.planning import Crossing
from corridor.report.sheets.border_choices import regimes_sheet, servers_sheet
from corridor.report.sheets.border_words import crossing_sentences
from corridor.report.sheets.cells import (
    ENDLESS,
    number,
    rows_of,
    text,
    ways_of,
    write_hours,
    write_hours_range,
    write_range,
    write_share,
    written_sheet,
)
from corridor.report.sheets.layout import Sheet, write_number
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
        servers_sheet(crossing),
        regimes_sheet(crossing),
    ]
    if len(crossing.blocking):
        sheets.append(_blocking_sheet(crossing))
    if len(crossing.ferries):
        sheets.append(_ferries_sheet(crossing))
    return [*sheets, _assumptions_sheet(crossing)]


def _summary_sheet(crossing: Crossing, title: str) -> Sheet:
    ways = crossing.ways
    beyond = bool((ways["beyond_h"] > 0.0).any())
    columns = [
        text("way"),
        number("vehicles", "per day"),
        number("background", "of them"),
        number("room", "per day"),
        number("used", "%"),
        text("bottleneck"),
        number("fixed", "h"),
        number("service", "h"),
        number("queue", "h"),
        *([number("in front", "h")] if beyond else []),
        number("time", "h"),
        number("fees", "USD/veh."),
    ]
    cells = [
        [
            f"{row.from_country}>{row.to_country}",
            write_number(row.vehicles_per_day, 1),
            write_number(row.background_vehicles_per_day, 1),
            write_number(row.capacity_per_day, 0),
            write_share(row.utilization),
            f"{row.bottleneck_country} {row.bottleneck_stage}",
            write_hours(row.fixed_h),
            write_hours(row.service_h),
            write_hours(row.wait_h),
            *([write_hours(row.beyond_h)] if beyond else []),
            write_hours(row.time_h),
            write_number(row.fee_usd_per_vehicle, 0),
        ]
        for row in rows_of(ways)
    ]
    hours = crossing.opening_hours or "24/7"
    head = f"{crossing.name} ({crossing.crossing_id}): {crossing.layer}, {crossing.status}"
    head += f", regime {crossing.regime}, hours {hours}{'; ' if title else ''}{title}"
    return written_sheet(head, columns, cells, note="\n".join(crossing_sentences(crossing)))


def _posts_sheet(crossing: Crossing) -> Sheet:
    posts = crossing.posts
    opens = bool((posts["opening_wait_h"] > _OPENING_SHOWN_H).any())
    columns = [
        text("way"),
        text("post"),
        number("vehicles", "per day"),
        number("used", "%"),
        number("fixed", "h"),
        *([number("opening", "of it, h")] if opens else []),
        number("service", "h"),
        number("queue", "h"),
        number("time", "h"),
        number("P95", "h"),
        number("day's queue", "h"),
        text("low-high", "h"),
    ]
    cells = [
        [
            f"{row.from_country}>{row.to_country}",
            f"{row.country} {row.direction}"
            + (f" at {row.host}" if row.host != row.country else ""),
            write_number(row.arrivals_per_day, 1),
            write_share(row.utilization),
            write_hours(row.fixed_h),
            *([write_hours(row.opening_wait_h)] if opens else []),
            write_hours(row.service_h),
            write_hours(row.wait_h),
            write_hours(row.time_h),
            write_hours(row.p95_h),
            write_hours(row.day_wait_h),
            write_hours_range(row.day_wait_low_h, row.day_wait_high_h),
        ]
        for row in rows_of(posts)
    ]
    return written_sheet(
        "Posts", columns, cells, n_keys=2,
        note=(
            "queue: steady state; day's queue: arrivals that swing over the day, at the ends of "
            "the swing's range too"
            + (", closed hours included." if opens else ".")
        ),
    )  # fmt: skip


def _stages_sheet(crossing: Crossing) -> Sheet:
    columns = [
        text("post"),
        text("stage"),
        number("servers"),
        number("service", "min"),
        number("share", "%"),
        number("sent", "per day"),
        number("used", "%"),
        number("queue", "h"),
        number("over 1 h", "%"),
        number("day's queue", "h"),
    ]
    cells = [
        [
            f"{row.country} {'out' if row.country == row.from_country else 'in'}",
            row.stage if row.user == "all" else f"{row.stage} ({row.user})",
            f"{row.servers}{' shared' if row.is_shared else ''}",
            write_number(row.service_min, 1),
            write_share(row.share),
            write_number(row.arrivals_per_day, 1),
            write_share(row.utilization),
            write_hours(row.wait_h),
            write_number(row.p_over_1h, 1, percent=True),
            write_hours(row.day_wait_h),
        ]
        for row in rows_of(crossing.stages.rename(columns={"class": "user"}))
    ]
    return written_sheet(
        "Stages", columns, cells, n_keys=2,
        note="used: of the servers' open time; queue: of a vehicle that is sent there.",
    )  # fmt: skip


def _hours_sheet(crossing: Crossing) -> Sheet:
    table = _blocks(crossing.hours)
    posts = list(dict.fromkeys(zip(ways_of(table), table["country"], strict=True)))
    columns = [text("from"), text("")]
    for way, country in posts:
        columns += [number(f"{way}", "per h"), number(f"at {country}", "wait h")]
    cells = []
    for start, rows in table.groupby("start_h", sort=True):
        line: list[object] = [_clock(float(str(start)), table), _open_word(rows)]
        for row in rows_of(rows):
            line += [write_number(row.arrivals_per_h, 1), write_hours(row.wait_h)]
        cells.append(line)
    peak = table.iloc[int(table["wait_h"].to_numpy().argmax())]
    longest = f"{peak['from_country']}>{peak['to_country']}"
    return written_sheet(
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


def _blocking_sheet(crossing: Crossing) -> Sheet:
    columns = [
        text("way"),
        number("space", "vehicles"),
        number("queue", "mean"),
        number("queue", "day's peak"),
        number("reaches back", "h/day"),
        text("binds in"),
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
        for row in rows_of(crossing.blocking)
    ]
    return written_sheet(
        "From the entry post back to the exit post", columns, cells,
        note="space: between the posts; reaches back: while the queue is longer than that.",
    )  # fmt: skip


def _ferries_sheet(crossing: Crossing) -> Sheet:
    columns = [
        text("lands in"),
        number("shipload", "vehicles"),
        number("landings", "per day"),
        text("first stage"),
        number("queue", "one by one, h"),
        number("queue", "by shiploads, h"),
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
        for row in rows_of(crossing.ferries)
    ]
    return written_sheet("Ashore by ferry", columns, cells)


def _assumptions_sheet(crossing: Crossing) -> Sheet:
    columns = [
        text("taken for granted", wrap=True),
        number("value"),
        text("low-high"),
        text("unit"),
        text("meaning", wrap=True),
    ]
    cells = [
        [
            row.assumption,
            write_number(row.value, 1),
            "" if row.low == row.high or math.isnan(row.low) else write_range(row.low, row.high, 1),
            row.unit,
            row.meaning,
        ]
        for row in rows_of(crossing.assumptions)
    ]
    return written_sheet("In no table of the data, but assumed here", columns, cells)
