import importlib
import io
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner, Result

import corridor
from corridor.cli import app
from corridor.cli.output import shown_progress
from corridor.report.files import geoparquet, outputs
from tests.report.toy import write_toy_study
from tests.study.toy import write_study

HEAVY = ["numpy", "pandas", "geopandas", "numba", "ortools", "scipy", "shapely", "pydantic"]
ROOT = Path(corridor.__file__).parent.parent


@pytest.fixture
def toy(tmp_path: Path, toy_tables: dict[str, pd.DataFrame], toy_demand: corridor.Demand) -> Path:
    """Write the toy study as a folder."""
    return write_toy_study(tmp_path / "toy", toy_tables, toy_demand.rows)


def run(*arguments: str | Path) -> Result:
    """Run a command in this process; COLUMNS keeps tables from being split."""
    return CliRunner().invoke(app, [str(part) for part in arguments], env={"COLUMNS": "200"})


def shell(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run ``python -m corridor`` in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "corridor", *(str(part) for part in arguments)],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def refused(result: Result, code: int, *words: str) -> None:
    """Check an exit code, and a message on stderr that says the words; stdout stays empty."""
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    assert result.stdout == ""
    for word in words:
        assert word in result.stderr


# Start


def test_version() -> None:
    result = run("--version")
    assert result.exit_code == 0
    assert result.stdout == f"corridor {corridor.__version__}\n"


def test_help_names_every_command() -> None:
    result = run("--help")
    assert result.exit_code == 0
    for command in ("compare", "route", "plan", "validate", "targets"):
        assert command in result.stdout


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['corridor', '--help']; from corridor.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("arguments", [["teleport"], ["plan", "--no-such-option"], ["route", "A1"]])
def test_wrong_usage_is_bad_input(arguments: list[str]) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert "Traceback" not in result.output


# compare


def test_compare_prints_a_table_and_progress_apart(toy: Path) -> None:
    result = run("compare", toy)
    assert result.exit_code == 0, result.stderr
    for word in ("today", "optimal", "partial", "infeasible", "a_scans_half", "USD/t", "Mt/year"):
        assert word in result.stdout
    assert "4/4 variants: " in result.stderr
    assert "variants: " not in result.stdout
    assert "nan" not in result.stdout.split()


def test_compare_json_is_valid_and_alone_on_stdout(toy: Path) -> None:
    result = run("compare", toy, "--json", "--workers", "1")
    assert result.exit_code == 0
    record = json.loads(result.stdout, parse_constant=pytest.fail)
    status = {row["variant"]: row["status"] for row in record["variants"]}
    assert status == {
        "today": "optimal",
        "no_road": "optimal",
        "no_border": "partial",
        "contradiction": "infeasible",
    }


def test_compare_takes_the_chosen_variants_and_the_base(toy: Path) -> None:
    result = run("compare", toy, "--variant", "no_border", "--json")
    record = json.loads(result.stdout)
    assert [row["variant"] for row in record["variants"]] == ["today", "no_border"]


def test_compare_writes_both_files(toy: Path, tmp_path: Path) -> None:
    result = run("compare", toy, "--out", tmp_path / "a" / "b")
    assert result.exit_code == 0, result.stderr
    names = {path.name for path in (tmp_path / "a" / "b").iterdir()}
    assert names == set(outputs.WRITERS)
    table = pd.read_csv(tmp_path / "a" / "b" / "indicators.csv")
    assert set(table["variant"]) == {"today", "no_road", "no_border", "contradiction"}
    assert "Wrote" in result.stderr


def test_compare_writes_geoparquet_where_asked(toy: Path, tmp_path: Path) -> None:
    result = run("compare", toy, "--out", tmp_path / "out", "--geoparquet", "--variant", "no_road")
    assert result.exit_code == 0, result.output
    assert {path.name for path in (tmp_path / "out").glob("*.parquet")} == set(geoparquet.FILES)
    assert result.stderr.count("Wrote ") == len(outputs.WRITERS) + len(geoparquet.FILES)
    refused(run("compare", toy, "--geoparquet"), 2, "need --out DIR")


