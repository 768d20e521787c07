"""The journal: one SQLite file that holds what was acknowledged until the archive has it.

Law: success is answered only after the data *and* the record that says "these sequence numbers are
here" are in one committed, fsynced transaction. One thread writes; whatever gathered while one
commit ran goes into the next.
"""

import gzip
import queue
import secrets
import threading
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, TypeVar

import apsw  # noqa: TID251 - the one file that speaks to SQLite

from collector.line_protocol import Line, LineError, Series, decode, split, to_block
from model.columns import Block
from model.errors import UnavailableError

FILE_NAME = "journal.sqlite"
SCHEMA_VERSION = 1
GROUP_LIMIT = 64
"""Jobs in one transaction at most: bounds how long the first of them waits."""

_SCHEMA = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE batches (  -- AUTOINCREMENT: cursors point at ids, so no id may ever come again
  id INTEGER PRIMARY KEY AUTOINCREMENT, probe TEXT NOT NULL, epoch TEXT NOT NULL,
  received_ms INTEGER NOT NULL, kept TEXT NOT NULL, rows INTEGER NOT NULL, lines BLOB NOT NULL);
CREATE TABLE received (  -- sequence numbers that are here, as disjoint ranges, both ends included
  probe TEXT NOT NULL, epoch TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
  PRIMARY KEY (probe, epoch, first)) WITHOUT ROWID;
CREATE TABLE bodies (  -- what plain clients sent, to know it again when they repeat it
  probe TEXT NOT NULL, digest BLOB NOT NULL, received_ms INTEGER NOT NULL,
  PRIMARY KEY (probe, digest)) WITHOUT ROWID;
CREATE TABLE dead_letters (
  id INTEGER PRIMARY KEY, probe TEXT NOT NULL, epoch TEXT NOT NULL, seq INTEGER,
  received_ms INTEGER NOT NULL, reason TEXT NOT NULL, line BLOB NOT NULL);
CREATE TABLE cursors (name TEXT PRIMARY KEY, done INTEGER NOT NULL, upto INTEGER NOT NULL)
  WITHOUT ROWID;
CREATE TABLE latest (  -- the newest look of each series among the batches up to the cursor
  site TEXT NOT NULL, vantage TEXT NOT NULL, kind TEXT NOT NULL, target TEXT NOT NULL,
  at_ms INTEGER NOT NULL, outcome INTEGER NOT NULL, fields TEXT NOT NULL,
  first_ms INTEGER NOT NULL, other_ms INTEGER,
  PRIMARY KEY (site, vantage, kind, target)) WITHOUT ROWID;
