"""What chosen projects save over the ranges of the assumptions."""

from typing import Final, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from corridor.errors import InputError
from corridor.planning import InvestmentPlan, compile_model
from corridor.planning.investment.appraisals import appraise, cash_flows
from corridor.planning.investment.effect_ranges import capex_ends
from corridor.planning.investment.portfolio_values import PortfolioValues
from corridor.planning.investment.projects import (
    Project,
    read_projects,
    with_capex,
    without,
    yearly_costs,
)
from corridor.planning.investment.savings import saving_between
from corridor.study.opportunities import unbuilt_case
from corridor.study.studies import Case, Study
from corridor.study.uncertainty.drawn_projects import drawn_effects, with_projects
from corridor.study.uncertainty.inputs import study_inputs
from corridor.study.uncertainty.samples import Sampler, cell_values
from corridor.study.uncertainty.scenarios import above_floors, case_cells, drawn_case

FloatArray: TypeAlias = NDArray[np.float64]

_TOLERANCE: Final = 1e-6


def investment_ranges(
    study: Study, variant_id: str, plan: InvestmentPlan, *, draws: int = 16, seed: int = 0
) -> pd.DataFrame:
    """Return what each chosen project saves in draws of the assumptions, and whether it pays.

    In each draw all numbers with a range are drawn, as in `corridor.sweep` without common shocks,
    and the network is planned with the portfolio and without each of its projects (and those that
    require it). What projects do is drawn too, where it has a range, and so is their capex, with
    one draw for all.

    Parameters
    ----------
    study, variant_id
        The study and variant of the plan.
    plan
        What `corridor.invest` chose for `unbuilt_case` of the two.
    draws
        Number of draws, >= 1.
    seed
        Seed of the draws.

    Returns
    -------
    DataFrame
        A row per chosen project, the one that saves most first: ``project_id``;
        ``saving_musd_per_year`` as chosen (resources, and goods newly carried at their own value),
        ``saving_low`` and ``saving_high`` over the draws [MUSD/year]; ``capex_low_musd,
        capex_high_musd``; ``npv_low_musd, npv_high_musd`` at the
        study's rate; ``pays`` (share of the draws in which it saves more than capital and upkeep).

    Raises
    ------
    InputError
        If there are no draws, or the study has no ranges.
    """
    if draws < 1:
        msg = f"draws must be >= 1; found {draws}. 16 give a first idea."
        raise InputError(msg)
    case = unbuilt_case(study, variant_id)
    projects = tuple(p for p in read_projects(case.network) if p.id in plan.chosen)
    inputs = study_inputs(study)
    nominal = compile_model(*case)
    cells = above_floors(case_cells(study, inputs, case, nominal.filled), nominal)
    sampler = Sampler(inputs=inputs, factors=(), seed=seed)
    scores = sampler.scores(0, draws)
    savings = np.array(
        [
            _savings(study, drawn_case(case, cells, values), projects, effects)
            for values, effects in zip(
                cell_values(cells, scores), drawn_effects(case.network, draws, seed), strict=True
            )
        ]
    ).reshape(draws, len(projects))
    shares = np.random.default_rng(seed).uniform(size=draws)
    records = [
        _record(study, plan, projects, place, savings[:, place], shares)
        for place in range(len(projects))
    ]
    table = pd.DataFrame(records, columns=list(_COLUMNS))
    return table.sort_values("saving_musd_per_year", ascending=False, ignore_index=True)


_COLUMNS: Final = (
    "project_id", "saving_musd_per_year", "saving_low", "saving_high", "capex_low_musd",
    "capex_high_musd", "npv_low_musd", "npv_high_musd", "pays",
)  # fmt: skip


def _savings(
    study: Study, case: Case, projects: tuple[Project, ...], effects: pd.DataFrame
) -> list[float]:
    """Return what each project and those that require it save in a case [MUSD/year]."""
    values = PortfolioValues(
        network=with_projects(case.network, effects),
        demand=case.demand,
        rules=case.rules,
        projects=(),
        congestion=True,
        unmet_usd_per_t=study.header.unmet_usd_per_t,
        tolerance=_TOLERANCE,
    )
    every = frozenset(project.id for project in projects)
    built = values.solve(every)
    rest = [values.solve(without(projects, every, name)) for name in (p.id for p in projects)]
    return [saving_between(value, built).total_musd_per_year for value in rest]


def _record(
    study: Study,
    plan: InvestmentPlan,
    projects: tuple[Project, ...],
    place: int,
    savings: FloatArray,
    shares: FloatArray,
) -> dict[str, object]:
    """Return a row: the project at `place` with those that require it, over the draws."""
    project, rate = projects[place], plan.discount_rate
    every = frozenset(p.id for p in projects)
    group = [p for p in projects if p.id in every - without(projects, every, project.id)]
    ends = {p.id: capex_range(study, p) for p in group}
    npv, pays = [], []
    for saving, share in zip(savings.tolist(), shares.tolist(), strict=True):
        drawn = [with_capex(p, triangular(share, p.capex_musd, *ends[p.id])) for p in group]
        npv.append(appraise(cash_flows(drawn, saving), rate)["npv_musd"])
        pays.append(saving >= float(yearly_costs(drawn, rate).sum()))
    told = dict(
        zip(plan.projects["project_id"], plan.projects["saving_musd_per_year"], strict=True)
    )
    return {
        "project_id": project.id,
        "saving_musd_per_year": told[project.id],
        "saving_low": float(savings.min()),
        "saving_high": float(savings.max()),
        "capex_low_musd": sum(ends[p.id][0] for p in group),
        "capex_high_musd": sum(ends[p.id][1] for p in group),
        "npv_low_musd": min(npv),
        "npv_high_musd": max(npv),
        "pays": float(np.mean(pays)),
    }


def capex_range(study: Study, project: Project) -> tuple[float, float]:
    """Return the range of a project's capex [MUSD]; its own number where none is told."""
    return capex_ends(study.network, project)


def triangular(share: float, mode: float, low: float, high: float) -> float:
    """Return the quantile of a triangular distribution; its mode is drawn into the range."""
    if high <= low:
        return low
    peak = (min(max(mode, low), high) - low) / (high - low)
    if share < peak:
        return low + (high - low) * float(np.sqrt(share * peak))
    return high - (high - low) * float(np.sqrt((1.0 - share) * (1.0 - peak)))
