"""Which code answers, NumPy or compiled kernels, and on how many threads."""

import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Literal, TypeAlias

import numpy as np

from corridor.errors import InputError

Engine: TypeAlias = Literal["auto", "numpy", "kernels"]


def uses_kernels(engine: Engine, work: float, *, cold: float, loaded: float) -> bool:
    """Return whether the compiled kernels answer.

    Parameters
    ----------
    engine
        "numpy" and "kernels" decide by themselves; "auto" looks at the work.
    work
        Size of the work, in the unit of the next two.
    cold, loaded
        Work from which loading numba pays for itself (more than a second), and from which the
        kernels pay where numba is loaded already.

    Raises
    ------
    InputError
        For an unknown engine.
    """
    if engine == "auto":
        return work >= (loaded if "numba" in sys.modules else cold)
    if engine not in ("numpy", "kernels"):
        msg = f"engine must be 'auto', 'numpy' or 'kernels'; found {engine!r}."
        raise InputError(msg)
    return engine == "kernels"


def in_blocks(work: Callable[[slice], int], size: int, threads: int) -> int:
    """Call `work` on equal slices of 0..size, one a thread, and add up what it returns."""
    cuts = np.linspace(0, size, threads + 1).astype(int).tolist()
    blocks = [slice(low, high) for low, high in pairwise(cuts)]
    if threads == 1:
        return work(blocks[0])
    with ThreadPoolExecutor(threads - 1) as pool:
        others = [pool.submit(work, block) for block in blocks[1:]]
        own = work(blocks[0])  # the caller works too
        return own + sum(other.result() for other in others)
