"""Published times: what is compared with what, the statistics, and the committed document."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from corridor.errors import InputError
from corridor.planning import compile_model, find_itineraries, single_shipments
from corridor.study import (
    Study,
    TargetCheck,
    check_targets,
    check_volumes,
    load_study,
    validation_markdown,
)
from corridor.study.validation.targets import usable_layers

DOCUMENT = Path(__file__).parents[2] / "docs" / "validation.md"


@pytest.fixture(scope="module")
def check(study: Study) -> TargetCheck:
    return check_targets(study)


def _row(check: TargetCheck, label: str) -> dict[str, object]:
    return check.rows.set_index("label").loc[label].to_dict()


def test_a_schedule_knows_no_border(check: TargetCheck) -> None:
    row = _row(check, "t1")
    # 120 + 6 + 110 km of road at 60 km/h; the posts are not in a timetable.
    assert row["modelled"] == pytest.approx(236 / 60)
    assert row["verdict"] == "inside"
    assert row["error"] == pytest.approx(236 / 60 / 4 - 1)


def test_ends_are_in_means_and_in_no_schedule(study: Study, check: TargetCheck) -> None:
    network = study.network
    rows = dict(network.rows)
    layers = rows["layers"].frame.assign(end_h=[5.0, 24.0, 24.0])
    rows["layers"] = replace(rows["layers"], frame=layers)
    found = check_targets(replace(study, network=replace(network, rows=rows)))
    assert _row(found, "t1")["modelled"] == pytest.approx(_row(check, "t1")["modelled"])
    ends_h = (_row(found, "t3")["modelled"] - _row(check, "t3")["modelled"]) * 24
    assert ends_h == pytest.approx(5.0 + 24.0)  # t3 sets out by road and arrives by rail


def test_a_mean_is_the_whole_way(study: Study, check: TargetCheck) -> None:
    network, _, rules = study.case("today")
    model = compile_model(network, single_shipments(network, [("A2", "B2", "containers")]), rules)
    way = find_itineraries(model, 0)[0]
    assert _row(check, "t3")["modelled"] == pytest.approx(way.time_h / 24)


def test_wide_bands_and_unknown_places_are_kept_out(check: TargetCheck) -> None:
    assert _row(check, "t2")["verdict"] == "no evidence"
    assert _row(check, "t4")["verdict"] == "no route"
    assert "XX" in str(_row(check, "t4")["detail"])
    assert _row(check, "p4")["verdict"] == "no post"
    by_group = check.statistics.set_index(["group", "role"])["n"]
    assert by_group.loc[("od", "fit")] == 1
    assert by_group.loc[("od", "holdout")] == 1


def test_hours_held_elsewhere_are_added_at_posts(check: TargetCheck) -> None:
    assert _row(check, "p2")["modelled"] == pytest.approx(
        float(str(_row(check, "p1")["modelled"])) + 0.25
    )
    # Documents take 12 min, and a fifth of the trucks is scanned for 20 min.
    assert _row(check, "p1")["modelled"] == pytest.approx(16 / 60, rel=0.05)


def test_holdout_posts_are_told_apart(check: TargetCheck) -> None:
    assert _row(check, "p2")["group"] == "post, another year of a fitted post"
    assert _row(check, "p3")["group"] == "post, not fitted"


def test_the_naive_rival_knows_fit_rows_only(check: TargetCheck) -> None:
    # One fit row: 236 km in the 4 h of its band.
    row = _row(check, "t1")
    assert row["naive"] == pytest.approx(4.0)
    assert _row(check, "p2")["naive"] == pytest.approx(0.25)
    assert _row(check, "p3")["naive"] == pytest.approx(0.25)


def test_statistics_follow_from_the_rows(check: TargetCheck) -> None:
    judged = check.rows[check.rows["verdict"].isin(["inside", "below", "above"])]
    for stat in check.statistics.to_dict("records"):
        part = judged[(judged["group"] == stat["group"]) & (judged["role"] == stat["role"])]
        assert stat["n"] == len(part)
        if len(part):
            assert stat["mape"] == pytest.approx(part["error"].abs().mean())
            assert stat["median_ape"] == pytest.approx(part["error"].abs().median())


def test_layers_of_a_publication(study: Study) -> None:
    network = study.network
    assert usable_layers(network, "any") is None
    assert usable_layers(network, "road") == {"road"}
    assert usable_layers(network, "rail") == {"rail1520", "rail1435"}
    assert usable_layers(network, "rail1435+road") == {"rail1435", "road"}


def test_without_targets_there_is_nothing_to_check(study: Study) -> None:
    none = study.network.targets.iloc[:0]
    with pytest.raises(InputError, match=r"targets\.csv"):
        check_targets(replace(study, network=study.network.replace(targets=none)))


def test_the_document_has_every_row_and_its_misses(check: TargetCheck) -> None:
    text = validation_markdown(check)
    for label in check.rows["label"]:
        assert f"| {label} |" in text
    assert text == validation_markdown(check)


def test_the_committed_document_is_what_the_data_says() -> None:
    """The statistics in docs/validation.md, and above all the held-out ones, are computed again."""
    if not DOCUMENT.is_file():
        pytest.skip("docs/ is not part of this installation")
    statistics = check_targets(load_study("crossroads")).statistics
    lines = DOCUMENT.read_text(encoding="utf-8").split("## Statistics", 1)[1].split("##", 1)[0]
    printed = {
        tuple(cell.strip() for cell in line.split("|")[1:3]): line.split("|")[3:-1]
        for line in lines.strip().splitlines()[2:]
    }
    assert len(printed) == len(statistics)
    for stat in statistics.to_dict("records"):
        cells = [re.sub(r"[%+ ]", "", cell) for cell in printed[stat["group"], stat["role"]]]
        assert int(cells[0]) == stat["n"]
        said = np.array([float(cell or "nan") for cell in cells[1:4]]) / 100.0
        found = [stat["mape"], stat["median_ape"], stat["mean_error"]]
        np.testing.assert_allclose(found, said, atol=0.02)
        assert int(cells[-1]) == stat["n_fitted"]


def test_the_committed_document_has_the_errors_of_volumes() -> None:
    if not DOCUMENT.is_file():
        pytest.skip("docs/ is not part of this installation")
    statistics = check_volumes(load_study("crossroads", demand="2024")).statistics
    text = DOCUMENT.read_text(encoding="utf-8").split("## Volumes", 1)[1]
    lines = [line.split("|")[1:-1] for line in text.splitlines() if line.startswith("|")]
    printed = {(cells[0].strip(), cells[1].strip()): cells[2:] for cells in lines}
    for stat in statistics.to_dict("records"):
        cells = [re.sub(r"[%+ ]", "", cell) for cell in printed[stat["model"], stat["group"]]]
        assert int(cells[0]) == stat["n"]
        said = np.array([float(cell) for cell in cells[1:4]]) / 100.0
        found = [stat["mean_error"], stat["mape"], stat["median_ape"]]
        np.testing.assert_allclose(found, said, atol=0.02)
