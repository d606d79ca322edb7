"""Evidence: inputs with source and confidence, filled blanks, limits, and how to repeat it."""

from typing import Final
from urllib.parse import urlsplit

import numpy as np
import pandas as pd

from corridor import __version__
from corridor.report.findings import FINDERS
from corridor.report.page.material import ADD, Material
from corridor.report.page.parts import Section, Table
from corridor.report.sheets.layout import Column

_CONFIDENCE: Final = ("official", "published", "derived", "assumed")
_TABLES: Final = (
    "nodes",
    "layers",
    "links",
    "terminals",
    "crossings",
    "stages",
    "commodities",
    "background",
    "services",
    "projects",
    "defaults",
)
_MATTERS: Final = ("links", "terminals", "crossings", "stages", "commodities", "layers")
_TOP_FILLS: Final = 60

LIMITS: Final = (
    "It compares variants on the same demand. It is no forecast of a year, a week or a shipment.",
    "Flows are daily means, without seasons, strikes and weather; queues are those of an even day.",
    "An unknown capacity is unlimited and flagged: blank utilization is unknown, not free.",
    "Demand does not react to time and cost unless the study says so.",
    "Prices of rules and servers hold for the next unit at this flow, not for many.",
    "Revenue of a state is gross: fees and its share of freight charges, before its costs.",
    "The map crosses out what a rule closes to all; rules for some goods or flags are not drawn.",
)


def evidence_section(material: Material) -> Section:
    """Return sources, confidence, ranges, filled blanks, limits and the commands to repeat it.

    Parameters
    ----------
    material
        The comparison.
    """
    study = material.comparison.study
    tables = {
        "confidence": _confidence(material),
        "ranges": _ranges(material),
        "inputs": _inputs(material),
        "fills": _fills(material),
        "sources": _sources(material),
    }
    return Section(
        id="evidence",
        nav="Evidence",
        title="Evidence and limits",
        template="evidence.html.j2",
        context={
            "tables": tables,
            "limits": LIMITS,
            "version": __version__,
            "study": study,
            "commands": _commands(material),
            "missing": [
                (name, finder.says)
                for name, finder in FINDERS.items()
                if name not in material.names
            ],
            "add": ADD,
            "seed": None if material.sweep is None else material.sweep.seed,
            "gaps": _gaps(material),
        },
    )


def _commands(material: Material) -> list[str]:
    dataset = material.comparison.study.header.dataset
    name = "" if dataset == "crossroads" else " study.toml"
    more = "".join(f" --with {of}" for of in material.names)
    return [
        f"corridor compare{name} --out out{more}",
        f"corridor explain{name} --variant {material.base}",
        f"corridor targets{name}",
    ]


def _gaps(material: Material) -> str:
    """Return the largest gap of the plans, in words."""
    gaps = [plan.gap for plan in material.plans.values() if np.isfinite(plan.gap)]
    return f"{max(gaps):.1e}" if gaps else ""


def _frames(material: Material) -> dict[str, pd.DataFrame]:
    frames = {name: material.network.table(name) for name in _TABLES}
    frames["demand"] = material.comparison.study.demand.rows
    return {name: frame for name, frame in frames.items() if "confidence" in frame and len(frame)}


def _confidence(material: Material) -> Table:
    rows = []
    for name, frame in _frames(material).items():
        share = frame["confidence"].value_counts(normalize=True)
        rows.append(
            {"table": name, "rows": len(frame)}
            | {word: float(share.get(word, 0.0)) for word in _CONFIDENCE}
        )
    columns = (
        Column(name="table", title="table"),
        Column(name="rows", title="rows", digits=0),
        *(Column(name=word, title=word, unit="%", digits=0) for word in _CONFIDENCE),
    )
    names = ["table", "rows", *_CONFIDENCE]
    return Table.of_frame(
        pd.DataFrame(rows, columns=names), columns, id="confidence", title="How much is known",
        note=(
            "Share of rows. Official: a law, a decision, an office, a contract; published: printed "
            "by somebody else; derived: computed from published numbers; assumed: judgement."
        ),
    )  # fmt: skip


def _ranges(material: Material) -> Table:
    frame = material.network.ranges
    columns = tuple(
        Column(name=name, title=title, digits=digits)
        for name, title, digits in (
            ("table", "table", None), ("key", "row", None), ("column", "column", None),
            ("low", "low", 3), ("high", "high", 3), ("distribution", "distribution", None),
            ("group", "drawn with", None), ("source", "source", None),
            ("confidence", "confidence", None),
        )
        if name in frame
    )  # fmt: skip
    return Table.of_frame(
        frame.fillna({"group": ""}) if "group" in frame else frame, columns, id="ranges",
        title="Inputs that are assumptions, and their ranges",
    )  # fmt: skip


def _inputs(material: Material) -> Table:
    """Return the inputs of the links and crossings that carry most in the base."""
    plan = material.plans[material.base]
    links = material.network.links
    flow = plan.links.groupby("link_id")["t_per_day"].sum() if len(plan.links) else pd.Series()
    busiest = flow.sort_values(ascending=False).head(40).index.tolist()
    rows = links[links["link_id"].isin(busiest)]
    frame = pd.DataFrame(
        {
            "link": rows["link_id"],
            "length_km": rows["length_km"].astype(float),
            "capacity": rows["capacity_t_per_day"].astype(float),
            "flow": rows["link_id"].map(flow).astype(float),
            "source": _text(rows, "source"),
            "confidence": _text(rows, "confidence"),
            "note": _text(rows, "note"),
        }
    ).sort_values("flow", ascending=False)
    columns = (
        Column(name="link", title="link"),
        Column(name="flow", title="flow in base", unit="t/day", digits=0),
        Column(name="length_km", title="length", unit="km", digits=0),
        Column(name="capacity", title="capacity", unit="t/day", digits=0),
        Column(name="source", title="source"),
        Column(name="confidence", title="confidence"),
        Column(name="note", title="note"),
    )
    return Table.of_frame(
        frame, columns, id="inputs", title="The links that carry most, and where their data is from"
    )


def _text(frame: pd.DataFrame, column: str) -> pd.Series:
    if column not in frame:
        return pd.Series("", index=frame.index)
    return frame[column].fillna("").astype(str)


def _fills(material: Material) -> Table:
    frame = material.plans[material.base].assumptions
    frame = frame.assign(value=frame["value"].astype(str)).sort_values(
        "n_rows", ascending=False, kind="stable"
    )
    columns = (
        Column(name="table", title="table"),
        Column(name="column", title="column"),
        Column(name="value", title="taken as"),
        Column(name="origin", title="from"),
        Column(name="n_rows", title="rows", digits=0),
    )
    return Table.of_frame(
        frame.head(_TOP_FILLS), columns, id="fills", title="Blanks that were filled",
    )  # fmt: skip


def _sources(material: Material) -> Table:
    frame = material.network.sources
    columns = tuple(
        Column(name=name, title=name)
        for name in ("source", "title", "publisher", "date", "url")
        if name in frame
    )
    texts = pd.DataFrame({name: _text(frame, name) for name in frame.columns})
    if "url" in texts:
        texts["url"] = [url if _is_web(url) else "" for url in texts["url"]]
    return Table.of_frame(texts, columns, id="sources", title="Sources")


def _is_web(url: str) -> bool:
    """Whether an address may be linked to: nothing but http and https."""
    return urlsplit(url).scheme in ("http", "https")
