"""What holds for any variant: changes reach the cells they name and no others."""

from hypothesis import given, settings
from hypothesis import strategies as st

from corridor.network import TABLES, Network
from corridor.study.changes import changed_tables, variant_faults
from corridor.study.variants import CellChange, Variant
from tests.study.toy import toy_frames

NETWORK = Network.from_tables(**toy_frames(), name="toy")
LINKS = NETWORK.links["link_id"].tolist()
CROSSINGS = NETWORK.crossings["crossing_id"].tolist()


@settings(max_examples=40)
@given(st.sets(st.sampled_from(LINKS + CROSSINGS)), st.sets(st.sampled_from(LINKS + CROSSINGS)))
def test_open_and_close_touch_what_they_name(opened: set[str], closed: set[str]) -> None:
    closed -= opened
    variant = Variant(id="v", title="v", open=tuple(sorted(opened)), close=tuple(sorted(closed)))
    assert not variant_faults(NETWORK, variant, "study.toml")
    tables = changed_tables(NETWORK, variant)
    network = NETWORK.replace(**tables)
    for table, column in (("links", "link_id"), ("crossings", "crossing_id")):
        frame, before = network.table(table), NETWORK.table(table)
        for name, status, was in zip(frame[column], frame["status"], before["status"], strict=True):
            wanted = "open" if name in opened else "broken" if name in closed else was
            assert status == wanted
        others = [c for c in frame if c not in ("status", "opens")]
        assert frame[others].equals(before[others])


@given(
    st.sampled_from(LINKS),
    st.sampled_from(["speed_kmh", "length_km", "cost_usd_per_t"]),
    st.floats(0.5, 1e6, allow_subnormal=False),
)
def test_a_set_number_arrives_exactly(link: str, column: str, value: float) -> None:
    cell = CellChange(table="links", key=link, column=column, value=value)
    frame = changed_tables(NETWORK, Variant(id="v", title="v", set=(cell,)))["links"]
    assert frame.loc[frame["link_id"] == link, column].item() == value
    assert frame.drop(columns=column).equals(NETWORK.links.drop(columns=column))
    text = CellChange(table="links", key=link, column=column, value=repr(value))
    same = changed_tables(NETWORK, Variant(id="v", title="v", set=(text,)))["links"]
    assert same.equals(frame)


@given(st.text(max_size=8), st.text(max_size=8), st.text(max_size=8), st.text(max_size=8))
def test_any_text_is_a_fault_or_a_change(table: str, key: str, column: str, value: str) -> None:
    cell = CellChange(table=table, key=key, column=column, value=value)
    variant = Variant(id="v", title="v", set=(cell,))
    faults = variant_faults(NETWORK, variant, "study.toml")
    assert faults or (table in TABLES and key in NETWORK.rows[table].keys)
