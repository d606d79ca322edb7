"""What the next server is worth: certain bounds at a flow, and the model with one server more.

A server more at a pool's tightest stage does three things: the queue there gets shorter for all,
background included; the pool passes more, up to its next stage; and others choose the crossing
because of both. What it saves is the difference of two optima, or of two equilibria; two numbers
can be had without solving again.

*At the flow*, with nobody going another way, it saves the delay that all vehicles lose less. The
best flow with one server more saves at least that.

*At most*, it saves what duality allows. With the prices of the optimum, p for a unit of the pool's
load, the optimum with another delay curve and capacity is at least Lagrange's bound, in which only
the pool's own term has changed::

    saved <= D(v) - p v - min { D'(w) - p' w : 0 <= w <= capacity' }

v is the load, D and D' the delay without and with the server. The spread of times, which shippers
pay for (reliability), gets less too, by d USD a tonne at most: as if it were paid out at the pool,
p' = p + max d / (vehicles a tonne).

The value itself takes another solution with the server there, see `solved_values`.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from corridor.core.flows import Pools, SumDelay
from corridor.core.queues import QueueDelay
from corridor.planning.answer import FlowAnswer
from corridor.planning.costs import with_post_waits
from corridor.planning.model import Model
from corridor.units import DAYS_PER_YEAR

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int32]

PRECISION: Final = 1e-8
"""Relative gap of the solutions whose difference is the value of a server."""
_BISECTIONS: Final = 60
_AGREE: Final = 0.01
"""Bounds that differ by this part of the higher one say the value."""
_LITTLE_USD_PER_YEAR: Final = 1000.0
"""Bounds that differ by no more say the value too."""


class ServerBounds(NamedTuple):
    """What the next server of some pools is worth [USD/year], shape (n,) each.

    Attributes
    ----------
    at_flow
        Delay that it saves all vehicles at this flow, nobody going another way.
    most
        What it saves at most, of an optimum; NaN of any other flow.
    """

    at_flow: FloatArray
    most: FloatArray

    @property
    def value(self) -> FloatArray:
        """The value where the bounds agree, NaN where it takes another solution to know."""
        gap = self.most - self.at_flow
        agree = gap <= np.maximum(_AGREE * self.most, _LITTLE_USD_PER_YEAR)
        return np.where(agree, self.at_flow, np.nan)


def restaffed(model: Model, pools: IntArray) -> Model:
    """Return the model with one more server at the tightest stage of some posts' pools.

    Parameters
    ----------
    model
        A compiled model.
    pools : ndarray of int32, shape (n,)
        Positions of the pools, each once.
    """
    posts = model.posts
    servers = posts.stage_servers.copy()
    servers[posts.pool_bottleneck[pools]] += 1
    capacity = posts.pool_capacity.copy()
    capacity[pools] = posts.capacity(servers)[pools]
    posts = replace(posts, stage_servers=servers, pool_capacity=capacity)
    queues = replace(model.pools.queues, servers=servers)
    table = model.pools.table.copy()
    table.loc[pools, "capacity"] = capacity[pools]
    room = np.asarray(model.pools.pools.capacity, dtype=np.float64).copy()
    room[pools] = np.maximum(capacity - posts.pool_base, 0.0)[pools]
    waits = posts.wait_h(queues.wait_h(np.zeros(queues.n_pools)))
    return replace(
        model,
        posts=posts,
        costs=with_post_waits(model.costs, model.filled, model.supernetwork, posts, waits),
        pools=replace(
            model.pools, pools=Pools(model.pools.pools.matrix, room), queues=queues,
            delay=SumDelay((queues, model.pools.overruns)), table=table,
        ),
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ServerQuestion:
    """Which next servers to solve for, and how.

    Attributes
    ----------
    crossings
        Ids of crossings; None is all.
    cost_usd_per_day
        What a model costs a day, solved to `PRECISION`; NaN where it has no answer.
    """

    crossings: frozenset[str] | None
    cost_usd_per_day: Callable[[Model], float]


def solved_values(model: Model, pools: IntArray, question: ServerQuestion) -> FloatArray:
    """Return what one more server at each of some pools saves a year [USD/year], shape (n,).

    The difference of two solutions, and what the server saves the background besides: of optima it
    is never below 0; of equilibria it may be, where those who choose again crowd another way.

    Parameters
    ----------
    model
        The model without the servers.
    pools : ndarray of int32, shape (n,)
        Pools of posts, each once.
    question
        How a model is solved.
    """
    saved = np.zeros(pools.size)
    before = question.cost_usd_per_day(model) if pools.size else 0.0
    for place in range(pools.size):
        staffed = restaffed(model, pools[place : place + 1])
        others = background_saving(model, staffed)[pools[place]]
        saved[place] = before - question.cost_usd_per_day(staffed) + others
    return saved * DAYS_PER_YEAR


def background_saving(model: Model, staffed: Model) -> FloatArray:
    """Return the delay that more servers save the background alone, shape (n_pools,) [USD/day]."""
    base = np.zeros(len(model.pools.table))
    base[: model.posts.n_pools] = model.posts.pool_base
    return _total_delay(model, base) - _total_delay(staffed, base)


def _total_delay(model: Model, vehicles: FloatArray) -> FloatArray:
    """Return the delay of all vehicles at each pool [USD/day].

    Parameters
    ----------
    model
        The model.
    vehicles : ndarray of float64, shape (n_pools,)
        Load of each pool, background included.
    """
    queues = model.pools.queues
    return replace(queues, base_load=np.zeros_like(queues.base_load)).value(vehicles)


def server_bounds(answer: FlowAnswer, pools: IntArray, *, best: bool) -> ServerBounds:
    """Return bounds of what one more server at each of some pools is worth, one at a time.

    Parameters
    ----------
    answer
        The evaluated flow.
    pools : ndarray of int32, shape (n,)
        Pools of posts; one may come again.
    best
        Whether the flow is an optimum: only its prices bound what is saved from above.
    """
    chosen, place = np.unique(pools, return_inverse=True)
    model = answer.model
    staffed = restaffed(model, chosen.astype(np.int32))
    load = np.maximum(answer.pool_load, 0.0)
    everybody = load.copy()
    everybody[: model.posts.n_pools] += model.posts.pool_base
    if answer.congestion:
        at_flow = _total_delay(model, everybody) - _total_delay(staffed, everybody)
    else:
        at_flow = background_saving(model, staffed) + _shorter_fixed_waits(answer, staffed)
    if not best:
        # A full post's queue beyond the model's goes where the pool then has room.
        room = staffed.pools.pools.capacity > load
        at_flow = at_flow + np.where(room, answer.pool_price * load, 0.0)
        at_flow = np.maximum(at_flow, 0.0)[chosen] * DAYS_PER_YEAR
        return ServerBounds(at_flow[place], np.full(pools.size, np.nan))
    saved = _most_saved(answer, staffed, chosen) + background_saving(model, staffed)[chosen]
    at_flow = np.maximum(at_flow, 0.0)[chosen]
    most = np.maximum(saved, at_flow)
    return ServerBounds(at_flow[place] * DAYS_PER_YEAR, most[place] * DAYS_PER_YEAR)


def _most_saved(answer: FlowAnswer, staffed: Model, pools: IntArray) -> FloatArray:
    """Return what a server at each of some pools saves shippers at most [USD/day], shape (n,)."""
    model = answer.model
    load = np.maximum(answer.pool_load, 0.0)
    price = answer.pool_load_price
    before = -(price * load)
    if answer.congestion:
        before = before + model.pools.queues.value(load)
    higher = (price + _paid_out(answer, staffed))[pools]
    capacity = np.asarray(staffed.pools.pools.capacity)[pools]
    if answer.congestion:
        least = _least_net(staffed.pools.queues.take(pools), higher, capacity)
    else:
        least = np.where(higher > 0.0, -higher * np.where(higher > 0.0, capacity, 0.0), 0.0)
    saved: FloatArray = before[pools] - least
    return saved


def _least_net(queues: QueueDelay, price: FloatArray, capacity: FloatArray) -> FloatArray:
    """Return ``min { D(w) - price w : 0 <= w <= capacity }`` of each pool, shape (n_pools,).

    By bisection of the slope. A pool without a capacity has no stage that takes time, hence no
    delay: there it is 0, or without end.
    """
    bounded = np.isfinite(capacity)
    low, high = np.zeros(price.size), np.where(bounded, capacity, 0.0)
    for _ in range(_BISECTIONS):
        middle = 0.5 * (low + high)
        falls = queues.slope(middle) < price
        low, high = np.where(falls, middle, low), np.where(falls, high, middle)
    net = queues.value(high) - price * high
    return np.where(bounded, net, np.where(price > 0.0, -np.inf, 0.0))


def _paid_out(answer: FlowAnswer, staffed: Model) -> FloatArray:
    """Return the most that a vehicle at each pool saves by shorter fixed waits [USD/vehicle]."""
    model, posts = answer.model, answer.model.posts
    cheaper = _cheaper_usd_per_t(answer, staffed)
    per_vehicle = cheaper * model.costs.payload_t[:, posts.arc[posts.member_post]]
    most = np.zeros(len(model.pools.table))
    np.maximum.at(most, posts.member_pool, per_vehicle.max(axis=0, initial=0.0))
    return most


def _shorter_fixed_waits(answer: FlowAnswer, staffed: Model) -> FloatArray:
    """Return what shippers save at this flow by shorter fixed waits, shape (n_pools,) [USD/day]."""
    posts = answer.model.posts
    arcs = posts.arc[posts.member_post]
    usd = (_cheaper_usd_per_t(answer, staffed) * answer.arc_t_per_day[:, arcs]).sum(axis=0)
    n_pools = len(answer.model.pools.table)
    return np.asarray(np.bincount(posts.member_pool, usd, minlength=n_pools))


def _cheaper_usd_per_t(answer: FlowAnswer, staffed: Model) -> FloatArray:
    """Return what a tonne saves by each pool's server alone, shape (n_commodities, n_members).

    The queue at background load makes the spread of times, and without congestion all there is of
    waiting.
    """
    model, posts = answer.model, answer.model.posts
    nobody = np.zeros(len(model.pools.table))
    shorter = model.pools.queues.wait_h(nobody) - staffed.pools.queues.wait_h(nobody)
    by_pool = np.bincount(
        posts.stage_pool, weights=posts.stage_share * shorter, minlength=posts.n_pools
    )
    pool, post = posts.member_pool, posts.member_post
    arcs = posts.arc[post]
    costs = model.costs
    wait = costs.wait_h[:, arcs]
    less = by_pool[pool] * posts.pool_users[pool][:, :-1].T
    # sd^2 = (what does not queue)^2 + wait^2, see `with_post_waits`.
    sd = costs.sd_h[:, arcs]
    still = np.maximum(sd**2 - wait**2, 0.0)
    spread = sd - np.sqrt(still + np.maximum(wait - less, 0.0) ** 2)
    usd = costs.reliability_usd_per_t_h * spread
    if not answer.congestion:
        usd = usd + costs.usd_per_t_h[:, arcs] * less
    return np.asarray(usd)
