"""What a map shows of a network and of a plan, as columns for its sources."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import pandas as pd

from corridor.errors import InputError
from corridor.network import Network
from corridor.planning import Plan
from corridor.report.colors import load_class
from corridor.report.files.geopackage import crossing_points, link_lines
from corridor.report.maps.antimeridian import cut_lines
from corridor.report.maps.mercator import FloatArray, path_of, project
from corridor.sovereignty import Rule

Columns: TypeAlias = dict[str, list[Any]]

WAYS: Final = ("forward", "backward")
UNKNOWN: Final = -1.0
"""Stands for what is not known: Bokeh has no word for NaN, and maps write it as such."""
OPEN: Final = "open"
SHUT: Final = "not open"
BARRED: Final = "closed by rule"
_LONGEST_WAIT_H: Final = 1e4
_NARROW: Final = ("commodities", "flags", "origins", "destinations", "traffic", "countries")


def drawn_network(
    shown: Network | Plan, network: Network | None, base: Plan | None, verb: str
) -> Network:
    """Return the network that a map is drawn on.

    Parameters
    ----------
    shown, network, base
        What the verb was given.
    verb
        Its name, for messages.

    Raises
    ------
    InputError
        If nothing, or another network than that of the plans, is given.
    """
    if isinstance(shown, Network):
        return shown
    if not isinstance(shown, Plan):
        msg = (
            f"A map must be of a Network or a Plan; found {type(shown).__name__}. Give one of them."
        )
        raise InputError(msg)
    if network is None:
        msg = (
            "A map of a plan needs the network that it was planned on: a plan knows links by id, "
            f"not where they lie. Call {verb}(plan, network)."
        )
        raise InputError(msg)
    known = set(network.links["link_id"])
    for plan in (shown, base):
        strange = [] if plan is None else sorted(set(plan.links["link_id"]) - known)
        if strange:
            msg = (
                f"A plan must be of the network it is drawn on; {len(strange)} of its links are "
                f"not in it, such as {strange[0]!r}. Give the plan's own network."
            )
            raise InputError(msg)
    return network


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BaseFrame:
    """Where links and crossings lie and what they are called: the same in every variant.

    Attributes
    ----------
    links
        Column -> one entry a link: ``link_id, name, xs, ys, mode, layer, status, length_km,
        ends``.
    crossings
        Column -> one entry a crossing: ``crossing_id, name, x, y, layer, states``.
    nodes
        Column -> one entry a place: ``node_id, name, x, y, country, kind``.
    """

    links: Columns
    crossings: Columns
    nodes: Columns


def base_frame(network: Network) -> BaseFrame:
    """Return the columns that a network gives to a map.

    Parameters
    ----------
    network
        The network; a link without way points is drawn straight.
    """
    return BaseFrame(
        links=_link_columns(network),
        crossings=_crossing_columns(network),
        nodes=_node_columns(network),
    )


def _link_columns(network: Network) -> Columns:
    links, nodes = network.links, network.nodes
    mode = dict(zip(network.layers["layer"], network.layers["mode"], strict=True))
    name = dict(zip(nodes["node_id"], nodes["name"], strict=True))
    paths = [path_of(line) for line in cut_lines(link_lines(network).to_numpy(object))]
    ends = [
        f"{name[a]} - {name[b]}" for a, b in zip(links["from_node"], links["to_node"], strict=True)
    ]
    names = [str(own or end) for own, end in zip(_texts(links, "name"), ends, strict=True)]
    return {
        "link_id": links["link_id"].tolist(),
        "name": names,
        "ends": ends,
        "xs": [path[0] for path in paths],
        "ys": [path[1] for path in paths],
        "layer": links["layer"].tolist(),
        "mode": [mode[layer] for layer in links["layer"]],
        "length_km": links["length_km"].astype(float).round(1).tolist(),
    }


def _crossing_columns(network: Network) -> Columns:
    rows = network.crossings
    points = crossing_points(network)
    x, y = project(
        np.array([point.x for point in points], dtype=float),
        np.array([point.y for point in points], dtype=float),
    )
    states = [f"{a} - {b}" for a, b in zip(rows["country_a"], rows["country_b"], strict=True)]
    return {
        "crossing_id": rows["crossing_id"].tolist(),
        "name": [str(text) for text in rows["name"]],
        "x": np.round(x).tolist(),
        "y": np.round(y).tolist(),
        "layer": rows["layer"].tolist(),
        "states": states,
    }


def _node_columns(network: Network) -> Columns:
    nodes = network.nodes
    x, y = project(nodes["lon"].to_numpy(float), nodes["lat"].to_numpy(float))
    columns: Columns = {
        name: nodes[name].tolist() for name in ("node_id", "name", "country", "kind")
    }
    return columns | {"x": np.round(x).tolist(), "y": np.round(y).tolist()}


def _texts(frame: pd.DataFrame, column: str) -> list[str]:
    if column not in frame:
        return [""] * len(frame)
    return frame[column].fillna("").astype(str).tolist()


def flow_columns(network: Network, plan: Plan | None) -> Columns:
    """Return what flows on each link, a column a way.

    Parameters
    ----------
    network
        The network whose links are shown.
    plan
        Its plan; None and a plan without flows give zeros, an unknown utilization and links that
        are open by their status.

    Returns
    -------
    dict of list
        ``forward, backward, flow`` [t/day], ``utilization`` (`UNKNOWN` or of the fuller way) and
        ``state``, one entry a link.
    """
    ids = network.links["link_id"]
    tonnes = {way: _on_links(_by_way(plan, way, "t_per_day"), ids) for way in WAYS}
    used = [_by_way(plan, way, "utilization").reindex(ids).to_numpy(float) for way in WAYS]
    shared: Columns = {
        "utilization": _known(np.fmax(*used)),
        "state": _link_states(network, plan),
    }
    return _tonnes(tonnes) | shared


def flows_by_goods(network: Network, plan: Plan | None) -> dict[str, Columns]:
    """Return the flows of all goods, of those in containers and of the others.

    Parameters
    ----------
    network, plan
        As in `flow_columns`.

    Returns
    -------
    dict of dict
        ``all`` as `flow_columns` gives it, ``containers`` and ``bulk`` with ``forward, backward,
        flow`` [t/day].
    """
    ids = network.links["link_id"]
    boxed = {way: _on_links(of, ids) for way, of in _boxed_flows(network, plan).items()}
    every = flow_columns(network, plan)
    bulk = {way: np.maximum(np.subtract(every[way], boxed[way]), 0.0) for way in WAYS}
    return {"all": every, "containers": _tonnes(boxed), "bulk": _tonnes(bulk)}


def _on_links(flow: pd.Series, ids: pd.Series) -> FloatArray:
    """Return a flow by link in the order of the links, 0 where there is none."""
    return flow.reindex(ids).fillna(0.0).to_numpy(float)


def _tonnes(by_way: Mapping[str, FloatArray]) -> Columns:
    columns: Columns = {way: np.round(by_way[way], 1).tolist() for way in WAYS}
    columns["flow"] = np.round(np.add(columns["forward"], columns["backward"]), 1).tolist()
    return columns


def _known(values: FloatArray) -> list[float]:
    """Return numbers to three places, what is unknown or without end as `UNKNOWN`."""
    numbers: list[float] = np.where(np.isfinite(values), np.round(values, 3), UNKNOWN).tolist()
    return numbers


def _by_way(plan: Plan | None, way: str, column: str) -> pd.Series:
    if plan is None or not len(plan.links):
        return pd.Series(dtype=float)
    rows = plan.links[plan.links["direction"] == way]
    return pd.Series(rows[column].to_numpy(float), index=rows["link_id"].to_numpy(object))


def _boxed_flows(network: Network, plan: Plan | None) -> dict[str, pd.Series]:
    """Return the tonnes in containers on each link, followed along the paths of the plan."""
    rows: list[tuple[str, str, float]] = []
    if plan is not None and len(plan.paths):
        goods = network.commodities
        boxed = set(goods.loc[goods["containerised"].astype(bool), "commodity_id"])
        ends = {
            str(link): (str(a), str(b))
            for link, a, b in network.links[["link_id", "from_node", "to_node"]].to_numpy(object)
        }
        paths = plan.paths[plan.paths["commodity"].isin(boxed)]
        columns = paths[["origin", "links", "t_per_day"]].to_numpy(object)
        for origin, links, tonnes in columns:
            rows += [(*step, float(tonnes)) for step in _steps(str(origin), str(links), ends)]
    table = pd.DataFrame(rows, columns=["link_id", "way", "t"])
    return {way: table[table["way"] == way].groupby("link_id")["t"].sum() for way in WAYS}


def _steps(
    origin: str, links: str, ends: Mapping[str, tuple[str, str]]
) -> Iterable[tuple[str, str]]:
    """Yield each link of a path and the way in which it is gone."""
    at = origin
    for link in filter(None, links.split(">")):
        first, last = ends[link]
        way = "forward" if at == first else "backward"
        at = last if way == "forward" else first
        yield link, way


def _link_states(network: Network, plan: Plan | None) -> list[str]:
    if plan is None or not len(plan.links):
        return [OPEN if is_open else SHUT for is_open in network.open_links]
    known = set(plan.links["link_id"])
    return [OPEN if link in known else SHUT for link in network.links["link_id"]]


def post_columns(network: Network, plan: Plan | None, barred: Mapping[str, str]) -> Columns:
    """Return what happens at each crossing, both ways together.

    Parameters
    ----------
    network
        The network whose crossings are shown.
    plan
        Its plan, or None.
    barred
        Crossing -> the title of the rule that closes it.

    Returns
    -------
    dict of list
        ``flow`` [t/day] and ``vehicles`` [per day] of both ways, ``utilization``, ``wait`` and
        ``border`` [h] (of the worse way, or `UNKNOWN`), ``size_h`` (the wait, 0 where unknown),
        ``state``, ``mark`` (class of utilization, or the state where it is not open) and ``why``,
        one entry a crossing.
    """
    ids = network.crossings["crossing_id"].tolist()
    rows = _worse_way(plan).reindex(ids)
    known = rows["flow"].notna().tolist()
    is_open = known if plan is not None and len(plan.crossings) else network.open_crossings
    state = [_state(name, bool(seen), barred) for name, seen in zip(ids, is_open, strict=True)]
    load = [load_class(value) for value in rows["utilization"].tolist()]
    mark = [own if of == OPEN else of for own, of in zip(load, state, strict=True)]
    size_h = rows["wait"].fillna(0.0).clip(0.0, _LONGEST_WAIT_H)
    return {
        "flow": rows["flow"].fillna(0.0).round(1).tolist(),
        "vehicles": rows["vehicles"].fillna(0.0).round(1).tolist(),
        "utilization": _known(rows["utilization"].to_numpy(float)),
        "wait": _known(rows["wait"].to_numpy(float)),
        "border": _known(rows["border"].to_numpy(float)),
        "size_h": size_h.round(2).tolist(),
        "mark": mark,
        "state": state,
        "why": [barred.get(name, "") for name in ids],
    }


def _state(name: str, is_open: bool, barred: Mapping[str, str]) -> str:  # noqa: FBT001
    if name in barred:
        return BARRED
    return OPEN if is_open else SHUT


def _worse_way(plan: Plan | None) -> pd.DataFrame:
    columns = ["flow", "vehicles", "utilization", "wait", "border"]
    if plan is None or not len(plan.crossings):
        return pd.DataFrame(columns=columns, dtype=float)
    rows = plan.crossings.assign(
        flow=plan.crossings["t_per_day"],
        vehicles=plan.crossings["vehicles_per_day"],
        wait=plan.crossings["wait_h"],
        border=plan.crossings[["fixed_h", "service_h", "wait_h"]].sum(axis=1, min_count=3),
    )
    how = {"flow": "sum", "vehicles": "sum", "utilization": "max", "wait": "max", "border": "max"}
    table: pd.DataFrame = rows.groupby("crossing_id").agg(how)
    return table


def barred_crossings(rules: Sequence[Rule]) -> dict[str, str]:
    """Return the crossings that rules close to everybody, and the title of the rule.

    Parameters
    ----------
    rules
        Rules in force. A ban on some goods, flags, places or traffic closes no crossing.

    Examples
    --------
    >>> import corridor
    >>> rules = corridor.load_rules("crossroads", date="2026-06-30").in_force
    >>> barred_crossings(rules)["margara-road"]
    'Margara-Alican closed to trade'
    """
    return {
        name: rule.title
        for rule in rules
        if rule.kind == "forbid" and all(getattr(rule, key) is None for key in _NARROW)
        if not getattr(rule, "exceptions", ())
        for name in rule.crossings or ()
    }
