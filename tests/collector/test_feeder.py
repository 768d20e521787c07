"""The feeder: every measurement reaches the archive once, wherever a crash falls."""

import gzip
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq  # noqa: TID251 - the judge reads the files with the library itself
import pytest

from collector.archive.parquet import ParquetArchive
from collector.archive.parts import settled
from collector.feeder import CURSOR, KNOWN_DAYS, Feeder
from collector.journal import Cursor, Journal, JournalReader
from collector.latest import Latest, fold, stored
from collector.line_protocol import Line, Series, decode
from collector.receipts import Batch, Refused, keep
from model.columns import Block
from model.errors import UnavailableError
from model.timeline import Interval

DAY_MS = 86_400_000
SERIES = Series("a", "centre", "ping", "site")


def look(at_ms: int, outcome: int = 1) -> Line:
    return decode(f"ping,site=a,target=site,vantage=centre outcome={outcome}i {at_ms}")


def put(journal: Journal, *times: int) -> None:
    """One batch with looks at these times."""
    lines = [(n, look(at_ms)) for n, at_ms in enumerate(times)]
    batch = Batch("p", 1000, Interval(0, len(times)), lines)
    journal.submit(lambda db: keep(db, batch)).result(10)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path)
    yield journal
    journal.close()


def times(journal: Journal, archive: ParquetArchive) -> list[int]:
    """What a reader sees: settled parts and the journal's rows after the cursor."""
    with JournalReader(journal.folder) as reader:
        done = reader.cursor(CURSOR).done
        hot = list(reader.hot_block(done).columns["at_ms"])
        files = settled(archive.files(None), reader.id, done)
    cold = [row["at"] for path in files for row in pq.ParquetFile(path).read().to_pylist()]
    return sorted([*hot, *(round(at.timestamp() * 1000) for at in cold)])


class Crash(BaseException):
    """Stands for kill -9: nothing catches it."""


class Crashing(ParquetArchive):
    """An archive whose process dies before, amid or after a part is written."""

    def __init__(self, folder: Path, at: str) -> None:
        super().__init__(folder)
        self.at = at

    def append(self, name: str, block: Block) -> int:
        if self.at == "before":
            raise Crash
        rows = super().append(name, block)
        if self.at == "amid":  # the part of the second day was not written yet
            self.files(None)[-1].unlink()
        raise Crash if self.at != "never" else AssertionError(rows)


@pytest.mark.parametrize("at", ["before", "amid", "after"])
def test_a_crash_neither_loses_nor_doubles(journal: Journal, at: str) -> None:
    """Wherever the feeder dies, a reader sees each look once: then, and after the next pass, also
    when more has come in between."""
    archive = ParquetArchive(journal.folder / "archive")
    put(journal, 1, DAY_MS + 1)
    with pytest.raises(Crash):
        Feeder(journal, Crashing(archive.folder, at)).feed()
    assert times(journal, archive) == [1, DAY_MS + 1]
    put(journal, 2)
    assert times(journal, archive) == [1, 2, DAY_MS + 1]
    feeder = Feeder(journal, archive)
    assert feeder.feed() == 2  # the same range again, under the same name
    assert times(journal, archive) == [1, 2, DAY_MS + 1]
    assert (feeder.feed(), feeder.feed()) == (1, 0)
    assert times(journal, archive) == [1, 2, DAY_MS + 1]
    assert len(archive.files(None)) == 3


class Away(ParquetArchive):
    """An archive that cannot be reached."""

    def append(self, name: str, block: Block) -> int:
        raise UnavailableError(f"cannot take {name} with {block.rows} rows: away")


def test_an_archive_that_is_away_loses_nothing(journal: Journal) -> None:
    """While the archive is away nothing is forgotten, however old; then it catches up."""
    archive = ParquetArchive(journal.folder / "archive")
    for at_ms in range(5):
        put(journal, at_ms)
        with pytest.raises(UnavailableError):
            Feeder(journal, Away(archive.folder), retention_seconds=0).feed(now_ms=10**15)
    assert times(journal, archive) == [0, 1, 2, 3, 4]
    feeder = Feeder(journal, archive)
    while feeder.feed():
        pass
    assert times(journal, archive) == [0, 1, 2, 3, 4]


