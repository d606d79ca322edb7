"""Samples of a study's uncertain numbers: against rebuilding each plan, and by more workers."""

from collections.abc import Callable, Iterator
from functools import cache, partial

import numpy as np
import numpy.typing as npt

from benchmarks.harness import Answer, Contestant, Run, Workload
from corridor.core.flows import min_cost_flow
from corridor.core.paths import shortest_trees
from corridor.planning import Model
from corridor.study import load_study
from corridor.study.uncertainty.chunks import TOLERANCE, Desk, Packed, Task, Work, tasks_of
from corridor.study.uncertainty.executors import Executor, solved
from corridor.study.uncertainty.samples import cell_values
from corridor.study.uncertainty.scenarios import ScenarioCompiler
from corridor.study.uncertainty.sweeps import prepared
from corridor.study.uncertainty.tables import sample_table

IntArray = npt.NDArray[np.int32]

STUDY, VARIANT = "crossroads", "crossroads_full"
COST = "total_loss"
MUSD_PER_YEAR = 365e-6


@cache
def swept() -> tuple[Work, Desk]:
    """Return the sweep of the bundled study's main variant, ready to be solved."""
    return prepared(load_study(STUDY), [VARIANT], 0)


def drawn(n: int) -> tuple[ScenarioCompiler, Answer]:
    """Return the variant's compiler and the numbers of its cells in the first n samples."""
    work, desk = swept()
    compiler = desk.compiler(VARIANT)[0]
    return compiler, cell_values(compiler.cells, work.sampler.scores(0, n))


# -- plans: the optimum of each sample -------------------------------------------------------------


def by_sweep(n: int, executor: Executor = 1) -> Run:
    """Change the compiled model's numbers, and solve from the stored paths."""
    work, desk = swept()
    position = [key.indicator for key in desk.compiler(VARIANT)[1].keys].index(COST)
    tasks = tasks_of([VARIANT], n)

    def run() -> Answer:
        chunks = sorted(solved(work, desk, tasks, executor), key=lambda chunk: chunk.first)
        return np.concatenate([chunk.values[:, position] for chunk in chunks])

    return run


def by_rebuilding(n: int, count: int) -> Run:
    """Set the cells in the tables, compile them, and solve from nothing at the same gap."""
    work, _ = swept()
    compiler, values = drawn(n)

    def run() -> Answer:
        costs = []
        for row in values[:count]:
            problem = compiler.compiled(row).flow_problem(
                congestion=True, unmet_usd_per_t=work.study.header.unmet_usd_per_t
            )
            costs.append(min_cost_flow(problem, TOLERANCE, threads=1).objective * MUSD_PER_YEAR)
        return np.array(costs)

    return run


# -- skims: the least generalized cost of each shipment, queues as the background makes them -------


def free_costs(model: Model) -> Answer:
    """Return generalized cost by class and arc, inf where closed [USD/t]."""
    return np.where(model.allowed, model.class_cost(with_wait=True), np.inf)


def shipments(model: Model) -> Iterator[tuple[int, int, list[int], list[int]]]:
    """Yield class, origin node, shipments and their destination nodes."""
    net, goods = model.supernetwork, model.shipments
    source, sink = net.source[goods.origin], net.sink[goods.destination]
    pairs: dict[tuple[int, int], list[int]] = {}
    for row, key in enumerate(zip(model.class_of.tolist(), source.tolist(), strict=True)):
        pairs.setdefault(key, []).append(row)
    for (kind, origin), rows in pairs.items():
        yield kind, origin, rows, sink[rows].tolist()


def skims_by_kernels(n: int) -> Run:
    """Change the compiled model's numbers; one tree for each class and origin."""
    compiler, values = drawn(n)
    pairs = list(shipments(compiler.nominal))
    kinds, origins = (np.array([pair[i] for pair in pairs], dtype=np.int64) for i in (0, 1))

    def run() -> Answer:
        found = np.empty((n, len(compiler.nominal.shipments)))
        for sample, row in enumerate(values):
            model = compiler.model(row)
            distance, _ = shortest_trees(
                model.supernetwork.graph, free_costs(model), kinds, origins.astype(np.int32),
                threads=1,
            )  # fmt: skip
            for tree, (_, _, rows, nodes) in enumerate(pairs):
                found[sample, rows] = distance[tree, nodes]
        return found

    return run


def skims_by_scipy(n: int, count: int) -> Run:
    """Compile the tables of each sample; SciPy's Dijkstra for each class and origin."""
    import scipy.sparse as sp
    from scipy.sparse.csgraph import dijkstra

    compiler, values = drawn(n)
    pairs = list(shipments(compiler.nominal))
    graph = compiler.nominal.supernetwork.graph
    size = graph.n_nodes

    def run() -> Answer:
        found = np.empty((count, len(compiler.nominal.shipments)))
        for sample, row in enumerate(values[:count]):
            cost = free_costs(compiler.compiled(row))
            matrices: dict[int, sp.csr_matrix] = {}
            for kind, origin, rows, nodes in pairs:
                if kind not in matrices:
                    matrices[kind] = _matrix(graph.tail, graph.head, cost[kind], size)
                found[sample, rows] = dijkstra(matrices[kind], indices=[origin])[0, nodes]
        return found

    def _matrix(tail: IntArray, head: IntArray, cost: Answer, size: int) -> sp.csr_matrix:
        # Of parallel arcs the cheapest counts: it is written last.
        order = np.argsort(-cost, kind="stable")
        order = order[np.isfinite(cost[order])]
        least = dict(
            zip(
                zip(tail[order].tolist(), head[order].tolist(), strict=True),
                # SciPy takes 0 for no arc.
                np.maximum(cost[order], 1e-300).tolist(),
                strict=True,
            )
        )
        ends = np.array(list(least), dtype=np.int64).reshape(-1, 2)
        return sp.csr_matrix((list(least.values()), (ends[:, 0], ends[:, 1])), shape=(size, size))

    return run


