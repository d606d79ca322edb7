"""Run ours and the peers in turn on the same work, check that they agree, and take medians."""

import gc
import importlib.metadata
import importlib.util
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Answer = npt.NDArray[np.float64]
Run = Callable[[], Answer]


class FirstCall(NamedTuple):
    """What a fresh process took: seconds to the first answer, and its memory at most."""

    seconds: float
    peak_mib: float | None


Cold = Callable[[int], FirstCall]

BRIEF_S = 0.05
"""Calls are repeated for this long, and their mean time is taken: what other libraries drove out of
the caches, and what they left to the garbage collector, would else count against the next."""
SLOW_S = 2.0
"""A contestant that takes longer is timed in the first round only, after its warm-up call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contestant:
    """One library at one setting.

    Parameters
    ----------
    name
        Library and setting as shown.
    package
        The distribution it comes from, for its version; also its import name.
    prepare
        Imports what is needed, builds the library's own graph, and returns the call to time.
        That call returns its answers, one entry of the first axis for each unit of work.
    share
        Share of the work the call does, 0 < share <= 1: a slow peer may answer the first units
        only. Its time is scaled up and marked so.
    floor, goal
        Its time over ours that the project promises, and aims at; None for either when it does
        not. Below 1 ours may be slower: 0.5 lets it take twice the time.
    """

    name: str
    package: str
    prepare: Callable[[], Run]
    share: float = 1.0
    floor: float | None = None
    goal: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """One piece of work for several contestants, ours first.

    Parameters
    ----------
    name
        Short name for ``--only``.
    title
        What is done, with sizes.
    contestants
        Ours first; ratios are to it.
    rtol
        Relative tolerance within which the answers must agree.
    atol
        The same, absolute, where answers are small differences of large numbers.
    fresh
        Whether every call starts a process anyway, so that cold times would say nothing new.
    """

    name: str
    title: str
    contestants: tuple[Contestant, ...]
    rtol: float = 1e-12
    atol: float = 0.0
    fresh: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """What one contestant took.

    Parameters
    ----------
    name, package, version
        Who; the version is empty when the package is missing.
    seconds
        Median over the rounds, scaled up to the whole work; None when missing.
    cold_s
        Imports, building the library's graph and the first call, in a fresh process (compiled
        code from the disk cache); None unless asked for. Not scaled up.
    peak_mib
        Memory of that process at most [MiB]; None where nothing was asked or the system is silent.
    ratio
        ``seconds`` over those of the first contestant; above 1 ours is faster.
    share
        Share of the work that was timed.
    rounds
        Number of timed rounds.
    floor, goal
        The ratios promised and aimed at, where there are any.
    """

    name: str
    package: str
    version: str = ""
    seconds: float | None = None
    cold_s: float | None = None
    peak_mib: float | None = None
    ratio: float | None = None
    share: float = 1.0
    rounds: int = 0
    floor: float | None = None
    goal: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The timings of one workload."""

    name: str
    title: str
    timings: tuple[Timing, ...]
    machine: Mapping[str, str | int | None] = field(default_factory=dict)
    load_average: float | None = field(default=None)


def run_workload(workload: Workload, rounds: int, cold: Cold | None = None) -> Report:
    """Time every installed contestant, all of them once a round, each round another one first.

    ``cold`` times the contestant of a given position in a fresh process.

    Raises
    ------
    AssertionError
        When a peer's answers differ from ours.
    """
    present = [entry for entry in workload.contestants if is_installed(entry.package)]
    runs: dict[str, Run] = {}
    first = {
        entry.name: cold(position)
        for position, entry in enumerate(workload.contestants)
        if cold is not None and not workload.fresh and entry in present
    }
    once: dict[str, float] = {}
    ours: Answer | None = None
    for entry in present:
        runs[entry.name] = entry.prepare()
        once[entry.name], answer = timed(runs[entry.name])
        if rounds == 1:
            once[entry.name] = BRIEF_S
        elif once[entry.name] <= SLOW_S:
            once[entry.name] = timed(runs[entry.name])[0]
        if ours is None:
            ours = answer
        check_agreement(workload, entry.name, ours, answer)
    seconds: dict[str, list[float]] = {entry.name: [] for entry in present}
    names = list(runs)
    for turn in range(rounds):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            if turn and once[name] > SLOW_S:
                continue
            run = runs[name]
            n_calls = max(1, int(BRIEF_S / max(once[name], 1e-6)))
            seconds[name].append(mean_seconds(run, n_calls))
    medians = {
        entry.name: statistics.median(seconds[entry.name]) / entry.share for entry in present
    }
    return Report(
        name=workload.name,
        title=workload.title,
        timings=tuple(
            timing_of(
                entry, medians, first, medians[present[0].name], len(seconds.get(entry.name, ()))
            )
            for entry in workload.contestants
        ),
        machine=machine(),
        load_average=os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
    )


