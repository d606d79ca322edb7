"""A program, and the difference of two programs, as MathOpt messages."""

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from ortools.math_opt import (
    model_parameters_pb2,
    model_pb2,
    model_update_pb2,
    solution_pb2,
    sparse_containers_pb2,
)

from corridor.core.solver._wire import (
    IntArray,
    packed_bytes,
    packed_doubles,
    packed_ids,
    trailing_bytes,
)
from corridor.core.solver.basis import Basis
from corridor.core.solver.program import FloatArray, Program

_DOUBLES = sparse_containers_pb2.SparseDoubleVectorProto
_MATRIX = sparse_containers_pb2.SparseDoubleMatrixProto
_STATUSES = solution_pb2.SparseBasisStatusVector


def model_of(program: Program) -> model_pb2.ModelProto:
    """Return the whole program."""
    message = model_pb2.ModelProto()
    _fill_new_columns(message.variables, program, 0)
    _fill_new_rows(message.linear_constraints, program, 0)
    _fill_vector(message.objective.linear_coefficients, np.arange(program.n_columns), program.cost)
    _fill_matrix(message.linear_constraint_matrix, program.matrix, 0, 0)
    return message


def update_of(old: Program, new: Program) -> model_update_pb2.ModelUpdateProto | None:
    """Return what turns one program into another that begins with it; None where nothing does.

    The entries of the old matrix are taken to be the same.
    """
    n_columns, n_rows = old.n_columns, old.n_rows
    message = model_update_pb2.ModelUpdateProto()
    columns, rows = message.variable_updates, message.linear_constraint_updates
    changed = [
        _fill_difference(columns.lower_bounds, old.lower, new.lower),
        _fill_difference(columns.upper_bounds, old.upper, new.upper),
        _fill_difference(rows.lower_bounds, old.row_lower, new.row_lower),
        _fill_difference(rows.upper_bounds, old.row_upper, new.row_upper),
    ]
    cost = old.cost
    if new.n_columns > n_columns:
        _fill_new_columns(message.new_variables, new, n_columns)
        cost = np.concatenate([cost, np.zeros(new.n_columns - n_columns)])
    if new.n_rows > n_rows:
        _fill_new_rows(message.new_linear_constraints, new, n_rows)
    if (new.n_columns, new.n_rows) != (n_columns, n_rows):
        _fill_matrix(message.linear_constraint_matrix_updates, new.matrix, n_rows, n_columns)
        changed.append(True)
    objective = message.objective_updates.linear_coefficients
    changed.append(_fill_difference(objective, cost, new.cost))
    return message if any(changed) else None


def fill_basis(message: model_parameters_pb2.ModelSolveParametersProto, basis: Basis) -> None:
    """Let a solve start from a basis."""
    for part, statuses in (
        (message.initial_basis.variable_status, basis.column),
        (message.initial_basis.constraint_status, basis.row),
    ):
        part.MergeFromString(
            packed_ids(_STATUSES.IDS_FIELD_NUMBER, np.arange(statuses.size))
            + packed_bytes(_STATUSES.VALUES_FIELD_NUMBER, statuses)
        )


def fill_hint(
    message: model_parameters_pb2.ModelSolveParametersProto, columns: IntArray, values: FloatArray
) -> None:
    """Let a solve begin with a point, known at some columns."""
    _fill_vector(message.solution_hints.add().variable_values, columns, values)


def basis_of(message: solution_pb2.BasisProto, program: Program) -> Basis:
    """Return the basis that came with a solution."""
    return Basis(
        column=trailing_bytes(message.variable_status.SerializeToString(), program.n_columns),
        row=trailing_bytes(message.constraint_status.SerializeToString(), program.n_rows),
    )


def _fill_vector(
    message: sparse_containers_pb2.SparseDoubleVectorProto, ids: IntArray, values: FloatArray
) -> None:
    message.MergeFromString(
        packed_ids(_DOUBLES.IDS_FIELD_NUMBER, ids)
        + packed_doubles(_DOUBLES.VALUES_FIELD_NUMBER, values)
    )


def _fill_difference(
    message: sparse_containers_pb2.SparseDoubleVectorProto, old: FloatArray, new: FloatArray
) -> bool:
    if new is old:
        return False
    ids = np.flatnonzero(old != new[: old.size])
    if ids.size:
        _fill_vector(message, ids, new[ids])
    return bool(ids.size)


def _fill_new_columns(message: model_pb2.VariablesProto, program: Program, first: int) -> None:
    integer: NDArray[np.uint8] = np.zeros(program.n_columns - first, dtype=np.uint8)
    if program.integer is not None:
        integer = program.integer[first:].astype(np.uint8)
    number = model_pb2.VariablesProto
    message.MergeFromString(
        packed_ids(number.IDS_FIELD_NUMBER, np.arange(first, program.n_columns))
        + packed_doubles(number.LOWER_BOUNDS_FIELD_NUMBER, program.lower[first:])
        + packed_doubles(number.UPPER_BOUNDS_FIELD_NUMBER, program.upper[first:])
        + packed_bytes(number.INTEGERS_FIELD_NUMBER, integer)
    )


def _fill_new_rows(message: model_pb2.LinearConstraintsProto, program: Program, first: int) -> None:
    number = model_pb2.LinearConstraintsProto
    message.MergeFromString(
        packed_ids(number.IDS_FIELD_NUMBER, np.arange(first, program.n_rows))
        + packed_doubles(number.LOWER_BOUNDS_FIELD_NUMBER, program.row_lower[first:])
        + packed_doubles(number.UPPER_BOUNDS_FIELD_NUMBER, program.row_upper[first:])
    )


def _fill_matrix(
    message: sparse_containers_pb2.SparseDoubleMatrixProto,
    matrix: sp.csr_matrix,
    first_row: int,
    first_column: int,
) -> None:
    """Fill in the entries in the new rows and the new columns, row by row."""
    row = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    column = matrix.indices.astype(np.intp)
    entries = np.flatnonzero((row >= first_row) | (column >= first_column))
    message.MergeFromString(
        packed_ids(_MATRIX.ROW_IDS_FIELD_NUMBER, row[entries])
        + packed_ids(_MATRIX.COLUMN_IDS_FIELD_NUMBER, column[entries])
        + packed_doubles(_MATRIX.COEFFICIENTS_FIELD_NUMBER, matrix.data[entries])
    )
