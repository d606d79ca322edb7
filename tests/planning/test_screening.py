"""Screening by hand: what shares find and cost, within the hosts' floors."""

import numpy as np
import pandas as pd
import pytest

from corridor.border.assumed import FINDS, SEPARATION
from corridor.core.queues import mean_wait, targeted_detection
from corridor.planning import Screening, crossing, screen_crossing
from tests.planning import toys

Tables = dict[str, pd.DataFrame]
TRAFFIC = "target,direction,vehicles_per_day\nab-road,forward,96\nab-road,backward,48"
MORE = """
crossing_id,country,direction,order,class,stage,servers,service_min,layer,share
ab-road,AAA,out,3,all,inspection,2,60,,0.1
"""
FLOOR = {
    "kind": "inspection_floor", "country": "AAA", "stage": "scanner", "share": 0.1,
    "layers": ["road"], "crossings": ["ab-road"],
}  # fmt: skip


@pytest.fixture
def tables(toy_tables: Tables) -> Tables:
    return toys.joined(toy_tables, background=TRAFFIC, stages=MORE)


def screened(tables: Tables, *rules: dict[str, object]) -> Screening:
    return screen_crossing(toys.network(tables), "ab-road", toys.rules(*rules) if rules else None)


def stage(found: Screening, name: str) -> pd.Series:
    [row] = found.stages[found.stages["stage"] == name].to_dict("records")
    return pd.Series(row)


def test_today_by_hand(tables: Tables) -> None:
    row = stage(screened(tables), "scanner")
    wait = float(mean_wait(0.8, 1 / 3, 1))
    assert row["delay_h"] == pytest.approx(0.2 * (wait + 1 / 3))
    selected = float(targeted_detection(0.2, SEPARATION["scanner"].value))
    assert row["detection"] == pytest.approx(FINDS["scanner"].value * selected)
    assert row["detection_low"] < row["detection"] < row["detection_high"]
    # One server, 20 minutes, 4 trucks an hour: 95 % of it is 71 % of the trucks.
    assert row["most_share"] == pytest.approx(0.95 / (4 / 3))
    assert np.isnan(row["floor"])


def test_the_floor_is_priced_and_never_gone_below(tables: Tables) -> None:
    found = screened(tables, FLOOR)
    row = stage(found, "scanner")
    assert (row["floor"], row["floor_rule"]) == (0.1, "r0")

    def delay(share: float) -> float:
        return share * (float(mean_wait(4 * share, 1 / 3, 1)) + 1 / 3)

    per_h = 96 * found.usd_per_vehicle_h
    assert row["floor_usd_per_day"] == pytest.approx(delay(0.1) * per_h)
    slope = (delay(0.1 + 1e-6) - delay(0.1 - 1e-6)) / 2e-6
    assert row["floor_price_usd_per_day"] == pytest.approx(0.01 * slope * per_h, rel=1e-5)
    slope = (delay(0.2 + 1e-6) - delay(0.2 - 1e-6)) / 2e-6
    assert row["price_usd_per_day"] == pytest.approx(0.01 * slope * per_h, rel=1e-5)
    scans = found.curves[found.curves["stage"] == "scanner"]
    assert scans["share"].min() == pytest.approx(0.1)
    told = found.fronts["shares"].str.extract(r"scanner=([\d.]+)")[0].astype(float)
    assert told.min() == pytest.approx(0.1)


def test_curves_rise_in_both(tables: Tables) -> None:
    for _, rows in screened(tables).curves.groupby(["from_country", "country", "stage"]):
        assert (np.diff(rows["detection"]) > 0.0).all()
        assert (np.diff(rows["delay_h"]) > 0.0).all()
        assert np.isfinite(rows["delay_h"]).all()


def test_no_combination_of_a_front_is_beaten(tables: Tables) -> None:
    found = screened(tables)
    front = found.fronts[~found.fronts["is_today"]]
    assert (np.diff(front["delay_h"]) > 0.0).all()
    assert (np.diff(front["detection"]) > 0.0).all()
    [today] = found.fronts[found.fronts["is_today"]].to_dict("records")
    assert today["shares"] == "scanner=0.2>inspection=0.1"
    missed = np.prod([1.0 - stage(found, name)["detection"] for name in ("scanner", "inspection")])
    assert today["detection"] == pytest.approx(1.0 - missed)
    # Every pair of shares on the grids, by brute force: none beats the front.
    curves = dict(iter(found.curves.groupby("stage")))
    for scan in curves["scanner"].iloc[::5].itertuples():
        for opened in curves["inspection"].iloc[::5].itertuples():
            detection = 1.0 - (1.0 - scan.detection) * (1.0 - opened.detection)
            delay = scan.delay_h + opened.delay_h
            better = (front["detection"] > detection + 1e-12) & (front["delay_h"] < delay - 1e-12)
            same = (front["detection"] >= detection - 1e-12) & (front["delay_h"] <= delay + 1e-12)
            assert (better | same).any()


def test_detection_of_a_post_is_that_of_the_regime_in_force(tables: Tables) -> None:
    found = screened(tables)
    regimes = crossing(toys.network(tables), "ab-road").regimes
    [row] = regimes[regimes["in_force"] & (regimes["from_country"] == "AAA")].to_dict("records")
    [today] = found.fronts[found.fronts["is_today"]].to_dict("records")
    assert today["detection"] == pytest.approx(row["exit_detection"])


def test_a_crossing_that_inspects_nothing_has_empty_tables(toy_tables: Tables) -> None:
    found = screen_crossing(toys.network(toy_tables), "ab-rail")
    assert not len(found.stages)
    assert not len(found.fronts)
