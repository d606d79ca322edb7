"""Opening hours and timetables of a week, read from a small part of the OpenStreetMap notation.

A week starts on Monday at 00:00 local time; an hour of the week is a number in [0, 168).
"""

import re
from typing import Final, TypeAlias

from corridor.errors import InputError
from corridor.units import HOURS_PER_DAY, HOURS_PER_WEEK, MINUTES_PER_HOUR

DAYS: Final = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
ALWAYS: Final = ((0.0, HOURS_PER_WEEK),)

Interval: TypeAlias = tuple[float, float]

_DAY: Final = "(?:" + "|".join(DAYS) + ")"
_DAY_LIST: Final = rf"{_DAY}(?:-{_DAY})?(?:\s*,\s*{_DAY}(?:-{_DAY})?)*"
_DAY_PREFIX: Final = re.compile(rf"({_DAY_LIST})(?:\s+|$)")
_TIME: Final = re.compile(r"(\d{1,2}):([0-5]\d)")
_CLOSED: Final = ("off", "closed")


def parse_hours(text: str) -> tuple[Interval, ...]:
    """Return the open intervals of the week that an opening-hours text describes.

    Rules are separated by ``;`` and a later rule replaces an earlier one on its days, as in
    OpenStreetMap. A rule is days (``Mo-Fr``, ``Mo,We``, ``Sa-Mo``; none = every day) and times
    (``08:00-12:00,13:00-17:00``, over midnight ``22:00-06:00``, ``off``). A blank text and ``24/7``
    mean always.

    Parameters
    ----------
    text
        The opening hours, local time.

    Returns
    -------
    tuple of (float, float)
        Disjoint intervals [start, end) in hours of the week, sorted, within 0 to 168.

    Raises
    ------
    InputError
        If the text is not in this notation.

    Examples
    --------
    >>> parse_hours("Mo-Tu 08:00-20:00")
    ((8.0, 20.0), (32.0, 44.0))
    >>> parse_hours("Su 22:00-06:00")
    ((0.0, 6.0), (166.0, 168.0))
    """
    if text.strip() in ("", "24/7"):
        return ALWAYS
    by_day: list[tuple[Interval, ...]] = [()] * len(DAYS)
    for rule in _rules(text):
        days, times = _split(rule, text)
        spans = _spans(times, text)
        for day in days:
            by_day[day] = spans
    week = [
        (day * HOURS_PER_DAY + start, day * HOURS_PER_DAY + end)
        for day, spans in enumerate(by_day)
        for start, end in spans
    ]
    return _merged(week)


def open_hours_per_week(text: str) -> float:
    """Return how many hours a week an opening-hours text is open [h], 0 to 168; blank = 168.

    Raises
    ------
    InputError
        If the text is not in the notation of :func:`parse_hours`.

    Examples
    --------
    >>> open_hours_per_week("Mo-Fr 08:00-20:00; Sa 09:00-13:00")
    64.0
    >>> open_hours_per_week("")
    168.0
    """
    return sum(end - start for start, end in parse_hours(text))


def parse_departures(text: str) -> tuple[float, ...]:
    """Return the departures of the week that a timetable text describes.

    Rules are separated by ``;`` and add up. A rule is days (none = every day) and times separated
    by ``,``.

    Parameters
    ----------
    text
        The timetable, local time; blank = no timetable.

    Returns
    -------
    tuple of float
        Hours of the week in [0, 168), sorted, each once.

    Raises
    ------
    InputError
        If the text is not in this notation.

    Examples
    --------
    >>> parse_departures("Mo,We 06:00; Fr 18:30")
    (6.0, 54.0, 114.5)
    """
    if not text.strip():
        return ()
    departures: set[float] = set()
    for rule in _rules(text):
        days, times = _split(rule, text)
        for time in times.split(","):
            hour = _hour(time.strip(), text)
            if hour >= HOURS_PER_DAY:
                raise _fault(text, f"the time {time.strip()!r} must be before 24:00")
            departures.update(day * HOURS_PER_DAY + hour for day in days)
    return tuple(sorted(departures))


def _rules(text: str) -> list[str]:
    rules = [rule.strip() for rule in text.split(";")]
    if rules[-1] == "":  # a closing semicolon is harmless
        rules.pop()
    if not rules or "" in rules:
        raise _fault(text, "a rule between two ';' is empty")
    return rules


def _split(rule: str, text: str) -> tuple[list[int], str]:
    match = _DAY_PREFIX.match(rule)
    names = match[1] if match else ""
    times = rule[match.end() :].strip() if match else rule
    if not times:
        raise _fault(text, f"the rule {rule!r} has no time")
    return _days(names) if names else list(range(len(DAYS))), times


def _days(names: str) -> list[int]:
    days: list[int] = []
    for part in names.split(","):
        first, _, last = part.strip().partition("-")
        start, end = DAYS.index(first), DAYS.index(last or first)
        length = (end - start) % len(DAYS) + 1
        days.extend((start + step) % len(DAYS) for step in range(length))
    return days


def _spans(times: str, text: str) -> tuple[Interval, ...]:
    if times in _CLOSED:
        return ()
    spans = []
    for span in times.split(","):
        first, dash, last = span.strip().partition("-")
        if not dash:
            raise _fault(text, f"the span {span.strip()!r} has no end")
        start, end = _hour(first.strip(), text), _hour(last.strip(), text)
        if start >= HOURS_PER_DAY or start == end:
            raise _fault(text, f"the span {span.strip()!r} is empty or starts after the day")
        spans.append((start, end if end > start else end + HOURS_PER_DAY))
    return tuple(spans)


def _hour(text: str, whole: str) -> float:
    match = _TIME.fullmatch(text)
    if match is None:
        raise _fault(whole, f"the time {text!r} is not HH:MM")
    hour = int(match[1]) + int(match[2]) / MINUTES_PER_HOUR
    if hour > HOURS_PER_DAY:
        raise _fault(whole, f"the time {text!r} is after 24:00")
    return hour


def _merged(spans: list[Interval]) -> tuple[Interval, ...]:
    """Wrap what runs past Sunday into Monday, sort, and join what touches or overlaps."""
    wrapped: list[Interval] = []
    for start, end in spans:
        wrapped.append((start, min(end, HOURS_PER_WEEK)))
        if end > HOURS_PER_WEEK:
            wrapped.append((0.0, end - HOURS_PER_WEEK))
    merged: list[Interval] = []
    for start, end in sorted(wrapped):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)


def _fault(text: str, reason: str) -> InputError:
    msg = (
        f"The hours {text!r} must read like 'Mo-Fr 08:00-20:00; Sa 09:00-13:00' or, for "
        f"departures, 'Mo,We 06:00; Fr 18:30'; {reason}. Correct the text."
    )
    return InputError(msg)
