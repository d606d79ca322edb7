"""Fast approximations of a queue over its period: fluid, pointwise stationary, modified load."""

import math
from typing import NamedTuple, TypeAlias

import numpy as np
from scipy.optimize import brentq

from corridor.core.queues._inputs import FloatArray
from corridor.core.queues._schedule import Schedule
from corridor.core.queues.tails import wait_tail
from corridor.core.queues.waits import mean_wait

_MOMENTS = 32  # of a slot, at which waits of the fluid are taken
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(8)


class SlotValues(NamedTuple):
    """What a method finds for each slot, (n_slots,)."""

    mean_queue: FloatArray
    mean_wait: FloatArray
    wait_probability: FloatArray
    utilization: FloatArray
    number_at_start: FloatArray


class _Flow(NamedTuple):
    """One slot of the fluid: the number at its end, and integrals over it."""

    end: float
    queue_area: float
    waiting_time: float


def fluid(schedule: Schedule, start: float | None = None) -> SlotValues:
    """Let vehicles flow through: x' = lambda - mu min(x, c), those above c wait.

    By Jensen's inequality x is at most the mean number in M(t)/M/c(t), and (x - c)^+ at most its
    mean queue.
    """
    slots = _slots(schedule)
    first = _repeating_level(slots, schedule) if start is None else start
    levels, flows = [first], []
    for slot in slots:
        flows.append(_flow(levels[-1], *slot))
        levels.append(flows[-1].end)
    before = np.array(levels[:-1])
    queue_area, waiting = (np.array([flow[i] for flow in flows]) for i in (1, 2))
    closed = schedule.servers == 0.0
    served = schedule.arrival_rate * schedule.length - np.diff(levels)
    capacity = schedule.servers * schedule.service_rate * schedule.length
    return SlotValues(
        mean_queue=queue_area / schedule.length,
        mean_wait=_fluid_wait(schedule, before),
        wait_probability=waiting / schedule.length,
        utilization=np.where(closed, 0.0, served / np.where(closed, 1.0, capacity)),
        number_at_start=before,
    )


_Slot: TypeAlias = tuple[float, float, float, float]


def _slots(schedule: Schedule) -> list[_Slot]:
    """Arrival rate, servers, service rate and length of each slot."""
    columns = (schedule.arrival_rate.tolist(), schedule.servers.tolist(), schedule.length.tolist())
    return [(rate, c, schedule.service_rate, t) for rate, c, t in zip(*columns, strict=True)]


def _repeating_level(slots: list[_Slot], schedule: Schedule) -> float:
    """Return the number in the system at the start of the period that comes back at its end."""
    if schedule.utilization >= 1.0:
        return np.inf

    def change(level: float) -> float:
        now = level
        for slot in slots:
            now = _flow(now, *slot).end
        return now - level

    high = 1.0
    while change(high) > 0.0:  # it falls with the level, in the end by the spare capacity
        high *= 2.0
    return float(brentq(change, 0.0, high, xtol=1e-12 * high, rtol=1e-14))


def _flow(level: float, rate: float, servers: float, service_rate: float, length: float) -> _Flow:
    """Let the fluid run for a slot; it crosses the servers at most once."""
    net = rate - servers * service_rate
    if level > servers or (level == servers and net > 0.0):
        above = length if net >= 0.0 else min(length, (level - servers) / -net)
        area = (level - servers + net * above / 2.0) * above
        now = level + net * above
        return _Flow(_relaxed(now, rate, service_rate, length - above), area, above)
    busy = rate / service_rate
    below = length
    if net > 0.0:
        below = min(length, math.log((busy - level) / (busy - servers)) / service_rate)
    above = length - below
    closed = length if servers == 0.0 else above
    end = _relaxed(level, rate, service_rate, below)
    if above > 0.0:
        end = servers + net * above
    return _Flow(end, net * above**2 / 2.0, closed)


