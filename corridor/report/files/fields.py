"""What the columns of result tables hold: unit, type and meaning, in one place for every file."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import pandas as pd

from corridor.network import TABLES

_UNITS: Final = (
    ("usd_per_20_t_per_post", "USD/20 t/post"),
    ("usd_per_vehicle", "USD/vehicle"),
    ("vehicles_per_day", "vehicles/day"),
    ("usd_per_year", "USD/year"),
    ("musd_per_year", "million USD/year"),
    ("usd_per_day", "USD/day"),
    ("t_km_per_day", "t-km/day"),
    ("mt_per_year", "Mt/year"),
    ("teu_per_day", "TEU/day"),
    ("t_per_day", "t/day"),
    ("usd_per_teu", "USD/TEU"),
    ("usd_per_t", "USD/t"),
    ("g_per_t_km", "g/t-km"),
    ("kg_per_t", "kg/t"),
    ("_km", "km"),
    ("_h", "h"),
    ("_d", "days"),
)
"""Suffix of a column -> its unit; the first that fits counts."""

_RATIOS: Final = ("share", "utilization", "relative")
"""Columns that hold a share of one."""

TYPES: Final[Mapping[str, str]] = MappingProxyType(
    {"b": "boolean", "i": "integer", "u": "integer", "f": "number", "M": "date"}
)
"""Kind of a NumPy dtype -> type of a Table Schema; every other is a string."""

MEANINGS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "variant": "id of the variant in the study",
        "title": "what it says, for people",
        "status": "optimal, partial, feasible, infeasible or unknown; of a link or crossing the "
        "physical status",
        "indicator": "name of the indicator",
        "unit": "unit of the value in this row",
        "value": "the value, in the unit that the row names; blank = unknown or no way",
        "scope": "what it is about: a state, crossing, screenline, layer or reference; blank = all",
        "direction": "forward, backward, in, out or both; blank = all",
        "commodity": "the goods; blank = all",
        "low": "low end of the range, where inputs were varied",
        "high": "high end of the range, where inputs were varied",
        "base": "value in the base variant, in the unit that the row names",
        "difference": "value minus base, in the unit that the row names",
        "relative": "difference over the size of the base",
        "origin": "node where the goods start; of an assumption where the value comes from",
        "destination": "node where they go",
        "path_id": "number of the way among those of its origin, destination and commodity",
        "t_per_day": "tonnes a day; of a link both directions together",
        "teu_per_day": "containers a day in twenty-foot units, both directions together",
        "vehicles_per_day": "loaded vehicles a day",
        "background_vehicles_per_day": "vehicles a day that use servers and are not rerouted",
        "time_h": "time from door to door, or of the leg",
        "time_d": "time from door to door",
        "moving_h": "part of the time under way",
        "border_h": "part of the time at border posts: fixed delays, service and queues",
        "terminal_h": "part of the time in terminals",
        "service_wait_h": "part of the time spent waiting for a departure",
        "fixed_h": "delay at posts that no server shortens",
        "service_h": "time in service at posts",
        "wait_h": "time in queues at posts, or for a departure",
        "cost_usd_per_t": "money that shippers pay, fees included",
        "cost_usd_per_teu": "money that shippers pay for a loaded container",
        "cost_usd_per_vehicle": "fees at both posts for a loaded vehicle",
        "border_usd_per_t": "part of the money paid at borders",
        "fee_usd_per_t": "part of the money that is a fee or another transfer",
        "generalized_usd_per_t": "money, and time and reliability at their value",
        "co2_kg_per_t": "emission of carbon dioxide",
        "length_km": "length of the way",
        "way_id": "number of the way in ways.csv, which lists its links",
        "links": "ids of the links in order, joined with >",
        "crossings": "ids of the crossings in order, joined with >",
        "countries": "ISO 3166 alpha-3 codes of the states in order, joined with >",
        "reasons": "ids of the rules and links that bar it, joined with >",
        "reference": "id of the reference shipment in the study",
        "leg": "number of the leg",
        "kind": "what the row is: kind of leg, or of rule",
        "mode": "mode of transport",
        "layer": "kind of vehicle and gauge",
        "country": "ISO 3166 alpha-3 code of the state",
        "from_node": "node where the leg or link starts",
        "to_node": "node where the leg or link ends",
        "crossing_id": "the border crossing",
        "from_country": "state that the goods leave",
        "to_country": "state that they enter",
        "utilization": "load by capacity; blank = no capacity is known",
        "bottleneck_stage": "stage that works nearest to its capacity",
        "bottleneck_country": "state whose post that stage belongs to",
        "next_server_usd_per_year": "what one more server at the bottleneck stage saves in a year, "
        "planned again with it; blank = not asked for",
        "next_server_at_flow_usd_per_year": "the same with nobody going another way",
        "next_server_most_usd_per_year": "the most that it can save, by duality",
        "stage": "what is done there",
        "class": "vehicles that the stage serves",
        "order": "place of the stage in the sequence",
        "servers": "parallel servers",
        "regime": "regime that the post is worked under",
        "shadow_price_usd_per_t": "what one tonne a day more capacity saves",
        "price_usd_per_t": "what one tonne a day more capacity saves",
        "marginal_delay_usd_per_vehicle": "delay that one vehicle more brings all others",
        "capacity_price_usd_per_vehicle": "what room for one vehicle more would save",
        "t_km_per_day": "transport work on the soil of the state",
        "transit_t_per_day": "goods that pass the state between two others",
        "revenue_usd_per_day": "fees, and the host's part of freight charges",
        "share": "transit by all served demand",
        "rule_id": "id of the rule",
        "binding": "true where the rule bars or limits something here",
        "price": "what one unit more of the limit would save, in the unit that the row names; "
        "blank = the kind of rule has none",
        "reason": "no_path, rule or capacity",
        "rules": "ids of the rules, joined with >",
        "principle": "one of the four: sovereignty, jurisdiction, reciprocity, equality",
        "verdict": "how the plan stands to the principle",
        "detail": "why",
        "table": "table of the data set in which blanks were filled",
        "column": "column of the table",
        "n_rows": "number of rows that the value stands in",
        "keys": "keys of these rows, joined with ;",
        "name": "name for people",
        "link_id": "the link",
        "base_t_per_day": "tonnes a day in the base variant, both directions together",
        "change_t_per_day": "tonnes a day minus those of the base variant",
        "source": "id of the source",
        "publisher": "who published it",
        "date": "when it was published",
        "url": "where it is",
        "busiest_crossing": "crossing that works nearest to its capacity",
        "busiest_utilization": "its load by capacity",
        "served_mt_per_year": "demand that is carried",
        "unmet_mt_per_year": "demand that cannot be carried",
        "generalized_cost_usd_per_t": "mean of money, and time and reliability at their value",
        "time_mean_d": "mean time from door to door over the tonnes carried",
        "time_p95_d": "time within which 95 % of the tonnes arrive",
        "border_time_h": "mean time at border posts over the tonnes carried",
        "co2_g_per_t_km": "emission of carbon dioxide by transport work",
        "crossings_crowded": "crossings that work near their capacity",
        "best_possible_generalized_cost_usd_per_t": "the same mean at the best possible use of the "
        "network, which is no forecast",
        "saved_musd_per_year": "what it saves against the base, goods that stay at home at their "
        "value",
        "assignment": "how the flow of the variant was found",
        "price_of_anarchy": "total cost as shippers choose by the least possible",
    }
)
"""Column of a result -> what it holds."""

_PATTERNS: Final = (
    ("transit_", "_mt_per_year", "transit through {}"),
    ("revenue_", "_musd_per_year", "fees and the part of freight charges that {} earns"),
    ("", "_mt_per_year", "what passes the screenline {}"),
)
"""Start and end of the columns that a study's own names stand in."""

