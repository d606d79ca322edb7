"""What commands print: sheets, JSON and progress."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeAlias

import typer

if TYPE_CHECKING:
    from corridor.report.sheets.layout import Sheet

_PIPE_WIDTH = 120
"""Width of tables where stdout is no terminal and COLUMNS is not set."""

Notice: TypeAlias = Callable[[int, int, str], None]
"""What is told of progress: steps done, steps in all, and the name of the last one."""


def print_json(value: object) -> None:
    """Print a value as JSON."""
    from corridor.report.records import write_json

    typer.echo(write_json(value))


def print_sheets(sheets: Iterable["Sheet"]) -> None:
    """Print sheets as wide as the terminal."""
    from rich.console import Console

    piped = not sys.stdout.isatty() and "COLUMNS" not in os.environ
    console = Console(width=_PIPE_WIDTH if piped else None, highlight=False, emoji=False)
    for i, sheet in enumerate(sheets):
        # Captured, because rich would answer a closed pipe with an exit code of its own.
        with console.capture() as text:
            if i:
                console.print()
            console.print(sheet)
        sys.stdout.write(text.get())


@contextmanager
def shown_progress(noun: str) -> Iterator[Notice]:
    """Show progress on stderr: a bar on a terminal, else a line a step."""
    if not sys.stderr.isatty():
        yield lambda done, total, name: typer.echo(f"{done}/{total} {noun}: {name}", err=True)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        # Names are data: brackets in them are no markup.
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(noun, total=None)
        yield lambda done, total, name: bar.update(
            task, completed=done, total=total, description=name
        )


def count_of(n: int, noun: str) -> str:
    """Return a number with its noun: 1 fault, 2 faults."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"