def test_what_is_archived_and_old_is_forgotten(journal: Journal) -> None:
    """The journal keeps an archived batch for the retention and no longer; ids go on."""
    archive = ParquetArchive(journal.folder / "archive")
    put(journal, 1)
    feeder = Feeder(journal, archive, retention_seconds=60)
    feeder.feed(now_ms=1000 + 60_000)
    with JournalReader(journal.folder) as reader:
        assert len(list(reader.batches(0))) == 1
    feeder.feed(now_ms=1000 + 60_001)
    with JournalReader(journal.folder) as reader:
        assert list(reader.batches(0)) == []
        assert reader.cursor(CURSOR) == Cursor(1, 1)
    put(journal, 2)
    feeder.feed(now_ms=0)
    assert times(journal, archive) == [1, 2]


def test_a_damaged_batch_is_quarantined_and_the_rest_goes_on(journal: Journal) -> None:
    """Damage in one stored batch is counted as a dead letter and stops nothing."""
    archive = ParquetArchive(journal.folder / "archive")
    for at_ms in (1, 2, 3):
        put(journal, at_ms)
    bad = gzip.compress(b"not a line")
    journal.submit(
        lambda db: db.execute("UPDATE batches SET lines = ? WHERE id = 2", (bad,))
    ).result(10)
    feeder = Feeder(journal, archive)
    while feeder.feed():
        pass
    assert times(journal, archive) == [1, 3]
    with JournalReader(journal.folder) as reader:
        assert reader.query("SELECT line FROM dead_letters") == [(bad,)]
        assert reader.cursor(CURSOR).done == 3


def test_latest_moves_with_the_cursor(journal: Journal) -> None:
    """The newest look of each series is stored in the transaction that moves the cursor."""
    put(journal, 5, 9)
    Feeder(journal, ParquetArchive(journal.folder / "archive")).feed()
    with JournalReader(journal.folder) as reader:
        assert stored(reader) == {SERIES: Latest(9, 1, "outcome=1i", 5)}


def test_since_when_does_not_depend_on_the_order_of_arrival() -> None:
    """A late backlog corrects "since" and never the newest look."""
    looks = [look(1, 1), look(2, 0), look(3, 0), look(4, 1), look(5, 1)]
    for order in ([0, 1, 2, 3, 4], [4, 3, 2, 1, 0], [4, 0, 2, 1, 3], [2, 4, 0, 3, 1]):
        known: dict[Series, Latest] = {}
        for index in order:
            fold(known, [looks[index]])
        assert known == {SERIES: Latest(5, 1, "outcome=1i", 1, 3)}
        assert known[SERIES].since_ms == 3


def test_refused_lines_do_not_fill_the_disk(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of dead letters the newest are kept, and bodies are known again for a certain time."""
    monkeypatch.setattr("collector.feeder.DEAD_LETTERS", 10)
    refused = [Refused(n, "bad", b"x") for n in range(25)]
    batch = Batch("p", 1000, Interval(0, 26), [(25, look(1))], refused, digest=b"d")
    journal.submit(lambda db: keep(db, batch)).result(10)
    feeder = Feeder(journal, ParquetArchive(journal.folder / "archive"))
    feeder.feed(1000 + KNOWN_DAYS * 86_400_000)
    with JournalReader(journal.folder) as reader:
        assert reader.query("SELECT seq FROM dead_letters") == [(n,) for n in range(15, 25)]
        assert reader.query("SELECT count(*) FROM bodies") == [(1,)]
    feeder.feed(1001 + KNOWN_DAYS * 86_400_000)
    with JournalReader(journal.folder) as reader:
        assert reader.query("SELECT count(*) FROM bodies") == [(0,)]


def test_a_batch_is_known_again_after_thirty_days_and_a_restart(tmp_path: Path) -> None:
    """When the journal has long forgotten the lines themselves, a repeat (cut differently, with one
    line more) adds that line and changes nothing else (R-06)."""

    def send(journal: Journal, last: int) -> list[Interval]:
        lines = [(n, look(DAY_MS + n)) for n in range(last + 1)]
        batch = Batch("p", 1000, Interval(0, last + 1), lines, epoch="00000000000000aa")
        return list(journal.submit(lambda db: keep(db, batch)).result(10).kept)

    archive = ParquetArchive(tmp_path / "archive")
    journal = Journal(tmp_path)
    assert send(journal, 4) == [(0, 5)]
    feeder = Feeder(journal, archive)
    feeder.feed(1000)
    feeder.feed(1000 + 30 * DAY_MS)
    journal.close()
    with JournalReader(tmp_path) as reader:
        assert list(reader.batches(0)) == []
    journal = Journal(tmp_path)
    try:
        assert (send(journal, 4), send(journal, 5)) == ([], [(5, 6)])
        Feeder(journal, archive).feed(1000 + 30 * DAY_MS)
        assert times(journal, archive) == [DAY_MS + n for n in range(6)]
    finally:
        journal.close()
