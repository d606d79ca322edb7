"""What every table of a data set folder holds, as data: columns, kinds, units, ranges and keys.

Reading, validation and documentation all follow this one description; no column is named twice.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Kind(StrEnum):
    """What a cell may hold, and with it the dtype of the column in memory.

    ``text``, ``word`` (a closed vocabulary), ``reference`` (an id of another table), ``wkt``,
    ``hours``, ``departures`` and ``zone`` are ``str`` with ``""`` where blank; ``number`` and
    ``integer`` are float64 with NaN where blank; ``bool`` is bool; ``date`` is datetime64[s] with
    NaT where blank.
    """

    TEXT = "text"
    WORD = "word"
    REFERENCE = "reference"
    NUMBER = "number"
    INTEGER = "integer"
    BOOL = "bool"
    DATE = "date"
    WKT = "wkt"
    HOURS = "hours"
    DEPARTURES = "departures"
    ZONE = "zone"

    @property
    def numeric(self) -> bool:
        """True for the kinds held as float64."""
        return self in (Kind.NUMBER, Kind.INTEGER)


_UNITS: Final = (
    ("usd_per_t_km", "USD/t-km"),
    ("usd_per_teu_km", "USD/TEU-km"),
    ("usd_per_t_h", "USD/t-h"),
    ("usd_per_t", "USD/t"),
    ("usd_per_teu", "USD/TEU"),
    ("usd_per_vehicle", "USD/vehicle"),
    ("usd_per_h", "USD/h"),
    ("usd_per_km", "USD/km"),
    ("musd_per_year", "million USD/year"),
    ("musd", "million USD"),
    ("usd", "USD"),
    ("g_per_t_km", "g/t-km"),
    ("t_per_day", "t/day"),
    ("vehicles_per_day", "vehicles/day"),
    ("teu_per_vehicle", "TEU/vehicle"),
    ("t_per_vehicle", "t/vehicle"),
    ("t_per_teu", "t/TEU"),
    ("capacity_t", "t/departure"),
    ("years", "years"),
    ("kmh", "km/h"),
    ("km", "km"),
    ("min", "min"),
    ("_h", "h"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a table.

    Parameters
    ----------
    name
        Header of the column; the unit is its suffix.
    kind
        What a cell may hold.
    required
        True where the column must stand in the file.
    blank
        True where a cell may be blank.
    fillable
        True where a required number may be blank because ``defaults.csv`` fills it.
    default
        The contract's value for a blank, where it names one.
    low, high
        Closed range of a number; ``low`` is excluded where ``above`` is true.
    above
        True where a number must be greater than ``low``.
    words
        The closed vocabulary of a ``word``; the words a ``reference`` allows besides ids.
    refers
        Tables a ``reference`` points to (any of them).
    pattern
        Regular expression that the whole text must match.
    shape
        The pattern in words.
    meaning
        One line for the documentation.
    """

    name: str
    kind: Kind = Kind.TEXT
    required: bool = False
    blank: bool = True
    fillable: bool = False
    default: float | bool | str | None = None
    low: float | None = None
    high: float | None = None
    above: bool = False
    words: tuple[str, ...] = ()
    refers: tuple[str, ...] = ()
    pattern: str = ""
    shape: str = ""
    meaning: str = ""

    @property
    def unit(self) -> str:
        """Unit named by the suffix, ``""`` where the column has none.

        Examples
        --------
        >>> TABLES["links"].column("length_km").unit
        'km'
        """
        if not self.kind.numeric:
            return ""
        return next((unit for suffix, unit in _UNITS if self.name.endswith(suffix)), "")

    @property
    def expected(self) -> str:
        """What a cell must hold, in words for a message."""
        if self.words and not self.refers:
            return "one of " + ", ".join(self.words)
        if self.kind is Kind.REFERENCE:
            files = " or ".join(f"{table}.csv" for table in self.refers)
            extra = "".join(f" or {word!r}" for word in self.words)
            return f"an id of {files}{extra}"
        if self.kind.numeric:
            return _number_in_words(self)
        return self.shape or _SHAPES[self.kind]


