"""How the kernels of this package are compiled; imported by kernel modules only."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from corridor.core.compilation import machine_code

Function = TypeVar("Function", bound=Callable[..., Any])

OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": {"contract"}}
"""NumPy's error model divides without asking whether by 0, and a product may be added in one
rounding: both let the compiler take several elements at once."""


def compiled(function: Function) -> Function:
    """Compile a function to machine code that runs without the GIL and is cached on disk.

    numba takes code from its cache as long as size and date of the function's own file stay the
    same, whatever became of the options here. The hash in the name ends that.
    """
    content = Path(function.__code__.co_filename).read_bytes() + Path(__file__).read_bytes()
    function.__qualname__ += "_" + hashlib.sha256(content).hexdigest()[:12]
    return machine_code(function, **OPTIONS)
