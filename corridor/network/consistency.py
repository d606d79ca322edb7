"""Checks across the tables of a network: ids, borders, posts, and what points where.

Every check takes the typed tables and returns faults; none raises. Blanks are skipped: a required
cell that is blank or wrong has been reported where it stands.
"""

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from corridor.errors import Fault
from corridor.network.defaults import matching_defaults, ranked_defaults, stage_layers
from corridor.network.schema import (
    BORDER_LINK_LIMIT_KM,
    LAND_MODES,
    TABLES,
    TEMPLATE,
    Column,
    Kind,
    Table,
)
from corridor.network.tables import TypedTable, check_value, is_within, shown

Rows = Mapping[str, TypedTable]
BoolArray = NDArray[np.bool_]
ObjectArray = NDArray[np.object_]

_TOML_TABLES: Final = ("rules", "study")
"""Parts of a data set outside its tables that a range may name; their readers check them."""


def structural_faults(rows: Rows) -> list[Fault]:
    """Return what is wrong across the tables of a network, in the order of tables and lines."""
    checks = (
        reference_faults,
        citation_faults,
        end_faults,
        border_faults,
        crossing_faults,
        stage_faults,
        post_faults,
        unfilled_faults,
        service_faults,
        screenline_faults,
        project_faults,
        default_faults,
        measure_faults,
    )
    return in_order(rows, [fault for check in checks for fault in check(rows)])


def demand_faults(rows: Rows) -> list[Fault]:
    """Return what is wrong between the demand, the nodes and the commodities."""
    only = {name: rows[name] for name in ("sources", "nodes", "commodities", "demand")}
    demand = only["demand"]
    faults = [*_references(only, demand), *_citations(only, demand), *_same(demand, "demand")]
    return in_order(only, [*faults, *_flag_faults(demand, only["nodes"])])


def _flag_faults(demand: TypedTable, nodes: TypedTable) -> Iterable[Fault]:
    """Warn of carriers from states without a node: one letter wrong, and rules pass them by."""
    flag = demand.frame["flag"]
    states = set(nodes.frame["country"].tolist())
    for row in np.flatnonzero((flag != "") & ~flag.isin(states)) if nodes.whole else ():
        yield demand.fault(
            int(row),
            "flag",
            found=repr(str(flag.iloc[row])),
            expected="a state of nodes.csv, unless carriers of a third state are meant",
            remedy="check the spelling; rules for a state's carriers go by it",
            warning=True,
        )


def first_causes(faults: Iterable[Fault], consequences: Iterable[Fault]) -> list[Fault]:
    """Join the faults of single tables with those across tables, each mistake once.

    A cell that could not be read is a blank to the later checks; what they say about that cell,
    its ragged row, or a column that is missing, is no news.
    """
    told = list(faults)
    cells = {(fault.file, fault.row, fault.column) for fault in told if not fault.warning}
    columns = {(file, column) for file, row, column in cells if row == 1}
    ragged = {(file, row) for file, row, column in cells if row > 1 and not column}
    for fault in consequences:
        place = (fault.file, fault.row, fault.column)
        known = place in cells or (fault.file, fault.column) in columns
        if not known and (fault.file, fault.row) not in ragged:
            told.append(fault)
            if not fault.warning:
                cells.add(place)
    return told


def in_order(rows: Rows, faults: Iterable[Fault]) -> list[Fault]:
    """Sort faults: those of whole files first, then by table, line and column."""
    place = {table.table.file: number for number, table in enumerate(rows.values())}
    column = {
        (table.table.file, name): number
        for table in rows.values()
        for number, name in enumerate(table.table.names)
    }
    return sorted(
        faults,
        key=lambda fault: (
            fault.row > 0 or fault.column != "",
            place.get(fault.file, len(place)),
            fault.row,
            column.get((fault.file, fault.column), len(column)),
        ),
    )


# --- ids and citations ------------------------------------------------------------------------


def reference_faults(rows: Rows) -> Iterable[Fault]:
    """Report ids that no row of the table they refer to has."""
    for table in rows.values():
        yield from _references(rows, table)


