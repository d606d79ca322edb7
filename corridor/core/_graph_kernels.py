"""Compiled grouping of arcs by their ends; imported only when numba is loaded already."""

from functools import partial

import numpy as np
import numpy.typing as npt

from corridor.core.compilation import machine_code

IntArray = npt.NDArray[np.int32]
_compiled = partial(machine_code, nogil=True)


@_compiled
def group_arcs(
    ends: IntArray, others: IntArray, indptr: IntArray, order: IntArray, neighbor: IntArray
) -> None:
    """Write the arcs grouped by one end, in arc order inside a group: a counting sort.

    ``indptr`` (n_nodes + 1,) comes as zeros; ``order`` and ``neighbor`` (n_arcs,) are filled.
    """
    for arc in range(ends.size):
        indptr[ends[arc]] += 1
    total = 0
    for node in range(indptr.size):  # from counts to where each group starts
        count = indptr[node]
        indptr[node] = total
        total += count
    for arc in range(ends.size):  # which moves each start to the end of its group
        slot = indptr[ends[arc]]
        indptr[ends[arc]] = slot + 1
        order[slot] = arc
        neighbor[slot] = others[arc]
    for node in range(indptr.size - 1, 0, -1):
        indptr[node] = indptr[node - 1]
    indptr[0] = 0
