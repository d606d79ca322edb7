"""Simulation of posts: vehicles pass stages in series, each with its servers, hours and repairs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from corridor.core.queues._dispatch import Engine, in_blocks, uses_kernels
from corridor.core.queues._inputs import FloatArray, finite_array, share_array, whole_array
from corridor.core.queues.operating import OperatingHours
from corridor.core.queues.simulation import (
    Estimate,
    estimate_mean,
    fill_mean_one,
    generator,
    seed_streams,
)
from corridor.core.threads import as_threads
from corridor.errors import InputError

_FIRST_STAGE: Final = 1
"""First key of the random streams of the first stage; arrivals have 0."""
_KERNELS_FROM: Final = 1_000_000.0
_KERNELS_FROM_LOADED: Final = 2_000.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SimulatedStage:
    """One stage of a post: a queue, first come, first served.

    Parameters
    ----------
    servers
        Number of servers, >= 1.
    service_h
        Mean service time [h], >= 0.
    service_scv
        Squared coefficient of variation of the service times, >= 0 (gamma distributed).
    share
        Share of all vehicles that are sent here, drawn one by one, 0..1.
    hours
        Opening hours [h]; service stops at closing and goes on at opening. None is always open.
    up_h, repair_h
        Mean time that a server works between breakdowns [h], > 0 or inf, and mean time of a repair
        [h], >= 0, both exponential. A server breaks down only while it serves, and then goes on
        with the same vehicle.

    Raises
    ------
    InputError
        If a value is out of its range.
    """

    servers: int
    service_h: float
    service_scv: float = 1.0
    share: float = 1.0
    hours: OperatingHours | None = None
    up_h: float = np.inf
    repair_h: float = 0.0

    def __post_init__(self) -> None:
        whole_array("servers", self.servers, least=1)
        for name in ("service_h", "service_scv", "repair_h"):
            finite_array(name, getattr(self, name))
        share_array("share", self.share)
        if not self.up_h > 0.0:
            msg = f"up_h must be > 0 h, or inf for a server that never breaks; found {self.up_h}."
            raise InputError(msg)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StageSimulation:
    """Every vehicle's way through a post, in every replication.

    Attributes
    ----------
    arrival_h, departure_h
        float64 (n_replications, n_vehicles): times at the gate and at the exit [h].
    wait_h
        float64 (n_stages, n_replications, n_vehicles): wait before service, closed hours included;
        NaN for vehicles that the stage does not see.
    """

    arrival_h: FloatArray
    departure_h: FloatArray
    wait_h: FloatArray

    def time_at_post(self, warm_up: float = 0.1, level: float = 0.95) -> Estimate:
        """Return the mean time from gate to exit [h] after a share of warm-up, with its interval.

        Examples
        --------
        >>> arrival = np.array([[0.0, 1.0], [0.0, 1.0]])
        >>> found = simulate_stages(arrival, [SimulatedStage(servers=1, service_h=0.5,
        ...     service_scv=0.0)]).time_at_post(warm_up=0.0)
        >>> found.mean, found.half_width
        (0.5, 0.0)
        """
        first = self._first(warm_up)
        spent = self.departure_h[:, first:] - self.arrival_h[:, first:]
        return estimate_mean(spent.mean(axis=1), level)

    def wait(self, stage: int, warm_up: float = 0.1, level: float = 0.95) -> Estimate:
        """Return the mean wait of those that a stage sees [h], with its interval.

        Raises
        ------
        InputError
            If the stage sees no vehicle in some replication.
        """
        waits = self.wait_h[stage][:, self._first(warm_up) :]
        seen = ~np.isnan(waits)
        if not seen.any(axis=1).all():
            n_empty = int((~seen.any(axis=1)).sum())
            msg = (
                f"Stage {stage} must see a vehicle in every replication; it sees none in {n_empty} "
                f"of {seen.shape[0]}. Simulate more vehicles."
            )
            raise InputError(msg)
        return estimate_mean(np.nansum(waits, axis=1) / seen.sum(axis=1), level)

    def _first(self, warm_up: float) -> int:
        if not 0.0 <= warm_up < 1.0:
            msg = f"warm_up must be a share of the vehicles >= 0 and < 1; found {warm_up}."
            raise InputError(msg)
        return int(warm_up * self.arrival_h.shape[1])


def simulate_stages(
    arrival_h: ArrayLike,
    stages: Sequence[SimulatedStage],
    *,
    seed: int = 0,
    threads: int | None = None,
    engine: Engine = "auto",
) -> StageSimulation:
    """Send vehicles through stages in series.

    Each stage serves in the order in which vehicles come to it; a vehicle that is not sent there
    goes on at once. Closed hours stop the clock of a stage (preempt-resume), so that in the hours
    worked it is an ordinary queue. Random numbers belong to vehicle and stage: posts that differ in
    servers, shares or hours meet the same vehicles (common random numbers). Both engines and any
    number of threads give the same bits.

    Parameters
    ----------
    arrival_h
        (n_replications, n_vehicles): arrival times [h], finite, nondecreasing along each row; see
        `simulate_arrivals`.
    stages
        Stages in the order in which they are passed.
    seed
        Seed, >= 0.
    threads
        Threads over replications; None for one a core.
    engine
        ``numpy`` works across replications, ``kernels`` is compiled; ``auto`` picks by size.

    Returns
    -------
    StageSimulation
        Times and waits of every vehicle.

    Raises
    ------
    InputError
        If the times have another shape, decrease or are not finite.

    Notes
    -----
    Steady means of M/M/c stages in series are those of Jackson's networks; see `mean_wait`.
    """
    arrival = _checked_arrivals(arrival_h)
    n_runs, n = arrival.shape
    now = arrival.copy()
    wait = np.full((len(stages), n_runs, n), np.nan)
    keys = [seed_streams(seed, _FIRST_STAGE + i, n_runs) for i in range(len(stages))]
    work = float(arrival.size * len(stages))
    compiled = uses_kernels(engine, work, cold=_KERNELS_FROM, loaded=_KERNELS_FROM_LOADED)

    def run(block: slice) -> int:
        if compiled:
            for row in range(block.start, block.stop):
                streams = [runs[row] for runs in keys]
                _pass_one_by_one(stages, streams, now[row], wait[:, row])
        else:
            for i, stage in enumerate(stages):
                _pass_side_by_side(stage, keys[i][block], now[block], wait[i][block])
        return int(block.stop - block.start)

    if arrival.size:
        in_blocks(run, n_runs, min(as_threads(threads), n_runs))
    return StageSimulation(arrival_h=arrival, departure_h=now, wait_h=wait)


def _checked_arrivals(arrival_h: ArrayLike) -> FloatArray:
    arrival = finite_array("arrival_h", arrival_h)
    matrix = 2
    if arrival.ndim != matrix:
        msg = f"arrival_h must have the shape (replications, vehicles); found {arrival.shape}."
        raise InputError(msg)
    back = np.diff(arrival, axis=1) < 0.0
    if back.any():
        row, column = (int(i) for i in np.argwhere(back)[0])
        msg = (
            f"arrival_h must not decrease along a row; it does at position ({row}, {column + 1}) "
            f"({int(back.sum())} times in all). Sort each row."
        )
        raise InputError(msg)
    return arrival


def _pass_one_by_one(
    stages: Sequence[SimulatedStage],
    streams: list[np.random.SeedSequence],
    now: FloatArray,
    wait: FloatArray,
) -> None:
    """Move one replication's times `now` from gate to exit, and write its waits at each stage."""
    from corridor.core.queues._simulation_kernels import merge, split, start_times

    n = now.size
    order, coming, passing = np.arange(n), np.empty(n, np.int64), np.empty(n, np.int64)
    for stage, stream, waits in zip(stages, streams, wait, strict=True):
        sent, needed = _drawn(stage, stream, n)
        count = split(order, sent, coming, passing)
        vehicles = coming[:count]
        arrival, service = now[vehicles], needed[vehicles]
        clock = arrival if stage.hours is None else stage.hours.operating(arrival)
        start = np.empty(count)
        start_times(clock, service, stage.servers, start)
        start, end = _on_the_clock(stage.hours, start, start + service)
        waits[vehicles] = start - arrival
        merge(vehicles, end, passing[: n - count], now, order)