def _references(rows: Rows, table: TypedTable) -> Iterable[Fault]:
    for column in table.table.columns:
        if column.kind is Kind.REFERENCE:
            known = [rows[name] for name in column.refers if name in rows]
            if column.name == "source" and not (known and known[0].exists):
                continue  # a data set without sources.csv may cite what it likes
            yield from _unknown_ids(table, column, known)


def _unknown_ids(table: TypedTable, column: Column, known: list[TypedTable]) -> Iterable[Fault]:
    texts = table.frame[column.name]
    ids = {str(key) for other in known for key in other.frame[other.table.key[0]].tolist()}
    unknown = np.flatnonzero((~texts.isin([*ids, *column.words, ""])).to_numpy(dtype=bool))
    if not len(unknown) or not all(other.whole for other in known):
        return
    if not any(other.exists for other in known):
        if not any(other.table.required for other in known):  # else the file itself is reported
            yield _missing_table(table, column, known, len(unknown))
        return
    for row in unknown:
        text = str(texts.iloc[row])
        near = get_close_matches(text, ids, n=1)
        yield table.fault(
            int(row),
            column.name,
            found=shown(text),
            expected=column.expected,
            remedy=f"perhaps {near[0]!r}" if near else "add that row or correct the id",
        )


def _missing_table(
    table: TypedTable, column: Column, known: list[TypedTable], n_rows: int
) -> Fault:
    files = " or ".join(other.table.file for other in known)
    return Fault(
        file=known[0].table.file,
        found="no such file",
        expected=f"{files}: {n_rows} rows of {table.table.file} name its ids in {column.name}",
        remedy="add it, or leave that column blank",
    )


def citation_faults(rows: Rows) -> Iterable[Fault]:
    """Report rows without source or confidence, where the data set has a sources table."""
    for table in rows.values():
        yield from _citations(rows, table)


def _citations(rows: Rows, table: TypedTable) -> Iterable[Fault]:
    if not rows["sources"].exists or not table.table.cited or not table.exists:
        return
    for name in ("source", "confidence"):
        blank = (table.frame[name] == "").to_numpy(dtype=bool)
        expected = table.table.column(name).expected
        remedy = "say where each row comes from and how well it is known"
        if len(blank) > 1 and blank.all():
            found = f"a blank in all {len(blank)} rows"
            yield Fault(
                file=table.table.file,
                row=1,
                column=name,
                found=found,
                expected=expected,
                remedy=remedy,
            )
        else:
            yield from _each(table, blank, name, found="a blank", expected=expected, remedy=remedy)


# --- links and borders ------------------------------------------------------------------------


_PAIRS: Final[Mapping[str, tuple[str, str]]] = {
    "links": ("from_node", "to_node"),
    "terminals": ("from_layer", "to_layer"),
    "crossings": ("country_a", "country_b"),
    "demand": ("origin", "destination"),
}
"""Columns that must differ."""


def end_faults(rows: Rows) -> Iterable[Fault]:
    """Report rows whose two ends are one."""
    for name in ("links", "terminals", "crossings"):
        yield from _same(rows[name], name)


def _same(table: TypedTable, name: str) -> Iterable[Fault]:
    first, second = _PAIRS[name]
    same = (table.frame[first] == table.frame[second]) & (table.frame[first] != "")
    return _each(
        table,
        same,
        second,
        found=f"the {first} itself",
        expected=f"another than {first}",
        remedy="correct it or remove the row",
    )


