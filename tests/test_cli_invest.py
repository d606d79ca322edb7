"""corridor invest: tables, JSON, files, exit codes."""

import json
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from corridor.cli import app

RUN = CliRunner()
ONE = ["invest", "--project", "red_bridge_epermit"]


def test_invest_answers_and_writes_its_tables(tmp_path: Path) -> None:
    done = RUN.invoke(app, [*ONE, "--budget-musd", "15", "--json", "--out", str(tmp_path / "out")])
    assert done.exit_code == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["status"] == "optimal"
    assert told["gap"] <= 1e-6
    assert told["chosen"] == ["red_bridge_epermit"]
    names = {path.name for path in (tmp_path / "out").iterdir()}
    tables = ["investment", "projects", "costs", "economics", "benefits"]
    assert names == {f"{table}.csv" for table in tables}
    costs = pd.read_csv(tmp_path / "out" / "costs.csv").set_index("item")
    assert costs["change"]["background"] < 0.0


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (["--budget-musd", "0"], "budget_musd"),
        (["--project", "no_such"], "no_such"),
        (["--variant", "no_such"], "no_such"),
    ],
)
def test_bad_input_is_told(options: list[str], found: str) -> None:
    done = RUN.invoke(app, [*ONE, *options])
    assert done.exit_code == 2
    assert found in done.stderr
    assert "Traceback" not in done.stderr
