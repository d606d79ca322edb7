"""What each kind of rule does on the toy network: bans, fees, quotas, floors."""

from collections.abc import Callable

import numpy as np
import pytest

from corridor.errors import InputError
from corridor.network.supernetwork import ArcKind
from corridor.sovereignty import Effects, Territory
from tests.planning import toys

Lay = Callable[..., Territory]
GRAIN = ("A1", "B1", "grain")
BOXES = ("A1", "B1", "containers")
BACK = ("B1", "A1", "grain")
BAND: dict[str, object] = {
    "kind": "reciprocity", "a": {"flags": ["AAA"]}, "b": {"flags": ["BBB"]}, "low": 0.5,
    "high": 2.0, "floor": 10.0, "unit": "t_per_day",
}  # fmt: skip
SEAL: dict[str, object] = {"kind": "sealed", "enter": ["x"], "leave": ["y"], "skip": ["scanner"]}


def effects(land: Territory, **rule: object) -> Effects:
    return toys.rules(rule).apply(land)


def banned(land: Territory, **rule: object) -> np.ndarray:
    shape = len(land.classes), land.supernetwork.n_arcs
    return ~effects(land, kind="forbid", **rule).allowed(*shape)


def test_a_ban_closes_every_arc_of_its_scope_to_its_classes(territory: Lay) -> None:
    land = territory(GRAIN, BOXES)
    net = land.supernetwork
    closed = banned(land, crossings=["ab-road"], commodities=["grain"])
    assert (closed[0] == (net.arc_crossing == 0)).all()
    assert not closed[1].any()
    closed = banned(land, countries=["BBB"], layers=["rail1520"])
    expected = (net.arc_country == 1) & (net.arc_layer == net.layers.index("rail1520"))
    assert (closed == expected).all()


def test_a_ban_without_a_place_stops_its_shipments_everywhere(territory: Lay) -> None:
    land = territory(GRAIN, BACK)
    closed = banned(land, origins=["BBB"])
    assert not closed[0].any()
    assert closed[1].all()


def test_a_ban_on_transit_speaks_of_each_state_in_turn(territory: Lay) -> None:
    land = territory(("A2", "A1", "grain"), GRAIN)
    net = land.supernetwork
    closed = banned(land, traffic=["transit"])
    assert (closed[0] == (net.arc_country == 1)).all()
    assert not closed[1].any()


def test_an_exception_spares_its_own_shipments_on_its_own_arcs(territory: Lay) -> None:
    land = territory(GRAIN, BOXES, BACK)
    net = land.supernetwork
    in_b = net.arc_country == 1
    rail = net.arc_layer == net.layers.index("rail1520")
    closed = banned(
        land,
        countries=["BBB"],
        **{
            "except": [{"commodities": ["containers"]}, {"layers": ["rail1520"], "origins": ["B1"]}]
        },
    )
    assert (closed[0] == in_b).all()
    assert not closed[1].any()
    assert (closed[2] == (in_b & ~rail)).all()


def test_exceptions_do_not_open_what_was_never_closed_twice(territory: Lay) -> None:
    land = territory(GRAIN)
    scope = {"layers": ["road"]}
    closed = banned(land, countries=["BBB"], **{"except": [scope, scope]})
    road = land.supernetwork.arc_layer == land.supernetwork.layers.index("road")
    assert (closed[0] == ((land.supernetwork.arc_country == 1) & ~road)).all()


@pytest.mark.parametrize(
    ("amount", "grain", "boxes"),
    [
        ({"usd_per_t": 3.0}, 3.0, 3.0),
        ({"usd_per_vehicle": 40.0}, 40 / 20, 40 / 20),
        # Eleven tonnes a container; grain is not in containers and pays nothing.
        ({"usd_per_teu": 22.0}, 0.0, 2.0),
    ],
)
def test_a_fee_per_entry(
    territory: Lay, amount: dict[str, float], grain: float, boxes: float
) -> None:
    land = territory(GRAIN, BOXES)
    net = land.supernetwork
    rule = effects(land, kind="fee", crossings=["ab-road"], payee="AAA", **amount)
    [fee] = rule.fees
    assert fee.payee == "AAA"
    total = rule.fee_usd_per_t(2, net.n_arcs)
    entry = net.is_kind(ArcKind.ENTRY) & (net.arc_crossing == 0)
    np.testing.assert_allclose(total, np.outer([grain, boxes], entry))


