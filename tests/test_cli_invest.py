"""corridor invest: tables, JSON, files, exit codes."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from corridor.cli import app
from corridor.planning.investment.portfolio_search import PortfolioSearch
from tests.study.sweep_toy import write_sweep_study
from tests.study.toy import write_study

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
        (["--budget-musd", "0"], "--budget-musd must be a finite number > 0; found 0. Left out"),
        (["--gap", "-1"], "--gap must be a finite number > 0; found -1"),
        (["--growth", "-2"], "--growth must be a finite number > -1; found -2"),
        (["--time-limit", "nan"], "--time-limit must be"),
        (["--project", "no_such"], "no_such"),
        (["--variant", "no_such"], "no_such"),
    ],
)
def test_bad_input_is_told(options: list[str], found: str) -> None:
    done = RUN.invoke(app, [*ONE, *options])
    assert done.exit_code == 2
    assert found in done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sweep_study(tmp_path_factory.mktemp("invest") / "study")


def test_regret_and_schedule_are_told_and_written(toy: Path, tmp_path: Path) -> None:
    asked = ["invest", str(toy), "--budget-musd", "60", "--draws", "1"]
    asked += ["--regret", "--rules", "rail_closed", "--stage", "4:20", "--stage", "10:40:1.1"]
    done = RUN.invoke(app, [*asked, "--json", "--out", str(tmp_path / "out")])
    assert done.exit_code == 0, done.stderr
    told = json.loads(done.stdout)
    robust, staged = told["robust"], told["staged"]
    names = ["today", "today, draw 1", "rail_closed", "rail_closed, draw 1"]
    assert [row["scenario"] for row in robust["scenarios"]] == names
    assert robust["status"] == "optimal"
    assert 0.0 <= robust["regret_bound"] <= robust["regret_most"]
    scenarios = pd.read_csv(tmp_path / "out" / "scenarios.csv").set_index("scenario")
    # The portfolio told is the one whose greatest regret over the table of scenarios is told.
    assert scenarios["regret_musd_per_year"].max() == pytest.approx(robust["regret_musd_per_year"])
    assert scenarios.loc["today", "cost_musd_per_year"] == pytest.approx(
        told["objective_musd_per_year"], rel=2e-6
    )
    regrets = pd.read_csv(tmp_path / "out" / "regrets.csv")
    assert len(regrets) == 4 * len(robust["candidates"])
    kinds = pd.read_csv(tmp_path / "out" / "robust.csv").set_index("regret")["musd_per_year"]
    assert kinds["mean"] <= kinds["greatest"]
    assert [row["demand_factor"] for row in staged["periods"]] == [1.0, 1.1]
    assert staged["gap"] <= 1e-6
    periods = pd.read_csv(tmp_path / "out" / "periods.csv")
    assert (periods["begun_musd"].cumsum() <= periods["budget_musd"].cumsum()).all()
    assert "greatest regret, portfolio" in done.stderr
    assert "schedule, portfolio" in done.stderr

    shown = RUN.invoke(app, asked)
    assert shown.exit_code == 0, shown.stderr
    for title in ("Portfolios by regret", "Scenarios", "What to begin when", "Periods"):
        assert title in shown.stdout


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (["--regret"], "found one"),
        (["--rules", "am_tr_open"], "--rules needs --regret"),
        (["--regret", "--rules", "no_such"], "no_such"),
        (["--regret", "--rules", "status_quo"], "status_quo"),
        (["--stage", "5"], "'5'"),
        (["--stage", "five:20"], "'five:20'"),
        (["--stage", "5:20:1:2"], "'5:20:1:2'"),
        (["--stage", "0:20"], "1 periods"),
    ],
)
def test_bad_scenarios_and_periods_are_told(options: list[str], found: str) -> None:
    done = RUN.invoke(app, [*ONE, *options])
    assert done.exit_code == 2
    assert found in done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_study(tmp_path_factory.mktemp("plain"))


def test_no_lawful_portfolio_is_told_with_its_rules(plain: Path) -> None:
    asked = ["invest", str(plain), "--variant", "contradiction", "--stage", "5:20"]
    done = RUN.invoke(app, [*asked, "--regret", "--rules", "today"])
    assert done.exit_code == 1
    assert done.stdout.count("open posts break scan_all") == 2
    assert "none is in contradiction (scan_all)" in done.stdout
    assert "not worth" not in done.stdout
    assert "optimal" not in done.stdout
    assert "inf" not in done.stderr
    told = json.loads(RUN.invoke(app, [*asked, "--json"]).stdout)
    for answer in (told, told["staged"]):
        assert (answer["status"], answer["outcome"]) == ("infeasible", "unlawful")
        assert answer["broken_rules"] == ["scan_all"]


def test_a_time_limit_proves_nothing_and_says_so(plain: Path) -> None:
    asked = ["invest", str(plain), "--time-limit", "1e-9"]
    done = RUN.invoke(app, asked)
    assert done.exit_code == 0
    text = " ".join(done.stdout.split())
    assert "Stopped by the time limit: nothing is proved" in text
    assert "not worth" not in text
    assert "buys nothing that pays" not in text
    told = json.loads(RUN.invoke(app, [*asked, "--json"]).stdout)
    assert (told["status"], told["outcome"], told["limit"]) == ("feasible", "stopped", "time")
    assert 0.0 <= told["bound_musd_per_year"] <= told["objective_musd_per_year"]
    assert 0.0 <= told["gap"] <= 1.0
    assert {row["reason"] for row in told["projects"]} == {
        "not in the best found; the search was stopped"
    }


def test_control_c_shows_the_best_found_and_stops_all(
    plain: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    # Nothing was chosen yet: the best found is to build nothing.
    monkeypatch.setattr(PortfolioSearch, "choose", stop)
    asked = ["invest", str(plain), "--variant", "works", "--frontier", "--stage", "5:20"]
    done = RUN.invoke(app, asked)
    assert done.exit_code == 130
    assert "Stopped from the keyboard" in done.stderr
    assert "Stopped by the keyboard: nothing is proved" in " ".join(done.stdout.split())
    assert "not worth" not in done.stdout
    for title in ("Budget against cost", "What to begin when"):
        assert title not in done.stdout


def test_no_demand_costs_nothing_and_buys_nothing(plain: Path, tmp_path: Path) -> None:
    study = tmp_path / "study"
    shutil.copytree(plain, study)
    demand = pd.read_csv(study / "data" / "demand.csv").assign(t_per_day=0.0)
    demand.to_csv(study / "data" / "demand.csv", index=False)
    asked = ["invest", str(study), "--stage", "5:20", "--regret", "--rules", "slow", "--frontier"]
    done = RUN.invoke(app, [*asked, "--json"])
    assert done.exit_code == 1, done.stderr
    told = json.loads(done.stdout)
    for answer in (told, told["staged"]):
        assert (answer["status"], answer["gap"]) == ("optimal", 0.0)
    assert told["chosen"] == []
    assert told["objective_musd_per_year"] == told["bound_musd_per_year"] == 0.0
    assert told["robust"]["regret_most"] == 0.0


def test_what_cannot_move_is_told_apart_from_costs(plain: Path) -> None:
    asked = ["invest", str(plain), "--variant", "banned", "--stage", "5:20"]
    done = RUN.invoke(app, asked)
    text = " ".join(done.stdout.split())
    assert "Present value of capital, upkeep and use: 0.0 MUSD" in text
    assert "at 4,000 USD for each tonne, which nobody pays" in text
    staged = json.loads(RUN.invoke(app, [*asked, "--json"]).stdout)["staged"]
    assert staged["unmet_price_musd"] == pytest.approx(staged["objective_musd"])
    # 1,800 t/day at 4,000 USD, and five years of 6 % from the end of the first.
    yearly = 1800.0 * 4000.0 * 365.0 / 1e6
    worth = sum(1.06**-year for year in range(1, 6))
    assert staged["unmet_price_musd"] == pytest.approx(yearly * worth)
    assert 0.0 < staged["unmet_value_musd"] != pytest.approx(staged["unmet_price_musd"])
