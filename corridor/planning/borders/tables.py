"""Crossings of a plan: what passes each way, how long it takes, and three prices of more room."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from corridor.border import MAX_UTILIZATION
from corridor.network.supernetwork import ArcKind
from corridor.planning.answer import FlowAnswer
from corridor.planning.borders.server_values import ServerQuestion, server_bounds, solved_values
from corridor.planning.model import Model
from corridor.planning.tables import teu_per_t

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int32]
BoolArray: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ways:
    """The open ways over borders: a crossing in one direction, both its posts.

    Attributes
    ----------
    crossing, layer : ndarray of int32, shape (n_ways,)
        Positions.
    a_to_b : ndarray of bool, shape (n_ways,)
        Direction.
    arc_way : ndarray of int64, shape (n_arcs,)
        Way of each arc of an open crossing, -1 elsewhere.
    """

    crossing: IntArray
    layer: IntArray
    a_to_b: BoolArray
    arc_way: NDArray[np.int64]

    @classmethod
    def of(cls, model: Model) -> "Ways":
        """Return the open ways of a model, by crossing; ``country_b`` to ``country_a`` first."""
        net = model.supernetwork
        key = 2 * net.arc_crossing.astype(np.int64) + net.arc_a_to_b
        is_open = (net.arc_crossing >= 0) & net.arc_open
        keys, first = np.unique(key[is_open], return_index=True)
        arc_way = np.full(net.n_arcs, -1, np.int64)
        arc_way[is_open] = np.searchsorted(keys, key[is_open])
        return cls(
            crossing=(keys // 2).astype(np.int32),
            layer=net.arc_layer[is_open][first],
            a_to_b=keys % 2 == 1,
            arc_way=arc_way,
        )

    @property
    def n(self) -> int:
        """Number of ways."""
        return int(self.crossing.size)

    def total(self, values: FloatArray, arcs: NDArray[np.integer]) -> FloatArray:
        """Return the sum of values over some arcs, by way; arcs of no way are left out."""
        way = self.arc_way[arcs]
        kept = way >= 0
        sums = np.bincount(way[kept], values[kept], minlength=self.n)
        return np.asarray(sums, dtype=np.float64)


def crossing_table(
    answer: FlowAnswer, *, best: bool = True, servers: ServerQuestion | None = None
) -> pd.DataFrame:
    """Return one row per open crossing and direction: what passes, how long, what more brings.

    Parameters
    ----------
    answer
        The evaluated flow.
    best
        Whether it is the optimum, whose prices bound what a next server is worth, see
        `corridor.planning.borders.server_values.server_bounds`.
    servers
        Next servers to solve for; None is none, and their values are told only where bounds agree.
    """
    model = answer.model
    net, crossings = model.supernetwork, model.network.crossings
    ways = Ways.of(model)
    tightest = tightest_pools(answer, ways)
    entry = np.flatnonzero(net.is_kind(ArcKind.ENTRY))
    every = np.arange(net.n_arcs)
    sides = (crossings[f"country_{side}"].to_numpy(object)[ways.crossing] for side in "ab")
    country_a, country_b = sides
    flow = answer.arc_t_per_day
    frame = pd.DataFrame(
        {
            "crossing_id": crossings["crossing_id"].to_numpy(object)[ways.crossing],
            "from_country": np.where(ways.a_to_b, country_a, country_b),
            "to_country": np.where(ways.a_to_b, country_b, country_a),
            "layer": np.array(net.layers, dtype=object)[ways.layer],
            "t_per_day": ways.total(flow[:, entry].sum(axis=0), entry),
            "teu_per_day": ways.total(teu_per_t(model) @ flow[:, entry], entry),
            "vehicles_per_day": ways.total(answer.all_vehicles[entry], entry),
            "background_vehicles_per_day": ways.total(model.background_vehicles, every),
            **_bottlenecks(answer, tightest),
            **_post_prices(answer, ways),
            **_post_means(answer, ways),
            **_next_servers(answer, ways, tightest, best=best, question=servers),
        }
    )
    return frame.sort_values(["crossing_id", "from_country"], ignore_index=True)


def _post_means(answer: FlowAnswer, ways: Ways) -> dict[str, FloatArray]:
    """Return fixed delay, service, wait [h] and fees of each way, both posts together.

    Means over the vehicles (fees per tonne: over the tonnes) that pass, or over all commodities
    where nothing does. Fees are those of the posts' stages, for returning empties too, and what
    rules charge there the goods that pass.
    """
    model, posts = answer.model, answer.model.posts
    goods, arcs = slice(None, -1), posts.arc
    vehicles_a_day, t_a_day = answer.arc_vehicles[:, arcs], answer.arc_t_per_day[:, arcs]
    fee_per_t = model.costs.post_fee_usd_per_t[:, arcs] + _ruled_fees(answer)[:, arcs]
    fee_per_vehicle = fee_per_t * model.costs.payload_t[:, arcs]
    columns = {
        "fixed_h": (posts.fixed_h[:, goods].T, vehicles_a_day),
        "service_h": (posts.service_h[:, goods].T, vehicles_a_day),
        "wait_h": (answer.wait_h[:, arcs], vehicles_a_day),
        "cost_usd_per_t": (fee_per_t, t_a_day),
        "cost_usd_per_vehicle": (fee_per_vehicle, vehicles_a_day),
    }
    return {
        name: ways.total((values * _shares(answer, ways, weight)).sum(axis=0), arcs)
        for name, (values, weight) in columns.items()
    }


def _ruled_fees(answer: FlowAnswer) -> FloatArray:
    """Return what rules charge on average where goods pass [USD/t], by commodity and arc."""
    paid = np.zeros(answer.arc_t_per_day.shape)
    usd = answer.model.fee_usd_per_t[answer.step_class, answer.path_arc] * answer.step_t_per_day
    np.add.at(paid, (answer.step_commodity, answer.path_arc), usd)
    mean = np.zeros(paid.shape)
    np.divide(paid, answer.arc_t_per_day, out=mean, where=answer.arc_t_per_day > 0.0)
    return mean


def _shares(answer: FlowAnswer, ways: Ways, weight: FloatArray) -> FloatArray:
    """Return the share of each commodity and post in its side of its way: 1 in total.

    Parameters
    ----------
    weight : ndarray of float64, shape (n_commodities, n_posts)
        What passes; where nothing does, every commodity counts the same.
    """
    net, arcs = answer.model.supernetwork, answer.model.posts.arc
    side = 2 * ways.arc_way[arcs] + (net.arc_kind[arcs] == ArcKind.EXIT)
    side[ways.arc_way[arcs] < 0] = 2 * ways.n
    passing = np.bincount(side, weight.sum(axis=0), minlength=2 * ways.n + 1)
    counted = np.where(passing[side] > 0.0, weight, ~answer.model.supernetwork.is_copy[arcs])
    total = np.bincount(side, counted.sum(axis=0), minlength=2 * ways.n + 1)
    shares: FloatArray = counted / total[side]
    return shares


def tightest_pools(answer: FlowAnswer, ways: Ways) -> IntArray:
    """Return the most utilized pool of each way, shape (n_ways,)."""
    posts = answer.model.posts
    way = ways.arc_way[posts.arc[posts.member_post]]
    order = np.argsort(_utilization(answer)[posts.member_pool], kind="stable")
    order = order[way[order] >= 0]
    tightest = np.zeros(ways.n, np.int32)  # an open post has stages, hence a pool
    tightest[way[order]] = posts.member_pool[order]
    return tightest


def _utilization(answer: FlowAnswer) -> FloatArray:
    """Return the utilization of the bottleneck of each post's pool, shape (n_pools,)."""
    posts = answer.model.posts
    load = answer.pool_load[: posts.n_pools] + posts.pool_base
    used: FloatArray = load / posts.pool_capacity * MAX_UTILIZATION
    return used


