"""What other verbs say of a study, asked at settings that suit a report."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final, NamedTuple, TypeAlias

import pandas as pd

from corridor.errors import InputError
from corridor.planning import (
    BudgetFrontier,
    Explanation,
    Frontier,
    InvestmentPlan,
    budget_frontier,
    explain,
    invest,
    rule_frontier,
)
from corridor.planning.investment.frontiers import STEPS
from corridor.report.sheets.benefits import benefit_tables
from corridor.report.sheets.closures import resilience_tables
from corridor.report.sheets.investments import investment_tables
from corridor.report.sheets.sweeps import FILES
from corridor.sovereignty.kinds.inspection_floor import InspectionFloorRule
from corridor.study import (
    BenefitShares,
    Comparison,
    Resilience,
    Sweep,
    resilience,
    share_benefits,
    sweep,
    unbuilt_case,
)
from corridor.study.cooperation.benefits import DISPERSION_PER_USD

SAMPLES: Final = 64
"""Samples of each variant of a sweep."""
SEED: Final = 0
ALL: Final = "all"
BUDGET_MUSD: Final = 500.0
SHARES: Final = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Shares of vehicles inspected that a trade-off curve shows, beside the floor as it is."""

Notice: TypeAlias = Callable[[int, int, str], None]
"""What is told of progress: steps done, steps in all, and the name of the last one."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Findings:
    """What other verbs found, where they were asked.

    Attributes
    ----------
    explanations
        Variant -> why its plan is as it is: what `corridor.explain` said of it.
    frontiers
        Title -> trade-off curve of `corridor.planning.rule_frontier`.
    sweep, resilience, benefits, investment, budgets
        What `corridor.sweep`, `corridor.resilience`, `corridor.share_benefits`, `corridor.invest`
        and `corridor.planning.budget_frontier` returned.
    """

    explanations: Mapping[str, Explanation] = field(default_factory=dict)
    frontiers: Mapping[str, Frontier] = field(default_factory=dict)
    sweep: Sweep | None = None
    resilience: Resilience | None = None
    benefits: BenefitShares | None = None
    investment: InvestmentPlan | None = None
    budgets: BudgetFrontier | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Those of `FINDERS` that were asked."""
        return tuple(name for name in FINDERS if getattr(self, name))

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """All tables, by the name of what was asked and their own."""
        parts: dict[str, Mapping[str, pd.DataFrame]] = {
            "explanations": _explanation_tables(self.explanations),
            "frontiers": _frontier_tables(self.frontiers),
        }
        if self.sweep is not None:
            parts["sweep"] = {name: getattr(self.sweep, name) for name in FILES}
        if self.resilience is not None:
            parts["resilience"] = resilience_tables(self.resilience)
        if self.benefits is not None:
            parts["benefits"] = benefit_tables(self.benefits)
        if self.investment is not None:
            parts["investment"] = investment_tables(self.investment, self.budgets)
        return {f"{of}_{name}": table for of, some in parts.items() for name, table in some.items()}


def _explanation_tables(explanations: Mapping[str, Explanation]) -> dict[str, pd.DataFrame]:
    names = ("costs", "prices", "payers", "conflicts", "relaxations", "principles")
    if not explanations:
        return {}
    return {
        name: pd.concat(
            [getattr(of, name).assign(variant=variant) for variant, of in explanations.items()],
            ignore_index=True,
        )
        for name in names
    }


def _frontier_tables(frontiers: Mapping[str, Frontier]) -> dict[str, pd.DataFrame]:
    parts = [
        curve.table.assign(rule_id=curve.rule_id, field=curve.field) for curve in frontiers.values()
    ]
    return {"points": pd.concat(parts, ignore_index=True)} if parts else {}


def _explanations(found: Findings, comparison: Comparison, notice: Notice) -> Iterator[Findings]:
    """Explain every variant of the comparison."""
    study = comparison.study
    for step, variant in enumerate(comparison.plans, start=1):
        said = explain(*study.case(variant), unmet_usd_per_t=study.header.unmet_usd_per_t)
        found = replace(found, explanations={**found.explanations, variant: said})
        notice(step, len(comparison.plans), variant)
        yield found