def border_faults(rows: Rows) -> Iterable[Fault]:
    """Report links over a border without a crossing, and border links that are too long.

    A border on land is two border posts joined by a link of at most 10 km.
    """
    links = rows["links"]
    start, end = link_countries(rows)
    known = (start != "") & (end != "")
    bare = known & (start != end) & (links.frame["crossing_id"] == "").to_numpy(dtype=bool)
    for row in np.flatnonzero(bare):
        yield links.fault(
            int(row),
            "crossing_id",
            found=f"a blank on a link from {start[row]} to {end[row]}",
            expected="the crossing of a link that joins two states",
            remedy="name its crossing, or end the link at a border post",
        )
    named = links.frame["crossing_id"].isin(rows["crossings"].frame["crossing_id"])
    over = named.to_numpy(dtype=bool) & on_land(rows)
    yield from _each(
        links,
        over & (links.frame["length_km"] > BORDER_LINK_LIMIT_KM).to_numpy(dtype=bool),
        "length_km",
        found="a border link of more than 10 km",
        expected=f"at most {BORDER_LINK_LIMIT_KM:g} km between the two border posts",
        remedy="put the posts at the border and the rest on links inside the states",
    )
    yield from _ends_that_are_no_posts(rows, over)


def _ends_that_are_no_posts(rows: Rows, over: BoolArray) -> Iterable[Fault]:
    links, nodes = rows["links"], rows["nodes"]
    kind = _lookup(nodes, "kind")
    for column in ("from_node", "to_node"):
        kinds = _mapped(links.frame[column], kind)
        wrong = over & (kinds != "") & (kinds != "border_post")
        for row in np.flatnonzero(wrong):
            yield links.fault(
                int(row),
                column,
                found=f"{links.frame[column].iloc[row]!r}, a {kinds[row]}",
                expected="a node of kind border_post at each end of a border link",
                remedy="add a border post, or correct the kind of the node",
            )


def crossing_faults(rows: Rows) -> Iterable[Fault]:
    """Report crossings without a link, and links that join other states or another layer."""
    links, crossings = rows["links"], rows["crossings"]
    known = set(crossings.frame["crossing_id"].tolist())
    unused = ~crossings.frame["crossing_id"].isin(set(links.frame["crossing_id"].tolist()))
    unclear = links.doubtful("crossing_id") | ~links.frame["crossing_id"].isin({*known, ""})
    if links.whole and links.exists and unused.sum() > unclear.sum():
        yield from _each(
            crossings,
            unused,
            "crossing_id",
            found="no link that names this crossing",
            expected="its border or sea link in links.csv",
            remedy="name it in crossing_id of a link, or remove the row",
        )
    yield from _links_of_other_states(rows)
    layers = _lookup(rows["layers"], "layer")
    layer_of = {name: layers.get(layer, "") for name, layer in _lookup(crossings, "layer").items()}
    layer = _mapped(links.frame["crossing_id"], layer_of)
    own = _mapped(links.frame["layer"], layers)
    for row in np.flatnonzero((layer != "") & (own != "") & (layer != own)):
        crossing = links.frame["crossing_id"].iloc[row]
        yield links.fault(
            int(row),
            "layer",
            found=repr(str(own[row])),
            expected=f"{layer[row]!r}, the layer of crossing {crossing!r}",
            remedy="correct the layer here or in crossings.csv",
        )


def _links_of_other_states(rows: Rows) -> Iterable[Fault]:
    links, crossings = rows["links"], rows["crossings"]
    start, end = link_countries(rows)
    first = _mapped(links.frame["crossing_id"], _lookup(crossings, "country_a"))
    second = _mapped(links.frame["crossing_id"], _lookup(crossings, "country_b"))
    known = (start != "") & (end != "") & (first != "") & (second != "") & (first != second)
    agrees = ((start == first) & (end == second)) | ((start == second) & (end == first))
    for row in np.flatnonzero(known & ~agrees):
        crossing = links.frame["crossing_id"].iloc[row]
        yield links.fault(
            int(row),
            "crossing_id",
            found=f"{crossing!r} of {first[row]} and {second[row]}",
            expected=f"a crossing of {start[row]} and {end[row]}, which the link joins",
            remedy="name another crossing, or correct its states",
        )


def link_countries(rows: Rows) -> tuple[ObjectArray, ObjectArray]:
    """Return the states of the two ends of each link, ``""`` where unknown."""
    country = _lookup(rows["nodes"], "country")
    frame = rows["links"].frame
    return _mapped(frame["from_node"], country), _mapped(frame["to_node"], country)