_WAYS: Final = ("forward", "backward")


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One column of a file.

    Parameters
    ----------
    name
        Name of the column.
    type
        Type of a Table Schema: ``string``, ``number``, ``integer``, ``boolean`` or ``date``.
    unit
        Unit; ``1`` for shares, ``""`` where a number is a count, an order or the row names it.
    meaning
        One line.
    label
        Head of the column for people, where it is not made of name and unit.
    """

    name: str
    type: str
    unit: str
    meaning: str
    label: str = ""

    @property
    def title(self) -> str:
        """Head of the column for people: words, and the unit in brackets.

        Examples
        --------
        >>> Field(name="cost_usd_per_t", type="number", unit="USD/t", meaning="").title
        'cost [USD/t]'
        >>> Field(name="t_per_day", type="number", unit="t/day", meaning="").title
        'flow [t/day]'
        """
        if self.label:
            return self.label
        if self.unit in ("", "1"):
            return self.name.replace("_", " ") + (" [share]" if self.unit == "1" else "")
        words = self.name
        for suffix, unit in _UNITS:
            if unit == self.unit:
                words = words.removesuffix(suffix)
                break
        return f"{words.replace('_', ' ').strip() or _NAMELESS[self.unit]} [{self.unit}]"


_NAMELESS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "t/day": "flow",
        "TEU/day": "containers",
        "vehicles/day": "vehicles",
        "t-km/day": "transport",
    }
)
"""What a column is called whose name is its unit alone."""


def unit_of(name: str) -> str:
    """Return the unit that the name of a result column ends in, ``1`` for shares.

    Examples
    --------
    >>> unit_of("revenue_usd_per_day"), unit_of("utilization_forward"), unit_of("path_id")
    ('USD/day', '1', '')
    """
    bare = _without_way(name)
    if bare.endswith(_RATIOS):
        return "1"
    return next((unit for suffix, unit in _UNITS if f"_{bare}".endswith(suffix)), "")


def describe_frame(frame: pd.DataFrame, table: str = "") -> list[Field]:
    """Return what each column of a result holds.

    Parameters
    ----------
    frame
        A table of a plan or a comparison, or of a network.
    table
        Name of the network's table it is, whose columns the contract describes; ``""`` for results.

    Returns
    -------
    list of Field
        In the order of the columns. A column that is not known has no meaning.

    Examples
    --------
    >>> frame = pd.DataFrame({"crossing_id": ["lars-road"], "wait_h": [1.5]})
    >>> [(field.name, field.type, field.unit) for field in describe_frame(frame)]
    [('crossing_id', 'string', ''), ('wait_h', 'number', 'h')]
    """
    return [_describe(frame[name], str(name), table) for name in frame.columns]


def _describe(values: "pd.Series", name: str, table: str) -> Field:
    kind = TYPES.get(values.dtype.kind, "string") if hasattr(values.dtype, "kind") else "string"
    numeric = kind in ("number", "integer")
    if table:
        known = TABLES[table].has(name)
        column = TABLES[table].column(name) if known else None
        meaning = column.meaning if column else "a column of the data set's own"
        unit = column.unit if column else ""
        return Field(name=name, type=kind, unit=unit if numeric else "", meaning=meaning)
    return Field(
        name=name, type=kind, unit=unit_of(name) if numeric else "", meaning=_meaning(name)
    )


def _meaning(name: str) -> str:
    if name in MEANINGS:
        return MEANINGS[name]
    bare = _without_way(name)
    if bare != name:
        way = "from_node to to_node" if name.endswith("_forward") else "to_node to from_node"
        return f"{MEANINGS.get(bare, 'the same').split(';')[0].split(',')[0]}, {way}"
    for start, end, text in _PATTERNS:
        if name.startswith(start) and name.endswith(end):
            middle = name.removeprefix(start).removesuffix(end)
            return text.format(middle.upper() if start else middle)
    return ""


def _without_way(name: str) -> str:
    for way in _WAYS:
        if name.endswith(f"_{way}"):
            return name.removesuffix(f"_{way}")
    return name
