"""The default archive: Parquet part files, one folder per UTC day, open to every reader.

Law: a part file appears whole or not at all (temporary name, fsync, rename, fsync of the folder),
and its name is given by the writer, so that writing it again changes nothing.
"""

import os
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa  # noqa: TID251 - the one file that writes with pyarrow
import pyarrow.parquet as pq  # noqa: TID251 - the one file that writes with pyarrow

from collector.archive.order import DAY_MS, SORT_COLUMNS, ordered
from collector.archive.parts import Part, part_name, part_of, visible
from collector.archive.precision import SHORTENED, shortened, with_repeats, without_repeats
from model.columns import NUMBER_COLUMNS, TEXT_COLUMNS, Block, Coded
from model.errors import InputError, UnavailableError
from model.measurement import METRICS
from model.timeline import Interval

ROW_GROUP_ROWS = 256 * 1024
"""A reader of one site skips all row groups but one; much smaller ones would cost footers."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,119}", re.ASCII)
_TEXT = pa.dictionary(pa.int32(), pa.string())
COMPACT_PARTS = 12
"""A day folder with more parts is compacted (one part is added every five minutes)."""
COMPACT_ROWS = 4_000_000
"""Rows of a compacted part at most: bounds the memory (some 200 bytes a row)."""
GRACE_MS = 3_600_000
"""So long a covered part stays for readers who listed the folder before."""


def metric_type(name: str) -> pa.DataType:
    """The column type of a metric of METRICS."""
    if METRICS[name].whole:
        return pa.int64()
    return pa.float32() if name in SHORTENED else pa.float64()


class ParquetArchive:
    """Part files ``FOLDER/day=YYYY-MM-DD/NAME.parquet``, each sorted by site and time.

    Columns: site, vantage, kind, target, reason (dictionary-coded text), at (timestamp[ms, UTC]),
    outcome (int8), and each metric that the block has (nullable).
    ``keep_days``: older day folders are removed by ``tend``; None keeps all.
    """

    def __init__(self, folder: Path, keep_days: int | None = None) -> None:
        self.folder = folder
        self._keep_days = keep_days

    def append(self, name: str, block: Block) -> int:
        """Split ``block`` by UTC day and write one part file per day; returns the rows written.

        Raises ValueError for a name that is no file name, UnavailableError when the disk refuses.
        """
        if _NAME.fullmatch(name) is None:
            raise ValueError(f"{name!r} cannot name a part: use letters, digits and hyphens")
        if block.rows == 0:
            return 0
        columns, days = ordered(block)
        starts = np.flatnonzero(np.diff(days, prepend=days[0] - 1))
        table = _table(columns)
        try:
            for start, end in zip(starts, [*starts[1:], block.rows], strict=True):
                day = np.datetime64(int(days[start]), "D")
                self._write(self.folder / f"day={day}", name, table.slice(start, end - start))
        except OSError as error:
            raise self._refused(error) from error
        return block.rows

    def files(self, interval: Interval | None = None) -> list[Path]:
        """The part files of the days that touch ``interval`` (of all days without one)."""
        found: list[Path] = []
        for folder in sorted(self.folder.glob("day=*")):
            if interval is None or _day(interval.start_ms) <= folder.name <= _day(
                interval.end_ms - 1
            ):
                found += visible(sorted(folder.glob("[!.]*.parquet")))
        return found

    def rows(self, interval: Interval) -> int:
        """See Archive."""
        return sum(
            pq.read_table(path, columns=["outcome"], filters=_within(interval)).num_rows
            for path in self.files(interval)
        )

    def kept(self, name: str) -> int:
        """The rows of the part files of that name."""
        return sum(
            pq.read_metadata(path).num_rows for path in self.folder.glob(f"day=*/{name}.parquet")
        )

    def looks(self, interval: Interval) -> Block:
        """See Archive. All of it in memory: ask for days, not for years."""
        return _block([pq.read_table(p, filters=_within(interval)) for p in self.files(interval)])

    def tend(self, journal_id: str, done: int, now_ms: int) -> None:
        """Make few large part files of many small ones, and remove what is too old."""
        try:
            for folder in sorted(self.folder.glob("day=*")):
                days_ago = (np.datetime64(now_ms // DAY_MS, "D") - _date(folder)).astype(int)
                if self._keep_days is not None and days_ago > self._keep_days:
                    shutil.rmtree(folder)
                    continue
                files = sorted(folder.glob("[!.]*.parquet"))
                seen = visible(files)
                for path in set(files) - set(seen):
                    _remove_covered(path, files, now_ms)
                parts = [
                    part
                    for path in seen
                    if (part := part_of(path)) and part.journal_id == journal_id
                    if part.last <= done
                ]
                if len(parts) > COMPACT_PARTS or (days_ago > 1 and len(parts) > 1):
                    for group in _groups(parts):
                        self._compact(folder, group)
        except OSError as error:
            raise self._refused(error) from error

    def verify(self) -> None:
        """Read every part file to its end. Raises InputError with the one that is not sound."""
        for path in self.files():
            try:
                pq.read_table(path, partitioning=None)
            except (pa.ArrowException, OSError) as error:
                raise InputError(f"{path.name} is damaged: {error}") from error

    def _compact(self, folder: Path, parts: Sequence[Part]) -> None:
        block = _block([pq.read_table(part.path, partitioning=None) for part in parts])
        columns, _ = ordered(block)
        name = part_name(parts[0].journal_id, parts[0].first, parts[-1].last)
        self._write(folder, name, _table(columns))

    def _refused(self, error: OSError) -> UnavailableError:
        return UnavailableError(
            f"cannot write to the archive {self.folder}: {error.strerror or error}. "
            "Free some space or correct its permissions; what is not archived stays in the "
            "journal."
        )

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


def _day(at_ms: int) -> str:
    return f"day={np.datetime64(at_ms // DAY_MS, 'D')}"


def _date(folder: Path) -> np.datetime64:
    return np.datetime64(folder.name.removeprefix("day="), "D")


def _within(interval: Interval) -> list[tuple[str, str, pa.Scalar]]:
    start, end = (pa.scalar(at, pa.timestamp("ms", tz="UTC")) for at in interval)
    return [("at", ">=", start), ("at", "<", end)]


def _groups(parts: Sequence[Part]) -> list[list[Part]]:
    """Neighbours by range, as many together as one compacted part may hold."""
    groups: list[list[Part]] = [[]]
    rows = 0
    for part in sorted(parts, key=lambda one: one.first):
        more = pq.read_metadata(part.path).num_rows
        if groups[-1] and rows + more > COMPACT_ROWS:
            groups.append([])
            rows = 0
        groups[-1].append(part)
        rows += more
    return [group for group in groups if len(group) > 1]


def _remove_covered(path: Path, files: Sequence[Path], now_ms: int) -> None:
    """Remove a part that a larger one covers since a while."""
    covered = part_of(path)
    for other in files:
        part = part_of(other)
        if (
            part is not None
            and covered is not None
            and part.journal_id == covered.journal_id
            and part.first <= covered.first <= covered.last <= part.last
            and other != path
            and now_ms - other.stat().st_mtime_ns // 1_000_000 > GRACE_MS
        ):
            path.unlink()
            return


def _block(tables: Sequence[pa.Table]) -> Block:
    """Rows of part files as a block again."""
    if not tables:
        empty: dict[str, Any] = {name: [] for name in TEXT_COLUMNS}
        return Block(empty | {name: np.array([], np.int64) for name in NUMBER_COLUMNS}, 0)
    table = pa.concat_tables(tables, promote_options="permissive").unify_dictionaries()
    columns: dict[str, Any] = {}
    for field in table.schema:
        column = table[field.name].combine_chunks()
        if pa.types.is_dictionary(field.type):
            columns[field.name] = Coded(column.dictionary.to_pylist(), column.indices.to_numpy())
        elif field.name == "at":
            columns["at_ms"] = column.cast(pa.int64()).to_numpy()
        elif field.name == "outcome":
            columns[field.name] = column.to_numpy()
        else:
            columns[field.name] = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
    return with_repeats(Block(columns, table.num_rows))


def _write_options(schema: pa.Schema) -> dict[str, Any]:
    encodings = {"at": "DELTA_BINARY_PACKED"}
    for field in schema:
        if pa.types.is_floating(field.type):
            encodings[field.name] = "BYTE_STREAM_SPLIT"
    dictionaries = [f.name for f in schema if f.name not in encodings]
    return {
        "compression": "zstd",
        "compression_level": 6,
        "row_group_size": ROW_GROUP_ROWS,
        "use_dictionary": dictionaries,
        "column_encoding": encodings,
        "write_statistics": True,
        "sorting_columns": [
            pq.SortingColumn(schema.get_field_index(name)) for name in (*SORT_COLUMNS, "at")
        ],
    }


def _table(columns: Mapping[str, Any]) -> pa.Table:
    arrays: dict[str, Any] = {}
    columns = without_repeats(columns)
    for name in (*SORT_COLUMNS, "at_ms", "outcome", "reason", *METRICS):
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
    if name in SHORTENED:
        values = shortened(name, values)
    return pa.array(values.astype(kind.to_pandas_dtype(), copy=False), mask=mask)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
