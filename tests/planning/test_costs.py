"""Time, money and emissions of a tonne on every arc, by hand on the toy network."""

import numpy as np
import pandas as pd
import pytest

from corridor.network.supernetwork import ArcKind
from corridor.planning import Model, compile_model, single_shipments
from tests.planning import toys

Tables = dict[str, pd.DataFrame]
BOXES, GRAIN = 0, 1


def compiled(tables: Tables, *rules: dict[str, object]) -> Model:
    network = toys.network(tables)
    shipments = single_shipments(network, [("A1", "B1", "containers"), ("A1", "B1", "grain")])
    return compile_model(network, shipments, toys.rules(*rules))


def arc(model: Model, link_id: str, kind: ArcKind = ArcKind.TRAVEL, *, forward: bool = True) -> int:
    """Return the first arc of a kind of a link in one direction."""
    net = model.supernetwork
    link = model.network.links["link_id"].tolist().index(link_id)
    on = (net.arc_link == link) & (net.arc_forward == forward) & (net.arc_kind == kind)
    return int(np.flatnonzero(on & (net.arc_is_main | (kind != ArcKind.TRAVEL)))[0])


def terminal(model: Model, key: str) -> int:
    node, before, after = key.split("/")
    rows = model.network.terminals
    chosen = (
        (rows["node_id"] == node) & (rows["from_layer"] == before) & (rows["to_layer"] == after)
    )
    return int(np.flatnonzero(model.supernetwork.arc_terminal == rows.index[chosen][0])[0])


def test_a_road_by_hand(toy_tables: Tables) -> None:
    model = compiled(toy_tables)
    a, costs = arc(model, "A1-AP-road"), model.costs
    assert costs.time_h[:, a] == pytest.approx([2.0, 2.0])  # 120 km at 60 km/h
    assert costs.tariff_usd_per_t[:, a] == pytest.approx([7.2, 7.2])  # 0.06 USD/t-km
    # An hour of a truck of 15 USD/h with 20 t, and of the goods.
    assert costs.usd_per_t_h[:, a] == pytest.approx([1.5 + 0.75, 0.01 + 0.75])
    generalized = costs.generalized_usd_per_t(with_wait=True)
    assert generalized[:, a] == pytest.approx([7.2 + 2 * 2.25, 7.2 + 2 * 0.76])


def test_crews_rest_where_the_speed_counts_and_not_where_the_time_is_given(
    toy_tables: Tables,
) -> None:
    tables = toys.changed(toy_tables, "layers", "road", moving_share=0.5)
    model = compiled(toys.changed(tables, "links", "A2-A1-road", time_h=3.0))
    assert model.costs.time_h[GRAIN, arc(model, "A1-AP-road")] == pytest.approx(4.0)
    assert model.costs.time_h[GRAIN, arc(model, "A2-A1-road")] == pytest.approx(3.0)


def ends(tables: Tables, layer: str = "road", **values: float) -> Tables:
    """Return the tables with hours and prices of loading and unloading on a layer."""
    named = {f"end_{name}": value for name, value in values.items()}
    return toys.changed(tables, "layers", layer, **named)


def test_loading_and_unloading_by_hand(toy_tables: Tables) -> None:
    tables = ends(toy_tables, "road", h=3.0, usd_per_t=4.0, usd_per_teu=66.0)
    tables = ends(tables, "rail1520", h=24.0, usd_per_t=7.0)
    tables = toys.changed(tables, "layers", "road", time_cv=0.5, host_share=0.25)
    model = compiled(tables)
    costs, net = model.costs, model.supernetwork
    for kind in (ArcKind.ACCESS, ArcKind.EGRESS):
        road, rail = (
            np.flatnonzero(net.is_kind(kind) & (net.arc_layer == net.layers.index(layer)))
            for layer in ("road", "rail1520")
        )
        assert road.size
        assert rail.size
        assert costs.time_h[:, road] == pytest.approx(3.0)
        assert costs.sd_h[:, road] == pytest.approx(1.5)
        # 66 USD a box of 11 t, and the price a tonne for what goes in none.
        assert costs.tariff_usd_per_t[BOXES, road] == pytest.approx(6.0)
        assert costs.tariff_usd_per_t[GRAIN, road] == pytest.approx(4.0)
        assert costs.host_usd_per_t[GRAIN, road] == pytest.approx(1.0)
        # The price holds what the vehicle waits: an hour costs the goods alone.
        assert costs.usd_per_t_h[:, road] == pytest.approx(np.array([[1.5], [0.01]]) + 0 * road)
        assert costs.time_h[:, rail] == pytest.approx(24.0)
        # Without a price by the box boxes pay by the tonne.
        assert costs.tariff_usd_per_t[:, rail] == pytest.approx(7.0)
    inside = ~net.is_kind(ArcKind.ACCESS, ArcKind.EGRESS)
    free = compiled(toys.changed(toy_tables, "layers", "road", time_cv=0.5, host_share=0.25)).costs
    for name in ("time_h", "tariff_usd_per_t", "usd_per_t_h", "sd_h", "host_usd_per_t"):
        now, before = (getattr(found, name)[:, inside] for found in (costs, free))
        np.testing.assert_array_equal(now, before)