def test_compare_leaves_nothing_when_writing_fails(
    toy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device", "corridor.gpkg")

    monkeypatch.setattr(outputs, "WRITERS", {**outputs.WRITERS, "corridor.gpkg": fail})
    result = run("compare", toy, "--out", tmp_path / "out")
    refused(result, 2, "corridor.gpkg", "No space left on device")
    assert not (tmp_path / "out").exists()


def test_compare_refuses_a_file_as_folder_before_it_plans(toy: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    result = run("compare", toy, "--out", tmp_path / "out")
    refused(result, 2, "must go into a folder")
    assert "variants:" not in result.stderr
    assert (tmp_path / "out").read_text() == "mine"


def test_compare_refuses_an_unknown_variant(toy: Path) -> None:
    refused(run("compare", toy, "--variant", "no_raod"), 2, "'no_raod'", "no_road")


def test_compare_refuses_a_missing_study(tmp_path: Path) -> None:
    refused(run("compare", tmp_path / "nowhere"), 2, "nowhere", "nothing is there")
    refused(run("compare", tmp_path), 2, "study.toml")
    refused(run("compare", "crossraods"), 2, "crossraods", "crossroads")


@pytest.mark.parametrize("text", ["name = ", 'name = "x"\nbase = "y"\n', "\x00"])
def test_compare_refuses_an_unreadable_study(toy: Path, text: str) -> None:
    (toy / "study.toml").write_text(text)
    refused(run("compare", toy), 2, "study.toml")


def test_compare_refuses_a_study_that_is_not_utf8(toy: Path) -> None:
    (toy / "study.toml").write_bytes(b'name = "\xff"')
    refused(run("compare", toy), 2, "study.toml", "UTF-8")


def test_compare_lists_every_fault_of_the_tables(toy: Path) -> None:
    text = (toy / "links.csv").read_text()
    (toy / "links.csv").write_text(text.replace("A2,A1,road,120", "A9,A1,road,-1"))
    refused(run("compare", toy), 2, "A9", "-1")


def test_compare_refuses_no_workers(toy: Path) -> None:
    assert run("compare", toy, "--workers", "0").exit_code == 2


# route


def test_route_prints_legs_with_units(toy: Path) -> None:
    result = run("route", "A2", "B2", "--data", toy, "--commodity", "grain")
    assert result.exit_code == 0, result.stderr
    for word in ("ab-rail", "entry post", "USD/t", "km", "Door to door: 469 km"):
        assert word in result.stdout


def test_route_prints_several_ways(toy: Path) -> None:
    result = run("route", "A1", "B1", "--data", toy, "--k", "2", "--json")
    ways = json.loads(result.stdout, parse_constant=pytest.fail)["itineraries"]
    assert [way["crossings"] for way in ways] == [["ab-rail"], ["ab-road"]]


def test_route_minimizes_what_is_asked(toy: Path) -> None:
    def best(minimize: str) -> float:
        result = run("route", "A1", "B1", "--data", toy, "--minimize", minimize, "--json")
        return float(json.loads(result.stdout)["itineraries"][0]["time_h"])

    assert best("time") < best("money")


def close_border(toy: Path) -> None:
    with (toy / "rules.toml").open("a") as file:
        file.write(
            '[[rule]]\nid = "shut"\nkind = "forbid"\ntitle = "shut"\n'
            'valid_from = 2025-01-01\ncrossings = ["ab-road", "ab-rail"]\n'
        )


def test_blocked_route_says_what_blocks_it(toy: Path) -> None:
    close_border(toy)
    refused(run("route", "A1", "B1", "--data", toy), 1, "A1", "B1", "shut")


def test_blocked_route_gives_its_reasons_to_machines(toy: Path) -> None:
    close_border(toy)
    result = run("route", "A1", "B1", "--data", toy, "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout) == {"itineraries": [], "reasons": ["shut"]}


def test_route_without_rules_or_before_them_is_open(toy: Path) -> None:
    close_border(toy)
    assert run("route", "A1", "B1", "--data", toy, "--no-rules").exit_code == 0
    assert run("route", "A1", "B1", "--data", toy, "--date", "2024-12-31").exit_code == 0
    assert run("route", "A1", "B1", "--data", toy, "--date", "2025-01-01").exit_code == 1


def test_route_needs_rules_only_when_they_are_asked_for(toy: Path) -> None:
    (toy / "rules.toml").unlink()
    assert run("route", "A1", "B1", "--data", toy).exit_code == 0
    refused(run("route", "A1", "B1", "--data", toy, "--rules"), 2, "rules.toml")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["A1", "B9"], ["Node", "'B9'"]),
        (["A9", "B1"], ["Node", "'A9'"]),
        (["A1", "A1"], ["must differ"]),
        (["A1", "B1", "--commodity", "grian"], ["'grian'", "grain"]),
        (["A1", "B1", "--date", "soon"], ["'soon'", "YYYY-MM-DD"]),
    ],
)
def test_route_refuses_bad_input(toy: Path, arguments: list[str], words: list[str]) -> None:
    refused(run("route", *arguments, "--data", toy), 2, *words)