def test_a_fee_per_vehicle_goes_by_the_layer_that_is_entered(territory: Lay) -> None:
    land = territory(GRAIN, BOXES)
    total = effects(land, kind="fee", crossings=["ab-rail"], usd_per_vehicle=605.0).fee_usd_per_t(
        2, land.supernetwork.n_arcs
    )
    # A train of 2,000 t of grain, or of 110 containers of 11 t.
    assert total.max(axis=1).tolist() == pytest.approx([605 / 2000, 605 / 1210])


def test_a_fee_per_tonne_kilometer_is_paid_on_every_kilometer_inside(territory: Lay) -> None:
    land = territory(GRAIN, BACK)
    net = land.supernetwork
    rule = effects(land, kind="fee", countries=["BBB"], usd_per_t=0.5, per="t_km")
    total = rule.fee_usd_per_t(2, net.n_arcs)
    np.testing.assert_allclose(total[0], 0.5 * net.arc_length_km * (net.arc_country == 1))
    # The half of the border link on the soil of BBB is inside.
    assert ((total[0] > 0) & (net.arc_crossing == 0)).sum() == 2


def test_a_fee_without_a_place_is_paid_wherever_the_goods_go(territory: Lay) -> None:
    land = territory(GRAIN, BOXES)
    net = land.supernetwork
    per_km = effects(land, kind="fee", commodities=["grain"], usd_per_t=0.1, per="t_km")
    total = per_km.fee_usd_per_t(2, net.n_arcs)
    np.testing.assert_allclose(total, np.outer([0.1, 0.0], net.arc_length_km))
    once = effects(land, kind="fee", commodities=["grain"], usd_per_t=7.0)
    assert (once.fee_usd_per_t(2, net.n_arcs)[0] > 0).tolist() == net.is_kind(
        ArcKind.ACCESS
    ).tolist()


def test_fees_of_several_rules_add_up(territory: Lay) -> None:
    land = territory(GRAIN)
    fee = {"kind": "fee", "crossings": ["ab-road"]}
    rules = toys.rules(fee | {"usd_per_t": 3.0}, fee | {"usd_per_t": 4.0, "payee": "none"})
    assert rules.apply(land).fee_usd_per_t(1, land.supernetwork.n_arcs).max() == 7.0


@pytest.mark.parametrize(
    ("unit", "limit", "a_day", "grain", "boxes"),
    [
        ("t_per_day", 100, 100, 1.0, 1.0),
        ("teu_per_day", 30, 30, 0.0, 1 / 11),
        ("vehicles_per_day", 8, 8, 1 / 20, 1 / 20),
        ("vehicles_per_year", 730, 2, 1 / 20, 1 / 20),
        ("trains_per_day", 3, 3, 1 / 20, 1 / 20),
    ],
)
def test_a_quota_counts_what_enters_in_its_unit(
    territory: Lay, unit: str, limit: float, a_day: float, grain: float, boxes: float
) -> None:
    land = territory(GRAIN, BOXES)
    net = land.supernetwork
    [quota] = effects(land, kind="quota", crossings=["ab-road"], limit=limit, unit=unit).quotas
    assert quota.limit == pytest.approx(a_day)
    assert quota.over_usd_per_unit is None
    entry = net.is_kind(ArcKind.ENTRY) & (net.arc_crossing == 0)
    np.testing.assert_allclose(quota.per_t.toarray(), np.outer([grain, boxes], entry))


def test_a_quota_on_trains_counts_trains(territory: Lay) -> None:
    land = territory(GRAIN, BOXES)
    [quota] = effects(
        land, kind="quota", crossings=["ab-rail"], limit=3, unit="trains_per_day"
    ).quotas
    assert quota.per_t.toarray().max(axis=1) == pytest.approx([1 / 2000, 1 / 1210])


def test_a_share_cap_weighs_entries_against_served_demand(territory: Lay) -> None:
    land = territory(GRAIN, BOXES, BACK)
    net = land.supernetwork
    rule = {"kind": "share_cap", "crossings": ["ab-road"], "origins": ["AAA"], "share": 0.4}
    [row] = effects(land, **rule).rows
    entry = net.is_kind(ArcKind.ENTRY) & (net.arc_crossing == 0)
    np.testing.assert_allclose(row.per_t.toarray(), np.outer([1, 1, 0], entry))
    assert row.served.tolist() == [-0.4, -0.4, 0.0]
    assert (row.lower, row.upper, row.part, row.unit) == (-np.inf, 0.0, "share", "t_per_day")


