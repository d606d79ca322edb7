"""The command line: parses, calls, prints.

Tables go to stdout, or JSON with ``--json``; progress and messages go to stderr. The exit code is 0
when the work is done, 1 when nothing can be carried or there is no route, 2 when the input is bad.
Nothing heavy is imported before a command needs it, so that help is quick.
"""

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NoReturn, TypeAlias, cast

import typer

from corridor import __version__
from corridor.errors import CorridorError, Fault, InputError, NoRouteError

if TYPE_CHECKING:
    from corridor.network import Network
    from corridor.planning.fronts import FrontCriterion
    from corridor.report.sheets import Sheet
    from corridor.sovereignty import Rules

BUNDLED = "crossroads"
_ABOUT = (
    "Plan transit corridors: multimodal freight networks, their borders "
    "and their sovereignty rules."
)
_PIPE_WIDTH = 120
"""Width of tables where stdout is no terminal and COLUMNS is not set."""

_CRITERIA = "time_h,cost_usd_per_t,co2_kg_per_t"

Notice: TypeAlias = Callable[[int, int, str], None]
"""What is told of progress: steps done, steps in all, and the name of the last one."""


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
def _guarded() -> Iterator[None]:
    """Turn every error of a command into a message on stderr and an exit code."""
    try:
        yield
        sys.stdout.flush()
    except (typer.Exit, typer.Abort):
        raise
    except NoRouteError as error:
        _fail(str(error), ExitCode.NOTHING)
    except CorridorError as error:
        _fail(str(error), ExitCode.BAD_INPUT)
    except KeyboardInterrupt:
        _fail("Stopped from the keyboard.", ExitCode.INTERRUPTED)
    except BrokenPipeError:
        # The reader has enough (`| head`). What is still buffered goes nowhere, lest it be a
        # traceback at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(ExitCode.CLOSED_PIPE) from None
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        _fail(
            f"A file could not be read or written: {place}{error.strerror or error}.",
            ExitCode.BAD_INPUT,
        )
    except Exception as error:
        if "CORRIDOR_TRACEBACK" in os.environ:
            raise
        _fail(
            f"A defect of corridor, not of your input: {type(error).__name__}: {error}. "
            "Please report it with what CORRIDOR_TRACEBACK=1 shows.",
            ExitCode.DEFECT,
        )


def _fail(message: str, code: ExitCode) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(code)