"""

Connection = apsw.Connection
StorageError = apsw.Error
DAMAGE = (apsw.CorruptError, apsw.NotADBError, apsw.FormatError)
"""What SQLite raises when the file is not what it wrote."""

Result = TypeVar("Result")
Job = tuple[Callable[[Connection], Any], "Future[Any]"]


class Cursor(NamedTuple):
    """How far a consumer of the journal is: it has every batch up to ``done``, and may have begun
    with those up to ``upto``."""

    done: int = 0
    upto: int = 0


class DamagedBatchError(Exception):
    """The stored bytes of a batch are not those that were written."""


class StoredBatch(NamedTuple):
    """A batch as it lies in the journal; ``rows`` lines in ``packed``."""

    id: int
    probe: str
    epoch: str
    received_ms: int
    rows: int
    packed: bytes

    def lines(self) -> list[Line]:
        """The lines, decoded. Raises DamagedBatchError."""
        try:
            lines = unpack(self.packed)
        except (zlib.error, OSError, EOFError, TypeError, LineError) as error:
            raise DamagedBatchError(f"batch {self.id} of probe {self.probe}: {error}") from error
        if len(lines) != self.rows:
            raise DamagedBatchError(f"batch {self.id}: {len(lines)} lines where {self.rows} were")
        return lines


def pack(text: bytes) -> bytes:
    """Lines as the journal keeps them, which is as probes send them; gzip's checksum tells later
    whether they are unharmed."""
    return gzip.compress(text, 1, mtime=0)


def unpack(packed: bytes) -> list[Line]:
    """The lines, decoded. Raises LineError and what gzip raises."""
    return [decode(raw) for raw in split(gzip.decompress(packed))]


class JournalReader:
    """Reads a journal, also while a collector in another process writes it.

    Raises UnavailableError when there is none or it cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE_NAME
        try:
            self._connection = connect(self.path, read_only=True)
            self._version()
        except StorageError as error:
            raise UnavailableError(
                f"cannot read the journal {self.path}: {error}. Name the folder that a collector "
                "uses (--data)."
            ) from error

    def __enter__(self) -> "JournalReader":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release the file."""
        self._connection.close()

    def copy_to(self, target: Connection) -> None:
        """Copy everything, as of one moment, to an empty database (SQLite's online backup)."""
        with target.backup("main", self._connection, "main") as work:
            while not work.done:
                work.step(1000)  # pages; the writer goes on in between

    def _version(self) -> None:
        version = self._connection.pragma("user_version")
        if version != SCHEMA_VERSION:
            raise UnavailableError(
                f"the journal {self.path} has format {version}, this Jangkau reads "
                f"{SCHEMA_VERSION}: use the version of Jangkau that wrote it"
            )

    def query(self, sql: str, parameters: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """The result of a query as tuples."""
        return list(self._connection.execute(sql, parameters))

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """All that is read inside is of one moment (and may keep the log from shrinking: be
        short)."""
        with self._connection:
            yield

    @property
    def id(self) -> str:
        """Drawn when the journal was created; the names of archived parts carry it."""
        return str(self.query("SELECT value FROM meta WHERE name = 'id'")[0][0])

    def cursor(self, name: str) -> Cursor:
        """How far a consumer is (zero for one that never ran)."""
        found = self.query("SELECT done, upto FROM cursors WHERE name = ?", (name,))
        return Cursor(*found[0]) if found else Cursor()

    def last_id(self) -> int:
        """The id of the newest batch ever kept; 0 when there was none."""
        found = self.query("SELECT seq FROM sqlite_sequence WHERE name = 'batches'")
        return int(found[0][0]) if found else 0

    def batches(self, after_id: int, upto_id: int | None = None) -> Iterator[StoredBatch]:
        """The batches with ``after_id < id <= upto_id``, in the order of their arrival."""
        for row in self._connection.execute(
            "SELECT id, probe, epoch, received_ms, rows, lines FROM batches"
            " WHERE id > ? AND id <= ? ORDER BY id",
            (after_id, self.last_id() if upto_id is None else upto_id),
        ):
            yield StoredBatch(*row)

    def hot_block(self, after_id: int) -> Block:
        """What came after a batch, as columns; damaged batches are left out (the feeder counts
        them)."""
        lines: list[Line] = []
        for batch in self.batches(after_id):
            with suppress(DamagedBatchError):
                lines += batch.lines()
        return to_block(lines)

    def latest_rows(self) -> list[tuple[Series, int, int, str, int, int | None]]:
        """Per series: time (ms), outcome and fields of the newest look up to the archive's cursor,
        the first look's time, and the newest time at which the outcome was another one."""
        rows = self.query(
            "SELECT site, vantage, kind, target, at_ms, outcome, fields, first_ms, other_ms"
            " FROM latest"
        )
        return [(Series(*row[:4]), *row[4:]) for row in rows]


def connect(path: Path, *, read_only: bool) -> Connection:
    """Open a journal file. Raises UnavailableError when SQLite itself is too old."""
    if tuple(int(part) for part in apsw.sqlite_lib_version().split(".")) < (3, 51, 3):
        raise UnavailableError(
            f"SQLite {apsw.sqlite_lib_version()} can lose acknowledged data (WAL reset bug, fixed "
            "in 3.51.3): install apsw 3.51.3 or newer"
        )
    flags = apsw.SQLITE_OPEN_READONLY
    if not read_only:
        flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
    connection = Connection(str(path), flags=flags)
    connection.set_busy_timeout(5_000)
    return connection


def copy_journal(folder: Path, target: Path) -> None:
    """A consistent copy of a folder's journal, also while a collector writes it. Raises
    UnavailableError."""
    try:
        with JournalReader(folder) as reader:
            copy = Connection(str(target))
            try:
                reader.copy_to(copy)
                copy.pragma("journal_mode", "delete")  # one file, no log beside it
            finally:
                copy.close()
    except StorageError as error:
        raise UnavailableError(f"cannot copy the journal in {folder}: {error}") from error


def sound(path: Path) -> str | None:
    """None when every page and index of a journal file is sound, otherwise what is not."""
    try:
        connection = connect(path, read_only=True)
        try:
            found = str(connection.pragma("integrity_check"))
        finally:
            connection.close()
    except StorageError as error:
        return str(error)
    return None if found == "ok" else found[:200]


def create(connection: Connection) -> None:
    """Make the tables of a new journal."""
    with connection:
        connection.execute(_SCHEMA)
        connection.execute("INSERT INTO meta VALUES ('id', ?)", (secrets.token_hex(4),))
        connection.pragma("user_version", SCHEMA_VERSION)


class Journal:
    """The writer: one thread, one connection. Create it once per data folder and close it.

    Raises UnavailableError when the folder cannot be used, and DAMAGE errors when the file in it
    is not sound (``collector.salvage`` knows what to do then).
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._connection = connect(folder / FILE_NAME, read_only=False)
            self._prepare()
        except (OSError, apsw.CantOpenError, apsw.FullError, apsw.IOError) as error:
            raise UnavailableError(f"cannot keep a journal in {folder}: {error}") from error
        self._thread = threading.Thread(target=self._work, name="journal")
        self._thread.start()

    def _prepare(self) -> None:
        try:
            for pragma, value in (
                ("journal_mode", "wal"),
                ("synchronous", "full"),
                ("journal_size_limit", 64 * 1024 * 1024),
            ):
                self._connection.pragma(pragma, value)
            if self._connection.pragma("user_version") == 0:
                create(self._connection)
            if (found := self._connection.pragma("quick_check")) != "ok":
                raise apsw.CorruptError(str(found))
        except BaseException:
            self._connection.close()
            raise

    def close(self) -> None:
        """Commit what is queued and release the file."""
        self._jobs.put(None)
        self._thread.join()
        self._connection.close()

    def submit(self, work: Callable[[Connection], Result]) -> "Future[Result]":
        """Run ``work`` inside the next transaction; the future is done after its commit.

        The future raises UnavailableError when the storage refused (disk full, for example):
        then nothing of ``work`` is kept. ``work`` may be run again after a roll-back.
        """
        future: Future[Result] = Future()
        self._jobs.put((work, future))
        return future

    def _work(self) -> None:
        while (first := self._jobs.get()) is not None:
            group = [first]
            with suppress(queue.Empty):
                while len(group) < GROUP_LIMIT:
                    following = self._jobs.get_nowait()
                    if following is None:
                        self._jobs.put(None)  # seen again after this group
                        break
                    group.append(following)
            # Whoever gave up waiting is left out; from here on nobody can give up any more.
            self._commit([job for job in group if job[1].set_running_or_notify_cancel()])

    def _commit(self, group: list[Job]) -> None:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            results = [work(self._connection) for work, _ in group]
            self._connection.execute("COMMIT")
        except Exception as error:  # noqa: BLE001 - it belongs to whoever waits for the future
            self._roll_back()
            if len(group) == 1:
                group[0][1].set_exception(_explained(error, self.folder))
            else:  # one bad job must not harm the others of its group
                for job in group:
                    self._commit([job])
            return
        for (_, future), result in zip(group, results, strict=True):
            future.set_result(result)

    def _roll_back(self) -> None:
        if self._connection.in_transaction:  # SQLite itself rolls back on some errors
            self._connection.execute("ROLLBACK")


def _explained(error: Exception, folder: Path) -> Exception:
    if isinstance(error, apsw.ConstraintError | apsw.SQLError) or not isinstance(error, apsw.Error):
        return error  # a bug of ours
    unavailable = UnavailableError(f"the journal in {folder} cannot take data: {error}")
    unavailable.__cause__ = error
    return unavailable
