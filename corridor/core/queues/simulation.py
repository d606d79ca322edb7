"""Simulation of one first-come-first-served queue: many replications at once, with intervals."""

import math
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from corridor.core.queues._dispatch import Engine, in_blocks, uses_kernels
from corridor.core.queues._inputs import FloatArray, finite_array, whole_array
from corridor.core.threads import as_threads
from corridor.errors import InputError

LEAST_REPLICATIONS: Final = 2
"""One replication has no spread, and so no interval."""
_KERNELS_FROM: Final = 3_000_000.0
"""Vehicles from which loading numba (more than a second) pays, at 0.4 us a vehicle in NumPy."""
_KERNELS_FROM_LOADED: Final = 2_000.0
_MOST_DRAWS: Final = 20_000_000
"""Random numbers that the NumPy engine holds at once (160 MB)."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Estimate:
    """A mean over independent replications and its confidence interval.

    Attributes
    ----------
    mean
        Mean of the replications' means.
    half_width
        Half of the interval's width, by Student's t; inf for one replication.
    level
        Probability with which such an interval holds the true mean.
    """

    mean: float
    half_width: float
    level: float

    @property
    def low(self) -> float:
        """Lower end of the interval."""
        return self.mean - self.half_width

    @property
    def high(self) -> float:
        """Upper end of the interval."""
        return self.mean + self.half_width


def estimate_mean(values: FloatArray, level: float = 0.95) -> Estimate:
    """Return the mean of independent values with its confidence interval by Student's t.

    Parameters
    ----------
    values
        (n_replications,): one value for each replication, finite.
    level
        Confidence, 0 < level < 1.

    Raises
    ------
    InputError
        If `values` is empty, not one-dimensional or not finite, or `level` is out of range.

    Examples
    --------
    >>> found = estimate_mean(np.array([1.0, 2.0, 3.0]))
    >>> found.mean, round(found.half_width, 6)
    (2.0, 2.484138)
    """
    from scipy.stats import t as student

    if not 0.0 < level < 1.0:
        msg = f"level must be > 0 and < 1; found {level}."
        raise InputError(msg)
    values = np.asarray(values, dtype=np.float64)
    if values.ndim != 1 or not values.size or not np.isfinite(values).all():
        msg = (
            "values must be finite, one for each of at least one replication; found "
            f"{values.size} of shape {values.shape}, {int((~np.isfinite(values)).sum())} not "
            "finite. Give one mean a replication."
        )
        raise InputError(msg)
    if values.size < LEAST_REPLICATIONS:
        return Estimate(mean=float(values[0]), half_width=math.inf, level=level)
    spread = float(values.std(ddof=1)) / math.sqrt(values.size)
    quantile = float(student.ppf(0.5 + level / 2.0, values.size - 1))
    return Estimate(mean=float(values.mean()), half_width=quantile * spread, level=level)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class QueueSimulation:
    """What a simulation of one queue found in each replication.

    Attributes
    ----------
    mean_wait
        float64 (n_replications,): mean wait before service of the vehicles counted.
    share_waiting
        float64 (n_replications,): share of them that wait at all.
    vehicles, warm_up
        Vehicles simulated in each replication, and how many of the first are not counted.
    """

    mean_wait: FloatArray
    share_waiting: FloatArray
    vehicles: int
    warm_up: int

    def wait(self, level: float = 0.95) -> Estimate:
        """Return the mean wait with its confidence interval."""
        return estimate_mean(self.mean_wait, level)


def simulate_queue(  # noqa: PLR0913 (the queue as in `mean_wait`, and how it is run)
    arrival_rate: float,
    service_time: float,
    servers: int,
    arrival_scv: float = 1.0,
    service_scv: float = 1.0,
    *,
    vehicles: int = 10_000,
    replications: int = 20,
    warm_up: float = 0.1,
    seed: int = 0,
    threads: int | None = None,
    engine: Engine = "auto",
) -> QueueSimulation:
    r"""Simulate a queue with c servers, first come, first served, from an empty start.

    Kiefer and Wolfowitz' recursion: a vehicle takes the server that is free first. Times between
    arrivals and service times are gamma distributed with the given means and squared coefficients
    of variation (exponential for 1, constant for 0). Each replication has its own stream of random
    numbers, the arrivals' before the services', so that designs with different servers or service
    times meet the same arrivals (common random numbers). Results depend on the seed and on
    nothing else: both engines and any number of threads give the same bits.

    Parameters
    ----------
    arrival_rate
        Arrivals per unit of time, > 0. An overloaded queue grows all the time: its mean wait says
        how long the simulation was.
    service_time
        Mean service time in the same unit, >= 0.
    servers
        Number of servers, >= 1.
    arrival_scv, service_scv
        Squared coefficients of variation, >= 0, as in `mean_wait`.
    vehicles, replications
        Vehicles in each replication and number of replications, >= 1.
    warm_up
        Share of the vehicles at the start that are not counted, >= 0 and < 1: from an empty start
        the first ones wait too little.
    seed
        Seed, >= 0.
    threads
        Threads of the compiled engine; None for one a core.
    engine
        ``numpy`` works across replications, ``kernels`` is compiled; ``auto`` picks by size.

    Returns
    -------
    QueueSimulation
        Means of each replication.

    Raises
    ------
    InputError
        If an argument is out of its range.

    References
    ----------
    J. Kiefer and J. Wolfowitz, "On the theory of queues with many servers", Transactions of the
    American Mathematical Society 78 (1955) 1-18.

    Examples
    --------
    One booth at 50 %: exponential trucks wait one service time on average.

    >>> found = simulate_queue(0.5, 1.0, 1, vehicles=4000, replications=40, seed=1).wait()
    >>> found.low < 1.0 < found.high
    True
    """
    rate = float(finite_array("arrival_rate", arrival_rate, positive=True))
    service = float(finite_array("service_time", service_time))
    scv = [
        float(finite_array(name, value))
        for name, value in (("arrival_scv", arrival_scv), ("service_scv", service_scv))
    ]
    n_servers = int(whole_array("servers", servers, least=1))
    n, n_runs = (
        int(whole_array(name, value, least=1))
        for name, value in (("vehicles", vehicles), ("replications", replications))
    )
    share = float(finite_array("warm_up", warm_up))
    if share >= 1.0:
        msg = f"warm_up must be a share of the vehicles below 1; found {warm_up}."
        raise InputError(msg)
    queue = _Queue(1.0 / rate, service, n_servers, scv, n, int(share * n))
    streams = seed_streams(seed, n_runs)
    work = float(n) * n_runs
    if uses_kernels(engine, work, cold=_KERNELS_FROM, loaded=_KERNELS_FROM_LOADED):
        total, waiting = _one_by_one(queue, streams, as_threads(threads))
    else:
        total, waiting = _side_by_side(queue, streams)
    counted = n - queue.first
    return QueueSimulation(
        mean_wait=total / counted, share_waiting=waiting / counted, vehicles=n, warm_up=queue.first
    )


class _Queue(NamedTuple):
    """A queue, the vehicles of a replication, and the first of them that is counted."""

    gap: float
    service: float
    servers: int
    scv: list[float]
    vehicles: int
    first: int


def _one_by_one(
    queue: _Queue, streams: list[np.random.SeedSequence], threads: int
) -> tuple[FloatArray, FloatArray]:
    """Return the summed waits and the vehicles that waited, by the kernel."""
    from corridor.core.queues._simulation_kernels import summed_waits

    total, waiting = np.zeros(len(streams)), np.zeros(len(streams))

    def run(block: slice) -> int:
        draws = np.empty(2 * queue.vehicles)
        for i in range(block.start, block.stop):
            fill_draws(streams[i], queue.scv, draws)
            total[i], waiting[i] = summed_waits(
                draws, queue.gap, queue.service, queue.servers, queue.first
            )
        return int(block.stop - block.start)

    in_blocks(run, len(streams), min(threads, len(streams)))
    return total, waiting


def _side_by_side(
    queue: _Queue, streams: list[np.random.SeedSequence]
) -> tuple[FloatArray, FloatArray]:
    """Return the same by NumPy, many replications at once."""
    total, waiting = np.zeros(len(streams)), np.zeros(len(streams))
    at_once = max(1, _MOST_DRAWS // (2 * queue.vehicles))
    for begin in range(0, len(streams), at_once):
        block = slice(begin, begin + at_once)
        draws = np.empty((len(streams[block]), 2 * queue.vehicles))
        for stream, row in zip(streams[block], draws, strict=True):
            fill_draws(stream, queue.scv, row)
        _sum_across(
            draws, queue.gap, queue.service, queue.servers, queue.first,
            total[block], waiting[block],
        )  # fmt: skip
    return total, waiting


def seed_streams(seed: int, *keys: int) -> list[np.random.SeedSequence]:
    """Return independent seeds, one for each position of the last key.

    Raises
    ------
    InputError
        If the seed is no whole number >= 0.
    """
    entropy = int(whole_array("seed", seed, least=0))
    *fixed, count = keys
    return [np.random.SeedSequence(entropy, spawn_key=(*fixed, i)) for i in range(count)]


def generator(stream: np.random.SeedSequence) -> np.random.Generator:
    """Return the generator of a stream: the fastest of NumPy's."""
    return np.random.Generator(np.random.SFC64(stream))