def _bottlenecks(answer: FlowAnswer, tightest: IntArray) -> dict[str, NDArray[np.generic]]:
    """Return utilization and bottleneck of each way: its most utilized pool's."""
    model, posts, net = answer.model, answer.model.posts, answer.model.supernetwork
    stage = model.filled.stages["stage"].to_numpy(object)[posts.stage_row[posts.pool_bottleneck]]
    country = np.array(net.countries, dtype=object)[posts.pool_country]
    return {
        "utilization": _utilization(answer)[tightest],
        "bottleneck_stage": stage[tightest],
        "bottleneck_country": country[tightest],
    }


def _next_servers(
    answer: FlowAnswer,
    ways: Ways,
    tightest: IntArray,
    *,
    best: bool,
    question: ServerQuestion | None,
) -> dict[str, FloatArray]:
    """Return what the next server of each way is worth: at its most utilized pool."""
    bounds = server_bounds(answer, tightest, best=best)
    value = bounds.value
    if question is not None:
        ids = answer.model.network.crossings["crossing_id"].to_numpy(object)[ways.crossing]
        asked = np.isnan(value)
        if question.crossings is not None:
            asked &= np.isin(ids, list(question.crossings))
        pools, place = np.unique(tightest[asked], return_inverse=True)
        value[asked] = solved_values(answer.model, pools, question)[place]
    return {
        "next_server_usd_per_year": value,
        "next_server_at_flow_usd_per_year": bounds.at_flow,
        "next_server_most_usd_per_year": bounds.most,
    }


def _post_prices(answer: FlowAnswer, ways: Ways) -> dict[str, FloatArray]:
    """Return marginal delay and price of capacity of each way [USD per mean loaded vehicle]."""
    posts = answer.model.posts
    pool, post = posts.member_pool, posts.member_post
    shares = _shares(answer, ways, answer.arc_vehicles[:, posts.arc])
    # The part of a way's vehicles that a pool sees at a post.
    seen = (shares[:, post] * posts.pool_users[pool][:, :-1].T).sum(axis=0)
    prices = {
        "marginal_delay_usd_per_vehicle": answer.pool_slope,
        "capacity_price_usd_per_vehicle": answer.pool_price,
    }
    return {name: ways.total(price[pool] * seen, posts.arc[post]) for name, price in prices.items()}
