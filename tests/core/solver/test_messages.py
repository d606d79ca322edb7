"""Messages made from bytes are those that protocol buffers make number by number."""

import numpy as np
import pytest
import scipy.sparse as sp
from ortools.math_opt import (
    model_parameters_pb2,
    model_pb2,
    model_update_pb2,
    sparse_containers_pb2,
)

from corridor.core.solver import Basis, Program, _messages
from corridor.core.solver._wire import (
    packed_doubles,
    packed_ids,
    trailing_bytes,
    trailing_doubles,
)

INF = np.inf


@pytest.mark.parametrize("top", [0, 1, 127, 128, 16_383, 16_384, 2**21, 2**35])
def test_ids_of_any_width(top: int) -> None:
    ids = np.unique(np.array([0, top // 3, top // 2, top]))
    values = np.linspace(-1, 1, ids.size)
    message = sparse_containers_pb2.SparseDoubleVectorProto.FromString(
        packed_ids(1, ids) + packed_doubles(2, values)
    )
    assert list(message.ids) == ids.tolist()
    assert list(message.values) == values.tolist()
    np.testing.assert_array_equal(trailing_doubles(message.SerializeToString(), ids.size), values)


def test_empty_fields() -> None:
    none = np.zeros(0, dtype=np.intp)
    message = sparse_containers_pb2.SparseDoubleVectorProto.FromString(
        packed_ids(1, none) + packed_doubles(2, np.zeros(0))
    )
    assert len(message.ids) == len(message.values) == 0
    assert trailing_doubles(message.SerializeToString(), 0).size == 0


def program(n_rows: int = 3, n_columns: int = 200) -> Program:
    rng = np.random.default_rng(n_columns)
    return Program(
        rng.normal(size=n_columns),
        np.full(n_columns, -INF),
        rng.random(n_columns),
        sp.csr_matrix(sp.random_array((n_rows, n_columns), density=0.3, rng=rng, format="csr")),
        np.zeros(n_rows),
        np.full(n_rows, INF),
        integer=rng.random(n_columns) < 0.5,
    )


def test_model_equals_the_one_made_number_by_number() -> None:
    given = program()
    expected = model_pb2.ModelProto()
    expected.variables.ids.extend(range(given.n_columns))
    expected.variables.lower_bounds.extend(given.lower.tolist())
    expected.variables.upper_bounds.extend(given.upper.tolist())
    assert given.integer is not None
    expected.variables.integers.extend(given.integer.tolist())
    expected.linear_constraints.ids.extend(range(given.n_rows))
    expected.linear_constraints.lower_bounds.extend(given.row_lower.tolist())
    expected.linear_constraints.upper_bounds.extend(given.row_upper.tolist())
    expected.objective.linear_coefficients.ids.extend(range(given.n_columns))
    expected.objective.linear_coefficients.values.extend(given.cost.tolist())
    entries = given.matrix.tocoo()
    expected.linear_constraint_matrix.row_ids.extend(entries.row.tolist())
    expected.linear_constraint_matrix.column_ids.extend(entries.col.tolist())
    expected.linear_constraint_matrix.coefficients.extend(entries.data.tolist())
    assert _messages.model_of(given) == expected


def test_update_holds_the_differences_only() -> None:
    old = program()
    cost, row_upper = old.cost.copy(), old.row_upper.copy()
    cost[[3, 150]], row_upper[1] = 7.0, 5.0
    expected = model_update_pb2.ModelUpdateProto()
    expected.objective_updates.linear_coefficients.ids.extend([3, 150])
    expected.objective_updates.linear_coefficients.values.extend([7.0, 7.0])
    expected.linear_constraint_updates.upper_bounds.ids.append(1)
    expected.linear_constraint_updates.upper_bounds.values.append(5.0)
    assert _messages.update_of(old, old.changed(cost=cost, row_upper=row_upper)) == expected
    assert _messages.update_of(old, old.changed(cost=old.cost, lower=old.lower)) is None


def test_update_holds_new_columns_and_rows() -> None:
    old = Program([1, 2], [0, 0], [3, 3], sp.csr_matrix([[1, 1]]), [4], [4])
    wider = old.with_columns([5], [0], [9], sp.csr_matrix([[6.0]]))
    new = wider.with_rows(sp.csr_matrix([[7.0, 0.0, 8.0]]), [-1], [1])
    message = _messages.update_of(old, new)
    assert message is not None
    assert list(message.new_variables.ids) == [2]
    assert list(message.new_variables.upper_bounds) == [9.0]
    assert list(message.new_linear_constraints.ids) == [1]
    assert list(message.objective_updates.linear_coefficients.values) == [5.0]
    entries = message.linear_constraint_matrix_updates
    found = list(zip(entries.row_ids, entries.column_ids, entries.coefficients, strict=True))
    assert found == [(0, 2, 6.0), (1, 0, 7.0), (1, 2, 8.0)]


def test_basis_goes_there_and_back() -> None:
    given = program()
    statuses = np.random.default_rng(0).integers(1, 6, given.n_columns + given.n_rows)
    bytes_ = statuses.astype(np.uint8)
    basis = Basis(column=bytes_[: given.n_columns].copy(), row=bytes_[given.n_columns :].copy())
    message = model_parameters_pb2.ModelSolveParametersProto()
    _messages.fill_basis(message, basis)
    assert list(message.initial_basis.variable_status.values) == basis.column.tolist()
    back = _messages.basis_of(message.initial_basis, given)
    np.testing.assert_array_equal(back.column, basis.column)
    np.testing.assert_array_equal(back.row, basis.row)
    serialized = message.initial_basis.constraint_status.SerializeToString()
    np.testing.assert_array_equal(trailing_bytes(serialized, given.n_rows), basis.row)