def test_route_refuses_missing_data(tmp_path: Path) -> None:
    refused(run("route", "A1", "B1", "--data", tmp_path / "nowhere"), 2, "nowhere")


def test_route_refuses_an_unknown_criterion(toy: Path) -> None:
    assert run("route", "A1", "B1", "--data", toy, "--minimize", "beauty").exit_code == 2


def test_route_keeps_limits_and_says_which_block(toy: Path) -> None:
    ends = ("route", "A1", "B1", "--data", toy)
    by_road = run(*ends, "--max-time-h", "9", "--json")
    free = run(*ends, "--json")
    crossings = [json.loads(r.stdout)["itineraries"][0]["crossings"] for r in (free, by_road)]
    assert crossings == [["ab-rail"], ["ab-road"]]
    refused(run(*ends, "--max-crossings", "0"), 1, "max_crossings = 0", "max_crossings = 1")
    result = run(*ends, "--max-cost-usd-per-t", "1", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout) == {"itineraries": [], "reasons": ["max_cost_usd_per_t"]}
    refused(run(*ends, "--max-km-in", "AAA=10"), 1, "max_km_in AAA = 10")
    assert run(*ends, "--max-km-in", "AAA=1e4", "--max-km-in", "BBB=1e4").exit_code == 0
    for wrong in ("AAA", "AAA=far"):
        refused(run(*ends, "--max-km-in", wrong), 2, "RUS=300", repr(wrong))
    twice = run(*ends, "--max-km-in", "AAA=1", "--max-km-in", "AAA=5000")
    refused(twice, 2, "AAA is there twice")
    refused(run(*ends, "--avoid", "BBB"), 2, "origin and destination", "BBB")
    refused(run(*ends, "--max-overlap", "70"), 2, "share from 0 to 1")


def test_route_shows_ways_that_differ(toy: Path) -> None:
    result = run("route", "A2", "B2", "--data", toy, "--k", "9", "--max-overlap", "0.3", "--json")
    assert len(json.loads(result.stdout)["itineraries"]) == 1  # the road from A2 is shared by all


def test_route_shows_a_front(toy: Path) -> None:
    ends = ("route", "A1", "B1", "--data", toy, "--pareto")
    result = run(*ends)
    assert result.exit_code == 0, result.stderr
    for word in ("time_h, cost_usd_per_t, co2_kg_per_t: ", "ab-road", "ab-rail", "USD/t"):
        assert word in result.stdout
    assert (
        "least time_h, km in BBB: "
        in run(*ends, "--criteria", "time_h", "--exposure", "BBB").stdout
    )
    result = run(*ends, "--criteria", "time_h,n_crossings", "--exposure", "BBB", "--json")
    record = json.loads(result.stdout, parse_constant=pytest.fail)
    assert record["reasons"] == []
    assert {"path_id", "n_crossings", "exposure_km", "links"} <= set(record["paths"][0])
    close_border(toy)
    result = run(*ends, "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout) == {"paths": [], "reasons": ["shut"]}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--pareto", "--k", "2"], ["--pareto", "--k"]),
        (["--pareto", "--depart", "2026-07-03T20:00"], ["--depart"]),
        (
            ["--pareto", "--max-crossings", "0", "--max-overlap", "0"],
            ["--max-crossings", "-overlap"],
        ),
        (["--criteria", "time_h"], ["--criteria", "--pareto"]),
        (["--epsilon", "0"], ["--epsilon", "--pareto"]),
        (["--pareto", "--criteria", "time_h,risk"], ["'risk'", "sd_h"]),
        (["--depart", "soon"], ["'soon'", "YYYY-MM-DDTHH:MM"]),
    ],
)
def test_route_refuses_options_that_do_not_go_together(
    toy: Path, options: list[str], words: list[str]
) -> None:
    refused(run("route", "A1", "B1", "--data", toy, *options), 2, *words)


