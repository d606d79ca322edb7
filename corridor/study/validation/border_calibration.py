"""Fit the fixed delays of posts to published border times.

Time at a post = fixed delay + service + queue. Servers, service times, shares, hours and counts
come from the data; what a published mean has over service and queue is the fixed delay: permits,
paper, queues that no server shortens. Only the ``fit`` rows of ``targets.csv`` are looked at.

Run ``python -m corridor.study.validation.border_calibration FOLDER`` to print the account of a
data set; ``--write`` puts the values into its ``stages.csv``.
"""

import argparse
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from corridor.border import MAX_UTILIZATION, compile_posts, crossing_regimes
from corridor.border.worksheets import ENTRY, EXIT, N_WAYS, Traffic, Worksheet, fill_worksheet
from corridor.core.queues import mean_wait
from corridor.errors import InputError
from corridor.network import Network, load_network
from corridor.network.schema import TABLES
from corridor.network.tables import row_keys
from corridor.planning import Model, compile_model, single_shipments
from corridor.study.validation.targets import published_times
from corridor.units import HOURS_PER_DAY

FloatArray: TypeAlias = NDArray[np.float64]

OBSERVED: Final = "observed_vehicles_per_day"
"""Column of background.csv: all that passes, the part that demand.csv holds included."""
DIGITS: Final = 2
"""Decimals that a fixed delay is written with [h]."""
_HOURS: Final = {"h": 1.0, "d": HOURS_PER_DAY}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BorderCalibration:
    """What each published time of a post leaves for the fixed delay.

    Attributes
    ----------
    dataset
        Name of the data set.
    rows
        One row a ``fit`` target of a post: ``label, crossing_id, country, direction, year,
        published_h, elsewhere_h`` (of it, in other tables), ``vehicles_per_day`` (observed),
        ``utilization`` (of the tightest stage by counts), ``utilization_used`` (never above 0.95),
        ``service_h, queue_h, opening_wait_h, other_fixed_h`` (of the post's other stages),
        ``residual_h`` (published - all these), ``fixed_delay_h`` (the residual, not below 0,
        rounded), ``bundled_h`` (what the stages table has), ``stage`` (its key in the stages table)
        and ``verdict``: ``fitted``, ``capped`` (counts say more than 95 %; what they would wait is
        left in the fixed delay), ``below service`` (published is less than service and queue).
    """

    dataset: str
    rows: pd.DataFrame

    def __repr__(self) -> str:
        return f"BorderCalibration({self.dataset!r}: {len(self.rows)} published times)"

    @property
    def fixed_delay_h(self) -> dict[str, float]:
        """Fitted delay by key of the stages table; of several times the mean."""
        means = self.rows.groupby("stage", sort=False)["fixed_delay_h"].mean()
        return {str(key): round(float(value), DIGITS) for key, value in means.items()}


def calibrate_borders(network: Network) -> BorderCalibration:
    """Fit the fixed delay of every post that has a ``fit`` row in the network's targets.

    Formula: fixed = published - elsewhere - wait for the opening - service - queue - fixed delays
    of the post's other stages. Queues are steady-state means at the traffic that was counted, each
    stage's utilization taken as at most 0.95: a queue that is fitted nearer to 1 explains any
    published time, and would make one more server seem to cure it.

    Parameters
    ----------
    network
        A network with targets; ``background.csv`` has counts in ``observed_vehicles_per_day``, and
        ``vehicles_per_day`` stands for them where it has not.

    Returns
    -------
    BorderCalibration
        A row a published time.

    Raises
    ------
    InputError
        If no target of the role ``fit`` names a post, or one names a post that is not there.

    Examples
    --------
    >>> import corridor
    >>> from corridor.study.validation.border_calibration import calibrate_borders
    >>> found = calibrate_borders(corridor.load_network("crossroads"))
    >>> bool((found.rows["utilization_used"] <= 0.95).all())
    True
    """
    targets = published_times(network)
    chosen = targets[(targets["kind"] == "post") & (targets["role"] == "fit")]
    if not len(chosen):
        msg = "targets.csv must have a row of the role fit that names a post; it has none. Add one."
        raise InputError(msg)
    sheets = _Sheets(network)
    rows = [
        _fitted_row(sheets, {str(key): cell for key, cell in row.items()})
        for row in chosen.to_dict("records")
    ]
    return BorderCalibration(dataset=network.name, rows=pd.DataFrame(rows))


