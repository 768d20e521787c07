"""The files of a spool: found, read, mended, put aside.

Law: nothing in a file stops the spool. What does not hold together goes to a .bad file and is
counted to the byte; what is left is rewritten whole, so that no damage is met twice.
"""

import fcntl
import logging
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from model.errors import UnavailableError
from probes.ledger import Ledger, Ranges, replace_file, sync_directory
from probes.segment import Kind, Record, Scan, frame, scan

log = logging.getLogger(__name__)

LEDGER_NAME = "ledger.json"
_SEGMENT_NAME = re.compile(r"seg-\d{20}\.log", re.ASCII)
_DRAFT_NAME = re.compile(r".+\.tmp")


@dataclass
class Segment:
    """A file, its size, the numbers in it and the time of its latest look (0: it has none)."""

    path: Path
    size: int = 0
    numbers: Ranges = field(default_factory=Ranges)
    latest_ms: int = 0
    epoch: str | None = None
    thinned: bool = False

    def take(self, records: list[Record], size: int) -> None:
        """Note what was written to the file, or found in it."""
        self.size += size
        for record in records:
            self.numbers.add(record.seq, record.seq)
            if record.kind == Kind.LOOK:
                self.latest_ms = max(self.latest_ms, record.at_ms)


class SpoolFiles:
    """The directory of a spool. Raises UnavailableError when another process has it."""

    def __init__(self, directory: Path, bad_bytes_max: int) -> None:
        self._directory = directory
        self._bad_bytes_max = bad_bytes_max
        self.damaged_bytes = 0
        self.written_bytes = 0
        directory.mkdir(parents=True, exist_ok=True)
        self._lock = _locked(directory / "lock")
        for path in directory.iterdir():
            if _DRAFT_NAME.fullmatch(path.name) and path.is_file():
                path.unlink()  # a replacement that a power cut kept from being made: never valid

    def release(self) -> None:
        """Let another process have the spool."""
        self._lock.close()

    def load_ledger(self) -> Ledger | None:
        """The ledger; None when there is none, or none that holds together."""
        path = self._directory / LEDGER_NAME
        if not path.exists():
            return None
        data = self._read_bytes(path)
        try:
            return Ledger.from_bytes(data)
        except (ValueError, KeyError, TypeError) as error:
            log.warning("spool: %s is damaged (%s); some records will be sent twice", path, error)
            self._count_damage(path.stem, data)
            return None

    def save_ledger(self, ledger: Ledger) -> None:
        """Replace the ledger. Raises OSError when the disk does not take it; the old one stays."""
        data = ledger.to_bytes()
        replace_file(self._directory / LEDGER_NAME, data)
        self.written_bytes += len(data)

    def load_segments(self) -> list[Segment]:
        """All segment files, mended, in the order of their numbers; empty ones are removed."""
        found = []
        for path in sorted(self._directory.iterdir()):
            if _SEGMENT_NAME.fullmatch(path.name):
                segment = Segment(path)
                self.read(segment)
                if segment.size:
                    found.append(segment)
                else:
                    path.unlink(missing_ok=True)
        return sorted(found, key=lambda item: item.numbers.lowest)

    def create_segment(self, first: int, epoch: str) -> Segment:
        """A new file for records from number ``first`` on. Raises OSError."""
        path = self._directory / f"seg-{first:020d}.log"
        header = frame(Record(Kind.EPOCH, 0, 0, bytes.fromhex(epoch)))
        replace_file(path, header)
        self.written_bytes += len(header)
        return Segment(path, size=len(header), epoch=epoch)

    def read(self, segment: Segment) -> list[Record]:
        """The records of a file. Damage is put aside and the file rewritten without it; the
        segment then says what is left (size 0: nothing)."""
        data = self._read_bytes(segment.path)
        found = scan(data)
        if found.damage:
            data = self._mend(segment.path, data, found)
        segment.size, segment.numbers, segment.latest_ms = 0, Ranges(), 0
        segment.epoch = found.epoch.hex() if found.epoch is not None else None
        segment.take(found.records, len(data))
        return found.records

    def thin(self, segment: Segment, thin: Callable[[bytes], bytes]) -> None:
        """Rewrite a sound file with the looks' lines thinned; its numbers stay."""
        records = [
            item._replace(payload=thin(item.payload)) if item.kind == Kind.LOOK else item
            for item in self.read(segment)
        ]
        if not records or segment.epoch is None:
            return
        head = Record(Kind.EPOCH, 0, 0, bytes.fromhex(segment.epoch))
        data = b"".join(frame(item) for item in [head, *records])
        if len(data) < segment.size:
            replace_file(segment.path, data)
            self.written_bytes += len(data)
            segment.size = len(data)

    def put_aside(self, segment: Segment) -> None:
        """Take a whole file out that is not of this spool, and count it as damage."""
        self._count_damage(segment.path.stem, self._read_bytes(segment.path))
        segment.path.unlink(missing_ok=True)

    def remove(self, segments: list[Segment]) -> None:
        """Delete files that are done with."""
        for segment in segments:
            segment.path.unlink(missing_ok=True)
        if segments:
            sync_directory(self._directory)

    def keep_bad(self, stem: str, data: bytes) -> None:
        """Keep bytes for whoever wants to look into them; the oldest go when it becomes much."""
        replace_file(self._directory / f"{stem}-{zlib.crc32(data):08x}.bad", data)
        self.written_bytes += len(data)
        kept = sorted(
            (path for path in self._directory.glob("*.bad") if path.is_file()),
            key=lambda path: path.stat().st_mtime_ns,
            reverse=True,
        )
        total = 0
        for path in kept:
            total += path.stat().st_size
            if total > self._bad_bytes_max:
                path.unlink()

    def _mend(self, path: Path, data: bytes, found: Scan) -> bytes:
        bad = b"".join(data[start:end] for start, end in found.damage)
        log.warning("spool: %d damaged bytes in %s", len(bad), path)
        self._count_damage(path.stem, bad)
        sound, position = b"", 0
        for start, end in [*found.damage, (len(data), len(data))]:
            sound += data[position:start]
            position = end
        if found.records:
            replace_file(path, sound)
            self.written_bytes += len(sound)
            return sound
        path.unlink(missing_ok=True)
        return b""

    def _count_damage(self, stem: str, data: bytes) -> None:
        self.damaged_bytes += len(data)
        if data:
            self.keep_bad(stem, data)

    def _read_bytes(self, path: Path) -> bytes:
        """The whole file; empty when it cannot be read: then it is moved out of the way."""
        try:
            return path.read_bytes()
        except FileNotFoundError:
            log.warning("spool: %s has vanished", path)
        except OSError as error:
            log.warning("spool: %s cannot be read (%s)", path, error)
            path.rename(path.with_name(f"{path.name}-unreadable.bad"))
        return b""


def _locked(path: Path) -> BinaryIO:
    file = path.open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise UnavailableError(
            f"the spool {path.parent} is in use by another probe: stop it, or give this one a"
            " directory of its own"
        ) from None
    return file
