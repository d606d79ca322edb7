"""Where the bundled data sets live: names to folders, standard library only."""

from pathlib import Path

from corridor.arguments import check_type
from corridor.errors import InputError

_PACKAGE = Path(__file__).resolve().parent


def root() -> Path:
    """Return the folder that holds the bundled data sets.

    An installed package carries it as ``corridor/data``; a checkout (editable install or not) has
    it beside ``pyproject.toml``. The installed copy wins, so a wheel never reads a stranger's
    folder.
    """
    inside = _PACKAGE / "data"
    if inside.is_dir():
        return inside
    beside = _PACKAGE.parent / "data"
    if beside.is_dir() and (_PACKAGE.parent / "pyproject.toml").is_file():
        return beside
    msg = (
        f"The bundled data must be at {inside} (installed) or {beside} (checkout); neither exists. "
        "Install corridor again."
    )
    raise InputError(msg)


def names() -> list[str]:
    """Return the names of the bundled data sets, sorted.

    Examples
    --------
    >>> "crossroads" in names()
    True
    """
    return sorted(folder.name for folder in root().iterdir() if (folder / "nodes.csv").is_file())


def path(name: str | Path) -> Path:
    """Return the folder or file that a name or path stands for.

    Parameters
    ----------
    name
        The name of a bundled data set, or a path. A text with a separator, and anything that exists
        on disk as a file or folder, is a path.

    Raises
    ------
    InputError
        If it is neither a bundled name nor an existing path, or no text at all.

    Examples
    --------
    >>> path("crossroads").name
    'crossroads'
    """
    check_type("A data set", name, str, Path, advice="Give its name or its path.")
    candidate = Path(name)
    is_path = isinstance(name, Path) or "/" in name or "\\" in name or candidate.exists()
    if not is_path:
        if name in names():
            return root() / name
        msg = (
            f"{name!r} must be a bundled data set ({', '.join(names())}) or the path of a folder; "
            "no such folder exists here. Check the spelling or give a path."
        )
        raise InputError(msg)
    if not candidate.exists():
        msg = f"The path {str(candidate)!r} must exist; nothing is there. Check the spelling."
        raise InputError(msg)
    return candidate
