"""What shippers who choose for themselves pay at pools, and what else moves their choices."""

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from corridor.core.flows import PoolCharges
from corridor.core.queues import BeckmannDelay
from corridor.errors import InputError
from corridor.network.supernetwork import ArcKind
from corridor.planning.model import Model
from corridor.planning.ways.walks import with_copies

FloatArray: TypeAlias = NDArray[np.float64]
BoolArray: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceConstant:
    """A cost that shippers act on and no table states: trust, habit, sanctions, paperwork.

    It moves choices alone: it is no money and no time, and no cost indicator counts it.

    Attributes
    ----------
    id
        Unique id.
    usd_per_t
        Cost of a tonne at each post of entry within the scope [USD/t]; below 0 it attracts.
    crossings
        Ids of crossings, ``*`` stands for any part; empty is all.
    countries
        States entered (ISO 3166 alpha-3); empty is all.
    layers
        Layers; empty is all.
    """

    id: str
    usd_per_t: float
    crossings: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    layers: tuple[str, ...] = ()


def pool_charges(model: Model) -> PoolCharges:
    """Return what a tonne pays at each pool.

    A pool of a post has a price in hours: its queue, and where it is full the queue in front of it
    that the model has no room for. A loaded vehicle's hour costs its cargo's value of time and the
    vehicle, the hour of one that returns empty the vehicle. Room on links, ships and terminals that
    are full is sold, and so are permits: their prices are money.
    """
    net, posts, costs = model.supernetwork, model.posts, model.costs
    goods, n_arcs = model.classes.commodity, model.supernetwork.n_arcs
    pool, arc = posts.member_pool, posts.arc[posts.member_post]
    loaded = costs.usd_per_t_h[goods][:, arc] * posts.pool_users[pool][:, goods].T
    vehicle_h = model.filled.layers["vehicle_usd_per_h"].to_numpy(float)[net.arc_layer]
    returns = model.filled.commodities["empty_return_share"].to_numpy(float)[goods][:, None]
    back = net.arc_reverse[arc]
    there = np.flatnonzero((back >= 0) & ~net.is_copy[arc])
    row, copy = with_copies(net, back[there])
    there = there[row]
    empty_h = returns * vehicle_h[arc] / costs.payload_t[goods][:, arc]
    empties = (empty_h * posts.pool_users[pool, -1])[:, there]
    others = model.pools.pools.matrix.tocoo()
    rest = others.row >= posts.n_pools
    entries = [(others.data[rest], others.row[rest], others.col[rest])]
    for values, pools, arcs in ((loaded, pool, arc), (empties, pool[there], copy)):
        classes, item = np.nonzero(values)
        columns = classes * np.int64(n_arcs) + arcs[item]
        entries.append((values[classes, item], pools[item], columns))
    data, rows, columns = (np.concatenate(parts) for parts in zip(*entries, strict=True))
    charge = sparse.csr_matrix((data, (rows, columns)), shape=others.shape)
    return PoolCharges(
        charge=charge, waits=BeckmannDelay(model.pools.queues), overruns=model.pools.overruns
    )


def constant_costs(model: Model, constants: Sequence[ChoiceConstant]) -> FloatArray:
    """Return what constants add to the cost of every arc, shape (n_arcs,) [USD/t].

    Raises
    ------
    InputError
        If a scope holds no post of entry of the network, open or not.
    """
    net, network = model.supernetwork, model.network
    entries = np.flatnonzero(net.is_kind(ArcKind.ENTRY))
    crossing = network.crossings["crossing_id"].to_numpy(object)[net.arc_crossing[entries]]
    country = np.array(net.countries, dtype=object)[net.arc_country[entries]]
    layer = np.array(net.layers, dtype=object)[net.arc_layer[entries]]
    total = np.zeros(net.n_arcs)
    for constant in constants:
        within = _any_of(crossing, constant.crossings) & _any_of(country, constant.countries)
        within &= _any_of(layer, constant.layers)
        if not within.any():
            msg = (
                f"The constant {constant.id!r} must hold a post of entry of the network; its "
                "crossings, countries and layers have none in common. Correct the names."
            )
            raise InputError(msg)
        total[entries[within]] += constant.usd_per_t
    return total


def _any_of(values: NDArray[np.object_], patterns: tuple[str, ...]) -> BoolArray:
    """Return which values fit one of the patterns; no patterns let all in."""
    if not patterns:
        return np.ones(values.size, np.bool_)
    names = {name: any(fnmatchcase(name, p) for p in patterns) for name in set(values.tolist())}
    return np.array([names[value] for value in values.tolist()], np.bool_)
