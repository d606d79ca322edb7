"""What one more server at a stage saves, and how sure that is."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from corridor.border.day_profiles import DayProfile, stage_profile
from corridor.border.posts import MAX_UTILIZATION
from corridor.border.worksheets import Worksheet
from corridor.core.queues import mean_wait
from corridor.network.consistency import key_pattern
from corridor.units import MINUTES_PER_HOUR

FloatArray: TypeAlias = NDArray[np.float64]

_MOVED: Final = ("servers", "service_min", "share", "service_cv", "arrival_cv")
"""Columns of the stages table whose ranges move a queue."""


class Uncertainty(NamedTuple):
    """The ranges of a data set as they bear on one crossing.

    ``ranges`` is the ranges table, ``keys`` the keys of the stages' rows in it, ``background`` the
    key, value [vehicles/day] and ways of each row of the background table for the crossing, and
    ``layer`` the crossing's. ``cargo_usd_per_h`` is the part of the value of an hour that is the
    cargo's; the rest is the vehicle's, which has a range of its own.
    """

    ranges: pd.DataFrame
    keys: NDArray[np.object_]
    background: tuple[tuple[str, float, tuple[int, ...]], ...]
    layer: str
    cargo_usd_per_h: float

    def stages(self, key: str) -> NDArray[np.bool_]:
        """Return which stages a key of the stages table names."""
        pattern = re.compile(key_pattern(key))
        return np.array([pattern.fullmatch(text) is not None for text in self.keys], np.bool_)


class _Numbers(NamedTuple):
    """What the delay of every stage is computed from, arrays of shape (n_stages,).

    ``load`` is without the background; ``base`` has shape (n_stages, 2), one column a way.
    """

    load: FloatArray
    base: FloatArray
    servers: FloatArray
    service_min: FloatArray
    share: FloatArray
    service_cv: FloatArray
    arrival_cv: FloatArray
    usd_per_vehicle_h: FloatArray


class Saving(NamedTuple):
    """What one more server saves at every stage; arrays of shape (n_stages,).

    ``usd`` is a year's; ``low`` and ``high`` are the least and the most over the ends of the
    ranges, each group of ranges moved alone; ``low_by`` and ``high_by`` name the group.
    """

    hours_per_day: FloatArray
    hours_low: FloatArray
    hours_high: FloatArray
    usd_per_day: FloatArray
    usd_low: FloatArray
    usd_high: FloatArray
    low_by: NDArray[np.object_]
    high_by: NDArray[np.object_]


def one_more_server(
    sheet: Worksheet,
    usd_per_vehicle_h: float,
    uncertainty: Uncertainty,
) -> Saving:
    """Return what one more server saves at each stage, at this traffic, by the steady state.

    Formula: vehicles sent there a day x (wait now - wait with one more), background included. At an
    end of a range at which the traffic would take more than 95 % of the servers, range and count
    contradict each other; the traffic is then cut to 95 %. Where the traffic overloads the servers
    today, the saving is that at 95 % too.

    Parameters
    ----------
    sheet
        The crossing's stages and their load.
    usd_per_vehicle_h
        Value of an hour that a vehicle waits [USD/h].
    uncertainty
        The ranges that bear on the crossing.
    """
    base = _numbers(sheet, usd_per_vehicle_h)
    open_h = sheet.column("open_h_per_day")
    hours, usd = _saving(base, open_h)
    low_h, high_h, low, high = hours.copy(), hours.copy(), usd.copy(), usd.copy()
    low_by = np.full(hours.size, "", dtype=object)
    high_by = low_by.copy()
    for group, moved in _moved(base, uncertainty):
        other_h, other = _saving(moved, open_h)
        low_by[other < low] = group
        high_by[other > high] = group
        low, high = np.minimum(low, other), np.maximum(high, other)
        low_h, high_h = np.minimum(low_h, other_h), np.maximum(high_h, other_h)
    return Saving(hours, low_h, high_h, usd, low, high, low_by, high_by)


def profile_saving_h_per_day(sheet: Worksheet, profile: DayProfile) -> FloatArray:
    """Return the hours a day that one more server saves at each stage over the day's profile.

    Arrivals at the stage are as they are now; what the stages behind it then get sooner is not
    followed.
    """
    calendar = profile.calendar
    before = profile.stage_delay_h_per_day()
    after = np.zeros_like(before)
    for row in range(before.size):
        rate = profile.stage_arrivals[row]
        if not rate.any():
            continue
        wait = stage_profile(sheet, calendar, row, rate, more_servers=1).mean_wait
        after[row] = float((rate * wait) @ calendar.length) / calendar.days
    return np.asarray(np.maximum(before - after, 0.0))


def fixed_range_h(sheet: Worksheet, uncertainty: Uncertainty) -> tuple[FloatArray, FloatArray]:
    """Return the fixed delay at the ends of its ranges by way and end, shape (2, 2) each [h]."""
    # A fixed delay stands in a row of the stages table; what it adds to a post is weighted alike.
    given = sheet.column("fixed_delay_h")
    low, high = given.copy(), given.copy()
    ranges = uncertainty.ranges
    chosen = ranges[(ranges["table"] == "stages") & (ranges["column"] == "fixed_delay_h")]
    for key, least, most in chosen[["key", "low", "high"]].itertuples(index=False):
        at = uncertainty.stages(str(key))
        low[at] = np.minimum(given[at], float(least))
        high[at] = np.maximum(given[at], float(most))

    def with_delays(moved: FloatArray) -> FloatArray:
        return np.asarray(sheet.fixed_h + np.einsum("rwe,r->we", sheet.serves, moved - given))

    return with_delays(low), with_delays(high)


def _numbers(sheet: Worksheet, usd_per_vehicle_h: float) -> _Numbers:
    return _Numbers(
        load=(sheet.load - sheet.base).sum(axis=1),
        base=sheet.base,
        servers=sheet.column("servers"),
        service_min=sheet.column("service_min"),
        share=sheet.column("share"),
        service_cv=np.sqrt(sheet.column("service_scv")),
        arrival_cv=np.sqrt(sheet.column("arrival_scv")),
        usd_per_vehicle_h=np.full(len(sheet.stages), usd_per_vehicle_h),
    )


def _saving(at: _Numbers, open_h: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the hours a day and USD a day that one more server saves."""
    service = at.service_min / MINUTES_PER_HOUR
    with np.errstate(divide="ignore"):
        most = at.servers * MAX_UTILIZATION / service
    rate = np.minimum((at.load + at.base.sum(axis=1)) * at.share / open_h, most)
    variation = at.arrival_cv**2, at.service_cv**2
    now = mean_wait(rate, service, at.servers, *variation)
    then = mean_wait(rate, service, at.servers + 1.0, *variation)
    hours = np.asarray(rate * open_h * (now - then))
    return hours, hours * at.usd_per_vehicle_h


