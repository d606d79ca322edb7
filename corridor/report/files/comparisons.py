"""A comparison as CSV: ``indicators.csv``, and what goes where: ``paths.csv``, ``ways.csv``."""

from pathlib import Path

import pandas as pd

from corridor.errors import InputError
from corridor.report.files.scratch import scratch_file
from corridor.study import Comparison

_DIGITS = 6
"""Significant figures; what lies beyond is below the accuracy of any input."""


def path_frame(comparison: Comparison) -> pd.DataFrame:
    """Return the paths of all variants under each other, ``variant`` first.

    Parameters
    ----------
    comparison
        What `corridor.compare` returned.

    Returns
    -------
    DataFrame
        Columns as `Plan.paths`, but ``way_id``, a row of `way_frame`, for ``links``: variants and
        goods go the same ways. A variant without a plan has no rows.
    """
    frame = _paths(comparison)
    names = ["way_id" if name == "links" else name for name in frame.columns]
    return frame.assign(way_id=frame["links"].factorize()[0])[names]


def way_frame(comparison: Comparison) -> pd.DataFrame:
    """Return every way that goods take in any variant, once.

    Parameters
    ----------
    comparison
        What `corridor.compare` returned.

    Returns
    -------
    DataFrame
        ``way_id, links``.
    """
    links = _paths(comparison)["links"].unique()
    return pd.DataFrame({"way_id": range(len(links)), "links": links})


def _paths(comparison: Comparison) -> pd.DataFrame:
    require_plans(comparison)
    parts = [
        plan.paths.assign(variant=variant)[["variant", *plan.paths.columns]]
        for variant, plan in comparison.plans.items()
    ]
    filled = [part for part in parts if len(part)]
    return pd.concat(filled or parts[:1], ignore_index=True)


def require_plans(comparison: Comparison) -> None:
    """Refuse a comparison of nothing.

    Raises
    ------
    InputError
        If it holds no plan.
    """
    if not comparison.plans:
        msg = "A comparison must hold a variant to be written; it holds none. Plan the base first."
        raise InputError(msg)


def write_indicators(comparison: Comparison, path: str | Path) -> None:
    """Write the indicators of all variants as CSV, whole or not at all.

    Parameters
    ----------
    comparison
        What `corridor.compare` returned.
    path
        File to write, ``indicators.csv``; an existing file is replaced once the new one is
        complete.

    Raises
    ------
    InputError
        If the folder does not exist, or the path is a folder.
    OSError
        If the file cannot be written; nothing is left behind.
    """
    _write_csv(comparison.indicators, path, "A table of indicators")


def write_paths(comparison: Comparison, path: str | Path) -> None:
    """Write the paths of all variants as CSV, whole or not at all.

    Parameters
    ----------
    comparison
        What `corridor.compare` returned.
    path
        File to write, ``paths.csv``; an existing file is replaced once the new one is complete.

    Raises
    ------
    InputError
        If the folder does not exist, the path is a folder, or the comparison is empty.
    OSError
        If the file cannot be written; nothing is left behind.
    """
    _write_csv(path_frame(comparison), path, "A table of paths", f"%.{_DIGITS}g")


def write_ways(comparison: Comparison, path: str | Path) -> None:
    """Write the ways that ``paths.csv`` names, link by link, as CSV, whole or not at all.

    Parameters
    ----------
    comparison
        What `corridor.compare` returned.
    path
        File to write, ``ways.csv``; an existing file is replaced once the new one is complete.

    Raises
    ------
    InputError
        If the folder does not exist, the path is a folder, or the comparison is empty.
    OSError
        If the file cannot be written; nothing is left behind.
    """
    _write_csv(way_frame(comparison), path, "A table of ways")


def _write_csv(
    frame: pd.DataFrame, path: str | Path, what: str, float_format: str | None = None
) -> None:
    with scratch_file(path, what) as part:
        text = frame.to_csv(index=False, lineterminator="\n", float_format=float_format)
        part.write_text(text, encoding="utf-8", newline="")
