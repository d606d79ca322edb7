"""Shared capacities: who loads which pool with how much, and what is left of it."""

import numpy as np
import pandas as pd
import pytest

from corridor.network.supernetwork import ArcKind
from corridor.planning import Model, compile_model, single_shipments
from corridor.planning.pools import LINK, POST, QUOTA, SERVICE, TERMINAL
from tests.planning import toys

Tables = dict[str, pd.DataFrame]
ENDS = [("A1", "B1", "containers"), ("A1", "B1", "grain")]


def compiled(tables: Tables, *rules: dict[str, object]) -> Model:
    network = toys.network(tables)
    return compile_model(network, single_shipments(network, ENDS), toys.rules(*rules))


def pool(model: Model, kind: str, item: str) -> int:
    table = model.pools.table
    [found] = table.index[(table["kind"] == kind) & (table["item"] == item)]
    return int(found)


def loads(model: Model, number: int) -> np.ndarray:
    """Return what a tonne of each class on each arc loads a pool with."""
    row = model.pools.pools.matrix[[number]].toarray()
    return row.reshape(len(model.classes), model.supernetwork.n_arcs)


def test_a_link_has_its_capacity_in_each_direction(toy_tables: Tables) -> None:
    model = compiled(toy_tables)
    net = model.supernetwork
    link = model.network.links["link_id"].tolist().index("A1-AP-rail")
    for way, forward in (("forward", True), ("backward", False)):
        number = pool(model, LINK, f"A1-AP-rail ({way})")
        assert model.pools.pools.capacity[number] == 4000
        expected = (net.arc_link == link) & (net.arc_forward == forward)
        assert (loads(model, number) == expected).all()
    assert (model.pools.table["kind"] == LINK).sum() == 2


def test_a_group_has_one_capacity_for_all_its_links_both_ways(toy_tables: Tables) -> None:
    tables = toys.changed(
        toy_tables, "links", "BP-B1-rail", capacity_t_per_day=900, capacity_group="line"
    )
    tables = toys.changed(
        tables, "links", "x-ab-rail", capacity_t_per_day=700, capacity_group="line"
    )
    background = "target,direction,vehicles_per_day\nab-rail,both,0.1\nBP-B1-rail,forward,0.05"
    model = compiled(toys.joined(tables, background=background))
    number = pool(model, LINK, "line")
    assert loads(model, number).sum(axis=1).tolist() == [4.0, 4.0]
    # Trains of 2,000 t of background go first.
    assert model.pools.table["base"][number] == pytest.approx(0.15 * 2000)
    assert model.pools.pools.capacity[number] == pytest.approx(700 - 300)


def test_what_ships_carry_takes_the_place_of_the_links_capacity(toy_tables: Tables) -> None:
    tables = toys.changed(toys.with_sea(toy_tables), "links", "strait", capacity_t_per_day=1000)
    text = "service_id,link_id,from_node,headway_h,capacity_t\nf,strait,PB,12,"
    for ship, kinds in (("3000", [LINK, SERVICE]), ("", [LINK, LINK])):
        model = compiled(toys.joined(tables, services=text + ship))
        table = model.pools.table
        found = table[table["item"].str.startswith("strait")]
        assert found["kind"].tolist() == kinds
        assert found["capacity"].max() == (6000 if ship else 1000)


def test_a_terminal_has_its_capacity(toy_tables: Tables) -> None:
    terminals = toy_tables["terminals"].assign(capacity_t_per_day=[250, None, None, None, None, 70])
    model = compiled({**toy_tables, "terminals": terminals})
    number = pool(model, TERMINAL, "A1/road/rail1520")
    assert model.pools.pools.capacity[number] == 250
    assert loads(model, number).sum(axis=1).tolist() == [1.0, 1.0]
    assert model.pools.pools.capacity[pool(model, TERMINAL, "B1/rail1435/road")] == 70


def test_loaded_vehicles_load_a_post_and_empties_its_reverse(toy_tables: Tables) -> None:
    tables = toys.changed(toy_tables, "commodities", "grain", empty_return_share=0.4)
    background = "target,direction,vehicles_per_day\nab-road,forward,28"
    model = compiled(toys.joined(tables, background=background))
    net = model.supernetwork
    out = (net.arc_kind == ArcKind.EXIT) & (net.arc_country == 0) & (net.arc_crossing == 0)
    back = (net.arc_kind == ArcKind.ENTRY) & (net.arc_country == 0) & (net.arc_crossing == 0)
    posts = np.flatnonzero(model.pools.table["kind"] == POST)
    [number] = [p for p in posts if loads(model, p)[:, out].any() and not
                (loads(model, p)[0, back]).any()]  # fmt: skip
    boxes, grain = model.class_of
    expected = np.zeros((2, net.n_arcs))
    expected[:, out] = 1 / 20
    expected[grain, back] = 0.4 / 20
    np.testing.assert_allclose(loads(model, number), expected)
    assert boxes != grain
    assert model.pools.pools.capacity[number] == pytest.approx(228 - 28)


def test_background_over_the_capacity_leaves_nothing(toy_tables: Tables) -> None:
    background = "target,direction,vehicles_per_day\nab-road,forward,500"
    model = compiled(toys.joined(toy_tables, background=background))
    assert model.pools.pools.capacity.min() == 0.0


def test_hard_and_soft_quotas(toy_tables: Tables) -> None:
    quota = {"kind": "quota", "crossings": ["ab-road"], "unit": "vehicles_per_day", "limit": 10}
    model = compiled(toy_tables, quota, quota | {"over_quota_usd_per_vehicle": 30.0})
    hard, soft = pool(model, QUOTA, "r0"), pool(model, QUOTA, "r1")
    assert model.pools.pools.capacity[[hard, soft]].tolist() == [10.0, np.inf]
    assert model.pools.table["unit"][soft] == "vehicles_per_day"
    load = np.zeros(len(model.pools.table))
    load[[hard, soft]] = 12.0
    assert model.pools.overruns.value(load).sum() == pytest.approx(60.0)
    assert model.pools.delay.value(load)[soft] == pytest.approx(60.0)