def on_land(rows: Rows) -> BoolArray:
    """Return which links are of a road or rail layer, bool of shape (n_links,)."""
    mode = _mapped(rows["links"].frame["layer"], _lookup(rows["layers"], "mode"))
    return np.isin(mode.astype(str), LAND_MODES)


# --- posts ------------------------------------------------------------------------------------


def stage_faults(rows: Rows) -> Iterable[Fault]:
    """Report stages of a state that the crossing does not touch, and templates without a layer."""
    stages, crossings = rows["stages"], rows["crossings"]
    frame = stages.frame
    country = np.array(frame["country"].tolist(), dtype=object)
    first = _mapped(frame["crossing_id"], _lookup(crossings, "country_a"))
    second = _mapped(frame["crossing_id"], _lookup(crossings, "country_b"))
    known = (country != "") & (first != "") & (second != "") & (first != second)
    for row in np.flatnonzero(known & (country != first) & (country != second)):
        yield stages.fault(
            int(row),
            "country",
            found=repr(str(country[row])),
            expected=f"{first[row]} or {second[row]}, the states of the crossing",
            remedy="correct the state or the crossing",
        )
    yield from _each(
        stages,
        (frame["crossing_id"] == TEMPLATE) & (frame["layer"] == ""),
        "layer",
        found="a blank in a template",
        expected="the layer whose posts the template serves",
        remedy="name the layer",
    )


def post_faults(rows: Rows) -> Iterable[Fault]:
    """Report posts without stages: each state, in each direction its links allow.

    A post is worked by rows of its own or, without any, by the templates of its state and layer,
    and among them by those of the crossing's regime or of every regime. A network without any stage
    is left alone.
    """
    stages, crossings = rows["stages"], rows["crossings"]
    if not len(stages.frame) or not (stages.whole and crossings.whole):
        return
    served = _served_posts(rows)
    unclear = _unclear_stages(rows)
    layers = _lookup(rows["layers"], "layer")
    columns = (crossings.frame[name].tolist() for name in ("crossing_id", "layer", "regime"))
    at = {
        name: (place, layer, regime)
        for place, (name, layer, regime) in enumerate(zip(*columns, strict=True))
    }
    for crossing, country, direction in sorted(_posts(rows)):
        place, layer, regime = at[crossing]
        own, templates = (crossing, country, direction), (layer, country, direction)
        regimes = served.get(own, set()) | served.get(templates, set())
        perhaps = any(
            all(said in ("", asked) for said, asked in zip(part, own, strict=True))
            for part in unclear
        )
        if not regimes & {"", regime} and not perhaps and layer in layers:
            yield crossings.fault(
                place,
                "crossing_id",
                found=f"no stage of {country} {direction} under the regime {regime!r}",
                expected=f"rows in stages.csv, or a template of {country} for layer {layer!r}",
                remedy="add the stages of that post",
            )


def _unclear_stages(rows: Rows) -> list[tuple[str, str, str]]:
    """Return crossing, state and direction of stage rows at fault there, ``""`` where at fault.

    Such a row may have been meant for any post that agrees with the rest of it.
    """
    stages, crossings = rows["stages"], rows["crossings"]
    frame = stages.frame
    known = set(crossings.frame["crossing_id"].tolist()) - {TEMPLATE}
    lost = stages.doubtful("crossing_id", "country", "direction", "layer", "regime")
    lost |= ~frame["crossing_id"].isin({*known, TEMPLATE}).to_numpy(dtype=bool)
    lost |= (frame["layer"] != "") & ~frame["layer"].isin(rows["layers"].frame["layer"])
    first = _mapped(frame["crossing_id"], _lookup(crossings, "country_a"))
    second = _mapped(frame["crossing_id"], _lookup(crossings, "country_b"))
    country = np.array(frame["country"].tolist(), dtype=object)
    foreign = (first != second) & (country != first) & (country != second)
    lost |= foreign
    unclear = []
    for row in np.flatnonzero(lost):
        crossing, direction = (str(frame[name].iloc[row]) for name in ("crossing_id", "direction"))
        unclear.append(
            (
                crossing if crossing in known else "",
                "" if foreign[row] else str(country[row]),
                "" if direction == "both" else direction,
            )
        )
    return unclear


