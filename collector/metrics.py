"""What the collector counts about itself, in Prometheus' words.

Law: counting never waits and never fails; a scrape reads, it changes nothing. Every name that can
appear is in METRICS (docs/collector.md lists them; a test holds the two together).
Source: Prometheus text exposition format 0.0.4; naming practice (base units, ``_total``).
"""

import threading
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from collector.receipts import Batch, Receipt

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
COMMIT_BOUNDS_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)

METRICS: Mapping[str, tuple[str, str]] = {
    "jangkau_http_answers_total": ("counter", "Answers by route and status."),
    "jangkau_lines_total": ("counter", "Lines by what became of them."),
    "jangkau_commit_seconds": ("histogram", "Time from decoding a batch to its fsynced commit."),
    "jangkau_requests_in_flight": ("gauge", "Write requests under way."),
    "jangkau_batches_waiting": ("gauge", "Batches that the archive does not have yet."),
    "jangkau_archive_lag_seconds": ("gauge", "Age of the oldest batch that waits; 0 for none."),
    "jangkau_dead_letters": ("gauge", "Refused lines and damaged batches that are kept."),
    "jangkau_journal_bytes": ("gauge", "Size of the journal with its write-ahead log."),
    "jangkau_free_bytes_above_reserve": ("gauge", "Disk space for new data; negative: refused."),
    "jangkau_probes_known": ("gauge", "Probes that were heard in the last day."),
    "jangkau_probes_silent": ("gauge", "Of these, silent for longer than is usual for them."),
    "jangkau_heard_timestamp_seconds": ("gauge", "When a batch was last taken; 0 for never."),
    "jangkau_ailing": ("gauge", "1 for each ailment found by the last self-examination."),
    "jangkau_heartbeats_total": ("counter", "Heartbeats sent, withheld (ailing) and failed."),
}


class Sample(NamedTuple):
    """One value of a metric with its labels."""

    name: str
    value: float
    labels: tuple[tuple[str, str], ...] = ()


class Tally:
    """Counters of one process; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[tuple[str, tuple[tuple[str, str], ...]], int] = defaultdict(int)
        self._buckets = [0] * (len(COMMIT_BOUNDS_SECONDS) + 1)
        self._commit_seconds = 0.0

    def add(self, name: str, number: int = 1, **labels: str) -> None:
        """Count up a counter of METRICS."""
        with self._lock:
            self._counts[name, tuple(labels.items())] += number

    def answered(self, path: str, status: int) -> None:
        """Hears of every answer (see ``web.application``)."""
        self.add("jangkau_http_answers_total", path=path, status=str(status))

    def stored(self, batch: Batch, receipt: Receipt, seconds: float) -> None:
        """Hears of every committed batch (see ``ingest.Ingest``)."""
        del batch  # who sent it is for others
        kept = sum(span.length_ms for span in receipt.kept)
        known = sum(span.length_ms for span in receipt.duplicate)
        for result, number in (
            ("kept", kept), ("duplicate", known), ("rejected", len(receipt.rejected))
        ):  # fmt: skip
            if number:
                self.add("jangkau_lines_total", number, result=result)
        with self._lock:
            self._buckets[bisect_left(COMMIT_BOUNDS_SECONDS, seconds)] += 1
            self._commit_seconds += seconds

    def samples(self) -> list[Sample]:
        """All that was counted so far."""
        with self._lock:
            found = [Sample(name, value, at) for (name, at), value in self._counts.items()]
            buckets, seconds = list(self._buckets), self._commit_seconds
        total = 0
        for bound, number in zip((*COMMIT_BOUNDS_SECONDS, "+Inf"), buckets, strict=True):
            total += number
            found.append(Sample("jangkau_commit_seconds_bucket", total, (("le", str(bound)),)))
        found.append(Sample("jangkau_commit_seconds_sum", seconds))
        found.append(Sample("jangkau_commit_seconds_count", total))
        return found


def text(samples: Iterable[Sample]) -> bytes:
    """The samples as a scrape reads them, grouped by metric, each with its help and type."""
    by_metric: dict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        by_metric[_metric(sample.name)].append(sample)
    lines = []
    for metric, (kind, meaning) in METRICS.items():
        if metric in by_metric:
            lines += [f"# HELP {metric} {meaning}", f"# TYPE {metric} {kind}"]
            lines += [_line(sample) for sample in by_metric[metric]]
    return ("\n".join(lines) + "\n").encode()


def gauges(values: Mapping[str, Callable[[], float]]) -> list[Sample]:
    """Each gauge read now."""
    return [Sample(name, read()) for name, read in values.items()]


def _metric(name: str) -> str:
    for ending in ("_bucket", "_sum", "_count"):
        if name.endswith(ending) and name.removesuffix(ending) in METRICS:
            return name.removesuffix(ending)
    return name


def _line(sample: Sample) -> str:
    labels = ",".join(f'{name}="{_escaped(value)}"' for name, value in sample.labels)
    value = repr(float(sample.value)) if sample.value % 1 else str(int(sample.value))
    return f"{sample.name}{{{labels}}} {value}" if labels else f"{sample.name} {value}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
