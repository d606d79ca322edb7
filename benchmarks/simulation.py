"""Queue simulation against general event simulators, which can do far more than this kind of queue.

Ours covers first-come-first-served queues in series and nothing else: no blocking, no reneging, no
preemption. Random numbers are part of everybody's time. Answers are random too, so they need only
be near each other.
"""

import random
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from benchmarks.harness import Answer, Contestant, Run, Workload
from corridor.core.queues import (
    SimulatedStage,
    simulate_arrivals,
    simulate_queue,
    simulate_stages,
)
from corridor.core.queues._dispatch import Engine

SERVICE_H = 1.0
SHARES = (1.0, 0.6, 0.3)
"""Share of the vehicles that each stage of the tandem sees: documents, scanner, inspection."""


def by_ciw(rate: float, servers: int, vehicles: int, runs: int) -> Run:
    """Simulate with ciw, and read its records, which hold the waits."""
    import ciw

    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Exponential(rate)],
        service_distributions=[ciw.dists.Exponential(1.0 / SERVICE_H)],
        number_of_servers=[servers],
    )

    def run() -> Answer:
        means = []
        for seed in range(runs):
            ciw.seed(seed)
            queue = ciw.Simulation(network)
            queue.simulate_until_max_customers(vehicles)
            means.append(np.mean([record.waiting_time for record in queue.get_all_records()]))
        return np.full(runs, np.mean(means))

    return run


def simpy_waits(
    gaps: Iterable[float], service_h: float, servers: int, source: random.Random
) -> list[float]:
    """Simulate vehicles that come after the gaps with simpy's resource; return their waits."""
    import simpy

    world = simpy.Environment()
    booths, waits = simpy.Resource(world, capacity=servers), []

    def truck() -> Iterator[object]:
        came = world.now
        with booths.request() as turn:
            yield turn
            waits.append(world.now - came)
            yield world.timeout(source.expovariate(1.0 / service_h))

    def road() -> Iterator[object]:
        for gap in gaps:
            yield world.timeout(gap)
            world.process(truck())

    world.process(road())
    world.run()
    return waits


def by_simpy(rate: float, servers: int, vehicles: int, runs: int) -> Run:
    """Simulate with simpy."""

    def mean_of(seed: int) -> float:
        source = random.Random(seed)  # noqa: S311 (a simulation; NumPy is slower one by one)
        gaps = (source.expovariate(rate) for _ in range(vehicles))
        return float(np.mean(simpy_waits(gaps, SERVICE_H, servers, source)))

    return lambda: np.full(runs, np.mean([mean_of(seed) for seed in range(runs)]))


def queue_workload(servers: int, rate: float, vehicles: int, runs: int) -> Workload:
    """Return the simulation of one queue."""

    def ours(name: str, engine: Engine, threads: int | None) -> Contestant:
        def run() -> Answer:
            found = simulate_queue(
                rate, SERVICE_H, servers, vehicles=vehicles, replications=runs, warm_up=0.0,
                threads=threads, engine=engine,
            )  # fmt: skip
            return np.full(runs, found.mean_wait.mean())

        return Contestant(name=f"corridor, {name}", package="corridor", prepare=lambda: run)

    def peer(name: str, by: Callable[..., Run], floor: float, goal: float) -> Contestant:
        return Contestant(
            name=name, package=name, prepare=lambda: by(rate, servers, vehicles, 1),
            share=1.0 / runs, floor=floor, goal=goal,
        )  # fmt: skip

    return Workload(
        name=f"simulation-mm{servers}",
        title=f"{runs} replications of {vehicles:,} vehicles through M/M/{servers}, "
        f"{rate / servers:.0%} busy",
        contestants=(
            ours("kernel, all cores", "kernels", None),
            ours("kernel, 1 thread", "kernels", 1),
            ours("NumPy across replications", "numpy", None),
            peer("ciw", by_ciw, 600.0, 1500.0),
            peer("simpy", by_simpy, 350.0, 1000.0),
        ),
        rtol=0.5 if vehicles > 1000 else 5.0,
    )


