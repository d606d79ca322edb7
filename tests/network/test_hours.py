import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corridor.errors import InputError
from corridor.network.hours import (
    ALWAYS,
    DAYS,
    open_hours_per_week,
    parse_departures,
    parse_hours,
)

MINUTES = 24 * 60


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("", 168.0),
        ("24/7", 168.0),
        ("Mo-Su 00:00-24:00", 168.0),
        ("08:00-20:00", 84.0),
        ("Mo-Fr 08:00-20:00; Sa 09:00-13:00", 64.0),
        ("Mo-Fr 08:00-12:00,13:00-17:30", 42.5),
        ("Sa-Mo 10:00-12:00", 6.0),
        ("Mo, We ,Fr 10:00-12:00", 6.0),
        ("Mo 22:00-06:00", 8.0),
        ("Mo-Su 22:00-06:00", 56.0),
        ("Mo-Su 08:00-20:00; Su off", 72.0),
        ("Mo-Su 08:00-20:00; We 10:00-11:00;", 73.0),
        ("Mo 08:00-12:00,10:00-14:00", 6.0),
        ("Mo-Su off", 0.0),
    ],
)
def test_open_hours_of_a_week(text: str, hours: float) -> None:
    assert open_hours_per_week(text) == hours


@pytest.mark.parametrize(
    "text",
    [
        "Mo-Fr",
        "Mo-Fr 8-20",
        "Mo-Fr 08:00",
        "Mo-Fr 08:00-25:00",
        "Mo-Fr 08:00-24:30",
        "Mo-Fr 08:60-12:00",
        "Mo-Fr 08:00-08:00",
        "Mo-Fr 24:00-08:00",
        "Mon-Fri 08:00-20:00",
        "Mo-Fr 08:00-20:00;; Sa 09:00-13:00",
        ";",
        "PH off",
        "Mo-Fr 08:00-20:00,",
    ],
)
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="must read like"):
        parse_hours(text)


@pytest.mark.parametrize("text", ["Mo", "Mo 06:00-07:00", "Mo 24:00", "We 6", "Mo 06:00; ;"])
def test_other_timetables_are_refused(text: str) -> None:
    with pytest.raises(InputError):
        parse_departures(text)


def test_departures_add_up_and_are_sorted() -> None:
    assert parse_departures("Fr 18:30; Mo,We 06:00,07:15; Mo 06:00") == (
        6.0,
        7.25,
        54.0,
        55.25,
        114.5,
    )
    assert parse_departures("06:00") == tuple(6.0 + 24.0 * day for day in range(7))
    assert parse_departures("") == ()


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


day_sets = st.lists(st.sampled_from(range(7)), min_size=1, max_size=7, unique=True)
spans = st.tuples(st.integers(0, MINUTES - 1), st.integers(0, MINUTES)).filter(
    lambda span: span[0] != span[1]
)
rules = st.tuples(day_sets, st.lists(spans, max_size=3))


@given(st.lists(rules, min_size=1, max_size=4))
def test_hours_equal_a_minute_by_minute_reading(
    week: list[tuple[list[int], list[tuple[int, int]]]],
) -> None:
    by_day: dict[int, list[tuple[int, int]]] = {}
    texts = []
    for days, times in week:
        by_day.update(dict.fromkeys(days, times))
        clock = ",".join(f"{_clock(start)}-{_clock(end)}" for start, end in times) or "off"
        texts.append(",".join(DAYS[day] for day in days) + " " + clock)
    is_open = [False] * (7 * MINUTES)
    for day, times in by_day.items():
        for start, end in times:
            for minute in range(start, end if end > start else end + MINUTES):
                is_open[(day * MINUTES + minute) % len(is_open)] = True

    intervals = parse_hours("; ".join(texts))

    assert open_hours_per_week("; ".join(texts)) == pytest.approx(sum(is_open) / 60.0)
    assert list(intervals) == sorted(intervals)
    for (_, end), (start, _) in itertools.pairwise(intervals):
        assert end < start
    assert all(0.0 <= start < end <= 168.0 for start, end in intervals)
    read = [
        any(start <= (minute + 0.5) / 60.0 < end for start, end in intervals)
        for minute in range(0, len(is_open), 7)
    ]
    assert read == is_open[::7]


@given(st.text(max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        hours = open_hours_per_week(text)
    except InputError:
        return
    assert 0.0 <= hours <= 168.0
    assert text.strip() or parse_hours(text) == ALWAYS
