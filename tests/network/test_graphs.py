import networkx as nx
import pandas as pd
import pytest

import corridor
from corridor import InputError, Network
from corridor.network.schema import NETWORK_TABLES


@pytest.mark.parametrize("name", NETWORK_TABLES)
def test_round_trip_of_the_bundled_network(name: str, crossroads: Network, again: Network) -> None:
    pd.testing.assert_frame_equal(again.table(name), crossroads.table(name))


@pytest.fixture(scope="module")
def crossroads() -> Network:
    return corridor.load_network("crossroads", "2026-06-30")


@pytest.fixture(scope="module")
def again(crossroads: Network) -> Network:
    return Network.from_networkx(crossroads.to_networkx(), date="2026-06-30")


def test_undirected_links_are_two_edges(toy_network: Network) -> None:
    links = toy_network.links
    one_way = toy_network.replace(links=links.assign(directed=links.index == 0))
    graph = one_way.to_networkx()
    assert graph.number_of_edges() == 2 * len(links) - 1
    assert not graph.has_edge("A1", "A2")
    assert graph["A2"]["A1"]["A2-A1-road"]["length_km"] == 120.0
    assert graph["BP"]["AP"]["x-ab-road"]["direction"] == "backward"
    assert "capacity_t_per_day" not in graph["A2"]["A1"]["A2-A1-road"]
    back = Network.from_networkx(graph)
    assert back.links["directed"].tolist() == [True] + [False] * 7


def test_algorithms_of_networkx_work_on_it(toy_network: Network) -> None:
    graph = toy_network.to_networkx()
    length = nx.shortest_path_length(graph, "A2", "B2", weight="length_km")
    assert length == 120 + 115 + 6 + 108 + 120


def test_edges_taken_away_are_away(toy_network: Network) -> None:
    graph = toy_network.to_networkx()
    graph.remove_edge("A1", "A2", "A2-A1-road")  # the way back
    graph.remove_edge("AP", "A1", "A1-AP-road")
    graph.remove_edge("A1", "AP", "A1-AP-road")
    links = Network.from_networkx(graph).links.set_index("link_id")
    assert "A1-AP-road" not in links.index
    assert links["directed"].to_dict()["A2-A1-road"]
    assert links["directed"].sum() == 1


def test_only_the_way_back_is_a_link_that_way(toy_network: Network) -> None:
    graph = toy_network.to_networkx()
    graph.remove_edge("A2", "A1", "A2-A1-road")
    link = Network.from_networkx(graph).links.set_index("link_id").loc["A2-A1-road"]
    assert (link["from_node"], link["to_node"], link["directed"]) == ("A1", "A2", True)


@pytest.mark.parametrize("kind", [nx.Graph, nx.DiGraph, nx.MultiGraph])
def test_graph_of_ones_own(kind: type[nx.Graph], toy_network: Network) -> None:
    graph = kind()
    for number in range(3):
        graph.add_node(
            number, name=f"Գյումրի {number}", country="AAA", kind="city", lon=float(number), lat=0.0
        )
    graph.add_edge(0, 1, layer="road", length_km=120.0, surface="gravel")
    graph.add_edge(1, 2, layer="road", length_km=130.0)
    network = Network.from_networkx(
        graph, layers=toy_network.layers, commodities=toy_network.commodities
    )
    links = network.links
    assert network.nodes["name"].tolist() == ["Գյումրի 0", "Գյումրի 1", "Գյումրի 2"]
    assert links["link_id"].tolist() == ["L0", "L1"]
    assert links["to_node"].tolist() == ["1", "2"]
    assert links["directed"].tolist() == [kind is nx.DiGraph] * 2
    assert links["surface"].tolist() == ["gravel", ""]
    assert corridor.route(network, "0", "2", "grain").length_km == 250.0


def test_faults_are_named(toy_network: Network) -> None:
    graph = toy_network.to_networkx()
    graph.nodes["A1"]["kind"] = "citty"
    del graph.nodes["A2"]["country"]
    with pytest.raises(InputError) as caught:
        Network.from_networkx(graph)
    assert {(fault.key, fault.column) for fault in caught.value.faults} == {
        ("A1", "kind"),
        ("A2", "country"),
    }


def test_empty_graphs_and_unknown_tables_are_refused(toy_network: Network) -> None:
    with pytest.raises(InputError, match="0 nodes and 0 edges"):
        Network.from_networkx(nx.Graph())
    graph = toy_network.to_networkx()
    with pytest.raises(InputError, match="found demand"):
        Network.from_networkx(graph, demand=pd.DataFrame())
