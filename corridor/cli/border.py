"""Commands on one border crossing: ``border``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

import typer

from corridor.cli.app import BUNDLED, JsonOption, app, guarded
from corridor.cli.output import print_json, print_sheets

if TYPE_CHECKING:
    from corridor.planning import Plan
    from corridor.study import Study

Traffic: TypeAlias = Literal["assignment", "optimum", "background"]


@app.command("border")
@guarded()
def run_border(
    *,
    crossing_id: Annotated[str, typer.Argument(metavar="CROSSING", help="Crossing, agarak-road.")],
    study: Annotated[
        str, typer.Option(help="Bundled study, folder with a study.toml, or TOML file.")
    ] = BUNDLED,
    variant: Annotated[
        str | None, typer.Option(help="Variant of the study (default: the base)")
    ] = None,
    traffic: Annotated[
        Traffic,
        typer.Option(
            help="Whose vehicles: those of the study's assignment, of the best possible plan, or "
            "the background alone."
        ),
    ] = "assignment",
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for the tables as CSV files, written whole or not at all."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show one crossing: stages, waits by hour, regimes, and what one more server saves."""
    from corridor.planning import crossing
    from corridor.planning.border_cases import find_crossing
    from corridor.report.border_files import crossing_record, write_crossing
    from corridor.report.border_sheets import crossing_sheets
    from corridor.study import load_study

    loaded = load_study(study)
    chosen = loaded.base if variant is None else variant
    network, _, rules = loaded.case(chosen)
    # Before a plan is made: a wrong name should not take seconds to be told.
    find_crossing(network, crossing_id)
    plan = _plan(loaded, chosen, traffic)
    found = crossing(network, crossing_id, rules, plan)
    if out is not None:
        for file in write_crossing(found, out):
            typer.echo(f"Wrote {file}", err=True)
    if as_json:
        print_json(crossing_record(found) | {"variant": chosen, "traffic": traffic})
    else:
        print_sheets(crossing_sheets(found, f"variant {chosen}, {_WHOSE[traffic]}"))


_WHOSE = {
    "assignment": "traffic of the study's assignment",
    "optimum": "traffic of the best possible plan",
    "background": "background traffic alone",
}


def _plan(study: "Study", variant: str, traffic: Traffic) -> "Plan | None":
    """Return the plan whose vehicles pass the crossing; None is the background alone."""
    from corridor.planning import compile_model, solve_plan
    from corridor.study.comparison import chosen_plan

    if traffic == "background":
        return None
    model = compile_model(*study.case(variant))
    if traffic == "assignment" and study.header.assignment != "optimum":
        plan = chosen_plan(study, model)
    else:
        plan = solve_plan(model, unmet_usd_per_t=study.header.unmet_usd_per_t)
    if plan.status in ("infeasible", "unknown"):
        typer.echo(f"The plan of {variant} is {plan.status}: only the background passes.", err=True)
        return None
    return plan
