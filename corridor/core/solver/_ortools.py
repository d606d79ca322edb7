"""Everything that depends on the inside of the OR-Tools 9.15 wheel.

Facts this module works around (9.15.6755):

- ``ModelBuilderHelper`` takes NumPy arrays in bulk, which is 15 to 85 times faster than any public
  builder; it lives in a module without a stability promise.
- HiGHS through ``ModelSolverHelper`` prints a banner to stdout and returns row activities where
  the prices belong; through MathOpt it is silent and right. So HiGHS is driven by MathOpt.
- MathOpt's own translator of solver errors is broken, so its binding is called directly and
  ``StatusNotOk`` is caught here.
- GLOP through ``ModelSolverHelper`` calls an unbounded program infeasible, and a time limit comes
  back as FEASIBLE or NOT_SOLVED: the caller settles both.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from corridor.core.solver.program import FloatArray, Program
from corridor.errors import SolverError

if TYPE_CHECKING:
    from ortools.math_opt import result_pb2
    from ortools.math_opt.elemental.python import cpp_elemental

_CLASH: Final = (
    "OR-Tools 9.15 could not be loaded. If highspy 1.15 or later is installed, it clashes with "
    "OR-Tools inside one process (both ship a shared HiGHS library): remove highspy or take "
    "highspy 1.13. Otherwise install ortools 9.15. The loader said: "
)

try:
    from ortools.linear_solver.python import model_builder_helper as helper
except ImportError as error:
    msg = f"{_CLASH}{error}"
    raise SolverError(msg) from error

_WHOLE: Final = True
RawStatus = Literal["optimal", "feasible", "infeasible", "unbounded", "unclear", "none", "failed"]

# GLOP's default dual tolerance (1e-6) is coarser than the gaps that are certified here.
_GLOP_PARAMETERS: Final = "dual_feasibility_tolerance: 1e-9 primal_feasibility_tolerance: 1e-9"
# Measured on master programs of 1,000 rows and 14,000 columns: three times as fast as the default.
_GLOP_DUAL: Final = f"{_GLOP_PARAMETERS} use_dual_simplex: true use_preprocessing: false"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Raw:
    """An answer as the solver gave it: unchecked."""

    status: RawStatus
    bound: float = -math.inf
    x: FloatArray | None = None
    row_price: FloatArray | None = None
    detail: str = ""


_HELPER_STATUS: dict[str, RawStatus] = {
    "OPTIMAL": "optimal",
    "FEASIBLE": "feasible",
    "INFEASIBLE": "unclear",  # GLOP and SCIP say so of unbounded programs too
    "UNBOUNDED": "unbounded",
    "NOT_SOLVED": "none",
    "CANCELLED_BY_USER": "none",
}


def run_helper(program: Program, solver: str, seconds: float | None) -> Raw:
    """Solve with GLOP (``glop``) or SCIP (``scip``) through the array builder."""
    model = helper.ModelBuilderHelper()
    fill: Callable[..., None] = model.fill_model_from_sparse_data  # its stub misnames the shapes
    fill(
        program.lower,
        program.upper,
        program.cost,
        program.row_lower,
        program.row_upper,
        program.matrix,
    )
    if program.integer is not None:
        for column in np.flatnonzero(program.integer):
            model.set_var_integrality(int(column), _WHOLE)
    engine = helper.ModelSolverHelper(solver)
    engine.enable_output(output=False)
    if solver == "glop":
        start_is_dual = _slack_start_is_dual_feasible(program)
        engine.set_solver_specific_parameters(_GLOP_DUAL if start_is_dual else _GLOP_PARAMETERS)
    if seconds is not None:
        engine.set_time_limit_in_seconds(seconds)
    engine.solve(model)
    return _read_helper(engine, linear=solver == "glop")


def _slack_start_is_dual_feasible(program: Program) -> bool:
    """Whether every column is cheapest at a finite bound, so that dual simplex needs no phase 1."""
    at_lower = (program.cost >= 0) & np.isfinite(program.lower)
    return bool((at_lower | ((program.cost <= 0) & np.isfinite(program.upper))).all())


def _read_helper(engine: helper.ModelSolverHelper, *, linear: bool) -> Raw:
    name = engine.status().name
    status = _HELPER_STATUS.get(name, "failed")
    if not engine.has_solution():
        # A status that promises a point but brings none is a failure, not an answer.
        lost = status in ("optimal", "feasible")
        return Raw(status="failed" if lost else status, detail=f"{name} {engine.status_string()}")
    return Raw(
        status=status,
        bound=-math.inf if linear else float(engine.best_objective_bound()),
        x=np.array(engine.variable_values(), dtype=np.float64),
        row_price=np.array(engine.dual_values(), dtype=np.float64) if linear else None,
        detail=name,
    )


_MATH_OPT_STATUS: dict[str, RawStatus] = {
    "OPTIMAL": "optimal",
    "FEASIBLE": "feasible",
    "INFEASIBLE": "infeasible",
    "UNBOUNDED": "unbounded",
    "INFEASIBLE_OR_UNBOUNDED": "unclear",
    "NO_SOLUTION_FOUND": "none",
    "IMPRECISE": "failed",
}


def run_highs(program: Program, seconds: float | None) -> Raw:
    """Solve a linear program with HiGHS through MathOpt (always cold)."""
    # MathOpt doubles the loading time of OR-Tools, and most runs never need it.
    from ortools.math_opt import callback_pb2, model_parameters_pb2, parameters_pb2
    from ortools.math_opt.core.python import solver as math_opt_solver
    from ortools.math_opt.python import mathopt
    from pybind11_abseil.status import StatusNotOk  # type: ignore[import-untyped]

    parameters = mathopt.SolveParameters()
    if seconds is not None:
        parameters.time_limit = timedelta(seconds=seconds)
    try:
        engine = math_opt_solver.new(
            mathopt.SolverType.HIGHS.value,
            _elemental(program).export_model(),
            parameters_pb2.SolverInitializerProto(),
        )
        result = engine.solve(
            parameters.to_proto(),
            model_parameters_pb2.ModelSolveParametersProto(),
            None,
            callback_pb2.CallbackRegistrationProto(),
            None,
            None,
        )
    except StatusNotOk as error:
        return Raw(status="failed", detail=str(error))
    return _read_math_opt(result)


def _elemental(program: Program) -> "cpp_elemental.CppElemental":
    """Fill MathOpt's own storage in bulk; keys must be int64 columns."""
    from ortools.math_opt.elemental.python import cpp_elemental, enums

    elemental = cpp_elemental.CppElemental()
    columns = elemental.add_elements(enums.ElementType.VARIABLE, program.n_columns)
    rows = elemental.add_elements(enums.ElementType.LINEAR_CONSTRAINT, program.n_rows)
    attribute = enums.DoubleAttr1
    for name, keys, values in (
        (attribute.OBJECTIVE_LINEAR_COEFFICIENT, columns, program.cost),
        (attribute.VARIABLE_LOWER_BOUND, columns, program.lower),
        (attribute.VARIABLE_UPPER_BOUND, columns, program.upper),
        (attribute.LINEAR_CONSTRAINT_LOWER_BOUND, rows, program.row_lower),
        (attribute.LINEAR_CONSTRAINT_UPPER_BOUND, rows, program.row_upper),
    ):
        elemental.set_attrs(name, np.asarray(keys, np.int64)[:, None], values)
    entries = program.matrix.tocoo()
    keys = np.column_stack([entries.row, entries.col]).astype(np.int64)
    coefficient = enums.DoubleAttr2.LINEAR_CONSTRAINT_COEFFICIENT
    elemental.set_attrs(coefficient, keys, entries.data)
    return elemental


def _read_math_opt(result: "result_pb2.SolveResultProto") -> Raw:
    from ortools.math_opt import result_pb2

    prefix = "TERMINATION_REASON_"
    reason = result_pb2.TerminationReasonProto.Name(result.termination.reason)
    name = reason.removeprefix(prefix)
    status = _MATH_OPT_STATUS.get(name, "failed")
    if status not in ("optimal", "feasible"):
        return Raw(status=status, detail=f"{name} {result.termination.detail}")
    if not result.solutions or not result.solutions[0].HasField("primal_solution"):
        return Raw(status="failed", detail=f"{name} without a point")
    first = result.solutions[0]
    has_dual = first.HasField("dual_solution")
    return Raw(
        status=status,
        bound=float(result.termination.objective_bounds.dual_bound),
        x=np.array(first.primal_solution.variable_values.values, dtype=np.float64),
        row_price=np.array(first.dual_solution.dual_values.values) if has_dual else None,
        detail=name,
    )
