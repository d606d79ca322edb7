"""Commands on studies: ``compare`` and ``targets``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from corridor.cli.app import BUNDLED, ExitCode, JsonOption, StudyArgument, app, fail, guarded
from corridor.cli.output import print_json, print_sheets, shown_progress
from corridor.errors import CorridorError

if TYPE_CHECKING:
    from corridor.study import Comparison


@app.command("compare")
@guarded()
def run_compare(
    *,
    study: StudyArgument = BUNDLED,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for tables, maps and the report, written whole or not at all."),
    ] = None,
    geoparquet: Annotated[
        bool,
        typer.Option(
            "--geoparquet", help=r"Write the layers as GeoParquet too; needs corridor\[parquet]."
        ),
    ] = False,
    more: Annotated[
        list[str] | None,
        typer.Option(
            "--with",
            metavar="WHAT",
            help="Add to the report, with its tables as files: explanations, frontiers, sweep, "
            "resilience, benefits, investment, or all; repeatable. Needs --out.",
        ),
    ] = None,
    outlines: Annotated[
        Path | None,
        typer.Option(help="Folder of GeoJSON outlines of states for the map: another view."),
    ] = None,
    variant: Annotated[
        list[str] | None, typer.Option(help="Only this variant and the base; may be repeated.")
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Variants planned at once.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Plan every variant of a study on the same demand and compare them with the base."""
    from corridor.report import WRITERS, check_folder
    from corridor.report.files.geoparquet import require_pyarrow
    from corridor.report.findings import check_findings
    from corridor.report.maps.interactive import outlines_of
    from corridor.report.records import comparison_record
    from corridor.report.sheets.studies import comparison_sheets
    from corridor.study import compare, load_study

    if out is not None:
        check_folder(out, WRITERS)
    elif geoparquet or more or outlines is not None:
        msg = "--geoparquet, --with and --outlines need --out DIR, the folder to write to."
        fail(msg, ExitCode.BAD_INPUT)
    if geoparquet:
        require_pyarrow()
    if outlines is not None:
        outlines_of(outlines)
    loaded = load_study(study)
    wanted = check_findings(more or [])
    with shown_progress("variants") as progress:
        comparison = compare(loaded, variant or None, workers=workers, progress=progress)
    refused = []
    if out is not None:
        refused = _write(comparison, out, wanted, outlines, geoparquet=geoparquet)
    if as_json:
        print_json(comparison_record(comparison))
    else:
        print_sheets(comparison_sheets(comparison))
    if set(refused) & set(more or []):
        raise typer.Exit(ExitCode.BAD_INPUT)


def _write(
    comparison: "Comparison",
    out: Path,
    wanted: list[str],
    outlines: Path | None,
    *,
    geoparquet: bool,
) -> list[str]:
    """Ask what is wanted besides, and write all that is known, also where asking is cut short.

    Returns what the study lacks the means for.
    """
    from corridor.report import write_geoparquet, write_outputs
    from corridor.report.findings import FINDERS, Findings

    found, refused = Findings(), []
    try:
        for name in wanted:
            try:
                with shown_progress(name) as progress:
                    for more in FINDERS[name].find(found, comparison, progress):
                        found = more
            except CorridorError as error:
                typer.echo(f"Without {name}: {error}", err=True)
                refused.append(name)
    finally:
        files = write_outputs(comparison, out, found, outlines=outlines)
        files += write_geoparquet(comparison, out) if geoparquet else []
        for file in files:
            typer.echo(f"Wrote {file}", err=True)
    return refused


@app.command("targets")
@guarded()
def run_targets(
    *,
    study: StudyArgument = BUNDLED,
    demand: Annotated[
        str | None,
        typer.Option(
            metavar="YEAR",
            help="Hold counted volumes, too, against the model with the demand of this year.",
        ),
    ] = None,
    write: Annotated[Path | None, typer.Option(help="Markdown file for the whole account.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Hold the model against published times, and against counted volumes."""
    from corridor.report.files.scratch import scratch_file
    from corridor.report.records import target_record
    from corridor.report.sheets.studies import target_sheets, volume_sheets
    from corridor.study import check_targets, check_volumes, load_study, validation_markdown

    loaded = load_study(study, demand)
    check = check_targets(loaded)
    volumes = None if demand is None else check_volumes(loaded)
    if write is not None:
        with scratch_file(write, "The account") as part:
            part.write_text(validation_markdown(check, volumes), encoding="utf-8")
        typer.echo(f"Wrote {write}", err=True)
    if as_json:
        print_json(target_record(check, volumes))
    else:
        print_sheets(target_sheets(check) + ([] if volumes is None else volume_sheets(volumes)))
