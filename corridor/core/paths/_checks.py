"""What the path functions ask of their arguments, and which implementation answers."""

import sys
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from corridor.core.graph import FloatArray, Graph, as_array, as_floats
from corridor.errors import InputError

Method: TypeAlias = Literal["auto", "scipy", "kernels"]

KERNEL_WORK = 1_000_000
"""Trees x arcs above which compiling or loading the kernels pays for itself."""

DISTANCE_BYTES, TREE_BYTES = 8, 12
"""Bytes for a distance, and for a distance and a predecessor."""

SMALL_BYTES = 1 << 24
"""Results for which nobody asks how much memory is free."""


def as_costs(name: str, values: npt.ArrayLike, graph: Graph, ndims: tuple[int, ...]) -> FloatArray:
    """Return arc costs as float64, C-contiguous, last axis ``n_arcs``.

    Raises
    ------
    InputError
        When the shape does not fit the graph, or an entry is negative, NaN, no number, or none that
        float64 can hold.
    """
    array = as_array(name, values)
    if array.dtype.kind not in "iuf" and array.size:
        message = f"{name} must hold numbers; found dtype {array.dtype}; pass floats"
        raise InputError(message)
    if array.ndim not in ndims or array.shape[-1] != graph.n_arcs:
        shapes = {1: f"({graph.n_arcs},)", 2: f"(n, {graph.n_arcs})"}
        wanted = " or ".join(shapes[ndim] for ndim in ndims)
        message = (
            f"{name} must have shape {wanted}, one value for each arc of the graph; "
            f"found {array.shape}; give the costs in the order of the arcs"
        )
        raise InputError(message)
    costs = as_floats(name, array)
    if costs.size and not costs.min() >= 0:  # NaN fails the comparison as well
        bad = ~(costs >= 0)
        where = np.argwhere(bad)[0]
        position = ", ".join(str(index) for index in where)
        message = (
            f"{name} must be >= 0 (inf closes an arc); found {costs[tuple(where)]} at position "
            f"[{position}] ({int(bad.sum())} of {costs.size} values); "
            "shift the costs or close the arcs"
        )
        raise InputError(message)
    return costs


def uses_kernels(method: Method, work: int) -> bool:
    """Return whether the compiled kernels answer; ``work`` is trees x arcs.

    Loading numba costs a process more than a second, so ``auto`` leaves small work to SciPy
    unless numba is there already. Both give the same distances and the same trees.
    """
    if method == "auto":
        return work >= KERNEL_WORK or "numba" in sys.modules
    if method not in ("scipy", "kernels"):
        message = f"method must be 'auto', 'scipy' or 'kernels'; found {method!r}"
        raise InputError(message)
    return method == "kernels"


def free_bytes() -> int | None:
    """Return the memory a process can still get; None where the system does not say."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    sizes = [int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")]
    return 1024 * sizes[0] if sizes else None


def check_memory(
    name: str, shape: tuple[int, ...], n_bytes_each: int, runs: str = "scenarios"
) -> None:
    """Refuse results that cannot fit into memory.

    Parameters
    ----------
    name
        What the results are called in the message.
    shape
        Their shape: (n_scenarios, n_origins, n_nodes or n_destinations).
    n_bytes_each
        Bytes for one entry.
    runs
        What the first axis counts; from one origin each unless they are scenarios.

    Raises
    ------
    InputError
        When they take more than is free, with the sizes and the chunk that would fit.
    """
    n_scenarios, n_origins, width = shape
    size = n_scenarios * n_origins * width * n_bytes_each
    free = free_bytes() if size > SMALL_BYTES else None
    if free is None or size <= free:
        return
    row = width * n_bytes_each
    fitting = free // 2 // (n_origins * row)
    if fitting >= 1 and n_scenarios > 1:
        remedy = f"pass {fitting} {runs} at a time"
    else:
        remedy = f"pass one scenario and {max(1, free // 2 // row)} origins at a time"
    origins = f" x {n_origins} origins" if runs == "scenarios" else ""
    message = (
        f"{name} must fit into memory; found {n_scenarios} {runs}{origins} x "
        f"{width} nodes, which take {size / 1e9:,.1f} GB, and {free / 1e9:,.1f} GB free; "
        f"{remedy} and keep what you need of each answer"
    )
    raise InputError(message)
