"""``corridor share`` on the bundled study: tables, JSON, files, exit codes."""

import json
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner, Result

from corridor.cli import app
from tests.study.toy import write_study

SIX = "ARM,AZE,GEO,TUR,IRN,KAZ"


def run(*arguments: str, columns: int = 100) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(app, ["share", *arguments], env={"COLUMNS": str(columns)})


def test_tables_fit_and_files_hold_them(tmp_path: Path) -> None:
    out = tmp_path / "shares"
    result = run("--variant", "crossroads_full", "--players", SIX, "--out", str(out))
    assert result.exit_code == 0, result.output
    for word in ("Who depends on whom", "Shapley", "one through tariff", "kUSD/day"):
        assert word in result.stdout
    assert max(len(line) for line in result.stdout.splitlines()) <= 100
    shares = pd.read_csv(out / "shares.csv")
    coalitions = pd.read_csv(out / "coalitions.csv", keep_default_na=False)
    assert len(coalitions) == 64
    assert shares["shapley_usd_per_day"].sum() == pytest.approx(
        float(coalitions["closed_usd_per_day"].iloc[-1]), rel=1e-9
    )
    assert sorted(path.suffix for path in out.iterdir()) == [".csv"] * 11


def test_json_has_every_table() -> None:
    result = run("--players", "AZE,GEO", "--json")
    record = json.loads(result.stdout)
    assert record["players"] == ["AZE", "GEO"]
    assert [row["country"] for row in record["shares"]] == ["AZE", "GEO", "shippers"]
    assert {row["losing"] for row in record["interdependence"]} == {"AZE", "GEO", "others"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--players", "ARM,XYZ"], "XYZ is none"),
        (["--players", " "], "'' is none"),
        (["--variant", "nowhere"], "must be one of"),
        (["--players", "ARM", "--out", __file__], "is a file"),
    ],
)
def test_bad_input_is_a_message(arguments: list[str], message: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert not result.stdout


def test_without_a_plan_there_is_nothing_to_share(tmp_path: Path) -> None:
    study = str(write_study(tmp_path))
    barred = run(study, "--players", "AAA,BBB", "--variant", "contradiction")
    assert barred.exit_code == 1
    assert "scan_all" in barred.stderr
    assert not barred.stdout
    free = run(study, "--players", "AAA,BBB")
    assert free.exit_code == 0
    assert "by =" not in " ".join(free.stdout.split())
