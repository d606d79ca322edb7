"""All workloads by name, in groups."""

from collections.abc import Callable

from benchmarks import (
    coalitions,
    design,
    equilibrium,
    flows,
    geo,
    imports,
    pareto,
    paths,
    queues,
    resolve,
    simulation,
    studies,
)
from benchmarks.harness import Workload

GROUPS: dict[str, dict[str, Callable[[bool], Workload]]] = {
    "paths": {**paths.WORKLOADS, **pareto.WORKLOADS, **geo.WORKLOADS, **imports.WORKLOADS},
    "geo": geo.WORKLOADS,
    "imports": imports.WORKLOADS,
    "flows": {**equilibrium.WORKLOADS, **flows.WORKLOADS, **resolve.WORKLOADS},
    "design": design.WORKLOADS,
    "games": coalitions.WORKLOADS,
    "studies": studies.WORKLOADS,
    "queues": {**queues.WORKLOADS, **simulation.WORKLOADS},
}
"""Group -> name -> function of ``smoke`` that builds the workload (tiny when it is true). A group
may hold workloads of another one: what the path engine stands on is part of it."""

WORKLOADS = {name: build for group in GROUPS.values() for name, build in group.items()}


def workload(name: str, *, smoke: bool) -> Workload:
    """Build a workload, in tiny size for a smoke test."""
    return WORKLOADS[name](smoke)


def names(group: str | None = None) -> list[str]:
    """Return the names of a group, or all names, in the order in which they run."""
    return list(WORKLOADS if group is None else GROUPS[group])


def named(word: str) -> list[str]:
    """Return the workloads that a group's or a workload's name stands for."""
    return names(word) if word in GROUPS else [word]


def group_of(name: str) -> str:
    """Return the smallest group that holds a workload."""
    return min(
        (group for group in GROUPS if name in GROUPS[group]), key=lambda group: len(GROUPS[group])
    )