def _posts(rows: Rows) -> set[tuple[str, str, str]]:
    """Return crossing, state and direction (in, out) of every post that a link makes."""
    frame = rows["links"].frame
    start, end = link_countries(rows)
    crossing = frame["crossing_id"]
    known = crossing.isin(set(rows["crossings"].frame["crossing_id"].tolist())).to_numpy(dtype=bool)
    directed = frame["directed"].to_numpy(dtype=bool)
    posts: set[tuple[str, str, str]] = set()
    for row in np.flatnonzero(known & (start != "") & (end != "") & (start != end)):
        name = str(crossing.iloc[row])
        posts |= {(name, start[row], "out"), (name, end[row], "in")}
        if not directed[row]:
            posts |= {(name, end[row], "out"), (name, start[row], "in")}
    return posts


def _served_posts(rows: Rows) -> dict[tuple[str, str, str], set[str]]:
    """Return the regimes by (crossing, or layer of a template; state; direction) with stages."""
    frame = rows["stages"].frame
    served: dict[tuple[str, str, str], set[str]] = {}
    columns = ("crossing_id", "layer", "country", "direction", "regime")
    distinct = frame[list(columns)].drop_duplicates()
    for crossing, layer, country, direction, regime in zip(
        *(distinct[name].tolist() for name in columns), strict=True
    ):
        place = layer if crossing == TEMPLATE else crossing
        for way in ("in", "out") if direction == "both" else (direction,):
            served.setdefault((place, country, way), set()).add(regime)
    return served


# --- blanks that nothing fills ----------------------------------------------------------------


def unfilled_faults(rows: Rows) -> Iterable[Fault]:
    """Report blanks that no default fills although the plan needs a number."""
    country = _lookup(rows["nodes"], "country")
    terminals, stages = rows["terminals"], rows["stages"]
    frame = terminals.frame
    layers = [np.array(frame[name].tolist(), dtype=object) for name in ("from_layer", "to_layer")]
    yield from _unfilled(rows, terminals, "time_h", layers, _mapped(frame["node_id"], country))
    layers = [stage_layers(stages.frame, rows["crossings"].frame)]
    states = np.array(stages.frame["country"].tolist(), dtype=object)
    for column in ("servers", "service_min"):
        yield from _unfilled(rows, stages, column, layers, states)
    yield from _links_without_time(rows)
    goods = rows["commodities"]
    yield from _each(
        goods,
        goods.frame["containerised"] & goods.frame["t_per_teu"].isna(),
        "t_per_teu",
        found="a blank for a containerised commodity",
        expected=goods.table.column("t_per_teu").expected,
        remedy="give the load of a container",
    )


def _unfilled(
    rows: Rows,
    table: TypedTable,
    column: str,
    layers: list[ObjectArray],
    country: ObjectArray,
) -> Iterable[Fault]:
    description = table.table.column(column)
    blank = table.frame[column].isna().to_numpy(dtype=bool)
    defaults, name = ranked_defaults(rows["defaults"].frame), table.table.name
    for _, _, matches in matching_defaults(defaults, name, column, layers, country):
        blank = blank & ~matches
    return _each(
        table,
        blank,
        column,
        found="a blank that defaults.csv does not fill",
        expected=description.expected,
        remedy="fill the cell, or add a default",
    )


