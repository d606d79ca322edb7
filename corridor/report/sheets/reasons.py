"""Explanations as sheets for the terminal: what clashes, what helps, what rules cost."""

import pandas as pd

from corridor.planning import Explanation, Frontier
from corridor.report.sheets.layout import Column, Sheet

_TOP_PAYERS = 10
_TOP_CONFLICTS = 25
_TOP_KEPT = 5
_LEAST_T_PER_DAY = 0.05


def explanation_sheets(explanation: Explanation, title: str = "Why") -> list[Sheet]:
    """Return an explanation for the terminal.

    Parameters
    ----------
    explanation
        What `corridor.explain` returned.
    title
        Title of the first sheet.
    """
    heading = f"{title} ({explanation.status})"
    sheets = []
    if len(explanation.conflicts):
        sheets.append(_conflicts_sheet(explanation, heading))
    if len(explanation.relaxations):
        sheets.append(_relaxations_sheet(explanation))
    if len(explanation.costs):
        sheets.append(_costs_sheet(explanation, heading if not sheets else ""))
        sheets.append(_payers_sheet(explanation))
    return sheets or [_nothing_sheet(explanation, heading)]


def _nothing_sheet(explanation: Explanation, heading: str) -> Sheet:
    said = explanation.sentences or ("No rule is in force, and none stands in the way.",)
    column = Column(name="sentence", title="", wrap=True)
    return Sheet(title=heading, columns=(column,), rows=tuple((line,) for line in said))


def _conflicts_sheet(explanation: Explanation, heading: str) -> Sheet:
    frame = explanation.conflicts.head(_TOP_CONFLICTS)
    frame = frame.assign(rules=frame["rules"].str.replace(">", "\n", regex=False))
    columns: tuple[Column, ...] = (
        Column(name="subject", title="for", wrap=True),
        Column(name="rules", title="rules that cannot hold together"),
        Column(name="detail", title="because", wrap=True),
    )
    if not (frame["detail"] != "").any():
        columns = columns[:2]
    return Sheet.from_frame(
        frame, columns, title=heading,
        note="Each set is minimal: without any one of its rules the others can hold.",
    )  # fmt: skip


def _relaxations_sheet(explanation: Explanation) -> Sheet:
    frame = explanation.relaxations
    host = frame["host"].where(frame["host"] == "", frame["host"] + " only")
    frame = frame.assign(
        number=frame["option"].astype(str),
        by=host,
        to=frame["after"] + (" " + frame["unit"]).where(frame["unit"] != "", ""),
    )
    columns: tuple[Column, ...] = (
        Column(name="number", title="way"),
        Column(name="rule_id", title="rule"),
        Column(name="field", title="what"),
        Column(name="before", title="from", wrap=True),
        Column(name="to", title="to", wrap=True),
        Column(name="by", title="who may"),
    )
    if not (frame["host"] != "").any():
        columns = columns[:-1]
    return Sheet.from_frame(
        frame, columns, title="The least that would have to change",
        note=(
            "Changes of one way are made together and are enough for its subject. except: the ban "
            "is lifted for the shipment alone. A floor is its host's: no plan relaxes it."
        ),
    )  # fmt: skip


def _costs_sheet(explanation: Explanation, heading: str) -> Sheet:
    frame = explanation.costs.merge(explanation.prices, on="rule_id", how="left")
    frame = frame.assign(
        rule=frame["rule_id"].where(frame["rule_id"] != "", "all rules together"),
        kusd=told_cost(frame),
        stays=frame["stays_t_per_day"].where(frame["stays_t_per_day"].abs() > _LEAST_T_PER_DAY),
        unit=frame["unit"].fillna("").str.replace("usd_per_", "USD/", regex=False),
    )
    columns: tuple[Column, ...] = (
        Column(name="rule", title="rule"),
        Column(name="title", title="what it says", wrap=True),
        Column(name="kusd", title="cost", unit="kUSD/day", digits=1),
        Column(name="stays", title="stays", unit="t/day", digits=1),
        Column(name="price", title="price", unit="a unit", digits=2),
        Column(name="unit", title="", unit="of"),
    )
    if not (frame["unit"] != "").any():
        columns = columns[:4]
    title = "What the rules that bind cost"
    return Sheet.from_frame(
        frame, columns, title=f"{heading}: {title[0].lower()}{title[1:]}" if heading else title,
        note=(
            "cost: how much more is lost with all rules than without this one: the cost of what is "
            "served, and goods that stay at home at their own value, not at the price that steers "
            "the plan. 0: none, within the plan's precision. Below 0: to carry the goods would "
            "cost more than they are worth. stays: goods at home because of it; price: what one "
            "unit more of its limit saves."
        ),
    )  # fmt: skip


