"""What could be chosen at a crossing: one more server, another regime."""

import math

from corridor.planning import Crossing
from corridor.report.sheets.cells import (
    ENDLESS,
    number,
    rows_of,
    text,
    write_hours,
    write_hours_range,
    write_range,
    write_share,
    write_share_range,
    write_with_range,
    written_sheet,
)
from corridor.report.sheets.layout import Sheet, write_number


def servers_sheet(crossing: Crossing) -> Sheet:
    """Return what one more server saves at each stage, and what it cannot touch."""
    is_solved = bool(crossing.servers["solved_usd_per_year"].notna().any())
    columns = [
        text("one more at"),
        number("has"),
        number("used", "%"),
        number("saves", "h/day"),
        text("low-high", "h/day"),
        number("by day", "h/day"),
        number("saves", "kUSD/year"),
        text("low-high", "kUSD/year"),
        *([number("solved", "kUSD/year")] if is_solved else []),
        text("leaves", "h, low-high"),
        text("most by", "range"),
    ]
    cells = [
        [
            f"{row.country} {row.direction} {row.stage}",
            row.servers,
            write_share(row.utilization),
            write_hours(row.saved_h_per_day),
            write_hours_range(row.saved_h_low, row.saved_h_high),
            write_hours(row.day_saved_h_per_day),
            write_number(row.saved_usd_per_year / 1e3, 1),
            write_range(row.saved_usd_low / 1e3, row.saved_usd_high / 1e3, 1),
            *([write_number(row.solved_usd_per_year / 1e3, 1)] if is_solved else []),
            write_with_range(row.fixed_h, row.fixed_low_h, row.fixed_high_h),
            row.high_by,
        ]
        for row in rows_of(crossing.servers)
    ]
    return written_sheet(
        "What one more server saves, at this traffic", columns, cells,
        note=(
            f"An hour of a vehicle with its goods is worth {crossing.usd_per_vehicle_h:.0f} USD. "
            "low-high: over the post's ranges, each moved alone, blank without any; by day: with "
            "the day's peaks. leaves: the fixed delay at the post that no server shortens."
            + (" solved: others come and go because of it." if is_solved else "")
        ),
    )  # fmt: skip


def regimes_sheet(crossing: Crossing) -> Sheet:
    """Return time, capacity, cost and detection of the same traffic under each regime."""
    columns = [
        text("regime"),
        text("way"),
        number("time", "h"),
        text("low-high", "h"),
        number("queue", "h"),
        number("room", "per day"),
        text("bottleneck"),
        number("cost", "USD/veh."),
        number("fees", "of it"),
        number("finds", "%"),
        text("low-high", "%"),
        text("floors"),
    ]
    cells = [
        [
            f"{row.regime} *" if row.in_force else row.regime,
            f"{row.from_country}>{row.to_country}",
            write_hours(row.time_h),
            ENDLESS if math.isinf(row.time_h) else write_range(row.time_low_h, row.time_high_h, 1),
            write_hours(row.wait_h),
            write_number(row.capacity_per_day, 0),
            f"{row.bottleneck_country} {row.bottleneck_stage}",
            ENDLESS if math.isinf(row.time_h) else write_number(row.cost_usd_per_vehicle, 0),
            write_number(row.fee_usd_per_vehicle, 0),
            write_share(row.detection),
            write_share_range(row.detection_low, row.detection_high),
            "met" if row.meets_floors else "broken",
        ]
        for row in rows_of(crossing.regimes)
    ]
    broken = sorted(
        {rule for text in crossing.regimes["floors_broken"] for rule in text.split(">")}
    )
    named = ", ".join(rule for rule in broken if rule)
    full = bool((crossing.ways["beyond_h"] > 0.0).any())
    front = " Without the wait in front of a full post." if full else ""
    told = f" Inspection floors broken: {named}; no plan may use such a regime." if named else ""
    return written_sheet(
        "The same traffic under each regime", columns, cells, n_keys=2,
        note=(
            "* in force. cost: time and fees; finds: probability that misdeclared goods are found, "
            f"both posts together.{front}{told}"
        ),
    )  # fmt: skip
