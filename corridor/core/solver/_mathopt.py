"""MathOpt's binding, called directly: every solver but one-shot GLOP, and GLOP that re-solves.

Facts this module works around (OR-Tools 9.15.6755):

- The public ``IncrementalSolver`` takes 5 times as long as the binding below it, most of it in
  Python objects for single numbers.
- MathOpt's own translator of solver errors is broken, so ``StatusNotOk`` is caught here.
- Only GLOP accepts updates and a starting basis; HiGHS refuses the first and ignores the second.
- HiGHS, and nothing else, runs on when it is interrupted; its messages put a warning on stdout.
- The binding's conversions drop exceptions, that of Ctrl-C among them.
- SCIP tells its progress in its log only. Interrupting it through MathOpt makes it write two lines
  about events to stderr, which mean nothing.
- CP-SAT rounds continuous columns to whole units and says OPTIMAL of the rounded program, so it
  is given whole programs only; without the LP relaxation (``linearization_level: 2``), one worker
  is up to 1,000 times slower on covering and location.
- GLOP says that a program is unclear or infeasible where it is unbounded, and a time limit comes
  back as UNDETERMINED: the caller and `_limit_of` settle both.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

import numpy as np

from corridor.core.solver._loader import explain_clash
from corridor.core.solver._raw import Raw, RawStatus
from corridor.core.solver._signals import held_interrupt
from corridor.core.solver._start import slack_start_is_dual_feasible
from corridor.core.solver._watch import Watch
from corridor.core.solver._wire import trailing_doubles
from corridor.core.solver.basis import Basis
from corridor.core.solver.program import Program
from corridor.core.solver.request import Request

with explain_clash():
    from ortools.glop import parameters_pb2 as glop_parameters_pb2
    from ortools.math_opt import (
        callback_pb2,
        model_parameters_pb2,
        parameters_pb2,
        result_pb2,
    )
    from ortools.math_opt.core.python import solver as binding
    from ortools.pdlp import solvers_pb2
    from ortools.sat import sat_parameters_pb2
    from ortools.util.python import solve_interrupter
    from pybind11_abseil.status import StatusNotOk  # type: ignore[import-untyped]

    from corridor.core.solver import _messages

_TYPES: Final = {
    "cp_sat": parameters_pb2.SOLVER_TYPE_CP_SAT,
    "glop": parameters_pb2.SOLVER_TYPE_GLOP,
    "highs": parameters_pb2.SOLVER_TYPE_HIGHS,
    "pdlp": parameters_pb2.SOLVER_TYPE_PDLP,
    "scip": parameters_pb2.SOLVER_TYPE_GSCIP,
}
PDLP_TOLERANCE: Final = 4e-7
"""Largest residual of a row or column, relative to ``1 + |bound|``, and of the gap: what the checks
accept, with a margin."""

_STATUS: dict[str, RawStatus] = {
    "OPTIMAL": "optimal",
    "FEASIBLE": "feasible",
    "INFEASIBLE": "infeasible",
    "UNBOUNDED": "unbounded",
    "INFEASIBLE_OR_UNBOUNDED": "unclear",
    "NO_SOLUTION_FOUND": "none",
    "IMPRECISE": "failed",
}


_UNNAMED: Final = ("LIMIT_UNDETERMINED", "LIMIT_UNSPECIFIED")
_POINTLESS: Final = ("infeasible", "unbounded", "unclear", "none", "failed")


def run(program: Program, solver: str, request: Request) -> Raw:
    """Solve a program from scratch with the solver of the given name."""
    parameters = _parameters(solver, program, request)
    start = _model_parameters()
    if request.start is not None:
        known = np.flatnonzero(~np.isnan(request.start))
        _messages.fill_hint(start, known, request.start[known])
    try:
        engine = _load(solver, program)
        return _solve(engine, program, solver, parameters, start, request)
    except StatusNotOk as error:
        return Raw(status="failed", detail=str(error))


@held_interrupt()
def _load(solver: str, program: Program) -> Any:  # noqa: ANN401  the binding has no types
    return binding.new(
        _TYPES[solver], _messages.model_of(program), parameters_pb2.SolverInitializerProto()
    )


def _parameters(
    solver: str, program: Program, request: Request
) -> parameters_pb2.SolveParametersProto:
    """Return one thread, a fixed seed, and tolerances that the checks accept."""
    if solver == "glop":
        return _glop_parameters(dual=slack_start_is_dual_feasible(program), presolve=True)
    parameters = parameters_pb2.SolveParametersProto()
    if program.has_integers:
        parameters.relative_gap_tolerance = request.relative_gap
    if solver == "cp_sat":
        parameters.cp_sat.CopyFrom(
            sat_parameters_pb2.SatParameters(num_workers=1, linearization_level=2)
        )
    elif solver == "pdlp":
        parameters.pdlp.CopyFrom(
            solvers_pb2.PrimalDualHybridGradientParams(
                termination_criteria=solvers_pb2.TerminationCriteria(
                    optimality_norm=solvers_pb2.OPTIMALITY_NORM_L_INF_COMPONENTWISE,
                    simple_optimality_criteria=solvers_pb2.TerminationCriteria.SimpleOptimalityCriteria(
                        eps_optimal_absolute=PDLP_TOLERANCE, eps_optimal_relative=PDLP_TOLERANCE
                    ),
                )
            )
        )
    elif solver == "scip" and request.effort == "proof":
        parameters.heuristics = parameters_pb2.EMPHASIS_OFF
        parameters.cuts = parameters.presolve = parameters_pb2.EMPHASIS_LOW
        parameters.gscip.int_params["presolving/maxrestarts"] = 0
    return parameters


class Resolver:
    """GLOP with a program loaded, which takes changes and starts from where it stopped.

    Parameters
    ----------
    program
        What to load.
    """

    def __init__(self, program: Program) -> None:
        self._loaded = program
        self._engine = _load("glop", program)
        self._started: tuple[Basis, model_parameters_pb2.ModelSolveParametersProto] | None = None

    @held_interrupt()
    def solve(
        self,
        program: Program,
        basis: Basis | None,
        request: Request,
        *,
        dual: bool,
    ) -> Raw:
        """Solve a program that begins with the loaded one.

        Parameters
        ----------
        program
            The program; it may have more columns and rows than the loaded one.
        basis
            Where to start; None for where the last solve stopped.
        request
            Limits.
        dual
            Whether the dual simplex method is used, else the primal one: the dual one is faster
            after changes of bounds or of everything, the primal one when only costs changed or
            columns came (measured).
        """
        try:
            update = _messages.update_of(self._loaded, program)
            if update is not None and not self._engine.update(update):
                return Raw(status="failed", detail="GLOP refused an update")
            self._loaded = program
            parameters = _glop_parameters(dual=dual, presolve=False)
            start = self._start(basis)
            return _solve(self._engine, program, "glop", parameters, start, request)
        except StatusNotOk as error:
            return Raw(status="failed", detail=str(error))

    def _start(self, basis: Basis | None) -> model_parameters_pb2.ModelSolveParametersProto:
        """Return the message that holds a basis; the last one is kept, sweeps give one basis."""
        if basis is None:
            return _model_parameters()
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
    parameters = parameters_pb2.SolveParametersProto(
        presolve=parameters_pb2.EMPHASIS_UNSPECIFIED if presolve else parameters_pb2.EMPHASIS_OFF,
        glop=glop_parameters_pb2.GlopParameters(
            use_dual_simplex=dual,
            # The default dual tolerance (1e-6) is coarser than the gaps that are certified here.
            dual_feasibility_tolerance=1e-9,
            primal_feasibility_tolerance=1e-9,
        ),
    )
    if not dual and not presolve:
        # The default rule prices all columns anew at each start, which costs more than the steps.
        rule = glop_parameters_pb2.GlopParameters.DEVEX
        parameters.glop.feasibility_rule = parameters.glop.optimization_rule = rule
    return parameters


@held_interrupt()
def _solve(
    engine: Any,  # noqa: ANN401  the binding has no types
    program: Program,
    solver: str,
    parameters: parameters_pb2.SolveParametersProto,
    start: model_parameters_pb2.ModelSolveParametersProto,
    request: Request,
) -> Raw:
    left = request.seconds_left()
    if left is not None:
        parameters.time_limit.FromTimedelta(timedelta(seconds=max(left, 1e-3)))
    if request.interrupt is None and request.progress is None:
        arguments = (None, callback_pb2.CallbackRegistrationProto(), None, None)
        return _read(engine.solve(parameters, start, *arguments), program, fired=False)
    stopper = solve_interrupter.SolveInterrupter()
    registration = callback_pb2.CallbackRegistrationProto()
    with Watch(request.interrupt, request.progress, stopper.interrupt) as watch:
        listens = request.progress is not None
        lines = watch.read_table if listens and solver == "scip" else None
        points = _points_reader(registration, watch) if listens and solver == "cp_sat" else None
        handle = stopper.pybind_interrupter
        result = engine.solve(parameters, start, lines, registration, points, handle)
    return _read(result, program, fired=watch.fired)


def _points_reader(
    registration: callback_pb2.CallbackRegistrationProto, watch: Watch
) -> Callable[[callback_pb2.CallbackDataProto], callback_pb2.CallbackResultProto]:
    """Ask for a call at each new point, without the point, and return what reports it."""
    registration.request_registration.append(callback_pb2.CALLBACK_EVENT_MIP_SOLUTION)
    registration.mip_solution_filter.filter_by_ids = True

    def read(data: callback_pb2.CallbackDataProto) -> callback_pb2.CallbackResultProto:
        watch.report(data.mip_stats.primal_bound, data.mip_stats.dual_bound)
        return callback_pb2.CallbackResultProto()

    return read


def _read(result: result_pb2.SolveResultProto, program: Program, *, fired: bool) -> Raw:
    reason = result_pb2.TerminationReasonProto.Name(result.termination.reason)
    name = reason.removeprefix("TERMINATION_REASON_")
    status = _STATUS.get(name, "failed")
    limit = _limit_of(result, fired=fired) if status in ("feasible", "none") else ""
    first = result.solutions[0] if result.solutions else None
    if first is None or not first.HasField("primal_solution") or status in _POINTLESS:
        if status in ("optimal", "feasible"):  # promises a point but brings none
            status = "failed"
        detail = f"{name} {result.termination.detail}"
        return Raw(status=status, limit=limit, detail=detail)
    row_price = None
    if first.HasField("dual_solution"):
        prices = first.dual_solution.dual_values.SerializeToString()
        row_price = trailing_doubles(prices, program.n_rows)
    x = first.primal_solution.variable_values.SerializeToString()
    return Raw(
        status=status,
        bound=float(result.termination.objective_bounds.dual_bound),
        x=trailing_doubles(x, program.n_columns),
        row_price=row_price,
        basis=_messages.basis_of(first.basis, program) if first.HasField("basis") else None,
        iterations=int(result.solve_stats.simplex_iterations),
        limit=limit,
        detail=name,
    )


def _limit_of(result: result_pb2.SolveResultProto, *, fired: bool) -> str:
    """Return what stopped a solver: GLOP and CP-SAT leave their time limit undetermined."""
    if fired:
        return "interrupt"
    name = result_pb2.LimitProto.Name(result.termination.limit)
    return "time" if name in _UNNAMED else str(name).removeprefix("LIMIT_").lower()