class _Sheets:
    """The worksheets of crossings under their own regimes and the observed traffic."""

    def __init__(self, network: Network) -> None:
        link = network.links.iloc[0]
        good = str(network.commodities["commodity_id"].iloc[0])
        ends = str(link["from_node"]), str(link["to_node"]), good
        # No rule has a say here: the shipment only serves to compile the network.
        self.model: Model = compile_model(network, single_shipments(network, [ends]))
        net = self.model.plain
        regimes = crossing_regimes(network, {})
        self.posts = compile_posts(network, self.model.filled, net, regimes, np.zeros(net.n_arcs))
        self.ids = network.crossings["crossing_id"].to_numpy(object)
        self.keys = row_keys(TABLES["stages"], network.stages)
        self.observed = _observed(network)
        self._made: dict[str, Worksheet] = {}

    def of(self, crossing_id: str) -> Worksheet:
        if crossing_id not in self._made:
            model = self.model
            position = int(np.flatnonzero(self.ids == crossing_id)[0])
            users = len(model.network.commodities) + 1
            counted = self.observed.get(crossing_id, np.zeros(N_WAYS))
            traffic = Traffic(vehicles=np.zeros((N_WAYS, users)), background=counted)
            self._made[crossing_id] = fill_worksheet(
                self.posts, model.filled, model.plain, self.ids, position, traffic
            )
        return self._made[crossing_id]


def _observed(network: Network) -> dict[str, FloatArray]:
    """Return the vehicles counted a day at each crossing by way (0 leads from b to a)."""
    background = network.background
    counted = background["vehicles_per_day"].to_numpy(float)
    if OBSERVED in background:
        given = pd.to_numeric(background[OBSERVED], errors="coerce").to_numpy(float)
        counted = np.where(np.isnan(given), counted, given)
    found: dict[str, FloatArray] = {}
    parts = {"forward": (0.0, 1.0), "backward": (1.0, 0.0), "both": (0.5, 0.5)}
    cells = zip(background["target"], background["direction"], counted, strict=True)
    for target, direction, vehicles in cells:
        ways = found.setdefault(str(target), np.zeros(N_WAYS))
        ways += vehicles * np.array(parts[str(direction)])
    return found


def _fitted_row(sheets: _Sheets, target: Mapping[str, Any]) -> dict[str, object]:
    crossing_id, country = str(target["crossing_id"]), str(target["country"])
    direction = str(target["direction"])
    way, end = _place(sheets, crossing_id, country, direction, str(target["label"]))
    sheet = sheets.of(crossing_id)
    serving = np.flatnonzero(sheet.serves[:, way, end] > 0.0)
    first = int(serving[np.argmin(sheet.column("order")[serving])])
    bundled = float(sheet.column("fixed_delay_h")[first])
    opening = float(sheet.opening_wait_h[way, end])
    own = opening + bundled * float(sheet.serves[first, way, end])
    other = max(float(sheet.fixed_h[way, end]) - own, 0.0)
    published = float(target["middle"]) * _HOURS[str(target["unit"])]
    elsewhere = float(target["elsewhere_h"])
    used, queue = _capped_queue_h(sheet, way, end)
    service = float(sheet.service_h[way, end])
    residual = published - elsewhere - opening - service - queue - other
    tightest = float(sheet.utilization[serving].max())
    fixed = round(max(residual, 0.0), DIGITS)
    verdict = "capped" if tightest > MAX_UTILIZATION else "fitted"
    return {
        "label": target["label"],
        "crossing_id": crossing_id,
        "country": country,
        "direction": direction,
        "year": int(target["year"]),
        "published_h": published,
        "elsewhere_h": elsewhere,
        "vehicles_per_day": float(sheet.load[:, way].max(initial=0.0)),
        "utilization": tightest,
        "utilization_used": used,
        "service_h": service,
        "queue_h": queue,
        "opening_wait_h": opening,
        "other_fixed_h": other,
        "residual_h": residual,
        "fixed_delay_h": fixed,
        "bundled_h": bundled,
        "stage": str(sheets.keys[int(sheet.stages["row"].iloc[first])]),
        "verdict": "below service" if residual < -(10.0**-DIGITS) / 2.0 else verdict,
    }


