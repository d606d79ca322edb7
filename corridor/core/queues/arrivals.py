"""Random arrivals at posts: renewal streams, with peaks over the day and in batches."""

import numpy as np
from numpy.typing import ArrayLike

from corridor.core.queues._inputs import FloatArray, finite_array, whole_array
from corridor.core.queues.simulation import fill_mean_one, generator, seed_streams
from corridor.errors import InputError

_ARRIVALS = 0
"""First key of the random streams of arrivals; those of stages start at 1."""


def simulate_arrivals(
    rate_per_h: float,
    vehicles: int,
    replications: int,
    *,
    scv: float = 1.0,
    batch: int = 1,
    profile: ArrayLike | None = None,
    slot_h: float = 1.0,
    seed: int = 0,
) -> FloatArray:
    r"""Draw arrival times of vehicles.

    A renewal process with gamma gaps (Poisson for ``scv`` 1). A profile bends its clock: with L
    the integral of the profile, the i-th arrival of the even process, at its time s, comes at
    L^-1(s); for Poisson that is the exact process of varying rate.

    Parameters
    ----------
    rate_per_h
        Vehicles an hour, averaged over the period of the profile, > 0.
    vehicles, replications
        Vehicles in each replication and number of replications, >= 1.
    scv
        Squared coefficient of variation of the gaps between batches, >= 0.
    batch
        Vehicles that come together, a train or a ferry, >= 1.
    profile
        (n_slots,): relative rate in each slot of a period that repeats, >= 0, not all 0; only its
        shape counts. None is an even rate.
    slot_h
        Length of a slot [h], > 0.
    seed
        Seed, >= 0; each replication has its own stream.

    Returns
    -------
    ndarray of float64, shape (replications, vehicles)
        Times from the start of a period [h], nondecreasing along each row.

    Raises
    ------
    InputError
        If an argument is out of its range.

    Examples
    --------
    Ten trucks an hour by day, none by night:

    >>> times = simulate_arrivals(5.0, 600, 1, profile=[0, 1], slot_h=12.0, seed=1)[0]
    >>> bool((times % 24.0 >= 12.0).all()), bool(50 < (times < 24.0).sum() < 200)
    (True, True)
    """
    rate = float(finite_array("rate_per_h", rate_per_h, positive=True))
    n, n_runs, size = (
        int(whole_array(name, value, least=1))
        for name, value in (
            ("vehicles", vehicles), ("replications", replications), ("batch", batch),
        )
    )  # fmt: skip
    variation = float(finite_array("scv", scv))
    n_batches = -(-n // size)
    even = np.empty((n_runs, n_batches))
    for stream, row in zip(seed_streams(seed, _ARRIVALS, n_runs), even, strict=True):
        fill_mean_one(generator(stream), variation, row)
    even *= size / rate
    np.cumsum(even, axis=1, out=even)
    if profile is not None:
        even = _bent(even, profile, slot_h)
    return np.repeat(even, size, axis=1)[:, :n] if size > 1 else even


def _bent(even: FloatArray, profile: ArrayLike, slot_h: float) -> FloatArray:
    """Return the times at which the profile's integral reaches the even times."""
    weights = finite_array("profile", profile)
    length = float(finite_array("slot_h", slot_h, positive=True))
    if weights.ndim != 1 or not weights.sum() > 0.0:
        msg = (
            "profile must be one relative rate for each slot, not all 0; found shape "
            f"{weights.shape} with sum {weights.sum():g}. Give the counts of the hours, say."
        )
        raise InputError(msg)
    rate = weights / weights.mean()
    ends = np.cumsum(rate) * length
    period = rate.size * length
    cycle, rest = np.divmod(even, period)
    # The first slot whose end lies beyond: never one without arrivals, which end where they start.
    slot = np.minimum(np.searchsorted(ends, rest, side="right"), rate.size - 1)
    busy = np.flatnonzero(rate)
    slot = busy[np.minimum(np.searchsorted(busy, slot), busy.size - 1)]
    before = ends[slot] - rate[slot] * length
    within = np.clip((rest - before) / rate[slot], 0.0, length)
    return np.asarray(cycle * period + slot * length + within)
