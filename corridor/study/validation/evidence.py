"""The check of published times as a document that people can read: docs/validation.md."""

from collections.abc import Iterable, Sequence
from typing import Any, Final, TypeAlias

import numpy as np
import pandas as pd

from corridor.study.validation.counts import JUDGED
from corridor.study.validation.targets import NEAR, ROUNDING, WIDE, TargetCheck
from corridor.study.validation.volumes import VolumeCheck

Row: TypeAlias = dict[str, Any]

_MISS: Final = 0.5
"""Relative error from which a held-out row is listed among the misses."""
_JUDGED: Final = ("inside", "below", "above")

_METHOD: Final = """\
## How a time is compared

- **Door to door**: the cheapest way of a loaded container by generalized cost in the base variant,
  over the layers that the publication speaks of, queues at background load. `schedule` is held
  against running time, waits for connecting sailings and transfers: a schedule runs from the first
  departure to the last arrival and knows no queue and no permit. `mean` and `forwarder` are held
  against all of it, loading at the first place and unloading at the last included.
- **Posts**: fixed delay, service and queue of a loaded container at background load. Hours of the
  published time that another table holds (a gauge change, the wait for a ferry) are added.
- The **error** is modelled / middle of the published band - 1. *Inside* is within the band, its
  ends moved out by {rounding:.0%} because published numbers are rounded; *near* is an error of at
  most {near:.0%}.
- A band whose high end is more than {wide:g} times its low end is **no evidence**, and a time whose
  source also gave a service on the way is an **input**: both are listed and kept out of the
  statistics.
- The **naive** rival knows the fit rows only. Door to door it takes the length of the modelled way
  at the median speed of the fit rows; at a post it repeats the post's own fit row, else the median
  of all fitted posts.
- The split into fit and holdout is that of the data set, made before anything was fitted. *Fitted*
  counts the fixed delays of posts that were derived from published times at the posts of the fit
  rows (`python -m corridor.study.validation.border_calibration` derives them again, utilization
  from counts and never above 0.95); no speed and no dwell cites a door-to-door time.
"""


_VOLUMES: Final = """\
Counts of `counts.csv` within a year of {year}, and the base variant with the demand of {year}:
*chosen* is what shippers choose by cost and time, *optimum* the best possible use. The constants of
the choices were fitted to the *fitted* rows alone. The rows of *place or direction not fitted* are
the test of the model, and it fails some of them: where a count stands for one kind of traffic among
several (boxes of the Middle Corridor, say) the model has all of it, and the corridor's own volumes
are too low. Use volumes to compare variants, not as forecasts."""


def validation_markdown(check: TargetCheck, volumes: VolumeCheck | None = None) -> str:
    """Return the document of a check: statistics, what they mean, and every row.

    Parameters
    ----------
    check
        What `corridor.study.check_targets` returned.
    volumes
        What `corridor.study.check_volumes` returned; None leaves volumes out.

    Returns
    -------
    str
        Markdown that ends with a newline; the same check gives the same text.

    Examples
    --------
    >>> import corridor
    >>> from corridor.study import check_targets, validation_markdown
    >>> text = validation_markdown(check_targets(corridor.load_study("crossroads")))
    >>> text.splitlines()[0]
    '# Published times against modelled ones'
    """
    rows = _records(check.rows)
    source = (
        f"Data set `{check.dataset}`, base variant as of {check.date.isoformat()}, commodity "
        f"`{check.commodity}`. This page is generated from `targets.csv`, and a test computes its "
        "statistics again."
    )
    parts = [
        "# Published times against modelled ones",
        source,
        _METHOD.format(rounding=ROUNDING, near=NEAR, wide=WIDE).rstrip(),
        "## Statistics",
        _statistics_table(_records(check.statistics)),
        "## What this says",
        _findings(check),
        "## Held-out rows that miss by more than half",
        _misses(rows),
        "## Door to door",
        _od_table([row for row in rows if row["kind"] == "od"]),
        "## Posts",
        _post_table([row for row in rows if row["kind"] == "post"]),
    ]
    if volumes is not None:
        parts += ["## Volumes", _VOLUMES.format(year=volumes.scenario), *_volume_tables(volumes)]
    return "\n\n".join(parts) + "\n"


