"""Finished samples on disk, as Parquet: a sweep that was stopped goes on where it was.

While a sweep runs, each chunk becomes a file of its own in ``NAME.parts`` beside the checkpoint:
written whole or not at all, so that nothing finished is ever lost. When it ends they are put
together in the one file NAME. Both are read when it is taken up again.
"""

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from corridor.errors import InputError, MissingExtraError
from corridor.study.uncertainty.chunks import Chunk, Task

if TYPE_CHECKING:
    import pyarrow as pa

_SIGN: Final = b"corridor.sweep"
_FIXED: Final = ("variant", "sample", "status", "reason", "gap", "seconds")
_SHOWN: Final = 3


class Checkpoint:
    """The file of one sweep.

    Parameters
    ----------
    path
        The file; its folder must exist.
    identity
        What the samples depend on: study, version, seed, ... Another sweep's file is refused.
    columns
        Names of the indicators.

    Raises
    ------
    InputError
        If the file belongs to another sweep, is no checkpoint, or its folder does not exist.
    MissingExtraError
        If pyarrow is not installed.
    """

    def __init__(self, path: str | Path, identity: dict[str, str], columns: Sequence[str]) -> None:
        self._path = Path(path)
        self._parts = self._path.with_name(f"{self._path.name}.parts")
        self._identity, self._columns = identity, tuple(columns)
        _parquet()
        if not self._path.parent.is_dir() or self._path.is_dir():
            msg = (
                f"A checkpoint must be a file in an existing folder; {self._path} is none. "
                "Make the folder first, and name a file in it."
            )
            raise InputError(msg)

    def read(self) -> list[Chunk]:
        """Return the finished chunks, each once."""
        files = [self._path] if self._path.exists() else []
        if self._parts.is_dir():
            files += sorted(self._parts.glob("*.parquet"))
        chunks: dict[tuple[str, int], Chunk] = {}
        for file in files:
            for chunk in self._read_file(file):
                known = chunks.get((chunk.variant, chunk.first))
                if known is None or len(known) < len(chunk):
                    chunks[chunk.variant, chunk.first] = chunk
        return list(chunks.values())

    def add(self, chunk: Chunk) -> None:
        """Write one finished chunk."""
        self._parts.mkdir(exist_ok=True)
        name = f"{chunk.variant}-{chunk.first:09d}-{len(chunk):03d}.parquet"
        self._write([chunk], self._parts / name)

    def close(self) -> None:
        """Put all chunks together in the one file."""
        chunks = self.read()
        if chunks:
            self._write(sorted(chunks, key=lambda one: (one.variant, one.first)), self._path)
        shutil.rmtree(self._parts, ignore_errors=True)

    def _write(self, chunks: Sequence[Chunk], target: Path) -> None:
        """Write a file whole or not at all."""
        scratch = target.with_name(f".{target.name}.{os.getpid()}")
        try:
            _parquet().write_table(self._table(chunks), scratch)
            scratch.replace(target)
        finally:
            scratch.unlink(missing_ok=True)

    def _table(self, chunks: Sequence[Chunk]) -> "pa.Table":
        import pyarrow as pa

        values = np.concatenate([chunk.values for chunk in chunks])
        fixed = [
            pa.array([chunk.variant for chunk in chunks for _ in range(len(chunk))], pa.string()),
            pa.array([chunk.first + i for chunk in chunks for i in range(len(chunk))], pa.int64()),
            pa.array([text for chunk in chunks for text in chunk.status], pa.string()),
            pa.array([text for chunk in chunks for text in chunk.reason], pa.string()),
            pa.array(np.concatenate([chunk.gap for chunk in chunks])),
            pa.array(np.concatenate([chunk.seconds for chunk in chunks])),
        ]
        return pa.table(
            [*fixed, *(pa.array(np.ascontiguousarray(column)) for column in values.T)],
            names=[*_FIXED, *self._columns],
        ).replace_schema_metadata({_SIGN: json.dumps(self._identity).encode()})

    def _read_file(self, file: Path) -> list[Chunk]:
        import pyarrow as pa

        try:
            table = _parquet().read_table(file)
        except (pa.ArrowInvalid, OSError) as error:
            msg = (
                f"A checkpoint must be a Parquet file of a sweep; {file} is none ({error}). "
                "Name another file, or remove it."
            )
            raise InputError(msg) from error
        self._check(file, table)
        frame = table.select(list(_FIXED)).to_pydict()
        values = np.column_stack([table[name].to_numpy() for name in self._columns])
        sample = np.array(frame["sample"], dtype=np.int64)
        variant = np.array(frame["variant"], dtype=object)
        starts = np.flatnonzero(
            np.r_[
                True,
                (variant[1:] != variant[:-1]) | (np.diff(sample) != 1) | (sample[1:] % 64 == 0),
            ]
        )
        return [
            Chunk(
                variant=str(variant[a]),
                first=int(sample[a]),
                status=tuple(frame["status"][a:b]),
                reason=tuple(frame["reason"][a:b]),
                gap=np.array(frame["gap"][a:b], dtype=float),
                seconds=np.array(frame["seconds"][a:b], dtype=float),
                values=values[a:b],
            )
            for a, b in zip(starts, [*starts[1:], len(sample)], strict=True)
        ]

    def _check(self, file: Path, table: "pa.Table") -> None:
        """Refuse a file of another sweep."""
        found: dict[str, Any] = json.loads((table.schema.metadata or {}).get(_SIGN, b"{}"))
        names = [name for name in self._identity if found.get(name) != self._identity[name]]
        if not names and table.column_names == [*_FIXED, *self._columns]:
            return
        told = "; ".join(
            f"{name} {str(found.get(name, 'none'))[:20]!r} instead of {self._identity[name][:20]!r}"
            for name in names[:_SHOWN]
        )
        msg = (
            f"A checkpoint must be of the same study, version and seed; {file} has "
            f"{told or 'other indicators'}. Name another file, or run the sweep it belongs to."
        )
        raise InputError(msg)


def missing(tasks: Sequence[Task], done: Sequence[Chunk]) -> tuple[list[Task], list[Chunk]]:
    """Return the tasks that remain, and the chunks that serve the others."""
    known = {(chunk.variant, chunk.first): chunk for chunk in done}
    left, kept = [], []
    for task in tasks:
        chunk = known.get((task.variant, task.first))
        if chunk is None or len(chunk) < task.n:
            left.append(task)
        else:
            kept.append(first_of(chunk, task.n))
    return left, kept


def first_of(chunk: Chunk, n: int) -> Chunk:
    """Return the first n samples of a chunk."""
    return Chunk(
        variant=chunk.variant, first=chunk.first, status=chunk.status[:n], reason=chunk.reason[:n],
        gap=chunk.gap[:n], seconds=chunk.seconds[:n], values=chunk.values[:n],
    )  # fmt: skip


def _parquet() -> Any:  # noqa: ANN401 (pyarrow has no types)
    try:
        import pyarrow.parquet
    except ImportError as error:
        msg = "Checkpoints are Parquet files, which need pyarrow: pip install 'corridor[parquet]'."
        raise MissingExtraError(msg) from error
    return pyarrow.parquet