def test_route_dates_a_way(toy: Path) -> None:
    ends = ("route", "A1", "B1", "--data", toy)
    result = run(*ends, "--depart", "2026-07-03T20:00+04:00")
    assert result.exit_code == 0, result.stderr
    for word in ("leaves Fri 3 Jul 2026 16:00 +00", "Arrives", "local time"):
        assert word in result.stdout
    local = json.loads(run(*ends, "--depart", "2026-07-03T00:00", "--json").stdout)
    (way,) = local["itineraries"]
    assert way["depart"] == way["legs"][0]["arrive"] == "2026-07-03T00:00:00+00:00"
    refused(run("route", "A9", "B1", "--data", toy, "--depart", "2026-07-03"), 2, "'A9'")


def test_route_takes_the_works_and_rules_of_the_day_it_leaves(toy: Path) -> None:
    close_border(toy)
    ends = ("route", "A1", "B1", "--data", toy)
    assert run(*ends, "--depart", "2024-12-31T08:00Z").exit_code == 0
    assert run(*ends, "--depart", "2025-01-01T08:00Z").exit_code == 1
    late = ("--depart", "2025-01-01T08:00Z", "--date", "2024-12-31")
    assert run(*ends, *late).exit_code == 0


# plan


def test_plan_takes_the_base(toy: Path) -> None:
    result = run("plan", toy)
    assert result.exit_code == 0, result.stderr
    for word in ("today: As it is", "optimal", "A1-AP-rail", "ab-rail", "kUSD/year"):
        assert word in result.stdout


def test_plan_json_has_every_table(toy: Path) -> None:
    result = run("plan", toy, "--variant", "no_road", "--no-congestion", "--json")
    record = json.loads(result.stdout, parse_constant=pytest.fail)
    assert record["status"] == "optimal"
    assert {"links", "crossings", "paths", "rules", "countries", "unmet", "assumptions"} <= set(
        record
    )


@pytest.mark.parametrize("variant", ["no_border", "contradiction"])
def test_plan_that_carries_nothing_exits_with_1(toy: Path, variant: str) -> None:
    result = run("plan", toy, "--variant", variant)
    assert result.exit_code == 1
    assert "Demand that is not served" in result.stdout
    assert "Nothing can be carried" in result.stderr


def test_plan_refuses_an_unknown_variant(toy: Path) -> None:
    refused(run("plan", toy, "--variant", "nirvana"), 2, "'nirvana'")


def test_plan_refuses_a_missing_study(tmp_path: Path) -> None:
    refused(run("plan", tmp_path / "nowhere"), 2, "nowhere")


# validate


def test_clean_folder_has_no_faults(toy: Path) -> None:
    result = run("validate", toy)
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[-1].startswith(f"{toy}: 0 faults, ")


def test_validate_prints_every_fault_on_a_line(toy: Path) -> None:
    text = (toy / "links.csv").read_text()
    (toy / "links.csv").write_text(text.replace("A2,A1,road,120", "A9,A1,road,-1"))
    (toy / "rules.toml").write_text('[[rule]]\nid = "r"\nkind = "wish"\ntitle = ""\n')
    result = run("validate", toy)
    assert result.exit_code == 2
    lines = result.stdout.splitlines()
    for file, word in (("links.csv:2", "A9"), ("links.csv:2", "-1"), ("rules.toml", "'wish'")):
        assert [line for line in lines if line.startswith(file) and word in line], result.stdout


def test_validate_checks_rules_against_the_network(toy: Path) -> None:
    text = (toy / "rules.toml").read_text()
    (toy / "rules.toml").write_text(text + 'crossings = ["ab-raod"]\n')
    result = run("validate", toy)
    assert result.exit_code == 2
    assert "rules.toml [b_checks_half] crossings: found 'ab-raod'" in result.stdout


def test_validate_checks_the_study(toy: Path) -> None:
    text = (toy / "study.toml").read_text()
    (toy / "study.toml").write_text(text.replace('base = "today"', 'base = "tomorrow"'))
    result = run("validate", toy)
    assert result.exit_code == 2
    assert "study.toml base: found 'tomorrow'" in result.stdout


