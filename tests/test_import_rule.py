"""The rooms of the package import one way only, and each library is imported in its own room."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import corridor

PACKAGE = Path(corridor.__file__).parent

FOUNDATION = {"arguments", "errors", "units", "datasets"}
ROOMS: dict[str, set[str]] = {
    "errors": set(),
    "units": set(),
    "arguments": {"errors"},
    "datasets": {"arguments", "errors"},
    "core": FOUNDATION,
    "network": FOUNDATION | {"core"},
    "border": FOUNDATION | {"core", "network"},
    "sovereignty": FOUNDATION | {"core", "network"},
    "planning": FOUNDATION | {"core", "network", "border", "sovereignty"},
    "study": FOUNDATION | {"core", "network", "border", "sovereignty", "planning"},
    "report": FOUNDATION | {"core", "network", "border", "sovereignty", "planning", "study"},
}
ROOMS["cli"] = {*ROOMS, "corridor"}
ROOMS["__main__"] = {"cli"}
ROOMS["corridor"] = {*ROOMS} - {"__main__"}  # the lazy face: corridor/__init__.py
"""Room -> the other rooms it may import from."""

CORE: dict[str, set[str]] = {
    "core": set(),  # core/__init__.py
    "compilation": set(),
    "_graph_kernels": {"compilation"},
    "graph": {"_graph_kernels"},
    "threads": set(),
    "geodesy": {"compilation", "threads"},
    "queues": {"compilation", "threads"},
    "solver": set(),
    "paths": {"compilation", "graph", "threads"},
    "flows": {"graph", "paths", "queues", "solver", "threads"},
    "games": {"solver"},
}
"""The same inside ``core``."""

ABOVE_CORE = ("network", "border", "sovereignty", "planning", "study", "report", "cli")
LIBRARIES: dict[str, tuple[str, ...]] = {
    "ortools": ("core.solver",),
    "pybind11_abseil": ("core.solver",),  # comes with ortools
    "numba": ("core",),
    "pandas": ABOVE_CORE,
    "geopandas": ABOVE_CORE,
    "shapely": ABOVE_CORE,
    "pyogrio": ABOVE_CORE,
    "pyproj": ("core.geodesy", *ABOVE_CORE),
    "pyarrow": ABOVE_CORE,
    "networkx": ("network",),
    "pydantic": ("sovereignty", "study"),
    "matplotlib": ("report",),
    "bokeh": ("report",),
    "jinja2": ("report",),
    "rich": ("report", "cli"),
    "typer": ("cli",),
    "highspy": (),  # cannot be loaded beside ortools
}
"""Library -> the rooms that may import it; a library that is not named may be imported anywhere."""

KERNELS = "_kernels"
"""What the names of modules with numba at the top end with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """One import of ``target`` by ``module``; ``deferred`` inside functions and TYPE_CHECKING."""

    module: str
    target: str
    line: int
    deferred: bool


def module_name(file: Path, package: Path) -> str:
    parts = file.relative_to(package.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def modules(package: Path) -> dict[str, Path]:
    return {module_name(file, package): file for file in sorted(package.rglob("*.py"))}


def is_deferred(node: ast.AST) -> bool:
    """Whether the statements inside ``node`` do not run when the module is imported."""
    if isinstance(node, ast.If):
        return "TYPE_CHECKING" in ast.unparse(node.test)
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)


def walk(node: ast.AST, *, deferred: bool = False) -> Iterator[tuple[ast.AST, bool]]:
    for child in ast.iter_child_nodes(node):
        inside = deferred or is_deferred(child)
        yield child, inside
        yield from walk(child, deferred=inside)


def origin(node: ast.ImportFrom, package: str) -> str:
    """Return the module that a ``from`` import names, a relative one seen from ``package``."""
    if not node.level:
        return node.module or ""
    parts = package.split(".")
    return ".".join([*parts[: len(parts) - node.level + 1], *filter(None, [node.module])])


def targets(node: ast.AST, package: str, known: set[str]) -> Iterator[str]:
    """Yield the dotted names that a statement or call imports, submodules rather than packages."""
    match node:
        case ast.Import():
            yield from (alias.name for alias in node.names)
        case ast.ImportFrom():
            base = origin(node, package)
            for alias in node.names:
                name = f"{base}.{alias.name}"
                if name != "corridor.__version__":  # a literal, loads nothing
                    yield name if name in known else base
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=[first, *_]):
            if name in {"import_module", "__import__"} and isinstance(first, ast.Constant):
                yield str(first.value)


def home(module: str, file: Path) -> str:
    """Return the package that ``module`` belongs to; a package belongs to itself."""
    return module if file.name == "__init__.py" else module.rpartition(".")[0]


def imports(package: Path) -> list[Import]:
    files = modules(package)
    return [
        Import(module=module, target=target, line=getattr(node, "lineno", 0), deferred=deferred)
        for module, file in files.items()
        for node, deferred in walk(ast.parse(file.read_text(encoding="utf-8")))
        for target in targets(node, home(module, file), set(files))
    ]


