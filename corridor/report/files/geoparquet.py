"""GeoParquet of a comparison: one file a layer, for work with big tables (extra ``parquet``).

References
----------
.. [1] OGC, "GeoParquet", version 1.1, 2024, https://geoparquet.org/.
"""

from pathlib import Path
from typing import Final

import pandas as pd

from corridor.errors import InputError, MissingExtraError
from corridor.report.files.geopackage import GisLayer, gis_layers
from corridor.report.files.scratch import scratch_folder
from corridor.study import Comparison

FILES: Final = (
    "nodes.parquet",
    "links.parquet",
    "crossings.parquet",
    "flows.parquet",
    "differences.parquet",
)
_BY_VARIANT: Final = ("flows", "differences")


def write_geoparquet(comparison: Comparison, folder: str | Path) -> list[Path]:
    """Write the layers of a comparison as GeoParquet, all of them or none.

    `nodes.parquet`, `links.parquet` and `crossings.parquet` are the network; `flows.parquet` and
    `differences.parquet` hold all variants under each other, the column ``variant`` first.

    Parameters
    ----------
    comparison
        What `corridor.compare` returned.
    folder
        Folder for the files; made where it does not exist. Files of these names are replaced.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    MissingExtraError
        If pyarrow is not installed.
    InputError
        If the folder is a file, or its parent does not exist.
    OSError
        If a file cannot be written; the folder is then as it was before.

    Examples
    --------
    >>> import corridor
    >>> study = corridor.load_study("crossroads")
    >>> comparison = corridor.compare(study, variants=["status_quo"])  # doctest: +SKIP
    >>> write_geoparquet(comparison, "out")  # doctest: +SKIP
    """
    require_pyarrow()
    target = Path(folder)
    if target.is_file() or not target.parent.is_dir():
        msg = (
            f"GeoParquet must go into a folder; {str(target)!r} is a file or lies in no folder. "
            "Give another one."
        )
        raise InputError(msg)
    files = {f"{name}.parquet": frame for name, frame in _joined(comparison).items()}
    with scratch_folder(folder, files) as stage:
        for name, frame in files.items():
            frame.to_parquet(stage / name, index=False)
    return [target / name for name in files]


def require_pyarrow() -> None:
    """Say how to get pyarrow, where it is missing.

    Raises
    ------
    MissingExtraError
        If pyarrow is not installed.
    """
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError as error:
        msg = "GeoParquet needs pyarrow; it is not installed. pip install 'corridor[parquet]'."
        raise MissingExtraError(msg) from error


def _joined(comparison: Comparison) -> dict[str, pd.DataFrame]:
    """Return the layers by name, those of the variants under each other."""
    parts: dict[str, list[pd.DataFrame]] = {}
    for layer in gis_layers(comparison):
        name, frame = _part(layer)
        parts.setdefault(name, []).append(frame)
    joined = {}
    for name, frames in parts.items():
        filled = [frame for frame in frames if len(frame)] or frames[:1]
        joined[name] = pd.concat(filled, ignore_index=True) if len(filled) > 1 else filled[0]
    return joined


def _part(layer: GisLayer) -> tuple[str, pd.DataFrame]:
    noun, _, variant = layer.name.partition("_")
    if noun not in _BY_VARIANT:
        return layer.name, layer.frame
    frame = layer.frame.copy()
    frame.insert(0, "variant", variant)
    return noun, frame
