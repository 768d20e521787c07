"""DuckDB over the archive's files: one view called ``looks``.

Law: reading never blocks writing. The engine opens files read-only, keeps its work in memory (and
spills to a folder of its own), and leaves nothing behind.
"""

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import duckdb  # noqa: TID251 - this is the one file that queries with duckdb
import numpy as np

from model.columns import TEXT_COLUMNS
from model.measurement import METRICS, Vantage

_SITES_AT_ONCE = 8_000
"""A nation is concluded part by part: the rows of its week between two steps of an analysis are
far more than memory holds, and spilling them took longer than all the rest."""


class Engine:
    """An in-process query engine. ``memory_gb`` bounds what it holds before it spills to disk."""

    def __init__(self, *, threads: int = 2, memory_gb: float = 1.0) -> None:
        self._scratch = tempfile.TemporaryDirectory(prefix="jangkau-engine-")
        self._connection = duckdb.connect()
        self._connection.execute("SET temp_directory = $folder", {"folder": self._scratch.name})
        self._connection.execute(f"SET threads = {threads:d}")
        self._connection.execute(f"SET memory_limit = '{memory_gb:.1f}GB'")
        self._connection.execute("SET preserve_insertion_order = false")
        self._connection.execute("SET TimeZone = 'UTC'")
        # A bar on standard output would stand in the middle of somebody's JSON.
        self._connection.execute("SET enable_progress_bar = false")

    def __enter__(self) -> "Engine":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._connection.close()
        self._scratch.cleanup()

    def open_looks(self, files: Sequence[Path], vantage: Vantage | None = None) -> None:
        """Make the view ``looks`` over Parquet files, from all vantages or from one. Columns that
        no file has read as NULL."""
        parts = [_empty_looks()]
        if files:
            names = ", ".join("'" + str(path).replace("'", "''") + "'" for path in files)
            parts.append(f"SELECT * FROM read_parquet([{names}], union_by_name = true)")  # noqa: S608 - file names of our own archive, quotes doubled
        union = " UNION ALL BY NAME ".join(parts)
        kept = "" if vantage is None else f" WHERE vantage = '{vantage.value}'"
        self._connection.execute(
            f"CREATE OR REPLACE TEMP VIEW all_looks AS SELECT * FROM ({union}){kept}"  # noqa: S608 - words of our own model
        )
        self._look_at("true")

    def in_parts(self, sites: Iterable[str]) -> Iterator[None]:
        """Narrow ``looks`` to some thousand sites after the other; every look is in exactly one
        part, also those of sites that are not named. Afterwards ``looks`` is whole again."""
        cuts = sorted(sites)[_SITES_AT_ONCE::_SITES_AT_ONCE]
        bounds = ["'" + cut.replace("'", "''") + "'" for cut in cuts]
        below = [*(f"site < {bound}" for bound in bounds), "true"]
        above = ["true", *(f"site >= {bound}" for bound in bounds)]
        try:
            for start, end in zip(above, below, strict=True):
                self._look_at(f"{start} AND {end}")
                yield
        finally:
            self._look_at("true")

    def _look_at(self, condition: str) -> None:
        self._connection.execute(
            f"CREATE OR REPLACE TEMP VIEW looks AS FROM all_looks WHERE {condition}"
        )

    def table(self, name: str, columns: Mapping[str, Any]) -> None:
        """Make a temporary table of equally long numpy columns."""
        self._connection.register("incoming", dict(columns))
        self._connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS FROM incoming")
        self._connection.unregister("incoming")

    def run(self, sql: str, parameters: Mapping[str, Any] | None = None) -> None:
        """Execute a statement for its effect."""
        self._connection.execute(sql, parameters)

    def columns(
        self, sql: str, parameters: Mapping[str, Any] | None = None
    ) -> dict[str, np.ndarray[Any, Any]]:
        """The result of a query as numpy columns by name (masked where there are NULLs)."""
        return self._connection.execute(sql, parameters).fetchnumpy()

    def rows(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """The result of a small query as tuples."""
        return self._connection.execute(sql, parameters).fetchall()


def _empty_looks() -> str:
    """A SELECT of no rows that names and types every column an archive may have."""
    text = [f"NULL::VARCHAR AS {name}" for name in TEXT_COLUMNS]
    metrics = [
        f"NULL::{'BIGINT' if metric.whole else 'DOUBLE'} AS {name}"
        for name, metric in METRICS.items()
    ]
    columns = [*text, 'NULL::TIMESTAMPTZ AS "at"', "NULL::TINYINT AS outcome", *metrics]
    return f"SELECT {', '.join(columns)} WHERE false"
