"""What a budget should buy: sheets, records and tables of investment plans and frontiers."""

from dataclasses import fields

import pandas as pd

from corridor.planning import BudgetFrontier, InvestmentPlan, RobustPortfolio, StagedPlan
from corridor.planning.investment.outcomes import told_stop
from corridor.report.sheets.layout import Column, Sheet

_MOST_BORDERS = 12
_MOST_CANDIDATES = 8
_SHOWN_MUSD = 0.05
_RANGE = (
    " EIRR low and high: least saving at the highest capex, and most at the lowest, over the "
    "ranges of what projects do and cost; blank where it never pays back."
)
_GOODS = "Goods: newly carried, at their own value; the price of unmet demand is in no saving."
_NO_BEST = {
    "infeasible": "none is lawful",
    "unknown": "stopped before any was found",
    "not searched": "not searched",
}
"""What stands for the best portfolio of a scenario that has none, by status."""


def investment_tables(
    plan: InvestmentPlan,
    frontier: BudgetFrontier | None = None,
    ranges: pd.DataFrame | None = None,
    robust: RobustPortfolio | None = None,
    staged: StagedPlan | None = None,
) -> dict[str, pd.DataFrame]:
    """Return all tables by name, ready for files and for charts.

    Parameters
    ----------
    plan
        What `corridor.invest` returned.
    frontier
        What `corridor.planning.budget_frontier` returned, if it was asked.
    ranges
        What `corridor.study.investment_ranges` returned, if it was asked.
    robust
        What `corridor.robust_portfolio` returned, if it was asked.
    staged
        What `corridor.planning.stage_projects` returned, if it was asked.
    """
    summary = pd.DataFrame(
        {
            "status": [plan.status],
            "outcome": [plan.outcome],
            "broken_rules": [";".join(plan.broken_rules)],
            "limit": [plan.limit or ""],
            "budget_musd": [plan.budget_musd],
            "capex_musd": [plan.capex_musd],
            "projects": [";".join(plan.chosen)],
            "objective_musd_per_year": [plan.objective_musd_per_year],
            "bound_musd_per_year": [plan.bound_musd_per_year],
            "gap": [plan.gap],
            "portfolios_solved": [plan.solved],
            "discount_rate": [plan.discount_rate],
        }
    )
    tables = {
        "investment": summary,
        "projects": plan.projects,
        "costs": plan.costs,
        "economics": plan.economics,
        "benefits": plan.benefits,
    }
    if frontier is not None:
        tables |= {
            "frontier": frontier.points,
            "entries": frontier.entries,
            "borders": frontier.borders,
        }
    if ranges is not None:
        tables["ranges"] = ranges
    if robust is not None:
        tables |= {
            "robust": _robust_summary(robust),
            "scenarios": robust.scenarios,
            "candidates": robust.candidates,
            "regrets": robust.regrets,
        }
    if staged is not None:
        tables |= {"schedule": staged.schedule, "periods": staged.periods}
    return tables


def _robust_summary(robust: RobustPortfolio) -> pd.DataFrame:
    """Return a row for the least greatest regret, and one for the least mean."""
    return pd.DataFrame(
        {
            "regret": ["greatest", "mean"],
            "status": robust.status,
            "limit": robust.limit or "",
            "budget_musd": robust.budget_musd,
            "projects": [";".join(robust.chosen), ";".join(robust.mean_chosen)],
            "musd_per_year": [robust.regret_musd_per_year, robust.mean_regret_musd_per_year],
            "most_musd_per_year": [robust.regret_most, robust.mean_regret_most],
            "bound_musd_per_year": [robust.regret_bound, robust.mean_regret_bound],
        }
    )


