"""InfluxDB 2 as an archive, through its own client.

Law: our own batches of ready lines, written synchronously, and an answer for each: the client's
batching writer returns at once and loses what fails later.
"""

import csv
import io
import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

from influxdb_client.client.influxdb_client import InfluxDBClient  # noqa: TID251 - the one file
from influxdb_client.client.write_api import SYNCHRONOUS  # noqa: TID251 - as above
from influxdb_client.domain.dialect import Dialect  # noqa: TID251 - as above
from influxdb_client.domain.write_precision import WritePrecision  # noqa: TID251 - as above
from influxdb_client.rest import ApiException  # noqa: TID251 - as above
from urllib3.exceptions import HTTPError

from collector.archive.lines import batches, joined
from model.columns import TEXT_COLUMNS, Block
from model.errors import UnavailableError
from model.measurement import METRICS
from model.timeline import Interval

LINES = 5_000
"""Lines of one write, as InfluxDB's documentation recommends."""
TIMEOUT_MS = 30_000
_TAGS = ["_measurement" if name == "kind" else name for name in TEXT_COLUMNS]
_FIELDS = (
    ["outcome", *(name for name, metric in METRICS.items() if metric.whole)],
    [name for name, metric in METRICS.items() if not metric.whole],
)
Done = TypeVar("Done")


class LineWriter:
    """Writes blocks as line protocol to whatever speaks InfluxDB's ``/api/v2/write``.

    Raises UnavailableError for every answer but success, with the server's words.
    """

    def __init__(self, url: str, token: str, org: str, bucket: str) -> None:
        self._url, self._org, self._bucket = url, org, bucket
        self.client = InfluxDBClient(url=url, token=token, org=org, timeout=TIMEOUT_MS)
        self._api = self.client.write_api(write_options=SYNCHRONOUS)

    def write(self, block: Block) -> int:
        """Every line of the block; returns the rows."""
        for text in batches(block, LINES):
            self.asked(
                partial(
                    self._api.write,
                    self._bucket,
                    self._org,
                    text.encode(),
                    write_precision=WritePrecision.MS,  # type: ignore[arg-type]  # its own constant is text
                )
            )
        return block.rows

    def asked(self, call: Callable[[], Done]) -> Done:
        """The call's result; its errors in our words (never the token)."""
        try:
            return call()
        except ApiException as error:
            raise UnavailableError(
                f"{self._url} answers {error.status}: {str(error.body or error.reason)[:200]}"
            ) from None
        except (HTTPError, OSError) as error:
            raise UnavailableError(f"{self._url} cannot be reached: {error}") from None


class InfluxArchive:
    """A bucket of an InfluxDB 2. A look that is written again replaces itself."""

    def __init__(self, url: str, token: str, org: str, bucket: str) -> None:
        self._writer = LineWriter(url, token, org, bucket)
        self._bucket, self._org = bucket, org

    def append(self, name: str, block: Block) -> int:
        """See Archive. ``name`` is not needed: the series and the time of a look are its name."""
        del name
        return self._writer.write(block)

    def rows(self, interval: Interval) -> int:
        """See Archive; the server counts."""
        counted = self._rows(
            interval,
            '|> filter(fn: (r) => r._field == "outcome") |> group() |> count()'
            ' |> keep(columns: ["_value"])',
        )
        return sum(int(row["_value"]) for row in counted)

    def looks(self, interval: Interval) -> Block:
        """See Archive. The server makes one row of the fields of a look. Whole numbers and others
        are asked for apart: Flux refuses a table that mixes them. All of it in memory: ask for
        hours or days."""
        looks: dict[tuple[str, ...], dict[str, float]] = defaultdict(dict)
        for fields in _FIELDS:
            rest = (
                f'|> filter(fn: (r) => r.site != "" and r._field =~ /^({"|".join(fields)})$/)'
                f" |> group(columns: {json.dumps(_TAGS)})"
                ' |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")'
            )
            for row in self._rows(interval, rest):
                key = tuple(row.get(name, "") for name in _TAGS)
                look = looks[*key, _milliseconds(row["_time"])]
                look.update({name: float(row[name]) for name in fields if row.get(name)})
        return joined(looks)

    def tend(self, journal_id: str, done: int, now_ms: int) -> None:
        """Nothing: compaction and retention are the server's and its bucket's."""

    def _rows(self, interval: Interval, rest: str) -> Iterator[dict[str, str]]:
        """The rows of all tables as text, while they come in. The columns differ from table to
        table, so a header stands before each: it is the row that names ``result``."""
        plain = Dialect(annotations=[])  # type: ignore[no-untyped-call]  # the client has no types
        api = self._writer.client.query_api()
        query = self._flux(interval, rest)
        answer = self._writer.asked(lambda: api.query_raw(query, org=self._org, dialect=plain))
        header: list[str] = []
        with answer:
            lines = csv.reader(io.TextIOWrapper(answer, encoding="utf-8", newline=""))
            while (row := self._writer.asked(lambda: next(lines, None))) is not None:
                if row[:1] == ["error"]:
                    raise UnavailableError(f"the archive's query failed: {next(lines, [''])[0]}")
                if row[1:2] == ["result"]:
                    header = row
                elif row:
                    yield dict(zip(header, row, strict=True))

    def _flux(self, interval: Interval, rest: str) -> str:
        start, stop = (
            datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds")
            for at in interval
        )
        bucket = self._bucket.replace("\\", "\\\\").replace('"', '\\"')
        return f'from(bucket: "{bucket}") |> range(start: {start}, stop: {stop}) {rest}'


def _milliseconds(text: str) -> str:
    return str(round(datetime.fromisoformat(text).timestamp() * 1000))