def _frontiers(found: Findings, comparison: Comparison, notice: Notice) -> Iterator[Findings]:
    """Plan the base from no inspection to inspection of all, floor by floor."""
    study = comparison.study
    case, price = study.case(study.base), study.header.unmet_usd_per_t
    floors = [rule for rule in case.rules.in_force if isinstance(rule, InspectionFloorRule)]
    if not floors:
        msg = (
            f"A trade-off curve needs an inspection floor; none is in force in {study.base!r}. "
            "Add one to rules.toml."
        )
        raise InputError(msg)
    for step, rule in enumerate(floors, start=1):
        shares = sorted({*SHARES, rule.share})
        curve = rule_frontier(*case, rule.id, "share", shares, unmet_usd_per_t=price)
        found = replace(found, frontiers={**found.frontiers, rule.title: curve})
        notice(step, len(floors), rule.id)
        yield found


def _sweep(found: Findings, comparison: Comparison, notice: Notice) -> Iterator[Findings]:
    variants = list(comparison.plans)
    drawn = sweep(comparison.study, SAMPLES, variants, SEED, progress=notice)
    if len(drawn.samples):
        yield replace(found, sweep=drawn)
    if (
        drawn.limit
    ):  # a sweep that is interrupted says what it has; what comes after it is not asked
        raise KeyboardInterrupt


def _resilience(found: Findings, comparison: Comparison, notice: Notice) -> Iterator[Findings]:
    study = comparison.study
    closed = resilience(
        *study.case(study.base),
        kinds=["crossing", "state", "pair"],
        unmet_usd_per_t=study.header.unmet_usd_per_t,
        progress=notice,
    )
    yield replace(found, resilience=closed)


def _benefits(found: Findings, comparison: Comparison, notice: Notice) -> Iterator[Findings]:
    study = comparison.study
    dispersion = study.header.dispersion_per_usd
    shares = share_benefits(
        *study.case(study.base),
        dispersion_per_usd=DISPERSION_PER_USD if dispersion is None else dispersion,
    )
    notice(1, 1, study.base)
    yield replace(found, benefits=shares)


def _investment(found: Findings, comparison: Comparison, notice: Notice) -> Iterator[Findings]:
    study = comparison.study
    case, rate = unbuilt_case(study, study.base), study.header.discount_rate
    price = study.header.unmet_usd_per_t
    chosen = invest(*case, BUDGET_MUSD, discount_rate=rate, unmet_usd_per_t=price)
    found = replace(found, investment=chosen)
    notice(1, 2, f"{BUDGET_MUSD:g} MUSD")
    yield found
    budgets = [BUDGET_MUSD * step for step in STEPS]
    curve = budget_frontier(*case, budgets, discount_rate=rate, unmet_usd_per_t=price)
    notice(2, 2, "smaller budgets")
    yield replace(found, budgets=curve)


class Finder(NamedTuple):
    """One thing to ask for a report.

    Parameters
    ----------
    find
        Asks it, and yields what was found before and this, each time that there is more.
    says
        What is asked, at which settings.
    """

    find: Callable[[Findings, Comparison, Notice], Iterator[Findings]]
    says: str


FINDERS: Final[Mapping[str, Finder]] = MappingProxyType(
    {
        "explanations": Finder(
            find=_explanations,
            says="what each rule costs, and the least that would have to change, in every variant",
        ),
        "frontiers": Finder(
            find=_frontiers,
            says="what stricter inspection costs: each floor from 0 to 100 %, in the base",
        ),
        "sweep": Finder(
            find=_sweep,
            says=f"ranges and odds of every variant: {SAMPLES} draws of the inputs, seed {SEED}",
        ),
        "resilience": Finder(
            find=_resilience,
            says="what is lost when a crossing or a state closes, in the base",
        ),
        "benefits": Finder(
            find=_benefits,
            says="who depends on whom, and fair shares, in the base",
        ),
        "investment": Finder(
            find=_investment,
            says=f"what to build for {BUDGET_MUSD:g} MUSD and less, in the base",
        ),
    }
)
"""Name -> what can be asked for a report beside the comparison, in the order of asking."""


def check_findings(names: Sequence[str]) -> list[str]:
    """Return what to ask for a report, in the order of asking.

    Parameters
    ----------
    names
        Keys of `FINDERS`, or ``all``.

    Raises
    ------
    InputError
        If a name is unknown.

    Examples
    --------
    >>> check_findings(["sweep", "explanations"])
    ['explanations', 'sweep']
    """
    strange = [name for name in names if name not in (*FINDERS, ALL)]
    if strange:
        msg = (
            f"A report can have {', '.join(FINDERS)} or {ALL}; found {', '.join(strange)}. "
            "Correct the name."
        )
        raise InputError(msg)
    return [name for name in FINDERS if name in names or ALL in names]
