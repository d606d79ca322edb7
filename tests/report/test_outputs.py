import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from corridor import InputError
from corridor.report import (
    check_folder,
    write_geopackage,
    write_indicators,
    write_outputs,
    write_paths,
    write_ways,
    write_workbook,
)
from corridor.report.files import outputs
from corridor.study import Comparison

NAMES = {
    "indicators.csv",
    "paths.csv",
    "ways.csv",
    "corridor.gpkg",
    "tables.xlsx",
    "report.html",
    "datapackage.json",
}


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def fail(*_: object) -> None:
    raise OSError(28, "No space left on device")


def test_all_files_are_written_into_a_new_folder(comparison: Comparison, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "out"
    files = write_outputs(comparison, folder)
    assert names(folder) == NAMES == {file.name for file in files}
    assert (folder / "indicators.csv").read_text().startswith("variant,indicator,unit,value")


def test_other_files_stay(comparison: Comparison, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "indicators.csv").write_text("old")
    write_outputs(comparison, tmp_path)
    assert names(tmp_path) == NAMES | {"notes.txt"}
    assert (tmp_path / "indicators.csv").read_text() != "old"


def test_files_are_as_readable_as_any_other(comparison: Comparison, tmp_path: Path) -> None:
    (tmp_path / "other").write_text("")
    mode = (tmp_path / "other").stat().st_mode
    assert {file.stat().st_mode for file in write_outputs(comparison, tmp_path)} == {mode}


def test_failure_removes_the_folder_it_made(
    comparison: Comparison, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outputs, "WRITERS", {**outputs.WRITERS, "corridor.gpkg": fail})
    with pytest.raises(OSError, match="No space left"):
        write_outputs(comparison, tmp_path / "new" / "out")
    assert names(tmp_path) == set()


def test_failure_keeps_what_was_there(
    comparison: Comparison, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in NAMES:
        (tmp_path / name).write_text("old")
    monkeypatch.setattr(outputs, "WRITERS", {**outputs.WRITERS, "corridor.gpkg": fail})
    with pytest.raises(OSError, match="No space left"):
        write_outputs(comparison, tmp_path)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == dict.fromkeys(
        NAMES, "old"
    )


def test_failed_move_takes_the_first_one_back(
    comparison: Comparison, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "indicators.csv").write_text("old")
    move = Path.replace

    def move_but_one(self: Path, target: Path) -> Path:
        # Writers move scratch files of their own; only the last move into the folder fails.
        if target == tmp_path / "corridor.gpkg":
            fail()
        return move(self, target)

    monkeypatch.setattr(Path, "replace", move_but_one)
    with pytest.raises(OSError, match="No space left"):
        write_outputs(comparison, tmp_path)
    assert names(tmp_path) == {"indicators.csv"}
    assert (tmp_path / "indicators.csv").read_text() == "old"


def test_folder_must_not_be_a_file(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(InputError, match=r"must go into a folder; .*out' is a file"):
        check_folder(tmp_path / "out")
    with pytest.raises(InputError, match=r"must go into a folder; .*out' is a file"):
        check_folder(tmp_path / "out" / "deeper")


def test_folder_by_the_name_of_an_output_is_refused(tmp_path: Path) -> None:
    (tmp_path / "corridor.gpkg").mkdir()
    with pytest.raises(InputError, match=r"corridor.gpkg must be a file"):
        check_folder(tmp_path, outputs.WRITERS)
    assert names(tmp_path) == {"corridor.gpkg"}


@pytest.mark.parametrize("write", [write_paths, write_ways, write_workbook, write_geopackage])
def test_a_comparison_of_nothing_is_refused(
    comparison: Comparison, tmp_path: Path, write: outputs.Writer
) -> None:
    with pytest.raises(InputError, match="must hold a variant to be written"):
        write(replace(comparison, plans={}), tmp_path / "file")
    assert names(tmp_path) == set()


def test_a_folder_that_may_not_be_written_to(
    comparison: Comparison, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbid(*_: object, **__: object) -> str:
        raise PermissionError(13, "Permission denied", str(tmp_path / "out"))

    # Tests may run as root, whom no mode stops.
    monkeypatch.setattr(tempfile, "mkdtemp", forbid)
    with pytest.raises(PermissionError, match="Permission denied"):
        write_outputs(comparison, tmp_path / "out")
    assert names(tmp_path) == set()


def test_indicators_are_written_whole_or_not_at_all(
    comparison: Comparison, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    file = folder / "indicators.csv"
    write_indicators(comparison, file)
    # Read as text: how exactly a parser rounds is not what is tested.
    back = pd.read_csv(file, keep_default_na=False, dtype=str)
    assert back.columns.tolist() == comparison.indicators.columns.tolist()
    values = [float(text) if text else np.nan for text in back["value"]]
    np.testing.assert_array_equal(values, comparison.indicators["value"])
    first = file.read_bytes()

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="No space"):
        write_indicators(comparison, file)
    assert file.read_bytes() == first
    assert [p.name for p in folder.iterdir()] == ["indicators.csv"]


def test_a_missing_folder_is_an_input_error(comparison: Comparison, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="existing folder"):
        write_indicators(comparison, tmp_path / "none" / "indicators.csv")


def test_paths_and_ways_together_are_the_paths_of_the_plans(
    comparison: Comparison, tmp_path: Path
) -> None:
    write_paths(comparison, tmp_path / "paths.csv")
    write_ways(comparison, tmp_path / "ways.csv")
    paths, ways = (
        pd.read_csv(tmp_path / name, keep_default_na=False) for name in ("paths.csv", "ways.csv")
    )
    assert ways["links"].is_unique
    assert len(ways) < len(paths), "a way that several variants take stands there once"
    joined = paths.merge(ways, on="way_id", validate="many_to_one")
    for variant, plan in comparison.plans.items():
        rows = joined[joined["variant"] == variant]
        for name in ("origin", "destination", "commodity", "links", "crossings", "countries"):
            assert rows[name].tolist() == plan.paths[name].tolist()
        for name in ("t_per_day", "time_h", "cost_usd_per_t"):
            assert rows[name].tolist() == pytest.approx(plan.paths[name].tolist(), rel=1e-5)
