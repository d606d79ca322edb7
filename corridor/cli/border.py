"""Commands on one border crossing: ``border``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple, TypeAlias

import typer

from corridor.cli.app import BUNDLED, JsonOption, app, guarded
from corridor.cli.output import print_json, print_sheets
from corridor.errors import InputError

if TYPE_CHECKING:
    from corridor.border.shifts import ShiftPlan
    from corridor.network import Network
    from corridor.planning import GreenLane, Plan, Screening, Staffing
    from corridor.planning.plans import NextServers
    from corridor.report.sheets.layout import Sheet
    from corridor.sovereignty import Rules
    from corridor.study import Study

Traffic: TypeAlias = Literal["assignment", "optimum", "background"]


@app.command("border")
@guarded()
def run_border(  # noqa: PLR0913 (each is an option of the command)
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
    solve: Annotated[
        bool,
        typer.Option(
            "--solve/--no-solve",
            help="Plan again with one more server at the tightest stage of each way: others may "
            "come because of it.",
        ),
    ] = True,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for the tables as CSV files, written whole or not at all."),
    ] = None,
    staff: Annotated[
        float | None,
        typer.Option(
            metavar="BUDGET",
            help="Show instead where so many servers more save most; with --server-cost USD a year "
            "for them.",
        ),
    ] = None,
    beside: Annotated[
        list[str] | None,
        typer.Option(
            "--with", metavar="CROSSING", help="With --staff: shares the budget; repeatable."
        ),
    ] = None,
    server_cost: Annotated[
        list[str] | None,
        typer.Option(
            metavar="STAGE=USD",
            help="With --staff: cost of a server, scanner=250000; repeatable, others get none.",
        ),
    ] = None,
    state: Annotated[
        list[str] | None,
        typer.Option(help="With --staff: only posts of this state; repeatable."),
    ] = None,
    shifts: Annotated[
        str | None,
        typer.Option(
            metavar="STATE/WAY/STAGE=HOURS",
            help="Show instead shifts that keep every hour's wait below this: "
            "ARM/in/documents=0.25.",
        ),
    ] = None,
    screening: Annotated[
        bool,
        typer.Option(
            "--screening", help="Show instead what inspected shares find and cost, within floors."
        ),
    ] = False,
    green_lane: Annotated[
        str | None,
        typer.Option(
            metavar="SHARE[:WORK]",
            help="Show instead what a lane for so many trusted vehicles does; 0.3:0.5 where each "
            "takes half of the work.",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show one crossing: stages, waits by hour, regimes, and what one more server saves."""
    from corridor.planning import crossing
    from corridor.planning.borders.cases import find_crossing
    from corridor.report.files.crossings import crossing_record, write_crossing
    from corridor.report.files.scratch import check_folder
    from corridor.report.sheets.borders import crossing_sheets
    from corridor.study import load_study

    views = _Views(
        staff, beside or [], server_cost or [], state or [], shifts, screening, green_lane
    )
    views.check(out)
    if out is not None:
        check_folder(out / crossing_id)
    loaded = load_study(study)
    chosen = loaded.base if variant is None else variant
    network, _, rules = loaded.case(chosen)
    # Before a plan is made: a wrong name should not take seconds to be told.
    for name in (crossing_id, *views.beside):
        find_crossing(network, name)
    plan = _plan(loaded, chosen, traffic, [crossing_id] if solve and not views.wanted else False)
    if views.wanted:
        _show(views, (network, crossing_id, rules, plan), as_json=as_json)
        return
    passing = "background" if plan is None else traffic
    found = crossing(network, crossing_id, rules, plan)
    if out is not None:
        for file in write_crossing(found, out):
            typer.echo(f"Wrote {file}", err=True)
    if as_json:
        print_json(crossing_record(found) | {"variant": chosen, "traffic": passing})
    else:
        print_sheets(crossing_sheets(found, f"variant {chosen}, {_WHOSE[passing]}"))


class _Views(NamedTuple):
    """What is asked for in place of the crossing's own sheets."""

    staff: float | None
    beside: list[str]
    server_cost: list[str]
    states: list[str]
    shifts: str | None
    screening: bool
    green_lane: str | None

    @property
    def wanted(self) -> bool:
        asked = self.staff, self.shifts, self.green_lane
        return self.screening or any(view is not None for view in asked)

    def check(self, out: Path | None) -> None:
        """Refuse options that would be ignored, and texts that cannot be read."""
        if self.wanted and out is not None:
            msg = "--out writes the crossing's own tables; found another view too. Drop one."
            raise InputError(msg)
        if self.staff is None and (self.beside or self.server_cost or self.states):
            msg = "--with, --server-cost and --state go with --staff, which is missing. Add it."
            raise InputError(msg)
        self.cost()
        self.target()
        self.lane()

    def cost(self) -> float | dict[str, float]:
        """Return the cost of a server of each stage; 1 without any."""
        costs: dict[str, float] = {}
        for text in self.server_cost:
            name, _, value = text.partition("=")
            costs[name] = _positive(value, text, "--server-cost must be STAGE=USD, scanner=250000")
        return costs or 1.0

    def lane(self) -> tuple[float, float] | None:
        """Return the share of the green lane, and the work of a vehicle in it."""
        if self.green_lane is None:
            return None
        share, _, work = self.green_lane.partition(":")
        wanted = "--green-lane must be SHARE or SHARE:WORK, 0.3:0.5"
        numbers = [_positive(text, self.green_lane, wanted) for text in (share, work or "1")]
        return numbers[0], numbers[1]

    def target(self) -> tuple[str, str, str, float] | None:
        """Return state, direction, stage and longest wait of the shifts."""
        if self.shifts is None:
            return None
        place, _, hours = self.shifts.partition("=")
        wanted = "--shifts must be STATE/WAY/STAGE=HOURS, ARM/in/documents=0.25"
        parts = place.split("/")
        if len(parts) != 3 or parts[1] not in ("in", "out"):  # noqa: PLR2004
            msg = f"{wanted}; found {self.shifts!r}. Correct it."
            raise InputError(msg)
        return parts[0], parts[1], parts[2], _positive(hours, self.shifts, wanted)


