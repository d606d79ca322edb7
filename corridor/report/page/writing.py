"""The verb ``write_report``: one HTML file of a study that opens anywhere, without a network."""

from collections.abc import Mapping
from pathlib import Path

from corridor.errors import InputError
from corridor.planning import BudgetFrontier, Explanation, Frontier, InvestmentPlan
from corridor.report.files.scratch import scratch_file
from corridor.report.page.material import Material
from corridor.report.page.rendering import render_page
from corridor.study import BenefitShares, Comparison, Resilience, Sweep


def write_report(
    comparison: Comparison,
    path: str | Path,
    *,
    sweep: Sweep | None = None,
    resilience: Resilience | None = None,
    benefits: BenefitShares | None = None,
    investment: InvestmentPlan | None = None,
    budgets: BudgetFrontier | None = None,
    explanations: Mapping[str, Explanation] | None = None,
    frontiers: Mapping[str, Frontier] | None = None,
    outlines: str | Path | None = None,
) -> None:
    """Write a comparison as one HTML file for people who decide, whole or not at all.

    The file holds everything it shows: it opens offline, from a stick or an e-mail, asks no server
    for anything and forbids its browser to. It has the answer on the first screen, a map with a
    switch of variants, tables that sort, crossings, rules, states, reference shipments leg by leg,
    and the evidence.

    Parameters
    ----------
    comparison
        What `corridor.compare` returned.
    path
        File to write; an existing one is replaced at once, or kept if anything fails.
    sweep
        What `corridor.sweep` returned: adds tornadoes, spreads and odds.
    resilience
        What `corridor.resilience` returned: adds a map of losses, and what each closure costs.
    benefits
        What `corridor.share_benefits` returned: adds who depends on whom, and shares.
    investment
        What `corridor.invest` returned: adds what to build.
    budgets
        What `corridor.planning.budget_frontier` returned: adds a plot of budgets against savings.
    explanations
        Variant -> what `corridor.explain` said of it: adds what each rule costs.
    frontiers
        Title -> trade-off curve of `corridor.planning.rule_frontier`: adds a plot of each.
    outlines
        Folder of GeoJSON outlines of states with the property ``iso3``: another point of view than
        the bundled one, named on the page by the member ``name`` of each file.

    Raises
    ------
    InputError
        If the comparison has no variants, the folder of the path does not exist, the path is a
        folder, or an explanation is of no variant.
    OSError
        If the file cannot be written.

    Examples
    --------
    >>> import corridor
    >>> study = corridor.load_study("crossroads")
    >>> comparison = corridor.compare(study)  # doctest: +SKIP
    >>> corridor.write_report(comparison, "report.html")  # doctest: +SKIP
    """
    _check_plans(comparison, explanations or {})
    folder = None if outlines is None else Path(outlines)
    with scratch_file(path, "A report") as part:
        material = Material(
            comparison=comparison,
            outlines=folder,
            explanations=explanations or {},
            frontiers=frontiers or {},
            sweep=sweep,
            resilience=resilience,
            benefits=benefits,
            investment=investment,
            budgets=budgets,
        )
        part.write_text(render_page(material), encoding="utf-8")


def _check_plans(comparison: Comparison, explanations: Mapping[str, Explanation]) -> None:
    if comparison.base not in comparison.plans:
        msg = (
            f"A report must be of a comparison with its base {comparison.base!r}; found "
            f"{len(comparison.plans)} variants without it. Call corridor.compare(study)."
        )
        raise InputError(msg)
    strange = sorted(set(explanations) - set(comparison.plans))
    if strange:
        msg = (
            f"Explanations must be of variants of the comparison; {', '.join(strange)} are not. "
            f"Variants are {', '.join(comparison.plans)}."
        )
        raise InputError(msg)
