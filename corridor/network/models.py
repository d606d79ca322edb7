"""The network and the demand: validated tables, read from a folder or built from DataFrames."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from corridor import datasets
from corridor.errors import Fault, InputError
from corridor.network.consistency import (
    demand_faults,
    first_causes,
    in_order,
    range_faults,
    structural_faults,
)
from corridor.network.geography import gauge_faults, length_faults, outline_faults
from corridor.network.outlines import read_outlines
from corridor.network.schema import NETWORK_TABLES, TABLES
from corridor.network.tables import TypedTable, read_table, type_table, write_csv
from corridor.network.texts import is_geopackage

if TYPE_CHECKING:
    import networkx as nx

BoolArray = NDArray[np.bool_]


# Without slots: with them CPython 3.11 answers `net.links = frame` with an obscure TypeError.
@dataclass(frozen=True, kw_only=True, eq=False)
class Network:
    """What is built, where and whose: the validated tables of a network, as of a date.

    Build one with :func:`load_network` or :meth:`from_tables`. Each table attribute returns a
    shallow copy, so that nothing a caller does to it reaches the network; change a network with
    :meth:`replace`. Columns have the dtypes of :class:`corridor.network.schema.Kind`.

    Parameters
    ----------
    rows
        The typed tables by name.
    date
        Day that the status of links and crossings is read as of; None = the status columns alone.
    name
        Name for messages.
    """

    rows: Mapping[str, TypedTable]
    date: dt.date | None = None
    name: str = "network"

    @classmethod
    def from_tables(
        cls,
        *,
        nodes: pd.DataFrame,
        layers: pd.DataFrame,
        links: pd.DataFrame,
        commodities: pd.DataFrame,
        date: dt.date | str | None = None,
        name: str = "network",
        **others: pd.DataFrame,
    ) -> "Network":
        """Build a network from DataFrames with the contract's columns.

        Parameters
        ----------
        nodes, layers, links, commodities
            The tables a network must have. Optional columns may be missing, extra ones are kept.
        date
            As in :func:`load_network`.
        name
            Name for messages.
        **others
            Any other table of the contract by name: ``terminals``, ``crossings``, ``stages`` ...

        Raises
        ------
        InputError
            If the tables have faults; ``.faults`` lists all of them.

        Examples
        --------
        >>> nodes = pd.DataFrame({
        ...     "node_id": ["A", "B"], "name": ["A", "B"], "country": ["AAA", "AAA"],
        ...     "kind": ["city", "city"], "lon": [0.0, 1.0], "lat": [0.0, 0.0]})
        >>> layers = pd.DataFrame({"layer": ["road"], "mode": ["road"], "vehicle": ["truck"],
        ...                        "t_per_vehicle": [20], "speed_kmh": [50]})
        >>> links = pd.DataFrame({"link_id": ["A-B"], "from_node": ["A"], "to_node": ["B"],
        ...                       "layer": ["road"], "length_km": [120]})
        >>> commodities = pd.DataFrame({"commodity_id": ["grain"], "name": ["Grain"],
        ...                             "value_usd_per_t": [250],
        ...                             "value_of_time_usd_per_t_h": [0.01]})
        >>> net = Network.from_tables(
        ...     nodes=nodes, layers=layers, links=links, commodities=commodities)
        >>> net.links["length_km"].tolist()
        [120.0]
        """
        frames = {"nodes": nodes, "layers": layers, "links": links, "commodities": commodities}
        _check_names(others)
        rows: dict[str, TypedTable] = {}
        faults: list[Fault] = []
        for table in NETWORK_TABLES:
            frame = frames.get(table, others.get(table))
            rows[table], found = type_table(TABLES[table], frame)
            faults.extend(found)
        return _assemble(rows, faults, as_date(date), name)

    def replace(self, **tables: pd.DataFrame) -> "Network":
        """Return a network with other tables in place of its own, validated again.

        Raises
        ------
        InputError
            If a name is no table of the contract, or the new tables have faults.

        Examples
        --------
        >>> import corridor
        >>> net = corridor.load_network("crossroads")
        >>> slower = net.links.assign(speed_kmh=20.0)
        >>> float(net.replace(links=slower).links["speed_kmh"].max())
        20.0
        """
        _check_names(tables)
        rows = dict(self.rows)
        faults: list[Fault] = []
        for table, frame in tables.items():
            rows[table], found = type_table(TABLES[table], frame)
            faults.extend(found)
        return _assemble(rows, faults, self.date, self.name)

    def to_networkx(self) -> "nx.MultiDiGraph[str]":
        """Return the network as a graph: nodes and links with their columns as attributes.

        A link is an edge from from_node to to_node by the key ``link_id`` with ``direction`` =
        ``forward``, and unless it is directed an edge back with ``direction`` = ``backward``.
        Blanks are left out. The other tables ride along in ``graph.graph["tables"]``, so that
        :meth:`from_networkx` gives the same network again.

        Examples
        --------
        >>> import corridor
        >>> graph = corridor.load_network("crossroads").to_networkx()
        >>> graph.nodes["AM_YEREVAN"]["country"]
        'ARM'
        """
        from corridor.network.graphs import build_graph

        return build_graph({name: self.table(name) for name in NETWORK_TABLES})

    @classmethod
    def from_networkx(
        cls,
        graph: "nx.Graph[Any]",
        *,
        date: dt.date | str | None = None,
        name: str = "network",
        **tables: pd.DataFrame,
    ) -> "Network":
        """Build a network from a graph whose attributes are the contract's columns.

        Parameters
        ----------
        graph
            Any networkx graph. Nodes need ``name, country, kind, lon, lat``; edges ``layer`` and
            ``length_km``. Edges without ``link_id`` get one; those of an undirected graph go both
            ways, those of a directed one only forward, unless they come from :meth:`to_networkx`.
        date, name
            As in :meth:`from_tables`.
        **tables
            ``layers``, ``commodities`` and any other table by name, but nodes and links; those that
            :meth:`to_networkx` put into the graph are taken where none is given.

        Raises
        ------
        InputError
            If the graph has no nodes or edges, or the tables have faults; ``.faults`` lists them.

        Examples
        --------
        >>> import corridor
        >>> net = corridor.load_network("crossroads")
        >>> again = corridor.Network.from_networkx(net.to_networkx())
        >>> again.links["length_km"].sum() == net.links["length_km"].sum()
        np.True_
        """
        from corridor.network.graphs import graph_tables

        found = graph_tables(graph, tables)
        rows: dict[str, TypedTable] = {}
        faults: list[Fault] = []
        for table in NETWORK_TABLES:
            rows[table], some = type_table(TABLES[table], found.get(table))
            faults.extend(some)
        return _assemble(rows, faults, as_date(date), name)

    def as_of(self, date: dt.date | str | None) -> "Network":
        """Return the same network as of another date.

        Raises
        ------
        InputError
            If a text is not an ISO date.
        """
        return replace(self, date=as_date(date))

    @property
    def nodes(self) -> pd.DataFrame:
        """Places; ``node_id`` is the key."""
        return self.table("nodes")

    @property
    def layers(self) -> pd.DataFrame:
        """Kinds of vehicle and gauge; ``layer`` is the key."""
        return self.table("layers")

    @property
    def links(self) -> pd.DataFrame:
        """Stretches of road, rail and sea; ``link_id`` is the key."""
        return self.table("links")

    @property
    def terminals(self) -> pd.DataFrame:
        """Changes of layer, one direction a row."""
        return self.table("terminals")

    @property
    def crossings(self) -> pd.DataFrame:
        """Border crossings; ``crossing_id`` is the key."""
        return self.table("crossings")

    @property
    def stages(self) -> pd.DataFrame:
        """Stages of the posts, templates included."""
        return self.table("stages")

    @property
    def commodities(self) -> pd.DataFrame:
        """Goods; ``commodity_id`` is the key."""
        return self.table("commodities")

    @property
    def background(self) -> pd.DataFrame:
        """Vehicles that use links and posts but are not rerouted."""
        return self.table("background")

    @property
    def services(self) -> pd.DataFrame:
        """Timetabled or frequent services; ``service_id`` is the key."""
        return self.table("services")

    @property
    def projects(self) -> pd.DataFrame:
        """What could be built, one changed value a row."""
        return self.table("projects")

    @property
    def defaults(self) -> pd.DataFrame:
        """Values that fill blanks."""
        return self.table("defaults")

    @property
    def ranges(self) -> pd.DataFrame:
        """How uncertain the numbers are."""
        return self.table("ranges")

    @property
    def screenlines(self) -> pd.DataFrame:
        """Cuts through the network, one gate a row."""
        return self.table("screenlines")

    @property
    def counts(self) -> pd.DataFrame:
        """Published volumes."""
        return self.table("counts")

    @property
    def targets(self) -> pd.DataFrame:
        """Published times."""
        return self.table("targets")

    @property
    def sources(self) -> pd.DataFrame:
        """Where the rows come from; ``source`` is the key."""
        return self.table("sources")

    @property
    def open_links(self) -> BoolArray:
        """Which links are physically open at ``date``: bool, shape (n_links,)."""
        return _is_open(self.rows["links"].frame, self.date)

    @property
    def open_crossings(self) -> BoolArray:
        """Which crossings are physically open at ``date``: bool, shape (n_crossings,)."""
        return _is_open(self.rows["crossings"].frame, self.date)

    def table(self, name: str) -> pd.DataFrame:
        """Return a shallow copy of a table by name.

        Raises
        ------
        InputError
            If the network has no table of that name.
        """
        _check_names({name: None})
        return self.rows[name].frame.copy(deep=False)

    def texts(self, table: str, column: str) -> NDArray[np.object_]:
        """Return a column of texts as an array, without the copy of its table.

        An array of objects, because iterating over Arrow's texts one by one is slow.

        Examples
        --------
        >>> import corridor
        >>> corridor.load_network("crossroads").texts("layers", "layer").tolist()[:2]
        ['road', 'rail1520']
        """
        return np.asarray(self.rows[table].frame[column].to_numpy(object))

    def __repr__(self) -> str:
        date = f", date={self.date.isoformat()}" if self.date else ""
        counts = ", ".join(
            f"{len(self.rows[table].frame)} {table}"
            for table in ("nodes", "links", "terminals", "crossings", "stages")
        )
        return f"Network({self.name!r}: {counts}{date})"


@dataclass(frozen=True, kw_only=True, eq=False)
class Demand:
    """Tonnes a day to move, in one scenario.

    Build one with :func:`load_demand` or :meth:`from_table`.

    Parameters
    ----------
    table
        The typed rows, ``flag`` filled with the origin's state and ``elasticity`` with 0.
    scenario
        Name of the scenario.
    """

    table: pd.DataFrame
    scenario: str

    @classmethod
    def from_table(
        cls, frame: pd.DataFrame, network: Network, scenario: str | None = None
    ) -> "Demand":
        """Build a demand from a DataFrame with the contract's columns and a network.

        Parameters
        ----------
        frame
            Columns scenario, origin, destination, commodity, t_per_day; optional flag, elasticity.
        network
            Network that has its nodes and commodities.
        scenario
            Scenario to take; None = the only one.

        Raises
        ------
        InputError
            If rows have faults, or the scenario is unknown or not given although there are several.
        """
        typed, faults = type_table(TABLES["demand"], frame)
        return _chosen_demand(typed, network.rows, faults, scenario, network.name)

    @property
    def rows(self) -> pd.DataFrame:
        """One row a flow: scenario, origin, destination, commodity, t_per_day [t/day], flag, ...

        A shallow copy; ``flag`` is never blank and ``elasticity`` never NaN.
        """
        return self.table.copy(deep=False)

    @property
    def total_t_per_day(self) -> float:
        """Sum of the demand [t/day]."""
        return float(self.table["t_per_day"].sum())

    def __repr__(self) -> str:
        total = self.total_t_per_day
        return f"Demand({self.scenario!r}: {len(self.table)} rows, {total:,.0f} t/day)"


def load_network(name: str | Path, date: dt.date | str | None = None) -> Network:
    """Read and validate a network.

    Parameters
    ----------
    name
        Name of a bundled data set, a folder of CSV files, or a GeoPackage made by
        `convert_dataset`.
    date
        Day that dated rows are read as of, a date or an ISO text; None = the status columns alone.
        The clock is never read.

    Returns
    -------
    Network
        Its validated tables.

    Raises
    ------
    InputError
        If there is no such data set, or its files have faults; ``.faults`` lists all of them.

    Examples
    --------
    >>> import corridor
    >>> net = corridor.load_network("crossroads", date="2026-01-01")
    >>> net.date.isoformat()
    '2026-01-01'
    """
    rows, faults = read_place(dataset_place(name), NETWORK_TABLES)
    # Outlines and gauges are checked once, on reading: a variant does not move a place.
    on_the_ground = [
        *range_faults(rows),
        *gauge_faults(rows),
        *outline_faults(rows, read_outlines()),
    ]
    return _assemble(rows, faults, as_date(date), str(name), on_the_ground)


def load_demand(name: str | Path, scenario: str | None = None) -> Demand:
    """Read and validate the demand of a data set.

    Parameters
    ----------
    name
        Name of a bundled data set, a folder of CSV files, or a GeoPackage.
    scenario
        Scenario to take; None = the only one.

    Returns
    -------
    Demand
        The rows of that scenario.

    Raises
    ------
    InputError
        If there is no such data set, its demand has faults (``.faults``), or the scenario is
        unknown, or not given although there are several.

    Examples
    --------
    >>> import corridor
    >>> corridor.load_demand("crossroads", scenario="2024").scenario
    '2024'
    """
    needed = ("sources", "nodes", "commodities", "demand")
    rows, faults = read_place(dataset_place(name), needed)
    if not rows["demand"].exists:
        found, expected = "no such file", "the file demand.csv"
        faults.append(Fault(file="demand.csv", found=found, expected=expected, remedy="add it"))
    return _chosen_demand(rows["demand"], rows, faults, scenario, str(name))


def write_tables(network: Network, folder: str | Path) -> None:
    """Write the tables of a network as a data set folder, whole or not at all.

    Parameters
    ----------
    network
        The network.
    folder
        Folder to make; it must not exist yet, or be empty.

    Raises
    ------
    InputError
        If the folder holds anything, or its parent does not exist.
    """
    write_csv({name: network.table(name) for name in NETWORK_TABLES}, folder)


def dataset_folder(name: str | Path) -> Path:
    """Return the folder of a data set, bundled or not.

    Raises
    ------
    InputError
        If there is none, or it is a file.
    """
    path = datasets.path(name)
    if not path.is_dir():
        msg = (
            f"A data set must be a folder of CSV files or a GeoPackage; {str(path)!r} is a file "
            "of another kind. Give the folder that holds nodes.csv and links.csv."
        )
        raise InputError(msg)
    return path


def dataset_place(name: str | Path) -> Path:
    """Return the folder or GeoPackage of a data set, bundled or not.

    Raises
    ------
    InputError
        If there is none, or it is another kind of file.
    """
    path = datasets.path(name)
    return path if is_geopackage(path) else dataset_folder(path)


def read_place(
    place: Path, names: tuple[str, ...] = tuple(TABLES)
) -> tuple[dict[str, TypedTable], list[Fault]]:
    """Read tables of a data set from a folder or a GeoPackage, with their faults."""
    if place.is_dir():
        return read_folder(place, names)
    from corridor.network.geopackages import read_geopackage

    return read_geopackage(place, names)


def read_folder(
    folder: Path, names: tuple[str, ...] = tuple(TABLES)
) -> tuple[dict[str, TypedTable], list[Fault]]:
    """Read tables of a data set folder, with the faults within each of them."""
    rows: dict[str, TypedTable] = {}
    faults: list[Fault] = []
    for name in names:
        rows[name], found = read_table(TABLES[name], folder / TABLES[name].file)
        faults.extend(found)
    return rows, faults


def as_date(date: dt.date | str | None) -> dt.date | None:
    """Return a date for a date, an ISO text or None.

    Raises
    ------
    InputError
        If a text is not an ISO date.

    Examples
    --------
    >>> as_date("2026-01-31")
    datetime.date(2026, 1, 31)
    """
    if isinstance(date, dt.datetime):
        return date.date()
    if date is None or isinstance(date, dt.date):
        return date
    try:
        return dt.date.fromisoformat(date)
    except ValueError as error:
        msg = f"The date must be an ISO date YYYY-MM-DD; found {date!r}. Correct it."
        raise InputError(msg) from error


def _assemble(
    rows: Mapping[str, TypedTable],
    faults: list[Fault],
    date: dt.date | None,
    name: str,
    more: Iterable[Fault] = (),
) -> Network:
    across = [*structural_faults(rows), *length_faults(rows), *more]
    raise_errors(name, in_order(rows, first_causes(faults, across)))
    return Network(rows=rows, date=date, name=name)


def raise_errors(name: str, faults: list[Fault]) -> None:
    """Raise one InputError that lists the faults that are no warnings, if there are any."""
    errors = [fault for fault in faults if not fault.warning]
    if errors:
        subject = f"The data set {name!r}"
        raise InputError.from_faults(subject, errors)


def _check_names(tables: Mapping[str, object]) -> None:
    unknown = [name for name in tables if name not in NETWORK_TABLES]
    if unknown:
        msg = (
            f"A table of a network must be one of {', '.join(NETWORK_TABLES)}; found "
            f"{', '.join(map(repr, unknown))}. Correct the name."
        )
        raise InputError(msg)


def _is_open(frame: pd.DataFrame, date: dt.date | None) -> BoolArray:
    status = frame["status"]
    built = (status == "open").to_numpy(dtype=bool)
    if date is None:
        return built
    coming = status.isin(["planned", "construction"]).to_numpy(dtype=bool)
    dated = frame["opens"].notna().to_numpy(dtype=bool)
    opened = (frame["opens"] <= pd.Timestamp(date)).to_numpy(dtype=bool)
    return np.asarray((built & (~dated | opened)) | (coming & opened), dtype=np.bool_)


def _chosen_demand(
    demand: TypedTable,
    rows: Mapping[str, TypedTable],
    faults: list[Fault],
    scenario: str | None,
    name: str,
) -> Demand:
    tables = {**rows, "demand": demand}
    raise_errors(name, in_order(tables, first_causes(faults, demand_faults(tables))))
    frame = demand.frame
    names = sorted(set(frame["scenario"]))
    chosen = names[0] if scenario is None and len(names) == 1 else scenario
    if chosen not in names:
        found = "none was given" if scenario is None else f"found {scenario!r}"
        msg = (
            f"The scenario of {name!r} must be one of {', '.join(map(repr, names)) or '(no rows)'};"
            f" {found}. Name one of them."
        )
        raise InputError(msg)
    taken = frame[frame["scenario"] == chosen].reset_index(drop=True)
    nodes = rows["nodes"].frame
    country = dict(zip(nodes["node_id"].tolist(), nodes["country"].tolist(), strict=True))
    home = taken["origin"].map(country).astype("str")
    taken["flag"] = taken["flag"].where(taken["flag"] != "", home)
    taken["elasticity"] = taken["elasticity"].fillna(0.0)
    return Demand(table=taken, scenario=str(chosen))