def investment_record(
    plan: InvestmentPlan,
    frontier: BudgetFrontier | None = None,
    ranges: pd.DataFrame | None = None,
    robust: RobustPortfolio | None = None,
    staged: StagedPlan | None = None,
) -> dict[str, object]:
    """Return a plan without the flows, and whatever else was asked, for JSON."""
    names = [field.name for field in fields(plan) if field.name not in ("base", "plan")]
    record: dict[str, object] = {name: getattr(plan, name) for name in names}
    record["outcome"] = plan.outcome
    record["sentences"] = list(plan.sentences)
    if frontier is not None:
        record["frontier"] = _fields_of(frontier)
    if ranges is not None:
        record["ranges"] = ranges
    if robust is not None:
        record["robust"] = _answer_of(robust)
    if staged is not None:
        record["staged"] = _answer_of(staged)
    return record


def _answer_of(answer: RobustPortfolio | StagedPlan) -> dict[str, object]:
    told = {"outcome": answer.outcome, "sentences": list(answer.sentences)}
    return {**_fields_of(answer), **told}


def _fields_of(thing: BudgetFrontier | RobustPortfolio | StagedPlan) -> dict[str, object]:
    return {field.name: getattr(thing, field.name) for field in fields(thing)}


def investment_sheets(
    plan: InvestmentPlan,
    title: str,
    frontier: BudgetFrontier | None = None,
    ranges: pd.DataFrame | None = None,
    robust: RobustPortfolio | None = None,
    staged: StagedPlan | None = None,
) -> list[Sheet]:
    """Return the answer for the terminal.

    Parameters
    ----------
    plan, frontier, ranges, robust, staged
        As for `investment_tables`.
    title
        What was invested in.
    """
    sheets = [_project_sheet(plan, title)]
    if plan.plan is not None:
        sheets.append(_cost_sheet(plan))
    if len(plan.economics):
        sheets.append(_economics_sheet(plan))
    if plan.chosen:
        sheets.append(_benefit_sheet(plan))
    if ranges is not None:
        sheets.append(_range_sheet(ranges))
    if frontier is not None:
        sheets += [_frontier_sheet(frontier), _entry_sheet(frontier), _border_sheet(frontier)]
    if robust is not None:
        sheets += [_regret_sheet(robust), _scenario_sheet(robust)]
    if staged is not None:
        sheets.append(_schedule_sheet(staged))
        if len(staged.periods):
            sheets.append(_period_sheet(staged))
    return sheets


def _number(name: str, title: str, unit: str, digits: int = 1) -> Column:
    return Column(name=name, title=title, unit=unit, digits=digits)


def _goods_columns(rows: pd.DataFrame) -> tuple[Column, ...]:
    """Return the column of goods newly carried, where there are any."""
    if not (rows["goods_musd_per_year"].abs() >= _SHOWN_MUSD).any():
        return ()
    return (_number("goods_musd_per_year", "of it goods", "MUSD/year"),)


def _range_columns(rows: pd.DataFrame) -> tuple[Column, ...]:
    """Return the columns of the range of the rate of return, where there are ranges."""
    if not rows["saving_low"].notna().any():
        return ()
    return (_number("eirr_low", "low", "%", 0), _number("eirr_high", "high", "%", 0))


def _project_sheet(plan: InvestmentPlan, title: str) -> Sheet:
    columns = (
        Column(name="project_id", title="project"),
        Column(name="country", title="state"),
        Column(name="reason", title="choice", wrap=True),
        _number("capex_musd", "capex", "MUSD"),
        _number("yearly_musd", "capital, upkeep", "MUSD/year"),
        _number("saving_musd_per_year", "saves", "MUSD/year"),
        *_goods_columns(plan.projects),
    )
    rows = plan.projects.sort_values(
        ["chosen", "saving_musd_per_year"], ascending=[False, False], kind="stable"
    )
    return Sheet.from_frame(rows, columns, title=title, note=" ".join(plan.sentences))


def _cost_sheet(plan: InvestmentPlan) -> Sheet:
    columns = (
        Column(name="item", title="item"),
        Column(name="unit", title="unit"),
        _number("before", "before", ""),
        _number("after", "after", ""),
        _number("change", "change", ""),
    )
    return Sheet.from_frame(
        plan.costs,
        columns,
        title="Costs of resources and time; unmet demand is told apart",
        note=(
            "Fees and a host's part of tariffs are transfers, not costs. Unmet price: "
            f"{plan.unmet_usd_per_t:,.0f} USD for each tonne left at home, which steers the choice "
            "and nobody pays; unmet value: what these goods are worth."
        ),
    )


