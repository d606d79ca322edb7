"""Shared capacity: servers, tracks, terminals, ships and permits, as pools of the flow engine."""

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
from corridor.planning.ways.walks import with_copies
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
    overruns: HingeDelay
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

    def join(self, pool: int, capacity: float, base: float) -> None:
        """Let one more link share a pool: the least capacity holds, background adds up."""
        kind, item, unit, size, before = self.meta[pool]
        self.meta[pool] = kind, item, unit, min(size, capacity), before + base

    def load(self, pools: IntArray, arcs: IntArray, per_t: FloatArray) -> None:
        """Let class ``k`` load ``pools[i]`` with ``per_t[k, i]`` units a tonne on ``arcs[i]``."""
        classes, item = np.nonzero(per_t)
        self.rows.append(pools[item].astype(np.int64))
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
    vehicles: FloatArray,
) -> PoolSet:
    """Return every shared capacity of a model.

    A link without a ``capacity_group`` has its capacity in each direction; a group has one for all
    its links in both. Where services state what their ships carry, that is the capacity of the link
    and direction. Background takes its part of the posts' servers and of the links' capacity first.
    """
    found = _Collector(len(classes), net.n_arcs)
    _add_posts(found, network, filled, net, posts, classes, payload_t)
    load_t = filled.layers["t_per_vehicle"].to_numpy(float)[net.arc_layer]
    _add_links(found, filled, net, services, vehicles * load_t)
    _add_services(found, network, net, services)
    _add_terminals(found, filled, net)
    _add_quotas(found, effects)
    table = pd.DataFrame(found.meta, columns=["kind", "item", "unit", "capacity", "base"])
    capacity, base = table["capacity"].to_numpy(float), table["base"].to_numpy(float)
    left = np.maximum(capacity - base, 0.0)
    overruns = _overruns(effects, len(table))
    left[overruns.price > 0.0] = np.inf
    all_queues = replace(queues, n_pools=len(table))
    return PoolSet(
        pools=Pools(sparse.csr_matrix(found.matrix()), left),
        queues=all_queues,
        delay=SumDelay((all_queues, overruns)),
        overruns=overruns,
        table=table,
    )


def _overruns(effects: Effects, n_pools: int) -> HingeDelay:
    """Return the price of what is over the soft quotas; the quotas' pools come last."""
    limit, price = np.full(n_pools, np.inf), np.zeros(n_pools)
    for pool, quota in enumerate(effects.quotas, start=n_pools - len(effects.quotas)):
        if quota.over_usd_per_unit is not None:
            limit[pool], price[pool] = quota.limit, quota.over_usd_per_unit
    return HingeDelay(limit=limit, price=price)


def _add_posts(
    found: _Collector,
    network: Network,
    filled: FilledTables,
    net: Supernetwork,
    posts: Posts,
    classes: Shipments,
    payload_t: FloatArray,
) -> None:
    """Add the posts' pools: loaded vehicles on the post's arc, empties of those on its reverse."""
    crossing = network.crossings["crossing_id"].tolist()
    columns = (posts.pool_crossing, posts.pool_capacity, posts.pool_base)
    for x, capacity, base in zip(*columns, strict=True):
        found.add(POST, crossing[x], "vehicles_per_day", float(capacity), float(base))
    goods, pool = classes.commodity, posts.member_pool
    arc = posts.arc[posts.member_post]
    vehicles_per_t = 1.0 / payload_t[goods][:, arc]
    found.load(pool, arc, vehicles_per_t * posts.pool_users[pool][:, goods].T)
    returns = filled.commodities["empty_return_share"].to_numpy(float)[goods][:, None]
    # Empties go back by the posts themselves, whatever copy the loaded vehicle came by.
    back = net.arc_reverse[arc]
    there = np.flatnonzero((back >= 0) & ~net.is_copy[arc])
    row, copy = with_copies(net, back[there])
    there = there[row]
    empties = (returns * vehicles_per_t * posts.pool_users[pool, -1])[:, there]
    found.load(pool[there], copy, empties)


def _add_links(
    found: _Collector,
    filled: FilledTables,
    net: Supernetwork,
    services: LinkServices,
    background_t: FloatArray,
) -> None:
    """Add the capacities of links, where no service states its own."""
    capacity = np.append(filled.links["capacity_t_per_day"].to_numpy(float), np.nan)[net.arc_link]
    by_ship = np.isfinite(services.arc_capacity_t_per_day)
    counted = net.arc_is_main & ~net.is_copy
    arcs = np.flatnonzero(counted & ~np.isnan(capacity) & ~by_ship).astype(np.int32)
    link_id, group = filled.links["link_id"].tolist(), filled.links["capacity_group"].tolist()
    numbers: dict[str, int] = {}
    pools = np.zeros(arcs.size, np.int32)
    for i, arc in enumerate(arcs):
        link, size, base = net.arc_link[arc], float(capacity[arc]), float(background_t[arc])
        name = group[link] or f"{link_id[link]} ({_way(net, arc)})"
        if name not in numbers:
            numbers[name] = found.add(LINK, name, "t_per_day", size, base)
        else:
            found.join(numbers[name], size, base)
        pools[i] = numbers[name]
    _load_with_copies(found, net, pools, arcs)


def _load_with_copies(
    found: _Collector, net: Supernetwork, pools: IntArray, arcs: IntArray
) -> None:
    """Let every class load ``pools[i]`` with its tonnes on ``arcs[i]`` and the copies of it."""
    row, copy = with_copies(net, arcs)
    found.load(pools[row], copy, np.ones((found.n_classes, copy.size)))


def _way(net: Supernetwork, arc: np.integer) -> str:
    return "forward" if net.arc_forward[arc] else "backward"


def _add_services(
    found: _Collector, network: Network, net: Supernetwork, services: LinkServices
) -> None:
    link_id = network.links["link_id"].tolist()
    capacity = services.arc_capacity_t_per_day
    arcs = np.flatnonzero(np.isfinite(capacity) & ~net.is_copy).astype(np.int32)
    pools = [
        found.add(
            SERVICE, f"{link_id[net.arc_link[arc]]} ({_way(net, arc)})", "t_per_day",
            float(capacity[arc]),
        )
        for arc in arcs
    ]  # fmt: skip
    _load_with_copies(found, net, np.array(pools, np.int32), arcs)


def _add_terminals(found: _Collector, filled: FilledTables, net: Supernetwork) -> None:
    terminals = filled.terminals
    capacity = np.append(terminals["capacity_t_per_day"].to_numpy(float), np.nan)
    limited = ~np.isnan(capacity[net.arc_terminal])
    arcs = np.flatnonzero(limited & ~net.is_copy).astype(np.int32)
    ends = [terminals[name].tolist() for name in ("node_id", "from_layer", "to_layer")]
    pools = []
    for row in net.arc_terminal[arcs]:
        name = "/".join(column[row] for column in ends)
        pools.append(found.add(TERMINAL, name, "t_per_day", float(capacity[row])))
    _load_with_copies(found, net, np.array(pools, np.int32), arcs)


def _add_quotas(found: _Collector, effects: Effects) -> None:
    for quota in effects.quotas:
        unit = quota.unit.replace("per_year", "per_day")
        pool = found.add(QUOTA, quota.rule_id, unit, quota.limit)
        pairs = quota.per_t.tocoo()
        classes, arcs = pairs.coords
        found.rows.append(np.full(classes.size, pool, np.int64))
        found.columns.append(classes.astype(np.int64) * found.n_arcs + arcs)
        found.values.append(np.asarray(pairs.data, dtype=float))
