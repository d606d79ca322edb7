"""Shared capacity: servers of posts, tracks, terminals, ships and permits, as pools of the flow engine."""

from dataclasses import dataclass, replace
from typing import Final, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from corridor.border import Posts
from corridor.core.flows import Delay, HingeDelay, Pools, SumDelay
from corridor.core.queues import QueueDelay
from corridor.network import Network
from corridor.network.fills import FilledTables
from corridor.network.supernetwork import Supernetwork
from corridor.planning.services import LinkServices
from corridor.sovereignty import Effects, Shipments

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int32]

POST: Final = "post"
LINK: Final = "link"
SERVICE: Final = "service"
TERMINAL: Final = "terminal"
QUOTA: Final = "quota"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PoolSet:
    """Pools of all kinds under one numbering; the posts' pools come first and keep their numbers.

    Attributes
    ----------
    pools
        Matrix (n_pools, n_classes * n_arcs) and capacities, net of background.
    queues
        The posts' queues (over all pools; those of other kinds have none).
    delay
        Queues and the price of soft quotas.
    overruns
        The price of soft quotas alone.
    table
        One row per pool: ``kind``, ``item`` (crossing, link or group, terminal, rule), ``unit``,
        ``capacity``, ``base`` (background, in the same unit).
    """

    pools: Pools
    queues: QueueDelay
    delay: Delay
    overruns: Delay
    table: pd.DataFrame


class _Collector:
    """Collects pools row by row of the sparse matrix."""

    def __init__(self, n_classes: int, n_arcs: int) -> None:
        self.n_classes, self.n_arcs = n_classes, n_arcs
        self.rows: list[NDArray[np.int64]] = []
        self.columns: list[NDArray[np.int64]] = []
        self.values: list[FloatArray] = []
        self.meta: list[tuple[str, str, str, float, float]] = []

    def add(self, kind: str, item: str, unit: str, capacity: float, base: float = 0.0) -> int:
        """Add one pool and return its number."""
        self.meta.append((kind, item, unit, capacity, base))
        return len(self.meta) - 1

    def load(self, pools: NDArray[np.int64], arcs: IntArray, per_t: FloatArray) -> None:
        """Let class ``k`` load ``pools[i]`` with ``per_t[k, i]`` units a tonne on ``arcs[i]``."""
        classes, item = np.nonzero(per_t)
        self.rows.append(pools[item])
        self.columns.append(classes * np.int64(self.n_arcs) + arcs[item])
        self.values.append(per_t[classes, item])

    def matrix(self) -> sparse.csr_array:
        """Return the matrix (n_pools, n_classes * n_arcs)."""
        shape = (len(self.meta), self.n_classes * self.n_arcs)
        if not self.rows:
            return sparse.csr_array(shape)
        entries = (
            np.concatenate(self.values),
            (np.concatenate(self.rows), np.concatenate(self.columns)),
        )
        matrix = sparse.csr_array(entries, shape=shape)
        matrix.sum_duplicates()
        return matrix


def assemble_pools(
    network: Network,
    filled: FilledTables,
    net: Supernetwork,
    posts: Posts,
    services: LinkServices,
    effects: Effects,
    *,
    queues: QueueDelay,
    classes: Shipments,
    payload_t: FloatArray,
    scenario: str,
) -> PoolSet:
    """Return every shared capacity of a model.

    A link without a ``capacity_group`` has its capacity in each direction; a group has one for all
    its links in both. Background takes its part of the posts' servers and of the links' capacity
    first.
    """
    found = _Collector(len(classes), net.n_arcs)
    _add_posts(found, network, filled, net, posts, classes, payload_t)
    _add_links(found, network, filled, net, _background_t(network, filled, scenario))
    _add_services(found, network, net, services)
    _add_terminals(found, filled, net)
    _add_quotas(found, effects)
    table = pd.DataFrame(found.meta, columns=["kind", "item", "unit", "capacity", "base"])
    left = np.maximum(table["capacity"].to_numpy(float) - table["base"].to_numpy(float), 0.0)
    soft = [quota.over_usd_per_unit is not None for quota in effects.quotas]
    first_quota = len(table) - len(soft)
    limit, price = np.full(len(table), np.inf), np.zeros(len(table))
    for i, quota in enumerate(effects.quotas):
        if quota.over_usd_per_unit is not None:
            limit[first_quota + i], price[first_quota + i] = quota.limit, quota.over_usd_per_unit
            left[first_quota + i] = np.inf
    overruns = HingeDelay(limit=limit, price=price)
    all_queues = replace(queues, n_pools=len(table))
    return PoolSet(
        pools=Pools(found.matrix(), left),
        queues=all_queues,
        delay=SumDelay((all_queues, overruns)),
        overruns=overruns,
        table=table,
    )


