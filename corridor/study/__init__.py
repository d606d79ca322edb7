"""Variants applied to tables, compared on the same demand, and held against published times."""

from corridor.study.studies import Case, Study, load_study

__all__ = ["Case", "Study", "load_study"]
