"""Operating time against a calendar that is walked event by event."""

import heapq

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corridor.core.queues import OperatingHours
from corridor.core.queues._inputs import FloatArray
from corridor.errors import InputError

WEEK = OperatingHours(opens=[8, 13, 32, 80], closes=[12, 18, 42, 81.5], period=168)


def test_both_clocks_by_hand() -> None:
    # 4 + 5 + 10 + 1.5 = 20.5 open hours a week.
    assert WEEK.open_per_period == 20.5
    time = [0, 8, 10, 12.5, 13, 18, 20, 33, 100, 168, 176, 178]
    expected = [0, 0, 2, 4, 4, 9, 9, 10, 20.5, 20.5, 20.5, 22.5]
    np.testing.assert_allclose(WEEK.operating(time), expected)
    work = [0.0, 4.0, 9.0, 10.0, 20.5, 22.5, 41.0]
    starts, ends = [8, 13, 32, 33, 176, 178, 344], [0, 12, 18, 33, 81.5, 178, 249.5]
    np.testing.assert_allclose(WEEK.calendar(work, moment="start"), starts)
    np.testing.assert_allclose(WEEK.calendar(work), ends)


@given(st.lists(st.floats(0, 2000), min_size=1, max_size=20))
def test_the_clocks_are_inverse_and_never_run_backwards(times: list[float]) -> None:
    time = np.sort(times)
    work = WEEK.operating(time)
    assert (np.diff(work) >= 0).all()
    start, end = WEEK.calendar(work, moment="start"), WEEK.calendar(work)
    assert (start >= time - 1e-9).all()
    assert (end <= time + 1e-9).all()
    np.testing.assert_allclose(WEEK.operating(start), work, atol=1e-9)
    np.testing.assert_allclose(WEEK.operating(end), work, atol=1e-9)


def in_operating_time(
    hours: OperatingHours, arrival: FloatArray, service: FloatArray, servers: int
) -> tuple[FloatArray, FloatArray]:
    """Return starts and ends of vehicles served in turn, on the clock of open hours."""
    free = [0.0] * servers
    starts, ends = [], []
    for came, needs in zip(hours.operating(arrival).tolist(), service.tolist(), strict=True):
        starts.append(max(came, heapq.heappop(free)))
        ends.append(starts[-1] + needs)
        heapq.heappush(free, ends[-1])
    return hours.calendar(starts, moment="start"), hours.calendar(ends)


def in_calendar_time(
    intervals: list[tuple[float, float]], arrival: FloatArray, service: FloatArray, servers: int
) -> tuple[FloatArray, FloatArray]:
    """Do the same by events on the calendar: arrivals, openings, closings, completions."""
    start, end = np.full(arrival.size, np.nan), np.full(arrival.size, np.nan)
    queue: list[int] = []
    left: dict[int, float] = {}  # work of the vehicles in service
    now, next_arrival, interval, is_open = 0.0, 0, 0, False
    while np.isnan(end).any():
        change = intervals[interval][1 if is_open else 0]
        coming = arrival[next_arrival] if next_arrival < arrival.size else np.inf
        done = now + min(left.values()) if left and is_open else np.inf
        then = min(change, coming, done)
        if is_open:
            left = {vehicle: work - (then - now) for vehicle, work in left.items()}
        now = then
        if then == done:
            vehicle = min(left, key=lambda v: left[v])
            del left[vehicle]
            end[vehicle] = now
        elif then == coming:
            queue.append(next_arrival)
            next_arrival += 1
        else:
            interval += is_open
            is_open = not is_open
        while is_open and queue and len(left) < servers:
            vehicle = queue.pop(0)
            left[vehicle] = service[vehicle]
            start[vehicle] = now
    return start, end


@pytest.mark.parametrize("servers", [1, 3])
def test_a_queue_in_operating_time_is_the_queue_on_the_calendar(servers: int) -> None:
    rng = np.random.default_rng(11)
    arrival = np.cumsum(rng.exponential(1 / 1.5, 600))
    service = rng.gamma(2.0, 0.2 * servers / 2, 600)
    intervals = [
        (turn * 168 + low, turn * 168 + high)
        for turn in range(60)
        for low, high in zip(WEEK.opens.tolist(), WEEK.closes.tolist(), strict=True)
    ]
    fast = in_operating_time(WEEK, arrival, service, servers)
    slow = in_calendar_time(intervals, arrival, service, servers)
    np.testing.assert_allclose(fast[0], slow[0], atol=1e-9)
    np.testing.assert_allclose(fast[1], slow[1], atol=1e-9)
    assert (fast[1] - arrival).mean() > 5.0  # closures are most of the delay


@pytest.mark.parametrize(
    ("opens", "closes", "period", "message"),
    [
        ([], [], 24, "opens must hold at least one interval; found none"),
        ([8], [8], 24, "closes must lie after opens; found 8 at position 0"),
        ([8, 11], [12, 14], 24, "opens must not lie before the closing before; found 11"),
        ([20], [26], 24, "closes must be <= the period of 24; found 26"),
        ([-1], [3], 24, "opens must be finite and >= 0; found -1"),
        ([8], [np.nan], 24, "closes must be finite and >= 0; found nan"),
        ([8], [9, 10], 24, r"one shape \(n_intervals,\); found \(1,\) and \(2,\)"),
        ([8], [9], 0, "period must be finite and > 0; found 0"),
    ],
)
def test_wrong_hours_are_refused(
    opens: list[float], closes: list[float], period: float, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        OperatingHours(opens=opens, closes=closes, period=period)  # type: ignore[arg-type]


def test_wrong_times_are_refused() -> None:
    with pytest.raises(InputError, match="time must be finite and >= 0; found -2 at position 1"):
        WEEK.operating([1.0, -2.0])
    with pytest.raises(InputError, match="operating must be finite and >= 0; found nan"):
        WEEK.calendar(np.nan)
    with pytest.raises(InputError, match="moment must be 'start' or 'end'; found 'now'"):
        WEEK.calendar(1.0, moment="now")  # type: ignore[arg-type]
