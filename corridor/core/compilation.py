"""Machine code out of functions, cached on disk where there is a place; for kernel modules only."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

Function = TypeVar("Function", bound=Callable[..., Any])


def machine_code(function: Function, **options: object) -> Function:
    """Compile a function on its first call, with numba's cache on disk where one can be written.

    The cache is beside the module, or else in the user's cache folder. In a container neither may
    be writable: then every process compiles anew, unless ``NUMBA_CACHE_DIR`` names a folder that
    is. Nothing is put into the folder for temporary files, where others could plant code.

    Parameters
    ----------
    function
        A function that numba compiles.
    **options
        Options of ``numba.njit``.
    """
    from numba import njit

    compile_with: Any = njit  # its stubs do not list all of its options
    try:
        compiled = compile_with(cache=True, **options)(function)
    except RuntimeError as error:
        if "cannot cache function" not in str(error):
            raise
        compiled = compile_with(**options)(function)
    return cast("Function", compiled)
