"""Every error the library raises on purpose, and the faults that its readers gather."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that is wrong in the input, and what to do about it.

    Parameters
    ----------
    file
        File (or array) the fault stands in, ``links.csv``.
    row
        Line of the file, the header being line 1; 0 where no single row is at fault.
    key
        Primary key of the row, parts joined by ``/``; empty where no single row is at fault.
    column
        Column (or TOML key) at fault; empty where it is the whole row or file.
    found
        What stands there.
    expected
        What must hold.
    remedy
        What to do about it.
    warning
        True where the input is usable as it is but suspicious.

    Examples
    --------
    >>> print(Fault(file="links.csv", row=7, key="A-B-road", column="length_km",
    ...             found="-3", expected="a number > 0", remedy="give the length in km"))
    links.csv:7 [A-B-road] length_km: found -3; expected a number > 0; give the length in km
    """

    file: str
    row: int = 0
    key: str = ""
    column: str = ""
    found: str
    expected: str
    remedy: str
    warning: bool = False

    def __str__(self) -> str:
        place = self.file + (f":{self.row}" if self.row else "")
        key = f" [{self.key}]" if self.key else ""
        column = f" {self.column}" if self.column else ""
        mark = "warning: " if self.warning else ""
        return (
            f"{mark}{place}{key}{column}: found {self.found}; expected {self.expected}; "
            f"{self.remedy}"
        )


class CorridorError(Exception):
    """Base of every error that corridor raises on purpose."""


class InputError(CorridorError, ValueError):
    """The input cannot be used; the message says what, where and what to do.

    Parameters
    ----------
    message
        What must hold, what was found, what to do.
    faults
        The single faults, where a reader gathered several.
    """

    def __init__(self, message: str, faults: Iterable[Fault] = ()) -> None:
        super().__init__(message)
        self.faults: tuple[Fault, ...] = tuple(faults)

    @classmethod
    def from_faults(cls, subject: str, faults: Sequence[Fault]) -> "InputError":
        """Build one error that lists every fault, one a line."""
        noun = "fault" if len(faults) == 1 else "faults"
        lines = "\n".join(f"  {fault}" for fault in faults)
        return cls(f"{subject} has {len(faults)} {noun}:\n{lines}", faults)


class NoRouteError(CorridorError, LookupError):
    """No open route exists, or none within the limits asked for.

    ``reasons`` holds the ids of the rules and links that block it, or the names of the limits
    that must give way.
    """

    def __init__(self, message: str, reasons: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.reasons: tuple[str, ...] = tuple(reasons)


class SolverError(CorridorError, RuntimeError):
    """The solver failed, or its answer did not pass the independent checks."""


class MissingExtraError(CorridorError, ImportError):
    """An optional dependency is missing; the message names the extra to install."""
