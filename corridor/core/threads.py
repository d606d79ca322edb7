"""How many threads the compiled kernels run on."""

import operator
import os

from corridor.errors import InputError


def as_threads(threads: int | None) -> int:
    """Return the number of threads to use: every core this process may use when None.

    Raises
    ------
    InputError
        When it is no whole number >= 1.

    Examples
    --------
    >>> as_threads(2)
    2
    """
    if threads is None:
        if hasattr(os, "sched_getaffinity"):
            return len(os.sched_getaffinity(0))
        return os.cpu_count() or 1
    try:
        count = operator.index(threads)
    except TypeError:
        count = 0
    if count < 1:
        msg = f"threads must be a whole number >= 1, or None for all cores; found {threads!r}."
        raise InputError(msg)
    return count
