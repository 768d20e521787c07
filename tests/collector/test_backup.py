"""Backups: taken while a collector writes, proved by restoring, refused when they are not whole."""

import io
import json
import tarfile
import threading
from pathlib import Path

import pytest

from collector.archive.parquet import ParquetArchive
from collector.archive.parts import settled
from collector.backup import backup, restore
from collector.credentials import Keys
from collector.feeder import CURSOR, Feeder
from collector.journal import Journal, JournalReader
from collector.line_protocol import decode
from collector.receipts import Batch, keep
from model.errors import InputError
from model.timeline import Interval

NOW_MS = 1_790_000_000_000


def put(journal: Journal, number: int) -> None:
    line = f"ping,site=a,target=site,vantage=centre outcome=1i,gap_looks={number}i"
    batch = Batch(
        "p",
        NOW_MS,
        Interval(number, number + 1),
        [(number, decode(f"{line} {NOW_MS + number}"))],
        epoch="00000000000000aa",
    )
    journal.submit(lambda db: keep(db, batch)).result(10)


def numbers(data: Path) -> list[int]:
    """What a reader of the folder sees: the archive up to the cursor, then the journal."""
    archive = ParquetArchive(data / "archive")
    with JournalReader(data) as reader:
        done = reader.cursor(CURSOR).done
        hot = [line for batch in reader.batches(done) for line in batch.lines()]
        files = settled(archive.files(), reader.id, done)
    assert files == archive.files()
    block = archive.looks(Interval(0, 2 * NOW_MS))
    cold = [int(number) for number in block.columns["gap_looks"]] if block.rows else []
    return sorted(cold + [int(line.values()[0]["gap_looks"]) for line in hot])


def test_twenty_backups_under_load_are_proved_by_restoring(tmp_path: Path) -> None:
    """Each holds all that was acknowledged before it began, nothing twice, and a collector goes on
    from it (O-02)."""
    data = tmp_path / "data"
    journal = Journal(data)
    Keys(data).add("p", None, 1)
    feeder = Feeder(journal, ParquetArchive(data / "archive"))
    acked = [0]
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            put(journal, acked[0])
            acked[0] += 1
            if acked[0] % 10 == 0:
                feeder.feed(NOW_MS)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for turn in range(20):
            while acked[0] < 5 * turn:
                stop.wait(0.001)
            before = acked[0]
            file = io.BytesIO()
            backup(data, file)
            file.seek(0)
            copy = tmp_path / f"copy-{turn}"
            restore(file, copy)
            found = numbers(copy)
            assert found == list(range(len(found)))
            assert len(found) >= before
            assert (copy / "keys.json").stat().st_mode & 0o777 == 0o600
    finally:
        stop.set()
        writer.join()
        journal.close()
    again = Journal(copy)
    put(again, len(found))
    Feeder(again, ParquetArchive(copy / "archive")).feed(NOW_MS)
    again.close()
    assert numbers(copy) == list(range(len(found) + 1))


@pytest.fixture
def whole(tmp_path: Path) -> bytes:
    """A small backup."""
    journal = Journal(tmp_path / "data")
    put(journal, 0)
    Feeder(journal, ParquetArchive(tmp_path / "data" / "archive")).feed(NOW_MS)
    put(journal, 1)
    journal.close()
    file = io.BytesIO()
    backup(tmp_path / "data", file)
    return file.getvalue()


def test_what_is_not_whole_is_refused_and_nothing_appears(whole: bytes, tmp_path: Path) -> None:
    """Cut off anywhere, or with a flipped byte in any file: refused, and the folder is not made."""
    target = tmp_path / "copy"
    with tarfile.open(fileobj=io.BytesIO(whole)) as tar:
        places = [member.offset_data + member.size // 2 for member in tar if member.size]
    broken = [whole[:size] for size in (0, 100, 512, len(whole) // 2)]
    broken += [whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :] for at in places]
    for content in broken:
        with pytest.raises(InputError):
            restore(io.BytesIO(content), target)
        assert not target.exists()
    assert not list(tmp_path.glob(".restore-*"))
    restore(io.BytesIO(whole), target)
    assert numbers(target) == [0, 1]


def test_a_stale_log_beside_the_journal_is_refused(whole: bytes, tmp_path: Path) -> None:
    """A folder with anything in it, such as an older write-ahead log, is not restored into."""
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "journal.sqlite-wal").write_bytes(b"old")
    with pytest.raises(InputError, match="not empty"):
        restore(io.BytesIO(whole), tmp_path / "copy")


@pytest.mark.parametrize("name", ["../out", "/out", "archive/../../out", "a\x00b"])
def test_no_member_leaves_the_folder(name: str, tmp_path: Path) -> None:
    """Names that point elsewhere, and links, are refused (S-07)."""
    for kind in (tarfile.REGTYPE, tarfile.SYMTYPE):
        file = io.BytesIO()
        with tarfile.open(fileobj=file, mode="w") as tar:
            head = tarfile.TarInfo(name)
            head.type, head.linkname, head.size = kind, "/etc/passwd", 0
            tar.addfile(head, io.BytesIO())
            content = json.dumps({"format": 1, "sha256": {}}).encode()
            last = tarfile.TarInfo("manifest.json")
            last.size = len(content)
            tar.addfile(last, io.BytesIO(content))
        file.seek(0)
        with pytest.raises(InputError):
            restore(file, tmp_path / "data")
        assert list(tmp_path.iterdir()) == []
