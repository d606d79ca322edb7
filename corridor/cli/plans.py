"""Commands on one variant: ``plan``."""

from typing import Annotated

import typer

from corridor.cli.app import BUNDLED, ExitCode, JsonOption, StudyArgument, app, fail, guarded
from corridor.cli.output import print_json, print_sheets
from corridor.errors import InputError


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
    choice: Annotated[
        bool,
        typer.Option(
            "--choice/--optimum",
            help="As shippers choose, by the study's assignment, or the best possible.",
        ),
    ] = False,
    next_server: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ID",
            help="Crossing whose next server is solved for, 'all' for all; repeatable.",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Plan one variant: flows, queues, prices, and what is not served and why."""
    from corridor.planning import compile_model, solve_plan
    from corridor.report.records import plan_record
    from corridor.report.sheets.principles import compliance_sheet
    from corridor.report.sheets.studies import plan_sheets
    from corridor.study import load_study
    from corridor.study.comparison import chosen_plan

    if choice and not congestion:
        msg = "--choice is of queues that grow with the flow. Drop --no-congestion, or --choice."
        raise InputError(msg)
    loaded = load_study(study)
    chosen = loaded.base if variant is None else variant
    model = compile_model(*loaded.case(chosen))
    servers = True if next_server == ["all"] else (next_server or False)
    if choice:
        result = chosen_plan(loaded, model, next_servers=servers)
    else:
        result = solve_plan(
            model, congestion=congestion, unmet_usd_per_t=loaded.header.unmet_usd_per_t,
            next_servers=servers,
        )  # fmt: skip
    if as_json:
        print_json(plan_record(result))
    else:
        asked = [] if isinstance(servers, bool) else servers
        sheets = plan_sheets(result, f"{chosen}: {loaded.variant(chosen).title}", asked)
        print_sheets([*sheets, compliance_sheet(result.compliance)])
    if not result.demand_t_per_day > 0 and result.status == "optimal":
        fail("No goods want to move: no row of the demand is above 0 t/day.", ExitCode.NOTHING)
    if not result.served_t_per_day > 0:
        fail(f"Nothing can be carried: the plan is {result.status}.", ExitCode.NOTHING)