def _links_without_time(rows: Rows) -> Iterable[Fault]:
    links, layers = rows["links"], rows["layers"]
    defaults = ranked_defaults(rows["defaults"].frame)
    speed = dict(zip(layers.frame["layer"].tolist(), layers.frame["speed_kmh"], strict=True))
    for layer in list(speed):
        names = [np.array([layer], dtype=object)]
        nowhere = np.array([""], dtype=object)
        for _, value, matches in matching_defaults(defaults, "layers", "speed_kmh", names, nowhere):
            speed[layer] = value if matches[0] and np.isnan(speed[layer]) else speed[layer]
    own = links.frame["layer"].map(speed)
    known = links.frame["layer"].isin(list(speed))
    timed = links.frame["time_h"].notna() | links.frame["speed_kmh"].notna() | own.notna()
    layer_of = [np.array(links.frame["layer"].tolist(), dtype=object)]
    start, _ = link_countries(rows)
    unclear = set(layers.frame["layer"][layers.doubtful("speed_kmh")].tolist())
    blank = (known & ~timed & ~links.frame["layer"].isin(unclear)).to_numpy(dtype=bool)
    for column in ("speed_kmh", "time_h"):
        for _, _, matches in matching_defaults(defaults, "links", column, layer_of, start):
            blank = blank & ~matches
    return _each(
        links,
        blank,
        "speed_kmh",
        found="a blank, and neither time_h nor a speed of the layer",
        expected=links.table.column("speed_kmh").expected,
        remedy="give speed_kmh or time_h, or speed_kmh of the layer",
    )


# --- tables that point at others --------------------------------------------------------------


def service_faults(rows: Rows) -> Iterable[Fault]:
    """Report services that do not start at an end of their link."""
    services, links = rows["services"], rows["links"]
    start = _mapped(services.frame["link_id"], _lookup(links, "from_node"))
    end = _mapped(services.frame["link_id"], _lookup(links, "to_node"))
    node = np.array(services.frame["from_node"].tolist(), dtype=object)
    wrong = (start != "") & (node != "") & (node != start) & (node != end)
    for row in np.flatnonzero(wrong):
        yield services.fault(
            int(row),
            "from_node",
            found=repr(str(node[row])),
            expected=f"{start[row]!r} or {end[row]!r}, the ends of the link",
            remedy="correct the node or the link",
        )


def screenline_faults(rows: Rows) -> Iterable[Fault]:
    """Report gates that name neither a crossing nor a link, or both."""
    table = rows["screenlines"]
    named = (table.frame["crossing_id"] != "").astype(int) + (table.frame["link_id"] != "")
    known = rows["links"].frame["link_id"].tolist()
    unknown = (table.frame["link_id"] != "") & ~table.frame["link_id"].isin(known)
    return _each(
        table,
        (named != 1) & ~unknown,
        "crossing_id",
        found="both a crossing and a link, or neither",
        expected="either crossing_id or link_id",
        remedy="name the one that shipments pass",
    )


def project_faults(rows: Rows) -> Iterable[Fault]:
    """Report project rows that change no row, no column, or set what the column cannot hold."""
    projects = rows["projects"]
    frame = projects.frame
    keys = {name: set(rows[name].keys.tolist()) for name in set(frame["table"]) & set(rows)}
    ids = set(frame["project_id"].tolist())
    cells = (frame[name].tolist() for name in ("table", "key", "column", "value", "requires"))
    for row, (name, key, column, value, requires) in enumerate(zip(*cells, strict=True)):
        if name in keys and key and rows[name].whole and key not in keys[name]:
            yield _no_such_row(projects, row, rows[name], key, keys[name])
        if name in TABLES and column:
            yield from _no_such_value(projects, row, TABLES[name], column, value)
        for other in filter(None, (part.strip() for part in requires.split(";"))):
            if other not in ids:
                yield projects.fault(
                    row,
                    "requires",
                    found=shown(other),
                    expected="ids of projects, joined by ;",
                    remedy="add that project or correct the id",
                )


def _no_such_row(
    table: TypedTable, row: int, target: TypedTable, key: str, keys: Iterable[str]
) -> Fault:
    near = get_close_matches(key, keys, n=1)
    return table.fault(
        row,
        "key",
        found=shown(key),
        expected=f"the key of a row of {target.table.file}",
        remedy=f"perhaps {near[0]!r}" if near else "correct the key",
    )


def _no_such_value(
    table: TypedTable, row: int, target: Table, column: str, value: str
) -> Iterable[Fault]:
    if not target.has(column) or column in target.key:
        yield _no_such_column(table, row, target, column)
    elif not check_value(target.column(column), value):
        yield table.fault(
            row,
            "value",
            found=shown(value),
            expected=f"{target.column(column).expected} for {column} of {target.file}",
            remedy="correct the value",
        )


