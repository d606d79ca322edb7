"""Ranges of the bundled data set: a number that nobody varied lies inside its own range."""

import numpy as np
import pytest

from corridor.planning import compile_model
from corridor.study import load_study
from corridor.study.uncertainty.inputs import study_inputs
from corridor.study.uncertainty.scenarios import case_cells


@pytest.mark.parametrize("variant", ["status_quo", "crossroads_on_terms"])
def test_numbers_of_the_data_lie_inside_their_ranges(variant: str) -> None:
    study = load_study("crossroads")
    inputs, case = study_inputs(study), study.case(variant)
    cells = case_cells(study, inputs, case, compile_model(*case).filled)
    slack = 1e-9 * np.abs(cells.nominal)
    outside = (cells.nominal < cells.low - slack) | (cells.nominal > cells.high + slack)
    assert [inputs.names[i] for i in cells.source[outside]] == []
