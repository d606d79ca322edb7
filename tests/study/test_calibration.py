"""Counts read and measured by hand, and constants recovered from volumes that they made."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from corridor.errors import InputError
from corridor.network import Demand
from corridor.planning import Model, compile_model, solve_equilibrium
from corridor.planning.charges import ChoiceConstant, pool_charges
from corridor.planning.equilibria import assign
from corridor.study import check_volumes, load_study
from corridor.study.validation import calibration
from corridor.study.validation.calibration import DISPERSION_PER_USD, calibrate, write_calibration
from corridor.study.validation.counts import (
    INPUT,
    NOT_MODELLED,
    OTHER,
    OTHER_YEAR,
    SAME,
    count_statistics,
    read_counts,
)
from tests.study import toy
from tests.study.toy import HEADER

LOGIT = HEADER.replace('demand = "base"', 'demand = "2024"')
LOGIT += 'assignment = "logit"\ndispersion_per_usd = 0.02\n'
CONSTANT = '[[constant]]\nid = "rail"\nusd_per_t = 0.0\nlayers = ["rail1520"]\n'
COLUMNS = ["target", "direction", "year", "value_per_day", "unit_per_day", "role"]
TRUE = ChoiceConstant(id="rail", usd_per_t=12.0, layers=("rail1520",))


def counts_frame(rows: list[tuple[object, ...]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=COLUMNS).assign(
        value=1.0, unit=lambda t: t["unit_per_day"], definition="", source="", confidence=""
    )


def model_with(rows: list[tuple[object, ...]], background: float = 0.0) -> tuple[Model, Demand]:
    """Return the toy with counts, background trucks, and ten times its demand in 2024."""
    frames = toy.toy_frames()
    if background:
        trucks = pd.DataFrame([("ab-road", "forward", background)])
        frames["background"] = trucks.set_axis(["target", "direction", "vehicles_per_day"], axis=1)
    network = toy.Network.from_tables(**frames, counts=counts_frame(rows), name="toy")
    table = toy.toy._frame(toy.toy.DEMAND).assign(scenario="2024")
    demand = Demand.from_table(table, network)
    return compile_model(network, demand), demand


def test_volumes_are_those_of_the_table_of_crossings() -> None:
    rows = [
        ("ab-road", "forward", 2024, 100.0, "trucks_per_day", "fit"),
        ("ab-road", "both", 2024, 100.0, "t_per_day", "fit"),
        ("ab-rail", "forward", 2024, 100.0, "TEU_per_day", "fit"),
        ("ab-rail+ab-road", "both", 2024, 9000.0, "t_per_day", "holdout"),
        ("ab-rail", "backward", 2024, 100.0, "wagons_per_day", "holdout"),
        ("node:AP", "both", 2024, 100.0, "t_per_day", "fit"),
        ("country:AAA-BBB:rail", "both", 2024, 100.0, "t_per_day", "fit"),
    ]
    model, _ = model_with(rows, background=20.0)
    counts = read_counts(model, 2024)
    result = assign(model, pool_charges(model), 0.2)
    plan = solve_equilibrium(model, model="logit", dispersion_per_usd=0.2)
    at = plan.crossings.set_index(["crossing_id", "from_country"])
    road = at.loc[("ab-road", "AAA")]
    rail, both = at.loc[("ab-rail", "AAA")], at.groupby("crossing_id")["t_per_day"].sum()
    back = at.loc[("ab-rail", "BBB")]
    expected = [
        road["vehicles_per_day"] + 20.0,
        both["ab-road"] + 20.0 * 20,
        rail["teu_per_day"],
        both.sum() + 20.0 * 20,
        back["vehicles_per_day"] * 2000 / 36,
        both.sum() + 20.0 * 20,
        both["ab-rail"],
    ]
    assert counts.modelled(result.flow.class_flow) == pytest.approx(expected, rel=1e-6)


def test_rows_are_sorted_into_what_can_be_judged() -> None:
    rows = [
        ("ab-road", "forward", 2024, 100.0, "trucks_per_day", "fit"),
        ("ab-road", "forward", 2023, 140.0, "trucks_per_day", "fit"),
        ("ab-road", "forward", 2025, 110.0, "trucks_per_day", "holdout"),
        ("ab-road", "backward", 2025, 110.0, "trucks_per_day", "holdout"),
        ("ab-road", "forward", 2019, 60.0, "trucks_per_day", "fit"),
        ("ab-road", "both", 2024, 22.0, "trucks_per_day", "fit"),
        ("corridor:X", "both", 2024, 22.0, "t_per_day", "fit"),
        ("ab-road", "both", 2024, 3.0, "ferry_calls_per_day", "fit"),
    ]
    model, _ = model_with(rows, background=20.0)
    frame = read_counts(model, 2024).rows
    assert frame["observed"].tolist() == [120.0, 110.0, 110.0, 60.0, 22.0, 22.0, 3.0]
    assert frame["years"].tolist()[0] == "2023+2024"
    kinds = ["", "", "", OTHER_YEAR, INPUT, NOT_MODELLED, NOT_MODELLED]
    assert frame["verdict"].tolist() == kinds
    assert frame["group"].tolist()[1:3] == [SAME, OTHER]


def test_statistics_by_hand() -> None:
    rows = pd.DataFrame(
        {"observed": [100.0, 200.0, 50.0, 10.0], "verdict": ["", "", "", INPUT],
         "group": [OTHER] * 4, "said": [150.0, 100.0, 50.0, 99.0]}
    )  # fmt: skip
    table = count_statistics(rows, ["said"]).set_index("group")
    at = table.loc[OTHER]
    assert at["n"] == 3
    assert at["mean_error"] == pytest.approx(0.0)
    assert at["mape"] == pytest.approx(1.0 / 3.0)
    assert at["median_ape"] == pytest.approx(0.5)
    assert at["rank_correlation"] == pytest.approx(0.5)
    assert np.isnan(table.loc[SAME, "mape"])


def test_a_constant_is_recovered_from_the_volumes_that_it_made(
    study_with: Callable[..., Path], study_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counts that are exact leave the priors no say; holdout rows say something else."""
    monkeypatch.setattr(calibration, "COUNT_ERROR", 1e-3)
    rows = [
        (target, way, 2024, 1.0, "t_per_day", "fit")
        for target in ("ab-road", "ab-rail")
        for way in ("forward", "backward")
    ]
    (study_folder / "data" / "demand.csv").write_text(
        toy.toy.DEMAND.strip().replace("base,", "2024,") + "\n"
    )
    network, demand, rules = load_study(study_with(header=LOGIT)).case("today")
    made = compile_model(network.replace(counts=counts_frame(rows)), demand, rules)
    flow = assign(made, pool_charges(made), DISPERSION_PER_USD, (TRUE,)).flow.class_flow
    truth = read_counts(made, 2024).modelled(flow)
    rows = [(*row[:3], float(t), *row[4:]) for row, t in zip(rows, truth, strict=True)]
    rows.append(("ab-road", "both", 2024, 1.0, "t_per_day", "holdout"))
    counted = pd.DataFrame(rows, columns=COLUMNS)
    counted = counted.assign(value=counted["value_per_day"], unit="t_per_day")
    (study_folder / "data" / "counts.csv").write_text(counted.to_csv(index=False))
    try:
        study = load_study(study_with(CONSTANT, header=LOGIT))
        told: list[str] = []
        found = calibrate(study, study.demand, told.append)
        file = study_with(CONSTANT, header=LOGIT)
        write_calibration(found, file)
        written = load_study(file)
        volumes = check_volumes(written)
        with pytest.raises(InputError, match="2031"):
            load_study(file, demand="2031")
        # A search that never moves returns the better of its starts: here the values of the study.
        monkeypatch.setattr(calibration._Fit, "_newton", lambda _, *point: point)
        monkeypatch.setattr(calibration._Fit, "_compass", lambda _, *point: point)
        again = calibrate(written, written.demand)
    finally:
        (study_folder / "data" / "counts.csv").unlink()
        (study_folder / "data" / "demand.csv").write_text(toy.toy.DEMAND.strip() + "\n")
    value = found.parameters.set_index("parameter")["value"]
    told_by = found.parameters.set_index("parameter")["told"]
    assert value["rail"] == pytest.approx(12.0, abs=0.1)
    assert value["log_dispersion"] == pytest.approx(0.0, abs=0.02)
    assert told_by["rail"] > 0.5
    fitted = found.rows[found.rows["role"] == "fit"]
    assert (fitted["fitted"] / fitted["observed"]).to_numpy() == pytest.approx(1.0, abs=1e-3)
    before = (fitted["before"] / fitted["observed"] - 1.0).abs().mean()
    assert (fitted["fitted"] / fitted["observed"] - 1.0).abs().mean() < 0.3 * before
    assert len(told) == found.rounds
    assert volumes.rows["optimum"].tolist() == pytest.approx(found.rows["optimum"].tolist())
    assert volumes.rows["chosen"].to_numpy() == pytest.approx(
        found.rows["fitted"].to_numpy(), rel=1e-2
    )
    stays = again.parameters.set_index("parameter")["value"]
    assert stays["rail"] == pytest.approx(written.constants[0].usd_per_t)
    assert again.rows["before"].tolist() == pytest.approx(found.rows["before"].tolist())
    assert written.constants[0].usd_per_t == pytest.approx(value["rail"], abs=0.05)
    assert written.header.dispersion_per_usd == pytest.approx(found.dispersion_per_usd, rel=1e-3)


def test_without_a_year_or_counts_nothing_is_fitted(
    study_with: Callable[..., Path],
) -> None:
    study = load_study(study_with(CONSTANT))
    with pytest.raises(InputError, match="named by its year"):
        calibrate(study, study.demand)
    with pytest.raises(InputError, match="the demand of their year; the study's is 'base'"):
        check_volumes(study)
    with pytest.raises(InputError, match='must set assignment = "logit"'):
        check_volumes(replace(study, demand=replace(study.demand, scenario="2024")))
    model, _ = model_with([("ab-road", "both", 2024, 1.0, "t_per_day", "fit")])
    bare = compile_model(toy.Network.from_tables(**toy.toy_frames(), name="toy"), model_with([])[1])
    assert len(read_counts(model, 2024).rows) == 1
    with pytest.raises(InputError, match=r"must have counts\.csv"):
        read_counts(bare, 2024)
