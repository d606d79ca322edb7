"""The parts of the OR-Tools wheel that corridor leans on are where they were.

A failure here means that another OR-Tools is installed than the one this was written for: read
`corridor/core/solver/_helper.py` before changing a pin.
"""

import subprocess
import sys
from importlib.metadata import version

import numpy as np
import pytest
import scipy.sparse as sp

from corridor.core.solver import Program, _helper, _mathopt, _messages, basis
from corridor.core.solver.request import Request


def test_wheel_version() -> None:
    assert version("ortools").startswith("9.15.")


def test_array_builder_surface() -> None:
    from ortools.linear_solver.python import model_builder_helper as helper

    for name in ("fill_model_from_sparse_data",):
        assert hasattr(helper.ModelBuilderHelper, name)
    for name in (
        "dual_values", "enable_output", "has_solution",
        "set_solver_specific_parameters", "set_time_limit_in_seconds", "solve", "status",
        "status_string", "variable_values",
    ):  # fmt: skip
        assert hasattr(helper.ModelSolverHelper, name)
    names = set(helper.SolveStatus.__members__)
    assert set(_helper._STATUS) <= names


def test_math_opt_surface() -> None:
    from ortools.math_opt import callback_pb2, parameters_pb2, result_pb2, solution_pb2
    from ortools.math_opt.core.python import solver
    from ortools.util.python.solve_interrupter import SolveInterrupter
    from pybind11_abseil.status import StatusNotOk

    assert issubclass(StatusNotOk, Exception)
    assert hasattr(solver, "new")
    for name in ("solve", "update"):
        assert hasattr(solver.Solver, name)
    for name in ("interrupt", "pybind_interrupter"):
        assert hasattr(SolveInterrupter(), name)
    reasons = {
        n.removeprefix("TERMINATION_REASON_")
        for n in list(result_pb2.TerminationReasonProto.keys())
    }
    assert set(_mathopt._STATUS) <= reasons
    assert set(_mathopt._UNNAMED) <= set(result_pb2.LimitProto.keys())
    assert hasattr(callback_pb2, "CALLBACK_EVENT_MIP_SOLUTION")
    assert set(_mathopt._TYPES.values()) <= set(parameters_pb2.SolverTypeProto.values())
    for name in ("FREE", "AT_LOWER", "AT_UPPER", "FIXED", "BASIC"):
        suffix = {"AT_LOWER": "_BOUND", "AT_UPPER": "_BOUND", "FIXED": "_VALUE"}.get(name, "")
        theirs = solution_pb2.BasisStatusProto.Value(f"BASIS_STATUS_{name}{suffix}")
        assert getattr(basis, name) == theirs


def test_status_numbers_fit_one_byte() -> None:
    """The bases are read as one byte a status."""
    from ortools.math_opt import solution_pb2

    assert max(solution_pb2.BasisStatusProto.values()) < 128


PROGRAM = Program([1, 2], [0, 0], [3, 3], sp.csr_matrix([[1, 1]]), [4], [np.inf])


def test_glop_parameters_are_understood() -> None:
    raw = _helper.run_glop(PROGRAM, None)
    assert raw.status == "optimal", raw.detail
    np.testing.assert_allclose(raw.row_price, [2])


def test_highs_returns_prices() -> None:
    raw = _mathopt.run(PROGRAM, "highs", Request())
    assert raw.status == "optimal", raw.detail
    np.testing.assert_allclose(raw.row_price, [2])


def test_solvers_print_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    _helper.run_glop(PROGRAM, None)
    _mathopt.run(PROGRAM, "scip", Request())
    _mathopt.run(PROGRAM, "highs", Request())
    captured = capfd.readouterr()
    assert (captured.out, captured.err) == ("", "")


def test_glop_takes_updates_and_bases() -> None:
    """An update that is refused, or a basis that is not used, would only be slow."""
    resolver = _mathopt.Resolver(PROGRAM)
    first = resolver.solve(PROGRAM, None, Request(), dual=True)
    assert first.status == "optimal"
    other = PROGRAM.changed(row_lower=[5])
    again = resolver.solve(other, first.basis, Request(), dual=True)
    assert again.status == "optimal", again.detail
    assert (again.iterations, PROGRAM.cost @ again.x) == (0, 7.0)


def test_highs_still_refuses_updates() -> None:
    """When this fails, HiGHS can re-solve: measure it against GLOP."""
    engine = _mathopt._load("highs", PROGRAM)
    update = _messages.update_of(PROGRAM, PROGRAM.changed(row_lower=[5]))
    assert not engine.update(update)


def test_clash_with_another_highs_is_explained() -> None:
    code = (
        "import sys\n"
        "sys.modules['ortools.linear_solver.python'] = None\n"
        "from corridor.errors import SolverError\n"
        "try:\n"
        "    import corridor.core.solver._helper\n"
        "except SolverError as error:\n"
        "    print('highspy' in str(error))\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "True"


def test_seam_does_not_load_the_wheel_on_import() -> None:
    code = "import sys, corridor.core.solver; print('ortools' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"
