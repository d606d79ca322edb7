"""``corridor explain`` on the bundled study: tables, sentences, JSON, exit codes."""

import json
import time

import pytest
from typer.testing import CliRunner, Result

from corridor.cli import app


def run(*arguments: str, columns: int = 100) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(app, ["explain", *arguments], env={"COLUMNS": str(columns)})


def test_no_stop_names_the_rules_and_the_least_change_in_time() -> None:
    run("--variant", "no_stop_under_floor")  # compiles what is compiled once
    start = time.perf_counter()
    result = run("--variant", "no_stop_under_floor")
    assert time.perf_counter() - start < 5.0
    assert result.exit_code == 1
    for name in ("tripp_no_stop", "floor_arm_scanner", "floor_arm_inspection", "ARM only"):
        assert name in result.stdout
    assert "front_office" in result.stdout
    assert max(len(line) for line in result.stdout.splitlines()) <= 100
    assert "infeasible" in result.stderr


def test_json_holds_every_table_and_sentence() -> None:
    result = run("--variant", "no_stop_under_floor", "--json")
    record = json.loads(result.stdout)
    assert record["status"] == "infeasible"
    assert [row["rules"] for row in record["conflicts"]] == [
        "floor_arm_scanner>tripp_no_stop",
        "floor_arm_inspection>tripp_no_stop",
    ]
    hosts = {row["rule_id"]: row["host"] for row in record["relaxations"]}
    assert hosts == {"tripp_no_stop": "", "floor_arm_scanner": "ARM", "floor_arm_inspection": "ARM"}
    assert set(record) == {
        "status", "date", "conflicts", "relaxations", "prices", "costs", "payers", "principles",
        "principle_payers", "compliance", "sentences",
    }  # fmt: skip


def test_a_feasible_variant_has_costs_and_payers() -> None:
    result = run("--variant", "status_quo", "--json")
    assert result.exit_code == 0
    record = json.loads(result.stdout)
    cost = {row["rule_id"]: row["cost_usd_per_day"] for row in record["costs"]}
    assert cost[""] >= max(cost.values()) > 0.0
    assert min(cost.values()) > -1e3
    assert {row["rule_id"] for row in record["prices"]} == set(cost) - {""}
    [conflict] = record["conflicts"]
    assert conflict["rules"] == "am_az_no_trade"
    assert conflict["subject"] == "AM_YEREVAN to AZ_BAKU, building"
    assert record["payers"][0]["pays_usd_per_day"] > 0.0
    principles = {row["without"]: row["cost_usd_per_day"] for row in record["principles"]}
    assert principles["all of these"] >= principles["bans, limits and prescribed ways"] > 1e6
    verdicts = {row["principle"]: row["verdict"] for row in record["compliance"]}
    assert verdicts["reciprocity"] == "not ruled"


def test_words_are_sentences() -> None:
    result = run("--variant", "no_stop_under_floor", "--words")
    assert "ARM alone, not a planner, may change its own floor_arm_scanner" in result.stdout
    assert "tripp_no_stop (regime): regime from no_stop to front_office." in result.stdout


def test_a_frontier_is_a_row_per_value() -> None:
    result = run(
        "--variant", "tripp_front_office", "--frontier", "floor_arm_inspection:share=0,0.3",
        "--crossing", "tripp-east-road", "--crossing", "tripp-west-road", "--json",
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    rows = json.loads(result.stdout)["frontier"]
    assert [row["value"] for row in rows] == [0.0, 0.3]
    assert rows[0]["border_h"] < rows[1]["border_h"]
    assert rows[0]["capacity_vehicles_per_day"] > rows[1]["capacity_vehicles_per_day"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--variant", "nowhere"], "nowhere"),
        (["--weight", "nobody=2"], "nobody=2"),
        (["--weight", "floor_arm_scanner=-1"], "finite weight > 0"),
        (["--frontier", "floor_arm_scanner=0.1"], "RULE:FIELD=V,V"),
        (["--frontier", "floor_arm_scanner:limit=1"], "must be one of share"),
        (["--crossing", "tripp-east-road"], "goes with --frontier"),
    ],
)
def test_what_cannot_be_meant_is_refused(arguments: list[str], words: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert words in result.stderr
    assert result.stdout == ""
    assert "Traceback" not in result.output