def _no_such_column(table: TypedTable, row: int, target: Table, column: str) -> Fault:
    names = [name for name in target.names if name not in target.key]
    near = get_close_matches(column, names, n=1)
    return table.fault(
        row,
        "column",
        found=shown(column),
        expected=f"a column of {target.file} outside its key",
        remedy=f"perhaps {near[0]!r}" if near else "correct the column",
    )


def default_faults(rows: Rows) -> Iterable[Fault]:
    """Report defaults of columns that do not exist or hold no numbers, or of impossible values."""
    table = rows["defaults"]
    cells = (table.frame[name].tolist() for name in ("table", "column", "value"))
    for row, (name, column, value) in enumerate(zip(*cells, strict=True)):
        if name not in TABLES or not column:
            continue
        target = TABLES[name]
        if not target.has(column) or not target.column(column).kind.numeric:
            yield _no_such_column(table, row, target, column)
        elif not np.isnan(value) and not check_value(target.column(column), f"{value:.17g}"):
            yield table.fault(
                row,
                "value",
                found=f"{value:g}",
                expected=f"{target.column(column).expected} for {column} of {target.file}",
                remedy="correct the value",
            )


def measure_faults(rows: Rows) -> Iterable[Fault]:
    """Report counts and targets that say neither what nor how much, and bands upside down."""
    for name in ("counts", "targets"):
        table = rows[name]
        frame = table.frame
        named = (frame["target"] != "") | ((frame["origin"] != "") & (frame["destination"] != ""))
        if "crossing_id" in frame:
            named |= frame["crossing_id"] != ""
        yield from _each(
            table,
            ~named,
            "target",
            found="neither a target nor an origin and destination",
            expected="what was measured",
            remedy="name the target or the OD",
        )
        measured = frame["value"].notna() | (frame["low"].notna() & frame["high"].notna())
        yield from _each(
            table,
            ~measured & ~table.doubtful("value", "low", "high"),
            "value",
            found="neither a value nor low and high",
            expected="a value, or low and high",
            remedy="give the published number",
        )
        yield from _upside_down(table)


def range_faults(rows: Rows) -> Iterable[Fault]:
    """Report ranges of no row or no number, upside down, or beyond what their column may hold."""
    table = rows["ranges"]
    frame = table.frame
    yield from _upside_down(table)
    yield from _lognormal_from_nothing(table)
    found: dict[tuple[str, str], bool] = {}
    joined = {name: "\n".join(rows[name].keys.tolist()) for name in set(frame["table"]) & set(rows)}
    unclear = {
        name
        for name in joined
        if not rows[name].whole or rows[name].doubtful(*rows[name].table.key).any()
    }
    cells = (frame[name].tolist() for name in ("table", "key", "column"))
    for row, (name, key, column) in enumerate(zip(*cells, strict=True)):
        if not name or name in _TOML_TABLES:
            continue
        if name not in TABLES:
            yield table.fault(
                row,
                "table",
                found=shown(name),
                expected="one of " + ", ".join((*TABLES, *_TOML_TABLES)),
                remedy="correct the table",
            )
            continue
        if name in joined and rows[name].exists and name not in unclear:
            if (name, key) not in found:
                found[name, key] = _matches_any(key, joined[name])
            if not found[name, key]:
                yield _no_such_row(table, row, rows[name], key, ())
        if (name, column) == ("projects", "value"):
            yield from _effect_range_faults(table, row, key, rows["projects"])
        else:
            yield from _range_column_faults(table, row, TABLES[name], column)


def _range_column_faults(
    table: TypedTable, row: int, target: Table, column: str
) -> Iterable[Fault]:
    """Report a range of a column that is none, holds no number, or cannot hold its ends."""
    if not target.has(column):
        if column:
            yield _no_such_column(table, row, target, column)
    elif not target.column(column).kind.numeric:
        yield _no_number(table, row, target, column)
    else:
        yield from _beyond_column(table, row, target.column(column))