def _moved(base: _Numbers, uncertainty: Uncertainty) -> Iterator[tuple[str, _Numbers]]:
    """Yield the numbers with each group of ranges at its low and its high ends."""
    used = uncertainty.ranges[_concerns(uncertainty.ranges)]
    names = used["group"].where(used["group"] != "", used["key"] + " " + used["column"])
    for name, rows in used.groupby(names, sort=False):
        for end in ("low", "high"):
            moved = base
            for row in rows.itertuples():
                cell = str(row.table), str(row.key), str(row.column), float(getattr(row, end))
                moved = _set(moved, base, uncertainty, *cell)
            if moved is not base:
                yield str(name), moved


def _concerns(ranges: pd.DataFrame) -> "pd.Series[bool]":
    table, column = ranges["table"], ranges["column"]
    return (
        ((table == "stages") & column.isin(_MOVED))
        | ((table == "background") & (column == "vehicles_per_day"))
        | ((table == "layers") & (column == "vehicle_usd_per_h"))
    )


def _set(
    numbers: _Numbers,
    base: _Numbers,
    uncertainty: Uncertainty,
    table: str,
    key: str,
    column: str,
    value: float,
) -> _Numbers:
    """Return the numbers with one range at a value; the same object where it bears on nothing."""
    if table == "layers":
        if re.fullmatch(key_pattern(key), uncertainty.layer) is None:
            return numbers
        usd = np.full_like(base.usd_per_vehicle_h, value + uncertainty.cargo_usd_per_h)
        return numbers._replace(usd_per_vehicle_h=usd)
    if table == "background":
        moved = numbers.base.copy()
        for name, given, ways in uncertainty.background:
            if re.fullmatch(key_pattern(key), name) is not None and given > 0.0:
                moved[:, ways] = base.base[:, ways] * value / given
        same = bool((moved == numbers.base).all())
        return numbers if same else numbers._replace(base=moved)
    at = uncertainty.stages(key)
    if not at.any():
        return numbers
    return numbers._replace(**{column: np.where(at, value, getattr(numbers, column))})