@app.command("compare")
@_guarded()
def run_compare(
    *,
    study: StudyArgument = BUNDLED,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder for indicators.csv and corridor.gpkg, written whole or not at all."
        ),
    ] = None,
    variant: Annotated[
        list[str] | None, typer.Option(help="Only this variant and the base; may be repeated.")
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Variants planned at once.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Plan every variant of a study on the same demand and compare them with the base."""
    from corridor.report import check_folder, write_outputs
    from corridor.report.records import comparison_record
    from corridor.report.tables import comparison_sheets
    from corridor.study import compare, load_study

    if out is not None:
        check_folder(out)
    loaded = load_study(study)
    with _progress("variants") as progress:
        comparison = compare(loaded, variant or None, workers=workers, progress=progress)
    if out is not None:
        for file in write_outputs(comparison, out):
            typer.echo(f"Wrote {file}", err=True)
    if as_json:
        _print_json(comparison_record(comparison))
    else:
        _print_sheets(comparison_sheets(comparison))


@app.command("route")
@_guarded()
def run_route(  # noqa: PLR0913 (each is an option of the command)
    *,
    origin: Annotated[str, typer.Argument(help="Node id, CN_XIAN.")],
    destination: Annotated[str, typer.Argument(help="Node id, TR_MERSIN.")],
    data: Annotated[str, typer.Option(help="Bundled data set or folder.")] = BUNDLED,
    commodity: Annotated[str | None, typer.Option(help="Commodity id (default: the first)")] = None,
    minimize: Annotated[
        Literal["generalized_cost", "time", "money", "co2"],
        typer.Option(help="What the best way has least of."),
    ] = "generalized_cost",
    rules: Annotated[
        bool | None,
        typer.Option(
            "--rules/--no-rules", help="Obey rules.toml of the data (default: if it exists)"
        ),
    ] = None,
    date: Annotated[
        str | None,
        typer.Option(
            help="Works and rules as of YYYY-MM-DD (default: the day of --depart, else the latest)"
        ),
    ] = None,
    depart: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Leave at 2026-07-03T20:00+08:00, or in local time without an offset; opening "
            "hours and timetables are then kept to the hour.",
        ),
    ] = None,
    k: Annotated[int, typer.Option("--k", min=1, help="Number of ways.")] = 1,
    max_overlap: Annotated[
        float | None, typer.Option(help="Most of their length that two ways share, 0.7 for 70 %.")
    ] = None,
    max_crossings: Annotated[int | None, typer.Option(help="Most borders.")] = None,
    max_time_h: Annotated[float | None, typer.Option(help="Most hours from door to door.")] = None,
    max_cost_usd_per_t: Annotated[float | None, typer.Option(help="Most money, USD/t.")] = None,
    max_km_in: Annotated[
        list[str] | None,
        typer.Option(metavar="STATE=KM", help="Most km in a state, RUS=300; may be repeated."),
    ] = None,
    avoid: Annotated[
        list[str] | None,
        typer.Option(metavar="STATE", help="State to stay out of, IRN; may be repeated."),
    ] = None,
    pareto: Annotated[
        bool, typer.Option("--pareto", help="Show all ways that no other beats in every criterion.")
    ] = False,
    criteria: Annotated[
        str | None,
        typer.Option(
            help="With --pareto: time_h, cost_usd_per_t, co2_kg_per_t, sd_h (risk), n_crossings, "
            "joined by commas (default: the first three)"
        ),
    ] = None,
    exposure: Annotated[
        list[str] | None,
        typer.Option(
            metavar="STATE", help="With --pareto: its km are a criterion too; may be repeated."
        ),
    ] = None,
    epsilon: Annotated[
        float | None, typer.Option(help="With --pareto: 0.05 leaves out ways within 5 % of others.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Find the best ways from door to door, at the queues of today's traffic."""
    from corridor.network import load_network
    from corridor.planning import alternatives
    from corridor.planning import pareto as find_front
    from corridor.planning.dated import parse_departure
    from corridor.report.records import itinerary_record
    from corridor.report.ways import front_sheet, itinerary_sheets

    of_ways = {
        "--minimize": minimize != "generalized_cost",
        "--k": k > 1,
        "--depart": depart,
        "--max-overlap": max_overlap is not None,
        "--max-crossings": max_crossings is not None,
        "--max-time-h": max_time_h is not None,
        "--max-cost-usd-per-t": max_cost_usd_per_t is not None,
        "--max-km-in": max_km_in,
    }
    of_front = {"--criteria": criteria, "--exposure": exposure, "--epsilon": epsilon is not None}
    _check_unused(of_ways if pareto else of_front, pareto=pareto)
    most_km = _km_by_state(max_km_in or [])
    network = load_network(data, date)
    leaves = None if depart is None else parse_departure(depart, network, origin)
    if leaves is not None and date is None:
        network = network.as_of(leaves.date())
    rulebook = _rules(data, network, wanted=rules)
    listed = (criteria or _CRITERIA).split(",")
    with _blocked_as_json("paths" if pareto else "itineraries", wanted=as_json):
        if pareto:
            front = find_front(
                network, origin, destination, cast("list[FrontCriterion]", listed), commodity,
                rulebook, exposure=exposure or (), avoid=avoid or (), epsilon=epsilon or 0.0,
            )  # fmt: skip
        else:
            ways = alternatives(
                network, origin, destination, k, commodity, rulebook, minimize, leaves, max_overlap,
                max_crossings=max_crossings, max_time_h=max_time_h,
                max_cost_usd_per_t=max_cost_usd_per_t, max_km_in=most_km, avoid=avoid or (),
            )  # fmt: skip
    if as_json and pareto:
        _print_json({"paths": front, "reasons": []})
    elif as_json:
        _print_json({"itineraries": [itinerary_record(way) for way in ways], "reasons": []})
    elif pareto:
        least = [*listed, *([f"km in {' and '.join(exposure)}"] if exposure else [])]
        title = f"{origin} to {destination}, least {', '.join(least)}"
        _print_sheets([front_sheet(front, title)])
    else:
        _print_sheets(itinerary_sheets(ways))


@contextmanager
def _blocked_as_json(name: str, *, wanted: bool) -> Iterator[None]:
    """Print the reasons why there is no way for machines, and let the error pass on."""
    try:
        yield
    except NoRouteError as error:
        if wanted:
            _print_json({name: [], "reasons": error.reasons})
        raise


def _check_unused(options: Mapping[str, object], *, pareto: bool) -> None:
    """Refuse options that would be ignored."""
    given = [name for name, value in options.items() if value]
    if given and pareto:
        msg = f"--pareto shows all ways on the front; found {', '.join(given)} too. Drop one."
        raise InputError(msg)
    if given:
        msg = f"{', '.join(given)} must come with --pareto, which is missing. Add it."
        raise InputError(msg)


def _km_by_state(texts: Iterable[str]) -> dict[str, float]:
    """Return the limits that texts such as ``RUS=300`` say."""
    limits: dict[str, float] = {}
    for text in texts:
        state, _, km = text.partition("=")
        if state in limits:
            msg = f"--max-km-in must name a state once; {state} is there twice. Keep one of them."
            raise InputError(msg)
        try:
            limits[state] = float(km)
        except ValueError:
            msg = f"--max-km-in must be a state and a number of km, RUS=300; found {text!r}."
            raise InputError(msg) from None
    return limits


@app.command("plan")
@_guarded()
def run_plan(
    *,
    study: StudyArgument = BUNDLED,
    variant: Annotated[str | None, typer.Option(help="Variant to plan (default: the base)")] = None,
    congestion: Annotated[
        bool,
        typer.Option("--congestion/--no-congestion", help="Whether queues grow with the flow."),
    ] = True,
    as_json: JsonOption = False,
) -> None:
    """Plan one variant: flows, queues, prices, and what is not served and why."""
    from corridor.planning import plan
    from corridor.report.records import plan_record
    from corridor.report.tables import plan_sheets
    from corridor.study import load_study

    loaded = load_study(study)
    chosen = loaded.base if variant is None else variant
    result = plan(
        *loaded.case(chosen), congestion=congestion, unmet_usd_per_t=loaded.header.unmet_usd_per_t
    )
    if as_json:
        _print_json(plan_record(result))
    else:
        _print_sheets(plan_sheets(result, f"{chosen}: {loaded.variant(chosen).title}"))
    if not result.served_t_per_day > 0:
        _fail(f"Nothing can be carried: the plan is {result.status}.", ExitCode.NOTHING)


@app.command("validate")
@_guarded()
def run_validate(
    *,
    folder: Annotated[
        str, typer.Argument(help="Folder of a data set, or the name of a bundled one.")
    ],
    as_json: JsonOption = False,
) -> None:
    """Print every fault of a data set, its rules and its study, one a line."""
    from corridor.report.records import fault_records

    faults = _all_faults(folder)
    errors = [fault for fault in faults if not fault.warning]
    if as_json:
        _print_json(
            {
                "errors": len(errors),
                "warnings": len(faults) - len(errors),
                "faults": fault_records(faults),
            }
        )
    else:
        for fault in faults:
            typer.echo(str(fault))
        warnings = _count(len(faults) - len(errors), "warning")
        typer.echo(f"{folder}: {_count(len(errors), 'fault')}, {warnings}")
    if errors:
        raise typer.Exit(ExitCode.BAD_INPUT)


@app.command("targets")
@_guarded()
def run_targets(
    *,
    study: StudyArgument = BUNDLED,
    write: Annotated[Path | None, typer.Option(help="Markdown file for the whole account.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Hold the model against published volumes and times."""
    from corridor.report.records import target_record
    from corridor.report.tables import target_sheets
    from corridor.study import check_targets, load_study, validation_markdown

    check = check_targets(load_study(study))
    if write is not None:
        _write_text(validation_markdown(check), write)
        typer.echo(f"Wrote {write}", err=True)
    if as_json:
        _print_json(target_record(check))
    else:
        _print_sheets(target_sheets(check))


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def _rules(data: str, network: "Network", *, wanted: bool | None) -> "Rules | None":
    """Return the rules of a data set; None where unwanted, or not there and not asked for."""
    from corridor import datasets
    from corridor.sovereignty import load_rules

    if wanted is False or (wanted is None and not (datasets.path(data) / "rules.toml").is_file()):
        return None
    return load_rules(data, network.date)


def _all_faults(folder: str) -> list[Fault]:
    """Return the faults of the tables, then of the rules, then of the study; each fault once."""
    from corridor.network.models import dataset_folder
    from corridor.network.validation import validate

    path = dataset_folder(folder)
    faults = validate(path)
    broken = any(not fault.warning for fault in faults)
    # Ids in rules and study cannot be looked up in tables that do not load.
    if (path / "rules.toml").is_file():
        faults += _rule_faults(path, broken=broken)
    if (path / "study.toml").is_file() and not broken:
        faults += _study_faults(path)
    return list(dict.fromkeys(faults))


def _rule_faults(path: Path, *, broken: bool) -> list[Fault]:
    from corridor.network import load_network
    from corridor.sovereignty import load_rules

    try:
        rules = load_rules(path)
    except InputError as error:
        return _faults_of(error, "rules.toml")
    return [] if broken else rules.check(load_network(path))


def _study_faults(path: Path) -> list[Fault]:
    from corridor.study import load_study

    try:
        load_study(path)
    except InputError as error:
        return _faults_of(error, "study.toml")
    return []


def _faults_of(error: InputError, file: str) -> list[Fault]:
    """Return the faults of an error; an error without any is one fault of the whole file."""
    if error.faults:
        return list(error.faults)
    return [
        Fault(file=file, found=str(error), expected="a file that can be read", remedy="correct it")
    ]


def _print_json(value: object) -> None:
    from corridor.report.records import write_json

    typer.echo(write_json(value))


def _print_sheets(sheets: Iterable["Sheet"]) -> None:
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
def _progress(noun: str) -> Iterator[Notice]:
    """Show progress on stderr: a bar on a terminal, else a line a step."""
    if not sys.stderr.isatty():
        yield lambda done, total, name: typer.echo(f"{done}/{total} {noun}: {name}", err=True)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(noun, total=None)
        yield lambda done, total, name: bar.update(
            task, completed=done, total=total, description=name
        )


def _write_text(text: str, file: Path) -> None:
    """Write a text file whole or not at all."""
    import tempfile

    if not file.parent.is_dir() or file.is_dir():
        msg = f"The text must go into a file of an existing folder; {str(file)!r} is none."
        raise InputError(msg)
    with tempfile.TemporaryDirectory(prefix=".corridor-", dir=file.parent) as stage:
        part = Path(stage) / file.name
        part.write_text(text, encoding="utf-8")
        part.replace(file)
