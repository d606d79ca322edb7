"""The toy study, planned."""

from pathlib import Path

import pandas as pd
import pytest

import corridor
from corridor.study import Comparison
from tests.report.toy import write_toy_study

_planned: list[Comparison] = []
"""The comparison once it is made: nothing can change it, so all tests share it."""


@pytest.fixture
def comparison(
    tmp_path: Path, toy_tables: dict[str, pd.DataFrame], toy_demand: corridor.Demand
) -> Comparison:
    """Compare the variants of the toy study: optimal, optimal, partial, infeasible."""
    if not _planned:
        folder = write_toy_study(tmp_path / "toy", toy_tables, toy_demand.rows)
        _planned.append(corridor.compare(corridor.load_study(folder), workers=1))
    return _planned[0]
