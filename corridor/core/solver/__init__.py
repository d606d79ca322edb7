"""The one place that talks to OR-Tools: a linear or mixed-integer program in, an answer out.

`Program` holds the arrays, `solve` returns an `Answer` whose status is data. Every answer is
checked against the program's own arrays before it is handed back.
"""

from corridor.core.solver.dispatch import solve
from corridor.core.solver.program import Answer, Program

__all__ = ["Answer", "Program", "solve"]
