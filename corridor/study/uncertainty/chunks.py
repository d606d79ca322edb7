"""The work of a sweep in pieces: a chunk is some samples of one variant, solved one by one.

Each sample starts from the same stored paths, those of the variant's nominal plan and of some pilot
samples. So what comes out depends on study, seed and chunk alone, not on who solves it or when.
"""

import hashlib
import pickle
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from corridor.core.flows import FlowResult, Shortcuts, min_cost_flow
from corridor.core.flows.result import PathColumns
from corridor.core.graph import Graph
from corridor.core.paths import skim
from corridor.errors import CorridorError
from corridor.planning import Model
from corridor.study.studies import Study
from corridor.study.uncertainty.inputs import Inputs
from corridor.study.uncertainty.readings import Readings
from corridor.study.uncertainty.samples import CHUNK, Factor, Sampler, cell_values
from corridor.study.uncertainty.scenarios import ScenarioCompiler

FloatArray: TypeAlias = NDArray[np.float64]

TOLERANCE: Final = 1e-3
"""Relative gap at which a sample counts as solved; its own certified gap is kept. What the draws do
to the cost is some hundred times as much."""
PILOTS: Final = 16
"""Samples whose paths are stored beside those of the nominal plan."""
_NEGLIGIBLE: Final = 1e-9
"""Part of the demand that may stay behind while a sample still counts as served."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Work:
    """What a worker must know, shipped to it once.

    Attributes
    ----------
    study, variants
        The study, and the variants to be sampled.
    inputs, factors, seed
        How samples are drawn.
    columns
        The stored paths of each variant.
    """

    study: Study
    variants: tuple[str, ...]
    inputs: Inputs
    factors: tuple[Factor, ...]
    seed: int
    columns: Mapping[str, PathColumns]

    @property
    def sampler(self) -> Sampler:
        """What draws the samples."""
        return Sampler(inputs=self.inputs, factors=self.factors, seed=self.seed)


@dataclass(frozen=True, slots=True)
class Packed:
    """Work as bytes; equal where the digests are."""

    digest: str
    content: bytes = field(compare=False, repr=False)

    @classmethod
    def of(cls, work: Work) -> "Packed":
        """Return the work, pickled."""
        content = pickle.dumps(work, protocol=pickle.HIGHEST_PROTOCOL)
        return cls(hashlib.sha256(content).hexdigest(), content)


@dataclass(frozen=True, slots=True, order=True)
class Task:
    """Samples ``first`` to ``first + n - 1`` of a variant."""

    variant: str
    first: int
    n: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Chunk:
    """Solved samples of one variant.

    Attributes
    ----------
    variant, first
        Whose they are, and the number of the first.
    status
        ``optimal``, ``partial``, ``feasible``, ``infeasible`` or ``unknown``, as of a plan.
    reason
        Why there is no flow: ids of rules, a limit, or the message of an error; else empty.
    gap, seconds : ndarray of float64, shape (n_samples,)
        Certified relative gap (NaN without a flow), and processor time [s].
    values : ndarray of float64, shape (n_samples, n_keys)
        Indicators in the order of `Readings.keys`; NaN without a flow.
    """

    variant: str
    first: int
    status: tuple[str, ...]
    reason: tuple[str, ...]
    gap: FloatArray
    seconds: FloatArray
    values: FloatArray

    def __len__(self) -> int:
        return len(self.status)


class Desk:
    """Where a worker solves: the variants it has compiled so far.

    Parameters
    ----------
    work
        What to do.
    compilers
        Those of its variants that are there already.
    """

    def __init__(self, work: Work, compilers: Mapping[str, ScenarioCompiler] | None = None) -> None:
        load_kernels()
        self._work = work
        self._compilers = {
            name: (compiler, Readings(compiler.nominal))
            for name, compiler in (compilers or {}).items()
        }

    def compiler(self, variant: str) -> tuple[ScenarioCompiler, Readings]:
        """Return what compiles and reads the samples of a variant."""
        if variant not in self._compilers:
            compiler = ScenarioCompiler.of(self._work.study, self._work.inputs, variant)
            self._compilers[variant] = compiler, Readings(compiler.nominal)
        return self._compilers[variant]

    def solve(self, task: Task) -> Chunk:
        """Solve some samples of a variant."""
        compiler, readings = self.compiler(task.variant)
        scores = self._work.sampler.scores(task.first, task.n)
        values = cell_values(compiler.cells, scores)
        found = [self._sample(compiler, readings, task.variant, drawn) for drawn in values]
        return Chunk(
            variant=task.variant,
            first=task.first,
            status=tuple(one.status for one in found),
            reason=tuple(one.reason for one in found),
            gap=np.array([one.gap for one in found]),
            seconds=np.array([one.seconds for one in found]),
            values=np.array([one.values for one in found]).reshape(len(found), len(readings.keys)),
        )

    def _sample(
        self, compiler: ScenarioCompiler, readings: Readings, variant: str, drawn: FloatArray
    ) -> "_Sample":
        start = time.thread_time()
        blank = np.full(len(readings.keys), np.nan)
        try:
            model = compiler.model(drawn)
            if model.breaches:
                rules = ">".join(sorted({breach.rule_id for breach in model.breaches}))
                status, reason, gap, values = "infeasible", rules, np.nan, blank
            else:
                result = solve_model(
                    model, self._work.study, self._work.columns[variant], compiler.shortcuts
                )
                status, reason, gap = _status(model, result), result.limit, result.relative_gap
                solved = result.status in ("optimal", "feasible")
                values = readings.read(model, result) if solved else blank
        except CorridorError as error:
            status, reason, gap, values = "unknown", str(error), np.nan, blank
        seconds = time.thread_time() - start
        return _Sample(status=status, reason=reason, gap=gap, seconds=seconds, values=values)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Sample:
    status: str
    reason: str
    gap: float
    seconds: float
    values: FloatArray


def solve_model(
    model: Model, study: Study, columns: PathColumns | None, shortcuts: Shortcuts
) -> FlowResult:
    """Return the optimal flow of a compiled sample, from stored paths."""
    problem = model.flow_problem(congestion=True, unmet_usd_per_t=study.header.unmet_usd_per_t)
    # A sample that was compiled from its tables has a graph of its own.
    mine = shortcuts if problem.graph is shortcuts.whole else None
    return min_cost_flow(problem, tolerance=TOLERANCE, columns=columns, shortcuts=mine, threads=1)


def _status(model: Model, result: FlowResult) -> str:
    """Return the status of a plan with this flow."""
    if result.status == "unbounded":
        return "unknown"
    left = result.unmet > np.maximum(1e-6, _NEGLIGIBLE * model.t_per_day)
    return "partial" if result.status == "optimal" and left.any() else result.status


def load_kernels() -> None:
    """Load the compiled kernels, so that every worker prices by the same searches."""
    skim(Graph(2, [0], [1]), [1.0], [0], [1], method="kernels")


def stored_columns(study: Study, sampler: Sampler, compiler: ScenarioCompiler) -> PathColumns:
    """Return the paths that every sample of a variant starts from.

    Those that carry something in the nominal plan and in the plans of the first `PILOTS` samples.
    """
    if compiler.nominal.breaches:
        return PathColumns(
            commodity=np.zeros(0, np.int64),
            indptr=np.zeros(1, np.int64),
            arcs=np.zeros(0, np.int32),
        )
    nominal = solve_model(compiler.nominal, study, None, compiler.shortcuts)
    # Paths that carried nothing are left out: they cost each program more than they save rounds.
    found = [(nominal.path_commodity, list(nominal.path_arcs))]
    for drawn in cell_values(compiler.cells, sampler.scores(0, PILOTS)):
        try:
            model = compiler.model(drawn)
        except CorridorError:
            continue
        if not model.breaches:
            result = solve_model(model, study, nominal.columns, compiler.shortcuts)
            found.append((result.path_commodity, list(result.path_arcs)))
    return _joined(found)


def _joined(found: Sequence[tuple[NDArray[np.int64], Sequence[NDArray[np.int32]]]]) -> PathColumns:
    """Return paths of several results, each once."""
    paths: dict[tuple[int, bytes], NDArray[np.int32]] = {}
    for commodity, arcs in found:
        for owner, path in zip(commodity.tolist(), arcs, strict=True):
            paths.setdefault((owner, path.tobytes()), path)
    sizes = [path.size for path in paths.values()]
    return PathColumns(
        commodity=np.array([owner for owner, _ in paths], dtype=np.int64),
        indptr=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        arcs=np.concatenate([np.zeros(0, np.int32), *paths.values()]),
    )


def tasks_of(variants: Sequence[str], samples: int) -> list[Task]:
    """Return the chunks of some variants: fixed ones of `CHUNK` samples, the last perhaps less."""
    return [
        Task(variant, first, min(CHUNK, samples - first))
        for variant in variants
        for first in range(0, samples, CHUNK)
    ]


@lru_cache(maxsize=1)
def desk_of(packed: Packed) -> Desk:
    """Return the desk of a worker for some work; the last one is kept."""
    return Desk(pickle.loads(packed.content))  # noqa: S301 (the sweep's own bytes)


def solve_packed(packed: Packed, task: Task) -> Chunk:
    """Solve a task of some work; what workers are asked to do."""
    return desk_of(packed).solve(task)
