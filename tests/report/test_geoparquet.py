import sys
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest

from corridor import InputError, MissingExtraError
from corridor.report.files import geoparquet
from corridor.report.files.geoparquet import FILES, write_geoparquet
from corridor.study import Comparison


def test_layers_hold_what_the_plans_hold(comparison: Comparison, tmp_path: Path) -> None:
    files = write_geoparquet(comparison, tmp_path / "out")
    assert [file.name for file in files] == list(FILES)
    frames = {file.stem: gpd.read_parquet(file) for file in files}
    assert {frame.crs.to_epsg() for frame in frames.values()} == {4326}
    assert all(frame.geometry.is_valid.all() for frame in frames.values())
    flows = frames["flows"]
    assert flows["variant"].unique().tolist() == ["today", "no_road", "no_border"]
    for variant, rows in flows.groupby("variant"):
        assert rows["t_per_day"].sum() == comparison.plans[variant].links["t_per_day"].sum()
    nodes = comparison.study.network.nodes
    pd.testing.assert_series_equal(frames["nodes"]["lon"], nodes["lon"])


def test_other_files_stay_and_old_ones_are_replaced(comparison: Comparison, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "flows.parquet").write_text("old")
    write_geoparquet(comparison, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"notes.txt", *FILES}
    assert len(gpd.read_parquet(tmp_path / "flows.parquet"))


def test_failure_leaves_the_folder_as_it_was(
    comparison: Comparison, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object, file: Path, **__: object) -> None:
        if file.name == "differences.parquet":
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(gpd.GeoDataFrame, "to_parquet", fail)
    with pytest.raises(OSError, match="No space left"):
        write_geoparquet(comparison, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_folder_must_not_be_a_file(comparison: Comparison, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    for folder in ("out", "nowhere/out"):
        with pytest.raises(InputError, match="must go into a folder"):
            write_geoparquet(comparison, tmp_path / folder)


def test_missing_library_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'corridor\[parquet\]'"):
        geoparquet.require_pyarrow()
