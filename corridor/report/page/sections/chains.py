"""Reference shipments door to door: time and cost leg by leg in every variant."""

from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from corridor.planning.tables import SEPARATOR
from corridor.report.colors import LEGS
from corridor.report.page.charts import new_chart
from corridor.report.page.material import Material
from corridor.report.page.parts import Follower, Section, Table
from corridor.report.records import Record, plain
from corridor.report.sheets.layout import Column

if TYPE_CHECKING:
    from bokeh.plotting import figure as Figure  # noqa: N812

_ROW_PX: Final = 26
_BORDER: Final = ("exit post", "entry post")
_HANDLING: Final = ("loading", "transfer", "unloading")


def chains_section(material: Material) -> Section:
    """Return the reference shipments of the study, leg by leg.

    Parameters
    ----------
    material
        The comparison; a study without references gives a section that says so.
    """
    legs = _legs(material)
    references = [
        {
            "id": reference.id,
            "title": (
                f"{material.node_names.get(reference.origin, reference.origin)} - "
                f"{material.node_names.get(reference.destination, reference.destination)}: "
                f"{material.goods_names.get(reference.commodity, reference.commodity)}"
            ),
        }
        for reference in material.comparison.study.references
    ]
    first = str(references[0]["id"]) if references else ""
    charts: dict[str, Figure] = {}
    if references:
        charts = {
            "chain-time": _bars(material, legs, first, "time", "days"),
            "chain-cost": _bars(material, legs, first, "cost", "USD/t"),
        }
    data: Record = {
        "chains": {
            str(reference["id"]): plain(_columns(legs[legs["reference"] == reference["id"]]))
            for reference in references
        }
    }
    totals, leg_table = _total_table(), _leg_table()
    return Section(
        id="chains",
        nav="Door to door",
        title="Door to door",
        template="chains.html.j2",
        context={
            "references": references, "totals": totals, "legs": leg_table, "colors": dict(LEGS)
        },
        charts=charts,
        tables={
            "chain-totals": Follower(table=totals, frames=_totals(material, references)),
            "chain-legs": Follower(table=leg_table, frames=_leg_frames(material, legs),
                                   changes=False),
        },
        data=data,
    )  # fmt: skip


def _legs(material: Material) -> pd.DataFrame:
    """Return every leg with its kind, its place and where its bar begins and ends."""
    legs = material.comparison.legs
    if not len(legs):
        columns = [
            "variant",
            "reference",
            "leg",
            "kind",
            "place",
            "what",
            "state",
            "title",
            "label",
        ]
        return pd.DataFrame(columns=[*columns, "time_d", "cost_usd_per_t"])
    name = material.node_names
    first, last = legs["from_node"].map(name), legs["to_node"].map(name)
    ends = first.where(legs["from_node"] == legs["to_node"], first + " - " + last)
    at = legs["crossing_id"].map(material.crossing_names)
    frame = legs.assign(
        place=ends.where(legs["crossing_id"] == "", at),
        what=[_kind(*pair) for pair in zip(legs["kind"], legs["mode"], strict=True)],
        state=legs["country"].map(material.state),
        time_d=legs["time_h"] / 24.0,
        title=legs["variant"].map(material.title),
        label=legs["variant"].map(material.labels),
    )
    by = frame.groupby(["variant", "reference"], sort=False)
    for column in ("time_d", "cost_usd_per_t"):
        frame[f"{column}_to"] = by[column].cumsum()
        frame[f"{column}_from"] = frame[f"{column}_to"] - frame[column]
    return frame


def _kind(kind: str, mode: str) -> str:
    if kind in _BORDER:
        return "border"
    if kind == "travel":
        return mode if mode in LEGS else "other"
    return "terminal" if kind in _HANDLING else "other"