def _place(
    sheets: _Sheets, crossing_id: str, country: str, direction: str, label: str
) -> tuple[int, int]:
    """Return way and end of a post."""
    crossings = sheets.model.network.crossings
    at = crossings[crossings["crossing_id"] == crossing_id]
    states = at[["country_a", "country_b"]].to_numpy(object).ravel().tolist()
    if country not in states or direction not in ("in", "out"):
        post = f"{crossing_id} {country} {direction}"
        msg = f"A target must name a post of the network; {label!r} names {post!r}. Correct it."
        raise InputError(msg)
    leaving = direction == "out"
    # Way 1 leads from country a to country b.
    way = int(leaving == (country == states[0]))
    end = EXIT if leaving else ENTRY
    if not (sheets.of(crossing_id).serves[:, way, end] > 0.0).any():
        msg = f"A post of a target must have stages; that of {label!r} has none. Add rows."
        raise InputError(msg)
    return way, end


def _capped_queue_h(sheet: Worksheet, way: int, end: int) -> tuple[float, float]:
    """Return utilization of the tightest stage and queue of the post, capped at 0.95."""
    servers, service = sheet.column("servers"), sheet.service_time_h
    rate = np.minimum(sheet.rate, MAX_UTILIZATION * servers / service)
    wait = mean_wait(
        rate, service, servers, sheet.column("arrival_scv"), sheet.column("service_scv")
    )
    serving = sheet.serves[:, way, end] > 0.0
    used = float((rate * service / servers)[serving].max())
    return used, float(sheet.post_wait_h(np.asarray(wait))[way, end])


def write_fixed_delays(calibration: BorderCalibration, folder: str | Path) -> None:
    """Write fitted delays into the ``stages.csv`` of a data set; all other cells stay as they are.

    Parameters
    ----------
    calibration
        What `calibrate_borders` found.
    folder
        The data set's folder.

    Raises
    ------
    InputError
        If the table lacks one of the stages.
    """
    file = Path(folder) / "stages.csv"
    text = pd.read_csv(file, dtype=str, keep_default_na=False)
    keys = row_keys(TABLES["stages"], load_network(folder).stages)
    for key, value in calibration.fixed_delay_h.items():
        at = np.flatnonzero(keys == key)
        if not at.size:
            msg = f"stages.csv must have the row {key!r}; it has none. Calibrate this data set."
            raise InputError(msg)
        text.loc[int(at[0]), "fixed_delay_h"] = f"{value:g}" if value else ""
    text.to_csv(file, index=False, lineterminator="\n")


def main(arguments: list[str]) -> int:
    """Print the account of a data set's calibration; write it where asked.

    Parameters
    ----------
    arguments
        Folder or name of the data set, and ``--write``.
    """
    parser = argparse.ArgumentParser(prog="python -m corridor.study.validation.border_calibration")
    parser.add_argument("folder")
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args(arguments)
    found = calibrate_borders(load_network(given.folder))
    shown = found.rows.drop(columns=["crossing_id", "country", "direction"])
    sys.stdout.write(shown.round(3).to_string(index=False) + "\n")
    if given.write:
        write_fixed_delays(found, given.folder)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