def _economics_sheet(plan: InvestmentPlan) -> Sheet:
    columns = (
        Column(name="subject", title="subject"),
        _number("rate", "rate", "%", 0),
        *_goods_columns(plan.economics),
        _number("npv_musd", "NPV", "MUSD", 0),
        _number("eirr", "EIRR", "%", 0),
        *_range_columns(plan.economics),
        _number("benefit_cost_ratio", "benefit/cost", ""),
        _number("payback_years", "payback", "years"),
        _number("switching_cost", "costs may rise", "%", 0),
        _number("switching_benefit", "benefits may fall", "%", 0),
        _number("first_year_return", "first year", "%", 0),
    )
    return Sheet.from_frame(
        plan.economics,
        columns,
        title="Economics over 30 years of use",
        note=(
            "Switching values: until the net present value is 0. First year: saving over capex. "
            f"{_GOODS}{_RANGE if len(_range_columns(plan.economics)) else ''}"
        ),
    )


def _benefit_sheet(plan: InvestmentPlan) -> Sheet:
    columns = (
        Column(name="scope", title="by"),
        Column(name="item", title="who"),
        _number("musd_per_year", "saves", "MUSD/year"),
        *_goods_columns(plan.benefits),
    )
    rows = plan.benefits[plan.benefits["musd_per_year"].abs() >= _SHOWN_MUSD]
    rows = rows.sort_values(["scope", "musd_per_year"], ascending=[True, False])
    return Sheet.from_frame(
        rows,
        columns,
        n_keys=2,
        title="Who saves what",
        note="Half of a shipment's saving goes to the state of each end; background to the post's.",
    )


def _range_sheet(ranges: pd.DataFrame) -> Sheet:
    columns = (
        Column(name="project_id", title="project"),
        _number("saving_musd_per_year", "saves", "MUSD/year"),
        _number("saving_low", "low", "MUSD/year"),
        _number("saving_high", "high", "MUSD/year"),
        _number("capex_low_musd", "capex low", "MUSD", 0),
        _number("capex_high_musd", "high", "MUSD", 0),
        _number("npv_low_musd", "NPV low", "MUSD", 0),
        _number("npv_high_musd", "high", "MUSD", 0),
        _number("pays", "pays in", "%", 0),
    )
    return Sheet.from_frame(
        ranges,
        columns,
        title="Projects that matter most, over the ranges of the assumptions",
        note="Pays in: share of the draws in which it saves more than capital and upkeep.",
    )


def _frontier_sheet(frontier: BudgetFrontier) -> Sheet:
    columns = (
        _number("budget_musd", "budget", "MUSD", 0),
        _number("capex_musd", "capex", "MUSD", 0),
        _number("n_projects", "projects", "", 0),
        _number("total_musd_per_year", "total cost", "MUSD/year", 1),
        _number("saving_musd_per_year", "net saving", "MUSD/year", 1),
        *_goods_columns(frontier.points),
        _number("saving_per_musd", "per million more", "MUSD/year", 2),
        _number("served_t_per_day", "served", "t/day", 0),
        _number("border_h", "border time", "h", 2),
    )
    note = ["Border time: mean over all vehicles, background included.", _GOODS]
    if frontier.limit is not None:
        last = frontier.points.iloc[-1]
        note.append(
            f"{told_stop(frontier.limit, last['gap'])} The budget of {last['budget_musd']:,.0f} "
            "MUSD was being searched; larger ones were not."
        )
    return Sheet.from_frame(
        frontier.points,
        columns,
        title="Budget against cost, throughput and border time",
        note=" ".join(note),
    )


def _entry_sheet(frontier: BudgetFrontier) -> Sheet:
    columns = (
        Column(name="project_id", title="project"),
        _number("enters_musd", "enters at", "MUSD", 0),
        _number("leaves_musd", "leaves at", "MUSD", 0),
        _number("budgets", "in budgets", "", 0),
    )
    return Sheet.from_frame(frontier.entries, columns, title="Order in which projects enter")


