"""What matters most about one crossing, in sentences."""

import math
from typing import Any

from corridor.planning import Crossing
from corridor.report.sheets.cells import write_hours


def crossing_sentences(crossing: Crossing) -> list[str]:
    """Say what matters most about a crossing.

    Parameters
    ----------
    crossing
        What `corridor.crossing` returned.

    Returns
    -------
    list of str
        Where the bottleneck sits each way, why a wait has no end, and what one more server saves
        beside the delay that it cannot touch.
    """
    said = []
    for way in crossing.ways.to_dict("records"):
        to = f"{way['from_country']}>{way['to_country']}"
        if not way["bottleneck_stage"]:
            said.append(f"{to}: no stage is worked.")
            continue
        said.append(
            f"{to}: the bottleneck is {way['bottleneck_stage']} in {way['bottleneck_country']}, "
            f"{way['utilization']:.0%} used. {_share_of_time(way)}"
        )
    posts = crossing.posts[crossing.posts["reason"] != ""]
    for post in posts.drop_duplicates(["country", "reason"]).to_dict("records"):
        lasting = "" if post["is_lasting"] else ", and grows day by day"
        said.append(
            f"{post['country']} {post['direction']}: the steady queue has no end ({post['reason']})"
            f"; a day that begins with an empty post waits {post['day_wait_h']:.1f} h{lasting}."
        )
    if len(crossing.servers):
        worth = crossing.servers[["saved_usd_per_year", "solved_usd_per_year"]].max(axis=1)
        best = crossing.servers.iloc[int(worth.to_numpy(float).argmax())]
        said.append(_best_server(best.to_dict()))
    return said


def _share_of_time(way: dict[Any, Any]) -> str:
    if not math.isfinite(way["time_h"]):
        return f"Of the time {way['fixed_h']:.1f} h are fixed delay; the queue has no end."
    full = (
        f", and {write_hours(way['beyond_h'])} a wait in front of it, full"
        if way["beyond_h"]
        else ""
    )
    return (
        f"Of {way['time_h']:.1f} h, {way['fixed_h']:.1f} are fixed delay, {way['service_h']:.1f} "
        f"service, {write_hours(way['wait_h'])} queue{full}."
    )


def _best_server(row: dict[Any, Any]) -> str:
    saved, low, high = (
        row[name] / 1e3 for name in ("saved_usd_per_year", "saved_usd_low", "saved_usd_high")
    )
    if not row["saved_h_per_day"] > 0.0:
        return "Nobody waits for a server here: one more saves nothing."
    solved = row["solved_usd_per_year"] / 1e3
    come = "" if math.isnan(solved) else f", {solved:,.1f} with those who come because of it"
    ranged = f" ({low:,.1f} to {high:,.1f} over the ranges)" if low < high else ""
    leaves = f"{row['fixed_h']:.1f} h of fixed delay there"
    if row["fixed_low_h"] < row["fixed_high_h"]:
        leaves += f" ({row['fixed_low_h']:.1f} to {row['fixed_high_h']:.1f})"
    return (
        f"One more server saves most at {row['stage']} in {row['country']} ({row['direction']}): "
        f"{row['saved_h_per_day']:.2f} h a day, {saved:,.1f} thousand USD a year at this traffic"
        f"{ranged}{come}. It cannot touch the {leaves}."
    )
