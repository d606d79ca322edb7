"""A network as a networkx graph, and back."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from corridor.errors import InputError
from corridor.network.schema import NETWORK_TABLES
from corridor.network.tables import fill_own_texts

if TYPE_CHECKING:
    import networkx as nx

_KEPT: Final = "tables"
"""Attribute of a graph that holds the tables besides nodes and links."""
_ORDER: Final = "link_ids"
"""Attribute of a graph that holds the order of the links."""
_FORWARD: Final = "forward"
_BACKWARD: Final = "backward"


def build_graph(tables: Mapping[str, pd.DataFrame]) -> "nx.MultiDiGraph[str]":
    """Return tables as a graph, see `Network.to_networkx`."""
    import networkx as nx

    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    graph.graph[_KEPT] = {
        name: frame
        for name, frame in tables.items()
        if name not in ("nodes", "links") and len(frame)
    }
    # networkx lists edges by their nodes, not in the order in which they came.
    graph.graph[_ORDER] = tables["links"]["link_id"].tolist()
    for row in _records(tables["nodes"]):
        graph.add_node(row.pop("node_id"), **row)
    for row in _records(tables["links"]):
        tail, head = row.pop("from_node"), row.pop("to_node")
        graph.add_edge(tail, head, key=row["link_id"], direction=_FORWARD, **row)
        if not row["directed"]:
            graph.add_edge(head, tail, key=row["link_id"], direction=_BACKWARD, **row)
    return graph


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return rows as attributes; blanks are left out."""
    columns = [frame[name].astype(object).tolist() for name in frame.columns]
    return [
        {
            str(name): value
            for name, value in zip(frame.columns, row, strict=True)
            if not (value == "" or pd.isna(value))
        }
        for row in zip(*columns, strict=True)
    ]


def graph_tables(
    graph: "nx.Graph[Any]", tables: Mapping[str, pd.DataFrame]
) -> dict[str, pd.DataFrame]:
    """Return the tables of a graph, see `Network.from_networkx`.

    Raises
    ------
    InputError
        If the graph has no nodes or no edges, or a table is none of a network's.
    """
    if not graph.number_of_nodes() or not graph.number_of_edges():
        msg = (
            f"A network needs nodes and links; the graph has {graph.number_of_nodes()} nodes and "
            f"{graph.number_of_edges()} edges. Add them."
        )
        raise InputError(msg)
    kept = {**graph.graph.get(_KEPT, {}), **tables}
    unknown = sorted(set(kept) - set(NETWORK_TABLES))
    if unknown:
        msg = f"A table must be one of {', '.join(NETWORK_TABLES)}; found {', '.join(unknown)}."
        raise InputError(msg)
    return {**kept, "nodes": _node_rows(graph), "links": _link_rows(graph)}


def _node_rows(graph: "nx.Graph[Any]") -> pd.DataFrame:
    rows = [{"node_id": str(node), **values} for node, values in graph.nodes(data=True)]
    return fill_own_texts("nodes", pd.DataFrame(rows))


def _link_rows(graph: "nx.Graph[Any]") -> pd.DataFrame:
    """Return one row per link: two edges that are its two directions are one link."""
    edges = _keyed_edges(graph)
    places = {(tail, head, key): values for tail, head, key, values in edges}
    rows = []
    for number, (tail, head, key, values) in enumerate(edges):
        other = places.get((head, tail, key), {}).get("direction")
        if values.get("direction") == _BACKWARD and other == _FORWARD:
            continue
        row = {"link_id": f"L{number}", "directed": graph.is_directed(), **values}
        if "direction" in row:
            # Who takes one of the two edges away makes a one-way link.
            row["directed"] = other is None
            del row["direction"]
        rows.append({"from_node": str(tail), "to_node": str(head), **row})
    order = {link: place for place, link in enumerate(graph.graph.get(_ORDER, []))}
    rows.sort(key=lambda row: order.get(row["link_id"], len(order)))
    return fill_own_texts("links", pd.DataFrame(rows))


def _keyed_edges(graph: "nx.Graph[Any]") -> list[tuple[Any, Any, Any, dict[str, Any]]]:
    import networkx as nx

    if isinstance(graph, nx.MultiGraph):
        return list(graph.edges(data=True, keys=True))
    return [(tail, head, 0, values) for tail, head, values in graph.edges(data=True)]
