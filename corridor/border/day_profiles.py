"""The waits at a crossing by hour: arrivals that swing over the day, posts that open and close.

Every stage is a queue with time-varying arrivals (`periodic_queue`); a later stage, and the entry
post, gets what the stages before let through. Closed hours count as waiting.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from corridor.border.worksheets import ENTRY, EXIT, N_WAYS, Worksheet
from corridor.core.queues import QueueProfile, periodic_queue
from corridor.network.hours import ALWAYS, Interval
from corridor.units import HOURS_PER_DAY, HOURS_PER_WEEK

FloatArray: TypeAlias = NDArray[np.float64]

_LEAST = 1e-9
"""Vehicles a day below which nobody comes."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Calendar:
    """The slots of a period, a day or a week: constant arrivals and servers within each.

    Attributes
    ----------
    start, length : ndarray of float64, shape (n_slots,)
        Start, in local hours from Monday 00:00 or midnight, and length [h].
    is_open : ndarray of bool, shape (n_slots,)
        Whether the crossing is open.
    arrivals : ndarray of float64, shape (n_slots,)
        Arrivals an hour relative to their mean over the period.
    """

    start: FloatArray
    length: FloatArray
    is_open: NDArray[np.bool_]
    arrivals: FloatArray

    @classmethod
    def of(cls, spells: tuple[Interval, ...], swing: float, peak_h: float) -> "Calendar":
        """Return the calendar of opening hours and a daily swing of the arrivals.

        Arrivals are 1 + swing cos(2 pi (hour - peak) / 24), averaged over each slot. The period is
        a day where all days are alike, else a week; slots are hours, cut where a post opens or
        closes.

        Examples
        --------
        >>> day = Calendar.of(((8.5, 20.0), (32.5, 44.0)), 0.5, 14.0)
        >>> float(day.length.sum()), float(day.start[day.is_open][0])
        (168.0, 8.5)
        """
        period = HOURS_PER_DAY if spells == ALWAYS or _is_daily(spells) else HOURS_PER_WEEK
        ends = [hour for spell in spells for hour in spell if hour <= period]
        edges = np.unique([*np.arange(period + 1.0), *ends])
        start, length = edges[:-1], np.diff(edges)
        middle = start + length / 2.0
        is_open = np.zeros(start.size, np.bool_)
        for opens, closes in spells:
            is_open |= (middle > opens) & (middle < closes)
        turn = 2.0 * np.pi / HOURS_PER_DAY
        wave = np.diff(np.sin(turn * (edges - peak_h))) / (turn * length)
        return cls(start=start, length=length, is_open=is_open, arrivals=1.0 + swing * wave)

    @property
    def days(self) -> float:
        """Days in the period."""
        return float(self.length.sum()) / HOURS_PER_DAY

    def level(self) -> "Calendar":
        """Return the same calendar with arrivals at all hours alike."""
        return Calendar(
            start=self.start,
            length=self.length,
            is_open=self.is_open,
            arrivals=np.ones_like(self.arrivals),
        )


