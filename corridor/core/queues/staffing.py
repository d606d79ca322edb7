"""Servers shared out over queues: the least value of waiting that a budget buys."""

import heapq
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from corridor.core.queues._inputs import (
    FloatArray,
    IntArray,
    broadcast,
    describe_faults,
    finite_array,
    whole_array,
)
from corridor.core.queues.waits import mean_wait
from corridor.errors import InputError

Method: TypeAlias = Literal["greedy", "exact"]

_NO_WAIT: Final = 1e-12
"""A wait below this share of the service time is none: more servers there buy nothing."""
_ROOM: Final = 1e-9
"""Share of the budget by which rounding may overrun it."""
_MOST_STATES: Final = 5_000_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ServerAllocation:
    """Servers of each queue.

    Attributes
    ----------
    servers
        int64 (n_queues,): servers of each queue.
    delay_value
        float64 (n_queues,): value of waiting per unit of time, ``value * arrival_rate * wait``.
    spent
        Cost of all servers, at most the budget.
    method
        ``greedy`` where that is optimal, else ``exact`` enumeration with bounds. Both are optimal.
    """

    servers: IntArray
    delay_value: FloatArray
    spent: float
    method: Method

    @property
    def total_delay_value(self) -> float:
        """Value of waiting in all queues per unit of time."""
        return float(self.delay_value.sum())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Choices:
    """What each queue may choose from: ``least + position`` servers at a value of waiting."""

    least: IntArray
    value: list[FloatArray]
    cost: FloatArray
    budget: float

    @property
    def room(self) -> float:
        """What is left of the budget when every queue has its least."""
        return self.budget * (1.0 + _ROOM) - float(self.cost @ self.least)

    def allocation(self, extra: IntArray, method: Method) -> ServerAllocation:
        """Return the allocation with so many servers over the least."""
        value = np.array([values[i] for values, i in zip(self.value, extra, strict=True)])
        servers = self.least + extra
        spent = float(self.cost @ servers)
        return ServerAllocation(servers=servers, delay_value=value, spent=spent, method=method)


def allocate_servers(
    budget: float,
    arrival_rate: ArrayLike,
    service_time: ArrayLike,
    arrival_scv: ArrayLike = 1.0,
    service_scv: ArrayLike = 1.0,
    *,
    value: ArrayLike = 1.0,
    cost: ArrayLike = 1.0,
    least: ArrayLike = 1,
    most: ArrayLike | None = None,
) -> ServerAllocation:
    r"""Share servers out over queues so that the total value of waiting is least.

    Formula: minimize ``sum(value * arrival_rate * mean_wait(c))`` over whole servers c with
    ``least <= c <= most`` and ``cost @ c <= budget``. Every queue must be stable.

    The wait is convex in the servers (Weber 1980; checked on the numbers), so that with one cost
    for all servers the best use of each further server is optimal to the end. With different costs
    it is not; then combinations are enumerated, those that cannot beat the best one known left out
    by Lagrange's bound.

    Parameters
    ----------
    budget
        What all servers may cost together, in the unit of `cost`, >= 0.
    arrival_rate, service_time, arrival_scv, service_scv
        (n_queues,): as in `mean_wait`; broadcast.
    value
        Value of an hour (of the unit of time) that one arrival waits, >= 0.
    cost
        Cost of a server, > 0.
    least, most
        Fewest servers, >= 1, and most; None for no upper limit.

    Returns
    -------
    ServerAllocation
        An optimum; among equals the one with the lowest positions first.

    Raises
    ------
    InputError
        If a value is out of its range, or the budget or `most` cannot keep every queue stable: the
        message says how much it takes.

    References
    ----------
    R. R. Weber, "On the marginal benefit of adding servers to G/GI/m queues", Management Science
    26 (1980) 946-951; G. L. Nemhauser and Z. Ullmann, "Discrete dynamic programming and capital
    allocation", Management Science 15 (1969) 494-505.

    Examples
    --------
    Ten servers for a busy and a quiet post:

    >>> allocate_servers(10, [5.0, 1.0], [1.0, 1.0]).servers
    array([8, 2])
    """
    choices = _choices(
        budget, arrival_rate, service_time, arrival_scv, service_scv, value, cost, least, most
    )
    convex = all(_is_convex(values) for values in choices.value)
    if convex and (choices.cost == choices.cost[:1]).all():
        return choices.allocation(_greedy(choices), "greedy")
    return choices.allocation(_enumerate(choices), "exact")


def _choices(
    budget: float,
    arrival_rate: ArrayLike,
    service_time: ArrayLike,
    arrival_scv: ArrayLike,
    service_scv: ArrayLike,
    value: ArrayLike,
    cost: ArrayLike,
    least: ArrayLike,
    most: ArrayLike | None,
) -> _Choices:
    names = ("arrival_rate", "service_time", "arrival_scv", "service_scv", "value", "cost", "least")
    given = (arrival_rate, service_time, arrival_scv, service_scv, value, cost)
    arrays = [
        finite_array(name, array, positive=name == "cost")
        for name, array in zip(names, given, strict=False)
    ]
    arrays.append(whole_array("least", least, least=1).astype(np.float64))
    top = np.inf if most is None else whole_array("most", most, least=1)
    *queue, worth, price, fewest, limit = (
        np.atleast_1d(a) for a in broadcast((*names, "most"), [*arrays, np.asarray(top, float)])
    )
    rate, service, _, _ = queue
    total = float(finite_array("budget", budget))
    low = np.maximum(fewest, np.floor(rate * service) + 1.0)
    if (low > limit).any():
        faults = describe_faults(limit, low > limit)
        msg = f"most must leave every queue at least {low.max():g} servers to be stable; {faults}"
        raise InputError(msg)
    needed = float(price @ low)
    if needed > total * (1.0 + _ROOM):
        msg = (
            f"budget must pay for the fewest servers that keep every queue stable; found {total:g},"
            f" which is {needed - total:g} short of {needed:g}. Raise it, or serve less."
        )
        raise InputError(msg)
    high = np.minimum(limit, low + np.floor((total * (1.0 + _ROOM) - needed) / price))
    values = [
        _values([float(part[i]) for part in queue], float(worth[i]), int(low[i]), int(high[i]))
        for i in range(rate.size)
    ]
    return _Choices(least=low.astype(np.int64), value=values, cost=price, budget=total)


