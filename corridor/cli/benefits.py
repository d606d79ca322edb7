"""Commands on what states are worth to each other: ``share``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from corridor.cli.app import BUNDLED, JsonOption, StudyArgument, app, guarded
from corridor.cli.output import print_json, print_sheets

if TYPE_CHECKING:
    from corridor.study.cooperation.capacity_checks import Checked


@app.command("share")
@guarded()
def run_share(
    *,
    study: StudyArgument = BUNDLED,
    variant: Annotated[
        str | None, typer.Option(help="Variant to share out (default: the base)")
    ] = None,
    players: Annotated[
        str | None,
        typer.Option(
            metavar="STATES",
            help="States that play, ARM,AZE,GEO say (default: those that goods cross, 15 at most).",
        ),
    ] = None,
    capacity: Annotated[
        str,
        typer.Option(
            help="Sets to value by plans with capacities too: none, marginal (all, all but one) "
            "or all (up to 8 states)."
        ),
    ] = "none",
    out: Annotated[
        Path | None, typer.Option(help="Folder for the tables as CSV, whole or not at all.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Say who depends on whom, what states save together, and how to share it."""
    from corridor.report.files.scratch import check_folder
    from corridor.report.files.tables import write_table_files
    from corridor.report.sheets.benefits import benefit_record, benefit_sheets, benefit_tables
    from corridor.study import load_study, share_benefits
    from corridor.study.cooperation.benefits import DISPERSION_PER_USD

    if out is not None:
        check_folder(out)
    loaded = load_study(study)
    chosen = loaded.base if variant is None else variant
    names = None if players is None else [name.strip() for name in players.split(",")]
    dispersion = loaded.header.dispersion_per_usd
    found = share_benefits(
        *loaded.case(chosen),
        players=names,
        dispersion_per_usd=DISPERSION_PER_USD if dispersion is None else dispersion,
        capacity=cast("Checked", capacity),
    )
    if out is not None:
        for file in write_table_files(benefit_tables(found), out):
            typer.echo(f"Wrote {file}", err=True)
    if as_json:
        print_json(benefit_record(found))
    else:
        print_sheets(benefit_sheets(found, f"{chosen}: {loaded.variant(chosen).title}"))
