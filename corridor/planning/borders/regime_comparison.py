"""A crossing under every regime that it has stages for: time, capacity, cost, detection, floors."""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import pandas as pd

from corridor.border import MAX_UTILIZATION, Posts
from corridor.border.assumed import SKIPPED_UNDER_SEAL
from corridor.border.detection import detection
from corridor.border.next_servers import fixed_range_h
from corridor.border.worksheets import ENTRY, EXIT, Worksheet
from corridor.planning.borders.cases import BorderCase

SEALED: Final = "under seal"
"""Name of the row in which all goods pass under seal, by the regime in force."""
SEPARATOR: Final = ">"
_STANDARD: Final = "standard"


def possible_regimes(case: BorderCase) -> dict[str, Posts]:
    """Return the posts under each regime for which both posts have stages in every direction.

    The regime in force comes first, then ``standard``; another one counts only where at least one
    post has stages of its own for it.
    """
    stages = case.model.filled.stages
    row = case.row
    states = {str(row["country_a"]), str(row["country_b"])}
    own = stages["crossing_id"] == row["crossing_id"]
    template = (stages["crossing_id"] == "*") & (stages["layer"] == row["layer"])
    named = stages.loc[(own | template) & stages["country"].isin(states), "regime"]
    names = dict.fromkeys([case.regime, _STANDARD, *sorted(set(named) - {""})])
    found = {name: case.posts(name) for name in names}
    return {name: posts for name, posts in found.items() if _has_stages(case, name, posts)}


def _has_stages(case: BorderCase, regime: str, posts: Posts) -> bool:
    sheet = case.sheet(posts)
    worked = all(
        (sheet.serves[:, way, end] > 0.0).any() for way in case.ways for end in (EXIT, ENTRY)
    )
    own = bool((sheet.stages["regime"] == regime).any())
    return worked and (own or regime in (case.regime, _STANDARD))


def skipped_under_seal(case: BorderCase) -> frozenset[str]:
    """Return the stages that goods under seal skip: the rules' in force, else the assumed ones."""
    skips = frozenset[str]().union(*(rule.skip for rule in case.model.effects.paths))
    return skips or frozenset(SKIPPED_UNDER_SEAL)


def regime_table(case: BorderCase) -> pd.DataFrame:
    """Return one row per regime and way, the same traffic under each.

    Returns
    -------
    DataFrame
        ``regime, from_country, to_country, in_force``; ``fixed_h, service_h, wait_h, time_h`` of
        both posts (inf where this traffic overloads a stage), ``time_low_h, time_high_h`` at the
        ends of the ranges of their fixed delays; ``capacity_per_day`` (vehicles of the
        way, at 95 % utilization), ``bottleneck_stage, bottleneck_country``; ``fee_usd_per_vehicle,
        time_usd_per_vehicle, cost_usd_per_vehicle``; ``detection, detection_low, detection_high``
        and ``exit_detection, entry_detection`` (NaN where no regime has a stage named for it);
        ``floors_broken`` (rule ids joined with ``>``) and ``meets_floors`` (of both states).
    """
    rows = []
    for name, posts in _every_regime(case):
        sheet = case.sheet(posts)
        broken = case.broken_floors(posts)
        told = SEPARATOR.join(rule for rules in broken.values() for rule in rules)
        rows += [_row(case, name, sheet, way, told) for way in case.ways]
    table = pd.DataFrame(rows)
    if not (table["detection"] > 0.0).any():
        # Posts whose control is one stage say nothing of what it finds; that is not 0.
        columns = ["detection", "detection_low", "detection_high"]
        table[[*columns, "exit_detection", "entry_detection"]] = np.nan
    return table


def _every_regime(case: BorderCase) -> Iterator[tuple[str, Posts]]:
    possible = possible_regimes(case)
    yield from possible.items()
    skip = skipped_under_seal(case)
    if (
        case.regime in possible
        and case.sheet(possible[case.regime]).stages["stage"].isin(skip).any()
    ):
        yield SEALED, case.posts(case.regime, skip)


def _row(case: BorderCase, name: str, sheet: Worksheet, way: int, broken: str) -> dict[str, Any]:
    leaves, enters = case.names[way]
    wait = float(sheet.post_wait_h(sheet.wait_h)[way].sum())
    fixed, service = float(sheet.fixed_h[way].sum()), float(sheet.service_h[way].sum())
    low, high = fixed_range_h(sheet, case.uncertainty(sheet))
    fee = float(sheet.fee_usd[way].sum())
    tightest = sheet.tightest(way)
    found = detection(sheet, way, (EXIT, ENTRY))
    hours_usd = (fixed + service + wait) * case.usd_per_vehicle_h
    return {
        "regime": name,
        "from_country": leaves,
        "to_country": enters,
        "in_force": name == case.regime,
        "fixed_h": fixed,
        "service_h": service,
        "wait_h": wait,
        "time_h": fixed + service + wait,
        "time_low_h": float(low[way].sum()) + service + wait,
        "time_high_h": float(high[way].sum()) + service + wait,
        "capacity_per_day": sheet.capacity_per_day(way, MAX_UTILIZATION),
        "bottleneck_stage": sheet.stages["stage"].iloc[tightest] if tightest >= 0 else "",
        "bottleneck_country": sheet.stages["country"].iloc[tightest] if tightest >= 0 else "",
        "fee_usd_per_vehicle": fee,
        "time_usd_per_vehicle": hours_usd,
        "cost_usd_per_vehicle": fee + hours_usd,
        "detection": found.value,
        "detection_low": found.low,
        "detection_high": found.high,
        "exit_detection": detection(sheet, way, (EXIT,)).value,
        "entry_detection": detection(sheet, way, (ENTRY,)).value,
        "floors_broken": broken,
        "meets_floors": not broken,
    }