def timing_of(
    entry: Contestant,
    medians: Mapping[str, float],
    first: Mapping[str, FirstCall],
    baseline: float,
    rounds: int,
) -> Timing:
    """Return one line of the report; a missing package gives a line without times."""
    if entry.name not in medians:
        return Timing(name=entry.name, package=entry.package, floor=entry.floor, goal=entry.goal)
    call = first.get(entry.name)
    return Timing(
        name=entry.name,
        package=entry.package,
        version=version_of(entry.package),
        seconds=medians[entry.name],
        cold_s=None if call is None else call.seconds,
        peak_mib=None if call is None else call.peak_mib,
        ratio=medians[entry.name] / baseline,
        share=entry.share,
        rounds=rounds,
        floor=entry.floor,
        goal=entry.goal,
    )


def first_call(workload: Workload, position: int) -> FirstCall:
    """Return the seconds from the import of a library to its first answer, and the memory taken."""
    start = time.perf_counter()
    workload.contestants[position].prepare()()
    return FirstCall(time.perf_counter() - start, peak_mib())


def peak_mib() -> float | None:
    """Return the most memory that this process held [MiB]; None where the system does not say."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def timed(run: Run) -> tuple[float, Answer]:
    """Return the seconds a call took, and its answer."""
    start = time.perf_counter()
    answer = run()
    return time.perf_counter() - start, answer


def mean_seconds(run: Run, n_calls: int) -> float:
    """Return the mean time of some calls in a row, the garbage collector off."""
    gc.collect()
    gc.disable()
    start = time.perf_counter()
    for _ in range(n_calls):
        run()
    total = time.perf_counter() - start
    gc.enable()
    return total / n_calls


def check_agreement(workload: Workload, name: str, ours: Answer, theirs: Answer) -> None:
    """Assert that a contestant's answers are ours, as far as it went."""
    assert len(theirs) > 0, f"{workload.name}: {name} answered nothing"
    np.testing.assert_allclose(
        theirs,
        ours[: len(theirs)],
        rtol=workload.rtol,
        atol=workload.atol,
        err_msg=f"{workload.name}: {name} and {workload.contestants[0].name} disagree",
    )


def is_installed(package: str) -> bool:
    """Return whether the package can be imported."""
    return importlib.util.find_spec(package) is not None


def version_of(package: str) -> str:
    """Return the version of a distribution; "checkout" for a package that is not installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "checkout"


def machine() -> dict[str, str | int | None]:
    """Return what the times were taken on."""
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "numpy": version_of("numpy"),
        "numba": version_of("numba"),
    }


def table_of(report: Report) -> str:
    """Return a report as text."""
    lines = [f"{report.name}: {report.title}"]
    for timing in report.timings:
        if timing.seconds is None:
            lines.append(f"  {timing.name:<34} not installed")
            continue
        note = "" if timing.share == 1.0 else f", scaled up from {timing.share:.2%} of the work"
        lines.append(
            f"  {timing.name:<34} {1e3 * timing.seconds:>11,.2f} ms {timing.ratio:>9,.2f}x"
            f"   {timing.package} {timing.version}{note}"
        )
        if timing.cold_s is not None:
            lines[-1] += f", {timing.cold_s:.2f} s in a fresh process"
        if timing.peak_mib is not None:
            lines[-1] += f", {timing.peak_mib:,.0f} MiB at most"
    return "\n".join(lines)
