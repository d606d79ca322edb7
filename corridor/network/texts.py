"""Text files of a data set: rules and study, beside its tables or inside its GeoPackage."""

from pathlib import Path
from typing import Final

from corridor.errors import InputError

TEXT_FILES: Final = ("rules.toml", "study.toml", "README.md")
"""Text files that belong to a data set."""


def find_text(place: Path, name: str) -> str | None:
    """Return a text of a data set by its file name, None where it has none.

    Parameters
    ----------
    place
        Folder or GeoPackage of a data set.
    name
        Name of the text file, ``rules.toml``.

    Raises
    ------
    InputError
        If the text is not UTF-8, or the file is no GeoPackage.

    Examples
    --------
    >>> from corridor import datasets
    >>> find_text(datasets.path("crossroads"), "rules.toml").count("[[rule]]") > 10
    True
    """
    if is_geopackage(place):
        from corridor.network.geopackages import read_texts

        return read_texts(place).get(name)
    return read_text(place / name) if (place / name).is_file() else None


def read_text(file: Path) -> str:
    """Return the content of a text file.

    Raises
    ------
    InputError
        If it is not UTF-8.
    """
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        msg = f"{file.name} must be in UTF-8; {error}. Save it as UTF-8."
        raise InputError(msg) from error


def is_geopackage(place: Path) -> bool:
    """Return whether a place is a file that ends as a GeoPackage does."""
    return place.suffix == ".gpkg" and place.is_file()
