"""Scopes on arcs: where they lie, and where shipments enter them, once each time."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from corridor.core.paths import arc_paths, shortest_paths
from corridor.network.supernetwork import ArcKind
from corridor.sovereignty import Scope, Territory

Lay = Callable[..., Territory]
THERE = ("A1", "B1", "grain")
BACK = ("B1", "A1", "grain")
HOME = ("A2", "A1", "grain")


def arcs_of(land: Territory, arcs: np.ndarray) -> set[tuple[str, str, str]]:
    """Return kind, state and link (or place) of some arcs."""
    net, network = land.supernetwork, land.network
    links = [*network.links["link_id"], ""]
    return {
        (
            ArcKind(net.arc_kind[a]).name.lower(),
            net.countries[net.arc_country[a]],
            links[net.arc_link[a]] or net.places[net.node_place[net.graph.tail[a]]],
        )
        for a in arcs
    }


def entered(land: Territory, scope: Scope, row: int = 0) -> set[tuple[str, str, str]]:
    return arcs_of(land, np.flatnonzero(land.entries(scope).toarray()[row]))


def times(land: Territory, scope: Scope, row: int, via: str) -> int:
    """Return how often the way of a shipment over one crossing enters a scope."""
    net = land.supernetwork
    others = ~np.isin(net.arc_crossing, [-1, _crossing(land, via)])
    cost = np.where(others, np.inf, 1.0)
    source = int(net.source[land.classes.origin[row]])
    sink = int(net.sink[land.classes.destination[row]])
    distance, tree = shortest_paths(net.graph, cost, [source])
    assert np.isfinite(distance[0, sink])
    arcs = arc_paths(net.graph, tree[0], sink)
    return int(land.entries(scope).toarray()[row, arcs].sum())


def _crossing(land: Territory, name: str) -> int:
    return land.network.crossings["crossing_id"].tolist().index(name)


def test_a_crossing_is_entered_where_the_second_state_takes_over(territory: Lay) -> None:
    land = territory(THERE)
    assert entered(land, Scope(crossings=("ab-road",))) == {
        ("entry", "BBB", "x-ab-road"),
        ("entry", "AAA", "x-ab-road"),
    }
    assert entered(land, Scope(links=("x-ab-road",))) == entered(
        land, Scope(crossings=("ab-road",))
    )


def test_one_side_of_a_crossing_is_entered_from_both_sides(territory: Lay) -> None:
    land = territory(THERE)
    scope = Scope(crossings=("ab-road",), countries=("AAA",))
    # Into AAA at its entry post; out of it on the first arc of its side.
    assert entered(land, scope) == {
        ("entry", "AAA", "x-ab-road"),
        ("travel", "AAA", "x-ab-road"),
    }


def test_a_link_is_entered_on_its_own_arc(territory: Lay) -> None:
    land = territory(THERE)
    arcs = np.flatnonzero(land.entries(Scope(links=("A1-AP-road",))).toarray()[0])
    assert arcs.size == 2
    assert arcs_of(land, arcs) == {("travel", "AAA", "A1-AP-road")}


def test_a_state_is_entered_over_its_border_and_where_demand_starts(territory: Lay) -> None:
    land = territory(THERE)
    found = entered(land, Scope(countries=("BBB",)))
    assert {kind for kind, _, _ in found} == {"entry", "access"}
    assert {state for _, state, _ in found} == {"BBB"}
    at_border = {link for kind, _, link in found if kind == "entry"}
    assert at_border == {"x-ab-road", "x-ab-rail", "strait"}


def test_two_neighbors_in_one_scope_are_entered_once_by_land_twice_by_sea(
    territory: Lay,
) -> None:
    land = territory(THERE, HOME)
    both = Scope(countries=("AAA", "BBB"))
    assert times(land, both, 0, "ab-road") == 1
    assert times(land, both, 0, "ab-sea") == 2
    assert times(land, both, 1, "ab-road") == 1


@pytest.mark.parametrize("via", ["ab-road", "ab-rail", "ab-sea"])
@pytest.mark.parametrize(
    ("scope", "there", "home"),
    [
        (Scope(), 1, 1),
        (Scope(countries=("AAA",)), 1, 1),
        (Scope(countries=("BBB",)), 1, 0),
        (Scope(countries=("BBB",), traffic=("import",)), 1, 0),
        (Scope(countries=("BBB",), traffic=("transit",)), 0, 0),
        (Scope(traffic=("import",)), 1, 0),
        (Scope(traffic=("domestic",)), 0, 1),
        (Scope(commodities=("containers",)), 0, 0),
        (Scope(origins=("A1",)), 1, 0),
        (Scope(origins=("AAA",), destinations=("BBB",)), 1, 0),
        (Scope(flags=("AAA",)), 1, 1),
        (Scope(flags=("BBB",)), 0, 0),
        (Scope(crossings=("ab-road", "ab-rail", "ab-sea")), 1, 0),
        (Scope(crossings=("ab-road", "ab-rail", "ab-sea"), countries=("AAA",)), 1, 0),
        (Scope(crossings=("ab-road", "ab-rail", "ab-sea"), countries=("BBB",)), 1, 0),
    ],
)
def test_a_shipment_is_counted_each_time_it_enters(
    territory: Lay, scope: Scope, there: int, home: int, via: str
) -> None:
    land = territory(THERE, HOME)
    assert times(land, scope, 0, via) == there
    assert times(land, scope, 1, via) == home


def test_a_layer_is_entered_where_goods_are_loaded(territory: Lay) -> None:
    land = territory(THERE)
    found = entered(land, Scope(layers=("rail1520",)))
    assert found == {
        ("access", "AAA", "A1"),
        ("access", "AAA", "AP"),
        ("access", "BBB", "BP"),
        ("access", "BBB", "B1"),
        ("transfer", "AAA", "A1"),
        ("transfer", "BBB", "B1"),
    }
    both = entered(land, Scope(layers=("road", "rail1520"), countries=("BBB",)))
    # From rail1435 onto either of them, and over the border; not from one to the other.
    assert {kind for kind, _, _ in both} == {"access", "entry", "transfer"}
    net = land.supernetwork
    arcs = np.flatnonzero(
        land.entries(Scope(layers=("road", "rail1520"), countries=("BBB",))).toarray()[0]
    )
    transfers = arcs[net.arc_kind[arcs] == ArcKind.TRANSFER]
    assert {net.layers[i] for i in net.arc_from_layer[transfers]} == {"rail1435", "ship"}


def test_whatever_is_inside_has_entered(territory: Lay) -> None:
    """A quota of zero and a ban must say the same: no way meets a scope without entering it."""
    land = territory(THERE, BACK, HOME)
    scopes = (
        Scope(countries=("BBB",), layers=("road",)),
        Scope(crossings=("ab-road",), countries=("AAA",)),
        Scope(traffic=("import",), layers=("rail1520", "ship")),
        Scope(links=("strait",)),
        Scope(countries=("AAA",), traffic=("export",)),
    )
    net = land.supernetwork
    for scope in scopes:
        inside, entries = land.inside(scope).toarray(), land.entries(scope).toarray()
        assert inside.any()
        assert (inside >= entries).all()
        for row in range(3):
            cost = np.where(entries[row] > 0, np.inf, 1.0)
            distance, _ = shortest_paths(
                net.graph, cost, [int(net.source[land.classes.origin[row]])]
            )
            reached = np.isfinite(distance[0, net.graph.tail]) & (entries[row] == 0)
            # Arcs of a crossing are left aside: a U-turn at the middle of a border is no way.
            assert not (reached & (inside[row] > 0) & (net.arc_crossing < 0)).any()


def test_a_joint_post_is_entered_where_its_host_begins(territory: Lay) -> None:
    land = territory(THERE)
    net = land.supernetwork
    hosted = net.arc_country.copy()
    # The exit post of AAA on the road stands on the soil of BBB.
    exits = np.flatnonzero(net.is_kind(ArcKind.EXIT) & (net.arc_crossing == 0))
    exits = exits[hosted[exits] == 0]
    hosted[exits] = 1
    joint = replace(land, supernetwork=replace(net, arc_country=hosted))
    assert times(joint, Scope(countries=("BBB",)), 0, "ab-road") == 1
    assert ("exit", "BBB", "x-ab-road") in entered(joint, Scope(countries=("BBB",)))
    assert times(joint, Scope(countries=("AAA",)), 0, "ab-road") == 1


def test_the_high_seas_are_nobodys_traffic(territory: Lay) -> None:
    land = territory(THERE)
    net = land.supernetwork
    at_sea = net.arc_country == net.high_seas
    assert at_sea.any()
    assert not land.inside(Scope(traffic=("transit",))).toarray()[:, at_sea].any()
    assert land.inside(Scope(layers=("ship",))).toarray()[:, at_sea].all()
