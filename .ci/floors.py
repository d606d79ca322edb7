"""Print the oldest supported version of every dependency as pip constraints, one a line.

Run as ``python .ci/floors.py > constraints.txt``. The bounds are read from ``pyproject.toml``, so
there is one place to change them: ``numpy>=2.1`` becomes ``numpy==2.1``; an exact pin stays as it
is. The extras that carry features are included; tools (``test``, ``bench``, ``dev``, ``docs``) are
not, since nobody's program depends on them.
"""

import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"
TOOL_EXTRAS = {"test", "bench", "dev", "docs"}
BOUND = re.compile(
    r"(?P<name>[A-Za-z0-9._-]+)(?:\[[^]]*\])?\s*(?P<operator>>=|==)\s*(?P<version>[^,;\s]+)"
)


def requirements(project: dict[str, Any]) -> Iterator[str]:
    """Yield the requirements of the package and of its feature extras."""
    yield from project["dependencies"]
    for extra, needs in project["optional-dependencies"].items():
        if extra not in TOOL_EXTRAS:
            yield from needs


def floor(requirement: str) -> str:
    """Return the constraint that installs the oldest version ``requirement`` allows."""
    match = BOUND.match(requirement)
    if match is None:
        msg = f"{requirement!r} must state its oldest version as name>=version or name==version"
        raise ValueError(msg)
    return f"{match['name']}=={match['version']}"


def main() -> None:
    """Print the constraints."""
    project = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
    sys.stdout.writelines(f"{floor(requirement)}\n" for requirement in requirements(project))


if __name__ == "__main__":
    main()
