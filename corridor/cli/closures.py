"""Commands on what may close: ``resilience``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from corridor.cli.app import BUNDLED, ExitCode, JsonOption, StudyArgument, app, fail, guarded
from corridor.cli.output import print_json, print_sheets, shown_progress

if TYPE_CHECKING:
    from corridor.study import Resilience, Study
    from corridor.study.disruption.interruptions import Kind


@app.command("resilience")
@guarded()
def run_resilience(
    *,
    study: StudyArgument = BUNDLED,
    variant: Annotated[
        str | None, typer.Option(help="Variant to close things in (default: the base)")
    ] = None,
    kind: Annotated[
        list[str] | None,
        typer.Option(
            help="What closes: link, crossing, terminal, state, pair (of states); repeatable "
            "(default: crossing, state and pair)."
        ),
    ] = None,
    congestion: Annotated[
        bool,
        typer.Option("--congestion/--no-congestion", help="Whether queues grow with the flow."),
    ] = True,
    windows: Annotated[
        bool,
        typer.Option("--windows/--no-windows", help="Whether closures that come back are planned."),
    ] = True,
    worst: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="K", help="Find instead the K crossings whose closure at once is worst."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the tables as CSV, whole or not at all.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Close what carries goods, one by one, and say what is lost and how the rest copes."""
    from corridor.report.files.scratch import check_folder
    from corridor.report.files.tables import write_table_files
    from corridor.report.sheets.closures import resilience_record, resilience_tables
    from corridor.study import load_study, resilience

    if out is not None:
        check_folder(out)
    loaded = load_study(study)
    chosen = loaded.base if variant is None else variant
    if worst is not None:
        if kind or not congestion or not windows:
            msg = (
                "--worst finds crossings on an empty network: --kind, --no-congestion and "
                "--no-windows have no effect beside it. Leave them out."
            )
            fail(msg, ExitCode.BAD_INPUT)
        _run_worst(loaded, chosen, worst, out, as_json=as_json)
        return
    kinds = cast("list[Kind]", kind or ["crossing", "state", "pair"])
    case = loaded.case(chosen)
    with shown_progress("closures") as progress:
        found = resilience(
            *case,
            kinds=kinds,
            windows=None if windows else [],
            congestion=congestion,
            unmet_usd_per_t=loaded.header.unmet_usd_per_t,
            progress=progress,
        )
    if out is not None:
        for file in write_table_files(resilience_tables(found), out):
            typer.echo(f"Wrote {file}", err=True)
    if as_json:
        print_json(resilience_record(found))
    else:
        _print_losses(found, f"{chosen}: {loaded.variant(chosen).title}", kinds)
    if found.limit:
        n = len(found.losses) + len(found.pairs) + len(found.year)
        fail(f"Stopped from the keyboard: {n} closures are told.", ExitCode.INTERRUPTED)
    if not found.served_t_per_day > 0:
        fail(f"Nothing can be carried: the plan is {found.status}.", ExitCode.NOTHING)


def _print_losses(found: "Resilience", title: str, kinds: list["Kind"]) -> None:
    from corridor.report.sheets.closures import resilience_sheets

    if len(found.losses) or len(found.pairs) or len(found.year):
        print_sheets(resilience_sheets(found, title))
    elif found.served_t_per_day > 0 and not found.limit:
        typer.echo(f"Nothing of the kind {' or '.join(kinds)} carries goods that it could stop.")


def _run_worst(
    study: "Study", variant: str, n_closures: int, out: Path | None, *, as_json: bool
) -> None:
    """Print and write the crossings whose closure at once is worst."""
    from dataclasses import asdict

    import pandas as pd

    from corridor.report.files.tables import write_table_files
    from corridor.report.sheets.closures import worst_sheet
    from corridor.study import worst_closures

    unmet_usd_per_t = study.header.unmet_usd_per_t
    found = worst_closures(*study.case(variant), n_closures, unmet_usd_per_t=unmet_usd_per_t)
    if out is not None:
        row = asdict(found) | {"items": ">".join(found.items)}
        for file in write_table_files({"worst": pd.DataFrame([row])}, out):
            typer.echo(f"Wrote {file}", err=True)
    if as_json:
        print_json(asdict(found))
    else:
        print_sheets([worst_sheet(found, f"{variant}: {study.variant(variant).title}")])
