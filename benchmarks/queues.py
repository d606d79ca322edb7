"""Erlang's delay formula against recursions and scipy."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks.harness import Answer, Contestant, Run, Workload
from corridor.core.queues import erlang_c
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

    def peer(name: str, prepare: Callable[[Booths], Run], package: str = "numpy") -> Contestant:
        return Contestant(name=name, package=package, prepare=lambda: prepare(booths))

    return Workload(
        name="erlang-c",
        title=f"Erlang C of {n_queues:,} queues with 1 to 50 servers",
        contestants=(
            ours("kernel, all cores", "kernels", None),
            ours("kernel, 1 thread", "kernels", 1),
            ours("closed form", "numpy", None),
            peer("NumPy, sorted recursion", by_sorting),
            peer("NumPy, masked recursion", by_masks),
            peer("scipy, Poisson tail", by_poisson_tail, "scipy"),
            Contestant(
                name="Python recursion",
                package="numpy",
                prepare=lambda: by_python(booths, n_slow),
                share=n_slow / n_queues,
            ),
        ),
    )


WORKLOADS: dict[str, Callable[[bool], Workload]] = {"erlang-c": erlang}
