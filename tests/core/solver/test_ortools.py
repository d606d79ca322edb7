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

from corridor.core.solver import Program, _helper, _mathopt
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
    from ortools.math_opt import result_pb2
    from ortools.math_opt.core.python import solver
    from ortools.math_opt.elemental.python import cpp_elemental, enums

    assert hasattr(solver, "new")
    for name in ("add_elements", "set_attrs", "export_model"):
        assert hasattr(cpp_elemental.CppElemental, name)
    assert hasattr(enums.DoubleAttr2, "LINEAR_CONSTRAINT_COEFFICIENT")
    reasons = {
        n.removeprefix("TERMINATION_REASON_")
        for n in list(result_pb2.TerminationReasonProto.keys())
    }
    assert set(_mathopt._STATUS) <= reasons


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
