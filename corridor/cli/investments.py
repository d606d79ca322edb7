"""Commands on what to build: ``invest``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from corridor.cli.app import BUNDLED, ExitCode, JsonOption, StudyArgument, app, guarded
from corridor.cli.output import print_json, print_sheets

if TYPE_CHECKING:
    from corridor.planning.investment.portfolio_search import Progress


@app.command("invest")
@guarded()
def run_invest(  # noqa: PLR0913 (each is an option of the command)
    *,
    study: StudyArgument = BUNDLED,
    budget_musd: Annotated[float, typer.Option(help="Sum of capex, at most [MUSD].")] = 500.0,
    variant: Annotated[
        str | None,
        typer.Option(
            help="Variant whose rules hold; its projects are yet to be built (default: the base)."
        ),
    ] = None,
    project: Annotated[
        list[str] | None,
        typer.Option(help="Only this project, and others so named, may be built; repeatable."),
    ] = None,
    frontier: Annotated[
        bool, typer.Option("--frontier", help="Show smaller budgets too, and each border.")
    ] = False,
    draws: Annotated[
        int, typer.Option(min=0, help="Draws of the assumptions for the ranges of projects.")
    ] = 0,
    growth: Annotated[
        float, typer.Option(help="Growth of demand a year, as a fraction, for the economics.")
    ] = 0.0,
    gap: Annotated[float, typer.Option(help="Relative gap at which the search stops.")] = 1e-6,
    time_limit: Annotated[
        float | None, typer.Option(help="Seconds for the search; the best found is shown.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the tables as CSV, whole or not at all.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Choose the projects that a budget should buy, and say what they save and whom."""
    from corridor.planning import budget_frontier, invest
    from corridor.planning.investment.frontiers import STEPS
    from corridor.report.files.scratch import check_folder
    from corridor.report.files.tables import write_table_files
    from corridor.report.sheets.investments import (
        investment_record,
        investment_sheets,
        investment_tables,
    )
    from corridor.study import investment_ranges, load_study, unbuilt_case

    if out is not None:
        check_folder(out)
    loaded = load_study(study)
    chosen = loaded.base if variant is None else variant
    case = unbuilt_case(loaded, chosen)
    rate, unmet = loaded.header.discount_rate, loaded.header.unmet_usd_per_t
    plan = invest(
        *case, budget_musd, projects=project, discount_rate=rate, growth=growth,
        unmet_usd_per_t=unmet, tolerance=gap, time_limit=time_limit, progress=_told("budget"),
    )  # fmt: skip
    curve = ranges = None
    if frontier:
        curve = budget_frontier(
            *case, [budget_musd * share for share in STEPS], projects=project, discount_rate=rate,
            unmet_usd_per_t=unmet, tolerance=gap, progress=_told("frontier"),
        )  # fmt: skip
    if draws:
        ranges = investment_ranges(loaded, chosen, plan, draws=draws)
    if out is not None:
        for file in write_table_files(investment_tables(plan, curve, ranges), out):
            typer.echo(f"Wrote {file}", err=True)
    if as_json:
        print_json(investment_record(plan, curve, ranges))
    else:
        title = f"{chosen}: what {budget_musd:,.0f} MUSD should buy"
        print_sheets(investment_sheets(plan, title, curve, ranges))
    if plan.plan is None or plan.plan.served_t_per_day <= 0.0:
        raise typer.Exit(ExitCode.NOTHING)


def _told(noun: str) -> "Progress":
    """Return what tells of progress on stderr, a line for each portfolio."""

    def tell(solved: int, least: float, bound: float) -> None:
        typer.echo(
            f"{noun}, portfolio {solved}: {least:,.2f} MUSD/year, at least {bound:,.2f}", err=True
        )

    return tell
