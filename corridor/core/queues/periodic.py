"""Queues whose arrivals and servers change over the day or the week."""

from dataclasses import dataclass, replace
from typing import Literal, NamedTuple, TypeAlias, get_args

import numpy as np
from numpy.typing import ArrayLike

from corridor.core.queues import _fast_profiles
from corridor.core.queues._dispatch import Engine
from corridor.core.queues._fast_profiles import SlotValues
from corridor.core.queues._inputs import FloatArray, finite_array, whole_array
from corridor.core.queues._periodic_chain import PeriodicChain
from corridor.core.queues._schedule import Schedule
from corridor.core.queues.waits import mean_wait
from corridor.errors import InputError

Method: TypeAlias = Literal["auto", "exact", "fluid", "psa", "mol"]
Found: TypeAlias = Literal["exact", "scaled", "fluid", "psa", "mol"]

_STEP = 1.25  # by which a chain grows that cuts off too much
_HOPELESS = 10.0  # times the tolerance, at the first look
_LEAST_POWER = 0.6
_HIGHEST_LOAD = 0.98  # of a slot, at which general and exponential service are compared


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class QueueProfile:
    """A queue over its period, slot by slot.

    Attributes
    ----------
    mean_queue : ndarray of float64, (n_slots,)
        Mean number of vehicles that wait, over the slot.
    mean_wait : ndarray of float64, (n_slots,)
        Mean time that a vehicle arriving in the slot waits in all, up to the end of its service;
        where nobody arrives, what one vehicle would wait. Closed hours count.
    wait_probability : ndarray of float64, (n_slots,)
        Share of these arrivals that find no free server.
    utilization : ndarray of float64, (n_slots,)
        Mean share of the servers that are busy; 0 where there are none.
    number_at_start : ndarray of float64, (n_slots,)
        Mean number in the system, waiting or served, when the slot begins.
    average_queue, average_wait
        Means over time and over arrivals.
    load
        Arrivals over all that the servers can do in a period; 1 or more is overload for ever.
    method
        What was computed: ``"exact"``, ``"scaled"`` (exact for exponential service, then scaled),
        ``"fluid"``, ``"psa"`` or ``"mol"``.
    n_states
        States of the chain; 0 where there was none.
    truncation
        Estimate of the vehicles by which cutting off the states shortens the queue.
    """

    mean_queue: FloatArray
    mean_wait: FloatArray
    wait_probability: FloatArray
    utilization: FloatArray
    number_at_start: FloatArray
    average_queue: float
    average_wait: float
    load: float
    method: Found
    n_states: int = 0
    truncation: float = 0.0


