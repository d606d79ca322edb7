from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from corridor.network.schema import TABLES
from corridor.network.tables import read_table, row_keys, type_table

LAYERS = "layer,mode,vehicle,t_per_vehicle,speed_kmh\n"


def layers(tmp_path: Path, body: str, header: str = LAYERS) -> tuple[pd.DataFrame, list[str]]:
    path = tmp_path / "layers.csv"
    path.write_bytes((header + body).encode("utf-8"))
    typed, faults = read_table(TABLES["layers"], path)
    return typed.frame, [f"{fault.row} {fault.key} {fault.column}" for fault in faults]


def test_blanks_are_nan_and_spaces_are_cut(tmp_path: Path) -> None:
    frame, faults = layers(tmp_path, " road , road,truck, 20.5 ,\n\n")
    assert faults == []
    assert frame["layer"].tolist() == ["road"]
    assert frame["t_per_vehicle"].tolist() == [20.5]
    assert np.isnan(frame["speed_kmh"][0])


def test_a_byte_order_mark_and_windows_lines_are_harmless(tmp_path: Path) -> None:
    frame, faults = layers(
        tmp_path, "road,road,truck,20,60\r\n", "\ufeff" + LAYERS.strip() + "\r\n"
    )
    assert faults == []
    assert frame["speed_kmh"].tolist() == [60.0]


@pytest.mark.parametrize(
    "text",
    ["nan", "NaN", "NA", "NULL", "null", "inf", "-inf", "1e999", "1,5".replace(",", "."), "1_000",
     "0x10", "20 t", "--1", "٢٠"],
)  # fmt: skip
def test_only_plain_numbers_are_numbers(tmp_path: Path, text: str) -> None:
    frame, faults = layers(tmp_path, f"road,road,truck,20,{text}\n")
    if text == "1.5":
        assert frame["speed_kmh"].tolist() == [1.5]
        assert faults == []
    else:
        assert faults == ["2 road speed_kmh"]


@pytest.mark.parametrize("text", ["nan", "NA", "NULL", "None"])
def test_a_stand_in_for_a_blank_is_a_fault_in_texts_too(tmp_path: Path, text: str) -> None:
    _, faults = layers(tmp_path, f"road,road,{text},20,60\n")
    assert faults == ["2 road vehicle"]


def test_one_fault_hides_no_other(tmp_path: Path) -> None:
    _, faults = layers(tmp_path, "road,raod,,-20,fast\nroad,road,truck,20,60\n")
    assert faults == [
        "2 road mode",
        "2 road vehicle",
        "2 road t_per_vehicle",
        "2 road speed_kmh",
        "3 road layer",
    ]


def test_short_rows_are_judged_as_far_as_they_go(tmp_path: Path) -> None:
    _, faults = layers(tmp_path, "road,raod\nrail,rail,train,1000,40,50\n")
    assert faults == ["2 road ", "2 road mode", "3 rail "]


def test_a_quote_that_does_not_close_is_a_fault(tmp_path: Path) -> None:
    _, faults = layers(tmp_path, 'road,road,truck,20,60\nrail,"rail,train,1000,40\n')
    assert faults == ["3  "]


def test_a_misspelled_optional_column_is_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "layers.csv"
    path.write_text(LAYERS.replace("speed_kmh", "sped_kmh") + "road,road,truck,20,60\n")
    typed, (fault,) = read_table(TABLES["layers"], path)
    assert fault.warning
    assert "speed_kmh" in fault.expected
    assert typed.frame["sped_kmh"].tolist() == ["60"]


def test_a_frame_is_held_to_the_same_rules_as_a_file() -> None:
    frame = pd.DataFrame(
        {"layer": ["road", "rail"], "mode": ["road", "rail"], "vehicle": ["truck", None],
         "t_per_vehicle": [20, np.inf]}
    )  # fmt: skip
    _, faults = type_table(TABLES["layers"], frame)
    assert [(fault.row, fault.column, fault.found) for fault in faults] == [
        (3, "vehicle", "a blank"),
        (3, "t_per_vehicle", "'inf'"),
    ]
    assert frame["t_per_vehicle"].tolist() == [20, np.inf]


def test_the_key_of_a_template_names_its_layer() -> None:
    frame = pd.DataFrame(
        {
            "crossing_id": ["*", "red-bridge"],
            "country": ["GEO", "GEO"],
            "direction": ["in", "out"],
            "regime": ["", "joint"],
            "order": [1.0, 2.0],
            "class": ["all", "sealed"],
            "layer": ["road", "road"],
        }
    )
    assert row_keys(TABLES["stages"], frame).tolist() == [
        "*/GEO/in//1/all/road",
        "red-bridge/GEO/out/joint/2/sealed",
    ]


def test_numbers_survive_text_bit_by_bit() -> None:
    values = [0.1, 1 / 3, 1e-300, 123456789.123456789, 5e-324]
    frame = pd.DataFrame(
        {"layer": list("abcde"), "mode": ["road"] * 5, "vehicle": ["truck"] * 5,
         "t_per_vehicle": values}
    )  # fmt: skip
    typed, faults = type_table(TABLES["layers"], frame)
    assert faults == []
    assert typed.frame["t_per_vehicle"].tolist() == values
