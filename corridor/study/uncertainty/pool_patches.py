"""Shared capacities of a model whose numbers change: the same pools over the same arcs.

A pool of a post counts loaded vehicles (1 / payload a tonne) and the empties that go back (the
share that returns, by payload); a link, service or terminal counts tonnes; a quota what its rule
counts. The parts of each coefficient are found by assembling the pools with payloads of 1 t and
return shares of 1 and 2.
"""

from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from corridor.border import Posts
from corridor.core.flows import HingeDelay, Pools, SumDelay
from corridor.core.queues import QueueDelay
from corridor.network.fills import FilledTables
from corridor.network.vehicles import payload_t
from corridor.planning import Model
from corridor.planning.pools import LINK, POST, QUOTA, SERVICE, TERMINAL, PoolSet, assemble_pools
from corridor.planning.services import LinkServices
from corridor.sovereignty import Effects

FloatArray: TypeAlias = NDArray[np.float64]
LongArray: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PoolPatch:
    """The pools of a model at other numbers.

    Attributes
    ----------
    nominal
        Pools of the model, quotas last.
    matrix
        Where coefficients stand; its data are not used.
    loaded, empty, tonnes : ndarray of float64, shape (n_entries,)
        Of all pools but quotas: loaded vehicles, returning empties and tonnes that a vehicle's
        load stands for.
    load : ndarray of int64, shape (n_entries,)
        Position of each entry's load of a vehicle in the table by commodity and layer.
    kind : ndarray of object (str), shape (n_pools,)
        Kind of each pool.
    member_pool, member_arc : ndarray of int64
        Arcs (no copies) that the capacity and background of each link, service and terminal come
        from.
    """

    nominal: PoolSet
    matrix: sparse.csr_matrix
    loaded: FloatArray
    empty: FloatArray
    tonnes: FloatArray
    load: LongArray
    kind: NDArray[np.object_]
    member_pool: LongArray
    member_arc: LongArray

    @classmethod
    def of(cls, model: Model, services: LinkServices) -> "PoolPatch":
        """Return the patch of a model."""
        n_plain = int((model.pools.table["kind"] != QUOTA).sum())

        def matrix(returns: float, load: float) -> sparse.csr_matrix:
            goods = model.filled.commodities.assign(empty_return_share=returns)
            found = assemble_pools(
                model.network, replace(model.filled, commodities=goods), model.supernetwork,
                model.posts, services, model.effects, queues=model.pools.queues,
                classes=model.classes, payload_t=np.full(model.costs.payload_t.shape, load),
                vehicles=model.background_vehicles,
            )  # fmt: skip
            return sparse.csr_matrix(found.pools.matrix[:n_plain]).sorted_indices()

        one, two, half = matrix(1.0, 1.0), matrix(2.0, 1.0), matrix(1.0, 0.5)
        vehicles = half.data - one.data
        empty = two.data - one.data
        quotas = [sparse.csr_matrix(quota.per_t.reshape((1, -1))) for quota in model.effects.quotas]
        classes, arc = np.divmod(one.indices.astype(np.int64), model.supernetwork.n_arcs)
        kind = model.pools.table["kind"].to_numpy(object)
        pool = np.repeat(np.arange(n_plain), np.diff(one.indptr))
        counted = (kind[pool] != POST) & ~model.supernetwork.is_copy[arc]
        members = np.unique(np.column_stack((pool[counted], arc[counted])), axis=0)
        return cls(
            nominal=model.pools,
            matrix=sparse.csr_matrix(sparse.vstack([one, *quotas], format="csr")),
            loaded=vehicles - empty,
            empty=empty,
            tonnes=one.data - vehicles,
            load=model.classes.commodity.astype(np.int64)[classes] * len(model.filled.layers)
            + model.supernetwork.arc_layer[arc],
            kind=kind,
            member_pool=members[:, 0],
            member_arc=members[:, 1],
        )

    def pools(
        self,
        model: Model,
        filled: FilledTables,
        posts: Posts,
        services: LinkServices,
        effects: Effects,
        *,
        queues: QueueDelay,
        vehicles: FloatArray,
    ) -> PoolSet:
        """Return the pools of a sample; see `corridor.planning.pools.assemble_pools`."""
        # By commodity and layer: a small table, which entries look up faster than they divide.
        per_t = 1.0 / payload_t(filled.layers, filled.commodities).T
        returns = filled.commodities["empty_return_share"].to_numpy(float)[:, None] * per_t
        data = self.tonnes + self.loaded * per_t.ravel()[self.load]
        data += self.empty * returns.ravel()[self.load]
        # A quota's row is its count, class by class: its entries stand in the same order.
        counts = [quota.per_t.data for quota in effects.quotas]
        matrix = sparse.csr_matrix(
            (np.concatenate([data, *counts]), self.matrix.indices, self.matrix.indptr),
            shape=self.matrix.shape,
        )
        capacity, base = self._sizes(model, filled, posts, services, vehicles)
        left = np.maximum(capacity - base, 0.0)
        overruns: HingeDelay = self.nominal.overruns
        left[overruns.price > 0.0] = np.inf
        return PoolSet(
            pools=Pools(matrix, left),
            queues=queues,
            delay=SumDelay((queues, overruns)),
            overruns=overruns,
            table=self.nominal.table.assign(capacity=capacity, base=base),
        )

    def _sizes(
        self,
        model: Model,
        filled: FilledTables,
        posts: Posts,
        services: LinkServices,
        vehicles: FloatArray,
    ) -> tuple[FloatArray, FloatArray]:
        """Return capacity and background of every pool."""
        net, kind = model.supernetwork, self.kind
        capacity = self.nominal.table["capacity"].to_numpy(np.float64, copy=True)
        base = self.nominal.table["base"].to_numpy(np.float64, copy=True)
        capacity[kind == POST], base[kind == POST] = posts.pool_capacity, posts.pool_base
        of = kind[self.member_pool]
        size = np.full(of.size, np.inf)
        for name, by_arc in (
            (LINK, filled.links["capacity_t_per_day"].to_numpy(float)[net.arc_link]),
            (SERVICE, services.arc_capacity_t_per_day),
            (TERMINAL, _of_terminals(filled)[net.arc_terminal]),
        ):
            size[of == name] = by_arc[self.member_arc[of == name]]
        counted = np.isin(kind, (LINK, SERVICE, TERMINAL))
        capacity[counted] = np.inf
        np.minimum.at(capacity, self.member_pool, size)
        load_t = filled.layers["t_per_vehicle"].to_numpy(float)[net.arc_layer]
        links = of == LINK
        base[kind == LINK] = 0.0
        at = self.member_arc[links]
        np.add.at(base, self.member_pool[links], vehicles[at] * load_t[at])
        return capacity, base


def _of_terminals(filled: FilledTables) -> FloatArray:
    """Return capacities of terminals, one more for arcs of none."""
    return np.append(filled.terminals["capacity_t_per_day"].to_numpy(float), np.nan)
