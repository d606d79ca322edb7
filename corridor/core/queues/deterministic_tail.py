"""The exact distribution of the wait in M/D/c.

Measured in service times, a vehicle that arrives at time 0 has begun service by
x = k - y (k = 1, 2, ...; 0 < y <= 1) exactly if at most k c - 1 vehicles stand before it: the queue
X behind the servers at time -y, and the Poisson(a y) vehicles that came since. Hence

    P(W > x) = P(X + Poisson(a y) >= k c)                              (Franx 2001)

with X = (N - c)^+ in equilibrium, whose generating function is, z_k being the c - 1 roots other
than 1 of z^c = exp(a (z - 1)) in the unit disk,

    X(z) = (c - a) (z - 1) / (z^c - exp(a (z - 1)))  prod_k (z - z_k) / (1 - z_k).

P(X > j) follows by a fast Fourier transform of (1 - X(z)) / (1 - z) on the unit circle, after the
pole eta > 1 next to the circle is taken out, P(X > j) = R eta^-j for large j. That pole alone is
the tail of the wait: P(W > x) = R eta^(1 - c x) far out.

References
----------
G. J. Franx, "A simple solution for the M/D/c waiting time distribution", Operations Research
Letters 29 (2001) 221-229; H. C. Tijms, "A First Course in Stochastic Models", Wiley 2003,
section 9.6 and appendix D (fast Fourier transform).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, lambertw, pdtrc, xlogy

from corridor.core.queues._inputs import FloatArray
from corridor.core.queues.deterministic import mdc_wait_and_slope, mdc_waiting

ComplexArray = NDArray[np.complex128]

_LAST_POWER = 39.0  # exp(-39) = 1e-17
_LEAST_POINTS = 16
_POISSON_WIDTH = 12.0  # standard deviations beyond which a Poisson number does not fall
_POISSON_MARGIN = 40.0
_ROOTS_PER_CHUNK = 32  # their product stays far inside the range of floats
_NEWTON_STEPS = 12
_HALVINGS = 80


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ConstantServiceTail:
    """P(W > x) of one queue with constant service, x in service times.

    The absolute error is about 1e-14 for tens of servers, 1e-10 for 5,000 or at 99.99 %.

    Attributes
    ----------
    servers, load
        c >= 1 and 0 < a < c.
    wait_probability, mean_wait
        P(W > 0) and E[W].
    queue_tail : ndarray of float64, (n,)
        P(X > j), j = 0..n - 1; beyond them it is R eta^-j.
    log_pole, log_factor
        ln eta and ln R.
    """

    servers: int
    load: float
    wait_probability: float
    mean_wait: float
    queue_tail: FloatArray
    log_pole: float
    log_factor: float

    @classmethod
    def of(cls, servers: int, load: float) -> "ConstantServiceTail":
        """Compute the distribution of the queue behind the servers."""
        c, a = servers, load
        one = np.array([c]), np.array([a])
        wait = float(mdc_wait_and_slope(*one)[0][0])
        inside = _roots(np.arange(1, c), c, a / c, branch=0)
        distance = _pole_distance(a / c)
        log_pole = float(np.log1p(distance))
        log_product = float(_log_product(np.array([1.0 + distance + 0j]), inside)[0].real)
        excess = a * (1.0 + distance) - c
        log_factor = float(np.log(c - a)) + log_product - c * log_pole - float(np.log(excess))
        n = _n_points(c, a / c)
        z = np.exp(2j * np.pi * np.arange(n) / n)
        values = np.empty(n, dtype=np.complex128)
        values[0] = a * wait  # E[X], the limit of the next line at z = 1
        values[1:] = (1.0 - _queue_transform(z[1:], c, a, inside)) / (1.0 - z[1:])
        values -= np.exp(log_factor) / (1.0 - z * np.exp(-log_pole))
        tail = np.fft.fft(values).real / n + np.exp(log_factor - log_pole * np.arange(n))
        return cls(
            servers=c,
            load=a,
            wait_probability=float(mdc_waiting(*one)[0]),
            mean_wait=wait,
            queue_tail=np.clip(tail, 0.0, 1.0),
            log_pole=log_pole,
            log_factor=log_factor,
        )

    def tail(self, x: FloatArray) -> FloatArray:
        """Return P(W > x) for x >= 0, shape (n,); absolute error about 1e-14."""
        result = np.exp(np.minimum(self.log_factor + (1.0 - self.servers * x) * self.log_pole, 0.0))
        turn = np.floor(x) + 1.0
        # Where the pole rules, the Poisson number counts as if its mean were eta times larger.
        tilted = self.load * (turn - x) * np.exp(self.log_pole)
        most = tilted + _POISSON_WIDTH * np.sqrt(tilted) + _POISSON_MARGIN
        near = turn * self.servers - 1.0 - most < self.queue_tail.size
        result[near] = self._near_tail(x[near], turn[near], most[near])
        return np.minimum(result, self.wait_probability)

    def quantile(self, survival: FloatArray) -> FloatArray:
        """Return x with P(W > x) = `survival`, shape (n,), each in 0 < survival <= P(W > 0)."""
        far = (self.log_factor - np.log(survival)) / (self.servers * self.log_pole)
        low, high = np.zeros(survival.shape), np.maximum(far, 0.0) + 2.0
        for _ in range(_HALVINGS):
            middle = (low + high) / 2.0
            above = self.tail(middle) > survival
            low, high = np.where(above, middle, low), np.where(above, high, middle)
        return np.asarray((low + high) / 2.0)

    def _near_tail(self, x: FloatArray, turn: FloatArray, most: FloatArray) -> FloatArray:
        """Sum P(X + Poisson(a y) >= k c) over the Poisson number; all terms are positive."""
        level = turn * self.servers
        mean = self.load * (turn - x)
        count = np.arange(float(np.minimum(most, level).max(initial=0.0)) // 1.0 + 1.0)
        log_mass = xlogy(count, mean[:, None]) - mean[:, None] - gammaln(count + 1.0)
        left = level[:, None] - 1.0 - count
        inside = np.clip(left, 0, self.queue_tail.size - 1).astype(np.int64)
        beyond = np.exp(self.log_factor - self.log_pole * np.maximum(left, 0.0))
        queue = np.where(left < self.queue_tail.size, self.queue_tail[inside], beyond)
        enough = np.where(left >= 0.0, np.exp(log_mass) * queue, 0.0).sum(axis=1)
        return np.asarray(np.minimum(enough + pdtrc(level - 1.0, mean), 1.0))


def _roots(k: NDArray[np.int64], servers: int, rho: float, *, branch: int) -> ComplexArray:
    """Roots of z^c = exp(a (z - 1)) by number and branch of Lambert's function."""
    z: ComplexArray = lambertw(-rho * np.exp(-rho) * np.exp(2j * np.pi * k / servers), branch)
    return -z / rho


