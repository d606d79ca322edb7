"""What is built, where and whose: tables, validation, network, demand, and the supernetwork."""

from corridor.network.conversion import convert_dataset
from corridor.network.fills import FilledTables, fill_blanks
from corridor.network.lines import LineGraph, join_lines, lines_to_links
from corridor.network.models import Demand, Network, load_demand, load_network, write_tables
from corridor.network.schema import TABLES
from corridor.network.validation import validate

__all__ = [
    "TABLES",
    "Demand",
    "FilledTables",
    "LineGraph",
    "Network",
    "convert_dataset",
    "fill_blanks",
    "join_lines",
    "lines_to_links",
    "load_demand",
    "load_network",
    "validate",
    "write_tables",
]
