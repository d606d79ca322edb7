"""Fit the dispersion and the constants of a study's choices to the counts of its base year.

Run ``python -m corridor.study.validation.calibration STUDY SCENARIO`` to fit a study file and
write the result into it.
"""

import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from corridor.core.flows import PoolCharges, min_cost_flow
from corridor.errors import InputError
from corridor.network import Demand, load_demand
from corridor.planning import ChoiceConstant, Model, compile_model
from corridor.planning.charges import pool_charges
from corridor.planning.equilibria import assign
from corridor.study.comparison import choice_constants
from corridor.study.studies import Study, load_study
from corridor.study.validation.counts import FITTED, JUDGED, Counts, count_statistics, read_counts

FloatArray: TypeAlias = NDArray[np.float64]

COUNT_ERROR: Final = 0.25
"""Standard error of a count as a measure of the mean day of its year, of the count."""
CONSTANT_USD_PER_T: Final = 20.0
"""Prior standard deviation of a constant around 0 [USD/t]."""
DISPERSION_PER_USD: Final = 0.02
"""Prior median of the dispersion [1/USD]."""
DISPERSION_LOG_ERROR: Final = 0.7
"""Prior standard deviation of its log: a factor of two either way."""
SLOPE_STEP: Final = 0.25
"""Step of the differences that stand for slopes, in prior standard deviations."""
COMPASS: Final = (0.5, 0.25, 0.1, 0.05)
"""Steps of the search along single parameters, in prior standard deviations."""
MOST_ROUNDS: Final = 15
SETTLED: Final = 1e-3
"""Relative fall of the sum of squares below which the fit ends."""
_CUTS: Final = (1.0, 0.5, 0.25, 0.1)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Calibration:
    """Fitted values, and the counts beside what they make of them.

    Attributes
    ----------
    scenario
        Demand that was used.
    dispersion_per_usd
        Fitted dispersion [1/USD].
    parameters
        ``parameter, value, prior, error`` (from the curvature of the fit, prior included) and
        ``told`` (share of the prior's variance that the counts removed: near 0 they say nothing).
    rows
        Rows of `Counts` with ``optimum, before`` (no constants, prior dispersion) and ``fitted``.
    statistics
        As `count_statistics`, for these three.
    rounds
        Rounds of the fit.
    """

    scenario: str
    dispersion_per_usd: float
    parameters: pd.DataFrame
    rows: pd.DataFrame
    statistics: pd.DataFrame
    rounds: int

    def __repr__(self) -> str:
        n = len(self.parameters) - 1
        return f"Calibration({self.scenario!r}: {self.dispersion_per_usd:.4g}/USD, {n} constants)"


def calibrate(
    study: Study, demand: Demand, progress: Callable[[str], None] | None = None
) -> Calibration:
    r"""Fit the dispersion and the study's constants to the ``fit`` counts of one year.

    It minimizes, by Gauss and Newton's method with differences as slopes and a search along single
    parameters where that does not lead down::

        sum over fit counts ((modelled - observed) / (0.25 observed))^2
        + sum over constants (c / 20 USD/t)^2 + (log(theta / 0.02) / 0.7)^2

    that is, the posterior of normal counts under normal priors: a constant that no count tells
    stays at 0. There may be more than one valley, so the search begins twice: at the priors, and at
    the values that the study has; the lower end is taken. The rows of the role ``holdout`` are
    never looked at; the result lists them.

    Parameters
    ----------
    study
        A study with constants and counts.
    demand
        Demand of the year of the counts; its scenario is named by the year.
    progress
        Called with a line of text after every round.

    Returns
    -------
    Calibration
        Values, errors, and the counts.

    Raises
    ------
    InputError
        If the scenario is no year, there are no counts, or none of them can be used.
    """
    if not demand.scenario.isdigit():
        found = demand.scenario
        msg = f"The demand of a calibration must be named by its year; found {found!r}."
        raise InputError(msg)
    network, _, rules = study.case(study.base)
    model = compile_model(network, demand, rules)
    counts = read_counts(model, int(demand.scenario))
    fit = _Fit(study, model, counts)
    starts = [np.zeros(len(study.constants) + 1), fit.own]
    before = fit.at(starts[0])
    value, rounds = fit.best(starts, progress)
    rows = counts.rows.assign(
        optimum=counts.modelled(_optimum(study, model)), before=before, fitted=fit.at(value)
    )
    return Calibration(
        scenario=demand.scenario,
        dispersion_per_usd=float(DISPERSION_PER_USD * np.exp(value[0])),
        parameters=fit.parameters(value),
        rows=rows,
        statistics=count_statistics(rows, ["optimum", "before", "fitted"]),
        rounds=rounds,
    )


