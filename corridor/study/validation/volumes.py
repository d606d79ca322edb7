"""Counted volumes held against modelled ones, those that no constant was fitted to above all."""

from dataclasses import dataclass

import pandas as pd

from corridor.core.flows import min_cost_flow
from corridor.errors import InputError
from corridor.planning import compile_model
from corridor.planning.charges import pool_charges
from corridor.planning.equilibria import assign
from corridor.study.comparison import choice_constants
from corridor.study.studies import Study
from corridor.study.validation.counts import count_statistics, read_counts

MODELS = ("chosen", "optimum")
"""Columns of modelled volumes: by the choices of shippers, and by the best possible use."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class VolumeCheck:
    """Counts beside modelled volumes.

    Attributes
    ----------
    scenario
        Year of the demand.
    rows
        Rows of `Counts` with ``chosen`` and ``optimum``, see `MODELS`.
    statistics
        As `count_statistics`, for these two.
    """

    scenario: str
    rows: pd.DataFrame
    statistics: pd.DataFrame

    def __repr__(self) -> str:
        judged = int((self.rows["verdict"] == "").sum())
        return f"VolumeCheck({self.scenario!r}: {len(self.rows)} counts, {judged} judged)"


def check_volumes(study: Study) -> VolumeCheck:
    """Hold the counts of a study's data set against the base variant with the demand of their year.

    Parameters
    ----------
    study
        A study where shippers choose (``assignment = "logit"``), loaded with a demand that is named
        by its year: ``load_study(source, demand="2024")``.

    Returns
    -------
    VolumeCheck
        Rows and statistics; fitted counts, other years of a fitted place, and other places or
        directions apart.

    Raises
    ------
    InputError
        If the demand is named by no year, the study has no dispersion, or there are no counts.

    Examples
    --------
    >>> import corridor
    >>> from corridor.study import check_volumes
    >>> found = check_volumes(corridor.load_study("crossroads", demand="2024"))
    >>> sorted(set(found.statistics["model"]))
    ['chosen', 'optimum']
    """
    scenario, dispersion = study.demand.scenario, study.header.dispersion_per_usd
    if not scenario.isdigit():
        msg = (
            f"Counts are held against the demand of their year; the study's is {scenario!r}. "
            "Load it with a scenario that is named by a year."
        )
        raise InputError(msg)
    if dispersion is None:
        msg = f'Volumes follow from choices; {study.file} must set assignment = "logit".'
        raise InputError(msg)
    model = compile_model(*study.case(study.base))
    counts = read_counts(model, int(scenario))
    unmet = study.header.unmet_usd_per_t
    chosen = assign(
        model, pool_charges(model), dispersion, choice_constants(study), None, 1e-6, unmet
    )
    problem = model.flow_problem(congestion=True, unmet_usd_per_t=unmet)
    best = min_cost_flow(problem, tolerance=1e-6)
    rows = counts.rows.assign(
        chosen=counts.modelled(chosen.flow.class_flow), optimum=counts.modelled(best.class_flow)
    )
    return VolumeCheck(
        scenario=scenario, rows=rows, statistics=count_statistics(rows, list(MODELS))
    )
