"""What is written is read back, and no bytes whatever crash the reader."""

import tempfile
from pathlib import Path

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from corridor.network.schema import TABLES, Column, Kind
from corridor.network.tables import read_table, type_table, write_csv

TABLE = TABLES["commodities"]

# What a file cannot keep: surrogates, and space at the ends, which is cut. A text that stands for a
# blank (NA, null, inf) is refused by design.
STAND_INS = ("null", "none", "#n/a", "<na>", "-inf", "+inf")
plain = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Z")), min_size=4, max_size=12
).filter(lambda text: text == text.strip() and text.casefold() not in STAND_INS)
ids = st.from_regex("[A-Za-z][A-Za-z0-9_-]{3,8}", fullmatch=True)


def cell(column: Column) -> st.SearchStrategy[object]:
    if column.kind is Kind.BOOL:
        return st.booleans()
    if column.kind.numeric:
        low = 1e-6 if column.above else (column.low or 0.0)
        value = st.floats(low, column.high if column.high is not None else 1e9)
        return value | st.none() if column.blank else value
    if column.kind is Kind.WORD:
        return st.sampled_from(column.words) | st.none()
    return plain | st.none() if column.blank else plain


rows = st.fixed_dictionaries(
    {column.name: cell(column) for column in TABLE.columns if column.name != "commodity_id"}
    | {"note": plain}
)


@settings(deadline=None, max_examples=60)
@given(st.dictionaries(ids, rows, min_size=1, max_size=6))
def test_a_table_written_and_read_is_the_same(content: dict[str, dict[str, object]]) -> None:
    frame = pd.DataFrame([{"commodity_id": key, **row} for key, row in content.items()])
    typed, faults = type_table(TABLE, frame)
    assert faults == []
    with tempfile.TemporaryDirectory() as parent:
        write_csv({"commodities": typed.frame}, Path(parent) / "set")
        again, faults = read_table(TABLE, Path(parent) / "set" / TABLE.file)
    assert faults == []
    pd.testing.assert_frame_equal(again.frame, typed.frame, check_dtype=False)
    for name in TABLE.names:
        assert again.frame[name].dtype == typed.frame[name].dtype


@settings(deadline=None, max_examples=150)
@given(st.binary(max_size=200), st.sampled_from(list(TABLES)), st.sampled_from(["", "{names}\n"]))
def test_any_bytes_are_read_or_reported(content: bytes, name: str, header: str) -> None:
    table = TABLES[name]
    start = header.format(names=",".join(table.names)).encode()
    with tempfile.TemporaryDirectory() as parent:
        path = Path(parent) / table.file
        path.write_bytes(start + content)
        typed, faults = read_table(table, path)
    assert list(typed.frame.columns)[: len(table.names)] == list(table.names)
    assert len(typed.frame) == len(typed.lines) == len(typed.keys)
    for fault in faults:
        assert fault.file == table.file
        str(fault).encode("utf-8")
