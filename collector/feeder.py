"""From the journal to the archive, with a cursor of its own.

Law: a crash at any point neither loses nor doubles. What will be written is fixed first (the
cursor's ``upto``), then written under a name made from that range, then noted as done; whoever
comes back after a crash writes the same range under the same name again.
"""

import logging
import threading
import time

from collector.archive.base import Archive
from collector.archive.parts import part_name
from collector.journal import (
    Connection,
    Cursor,
    DamagedBatchError,
    Journal,
    JournalReader,
    StoredBatch,
)
from collector.latest import fold, store, stored
from collector.line_protocol import Line, to_block
from model.errors import UnavailableError

CURSOR = "archive"
PASS_ROWS = 200_000
"""Rows of one part at most: bounds the memory of a pass and the time until the next."""

KNOWN_DAYS = 97
"""So long a plain client's repeated body is known again: a spool's life and 30 days."""
DEAD_LETTERS = 100_000
"""Of refused lines the newest are kept: a client that sends nothing else must not fill the disk."""

_log = logging.getLogger(__name__)


class Feeder:
    """Moves batches to the archive and forgets them when they are archived and old.

    ``retention_seconds``: how long the journal keeps what the archive has already.
    """

    def __init__(
        self, journal: Journal, archive: Archive, *, retention_seconds: float = 3 * 86_400
    ) -> None:
        self._journal = journal
        self._archive = archive
        self._retention_ms = round(retention_seconds * 1000)
        self._stop = threading.Event()

    def run(self, every_seconds: float) -> None:
        """Feed now and then until ``stop``. An archive that is away is tried again every time."""
        while True:
            try:
                while self.feed():
                    if self._stop.is_set():
                        return
                self.tend()
            except UnavailableError as error:
                _log.warning("the archive waits: %s", error)
            if self._stop.wait(every_seconds):
                return

    def tend(self, now_ms: int | None = None) -> None:
        """Let the archive keep its house in order; only when nothing waits, never beside a feed.

        Raises UnavailableError as ``feed`` does.
        """
        now = time.time_ns() // 1_000_000 if now_ms is None else now_ms
        with JournalReader(self._journal.folder) as reader:
            self._archive.tend(reader.id, reader.cursor(CURSOR).done, now)

    def stop(self) -> None:
        """Make ``run`` return after what it is doing."""
        self._stop.set()

    def feed(self, now_ms: int | None = None) -> int:
        """Move one range of batches; returns the rows moved, 0 when nothing waits.

        Raises UnavailableError when the archive or the journal cannot; the next call repeats the
        same range.
        """
        with JournalReader(self._journal.folder) as reader:
            cursor = reader.cursor(CURSOR)
            if cursor.upto <= cursor.done:
                cursor = Cursor(cursor.done, _range_end(reader, cursor.done))
                if cursor.upto == cursor.done:
                    self._forget(cursor.done, now_ms)
                    return 0
                self._journal.submit(lambda db: _set_cursor(db, cursor)).result()
            lines, damaged = _read(reader, cursor)
            rows = self._archive.append(
                part_name(reader.id, cursor.done + 1, cursor.upto), to_block(lines)
            )
            known = stored(reader)
            changed = fold(known, lines)

        def done(db: Connection) -> None:
            store(db, known, changed)
            for batch, reason in damaged:
                _log.error("quarantined: %s", reason)
                db.execute(
                    "INSERT INTO dead_letters (probe, epoch, received_ms, reason, line)"
                    " VALUES (?, ?, ?, ?, ?)",
                    (batch.probe, batch.epoch, batch.received_ms, reason, batch.packed),
                )
            _set_cursor(db, Cursor(cursor.upto, cursor.upto))

        self._journal.submit(done).result()
        self._forget(cursor.upto, now_ms)
        return rows + len(damaged)

    def _forget(self, done: int, now_ms: int | None) -> None:
        now = time.time_ns() // 1_000_000 if now_ms is None else now_ms

        def forget(db: Connection) -> None:
            db.execute(
                "DELETE FROM batches WHERE id IN (SELECT id FROM batches"
                " WHERE id <= ? AND received_ms < ? ORDER BY id LIMIT 10000)",
                (done, now - self._retention_ms),
            )
            db.execute("DELETE FROM bodies WHERE received_ms < ?", (now - KNOWN_DAYS * 86_400_000,))
            db.execute(
                "DELETE FROM dead_letters WHERE id <= (SELECT max(id) FROM dead_letters) - ?",
                (DEAD_LETTERS,),
            )

        self._journal.submit(forget).result()


def _range_end(reader: JournalReader, done: int) -> int:
    rows, end = 0, done
    for batch_id, batch_rows in reader.query(
        "SELECT id, rows FROM batches WHERE id > ? ORDER BY id LIMIT ?", (done, PASS_ROWS)
    ):
        rows += batch_rows
        if rows > PASS_ROWS and end > done:
            break
        end = batch_id
    return end


def _read(
    reader: JournalReader, cursor: Cursor
) -> tuple[list[Line], list[tuple[StoredBatch, str]]]:
    lines: list[Line] = []
    damaged: list[tuple[StoredBatch, str]] = []
    for batch in reader.batches(cursor.done, cursor.upto):
        try:
            lines += batch.lines()
        except DamagedBatchError as error:
            damaged.append((batch, str(error)))
    return lines, damaged


def _set_cursor(connection: Connection, cursor: Cursor) -> None:
    connection.execute("INSERT OR REPLACE INTO cursors VALUES (?, ?, ?)", (CURSOR, *cursor))