def _volume_tables(check: VolumeCheck) -> list[str]:
    """Return the errors by model and group, and every count that is judged."""
    header = ["model", "group", "n", "mean error", "MAPE", "median APE", "rank correlation"]
    errors = [
        [
            str(row["model"]),
            str(row["group"]),
            str(row["n"]),
            _signed(row["mean_error"]),
            _percent(row["mape"]),
            _percent(row["median_ape"]),
            _plain(row["rank_correlation"], 2),
        ]
        for row in _records(check.statistics)
    ]
    lines = [
        [
            str(row["target"]),
            str(row["direction"]),
            str(row["years"]),
            str(row["unit"]).replace("_per_day", "/day"),
            _plain(row["observed"], 0),
            _plain(row["chosen"], 0),
            _plain(row["optimum"], 0),
            str(row["group"]),
        ]
        for row in _records(check.rows)
        if row["verdict"] == JUDGED
    ]
    names = ["counted at", "direction", "years", "unit", "counted", "chosen", "optimum", "group"]
    return [_table(header, errors), _table(names, lines)]


def _records(frame: pd.DataFrame) -> list[Row]:
    return [{str(name): cell for name, cell in row.items()} for row in frame.to_dict("records")]


def _statistics_table(statistics: Sequence[Row]) -> str:
    header = ["group", "role", "n", "MAPE", "median APE", "mean error", "rank correlation"]
    header += ["inside", "near", "naive MAPE", "naive median APE", "fitted"]
    lines = [
        [
            str(row["group"]),
            str(row["role"]),
            str(row["n"]),
            _percent(row["mape"]),
            _percent(row["median_ape"]),
            _signed(row["mean_error"]),
            _plain(row["rank_correlation"], 2),
            _percent(row["share_inside"]),
            _percent(row["share_near"]),
            _percent(row["naive_mape"]),
            _percent(row["naive_median_ape"]),
            str(row["n_fitted"]),
        ]
        for row in statistics
    ]
    return _table(header, lines)


def _findings(check: TargetCheck) -> str:
    """Say in words what the statistics show."""
    rows = check.rows
    held = rows[(rows["role"] == "holdout") & rows["verdict"].isin(_JUDGED)]
    groups = [g for g in _records(check.statistics) if g["role"] == "holdout" and g["n"]]
    items = [_od_finding(group) for group in groups if group["group"] == "od"]
    items += _by_definition(held[held["kind"] == "od"])
    items += [_post_finding(group) for group in groups if group["group"] != "od"]
    items += _swings(rows)
    items.append(
        "- **Use**: the set ranks ways and posts and compares variants, in which the same error "
        "stands on both sides. It does not forecast the days of a single shipment, nor the queue "
        "of a given week."
    )
    return "\n".join(items)


def _od_finding(group: Row) -> str:
    better = "less than" if group["median_ape"] < group["naive_median_ape"] else "no less than"
    return (
        f"- **Door to door, held out** ({group['n']} rows): the median error is "
        f"{_percent(group['median_ape'])}, {better} the {_percent(group['naive_median_ape'])} of "
        f"distance at one speed. {_leaning(group['mean_error'])}"
    )


def _leaning(mean_error: float) -> str:
    if abs(mean_error) < ROUNDING:
        return "The model leans to neither side."
    side = "fast" if mean_error < 0 else "slow"
    return f"The mean error of {_signed(mean_error)} says that the model is too {side}."


def _by_definition(held: pd.DataFrame) -> list[str]:
    """Say how well each kind of publication is met."""
    if not len(held):
        return []
    means = held.groupby("definition")["error"].agg(["size", "mean"]).sort_values("mean")
    said = ", ".join(f"{name} {_signed(mean)} ({n})" for name, n, mean in means.itertuples())
    item = (
        f"- By kind of publication the mean error is {said}. Times of forwarders and means hold "
        "what the network does not: the wait for a full train, release of the box, documents at "
        "the door."
    )
    return [item]