_SHAPES: Final[Mapping[Kind, str]] = MappingProxyType(
    {
        Kind.TEXT: "a text",
        Kind.WORD: "a word",
        Kind.BOOL: "true or false",
        Kind.DATE: "an ISO date YYYY-MM-DD",
        Kind.WKT: "a WKT LINESTRING in degrees, longitude first",
        Kind.HOURS: "opening hours such as Mo-Fr 08:00-20:00; Sa 09:00-13:00, open at some time",
        Kind.ZONE: "an IANA time zone such as Asia/Yerevan",
        Kind.DEPARTURES: "departures such as Mo,We 06:00; Fr 18:30",
    }
)


def _number_in_words(column: Column) -> str:
    noun = "an integer" if column.kind is Kind.INTEGER else "a finite number"
    unit = f" ({column.unit})" if column.unit else ""
    if column.low is not None and column.high is not None and not column.above:
        return f"{noun} from {column.low:g} to {column.high:g}{unit}"
    parts = []
    if column.low is not None:
        parts.append(f"{'>' if column.above else '>='} {column.low:g}")
    if column.high is not None:
        parts.append(f"<= {column.high:g}")
    return " ".join([noun, " and ".join(parts)]).strip() + unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table of a data set folder.

    Parameters
    ----------
    name
        Name of the table; its file is ``<name>.csv``.
    columns
        Contract columns in order; other columns of a file are kept behind them.
    key
        Columns of the primary key, joined by ``/`` in messages and in ``ranges.csv`` and
        ``projects.csv``; empty where rows may repeat.
    tail
        Columns that join the key where they are not blank (and, for stages, only in templates).
    required
        True where the folder must hold the file.
    cited
        True where each row needs ``source`` and ``confidence`` once there is a ``sources.csv``.
    """

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    tail: tuple[str, ...] = ()
    required: bool = False
    cited: bool = True

    @property
    def file(self) -> str:
        """File name of the table."""
        return f"{self.name}.csv"

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the contract columns, in order."""
        return tuple(column.name for column in self.columns)

    def column(self, name: str) -> Column:
        """Return the contract column of that name.

        Raises
        ------
        KeyError
            If the contract has no such column.
        """
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    def has(self, name: str) -> bool:
        """Return whether the contract has a column of that name."""
        return name in self.names


KINDS: Final = ("city", "port", "station", "terminal", "border_post", "junction")
MODES: Final = ("road", "rail", "sea", "inland_water", "air")
LAND_MODES: Final = ("road", "rail")
STATUSES: Final = ("open", "broken", "construction", "planned")
DIRECTIONS: Final = ("forward", "backward", "both")
"""Forward is country_a to country_b of a crossing, from_node to to_node of a link."""
STAGE_DIRECTIONS: Final = ("in", "out", "both")
STAGE_CLASSES: Final = ("all", "sealed", "empty")
"""Classes of vehicles that a stage may serve, besides a single commodity."""
TEMPLATE: Final = "*"
"""``crossing_id`` of a stage row that serves every post of a state without rows of its own."""
CONFIDENCES: Final = ("official", "published", "derived", "assumed")
DISTRIBUTIONS: Final = ("uniform", "integer_uniform", "triangular", "lognormal", "lognormal90")
"""``lognormal90``: low and high are the 5th and the 95th percentile."""
ROLES: Final = ("fit", "holdout")
NO_STATE: Final = "XXZ"
"""Jurisdiction of the high sea: no state."""
MOST_T_PER_DAY: Final = 1e9
"""Most tonnes of one row of demand, thirty times what all ships of the world carry."""
BORDER_LINK_LIMIT_KM: Final = 10.0
"""Longest border link the contract allows on land."""

_ISO3: Final = "[A-Z]{3}"
_ID: Final = r"[^/*;,\s](?:[^/*;,]*[^/*;,\s])?"


def _id(name: str, meaning: str) -> Column:
    return Column(
        name=name,
        required=True,
        blank=False,
        pattern=_ID,
        shape="an id without / * ; or ,",
        meaning=meaning,
    )


