"""The exact mean wait of M/D/c: Poisson arrivals, one constant service time, c servers.

The number in the system one service time later is N' = (N - c)^+ + Poisson(a), so the queue
X = (N - c)^+ is the random walk X' = (X + A - c)^+ with A ~ Poisson(a) (Crommelin 1932). Two exact
expressions of E[X] are used, each where it is accurate and cheap:

* roots: E[X] = a (1 - c + a) / (2 (c - a)) + sum_k (1 / (1 - z_k) - 1/2) over the c - 1 roots
  z_k != 1 of z^c = exp(a (z - 1)) in the unit disk, that is, with rho = a / c,
  z_k = -W0(-rho exp(-rho) exp(2 pi i k / c)) / rho, W0 being Lambert's function;
* Spitzer's identity: E[X] = sum_l E[(A_l - l c)^+] / l with A_l ~ Poisson(l a). Every term is
  positive, so nothing cancels where the queue is nearly empty, and dE[X]/da = sum_l P(A_l >= l c).

The probability of no wait, P(N < c), has the same two forms: (c - a) / prod_k (1 - z_k), and
exp(-sum_l P(A_l >= l c) / l).

References
----------
C. D. Crommelin, "Delay probability formulae when the holding times are constant", Post Office
Electrical Engineers' Journal 25 (1932) 41-50; F. Spitzer, Trans. AMS 82 (1956) 323-339;
A. J. E. M. Janssen and J. S. H. van Leeuwaarden, "Back to the roots of the M/D/s queue and the
works of Erlang, Crommelin and Pollaczek", Statistica Neerlandica 62 (2008) 299-313.
"""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammainc, gammaln, lambertw

from corridor.core.queues._inputs import FloatArray, IntArray
from corridor.core.queues.erlang import SMALLEST_LOAD

# Terms of Spitzer's sum fall like exp(-l * decay); with a decay above this, ten reach rounding,
# and below it the roots lose no more than about c * 1e-14 of the result to cancellation.
_LIGHT_DECAY = -np.log(0.01)
_LAST_TERM = 39.0  # exp(-39) = 1e-17 of the first term
_ROOTS_PER_BLOCK = 1 << 20  # bounds the working memory at some tens of MB

_Terms: TypeAlias = Callable[[NDArray[np.complex128], FloatArray], tuple[FloatArray, ...]]


