"""Variants applied to tables, compared on the same demand, and held against published times."""

from corridor.study.comparison import Comparison, compare
from corridor.study.cooperation.benefits import BenefitShares, share_benefits
from corridor.study.disruption.closures import Resilience, resilience
from corridor.study.disruption.interdiction import WorstClosures, robust_variants, worst_closures
from corridor.study.disruption.windows import ClosureWindow
from corridor.study.opportunities import unbuilt_case
from corridor.study.studies import Case, Study, load_study
from corridor.study.uncertainty.investment_scenarios import investment_cases
from corridor.study.uncertainty.sweeps import Sweep, sweep
from corridor.study.uncertainty.uncertain_savings import investment_ranges
from corridor.study.validation.evidence import validation_markdown
from corridor.study.validation.targets import TargetCheck, check_targets
from corridor.study.validation.volumes import VolumeCheck, check_volumes

__all__ = [
    "BenefitShares",
    "Case",
    "ClosureWindow",
    "Comparison",
    "Resilience",
    "Study",
    "Sweep",
    "TargetCheck",
    "VolumeCheck",
    "WorstClosures",
    "check_targets",
    "check_volumes",
    "compare",
    "investment_cases",
    "investment_ranges",
    "load_study",
    "resilience",
    "robust_variants",
    "share_benefits",
    "sweep",
    "unbuilt_case",
    "validation_markdown",
    "worst_closures",
]
