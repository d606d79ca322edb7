"""Sweeps: draws, patched models, results that do not depend on who solves, and resuming."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from corridor.core.flows import min_cost_flow
from corridor.errors import InputError, SolverError
from corridor.planning import solve_plan
from corridor.study import Study, load_study, sweep
from corridor.study.uncertainty.chunks import TOLERANCE, Chunk, Task
from corridor.study.uncertainty.inputs import study_inputs
from corridor.study.uncertainty.readings import Readings
from corridor.study.uncertainty.samples import CHUNK, Factor, Sampler, cell_values
from corridor.study.uncertainty.scenarios import ScenarioCompiler, drawn_case, model_differences
from corridor.study.uncertainty.shocks import common_factors
from corridor.study.uncertainty.sweeps import identity, prepared
from corridor.study.uncertainty.tables import (
    distribution_table,
    key_table,
    sample_table,
    status_table,
)
from tests.study.sweep_toy import RANGES, write_sweep_study


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sweep_study(tmp_path_factory.mktemp("sweep"))


@pytest.fixture(scope="module")
def toy(folder: Path) -> Study:
    return load_study(folder)


@pytest.fixture(scope="module")
def today(toy: Study) -> ScenarioCompiler:
    return ScenarioCompiler.of(toy, study_inputs(toy), "today")


def sampler_of(study: Study, seed: int = 3) -> Sampler:
    inputs = study_inputs(study)
    return Sampler(inputs=inputs, factors=common_factors(study, inputs), seed=seed)


# -- draws ---------------------------------------------------------------------------------------


def test_rows_of_a_group_share_one_draw_and_costs_of_projects_are_none(
    toy: Study, today: ScenarioCompiler
) -> None:
    inputs = study_inputs(toy)
    assert inputs.names.count("speed") == 1
    assert len(inputs.rows[inputs.names.index("speed")]) == 2
    assert not any(name.startswith("projects") for name in inputs.names)
    sampler = sampler_of(toy)
    cells = today.cells
    speed = np.flatnonzero(cells.source == inputs.names.index("speed"))
    values = cell_values(cells, sampler.scores(0, 64))[:, speed]
    ranks = values.argsort(axis=0).argsort(axis=0)
    assert speed.size > 2
    assert (ranks == ranks[:, :1]).all()


def test_sample_k_does_not_depend_on_how_many_are_drawn(toy: Study) -> None:
    sampler = sampler_of(toy)
    whole = sampler.scores(0, 3 * CHUNK)
    assert np.array_equal(sampler.scores(CHUNK, 10), whole[CHUNK : CHUNK + 10])
    assert not np.array_equal(sampler_of(toy, seed=4).scores(0, 8), whole[:8])


def test_distributions_have_their_quantiles(toy: Study, today: ScenarioCompiler) -> None:
    inputs, cells = study_inputs(toy), today.cells
    scores = Sampler(inputs=inputs, factors=(), seed=1).scores(0, 4096)
    values = cell_values(cells, scores)
    inside = np.isin(cells.distribution, ["uniform", "triangular", "integer_uniform"])
    assert (values[:, inside] >= cells.low[inside]).all()
    assert (values[:, inside] <= cells.high[inside]).all()
    for at, kind in enumerate(cells.distribution):
        low, high, drawn = cells.low[at], cells.high[at], np.sort(values[:, at])
        if kind == "lognormal90":
            assert np.quantile(drawn, [0.05, 0.95]) == pytest.approx([low, high], rel=0.01)
        elif kind == "uniform":
            assert drawn.mean() == pytest.approx((low + high) / 2, rel=1e-3)
        elif kind == "integer_uniform":
            share = np.unique(drawn, return_counts=True)[1] / drawn.size
            assert share == pytest.approx(np.full(3, 1 / 3), abs=2e-3)
        elif np.isinf(cells.least[at]):
            mean = (low + np.clip(cells.nominal[at], low, high) + high) / 3
            assert drawn.mean() == pytest.approx(mean, rel=1e-3)


def test_shares_are_not_drawn_below_the_floor_that_the_post_keeps(
    toy: Study, today: ScenarioCompiler
) -> None:
    cells = today.cells
    at = [name == "share" for name in cells.column].index(True)
    values = cell_values(cells, sampler_of(toy).scores(0, 256))[:, at]
    assert values.min() == 0.1
    assert values.max() > 0.3


def test_a_shock_ties_its_inputs_and_leaves_their_distributions(toy: Study) -> None:
    inputs = study_inputs(toy)
    tied = Factor(name="tie", inputs=(0, 1), share=0.5)
    scores = Sampler(inputs=inputs, factors=(tied,), seed=0).scores(0, 4096)
    correlation = np.corrcoef(scores[:, :3], rowvar=False)
    assert correlation[0, 1] == pytest.approx(0.5, abs=0.02)
    assert correlation[0, 2] == pytest.approx(0.0, abs=0.02)
    assert scores[:, 0].std() == pytest.approx(1.0, abs=0.01)
    assert np.corrcoef(scores[:, 0], scores[:, -1])[0, 1] == pytest.approx(0.5**0.5, abs=0.02)


def test_shocks_are_read_off_the_data(toy: Study) -> None:
    inputs = study_inputs(toy)
    found = {f.name: {inputs.names[i] for i in f.inputs} for f in common_factors(toy, inputs)}
    assert found["weather"] == {"ships", "weather"}
    assert {"documents:AAA", "servers:AAA", "scanner:AAA", "fee:AAA"} <= found["state AAA"]
    assert "state BBB" not in found
    assert found["sanctions"] == found["state AAA"]


def test_what_a_variant_sets_is_a_decision(toy: Study, today: ScenarioCompiler) -> None:
    works = ScenarioCompiler.of(toy, study_inputs(toy), "works")
    places = [
        set(zip(cells.table, cells.column, cells.row.tolist(), strict=True))
        for cells in (today.cells, works.cells)
    ]
    assert places[0] - places[1] >= {("stages", "servers", 0)}
    assert places[1] <= places[0] | places[1]


# -- models ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("variant", ["works", "rail_closed"])
def test_patched_models_are_those_of_the_tables(toy: Study, variant: str) -> None:
    compiler = ScenarioCompiler.of(toy, study_inputs(toy), variant)
    assert compiler.is_patched
    assert len(compiler.cells) > 15
    for drawn in cell_values(compiler.cells, sampler_of(toy).scores(0, 4)):
        assert model_differences(compiler.model(drawn), compiler.compiled(drawn)) == []


def test_a_difference_is_seen(toy: Study, today: ScenarioCompiler) -> None:
    drawn = cell_values(today.cells, sampler_of(toy).scores(0, 2))
    found = model_differences(today.model(drawn[0]), today.model(drawn[1]))
    names = ("t_per_day", "pools.pools.matrix", "fee_usd_per_t", "service_wait_h")
    assert {f"model.{name}" for name in names} <= set(found)


def test_readings_are_the_plan_s_indicators(toy: Study, today: ScenarioCompiler) -> None:
    readings = Readings(today.nominal)
    for drawn in cell_values(today.cells, sampler_of(toy).scores(0, 3)):
        model = today.model(drawn)
        problem = model.flow_problem(congestion=True, unmet_usd_per_t=4000.0)
        values = readings.read(model, min_cost_flow(problem, tolerance=1e-6))
        compare_with_plan(readings, values, solve_plan(model, unmet_usd_per_t=4000.0).indicators)


def compare_with_plan(readings: Readings, values: np.ndarray, table: pd.DataFrame) -> None:
    table = table[table["commodity"] == ""]
    columns = ["indicator", "unit", "scope", "direction"]
    expected = {tuple(row[:4]): row[4] for row in table[[*columns, "value"]].to_numpy(object)}
    told = 0
    for key, value in zip(readings.keys, values, strict=True):
        if tuple(key) in expected:
            told += 1
            assert value == pytest.approx(expected[tuple(key)], rel=1e-9, nan_ok=True), key
        else:
            assert value == 0.0, key
    assert told > 25


# -- sweeps ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def serial(toy: Study) -> pd.DataFrame:
    return comparable(sweep(toy, 70, ["today"], seed=5, executor=1).samples)


def comparable(samples: pd.DataFrame) -> pd.DataFrame:
    return samples.drop(columns="seconds")


def test_a_sweep_tells_everything_of_every_sample(toy: Study) -> None:
    found = sweep(toy, 70, ["today", "contradiction"], seed=5, executor=1)
    assert found.assignment == "optimum"
    assert len(found.samples) == 140
    counts = found.statuses.set_index("variant")["samples"].to_dict()
    assert counts["contradiction"] == 70
    no_flow = found.samples[found.samples["variant"] == "contradiction"]
    assert (no_flow["status"] == "infeasible").all()
    assert (no_flow["reason"] == "scan_all").all()
    rows = found.distributions.set_index(["variant", "indicator", "scope", "direction"])
    cost = rows.loc[("today", "total_cost", "", "")]
    values = found.samples.loc[found.samples["variant"] == "today", "total_cost.musd_per_year"]
    assert cost["samples"] == 70
    assert cost["mean"] == pytest.approx(values.mean())
    assert cost["standard_error"] == pytest.approx(values.std() / 70**0.5)
    assert cost["p5"] < cost["p50"] < cost["p95"] < cost["cvar_high"]
    worst = np.sort(values)[::-1]
    assert cost["cvar_high"] == pytest.approx((worst[:3].sum() + 0.5 * worst[3]) / 3.5)
    assert rows.loc[("contradiction", "total_cost", "", ""), "samples"] == 0
    solved = found.samples[found.samples["status"].isin(["optimal", "partial"])]
    assert (solved["gap"] <= TOLERANCE).all()
    assert found.samples["status"].isin(["optimal", "partial", "infeasible"]).all()


def test_the_optimum_of_a_sample_is_that_of_its_tables(
    toy: Study, today: ScenarioCompiler, serial: pd.DataFrame
) -> None:
    for row, drawn in enumerate(cell_values(today.cells, sampler_of(toy, 5).scores(0, 3))):
        plan = solve_plan_of(drawn_case(today.case, today.cells, drawn))
        value = serial["total_loss.musd_per_year"].iloc[row]
        assert value == pytest.approx(plan, rel=TOLERANCE)


def solve_plan_of(case) -> float:  # noqa: ANN001 (a Case)
    from corridor.planning import plan

    indicators = plan(*case, unmet_usd_per_t=4000.0).indicators
    return float(indicators.set_index("indicator").at["total_loss", "value"])


def test_a_sample_that_fails_is_counted_and_told(
    toy: Study, serial: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    from corridor.study.uncertainty import chunks

    _, desk = prepared(toy, ["today"], 5)
    solve, calls = chunks.solve_model, []

    def fails_twice(*args: object) -> object:
        calls.append(args)
        if len(calls) in (3, 65):
            msg = "The program is badly scaled."
            raise SolverError(msg)
        return solve(*args)

    monkeypatch.setattr(chunks, "solve_model", fails_twice)
    parts = [desk.solve(task) for task in chunks.tasks_of(["today"], 70)]
    keys = desk.compiler("today")[1].keys
    samples = sample_table(parts, keys)
    bad = samples[samples["status"] == "unknown"]
    assert bad["sample"].tolist() == [2, 64]
    assert (bad["reason"] == "The program is badly scaled.").all()
    assert bad["total_cost.musd_per_year"].isna().all()
    assert len(samples) == 70
    counts = status_table(samples).set_index("status")[["samples", "share"]].to_dict("index")
    assert counts["unknown"] == {"samples": 2, "share": pytest.approx(2 / 70)}
    assert sum(row["samples"] for row in counts.values()) == 70
    rows = distribution_table(samples, key_table(keys)).set_index("indicator")
    assert rows.loc["total_cost", "samples"] == 68
    # The others are what they are without a failure.
    good = comparable(samples)[samples["status"] != "unknown"]
    pd.testing.assert_frame_equal(good, serial.drop(index=[2, 64]), check_exact=True)


def test_demand_drives_the_cost_of_the_toy(toy: Study) -> None:
    found = sweep(toy, 128, ["today", "slow"], seed=1, executor=1)
    first = found.tornado("today", "served", 3)
    assert first["input"].iloc[0].startswith("demand/base/A1/B1")
    assert first["rank_correlation"].iloc[0] > 0.7
    assert first["sobol_first"].iloc[0] > 0.4
    assert first["low"].iloc[0] < first["high"].iloc[0]
    odds = found.probabilities.set_index(["variant", "other", "indicator"])["probability"]
    assert odds["today", "slow", "total_loss"] == 1.0
    assert odds["slow", "today", "total_loss"] == 0.0
    with pytest.raises(InputError, match="none of 'luck' of 'today'"):
        found.tornado("today", "luck")


def test_processes_give_the_same_bits(toy: Study, serial: pd.DataFrame) -> None:
    found = sweep(toy, 70, ["today"], seed=5, executor=2)
    pd.testing.assert_frame_equal(comparable(found.samples), serial, check_exact=True)


def test_fewer_samples_are_the_first_of_more(toy: Study, serial: pd.DataFrame) -> None:
    found = comparable(sweep(toy, 20, ["today"], seed=5, executor=1).samples)
    pd.testing.assert_frame_equal(found, serial.iloc[:20], check_exact=True)


# -- checkpoints -----------------------------------------------------------------------------------


def test_an_interrupt_returns_what_is_done_and_the_checkpoint_goes_on(
    toy: Study, serial: pd.DataFrame, tmp_path: Path
) -> None:
    file = tmp_path / "sweep.parquet"

    def stop(done: int, *_: object) -> None:
        if done >= 64:
            raise KeyboardInterrupt

    part = sweep(toy, 70, ["today"], 5, executor=1, checkpoint=file, progress=stop)
    assert part.limit == "interrupt"
    assert len(part.samples) == 64
    assert len(pd.read_parquet(file)) == 64
    told: list[tuple[int, int, str]] = []
    whole = sweep(
        toy, 70, ["today"], 5, executor=1, checkpoint=file,
        progress=lambda *step: told.append(step),
    )  # fmt: skip
    assert told == [(70, 70, "today, 0 s left")]
    assert whole.limit == ""
    pd.testing.assert_frame_equal(comparable(whole.samples), serial, check_exact=True)
    assert len(pd.read_parquet(file)) == 70
    assert list(tmp_path.iterdir()) == [file]


def test_parts_of_a_killed_run_are_taken_up(
    toy: Study, serial: pd.DataFrame, tmp_path: Path
) -> None:
    from corridor.study.uncertainty.checkpoints import Checkpoint

    file = tmp_path / "sweep.parquet"
    _, desk = prepared(toy, ["today"], 5)
    names = list(serial.columns[5:])
    book = Checkpoint(file, identity(toy, 5), names)
    book.add(desk.solve(Task("today", 0, 64)))  # and then the machine goes down
    assert not file.exists()
    told: list[int] = []
    found = sweep(
        toy, 70, ["today"], 5, executor=1, checkpoint=file,
        progress=lambda done, *_: told.append(done),
    )  # fmt: skip
    assert told == [70]
    pd.testing.assert_frame_equal(comparable(found.samples), serial.iloc[:70], check_exact=True)


def test_a_foreign_checkpoint_is_refused(toy: Study, tmp_path: Path) -> None:
    file = tmp_path / "sweep.parquet"
    sweep(toy, 2, ["today"], seed=5, executor=1, checkpoint=file)
    before = file.read_bytes()
    with pytest.raises(InputError, match="seed '5' instead of '6'"):
        sweep(toy, 2, ["today"], seed=6, executor=1, checkpoint=file)
    other = write_sweep_study(tmp_path / "other")
    (other / "data" / "ranges.csv").write_text(RANGES.replace("40,70", "41,70"), encoding="utf-8")
    with pytest.raises(InputError, match="same study, version and seed"):
        sweep(load_study(other), 2, ["today"], seed=5, executor=1, checkpoint=file)
    assert file.read_bytes() == before
    bad = tmp_path / "bad.parquet"
    bad.write_text("no parquet")
    with pytest.raises(InputError, match="Parquet file of a sweep"):
        sweep(toy, 2, ["today"], executor=1, checkpoint=bad)
    with pytest.raises(InputError, match="existing folder"):
        sweep(toy, 2, ["today"], executor=1, checkpoint=tmp_path / "none" / "x.parquet")


# -- bad input -------------------------------------------------------------------------------------


def test_ranges_upside_down_are_refused(toy: Study) -> None:
    import dataclasses

    frame = toy.network.ranges
    turned = toy.network.replace(ranges=frame.assign(low=frame["high"] + 1.0))
    with pytest.raises(InputError, match=r"ranges.csv.*low <= high"):
        sweep(dataclasses.replace(toy, network=turned), 2)


def test_a_study_without_ranges_is_refused(study: Study) -> None:
    with pytest.raises(InputError, match="has none"):
        sweep(study, 2)


def test_arguments_out_of_range_are_refused(toy: Study) -> None:
    with pytest.raises(InputError, match="samples must be a whole number >= 1"):
        sweep(toy, 0)
    with pytest.raises(InputError, match="at least 1 process"):
        sweep(toy, 2, ["today"], executor=0)
    with pytest.raises(InputError, match="must be one of"):
        sweep(toy, 2, ["tody"])
    with pytest.raises(InputError, match="executor must be"):
        sweep(toy, 2, ["today"], executor=2.5)  # type: ignore[arg-type]


def test_a_chunk_knows_its_length() -> None:
    chunk = Chunk(
        variant="v", first=0, status=("optimal",), reason=("",), gap=np.zeros(1),
        seconds=np.zeros(1), values=np.zeros((1, 2)),
    )  # fmt: skip
    assert len(chunk) == 1