def _values(queue: list[float], worth: float, low: int, high: int) -> FloatArray:
    """Return the value of waiting with low, low + 1, ... servers, up to where nobody waits."""
    rate, service, arrival_scv, service_scv = queue
    found: list[FloatArray] = []
    step = 64
    for first in range(low, high + 1, step):
        servers = np.arange(first, min(first + step, high + 1))
        wait = mean_wait(rate, service, servers, arrival_scv, service_scv)
        found.append(worth * rate * wait)
        if wait[-1] <= _NO_WAIT * service or worth == 0.0:
            break
    values = np.concatenate(found)
    # Rounding must not make a queue wait longer with more servers.
    return np.asarray(np.minimum.accumulate(values))


def _is_convex(values: FloatArray) -> bool:
    """Whether each further server buys no more than the one before, up to rounding."""
    gains = -np.diff(values)
    return bool((np.diff(gains) <= 1e-12 * max(float(values[0]), 0.0)).all())


def _greedy(choices: _Choices) -> IntArray:
    """Give each further server to the queue where it buys most."""
    extra = np.zeros(choices.least.size, dtype=np.int64)
    gains = [-np.diff(values) for values in choices.value]
    heap = [(-gain[0], i) for i, gain in enumerate(gains) if gain.size]
    heapq.heapify(heap)
    left = int(np.floor(choices.room / choices.cost[0])) if extra.size else 0
    while heap and left > 0:
        gain, i = heapq.heappop(heap)
        if gain >= 0.0:
            break
        extra[i] += 1
        left -= 1
        if extra[i] < gains[i].size:
            heapq.heappush(heap, (-gains[i][extra[i]], i))
    return extra


def _enumerate(choices: _Choices) -> IntArray:
    """Enumerate combinations, queue by queue, less those that Lagrange's bound rules out.

    A state is what the queues so far cost and are worth; of two states one that costs more and is
    worth no less waiting is dropped.
    """
    price, incumbent = _multiplier(choices)
    best = sum(float(values[i]) for values, i in zip(choices.value, incumbent, strict=True))
    penalty, floor = [], 0.0
    for values, cost in zip(choices.value, choices.cost, strict=True):
        lagrangian = values + price * cost * np.arange(values.size)
        penalty.append(lagrangian - lagrangian.min())
        floor += float(lagrangian.min())
    # A choice whose penalty alone lifts the bound over the best known is in no better solution.
    slack = best - (floor - price * choices.room) + 1e-12 * abs(best)
    spent, worth, excess = np.zeros(1), np.zeros(1), np.zeros(1)
    history = []
    for values, cost, extra_cost in zip(choices.value, choices.cost, penalty, strict=True):
        keep = np.flatnonzero(extra_cost <= slack)
        if spent.size * keep.size > _MOST_STATES:
            msg = (
                f"The enumeration must stay below {_MOST_STATES:,} states; these costs need more. "
                "Round the costs to a common unit, or share a budget over fewer queues."
            )
            raise InputError(msg)
        parent = np.repeat(np.arange(spent.size), keep.size)
        choice = np.tile(keep, spent.size)
        spent = spent[parent] + cost * choice
        worth = worth[parent] + values[choice]
        excess = excess[parent] + extra_cost[choice]
        good = (spent <= choices.room) & (excess <= slack)
        order = np.flatnonzero(good)
        order = order[np.lexsort((worth[order], spent[order]))]
        least = np.minimum.accumulate(worth[order])
        front = np.r_[True, worth[order][1:] < least[:-1]] if order.size else order.astype(bool)
        order = order[front]
        history.append((parent[order], choice[order]))
        spent, worth, excess = spent[order], worth[order], excess[order]
    if not worth.size or float(worth.min()) >= best:
        return incumbent
    state = int(worth.argmin())
    extra = np.empty(choices.least.size, dtype=np.int64)
    for i in range(extra.size - 1, -1, -1):
        parents, taken = history[i]
        extra[i] = taken[state]
        state = int(parents[state])
    return extra


def _multiplier(choices: _Choices) -> tuple[float, IntArray]:
    """Return the price of the budget at which Lagrange's bound is best, and a good allocation."""

    def chosen(price: float) -> IntArray:
        return np.array(
            [
                int(np.argmin(values + price * cost * np.arange(values.size)))
                for values, cost in zip(choices.value, choices.cost, strict=True)
            ],
            dtype=np.int64,
        )

    low, high = 0.0, 1.0
    while choices.cost @ chosen(high) > choices.room:
        low, high = high, 4.0 * high
    for _ in range(100):
        middle = 0.5 * (low + high)
        if choices.cost @ chosen(middle) > choices.room:
            low = middle
        else:
            high = middle
    extra = chosen(high)
    left = choices.room - float(choices.cost @ extra)
    while True:  # spend what is left where it buys most
        gains = np.array(
            [
                values[i] - values[i + 1] if i + 1 < values.size and cost <= left else 0.0
                for values, i, cost in zip(choices.value, extra, choices.cost, strict=True)
            ]
        )
        if not gains.size or gains.max() <= 0.0:
            return high, extra
        i = int(gains.argmax())
        extra[i] += 1
        left -= float(choices.cost[i])