def _effect_range_faults(
    table: TypedTable, row: int, key: str, projects: TypedTable
) -> Iterable[Fault]:
    """Report a range of what projects set where that is no number, or beyond what may be set."""
    matches = re.compile(key_pattern(key)).fullmatch
    effects = zip(projects.keys, projects.frame["table"], projects.frame["column"], strict=True)
    cells = {(name, column) for own, name, column in effects if matches(own)}
    for name, column in sorted(cells):
        target = TABLES.get(name)
        if target is None or not target.has(column):
            continue
        if target.column(column).kind.numeric:
            yield from _beyond_column(table, row, target.column(column))
            continue
        yield table.fault(
            row,
            "key",
            found=f"an effect on {name}.{column}, which holds no number",
            expected="effects that set numbers",
            remedy="end the key with the column that is meant, or remove the row",
        )


def _no_number(table: TypedTable, row: int, target: Table, column: str) -> Fault:
    numbers = [cell.name for cell in target.columns if cell.kind.numeric]
    return table.fault(
        row,
        "column",
        found=f"{shown(column)}, which holds no number",
        expected=f"a column of {target.file} with numbers",
        remedy=f"name one of {', '.join(numbers)}" if numbers else "remove the row",
    )


def _beyond_column(table: TypedTable, row: int, column: Column) -> Iterable[Fault]:
    """Report an end of a range that the column itself could not hold."""
    for end in ("low", "high"):
        value = float(table.frame[end].iloc[row])
        if not (np.isnan(value) or is_within(column, value)):
            yield table.fault(
                row,
                end,
                found=f"{value:g}",
                expected=f"{column.expected} for {column.name}",
                remedy="keep the range within what the column may hold",
            )


def key_pattern(key: str) -> str:
    """Return the regular expression of a key whose parts may hold ``*``.

    Examples
    --------
    >>> bool(re.fullmatch(key_pattern("*/GEO/in//1/*"), "red-bridge/GEO/in//1/all"))
    True
    >>> bool(re.fullmatch(key_pattern("*"), "A/B"))
    False
    """
    return r"[^/\n]*".join(re.escape(part) for part in key.split("*"))


def _matches_any(key: str, joined: str) -> bool:
    return re.search(f"^{key_pattern(key)}$", joined, re.MULTILINE) is not None


def _upside_down(table: TypedTable) -> Iterable[Fault]:
    return _each(
        table,
        table.frame["low"] > table.frame["high"],
        "low",
        found="low above high",
        expected="low <= high",
        remedy="exchange them",
    )


def _lognormal_from_nothing(table: TypedTable) -> Iterable[Fault]:
    frame = table.frame
    wrong = frame["distribution"].str.startswith("lognormal") & (frame["low"] <= 0.0)
    return _each(
        table,
        wrong & (frame["low"] <= frame["high"]),
        "low",
        found="a lognormal range that begins at 0 or below",
        expected="a lognormal range above 0",
        remedy="raise low, or draw it triangular",
    )


# --- helpers ----------------------------------------------------------------------------------


def _each(
    table: TypedTable,
    wrong: "pd.Series[bool] | BoolArray",
    column: str,
    *,
    found: str,
    expected: str,
    remedy: str,
) -> Iterable[Fault]:
    """Yield the same fault at each row that is wrong."""
    for row in np.flatnonzero(np.asarray(wrong, dtype=np.bool_)):
        yield table.fault(int(row), column, found=found, expected=expected, remedy=remedy)


def _lookup(table: TypedTable, column: str) -> dict[str, str]:
    """Return a text column by the table's id."""
    key = table.table.key[0]
    return dict(zip(table.frame[key].tolist(), table.frame[column].tolist(), strict=True))


def _mapped(ids: "pd.Series[str]", values: Mapping[str, str]) -> ObjectArray:
    """Return the value of each id, ``""`` where the id is unknown or blank."""
    return np.array([values.get(name, "") for name in ids.tolist()], dtype=object)
