"""Commands on what to build: ``invest``."""

from math import inf, isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from corridor.cli.app import BUNDLED, ExitCode, JsonOption, StudyArgument, app, fail, guarded
from corridor.cli.output import print_json, print_sheets

if TYPE_CHECKING:
    from typing import TypeAlias

    from corridor.planning import (
        BudgetFrontier,
        InvestmentPlan,
        Period,
        RobustPortfolio,
        StagedPlan,
    )
    from corridor.planning.investment.portfolio_search import Progress
    from corridor.study import Case, Study

    _Answer: TypeAlias = InvestmentPlan | BudgetFrontier | RobustPortfolio | StagedPlan


_BUDGET_MUSD = 500.0
_GAP = 1e-6


@app.command("invest")
@guarded()
def run_invest(  # noqa: PLR0913 (each is an option of the command)
    *,
    study: StudyArgument = BUNDLED,
    budget_musd: Annotated[
        float, typer.Option(help="Sum of capex, at most [MUSD].")
    ] = _BUDGET_MUSD,
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
        int,
        typer.Option(
            min=0,
            help="Draws of the assumptions: for the ranges of projects, and scenarios of --regret.",
        ),
    ] = 0,
    regret: Annotated[
        bool,
        typer.Option(
            "--regret",
            help="Choose a portfolio for all scenarios, too: the rules of each --rules, as told "
            "and in each of the --draws.",
        ),
    ] = False,
    rules: Annotated[
        list[str] | None,
        typer.Option(
            metavar="VARIANT",
            help="With --regret: the rules of this variant may hold, beside those of --variant; "
            "repeatable.",
        ),
    ] = None,
    stage: Annotated[
        list[str] | None,
        typer.Option(
            metavar="YEARS:MUSD[:DEMAND]",
            help="Schedule the projects, too: a period of so many years, its budget, and its "
            "demand over today's (default 1); repeatable, in order.",
        ),
    ] = None,
    growth: Annotated[
        float, typer.Option(help="Growth of demand a year, as a fraction, for the economics.")
    ] = 0.0,
    gap: Annotated[float, typer.Option(help="Relative gap at which the search stops.")] = _GAP,
    time_limit: Annotated[
        float | None, typer.Option(help="Seconds for the search; the best found is shown.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the tables as CSV, whole or not at all.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Choose the projects that a budget should buy, and say what they save and whom."""
    from corridor.planning import budget_frontier, invest, robust_portfolio, stage_projects
    from corridor.planning.investment.frontiers import STEPS
    from corridor.report.files.scratch import check_folder
    from corridor.report.files.tables import write_table_files
    from corridor.report.sheets.investments import (
        investment_record,
        investment_sheets,
        investment_tables,
    )
    from corridor.study import investment_ranges, load_study, unbuilt_case

    _check_options(budget_musd, growth, gap, time_limit)
    if out is not None:
        check_folder(out)
    periods = _periods(stage or [])
    loaded = load_study(study)
    chosen = loaded.base if variant is None else variant
    case = unbuilt_case(loaded, chosen)
    cases = _scenarios(loaded, [chosen, *(rules or [])], draws, regret=regret)
    rate, unmet = loaded.header.discount_rate, loaded.header.unmet_usd_per_t
    plan = invest(
        *case, budget_musd, projects=project, discount_rate=rate, growth=growth,
        unmet_usd_per_t=unmet, tolerance=gap, time_limit=time_limit, progress=_told("budget"),
    )  # fmt: skip
    curve = ranges = robust = staged = None
    if frontier and not _is_stopped(plan):
        curve = budget_frontier(
            *case, [budget_musd * share for share in STEPS], projects=project, discount_rate=rate,
            unmet_usd_per_t=unmet, tolerance=gap, time_limit=time_limit,
            progress=_told("frontier"),
        )  # fmt: skip
    if draws and not _is_stopped(plan, curve):
        ranges = investment_ranges(loaded, chosen, plan, draws=draws)
    if regret and not _is_stopped(plan, curve):
        robust = robust_portfolio(
            cases, budget_musd, projects=project, discount_rate=rate, unmet_usd_per_t=unmet,
            tolerance=gap, time_limit=time_limit, progress=_tell,
        )  # fmt: skip
    if periods and not _is_stopped(plan, curve, robust):
        staged = stage_projects(
            *case, periods, projects=project, discount_rate=rate, unmet_usd_per_t=unmet,
            tolerance=gap, time_limit=time_limit, progress=_told("schedule", "MUSD"),
        )  # fmt: skip
    if out is not None:
        for file in write_table_files(investment_tables(plan, curve, ranges, robust, staged), out):
            typer.echo(f"Wrote {file}", err=True)
    if as_json:
        print_json(investment_record(plan, curve, ranges, robust, staged))
    else:
        title = f"{chosen}: what {budget_musd:,.0f} MUSD should buy"
        print_sheets(investment_sheets(plan, title, curve, ranges, robust, staged))
    _leave(plan, curve, robust, staged)


def _is_stopped(*answers: "_Answer | None") -> bool:
    """Whether somebody stopped one of the searches from the keyboard: none begins after it."""
    return any(answer is not None and answer.limit == "interrupt" for answer in answers)


def _leave(
    plan: "InvestmentPlan",
    curve: "BudgetFrontier | None",
    robust: "RobustPortfolio | None",
    staged: "StagedPlan | None",
) -> None:
    """Leave with the exit code of the worst that came of the searches."""
    if _is_stopped(plan, curve, robust, staged):
        message = "Stopped from the keyboard: the best found is shown, no more was searched."
        fail(message, ExitCode.INTERRUPTED)
    answers = [answer for answer in (plan, robust, staged) if answer is not None]
    served = 0.0 if plan.plan is None else plan.plan.served_t_per_day
    if served <= 0.0 or any(answer.outcome == "unlawful" for answer in answers):
        raise typer.Exit(ExitCode.NOTHING)


def _check_options(budget_musd: float, growth: float, gap: float, time_limit: float | None) -> None:
    """Refuse options out of their ranges, all at once, by the names that they have here."""
    wrong = [
        f"{name} must be a finite number > {least:g}; found {value:g}. {advice}"
        for name, value, least, advice in (
            ("--budget-musd", budget_musd, 0.0, f"Left out, it is {_BUDGET_MUSD:g}."),
            ("--growth", growth, -1.0, "0.02 is 2 % a year; left out, it is 0."),
            ("--gap", gap, 0.0, f"Left out, it is {_GAP:g}."),
            ("--time-limit", time_limit, 0.0, "Left out, there is none."),
        )
        if value is not None and not least < value < inf
    ]
    if wrong:
        fail("\n".join(wrong), ExitCode.BAD_INPUT)


def _scenarios(
    study: "Study", variants: list[str], draws: int, *, regret: bool
) -> "dict[str, Case]":
    """Return the scenarios of --regret, none where it is not asked."""
    from corridor.study import investment_cases

    if not regret:
        if len(variants) > 1:
            fail("--rules needs --regret: it names rules to choose for.", ExitCode.BAD_INPUT)
        return {}
    if len(variants) == 1 and not draws:
        message = "--regret needs two scenarios or more; found one. Add --rules or --draws."
        fail(message, ExitCode.BAD_INPUT)
    return investment_cases(study, variants, draws=draws)


def _periods(texts: list[str]) -> "list[Period]":
    """Return the periods of --stage, checked before anything is solved."""
    from corridor.planning.investment.staging import check_periods

    periods = [_period(text) for text in texts]
    if periods:
        check_periods(periods)
    return periods


def _period(text: str) -> "Period":
    """Return a period from YEARS:MUSD or YEARS:MUSD:DEMAND."""
    from corridor.planning import Period

    parts = text.split(":")
    try:
        years, budget_musd, *demand = parts
        factor = float(demand[0]) if demand else 1.0
        if len(demand) <= 1:
            return Period(years=int(years), budget_musd=float(budget_musd), demand_factor=factor)
    except ValueError:
        pass
    message = (
        f"--stage must be YEARS:MUSD or YEARS:MUSD:DEMAND, such as 5:250 or 10:250:1.3; found "
        f"{text!r}. Correct it."
    )
    return fail(message, ExitCode.BAD_INPUT)


def _told(noun: str, unit: str = "MUSD/year") -> "Progress":
    """Return what tells of progress on stderr, a line for each portfolio."""
    return lambda solved, least, bound: _tell(noun, solved, least, bound, unit)


def _tell(noun: str, solved: int, least: float, bound: float, unit: str = "MUSD/year") -> None:
    best = f"{least:,.2f} {unit}" if isfinite(least) else "none is lawful yet"
    proof = f"at least {bound:,.2f}" if isfinite(bound) else "nothing proved yet"
    if bound == inf:
        proof = "no other is left"
    typer.echo(f"{noun}, portfolio {solved}: {best}, {proof}", err=True)
