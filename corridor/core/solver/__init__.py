"""The one place that talks to OR-Tools: a linear or mixed-integer program in, an answer out.

`Program` holds the arrays, `solve` returns an `Answer` whose status is data, `Session` solves a
program that changes. Every answer is checked against the program's own arrays before it is handed
back.
"""

from corridor.core.solver.basis import Basis
from corridor.core.solver.dispatch import solve
from corridor.core.solver.program import Answer, Program
from corridor.core.solver.session import Session

__all__ = ["Answer", "Basis", "Program", "Session", "solve"]
