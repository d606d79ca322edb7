"""``corridor resilience`` on a small study: tables, JSON, files, exit codes."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner, Result

from corridor.cli import app
from corridor.study.disruption.rerouting import Rerouted, Rerouting
from tests.study.toy import write_study


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Write the small study, return its folder."""
    return str(write_study(tmp_path_factory.mktemp("toy")))


def run(*arguments: str, columns: int = 100) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(app, ["resilience", *arguments], env={"COLUMNS": str(columns)})


def test_tables_fit_and_files_hold_them(study: str, tmp_path: Path) -> None:
    out = tmp_path / "losses"
    kinds = [word for kind in ("link", "crossing", "terminal") for word in ("--kind", kind)]
    result = run(study, *kinds, "--out", str(out))
    assert result.exit_code == 0, result.output
    for word in ("today: As it is", "dearer by", "cut off", "buffer index", "clears in"):
        assert word in result.stdout
    assert max(len(line) for line in result.stdout.splitlines()) <= 100
    assert "closures" in result.stderr
    losses = pd.read_csv(out / "losses.csv")
    assert set(losses["kind"]) == {"link", "crossing", "terminal"}
    assert (losses["loss_usd_per_day"] > 0).any()
    assert sorted(path.name for path in out.iterdir()) == [
        "assumptions.csv", "losses.csv", "pairs.csv", "recovery.csv", "redundancy.csv",
        "reliability.csv", "year.csv",
    ]  # fmt: skip


def test_json_is_all_of_it(study: str) -> None:
    record = json.loads(run(study, "--kind", "crossing", "--json").stdout)
    assert record["status"] in ("optimal", "partial")
    assert {row["item"] for row in record["losses"]} <= {"ab-road", "ab-rail"}
    assert record["date"] == "2026-01-01"


def test_the_worst_closures_come_with_their_proof(study: str) -> None:
    result = run(study, "--worst", "2")
    assert result.exit_code == 0
    assert "ab-road ab-rail" in result.stdout.replace("ab-rail ab-road", "ab-road ab-rail")
    record = json.loads(run(study, "--worst", "1", "--json").stdout)
    assert record["bound_usd_per_day"] >= record["weighted_usd_per_day"] > 0.0
    assert run(study, "--worst", "0").exit_code == 2


def test_where_nothing_can_be_carried_the_exit_code_says_so(study: str) -> None:
    result = run(study, "--variant", "contradiction", "--kind", "crossing")
    assert result.exit_code == 1
    assert "infeasible" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--kind", "bridge"], "found bridge"),
        (["--variant", "nowhere"], "must be one of"),
        (["--out", __file__], "is a file"),
    ],
)
def test_bad_input_is_a_message(study: str, arguments: list[str], message: str) -> None:
    result = run(study, *arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert not result.stdout


def test_the_worst_needs_a_plan_and_takes_demand_that_has_no_way(study: str) -> None:
    barred = run(study, "--worst", "1", "--variant", "contradiction")
    assert barred.exit_code == 1
    assert "scan_all" in barred.stderr
    assert not barred.stdout
    closed = run(study, "--worst", "1", "--variant", "banned")
    assert closed.exit_code == 0, closed.stderr
    assert "nothing that matters" in closed.stdout


@pytest.mark.parametrize("more", [["--kind", "link"], ["--no-congestion"]])
def test_the_worst_refuses_what_has_no_effect(study: str, more: list[str]) -> None:
    result = run(study, "--worst", "1", *more)
    assert result.exit_code == 2
    assert "have no effect" in result.stderr


def test_the_worst_is_written(study: str, tmp_path: Path) -> None:
    result = run(study, "--worst", "2", "--out", str(tmp_path / "worst"))
    assert result.exit_code == 0, result.output
    table = pd.read_csv(tmp_path / "worst" / "worst.csv")
    assert set(table["items"].item().split(">")) == {"ab-road", "ab-rail"}


def test_nothing_to_close_is_said(study: str) -> None:
    result = run(study, "--kind", "state")
    assert result.exit_code == 0
    assert "Nothing of the kind state carries goods" in result.stdout


def test_what_is_cut_off_makes_a_loss_partial(study: str) -> None:
    losses = json.loads(run(study, "--kind", "link", "--json").stdout)["losses"]
    cut = [row for row in losses if row["cut_off_t_per_day"] > 0.0]
    assert cut
    assert {row["status"] for row in cut} == {"partial"}


@pytest.mark.parametrize("stopped_at", [1, 3])
def test_what_is_done_before_a_stop_is_told(
    study: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stopped_at: int
) -> None:
    whole = json.loads(run(study, "--kind", "crossing", "--kind", "link", "--json").stdout)
    close, calls = Rerouting.close, []

    def stop(self: Rerouting, blocked: NDArray[np.bool_]) -> Rerouted:
        calls.append(1)
        if len(calls) == stopped_at:
            raise KeyboardInterrupt
        return close(self, blocked)

    monkeypatch.setattr(Rerouting, "close", stop)
    out = tmp_path / "losses"
    result = run(study, "--kind", "crossing", "--kind", "link", "--json", "--out", str(out))
    assert result.exit_code == 130
    assert f"{stopped_at - 1} closures are told" in result.stderr
    found = json.loads(result.stdout)
    assert found["limit"] == "interrupt"
    assert whole["limit"] == ""
    assert len(found["losses"]) == stopped_at - 1 < len(whole["losses"])
    losses = {row["item"]: row["loss_usd_per_day"] for row in whole["losses"]}
    for row in found["losses"]:
        assert row["loss_usd_per_day"] == pytest.approx(losses[row["item"]])
    assert (out / "losses.csv").is_file()
