"""A linear program that changes and is solved again from where it stood."""

from typing import TYPE_CHECKING, Final

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike

from corridor.core.solver.basis import Basis
from corridor.core.solver.dispatch import infeasible_or_unbounded, solve
from corridor.core.solver.program import Answer, Program
from corridor.core.solver.request import Request
from corridor.core.solver.settle import empty, settle
from corridor.errors import InputError, SolverError

if TYPE_CHECKING:
    from corridor.core.solver._mathopt import Resolver

_NAME: Final = "glop"


class Session:
    """A linear program that is changed and solved again, each time from a known basis.

    Parameters
    ----------
    program
        Where to begin; without integer columns.

    Raises
    ------
    InputError
        If the program has integer columns.

    Notes
    -----
    GLOP holds the program; only differences are sent to it. Every answer is checked like that of
    `solve`. A session belongs to one thread at a time; different sessions solve side by side.

    A sweep over scenarios is best solved from one saved basis, ``solve(basis=base)``: that takes
    fewer steps than going from scenario to scenario, and no answer depends on the others.

    Examples
    --------
    >>> import scipy.sparse as sp
    >>> from corridor.core.solver import Program, Session
    >>> session = Session(Program([1, 2], [0, 0], [3, 3], sp.csr_matrix([[1, 1]]), [4], [4]))
    >>> session.solve().objective
    5.0
    >>> base = session.basis
    >>> session.change(cost=[3, 2])
    >>> session.solve(basis=base).objective
    9.0
    >>> session.add_columns([1], [0], [0.5], sp.csr_matrix([[2.0]]))
    >>> session.solve(basis=base).x.tolist()
    [0.0, 3.0, 0.5]
    """

    def __init__(self, program: Program) -> None:
        if program.has_integers:
            msg = "A session takes no integer columns; use solve, with start for a known point."
            raise InputError(msg)
        self._program = program
        self._basis: Basis | None = None
        self._solved = program  # where the last basis is optimal
        self._resolver: Resolver | None = None

    @property
    def program(self) -> Program:
        """The present program."""
        return self._program

    @property
    def basis(self) -> Basis | None:
        """The basis of the last optimum; None before the first."""
        return self._basis

    def change(
        self,
        *,
        cost: ArrayLike | None = None,
        lower: ArrayLike | None = None,
        upper: ArrayLike | None = None,
        row_lower: ArrayLike | None = None,
        row_upper: ArrayLike | None = None,
    ) -> None:
        """Set costs and bounds; what is None stays.

        Parameters
        ----------
        cost, lower, upper : array-like of float64, shape (n_columns,), optional
            New costs and bounds of the columns.
        row_lower, row_upper : array-like of float64, shape (n_rows,), optional
            New bounds of the rows.

        Raises
        ------
        InputError
            As for a new `Program`; the session is left as it was.
        """
        self._program = self._program.changed(
            cost=cost, lower=lower, upper=upper, row_lower=row_lower, row_upper=row_upper
        )

    def add_columns(
        self, cost: ArrayLike, lower: ArrayLike, upper: ArrayLike, matrix: sp.csr_matrix
    ) -> None:
        """Add columns behind the present ones; the next solve starts with them at a bound.

        Parameters
        ----------
        cost, lower, upper : array-like of float64, shape (k,)
            Costs and bounds of the new columns.
        matrix : scipy sparse matrix of float64, shape (n_rows, k)
            Their coefficients.

        Raises
        ------
        InputError
            As for a new `Program`; the session is left as it was.
        """
        self._program = self._program.with_columns(cost, lower, upper, matrix)

    def add_rows(self, matrix: sp.csr_matrix, row_lower: ArrayLike, row_upper: ArrayLike) -> None:
        """Add rows below the present ones; the next solve starts with them basic.

        Parameters
        ----------
        matrix : scipy sparse matrix of float64, shape (k, n_columns)
            Coefficients of the new rows.
        row_lower, row_upper : array-like of float64, shape (k,)
            Their bounds.

        Raises
        ------
        InputError
            As for a new `Program`; the session is left as it was.
        """
        self._program = self._program.with_rows(matrix, row_lower, row_upper)

    def solve(self, time_limit: float | None = None, basis: Basis | None = None) -> Answer:
        """Solve the present program and check the answer.

        Parameters
        ----------
        time_limit
            Wall time [s], > 0; None for none.
        basis
            Where to start: a basis of this session or of one that began with the same program.
            Columns and rows added since are put at a bound and in the basis. None for the last
            basis of this session.

        Returns
        -------
        answer : Answer
            As of `solve`.

        Raises
        ------
        InputError
            If the time limit is not > 0, or the basis has more columns or rows than the program.
        SolverError
            As of `solve`.
        """
        request = Request(time_limit=time_limit)
        try:
            answer = self._resolve(request, basis)
        except SolverError:
            # A basis that went bad numerically is dropped, and the program solved from scratch.
            self._resolver = self._basis = None
            limit = request.limit_reached()
            if limit:
                return empty("unknown", limit, _NAME, request)
            answer = solve(self._program, time_limit=request.seconds_left())
        return answer

    def _resolve(self, request: Request, basis: Basis | None) -> Answer:
        from corridor.core.solver._mathopt import Resolver

        program = self._program
        start = self._basis if basis is None else basis
        # In place, GLOP would begin anew after new columns; a basis that is given is always used.
        extended = None if start is None else start.extended(program)
        if self._resolver is None:
            self._resolver = Resolver(program)
        stays_feasible = (
            basis is None and extended is not None and _same_bounds(self._solved, program)
        )
        raw = self._resolver.solve(program, extended, request, dual=not stays_feasible)
        answer = settle(program, _NAME, raw, request)
        if answer is None:
            return infeasible_or_unbounded(program, _NAME, request)
        if raw.status == "optimal":
            self._basis, self._solved = raw.basis, program
        return answer


def _same_bounds(old: Program, new: Program) -> bool:
    """Return whether a point of the old program is one of the new one, new columns at a bound 0."""
    n_columns = old.n_columns
    return (
        np.array_equal(old.row_lower, new.row_lower)
        and np.array_equal(old.row_upper, new.row_upper)
        and np.array_equal(old.lower, new.lower[:n_columns])
        and np.array_equal(old.upper, new.upper[:n_columns])
    )
