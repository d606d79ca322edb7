"""Border crossings: load and time of all, and of the main ones stages, hours and next servers."""

from typing import TYPE_CHECKING, Any

import pandas as pd

from corridor.planning import Crossing
from corridor.report.colors import SERIES
from corridor.report.page.charts import CHART_HEIGHT_PX, legend_below, new_chart
from corridor.report.page.material import MOST_CHANGED, MOST_WORTH, Material, server_worth_usd
from corridor.report.page.parts import Follower, Section, Table
from corridor.report.sheets.layout import Column
from corridor.units import HOURS_PER_DAY

if TYPE_CHECKING:
    from bokeh.plotting import figure as Figure  # noqa: N812


def posts_section(material: Material) -> Section:
    """Return the crossings of every variant, and the main ones of the base stage by stage.

    Parameters
    ----------
    material
        The comparison.
    """
    table = _table()
    frames = {variant: _frame(material, variant) for variant in material.plans}
    looked = material.main_posts
    charts = {f"day-{i}": _day_chart(material, post) for i, post in enumerate(looked)}
    details = [_detail(material, post, i) for i, post in enumerate(looked)]
    return Section(
        id="crossings",
        nav="Crossings",
        title="Border crossings",
        template="posts.html.j2",
        context={
            "table": table,
            "details": details,
            "base_title": material.title(material.base),
            "most_worth": MOST_WORTH,
            "most_changed": MOST_CHANGED,
        },
        charts=charts,
        tables={"crossings": Follower(table=table, frames=frames)},
    )


def _table() -> Table:
    columns = (
        Column(name="name", title="crossing"),
        Column(name="layer", title="layer"),
        Column(name="way", title="way"),
        Column(name="t_per_day", title="flow", unit="t/day", digits=0),
        Column(name="teu_per_day", title="loaded boxes", unit="TEU/day", digits=0),
        Column(name="vehicles_per_day", title="vehicles", unit="per day", digits=1),
        Column(name="utilization", title="used", unit="%", digits=0),
        Column(name="bottleneck", title="tightest stage"),
        Column(name="clear_h", title="clear", unit="h", digits=1),
        Column(name="wait_h", title="queue", unit="h", digits=1),
        Column(name="cost_usd_per_vehicle", title="fees", unit="USD/vehicle", digits=0),
        Column(name="server_kusd", title="one more server", unit="kUSD/year", digits=0),
    )
    note = (
        "Both posts of a crossing together, one row a direction. Used: the tightest stage, traffic "
        "of others included. Clear: delays and service without the queue. One more server: the "
        "delay that it saves all vehicles at this flow."
    )
    return Table(id="crossings", title="Crossings in use", columns=columns, n_keys=3, note=note)


def _frame(material: Material, variant: str) -> pd.DataFrame:
    rows = material.plans[variant].crossings
    rows = rows[rows["t_per_day"] > 0.0].sort_values(
        ["utilization", "t_per_day"], ascending=False, na_position="last", kind="stable"
    )
    names = rows["crossing_id"].map(material.crossing_names).astype(object)
    stage = rows["bottleneck_stage"].astype(str) + ", " + rows["bottleneck_country"].astype(str)
    return rows.assign(
        name=names,
        way=rows["from_country"] + " > " + rows["to_country"],
        bottleneck=stage.where(rows["bottleneck_stage"] != "", ""),
        clear_h=rows["fixed_h"] + rows["service_h"],
        server_kusd=server_worth_usd(rows) / 1e3,
    )


def _detail(material: Material, post: Crossing, number: int) -> dict[str, Any]:
    return {
        "name": post.name,
        "short": _short(material, post),
        "said": _sentence(material, post),
        "chart": f"day-{number}",
        "stages": _stage_table(material, post, number),
        "servers": _server_table(material, post, number),
    }


def _short(material: Material, post: Crossing) -> str:
    """Say what of a crossing fits in a line: its fullest way, and what one more server is worth."""
    ways = post.ways.assign(wait_h=post.ways["wait_h"] + post.ways["beyond_h"])
    way = ways.sort_values("utilization", kind="stable").iloc[-1]
    said = (
        f"{way['from_country']} > {way['to_country']} {way['utilization']:.0%} used, "
        f"{way['wait_h']:.1f} h in the queue"
    )
    worth = [row for row in material.best_servers if row["crossing_id"] == post.crossing_id]
    if worth:
        said += (
            f"; one more server ({worth[0]['bottleneck_stage']}, "
            f"{worth[0]['bottleneck_country']}) is worth {worth[0]['worth'] / 1e6:,.1f} MUSD/year"
        )
    return said


