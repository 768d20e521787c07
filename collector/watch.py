"""The collector's watch on itself, put together: ears, vitals, counters and ``/metrics``.

Law: what is measured about us is measured from the outside in: the files, the clock and the answers
as they are, not what the code believes of itself.
"""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from collector.admission import Limits
from collector.credentials import READ, Keys
from collector.feeder import CURSOR
from collector.ingest import Ingest, caller, free_bytes_above_reserve
from collector.journal import FILE_NAME, Journal, JournalReader
from collector.metrics import MEDIA_TYPE, Sample, Tally, gauges, text
from collector.receipts import Batch, Receipt
from collector.silence import Ears
from collector.vitals import Examination, Vitals, answers, commits
from collector.web import Answer, Handled, Request


class Watch:
    """What watches a collector. ``archive_late_seconds``: a batch that waits longer is an ailment;
    ``feeding``: whether the feeder's thread lives."""

    def __init__(
        self,
        journal: Journal,
        keys: Keys,
        limits: Limits,
        *,
        archive_late_seconds: float,
        feeding: Callable[[], bool],
        wall_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._journal, self._keys, self._limits, self._wall_ms = journal, keys, limits, wall_ms
        self._late_seconds, self._feeding = archive_late_seconds, feeding
        self.tally = Tally()
        with JournalReader(journal.folder) as reader:
            heard = reader.query("SELECT probe, max(received_ms) FROM batches GROUP BY probe")
        self.ears = Ears(wall_ms(), [(probe, at) for probe, at in heard])

    def stored(self, batch: Batch, receipt: Receipt, seconds: float) -> None:
        """Hears of every committed batch (see ``ingest.Ingest``)."""
        self.tally.stored(batch, receipt, seconds)
        self.ears.hear(batch.probe, batch.received_ms)

    def vitals(self, url: str, certificate: Path | None) -> Vitals:
        """The examinations of a collector that listens on ``url``."""
        examinations: dict[str, Examination] = {
            "listener": lambda: answers(url, certificate),
            "journal": lambda: commits(self._journal),
            "disk": self._disk,
            "feeder": lambda: None if self._feeding() else "the feeder's thread has ended",
            "archive": self._archive,
            "keys": self._keys_readable,
            "silence": self._silence,
            "deaf": self._deaf,
        }
        return Vitals(examinations)

    def routes(self, ingest: Ingest, vitals: Vitals) -> list[Handled]:
        """For the table of routes: ``GET /metrics``, for a reader's key."""

        async def metrics(request: Request) -> Answer:
            caller(request, self._keys, READ, self._wall_ms())
            samples = await asyncio.to_thread(self.samples, ingest, vitals)
            return Answer(200, text(samples), MEDIA_TYPE)

        return [Handled("GET", "/metrics", metrics)]

    def samples(self, ingest: Ingest, vitals: Vitals) -> list[Sample]:
        """Every metric now."""
        now = self._wall_ms()
        waiting, lag_seconds, dead = self._waiting(now)
        path = self._journal.folder / FILE_NAME
        parts = [path, path.with_name(path.name + "-wal")]
        found = gauges(
            {
                "jangkau_requests_in_flight": lambda: ingest.in_flight,
                "jangkau_batches_waiting": lambda: waiting,
                "jangkau_archive_lag_seconds": lambda: lag_seconds,
                "jangkau_dead_letters": lambda: dead,
                "jangkau_journal_bytes": lambda: sum(
                    part.stat().st_size for part in parts if part.exists()
                ),
                "jangkau_free_bytes_above_reserve": lambda: free_bytes_above_reserve(
                    self._journal, self._limits
                ),
                "jangkau_probes_known": lambda: self.ears.known(now),
                "jangkau_probes_silent": lambda: len(self.ears.silent(now)),
                "jangkau_heard_timestamp_seconds": lambda: self.ears.newest_ms / 1000,
            }
        )
        ailing = [
            Sample("jangkau_ailing", name in vitals.ailments, (("organ", name),))
            for name in vitals.names()
        ]
        return self.tally.samples() + found + ailing

    def _waiting(self, now_ms: int) -> tuple[int, float, int]:
        with JournalReader(self._journal.folder) as reader:
            number, oldest = reader.query(
                "SELECT count(*), min(received_ms) FROM batches WHERE id > ?",
                (reader.cursor(CURSOR).done,),
            )[0]
            dead = reader.query("SELECT count(*) FROM dead_letters")[0][0]
        return number, 0.0 if oldest is None else max(0, now_ms - oldest) / 1000, dead

    def _disk(self) -> str | None:
        missing = -free_bytes_above_reserve(self._journal, self._limits)
        return None if missing <= 0 else f"{missing} bytes of the reserve are gone: free some space"

    def _archive(self) -> str | None:
        _, lag_seconds, _ = self._waiting(self._wall_ms())
        if lag_seconds <= self._late_seconds:
            return None
        return f"a batch has waited {lag_seconds:.0f} s for the archive"

    def _keys_readable(self) -> str | None:
        self._keys.all()  # raises what is wrong with the file
        return None

    def _silence(self) -> str | None:
        incident = self.ears.incident(self._wall_ms())
        if incident is None:
            return None
        return (
            f"{incident.silent} of {incident.known} probes fell silent together: "
            "look at our own line, name and certificate first"
        )

    def _deaf(self) -> str | None:
        now = self._wall_ms()
        known, silent = self.ears.known(now), self.ears.silent(now)
        return None if not known or len(silent) < known else f"nothing is heard of {known} probes"