def test_a_share_is_of_all_traffic_of_the_shipments(territory: Lay) -> None:
    land = territory(GRAIN, ("A2", "A1", "grain"))
    rule = {"kind": "share_cap", "countries": ["AAA"], "traffic": ["domestic"], "share": 0.5}
    [row] = effects(land, **rule).rows
    assert row.per_t.toarray().any(axis=1).tolist() == [False, True]
    assert row.served.tolist() == [-0.5, -0.5]


def test_reciprocity_is_four_rows_in_its_unit(territory: Lay) -> None:
    land = territory(GRAIN, BOXES, BACK)
    net = land.supernetwork
    rule = BAND | {
        "a": {"crossings": ["ab-road"], "origins": ["AAA"]},
        "b": {"crossings": ["ab-rail"], "origins": ["BBB"]},
        "unit": "vehicles_per_year",
        "floor": 730.0,
    }
    found = effects(land, **rule)
    assert [row.part for row in found.rows] == ["low", "high", "floor of a", "floor of b"]
    road, rail = (
        net.is_kind(ArcKind.ENTRY) & (net.arc_crossing == crossing) for crossing in (0, 1)
    )
    a = np.outer([1 / 20, 1 / 20, 0], road)
    b = np.outer([0, 0, 1 / 2000], rail)
    for row, expected in zip(found.rows, (a - 0.5 * b, a - 2.0 * b, a, b), strict=True):
        np.testing.assert_allclose(row.per_t.toarray(), expected)
        assert not row.served.any()
    bounds = [(row.lower, row.upper) for row in found.rows]
    assert bounds == [(0.0, np.inf), (-np.inf, 0.0), (2.0, np.inf), (2.0, np.inf)]
    # Each flow has its memory of who has entered already.
    speaks_of = [(path.start > 0).tolist() for path in found.paths]
    assert speaks_of == [[True, True, False], [False, False, True]]


def test_a_requirement_is_passed_on_the_border_arc_or_in_the_state(territory: Lay) -> None:
    land = territory(GRAIN, BACK)
    net = land.supernetwork
    [path] = effects(land, kind="require", crossings=["ab-sea"], origins=["AAA"]).paths
    assert path.start.tolist() == [1, 0]
    at_sea = net.is_kind(ArcKind.ENTRY) & (net.arc_crossing == 2)
    assert (path.automaton.symbol == at_sea).all()
    [path] = effects(land, kind="require", countries=["BBB"]).paths
    assert (path.automaton.symbol == (net.arc_country == 1)).all()
    assert path.automaton.accepting.tolist() == [True, False, True]


@pytest.mark.parametrize(
    ("change", "may_be_sealed"),
    [
        ({}, [True, True, True]),
        ({"origins": ["BBB"]}, [False, True, False]),
        ({"commodities": ["grain"]}, [True, True, False]),
        ({"countries": ["BBB"]}, [True, True, True]),
        ({"countries": ["BBB"], "traffic": ["import"]}, [True, False, True]),
        ({"countries": ["BBB"], "traffic": ["transit"]}, [False, False, False]),
    ],
)
def test_a_seal_is_put_on_at_the_entry_posts_of_its_own_shipments(
    territory: Lay, change: dict[str, object], may_be_sealed: list[bool]
) -> None:
    land = territory(GRAIN, BACK, BOXES)
    net = land.supernetwork
    rule = SEAL | {"enter": ["ab-road"], "leave": ["ab-rail"]} | change
    [path] = effects(land, **rule).paths
    assert (path.start > 0).tolist() == may_be_sealed
    assert path.skip == {"scanner"}
    posts = net.is_kind(ArcKind.ENTRY, ArcKind.EXIT)
    own = posts & (net.arc_country == 1) if "countries" in change else posts
    assert (path.skip_arcs == own).all()
    for code, start in enumerate(path.start):
        arcs = np.flatnonzero((net.arc_crossing == 0) & net.is_kind(ArcKind.ENTRY))
        seals = [a for a in arcs if len(path.automaton.run([a], start)[-1]) > 1]
        states = {net.countries[net.arc_country[a]] for a in seals}
        expected = {"BBB"} if "countries" in change else {"AAA", "BBB"}
        assert states == (expected if may_be_sealed[code] else set())


