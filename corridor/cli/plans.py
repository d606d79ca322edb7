"""Commands on one variant: ``plan``."""

from typing import Annotated

import typer

from corridor.cli.app import BUNDLED, ExitCode, JsonOption, StudyArgument, app, fail, guarded
from corridor.cli.output import print_json, print_sheets


@app.command("plan")
@guarded()
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
        print_json(plan_record(result))
    else:
        print_sheets(plan_sheets(result, f"{chosen}: {loaded.variant(chosen).title}"))
    if not result.served_t_per_day > 0:
        fail(f"Nothing can be carried: the plan is {result.status}.", ExitCode.NOTHING)