def _relaxed(level: float, rate: float, service_rate: float, time: float) -> float:
    """Let a fluid below the servers tend to what they keep busy."""
    busy = rate / service_rate
    return busy + (level - busy) * math.exp(-service_rate * time)


def _fluid_wait(schedule: Schedule, before: FloatArray) -> FloatArray:
    """Mean wait until service begins, of arrivals in each slot: while as many stand before it."""
    n_slots = before.size
    wait = np.zeros((n_slots, _MOMENTS))
    passed = (np.arange(_MOMENTS) + 0.5) / _MOMENTS
    for slot, (rate, c, service_rate, length) in enumerate(_slots(schedule)):
        times = passed * length
        ahead = np.array(
            [_flow(float(before[slot]), rate, c, service_rate, t).end for t in times.tolist()]
        )
        left, at = length - times, slot
        waits = np.ones(_MOMENTS, dtype=bool)
        while waits.any():
            servers = float(schedule.servers[at])
            speed = servers * schedule.service_rate
            if speed > 0.0:
                needs = np.maximum(ahead - servers, 0.0) / speed
                waits &= (needs > 0.0) | (ahead > servers)
                spent = np.where(waits, np.minimum(needs, left), 0.0)
                waits &= needs > left
            else:
                spent = np.where(waits, left, 0.0)
            wait[slot] += spent
            ahead = ahead - speed * spent
            at = (at + 1) % n_slots
            left = np.full(_MOMENTS, float(schedule.length[at]))
    return np.asarray(wait.mean(axis=1))


def pointwise(schedule: Schedule, service_scv: float) -> SlotValues:
    """Take every slot as if it lasted for ever (PSA; with slots of constant rates also SIPP)."""
    load = schedule.arrival_rate / schedule.service_rate
    return _stationary(schedule, load[:, None], np.ones(1), service_scv)


def modified_load(schedule: Schedule, service_scv: float) -> SlotValues:
    """Take every moment as stationary at the load that infinitely many servers would have."""
    infinite = schedule.arrival_rate / schedule.service_rate
    decay = np.exp(-schedule.service_rate * schedule.length)
    # Periodic solution of m' = lambda - mu m: m = m0 decay + infinite (1 - decay), slot by slot.
    level, factor = 0.0, 1.0
    for slot in range(infinite.size):
        level = level * decay[slot] + infinite[slot] * (1.0 - decay[slot])
        factor *= decay[slot]
    start = np.empty(infinite.size)
    now = level / (1.0 - factor)
    for slot in range(infinite.size):
        start[slot] = now
        now = now * decay[slot] + infinite[slot] * (1.0 - decay[slot])
    passed = (_NODES + 1.0) / 2.0 * schedule.length[:, None]
    load = infinite[:, None] + (start - infinite)[:, None] * np.exp(-schedule.service_rate * passed)
    return _stationary(schedule, load, _WEIGHTS / 2.0, service_scv)


def _stationary(
    schedule: Schedule, load: FloatArray, weights: FloatArray, service_scv: float
) -> SlotValues:
    """Average the stationary queue of the offered loads (n_slots, n_moments) of each slot."""
    servers = schedule.servers[:, None]
    closed = np.broadcast_to(servers == 0.0, load.shape)
    c = np.where(servers == 0.0, 1.0, servers)
    time = 1.0 / schedule.service_rate
    rate = np.where(closed, 0.0, load * schedule.service_rate)
    wait = np.where(closed, np.inf, mean_wait(rate, time, c, 1.0, service_scv))
    late = np.where(closed, 1.0, wait_tail(0.0, rate, time, c, 1.0, service_scv))
    used = load > 0.0
    queue = np.where(used, load * schedule.service_rate * np.where(used, wait, 0.0), 0.0)
    busy = np.minimum(load, servers)
    return SlotValues(
        mean_queue=queue @ weights,
        mean_wait=wait @ weights,
        wait_probability=late @ weights,
        utilization=np.where(closed, 0.0, busy / c) @ weights,
        number_at_start=queue[:, 0] + busy[:, 0],
    )