def mdc_wait_and_slope(servers: IntArray, load: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean wait of M/D/c in service times, and its derivative by the offered load.

    Needs whole servers >= 1 and 0 <= load < servers, of one shape (n,).
    """
    queue, queue_slope = np.zeros_like(load), np.zeros_like(load)
    busy = load > SMALLEST_LOAD
    a = np.where(busy, load, 1.0)
    rho = np.where(busy, load / servers, 0.5)
    light = busy & (servers * (rho - 1.0 - np.log(rho)) > _LIGHT_DECAY)
    queue[light], queue_slope[light] = _queue_by_spitzer(servers[light], load[light])
    heavy = busy & ~light
    queue[heavy], queue_slope[heavy] = _queue_by_roots(servers[heavy], load[heavy])
    wait = queue / a
    slope = (queue_slope - wait) / a
    single = servers == 1
    if single.any():  # Pollaczek and Khinchine, exact down to no load at all
        wait[single] = load[single] / (2.0 * (1.0 - load[single]))
        slope[single] = 1.0 / (2.0 * (1.0 - load[single]) ** 2)
    return wait, slope


def mdc_waiting(servers: IntArray, load: FloatArray) -> FloatArray:
    """Probability that an arrival to M/D/c has to wait; arguments as in `mdc_wait_and_slope`."""
    probability = np.zeros_like(load)
    busy = np.flatnonzero(load > SMALLEST_LOAD)
    c, a = servers[busy], load[busy]
    rho = a / c
    light = c * (rho - 1.0 - np.log(rho)) > _LIGHT_DECAY
    probability[busy[light]] = _waiting_by_spitzer(c[light], a[light])
    heavy = ~light
    log_product = _root_sums(c[heavy], rho[heavy], _log_terms)[0]
    log_idle = np.log(c[heavy] - a[heavy]) - log_product
    probability[busy[heavy]] = np.clip(-np.expm1(log_idle), 0.0, 1.0)
    return np.where(servers == 1, load, probability)


def _queue_by_spitzer(servers: IntArray, load: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean queue and its slope from the positive series; E(A-K)^+ = m p(K) + (m - K) P(A > K)."""
    queue, slope = np.zeros_like(load), np.zeros_like(load)
    rho = load / servers
    decay = servers * (rho - 1.0 - np.log(rho))
    active = np.arange(load.size)
    term = 0
    while active.size:
        term += 1
        mean, level = term * load[active], term * servers[active].astype(np.float64)
        mass = np.exp(level * np.log(mean) - mean - gammaln(level + 1.0))
        beyond = gammainc(level + 1.0, mean)
        # The difference cannot be negative; where it is below rounding it is 0.
        excess = np.maximum(mean * mass + (mean - level) * beyond, 0.0)
        queue[active] += excess / term
        slope[active] += gammainc(level, mean)
        active = active[term * decay[active] < _LAST_TERM]
    return queue, slope


def _waiting_by_spitzer(servers: IntArray, load: FloatArray) -> FloatArray:
    exponent = np.zeros_like(load)
    rho = load / servers
    decay = servers * (rho - 1.0 - np.log(rho))
    active = np.arange(load.size)
    term = 0
    while active.size:
        term += 1
        exponent[active] += gammainc(term * servers[active], term * load[active]) / term
        active = active[term * decay[active] < _LAST_TERM]
    return -np.expm1(-exponent)


def _queue_by_roots(servers: IntArray, load: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean queue and its slope from the roots in the unit disk."""
    rho = load / servers
    first, second = _root_sums(servers, rho, _queue_terms)
    queue = load * (1.0 - servers + load) / (2.0 * (servers - load)) + first
    slope = (0.5 / (1.0 - rho) ** 2 - second) / servers - 0.5
    return np.maximum(queue, 0.0), np.maximum(slope, 0.0)


def _queue_terms(z: NDArray[np.complex128], rho: FloatArray) -> tuple[FloatArray, ...]:
    """1/(1 - z) - 1/2, and z / ((1 - z)(1 - rho z)), minus the derivative of the first by rho.

    The latter because dz/drho = z (z - 1) / (1 - rho z).
    """
    inverse = 1.0 / (1.0 - z)
    return inverse.real - 0.5, (z * inverse / (1.0 - rho * z)).real


def _log_terms(z: NDArray[np.complex128], _: FloatArray) -> tuple[FloatArray, ...]:
    return (np.log(np.abs(1.0 - z)),)


def _root_sums(servers: IntArray, rho: FloatArray, terms: _Terms) -> tuple[FloatArray, ...]:
    """Sum the terms over the roots of each element, some elements at a time."""
    if servers.size == 0:
        return (np.zeros(0), np.zeros(0))
    ends = np.cumsum(servers // 2)
    cuts = np.flatnonzero(np.diff(ends // _ROOTS_PER_BLOCK)) + 1
    blocks = np.split(np.arange(servers.size), cuts)
    sums = [_sums_of_block(servers[block], rho[block], terms) for block in blocks]
    return tuple(np.concatenate(parts) for parts in zip(*sums, strict=True))


def _sums_of_block(servers: IntArray, rho: FloatArray, terms: _Terms) -> tuple[FloatArray, ...]:
    """All (element, root) pairs are one flat array; of two conjugate roots one is computed."""
    n = servers // 2
    owner = np.repeat(np.arange(servers.size), n)
    k = np.arange(1, owner.size + 1) - np.repeat(np.cumsum(n) - n, n)
    c, r = servers[owner], rho[owner]
    z = -lambertw(-r * np.exp(-r) * np.exp(2j * np.pi * k / c)) / r
    twice = np.where(2 * k == c, 1.0, 2.0)
    return tuple(
        np.asarray(np.bincount(owner, twice * term, servers.size), dtype=np.float64)
        for term in terms(z, r)
    )