def periodic_queue(
    arrival_rate: ArrayLike,
    service_time: float,
    servers: ArrayLike,
    slot_length: ArrayLike = 1.0,
    *,
    service_scv: float = 1.0,
    start: int | None = None,
    method: Method = "auto",
    max_states: int = 5000,
    tolerance: float = 1e-12,
    engine: Engine = "auto",
) -> QueueProfile:
    r"""Return the queue of a post with arrivals and servers that repeat every day or week.

    M(t)/M/c(t), first come, first served: arrival rates and servers are constant within slots; a
    slot may be overloaded, or closed (no servers). Vehicles that are served when their server
    leaves wait with the longest presence first and go on where they stopped. Time is in any unit.

    ``"exact"`` carries the probabilities of all numbers in the system through the slots by
    uniformization, finds those that repeat after a period (Krylov), and averages over the slot,
    with the waits that the servers of later slots bring. Errors are `tolerance` and rounding. The
    work grows as states x events of a period: milliseconds for tens of servers, half a minute for
    4,000.

    Services that are not exponential: ``"scaled"`` multiplies what the exact queue and wait have
    above the fluid (which does not depend on variation) with r^(0.6 + 0.4 x): r is the ratio of
    `mean_wait` to that of exponential service at the slot's mean load, x the share of the queue
    that constant rates would make. With constant rates that is `mean_wait`; the power, found by
    comparison with simulations, allows for variation that has no time to build up. Seven simulated
    posts (1 to 20 servers, swings of 30 to 100 %) had mean waits within 15 % of that for
    service_scv 0 to 2, and within 35 % for 4.

    The fast methods are labelled, and differ much where rates change during a service:

    * ``"fluid"``: what comes above capacity waits; below capacity nobody does. A lower bound of the
      queue for any service, near the truth only in strong overload;
    * ``"psa"``: every slot as if it lasted for ever (pointwise stationary approximation, or SIPP);
      inf in overloaded slots; right for services much shorter than slots;
    * ``"mol"``: `mean_wait` at the modified offered load, the mean of a post with infinitely many
      servers; inf where that is overloaded; good for long services and rare waits.

    ``"auto"`` is exact up to `max_states`, else the modified load where that is finite, else fluid;
    the result's ``method`` says which.

    Parameters
    ----------
    arrival_rate
        (n_slots,): Poisson arrivals per unit of time in each slot, >= 0.
    service_time
        Mean service time, > 0.
    servers
        (n_slots,) or one: whole number of servers in each slot, >= 0, not 0 in all.
    slot_length
        (n_slots,) or one: length of the slots, > 0. Their sum is the period.
    service_scv
        Squared coefficient of variation of the service times, >= 0.
    start
        None for the state that repeats. A whole number of vehicles at the start gives the one
        period that follows instead, also where the arrivals exceed all that the servers can do
        (``"exact"`` and ``"fluid"``); the servers repeat until the last arrival is served.
    method
        See above.
    max_states
        Most states of an exact chain.
    tolerance
        Vehicles by which cutting off the states may shorten the queue, > 0.
    engine
        "numpy", "kernels", or "auto": compiled kernels for long work, or where numba is loaded.

    Returns
    -------
    QueueProfile
        Where the arrivals of a period exceed all that the servers can do and `start` is None,
        queues and waits are inf.

    Raises
    ------
    InputError
        If a value is NaN, infinite or out of range, no slot has servers, the shapes do not fit, a
        method or engine is unknown, or ``"exact"`` needs more than `max_states`.

    References
    ----------
    W. K. Grassmann, "Transient solutions in Markovian queueing systems", Computers & Operations
    Research 4 (1977) 47-53 (uniformization); L. V. Green and P. J. Kolesar, "The pointwise
    stationary approximation for queues with nonstationary arrivals", Management Science 37 (1991)
    84-97; O. B. Jennings, A. Mandelbaum, W. A. Massey and W. Whitt, "Server staffing to meet
    time-varying demand", Management Science 42 (1996) 1383-1394 (modified offered load).

    Examples
    --------
    One booth, half an hour a truck, open 8 to 20 h; 0.7 trucks an hour come day and night. Who
    comes between 2 and 3 h waits for the opening, and then for those before.

    >>> is_open = np.array([8 <= hour < 20 for hour in range(24)])
    >>> day = periodic_queue(0.7 * np.ones(24), 0.5, is_open.astype(int))
    >>> day.method, round(day.load, 6), day.mean_wait.round(2)[[2, 8, 19]]
    ('exact', 0.7, array([8.33, 4.57, 7.92]))
    """
    schedule = Schedule.of(arrival_rate, service_time, servers, slot_length)
    scv = float(finite_array("service_scv", service_scv))
    first = _checked_start(start, method)
    limit = Limit(
        int(whole_array("max_states", max_states, least=3)),
        float(finite_array("tolerance", tolerance, positive=True)),
        engine,
    )
    if first is None and schedule.utilization >= 1.0:
        return _overloaded(schedule, "exact" if method == "auto" else method)
    if method not in ("auto", "exact"):
        return _fast(schedule, method, first, scv)
    found = _exact(schedule, first, limit)
    if found is None and method == "exact":
        msg = (
            f"The exact chain must have at most max_states = {max_states} states; this queue needs "
            "more. Raise max_states, or take method 'mol' or 'fluid'."
        )
        raise InputError(msg)
    if found is None:
        return _fallback(schedule, first, scv)
    return found if scv == 1.0 else _scaled(schedule, found, first, scv)


def _checked_start(start: int | None, method: Method) -> int | None:
    if method not in get_args(Method):
        names = ", ".join(repr(name) for name in get_args(Method))
        msg = f"method must be one of {names}; found {method!r}."
        raise InputError(msg)
    if start is None:
        return None
    if method in ("psa", "mol"):
        msg = f"start needs the method 'exact', 'fluid' or 'auto'; found {method!r}."
        raise InputError(msg)
    return int(whole_array("start", start, least=0))


def _fast(schedule: Schedule, method: Method, start: int | None, scv: float) -> QueueProfile:
    if method == "psa":
        return _profile(schedule, _fast_profiles.pointwise(schedule, scv), "psa")
    if method == "mol":
        return _profile(schedule, _fast_profiles.modified_load(schedule, scv), "mol")
    return _profile(schedule, _fast_profiles.fluid(schedule, start), "fluid")


def _fallback(schedule: Schedule, start: int | None, scv: float) -> QueueProfile:
    """Without a chain: the modified load where it is finite, else the fluid."""
    if start is None:
        profile = _fast(schedule, "mol", None, scv)
        if np.isfinite(profile.average_wait):
            return profile
    return _fast(schedule, "fluid", start, scv)


class Limit(NamedTuple):
    """How far an exact solution may go."""

    max_states: int
    tolerance: float
    engine: Engine


def _overloaded(schedule: Schedule, method: Found) -> QueueProfile:
    """More comes than can be served, period after period."""
    endless = np.full(schedule.length.shape, np.inf)
    busy = (schedule.servers > 0.0).astype(np.float64)
    values = SlotValues(endless, endless, np.ones(busy.size), busy, endless)
    return _profile(schedule, values, method)


