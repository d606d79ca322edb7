"""Shipments: what scopes match, what traffic is, which classes rules tell apart."""

import numpy as np

from corridor.network import Network
from corridor.planning import single_shipments
from corridor.sovereignty import Scope, Shipments, shipment_classes
from corridor.sovereignty.shipments import TRAFFIC

ENDS = [
    ("A1", "B1", "containers"),
    ("A2", "B2", "containers"),
    ("A2", "B2", "grain"),
    ("B2", "A1", "containers"),
    ("A1", "A2", "containers"),
]


def test_matches_by_node_state_commodity_and_flag(toy_network: Network) -> None:
    shipments = single_shipments(toy_network, ENDS)
    cases = {
        Scope(): [1, 1, 1, 1, 1],
        Scope(origins=("A2",)): [0, 1, 1, 0, 0],
        Scope(origins=("AAA",)): [1, 1, 1, 0, 1],
        Scope(origins=("AAA",), destinations=("B2", "A2")): [0, 1, 1, 0, 1],
        Scope(commodities=("grain",)): [0, 0, 1, 0, 0],
        Scope(flags=("BBB", "CCC")): [0, 0, 0, 1, 0],
        Scope(origins=()): [0, 0, 0, 0, 0],
    }
    for scope, expected in cases.items():
        assert shipments.matches(scope).tolist() == [bool(x) for x in expected], scope


def test_traffic_is_seen_from_each_state(toy_network: Network) -> None:
    shipments = single_shipments(toy_network, ENDS)
    kinds = np.array(TRAFFIC)[shipments.traffic(("AAA", "BBB", "CCC"))]
    assert kinds.tolist() == [
        ["export", "import", "transit"],
        ["export", "import", "transit"],
        ["export", "import", "transit"],
        ["import", "export", "transit"],
        ["domestic", "transit", "transit"],
    ]


def classes(shipments: Shipments, *scopes: Scope) -> list[int]:
    taken, class_of = shipment_classes(shipments, list(scopes))
    assert (taken.commodity[class_of] == shipments.commodity).all()
    return class_of.tolist()


def test_without_rules_a_class_is_a_commodity(toy_network: Network) -> None:
    found = classes(single_shipments(toy_network, ENDS))
    assert found[0] == found[1] == found[3] == found[4] != found[2]


def test_rules_tell_apart_only_what_they_speak_of(toy_network: Network) -> None:
    shipments = single_shipments(toy_network, ENDS)
    found = classes(shipments, Scope(origins=("A1",)))
    assert found[0] == found[4] != found[1] == found[3]
    # Domestic traffic of AAA is told from all other, import from export is not.
    found = classes(shipments, Scope(countries=("AAA",), traffic=("domestic",)))
    assert found[0] == found[1] == found[3] != found[4]
    # Nobody outside the scope's commodities is told apart by its traffic.
    found = classes(shipments, Scope(commodities=("grain",), traffic=("export",)))
    assert found[0] == found[1] == found[3] == found[4]


def test_a_traffic_scope_without_states_looks_at_all_of_them(toy_network: Network) -> None:
    found = classes(single_shipments(toy_network, ENDS), Scope(traffic=("import",)))
    assert found[0] == found[1] != found[3] != found[4]
