"""A damaged spool: it opens, loses just the damaged records, counts them, reuses no number."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from probes.segment import MARK, OVERHEAD_BYTES, Kind, Record, frame
from probes.spool import STEP
from tests.probes.spooling import NOW_MS, drain, fill, line, open_spool

RECORD = OVERHEAD_BYTES + len(line(NOW_MS))
HEADER = OVERHEAD_BYTES + 8


def segments(directory: Path) -> list[Path]:
    return sorted(directory.glob("seg-*.log"))


def change(path: Path, edit: Callable[[bytearray], object]) -> None:
    data = bytearray(path.read_bytes())
    edit(data)
    path.write_bytes(data)


def flip(offset: int, which: int = 1) -> Callable[[Path], None]:
    """Flip a bit at an offset into the third record of a segment."""

    def corrupt(directory: Path) -> None:
        def edit(data: bytearray) -> None:
            data[HEADER + 2 * RECORD + offset] ^= 0x10

        change(segments(directory)[which], edit)

    return corrupt


def cut_tail(count: int) -> Callable[[Path], None]:
    return lambda directory: os.truncate(
        segments(directory)[-1], segments(directory)[-1].stat().st_size - count
    )


def append_bytes(data: bytes) -> Callable[[Path], None]:
    return lambda directory: change(segments(directory)[-1], lambda old: old.extend(data))


def insert(data: bytes) -> Callable[[Path], None]:
    """Foreign bytes between two records."""

    def edit(old: bytearray) -> None:
        old[HEADER + RECORD : HEADER + RECORD] = data

    return lambda directory: change(segments(directory)[1], edit)


def overwrite_start(data: bytes) -> Callable[[Path], None]:
    def edit(old: bytearray) -> None:
        old[: len(data)] = data

    return lambda directory: change(segments(directory)[1], edit)


def ledger(data: bytes) -> Callable[[Path], None]:
    return lambda directory: (directory / "ledger.json").write_bytes(data) and None


def huge_length(directory: Path) -> None:
    def edit(data: bytearray) -> None:
        at = HEADER + 2 * RECORD + 6
        data[at : at + 4] = b"\xff\xff\xff\xff"

    change(segments(directory)[1], edit)


def newer_version(directory: Path) -> None:
    def edit(data: bytearray) -> None:
        data[HEADER + 2 * RECORD + 4] = 2

    change(segments(directory)[1], edit)


def unreadable(directory: Path) -> None:
    path = segments(directory)[1]
    path.unlink()
    path.mkdir()


def copy_of_a_segment(directory: Path) -> None:
    (directory / f"seg-{999:020d}.log").write_bytes(segments(directory)[1].read_bytes())


def foreign_segment(directory: Path) -> None:
    head = frame(Record(Kind.EPOCH, 0, 0, b"stranger"))
    body = frame(Record(Kind.LOOK, 5000, NOW_MS, b"not ours"))
    (directory / f"seg-{5000:020d}.log").write_bytes(head + body)


PER_FILE = 10
STRAY = frame(Record(Kind.LOOK, 12, NOW_MS, b"again"))
ALL_DAMAGE: dict[str, tuple[Callable[[Path], object], int, int | None]] = {
    # name: (what happens, records lost, damaged bytes; None where that is the file's own size)
    "tail cut by 1 byte": (cut_tail(1), 1, RECORD - 1),
    "tail cut inside the payload": (cut_tail(10), 1, RECORD - 10),
    "tail cut inside the frame": (cut_tail(RECORD - 3), 1, 3),
    "tail cut at a record's end": (cut_tail(RECORD), 1, 0),
    "tail cut by two records and a half": (cut_tail(2 * RECORD + 20), 3, RECORD - 20),
    "newest file empty": (lambda d: os.truncate(segments(d)[-1], 0), PER_FILE, 0),
    "middle file empty": (lambda d: os.truncate(segments(d)[1], 0), PER_FILE, 0),
    "oldest file empty": (lambda d: os.truncate(segments(d)[0], 0), PER_FILE, 0),
    "newest file missing": (lambda d: segments(d)[-1].unlink(), PER_FILE, 0),
    "middle file missing": (lambda d: segments(d)[1].unlink(), PER_FILE, 0),
    "oldest file missing": (lambda d: segments(d)[0].unlink(), PER_FILE, 0),
    "all files missing": (lambda d: [p.unlink() for p in segments(d)], 3 * PER_FILE, 0),
    "bit flipped in the mark": (flip(0), 1, RECORD),
    "bit flipped in the version": (flip(4), 1, RECORD),
    "bit flipped in the kind": (flip(5), 1, RECORD),
    "bit flipped in the length": (flip(9), 1, RECORD),
    "bit flipped in the number": (flip(17), 1, RECORD),
    "bit flipped in the time": (flip(20), 1, RECORD),
    "bit flipped in the check sum": (flip(27), 1, RECORD),
    "bit flipped in the payload": (flip(RECORD - 1), 1, RECORD),
    "bit flipped in the newest file": (flip(40, which=2), 1, RECORD),
    "huge length": (huge_length, 1, RECORD),
    "newer format": (newer_version, 1, RECORD),
    "file header destroyed": (overwrite_start(bytes(HEADER)), 0, HEADER),
    "first sector of zeros": (overwrite_start(bytes(HEADER + 2 * RECORD)), 2, HEADER + 2 * RECORD),
    "rubbish between records": (insert(b"rubbish" * 9), 0, 63),
    "a bare mark between records": (insert(MARK), 0, len(MARK)),
    "zeros after the end": (append_bytes(bytes(4096)), 0, 4096),
    "a record twice": (append_bytes(STRAY), 0, len(STRAY)),
    "file unreadable": (unreadable, PER_FILE, 0),
    "file copied under another name": (copy_of_a_segment, 0, None),
    "file of another spool": (foreign_segment, 0, None),
    "stray draft of a file": (lambda d: (d / "seg-1.log.tmp").write_bytes(b"half"), 0, 0),
    "stray draft of the ledger": (lambda d: (d / "ledger.json.tmp").write_bytes(b"{"), 0, 0),
    "stray file of somebody else": (lambda d: (d / "README").write_text("hello"), 0, 0),
    "ledger missing": (lambda d: (d / "ledger.json").unlink(), 0, 0),
    "ledger empty": (ledger(b""), 0, 0),
    "ledger torn": (ledger(b'{"format":1,"ep'), 0, 15),
    "ledger of zeros": (ledger(bytes(100)), 0, 100),
}


@pytest.mark.parametrize("name", ALL_DAMAGE)
def test_damage(name: str, tmp_path: Path) -> None:
    """The spool opens, loses just the damaged records, counts them, never reuses a number."""
    corrupt, lost, damaged_bytes = ALL_DAMAGE[name]
    limits = {"segment_bytes": HEADER + PER_FILE * RECORD}
    spool = open_spool(tmp_path, **limits)
    for _ in range(30):
        spool.append([(NOW_MS, line(NOW_MS))], NOW_MS)
    spool.acknowledge([(2, 2)])
    epoch = spool.epoch
    spool.close()
    assert len(segments(tmp_path)) == 3
    before = sum(path.stat().st_size for path in segments(tmp_path))

    corrupt(tmp_path)
    if damaged_bytes is None:
        damaged_bytes = sum(path.stat().st_size for path in segments(tmp_path)) - before

    spool = open_spool(tmp_path, **limits)
    assert spool.damaged_bytes == damaged_bytes
    ledger_lost = name.startswith("ledger")
    two_was_hit = "oldest" in name or name == "all files missing"
    expected = 30 - lost - (0 if ledger_lost or two_was_hit else 1)
    assert spool.pending_records == expected
    assert spool.missing_records == (0 if ledger_lost else 29 - expected)
    bad = [path for path in tmp_path.glob("*.bad") if path.is_file()]
    assert sum(path.stat().st_size for path in bad) == damaged_bytes
    spool.append([(NOW_MS, b"after")], NOW_MS)
    spool.close()

    spool = open_spool(tmp_path, **limits)
    assert spool.damaged_bytes == 0, "no damage is met twice"
    assert spool.missing_records == 0
    found = drain(spool)
    assert len(found) == expected + 1
    assert found[max(found)] == b"after"
    assert max(found) == (31 if not ledger_lost else 31 + STEP)
    assert spool.epoch == epoch
    spool.close()


def test_numbers_are_not_used_again_after_a_crash(tmp_path: Path) -> None:
    """A record that was sent and then lost without a trace does not lend its number to another."""
    spool = open_spool(tmp_path / "running")
    fill(spool, 1, 3)
    shutil.copytree(tmp_path / "running", tmp_path / "crashed")
    spool.close()
    cut_tail(OVERHEAD_BYTES + len(line(3)))(tmp_path / "crashed")
    spool = open_spool(tmp_path / "crashed")
    fill(spool, 4, 4)
    assert sorted(drain(spool)) == [1, 2, 3 + STEP]
    spool.close()


def test_damage_while_open(tmp_path: Path) -> None:
    """Bit rot that is met while sending costs that record; the rest goes out, appends go on."""
    spool = open_spool(tmp_path)
    fill(spool, 1, 10)
    (path,) = segments(tmp_path)
    change(path, lambda data: data.__setitem__(-1, data[-1] ^ 1))
    assert spool.batch(newest=True, max_records=1) is not None
    fill(spool, 11, 12)
    assert sorted(drain(spool)) == [*range(1, 10), 11, 12]
    assert spool.missing_records == 1
    spool.close()