def test_links_that_meet_have_a_memory_and_others_none(territory: Lay) -> None:
    land = territory(GRAIN, BOXES)
    fee = {"kind": "fee", "usd_per_t": 1.0}
    assert effects(land, **fee, links=["A2-A1-road", "BP-B1-road"]).paths == []
    assert effects(land, **fee, countries=["AAA", "BBB"]).paths == []
    found = effects(land, **fee, links=["A2-A1-road", "A1-AP-road"], commodities=["grain"])
    [path], [charged] = found.paths, found.fees
    assert charged.usd.memory == 0
    assert (path.start > 0).tolist() == [True, False]
    # Road and railway meet at the terminal of A1.
    assert len(effects(land, **fee, links=["A2-A1-road", "A1-AP-rail"]).paths) == 1
    assert effects(land, **fee, per="t_km", links=["A2-A1-road", "A1-AP-road"]).paths == []


def test_a_waiver_does_nothing_by_itself(territory: Lay) -> None:
    done = effects(territory(GRAIN), kind="waive", principle="P2", country="AAA")
    assert [*done.bans, *done.fees, *done.quotas, *done.floors, *done.rows, *done.paths] == []


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"kind": "fee", "usd_per_t": 1, "usd_per_teu": 1}, "exactly one"),
        ({"kind": "fee"}, "exactly one"),
        ({"kind": "fee", "usd_per_t": -1}, "found -1; expected a number >= 0"),
        ({"kind": "fee", "usd_per_t": 1, "per": "km"}, "entry"),
        ({"kind": "quota", "limit": 1, "unit": "cars"}, "t_per_day"),
        (
            {"kind": "quota", "limit": 1, "unit": "t_per_day", "over_quota_usd_per_vehicle": 1},
            "must go with a unit that counts vehicles",
        ),
        ({"kind": "forbid", "crossing": ["x"]}, "known here; did you mean 'crossings'"),
        ({"kind": "forbid", "traffic": ["transit "]}, "transit"),
        ({"kind": "regime", "regime": "fast"}, "found nothing; expected the key to be given"),
        (
            {"kind": "regime", "regime": "fast", "crossings": ["x"], "countries": ["AAA"]},
            "would ignore countries",
        ),
        (
            {"kind": "inspection_floor", "country": "AAA", "stage": "s", "share": 0.1,
             "traffic": ["transit"]},
            "would ignore traffic",
        ),
        ({"kind": "waive", "principle": "P5", "country": "AAA"}, "P1"),
        ({"kind": "waive", "principle": "P1", "country": "AAA", "layers": ["road"]}, "no key"),
        (
            {"kind": "forbid", "valid_from": "2026-01-02", "valid_to": "2026-01-02"},
            "valid_to must be after valid_from",
        ),
        ({"kind": "reciprosity"}, "did you mean 'reciprocity'"),
        ({"kind": "escort"}, "take one of fee, forbid,"),
        ({"kind": "forbid", "crossings": []}, "must not be empty; crossings"),
        ({"kind": "forbid", "except": [{"layers": []}]}, "must not be empty; layers"),
        ({"kind": "share_cap", "share": 1.2}, "found 1.2; expected a number <= 1"),
        ({"kind": "share_cap", "share": "half"}, "found 'half'; expected a number;"),
        (BAND | {"low": 2.0, "high": 0.5}, r"low must be at most high \(0.5\); found 2"),
        (BAND | {"floor": 0.0}, "found 0.0; expected a number > 0"),
        (BAND | {"a": {"crossings": []}}, "must not be empty; crossings"),
        (BAND | {"countries": ["AAA"]}, "would ignore countries"),
        ({"kind": "require"}, "either crossings or countries"),
        ({"kind": "require", "crossings": ["x"], "countries": ["A"]}, "either crossings or"),
        (SEAL | {"leave": ["x"]}, "x alone is enter and leave, a circle"),
        (SEAL | {"skip": []}, "expected a list that is not empty"),
        (SEAL | {"layers": ["road"]}, "would ignore layers"),
        ({"kind": "forbid", "valid_from": "soon"}, "a date, YYYY-MM-DD"),
    ],
)  # fmt: skip
def test_a_rule_that_cannot_be_meant_is_refused(rule: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        toys.rules(rule)
    [fault] = caught.value.faults
    assert fault.key == "r0"
    assert fault.file == "rules.toml"
