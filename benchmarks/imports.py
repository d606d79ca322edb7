"""What an import costs in a fresh process, against those of NumPy and of other libraries."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

import corridor
from benchmarks.harness import Answer, Contestant, Run, Workload

ROOT = Path(corridor.__file__).parents[1]
MOST, AIM = 1.3, 1.15
"""Times that of NumPy: the most that ``import corridor`` may take, and what it should at most."""


def starts(code: str) -> Callable[[], Run]:
    """Return what prepares a call that runs some code in a new interpreter."""
    # Compiled modules are kept, as wherever a library is installed.
    ours = {key: text for key, text in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}

    def run() -> Answer:
        subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, env=ours)
        return np.ones(1)

    return lambda: run


def import_time(smoke: bool) -> Workload:  # noqa: FBT001
    """Start the interpreter, import, and stop."""
    least, goal = 1.0 / MOST, 1.0 / AIM
    contestants = (
        Contestant(name="corridor", package="corridor", prepare=starts("import corridor")),
        Contestant(
            name="numpy", package="numpy", prepare=starts("import numpy"), floor=least, goal=goal
        ),
        Contestant(name="networkx", package="networkx", prepare=starts("import networkx")),
        Contestant(name="pandas", package="pandas", prepare=starts("import pandas")),
        Contestant(name="geopandas", package="geopandas", prepare=starts("import geopandas")),
        Contestant(
            name="corridor, all its verbs",
            package="corridor",
            prepare=starts("from corridor import *"),
        ),
    )
    return Workload(
        name="import",
        title="a fresh process that imports the library and ends",
        contestants=contestants[:2] if smoke else contestants,
        fresh=True,
    )


WORKLOADS: dict[str, Callable[[bool], Workload]] = {"import": import_time}