def _positive(text: str, whole: str, wanted: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not 0.0 < value < float("inf"):
        msg = f"{wanted}, with a finite number > 0; found {whole!r}. Correct it."
        raise InputError(msg)
    return value


def _show(
    views: _Views,
    of: "tuple[Network, str, Rules, Plan | None]",
    *,
    as_json: bool,
) -> None:
    """Print staffing, shifts, screening and green lane, as far as they are asked for."""
    from corridor.report.files.crossings import fields_record

    record: dict[str, object] = {}
    sheets: list[Sheet] = []
    for name, show in (
        ("staffing", _staffing),
        ("shifts", _shifts),
        ("screening", _screening),
        ("green_lane", _lane),
    ):
        shown = show(views, *of)
        if shown is not None:
            record[name] = fields_record(shown[0])
            sheets += shown[1]
    if as_json:
        print_json(record)
    else:
        print_sheets(sheets)


def _staffing(
    views: _Views, network: "Network", crossing_id: str, rules: "Rules", plan: "Plan | None"
) -> "tuple[Staffing, list[Sheet]] | None":
    from corridor.planning import staff_crossings
    from corridor.report.sheets.staffing import staffing_sheets

    if views.staff is None:
        return None
    found = staff_crossings(
        network, [crossing_id, *views.beside], views.staff, rules=rules, plan=plan,
        cost=views.cost(), countries=views.states or None,
    )  # fmt: skip
    return found, staffing_sheets(found)


def _shifts(
    views: _Views, network: "Network", crossing_id: str, rules: "Rules", plan: "Plan | None"
) -> "tuple[ShiftPlan, list[Sheet]] | None":
    from corridor.planning import plan_post_shifts
    from corridor.report.sheets.staffing import shifts_sheets

    target = views.target()
    if target is None:
        return None
    country, direction, stage, hours = target
    found = plan_post_shifts(
        network, crossing_id, country, stage, hours,
        direction="in" if direction == "in" else "out", rules=rules, plan=plan,
    )  # fmt: skip
    return found, shifts_sheets(found, f"{crossing_id}, {country} {direction} {stage}")


def _screening(
    views: _Views, network: "Network", crossing_id: str, rules: "Rules", plan: "Plan | None"
) -> "tuple[Screening, list[Sheet]] | None":
    from corridor.planning import screen_crossing
    from corridor.report.sheets.staffing import screening_sheets

    if not views.screening:
        return None
    found = screen_crossing(network, crossing_id, rules, plan)
    return found, screening_sheets(found)


def _lane(
    views: _Views, network: "Network", crossing_id: str, rules: "Rules", plan: "Plan | None"
) -> "tuple[GreenLane, list[Sheet]] | None":
    from corridor.planning import open_green_lane
    from corridor.report.sheets.staffing import green_lane_sheets

    lane = views.lane()
    if lane is None:
        return None
    found = open_green_lane(network, crossing_id, *lane, rules=rules, plan=plan)
    return found, green_lane_sheets(found)


_WHOSE = {
    "assignment": "traffic of the study's assignment",
    "optimum": "traffic of the best possible plan",
    "background": "background traffic alone",
}


def _plan(
    study: "Study", variant: str, traffic: Traffic, next_servers: "NextServers"
) -> "Plan | None":
    """Return the plan whose vehicles pass the crossing; None is the background alone."""
    from corridor.planning import compile_model, solve_plan
    from corridor.study.comparison import chosen_plan

    if traffic == "background":
        return None
    model = compile_model(*study.case(variant))
    if traffic == "assignment" and study.header.assignment != "optimum":
        plan = chosen_plan(study, model, next_servers=next_servers)
    else:
        plan = solve_plan(
            model, unmet_usd_per_t=study.header.unmet_usd_per_t, next_servers=next_servers
        )
    if plan.status in ("infeasible", "unknown"):
        typer.echo(f"The plan of {variant} is {plan.status}: only the background passes.", err=True)
        return None
    return plan