def _columns(legs: pd.DataFrame) -> dict[str, list[Any]]:
    """Return the bars of a reference, one entry a leg."""
    rounded = {
        new: legs[old].astype(float).round(3).tolist()
        for new, old in (
            ("time_from", "time_d_from"), ("time_to", "time_d_to"),
            ("cost_from", "cost_usd_per_t_from"), ("cost_to", "cost_usd_per_t_to"),
            ("hours", "time_h"), ("usd", "cost_usd_per_t"), ("fee", "fee_usd_per_t"),
            ("wait", "wait_h"),
        )
    }  # fmt: skip
    texts = {
        name: legs[name].astype(str).tolist()
        for name in ("title", "label", "what", "place", "state")
    }
    return {
        **rounded, **texts, "color": [LEGS[what] for what in legs["what"]]
    }  # fmt: skip


def _bars(
    material: Material, legs: pd.DataFrame, reference: str, measure: str, unit: str
) -> "Figure":
    from bokeh.models import ColumnDataSource, HoverTool

    titles = list(material.labels.values())
    fig = new_chart(
        f"{measure.capitalize()} by leg, door to door",
        x_title=unit,
        y_title="",
        height_px=80 + _ROW_PX * len(titles),
        factors=titles[::-1],
    )
    fig.x_range.start = 0
    source = ColumnDataSource(_columns(legs[legs["reference"] == reference]), name="chain")
    fig.hbar(
        y="label", left=f"{measure}_from", right=f"{measure}_to", height=0.72, color="color",
        line_color="white", line_width=0.8, source=source,
    )  # fmt: skip
    tips = [("variant", "@title"), ("leg", "@what, @place, @state"),
            ("time", "@hours{0.0} h, of it waiting @wait{0.0} h"),
            ("cost", "@usd{0.0} USD/t, of it fees @fee{0.0} USD/t")]  # fmt: skip
    fig.add_tools(HoverTool(tooltips=tips))
    return fig


def _total_table() -> Table:
    columns = (
        Column(name="title", title="shipment"),
        Column(name="time_d", title="time", unit="days", digits=1),
        Column(name="border_h", title="borders", unit="h", digits=1),
        Column(name="terminal_h", title="terminals", unit="h", digits=1),
        Column(name="service_wait_h", title="for a service", unit="h", digits=1),
        Column(name="cost_usd_per_t", title="freight", unit="USD/t", digits=0),
        Column(name="cost_usd_per_teu", title="freight", unit="USD/TEU loaded", digits=0),
        Column(name="generalized_usd_per_t", title="with time", unit="USD/t", digits=0),
        Column(name="co2_kg_per_t", title="CO2", unit="kg/t", digits=0),
        Column(name="length_km", title="length", unit="km", digits=0),
        Column(name="through", title="through, or why not"),
    )
    note = "The cheapest way with time, at the queues of today's traffic."
    return Table(
        id="chain-totals", title="All reference shipments in the chosen variant", columns=columns,
        note=note,
    )  # fmt: skip


def _totals(material: Material, references: list[dict[str, Any]]) -> dict[str, pd.DataFrame]:
    rows = material.comparison.references
    titles = {reference["id"]: reference["title"] for reference in references}
    through = rows["countries"].where(rows["countries"] != "", rows["reasons"])
    frame = rows.assign(
        title=rows["reference"].map(titles),
        through=through.str.replace(SEPARATOR, " > ", regex=False),
    )
    return {variant: frame[frame["variant"] == variant] for variant in material.plans}


def _leg_table() -> Table:
    columns = (
        Column(name="leg", title="leg", digits=0),
        Column(name="what", title="by"),
        Column(name="place", title="where"),
        Column(name="state", title="state"),
        Column(name="length_km", title="length", unit="km", digits=0),
        Column(name="time_h", title="time", unit="h", digits=1),
        Column(name="wait_h", title="of it queue", unit="h", digits=1),
        Column(name="cost_usd_per_t", title="cost", unit="USD/t", digits=1),
        Column(name="fee_usd_per_t", title="of it fees", unit="USD/t", digits=1),
    )
    return Table(
        id="chain-legs", title="Leg by leg in the chosen variant", columns=columns, n_keys=4
    )


def _leg_frames(material: Material, legs: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return the legs by ``variant/reference``."""
    frames = {}
    for variant in material.plans:
        for reference in material.comparison.study.references:
            rows = legs[(legs["variant"] == variant) & (legs["reference"] == reference.id)]
            frames[f"{variant}/{reference.id}"] = rows
    return frames
