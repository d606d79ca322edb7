"""The solver that ``auto`` takes, by kind and size of the program."""

import numpy as np
import pytest
import scipy.sparse as sp

from corridor.core.solver import Program
from corridor.core.solver.choice import candidates


def program(nonzeros: int, cost: float, *, integer: bool = False) -> Program:
    """Return a program in one row; with a cost < 0 the dual simplex method cannot start at once."""
    n = max(1, nonzeros)
    row = sp.csr_matrix(np.full((1, n), 0.5))
    mask = np.ones(n, dtype=bool) if integer else None
    upper = np.full(n, np.inf)
    return Program(np.full(n, cost), np.zeros(n), upper, row, [1], [9], integer=mask)


@pytest.mark.parametrize(
    ("nonzeros", "cost", "expected"),
    [
        (10, 1, ("glop", "highs")),
        (10, -1, ("glop", "highs")),
        (90_000, 1, ("glop", "highs")),
        (90_000, -1, ("highs", "glop")),
        (110_000, 1, ("highs", "glop")),
        (5_000_000, 1, ("pdlp", "highs")),
    ],
)
def test_linear(nonzeros: int, cost: float, expected: tuple[str, ...]) -> None:
    given = program(nonzeros, cost)
    assert candidates(given, "auto", interruptible=False) == expected
    interruptible = tuple(name for name in expected if name != "highs")
    assert candidates(given, "auto", interruptible=True) == interruptible


def test_integers_that_are_not_whole_programs_go_to_scip() -> None:
    assert candidates(program(3, 1, integer=True), "auto", interruptible=True) == ("scip",)
