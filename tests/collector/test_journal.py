"""The journal: committed together, known again, and alive after every kind of damage."""

import random
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from collector.journal import (
    FILE_NAME,
    Connection,
    DamagedBatchError,
    Journal,
    JournalReader,
)
from collector.line_protocol import decode
from collector.receipts import HOLES_MAX, Batch, Receipt, Refused, keep
from collector.salvage import open_journal
from model.errors import UnavailableError
from model.timeline import Interval

EPOCH = "00000000000000aa"


def batch(first: int, last: int, *, probe: str = "p", bad: frozenset[int] = frozenset()) -> Batch:
    """A batch whose lines carry their sequence number as a reading."""
    text = "ping,site=a,target=site,vantage=centre outcome=1i,gap_looks={0}i {0}"
    return Batch(
        probe=probe,
        received_ms=1,
        span=Interval(first, last + 1),
        lines=[(n, decode(text.format(n))) for n in range(first, last + 1) if n not in bad],
        refused=[Refused(n, "bad", b"x" * 5000) for n in sorted(bad)],
        epoch=EPOCH,
    )


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path)
    yield journal
    journal.close()


def put(journal: Journal, item: Batch) -> Receipt:
    return journal.submit(lambda db: keep(db, item)).result(10)


def stored(folder: Path) -> list[int]:
    """The sequence numbers in the journal's sound batches, in the order of their arrival."""
    numbers: list[int] = []
    with JournalReader(folder) as reader:
        for found in reader.batches(0):
            with suppress(DamagedBatchError):
                numbers += [line.at_ms or 0 for line in found.lines()]
    return numbers


def test_a_receipt_names_every_line(journal: Journal) -> None:
    """New, known and refused lines of one batch are told apart; each is stored once."""
    assert put(journal, batch(3, 5)) == Receipt([Interval(3, 6)], [], [])
    receipt = put(journal, batch(1, 9, bad=frozenset({4, 7})))
    assert receipt.kept == [Interval(1, 3), Interval(6, 7), Interval(8, 10)]
    assert receipt.duplicate == [Interval(3, 6)]
    assert receipt.rejected == [(7, "bad")]  # 4 was kept before
    assert sorted(stored(journal.folder)) == [1, 2, 3, 4, 5, 6, 8, 9]
    assert put(journal, batch(1, 9)).duplicate == [Interval(1, 10)]
    with JournalReader(journal.folder) as reader:
        assert reader.query("SELECT first, last FROM received") == [(1, 9)]
        assert reader.query("SELECT seq, reason, length(line) FROM dead_letters") == [
            (7, "bad", 1024)
        ]


