"""``import corridor`` offers the promised names, and loads nothing heavy until one is used."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import corridor

PACKAGE = Path(corridor.__file__).parent

PUBLIC = [
    "BenefitShares",
    "Case",
    "Comparison",
    "CorridorError",
    "Crossing",
    "Demand",
    "Explanation",
    "InputError",
    "InvestmentPlan",
    "Itinerary",
    "MissingExtraError",
    "Network",
    "NoRouteError",
    "Plan",
    "Resilience",
    "RobustPortfolio",
    "Rules",
    "SolverError",
    "Study",
    "Sweep",
    "__version__",
    "alternatives",
    "compare",
    "crossing",
    "equilibrium",
    "explain",
    "invest",
    "load_demand",
    "load_network",
    "load_rules",
    "load_study",
    "pareto",
    "plan",
    "plot_map",
    "resilience",
    "robust_portfolio",
    "route",
    "screen_crossing",
    "share_benefits",
    "staff_crossings",
    "sweep",
    "write_geopackage",
    "write_report",
]
HEAVY = ["pandas", "geopandas", "numba", "networkx", "ortools", "scipy", "numpy", "shapely", "rich"]


def run(code: str) -> str:
    """Run ``code`` in a fresh interpreter and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def names_for_type_checkers() -> dict[str, str]:
    """Return the names that the TYPE_CHECKING block imports, with the room each comes from."""
    tree = ast.parse(Path(corridor.__file__).read_text(encoding="utf-8"))
    blocks = [
        node
        for node in tree.body
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    ]
    return {
        alias.name: str(node.module)
        for block in blocks
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def test_all_lists_the_public_names() -> None:
    assert corridor.__all__ == PUBLIC


@pytest.mark.parametrize("name", PUBLIC)
def test_public_name_resolves(name: str) -> None:
    value = getattr(corridor, name)
    assert callable(value) or name == "__version__"
    assert getattr(value, "__name__", name) == name


@pytest.mark.parametrize("name", [name for name in PUBLIC if name != "__version__"])
def test_public_name_is_documented(name: str) -> None:
    assert getattr(corridor, name).__doc__


def test_type_checkers_see_what_runs() -> None:
    assert names_for_type_checkers() == corridor._ROOMS
    assert sorted([*corridor._ROOMS, "__version__"]) == PUBLIC


def test_dir_lists_names_that_are_not_loaded_yet() -> None:
    assert run("import corridor; print(set(corridor.__all__) <= set(dir(corridor)))") == "True"


def test_star_import_brings_every_public_name() -> None:
    code = "from corridor import *; import corridor; print(set(corridor.__all__) <= set(globals()))"
    assert run(code) == "True"


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'corridor' has no attribute 'teleport'"):
        corridor.teleport  # noqa: B018


def test_no_module_bears_the_name_of_a_public_function() -> None:
    """A submodule becomes an attribute of its package when imported, and would shadow the verb."""
    bearers = [
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*")
        if path.stem in PUBLIC and (path.suffix == ".py" or path.is_dir())
    ]
    assert bearers == []


def test_import_loads_nothing_heavy() -> None:
    code = f"import sys, corridor; print([name for name in {HEAVY} if name in sys.modules])"
    assert run(code) == "[]"


def test_errors_load_nothing_heavy() -> None:
    code = (
        "import sys, corridor; corridor.InputError('x'); "
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    assert run(code) == "[]"