def _pole_distance(rho: float) -> float:
    """Return eta - 1 > 0 with ln eta = rho (eta - 1)."""
    distance = max(-lambertw(-rho * np.exp(-rho), -1).real / rho - 1.0, 1e-12)
    if rho > 0.5:  # noqa: PLR2004 - Newton finds the digits that Lambert loses near rho = 1
        distance = max(distance, 2.0 * (1.0 - rho))
        for _ in range(_NEWTON_STEPS):
            slope = 1.0 / (1.0 + distance) - rho
            distance -= (np.log1p(distance) - rho * distance) / slope
    return float(distance)


def _n_points(servers: int, rho: float) -> int:
    """Points of the transform after which all but the first pole have faded."""
    k = np.unique([1 % servers, servers - 1])
    others = np.abs(_roots(k, servers, rho, branch=1))
    if servers > 1:
        others = np.append(others, np.abs(_roots(k, servers, rho, branch=-1)))
    n = max(_LEAST_POINTS, _LAST_POWER / float(np.log(others.min())))
    return 1 << int(np.ceil(np.log2(n)))


def _queue_transform(
    z: ComplexArray, servers: int, load: float, inside: ComplexArray
) -> ComplexArray:
    """X(z) on the unit circle, z = 1 excluded."""
    product: ComplexArray = np.exp(_log_product(z, inside))
    return (servers - load) * (z - 1.0) / (z**servers - np.exp(load * (z - 1.0))) * product


def _log_product(z: ComplexArray, inside: ComplexArray) -> ComplexArray:
    """Logarithm of prod_k (z - z_k) / (1 - z_k), up to turns of 2 pi i."""
    size = np.maximum(np.abs(z), 1.0)  # a far pole alone would overflow
    total = (inside.size * np.log(size)).astype(np.complex128)
    for start in range(0, inside.size, _ROOTS_PER_CHUNK):
        part = inside[start : start + _ROOTS_PER_CHUNK]
        factors = (z[:, None] - part) / (size[:, None] * (1.0 - part))
        total += np.log(np.prod(factors, axis=1))
    return total
