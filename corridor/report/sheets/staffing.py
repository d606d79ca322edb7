"""Servers for a budget, shifts, inspected shares and green lanes as sheets for the terminal."""

import math
from typing import Any, Final

import numpy as np
import pandas as pd

from corridor.border.shifts import ShiftPlan
from corridor.planning import GreenLane, Screening, Staffing
from corridor.report.sheets.cells import ENDLESS, number, text, write_hours
from corridor.report.sheets.layout import Sheet, write_number

_FRONT_ROWS: Final = 8
"""Combinations shown of each post's front, today's besides."""


def staffing_sheets(staffing: Staffing) -> list[Sheet]:
    """Return who gets servers, and what smaller budgets save.

    Parameters
    ----------
    staffing
        What `corridor.staff_crossings` returned.
    """
    return [_added_sheet(staffing), _curve_sheet(staffing)]


def _added_sheet(staffing: Staffing) -> Sheet:
    table = staffing.table[staffing.table["added"] > 0]
    columns = (
        text("crossing"),
        text("stage"),
        number("has"),
        number("gets"),
        number("cost", "each"),
        number("used", "%"),
        number("then", "%"),
        number("queue", "h"),
        number("then", "h"),
        number("saves", "h/day"),
        number("saves", "kUSD/year"),
        number("leaves", "fixed h"),
    )
    rows: list[Any] = list(table.itertuples())
    cells = tuple(
        (
            row.crossing_id,
            f"{row.country} {row.direction} {row.stage}",
            f"{row.servers}",
            f"+{row.added}",
            write_number(row.cost, 0),
            write_number(row.utilization, 0, percent=True),
            write_number(row.utilization_after, 0, percent=True),
            write_hours(row.wait_h),
            write_hours(row.wait_after_h),
            write_hours(row.saved_h_per_day),
            _kusd(row.saved_usd_per_year),
            write_number(row.fixed_h, 1),
        )
        for row in rows
    )
    added = int(staffing.table["added"].sum())
    title = (
        f"{added} servers for {staffing.spent:,.0f} of {staffing.budget:,.0f}: "
        f"{_kusd(staffing.saved_usd_per_year)} thousand USD a year saved"
    )
    return Sheet(
        title=title, columns=columns, rows=cells, n_keys=2,
        note=(
            f"An optimum ({staffing.method}) at this traffic: no vehicle comes because a post got "
            "quicker. leaves: the fixed delay at the post that no server shortens."
        ),
    )  # fmt: skip


def _kusd(usd: float) -> str:
    return ENDLESS if math.isinf(usd) else write_number(usd / 1e3, 1)


def _curve_sheet(staffing: Staffing) -> Sheet:
    rows: list[Any] = list(staffing.curve.itertuples())
    cells = tuple(
        (write_number(row.budget, 0), f"{row.added}", _kusd(row.saved_usd_per_year)) for row in rows
    )
    columns = (number("budget"), number("servers"), number("saves", "kUSD/year"))
    return Sheet(title="What smaller budgets save", columns=columns, rows=cells)


def shifts_sheets(plan: ShiftPlan, place: str) -> list[Sheet]:
    """Return the shifts of a stage, and people and wait by hour.

    Parameters
    ----------
    plan
        What `corridor.planning.plan_post_shifts` returned.
    place
        Whose shifts they are, for the title.
    """
    shifts = Sheet(
        title=f"Shifts at {place}: {plan.shifts[:, 2].sum()} people, {plan.paid} hours paid a day",
        columns=(text("start"), text("break"), number("people")),
        rows=tuple(
            (f"{start:02d}:00", f"{rest:02d}:00" if rest >= 0 else "none", f"{people}")
            for start, rest, people in plan.shifts.tolist()
        ),
    )
    hours = Sheet(
        title="On duty and mean wait of those who come",
        columns=(text("hour"), number("on duty"), number("wait", "h")),
        rows=tuple(
            (f"{hour:02d}:00", f"{crew}", write_hours(wait))
            for hour, (crew, wait) in enumerate(
                zip(plan.crew.tolist(), plan.wait_h.tolist(), strict=True)
            )
        ),
        note=f"Longest: {write_hours(plan.wait_h.max())} h.",
    )
    return [shifts, hours]


def screening_sheets(screening: Screening) -> list[Sheet]:
    """Return what the inspecting stages find and cost, and the fronts of the posts.

    Parameters
    ----------
    screening
        What `corridor.screen_crossing` returned.
    """
    if not len(screening.stages):
        column = text("")
        said = "No stage in force at this crossing looks for misdeclared goods."
        return [Sheet(title="Screening", columns=(column,), rows=((said,),))]
    return [_stages_sheet(screening), _fronts_sheet(screening)]


