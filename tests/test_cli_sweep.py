"""``corridor sweep`` on a small study: tables, JSON, files, exit codes."""

import json
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner, Result

from corridor.cli import app
from corridor.report.sheets.sweeps import FILES
from tests.study.sweep_toy import write_sweep_study


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Write the small study, return its folder."""
    return str(write_sweep_study(tmp_path_factory.mktemp("toy")))


def run(*arguments: str) -> Result:
    """Run the command in this process."""
    some = ["sweep", *arguments, "--samples", "3", "--variant", "today", "--workers", "1"]
    return CliRunner().invoke(app, some, env={"COLUMNS": "100"})


def test_tables_fit_and_files_hold_every_sample(study: str, tmp_path: Path) -> None:
    out, kept = tmp_path / "spread", tmp_path / "kept.parquet"
    result = run(study, "--seed", "4", "--out", str(out), "--checkpoint", str(kept))
    assert result.exit_code == 0, result.output
    assert "3 samples, seed 4" in result.stdout
    assert "not centered on the base" in " ".join(result.stdout.split())
    assert max(len(line) for line in result.stdout.splitlines()) <= 100
    assert sorted(path.stem for path in out.iterdir()) == sorted(FILES)
    samples = pd.read_csv(out / "samples.csv")
    assert samples["variant"].tolist() == ["today"] * 3
    again = run(study, "--seed", "4", "--checkpoint", str(kept), "--json")
    assert json.loads(again.stdout)["requested"] == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--variant", "nowhere"], "must be one of"),
        (["--scheduler", "tcp://127.0.0.1:1"], "not both"),
        (["--out", __file__], "is a file"),
        (["--checkpoint", "/nowhere/x.parquet"], "existing folder"),
    ],
)
def test_bad_input_is_a_message_before_any_sample(
    study: str, arguments: list[str], message: str
) -> None:
    result = run(study, *arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert "samples:" not in result.stderr
    assert not result.stdout
