"""Fixed delays from published times: by hand, within the limit, and those of the bundled data."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import corridor
from corridor.core.queues import mean_wait
from corridor.errors import InputError
from corridor.study.validation.border_calibration import (
    calibrate_borders,
    main,
    write_fixed_delays,
)
from tests.planning import toys

Tables = dict[str, pd.DataFrame]
TARGETS = """
label,crossing_id,country,direction,year,low,high,unit,role,elsewhere_h
p1,ab-road,AAA,out,2024,10,20,h,fit,0.5
p2,ab-road,BBB,in,2024,1,1,d,holdout,
"""
DATA = Path(__file__).parents[2] / "data" / "crossroads"


def network(tables: Tables, forward: str = "96", targets: str = TARGETS) -> corridor.Network:
    counts = (
        "target,direction,vehicles_per_day,observed_vehicles_per_day\n"
        f"ab-road,forward,10,{forward}\nab-road,backward,5,48"
    )
    full = toys.joined(tables, background=counts)
    full["targets"] = toys.frame(targets)
    return toys.network(full)


def test_the_residual_by_hand(toy_tables: Tables) -> None:
    [row] = calibrate_borders(network(toy_tables)).rows.to_dict("records")
    # Two officers, 12 minutes for each of 96 trucks; a fifth is scanned by one, 20 minutes.
    queue = float(mean_wait(4.0, 0.2, 2)) + 0.2 * float(mean_wait(0.8, 1 / 3, 1))
    service = 0.2 + 0.2 / 3
    assert row["service_h"] == pytest.approx(service)
    assert row["queue_h"] == pytest.approx(queue)
    assert row["utilization"] == pytest.approx(0.4)
    assert row["residual_h"] == pytest.approx(15.0 - 0.5 - service - queue)
    assert row["fixed_delay_h"] == round(row["residual_h"], 2)
    assert (row["stage"], row["verdict"]) == ("ab-road/AAA/out//1/all", "fitted")


def test_counts_stand_where_there_are_any(toy_tables: Tables) -> None:
    [row] = calibrate_borders(network(toy_tables, forward="")).rows.to_dict("records")
    assert row["vehicles_per_day"] == 10.0


def test_a_value_stands_for_its_band(toy_tables: Tables) -> None:
    text = TARGETS.replace("year,low", "year,value,low").replace("2024,", "2024,12,", 1)
    text = text.replace("in,2024,1,1", "in,2024,,1,1")
    [row] = calibrate_borders(network(toy_tables, targets=text)).rows.to_dict("records")
    assert row["published_h"] == 12.0


def test_no_queue_is_fitted_near_to_full(toy_tables: Tables) -> None:
    # 400 trucks would need 3.3 of the two officers.
    found = calibrate_borders(network(toy_tables, forward="400"))
    [row] = found.rows.to_dict("records")
    assert row["utilization"] == pytest.approx(400 / 24 * 0.2 / 2)
    assert row["utilization_used"] == pytest.approx(0.95)
    assert row["verdict"] == "capped"
    documents, scanner = float(mean_wait(9.5, 0.2, 2)), float(mean_wait(2.85, 1 / 3, 1))
    assert row["queue_h"] == pytest.approx(documents + 0.2 * scanner)


def test_a_time_below_the_service_leaves_nothing(toy_tables: Tables) -> None:
    text = TARGETS.replace("10,20,h,fit,0.5", "0.1,0.1,h,fit,")
    [row] = calibrate_borders(network(toy_tables, targets=text)).rows.to_dict("records")
    assert (row["fixed_delay_h"], row["verdict"]) == (0.0, "below service")


def test_closed_hours_and_other_fixed_delays_are_taken_off(toy_tables: Tables) -> None:
    tables = toys.changed(toy_tables, "crossings", "ab-road", opening_hours="08:00-20:00")
    tables["stages"] = tables["stages"].assign(fixed_delay_h=[0.0, 1.5] + [0.0] * 5)
    [row] = calibrate_borders(network(tables)).rows.to_dict("records")
    assert row["opening_wait_h"] == pytest.approx(3.0)
    assert row["other_fixed_h"] == pytest.approx(1.5)
    parts = row["service_h"] + row["queue_h"] + 3.0 + 1.5 + 0.5
    assert row["residual_h"] == pytest.approx(15.0 - parts)


def test_posts_that_are_not_there_are_refused(toy_tables: Tables) -> None:
    for old, new in (("AAA,out", "CCC,out"), ("ab-road,AAA", "ab-raod,AAA")):
        text = TARGETS.replace(old, new, 1)
        with pytest.raises(InputError, match="must name a post of the network; 'p1' names"):
            calibrate_borders(network(toy_tables, targets=text))
    with pytest.raises(InputError, match="a row of the role fit"):
        calibrate_borders(network(toy_tables, targets=TARGETS.replace(",fit,", ",holdout,")))


@pytest.fixture(scope="module")
def bundled() -> corridor.Network:
    return corridor.load_network("crossroads")


def test_the_bundled_delays_are_those_of_the_fit(bundled: corridor.Network) -> None:
    found = calibrate_borders(bundled)
    assert len(found.rows) >= 15
    np.testing.assert_allclose(found.rows["bundled_h"], found.rows["fixed_delay_h"], atol=1e-9)
    assert found.rows["verdict"].isin(["fitted"]).all()
    # Nothing is explained by a queue that is nearly full: counts say how full posts are.
    assert (found.rows["utilization"] < 0.95).all()


def test_held_out_rows_are_never_looked_at(bundled: corridor.Network) -> None:
    targets = bundled.targets
    others = targets["role"] == "holdout"
    moved = targets.assign(low=targets["low"].mask(others, 1.0))
    moved = moved.assign(high=moved["high"].mask(others, 2.0))
    found = calibrate_borders(bundled.replace(targets=moved)).rows
    pd.testing.assert_frame_equal(found, calibrate_borders(bundled).rows)


def test_what_is_written_is_what_is_bundled(
    bundled: corridor.Network, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for file in DATA.glob("*.csv"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    text = (tmp_path / "stages.csv").read_text()
    assert text.count(",54.63,") == 1
    (tmp_path / "stages.csv").write_text(text.replace(",54.63,", ",1,"))
    assert main([str(tmp_path), "--write"]) == 0
    assert "red-bridge/GEO/out//1/all" in capsys.readouterr().out
    assert (tmp_path / "stages.csv").read_bytes() == (DATA / "stages.csv").read_bytes()
    stages = pd.read_csv(tmp_path / "stages.csv")
    stages[stages["crossing_id"] != "red-bridge"].to_csv(tmp_path / "stages.csv", index=False)
    with pytest.raises(InputError, match="'red-bridge/GEO/out//1/all'"):
        write_fixed_delays(calibrate_borders(bundled), tmp_path)


def test_posts_are_calibrated_at_the_traffic_that_was_counted(bundled: corridor.Network) -> None:
    background, counts = bundled.background, bundled.counts
    observed = pd.to_numeric(background["observed_vehicles_per_day"])
    assert (observed >= background["vehicles_per_day"] - 1e-9).all()
    both = observed.groupby(background["target"]).sum()
    chosen = counts[counts["target"].isin(both.index) & (counts["direction"] == "both")]
    chosen = chosen[chosen["target"].str.endswith("-road") & (chosen["year"] >= 2022)]
    chosen = chosen[chosen["role"] == "fit"]
    assert len(chosen) >= 10
    ratio = chosen["target"].map(both) / pd.to_numeric(chosen["value_per_day"])
    assert ratio.between(0.9, 1.1).all()
