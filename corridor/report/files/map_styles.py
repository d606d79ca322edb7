"""How QGIS shows the layers of a GeoPackage: QML styles, stored in the file itself.

The table ``layer_styles`` is the one that QGIS writes with *Save Style > In Datasource*; it opens a
layer in the style that stands there as default. Colors are those of Okabe and Ito and a pair of
blue and orange: they keep apart for all common kinds of color blindness. [1]_

References
----------
.. [1] M. Okabe, K. Ito, "Color Universal Design", 2008, https://jfly.uni-koeln.de/color/.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final
from xml.etree import ElementTree as ET

import pandas as pd

from corridor.report import colors

TABLE: Final = "layer_styles"
"""Name of the table that QGIS looks for."""
PALETTE: Final = ("#D55E00", "#0072B2", "#56B4E9", "#009E73", "#CC79A7", "#E69F00", "#555555")
"""Colors of layers, in the order of the data set's layers."""
UNKNOWN: Final = "#9A9A9A"
LOADS: Final = (
    (0.5, "#9ECAE1", "at most 50 % used"),
    (0.8, "#4292C6", "50 to 80 % used"),
    (0.95, "#F16913", "80 to 95 % used"),
    (1e9, "#8C1A0F", "more than 95 % used"),
)
"""Upper end of each class of utilization, its color and its name."""
_KINDS: Final[Mapping[str, tuple[str, str, float]]] = MappingProxyType(
    {
        "city": ("circle", "#222222", 2.2),
        "port": ("square", "#0072B2", 2.2),
        "station": ("circle", "#888888", 1.4),
        "terminal": ("diamond", "#888888", 2.0),
        "border_post": ("triangle", "#888888", 1.2),
        "junction": ("circle", "#BBBBBB", 0.8),
    }
)
"""Kind of a node -> shape, color and size [mm]."""
_UNUSED_MM: Final = 0.15
_LEAST_MM: Final = 0.3
_MOST_MM: Final = 4.0
_FOREVER: Final = 1e12
_LOAD: Final = 'max(coalesce("utilization_forward",-1),coalesce("utilization_backward",-1))'
_MAX_NAME: Final = 30
"""Characters that QGIS keeps of the name of a style."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Class:
    """One entry of a legend: what it stands for and how it looks."""

    label: str
    symbol: ET.Element
    value: str = ""
    low: float = 0.0
    high: float = 0.0


def style_table(styles: Mapping[str, str], date: dt.date | None) -> pd.DataFrame:
    """Return the rows of ``layer_styles``: one default style per layer.

    Parameters
    ----------
    styles
        Layer of the file -> QML.
    date
        Day that stands as the time of the last change; the clock is never read.
    """
    day = dt.datetime.combine(date or dt.date(1970, 1, 1), dt.time(), dt.UTC)
    return pd.DataFrame(
        {
            "f_table_catalog": "",
            "f_table_schema": "",
            "f_table_name": list(styles),
            "f_geometry_column": "geom",
            "styleName": [layer[:_MAX_NAME] for layer in styles],
            "styleQML": list(styles.values()),
            "styleSLD": "",
            "useAsDefault": True,
            "description": [f"corridor: {layer}" for layer in styles],
            "owner": "",
            "ui": None,
            "update_time": pd.Series([day] * len(styles), dtype="datetime64[ms, UTC]"),
        }
    ).astype({"ui": object})


def node_style() -> str:
    """Return the style of nodes: a mark per kind, cities and ports with their names."""
    classes = [
        _Class(label=kind.replace("_", " "), value=kind, symbol=_marker(*look))
        for kind, look in _KINDS.items()
    ]
    named = "if(\"kind\" IN ('city','port'), \"name\", '')"
    return _document(_categorized("kind", classes), label=named)


def link_style(layers: Sequence[str]) -> str:
    """Return the style of links: a color per layer, dashed where the link is not open.

    Parameters
    ----------
    layers
        Ids of the layers, in order.
    """
    dash = "if(coalesce(\"status\",'open')='open','solid','dash')"
    classes = [
        _Class(label=layer, value=layer, symbol=_line(color_of(i), 0.5, {"outlineStyle": dash}))
        for i, layer in enumerate(layers)
    ]
    return _document(_categorized("layer", classes))


def crossing_style() -> str:
    """Return the style of crossings: a disk where open, a cross where not."""
    shut = "closed, broken, planned or under construction"
    classes = [
        _Class(label="open", value="open", symbol=_marker("circle", "#222222", 1.8)),
        _Class(label=shut, value="shut", symbol=_marker("cross2", colors.LOSS, 2.4)),
    ]
    state = "if(coalesce(\"status\",'open')='open','open','shut')"
    return _document(_categorized(state, classes))


def flow_style(most_t_per_day: float) -> str:
    """Return the style of flows: width by tonnes, color by utilization.

    Parameters
    ----------
    most_t_per_day
        Flow that is drawn 4 mm wide [t/day]; the area of a line grows as the root of the flow.
    """
    width = _width('coalesce("t_per_day",0)', most_t_per_day)
    classes = [
        _Class(
            label="capacity unknown",
            symbol=_line(UNKNOWN, 1.0, {"outlineWidth": width}),
            low=-1.0,
            high=-0.5,
        )
    ]
    low = 0.0
    for high, color, label in LOADS:
        symbol = _line(color, 1.0, {"outlineWidth": width})
        classes.append(_Class(label=label, symbol=symbol, low=low, high=high))
        low = high
    return _document(_graduated(_LOAD, classes))


def difference_style(most_t_per_day: float) -> str:
    """Return the style of differences: blue is more than in the base, orange less, width how much.

    Parameters
    ----------
    most_t_per_day
        Flow that is drawn 4 mm wide [t/day].
    """
    width = _width('abs("change_t_per_day")', most_t_per_day)
    classes = [
        _Class(
            label="less than in the base",
            symbol=_line(colors.LOSS, 1.0, {"outlineWidth": width}),
            low=-_FOREVER,
            high=0.0,
        ),
        _Class(
            label="more than in the base",
            symbol=_line(colors.GAIN, 1.0, {"outlineWidth": width}),
            low=0.0,
            high=_FOREVER,
        ),
    ]
    return _document(_graduated('"change_t_per_day"', classes))


def color_of(position: int) -> str:
    """Return the color of the layer at a position of the data set's layers.

    Examples
    --------
    >>> color_of(0), color_of(7) == color_of(0)
    ('#D55E00', True)
    """
    return PALETTE[position % len(PALETTE)]


def _width(flow: str, most_t_per_day: float) -> str:
    most = max(most_t_per_day, 1.0)
    span = _MOST_MM - _LEAST_MM
    return f"if({flow}>0, {_LEAST_MM}+{span}*sqrt({flow}/{most:.6g}), {_UNUSED_MM})"


# --- QML ------------------------------------------------------------------------------------------


def _document(renderer: ET.Element, label: str = "") -> str:
    parts = "Symbology|Labeling" if label else "Symbology"
    root = ET.Element("qgis", version="3.34", styleCategories=parts)
    root.set("labelsEnabled", "1" if label else "0")
    root.append(renderer)
    if label:
        root.append(_labels(label))
    return ET.tostring(root, encoding="unicode")


def _labels(expression: str) -> ET.Element:
    labeling = ET.Element("labeling", type="simple")
    settings = ET.SubElement(labeling, "settings", calloutType="simple")
    text = ET.SubElement(settings, "text-style", fieldName=expression, isExpression="1")
    for name, value in (
        ("fontSize", "8"),
        ("fontSizeUnit", "Point"),
        ("textColor", "34,34,34,255"),
        ("textOpacity", "1"),
    ):
        text.set(name, value)
    ET.SubElement(
        text,
        "text-buffer",
        bufferDraw="1",
        bufferSize="0.7",
        bufferSizeUnits="MM",
        bufferColor="255,255,255,255",
        bufferOpacity="1",
    )
    ET.SubElement(settings, "placement", placement="6", dist="1", distUnits="MM")
    ET.SubElement(settings, "rendering", obstacle="1", drawLabels="1")
    return labeling


def _renderer(kind: str, attribute: str, classes: Sequence[_Class]) -> ET.Element:
    renderer = ET.Element("renderer-v2", type=kind, attr=attribute)
    for name in ("enableorderby", "symbollevels", "forceraster"):
        renderer.set(name, "0")
    symbols = ET.SubElement(renderer, "symbols")
    for i, entry in enumerate(classes):
        entry.symbol.set("name", str(i))
        symbols.append(entry.symbol)
    return renderer


def _categorized(attribute: str, classes: Sequence[_Class]) -> ET.Element:
    renderer = _renderer("categorizedSymbol", attribute, classes)
    categories = ET.Element("categories")
    for i, entry in enumerate(classes):
        category = ET.SubElement(categories, "category", value=entry.value, symbol=str(i))
        category.set("label", entry.label)
        category.set("render", "true")
        category.set("type", "string")
    renderer.insert(0, categories)
    return renderer


def _graduated(attribute: str, classes: Sequence[_Class]) -> ET.Element:
    renderer = _renderer("graduatedSymbol", attribute, classes)
    renderer.set("graduatedMethod", "GraduatedColor")
    ranges = ET.Element("ranges")
    for i, entry in enumerate(classes):
        step = ET.SubElement(ranges, "range", lower=f"{entry.low:g}", upper=f"{entry.high:g}")
        step.set("symbol", str(i))
        step.set("label", entry.label)
        step.set("render", "true")
    renderer.insert(0, ranges)
    return renderer


def _line(color: str, width_mm: float, expressions: Mapping[str, str]) -> ET.Element:
    options = {
        "line_color": _rgba(color),
        "line_width": f"{width_mm:g}",
        "line_width_unit": "MM",
        "line_style": "solid",
        "capstyle": "round",
        "joinstyle": "round",
    }
    return _symbol("line", "SimpleLine", options, expressions)


def _marker(shape: str, color: str, size_mm: float) -> ET.Element:
    options = {
        "name": shape,
        "color": _rgba(color),
        "size": f"{size_mm:g}",
        "size_unit": "MM",
        # A cross has no inside: its color is that of its outline.
        "outline_color": _rgba(color if shape == "cross2" else "#FFFFFF"),
        "outline_width": "0.6" if shape == "cross2" else "0.2",
        "outline_width_unit": "MM",
    }
    return _symbol("marker", "SimpleMarker", options, {})


def _symbol(
    kind: str, of: str, options: Mapping[str, str], expressions: Mapping[str, str]
) -> ET.Element:
    symbol = ET.Element("symbol", type=kind, alpha="1", clip_to_extent="1")
    layer = ET.SubElement(symbol, "layer", enabled="1", locked="0")
    layer.set("pass", "0")
    layer.set("class", of)
    table = ET.SubElement(layer, "Option", type="Map")
    for name, value in options.items():
        ET.SubElement(table, "Option", type="QString", name=name, value=value)
    if expressions:
        properties = ET.SubElement(layer, "data_defined_properties")
        whole = ET.SubElement(properties, "Option", type="Map")
        ET.SubElement(whole, "Option", type="QString", name="name", value="")
        each = ET.SubElement(whole, "Option", type="Map", name="properties")
        for name, text in expressions.items():
            one = ET.SubElement(each, "Option", type="Map", name=name)
            ET.SubElement(one, "Option", type="bool", name="active", value="true")
            ET.SubElement(one, "Option", type="QString", name="expression", value=text)
            ET.SubElement(one, "Option", type="int", name="type", value="3")
        ET.SubElement(whole, "Option", type="QString", name="type", value="collection")
    return symbol


def _rgba(color: str) -> str:
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return f"{red},{green},{blue},255"
