"""Erlang's formulas for many whole numbers of servers; imported only when numba is wanted.

The inverse of Erlang B, x = 1 / B, follows x(0) = 1, x(j) = 1 + x(j - 1) j / a: one product and
one sum a server. Elements with the same number of servers stand together while they are worked,
so that the processor takes eight at a time; a block is small enough to stay in the fast caches.
"""

import numpy as np
from numpy.typing import NDArray

from corridor.core.queues._kernels import compiled

FloatArray = NDArray[np.float64]

MOST_SERVERS = 1000
"""Above this the closed form with the incomplete gamma function is faster."""
BLOCK = 8192
UNROLLED, HALF = 8, 4
ONE = np.uint32(1)


@compiled
def recur(servers: FloatArray, load: FloatArray, waiting: bool, out: FloatArray) -> int:  # noqa: FBT001
    """Write Erlang C (`waiting`) or B to `out`; return how many elements are left at NaN.

    Left are elements out of range and those with split servers or more than `MOST_SERVERS`.
    """
    first = np.empty(MOST_SERVERS + 2, dtype=np.uint32)
    key = np.empty(BLOCK, dtype=np.uint16)
    order = np.empty(BLOCK, dtype=np.uint32)
    sorted_load, inverse_load, inverse = np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK)
    n_left = 0
    for start in range(0, servers.size, BLOCK):
        a_block, result = load[start : start + BLOCK], out[start : start + BLOCK]
        most, left = find_keys(servers[start : start + BLOCK], a_block, waiting, key, result)
        n_left += left
        sort_by_key(key, a_block, first[: most + 2], order, sorted_load)
        for k in range(1, most + 1):
            group = slice(first[k - 1], first[k])
            x, a_group, numbers = inverse[group], sorted_load[group], order[group]
            raise_servers(k, a_group, inverse_load[group], x)
            # A tiny load makes x infinite and the probability 0, as it should.
            if waiting:
                for i in range(x.size):
                    x[i] = k / ((k - a_group[i]) * x[i] + a_group[i])
            else:
                for i in range(x.size):
                    x[i] = 1.0 / x[i]
            for i in range(x.size):
                result[numbers[i]] = x[i]
    return n_left


@compiled
def find_keys(
    servers: FloatArray,
    load: FloatArray,
    waiting: bool,  # noqa: FBT001
    key: NDArray[np.uint16],
    result: FloatArray,
) -> tuple[int, int]:
    """Write the servers of each element of a block to `key`, 0 where nothing is to be computed.

    Returns the most servers, and how many elements are left at NaN.
    """
    most, n_left = 0, 0
    for i in range(servers.size):
        c, a = servers[i], load[i]
        good = (c >= 1.0) & (c <= MOST_SERVERS) & (a >= 0.0) & (a < np.inf)
        whole = np.int32(c) if good else np.int32(0)
        good &= whole == c
        over = waiting & good & (a >= c)
        result[i] = 1.0 if over else np.nan
        whole = whole if good & (not over) else np.int32(0)
        key[i] = whole
        most = max(most, int(whole))
        n_left += not good
    return most, n_left


@compiled
def sort_by_key(
    key: NDArray[np.uint16],
    load: FloatArray,
    first: NDArray[np.uint32],
    order: NDArray[np.uint32],
    sorted_load: FloatArray,
) -> None:
    """Sort a block by counting; `first` ends as the place behind the elements of each key."""
    first[:] = 0
    for i in range(load.size):
        first[key[i] + ONE] += ONE
    for k in range(first.size - 1):
        first[k + 1] += first[k]
    for i in range(load.size):
        place = first[key[i]]
        first[key[i]] = place + ONE
        order[place] = i
        sorted_load[place] = load[i]


@compiled
def raise_servers(k: int, load: FloatArray, r: FloatArray, x: FloatArray) -> None:
    """Write the inverse of Erlang B for k servers to `x`; `r` is room for 1 / load."""
    for i in range(x.size):
        x[i] = 1.0
        r[i] = 1.0 / load[i]
    # Eight servers at a time: 1 + r8 (1 + r7 (... (1 + r1 x))) with r_i = (j + i) r is a
    # polynomial in r, which takes half of the operations.
    for j in range(0, k - k % UNROLLED, UNROLLED):
        c1 = float(j + 8)
        c2 = c1 * (j + 7)
        c3 = c2 * (j + 6)
        c4 = c3 * (j + 5)
        c5 = c4 * (j + 4)
        c6 = c5 * (j + 3)
        c7 = c6 * (j + 2)
        c8 = c7 * (j + 1)
        for i in range(x.size):
            v = r[i]
            p = c7 + v * (c8 * x[i])
            p = c5 + v * (c6 + v * p)
            p = c3 + v * (c4 + v * p)
            x[i] = 1.0 + v * (c1 + v * (c2 + v * p))
    done = k - k % UNROLLED
    if k - done >= HALF:
        c1 = float(done + 4)
        c2 = c1 * (done + 3)
        c3 = c2 * (done + 2)
        c4 = c3 * (done + 1)
        for i in range(x.size):
            v = r[i]
            x[i] = 1.0 + v * (c1 + v * (c2 + v * (c3 + v * (c4 * x[i]))))
        done += HALF
    for j in range(done + 1, k + 1):
        f = float(j)
        for i in range(x.size):
            x[i] = 1.0 + x[i] * (f * r[i])