def room(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else parts[0]


def core_room(module: str) -> str:
    parts = module.split(".")
    return parts[2] if len(parts) > 2 else "core"


def fault_of_room(item: Import) -> str | None:
    here, there = room(item.module), room(item.target)
    if here not in ROOMS:
        return f"the room {here!r} is unknown; add it to ROOMS"
    if here != there and there not in ROOMS[here]:
        return f"{here} must not import {there}"
    if here == there == "core":
        inner, outer = core_room(item.module), core_room(item.target)
        if inner != outer and outer not in CORE.get(inner, set()):
            return f"core.{inner} must not import core.{outer}"
    return None


def holds_kernels(module: str) -> bool:
    return module.endswith(KERNELS)


def fault_of_library(item: Import) -> str | None:
    library = item.target.split(".")[0]
    if library not in LIBRARIES:
        return None
    place = item.module.removeprefix("corridor").removeprefix(".") + "."
    if not any(place.startswith(f"{allowed}.") for allowed in LIBRARIES[library]):
        return f"{library} is imported only by {', '.join(LIBRARIES[library]) or 'nobody'}"
    if library == "numba" and not holds_kernels(item.module) and not item.deferred:
        return f"numba is imported at the top of {KERNELS} modules only"
    return None


def fault_of_kernels(item: Import) -> str | None:
    loads = holds_kernels(item.target) and not holds_kernels(item.module)
    if loads and not item.deferred:
        return "a kernels module is imported inside the function that uses it"
    return None


def violations(package: Path) -> list[str]:
    """Return every broken rule as ``module:line imports target: reason``."""
    found = []
    for item in imports(package):
        inside = item.target.split(".")[0] == "corridor"
        faults = (
            [fault_of_room(item), fault_of_kernels(item)] if inside else [fault_of_library(item)]
        )
        found += [
            f"{item.module}:{item.line} imports {item.target}: {fault}" for fault in faults if fault
        ]
    return found


def cycle(package: Path) -> list[str]:
    """Return one cycle of modules that import each other, or an empty list."""
    known = modules(package)
    graph: dict[str, set[str]] = {module: set() for module in known}
    for item in imports(package):
        if item.target in known and item.module not in {item.target, "corridor"}:
            graph[item.module].add(item.target)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def plant(root: Path, files: dict[str, str]) -> Path:
    package = root / "corridor"
    for name, text in files.items():
        file = package / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return package


def test_package_keeps_the_import_rule() -> None:
    found = violations(PACKAGE)
    assert not found, "\n".join(found)


def test_no_modules_import_each_other() -> None:
    assert cycle(PACKAGE) == []


def test_every_folder_with_modules_is_a_package() -> None:
    folders = {file.parent for file in PACKAGE.rglob("*.py")}
    bare = [str(folder) for folder in sorted(folders) if not (folder / "__init__.py").is_file()]
    assert not bare, "\n".join(bare)


@pytest.mark.parametrize(
    ("file", "text", "reason"),
    [
        ("core/graph.py", "import corridor.network.tables", "core must not import network"),
        ("core/graph.py", "from corridor.core.paths import skim", "core.graph must not import"),
        ("core/queues/mean.py", "from ..solver import solve", "core.queues must not import"),
        ("network/__init__.py", "from ..study import x", "network must not import study"),
        ("border/wait.py", "from corridor import sovereignty", "border must not import sover"),
        ("sovereignty/rules.py", "def f():\n    import corridor.border", "must not import border"),
        ("planning/plan.py", "from corridor import compare", "planning must not import corridor"),
        (
            "network/models.py",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from corridor.study import S",
            "network must not import study",
        ),
        ("units.py", "from corridor.errors import InputError", "units must not import errors"),
        ("study/x.py", "import importlib\nimportlib.import_module('corridor.cli')", "import cli"),
        ("core/flows/cg.py", "import ortools", "ortools is imported only by core.solver"),
        ("network/models.py", "from numba import njit", "numba is imported only by core"),
        ("core/paths/skim.py", "import numba", "numba is imported at the top of _kernels"),
        ("core/paths/skim.py", "from corridor.core.paths import _kernels", "inside the function"),
        ("core/graph.py", "def f():\n    import pandas as pd", "pandas is imported only by"),
        ("core/graph.py", "import geopandas", "geopandas is imported only by"),
        ("core/graph.py", "import pyproj", "pyproj is imported only by core.geodesy"),
        ("study/x.py", "import networkx", "networkx is imported only by network"),
        ("network/x.py", "import matplotlib.pyplot", "matplotlib is imported only by report"),
        ("core/solver/x.py", "import highspy", "highspy is imported only by nobody"),
        ("helpers.py", "import corridor.errors", "the room 'helpers' is unknown"),
    ],
)
def test_checker_finds_a_planted_violation(
    tmp_path: Path, file: str, text: str, reason: str
) -> None:
    names = ("sovereignty/__init__.py", "core/paths/_kernels.py", "core/solver/__init__.py")
    package = plant(tmp_path, {"__init__.py": "", **dict.fromkeys(names, ""), file: text})
    (found,) = violations(package)
    assert reason in found


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("core/flows/cg.py", "from corridor.core.paths import skim\nimport scipy"),
        ("core/paths/skim.py", "def f():\n    from corridor.core.paths import _kernels"),
        ("core/paths/_kernels.py", "import numba"),
        ("core/paths/_tree_kernels.py", "from corridor.core.paths import _kernels\nimport numba"),
        ("core/solver/model.py", "import ortools.linear_solver.python"),
        ("report/page.py", "from corridor import __version__\nimport pandas"),
        ("cli.py", "import corridor\nimport typer"),
    ],
)
def test_checker_accepts_what_the_rule_allows(tmp_path: Path, file: str, text: str) -> None:
    names = ("core/paths/__init__.py", "core/paths/_kernels.py")
    package = plant(tmp_path, {"__init__.py": "", **dict.fromkeys(names, ""), file: text})
    assert violations(package) == []


def test_checker_finds_a_planted_cycle(tmp_path: Path) -> None:
    package = plant(
        tmp_path,
        {
            "network/a.py": "from corridor.network.b import x",
            "network/b.py": "def f():\n    from corridor.network.a import y",
        },
    )
    assert set(cycle(package)) == {"corridor.network.a", "corridor.network.b"}