class _Fit:
    """The residuals of counts and priors as a function of the parameters.

    Parameter 0 is the log of the dispersion over its prior median; the others are the constants.
    """

    def __init__(self, study: Study, model: Model, counts: Counts) -> None:
        self.model, self.counts = model, counts
        self.constants: list[ChoiceConstant] = choice_constants(study)
        self.unmet = study.header.unmet_usd_per_t
        self.charges: PoolCharges = pool_charges(model)
        rows = counts.rows
        self.used = ((rows["group"] == FITTED) & (rows["verdict"] == JUDGED)).to_numpy(bool)
        if not self.used.any():
            msg = "counts.csv must have a count of the role fit that the model can be held against."
            raise InputError(msg)
        self.observed = rows["observed"].to_numpy(float)
        prior = np.full(len(self.constants) + 1, CONSTANT_USD_PER_T)
        prior[0] = DISPERSION_LOG_ERROR
        self.prior: FloatArray = prior
        own = study.header.dispersion_per_usd or DISPERSION_PER_USD
        usd = [constant.usd_per_t for constant in self.constants]
        self.own: FloatArray = np.array([np.log(own / DISPERSION_PER_USD), *usd])
        self.slopes: FloatArray = np.zeros((int(self.used.sum()) + prior.size, prior.size))

    def at(self, value: FloatArray) -> FloatArray:
        """Return the modelled volume of every row."""
        constants = [
            replace(constant, usd_per_t=float(usd))
            for constant, usd in zip(self.constants, value[1:], strict=True)
        ]
        dispersion = float(DISPERSION_PER_USD * np.exp(value[0]))
        result = assign(self.model, self.charges, dispersion, constants, None, 1e-6, self.unmet)
        return self.counts.modelled(result.flow.class_flow)

    def residuals(self, value: FloatArray, modelled: FloatArray) -> FloatArray:
        """Return errors of the fitted counts and of the priors, in standard errors."""
        error = (modelled / self.observed - 1.0)[self.used] / COUNT_ERROR
        return np.concatenate((error, value / self.prior))

    def best(
        self, starts: Sequence[FloatArray], progress: Callable[[str], None] | None
    ) -> tuple[FloatArray, int]:
        """Return the best values that any start leads to, and the rounds it took from there."""
        ends = [self._run(start, progress) for start in _different(starts)]
        value, rest, rounds = min(ends, key=lambda end: float(end[1] @ end[1]))
        self.slopes = self._slopes(value, rest)
        return value, rounds

    def _run(
        self, value: FloatArray, progress: Callable[[str], None] | None
    ) -> tuple[FloatArray, FloatArray, int]:
        """Return the values that a start leads to, their residuals, and the rounds it took."""
        rest = self.residuals(value, self.at(value))
        for number in range(1, MOST_ROUNDS + 1):
            last = float(rest @ rest)
            value, rest = self._newton(value, rest)
            if rest @ rest > (1.0 - SETTLED) * last:
                # Ways come into choice sets and leave them, so that slopes may lead nowhere.
                value, rest = self._compass(value, rest)
            if progress is not None:
                progress(f"round {number}: {rest @ rest:.3f} from {self.used.sum()} counts")
            if rest @ rest > (1.0 - SETTLED) * last:
                break
        return value, rest, number

    def _newton(self, value: FloatArray, rest: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Go one step of Gauss and Newton's method, as far as it leads down."""
        step = np.linalg.lstsq(self._slopes(value, rest), -rest, rcond=None)[0]
        for part in _CUTS:
            there = value + part * step
            trial = self.residuals(there, self.at(there))
            if trial @ trial < rest @ rest:
                return there, trial
        return value, rest

    def _compass(self, value: FloatArray, rest: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Go along single parameters, by steps that get shorter where none leads down."""
        for size in COMPASS:
            for position in range(value.size):
                for way in (size, -size):
                    there = value.copy()
                    there[position] += way * self.prior[position]
                    trial = self.residuals(there, self.at(there))
                    if trial @ trial < rest @ rest:
                        value, rest = there, trial
                        break
        return value, rest

    def _slopes(self, value: FloatArray, rest: FloatArray) -> FloatArray:
        columns = []
        for position in range(value.size):
            step = np.zeros(value.size)
            step[position] = SLOPE_STEP * self.prior[position]
            there = self.residuals(value + step, self.at(value + step))
            columns.append((there - rest) / step[position])
        return np.column_stack(columns)

    def parameters(self, value: FloatArray) -> pd.DataFrame:
        """Return values with their errors, by the slopes at the end."""
        variance = np.diag(np.linalg.inv(self.slopes.T @ self.slopes))
        names = ["log_dispersion", *(constant.id for constant in self.constants)]
        return pd.DataFrame(
            {
                "parameter": names,
                "value": value,
                "prior": self.prior,
                "error": np.sqrt(variance),
                "told": 1.0 - variance / self.prior**2,
            }
        )


def _different(starts: Sequence[FloatArray]) -> list[FloatArray]:
    """Return the starts, each once."""
    return list({start.tobytes(): start for start in starts}.values())


def _optimum(study: Study, model: Model) -> FloatArray:
    problem = model.flow_problem(congestion=True, unmet_usd_per_t=study.header.unmet_usd_per_t)
    return min_cost_flow(problem, tolerance=1e-6).class_flow


def write_calibration(calibration: Calibration, file: str | Path) -> None:
    """Write fitted values into a study file: its dispersion and its constants' ``usd_per_t``.

    Parameters
    ----------
    calibration
        What `calibrate` found.
    file
        The study file; everything else in it stays as it is.

    Raises
    ------
    InputError
        If the file lacks one of the lines.
    """
    path = Path(file)
    text = path.read_text(encoding="utf-8")
    text = _put(text, r"(?m)^dispersion_per_usd = \S+", f"{calibration.dispersion_per_usd:.4g}")
    for name, usd in calibration.parameters[["parameter", "value"]].to_numpy(object)[1:].tolist():
        pattern = rf'(?m)^id = "{re.escape(name)}"\nusd_per_t = \S+'
        text = _put(text, pattern, f"{usd:.1f}")
    path.write_text(text, encoding="utf-8")


def _put(text: str, pattern: str, value: str) -> str:
    found = re.search(pattern, text)
    if found is None:
        msg = f"The study file must have a line that fits {pattern!r}; it has none. Add one."
        raise InputError(msg)
    head = found.group(0).rsplit(" = ", 1)[0]
    return f"{text[: found.start()]}{head} = {value}{text[found.end() :]}"


def main(arguments: list[str]) -> int:
    """Fit a study file to the counts of a scenario of its data set, and write the result into it.

    Parameters
    ----------
    arguments
        Study file and scenario.
    """
    file, scenario = arguments
    study = load_study(file)
    beside = Path(file).parent / study.header.dataset
    demand = load_demand(beside if beside.exists() else study.header.dataset, scenario)
    found = calibrate(study, demand, lambda line: print(line, file=sys.stderr))  # noqa: T201
    write_calibration(found, file)
    for table in (found.parameters, found.rows, found.statistics):
        sys.stdout.write(table.round(3).to_string(index=False) + "\n\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