def tandem_by_ciw(rate: float, servers: tuple[int, ...], vehicles: int) -> Run:
    """Simulate three stages with ciw, whose routing leaves out those that a stage does not see."""
    import ciw

    # From stage i the next one that sees the vehicle; what is left leaves.
    routing = np.zeros((3, 3))
    for i in range(3):
        missed = 1.0
        for j in range(i + 1, 3):
            routing[i, j] = missed * SHARES[j]
            missed *= 1.0 - SHARES[j]
    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Exponential(rate), None, None],
        service_distributions=[ciw.dists.Exponential(1.0 / SERVICE_H)] * 3,
        routing=routing.tolist(),
        number_of_servers=list(servers),
    )

    def run() -> Answer:
        ciw.seed(1)
        queue = ciw.Simulation(network)
        queue.simulate_until_max_customers(vehicles)
        waits = sum(record.waiting_time for record in queue.get_all_records())
        return np.array([waits / vehicles])

    return run


def tandem_by_simpy(rate: float, servers: tuple[int, ...], vehicles: int) -> Run:
    """Simulate three stages with simpy, each vehicle asking for those that it is sent to."""
    import simpy

    def run() -> Answer:
        source = random.Random(1)  # noqa: S311 (a simulation; NumPy is slower one by one)
        world = simpy.Environment()
        stages = [simpy.Resource(world, capacity=c) for c in servers]
        waits: list[float] = []

        def truck() -> Iterator[object]:
            for stage, share in zip(stages, SHARES, strict=True):
                if source.random() >= share:
                    continue
                came = world.now
                with stage.request() as turn:
                    yield turn
                    waits.append(world.now - came)
                    yield world.timeout(source.expovariate(1.0 / SERVICE_H))

        def road() -> Iterator[object]:
            for _ in range(vehicles):
                yield world.timeout(source.expovariate(rate))
                world.process(truck())

        world.process(road())
        world.run()
        return np.array([sum(waits) / vehicles])

    return run


def tandem(smoke: bool) -> Workload:  # noqa: FBT001
    """Return the simulation of a post with three stages, every vehicle's waits recorded."""
    vehicles, runs, rate, servers = (200, 2, 4.0, (5, 3, 2)) if smoke else (
        100_000, 10, 4.0, (5, 3, 2),
    )  # fmt: skip
    stages = [
        SimulatedStage(servers=c, service_h=SERVICE_H, share=share)
        for c, share in zip(servers, SHARES, strict=True)
    ]

    def ours(threads: int | None) -> Run:
        def run() -> Answer:
            arrival = simulate_arrivals(rate, vehicles, runs)
            found = simulate_stages(arrival, stages, threads=threads, engine="kernels")
            return np.full(runs, np.nansum(found.wait_h) / (runs * vehicles))

        return run

    return Workload(
        name="simulation-tandem",
        title=f"{runs} replications of {vehicles:,} vehicles through a post with three stages",
        contestants=(
            Contestant(
                name="corridor, all cores", package="corridor", prepare=lambda: ours(None)
            ),
            Contestant(name="corridor, 1 thread", package="corridor", prepare=lambda: ours(1)),
            Contestant(
                name="ciw", package="ciw", prepare=lambda: tandem_by_ciw(rate, servers, vehicles),
                share=1.0 / runs,
            ),
            Contestant(
                name="simpy", package="simpy",
                prepare=lambda: tandem_by_simpy(rate, servers, vehicles), share=1.0 / runs,
            ),
        ),
        rtol=0.5 if vehicles > 1000 else 5.0,
    )  # fmt: skip


WORKLOADS: dict[str, Callable[[bool], Workload]] = {
    "simulation-mm4": lambda smoke: queue_workload(4, 3.6, *((200, 4) if smoke else (10_000, 200))),
    "simulation-mm5": lambda smoke: queue_workload(5, 4.0, *((200, 4) if smoke else (100_000, 40))),
    "simulation-tandem": tandem,
}
