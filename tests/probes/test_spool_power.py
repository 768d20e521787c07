"""A spool through power cuts: every order in which unsynced bytes and names may be lost (R-02)."""

import os
import random
import shutil
import stat
from pathlib import Path

import pytest

from probes.line_protocol import thin
from probes.segment import Gap
from probes.spool import CLOCK_SET_MS, Limits, Spool

FAULTS = int(os.environ.get("JANGKAU_FAULTS", "0"))
SEED = int(os.environ.get("JANGKAU_SEED", "5"))
NOW_MS = CLOCK_SET_MS + 10**9
DETAILED = (
    b"ping,site=a,target=x,vantage=village outcome=1i,sent=5i,received=5i,late=0i,duplicates=0i,"
    b"rtt_min_seconds=0.0123,rtt_median_seconds=0.0234,rtt_p95_seconds=0.0456,"
    b'rtt_max_seconds=0.05,jitter_seconds=0.003,monotonic_ms=1i,boot="0123456789ab" %d'
)


def gap_line(gap: Gap) -> bytes:
    return b"gap %d" % gap.looks


class Disk:
    """What of a directory would survive a power cut now: contents by inode as last synced, names
    as the directory was last synced; everything later may be there, in any part and order."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.contents: dict[int, bytes] = {}
        self.names: dict[str, int] = {}

    def now(self) -> tuple[dict[str, int], dict[int, bytes]]:
        names = {path.name: path.stat().st_ino for path in self.directory.iterdir()}
        return names, {inode: (self.directory / name).read_bytes() for name, inode in names.items()}

    def synced(self, descriptor: int) -> None:
        status = os.fstat(descriptor)
        names, contents = self.now()
        if stat.S_ISDIR(status.st_mode):
            self.names = names
            self.contents = {  # an inode that a name no longer holds may be used again
                inode: self.contents.get(inode, b"") for inode in names.values()
            }
        elif status.st_ino in contents:
            self.contents[status.st_ino] = contents[status.st_ino]

    def cut(self, image: Path, draws: random.Random) -> None:
        """Write the directory as a power cut at this instant might leave it."""
        names, contents = self.now()
        image.mkdir()
        for name in sorted(names.keys() | self.names.keys()):
            inode = draws.choice([names.get(name), self.names.get(name)])
            if inode is not None:
                old, new = self.contents.get(inode, b""), contents.get(inode)
                (image / name).write_bytes(old if new is None else torn(old, new, draws))


def torn(old: bytes, new: bytes, draws: random.Random) -> bytes:
    """Old content with any of the new 512-byte sectors, and a size in between."""
    size = draws.choice([len(old), len(new), draws.randint(*sorted((len(old), len(new))))])
    parts = []
    for start in range(0, size, 512):
        part = draws.choice([old, new])[start : min(start + 512, size)]
        parts.append(part.ljust(min(512, size - start), b"\0"))
    return b"".join(parts)


def acknowledge(spool: Spool, durable: set[int], done: set[int]) -> None:
    """Acknowledge some, noting first the looks that are over and done with from then on."""
    batch = spool.batch(newest=False, max_records=5)
    if batch is None:
        return
    sent = {number(text) for text in batch.lines if text.startswith(b"ping")}
    if len(sent) < len(batch.lines):  # an acknowledged gap accounts for its looks no longer
        done |= durable - {number(text) for text in peek(spool) if text.startswith(b"ping")}
    done |= sent
    spool.acknowledge([(batch.first, batch.last)])


def number(text: bytes) -> int:
    return int(text.split()[-1])


def peek(spool: Spool) -> list[bytes]:
    found: list[bytes] = []
    seen: set[int] = set()
    while batch := spool.batch(newest=False, max_records=1000, skip=seen):
        found += batch.lines
        seen |= set(range(batch.first, batch.last + 1))
    return found


@pytest.mark.faults
def test_power_cuts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unsynced sectors lost in any combination, names old or new: what append had returned from is
    there or was acknowledged, nothing appears twice, and the spool opens."""
    print(f"seed {SEED}")  # noqa: T201 - the seed of a random test
    draws = random.Random(SEED)  # noqa: S311 - reproducible accidents
    directory = tmp_path / "spool"
    directory.mkdir()
    disk = Disk(directory)
    durable: set[int] = set()
    done: set[int] = set()
    images = 0
    wanted = 20 * FAULTS or 300
    real = os.fsync

    def fsync(descriptor: int) -> None:
        if str(Path(f"/proc/self/fd/{descriptor}").readlink()).startswith(str(directory)):
            for _ in range(2):
                examine()
            real(descriptor)
            disk.synced(descriptor)
            examine()
        else:
            real(descriptor)

    def examine() -> None:
        nonlocal images
        images += 1
        image = tmp_path / f"image-{images}"
        disk.cut(image, draws)
        with monkeypatch.context() as inner:
            inner.setattr(os, "fsync", lambda _: None)  # the image is looked at, not used
            found = Spool(image, gap_line, Limits(4000, segment_bytes=1000), thin)
            texts = peek(found)
            found.close()
        numbers = [number(text) for text in texts if text.startswith(b"ping")]
        assert len(numbers) == len(set(numbers)), images
        lost = durable - done - set(numbers)
        accounted = sum(number(text) for text in texts if text.startswith(b"gap"))
        assert len(lost) <= accounted, (images, sorted(lost))
        shutil.rmtree(image)

    monkeypatch.setattr(os, "fsync", fsync)
    spool = Spool(directory, gap_line, Limits(4000, segment_bytes=1000), thin)
    latest = 0
    while images < wanted:
        fresh = range(latest + 1, latest + draws.randint(2, 6))
        spool.append([(NOW_MS + item, DETAILED % item) for item in fresh], NOW_MS)
        latest = fresh[-1]
        durable |= set(fresh)
        if draws.random() < 0.25:
            acknowledge(spool, durable, done)
    spool.close()
    assert spool.dropped_looks > 0
