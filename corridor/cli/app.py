"""The application: its exit codes, and how errors become messages."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import Annotated, NoReturn, TypeAlias

import typer

from corridor import __version__
from corridor.errors import CorridorError, NoRouteError

BUNDLED = "crossroads"
_ABOUT = (
    "Plan transit corridors: multimodal freight networks, their borders "
    "and their sovereignty rules."
)


class ExitCode(IntEnum):
    """What the command tells the shell; the first three are the contract's."""

    DONE = 0
    NOTHING = 1
    BAD_INPUT = 2
    DEFECT = 3
    INTERRUPTED = 130
    CLOSED_PIPE = 141


app = typer.Typer(
    name="corridor",
    help=_ABOUT,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

StudyArgument: TypeAlias = Annotated[
    str,
    typer.Argument(
        metavar="[STUDY]", help="Bundled study, folder with a study.toml, or TOML file."
    ),
]
JsonOption: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]


def main() -> None:
    """Run the command line; the console script ``corridor``."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a name shows a question mark; no table is worth a traceback.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    app(prog_name="corridor")


def _print_version(wanted: bool) -> None:  # noqa: FBT001 (the signature of a callback)
    if wanted:
        typer.echo(f"corridor {__version__}")
        raise typer.Exit


@app.callback()
def start(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Hold the options that come before a command."""


@contextmanager
def guarded() -> Iterator[None]:
    """Turn every error of a command into a message on stderr and an exit code."""
    try:
        yield
        sys.stdout.flush()
    except (typer.Exit, typer.Abort):
        raise
    except NoRouteError as error:
        fail(str(error), ExitCode.NOTHING)
    except CorridorError as error:
        fail(str(error), ExitCode.BAD_INPUT)
    except KeyboardInterrupt:
        fail("Stopped from the keyboard.", ExitCode.INTERRUPTED)
    except BrokenPipeError:
        # The reader has enough (`| head`). What is still buffered goes nowhere, lest it be a
        # traceback at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(ExitCode.CLOSED_PIPE) from None
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        fail(
            f"A file could not be read or written: {place}{error.strerror or error}.",
            ExitCode.BAD_INPUT,
        )
    except Exception as error:
        if "CORRIDOR_TRACEBACK" in os.environ:
            raise
        fail(
            f"A defect of corridor, not of your input: {type(error).__name__}: {error}. "
            "Please report it with what CORRIDOR_TRACEBACK=1 shows.",
            ExitCode.DEFECT,
        )


def fail(message: str, code: ExitCode) -> NoReturn:
    """Say why on stderr and leave with an exit code."""
    typer.echo(message, err=True)
    raise typer.Exit(code)
