import json
from pathlib import Path

import pandas as pd
import pytest

import corridor
from corridor.planning import Crossing, crossing
from corridor.report.files.crossings import write_crossing
from corridor.report.sheets.border_words import crossing_sentences
from corridor.report.sheets.borders import crossing_sheets
from corridor.report.sheets.cells import ENDLESS
from corridor.report.sheets.layout import Sheet
from tests.planning import toys
from tests.report.toy import write_toy_study
from tests.test_cli import refused, run

Tables = dict[str, pd.DataFrame]
BUSY = "target,direction,vehicles_per_day\nab-road,forward,{}\nab-road,backward,48"


@pytest.fixture
def toy(tmp_path: Path, toy_tables: Tables, toy_demand: corridor.Demand) -> Path:
    """Write the toy study, with traffic of others, as a folder."""
    tables = toys.joined(toy_tables, background=BUSY.format(96))
    return write_toy_study(tmp_path / "toy", tables, toy_demand.rows)


def at_border(toy: Path, *arguments: str | Path) -> dict[str, object]:
    result = run("border", "ab-road", "--study", toy, "--json", *arguments)
    assert result.exit_code == 0, result.output
    found: dict[str, object] = json.loads(result.stdout)
    return found


def look(tables: Tables, forward: float) -> Crossing:
    full = toys.joined(tables, background=BUSY.format(forward))
    return crossing(toys.network(full), "ab-road")


def sheet(found: Crossing, title: str) -> Sheet:
    [chosen] = [part for part in crossing_sheets(found) if part.title.startswith(title)]
    return chosen


def test_tables_show_every_part(toy: Path) -> None:
    result = run("border", "ab-road", "--study", toy, "--traffic", "background")
    assert result.exit_code == 0, result.output
    for title in (
        "Posts", "Stages", "Wait by hour of arrival", "What one more server saves",
        "The same traffic under each regime", "From the entry post back", "In no table of the data",
    ):  # fmt: skip
        assert f"\n{title}" in result.stdout
    assert "BBB>AAA: the bottleneck is " in result.stdout
    assert result.stderr == ""


@pytest.mark.parametrize("columns", ["80", "120"])
def test_no_line_is_wider_than_the_terminal(toy: Path, columns: str) -> None:
    from typer.testing import CliRunner

    from corridor.cli import app

    command = ["border", "ab-road", "--study", str(toy), "--traffic", "background"]
    result = CliRunner().invoke(app, command, env={"COLUMNS": columns})
    assert max(len(line.rstrip()) for line in result.stdout.splitlines()) <= int(columns)


def test_numbers_are_those_of_the_plan(toy: Path) -> None:
    best = at_border(toy, "--traffic", "optimum")
    case = corridor.load_study(str(toy)).case("today")
    plan = corridor.plan(*case, next_servers=["ab-road"])
    told = plan.crossings[plan.crossings["crossing_id"] == "ab-road"]
    both = pd.DataFrame(best["ways"]).merge(told, on=["from_country", "to_country"])
    assert len(both) == 2
    assert (both["vehicles_per_day_x"] > 0.0).any()
    for name in ("vehicles_per_day", "fixed_h", "service_h", "wait_h"):
        assert both[f"{name}_x"].to_numpy() == pytest.approx(both[f"{name}_y"].to_numpy(), 1e-6)
    solved = pd.DataFrame(best["servers"])["solved_usd_per_year"].dropna()
    assert set(solved.round(2)) == set(told["next_server_usd_per_year"].round(2))
    alone = pd.DataFrame(at_border(toy, "--traffic", "background")["ways"])
    assert (alone["vehicles_per_day"] == 0.0).all()
    assert alone["background_vehicles_per_day"].sum() == 144


