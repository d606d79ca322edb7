"""What is lost when something closes: sheets, records and tables of resilience."""

from dataclasses import fields

import pandas as pd

from corridor.report.sheets.layout import Column, Sheet
from corridor.study import Resilience, WorstClosures

_K = 1e3
_TOP = 12

_WORDS = {
    "link": "Links inside states, the most critical first",
    "crossing": "Crossings, the most critical first",
    "terminal": "Terminals, the most critical first",
    "state": "States closed to goods that are not their own, the most critical first",
}


def resilience_tables(found: Resilience) -> dict[str, pd.DataFrame]:
    """Return all tables by name.

    Parameters
    ----------
    found
        What `corridor.resilience` returned.
    """
    tables = {field.name: getattr(found, field.name) for field in fields(found)}
    return {name: table for name, table in tables.items() if isinstance(table, pd.DataFrame)}


def resilience_record(found: Resilience) -> dict[str, object]:
    """Return everything, for JSON."""
    return {field.name: getattr(found, field.name) for field in fields(found)}


def resilience_sheets(found: Resilience, title: str) -> list[Sheet]:
    """Return the answer for the terminal: the top of each table.

    Parameters
    ----------
    found
        What `corridor.resilience` returned.
    title
        What was closed.
    """
    kinds = [kind for kind in _WORDS if (found.losses["kind"] == kind).any()]
    sheets = [_loss_sheet(found, kind) for kind in kinds]
    if len(found.pairs):
        sheets.append(_pair_sheet(found))
    if len(found.year):
        sheets.append(_year_sheet(found))
    sheets += [_redundancy_sheet(found), _reliability_sheet(found), _recovery_sheet(found)]
    first = sheets[0]
    head = Sheet(
        title=f"{title}\n{first.title}",
        columns=first.columns,
        rows=first.rows,
        n_keys=first.n_keys,
        note=first.note,
    )
    return [head, *sheets[1:], _assumption_sheet(found)]


def _thousands(name: str, title: str) -> Column:
    return Column(name=name, title=title, unit="kUSD/day", digits=1)


def _in_thousands(frame: pd.DataFrame) -> pd.DataFrame:
    money = [name for name in frame.columns if name.endswith("usd_per_day")]
    return frame.assign(**{name: frame[name].astype(float) / _K for name in money})


def _loss_sheet(found: Resilience, kind: str) -> Sheet:
    table = found.losses[found.losses["kind"] == kind].head(_TOP)
    columns = (
        Column(name="item", title=kind),
        Column(name="name", title="name", wrap=True),
        Column(name="carried_t_per_day", title="carries", unit="t/day", digits=0),
        _thousands("loss_usd_per_day", "dearer by"),
        Column(name="loss_share", title="of all cost", unit="%", digits=2),
        Column(name="cut_off_t_per_day", title="cut off", unit="t/day", digits=0),
    )
    shown = columns if kind != "state" else columns[:1] + columns[2:]
    more = int((found.losses["kind"] == kind).sum()) - len(table)
    note = f"{more} more carry goods." if more else ""
    return Sheet.from_frame(_in_thousands(table), shown, title=_WORDS[kind], note=note)


def _pair_sheet(found: Resilience) -> Sheet:
    columns = (
        Column(name="state_a", title="state"),
        Column(name="state_b", title="and state"),
        _thousands("loss_usd_per_day", "dearer by"),
        _thousands("beyond_usd_per_day", "beyond both"),
        Column(name="cut_off_t_per_day", title="cut off", unit="t/day", digits=0),
        Column(name="beyond_t_per_day", title="beyond both", unit="t/day", digits=0),
    )
    return Sheet.from_frame(
        _in_thousands(found.pairs.head(_TOP)),
        columns,
        title="Two states closed at once",
        n_keys=2,
        note="Beyond both: more than the two alone, because each is the other's detour.",
    )


