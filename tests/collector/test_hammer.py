"""SQLite under all that a collector's day can bring at once; versions that we refuse (R-11).

One writer, eight readers in processes of their own, and an operator who checkpoints by hand: the
setting in which SQLite before 3.51.3 could lose commits (sqlite.org/wal.html, "WAL-reset bug").
"""

import os
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import apsw  # noqa: TID251 - plays the operator
import pytest

from collector.journal import FILE_NAME, Connection, Journal, connect, sound
from collector.line_protocol import decode
from collector.receipts import Batch, keep
from model.errors import UnavailableError
from model.timeline import Interval
from tests.collector.running import ROOT

SECONDS = max(4.0, 1.2 * int(os.environ.get("JANGKAU_FAULTS", "0")))
"""Ten minutes by hand with JANGKAU_FAULTS=500."""
READERS = 8
EPOCH = "00000000000000aa"
READER = """
import sys, threading
from pathlib import Path
from collector.journal import JournalReader
done = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), done.set())).start()
seen = looks = 0
with JournalReader(Path(sys.argv[1])) as reader:
    print("reading", flush=True)
    while not done.is_set():
        with reader.snapshot():
            number, total = reader.query("SELECT count(*), total(received_ms) FROM batches")[0]
            spans = reader.query("SELECT first, last FROM received WHERE epoch = ?", sys.argv[2:])
            newest = list(reader.batches(max(0, reader.last_id() - 3)))
        assert total == number * (number + 1) / 2 and number >= seen, (number, total, seen)
        assert spans == ([(0, number - 1)] if number else []), (spans, number)
        assert [line.at_ms for batch in newest for line in batch.lines()] == [
            batch.received_ms for batch in newest
        ]
        seen, looks = number, looks + 1
print(looks)
"""


def put(db: Connection, number: int) -> None:
    """The batch of that number, from 1 on: its id, its time and its sequence number agree."""
    line = decode(f"ping,site=a,target=site,vantage=centre outcome=1i {number}")
    batch = Batch("p", number, Interval(number - 1, number), [(number - 1, line)], epoch=EPOCH)
    assert len(keep(db, batch).kept) == 1


@pytest.mark.faults
def test_readers_and_checkpoints_beside_the_writer_harm_nothing(tmp_path: Path) -> None:
    """Every reader sees whole transactions in their order at every moment, and at the end every
    page is sound and every batch is there."""
    journal = Journal(tmp_path)
    journal.submit(lambda db: db.pragma("wal_autocheckpoint", 16)).result(10)
    readers = [
        subprocess.Popen(
            [sys.executable, "-c", READER, str(tmp_path), EPOCH],
            cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )
        for _ in range(READERS)
    ]  # fmt: skip
    try:
        for reader in readers:
            assert reader.stdout is not None
            assert reader.stdout.readline() == "reading\n"
        operator = connect(tmp_path / FILE_NAME, read_only=False)
        end, number, checkpoints = time.monotonic() + SECONDS, 0, 0
        while time.monotonic() < end:
            jobs = [journal.submit(partial(put, number=number + n)) for n in range(1, 21)]
            for job in jobs:
                job.result(20)
            number += len(jobs)
            try:
                operator.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_RESTART)
                checkpoints += 1
            except apsw.BusyError:
                continue  # a reader is amid its look at the log
        operator.close()
    finally:
        looks = [int(reader.communicate()[0] or 0) for reader in readers]
        journal.close()
    assert [reader.returncode for reader in readers] == [0] * READERS
    print(f"{number} commits, {checkpoints} checkpoints, {sum(looks)} looks")  # noqa: T201 - figures to see
    assert min(looks) > 0
    assert checkpoints > 0
    assert sound(tmp_path / FILE_NAME) is None
    db = connect(tmp_path / FILE_NAME, read_only=True)
    assert list(db.execute("SELECT count(*), max(id) FROM batches")) == [(number, number)]
    db.close()


@pytest.mark.parametrize("version", ["3.40.1", "3.51.2"])
def test_a_library_with_the_bug_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    """A collector does not start on an SQLite that can lose what it acknowledged, and says why."""
    monkeypatch.setattr(apsw, "sqlite_lib_version", lambda: version)
    with pytest.raises(UnavailableError, match=r"WAL reset bug.*install apsw"):
        Journal(tmp_path)
    assert not (tmp_path / FILE_NAME).exists()