def fill_draws(stream: np.random.SeedSequence, scv: list[float], out: FloatArray) -> None:
    """Fill equal parts of `out` with draws of mean 1, a squared coefficient of variation each."""
    source = generator(stream)
    for part, variation in zip(np.split(out, len(scv)), scv, strict=True):
        fill_mean_one(source, variation, part)


def fill_mean_one(source: np.random.Generator, scv: float, out: FloatArray) -> None:
    """Fill `out` with gamma draws of mean 1 and a squared coefficient of variation."""
    if scv == 0.0:
        out[:] = 1.0
    elif scv == 1.0:
        source.standard_exponential(out=out)
    else:
        source.standard_gamma(1.0 / scv, out=out)
        out *= scv


def _sum_across(
    draws: FloatArray,
    gap: float,
    service: float,
    servers: int,
    first_counted: int,
    total: FloatArray,
    waiting: FloatArray,
) -> None:
    """Do as the kernel does, one vehicle of every replication at a time."""
    n_runs, n = draws.shape[0], draws.shape[1] // 2
    free, now, rows = np.zeros((n_runs, servers)), np.zeros(n_runs), np.arange(n_runs)
    for vehicle in range(n):
        now += draws[:, vehicle] * gap
        server = free.argmin(axis=1)
        start = np.maximum(now, free[rows, server])
        wait = start - now
        free[rows, server] = start + draws[:, n + vehicle] * service
        if vehicle >= first_counted:
            total += wait
            waiting += wait > 0.0
