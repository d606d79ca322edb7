"""Who depends on whom, and what each would have: sheets, records and tables of shared benefits."""

import pandas as pd

from corridor.report.sheets.layout import Column, Sheet, write_number
from corridor.study import BenefitShares

_K: float = 1e3


def benefit_tables(found: BenefitShares) -> dict[str, pd.DataFrame]:
    """Return all tables by name, the values of all sets of states among them.

    Parameters
    ----------
    found
        What `corridor.share_benefits` returned.
    """
    masks = range(found.closed_usd_per_day.size)
    members = [
        ">".join(name for i, name in enumerate(found.players) if mask >> i & 1) for mask in masks
    ]
    coalitions = pd.DataFrame(
        {
            "coalition": members,
            "closed_usd_per_day": found.closed_usd_per_day,
            "open_usd_per_day": found.open_usd_per_day,
            "access_t_per_day": found.access_t_per_day,
        }
    )
    return {
        "shares": found.shares,
        "interdependence": found.interdependence,
        "self_enforcement": found.self_enforcement,
        "fees": found.fees.table,
        "fee_totals": found.fees.totals,
        "revenue": found.revenue,
        "stability": found.stability,
        "goods": found.goods,
        "capacity": found.capacity,
        "coalitions": coalitions,
        "assumptions": found.assumptions,
    }


def benefit_record(found: BenefitShares) -> dict[str, object]:
    """Return all but the values of single sets, for JSON."""
    tables: dict[str, object] = dict(benefit_tables(found))
    del tables["coalitions"]
    return {"players": list(found.players), **tables}


def benefit_sheets(found: BenefitShares, title: str) -> list[Sheet]:
    """Return the answer for the terminal.

    Parameters
    ----------
    found
        What `corridor.share_benefits` returned.
    title
        What was shared.
    """
    return [
        _goods_sheet(found, title),
        _share_sheet(found),
        *_matrix_sheets(found),
        _enforcement_sheet(found),
        _fee_sheet(found),
        _stability_sheet(found),
        *([_capacity_sheet(found)] if len(found.capacity) else []),
    ]


def _thousands(name: str, title: str) -> Column:
    return Column(name=name, title=title, unit="kUSD/day", digits=1)


