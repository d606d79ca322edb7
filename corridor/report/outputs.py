"""The files of a comparison, written whole or not at all."""

import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TypeAlias

from corridor.errors import InputError
from corridor.report.geopackage import write_geopackage
from corridor.report.packages import PACKAGE_NAME, write_package
from corridor.report.page import write_report
from corridor.report.path_tables import write_paths
from corridor.report.workbook import write_workbook
from corridor.study import Comparison, write_indicators

Writer: TypeAlias = Callable[[Comparison, Path], None]

WRITERS: Mapping[str, Writer] = {
    "indicators.csv": write_indicators,
    "paths.csv": write_paths,
    "corridor.gpkg": write_geopackage,
    "tables.xlsx": write_workbook,
    "report.html": write_report,
    # The last one, because it describes the files that lie beside it.
    PACKAGE_NAME: write_package,
}
"""File name -> what writes it, in the order of writing."""


def check_folder(folder: str | Path) -> None:
    """Refuse a folder that the outputs cannot go into, before the work is done.

    Raises
    ------
    InputError
        If it is a file, or holds a folder by the name of an output.
    """
    target = Path(folder)
    inside = next((path for path in (target, *target.parents) if path.exists()), target)
    if inside.exists() and not inside.is_dir():
        msg = f"The outputs must go into a folder; {str(inside)!r} is a file. Give another name."
        raise InputError(msg)
    for name in WRITERS:
        if (target / name).is_dir():
            msg = f"{name} must be a file; {str(target / name)!r} is a folder. Move it away."
            raise InputError(msg)


def write_outputs(comparison: Comparison, folder: str | Path) -> list[Path]:
    """Write every file of `WRITERS` into a folder, all of them or none.

    Parameters
    ----------
    comparison
        What `corridor.compare` returned.
    folder
        Folder for the files; it is made where it does not exist. Files of these names are replaced,
        others stay.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    InputError
        As `check_folder`.
    OSError
        If a file cannot be written. The folder is then as it was before.
    """
    check_folder(folder)
    target = Path(folder)
    made = [path for path in (target, *target.parents) if not path.exists()]
    target.mkdir(parents=True, exist_ok=True)
    stage: Path | None = None
    try:
        stage = Path(tempfile.mkdtemp(prefix=".corridor-", dir=target))
        for name, write in WRITERS.items():
            write(comparison, stage / name)
        _move_all(stage, target, WRITERS)
    except BaseException:
        _remove(stage)
        for path in made:
            path.rmdir()
        raise
    _remove(stage)
    return [target / name for name in WRITERS]


def _remove(stage: Path | None) -> None:
    if stage is not None:
        shutil.rmtree(stage, ignore_errors=True)


def _move_all(stage: Path, target: Path, names: Iterable[str]) -> None:
    """Move the files into place; where one move fails, the earlier ones are taken back."""
    moved: list[str] = []
    try:
        for name in names:
            if (target / name).exists():
                (target / name).replace(stage / f"{name}.old")
            moved.append(name)
            (stage / name).replace(target / name)
    except BaseException:
        for name in moved:
            (target / name).unlink(missing_ok=True)
            if (stage / f"{name}.old").exists():
                (stage / f"{name}.old").replace(target / name)
        raise
