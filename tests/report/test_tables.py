import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import corridor
from corridor.report.sheets.layout import Sheet
from corridor.report.sheets.studies import (
    HEADLINES,
    comparison_sheets,
    crossings_sheet,
    indicator_sheet,
    plan_sheets,
    references_sheet,
    summary_sheet,
    target_sheets,
    unmet_sheet,
)
from corridor.study import Comparison, check_targets
from tests.report.test_sheets import shown
from tests.report.toy import write_toy_study


def column(sheet: Sheet, title: str) -> list[str]:
    """Return the texts of a column, rows in order."""
    i = [c.title for c in sheet.columns].index(title)
    return [row[i] for row in sheet.rows]


def no_nan(sheets: list[Sheet]) -> bool:
    words = [
        word for sheet in sheets for row in sheet.rows for text in row for word in text.split()
    ]
    return not {"nan", "NaN", "None", "inf", "<NA>"} & set(words)


def test_summary_has_a_row_and_a_status_for_every_variant(comparison: Comparison) -> None:
    sheet = summary_sheet(comparison)
    assert [row[0] for row in sheet.rows] == [
        "today\n  optimal",
        "no_road\n  optimal",
        "no_border\n  partial",
        "contradiction\n  infeasible",
    ]


def test_the_title_says_whose_choice_it_is(
    tmp_path: Path, toy_tables: dict[str, pd.DataFrame], toy_demand: corridor.Demand,
    comparison: Comparison,
) -> None:  # fmt: skip
    first, *others = comparison_sheets(comparison)
    assert "best possible use" in first.title
    assert not any("no forecast" in sheet.title for sheet in others)
    folder = write_toy_study(tmp_path / "chosen", toy_tables, toy_demand.rows)
    file = folder / "study.toml"
    choice = 'base = "today"\nassignment = "logit"\ndispersion_per_usd = 0.3'
    file.write_text(file.read_text().replace('base = "today"', choice))
    chosen = corridor.compare(corridor.load_study(folder), ["no_road"], workers=1)
    first, beside, *_ = comparison_sheets(chosen)
    assert "used by shippers who choose" in first.title
    assert "no forecast" in beside.title
    costs = chosen.summary.set_index("variant").loc["today"]
    best = costs["best_possible_generalized_cost_usd_per_t"]
    assert f"{best:,.1f}" in shown(beside, 100)
    assert costs["price_of_anarchy"] >= 1.0 - 1e-6


def test_summary_shows_the_change_from_the_base(comparison: Comparison) -> None:
    summary = comparison.summary.set_index("variant")
    cost = summary["cost_usd_per_t"]
    assert column(summary_sheet(comparison), "cost")[:2] == [
        f"{cost['today']:.1f}",
        f"{cost['no_road']:.1f}\n{cost['no_road'] - cost['today']:+.1f}",
    ]
    assert column(summary_sheet(comparison), "served")[1] == "0.66\n="


def test_summary_is_blank_where_nothing_is_known(comparison: Comparison) -> None:
    sheet = summary_sheet(comparison)
    assert all(text.strip() == "" for text in sheet.rows[3][1:])
    assert column(sheet, "served")[2] == "0.00\n-0.66"
    assert column(sheet, "cost")[2].strip() == ""
    assert no_nan(comparison_sheets(comparison))


def test_every_headline_has_a_unit() -> None:
    assert all(headline.unit for headline in HEADLINES)


def test_variant_without_a_plan_says_why(comparison: Comparison) -> None:
    (sheet,) = [s for s in comparison_sheets(comparison) if s.title == "Variants without a plan"]
    assert sheet.rows == (("contradiction", "infeasible", "a_scans_half"),)


def test_reference_names_the_fastest_variant_and_counts_the_blocked(comparison: Comparison) -> None:
    sheet = references_sheet(comparison)
    assert column(sheet, "reference") == ["boxes"]
    # Both open variants go by rail in the same time: the tie is the base's.
    assert column(sheet, "fastest in") == ["today"]
    assert column(sheet, "blocked in") == ["2"]


@pytest.mark.parametrize("width", [80, 100, 120])
def test_comparison_fits_the_terminal(comparison: Comparison, width: int) -> None:
    text = "".join(shown(sheet, width) for sheet in comparison_sheets(comparison))
    assert max(len(line.rstrip()) for line in text.splitlines()) <= width
    assert "no_border" in text


