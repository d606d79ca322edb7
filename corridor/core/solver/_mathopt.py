"""MathOpt's binding, called directly: HiGHS for cold linear programs, GLOP that re-solves.

Facts this module works around (OR-Tools 9.15.6755):

- The public ``IncrementalSolver`` takes 5 times as long as the binding below it, most of it in
  Python objects for single numbers.
- MathOpt's own translator of solver errors is broken, so ``StatusNotOk`` is caught here.
- Only GLOP accepts updates and a starting basis; HiGHS refuses the first and ignores the second.
- GLOP says that a program is unclear or infeasible where it is unbounded: the caller settles it.
"""

from datetime import timedelta
from typing import Any, Final

from corridor.core.solver._loader import explain_clash
from corridor.core.solver._raw import Raw, RawStatus
from corridor.core.solver._wire import trailing_doubles
from corridor.core.solver.basis import Basis
from corridor.core.solver.program import Program

with explain_clash():
    from ortools.glop import parameters_pb2 as glop_parameters_pb2
    from ortools.math_opt import (
        callback_pb2,
        model_parameters_pb2,
        parameters_pb2,
        result_pb2,
    )
    from ortools.math_opt.core.python import solver as binding
    from pybind11_abseil.status import StatusNotOk  # type: ignore[import-untyped]

    from corridor.core.solver import _messages

GLOP: Final = parameters_pb2.SOLVER_TYPE_GLOP
HIGHS: Final = parameters_pb2.SOLVER_TYPE_HIGHS

_STATUS: dict[str, RawStatus] = {
    "OPTIMAL": "optimal",
    "FEASIBLE": "feasible",
    "INFEASIBLE": "infeasible",
    "UNBOUNDED": "unbounded",
    "INFEASIBLE_OR_UNBOUNDED": "unclear",
    "NO_SOLUTION_FOUND": "none",
    "IMPRECISE": "failed",
}


def run_highs(program: Program, seconds: float | None) -> Raw:
    """Solve a linear program with HiGHS (always cold)."""
    try:
        engine = binding.new(
            HIGHS, _messages.model_of(program), parameters_pb2.SolverInitializerProto()
        )
        return _solve(engine, program, parameters_pb2.SolveParametersProto(), None, seconds)
    except StatusNotOk as error:
        return Raw(status="failed", detail=str(error))


class Resolver:
    """GLOP with a program loaded, which takes changes and starts from where it stopped.

    Parameters
    ----------
    program
        What to load.
    """

    def __init__(self, program: Program) -> None:
        self._loaded = program
        self._engine = binding.new(
            GLOP, _messages.model_of(program), parameters_pb2.SolverInitializerProto()
        )
        self._started: tuple[Basis, model_parameters_pb2.ModelSolveParametersProto] | None = None

    def solve(
        self,
        program: Program,
        basis: Basis | None,
        seconds: float | None,
        *,
        dual: bool,
        presolve: bool = False,
    ) -> Raw:
        """Solve a program that begins with the loaded one.

        Parameters
        ----------
        program
            The program; it may have more columns and rows than the loaded one.
        basis
            Where to start; None for where the last solve stopped.
        seconds
            Time limit [s].
        dual
            Whether the dual simplex method is used, else the primal one.
        presolve
            Whether the program is reduced first; the start is ignored then.
        """
        try:
            update = _messages.update_of(self._loaded, program)
            if update is not None and not self._engine.update(update):
                return Raw(status="failed", detail="GLOP refused an update")
            self._loaded = program
            parameters = _glop_parameters(dual=dual, presolve=presolve)
            return _solve(self._engine, program, parameters, self._start(basis), seconds)
        except StatusNotOk as error:
            return Raw(status="failed", detail=str(error))

    def _start(self, basis: Basis | None) -> model_parameters_pb2.ModelSolveParametersProto | None:
        """Return the message that holds a basis; the last one is kept, sweeps give one basis."""
        if basis is None:
            return None
        if self._started is None or self._started[0] is not basis:
            message = _model_parameters()
            _messages.fill_basis(message, basis)
            self._started = basis, message
        return self._started[1]


def _model_parameters() -> model_parameters_pb2.ModelSolveParametersProto:
    """Return what asks for the point and the prices, but not for the reduced costs."""
    message = model_parameters_pb2.ModelSolveParametersProto()
    message.reduced_costs_filter.filter_by_ids = True  # by no ids: they are computed from prices
    return message


def _glop_parameters(*, dual: bool, presolve: bool) -> parameters_pb2.SolveParametersProto:
    return parameters_pb2.SolveParametersProto(
        presolve=parameters_pb2.EMPHASIS_UNSPECIFIED if presolve else parameters_pb2.EMPHASIS_OFF,
        glop=glop_parameters_pb2.GlopParameters(
            use_dual_simplex=dual,
            # The default dual tolerance (1e-6) is coarser than the gaps that are certified here.
            dual_feasibility_tolerance=1e-9,
            primal_feasibility_tolerance=1e-9,
        ),
    )


def _solve(
    engine: Any,  # noqa: ANN401  the binding has no types
    program: Program,
    parameters: parameters_pb2.SolveParametersProto,
    start: model_parameters_pb2.ModelSolveParametersProto | None,
    seconds: float | None,
) -> Raw:
    if seconds is not None:
        parameters.time_limit.FromTimedelta(timedelta(seconds=seconds))
    result = engine.solve(
        parameters,
        start or _model_parameters(),
        None,
        callback_pb2.CallbackRegistrationProto(),
        None,
        None,
    )
    return _read(result, program)


def _read(result: result_pb2.SolveResultProto, program: Program) -> Raw:
    reason = result_pb2.TerminationReasonProto.Name(result.termination.reason)
    name = reason.removeprefix("TERMINATION_REASON_")
    status = _STATUS.get(name, "failed")
    iterations = int(result.solve_stats.simplex_iterations)
    if status not in ("optimal", "feasible"):
        detail = f"{name} {result.termination.detail}"
        return Raw(status=status, iterations=iterations, detail=detail)
    if not result.solutions or not result.solutions[0].HasField("primal_solution"):
        return Raw(status="failed", detail=f"{name} without a point")
    first = result.solutions[0]
    x = first.primal_solution.variable_values.SerializeToString()
    row_price = None
    if first.HasField("dual_solution"):
        prices = first.dual_solution.dual_values.SerializeToString()
        row_price = trailing_doubles(prices, program.n_rows)
    return Raw(
        status=status,
        bound=float(result.termination.objective_bounds.dual_bound),
        x=trailing_doubles(x, program.n_columns),
        row_price=row_price,
        basis=_messages.basis_of(first.basis, program) if first.HasField("basis") else None,
        iterations=iterations,
        detail=name,
    )
