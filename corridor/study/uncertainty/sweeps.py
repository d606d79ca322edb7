"""The verb ``sweep``: what a study's uncertain numbers make of its variants."""

import hashlib
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pandas as pd

from corridor import __version__
from corridor.arguments import check_count
from corridor.errors import InputError
from corridor.study.comparison import Progress
from corridor.study.studies import Study, chosen_variants
from corridor.study.uncertainty.checkpoints import Checkpoint, missing
from corridor.study.uncertainty.chunks import (
    TOLERANCE,
    Chunk,
    Desk,
    Task,
    Work,
    load_kernels,
    stored_columns,
    tasks_of,
)
from corridor.study.uncertainty.executors import Executor, solved
from corridor.study.uncertainty.inputs import study_inputs
from corridor.study.uncertainty.readings import Key
from corridor.study.uncertainty.samples import Sampler
from corridor.study.uncertainty.scenarios import ScenarioCompiler
from corridor.study.uncertainty.shocks import common_factors
from corridor.study.uncertainty.tables import (
    distribution_table,
    driver_table,
    input_table,
    key_table,
    probability_table,
    sample_table,
    status_table,
)

ASSIGNMENT: Final = "optimum"
"""What is sampled: the best possible plan, not shippers' choices."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sweep:
    """Samples of variants, and what they say.

    Attributes
    ----------
    study, variants, seed
        What was sampled. The assignment is the ``optimum`` whatever the study's own is: the best
        possible plan of each sample.
    requested
        Samples of each variant that were asked for.
    limit
        ``interrupt`` where the sweep was stopped early, else empty.
    samples
        One row a sample: ``variant, sample, status, reason, gap, seconds`` (processor time), then
        one column an indicator (see `keys`). Every sample is here, solved or not; sample k of one
        variant has the same draws as sample k of the others.
    keys
        ``column, indicator, unit, scope, direction`` of the columns of `samples`.
    inputs
        ``input, kind`` (``range`` or ``shock``), ``ranges`` (rows of ranges.csv), ``shocks`` (that
        move it).
    statuses
        ``variant, status, samples, share``.
    distributions
        ``variant, indicator, unit, scope, direction, samples, mean, standard_error, p5, p50, p95,
        cvar_low, cvar_high``: means of the lowest and the highest 5 % beside the quantiles. The
        standard error is that of independent draws, which scrambled Sobol points keep below.
        Draws are not centered on the base (lognormal demand has its nominal as median, so its mean
        lies above; some ranges lie to one side): means are not the values of `corridor.compare`.
    probabilities
        ``variant, other, indicator, unit, samples, probability, mean_difference``: how likely the
        variant is better than the other, draw by draw; ties count half, and total costs nearer to
        each other than the certified gaps are ties.
    drivers
        ``variant, indicator, unit, input, kind, sobol_first, rank_correlation, low, high``: low and
        high are means of the indicator where the input is in its lowest and highest tenth.
    """

    study: Study
    variants: tuple[str, ...]
    seed: int
    requested: int
    limit: str
    samples: pd.DataFrame
    keys: pd.DataFrame
    inputs: pd.DataFrame
    statuses: pd.DataFrame
    distributions: pd.DataFrame
    probabilities: pd.DataFrame
    drivers: pd.DataFrame

    @property
    def assignment(self) -> str:
        """How the flows of the samples are found: ``optimum``."""
        return ASSIGNMENT

    def tornado(self, variant: str, indicator: str = "total_loss", top: int = 12) -> pd.DataFrame:
        """Return the inputs that move an indicator most, the largest effect first.

        Parameters
        ----------
        variant, indicator
            Which indicator of which variant; one of `HEADLINES`.
        top
            Rows, >= 1.

        Returns
        -------
        DataFrame
            Rows of `drivers`.

        Raises
        ------
        InputError
            If there are none.
        """
        rows = self.drivers[
            (self.drivers["variant"] == variant) & (self.drivers["indicator"] == indicator)
        ]
        if rows.empty:
            names = ", ".join(dict.fromkeys(self.drivers["indicator"]))
            msg = (
                f"A tornado needs solved samples of a variant ({', '.join(self.variants)}) and an "
                f"indicator ({names}); there are none of {indicator!r} of {variant!r}."
            )
            raise InputError(msg)
        order = rows["rank_correlation"].abs().sort_values(ascending=False, kind="stable").index
        return rows.loc[order[:top]].reset_index(drop=True)

    def __repr__(self) -> str:
        found = self.samples["status"].value_counts()
        status = ", ".join(f"{n} {name}" for name, n in found.items())
        return f"Sweep({self.study.name!r}: {len(self.variants)} variants, {status})"


def sweep(
    study: Study,
    samples: int = 1000,
    variants: Iterable[str] | None = None,
    seed: int = 0,
    executor: Executor = None,
    checkpoint: str | Path | None = None,
    progress: Progress | None = None,
) -> Sweep:
    """Draw the uncertain numbers of a study many times, and plan each variant for each draw.

    Every range of the data set is drawn (rows of one group together; shocks common to a state's
    posts, to weather at sea and to sanctioned states bind groups) by scrambled Sobol points.

    What is sampled is the *optimum*, the best possible plan of each draw as of `corridor.plan`, at
    a certified relative gap of 1e-3 or less from stored paths; its own gap stands with each sample.
    The choice of shippers (``logit``) is not sampled: its parameters are fitted to the numbers as
    they are, so each draw would have to be fitted anew, and a choice comes without a bound that
    says how exact it is. A sample that has no plan is kept with its status and the reason.

    Parameters
    ----------
    study
        The study.
    samples
        Samples of each variant, >= 1. More samples repeat the first ones.
    variants
        Ids of variants, None for all.
    seed
        Seed of the draws, >= 0.
    executor
        Worker processes (1: none but this one), the address of a dask scheduler
        (``tcp://host:8786``), a ``distributed.Client``, or None for as many processes as cores. The
        samples do not depend on it. A script that starts processes must call `sweep` under
        ``if __name__ == "__main__":``.
    checkpoint
        Parquet file that keeps finished samples; one of the same study, version and seed is taken
        up again.
    progress
        Called as ``progress(done, total, text)`` after each chunk of 64 samples; the text has the
        variant and an estimate of the time left.

    Returns
    -------
    Sweep
        Samples, distributions, probabilities and drivers. Ctrl-C returns what is done so far.

    Raises
    ------
    InputError
        If an id is unknown, an argument is out of its range, a range is upside down, the checkpoint
        belongs to another sweep, or no scheduler answers.
    MissingExtraError
        If dask or pyarrow is asked for and not installed.
    SolverError
        If workers die again and again.

    Examples
    --------
    >>> import corridor
    >>> study = corridor.load_study("crossroads")
    >>> found = corridor.sweep(study, 4, ["no_stop_under_floor"], executor=1)
    >>> found.statuses[["status", "samples"]].to_numpy(object).tolist()
    [['infeasible', 4]]
    """
    ids = chosen_variants(study, variants)
    check_count("samples", samples)
    check_count("seed", seed, 0)
    work, desk = prepared(study, ids, seed)
    keys = desk.compiler(ids[0])[1].keys
    book: Checkpoint | None = None
    tasks = tasks_of(ids, samples)
    chunks: list[Chunk] = []
    if checkpoint is not None:
        book = Checkpoint(checkpoint, identity(study, seed), [str(key) for key in keys])
        tasks, chunks = missing(tasks, book.read())
    limit = _collect(work, desk, tasks, executor, chunks, book, progress)
    return _results(study, work, seed, samples, limit, chunks, keys)


def identity(study: Study, seed: int) -> dict[str, str]:
    """Return what samples depend on: version, study (its tables and rules), seed and tolerance."""
    digest = hashlib.sha256()
    network = study.network
    for name in sorted(network.rows):
        digest.update(network.table(name).to_csv(index=False).encode())
    digest.update(study.demand.rows.to_csv(index=False).encode())
    parts = (study.header, *study.constants, *study.variants, *study.rules.rules)
    for part in parts:
        digest.update(part.model_dump_json().encode())
    digest.update(f"{network.date} {study.rules.date} {study.demand.scenario}".encode())
    return {
        "version": __version__,
        "study": digest.hexdigest(),
        "seed": str(seed),
        "assignment": ASSIGNMENT,
        "tolerance": str(TOLERANCE),
    }


def prepared(study: Study, ids: Sequence[str], seed: int) -> tuple[Work, Desk]:
    """Return the work of a sweep with the stored paths of each variant, and where to do it."""
    load_kernels()
    inputs = study_inputs(study)
    factors = common_factors(study, inputs)
    sampler = Sampler(inputs=inputs, factors=factors, seed=seed)
    compilers = {name: ScenarioCompiler.of(study, inputs, name) for name in ids}
    columns = {name: stored_columns(study, sampler, one) for name, one in compilers.items()}
    work = Work(
        study=study, variants=tuple(ids), inputs=inputs, factors=factors, seed=seed,
        columns=columns,
    )  # fmt: skip
    return work, Desk(work, compilers)


def _collect(
    work: Work,
    desk: Desk,
    tasks: Sequence[Task],
    executor: Executor,
    chunks: list[Chunk],
    book: Checkpoint | None,
    progress: Progress | None,
) -> str:
    """Solve the tasks into the list; return what stopped it early."""
    done, total = sum(map(len, chunks)), sum(map(len, chunks)) + sum(task.n for task in tasks)
    start, before = time.monotonic(), done
    try:
        for chunk in solved(work, desk, tasks, executor):
            chunks.append(chunk)
            if book is not None:
                book.add(chunk)
            done += len(chunk)
            if progress is not None:
                pace = (time.monotonic() - start) / (done - before)
                progress(done, total, f"{chunk.variant}, {_duration(pace * (total - done))} left")
    except KeyboardInterrupt:
        return "interrupt"
    finally:
        if book is not None:
            book.close()
    return ""


def _duration(seconds: float) -> str:
    """Return a time for people.

    Examples
    --------
    >>> _duration(20.4), _duration(200.0), _duration(7800.0)
    ('20 s', '3 min', '2 h 10 min')
    """
    if seconds < 99.5:  # noqa: PLR2004
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60.0)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"  # noqa: PLR2004


def _results(
    study: Study,
    work: Work,
    seed: int,
    requested: int,
    limit: str,
    chunks: Sequence[Chunk],
    keys: Sequence[Key],
) -> Sweep:
    """Return the tables of a sweep."""
    order = {name: i for i, name in enumerate(work.variants)}
    ordered = sorted(chunks, key=lambda chunk: (order[chunk.variant], chunk.first))
    samples, table = sample_table(ordered, keys), key_table(keys)
    return Sweep(
        study=study,
        variants=work.variants,
        seed=seed,
        requested=requested,
        limit=limit,
        samples=samples,
        keys=table,
        inputs=input_table(work.inputs, work.factors),
        statuses=status_table(samples),
        distributions=distribution_table(samples, table),
        probabilities=probability_table(samples, table),
        drivers=driver_table(samples, table, work.sampler),
    )