def _profile(schedule: Schedule, values: SlotValues, method: Found) -> QueueProfile:
    return QueueProfile(
        **values._asdict(),
        average_queue=schedule.mean(values.mean_queue),
        average_wait=schedule.mean_of_arrivals(values.mean_wait),
        load=schedule.utilization,
        method=method,
    )


def _scaled(
    schedule: Schedule, found: QueueProfile, start: int | None, service_scv: float
) -> QueueProfile:
    """Scale what the exact queue has above the fluid, as general service does in equilibrium."""
    flow = _fast_profiles.fluid(schedule, start)
    is_open = schedule.servers > 0.0
    c = np.where(is_open, schedule.servers, 1.0)
    load = np.where(is_open, np.clip(found.utilization, 0.0, _HIGHEST_LOAD), _HIGHEST_LOAD) * c
    base = mean_wait(load, 1.0, c)
    seen = base > 0.0
    general = mean_wait(load, 1.0, c, 1.0, service_scv)
    ratio = np.where(seen, general / np.where(seen, base, 1.0), 1.0)
    ratio **= _LEAST_POWER + (1.0 - _LEAST_POWER) * _steady_share(schedule, found)

    def scale(exact: FloatArray, fluid: FloatArray) -> FloatArray:
        least = np.minimum(fluid, exact)
        return np.asarray(least + ratio * (exact - least))

    values = SlotValues(
        mean_queue=scale(found.mean_queue, flow.mean_queue),
        mean_wait=scale(found.mean_wait, flow.mean_wait),
        wait_probability=found.wait_probability,
        utilization=found.utilization,
        number_at_start=found.number_at_start,
    )
    profile = _profile(schedule, values, "scaled")
    return replace(profile, n_states=found.n_states, truncation=found.truncation)


def _steady_share(schedule: Schedule, found: QueueProfile) -> float:
    """Share of the queue that would be there if arrivals and servers never changed."""
    servers, rate = schedule.mean(schedule.servers), schedule.mean(schedule.arrival_rate)
    if found.average_queue <= 0.0 or schedule.utilization >= 1.0:
        return 0.0
    steady = rate * float(mean_wait(rate, 1.0 / schedule.service_rate, servers))
    return min(steady / found.average_queue, 1.0)


def _exact(schedule: Schedule, start: int | None, limit: Limit) -> QueueProfile | None:
    """Enlarge the chain until what is cut off does not matter; None where it grows too large."""
    n_states = _first_guess(schedule, start, limit.tolerance)
    while n_states <= limit.max_states:
        chain = PeriodicChain(schedule, n_states, limit.engine)
        # Beyond the cut the probabilities fall like load^n (or faster, from a given start).
        room = 1.0 - schedule.utilization if start is None else 1.0 / n_states
        if start is None:
            guess, highest = chain.first_period()
            if highest / room**2 > _HOPELESS * limit.tolerance:
                n_states = int(_STEP * n_states) + 1
                continue
            state = chain.repeating_state(guess)
        else:
            state = np.eye(1, n_states, start)[0]
        values, highest = chain.averages(state)
        truncation = highest / room**2
        if truncation <= limit.tolerance * (1.0 + values.mean_queue.max()):
            profile = _profile(schedule, values, "exact")
            return replace(profile, n_states=n_states, truncation=truncation)
        n_states = int(_STEP * n_states) + 1
    return None


def _first_guess(schedule: Schedule, start: int | None, tolerance: float) -> int:
    """States below which no chain is tried: what the fluid reaches, its spread, and a tail."""
    level = _fast_profiles.fluid(schedule, start).number_at_start
    events = schedule.arrival_rate + schedule.servers * schedule.service_rate
    net = schedule.arrival_rate - schedule.servers * schedule.service_rate
    level = np.maximum(level, level + net * schedule.length)
    busy = schedule.arrival_rate / schedule.service_rate
    level = np.maximum(level, np.minimum(schedule.servers, busy + 8.0 * np.sqrt(busy) + 10.0))
    # Within a slot numbers spread like a random walk, or as far as its own equilibrium.
    spread = 6.0 * np.sqrt(2.0 * level + events * schedule.length) + 12.0
    calm = net < 0.0
    slot_load = schedule.arrival_rate[calm] / (events - schedule.arrival_rate)[calm]
    far = np.log(tolerance) / np.log(np.maximum(slot_load, 1e-12))
    spread[calm] = np.minimum(spread[calm], 6.0 * np.sqrt(2.0 * level[calm]) + 12.0 + far)
    reach = float((level + spread).max())
    load = schedule.utilization
    if start is None and load > 0.0:
        reach = max(
            reach, float(level.max() + np.log(tolerance * (1.0 - load) ** 2) / np.log(load))
        )
    return max(int(np.ceil(reach)), start or 0) + 3
