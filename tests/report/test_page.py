"""The report as a file: what is in it, what it refuses, and that it appears whole or not at all."""

import csv
import dataclasses
import html
import io
import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import corridor
from corridor import InputError
from corridor.report import write_indicators
from corridor.report.page import rendering
from corridor.report.page.material import Material
from corridor.study import Comparison

SIX_MB = 6_000_000


@pytest.fixture(scope="session")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder for the report that several tests read."""
    return tmp_path_factory.mktemp("page")


@pytest.fixture
def report(comparison: Comparison, page: Path) -> str:
    """Return the text of the report of the toy study, written once."""
    path = page / "report.html"
    if not path.exists():
        corridor.write_report(comparison, path)
    return path.read_text(encoding="utf-8")


def data_of(report: str) -> dict[str, Any]:
    """Return what the script of a page is given."""
    found = re.search(
        r'<script type="application/json" id="data">(.*?)</script>', report, re.DOTALL
    )
    assert found is not None
    data: dict[str, Any] = json.loads(found.group(1))
    return data


def test_page_names_no_address_it_could_load_from(report: str) -> None:
    outside = re.findall(r'(?:src|href)\s*=\s*"(?!#)([^"]*)"', report.partition("<script>")[0])
    assert outside == []
    assert "default-src 'none'" in report
    assert "connect-src 'none'" in report


def test_page_is_small(report: str) -> None:
    assert len(report.encode()) < SIX_MB / 2


def test_numbers_are_those_of_indicators_csv(
    comparison: Comparison, report: str, tmp_path: Path
) -> None:
    write_indicators(comparison, tmp_path / "indicators.csv")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "indicators.csv").read_text())))
    written = {
        (row["variant"], row["indicator"], row["scope"], row["direction"], row["commodity"],
         row["unit"].replace("_per_", "/").replace("_", " ")): float(row["value"])
        for row in rows
        if row["value"]
    }  # fmt: skip
    shown = data_of(report)["tables"]["indicators"]["rows"]
    seen = 0
    for variant, lines in shown.items():
        for indicator, scope, direction, commodity, unit, value, *_ in lines:
            key = (variant, indicator, scope, direction, commodity, unit)
            assert value == pytest.approx(written[key], rel=1e-6)
            seen += 1
    assert seen > 100


def test_headlines_are_those_of_the_summary(comparison: Comparison, report: str) -> None:
    table = re.search(r'<table id="table-answer".*?</table>', report, re.DOTALL)
    assert table is not None
    for row in comparison.summary.to_dict("records"):
        line = re.search(
            rf'<tr data-variant="{row["variant"]}">.*?</tr>', table.group(0), re.DOTALL
        )
        assert line is not None
        values = [float(text) for text in re.findall(r'data-value="([^"]+)"', line.group(0))]
        if row["status"] == "infeasible":
            assert values == []
            continue
        assert values[0] == pytest.approx(row["served_mt_per_year"], rel=1e-6)
        for name in ("cost_usd_per_t", "time_mean_d"):
            close = [v == pytest.approx(row[name], rel=1e-6) for v in values]
            assert any(close) == (row[name] == row[name])


def test_variant_without_a_plan_is_explained(report: str) -> None:
    alert = re.search(r'<div class="alert">.*?</div>', report, re.DOTALL)
    assert alert is not None
    text = html.unescape(alert.group(0))
    assert "AAA wants to scan half of the trucks and scans a fifth" in text
    assert "AAA scans half of all trucks (a_scans_half)" in text


def test_closed_crossings_are_marked(comparison: Comparison, report: str) -> None:
    posts = data_of(report)["map"]["posts"]
    ids = comparison.study.network.crossings["crossing_id"].tolist()
    road = ids.index("ab-road")
    assert posts["today"]["mark"][road] not in ("not open", "closed by rule")
    assert posts["no_road"]["mark"][road] == "not open"
    assert posts["no_border"]["mark"][road] == "closed by rule"
    assert posts["no_border"]["why"][road] == "The border is shut"


def test_names_cannot_leave_their_place(hostile: Path) -> None:
    text = hostile.read_text(encoding="utf-8")
    assert "<script>alert" not in text
    assert "<b>bold" not in text
    assert "{{ 7 * 7 }}" in html.unescape(text)
    assert data_of(text)["tables"]["chain-totals"]["rows"]["today"]


def test_report_is_whole_or_not_at_all(
    comparison: Comparison, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "report.html"
    path.write_text("old")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(rendering, "SECTIONS", (fail,))
    with pytest.raises(OSError, match="No space left"):
        corridor.write_report(comparison, path)
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["report.html"]


def test_place_must_be_writable(comparison: Comparison, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"A report must go into an existing folder; .*nowhere"):
        corridor.write_report(comparison, tmp_path / "nowhere" / "report.html")
    with pytest.raises(InputError, match="A report must be a file"):
        corridor.write_report(comparison, tmp_path)


def test_comparison_must_have_its_base(comparison: Comparison, tmp_path: Path) -> None:
    empty = dataclasses.replace(comparison, plans={}, best={})
    with pytest.raises(InputError, match="with its base 'today'; found 0 variants"):
        corridor.write_report(empty, tmp_path / "report.html")
    assert list(tmp_path.iterdir()) == []


def test_crossings_are_those_of_the_public_verb(comparison: Comparison) -> None:
    material = Material(comparison=comparison)
    network, _, rules = comparison.study.case("today")
    plan = comparison.plans["today"]
    used = set(plan.crossings.loc[plan.crossings["t_per_day"] > 0.0, "crossing_id"])
    shown = material.main_posts
    assert {post.crossing_id for post in shown} == used
    for post in shown:
        alone = corridor.crossing(network, post.crossing_id, rules, plan)
        for name in ("stages", "hours", "servers"):
            pd.testing.assert_frame_equal(getattr(post, name), getattr(alone, name))


def test_every_crossing_looked_into_is_on_the_page(comparison: Comparison, report: str) -> None:
    posts = Material(comparison=comparison).main_posts
    assert len(posts) > 1
    for number, post in enumerate(posts):
        assert f"<summary>{html.escape(post.name)}<span" in report
        assert f'id="table-stages-{number}"' in report
        assert f'data-for="day-{number}"' in report


def test_first_screen_says_how_much_how_fast_and_at_what_cost(
    comparison: Comparison, report: str
) -> None:
    text = html.unescape(report.split('<section id="answer"')[1].split("<table", maxsplit=1)[0])
    row = comparison.summary.set_index("variant").loc["today"]
    assert f"{row['served_mt_per_year']:,.1f} million tonnes a year are carried" in text
    days, usd = float(row["time_mean_d"]), float(row["cost_usd_per_t"])
    assert f"({days:,.1f} days from door to door, {usd:,.0f} USD a tonne)" in text


def test_best_server_of_the_first_screen_is_that_of_the_table_of_crossings(report: str) -> None:
    data = data_of(report)["tables"]["crossings"]
    rows = data["rows"]["today"]
    best = max(rows, key=lambda row: row[-1] or 0.0)
    text = html.unescape(report.split('<section id="answer"')[1].split("<table", maxsplit=1)[0])
    said = re.search(r"One more server is worth most at (.*?) \((.*?), .*?\): (.*?) million", text)
    assert said is not None
    assert said.group(1) == best[0]
    assert said.group(2) == best[7].split(",")[0]
    assert float(said.group(3)) == pytest.approx(best[-1] / 1e3, abs=0.05)


def test_rules_say_how_much_they_help_to_stop(comparison: Comparison, report: str) -> None:
    unmet = comparison.plans["no_border"].unmet
    of_rule = unmet[unmet["rules"].str.split(">").map(lambda names: "shut" in names)]
    rows = {row[-1]: row for row in data_of(report)["tables"]["rules"]["rows"]["no_border"]}
    assert rows["shut"][5] == pytest.approx(of_rule["t_per_day"].sum(), rel=1e-6)
    assert of_rule["t_per_day"].sum() > 0.0
    others = [row[5] for name, row in rows.items() if name != "shut"]
    assert all(value is None for value in others)
