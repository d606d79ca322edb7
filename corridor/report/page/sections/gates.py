"""What passes each screenline: by direction, in containers and in bulk, by commodity."""

import numpy as np
import pandas as pd

from corridor.report.page.material import Material
from corridor.report.page.parts import Follower, Section, Table
from corridor.report.sheets.layout import Column


def gates_section(material: Material) -> Section:
    """Return the flow over each screenline of every variant.

    Parameters
    ----------
    material
        The comparison; a study without screenlines gives a section that says so.
    """
    table = _table(material)
    frames = {variant: _frame(material, variant) for variant in material.plans}
    return Section(
        id="gates",
        nav="Flows",
        title="What passes where",
        template="gates.html.j2",
        context={"table": table, "has_lines": any(len(frame) for frame in frames.values())},
        tables={"gates": Follower(table=table, frames=frames)},
    )


def _table(material: Material) -> Table:
    goods = [
        Column(name=f"goods:{name}", title=title, unit="Mt/year", digits=2)
        for name, title in material.goods_names.items()
    ]
    columns = (
        Column(name="line", title="screenline"),
        Column(name="direction", title="way"),
        Column(name="all", title="all goods", unit="Mt/year", digits=2),
        Column(name="containers", title="containers", unit="Mt/year", digits=2),
        Column(name="bulk", title="bulk", unit="Mt/year", digits=2),
        Column(name="kteu", title="loaded boxes", unit="kTEU/year", digits=1),
        *goods,
    )
    note = (
        "A shipment crosses a screenline once. Containers: goods that travel in boxes; bulk: all "
        "others. TEU are loaded ones."
    )
    return Table(id="gates", title="Screenlines", columns=columns, n_keys=2, note=note)


def _frame(material: Material, variant: str) -> pd.DataFrame:
    rows = material.comparison.indicators
    rows = rows[(rows["variant"] == variant) & (rows["indicator"] == "throughput")]
    rows = rows[~rows["scope"].str.contains("/")].dropna(subset="value")
    both = ["scope", "direction"]
    tonnes = rows[rows["unit"] == "Mt_per_year"]
    wide = tonnes.pivot_table(index=both, columns="commodity", values="value", sort=False)
    boxes = rows[(rows["unit"] == "kTEU_per_year") & (rows["commodity"] == "")]
    frame = pd.DataFrame(index=wide.index)
    goods = wide.reindex(columns=list(material.goods_names)).fillna(0.0)
    boxed = goods[[name for name in goods.columns if name in material.boxed]].sum(axis=1)
    frame["all"] = wide.get("", np.nan)
    frame["containers"] = boxed
    frame["bulk"] = goods.sum(axis=1) - boxed
    frame["kteu"] = boxes.set_index(both)["value"].reindex(wide.index)
    for name in goods.columns:
        frame[f"goods:{name}"] = goods[name]
    frame = frame.reset_index()
    frame["line"] = frame["scope"].str.replace("_", " ", regex=False)
    return frame