def _year_sheet(found: Resilience) -> Sheet:
    columns = (
        Column(name="item", title="closed"),
        Column(name="cause", title="cause", wrap=True),
        Column(name="days_per_year", title="days", unit="per year", digits=1),
        Column(name="loss_musd_per_year", title="dearer by", unit="MUSD/year", digits=2),
        Column(name="cut_off_kt_per_year", title="cut off", unit="kt/year", digits=1),
    )
    return Sheet.from_frame(
        found.year.head(_TOP), columns, title="Closures that come back in a year"
    )


def _redundancy_sheet(found: Resilience) -> Sheet:
    table = found.redundancy.sort_values("t_per_day", ascending=False, kind="stable").head(_TOP)
    columns = (
        Column(name="origin", title="from"),
        Column(name="destination", title="to"),
        Column(name="commodity", title="goods"),
        Column(name="t_per_day", title="demand", unit="t/day", digits=0),
        Column(name="disjoint_routes", title="routes", unit="no link shared", digits=0),
        Column(name="extra_usd_per_t", title="next best", unit="+ USD/t", digits=1),
        Column(name="bottleneck", title="only over"),
    )
    return Sheet.from_frame(
        table,
        columns,
        title="Ways of the largest shipments",
        n_keys=3,
        note="Next best: cheapest way that shares no link with the best; blank: there is none.",
    )


def _reliability_sheet(found: Resilience) -> Sheet:
    table = found.reliability.sort_values("t_per_day", ascending=False, kind="stable").head(_TOP)
    columns = (
        Column(name="origin", title="from"),
        Column(name="destination", title="to"),
        Column(name="commodity", title="goods"),
        Column(name="time_h", title="mean time", unit="h", digits=0),
        Column(name="p95_h", title="P95", unit="h", digits=0),
        Column(name="buffer_index", title="buffer index", unit="%", digits=0),
        Column(name="on_time_share", title="on time", unit="%", digits=0),
    )
    return Sheet.from_frame(table, columns, title="How sure arrival is", n_keys=3)


def _recovery_sheet(found: Resilience) -> Sheet:
    order = ["recovery_d_per_closed_d"]
    table = found.recovery.sort_values(order, ascending=False, kind="stable").head(_TOP)
    table = table.assign(
        clears=[
            "never" if days == float("inf") else f"{days:,.1f}"
            for days in table["recovery_d_per_closed_d"]
        ]
    )
    columns = (
        Column(name="crossing_id", title="crossing"),
        Column(name="from_country", title="from"),
        Column(name="to_country", title="to"),
        Column(name="utilization", title="in use", unit="%", digits=0),
        Column(name="clears", title="clears in", unit="days"),
    )
    return Sheet.from_frame(
        table, columns, title="How long the queue of one closed day stays", n_keys=3
    )


def _assumption_sheet(found: Resilience) -> Sheet:
    columns = (Column(name="assumption", title="taken for granted", wrap=True),)
    return Sheet.from_frame(found.assumptions, columns, title="What this rests on")


def worst_sheet(found: WorstClosures, title: str) -> Sheet:
    """Return the closures that hurt most, for the terminal.

    Parameters
    ----------
    found
        What `corridor.study.worst_closures` returned.
    title
        What was closed.
    """
    row = {
        "items": " ".join(found.items) or "nothing that matters",
        "loss_usd_per_day": found.loss_usd_per_day,
        "loss_share": (
            found.loss_usd_per_day / found.served_usd_per_day
            if found.served_usd_per_day > 0.0
            else float("nan")
        ),
        "cut_off_t_per_day": found.cut_off_t_per_day,
    }
    columns = (
        Column(name="items", title="closed at once", wrap=True),
        _thousands("loss_usd_per_day", "dearer by"),
        Column(name="loss_share", title="of all cost", unit="%", digits=2),
        Column(name="cut_off_t_per_day", title="cut off", unit="t/day", digits=0),
    )
    weighted = found.weighted_usd_per_day
    proof = found.bound_usd_per_day / weighted - 1.0 if weighted > 0.0 else 0.0
    return Sheet.from_frame(
        _in_thousands(pd.DataFrame([row])),
        columns,
        title=f"{title}\nThe worst that so many closures can do",
        note=(
            "On an empty network; no other closures of so many weigh more than "
            f"{max(proof, 0.0):.1e} above these, goods cut off at the price of staying."
        ),
    )
