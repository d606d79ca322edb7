"""Filling the blanks of a network, with a list of every value that was assumed.

A blank means unknown. The most specific row of ``defaults.csv`` fills it, else the layer's value in
``layers.csv``, else the contract's default. An unknown capacity stays unknown, which is unlimited.
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from corridor.network.defaults import (
    Defaults,
    looked_up,
    matching_defaults,
    ranked_defaults,
    stage_layers,
    texts,
)
from corridor.network.models import Network
from corridor.network.schema import TABLES
from corridor.network.tables import row_keys

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]
ObjectArray = NDArray[np.object_]

CONTRACT: Final = "contract"
UNKNOWN: Final = "unknown"
UNLIMITED: Final = "unknown: unlimited"

_FROM_LAYER: Final = (
    "speed_kmh",
    "time_cv",
    "cost_usd_per_t_km",
    "co2_g_per_t_km",
    "host_share",
)
"""Columns of links that fall back on the column of the same name in layers."""
_BY_TEU: Final = ("end_usd_per_teu",)
"""Prices of layers by TEU: blank means that the price per tonne holds for containers too."""
_CHARGES: Final = ("cost_usd_per_t", "cost_usd_per_vehicle")
"""Charges of links: blank in links and in defaults means that there is none."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FilledTables:
    """The tables of a network with their blank numbers filled, and what was assumed.

    Parameters
    ----------
    layers, commodities, links, terminals, stages, services
        As in the network, row by row, with blanks filled. What stays NaN: a capacity (unlimited);
        ``cost_usd_per_teu_km``, ``cost_usd_per_teu`` and ``end_usd_per_teu`` (the t columns hold
        for containers too);
        ``time_h`` of links (length over speed) and ``speed_kmh`` where ``time_h`` is given;
        ``sailing_h`` (the link's time) and ``headway_h``; ``teu_per_vehicle`` and ``t_per_teu``.
        ``host`` of stages is the country where blank.
    assumptions
        One row a fill: ``table``, ``column`` (str), ``value`` (float64, NaN = unknown), ``origin``
        (``defaults.csv road/GEO``, ``layers.csv road``, ``contract``, ``unknown: unlimited``),
        ``n_rows`` (int64) and ``keys`` (the row keys joined by ``;``, ``*`` = every row).
    """

    layers: pd.DataFrame
    commodities: pd.DataFrame
    links: pd.DataFrame
    terminals: pd.DataFrame
    stages: pd.DataFrame
    services: pd.DataFrame
    assumptions: pd.DataFrame


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Blanks:
    """One table being filled: its rows, and the layers and the state that choose their defaults."""

    name: str
    frame: pd.DataFrame
    layers: tuple[ObjectArray, ...]
    country: ObjectArray
    defaults: Defaults
    notes: list[tuple[str, str, float, str, int, str]]
    keys: ObjectArray = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "keys", row_keys(TABLES[self.name], self.frame))

    def from_defaults(self, column: str, among: BoolArray | None = None) -> None:
        """Fill from the matching rows of defaults.csv, the most specific first."""
        for origin, value, matches in matching_defaults(
            self.defaults, self.name, column, self.layers, self.country
        ):
            self.put(column, np.full(len(self.frame), value), origin, matches, among)

    def put(
        self,
        column: str,
        values: FloatArray,
        origin: str,
        matches: BoolArray | None = None,
        among: BoolArray | None = None,
    ) -> None:
        """Fill the blanks of a column with values that are known, and note it."""
        blank = self.blanks(column, among) & ~np.isnan(values)
        rows = blank if matches is None else blank & matches
        if rows.any():
            filled = self.frame[column].to_numpy(dtype=np.float64, copy=True)
            filled[rows] = values[rows]
            self.frame[column] = filled
            for value in np.unique(values[rows]):
                self.note(column, float(value), origin, rows & (values == value))

    def from_contract(self, column: str) -> None:
        """Fill with the contract's default."""
        default = TABLES[self.name].column(column).default
        value = float(default) if default is not None else 0.0
        self.put(column, np.full(len(self.frame), value), CONTRACT)

    def leave(self, column: str, origin: str) -> None:
        """Note what stays unknown."""
        rows = self.blanks(column)
        if rows.any():
            self.note(column, float("nan"), origin, rows)

    def blanks(self, column: str, among: BoolArray | None = None) -> BoolArray:
        """Return which rows are blank."""
        blank: BoolArray = np.isnan(self.frame[column].to_numpy(dtype=np.float64))
        return blank if among is None else blank & among

    def note(self, column: str, value: float, origin: str, rows: BoolArray) -> None:
        """Add a row to the assumptions."""
        keys = "*" if rows.all() else ";".join(self.keys[rows])
        self.notes.append((self.name, column, value, origin, int(rows.sum()), keys))


def fill_blanks(network: Network) -> FilledTables:
    """Fill the blank numbers of a network and list each fill.

    Parameters
    ----------
    network
        A validated network.

    Returns
    -------
    FilledTables
        New frames; the network is not changed.

    Examples
    --------
    >>> import corridor
    >>> filled = fill_blanks(corridor.load_network("crossroads"))
    >>> bool(filled.links["cost_usd_per_t_km"].isna().any())
    False
    """
    notes: list[tuple[str, str, float, str, int, str]] = []
    layers = _fill_layers(network, notes)
    links = _fill_links(network, layers, notes)
    return FilledTables(
        layers=layers,
        commodities=_fill_commodities(network, notes),
        links=links,
        terminals=_fill_terminals(network, notes),
        stages=_fill_stages(network, notes),
        services=_fill_services(network, notes),
        assumptions=_assumptions(notes),
    )


