"""The default archive: Parquet part files, one folder per UTC day, open to every reader.

Law: a part file appears whole or not at all (temporary name, fsync, rename, fsync of the folder),
and its name is given by the writer, so that writing it again changes nothing.
"""

import os
import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa  # noqa: TID251 - the one file that writes with pyarrow
import pyarrow.parquet as pq  # noqa: TID251 - the one file that writes with pyarrow

from model.columns import TEXT_COLUMNS, Block, Coded
from model.errors import UnavailableError
from model.measurement import METRICS
from model.timeline import Interval

DAY_MS = 86_400_000
ROW_GROUP_ROWS = 256 * 1024
"""A reader of one site skips all row groups but one; much smaller ones would cost footers."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,119}", re.ASCII)
_SORT_COLUMNS = ("site", "vantage", "kind", "target")
_TEXT = pa.dictionary(pa.int32(), pa.string())
_SHORT_FLOATS = {name for name in METRICS if name.startswith("rtt_") or name == "jitter_seconds"}
"""Times of a round trip: 24 bits are 6 nanoseconds in 100 milliseconds, far below any clock."""


def metric_type(name: str) -> pa.DataType:
    """The column type of a metric of METRICS."""
    if METRICS[name].whole:
        return pa.int64()
    return pa.float32() if name in _SHORT_FLOATS else pa.float64()


class ParquetArchive:
    """Part files ``FOLDER/day=YYYY-MM-DD/NAME.parquet``, each sorted by site and time.

    Columns: site, vantage, kind, target, reason (dictionary-coded text), at (timestamp[ms, UTC]),
    outcome (int8), and each metric that the block has (nullable).
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def append(self, name: str, block: Block) -> int:
        """Split ``block`` by UTC day and write one part file per day; returns the rows written.

        Raises ValueError for a name that is no file name, UnavailableError when the disk refuses.
        """
        if _NAME.fullmatch(name) is None:
            raise ValueError(f"{name!r} cannot name a part: use letters, digits and hyphens")
        if block.rows == 0:
            return 0
        columns, days = _ordered(block)
        starts = np.flatnonzero(np.diff(days, prepend=days[0] - 1))
        table = _table(columns)
        try:
            for start, end in zip(starts, [*starts[1:], block.rows], strict=True):
                day = np.datetime64(int(days[start]), "D")
                self._write(self.folder / f"day={day}", name, table.slice(start, end - start))
        except OSError as error:
            raise UnavailableError(
                f"cannot write to the archive {self.folder}: {error.strerror or error}. "
                "Free some space or correct its permissions; what is not archived stays in the "
                "journal."
            ) from error
        return block.rows

    def files(self, interval: Interval | None = None) -> list[Path]:
        """The part files of the days that touch ``interval`` (of all days without one)."""
        found = sorted(self.folder.glob("day=*/[!.]*.parquet"))
        if interval is None:
            return found
        first = f"day={np.datetime64(interval.start_ms // DAY_MS, 'D')}"
        last = f"day={np.datetime64((interval.end_ms - 1) // DAY_MS, 'D')}"
        return [path for path in found if first <= path.parent.name <= last]

    def _write(self, folder: Path, name: str, table: pa.Table) -> None:
        if not folder.is_dir():
            folder.mkdir(parents=True, exist_ok=True)
            _sync_folder(folder.parent)
            _sync_folder(folder.parent.parent)
        temporary = folder / f".{name}.tmp"
        with temporary.open("wb") as file:
            pq.write_table(table, file, **_write_options(table.schema))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(folder / f"{name}.parquet")
        _sync_folder(folder)


def _write_options(schema: pa.Schema) -> dict[str, Any]:
    encodings = {"at": "DELTA_BINARY_PACKED"}
    for field in schema:
        if pa.types.is_floating(field.type):
            encodings[field.name] = "BYTE_STREAM_SPLIT"
    dictionaries = [f.name for f in schema if f.name not in encodings]
    return {
        "compression": "zstd",
        "row_group_size": ROW_GROUP_ROWS,
        "use_dictionary": dictionaries,
        "column_encoding": encodings,
        "write_statistics": True,
        "sorting_columns": [
            pq.SortingColumn(schema.get_field_index(name)) for name in (*_SORT_COLUMNS, "at")
        ],
    }


