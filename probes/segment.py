"""The records of a spool file: how they are framed, and how they are found again after damage.

Law: damage costs the damaged bytes. Every record stands for itself (mark, length, check sum), so
the reader steps over what does not hold together and goes on at the next mark.

A record is: mark (4 bytes), version (1), kind (1), payload length (4), sequence number (8), time in
Unix milliseconds (8, signed), CRC-32 of all that after the mark and of the payload (4), payload.
Big-endian. A record of a newer version is treated as damage: kept aside, never guessed at.
"""

import struct
import zlib
from collections.abc import Iterable
from enum import IntEnum
from typing import NamedTuple

MARK = b"\xf5jKs"  # 0xF5 occurs in no UTF-8 text, so not in a payload either
VERSION = 1
MAX_PAYLOAD_BYTES = 65_535

_FRAME = struct.Struct(">BBIQqI")
_SUMMED = struct.Struct(">BBIQq")
_GAP = struct.Struct(">qQ")
OVERHEAD_BYTES = len(MARK) + _FRAME.size


class Kind(IntEnum):
    """What a record holds."""

    EPOCH = 0
    """The first of a file: the spool's epoch, 8 bytes. Has no sequence number."""
    LOOK = 1
    """A line as it will be sent."""
    GAP = 2
    """What the spool dropped; see ``Gap``. Becomes a line when it is sent."""


_KINDS = frozenset(Kind)


class Record(NamedTuple):
    """One record. ``at_ms`` is the time of the look, or the start of the gap."""

    kind: Kind
    seq: int
    at_ms: int
    payload: bytes

    @property
    def size(self) -> int:
        """Bytes in the file."""
        return OVERHEAD_BYTES + len(self.payload)


class Gap(NamedTuple):
    """A stretch of looks that were made, spooled and dropped unsent. Times in Unix milliseconds."""

    start_ms: int
    end_ms: int
    looks: int

    @classmethod
    def of(cls, records: Iterable[Record]) -> "Gap | None":
        """What is lost when these records are dropped; gaps among them are carried on, so that the
        account of a long outage stays one record. None when there is nothing to lose."""
        start_ms, end_ms, looks = [], [], 0
        for record in records:
            if record.kind == Kind.GAP:
                older = cls.from_record(record)
                start_ms.append(older.start_ms)
                end_ms.append(older.end_ms)
                looks += older.looks
            elif record.kind == Kind.LOOK:
                start_ms.append(record.at_ms)
                end_ms.append(record.at_ms)
                looks += 1
        return cls(min(start_ms), max(end_ms), looks) if looks else None

    @classmethod
    def from_record(cls, record: Record) -> "Gap":
        end_ms, looks = _GAP.unpack(record.payload)
        return cls(record.at_ms, end_ms, looks)

    def record(self, seq: int) -> Record:
        """This gap as a record of a spool file."""
        return Record(Kind.GAP, seq, self.start_ms, _GAP.pack(self.end_ms, self.looks))


class Scan(NamedTuple):
    """What was found in a file: its records in order, its epoch, and what is not a record as
    (start, end) offsets. Records and damage together are the whole file."""

    records: list[Record]
    epoch: bytes | None
    damage: list[tuple[int, int]]


def frame(record: Record) -> bytes:
    """The bytes of a record. Raises ValueError when its payload is too long."""
    if len(record.payload) > MAX_PAYLOAD_BYTES:
        raise ValueError(f"a record holds {MAX_PAYLOAD_BYTES} bytes, not {len(record.payload)}")
    head = (VERSION, record.kind, len(record.payload), record.seq, record.at_ms)
    crc = zlib.crc32(record.payload, zlib.crc32(_SUMMED.pack(*head)))
    return MARK + _FRAME.pack(*head, crc) + record.payload


def scan(data: bytes) -> Scan:
    """Read a whole file; never raises, whatever is in it.

    A record whose number does not rise is damage too: a spool writes each number once, in order.
    """
    records: list[Record] = []
    damage: list[tuple[int, int]] = []
    epoch = None
    position = 0
    while position < len(data):
        record = _read(data, position)
        if record is not None and record.kind == Kind.EPOCH and epoch in (None, record.payload):
            epoch = record.payload
            position += record.size
        elif record is not None and record.kind != Kind.EPOCH and _rises(records, record):
            records.append(record)
            position += record.size
        else:
            following = data.find(MARK, position + 1)
            end = following if following >= 0 else len(data)
            if damage and damage[-1][1] == position:
                damage[-1] = (damage[-1][0], end)
            else:
                damage.append((position, end))
            position = end
    return Scan(records, epoch, damage)


def _rises(records: list[Record], record: Record) -> bool:
    return record.seq > (records[-1].seq if records else 0)


def _read(data: bytes, position: int) -> Record | None:
    """The record that begins here; None when it is not whole and sound."""
    start = position + OVERHEAD_BYTES
    if start > len(data) or not data.startswith(MARK, position):
        return None
    version, kind, length, seq, at_ms, crc = _FRAME.unpack_from(data, position + len(MARK))
    if version != VERSION or length > MAX_PAYLOAD_BYTES or start + length > len(data):
        return None
    payload = data[start : start + length]
    if zlib.crc32(payload, zlib.crc32(_SUMMED.pack(version, kind, length, seq, at_ms))) != crc:
        return None
    if kind not in _KINDS or (kind == Kind.GAP and length != _GAP.size):
        return None
    return Record(Kind(kind), seq, at_ms, payload)