def _add_posts(
    found: _Collector,
    network: Network,
    filled: FilledTables,
    net: Supernetwork,
    posts: Posts,
    classes: Shipments,
    payload_t: FloatArray,
) -> None:
    """Add the posts' pools: loaded vehicles on the post's arc, returning empties on its reverse."""
    crossing = network.crossings["crossing_id"].to_numpy(object)
    pool = np.repeat(np.arange(posts.n_pools), np.diff(posts.pool_arc_indptr))
    arc = posts.arc[posts.pool_arc]
    first = posts.pool_arc[posts.pool_arc_indptr[:-1]]
    for p, post in enumerate(first):
        item = str(crossing[net.arc_crossing[posts.arc[post]]])
        found.add(
            POST, item, "vehicles_per_day", float(posts.pool_capacity[p]), float(posts.pool_base[p])
        )
    goods = classes.commodity
    vehicles_per_t = 1.0 / payload_t[goods][:, arc]
    found.load(pool, arc, vehicles_per_t * posts.pool_users[pool][:, goods].T)
    returns = filled.commodities["empty_return_share"].to_numpy(float)[goods][:, None]
    back = net.arc_reverse[arc]
    there = back >= 0
    empties = (returns * vehicles_per_t * posts.pool_users[pool, -1])[:, there]
    found.load(pool[there], back[there], empties)


def _background_t(
    network: Network, filled: FilledTables, scenario: str
) -> dict[tuple[str, bool], float]:
    """Return background tonnes a day by (link_id, along the link)."""
    load = filled.layers.set_index("layer")["t_per_vehicle"]
    links = network.links
    of_crossing = {x: i for i, x in enumerate(links["crossing_id"]) if x}
    of_link = {x: i for i, x in enumerate(links["link_id"])}
    first = dict(zip(network.crossings["crossing_id"], network.crossings["country_a"], strict=True))
    state = dict(zip(network.nodes["node_id"], network.nodes["country"], strict=True))
    total: dict[tuple[str, bool], float] = {}
    rows = network.background
    columns = (rows["target"], rows["direction"], rows["vehicles_per_day"], rows["scenario"])
    for target, direction, vehicles, of_scenario in zip(*columns, strict=True):
        link = of_link.get(target, of_crossing.get(target))
        if link is None or of_scenario not in ("", scenario):
            continue
        # A crossing's forward is country_a -> country_b, whichever way its link is drawn.
        same_way = target in of_link or state[links["from_node"].iloc[link]] == first[target]
        ways = (True, False) if direction == "both" else ((direction == "forward") == same_way,)
        tonnes = float(vehicles) * float(load[links["layer"].iloc[link]]) / len(ways)
        for way in ways:
            key = str(links["link_id"].iloc[link]), way
            total[key] = total.get(key, 0.0) + tonnes
    return total


def _add_links(
    found: _Collector,
    network: Network,
    filled: FilledTables,
    net: Supernetwork,
    background_t: dict[tuple[str, bool], float],
) -> None:
    links = filled.links
    limited = links[links["capacity_t_per_day"].notna()]
    groups: dict[str, int] = {}
    ones = np.ones((found.n_classes, 1))
    columns = (
        limited.index,
        limited["link_id"],
        limited["capacity_group"],
        limited["capacity_t_per_day"],
    )
    for link, link_id, group, capacity in zip(*columns, strict=True):
        for forward in (True, False):
            arcs = np.flatnonzero(
                (net.arc_link == link) & net.arc_is_main & (net.arc_forward == forward)
            )
            if not arcs.size:
                continue
            name = group or f"{link_id} ({'forward' if forward else 'backward'})"
            if name not in groups:
                groups[name] = found.add(LINK, name, "t_per_day", float(capacity))
            pool = groups[name]
            kind, item, unit, size, base = found.meta[pool]
            base += background_t.get((link_id, forward), 0.0)
            found.meta[pool] = kind, item, unit, min(size, float(capacity)), base
            found.load(np.array([pool]), arcs.astype(np.int32), ones)


def _add_services(
    found: _Collector, network: Network, net: Supernetwork, services: LinkServices
) -> None:
    link_id = network.links["link_id"].to_numpy(object)
    for arc in np.flatnonzero(np.isfinite(services.arc_capacity_t_per_day)).astype(np.int32):
        way = "forward" if net.arc_forward[arc] else "backward"
        name = f"{link_id[net.arc_link[arc]]} ({way})"
        pool = found.add(SERVICE, name, "t_per_day", float(services.arc_capacity_t_per_day[arc]))
        found.load(np.array([pool]), np.array([arc]), np.ones((found.n_classes, 1)))


def _add_terminals(found: _Collector, filled: FilledTables, net: Supernetwork) -> None:
    terminals = filled.terminals
    arc_of = np.full(len(terminals), -1, np.int32)
    at_terminal = np.flatnonzero(net.arc_terminal >= 0)
    arc_of[net.arc_terminal[at_terminal]] = at_terminal
    limited = terminals[terminals["capacity_t_per_day"].notna()]
    for row in limited.itertuples():
        name = f"{row.node_id}/{row.from_layer}/{row.to_layer}"
        pool = found.add(TERMINAL, name, "t_per_day", float(row.capacity_t_per_day))
        found.load(np.array([pool]), arc_of[[row.Index]], np.ones((found.n_classes, 1)))


def _add_quotas(found: _Collector, effects: Effects) -> None:
    for quota in effects.quotas:
        unit = quota.unit.replace("per_year", "per_day")
        pool = found.add(QUOTA, quota.rule_id, unit, quota.limit)
        pairs = quota.per_t.tocoo()
        classes, arcs = pairs.coords
        found.rows.append(np.full(classes.size, pool, np.int64))
        found.columns.append(classes.astype(np.int64) * found.n_arcs + arcs)
        found.values.append(np.asarray(pairs.data, dtype=float))
