"""What a spool may forget: the numbers that are acknowledged or dropped, kept in a small file.

Law: the file is replaced whole or not at all. One that does not hold together counts as absent;
the price is that records are sent twice, which changes nothing at the collector.
"""

import json
import os
import zlib
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

FORMAT = 1


class Ranges:
    """A set of whole numbers as disjoint, sorted ranges with both ends included."""

    def __init__(self, ranges: Iterable[tuple[int, int]] = ()) -> None:
        self._ranges: list[tuple[int, int]] = []
        for first, last in ranges:
            self.add(first, last)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return iter(self._ranges)

    def add(self, first: int, last: int) -> None:
        """Put ``first`` to ``last`` in; ranges that touch become one."""
        low = bisect_left(self._ranges, first - 1, key=lambda item: item[1])
        high = low
        while high < len(self._ranges) and self._ranges[high][0] <= last + 1:
            first = min(first, self._ranges[high][0])
            last = max(last, self._ranges[high][1])
            high += 1
        self._ranges[low:high] = [(first, last)]

    def without(self, first: int, last: int) -> list[tuple[int, int]]:
        """The parts of ``first`` to ``last`` that are not in the set, in order."""
        rest = []
        index = bisect_left(self._ranges, first, key=lambda item: item[1])
        while first <= last and index < len(self._ranges) and self._ranges[index][0] <= last:
            start, end = self._ranges[index]
            if first < start:
                rest.append((first, start - 1))
            first = end + 1
            index += 1
        if first <= last:
            rest.append((first, last))
        return rest

    def __contains__(self, number: int) -> bool:
        return not self.without(number, number)

    @property
    def lowest(self) -> int:
        """The smallest number in the set; 0 when it is empty."""
        return self._ranges[0][0] if self._ranges else 0

    @property
    def highest(self) -> int:
        """The greatest number in the set; 0 when it is empty."""
        return self._ranges[-1][1] if self._ranges else 0


@dataclass
class Ledger:
    """``epoch``: 16 hex digits. ``next``: the next number, 0 while the spool is open; it vouches
    for the numbering after a proper end. ``forgotten``: what need not be sent any more."""

    epoch: str
    next: int = 0
    forgotten: Ranges = field(default_factory=Ranges)

    def to_bytes(self) -> bytes:
        """The content of the file: a line of JSON and a line with its check sum."""
        document = {
            "format": FORMAT,
            "epoch": self.epoch,
            "next": self.next,
            "forgotten": list(self.forgotten),
        }
        text = json.dumps(document, separators=(",", ":")).encode()
        return text + b"\n%08x\n" % zlib.crc32(text)

    @classmethod
    def from_bytes(cls, data: bytes) -> "Ledger":
        """Raises ValueError when the content is not whole, or of a newer format."""
        text, _, check = data.partition(b"\n")
        if check != b"%08x\n" % zlib.crc32(text):
            raise ValueError("the check sum does not hold")
        document = json.loads(text)
        if document["format"] != FORMAT:
            raise ValueError(f"format {document['format']} is not {FORMAT}")
        forgotten = Ranges((first, last) for first, last in document["forgotten"])
        return cls(document["epoch"], document["next"], forgotten)


def replace_file(path: Path, data: bytes) -> None:
    """Write ``data`` so that after a power cut the file is the old one or the new one, whole."""
    draft = path.with_name(path.name + ".tmp")
    with draft.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    sync_directory(path.parent)


def sync_directory(directory: Path) -> None:
    """Make created, renamed and removed names durable (fsync(2): the directory needs its own)."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
