"""The names of part files that come from a journal: which batches are in them.

Law: a name says which range of batch ids a part covers. A part whose range lies within that of
another one in the same folder is in that other one, and no reader counts it.
"""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

_PART = re.compile(r"journal-([0-9a-f]+)-(\d+)-(\d+)\.parquet", re.ASCII)


class Part(NamedTuple):
    """A part file with the batches ``first`` to ``last`` (both included) of one journal."""

    path: Path
    journal_id: str
    first: int
    last: int


def part_name(journal_id: str, first: int, last: int) -> str:
    """The name (without ending) of the part that holds these batches."""
    return f"journal-{journal_id}-{first}-{last}"


def part_of(path: Path) -> Part | None:
    """What a file's name says; None for one that came otherwise (imports, the simulator)."""
    match = _PART.fullmatch(path.name)
    return Part(path, match[1], int(match[2]), int(match[3])) if match else None


def visible(files: Sequence[Path]) -> list[Path]:
    """Of the files of one folder those that count: not the ones that a compacted part covers."""
    hidden: set[Path] = set()
    widest: dict[str, int] = {}
    parts = [part for path in files if (part := part_of(path))]
    for part in sorted(parts, key=lambda one: (one.journal_id, one.first, -one.last)):
        if part.last <= widest.get(part.journal_id, -1):
            hidden.add(part.path)
        else:
            widest[part.journal_id] = part.last
    return [path for path in files if path not in hidden]


def settled(files: Iterable[Path], journal_id: str, done: int) -> list[Path]:
    """Of an archive's part files those that a reader may count who saw the cursor at ``done`` and
    reads the journal's batches after it: all but the parts that hold later batches."""
    chosen = []
    for path in files:
        part = part_of(path)
        if part is None or part.journal_id != journal_id or part.last <= done:
            chosen.append(path)
    return chosen
