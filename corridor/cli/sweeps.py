"""Command on uncertainty: ``sweep``."""

from pathlib import Path
from typing import Annotated

import typer

from corridor.cli.app import (
    BUNDLED,
    ExitCode,
    JsonOption,
    StudyArgument,
    app,
    fail,
    guarded,
)
from corridor.cli.output import print_json, print_sheets, shown_progress


@app.command("sweep")
@guarded()
def run_sweep(
    *,
    study: StudyArgument = BUNDLED,
    samples: Annotated[int, typer.Option(min=1, help="Samples of each variant.")] = 1000,
    variant: Annotated[
        list[str] | None, typer.Option(help="Only this variant; may be repeated.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the draws.")] = 0,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes; as many as cores if not given.")
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option(help="Address of a dask scheduler (tcp://host:8786).")
    ] = None,
    checkpoint: Annotated[
        Path | None, typer.Option(help="Parquet file that keeps finished samples, and resumes.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the tables as CSV.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Draw the uncertain numbers of a study many times, and plan each variant for each draw."""
    from corridor.report.files.scratch import check_folder
    from corridor.report.sheets.sweeps import sweep_record, sweep_sheets, write_sweep
    from corridor.study import load_study, sweep

    if workers is not None and scheduler is not None:
        fail("Give --workers or --scheduler, not both.", ExitCode.BAD_INPUT)
    if out is not None:
        check_folder(out)
    loaded = load_study(study)
    with shown_progress("samples") as progress:
        found = sweep(
            loaded,
            samples,
            variant or None,
            seed,
            executor=scheduler if scheduler is not None else workers,
            checkpoint=checkpoint,
            progress=progress,
        )
    if out is not None:
        for file in write_sweep(found, out):
            typer.echo(f"Wrote {file}", err=True)
    if as_json:
        print_json(sweep_record(found))
    else:
        print_sheets(sweep_sheets(found))
    if found.limit:
        done = f"{len(found.samples)} samples are done"
        kept = f"; {checkpoint} keeps them" if checkpoint is not None else ""
        fail(f"Stopped from the keyboard: {done}{kept}.", ExitCode.INTERRUPTED)
