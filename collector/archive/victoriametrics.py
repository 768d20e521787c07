"""VictoriaMetrics as an archive, one node or a cluster: line protocol in, MetricsQL out.

Law: what was written is counted back, series by series, because the server answers 204 to lines
that it throws away. The server must run with ``-dedup.minScrapeInterval=1ms``: then a look that is
written again replaces itself.
"""

import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter, defaultdict
from collections.abc import Callable
from http.client import HTTPException

from collector.archive.influxdb import TIMEOUT_MS, LineWriter
from collector.archive.lines import joined, text_column
from model.columns import TEXT_COLUMNS, Block
from model.errors import UnavailableError
from model.timeline import Interval

PATIENCE_SECONDS = 30.0
"""New lines can be found after a few seconds; so long we ask again."""
SeriesKey = tuple[str, str, str, str]


class VictoriaArchive:
    """``write_url``: ``http://HOST:8428``, or ``http://VMINSERT:8480/insert/0/influx``.
    ``read_url``: ``http://HOST:8428``, or ``http://VMSELECT:8481/select/0/prometheus``.
    ``flush_url``: what makes new lines findable at once (one node: ``.../internal/force_flush``);
    None waits for the server to do it by itself."""

    def __init__(
        self,
        write_url: str,
        read_url: str,
        *,
        token: str = "",
        flush_url: str | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._writer = LineWriter(write_url, token, "-", "-")
        self._read_url, self._flush_url, self._token = read_url, flush_url, token
        self._sleep = sleep

    def append(self, name: str, block: Block) -> int:
        """See Archive. ``name`` is not needed: the series and the time of a look are its name."""
        del name
        if block.rows == 0:
            return 0
        self._writer.write(block)
        times = block.columns["at_ms"]
        whole = Interval(int(min(times)), int(max(times)) + 1)
        texts = [text_column(block, column) for column in ("site", "vantage", "kind", "target")]
        expected: dict[SeriesKey, set[int]] = defaultdict(set)
        for key, at in zip(zip(*texts, strict=True), times, strict=True):
            expected[key].add(int(at))
        waited, pause = 0.0, 0.1
        while missing := self._missing(expected, whole):
            if waited > PATIENCE_SECONDS:
                raise UnavailableError(
                    f"{self._read_url} does not have {missing} of {block.rows} looks that it took"
                )
            self._sleep(pause)
            waited, pause = waited + pause, min(2 * pause, 5.0)
        return block.rows

    def rows(self, interval: Interval) -> int:
        """See Archive; the server counts."""
        return sum(self._counts(interval).values())

    def looks(self, interval: Interval) -> Block:
        """See Archive: the export of all series, put together by look."""
        looks: dict[tuple[str, ...], dict[str, float]] = defaultdict(dict)
        query = {
            "match[]": '{site!=""}',
            "start": f"{interval.start_ms / 1000:.3f}",
            "end": f"{(interval.end_ms - 1) / 1000:.3f}",
            "reduce_mem_usage": "0",
        }
        for line in self._get("/api/v1/export", query).splitlines():
            series = json.loads(line)
            labels = series["metric"]
            kind, _, metric = labels["__name__"].partition("_")
            words = {**labels, "kind": kind}
            key = tuple(words.get(name, "") for name in TEXT_COLUMNS)
            for value, at in zip(series["values"], series["timestamps"], strict=True):
                looks[*key, str(at)][metric] = value
        return joined(looks)

    def tend(self, journal_id: str, done: int, now_ms: int) -> None:
        """Nothing: compaction and retention are the server's."""

    def _missing(self, expected: dict[SeriesKey, set[int]], interval: Interval) -> int:
        if self._flush_url is not None:
            self._read(self._flush_url)
        found = self._counts(interval)
        return sum(max(0, len(times) - found[key]) for key, times in expected.items())

    def _counts(self, interval: Interval) -> Counter[SeriesKey]:
        """Looks by series: MetricsQL looks back over ``(time - window, time]``."""
        answer = self._get(
            "/api/v1/query",
            {
                "query": 'count_over_time({__name__=~".+_outcome",site!=""}'
                f"[{interval.length_ms}ms]) keep_metric_names",
                "time": f"{(interval.end_ms - 1) / 1000:.3f}",
                "nocache": "1",
            },
        )
        counts: Counter[SeriesKey] = Counter()
        for one in json.loads(answer)["data"]["result"]:
            labels = one["metric"]
            kind = labels["__name__"].removesuffix("_outcome")
            key = (labels["site"], labels["vantage"], kind, labels["target"])
            counts[key] += int(float(one["value"][1]))
        return counts

    def _get(self, path: str, query: dict[str, str]) -> bytes:
        return self._read(f"{self._read_url}{path}?{urllib.parse.urlencode(query)}")

    def _read(self, url: str) -> bytes:
        request = urllib.request.Request(url)  # noqa: S310 - the operator's own server
        if self._token:
            request.add_header("Authorization", f"Bearer {self._token}")
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_MS / 1000) as answer:  # noqa: S310 - as above
                content: bytes = answer.read()
                return content
        except (urllib.error.URLError, OSError, HTTPException) as error:
            raise UnavailableError(f"{self._read_url} cannot be asked: {error}") from None