@pytest.mark.parametrize("file", ["study.toml", "rules.toml"])
def test_validate_reports_unreadable_toml(toy: Path, file: str) -> None:
    (toy / file).write_text("= =")
    result = run("validate", toy)
    assert result.exit_code == 2
    assert result.stdout.startswith(f"{file}: ") or f"\n{file}: " in result.stdout


def test_validate_warnings_do_not_fail(toy: Path) -> None:
    links = (toy / "links.csv").read_text()
    (toy / "links.csv").write_text(links.replace("A2,A1,road,120", "A2,A1,road,900"))
    result = run("validate", toy, "--json")
    record = json.loads(result.stdout)
    assert result.exit_code == 0, result.stdout
    assert record["errors"] == 0
    assert record["warnings"] == len(record["faults"]) >= 1


def test_validate_json_marks_errors(toy: Path) -> None:
    (toy / "demand.csv").write_text("scenario,origin\nbase,A1\n")
    result = run("validate", toy, "--json")
    assert result.exit_code == 2
    record = json.loads(result.stdout)
    assert record["errors"] == sum(not fault["warning"] for fault in record["faults"]) >= 1


def test_validate_refuses_what_is_no_folder(toy: Path) -> None:
    refused(run("validate", toy / "nowhere"), 2, "nowhere")
    refused(run("validate", toy / "links.csv"), 2, "must be a folder")


def test_bundled_data_has_no_faults() -> None:
    result = run("validate", "crossroads")
    assert result.exit_code == 0, result.stdout
    assert "crossroads: 0 faults" in result.stdout


# targets


def test_targets_print_and_write_the_account(tmp_path: Path) -> None:
    result = run("targets", "--write", tmp_path / "validation.md")
    assert result.exit_code == 0, result.stderr
    assert "verdict" in result.stdout
    assert (tmp_path / "validation.md").read_text(encoding="utf-8").startswith("#")
    assert [path.name for path in tmp_path.iterdir()] == ["validation.md"]


def test_targets_json() -> None:
    record = json.loads(run("targets", "--json").stdout, parse_constant=pytest.fail)
    assert record["rows"]
    assert {"verdict", "modelled", "low", "high", "unit"} <= set(record["rows"][0])


def test_targets_refuses_a_data_set_without_any(toy: Path) -> None:
    refused(run("targets", toy), 2, "targets.csv")


def test_targets_refuses_a_folder_that_is_not_there(tmp_path: Path) -> None:
    result = run("targets", "--write", tmp_path / "nowhere" / "validation.md")
    refused(result, 2, "existing folder")


# What goes wrong below the commands


