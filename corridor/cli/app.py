"""The application: its exit codes, and how errors become messages."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeAlias

import typer
from typer.core import TyperGroup

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


class _Commands(TyperGroup):
    """The commands; an empty text is no value of any option: ``--out ""`` is not ``--out .``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 (click or typer)
        """Refuse empty texts, then parse."""
        for place, text in enumerate(args):
            option, equals, value = text.partition("=")
            if text and not (text.startswith("--") and equals and not value):
                continue
            before = args[place - 1] if place else "corridor"
            msg = f"a value must not be empty; found none after {option or before}. Give one."
            raise typer.BadParameter(msg)
        return super().parse_args(ctx, args)


app = typer.Typer(
    name="corridor",
    cls=_Commands,
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
    # Closed by the shell (`>&-`): what would be printed goes nowhere.
    nowhere = Path(os.devnull)
    sys.stdout = sys.stdout or nowhere.open("w", encoding="utf-8")
    sys.stderr = sys.stderr or nowhere.open("w", encoding="utf-8")
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a name shows a question mark; no table is worth a traceback.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        app(prog_name="corridor")
    except SystemExit as stopped:
        # Help is printed by rich, which leaves with 1 where its reader has enough.
        if isinstance(stopped.__context__, BrokenPipeError):
            _discard_output()
            raise SystemExit(ExitCode.CLOSED_PIPE) from None
        raise


def _discard_output() -> None:
    """Let what is still buffered go nowhere, lest it be a traceback at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


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
        # The reader has enough (`| head`).
        _discard_output()
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