def _text(name: str, meaning: str, *, required: bool = False, blank: bool = True) -> Column:
    return Column(name=name, required=required, blank=blank, meaning=meaning)


def _country(
    name: str, meaning: str, *, required: bool = False, blank: bool | None = None
) -> Column:
    return Column(
        name=name,
        required=required,
        blank=not required if blank is None else blank,
        pattern=_ISO3,
        shape="an ISO 3166 alpha-3 code such as ARM",
        meaning=meaning,
    )


def _word(
    name: str,
    words: tuple[str, ...],
    meaning: str,
    *,
    required: bool = False,
    default: str | None = None,
) -> Column:
    return Column(
        name=name,
        kind=Kind.WORD,
        required=required,
        blank=not required,
        words=words,
        default=default,
        meaning=meaning,
    )


def _reference(
    name: str,
    refers: tuple[str, ...],
    meaning: str,
    *,
    required: bool = False,
    blank: bool | None = None,
    words: tuple[str, ...] = (),
) -> Column:
    return Column(
        name=name,
        kind=Kind.REFERENCE,
        required=required,
        blank=not required if blank is None else blank,
        refers=refers,
        words=words,
        meaning=meaning,
    )


def _number(
    name: str,
    meaning: str,
    *,
    required: bool = False,
    fillable: bool = False,
    low: float | None = 0.0,
    high: float | None = None,
    above: bool = False,
    default: float | None = None,
    kind: Kind = Kind.NUMBER,
) -> Column:
    return Column(
        name=name,
        kind=kind,
        required=required,
        blank=not required or fillable,
        fillable=fillable,
        low=low,
        high=high,
        above=above,
        default=default,
        meaning=meaning,
    )


def _share(name: str, meaning: str, *, default: float | None = None) -> Column:
    return _number(name, meaning, high=1.0, default=default)


_CITATION: Final = (
    _reference("source", ("sources",), "where the row comes from"),
    _word("confidence", CONFIDENCES, "how well the row is known"),
)


def _date(name: str, meaning: str) -> Column:
    return Column(name=name, kind=Kind.DATE, meaning=meaning)


_NODES: Final = Table(
    name="nodes",
    key=("node_id",),
    required=True,
    columns=(
        _id("node_id", "the node"),
        _text("name", "name for people", required=True, blank=False),
        _country("country", "state whose soil it stands on", required=True),
        _word("kind", KINDS, "what stands there", required=True),
        _number("lon", "longitude [deg]", required=True, low=-180.0, high=180.0),
        _number("lat", "latitude [deg]", required=True, low=-90.0, high=90.0),
        Column(name="timezone", kind=Kind.ZONE, meaning="IANA time zone"),
        Column(
            name="unlocode",
            pattern="[A-Z]{2} ?[A-Z0-9]{3}",
            shape="a UN/LOCODE such as GEPTI",
            meaning="UN/LOCODE",
        ),
        *_CITATION,
    ),
)

_LAYERS: Final = Table(
    name="layers",
    key=("layer",),
    required=True,
    columns=(
        _id("layer", "one kind of vehicle and gauge"),
        _word("mode", MODES, "mode of transport", required=True),
        _text("vehicle", "the vehicle: truck, train, vessel", required=True, blank=False),
        _number("t_per_vehicle", "payload", required=True, above=True),
        _number("teu_per_vehicle", "container slots", above=True),
        _number("vehicle_usd_per_h", "vehicle and crew time", default=0.0),
        _number("empty_usd_per_km", "cost of an empty vehicle", default=0.0),
        _number("speed_kmh", "moving speed", above=True),
        _number(
            "moving_share",
            "share of its time under way in which the vehicle moves (the crew rests in the rest)",
            above=True,
            high=1.0,
            default=1.0,
        ),
        _number("cost_usd_per_t_km", "tariff or running cost", default=0.0),
        _number("end_h", "loading at the first place, unloading at the last", default=0.0),
        _number("end_usd_per_t", "price of the same, each", default=0.0),
        _number("end_usd_per_teu", "replaces that price per t for containerised goods"),
        _number("co2_g_per_t_km", "emission", default=0.0),
        _share("host_share", "part of the money that the host state earns", default=0.0),
        _number("time_cv", "coefficient of variation of the travel time", default=0.0),
        *_CITATION,
    ),
)

