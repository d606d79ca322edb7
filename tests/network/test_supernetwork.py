"""The supernetwork: what each row of a table becomes, and whose every arc is."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from corridor.network import Network
from corridor.network.background import background_vehicles
from corridor.network.supernetwork import ArcKind, Supernetwork, build_supernetwork
from tests.planning import toys

Tables = dict[str, pd.DataFrame]


def chain(net: Supernetwork, network: Network, link_id: str, *, forward: bool) -> list[int]:
    """Return the arcs of a link in one direction, in the order in which they are met."""
    link = network.links["link_id"].tolist().index(link_id)
    arcs = np.flatnonzero((net.arc_link == link) & (net.arc_forward == forward))
    tails, heads = net.graph.tail[arcs].tolist(), net.graph.head[arcs].tolist()
    order = [next(i for i, tail in enumerate(tails) if tail not in heads)]
    while len(order) < arcs.size:
        order.append(tails.index(heads[order[-1]]))
    return arcs[order].tolist()


def described(net: Supernetwork, arcs: list[int]) -> list[tuple[str, str, float]]:
    return [
        (
            ArcKind(net.arc_kind[a]).name.lower(),
            net.countries[net.arc_country[a]],
            float(net.arc_length_km[a]),
        )
        for a in arcs
    ]


def test_a_land_border_is_travel_exit_entry_travel(toy_network: Network) -> None:
    net = build_supernetwork(toy_network)
    there = chain(net, toy_network, "x-ab-road", forward=True)
    assert described(net, there) == [
        ("travel", "AAA", 3.0),
        ("exit", "AAA", 0.0),
        ("entry", "BBB", 0.0),
        ("travel", "BBB", 3.0),
    ]
    back = chain(net, toy_network, "x-ab-road", forward=False)
    assert described(net, back) == [
        ("travel", "BBB", 3.0),
        ("exit", "BBB", 0.0),
        ("entry", "AAA", 0.0),
        ("travel", "AAA", 3.0),
    ]


@pytest.mark.parametrize("link_id", ["x-ab-road", "strait"])
def test_a_chain_knows_its_order_and_its_reverse(toy_tables: Tables, link_id: str) -> None:
    network = toys.network(toys.with_sea(toy_tables))
    net = build_supernetwork(network)
    there, back = (chain(net, network, link_id, forward=way) for way in (True, False))
    for arcs in (there, back):
        assert net.arc_before[arcs].tolist() == [-1, *arcs[:-1]]
    assert net.arc_reverse[there].tolist() == back[::-1]
    assert net.arc_reverse[back].tolist() == there[::-1]
    # The end places are those of the link, seen from either side.
    assert net.node_place[net.graph.tail[there[0]]] == net.node_place[net.graph.head[back[-1]]]


def test_a_sea_crossing_is_exit_sea_entry_and_the_sea_is_no_state(toy_tables: Tables) -> None:
    network = toys.network(toys.with_sea(toy_tables))
    net = build_supernetwork(network)
    there = chain(net, network, "strait", forward=True)
    assert described(net, there) == [
        ("exit", "BBB", 0.0),
        ("travel", "XXZ", 240.0),
        ("entry", "AAA", 0.0),
    ]
    assert net.arc_country[there[1]] == net.high_seas
    # The crossing runs from AAA to BBB although its link is drawn the other way.
    assert not net.arc_a_to_b[there].any()
    assert net.arc_a_to_b[chain(net, network, "strait", forward=False)].all()


def test_every_link_has_one_main_arc_a_direction(toy_tables: Tables) -> None:
    tables = toys.changed(toys.with_sea(toy_tables), "links", "A2-A1-road", directed=True)
    network = toys.network(tables)
    net = build_supernetwork(network)
    main = 2 * net.arc_link[net.arc_is_main] + net.arc_forward[net.arc_is_main]
    assert np.unique(main).size == main.size == 2 * len(network.links) - 1
    one_way = chain(net, network, "A2-A1-road", forward=True)
    assert net.arc_reverse[one_way].tolist() == [-1]


def test_directed_border_links_have_no_way_back(toy_tables: Tables) -> None:
    tables = toys.changed(toy_tables, "links", "x-ab-road", directed=True)
    network = toys.network(tables)
    net = build_supernetwork(network)
    there = chain(net, network, "x-ab-road", forward=True)
    assert net.arc_reverse[there].tolist() == [-1] * 4
    assert net.arc_before[there].tolist() == [-1, *there[:-1]]
    link = network.links["link_id"].tolist().index("x-ab-road")
    assert (net.arc_link == link).sum() == 4


def test_lengths_add_up_to_the_links_both_ways(toy_tables: Tables) -> None:
    network = toys.network(toys.with_sea(toy_tables))
    net = build_supernetwork(network)
    for way in (True, False):
        on = (net.arc_link >= 0) & (net.arc_forward == way)
        length = np.bincount(net.arc_link[on], net.arc_length_km[on])
        np.testing.assert_allclose(length, network.links["length_km"])
        share = np.bincount(net.arc_link[on], net.arc_share[on])
        np.testing.assert_allclose(share, 1.0)


def test_every_arc_has_one_jurisdiction_and_inland_it_is_its_own_state(
    toy_tables: Tables,
) -> None:
    network = toys.network(toys.with_sea(toy_tables))
    net = build_supernetwork(network)
    assert net.countries == ("AAA", "BBB", "XXZ")
    assert ((net.arc_country >= 0) & (net.arc_country < 3)).all()
    state = network.nodes["country"].to_numpy(object)
    inland = net.arc_crossing < 0
    for node in (net.graph.tail, net.graph.head):
        place = net.node_place[node[inland]]
        own = np.array(net.countries, dtype=object)[net.arc_country[inland]]
        assert (state[place] == own).all()


def test_a_terminal_is_one_arc_from_layer_to_layer(toy_network: Network) -> None:
    net = build_supernetwork(toy_network)
    transfers = np.flatnonzero(net.is_kind(ArcKind.TRANSFER))
    assert transfers.size == len(toy_network.terminals)
    layers = toy_network.layers["layer"].to_numpy(object)
    rows = toy_network.terminals.iloc[net.arc_terminal[transfers]]
    assert (layers[net.arc_layer[transfers]] == rows["to_layer"]).all()
    assert (layers[net.arc_from_layer[transfers]] == rows["from_layer"]).all()
    assert (net.node_layer[net.graph.tail[transfers]] == net.arc_from_layer[transfers]).all()
    assert (net.node_layer[net.graph.head[transfers]] == net.arc_layer[transfers]).all()


def test_no_path_passes_through_a_zone(toy_network: Network) -> None:
    net = build_supernetwork(toy_network)
    sources, sinks = net.source[net.source >= 0], net.sink[net.sink >= 0]
    assert not np.isin(net.graph.head, sources).any()
    assert not np.isin(net.graph.tail, sinks).any()
    assert (net.source >= 0).all()
    assert not np.intersect1d(sources, sinks).size


def test_a_place_without_links_is_no_zone(toy_tables: Tables) -> None:
    lonely = "node_id,name,country,kind,lon,lat\nA9,Aspen,AAA,city,0.5,0.5"
    net = build_supernetwork(toys.network(toys.joined(toy_tables, nodes=lonely)))
    place = net.places.index("A9")
    assert net.source[place] == net.sink[place] == -1


@pytest.mark.parametrize(("table", "key"), [("links", "x-ab-road"), ("crossings", "ab-road")])
def test_a_closed_link_or_crossing_stays_but_is_not_open(
    toy_tables: Tables, table: str, key: str
) -> None:
    network = toys.network(toys.changed(toy_tables, table, key, status="broken"))
    net = build_supernetwork(network)
    closed = {network.links["link_id"].iloc[i] for i in net.arc_link[~net.arc_open]}
    assert closed == {"x-ab-road"}
    assert (~net.arc_open).sum() == 8


def test_works_open_on_their_day(toy_tables: Tables) -> None:
    tables = toys.changed(
        toy_tables, "links", "x-ab-road", status="construction", opens="2030-01-01"
    )
    for date, is_open in (("2029-12-31", False), ("2030-01-01", True), (None, False)):
        network = toys.network(tables, date)
        net = build_supernetwork(network)
        assert net.arc_open[chain(net, network, "x-ab-road", forward=True)].all() == is_open


def test_arrays_cannot_be_written(toy_network: Network) -> None:
    net = build_supernetwork(toy_network)
    with pytest.raises(ValueError, match="read-only"):
        net.arc_country[0] = 1
    assert replace(net, arc_country=net.arc_country.copy()).arc_country.flags.writeable


BACKGROUND = """
target,direction,vehicles_per_day,scenario
strait,forward,7,
ab-sea,forward,5,
ab-road,both,60,
x-ab-road,backward,11,other
A2-A1-road,both,8,
"""


def test_background_follows_the_direction_of_its_target(toy_tables: Tables) -> None:
    tables = toys.joined(toys.with_sea(toy_tables), background=BACKGROUND)
    network = toys.network(tables)
    net = build_supernetwork(network)
    found = background_vehicles(network, net, "base")

    def on(link_id: str, *, forward: bool) -> float:
        return float(found[chain(net, network, link_id, forward=forward)].sum())

    # The strait is drawn from BBB to AAA: the crossing's forward is the link's backward.
    assert on("strait", forward=True) == 7.0
    assert on("strait", forward=False) == 5.0
    assert on("x-ab-road", forward=True) == on("x-ab-road", forward=False) == 30.0
    assert on("A2-A1-road", forward=True) == 4.0
    assert found.sum() == 7 + 5 + 60 + 8
    assert background_vehicles(network, net, "other").sum() == 7 + 5 + 60 + 8 + 11