def _pass_side_by_side(
    stage: SimulatedStage,
    streams: list[np.random.SeedSequence],
    now: FloatArray,
    wait: FloatArray,
) -> None:
    """Move all replications' times `now` through one stage, and write its waits."""
    draws = [_drawn(stage, stream, now.shape[1]) for stream in streams]
    sent = np.array([each[0] for each in draws])
    service = np.array([each[1] for each in draws])
    # Those who pass by go to the end of each row, where they keep no one waiting.
    coming = np.where(sent, now, np.inf)
    order = np.argsort(coming, axis=1, kind="stable")
    arrival = np.take_along_axis(coming, order, axis=1)
    service = np.take_along_axis(service, order, axis=1)
    seen = np.arange(now.shape[1]) < sent.sum(axis=1)[:, None]
    clock = arrival
    if stage.hours is not None:
        clock = np.full_like(arrival, np.inf)
        clock[seen] = stage.hours.operating(arrival[seen])
    start = _starts_across(clock, service, stage.servers, int(sent.sum(axis=1).max()))
    begun, end = _on_the_clock(stage.hours, start[seen], (start + service)[seen])
    rows, places = np.nonzero(seen)
    vehicles = order[rows, places]
    wait[rows, vehicles] = begun - arrival[seen]
    now[rows, vehicles] = end


def _on_the_clock(
    hours: OperatingHours | None, start: FloatArray, end: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the calendar times at which services begin and end, from the hours worked by then."""
    if hours is None:
        return start, end
    begun = hours.calendar(start, moment="start")
    # Who needs no work at all leaves when the turn comes.
    return begun, np.maximum(hours.calendar(end), begun)


def _drawn(
    stage: SimulatedStage, stream: np.random.SeedSequence, n: int
) -> tuple[NDArray[np.bool_], FloatArray]:
    """Return who is sent to the stage and how long each would take there [h]."""
    source = generator(stream)
    service = np.empty(n)
    fill_mean_one(source, stage.service_scv, service)
    service *= stage.service_h
    sent = source.random(n) < stage.share if stage.share < 1.0 else np.ones(n, np.bool_)
    if np.isfinite(stage.up_h):
        failures = source.poisson(service / stage.up_h)
        service += stage.repair_h * source.standard_gamma(failures)
    return sent, service


def _starts_across(arrival: FloatArray, service: FloatArray, servers: int, most: int) -> FloatArray:
    """Return when each vehicle, in the order of its row, begins to be served."""
    start = np.full_like(arrival, np.inf)
    free, rows = np.full((arrival.shape[0], servers), -np.inf), np.arange(arrival.shape[0])
    for place in range(most):
        server = free.argmin(axis=1)
        start[:, place] = np.maximum(arrival[:, place], free[rows, server])
        free[rows, server] = start[:, place] + service[:, place]
    return start
