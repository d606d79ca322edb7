"""The wheel and the source archive hold what they must, and the wheel works once installed."""

import ast
import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest

import corridor

ROOT = Path(__file__).resolve().parent.parent
SHIPPED_WITH = {"pybind11_abseil": "ortools"}
"""Modules that come inside another library's wheel, and that library."""


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    """Run a command in ``cwd``, with ``environment`` added, and return its output."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


def data_files() -> set[str]:
    return {
        str(file.relative_to(ROOT))
        for file in (ROOT / "data").rglob("*")
        if file.is_file() and not file.name.startswith(".")
    }


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return the source archive, and the wheel built from what it holds."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, ROOT, cwd=folder)
    (source,) = folder.glob("*.tar.gz")
    (wheel,) = folder.glob("*.whl")
    return source, wheel


@pytest.fixture(scope="module")
def installed(archives: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder into which the wheel is installed, without its dependencies."""
    folder = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    run(*pip, "--target", folder, archives[1], cwd=folder)
    return folder


def test_wheel_holds_the_package_and_every_data_file(archives: tuple[Path, Path]) -> None:
    with zipfile.ZipFile(archives[1]) as wheel:
        names = set(wheel.namelist())
    assert {"corridor/__init__.py", "corridor/py.typed"} <= names
    assert {"corridor/data/crossroads/nodes.csv", "corridor/data/crossroads/links.csv"} <= names
    assert {f"corridor/{file}" for file in data_files()} <= names


def test_wheel_installs_nothing_beside_the_package(archives: tuple[Path, Path]) -> None:
    with zipfile.ZipFile(archives[1]) as wheel:
        tops = {name.split("/")[0] for name in wheel.namelist()}
    assert tops == {"corridor", f"corridor-{corridor.__version__}.dist-info"}


def test_source_archive_holds_what_a_developer_needs(archives: tuple[Path, Path]) -> None:
    with tarfile.open(archives[0]) as source:
        names = {name.partition("/")[2] for name in source.getnames()}
    assert {
        "pyproject.toml",
        "LICENSE",
        "README.md",
        ".ci/floors.py",
        "tests/test_packaging.py",
    } <= names
    assert data_files() <= names


def test_installed_wheel_reads_its_own_data(installed: Path, tmp_path: Path) -> None:
    code = (
        "import corridor; from corridor import datasets; "
        "print(corridor.__file__); print(datasets.root()); "
        "print(len(corridor.load_network('crossroads').nodes))"
    )
    package, data, n_nodes = run(
        sys.executable, "-c", code, cwd=tmp_path, PYTHONPATH=str(installed)
    ).splitlines()
    assert Path(package) == installed / "corridor" / "__init__.py"
    assert Path(data) == installed / "corridor" / "data"
    rows = (ROOT / "data" / "crossroads" / "nodes.csv").read_text(encoding="utf-8").splitlines()
    assert int(n_nodes) == len(rows) - 1


def test_installed_command_answers(installed: Path, tmp_path: Path) -> None:
    command = installed / "bin" / "corridor"
    output = run(sys.executable, command, "--help", cwd=tmp_path, PYTHONPATH=str(installed))
    assert "compare" in output


def test_every_library_that_is_imported_is_declared(project: dict[str, Any]) -> None:
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *extras["plot"], *extras["parquet"], *extras["scale"]]
    # "dask[distributed]>=1" declares both: names before the version, extras of a library included.
    declared = {
        name for entry in wanted for name in re.findall(r"[\w-]+", re.split("[<>=!~]", entry)[0])
    }
    imported: set[str] = set()
    for file in (ROOT / "corridor").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                imported.add(node.module.split(".")[0])
    libraries = {SHIPPED_WITH.get(name, name) for name in imported}
    for_type_checkers = {"_typeshed"}
    known = declared | set(sys.stdlib_module_names) | for_type_checkers | {"corridor"}
    assert libraries - known == set()


def test_every_dependency_has_a_floor_that_the_floors_script_reads(
    project: dict[str, Any],
) -> None:
    constraints = run(sys.executable, ROOT / ".ci" / "floors.py", cwd=ROOT).splitlines()
    assert all(re.fullmatch(r"[\w.-]+==[\d.]+\*?", line) for line in constraints)
    names = {line.partition("==")[0] for line in constraints}
    assert {"numpy", "pandas", "ortools", "matplotlib", "pyarrow"} <= names
    assert len(constraints) >= len(project["dependencies"])


@pytest.mark.parametrize("file", ["CHANGELOG.md", "CITATION.cff"])
def test_version_is_the_same_everywhere(file: str) -> None:
    assert corridor.__version__ in (ROOT / file).read_text(encoding="utf-8")