def test_ends_are_free_where_nobody_states_them(toy_tables: Tables) -> None:
    costs, net = compiled(toy_tables).costs, compiled(toy_tables).supernetwork
    at_ends = net.is_kind(ArcKind.ACCESS, ArcKind.EGRESS)
    assert (costs.generalized_usd_per_t(with_wait=True)[:, at_ends] == 0.0).all()


def test_a_border_is_half_travel_each_side_and_two_posts(toy_tables: Tables) -> None:
    model = compiled(toy_tables)
    costs = model.costs
    assert costs.time_h[GRAIN, arc(model, "x-ab-road")] == pytest.approx(3 / 60)
    out, into = (arc(model, "x-ab-road", kind) for kind in (ArcKind.EXIT, ArcKind.ENTRY))
    assert costs.time_h[GRAIN, out] == pytest.approx(12 / 60 + 0.2 * 20 / 60)
    assert costs.post_fee_usd_per_t[:, out] == pytest.approx(50 / 20)
    assert costs.post_fee_usd_per_t[:, into] == pytest.approx(20 / 20)
    assert costs.tariff_usd_per_t[:, [out, into]] == pytest.approx(0.0)


def test_goods_in_a_terminal_hold_no_vehicle(toy_tables: Tables) -> None:
    model = compiled(toy_tables)
    a, costs = terminal(model, "A1/road/rail1520"), model.costs
    assert costs.time_h[:, a] == pytest.approx(8.0)
    assert costs.usd_per_t_h[:, a] == pytest.approx([1.5, 0.01])
    assert costs.tariff_usd_per_t[:, a] == pytest.approx([60 / 11, 5.0])


@pytest.mark.parametrize(
    ("columns", "boxes", "grain"),
    [
        ({"cost_usd_per_t_km": 0.1}, 12.0, 12.0),
        ({"cost_usd_per_t_km": 0.1, "cost_usd_per_teu_km": 0.55}, 120 * 0.55 / 11, 12.0),
        ({"cost_usd_per_t_km": 0.0, "cost_usd_per_t": 3.0}, 3.0, 3.0),
        ({"cost_usd_per_t_km": 0.0, "cost_usd_per_t": 3.0, "cost_usd_per_teu": 22.0}, 2.0, 3.0),
        ({"cost_usd_per_t_km": 0.0, "cost_usd_per_teu": 22.0}, 2.0, 0.0),
        ({"cost_usd_per_t_km": 0.0, "cost_usd_per_vehicle": 40.0}, 2.0, 2.0),
        # Each TEU column replaces its own t column; what is left adds up.
        (
            {"cost_usd_per_t_km": 0.1, "cost_usd_per_teu": 22.0, "cost_usd_per_vehicle": 40.0},
            12 + 2 + 2,
            12 + 2,
        ),
    ],
)
def test_the_columns_of_a_tariff(
    toy_tables: Tables, columns: dict[str, float], boxes: float, grain: float
) -> None:
    model = compiled(toys.changed(toy_tables, "links", "A1-AP-road", **columns))
    a = arc(model, "A1-AP-road")
    assert model.costs.tariff_usd_per_t[:, a] == pytest.approx([boxes, grain])


def test_charges_of_a_border_link_are_paid_once(toy_tables: Tables) -> None:
    model = compiled(
        toys.changed(
            toy_tables, "links", "x-ab-road", cost_usd_per_t_km=0.0, cost_usd_per_t=8.0, time_h=1.0
        )
    )
    net = model.supernetwork
    link = model.network.links["link_id"].tolist().index("x-ab-road")
    on = (net.arc_link == link) & net.arc_forward
    travel = on & net.is_kind(ArcKind.TRAVEL)
    assert model.costs.tariff_usd_per_t[GRAIN, on].sum() == pytest.approx(8.0)
    assert model.costs.tariff_usd_per_t[GRAIN, travel] == pytest.approx([4.0, 4.0])
    assert model.costs.time_h[GRAIN, travel] == pytest.approx([0.5, 0.5])


