"""The command line: parses, calls, prints.

Tables go to stdout, or JSON with ``--json``; progress and messages go to stderr. The exit code is 0
when the work is done, 1 when nothing can be carried or there is no route, 2 when the input is bad.
Nothing heavy is imported before a command needs it, so that help is quick.
"""

from corridor.cli.app import app, main

# In the order in which help lists their commands.
from corridor.cli import (  # isort: skip
    studies,
    routes,
    border,
    plans,
    reasons,
    investments,
    closures,
    benefits,
    sweeps,
    checks,
)

__all__ = [
    "app",
    "benefits",
    "border",
    "checks",
    "closures",
    "investments",
    "main",
    "plans",
    "reasons",
    "routes",
    "studies",
    "sweeps",
]
