"""Rules: which bind, at what price, what they cost; principles; what is not carried and why."""

import numpy as np
import pandas as pd

from corridor.planning.tables import SEPARATOR
from corridor.report.page.material import ADD, Material
from corridor.report.page.parts import Follower, Section, Table
from corridor.report.sheets.layout import Column
from corridor.report.sheets.reasons import told_cost

_TOP_UNMET = 25
_WHY = {
    "no_path": "no way, even without rules",
    "rule": "barred by rules",
    "capacity": "open, but full",
}


def rules_section(material: Material) -> Section:
    """Return the rules of every variant, how the plans stand to the principles, and unmet demand.

    Parameters
    ----------
    material
        The comparison; explanations add what each binding rule costs.
    """
    tables = {"rules": _rule_table(material), "principles": _principle_table(),
              "unmet": _unmet_table()}  # fmt: skip
    makers = {"rules": _rules, "principles": _principles, "unmet": _unmet}
    followers = {
        name: Follower(
            table=table,
            frames={variant: makers[name](material, variant) for variant in material.plans},
            changes=False,
        )
        for name, table in tables.items()
    }
    said = [
        {"title": material.title(name), "sentences": list(explanation.sentences)}
        for name, explanation in material.explanations.items()
        if name in material.plans
    ]
    return Section(
        id="rules",
        nav="Rules",
        title="Rules and sovereignty",
        template="laws.html.j2",
        context={"tables": tables, "explanations": said, "without_plan": _without_plan(material)},
        tables=followers,
    )


def _rule_table(material: Material) -> Table:
    costs = (
        (Column(name="cost_kusd", title="cost", unit="kUSD/day", digits=1),)
        if material.explanations
        else ()
    )
    columns = (
        Column(name="title", title="rule"),
        Column(name="kind", title="kind"),
        Column(name="binds", title="binds"),
        Column(name="price", title="price", digits=2),
        Column(name="unit", title="of"),
        Column(name="stops_t_per_day", title="helps to stop", unit="t/day", digits=1),
        *costs,
        Column(name="evidence", title="source"),
        Column(name="rule_id", title="id"),
    )
    note = (
        "Binds: some goods would go otherwise without it. Price: what one unit more of a limit "
        "saves at the best possible use; a ban has none. Helps to stop: goods that stay at home "
        "because of it, alone or with others. "
    )
    note += (
        "Cost: how much more is lost with all rules than without this one; goods that stay at home "
        "count at their own value."
        if costs
        else f"What each rule costs, who pays, and the least that would have to change: {ADD} "
        "explanations."
    )
    return Table(id="rules", title="Rules in force", columns=columns, note=note)


def _rules(material: Material, variant: str) -> pd.DataFrame:
    rows = material.plans[variant].rules
    study = material.comparison.study
    sources = {rule.id: f"{rule.source} {rule.confidence}".strip() for rule in study.rules.rules}
    cost = pd.Series(dtype=float)
    if variant in material.explanations:
        table = material.explanations[variant].costs
        if len(table):
            cost = told_cost(table.set_index("rule_id"))
    binds = rows["binding"].astype(bool)
    stops = _stopped_t_per_day(material.plans[variant].unmet)
    frame = rows.assign(
        stops_t_per_day=rows["rule_id"].map(stops).astype(float),
        binds=np.where(binds, "binds", ""),
        unit=rows["unit"].str.replace("usd_per_", "USD per ", regex=False),
        cost_kusd=rows["rule_id"].map(cost).astype(float),
        evidence=rows["rule_id"].map(sources).fillna("this variant"),
        kind=rows["kind"].str.replace("_", " ", regex=False),
    )
    order = np.lexsort((-frame["stops_t_per_day"].fillna(0.0).to_numpy(), ~binds.to_numpy(bool)))
    return frame.iloc[order]


def _stopped_t_per_day(unmet: pd.DataFrame) -> dict[str, float]:
    """Return the goods that stay at home because of each rule [t/day]; rules share the goods."""
    stopped: dict[str, float] = {}
    for names, tonnes in zip(unmet["rules"], unmet["t_per_day"], strict=True):
        for name in filter(None, str(names).split(SEPARATOR)):
            stopped[name] = stopped.get(name, 0.0) + float(tonnes)
    return stopped


def _principle_table() -> Table:
    columns = (
        Column(name="principle", title="principle"),
        Column(name="verdict", title="verdict"),
        Column(name="detail", title="because"),
    )
    return Table(id="principles", title="The four principles", columns=columns)


def _principles(material: Material, variant: str) -> pd.DataFrame:
    rows: pd.DataFrame = material.plans[variant].compliance
    return rows


def _unmet_table() -> Table:
    columns = (
        Column(name="origin", title="from"),
        Column(name="destination", title="to"),
        Column(name="goods", title="goods"),
        Column(name="t_per_day", title="not carried", unit="t/day", digits=1),
        Column(name="why", title="why"),
        Column(name="by", title="rules"),
    )
    return Table(id="unmet", title="What is not carried", columns=columns)


def _unmet(material: Material, variant: str) -> pd.DataFrame:
    plan = material.plans[variant]
    rows = plan.unmet.sort_values("t_per_day", ascending=False, kind="stable").head(_TOP_UNMET)
    titles = dict(zip(plan.rules["rule_id"], plan.rules["title"], strict=True))
    return rows.assign(
        origin=rows["origin"].map(material.node_names).fillna(rows["origin"]),
        destination=rows["destination"].map(material.node_names).fillna(rows["destination"]),
        goods=rows["commodity"].map(material.goods_names).fillna(rows["commodity"]),
        why=rows["reason"].map(_WHY).fillna(rows["reason"]),
        by=[
            "; ".join(str(titles.get(name, name)) for name in str(text).split(SEPARATOR) if name)
            for text in rows["rules"]
        ],
    )


def _without_plan(material: Material) -> list[dict[str, str | list[str]]]:
    """Return the variants without a plan, and the rules that leave them without one."""
    found: list[dict[str, str | list[str]]] = []
    for variant, plan in material.plans.items():
        if material.has_plan(variant):
            continue
        broken = plan.rules[plan.rules["binding"].astype(bool)]
        rules = [f"{title} ({name})" for title, name in broken[["title", "rule_id"]].to_numpy()]
        found.append(
            {
                "title": material.title(variant),
                "status": plan.status,
                "rules": rules or [f"stopped by {plan.limit}" if plan.limit else "unknown"],
            }
        )
    return found
