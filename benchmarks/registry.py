"""All workloads by name."""

from collections.abc import Callable

from benchmarks import paths
from benchmarks.harness import Workload

WORKLOADS: dict[str, Callable[[bool], Workload]] = {**paths.WORKLOADS}
"""Name -> function of ``smoke`` that builds the workload (tiny when it is true)."""


def workload(name: str, *, smoke: bool) -> Workload:
    """Build a workload, in tiny size for a smoke test."""
    return WORKLOADS[name](smoke)


def names() -> list[str]:
    """Return the names in the order in which they run."""
    return list(WORKLOADS)