def test_a_variant_without_a_plan_shows_the_background(toy: Path) -> None:
    result = run("border", "ab-road", "--study", toy, "--variant", "contradiction", "--json")
    assert result.exit_code == 0
    assert "The plan of contradiction is infeasible: only the background passes." in result.stderr
    found = json.loads(result.stdout)
    assert found["traffic"] == "background"
    assert not found["has_plan"]
    # The regime in force breaks the floor that leaves no plan, and the table says so.
    assert found["regimes"][0]["floors_broken"] == "a_scans_half"


def test_tables_go_into_files(toy: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    record = at_border(toy, "--traffic", "background", "--out", out)
    names = {path.stem for path in (out / "ab-road").iterdir()}
    assert names == {name for name, value in record.items() if isinstance(value, list)}
    stages = pd.read_csv(out / "ab-road" / "stages.csv")
    assert stages["stage"].tolist() == [row["stage"] for row in record["stages"]]  # type: ignore[attr-defined]
    assert sorted(path.name for path in out.iterdir()) == ["ab-road"]


def test_files_of_these_names_are_replaced_and_others_stay(
    toy_tables: Tables, tmp_path: Path
) -> None:
    found = look(toy_tables, 96)
    (tmp_path / "ab-road").mkdir()
    old, kept = tmp_path / "ab-road" / "stages.csv", tmp_path / "ab-road" / "notes.csv"
    for path in (old, kept):
        path.write_text("old")
    files = write_crossing(found, tmp_path)
    assert sorted((tmp_path / "ab-road").iterdir()) == sorted([*files, kept])
    assert kept.read_text() == "old" != old.read_text()
    assert len(files) == len(found.tables)


def test_a_failure_leaves_the_folder_as_it_was(
    toy_tables: Tables, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = look(toy_tables, 96)
    (tmp_path / "ab-road").mkdir()
    (tmp_path / "ab-road" / "old.csv").write_text("old")

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_csv", full)
    with pytest.raises(OSError, match="No space left"):
        write_crossing(found, tmp_path)
    assert [path.name for path in tmp_path.rglob("*")] == ["ab-road", "old.csv"]


def test_overload_says_why_and_what_a_day_waits(toy_tables: Tables) -> None:
    found = look(toy_tables, 300)
    said = "\n".join(crossing_sentences(found))
    assert (
        "the steady queue has no end (documents: 300 vehicles a day need 2.5 servers, 2 are" in said
    )
    assert "a day that begins with an empty post waits" in said
    assert "grows day by day" in said
    assert any(ENDLESS in row for row in sheet(found, "Posts").rows)


def test_a_week_is_shown_in_blocks_of_six_hours(toy_tables: Tables) -> None:
    tables = toys.changed(toy_tables, "crossings", "ab-road", opening_hours="Mo-Fr 08:00-18:00")
    rows = sheet(look(tables, 40), "Wait by hour").rows
    assert len(rows) == 28
    assert [row[:2] for row in rows[:5]] == [
        ("Mo 00:00", "closed"), ("Mo 06:00", "part"), ("Mo 12:00", ""), ("Mo 18:00", "closed"),
        ("Tu 00:00", "closed"),
    ]  # fmt: skip


def test_every_answer_on_a_server_names_the_delay_it_cannot_touch(toy_tables: Tables) -> None:
    tables = {**toy_tables, "stages": toy_tables["stages"].assign(fixed_delay_h=4.0)}
    found = look(tables, 200)
    assert "It cannot touch the " in crossing_sentences(found)[-1]
    column = [part.title for part in sheet(found, "What one more").columns].index("leaves")
    assert all(row[column].split()[0] != "0.0" for row in sheet(found, "What one more").rows)


def test_ranges_are_told_only_where_there_are_any(toy_tables: Tables) -> None:
    ranges = """
table,key,column,low,high,distribution,group
stages,ab-road/AAA/out//1/all,service_min,6,18,triangular,desk
stages,ab-road/AAA/out//1/all,fixed_delay_h,1,9,triangular,permits
"""
    tables = {**toy_tables, "stages": toy_tables["stages"].assign(fixed_delay_h=4.0)}
    plain = crossing_sentences(look(tables, 200))[-1]
    assert "over the ranges" not in plain
    assert plain.endswith("It cannot touch the 8.0 h of fixed delay there.")
    said = crossing_sentences(look(toys.joined(tables, ranges=ranges), 200))[-1]
    assert "documents in AAA (out)" in said
    assert (
        " over the ranges). It cannot touch the 8.0 h of fixed delay there (5.0 to 13.0)." in said
    )


def test_wrong_names_are_refused_before_a_plan_is_made(toy: Path) -> None:
    refused(run("border", "ab-raod", "--study", toy), 2, "'ab-raod'", "Did you mean ab-road")
    refused(run("border", "ab-road", "--study", toy, "--variant", "x"), 2, "'x'")
    refused(run("border", "ab-road", "--study", toy, "--traffic", "all"), 2, "--traffic")


def test_a_file_in_the_way_is_refused(toy: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    result = run(
        "border", "ab-road", "--study", toy, "--traffic", "background", "--out", tmp_path / "out"
    )
    refused(result, 2, "must go into a folder")


def test_staffing_shifts_and_screening_are_shown_instead(toy: Path) -> None:
    record = at_border(
        toy, "--traffic", "background", "--staff", "2", "--with", "ab-rail", "--screening",
        "--shifts", "AAA/out/documents=0.5", "--green-lane", "0.3",
    )  # fmt: skip
    assert set(record) == {"staffing", "shifts", "screening", "green_lane"}
    staffing: dict[str, list[dict[str, float]]] = record["staffing"]  # type: ignore[assignment]
    assert sum(row["added"] for row in staffing["table"]) == 2
    assert {row["crossing_id"] for row in staffing["table"]} == {"ab-road", "ab-rail"}
    shown = run(
        "border", "ab-road", "--study", toy, "--traffic", "background", "--staff", "90000",
        "--server-cost", "documents=40000", "--server-cost", "scanner=70000", "--state", "AAA",
        "--screening", "--shifts", "AAA/out/documents=0.5", "--green-lane", "0.3:0.5",
    )  # fmt: skip
    assert shown.exit_code == 0, shown.output
    for title in (
        "2 servers for 80,000 of 90,000", "What smaller budgets save", "Shifts at ab-road, AAA out",
        "On duty and mean wait", "What inspection finds and costs", "Detection against delay",
        "Green lane for 30% of the vehicles, which take 50% of the work", "Queues by stage",
    ):  # fmt: skip
        assert title in shown.stdout
    assert "BBB" not in shown.stdout.split("What smaller")[0]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--with", "ab-rail"], "go with --staff"),
        (["--staff", "1", "--out", "x"], "--out writes the crossing's own tables"),
        (["--staff", "1", "--server-cost", "scanner"], "--server-cost must be STAGE=USD"),
        (["--staff", "1", "--server-cost", "scanner=-2"], "found 'scanner=-2'"),
        (["--staff", "-1"], "budget must be a finite number >= 0"),
        (["--staff", "1", "--with", "ab-raul"], "'ab-raul' is none of them"),
        (["--green-lane", "0.3:x"], "--green-lane must be SHARE or SHARE:WORK"),
        (["--green-lane", "2"], "share must be > 0 and < 1"),
        (["--shifts", "AAA/documents=1"], "--shifts must be STATE/WAY/STAGE=HOURS"),
        (["--shifts", "AAA/out/seal=1"], "There are: AAA/"),
    ],
)
def test_wrong_views_are_refused(toy: Path, arguments: list[str], words: str) -> None:
    result = run("border", "ab-road", "--study", toy, "--traffic", "background", *arguments)
    refused(result, 2, words)


def test_where_nobody_waits_no_server_is_praised(toy_tables: Tables) -> None:
    found = crossing(toys.network(toy_tables), "ab-rail")
    assert (
        crossing_sentences(found)[-1] == "Nobody waits for a server here: one more saves nothing."
    )