def _ordered(block: Block) -> tuple[dict[str, Any], np.ndarray[Any, Any]]:
    """The columns as arrays, rows by day, then by site, vantage, kind, target and time."""
    columns: dict[str, Any] = {}
    for name in TEXT_COLUMNS:
        columns[name] = _coded(block.columns[name])
    for name, values in block.columns.items():
        if name not in columns:
            columns[name] = np.asarray(values)
    at_ms = columns["at_ms"] = columns["at_ms"].astype(np.int64, copy=False)
    days = at_ms // DAY_MS
    rank = np.zeros(block.rows, dtype=np.int64)
    for name in _SORT_COLUMNS:
        names, codes = columns[name]
        rank = rank * len(names) + codes
    if _is_sorted(days, rank, at_ms):
        return columns, days
    if _is_sorted(rank, at_ms):
        # Sorted by site already: only the days must be told apart (stable, radix on 16 bits).
        order = np.argsort((days - days.min()).astype(np.uint16), kind="stable")
    else:
        order = np.lexsort((at_ms, rank, days))
    for name, values in columns.items():
        if isinstance(values, tuple):
            columns[name] = (values[0], values[1][order])
        else:
            columns[name] = values[order]
    return columns, days[order]


def _is_sorted(*keys: np.ndarray[Any, Any]) -> bool:
    """Whether the rows are in order by these columns, the first weighing most."""
    tied = np.ones(max(len(keys[0]) - 1, 0), dtype=bool)
    for key in keys:
        steps = np.diff(key)
        if np.any(steps[tied] < 0):
            return False
        tied &= steps == 0
    return True


def _coded(values: Any) -> tuple[list[str], np.ndarray[Any, Any]]:
    """A text column as sorted names and codes into them, so that codes sort as the text does."""
    if isinstance(values, Coded):
        names = [str(name) for name in values.names]
        codes = np.asarray(values.codes)
        if all(left < right for left, right in pairwise(names)):
            return names, codes.astype(np.int32, copy=False)
        unique = sorted(set(names))
        return unique, _codes(unique, names)[codes]
    unique = sorted(set(values))
    return unique, _codes(unique, values)


def _codes(unique: Sequence[str], values: Sequence[str]) -> np.ndarray[Any, Any]:
    code_of = {name: code for code, name in enumerate(unique)}
    return np.fromiter((code_of[value] for value in values), np.int32, len(values))


def _table(columns: Mapping[str, Any]) -> pa.Table:
    arrays: dict[str, Any] = {}
    for name in (*_SORT_COLUMNS, "at_ms", "outcome", "reason", *METRICS):
        if name not in columns:
            continue
        values = columns[name]
        if isinstance(values, tuple):
            names, codes = values
            dictionary = pa.array(names, pa.string())
            arrays[name] = pa.DictionaryArray.from_arrays(codes, dictionary)
        elif name == "at_ms":
            arrays["at"] = pa.array(values, pa.timestamp("ms", tz="UTC"))
        elif name == "outcome":
            arrays[name] = pa.array(values.astype(np.int8, copy=False))
        else:
            arrays[name] = _metric(name, values)
    return pa.table(arrays)


def _metric(name: str, values: np.ndarray[Any, Any]) -> pa.Array:
    kind = metric_type(name)
    if not np.issubdtype(values.dtype, np.floating):
        return pa.array(values).cast(kind)
    missing = np.isnan(values)
    mask = missing if missing.any() else None
    if pa.types.is_integer(kind):
        whole = values if mask is None else np.where(missing, 0, values)
        return pa.array(whole.astype(np.int64), mask=mask)
    return pa.array(values.astype(kind.to_pandas_dtype(), copy=False), mask=mask)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