def skims_by_networkx(n: int, count: int) -> Run:
    """Compile the tables of each sample; networkx's Dijkstra for each class and origin."""
    import networkx as nx

    compiler, values = drawn(n)
    pairs = list(shipments(compiler.nominal))
    graph = compiler.nominal.supernetwork.graph
    ends = list(zip(graph.tail.tolist(), graph.head.tolist(), strict=True))

    def run() -> Answer:
        found = np.full((count, len(compiler.nominal.shipments)), np.inf)
        for sample, row in enumerate(values[:count]):
            cost = free_costs(compiler.compiled(row))
            graphs: dict[int, nx.DiGraph[int]] = {}
            for kind, origin, rows, nodes in pairs:
                if kind not in graphs:
                    least: dict[tuple[int, int], float] = {}
                    for pair, usd in zip(ends, cost[kind].tolist(), strict=True):
                        least[pair] = min(usd, least.get(pair, np.inf))
                    graphs[kind] = nx.DiGraph()
                    graphs[kind].add_weighted_edges_from(
                        (a, b, usd) for (a, b), usd in least.items() if usd < np.inf
                    )
                reached = nx.single_source_dijkstra_path_length(graphs[kind], origin)
                found[sample, rows] = [reached.get(node, np.inf) for node in nodes]
        return found

    return run


def study_samples(smoke: bool) -> Workload:  # noqa: FBT001 (the registry's signature)
    """Optimal plans of samples."""
    n, count = (2, 1) if smoke else (16, 4)
    return Workload(
        name="study_samples",
        title=f"{n} samples of the bundled study's main variant, optimal to {TOLERANCE:g}",
        contestants=(
            Contestant(name="corridor sweep", package="corridor", prepare=lambda: by_sweep(n)),
            Contestant(
                name="each plan rebuilt from its tables", package="ortools",
                prepare=lambda: by_rebuilding(n, count), share=count / n,
            ),
        ),
        rtol=2.0 * TOLERANCE,
    )  # fmt: skip


# -- workers: the same samples by more of them, and what they cost besides time --------------------


def by_dask(n: int, workers: int) -> Run:
    """Let a dask cluster on this machine do it."""
    from distributed import Client, LocalCluster

    def run() -> Answer:
        cluster = LocalCluster(  # type: ignore[no-untyped-call]
            n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=None
        )
        with cluster, Client(cluster, set_as_default=False) as client:  # type: ignore[no-untyped-call]
            return by_sweep(n, client)()

    return run


def shipped_bytes() -> int:
    """Return what is sent to a worker, once [bytes]."""
    return len(Packed.of(swept()[0]).content)


def sample_bytes(n: int) -> float:
    """Return the memory of a sample in the table that a sweep returns [bytes]."""
    _, desk = swept()
    table = sample_table([desk.solve(Task(VARIANT, 0, n))], desk.compiler(VARIANT)[1].keys)
    return float(table.memory_usage(index=False, deep=True).sum()) / n


def study_workers(smoke: bool) -> Workload:  # noqa: FBT001 (the registry's signature)
    """Sample by one and two workers; the start of these is part of it."""
    n, more = (2, ()) if smoke else (256, (2,))
    return Workload(
        name="study_workers",
        title=(
            f"{n} samples of the bundled study's main variant by workers, their start included, "
            f"same bits; {shipped_bytes() / 1e6:.1f} MB shipped to each, "
            f"{sample_bytes(min(n, 16)) / 1e3:.1f} GB of memory a million samples"
        ),
        contestants=(
            Contestant(name="this process", package="corridor", prepare=lambda: by_sweep(n)),
            *(
                Contestant(
                    name=f"{k} processes", package="corridor", prepare=partial(by_sweep, n, k)
                )
                for k in more
            ),
            *(
                Contestant(
                    name=f"dask, workers: {k}",
                    package="distributed",
                    prepare=partial(by_dask, n, k),
                )
                for k in (1, *more)
            ),
        ),
        rtol=0.0,
    )


def study_skims(smoke: bool) -> Workload:  # noqa: FBT001 (the registry's signature)
    """Door-to-door costs of samples."""
    n, count, few = (2, 1, 1) if smoke else (16, 2, 1)
    return Workload(
        name="study_skims",
        title=f"{n} samples of the bundled study: least cost of each shipment, from the tables",
        contestants=(
            Contestant(name="corridor", package="corridor", prepare=lambda: skims_by_kernels(n)),
            Contestant(
                name="scipy loop, tables compiled", package="scipy",
                prepare=lambda: skims_by_scipy(n, count), share=count / n,
            ),
            Contestant(
                name="networkx loop, tables compiled", package="networkx",
                prepare=lambda: skims_by_networkx(n, few), share=few / n,
            ),
        ),
        rtol=1e-9,
    )  # fmt: skip


WORKLOADS: dict[str, Callable[[bool], Workload]] = {
    "study_samples": study_samples,
    "study_skims": study_skims,
    "study_workers": study_workers,
}