def _stages_sheet(screening: Screening) -> Sheet:
    columns = (
        text("way"),
        text("stage"),
        number("share", "%"),
        number("at most", "%"),
        number("finds", "%"),
        text("low-high", "%"),
        number("delay", "h"),
        number("next point", "USD/day"),
        number("floor", "%"),
        number("finds", "at it, %"),
        number("last point", "USD/day"),
        number("in all", "USD/day"),
    )
    rows: list[Any] = list(screening.stages.itertuples())
    cells = tuple(
        (
            f"{row.from_country}>{row.to_country}",
            f"{row.country} {row.stage}",
            write_number(row.share, 1, percent=True),
            write_number(row.most_share, 0, percent=True),
            write_number(row.detection, 0, percent=True),
            f"{row.detection_low:.0%}-{row.detection_high:.0%}".replace("%", ""),
            write_hours(row.delay_h),
            write_number(row.price_usd_per_day, 0),
            write_number(row.floor, 1, percent=True),
            write_number(row.floor_detection, 0, percent=True),
            write_number(row.floor_price_usd_per_day, 0),
            write_number(row.floor_usd_per_day, 0),
        )
        for row in rows
    )
    rules = ", ".join(sorted(set(screening.stages["floor_rule"]) - {""})) or "none"
    return Sheet(
        title="What inspection finds and costs, today and at the hosts' floors",
        columns=columns, rows=cells, n_keys=2,
        note=(
            "delay: mean of all vehicles; next point: what one point more of the share costs them; "
            "last point, in all: what the floor's does, and the whole floor. Detection is assumed, "
            f"low-high its range. Floors: {rules}; they are the hosts' right, never relaxed here."
        ),
    )  # fmt: skip


def _fronts_sheet(screening: Screening) -> Sheet:
    key = ["from_country", "to_country", "country"]
    parts = [_thinned(part) for _, part in screening.fronts.groupby(key, sort=False)]
    rows: list[Any] = list(pd.concat(parts).itertuples())
    cells = tuple(
        (
            f"{row.from_country}>{row.to_country}",
            row.country,
            row.shares.replace(">", ", "),
            write_number(row.detection, 0, percent=True),
            write_hours(row.delay_h),
            "today" if row.is_today else "",
        )
        for row in rows
    )
    columns = (
        text("way"), text("post"), text("shares inspected"), number("finds", "%"),
        number("delay", "h"), text(""),
    )  # fmt: skip
    return Sheet(
        title="Detection against delay: combinations that no other beats", columns=columns,
        rows=cells, n_keys=2,
        note="No share lies below its host's floor. Today's is shown even where another beats it.",
    )  # fmt: skip


def _thinned(front: pd.DataFrame) -> pd.DataFrame:
    """Return some combinations, even in detection, and today's."""
    on_front = front[~front["is_today"]]
    levels = np.linspace(on_front["detection"].min(), on_front["detection"].max(), _FRONT_ROWS)
    found = on_front["detection"].to_numpy(float)
    chosen = {int(np.abs(found - level).argmin()) for level in levels}
    picked = on_front.iloc[sorted(chosen)]
    both = pd.concat([picked, front[front["is_today"]]])
    return both.sort_values("delay_h", kind="stable")


def green_lane_sheets(lane: GreenLane) -> list[Sheet]:
    """Return who gains by a green lane, who pays for it, and what is saved in all.

    Parameters
    ----------
    lane
        What `corridor.planning.open_green_lane` returned.
    """
    rows: list[Any] = list(lane.posts.itertuples())
    posts = Sheet(
        title=(
            f"Green lane for {lane.share:.0%} of the vehicles"
            + (f", which take {lane.work:.0%} of the work" if lane.work < 1.0 else "")
        ),
        columns=(
            text("way"), text("post"), number("vehicles", "per day"), number("today", "h"),
            number("in the lane", "h"), number("others", "h"), number("saves", "h/day"),
            number("saves", "kUSD/year"),
        ),
        rows=tuple(
            (
                f"{row.from_country}>{row.to_country}", row.country,
                write_number(row.vehicles_per_day, 1), write_hours(row.today_h),
                write_hours(row.lane_h), write_hours(row.other_h),
                write_number(row.saved_h_per_day, 1), write_number(row.saved_usd_per_year / 1e3, 1),
            )
            for row in rows
        ),
        n_keys=2,
        note=(
            "Service and queue of a post, without fixed delay; saves: all vehicles together. A lane"
            " moves delay from some to others: it saves some only as far as it takes less work."
        ),
    )  # fmt: skip
    rows = list(lane.stages.itertuples())
    stages = Sheet(
        title="Queues by stage",
        columns=(
            text("stage"), number("servers"), number("used", "%"), number("then", "%"),
            number("today", "h"), number("in the lane", "h"), number("others", "h"),
        ),
        rows=tuple(
            (
                f"{row.country} {row.direction} {row.stage}", f"{row.servers}",
                write_number(row.utilization, 0, percent=True),
                write_number(row.utilization_after, 0, percent=True), write_hours(row.wait_h),
                write_hours(row.lane_wait_h), write_hours(row.other_wait_h),
            )
            for row in rows
        ),
    )  # fmt: skip
    return [posts, stages]