def _assumptions(notes: list[tuple[str, str, float, str, int, str]]) -> pd.DataFrame:
    frame = pd.DataFrame(
        notes, columns=["table", "column", "value", "origin", "n_rows", "keys"], dtype=object
    )
    text = dict.fromkeys(("table", "column", "origin", "keys"), "str")
    return frame.astype({**text, "value": "float64", "n_rows": "int64"})


def _fill_layers(
    network: Network, notes: list[tuple[str, str, float, str, int, str]]
) -> pd.DataFrame:
    frame = network.layers
    nowhere = np.full(len(frame), "", dtype=object)
    blanks = _Blanks(
        name="layers",
        frame=frame,
        layers=(texts(frame["layer"]),),
        country=nowhere,
        defaults=ranked_defaults(network.defaults),
        notes=notes,
    )
    for column in TABLES["layers"].columns:
        if column.kind.numeric:
            blanks.from_defaults(column.name)
            if column.default is not None:
                blanks.from_contract(column.name)
            elif column.name not in _BY_TEU:
                blanks.leave(column.name, UNKNOWN)
    return frame


def _fill_commodities(
    network: Network, notes: list[tuple[str, str, float, str, int, str]]
) -> pd.DataFrame:
    frame = network.commodities
    nowhere = np.full(len(frame), "", dtype=object)
    blanks = _Blanks(
        name="commodities",
        frame=frame,
        layers=(nowhere,),
        country=nowhere,
        defaults=ranked_defaults(network.defaults),
        notes=notes,
    )
    for name in ("t_per_teu", "empty_return_share", "reliability_ratio"):
        blanks.from_defaults(name)
    for name in ("empty_return_share", "reliability_ratio"):
        blanks.from_contract(name)
    return frame


def _fill_links(
    network: Network,
    layers: pd.DataFrame,
    notes: list[tuple[str, str, float, str, int, str]],
) -> pd.DataFrame:
    frame = network.links
    blanks = _Blanks(
        name="links",
        frame=frame,
        layers=(texts(frame["layer"]),),
        country=looked_up(frame["from_node"], network.nodes, "node_id", "country"),
        defaults=ranked_defaults(network.defaults),
        notes=notes,
    )
    for name in ("time_h", "capacity_t_per_day", "cost_usd_per_teu_km", "cost_usd_per_teu"):
        blanks.from_defaults(name)
    untimed = blanks.blanks("time_h")
    for name in _FROM_LAYER:
        among = untimed if name == "speed_kmh" else None
        blanks.from_defaults(name, among)
        for layer, value in zip(layers["layer"], layers[name], strict=True):
            values = np.full(len(frame), float(value))
            matches = blanks.layers[0] == layer
            blanks.put(name, values, f"layers.csv {layer}", matches, among)
    for name in _CHARGES:
        blanks.from_defaults(name)
        blanks.from_contract(name)
    blanks.leave("capacity_t_per_day", UNLIMITED)
    return frame


def _fill_terminals(
    network: Network, notes: list[tuple[str, str, float, str, int, str]]
) -> pd.DataFrame:
    frame = network.terminals
    blanks = _Blanks(
        name="terminals",
        frame=frame,
        layers=(texts(frame["from_layer"]), texts(frame["to_layer"])),
        country=looked_up(frame["node_id"], network.nodes, "node_id", "country"),
        defaults=ranked_defaults(network.defaults),
        notes=notes,
    )
    names = ("time_h", "cost_usd_per_t", "cost_usd_per_teu", "capacity_t_per_day", "host_share")
    for name in names:
        blanks.from_defaults(name)
    for name in ("cost_usd_per_t", "host_share"):
        blanks.from_contract(name)
    blanks.leave("capacity_t_per_day", UNLIMITED)
    return frame


def _fill_stages(
    network: Network, notes: list[tuple[str, str, float, str, int, str]]
) -> pd.DataFrame:
    frame = network.stages
    blanks = _Blanks(
        name="stages",
        frame=frame,
        layers=(stage_layers(frame, network.crossings),),
        country=texts(frame["country"]),
        defaults=ranked_defaults(network.defaults),
        notes=notes,
    )
    for column in TABLES["stages"].columns:
        if column.kind.numeric and column.name != "order":
            blanks.from_defaults(column.name)
            if column.default is not None:
                blanks.from_contract(column.name)
    frame["host"] = frame["host"].where(frame["host"] != "", frame["country"])
    return frame


def _fill_services(
    network: Network, notes: list[tuple[str, str, float, str, int, str]]
) -> pd.DataFrame:
    frame = network.services
    blanks = _Blanks(
        name="services",
        frame=frame,
        layers=(looked_up(frame["link_id"], network.links, "link_id", "layer"),),
        country=looked_up(frame["from_node"], network.nodes, "node_id", "country"),
        defaults=ranked_defaults(network.defaults),
        notes=notes,
    )
    untimed = (frame["departures"] == "").to_numpy(dtype=bool)
    blanks.from_defaults("headway_h", untimed)
    for name in ("headway_cv", "sailing_h", "capacity_t", "cancel_share"):
        blanks.from_defaults(name)
    for name in ("headway_cv", "cancel_share"):
        blanks.from_contract(name)
    blanks.leave("capacity_t", UNLIMITED)
    return frame
