import subprocess
import sys
from pathlib import Path

import pytest
from numba.core.caching import CacheImpl

import corridor
from corridor.core.compilation import machine_code

_NO_PLACE = "from numba.core.caching import CacheImpl; CacheImpl._locator_classes = []; "


def test_without_a_place_for_a_cache_functions_are_compiled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def double(number: int) -> int:
        return 2 * number

    monkeypatch.setattr(CacheImpl, "_locator_classes", [])
    assert machine_code(double, nogil=True)(21) == 42


def test_other_errors_of_the_compiler_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        msg = "something else"
        raise RuntimeError(msg)

    monkeypatch.setattr(CacheImpl, "__init__", fail)
    with pytest.raises(RuntimeError, match="something else"):
        machine_code(lambda: 0)


def test_no_kernel_needs_a_cache() -> None:
    """In a process of its own: here the modules have been imported with a cache."""
    root = Path(corridor.__file__).parent
    kernels = [
        ".".join(path.relative_to(root.parent).with_suffix("").parts)
        for path in sorted((root / "core").rglob("_*kernels.py"))
    ]
    assert len(kernels) > 10
    command = f"{_NO_PLACE}import {', '.join(kernels)}"
    done = subprocess.run(
        [sys.executable, "-c", command],
        cwd=root.parent,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