_LINKS: Final = Table(
    name="links",
    key=("link_id",),
    required=True,
    columns=(
        _id("link_id", "the link"),
        _reference("from_node", ("nodes",), "first end", required=True),
        _reference("to_node", ("nodes",), "second end", required=True),
        _reference("layer", ("layers",), "layer it belongs to", required=True),
        _number("length_km", "length on the ground", required=True, above=True),
        Column(
            name="directed",
            kind=Kind.BOOL,
            default=False,
            meaning="true: only from_node to to_node",
        ),
        _word("status", STATUSES, "physical status", default="open"),
        _date("opens", "opening date; blank = as the status says"),
        _number("speed_kmh", "moving speed", above=True),
        _number("time_h", "travel time; overrides the speed"),
        _number("time_cv", "coefficient of variation of the travel time"),
        _number("capacity_t_per_day", "capacity, a direction; blank = unlimited"),
        _text("capacity_group", "links of one group share one capacity, both directions together"),
        _number("cost_usd_per_t_km", "cost"),
        _number("cost_usd_per_teu_km", "replaces the t-km cost for containerised goods"),
        _number("cost_usd_per_t", "charge"),
        _number("cost_usd_per_teu", "replaces the charge per t for containerised goods"),
        _number("cost_usd_per_vehicle", "charge per loaded vehicle"),
        _number("co2_g_per_t_km", "emission"),
        _share("host_share", "part of the money that the host state earns"),
        _reference("crossing_id", ("crossings",), "the crossing of a border link"),
        _text("operator", "who runs it; never the jurisdiction"),
        Column(name="geometry", kind=Kind.WKT, meaning="way points, from_node first"),
        _text("name", "name for people"),
        *_CITATION,
    ),
)

_TERMINALS: Final = Table(
    name="terminals",
    key=("node_id", "from_layer", "to_layer"),
    columns=(
        _reference("node_id", ("nodes",), "where goods change layers", required=True),
        _reference("from_layer", ("layers",), "layer they leave", required=True),
        _reference("to_layer", ("layers",), "layer they take", required=True),
        _number("time_h", "dwell", required=True, fillable=True),
        _number("cost_usd_per_t", "handling", default=0.0),
        _number("cost_usd_per_teu", "replaces the cost per t for containerised goods"),
        _number("capacity_t_per_day", "capacity; blank = unlimited"),
        _share("host_share", "part of the money that the host state earns", default=0.0),
        _text("operator", "who runs it"),
        *_CITATION,
    ),
)

_CROSSINGS: Final = Table(
    name="crossings",
    key=("crossing_id",),
    columns=(
        _id("crossing_id", "the crossing"),
        _text("name", "name for people", required=True, blank=False),
        _country("country_a", "first state", required=True),
        _country("country_b", "second state", required=True),
        _reference("layer", ("layers",), "layer of its border link", required=True),
        _word("status", STATUSES, "physical status", default="open"),
        _date("opens", "opening date; blank = as the status says"),
        Column(name="regime", default="standard", meaning="regime it is worked under"),
        Column(name="opening_hours", kind=Kind.HOURS, meaning="local time; blank = always"),
        *_CITATION,
    ),
)