def _sentence(material: Material, post: Crossing) -> str:
    hours = post.opening_hours or "always open"
    said = [f"{post.layer}, regime {post.regime}, opening hours: {hours}."]
    for way in post.ways[post.ways["beyond_h"] > 0.0].to_dict("records"):
        leaves, enters = (material.state(str(way[f"{end}_country"])) for end in ("from", "to"))
        said.append(
            f"From {leaves} to {enters} it is full: goods stand {way['beyond_h']:,.0f} h more in "
            "front of it, which the table of crossings counts and the tables below do not."
        )
    return " ".join(said)


def _stage_table(material: Material, post: Crossing, number: int) -> Table:
    frame = post.stages.assign(
        way=post.stages["from_country"] + " > " + post.stages["to_country"],
        country=post.stages["country"].map(material.state),
    )
    columns = (
        Column(name="way", title="way"),
        Column(name="country", title="post of"),
        Column(name="stage", title="stage"),
        Column(name="servers", title="servers", digits=0),
        Column(name="service_min", title="service", unit="min", digits=0),
        Column(name="share", title="sent there", unit="%", digits=0),
        Column(name="arrivals_per_day", title="arrivals", unit="per day", digits=1),
        Column(name="utilization", title="used", unit="%", digits=0),
        Column(name="wait_h", title="queue, even day", unit="h", digits=2),
        Column(name="day_wait_h", title="over the day", unit="h", digits=2),
        Column(name="p_over_4h", title="over 4 h", unit="%", digits=1),
    )
    return Table.of_frame(frame, columns, id=f"stages-{number}", title="Stages")


def _server_table(material: Material, post: Crossing, number: int) -> Table:
    rows = post.servers
    frame = rows.assign(
        country=rows["country"].map(material.state),
        kusd=rows["saved_usd_per_year"] / 1e3,
        low=rows["saved_usd_low"] / 1e3,
        high=rows["saved_usd_high"] / 1e3,
        solved=rows["solved_usd_per_year"] / 1e3,
    )
    columns: tuple[Column, ...] = (
        Column(name="country", title="post of"),
        Column(name="direction", title="way"),
        Column(name="stage", title="stage"),
        Column(name="servers", title="servers", digits=0),
        Column(name="saved_h_per_day", title="saves", unit="vehicle h/day", digits=1),
        Column(name="kusd", title="worth", unit="kUSD/year", digits=0),
        Column(name="low", title="low", unit="kUSD/year", digits=0),
        Column(name="high", title="high", unit="kUSD/year", digits=0),
        Column(name="fixed_h", title="delay it cannot touch", unit="h", digits=1),
    )
    note = "Worth: delay saved at this traffic; low and high over the ranges of the inputs."
    if frame["solved"].notna().any():
        columns += (Column(name="solved", title="with newcomers", unit="kUSD/year", digits=0),)
        note += " With newcomers: solved again with the server there."
    return Table.of_frame(
        frame, columns, id=f"servers-{number}", title="What one more server buys", note=note
    )  # fmt: skip


def _day_chart(material: Material, post: Crossing) -> "Figure":
    """Return the mean queue at each post by the hour of the day, or of the week."""
    from bokeh.models import ColumnDataSource, HoverTool

    hours = post.hours
    length = hours["length_h"].max() if len(hours) else 1.0
    last = float(hours["start_h"].max() + length) if len(hours) else HOURS_PER_DAY
    week = last > HOURS_PER_DAY
    fig = new_chart(
        f"Queue by hour of the {'week' if week else 'day'}, {post.name}",
        x_title="hour, local time",
        y_title="mean queue [h]",
        height_px=CHART_HEIGHT_PX,
    )
    key = ["from_country", "to_country", "country"]
    for position, (names, rows) in enumerate(hours.groupby(key, sort=False)):
        leaves, enters, country = (str(name) for name in names)
        source = ColumnDataSource(
            {
                "hour": [*rows["start_h"].round(2).tolist(), last],
                "wait": _to_the_end(rows["wait_h"], 3),
                "arrivals": _to_the_end(rows["arrivals_per_h"], 2),
                "post": [f"{material.state(country)}, {leaves} > {enters}"] * (len(rows) + 1),
            }
        )
        fig.step(
            "hour", "wait", source=source, mode="after", line_width=2.4,
            line_color=SERIES[position % len(SERIES)],
            line_dash=("solid", "dashed", "dotted", "dotdash")[position % 4],
            legend_label=f"{country}: {leaves} > {enters}",
        )  # fmt: skip
    tips = [("post", "@post"), ("hour", "@hour{0.0}"), ("queue", "@wait{0.00} h"),
            ("arrivals", "@arrivals{0.0} vehicles/h")]  # fmt: skip
    fig.add_tools(HoverTool(tooltips=tips, mode="mouse", line_policy="next"))
    legend_below(fig)
    fig.x_range.start, fig.x_range.end = 0, last
    return fig


def _to_the_end(values: pd.Series, digits: int) -> list[float]:
    """Return values by hour with the last one once more: a step lasts until the next hour."""
    rounded: list[float] = values.astype(float).round(digits).tolist()
    return rounded + rounded[-1:]
