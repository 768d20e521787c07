"""A journal whose file is damaged: set it aside, start, and carry over all that can be read.

Law: the collector always starts, without a human. The damaged file is kept beside the new one;
what is unharmed before *and after* the damage moves over; the rest is counted, not guessed.
"""

import json
import logging
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from collector.journal import (
    DAMAGE,
    FILE_NAME,
    Connection,
    Journal,
    StorageError,
    connect,
    create,
)

_log = logging.getLogger(__name__)
_BY_ID = {"batches": 7, "dead_letters": 7}
_BY_KEY = {"meta": 2, "received": 4, "bodies": 3, "cursors": 3, "latest": 9}


def open_journal(folder: Path, now_ms: int | None = None) -> Journal:
    """The journal of a data folder; a damaged one is salvaged first."""
    try:
        return Journal(folder)
    except DAMAGE as error:
        _log.error("the journal in %s is damaged (%s): salvaging", folder, error)
    now = time.time_ns() // 1_000_000 if now_ms is None else now_ms
    aside = folder / f"{FILE_NAME}.damaged-{now}"
    # The write-ahead log goes along under its new name: committed data may be only there.
    for suffix in ("-wal", "-shm", ""):
        part = folder / (FILE_NAME + suffix)
        if part.exists():
            part.rename(folder / (aside.name + suffix))
    new = connect(folder / FILE_NAME, read_only=False)
    try:
        create(new)
        counts = _carry_over(aside, new)
    finally:
        new.close()
    _log.error("salvaged %s; the damaged file is %s", counts, aside)
    return Journal(folder)


def _carry_over(aside: Path, new: Connection) -> dict[str, int]:
    counts = dict.fromkeys((*_BY_ID, *_BY_KEY), 0)
    try:
        old = connect(aside, read_only=False)
        old.pragma("writable_schema", True)  # SQLite then opens a file that was cut off, too
        old.pragma("journal_mode")
    except StorageError as error:
        _log.error("nothing of it can be read: %s", error)
        return counts
    with new:
        new.execute("DELETE FROM meta")
        for table, width in (_BY_ID | _BY_KEY).items():
            marks = ", ".join("?" * width)
            rows = _rows_by_id(old, table) if table in _BY_ID else _rows(old, table)
            for row in rows:
                if len(row) == width:  # (and what breaks a rule of the table is passed over)
                    new.execute(f"INSERT OR IGNORE INTO {table} VALUES ({marks})", row)  # noqa: S608 - names above
                    counts[table] += new.changes()
        _restore_received(new)
        _restore_ids(old, new)
    old.close()
    return counts


def _rows(old: Connection, table: str) -> Iterator[tuple[Any, ...]]:
    try:
        yield from old.execute(f"SELECT * FROM {table}")  # noqa: S608 - names above
    except StorageError as error:
        _log.error("table %s: %s", table, error)


def _rows_by_id(old: Connection, table: str) -> Iterator[tuple[Any, ...]]:
    """From the front until the damage, then from the back, then every id in between by itself."""
    low, high = 0, None
    try:
        for row in old.execute(f"SELECT * FROM {table} ORDER BY id"):  # noqa: S608 - names above
            low = row[0]
            yield row
        return
    except StorageError as error:
        _log.error("table %s after id %d: %s", table, low, error)
    try:
        for row in old.execute(
            f"SELECT * FROM {table} WHERE id > ? ORDER BY id DESC",  # noqa: S608 - names above
            (low,),
        ):
            high = row[0]
            yield row
    except StorageError as error:
        _log.error("table %s before id %s: %s", table, high, error)
    lost = 0
    for batch_id in range(low + 1, high or low + 1):
        try:
            yield from old.execute(
                f"SELECT * FROM {table} WHERE id = ?",  # noqa: S608 - names above
                (batch_id,),
            )
        except StorageError:
            lost += 1
    _log.error("table %s: %d rows between id %d and %s are lost", table, lost, low, high)


def _restore_received(new: Connection) -> None:
    """Every sequence number that lies in a salvaged batch is here, whatever became of the table
    of received ranges; ranges that overlap do no harm."""
    for probe, epoch, kept in list(
        new.execute("SELECT probe, epoch, kept FROM batches WHERE epoch <> ''")
    ):
        try:
            spans = [(int(first), int(last)) for first, last in json.loads(kept)]
        except (ValueError, TypeError) as error:
            _log.error("a batch of probe %s does not say what it holds: %s", probe, error)
            continue
        for first, last in spans:
            new.execute(
                "INSERT INTO received VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE"
                " SET last = max(last, excluded.last)",
                (probe, epoch, first, last),
            )


def _restore_ids(old: Connection, new: Connection) -> None:
    """No batch id may come again: part files and cursors mean batches by it. Where the cursors are
    lost, the journal gets a new identity, so that no older part is replaced (what is still in the
    journal may then be archived twice, which says the same thing twice)."""
    ids = [row[1] for row in _rows(old, "sqlite_sequence") if row[0] == "batches"]
    ids += [upto for _, _, upto in new.execute("SELECT name, done, upto FROM cursors")]
    ids += [row[0] or 0 for row in new.execute("SELECT max(id) FROM batches")]
    new.execute("DELETE FROM sqlite_sequence WHERE name = 'batches'")
    new.execute("INSERT INTO sqlite_sequence VALUES ('batches', ?)", (max(ids),))
    if not (list(new.execute("SELECT * FROM cursors")) and list(new.execute("SELECT * FROM meta"))):
        new.execute("INSERT OR REPLACE INTO meta VALUES ('id', ?)", (secrets.token_hex(4),))