_STAGES: Final = Table(
    name="stages",
    key=("crossing_id", "country", "direction", "regime", "order", "class"),
    tail=("layer",),
    columns=(
        _reference(
            "crossing_id",
            ("crossings",),
            "the crossing; * = a template for the state's posts of that layer",
            required=True,
            words=(TEMPLATE,),
        ),
        _country("country", "state whose post it is", required=True),
        _word("direction", STAGE_DIRECTIONS, "both = one pool of servers", required=True),
        _text("regime", "blank = every regime", required=True),
        _number("order", "place in the sequence", required=True, low=1.0, kind=Kind.INTEGER),
        _reference(
            "class",
            ("commodities",),
            "vehicles it serves; the most specific row wins",
            required=True,
            words=STAGE_CLASSES,
        ),
        _text("stage", "what is done", required=True, blank=False),
        _number(
            "servers",
            "parallel servers",
            required=True,
            fillable=True,
            low=1.0,
            kind=Kind.INTEGER,
        ),
        _number("service_min", "mean service time", required=True, fillable=True),
        _reference("layer", ("layers",), "layer of a template"),
        _share("share", "share of the vehicles sent there", default=1.0),
        _number("service_cv", "coefficient of variation of the service time", default=1.0),
        _number("arrival_cv", "coefficient of variation of the arrivals", default=1.0),
        _number("fee_usd", "fee a vehicle", default=0.0),
        _number("fixed_delay_h", "delay that no server shortens", default=0.0),
        _number("batch", "vehicles arriving together", low=1.0, default=1.0, kind=Kind.INTEGER),
        _country("host", "jurisdiction of the post; blank = country"),
        *_CITATION,
    ),
)

_COMMODITIES: Final = Table(
    name="commodities",
    key=("commodity_id",),
    required=True,
    columns=(
        _id("commodity_id", "the commodity"),
        _text("name", "name for people", required=True, blank=False),
        _number("value_usd_per_t", "value of the goods", required=True),
        _number("value_of_time_usd_per_t_h", "cost of an hour on the way", required=True),
        Column(name="containerised", kind=Kind.BOOL, default=False, meaning="true: by container"),
        _number("t_per_teu", "load of a container", above=True),
        _share("empty_return_share", "vehicles sent back empty a loaded one", default=0.0),
        _number("reliability_ratio", "value of a sd hour over an hour", default=0.0),
        *_CITATION,
    ),
)

_DEMAND: Final = Table(
    name="demand",
    key=("scenario", "origin", "destination", "commodity"),
    columns=(
        _text("scenario", "the scenario", required=True, blank=False),
        _reference("origin", ("nodes",), "where the goods start", required=True),
        _reference("destination", ("nodes",), "where they go", required=True),
        _reference("commodity", ("commodities",), "the goods", required=True),
        _number("t_per_day", "tonnes to move", required=True, high=MOST_T_PER_DAY),
        _country("flag", "the carrier's state; blank = the origin's"),
        _number("elasticity", "price elasticity", low=None, high=0.0, default=0.0),
        *_CITATION,
    ),
)

_BACKGROUND: Final = Table(
    name="background",
    key=("target", "direction"),
    tail=("scenario",),
    columns=(
        _reference("target", ("links", "crossings"), "what they use", required=True),
        _word("direction", DIRECTIONS, "forward = a to b", required=True),
        _number("vehicles_per_day", "vehicles that are not rerouted", required=True),
        _text("scenario", "blank = every scenario"),
        *_CITATION,
    ),
)

_SERVICES: Final = Table(
    name="services",
    key=("service_id",),
    columns=(
        _id("service_id", "the service"),
        _reference("link_id", ("links",), "link it runs on", required=True),
        _reference("from_node", ("nodes",), "end it leaves from", required=True),
        Column(name="departures", kind=Kind.DEPARTURES, meaning="timetable, local time"),
        _number("headway_h", "mean time between departures", above=True),
        _number("headway_cv", "coefficient of variation of the headway", default=0.0),
        _number("sailing_h", "time on the way; blank = the link's", above=True),
        _number("capacity_t", "payload of a departure; blank = unlimited"),
        _share("cancel_share", "share of departures cancelled", default=0.0),
        *_CITATION,
    ),
)

_CHANGED_TABLES: Final = (
    "nodes",
    "layers",
    "links",
    "terminals",
    "crossings",
    "stages",
    "commodities",
    "background",
    "services",
)

