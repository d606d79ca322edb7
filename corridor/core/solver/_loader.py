"""What OR-Tools fails to load beside, said in words."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from corridor.errors import SolverError

_CLASH: Final = (
    "OR-Tools 9.15 could not be loaded. If highspy 1.15 or later is installed, it clashes with "
    "OR-Tools inside one process (both ship a shared HiGHS library): remove highspy or take "
    "highspy 1.13. Otherwise install ortools 9.15. The loader said: "
)


@contextmanager
def explain_clash() -> Iterator[None]:
    """Turn an ImportError of OR-Tools into advice.

    Raises
    ------
    SolverError
        If the import inside the block fails.
    """
    try:
        yield
    except ImportError as error:
        msg = f"{_CLASH}{error}"
        raise SolverError(msg) from error
