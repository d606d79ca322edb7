"""Simulation of one queue: Erlang's formulas, textbook recursions, ciw and simpy, same bits."""

import heapq
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from corridor.core.queues import mean_wait, simulate_queue
from corridor.core.queues.simulation import estimate_mean, fill_draws, seed_streams
from corridor.errors import InputError

CASES = [(4.0, 1.0, 5, 1.0, 1.0), (0.8, 1.0, 1, 1.0, 0.0), (30.0, 1.0, 40, 1.0, 0.5)]


def by_heap(draws: np.ndarray, gap: float, service: float, servers: int) -> np.ndarray:
    """Return the waits by the event list that textbooks draw: a heap of free servers."""
    n = draws.size // 2
    free, now, waits = [0.0] * servers, 0.0, []
    for i in range(n):
        now += draws[i] * gap
        start = max(now, heapq.heappop(free))
        waits.append(start - now)
        heapq.heappush(free, start + draws[n + i] * service)
    return np.array(waits)


@pytest.mark.parametrize("servers", [1, 2, 5, 33, 70])
def test_waits_are_those_of_an_event_list(servers: int) -> None:
    rate = 0.95 * servers
    found = simulate_queue(rate, 1.0, servers, vehicles=1500, replications=3, warm_up=0.2, seed=9)
    for run, stream in enumerate(seed_streams(9, 3)):
        draws = np.empty(3000)
        fill_draws(stream, [1.0, 1.0], draws)
        waits = by_heap(draws, 1.0 / rate, 1.0, servers)[300:]
        assert found.mean_wait[run] == pytest.approx(waits.mean(), rel=1e-12)
        assert found.share_waiting[run] == (waits > 0).mean()


@pytest.mark.parametrize("case", [*CASES, (2.0, 1.0, 3, 0.5, 2.0), (40.0, 1.0, 41, 1.0, 1.0)])
def test_engines_and_threads_give_the_same_bits(case: tuple) -> None:
    runs = [
        simulate_queue(*case, vehicles=700, replications=7, seed=3, engine=engine, threads=threads)
        for engine, threads in (("numpy", 1), ("kernels", 1), ("kernels", 3))
    ]
    for other in runs[1:]:
        np.testing.assert_array_equal(runs[0].mean_wait, other.mean_wait)
        np.testing.assert_array_equal(runs[0].share_waiting, other.share_waiting)


@pytest.mark.parametrize("case", CASES)
def test_the_interval_holds_the_exact_mean(case: tuple) -> None:
    found = simulate_queue(*case, vehicles=20_000, replications=60, seed=5).wait(level=0.999)
    assert found.low < mean_wait(*case) < found.high
    assert found.half_width < 0.2 * found.mean


def test_intervals_hold_the_mean_as_often_as_they_say() -> None:
    rng = np.random.default_rng(2)
    hits = 0
    for _ in range(2000):
        found = estimate_mean(rng.normal(7.0, 2.0, 8), level=0.9)
        hits += found.low < 7.0 < found.high
    assert abs(hits / 2000 - 0.9) < 4 * (0.09 / 2000) ** 0.5


def test_more_servers_never_wait_longer_with_the_same_numbers() -> None:
    few, more = (simulate_queue(3.6, 1.0, c, vehicles=3000, seed=4).mean_wait for c in (4, 5))
    assert (more <= few).all()
    assert (more < few).any()


def ciw_waits(seed: int, vehicles: int) -> list[float]:
    """Return the waits of an M/M/5 queue by ciw."""
    ciw = pytest.importorskip("ciw")
    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Exponential(4.0)],
        service_distributions=[ciw.dists.Exponential(1.0)],
        number_of_servers=[5],
    )
    ciw.seed(seed)
    queue = ciw.Simulation(network)
    queue.simulate_until_max_customers(vehicles)
    records = sorted(queue.get_all_records(), key=lambda record: record.arrival_date)
    return [record.waiting_time for record in records]


def simpy_waits(seed: int, vehicles: int) -> list[float]:
    """Return the waits of an M/M/5 queue by simpy."""
    simpy = pytest.importorskip("simpy")
    rng, world = np.random.default_rng(seed), simpy.Environment()
    booths, waits = simpy.Resource(world, capacity=5), []

    def truck() -> Iterator[object]:
        came = world.now
        with booths.request() as turn:
            yield turn
            waits.append(world.now - came)
            yield world.timeout(rng.exponential(1.0))

    def road() -> Iterator[object]:
        for _ in range(vehicles):
            yield world.timeout(rng.exponential(0.25))
            world.process(truck())

    world.process(road())
    world.run()
    return waits


@pytest.mark.parametrize("peer_waits", [ciw_waits, simpy_waits])
def test_other_libraries_agree(peer_waits: Callable[[int, int], list[float]]) -> None:
    means = [np.mean(peer_waits(seed, 3000)[300:]) for seed in range(8)]
    theirs = estimate_mean(np.array(means), 0.999)
    ours = simulate_queue(4.0, 1.0, 5, vehicles=3000, replications=40, seed=6).wait(0.999)
    assert max(theirs.low, ours.low) < min(theirs.high, ours.high)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"servers": 0}, "servers must be whole numbers >= 1; found 0"),
        ({"servers": 1.5}, "servers must be whole numbers >= 1; found 1.5"),
        ({"arrival_rate": 0.0}, "arrival_rate must be finite and > 0"),
        ({"service_time": -1.0}, "service_time must be finite and >= 0"),
        ({"service_scv": np.nan}, "service_scv must be finite and >= 0"),
        ({"vehicles": 0}, "vehicles must be whole numbers >= 1"),
        ({"warm_up": 1.0}, "warm_up must be a share of the vehicles below 1"),
        ({"seed": -1}, "seed must be finite and >= 0"),
        ({"threads": 0}, "threads must be a whole number >= 1"),
        ({"engine": "gpu"}, "engine must be"),
    ],
)
def test_bad_input_is_named(change: dict, words: str) -> None:
    right = {"arrival_rate": 1.0, "service_time": 0.5, "servers": 1, "vehicles": 10}
    right |= {"engine": "kernels"}
    with pytest.raises(InputError, match=words):
        simulate_queue(**(right | change))


def test_values_without_a_mean_are_refused() -> None:
    for values in (np.array([]), np.array([[1.0]]), np.array([1.0, np.inf])):
        with pytest.raises(InputError, match="values must be finite"):
            estimate_mean(values)
    with pytest.raises(InputError, match="level"):
        estimate_mean(np.ones(3), level=1.0)
    assert estimate_mean(np.ones(1)).half_width == np.inf