def _in_thousands(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with money in thousands."""
    money = [name for name in frame.columns if name.endswith("usd_per_day")]
    return frame.assign(**{name: frame[name] / _K for name in money})


def _goods_sheet(found: BenefitShares, title: str) -> Sheet:
    columns = (
        Column(name="goods", title="goods"),
        Column(name="t_per_day", title="demand", unit="t/day", digits=0),
        _thousands("saving_usd_per_day", "saved together"),
    )
    note = " ".join(found.assumptions["assumption"])
    return Sheet.from_frame(_in_thousands(found.goods), columns, title=title, note=note)


def _share_sheet(found: BenefitShares) -> Sheet:
    table = found.shares.merge(
        found.revenue[["country", "today_usd_per_day"]], on="country", how="left"
    )
    columns = (
        Column(name="country", title="state"),
        _thousands("today_usd_per_day", "today"),
        _thousands("shapley_usd_per_day", "Shapley"),
        _thousands("prenucleolus_usd_per_day", "prenucleolus"),
        _thousands("shapley_seat_usd_per_day", "Shapley, seat"),
        _thousands("nucleolus_seat_usd_per_day", "nucleolus, seat"),
        _thousands("open_shapley_usd_per_day", "open tariffs"),
        Column(name="shapley_access_t_per_day", title="access", unit="t/day", digits=0),
    )
    return Sheet.from_frame(
        _in_thousands(table),
        columns,
        title="What each state would have of what all save together",
        note=(
            "Today: transit charges. Seat: shippers share too. Open tariffs: nobody closes, "
            "members waive charges (Shapley). Access: goods that owe it their way."
        ),
    )


def _matrix_sheets(found: BenefitShares) -> list[Sheet]:
    """Return the loss matrix, and that of goods cut off where there are any."""
    cut = found.matrix("cut_off_t_per_day")
    sheets = [
        _matrix_sheet(
            found.matrix() / _K,
            "Who depends on whom: loss of the state across when the state down closes [kUSD/day]",
            "Half of what the state's own goods cost more at each end, and revenue lost; below 0 a "
            "gain: transit that comes its way. Diagonal: what closing costs the state itself.",
        )
    ]
    if (cut.to_numpy(float) > 0.0).any():
        note = "Goods of the state that have no way left; they are in no loss in money."
        sheets.append(_matrix_sheet(cut, "Goods cut off by the same closures [t/day]", note))
    return sheets


def _matrix_sheet(matrix: pd.DataFrame, title: str, note: str) -> Sheet:
    columns = tuple(Column(name=name, title=name, digits=0) for name in matrix.columns)
    rows = tuple(
        (str(closing), *(write_number(value, 0) for value in row))
        for closing, row in zip(matrix.index, matrix.to_numpy(float).tolist(), strict=True)
    )
    return Sheet(
        title=title,
        columns=(Column(name="closing", title="closes"), *columns),
        rows=rows,
        note=note,
    )


def _enforcement_sheet(found: BenefitShares) -> Sheet:
    columns = (
        Column(name="country", title="state"),
        _thousands("own_loss_usd_per_day", "own loss"),
        _thousands("answered_loss_usd_per_day", "if answered"),
        Column(name="answered_cut_off_t_per_day", title="cut off then", unit="t/day", digits=0),
        _thousands("own_saving_usd_per_day", "goods save"),
        _thousands("shapley_usd_per_day", "Shapley"),
        Column(name="shapley_discount_factor", title="holds from", unit="factor", digits=2),
        _thousands("nucleolus_usd_per_day", "nucleolus"),
        Column(name="nucleolus_discount_factor", title="holds from", unit="factor", digits=2),
    )
    return Sheet.from_frame(
        _in_thousands(found.self_enforcement),
        columns,
        title="What keeps each state from closing its roads to the others",
        note=(
            "Own loss: by closing today. If answered: when the other players close to its goods. "
            "Under shared savings, shippers at the table, a state that leaves keeps what its goods "
            "save until the others close too; it stays if it counts the next period at no less "
            "than the factor. 0: leaving never pays."
        ),
    )


def _fee_sheet(found: BenefitShares) -> Sheet:
    columns = (
        Column(name="country", title="state"),
        Column(name="fee_usd_per_t", title="own fee", unit="USD/t", digits=1),
        Column(name="t_per_day", title="transit", unit="t/day", digits=0),
        _thousands("revenue_usd_per_day", "revenue"),
        Column(name="through_fee_usd_per_t", title="through", unit="USD/t", digits=1),
        Column(name="through_t_per_day", title="transit", unit="t/day", digits=0),
        _thousands("through_revenue_usd_per_day", "revenue"),
    )
    total = found.fees.totals.set_index("scheme").T
    gain = total["through_tariff"] - total["own_fees"]
    return Sheet.from_frame(
        _in_thousands(found.fees.table),
        columns,
        title="Transit fees: each state for itself, and one through tariff of all",
        note=(
            "One tariff instead of fees of each changes revenue by "
            f"{_change(gain, 'revenue_usd_per_day')} and what shippers "
            f"have by {_change(gain, 'shippers_usd_per_day')} kUSD/day."
        ),
    )


def _change(gain: "pd.Series[float]", name: str) -> str:
    """Return a change in thousands for a sentence, where nothing is 0 and not the table's =."""
    text = write_number(float(gain[name]) / _K, 1, signed=True)
    return "0" if text == "=" else text


def _capacity_sheet(found: BenefitShares) -> Sheet:
    everyone = " ".join(found.players)
    table = _in_thousands(found.capacity)
    shown = table["coalition"].str.replace(">", " ", regex=False)
    table = table.assign(coalition=shown.where(shown != everyone, "all").where(shown != "", "none"))
    columns = (
        Column(name="coalition", title="open", wrap=True),
        _thousands("closed_usd_per_day", "empty roads"),
        _thousands("planned_usd_per_day", "as planned"),
    )
    return Sheet.from_frame(
        table.tail(20),
        columns,
        title="Values with capacities, quotas and growing queues",
        note="Both of the goods that can be carried with all players closed.",
    )


def _stability_sheet(found: BenefitShares) -> Sheet:
    table = _in_thousands(found.stability)
    table = table.assign(
        in_core=["yes" if calm else "no" for calm in table["in_core"]],
        coalition=table["coalition"].str.replace(">", " ", regex=False),
    )
    columns = (
        Column(name="game", title="borders"),
        Column(name="scheme", title="scheme"),
        Column(name="in_core", title="in the core"),
        _thousands("excess_usd_per_day", "most to gain"),
        Column(name="coalition", title="by", wrap=True),
        _thousands("least_excess_usd_per_day", "at best"),
    )
    return Sheet.from_frame(
        table,
        columns,
        title="Who would rather leave: what a set of states saves alone beyond its shares",
        n_keys=2,
        note="At best: what no sharing brings down further; above 0 the core is empty.",
    )