def told_cost(frame: pd.DataFrame) -> "pd.Series[float]":
    """Return costs [kUSD/day], 0 where they are below the precision.

    Parameters
    ----------
    frame
        ``Explanation.costs`` or ``Explanation.principles``.
    """
    cost = frame["cost_usd_per_day"].astype(float)
    return cost.mask(cost.abs() <= frame["precision_usd_per_day"].astype(float), 0.0) / 1e3


def _payers_sheet(explanation: Explanation) -> Sheet:
    frame = explanation.payers
    frame = frame[frame["rule_id"] == ""]
    paying = frame[frame["pays_usd_per_day"] > 0.0].head(_TOP_PAYERS)
    kept = frame[frame["stays_t_per_day"] > _LEAST_T_PER_DAY].head(_TOP_KEPT)
    frame = pd.concat([paying, kept])
    frame = frame.assign(
        kusd=frame["pays_usd_per_day"] / 1e3,
        stays=frame["stays_t_per_day"].where(frame["stays_t_per_day"] > _LEAST_T_PER_DAY),
    )
    columns: tuple[Column, ...] = (
        Column(name="origin", title="origin"),
        Column(name="destination", title="destination"),
        Column(name="commodity", title="commodity"),
        Column(name="t_per_day", title="demand", unit="t/day", digits=0),
        Column(name="usd_per_t", title="dearer by", unit="USD/t", digits=1),
        Column(name="kusd", title="pays", unit="kUSD/day", digits=1),
        Column(name="stays", title="stays", unit="t/day", digits=1),
    )
    return Sheet.from_frame(
        frame, columns, title="Who pays for all rules together", n_keys=2,
        note=(
            "At the margin: a tonne's own way, room and queues priced at what they cost others. "
            "Goods that stay at home have no such price; they stand last, by the tonnes that stay."
        ),
    )  # fmt: skip


def frontier_sheet(frontier: Frontier, title: str = "Frontier") -> Sheet:
    """Return a row per value of a rule's field: cost, throughput, time.

    Parameters
    ----------
    frontier
        What `corridor.planning.rule_frontier` returned.
    title
        Title of the sheet.
    """
    table = frontier.table
    frame = table.assign(
        musd=table["total_loss_usd_per_day"] / 1e6,
        more=(table["total_loss_usd_per_day"] - table["total_loss_usd_per_day"].min()) / 1e3,
    )
    columns = (
        Column(name="value", title=frontier.field, digits=3),
        Column(name="status", title="status"),
        Column(name="musd", title="cost", unit="MUSD/day", digits=3),
        Column(name="more", title="over least", unit="kUSD/day", digits=1),
        Column(name="crossing_t_per_day", title="through", unit="t/day", digits=0),
        Column(name="crossing_vehicles_per_day", title="vehicles", unit="per day", digits=1),
        Column(name="capacity_vehicles_per_day", title="room", unit="per day", digits=1),
        Column(name="border_h", title="time", unit="h", digits=2),
        Column(name="unmet_t_per_day", title="unmet", unit="t/day", digits=0),
    )
    return Sheet.from_frame(
        frame, columns, title=f"{title}: {frontier.rule_id}",
        note=(
            "through, time: the crossings looked at, both posts, queue included; room: of the "
            "tightest post, blank where posts of several modes are looked at (trains and trucks "
            "cannot be held against each other: give --crossing of one mode); cost: of the "
            "whole plan, goods that stay at home at their own value."
        ),
    )  # fmt: skip
