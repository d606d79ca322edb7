"""A lane that trusted vehicles take first: who gains, who pays, and what is saved in all."""

from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from corridor.border.worksheets import ENTRY, EXIT, Worksheet
from corridor.core.queues import conservation_gap, mean_wait, priority_wait
from corridor.errors import InputError
from corridor.network import Network
from corridor.planning.borders.cases import open_case
from corridor.planning.results import Plan
from corridor.sovereignty import Rules
from corridor.units import DAYS_PER_YEAR

FloatArray: TypeAlias = NDArray[np.float64]

_EXPONENTIAL: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GreenLane:
    """The posts of a crossing where some vehicles are taken first at every stage.

    Attributes
    ----------
    crossing_id, share, work
        The crossing; the share of the vehicles in the lane; the part of the ordinary service time
        that one of them takes.
    posts
        A row a direction and post: ``from_country, to_country, country, vehicles_per_day``;
        ``today_h`` (service and queue of all), ``lane_h, other_h`` (of those in the lane and of the
        others), ``saved_h_per_day`` (of all vehicles together, negative where the lane costs more
        than it saves), ``saved_usd_per_year``.
    stages
        A row a stage: ``country, direction, stage, servers, utilization, utilization_after,
        wait_h`` (one queue, all alike), ``lane_wait_h, other_wait_h``, ``conservation_gap_h``:
        mean wait by work less that of one queue with the same vehicles. It is 0: a lane moves
        delay and saves none, unless it takes less work.
    """

    crossing_id: str
    share: float
    work: float
    posts: pd.DataFrame
    stages: pd.DataFrame

    def __repr__(self) -> str:
        saved = float(self.posts["saved_h_per_day"].sum())
        return f"GreenLane({self.crossing_id!r}: {self.share:.0%} first, {saved:.1f} h/day saved)"


def open_green_lane(
    network: Network,
    crossing_id: str,
    share: float,
    work: float = 1.0,
    *,
    rules: Rules | None = None,
    plan: Plan | None = None,
) -> GreenLane:
    """Return what a lane for trusted vehicles does to them, to the others, and in all.

    At every stage a free server takes first who comes from the lane; nobody is sent back. Inspected
    shares stay what they are, so that no floor is touched. Waits are steady-state means (see
    `corridor.core.queues.priority_wait`), scaled where arrivals vary unlike Poisson's.

    Parameters
    ----------
    network, crossing_id, rules, plan
        As of `corridor.crossing`.
    share
        Share of the vehicles that use the lane, > 0 and < 1.
    work
        Service time of one of them as a part of the ordinary one, > 0 and <= 1.

    Returns
    -------
    GreenLane
        Posts and stages.

    Raises
    ------
    InputError
        If a number is out of range, or the crossing is unknown.

    Examples
    --------
    >>> import corridor
    >>> from corridor.planning import open_green_lane
    >>> lane = open_green_lane(corridor.load_network("crossroads"), "sarpi-road", 0.3)
    >>> bool((lane.stages["conservation_gap_h"].abs() < 1e-9).all())
    True
    """
    if not (0.0 < share < 1.0 and 0.0 < work <= 1.0):
        msg = (
            "share must be > 0 and < 1 and work > 0 and <= 1; found "
            f"share {share} and work {work}. Correct them."
        )
        raise InputError(msg)
    case = open_case(network, crossing_id, rules, plan)
    sheet = case.planned_sheet()
    lanes = _Lanes.of(sheet, share, work)
    posts: list[dict[str, Any]] = []
    for way in case.ways:
        leaves, enters = case.names[way]
        total = float(case.traffic.total[way])
        for end, country in ((EXIT, leaves), (ENTRY, enters)):
            visits = sheet.visits(way, end)
            today = _total(visits, sheet.service_time_h + sheet.wait_h)
            lane = _total(visits, sheet.service_time_h * work + lanes.first_h)
            other = _total(visits, sheet.service_time_h + lanes.other_h)
            with np.errstate(invalid="ignore"):
                saved = total * (today - share * lane - (1.0 - share) * other)
            posts.append(
                {
                    "from_country": leaves,
                    "to_country": enters,
                    "country": country,
                    "vehicles_per_day": total,
                    "today_h": today,
                    "lane_h": lane,
                    "other_h": other,
                    "saved_h_per_day": saved,
                    "saved_usd_per_year": saved * case.usd_per_vehicle_h * DAYS_PER_YEAR,
                }
            )
    names = ["country", "direction", "stage", "servers"]
    stages = sheet.stages[names].assign(
        utilization=sheet.utilization,
        utilization_after=sheet.utilization * (share * work + 1.0 - share),
        wait_h=sheet.wait_h,
        lane_wait_h=lanes.first_h,
        other_wait_h=lanes.other_h,
        conservation_gap_h=lanes.gap_h,
    )
    return GreenLane(
        crossing_id=crossing_id, share=share, work=work, posts=pd.DataFrame(posts), stages=stages
    )


def _total(visits: FloatArray, hours: FloatArray) -> float:
    """Return the hours over the stages of a post; one that nobody is sent to counts nothing."""
    return float((visits * np.where(visits > 0.0, hours, 0.0)).sum())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Lanes:
    """Waits of those in the lane and of the others at each stage, shape (n_stages,)."""

    first_h: FloatArray
    other_h: FloatArray
    gap_h: FloatArray

    @classmethod
    def of(cls, sheet: Worksheet, share: float, work: float) -> "_Lanes":
        rate = sheet.rate[:, None] * np.array([share, 1.0 - share])
        service = sheet.service_time_h[:, None] * np.array([work, 1.0])
        servers, scv = sheet.column("servers"), sheet.column("service_scv")
        wait = priority_wait(rate, service, servers, scv[:, None])
        gap = conservation_gap(wait, rate, service, servers, scv[:, None])
        scale = _arrival_scale(sheet)
        return cls(first_h=wait[:, 0] * scale, other_h=wait[:, 1] * scale, gap_h=np.asarray(gap))


def _arrival_scale(sheet: Worksheet) -> FloatArray:
    """Return how much longer waits are than those of Poisson arrivals."""
    arrival_scv = sheet.column("arrival_scv")
    queue = sheet.rate, sheet.service_time_h, sheet.column("servers")
    plain = mean_wait(*queue, _EXPONENTIAL, sheet.column("service_scv"))
    other = mean_wait(*queue, arrival_scv, sheet.column("service_scv"))
    usual = (arrival_scv == 1.0) | ~np.isfinite(plain) | (plain <= 0.0)
    return np.where(usual, 1.0, other / np.where(usual, 1.0, plain))