_PROJECTS: Final = Table(
    name="projects",
    key=("project_id", "table", "key", "column"),
    columns=(
        _id("project_id", "the project, several rows each"),
        _text("name", "name for people", required=True, blank=False),
        _country("country", "state that builds it", required=True),
        _number("capex_musd", "cost of the whole project", required=True),
        _word("table", _CHANGED_TABLES, "table it changes", required=True),
        _text("key", "key of the row it changes", required=True, blank=False),
        _text("column", "column it changes", required=True, blank=False),
        _text("value", "value it sets; blank = unknown", required=True),
        _number("opex_musd_per_year", "upkeep"),
        _number("build_years", "years to build"),
        _number("life_years", "years of use", above=True),
        _text("exclusive_group", "at most one project of a group is built"),
        _text("requires", "projects that must be built too, joined by ;"),
        *_CITATION,
    ),
)

_DEFAULTS: Final = Table(
    name="defaults",
    key=("table", "layer", "country", "column"),
    columns=(
        _word("table", (*_CHANGED_TABLES, "demand", "projects"), "table filled", required=True),
        _reference("layer", ("layers",), "only that layer; blank = all", required=True, blank=True),
        _country("country", "only that state; blank = all", required=True, blank=True),
        _text("column", "column filled", required=True, blank=False),
        _number("value", "the value", required=True, low=None),
        *_CITATION,
    ),
)

_RANGES: Final = Table(
    name="ranges",
    key=("table", "key", "column"),
    cited=False,
    columns=(
        _text("table", "table of the number", required=True, blank=False),
        _text("key", "key of its row; * within a part = any", required=True),
        _text("column", "its column", required=True, blank=False),
        _number("low", "low end", required=True, low=None),
        _number("high", "high end", required=True, low=None),
        _word("distribution", DISTRIBUTIONS, "how it is drawn", required=True),
        _text("group", "rows of one group share one draw"),
        *_CITATION,
    ),
)

_SCREENLINES: Final = Table(
    name="screenlines",
    key=("screenline", "gate"),
    columns=(
        _id("screenline", "the screenline"),
        _id("gate", "the gate"),
        _reference("crossing_id", ("crossings",), "crossing of the gate"),
        _reference("link_id", ("links",), "link of the gate"),
        _word("direction", DIRECTIONS, "direction counted", default="both"),
        *_CITATION,
    ),
)

_MEASURES: Final = (
    _text("target", "what was counted: a crossing, a link, a+b, or node: country: corridor:"),
    _reference("origin", ("nodes",), "origin of an OD"),
    _reference("destination", ("nodes",), "destination of an OD"),
    _text("direction", "direction counted"),
    _number("year", "year", required=True, low=1900.0, high=2200.0, kind=Kind.INTEGER),
    _number("value", "the published value", low=None),
    _number("low", "low end of the published band", low=None),
    _number("high", "high end of the published band", low=None),
    _text("unit", "unit of the value", required=True, blank=False),
    _word("role", ROLES, "for fitting, or held out", required=True),
    _text("definition", "what the number counts"),
    *_CITATION,
)

_COUNTS: Final = Table(name="counts", columns=_MEASURES)
_TARGETS: Final = Table(
    name="targets",
    # The nodes of a published time need not all be nodes of the network.
    columns=tuple(
        _text(column.name, column.meaning) if column.name in ("origin", "destination") else column
        for column in _MEASURES
    ),
)

_SOURCES: Final = Table(
    name="sources",
    key=("source",),
    cited=False,
    columns=(
        _id("source", "the source"),
        _text("title", "title", required=True, blank=False),
        _text("publisher", "publisher", required=True),
        _text("date", "date of publication", required=True),
        _text("url", "address", required=True),
    ),
)

TABLES: Final[Mapping[str, Table]] = MappingProxyType(
    {
        table.name: table
        for table in (
            _SOURCES,
            _NODES,
            _LAYERS,
            _COMMODITIES,
            _LINKS,
            _TERMINALS,
            _CROSSINGS,
            _STAGES,
            _DEMAND,
            _BACKGROUND,
            _SERVICES,
            _PROJECTS,
            _DEFAULTS,
            _RANGES,
            _SCREENLINES,
            _COUNTS,
            _TARGETS,
        )
    }
)
"""Every table of a data set folder by name."""

NETWORK_TABLES: Final = tuple(name for name in TABLES if name != "demand")
"""The tables a :class:`corridor.network.Network` holds; demand is read apart."""
