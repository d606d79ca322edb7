"""A file that appears whole or not at all: written under another name, then renamed."""

import os
import tempfile
from collections.abc import Iterator
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