def _post_finding(group: Row) -> str:
    name = str(group["group"])
    why = (
        "The model repeats the year it was fitted to, so this tests how steady the published times "
        "are, not the model."
        if "another year" in name
        else "These posts carry the mean of their state, or that of a like post."
    )
    return (
        f"- **{name.capitalize()}** ({group['n']} rows): the median error is "
        f"{_percent(group['median_ape'])}, that of the naive rival "
        f"{_percent(group['naive_median_ape'])}. {why}"
    )


def _swings(rows: pd.DataFrame) -> list[str]:
    """Say how much published times of one post differ between years."""
    posts = rows[(rows["kind"] == "post") & (rows["verdict"] != "no evidence")]
    names = posts["crossing_id"] + " " + posts["country"] + " " + posts["direction"]
    span = posts["middle"].groupby(names).agg(["size", "min", "max"])
    span = span[span["size"] > 1]
    if not len(span):
        return []
    factor = span["max"] / span["min"]
    item = (
        f"- **Published means themselves swing**: for the {len(span)} posts with more than one "
        f"year the longest is {factor.median():.1f} times the shortest in the median, and "
        f"{factor.max():.1f} times at most ({factor.idxmax()}). One time per post cannot be nearer "
        "than that allows."
    )
    return [item]


def _misses(rows: Sequence[Row]) -> str:
    missed = [
        row
        for row in rows
        if row["role"] == "holdout" and row["verdict"] in _JUDGED and abs(row["error"]) > _MISS
    ]
    return "\n".join(map(_miss, sorted(missed, key=lambda row: -abs(row["error"])))) or "None."


def _miss(row: Row) -> str:
    note = str(row["note"]).strip()
    about = f" The data note says: {note}." if note else ""
    return (
        f"- `{row['label']}` {_place(row)} ({row['definition']}, {row['year']:.0f}): "
        f"{_plain(row['modelled'], 1)} against {_band(row)}, {_signed(row['error'])}.{about}"
    )


def _od_table(rows: Sequence[Row]) -> str:
    header = ["label", "from - to", "layers", "kind", "year", "role", "published", "modelled"]
    header += ["error", "verdict", "way"]
    lines = [
        [
            str(row["label"]),
            _place(row),
            str(row["layers"]),
            str(row["definition"]),
            f"{row['year']:.0f}",
            str(row["role"]),
            _band(row),
            _plain(row["modelled"], 1),
            _signed(row["error"]),
            str(row["verdict"]),
            str(row["detail"]).replace(">", " > "),
        ]
        for row in rows
    ]
    return _table(header, lines)


def _post_table(rows: Sequence[Row]) -> str:
    header = ["label", "post", "kind", "year", "role", "published", "modelled", "error"]
    header += ["verdict", "queue"]
    lines = [
        [
            str(row["label"]),
            _place(row),
            str(row["definition"]),
            f"{row['year']:.0f}",
            str(row["role"]),
            _band(row),
            _plain(row["modelled"], 1),
            _signed(row["error"]),
            str(row["verdict"]),
            str(row["detail"]),
        ]
        for row in rows
    ]
    return _table(header, lines)


def _place(row: Row) -> str:
    if row["kind"] == "post":
        return f"{row['crossing_id']} {row['country']} {row['direction']}"
    return f"{row['origin']} - {row['destination']}"


def _band(row: Row) -> str:
    ends = dict.fromkeys((_plain(row["low"], 1), _plain(row["high"], 1)))
    return f"{'-'.join(ends)} {row['unit']}"


def _plain(value: float, digits: int) -> str:
    return "" if np.isnan(value) else f"{value:.{digits}f}"


def _percent(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.0%}"


def _signed(value: float) -> str:
    return "" if np.isnan(value) else f"{value:+.0%}"


def _table(header: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    rows = [header, ["---"] * len(header), *lines]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in rows)