@pytest.mark.parametrize("seed", range(3))
def test_a_storm_of_duplicates_stores_each_once(journal: Journal, seed: int) -> None:
    """Ranges cut and repeated at random from four threads: exactly those are stored (R-06)."""
    draw = random.Random(seed)  # noqa: S311 - not for secrets
    spans = [(first, first + draw.randrange(1, 30)) for first in range(0, 300, 7)] * 3
    draw.shuffle(spans)
    receipts: list[Receipt] = []

    def send(part: list[tuple[int, int]]) -> None:
        receipts.extend(put(journal, batch(*span)) for span in part)

    threads = [threading.Thread(target=send, args=(spans[i::4],)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sent = sorted({n for first, last in spans for n in range(first, last + 1)})
    assert sorted(stored(journal.folder)) == sent
    kept = [n for r in receipts for item in r.kept for n in range(*item)]
    assert sorted(kept) == sent
    total = sum(item.length_ms for r in receipts for item in (*r.kept, *r.duplicate))
    assert total == sum(last - first + 1 for first, last in spans)


def test_a_plain_body_is_known_again(journal: Journal) -> None:
    """The same body of a client without sequence numbers is stored once, another one as well."""
    plain = Batch("p", 1, Interval(0, 1), batch(0, 0).lines, digest=b"1")
    assert [put(journal, plain).kept, put(journal, plain).kept] == [[Interval(0, 1)], []]
    other = Batch("p", 1, Interval(0, 1), batch(0, 0).lines, digest=b"2")
    untimed = Batch("p", 1, Interval(0, 1), batch(0, 0).lines)
    assert all(put(journal, item).kept for item in (other, untimed, untimed))


def test_one_bad_job_does_not_harm_its_group(journal: Journal) -> None:
    """A job that fails is rolled back alone; those committed with it are kept."""
    gate = threading.Event()
    journal.submit(lambda _db: gate.wait(10))  # until then, everything gathers in one group

    def fail(db: Connection) -> None:
        keep(db, batch(50, 60))
        raise ZeroDivisionError

    before = journal.submit(lambda db: keep(db, batch(0, 1)))
    bad = journal.submit(fail)
    after = journal.submit(lambda db: keep(db, batch(2, 3)))
    gate.set()
    assert (before.result(10).kept, after.result(10).kept) == ([Interval(0, 2)], [Interval(2, 4)])
    with pytest.raises(ZeroDivisionError):
        bad.result(10)
    assert stored(journal.folder) == [0, 1, 2, 3]


def test_a_full_disk_refuses_whole_batches(journal: Journal) -> None:
    """When storage is exhausted a batch is refused whole, and taken when there is room again."""
    put(journal, batch(0, 9))
    pages = journal.submit(lambda db: db.pragma("page_count")).result(10)
    journal.submit(lambda db: db.pragma("max_page_count", pages)).result(10)
    refused = None
    for first in range(10, 100_000, 1000):
        try:
            put(journal, batch(first, first + 999))
        except UnavailableError as error:
            refused = first
            assert "cannot take data" in str(error)  # noqa: PT017 - the loop finds the moment
            break
    assert refused is not None
    assert sorted(stored(journal.folder)) == list(range(refused))
    journal.submit(lambda db: db.pragma("max_page_count", 2**30)).result(10)
    assert put(journal, batch(refused, refused)).kept == [Interval(refused, refused + 1)]


def test_reading_is_possible_without_and_beside_a_writer(tmp_path: Path) -> None:
    """A reader sees committed data while the writer lives and after it has closed."""
    with pytest.raises(UnavailableError, match="--data"):
        JournalReader(tmp_path)
    journal = Journal(tmp_path)
    put(journal, batch(1, 2))
    assert stored(tmp_path) == [1, 2]
    journal.close()
    with JournalReader(tmp_path) as reader:
        assert reader.hot_block(0).rows == 2
        assert reader.hot_block(reader.last_id()).rows == 0


def test_a_flipped_bit_is_noticed(journal: Journal) -> None:
    """Stored bytes that are not those written are never served as measurements (R-07)."""
    put(journal, batch(1, 50))
    journal.submit(
        lambda db: db.execute(
            "UPDATE batches SET lines = CAST(substr(lines, 1, 40) || x'00' || substr(lines, 42)"
            " AS BLOB)"
        )
    ).result(10)
    with JournalReader(journal.folder) as reader:
        (found,) = reader.batches(0)
        with pytest.raises(DamagedBatchError, match="probe p"):
            found.lines()
        assert reader.hot_block(0).rows == 0


def _filled(folder: Path, batches: int = 400) -> None:
    """A closed journal with so many batches of ten lines."""
    journal = Journal(folder)
    for n in range(batches):
        journal.submit(lambda db, n=n: keep(db, batch(n * 10, n * 10 + 9)))  # type: ignore[misc]  # n is bound
    journal.close()


PAGE = 4096
NOISE = random.Random(1).randbytes(PAGE)  # noqa: S311 - not for secrets


def _overwrite(content: bytearray, page: float, data: bytes) -> None:
    """Overwrite the page at this share of the file's length."""
    start = int((len(content) // PAGE - 1) * page) * PAGE
    content[start : start + len(data)] = data


DAMAGES: dict[str, tuple[Callable[[bytearray], None], int]] = {
    "emptied": (lambda c: c.clear(), 0),
    "noise throughout": (lambda c: _overwrite(c, 0, NOISE * (len(c) // PAGE)), 0),
    "header": (lambda c: _overwrite(c, 0, NOISE[:100]), 0),
    "header's magic": (lambda c: _overwrite(c, 0, b"x"), 0),
    "cut by a byte": (lambda c: c.__delitem__(slice(-1, None)), 3700),
    "cut by a page": (lambda c: c.__delitem__(slice(-PAGE, None)), 3700),
    "cut in half": (lambda c: c.__delitem__(slice(len(c) // 2, None)), 1000),
    "zero page, first third": (lambda c: _overwrite(c, 0.3, bytes(PAGE)), 3700),
    "zero page, middle": (lambda c: _overwrite(c, 0.5, bytes(PAGE)), 3700),
    "noise page, middle": (lambda c: _overwrite(c, 0.5, NOISE), 3700),
    "zero page, last": (lambda c: _overwrite(c, 1, bytes(PAGE)), 3700),
    "half a page of noise": (lambda c: _overwrite(c, 0.7, NOISE[: PAGE // 2]), 3700),
    "grown by noise": (lambda c: c.extend(NOISE), 4000),
}
"""What is done to the file, and how many of its 4,000 lines must survive (a page holds 240)."""


@pytest.mark.parametrize("damage", DAMAGES)
def test_the_journal_opens_whatever_happened_to_it(tmp_path: Path, damage: str) -> None:
    """It starts without a human, takes data and keeps what is sound around the damage (R-04)."""
    _filled(tmp_path)
    path = tmp_path / FILE_NAME
    content = bytearray(path.read_bytes())
    change, survivors = DAMAGES[damage]
    change(content)
    path.write_bytes(content)
    check_opens(tmp_path, survivors)


@pytest.mark.parametrize("suffix", ["-wal", "-shm"])
@pytest.mark.parametrize("content", [b"", b"\0", NOISE])
def test_stray_side_files_cost_nothing(tmp_path: Path, suffix: str, content: bytes) -> None:
    """Torn or foreign files beside the journal neither stop it nor cost a line (R-04)."""
    _filled(tmp_path)
    (tmp_path / (FILE_NAME + suffix)).write_bytes(content)
    check_opens(tmp_path, 4000)


def check_opens(folder: Path, survivors: int) -> None:
    journal = open_journal(folder, now_ms=7)
    try:
        assert put(journal, batch(100_000, 100_001)).kept == [Interval(100_000, 100_002)]
        kept = [n for n in stored(folder) if n < 100_000]
    finally:
        journal.close()
    assert len(kept) == len(set(kept))
    assert survivors <= len(kept) <= 4000
    check = sqlite3.connect(folder / FILE_NAME)
    assert check.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    check.close()


def test_salvage_keeps_what_was_acknowledged_as_known(tmp_path: Path) -> None:
    """After damage a batch that survived is still a duplicate, and no batch id comes again."""
    _filled(tmp_path)
    path = tmp_path / FILE_NAME
    with JournalReader(tmp_path) as reader:
        last_id = reader.last_id()
        reader_id = reader.id
    content = bytearray(path.read_bytes())
    content[-PAGE:] = bytes(PAGE)
    path.write_bytes(content)
    journal = open_journal(tmp_path)
    try:
        survivor = stored(tmp_path)[0]
        assert put(journal, batch(survivor, survivor)).duplicate
        put(journal, batch(100_000, 100_000))
    finally:
        journal.close()
    with JournalReader(tmp_path) as reader:
        assert reader.last_id() > last_id
        assert reader.id != reader_id  # there was no cursor yet: older parts stay untouched


def test_holes_in_the_numbers_are_bounded(journal: Journal) -> None:
    """Whoever leaves a hole after every number has the lowest closed: what would come there later
    is known, and the newer holes are as open as ever."""

    def put_all(db: Connection) -> None:
        for number in range(0, 2 * (HOLES_MAX + 10), 2):
            keep(db, batch(number, number))

    journal.submit(put_all).result(60)
    with JournalReader(journal.folder) as reader:
        ranges = reader.query("SELECT first, last FROM received ORDER BY first")
    assert len(ranges) == HOLES_MAX + 1
    assert ranges[:2] == [(0, 18), (20, 20)]
    assert put(journal, batch(1, 1)).kept == []
    assert put(journal, batch(21, 21)).kept == [(21, 22)]
