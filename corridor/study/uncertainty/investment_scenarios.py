"""Scenarios to invest under: rule sets of variants, and draws of the assumptions under each."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from corridor.errors import InputError
from corridor.network import Network
from corridor.planning import compile_model
from corridor.planning.investment.projects import read_projects
from corridor.study.opportunities import unbuilt_case
from corridor.study.studies import Case, Study
from corridor.study.uncertainty.drawn_projects import drawn_effects, with_projects
from corridor.study.uncertainty.inputs import study_inputs
from corridor.study.uncertainty.samples import Sampler, cell_values
from corridor.study.uncertainty.scenarios import above_floors, case_cells, drawn_case
from corridor.study.uncertainty.uncertain_savings import capex_range, triangular


def investment_cases(
    study: Study, variants: Sequence[str], *, draws: int = 0, seed: int = 0
) -> dict[str, Case]:
    """Return scenarios for `corridor.robust_portfolio`: rule sets, as told and as drawn.

    Each variant gives a scenario with its rules and the numbers as told (`unbuilt_case`), and one
    for each draw, in which all numbers with a range are drawn as in `corridor.sweep` without common
    shocks, and so is what projects do, and their capex with one draw for all. A draw has the same
    numbers under every rule set, as far as both have them.

    Parameters
    ----------
    study
        The study.
    variants
        Ids of the variants whose rules may hold; the first comes first.
    draws
        Number of draws, >= 0.
    seed
        Seed of the draws.

    Returns
    -------
    dict of str to Case
        ``variant`` for the numbers as told, ``variant, draw 1`` and so on.

    Raises
    ------
    InputError
        If a variant is not known, one is named twice, draws are below 0, or there are draws and the
        study has no ranges.

    Examples
    --------
    >>> import corridor
    >>> study = corridor.load_study("crossroads")
    >>> list(investment_cases(study, ["status_quo"], draws=2))
    ['status_quo', 'status_quo, draw 1', 'status_quo, draw 2']
    """
    twice = sorted({name for name in variants if list(variants).count(name) > 1})
    if draws < 0 or twice or not variants:
        msg = (
            "Scenarios need variants, each named once, and draws >= 0; found "
            f"{len(variants)} variants ({', '.join(twice) or 'none'} twice) and {draws} draws. "
            "Correct them."
        )
        raise InputError(msg)
    told = {name: unbuilt_case(study, name) for name in variants}
    if not draws:
        return told
    inputs = study_inputs(study)
    scores = Sampler(inputs=inputs, factors=(), seed=seed).scores(0, draws)
    shares = np.random.default_rng(seed).uniform(size=draws).tolist()
    found: dict[str, Case] = {}
    for name, case in told.items():
        nominal = compile_model(*case)
        cells = above_floors(case_cells(study, inputs, case, nominal.filled), nominal)
        found[name] = case
        effects = drawn_effects(case.network, draws, seed)
        for number, values in enumerate(cell_values(cells, scores)):
            network, demand, rules = drawn_case(case, cells, values)
            network = with_projects(network, effects[number])
            drawn = _with_drawn_capex(network, study, shares[number])
            found[f"{name}, draw {number + 1}"] = Case(drawn, demand, rules)
    return found


def _with_drawn_capex(network: Network, study: Study, share: float) -> Network:
    """Return a network whose projects cost what a draw says."""
    capex = {
        project.id: triangular(share, project.capex_musd, *capex_range(study, project))
        for project in read_projects(network)
    }
    rows = network.rows["projects"]
    frame = rows.frame.assign(capex_musd=rows.frame["project_id"].map(capex))
    return replace(network, rows={**network.rows, "projects": replace(rows, frame=frame)})
