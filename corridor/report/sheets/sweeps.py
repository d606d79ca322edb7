"""A sweep as tables for a terminal, as a record for JSON, and as CSV files."""

from pathlib import Path
from typing import Final

from corridor.report.files.tables import write_table_files
from corridor.report.sheets.layout import Column, Sheet
from corridor.study import Sweep

TOP: Final = 12
"""Bars of a tornado."""
_DRAWN: Final = ("total_loss", "door_to_door_time_mean")
"""Indicators whose tornadoes are printed."""
FILES: Final = (
    "samples",
    "keys",
    "inputs",
    "statuses",
    "distributions",
    "probabilities",
    "drivers",
)


def sweep_sheets(sweep: Sweep) -> list[Sheet]:
    """Return the tables of a sweep: what came of the samples, spreads, odds, and tornadoes."""
    sheets = [_statuses_sheet(sweep)]
    solved = sweep.distributions["samples"] > 0
    if not solved.any():
        return sheets
    sheets.append(_distributions_sheet(sweep))
    if len(sweep.variants) > 1:
        sheets.append(_probabilities_sheet(sweep))
    drawn = sweep.drivers[["variant", "indicator"]].drop_duplicates().to_numpy(object).tolist()
    return sheets + [_tornado_sheet(sweep, v, name) for v, name in drawn if name in _DRAWN]


def sweep_record(sweep: Sweep) -> dict[str, object]:
    """Return a sweep without its single samples."""
    tables = {name: getattr(sweep, name) for name in FILES if name not in ("samples", "keys")}
    return {
        "study": sweep.study.name,
        "assignment": sweep.assignment,
        "variants": list(sweep.variants),
        "seed": sweep.seed,
        "requested": sweep.requested,
        "limit": sweep.limit,
        **tables,
    }


def write_sweep(sweep: Sweep, folder: str | Path) -> list[Path]:
    """Write every table of a sweep as CSV into a folder, whole or not at all.

    Parameters
    ----------
    sweep
        A sweep.
    folder
        Folder; it is made where it does not exist. Files of an earlier sweep are replaced.

    Returns
    -------
    list of Path
        The files.

    Raises
    ------
    InputError
        As `corridor.report.check_folder`.
    """
    return write_table_files({name: getattr(sweep, name) for name in FILES}, folder)


def _statuses_sheet(sweep: Sweep) -> Sheet:
    columns = (
        Column(name="variant", title="variant"),
        Column(name="status", title="status"),
        Column(name="samples", title="samples", digits=0),
        Column(name="share", title="share", unit="%", digits=1),
    )
    early = f", stopped by {sweep.limit}" if sweep.limit else ""
    return Sheet.from_frame(
        sweep.statuses,
        columns,
        title=f"{sweep.study.name}: {len(sweep.samples)} samples{early}, seed {sweep.seed}",
        note=(
            f"Each sample is an {sweep.assignment}: the best possible plan under its draws, not a "
            "forecast of what shippers choose."
        ),
    )


def _distributions_sheet(sweep: Sweep) -> Sheet:
    rows = sweep.distributions
    frame = rows[(rows["scope"] == "") & (rows["samples"] > 0)]
    columns = (
        Column(name="variant", title="variant"),
        Column(name="indicator", title="indicator"),
        Column(name="unit", title="unit"),
        Column(name="mean", title="mean", digits=2),
        Column(name="standard_error", title="error", digits=3),
        Column(name="p5", title="P5", digits=2),
        Column(name="p50", title="P50", digits=2),
        Column(name="p95", title="P95", digits=2),
        Column(name="cvar_high", title="CVaR", unit="high 5 %", digits=2),
    )
    return Sheet.from_frame(
        frame,
        columns,
        title="Spread of the indicators",
        n_keys=2,
        note=(
            "Draws are not centered on the base: lognormal demand has its nominal as median, so "
            "its mean lies above, and some ranges lie to one side. Means are not the base's values."
        ),
    )


def _probabilities_sheet(sweep: Sweep) -> Sheet:
    rows = sweep.probabilities
    costs = rows[rows["indicator"] == "total_loss"]
    wide = costs.pivot(index="variant", columns="other", values="probability")
    order = list(sweep.variants)
    wide = wide.reindex(index=order, columns=order).reset_index()
    columns = (
        Column(name="variant", title="variant"),
        *(Column(name=name, title=f"than {name}", unit="%", digits=0) for name in order),
    )
    return Sheet.from_frame(
        wide,
        columns,
        title="How likely a variant (row) loses less than another: cost, and goods left at home",
    )


def _tornado_sheet(sweep: Sweep, variant: str, indicator: str) -> Sheet:
    frame = sweep.tornado(variant, indicator, TOP)
    unit = str(frame["unit"].iloc[0])
    columns = (
        Column(name="input", title="input"),
        Column(name="kind", title="kind"),
        Column(name="low", title="lowest tenth", unit=unit, digits=1),
        Column(name="high", title="highest tenth", unit=unit, digits=1),
        Column(name="rank_correlation", title="rank corr.", digits=2),
        Column(name="sobol_first", title="Sobol", unit="first order", digits=2),
    )
    return Sheet.from_frame(
        frame, columns, title=f"What drives {indicator} of {variant}",
        note="Means of the indicator where the input is in its lowest and in its highest tenth.",
    )  # fmt: skip