def _is_daily(spells: tuple[Interval, ...]) -> bool:
    """Whether every day has the same hours, none over midnight."""
    days = [[] for _ in range(int(HOURS_PER_WEEK / HOURS_PER_DAY))]  # type: list[list[Interval]]
    for opens, closes in spells:
        day = int(opens // HOURS_PER_DAY)
        base = day * HOURS_PER_DAY
        if closes - base > HOURS_PER_DAY:
            return False
        days[day].append((opens - base, closes - base))
    return all(day == days[0] for day in days)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DayProfile:
    """Waits over the period at every stage, and at both posts of each way.

    Attributes
    ----------
    calendar
        The slots.
    stage_wait_h, stage_queue : ndarray of float64, shape (n_stages, n_slots)
        Mean wait of a vehicle that is sent to the stage in the slot, and mean number waiting.
    stage_arrivals : ndarray of float64, shape (n_stages, n_slots)
        Vehicles an hour sent to the stage.
    post_arrivals : ndarray of float64, shape (2, 2, n_slots)
        Vehicles an hour that come to the post of a way and end.
    post_wait_h : ndarray of float64, shape (2, 2, n_slots)
        Mean wait of a loaded vehicle over the stages of the post, by the slot of each stage.
    is_lasting : ndarray of bool, shape (n_stages,)
        False where more comes than can be served: the numbers are then those of one period that
        begins with an empty post, and grow from one period to the next.
    """

    calendar: Calendar
    stage_wait_h: FloatArray
    stage_queue: FloatArray
    stage_arrivals: FloatArray
    post_arrivals: FloatArray
    post_wait_h: FloatArray
    is_lasting: NDArray[np.bool_]

    def mean_post_wait_h(self) -> FloatArray:
        """Return the mean wait over arrivals by way and end, shape (2, 2) [h]."""
        weight = self.post_arrivals * self.calendar.length
        total = weight.sum(axis=-1)
        found = (weight * self.post_wait_h).sum(axis=-1)
        return np.where(total > 0.0, found / np.where(total > 0.0, total, 1.0), 0.0)

    def stage_delay_h_per_day(self) -> FloatArray:
        """Return the hours waited a day at each stage, all vehicles together, (n_stages,)."""
        hours = (self.stage_arrivals * self.stage_wait_h) @ self.calendar.length
        return np.asarray(hours / self.calendar.days)


def day_profile(sheet: Worksheet, calendar: Calendar, *, at_sea: bool) -> DayProfile:
    """Return the waits of a worksheet over a calendar.

    Servers of both directions see the vehicles of the other one as these come to the crossing. A
    ship reaches the port of entry at an hour of its own, so that vehicles come there at all hours
    alike.

    Parameters
    ----------
    sheet
        The crossing's stages and their load.
    calendar
        Slots and relative arrivals of both ways.
    at_sea
        Whether ships lie between the two posts.
    """
    n, n_slots = len(sheet.stages), calendar.start.size
    wait, queue, arrivals = (np.zeros((n, n_slots)) for _ in range(3))
    lasting = np.ones(n, np.bool_)
    came = np.zeros((N_WAYS, 2, n_slots))
    total = sheet.load.max(axis=0, initial=0.0)
    for way in range(N_WAYS):
        flow = calendar.arrivals
        for end in (EXIT, ENTRY):
            if at_sea and end == ENTRY:
                flow = np.ones(n_slots)
            came[way, end] = total[way] / HOURS_PER_DAY * flow
            rows = np.flatnonzero(sheet.serves[:, way, end] > 0.0)
            for row in rows[np.argsort(sheet.column("order")[rows], kind="stable")]:
                share = float(sheet.column("share")[row])
                own = share * sheet.load[row, way] / HOURS_PER_DAY
                others = share * sheet.load[row, 1 - way] / HOURS_PER_DAY
                rate = own * flow + others * calendar.arrivals
                arrivals[row] = rate
                found = stage_profile(sheet, calendar, int(row), rate)
                wait[row], queue[row] = found.mean_wait, found.mean_queue
                lasting[row] = found.load < 1.0
                part = share * sheet.load[row, way] / total[way] if total[way] > 0.0 else 0.0
                flow = _passed_on(sheet, calendar, int(row), found, flow, min(part, 1.0))
    visits = sheet.serves * sheet.column("share")[:, None, None]
    return DayProfile(
        calendar=calendar,
        stage_wait_h=wait,
        stage_queue=queue,
        stage_arrivals=arrivals,
        post_arrivals=came,
        post_wait_h=np.einsum("rwe,rt->wet", visits, wait),
        is_lasting=lasting,
    )


def stage_profile(
    sheet: Worksheet, calendar: Calendar, row: int, rate: FloatArray, more_servers: int = 0
) -> QueueProfile:
    """Return the queue of one stage over a calendar.

    Parameters
    ----------
    sheet, calendar
        The crossing's stages, and the slots.
    row
        The stage.
    rate : ndarray of float64, shape (n_slots,)
        Arrivals an hour.
    more_servers
        Servers over those it has.
    """
    servers = (int(sheet.stages["servers"].iloc[row]) + more_servers) * calendar.is_open
    service = float(sheet.service_time_h[row])
    scv = float(sheet.column("service_scv")[row])
    work = float(rate @ calendar.length) * service
    start = 0 if work >= float(servers @ calendar.length) else None
    # A crossing asks for dozens of such queues: together they pay for loading the kernels.
    return periodic_queue(
        rate, service, servers, calendar.length, service_scv=scv, start=start, engine="kernels"
    )


def _passed_on(
    sheet: Worksheet,
    calendar: Calendar,
    row: int,
    found: QueueProfile,
    flow: FloatArray,
    part: float,
) -> FloatArray:
    """Return the relative flow behind a stage: what it served, and who was not sent there."""
    if part * float(sheet.load[row].sum()) < _LEAST:
        return flow
    servers = sheet.column("servers")[row] * calendar.is_open
    left = found.utilization * servers
    mean = float(left @ calendar.length) / float(calendar.length.sum())
    return np.asarray((1.0 - part) * flow + part * left / mean if mean > 0.0 else flow)


def profile_table(profile: DayProfile, names: tuple[tuple[str, str], ...]) -> pd.DataFrame:
    """Return the profile of both ways by slot.

    Parameters
    ----------
    profile
        A profile.
    names
        Exit and entry country of each way.

    Returns
    -------
    DataFrame
        ``from_country, to_country, country, start_h, length_h, is_open, arrivals_per_h, wait_h``.
    """
    calendar = profile.calendar
    rows = []
    for way, (leaves, enters) in enumerate(names):
        for end, country in ((EXIT, leaves), (ENTRY, enters)):
            rows.append(
                pd.DataFrame(
                    {
                        "from_country": leaves,
                        "to_country": enters,
                        "country": country,
                        "start_h": calendar.start,
                        "length_h": calendar.length,
                        "is_open": calendar.is_open,
                        "arrivals_per_h": profile.post_arrivals[way, end],
                        "wait_h": profile.post_wait_h[way, end],
                    }
                )
            )
    return pd.concat(rows, ignore_index=True)
