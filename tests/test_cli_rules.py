"""Rules of the bundled study's variants on the command line: plan and route."""

import json

import pytest
from typer.testing import CliRunner, Result

from corridor.cli import app


def run(*arguments: str) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(app, list(arguments), env={"COLUMNS": "120"})


def route(variant: str, *arguments: str) -> dict[str, object]:
    """Return the best way of oil products from Baku to Nakhchivan under a variant's rules."""
    ends = ("AZ_BAKU", "AZ_NAKHCHIVAN", "--commodity", "oil_products")
    result = run("route", *ends, "--variant", variant, "--json", *arguments)
    assert result.exit_code == 0, result.output
    [way] = json.loads(result.stdout)["itineraries"]
    return dict(way)


def test_a_seal_saves_the_second_intake_on_the_way_to_nakhchivan() -> None:
    stopped, sealed = route("tripp_front_office"), route("tripp_sealed")
    assert stopped["crossings"] == sealed["crossings"] == ["tripp-east-rail", "tripp-west-rail"]
    # 70 minutes of service and 1.1 h of papers at the exit office.
    saved = float(str(stopped["time_h"])) - float(str(sealed["time_h"]))
    assert saved == pytest.approx(70 / 60 + 1.1, abs=0.01)
    assert route("status_quo", "--no-rules")["crossings"] != stopped["crossings"]


def test_a_variant_has_its_own_date() -> None:
    result = run("route", "AZ_BAKU", "TR_MERSIN", "--variant", "status_quo", "--date", "2025-01-01")
    assert result.exit_code == 2
    assert "--date must not come with --variant" in result.stderr


def test_plan_shows_the_band_kept_and_the_share_priced() -> None:
    result = run("plan", "--variant", "crossroads_on_terms", "--no-congestion", "--json")
    assert result.exit_code == 0, result.output
    record = json.loads(result.stdout)
    verdicts = {row["principle"]: row["verdict"] for row in record["compliance"]}
    assert verdicts["reciprocity"] == "kept"
    prices = {row["rule_id"]: row["price"] for row in record["rules"] if row["binding"]}
    assert prices["russia_share_cn_de"] > 100.0
    assert "am_az_reciprocity" in {row["rule_id"] for row in record["rules"]}


def test_plan_solves_for_the_next_server_that_is_asked_for_and_shows_principles() -> None:
    result = run("plan", "--next-server", "farap-rail", "--no-congestion")
    assert result.exit_code == 0, result.output
    assert "The four principles" in result.stdout
    assert "solved" in result.stdout
    refused = run("plan", "--next-server", "farap-rial")
    assert (refused.exit_code, "farap-rial" in refused.stderr) == (2, True)


def test_choice_goes_with_queues_that_grow() -> None:
    result = run("plan", "--choice", "--no-congestion")
    assert result.exit_code == 2
    assert "--choice is of queues that grow" in result.stderr
