"""Variants applied to tables, compared on the same demand, and held against published times."""

from corridor.study.comparison import Comparison, compare, write_indicators
from corridor.study.studies import Case, Study, load_study

__all__ = [
    "Case",
    "Comparison",
    "Study",
    "compare",
    "load_study",
    "write_indicators",
]
