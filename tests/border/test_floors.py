"""Inspection floors: a post that inspects less than its state demands is a breach."""

import pandas as pd
import pytest

from corridor.border import FloorBreach
from corridor.planning import compile_model, single_shipments
from tests.planning import toys

Tables = dict[str, pd.DataFrame]
SHIPMENTS = [("A1", "B1", "grain"), ("A2", "B1", "containers")]


def breaches(tables: Tables, **rule: object) -> list[FloorBreach]:
    network = toys.network(tables)
    rules = toys.rules({"kind": "inspection_floor", **rule})
    return compile_model(network, single_shipments(network, SHIPMENTS), rules).breaches


def test_a_floor_met_is_no_breach(toy_tables: Tables) -> None:
    # The scanner of AAA sees a fifth of what leaves by road.
    assert not breaches(toy_tables, country="BBB", stage="documents", share=1.0, layers=["road"])


def test_a_floor_holds_at_every_open_post_of_its_state(toy_tables: Tables) -> None:
    found = breaches(toy_tables, country="AAA", stage="scanner", share=0.3, layers=["road"])
    assert [(b.crossing_id, b.direction, b.share, b.floor) for b in found] == [
        ("ab-road", "out", pytest.approx(0.2), 0.3),
        ("ab-road", "in", 0.0, 0.3),
    ]
    assert {b.country for b in found} == {"AAA"}
    assert {b.rule_id for b in found} == {"r0"}


def test_a_floor_without_layers_holds_on_the_railway_too(toy_tables: Tables) -> None:
    found = breaches(toy_tables, country="AAA", stage="scanner", share=0.1)
    assert sorted((b.crossing_id, b.direction) for b in found) == [
        ("ab-rail", "in"),
        ("ab-rail", "out"),
        ("ab-road", "in"),
    ]


def test_a_closed_post_breaks_no_floor(toy_tables: Tables) -> None:
    tables = toys.changed(toy_tables, "crossings", "ab-road", status="broken")
    assert not breaches(tables, country="AAA", stage="scanner", share=0.3, layers=["road"])


def test_the_least_inspected_commodity_decides_and_empties_do_not(toy_tables: Tables) -> None:
    rows = """
crossing_id,country,direction,order,class,stage,servers,service_min,share
ab-road,AAA,out,2,grain,scanner,1,20,0.1
ab-road,AAA,out,2,empty,scanner,1,20,0
ab-road,AAA,in,2,all,scanner,1,20,0.5
"""
    tables = toys.joined(toy_tables, stages=rows)
    floor = {"country": "AAA", "stage": "scanner", "share": 0.2, "layers": ["road"]}
    assert [b.share for b in breaches(tables, **floor)] == [pytest.approx(0.1)]
    assert not breaches(tables, **floor, commodities=["containers"])
    assert len(breaches(tables, **floor, origins=["A1"])) == 1
    assert not breaches(tables, **floor, origins=["A2"])


def test_two_stages_of_one_name_add_up(toy_tables: Tables) -> None:
    rows = """
crossing_id,country,direction,order,class,stage,servers,service_min,share
ab-road,AAA,out,3,all,scanner,1,20,0.15
ab-road,AAA,in,3,all,scanner,1,20,0.35
"""
    tables = toys.joined(toy_tables, stages=rows)
    floor = {"country": "AAA", "stage": "scanner", "layers": ["road"]}
    assert not breaches(tables, **floor, share=0.35)
    assert len(breaches(tables, **floor, share=0.36)) == 2
