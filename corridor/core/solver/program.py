"""What a solver is given and what it gives back: plain arrays, frozen."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray

from corridor.errors import InputError

FloatArray: TypeAlias = NDArray[np.float64]
BoolArray: TypeAlias = NDArray[np.bool_]
Status: TypeAlias = Literal["optimal", "feasible", "infeasible", "unbounded", "unknown"]


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """A linear or mixed-integer program in rows and columns.

    Formula: minimize ``cost @ x`` subject to ``row_lower <= matrix @ x <= row_upper``,
    ``lower <= x <= upper`` and ``x[integer]`` whole.

    Parameters
    ----------
    cost : array-like of float64, shape (n_columns,)
        Objective coefficients, finite.
    lower, upper : array-like of float64, shape (n_columns,)
        Bounds of the columns; ``-inf`` and ``inf`` mean none.
    matrix : scipy sparse matrix of float64, shape (n_rows, n_columns)
        Coefficients, finite; kept as canonical CSR.
    row_lower, row_upper : array-like of float64, shape (n_rows,)
        Bounds of the rows; ``-inf`` and ``inf`` mean none.
    integer : array-like of bool, shape (n_columns,), optional
        Columns that must be whole; none by default.

    Raises
    ------
    InputError
        If a shape differs, a value is NaN, a coefficient is infinite, or a lower bound exceeds
        its upper bound.

    Examples
    --------
    >>> import scipy.sparse as sp
    >>> program = Program([1, 2], [0, 0], [3, 3], sp.csr_matrix([[1, 1]]), [4], [4])
    >>> program.n_rows, program.n_columns
    (1, 2)
    """

    cost: FloatArray
    lower: FloatArray
    upper: FloatArray
    matrix: sp.csr_matrix
    row_lower: FloatArray
    row_upper: FloatArray
    integer: BoolArray | None = None

    def __post_init__(self) -> None:
        matrix = _canonical(self.matrix)
        n_rows, n_columns = matrix.shape
        object.__setattr__(self, "matrix", matrix)
        for name, size in (
            ("cost", n_columns),
            ("lower", n_columns),
            ("upper", n_columns),
            ("row_lower", n_rows),
            ("row_upper", n_rows),
        ):
            object.__setattr__(self, name, _vector(name, getattr(self, name), size))
        if self.integer is not None:
            object.__setattr__(self, "integer", _mask(self.integer, n_columns))
        self._check(columns=True)

    def _check(self, *, columns: bool) -> None:
        """Refuse infinite costs and crossed bounds; those of columns only where asked for."""
        finite = np.isfinite(self.cost)
        if not finite.all():
            raise InputError(_first_fault("cost", "finite", self.cost, finite))
        if columns:
            _check_order("lower", self.lower, "upper", self.upper)
        _check_order("row_lower", self.row_lower, "row_upper", self.row_upper)

    def changed(
        self,
        *,
        cost: ArrayLike | None = None,
        lower: ArrayLike | None = None,
        upper: ArrayLike | None = None,
        row_lower: ArrayLike | None = None,
        row_upper: ArrayLike | None = None,
    ) -> "Program":
        """Return a program with other costs and bounds; what is None stays, the matrix too.

        Parameters
        ----------
        cost, lower, upper : array-like of float64, shape (n_columns,), optional
            New costs and bounds of the columns.
        row_lower, row_upper : array-like of float64, shape (n_rows,), optional
            New bounds of the rows.

        Raises
        ------
        InputError
            As for a new program.
        """
        new = object.__new__(Program)
        for name in ("matrix", "integer"):
            object.__setattr__(new, name, getattr(self, name))
        for name, values in (
            ("cost", cost),
            ("lower", lower),
            ("upper", upper),
            ("row_lower", row_lower),
            ("row_upper", row_upper),
        ):
            old = getattr(self, name)
            object.__setattr__(
                new, name, old if values is None else _vector(name, values, old.size)
            )
        new._check(columns=lower is not None or upper is not None)
        return new

    def with_columns(
        self, cost: ArrayLike, lower: ArrayLike, upper: ArrayLike, matrix: sp.csr_matrix
    ) -> "Program":
        """Return a program with more columns, which are not integer.

        Parameters
        ----------
        cost, lower, upper : array-like of float64, shape (k,)
            Costs and bounds of the new columns.
        matrix : scipy sparse matrix of float64, shape (n_rows, k)
            Their coefficients.

        Raises
        ------
        InputError
            If the block has another number of rows, or as for a new program.
        """
        block = _block(matrix, 0, self.n_rows)
        new_size = block.shape[1]
        integer = self.integer
        if integer is not None:
            integer = np.concatenate([integer, np.zeros(new_size, dtype=np.bool_)])
        return Program(
            cost=np.concatenate([self.cost, _vector("cost", cost, new_size)]),
            lower=np.concatenate([self.lower, _vector("lower", lower, new_size)]),
            upper=np.concatenate([self.upper, _vector("upper", upper, new_size)]),
            matrix=sp.hstack([self.matrix, block], format="csr"),
            row_lower=self.row_lower,
            row_upper=self.row_upper,
            integer=integer,
        )

    def with_rows(
        self, matrix: sp.csr_matrix, row_lower: ArrayLike, row_upper: ArrayLike
    ) -> "Program":
        """Return a program with more rows.

        Parameters
        ----------
        matrix : scipy sparse matrix of float64, shape (k, n_columns)
            Coefficients of the new rows.
        row_lower, row_upper : array-like of float64, shape (k,)
            Their bounds.

        Raises
        ------
        InputError
            If the block has another number of columns, or as for a new program.
        """
        block = _block(matrix, 1, self.n_columns)
        new_size = block.shape[0]
        return Program(
            cost=self.cost,
            lower=self.lower,
            upper=self.upper,
            matrix=sp.vstack([self.matrix, block], format="csr"),
            row_lower=np.concatenate([self.row_lower, _vector("row_lower", row_lower, new_size)]),
            row_upper=np.concatenate([self.row_upper, _vector("row_upper", row_upper, new_size)]),
            integer=self.integer,
        )

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return int(self.matrix.shape[0])

    @property
    def n_columns(self) -> int:
        """Number of columns."""
        return int(self.matrix.shape[1])

    @property
    def has_integers(self) -> bool:
        """Whether any column must be whole."""
        return self.integer is not None and bool(self.integer.any())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Answer:
    """What came out of a solve; the status is data, never an exception.

    Parameters
    ----------
    status
        ``optimal`` (with integers: within the gap asked for), ``feasible`` (a point, stopped by a
        limit), ``infeasible``, ``unbounded`` or ``unknown`` (stopped before a point was found).
    limit
        What stopped the solver, ``time`` or ``interrupt`` (or, rarely, another limit of its own
        such as ``memory``); empty where nothing did.
    objective
        ``cost @ x`` recomputed here; NaN without a point.
    bound
        Lower bound on the optimum: for a linear program the objective of the dual point,
        recomputed here; with integers the solver's own; ``-inf`` where nothing was proved.
    gap
        ``(objective - bound) / max(|objective|, 1)``, >= 0; NaN without a point.
    x : ndarray of float64, shape (n_columns,), or None
        The point; None where there is none.
    row_price : ndarray of float64, shape (n_rows,), or None
        Change of the optimal objective per unit increase of the row's binding bound; >= 0 at a
        lower bound, <= 0 at an upper one. None with integers and without a proof.
    reduced_cost : ndarray of float64, shape (n_columns,), or None
        ``cost - row_price @ matrix``; None where row_price is.
    solver
        Name of the solver that answered: ``glop``, ``highs``, ``pdlp``, ``scip`` or ``cp_sat``.
    seconds
        Wall time of the call [s].
    """

    status: Status
    limit: str
    objective: float
    bound: float
    gap: float
    x: FloatArray | None
    row_price: FloatArray | None
    reduced_cost: FloatArray | None
    solver: str
    seconds: float


def _canonical(matrix: sp.csr_matrix) -> sp.csr_matrix:
    _check_sparse(matrix)
    canonical = sp.csr_matrix(matrix).astype(np.float64, copy=False)
    if not canonical.has_canonical_format:
        # OR-Tools calls a model with duplicate entries invalid only when it is solved.
        canonical = canonical.copy()
        canonical.sum_duplicates()
    good = np.isfinite(canonical.data)
    if not good.all():
        raise InputError(_first_fault("matrix.data", "finite", canonical.data, good))
    return canonical


def _block(matrix: sp.csr_matrix, axis: int, size: int) -> sp.csr_matrix:
    _check_sparse(matrix)
    if matrix.shape[axis] != size:
        kind = ("rows", "columns")[axis]
        msg = f"matrix must have the program's {size} {kind}; found {matrix.shape[axis]}."
        raise InputError(msg)
    return sp.csr_matrix(matrix)


def _check_sparse(matrix: object) -> None:
    if not sp.issparse(matrix):
        msg = (
            f"matrix must be a scipy sparse matrix; found {type(matrix).__name__}. Wrap it in "
            "scipy.sparse.csr_matrix."
        )
        raise InputError(msg)


def _vector(name: str, values: ArrayLike, size: int) -> FloatArray:
    array = np.array(values, dtype=np.float64)
    if array.shape != (size,):
        msg = f"{name} has shape {array.shape}, expected ({size},) as in matrix."
        raise InputError(msg)
    good = ~np.isnan(array)
    if not good.all():
        raise InputError(_first_fault(name, "a number", array, good))
    array.flags.writeable = False
    return array


def _mask(values: ArrayLike, size: int) -> BoolArray:
    array = np.array(values)
    if array.dtype != np.bool_ or array.shape != (size,):
        msg = (
            f"integer must be a bool mask of shape ({size},); found {array.dtype} of shape "
            f"{array.shape}."
        )
        raise InputError(msg)
    array.flags.writeable = False
    return array


def _check_order(low_name: str, low: FloatArray, high_name: str, high: FloatArray) -> None:
    good = (low <= high) & (low < np.inf) & (high > -np.inf)
    if good.all():
        return
    at = int(np.flatnonzero(~good)[0])
    msg = (
        f"{low_name} must not exceed {high_name}; position {at} has {low[at]} and {high[at]} "
        f"({int((~good).sum())} of {good.size} are wrong)."
    )
    raise InputError(msg)


def _first_fault(name: str, must: str, array: FloatArray, good: BoolArray) -> str:
    at = int(np.flatnonzero(~good)[0])
    count = int((~good).sum())
    return f"{name} must be {must}; position {at} has {array[at]} ({count} of {good.size})."
