"""How long some wait: the distribution of the wait, not only its mean."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from corridor.core.queues._inputs import FloatArray, broadcast, describe_faults, finite_array
from corridor.core.queues.deterministic import mdc_waiting
from corridor.core.queues.deterministic_tail import ConstantServiceTail
from corridor.core.queues.erlang import SMALLEST_LOAD, waiting
from corridor.core.queues.waits import checked_queue, mean_wait
from corridor.errors import InputError

_HALVINGS = 80
_SMALLEST = 1e-300


def wait_tail(
    time: ArrayLike,
    arrival_rate: ArrayLike,
    service_time: ArrayLike,
    servers: ArrayLike,
    arrival_scv: ArrayLike = 1.0,
    service_scv: ArrayLike = 1.0,
) -> FloatArray:
    r"""Return the probability that the wait before service is longer than `time`.

    Formula, with C Erlang's probability of waiting, s the service time, a = arrival_rate s the
    offered load, W = `mean_wait` and v = service_scv::

        M/M/c          P(W > t) = C exp(-(c - a) t / s)                                 (exact)
        M/D/c          P(W > t) by Crommelin's roots and Franx's sum                    (exact)
        P(W > 0)       = C + (sqrt(v) - 1) (C - P(W > 0 in M/D/c))        where arrival_scv == 1
        v < 1          the quantiles of the wait of those who wait are, up to one factor that
                       restores W, v times those of M/M/c + (1 - v) times those of M/D/c  (Tijms)
        elsewhere      P(W > t) = P(W > 0) exp(-t P(W > 0) / W),  P(W > 0) = C where arrival_scv
                       is not 1

    Against exact chains: P(W > 0) with two-phase Erlang service (v = 1/2, 1 to 10 servers) is
    within 0.2 %, P(W > t) within 0.005, the quantiles at 90, 95 and 99 % within 2 %. With
    two-phase hyperexponential service the exponential tail is off by up to 0.04 (v = 2) and 0.08
    (v = 4); its 99 % quantile is short by up to 10 % and 17 %.

    Parameters
    ----------
    time
        Waits t in the unit of `service_time`, >= 0; 0 asks for the probability of waiting at all.
    arrival_rate, service_time, servers, arrival_scv, service_scv
        As in `mean_wait`; all arguments broadcast. One M/D/c distribution is computed for each
        different queue with service_scv < 1, about a millisecond each.

    Returns
    -------
    ndarray of float64
        Probability in 0..1, of the broadcast shape (a NumPy scalar for scalars); 1 where
        overloaded, 0 where nothing arrives.

    Raises
    ------
    InputError
        As in `mean_wait`, or if a time is negative or NaN.

    References
    ----------
    H. C. Tijms, "A First Course in Stochastic Models", Wiley 2003, section 9.6; G. J. Franx,
    Operations Research Letters 29 (2001) 221-229. The weight sqrt(v) in P(W > 0) was found by
    comparison with the exact chains.

    Examples
    --------
    M/M/1 at 80 %, service time 1: P(W > t) = 0.8 exp(-0.2 t).

    >>> wait_tail([0.0, 5.0], 0.8, 1.0, 1).round(6)
    array([0.8     , 0.294304])

    Constant service: as many wait, but not so long.

    >>> wait_tail([0.0, 5.0], 0.8, 1.0, 1, service_scv=0.0).round(6)
    array([0.8     , 0.100497])
    """
    names = ("time", "arrival_rate", "service_time", "servers", "arrival_scv", "service_scv")
    t = finite_array("time", time)
    queue = checked_queue(arrival_rate, service_time, servers, arrival_scv, service_scv)
    t, *columns = broadcast(names, (t, *queue))
    return _answer(t, columns, overloaded=1.0, by_tail=True)


def wait_quantile(
    probability: ArrayLike,
    arrival_rate: ArrayLike,
    service_time: ArrayLike,
    servers: ArrayLike,
    arrival_scv: ArrayLike = 1.0,
    service_scv: ArrayLike = 1.0,
) -> FloatArray:
    r"""Return the wait that is not exceeded with the given probability.

    The inverse of `wait_tail`: the least t with P(W > t) <= 1 - probability. For M/M/c it is
    ln(C / (1 - probability)) s / (c - a) where positive, else 0.

    Parameters
    ----------
    probability
        Share of the arrivals, 0 <= probability < 1: 0.95 for the wait that one in twenty exceeds.
    arrival_rate, service_time, servers, arrival_scv, service_scv
        As in `wait_tail`, with its accuracy.

    Returns
    -------
    ndarray of float64
        Wait in the unit of `service_time`, of the broadcast shape (a NumPy scalar for scalars);
        inf where overloaded, 0 where so many do not wait at all.

    Raises
    ------
    InputError
        As in `wait_tail`, or if a probability is outside 0 <= probability < 1.

    Examples
    --------
    M/M/1 at 80 %: half wait longer than ln(0.8 / 0.5) / 0.2 = 2.35 service times.

    >>> wait_quantile([0.1, 0.5, 0.99], 0.8, 1.0, 1).round(4)
    array([ 0.    ,  2.35  , 21.9101])
    """
    names = ("probability", "arrival_rate", "service_time", "servers", "arrival_scv", "service_scv")
    p = finite_array("probability", probability)
    if (p >= 1.0).any():
        msg = f"probability must be below 1; {describe_faults(p, p >= 1.0)}"
        raise InputError(msg)
    queue = checked_queue(arrival_rate, service_time, servers, arrival_scv, service_scv)
    p, *columns = broadcast(names, (p, *queue))
    return _answer(p, columns, overloaded=np.inf, by_tail=False)


class _Queues(NamedTuple):
    """Stable queues with arrivals, all arrays of shape (n,), in service times."""

    servers: FloatArray
    load: FloatArray
    service_scv: FloatArray
    wait: FloatArray
    wait_probability: FloatArray
    is_between: NDArray[np.bool_]
    """Where the tail lies between that of M/D/c and that of M/M/c, or is the former."""


def _answer(
    values: FloatArray, columns: list[FloatArray], *, overloaded: float, by_tail: bool
) -> FloatArray:
    """Answer all queues: waits asked for give probabilities `by_tail`, else the other way."""
    rate, time, servers, arrival_scv, service_scv = columns
    load = rate * time
    result = np.zeros(values.shape)
    result[load >= servers] = overloaded
    busy = (load < servers) & (load > SMALLEST_LOAD)
    unit = time[busy]
    queues = _queues(*(a[busy] for a in (servers, load, arrival_scv, service_scv)))
    value = values[busy] / unit if by_tail else values[busy]
    answer = (_exponential_tail if by_tail else _exponential_quantile)(value, queues)
    between = np.flatnonzero(queues.is_between)
    table = np.stack([queues.servers, queues.load, queues.service_scv], axis=1)[between]
    _, first, owner = np.unique(table, axis=0, return_index=True, return_inverse=True)
    for number, row in enumerate(between[first].tolist()):
        members = between[owner == number]
        single = _between_tail if by_tail else _between_quantile
        answer[members] = single(value[members], _Queues(*(a[row] for a in queues)))
    result[busy] = answer if by_tail else answer * unit
    return result[()]


def _queues(
    servers: FloatArray, load: FloatArray, arrival_scv: FloatArray, service_scv: FloatArray
) -> _Queues:
    poisson = arrival_scv == 1.0
    probability = np.asarray(waiting(servers, load))
    mixed = poisson & (service_scv != 1.0)
    constant = mdc_waiting(servers[mixed].astype(np.int64), load[mixed])
    weight = np.sqrt(service_scv[mixed]) - 1.0
    probability[mixed] += weight * (probability[mixed] - constant)
    return _Queues(
        servers=servers,
        load=load,
        service_scv=service_scv,
        wait=np.asarray(mean_wait(load, 1.0, servers, arrival_scv, service_scv)),
        wait_probability=np.clip(probability, 0.0, 1.0),
        is_between=poisson & (service_scv < 1.0),
    )


def _exponential_tail(x: FloatArray, queues: _Queues) -> FloatArray:
    never = (queues.wait == 0.0) | (queues.wait_probability == 0.0)
    wait = np.where(never, 1.0, queues.wait)
    decay = queues.wait_probability / wait
    return np.where(never, 0.0, queues.wait_probability * np.exp(-x * decay))


def _exponential_quantile(share: FloatArray, queues: _Queues) -> FloatArray:
    late = queues.wait_probability > 1.0 - share
    probability = np.where(late, queues.wait_probability, 1.0)
    depth = np.log(probability / (1.0 - share))
    return np.where(late, depth * queues.wait / probability, 0.0)


def _between_tail(x: FloatArray, queue: _Queues) -> FloatArray:
    """P(W > x) of one queue with service_scv < 1."""
    constant = ConstantServiceTail.of(int(queue.servers), float(queue.load))
    if queue.service_scv == 0.0 or constant.wait_probability == 0.0:
        return constant.tail(x)
    blend = _Blend.of(queue, constant)
    low, high = np.zeros(x.shape), x / blend.constant
    for _ in range(_HALVINGS):
        middle = (low + high) / 2.0
        short = blend.wait(middle, constant.tail(middle) / constant.wait_probability) < x
        low, high = np.where(short, middle, low), np.where(short, high, middle)
    return queue.wait_probability * constant.tail(low) / constant.wait_probability


def _between_quantile(share: FloatArray, queue: _Queues) -> FloatArray:
    """Return the wait that a share of the arrivals does not exceed, service_scv < 1."""
    result = np.zeros(share.shape)
    late = queue.wait_probability > 1.0 - share
    if not late.any():
        return result
    part = (1.0 - share[late]) / queue.wait_probability
    constant = ConstantServiceTail.of(int(queue.servers), float(queue.load))
    wait = constant.quantile(part * constant.wait_probability)
    if queue.service_scv > 0.0:
        wait = _Blend.of(queue, constant).wait(wait, part)
    result[late] = wait
    return result


class _Blend(NamedTuple):
    """Quantiles of the wait of those who wait, between constant and exponential service."""

    constant: float
    exponential: float

    @classmethod
    def of(cls, queue: _Queues, constant: ConstantServiceTail) -> "_Blend":
        """Weigh both so that the mean wait is that of `mean_wait`."""
        v = float(queue.service_scv)
        exponential_wait = 1.0 / float(queue.servers - queue.load)
        constant_wait = constant.mean_wait / constant.wait_probability
        blended = (1.0 - v) * constant_wait + v * exponential_wait
        factor = float(queue.wait / queue.wait_probability) / blended
        return cls(factor * (1.0 - v), factor * v * exponential_wait)

    def wait(self, constant_wait: FloatArray, survival: FloatArray) -> FloatArray:
        """Return the wait that a share `survival` of those who wait exceed."""
        logarithm = -np.log(np.maximum(survival, _SMALLEST))
        return self.constant * constant_wait + self.exponential * logarithm
