"""Erlang's delay formula against recursions and scipy; a day's queue solved against simulated."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from benchmarks.harness import Answer, Contestant, Run, Workload
from benchmarks.simulation import simpy_waits
from corridor.core.queues import (
    SimulatedStage,
    erlang_c,
    periodic_queue,
    simulate_arrivals,
    simulate_stages,
)
from corridor.core.queues._dispatch import Engine
from corridor.core.queues._inputs import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Booths:
    """Queues of 1 to 50 booths in no order, at 5 to 98 % utilization."""

    servers: FloatArray
    load: FloatArray

    @classmethod
    def of(cls, n_queues: int) -> "Booths":
        """Draw them."""
        rng = np.random.default_rng(n_queues)
        servers = rng.integers(1, 51, n_queues).astype(np.float64)
        return cls(servers=servers, load=servers * rng.uniform(0.05, 0.98, n_queues))


def by_python(booths: Booths, n_queues: int) -> Run:
    """Recur over the servers of one queue after the other, as textbooks do."""
    pairs = list(zip(booths.servers.tolist(), booths.load.tolist(), strict=True))[:n_queues]

    def one(servers: float, load: float) -> float:
        blocking = 1.0
        for server in range(1, int(servers) + 1):
            blocking = load * blocking / (server + load * blocking)
        return servers * blocking / (servers - load * (1.0 - blocking))

    return lambda: np.array([one(servers, load) for servers, load in pairs])


def by_masks(booths: Booths) -> Run:
    """Recur over all queues at once, a mask telling which have so many servers."""
    servers, load = booths.servers, booths.load

    def run() -> Answer:
        inverse = np.ones(load.size)
        for server in range(1, int(servers.max()) + 1):
            inverse = np.where(server <= servers, 1.0 + inverse * server / load, inverse)
        return servers / ((servers - load) * inverse + load)

    return run


def by_sorting(booths: Booths) -> Run:
    """Recur over the queues sorted by servers, in place, over fewer and fewer of them."""
    servers, load = booths.servers, booths.load

    def run() -> Answer:
        order = np.argsort(servers.astype(np.int16), kind="stable")[::-1]
        c, a = servers[order], load[order]
        per_load = 1.0 / a
        inverse = np.ones(load.size)
        n_left = np.searchsorted(-c, -np.arange(1.0, c[0] + 1.0), side="right")
        for server, n in enumerate(n_left.tolist(), start=1):
            part = inverse[:n]
            part *= per_load[:n]
            part *= server
            part += 1.0
        answer = np.empty(load.size)
        answer[order] = c / ((c - a) * inverse + a)
        return answer

    return run


def by_poisson_tail(booths: Booths) -> Run:
    """Take the sum in Erlang's formula as a tail of the Poisson distribution."""
    from scipy.special import gammaln, pdtr

    c, a = booths.servers, booths.load

    def run() -> Answer:
        blocking = np.exp(c * np.log(a) - a - gammaln(c + 1.0)) / pdtr(c, a)
        return c * blocking / (c - a * (1.0 - blocking))

    return run


def erlang(smoke: bool) -> Workload:  # noqa: FBT001
    """Evaluate Erlang C for many queues at once."""
    booths = Booths.of(200 if smoke else 1_000_000)
    n_queues = booths.servers.size
    n_slow = n_queues // 50

    def ours(name: str, engine: Engine, threads: int | None) -> Contestant:
        def run() -> Answer:
            return erlang_c(booths.servers, booths.load, engine=engine, threads=threads)

        return Contestant(name=f"corridor, {name}", package="corridor", prepare=lambda: run)

    def peer(
        name: str,
        prepare: Callable[[Booths], Run],
        package: str = "numpy",
        floor: float | None = None,
        goal: float | None = None,
    ) -> Contestant:
        return Contestant(
            name=name, package=package, prepare=lambda: prepare(booths), floor=floor, goal=goal
        )

    return Workload(
        name="erlang-c",
        title=f"Erlang C of {n_queues:,} queues with 1 to 50 servers",
        contestants=(
            ours("kernel, all cores", "kernels", None),
            ours("kernel, 1 thread", "kernels", 1),
            ours("closed form", "numpy", None),
            peer("NumPy, sorted recursion", by_sorting, floor=9.0, goal=25.0),
            peer("NumPy, masked recursion", by_masks),
            peer("scipy, Poisson tail", by_poisson_tail, "scipy"),
            Contestant(
                name="Python recursion",
                package="numpy",
                prepare=lambda: by_python(booths, n_slow),
                share=n_slow / n_queues,
                floor=120.0,
                goal=300.0,
            ),
        ),
    )


def thinned_gaps(rate: FloatArray, vehicles: int, source: random.Random) -> Iterator[float]:
    """Yield the times between vehicles whose rate changes by the hour, by thinning."""
    most, now, last = float(rate.max()), 0.0, 0.0
    sent = 0
    while sent < vehicles:
        now += source.expovariate(most)
        if source.random() * most < rate[int(now) % rate.size]:
            yield now - last
            last, sent = now, sent + 1


def day_by_simpy(rate: FloatArray, service_h: float, servers: int, vehicles: int) -> Run:
    """Simulate vehicles whose rate changes by the hour with simpy."""

    def run() -> Answer:
        source = random.Random(1)  # noqa: S311 (a simulation; NumPy is slower one by one)
        gaps = thinned_gaps(rate, vehicles, source)
        return np.array([np.mean(simpy_waits(gaps, service_h, servers, source))])

    return run


def day(smoke: bool) -> Workload:  # noqa: FBT001
    """Find the mean wait at a post with a daily swing, exactly and to a standard error of 1 %."""
    swing = 1.0 + 0.5 * np.sin(2.0 * np.pi * np.arange(24) / 24.0)
    rate, service_h, servers = 10.0 * swing, 0.5, 9
    vehicles = 100_000 if smoke else 3_160_000  # found from the spread of 40 replications
    n_runs = 10

    def ours(name: str, engine: Engine) -> Contestant:
        def run() -> Answer:
            found = periodic_queue(rate, service_h, servers, engine=engine)
            return np.array([found.average_wait])

        return Contestant(name=f"corridor, {name}", package="corridor", prepare=lambda: run)

    def simulated() -> Answer:
        arrival = simulate_arrivals(10.0, vehicles // n_runs, n_runs, profile=swing)
        stage = SimulatedStage(servers=servers, service_h=service_h)
        return np.array([simulate_stages(arrival, [stage], engine="kernels").wait_h.mean()])

    return Workload(
        name="day-profile",
        title="mean wait at 9 booths, arrivals swinging by half over the day: exact to 1e-10, "
        f"against {vehicles:,} simulated vehicles (standard error 1 %)",
        rtol=5.0 if smoke else 0.3,
        contestants=(
            ours("uniformization, kernels", "kernels"),
            ours("uniformization, NumPy", "numpy"),
            Contestant(name="corridor, simulation", package="corridor", prepare=lambda: simulated),
            Contestant(
                name="simpy",
                package="simpy",
                prepare=lambda: day_by_simpy(rate, service_h, servers, vehicles // 100),
                share=0.01,
            ),
        ),
    )


WORKLOADS: dict[str, Callable[[bool], Workload]] = {"erlang-c": erlang, "day-profile": day}
