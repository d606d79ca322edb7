"""Files that appear whole or not at all: written under another name, then renamed."""

import os
import shutil
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from corridor.errors import InputError


@contextmanager
def scratch_file(path: str | Path, noun: str) -> Iterator[Path]:
    """Yield a name in the same folder to write to; rename it to the path once all went well.

    An existing file is replaced in one step of the file system, or stays as it was. Nothing else
    is left behind.

    Parameters
    ----------
    path
        The file to write.
    noun
        What it is, for messages: ``"A workbook"``.

    Yields
    ------
    Path
        A name that does not exist yet, with the path's suffix.

    Raises
    ------
    InputError
        If the folder does not exist, or the path is a folder.
    OSError
        If the file cannot be written.
    """
    target = Path(path)
    _check_target(target, noun)
    # A folder of its own: libraries leave journals and the like beside what they write.
    with tempfile.TemporaryDirectory(prefix=".corridor-", dir=target.parent) as folder:
        part = Path(folder) / f"part{target.suffix}"
        yield part
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        part.replace(target)


def _check_target(target: Path, noun: str) -> None:
    if not target.parent.is_dir():
        folder = str(target.parent)
        msg = f"{noun} must go into an existing folder; {folder!r} is none. Create it first."
        raise InputError(msg)
    if target.is_dir():
        msg = f"{noun} must be a file; {str(target)!r} is a folder. Add a file name."
        raise InputError(msg)


def check_folder(folder: str | Path, names: Collection[str] = ()) -> None:
    """Refuse a folder that files cannot go into, before the work is done.

    Parameters
    ----------
    folder
        The folder; it need not exist.
    names
        Names of the files.

    Raises
    ------
    InputError
        If it, or what it lies in, is a file, or it holds a folder by the name of one of the files.
    """
    target = Path(folder)
    inside = next((path for path in (target, *target.parents) if path.exists()), target)
    if inside.exists() and not inside.is_dir():
        msg = f"The files must go into a folder; {str(inside)!r} is a file. Give another name."
        raise InputError(msg)
    for name in names:
        if (target / name).is_dir():
            msg = f"{name} must be a file; {str(target / name)!r} is a folder. Move it away."
            raise InputError(msg)


@contextmanager
def scratch_folder(folder: str | Path, names: Collection[str]) -> Iterator[Path]:
    """Yield a folder to write files to; move them into theirs once all went well.

    Files of these names are replaced, others stay. If anything fails, the folder is as it was
    before, and is not made where it did not exist.

    Parameters
    ----------
    folder
        The folder; it is made where it does not exist.
    names
        Names of the files, all of which must have been written.

    Yields
    ------
    Path
        An empty folder.

    Raises
    ------
    InputError
        As `check_folder`.
    OSError
        If a file cannot be written.
    """
    check_folder(folder, names)
    target = Path(folder)
    made = [path for path in (target, *target.parents) if not path.exists()]
    stage: Path | None = None
    try:
        target.mkdir(parents=True, exist_ok=True)
        # Inside the folder: a rename within a file system does not run out of room.
        stage = Path(tempfile.mkdtemp(prefix=".corridor-", dir=target))
        yield stage
        _move_all(stage, target, names)
    except BaseException:
        _remove(stage)
        for path in made:
            if path.exists():
                path.rmdir()
        raise
    _remove(stage)


def _remove(stage: Path | None) -> None:
    if stage is not None:
        shutil.rmtree(stage, ignore_errors=True)


def _move_all(stage: Path, target: Path, names: Collection[str]) -> None:
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
