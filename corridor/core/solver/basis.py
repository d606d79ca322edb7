"""Where a linear program's optimum stands: which columns and rows are at which bound."""

from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from corridor.core.solver.program import FloatArray, Program
from corridor.errors import InputError

ByteArray: TypeAlias = NDArray[np.uint8]

FREE: Final = 1
AT_LOWER: Final = 2
AT_UPPER: Final = 3
FIXED: Final = 4
BASIC: Final = 5
"""The numbers of MathOpt's ``BasisStatusProto`` (a test compares them)."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Basis:
    """A basis that a later solve can start from; opaque, small, can be pickled.

    Parameters
    ----------
    column : ndarray of uint8, shape (n_columns,)
        Status of each column.
    row : ndarray of uint8, shape (n_rows,)
        Status of each row.
    """

    column: ByteArray
    row: ByteArray

    def __post_init__(self) -> None:
        self.column.flags.writeable = False
        self.row.flags.writeable = False

    def extended(self, program: Program) -> "Basis":
        """Return the basis in a program that grew since: new columns at a bound, new rows basic.

        Parameters
        ----------
        program
            The present program; its first columns and rows are those of this basis.

        Raises
        ------
        InputError
            If the program has fewer columns or rows than the basis.
        """
        n_columns, n_rows = self.column.size, self.row.size
        if (n_columns, n_rows) == (program.n_columns, program.n_rows):
            return self
        if n_columns > program.n_columns or n_rows > program.n_rows:
            msg = (
                f"basis has {n_columns} columns and {n_rows} rows, the program only "
                f"{program.n_columns} and {program.n_rows}. Take a basis of this session, or of "
                "one that began with the same program."
            )
            raise InputError(msg)
        new = _at_bound(program.lower[n_columns:], program.upper[n_columns:])
        fresh_rows = np.full(program.n_rows - n_rows, BASIC, dtype=np.uint8)
        return Basis(column=np.r_[self.column, new], row=np.r_[self.row, fresh_rows])


def _at_bound(lower: FloatArray, upper: FloatArray) -> ByteArray:
    """Return the nonbasic status of columns: at the lower bound where there is one."""
    status = np.where(np.isfinite(upper), AT_UPPER, FREE)
    status = np.where(np.isfinite(lower), AT_LOWER, status)
    return np.where(lower == upper, FIXED, status).astype(np.uint8)