def test_plan_shows_links_crossings_rules_and_totals(comparison: Comparison) -> None:
    sheets = plan_sheets(comparison.plans["today"], "today")
    totals, links, crossings, rules = sheets
    assert dict(row[:2] for row in totals.rows)["status"] == "optimal"
    assert ("demand", "1,800", "t/day") in totals.rows
    assert column(links, "flow")[0] == "1,500"
    assert column(links, "used")[0] == "38"
    assert column(crossings, "way") == ["BBB>AAA", "AAA>BBB"]
    assert rules.title == "Rules that bind: 0 of 1 in force"
    assert no_nan(sheets)


def test_unknown_capacity_is_blank_not_zero(comparison: Comparison) -> None:
    links = plan_sheets(comparison.plans["today"])[1]
    ids = column(links, "link")
    limits = zip(column(links, "used"), column(links, "price"), strict=True)
    shown = dict(zip(ids, limits, strict=True))
    assert shown["A2-A1-road"] == ("", "")
    assert shown["A1-AP-rail"] == ("38", "0.00")


def test_unmet_demand_says_why(comparison: Comparison) -> None:
    sheet = unmet_sheet(comparison.plans["no_border"], top=2)
    assert sheet.title == "Demand that is not served: 1,800 t/day, the largest 2 of 3 rows"
    assert sheet.rows[0] == ("A1", "B1", "containers", "1,000.0", "barred by rules", "shut")


def test_plan_without_flows_has_no_flow_tables(comparison: Comparison) -> None:
    sheets = plan_sheets(comparison.plans["contradiction"])
    assert [sheet.title.split(":")[0] for sheet in sheets] == [
        "Plan",
        "Rules that bind",
        "Demand that is not served",
    ]
    assert no_nan(sheets)
    assert "relative gap" not in [row[0] for row in sheets[0].rows]


def test_plan_that_a_limit_stopped_says_so(comparison: Comparison) -> None:
    stopped = replace(comparison.plans["today"], status="feasible", limit="time", gap=0.01)
    rows = plan_sheets(stopped)[0].rows
    assert ("status", "feasible (stopped by time)", "") in rows
    assert ("relative gap", "1.0e-02", "") in rows


def test_crossings_are_fullest_first_and_cut_at_the_top(comparison: Comparison) -> None:
    plan = comparison.plans["today"]
    assert column(crossings_sheet(plan, top=1), "crossing") == ["ab-road"]
    assert crossings_sheet(plan, top=1).title.endswith("1 of 2 ways")


def test_indicators_have_units_and_blanks() -> None:
    frame = pd.DataFrame(
        {
            "indicator": ["served", "hhi", "zero"],
            "unit": ["Mt_per_year", "share", "h"],
            "value": [47.701, np.nan, 0.0],
            "scope": ["", "caucasus", ""],
            "direction": ["", "", ""],
            "commodity": ["grain", "", ""],
        }
    )
    assert indicator_sheet(frame).rows == (
        ("served", "grain", "47.70", "Mt/year"),
        ("hhi", "caucasus", "", "share"),
        ("zero", "", "0", "h"),
    )


def test_targets_show_bands_units_and_verdicts() -> None:
    check = check_targets(corridor.load_study("crossroads"))
    times, errors = target_sheets(check)
    assert len(times.rows) == len(check.rows)
    first = check.rows.iloc[0]
    low, high = float(first["low"]), float(first["high"])
    assert column(times, "published")[0] == (f"{low:g}" if low == high else f"{low:g}-{high:g}")
    assert column(times, "verdict") == check.rows["verdict"].tolist()
    blank = [math.isnan(value) for value in check.rows["modelled"]]
    assert [text == "" for text in column(times, "modelled")] == blank
    assert len(errors.rows) == len(check.statistics)
    assert no_nan([times, errors])


def test_summary_tells_where_hours_are_those_in_front_of_full_posts(
    comparison: Comparison,
) -> None:
    today = comparison.plans["today"]
    rows = today.indicators.head(2).copy()
    rows["indicator"] = ["overflow_cost", "total_cost"]

    def said(overflow: float) -> str:
        rows["value"] = [overflow, 10.0]
        plan = replace(today, indicators=rows)
        return summary_sheet(replace(comparison, plans=comparison.plans | {"today": plan})).note

    assert said(3.0).startswith("today: posts are full")
    assert "posts are full" not in said(0.5)


def test_crossings_that_are_asked_for_are_always_told_of(comparison: Comparison) -> None:
    plan = comparison.plans["today"]
    assert len(crossings_sheet(plan, 0).rows) == 0
    used = plan.crossings.loc[plan.crossings["t_per_day"] > 0, "crossing_id"].iloc[-1]
    sheet = crossings_sheet(plan, 0, [used, "shut-road"])
    assert {row[0] for row in sheet.rows} == {used}
    assert sheet.note.endswith("Not in use: shut-road.")
    assert "Not in use" not in crossings_sheet(plan).note
