import datetime as dt
import json

import numpy as np
import pandas as pd
import pytest

import corridor
from corridor.errors import Fault
from corridor.report.records import (
    comparison_record,
    fault_records,
    itinerary_record,
    plan_record,
    write_json,
)
from corridor.study import Comparison


def strict(text: str) -> object:
    """Read JSON as the standard has it: NaN and Infinity are no numbers."""

    def refuse(constant: str) -> object:
        raise AssertionError(constant)

    return json.loads(text, parse_constant=refuse)


def test_unknown_values_are_null() -> None:
    values = [float("nan"), float("inf"), np.nan, None, pd.NaT, pd.NA]
    assert strict(write_json(values)) == [None] * 6


def test_numpy_and_dates_become_plain() -> None:
    record = {
        "n": np.int64(3),
        "share": np.float64(0.5),
        "binding": np.bool_(True),  # noqa: FBT003 (what a frame holds)
        "array": np.array([1.0, np.nan]),
        "date": dt.date(2026, 1, 31),
        "opens": pd.Timestamp("2026-01-31"),
        "pair": ("a", "b"),
    }
    assert strict(write_json(record)) == {
        "n": 3,
        "share": 0.5,
        "binding": True,
        "array": [1.0, None],
        "date": "2026-01-31",
        "opens": "2026-01-31",
        "pair": ["a", "b"],
    }


def test_midnight_with_a_time_zone_keeps_it() -> None:
    times = [pd.Timestamp("2026-07-03", tz="Asia/Yerevan"), pd.Timestamp("2026-07-03 20:00")]
    assert strict(write_json(times)) == ["2026-07-03T00:00:00+04:00", "2026-07-03T20:00:00"]
    frame = pd.DataFrame({"arrive": pd.to_datetime(["2026-07-03T00:00:00Z"])})
    assert strict(write_json(frame)) == [{"arrive": "2026-07-03T00:00:00+00:00"}]


def test_frame_is_a_list_of_rows() -> None:
    frame = pd.DataFrame({"post": ["A", "B"], "opens": pd.to_datetime(["2026-01-01", None])})
    assert strict(write_json(frame)) == [
        {"post": "A", "opens": "2026-01-01"},
        {"post": "B", "opens": None},
    ]
    assert strict(write_json(frame.iloc[:0])) == []


def test_other_objects_are_refused() -> None:
    with pytest.raises(TypeError, match="found object"):
        write_json(object())


def test_plan_has_every_table(comparison: Comparison) -> None:
    plan = comparison.plans["today"]
    record = strict(write_json(plan_record(plan)))
    assert isinstance(record, dict)
    assert record["status"] == "optimal"
    assert record["date"] == "2026-01-01"
    assert len(record["links"]) == len(plan.links)
    assert record["links"][0]["utilization"] is None
    assert record["unmet"] == []


def test_itinerary_has_its_legs(toy_network: corridor.Network) -> None:
    itinerary = corridor.route(toy_network, "A1", "B1")
    record = strict(write_json(itinerary_record(itinerary)))
    assert isinstance(record, dict)
    assert record["countries"] == ["AAA", "BBB"]
    assert [leg["kind"] for leg in record["legs"]] == itinerary.legs["kind"].tolist()


def test_comparison_has_a_status_for_every_variant(comparison: Comparison) -> None:
    record = strict(write_json(comparison_record(comparison)))
    assert isinstance(record, dict)
    assert record["base"] == "today"
    assert [(v["variant"], v["status"]) for v in record["variants"]] == [
        ("today", "optimal"),
        ("no_road", "optimal"),
        ("no_border", "partial"),
        ("contradiction", "infeasible"),
    ]
    assert record["variants"][3]["objective_usd_per_day"] is None
    assert len(record["indicators"]) == len(comparison.indicators)


def test_fault_is_a_record() -> None:
    fault = Fault(file="links.csv", row=2, found="-1", expected="> 0", remedy="correct it")
    assert fault_records([fault])[0] == {
        "file": "links.csv",
        "row": 2,
        "key": "",
        "column": "",
        "found": "-1",
        "expected": "> 0",
        "remedy": "correct it",
        "warning": False,
    }
