"""Ways on the terminal: legs, dated legs, alternatives, Pareto fronts."""

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

import corridor
from corridor.report.sheets.ways import front_sheet, itinerary_sheets
from tests.report.test_sheets import shown
from tests.report.test_tables import column, no_nan


def test_itinerary_shows_legs_and_door_to_door(toy_network: corridor.Network) -> None:
    (sheet,) = itinerary_sheets([corridor.route(toy_network, "A2", "B2", "grain")])
    assert column(sheet, "where")[:2] == ["A2 > A1", "A1"]
    assert "ab-rail" in column(sheet, "where")
    assert sheet.note.startswith("Door to door: 469 km")
    assert "USD/TEU" not in sheet.note


def test_itinerary_of_containers_has_a_price_per_teu(toy_network: corridor.Network) -> None:
    (sheet,) = itinerary_sheets([corridor.route(toy_network, "A1", "B1", "containers")])
    assert "(101 USD/TEU)" in sheet.note


def test_several_ways_are_compared_first(toy_network: corridor.Network) -> None:
    ways = corridor.alternatives(toy_network, "A1", "B1", k=2)
    sheets = itinerary_sheets(ways)
    assert column(sheets[0], "way") == ["1", "2"]
    assert column(sheets[0], "crossings") == ["ab-rail", "ab-road"]
    assert no_nan(sheets)


def test_a_front_has_a_row_a_way(toy_network: corridor.Network) -> None:
    front = corridor.pareto(toy_network, "A1", "B1", ("time_h", "sd_h"), exposure=["BBB"])
    sheet = front_sheet(front, "A1 to B1")
    assert sheet.title == f"A1 to B1: {len(front)} ways that no other beats"
    assert column(sheet, "way") == [f"{i + 1}" for i in front["path_id"]]
    assert column(sheet, "exposure") == [f"{km:.0f}" for km in front["exposure_km"]]
    assert column(sheet, "time") == [f"{h / 24:.1f}" for h in front["time_h"]]
    assert set(column(sheet, "states")) == {"AAA BBB"}
    assert "exposure" not in [
        c.title for c in front_sheet(front.drop(columns="exposure_km"), "").columns
    ]
    assert front_sheet(front.head(1), "x").title == "x: 1 way that no other beats"
    assert no_nan([sheet])


def dated(tables: dict[str, pd.DataFrame]) -> corridor.Network:
    """Return the toy in two time zones, its road border open by day."""
    nodes = tables["nodes"].copy()
    nodes["timezone"] = ["Asia/Yerevan"] * 3 + ["Europe/Istanbul"] * 3
    hours = ["Mo-Sa 08:00-18:00", ""]
    crossings = tables["crossings"].assign(opening_hours=hours)
    return corridor.Network.from_tables(
        **{**tables, "nodes": nodes, "crossings": crossings}, name="toy"
    )


def test_a_dated_way_shows_local_times_and_why_it_waits(
    toy_tables: dict[str, pd.DataFrame],
) -> None:
    leaves = dt.datetime(2026, 7, 4, 18, tzinfo=ZoneInfo("Asia/Yerevan"))
    links = toy_tables["links"]
    shut = links.assign(status=np.where(links["crossing_id"] == "ab-rail", "broken", "open"))
    way = corridor.route(dated({**toy_tables, "links": shut}), "A1", "B1", depart=leaves)
    (sheet,) = itinerary_sheets([way])
    assert sheet.title.endswith("leaves Sat 4 Jul 2026 18:00 +04")
    assert sheet.note.startswith("Arrives Mon 6 Jul 2026 ")
    assert column(sheet, "arrives")[0] == "Sat 4 Jul 18:00 +04"
    post = column(sheet, "leg").index("exit post")
    assert column(sheet, "for")[post] == "closed"
    assert column(sheet, "arrives")[post] == "Sat 4 Jul 20:03 +04"
    assert column(sheet, "leaves")[post].startswith("Mon 6 Jul 08:")
    assert column(sheet, "arrives")[post + 1].endswith("+03")
    assert float(column(sheet, "wait")[post]) == pytest.approx(35.95, abs=0.06)
    assert no_nan([sheet])
    assert "Sat 4 Jul 20:03 +04" in shown(sheet, 80)


def test_dated_ways_say_when_they_arrive(toy_tables: dict[str, pd.DataFrame]) -> None:
    leaves = dt.datetime(2026, 7, 1, 8, tzinfo=dt.UTC)
    ways = corridor.alternatives(dated(toy_tables), "A1", "B1", 2, depart=leaves)
    sheet = itinerary_sheets(ways)[0]
    assert all(text.endswith("+03") for text in column(sheet, "arrives"))
    undated = itinerary_sheets(corridor.alternatives(dated(toy_tables), "A1", "B1", 2))[0]
    assert "arrives" not in [c.title for c in undated.columns]


def test_without_a_time_zone_times_are_in_utc(toy_tables: dict[str, pd.DataFrame]) -> None:
    nodes = toy_tables["nodes"].assign(timezone="")
    network = corridor.Network.from_tables(**{**toy_tables, "nodes": nodes}, name="toy")
    way = corridor.route(network, "A1", "B1", depart=dt.datetime(2026, 7, 1, 8, tzinfo=dt.UTC))
    assert column(itinerary_sheets([way])[0], "arrives")[0] == "Wed 1 Jul 08:00 +00"
