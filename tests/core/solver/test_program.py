"""`Program` refuses what cannot be solved and locks what it holds."""

from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

from corridor.core.solver import Program
from corridor.errors import InputError

ROW = sp.csr_matrix([[1.0, 1.0]])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1], [0, 0], [1, 1], ROW, [0], [1]), r"cost has shape \(1,\), expected \(2,\)"),
        (([1, np.nan], [0, 0], [1, 1], ROW, [0], [1]), "cost must be a number; position 1"),
        (([1, np.inf], [0, 0], [1, 1], ROW, [0], [1]), "cost must be finite; position 1"),
        (([1, 1], [0, 2], [1, 1], ROW, [0], [1]), "lower must not exceed upper; position 1"),
        (([1, 1], [0, 0], [1, 1], ROW, [2], [1]), "row_lower must not exceed row_upper"),
        (([1, 1], [0, 0], [1, 1], ROW, [np.inf], [np.inf]), "row_lower must not exceed"),
        (([1, 1], [0, 0], [1, 1], np.ones((1, 2)), [0], [1]), "must be a scipy sparse matrix"),
        (([1, 1], [0, 0], [1, 1], ROW * np.inf, [0], [1]), "matrix.data must be finite"),
        (([1, 1], [0, 0], [1, 1], ROW, [0], [1], [1, 0]), "integer must be a bool mask"),
    ],
)
def test_faults_are_named(arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Program(*arguments)


def test_duplicates_are_summed_and_arrays_locked() -> None:
    matrix = sp.csr_matrix((np.ones(3), [1, 1, 0], [0, 3]), shape=(1, 2))
    program = Program([1, 1], [0, 0], [1, 1], matrix, [0], [1])
    np.testing.assert_array_equal(program.matrix.toarray(), [[1, 2]])
    assert matrix.nnz == 3  # the caller's matrix is left alone
    with pytest.raises(ValueError, match="read-only"):
        program.cost[0] = 3