def test_hosts_take_their_share_ashore_and_nobody_at_sea(toy_tables: Tables) -> None:
    tables = toys.with_sea(toy_tables)
    tables["layers"] = tables["layers"].assign(host_share=0.25)
    tables["terminals"] = tables["terminals"].assign(host_share=0.5)
    model = compiled(tables)
    road, sea = arc(model, "A1-AP-road"), arc(model, "strait")
    assert model.costs.host_usd_per_t[GRAIN, road] == pytest.approx(7.2 / 4)
    assert model.costs.tariff_usd_per_t[GRAIN, sea] == pytest.approx(2.4)
    assert model.costs.host_usd_per_t[GRAIN, sea] == 0.0
    at_port = terminal(model, "PA/road/ship")
    assert model.costs.host_usd_per_t[GRAIN, at_port] == pytest.approx(2.0)


def test_empties_go_back_over_the_reverse_arcs(toy_tables: Tables) -> None:
    tables = toys.changed(toy_tables, "layers", "road", empty_usd_per_km=0.5)
    tables = toys.changed(tables, "commodities", "grain", empty_return_share=0.4)
    tables = toys.changed(tables, "links", "A2-A1-road", directed=True)
    model = compiled(tables)
    costs = model.costs
    a = arc(model, "A1-AP-road")
    assert costs.empties_usd_per_t[:, a] == pytest.approx([0.0, 0.4 * 0.5 * 120 / 20])
    # Nothing goes back where nothing can.
    assert costs.empties_usd_per_t[GRAIN, arc(model, "A2-A1-road")] == 0.0
    # At the exit of AAA they come back through its entry, which is free; the other way they pay 50.
    out = arc(model, "x-ab-road", ArcKind.EXIT)
    assert costs.post_fee_usd_per_t[GRAIN, out] == pytest.approx(50 / 20)
    into = arc(model, "x-ab-road", ArcKind.ENTRY, forward=False)
    assert costs.post_fee_usd_per_t[GRAIN, into] == pytest.approx(0.4 * 50 / 20)


def test_reliability_is_priced_by_the_spread(toy_tables: Tables) -> None:
    tables = toys.changed(toy_tables, "layers", "road", time_cv=0.3)
    tables = toys.changed(tables, "commodities", "containers", reliability_ratio=0.8)
    model = compiled(tables)
    a, costs = arc(model, "A1-AP-road"), model.costs
    assert costs.sd_h[:, a] == pytest.approx(0.3 * 2.0)
    assert costs.reliability_usd_per_t_h[:, 0] == pytest.approx([0.8 * 1.5, 0.0])
    out = arc(model, "x-ab-road", ArcKind.EXIT)
    clearance = 12 / 60 + 0.2 * 20 / 60
    assert costs.sd_h[:, out] == pytest.approx(0.3 * clearance)
    generalized = costs.generalized_usd_per_t(with_wait=False)
    assert generalized[BOXES, a] == pytest.approx(7.2 + 2 * 2.25 + 1.2 * 0.6)


def test_emissions_go_with_tonne_kilometers(toy_tables: Tables) -> None:
    model = compiled(toys.changed(toy_tables, "layers", "road", co2_g_per_t_km=85.0))
    assert model.costs.co2_kg_per_t[:, arc(model, "A1-AP-road")] == pytest.approx(10.2)
    assert model.costs.co2_kg_per_t[:, arc(model, "A1-AP-rail")] == pytest.approx(0.0)


def test_the_value_of_a_waiting_vehicle_is_one_rate_a_layer(toy_network: toys.Network) -> None:
    demand = toys.demand(
        toy_network, ("A1", "B1", "containers", 300.0), ("A1", "B1", "grain", 100.0)
    )
    queues = compile_model(toy_network, demand).pools.queues
    mean = (300 * 1.5 + 100 * 0.01) / 400
    rates = {15 + mean * 20, 260 + mean * 2000}
    assert set(np.round(queues.usd_per_vehicle_h, 9)) == {round(rate, 9) for rate in rates}