def test_defect_is_a_message_not_a_traceback(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.delenv("CORRIDOR_TRACEBACK", raising=False)
    monkeypatch.setattr(importlib.import_module("corridor.planning"), "solve_plan", fail)
    refused(run("plan", toy), 3, "ZeroDivisionError", "CORRIDOR_TRACEBACK=1")


def test_keyboard_stops_with_130(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(importlib.import_module("corridor.planning"), "solve_plan", interrupt)
    refused(run("plan", toy), 130, "Stopped from the keyboard.")


def test_process_exits_with_the_codes(toy: Path) -> None:
    assert shell("route", "A1", "B1", "--data", toy).returncode == 0
    assert shell("plan", toy, "--variant", "no_border").returncode == 1
    done = shell("route", "A1", "B9", "--data", toy)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "Traceback" not in done.stderr


def test_no_demand_is_not_called_an_obstacle(toy: Path) -> None:
    demand = pd.read_csv(toy / "demand.csv").assign(t_per_day=0)
    demand.to_csv(toy / "demand.csv", index=False)
    found = run("plan", toy)
    assert found.exit_code == 1
    assert found.stderr == "No goods want to move: no row of the demand is above 0 t/day.\n"


def test_closed_pipe_prints_no_traceback(toy: Path) -> None:
    command = [sys.executable, "-m", "corridor", "plan", str(toy), "--json"]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()  # the reader leaves before the first line
        message = process.stderr.read()
        code = process.wait(timeout=120)
    assert message == ""
    assert code == 141


def test_help_too_says_that_its_reader_has_left() -> None:
    """Rich would say 1."""
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "corridor", "--help"]
    done = subprocess.run(
        command, cwd=ROOT, stdout=writer, stderr=subprocess.PIPE, check=False, timeout=60
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


def test_closed_stdout_is_no_defect(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the shell's ``>&-`` leaves it."""
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "argv", ["corridor", "plan", str(toy)])
    with pytest.raises(SystemExit) as left:
        corridor.cli.main()
    sys.stdout.close()
    assert not left.value.code


def test_progress_shows_names_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """Brackets would be markup to rich, and a closing tag without its opening an error."""
    screen = io.StringIO()
    screen.isatty = lambda: True  # type: ignore[method-assign]
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    with shown_progress("crossings") as notice:
        notice(1, 2, "Sadakhlo [/x] [bold]")
        time.sleep(0.2)
    assert "Sadakhlo [/x] [bold]" in screen.getvalue()


def test_no_help_is_eaten_as_markup() -> None:
    assert "corridor[parquet]" in run("compare", "--help").stdout


@pytest.mark.parametrize("empty", [["--out", ""], ["--out="]])
def test_an_empty_text_is_no_folder(
    toy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, empty: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.iterdir())
    for command in (["border", "ab-road", "--study", toy], ["compare", toy]):
        refused(run(*command, *empty), 2, "must not be empty", "--out")
    assert sorted(tmp_path.iterdir()) == before


def test_terminal_without_unicode_gets_question_marks(toy: Path) -> None:
    text = (toy / "study.toml").read_text()
    (toy / "study.toml").write_text(text.replace('"As it is"', '"Türkiye"'), encoding="utf-8")
    done = shell("plan", toy, PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr
    assert "T?rkiye" in done.stdout


def test_help_is_quick() -> None:
    """Compare with the interpreter that only imports typer and rich, the better of three each."""

    def seconds(*command: str) -> float:
        times = []
        for _ in range(3):
            start = time.perf_counter()
            subprocess.run(
                [sys.executable, *command], cwd=ROOT, capture_output=True, check=True, timeout=60
            )
            times.append(time.perf_counter() - start)
        return min(times)

    bare = seconds("-c", "import typer, typer.rich_utils, rich.console")
    assert seconds("-m", "corridor", "--help") < bare + 0.5


SHUT = """
[[rule]]
id = "shut"
kind = "forbid"
title = "Shut"
crossings = ["ab-road", "ab-rail"]
"""


def shut(place: Path) -> Path:
    """Write a data set with a rule that closes the border, in the same format."""
    from corridor.network import convert_dataset

    folder, closed = place.parent / "open", place.with_name(f"shut-{place.name}")
    convert_dataset(place, folder)
    with (folder / "rules.toml").open("a", encoding="utf-8") as rules:
        rules.write(SHUT)
    convert_dataset(folder, closed)
    shutil.rmtree(folder)
    return closed


def test_validate_takes_a_study_whose_tables_lie_elsewhere(tmp_path: Path) -> None:
    study = write_study(tmp_path)
    for place in (study, study / "study.toml"):
        assert run("validate", place).exit_code == 0, place
    (study / "data" / "links.csv").write_text("link_id\n", encoding="utf-8")
    broken = run("validate", study)
    assert broken.exit_code == 2
    assert "links.csv:1 from_node: found no such column" in broken.stdout
    text = (study / "study.toml").read_text(encoding="utf-8")
    (study / "study.toml").write_text(text.replace('"data"', '"nowhere"'), encoding="utf-8")
    lost = run("validate", study)
    assert (lost.exit_code, "study.toml dataset: found 'nowhere'" in lost.stdout) == (2, True)


def test_convert_goes_there_and_back(toy: Path, tmp_path: Path) -> None:
    there = run("convert", toy, tmp_path / "toy.gpkg")
    assert (there.exit_code, there.stdout) == (0, "")
    assert "toy.gpkg: nodes, layers, commodities, links" in there.stderr
    assert "rules.toml, study.toml" in there.stderr
    assert run("convert", tmp_path / "toy.gpkg", tmp_path / "back").exit_code == 0
    assert (tmp_path / "back" / "study.toml").read_text() == (toy / "study.toml").read_text()
    assert run("validate", tmp_path / "toy.gpkg").exit_code == 0
    for place in (toy, tmp_path / "toy.gpkg", tmp_path / "back"):
        closed = run("route", "A1", "B1", "--data", shut(place))
        refused(closed, 1, "is blocked by shut")
    refused(run("convert", toy, tmp_path / "toy.gpkg"), 2, "must be new")
    refused(run("convert", tmp_path / "nothing", tmp_path / "new"), 2, "must exist")