def _border_sheet(frontier: BudgetFrontier) -> Sheet:
    columns = (
        Column(name="crossing_id", title="crossing"),
        Column(name="from_country", title="from"),
        Column(name="to_country", title="to"),
        Column(name="country", title="officers"),
        Column(name="stage", title="stage"),
        _number("wait_h", "queue", "h", 2),
        _number("saving_at_flow_per_musd", "saves at least", "MUSD/year", 2),
        _number("saving_at_most_per_musd", "at most", "MUSD/year", 2),
    )
    return Sheet.from_frame(
        frontier.borders.head(_MOST_BORDERS),
        columns,
        title="What a million buys at each border: one more server at the tightest stage",
    )


def _regret_sheet(robust: RobustPortfolio) -> Sheet:
    columns = (
        _number("portfolio", "no.", "", 0),
        Column(name="projects", title="portfolio", wrap=True),
        _number("capex_musd", "capex", "MUSD", 0),
        _number("regret_musd_per_year", "greatest regret", "MUSD/year", 2),
        _number("regret_most", "at most", "MUSD/year", 2),
        Column(name="scenario", title="in", wrap=True),
        _number("mean_regret_musd_per_year", "mean regret", "MUSD/year", 2),
    )
    rows = robust.candidates.head(_MOST_CANDIDATES)
    shown = rows.assign(projects=rows["projects"].str.replace(";", ", ").replace("", "nothing"))
    return Sheet.from_frame(
        shown,
        columns,
        title="Portfolios by regret: what the best one for a scenario would have cost less",
        note=" ".join(robust.sentences),
    )


def _scenario_sheet(robust: RobustPortfolio) -> Sheet:
    columns = (
        Column(name="scenario", title="scenario", wrap=True),
        Column(name="projects", title="its best portfolio", wrap=True),
        _number("cost_musd_per_year", "cost", "MUSD/year", 1),
        _number("bound_musd_per_year", "at least", "MUSD/year", 1),
        _number("unmet_price_musd_per_year", "of it unmet price", "MUSD/year", 1),
        _number("regret_musd_per_year", "regret of no. 1", "MUSD/year", 2),
    )
    rows = robust.scenarios
    shown = rows.assign(projects=rows["projects"].str.replace(";", ", ").replace("", "nothing"))
    for status, told in _NO_BEST.items():
        shown.loc[rows["status"] == status, "projects"] = told
    return Sheet.from_frame(
        shown,
        columns,
        title="Scenarios",
        note="Cost: capital, upkeep, use and the price of unmet demand, which nobody pays.",
    )


def _schedule_sheet(staged: StagedPlan) -> Sheet:
    columns = (
        Column(name="project_id", title="project"),
        _number("begins_period", "begun in period", "", 0),
        _number("begins_year", "begun after", "years", 0),
        _number("opens_year", "open after", "years", 1),
        _number("capex_musd", "capex", "MUSD"),
    )
    note = " ".join(staged.sentences)
    return Sheet.from_frame(staged.schedule, columns, title="What to begin when", note=note)


def _period_sheet(staged: StagedPlan) -> Sheet:
    columns = (
        _number("period", "period", "", 0),
        _number("from_year", "from", "year", 0),
        _number("to_year", "to", "year", 0),
        _number("demand_factor", "demand", "", 2),
        _number("budget_musd", "budget", "MUSD"),
        _number("begun_musd", "begun", "MUSD"),
        _number("kept_musd", "kept", "MUSD"),
        _number("use_musd_per_year", "use", "MUSD/year"),
        _number("unmet_t_per_day", "left at home", "t/day"),
        _number("unmet_value_musd_per_year", "worth", "MUSD/year"),
        Column(name="open_projects", title="open", wrap=True),
    )
    rows = staged.periods
    if len(rows):
        rows = rows.assign(open_projects=rows["open_projects"].str.replace(";", ", "))
    return Sheet.from_frame(
        rows,
        columns,
        title="Periods",
        note="A project is open in the periods that begin when it is ready, or later.",
    )
