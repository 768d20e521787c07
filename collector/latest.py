"""The newest look of each series, and since when it has been so.

Law: the order of arrival does not matter. A backlog that arrives late changes "since when" if it
must, and never the newest look.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from collector.journal import Connection, JournalReader
from collector.line_protocol import Line, Series


@dataclass(slots=True)
class Latest:
    """``at_ms``, ``outcome``, ``fields``: of the newest look. ``first_ms``: time of the oldest.
    ``other_ms``: newest time at which the outcome was another one; None if it never was."""

    at_ms: int
    outcome: int
    fields: str
    first_ms: int
    other_ms: int | None = None

    @property
    def since_ms(self) -> int:
        """The outcome holds since after this moment: the last look that said otherwise, or the
        first look of all."""
        return self.first_ms if self.other_ms is None else self.other_ms


def fold(known: dict[Series, Latest], lines: Iterable[Line]) -> set[Series]:
    """Bring ``known`` up to date; returns the series that changed."""
    changed = set()
    for line in lines:
        at_ms = line.at_ms
        if at_ms is None:  # the journal has no line without a time
            continue
        changed.add(line.series)
        latest = known.get(line.series)
        if latest is None:
            known[line.series] = Latest(at_ms, line.outcome, line.fields, at_ms)
            continue
        latest.first_ms = min(latest.first_ms, at_ms)
        if at_ms > latest.at_ms:
            if line.outcome != latest.outcome:
                latest.other_ms = latest.at_ms
            latest.at_ms, latest.outcome, latest.fields = at_ms, line.outcome, line.fields
        elif line.outcome != latest.outcome:
            latest.other_ms = max(latest.other_ms or at_ms, at_ms)
    return changed


def stored(reader: JournalReader) -> dict[Series, Latest]:
    """What was folded up to the archive's cursor."""
    return {row[0]: Latest(*row[1:]) for row in reader.latest_rows()}


def store(connection: Connection, known: dict[Series, Latest], changed: set[Series]) -> None:
    """Keep what changed. Belongs into the transaction that moves the archive's cursor."""
    connection.executemany(
        "INSERT OR REPLACE INTO latest VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (*series, item.at_ms, item.outcome, item.fields, item.first_ms, item.other_ms)
            for series in sorted(changed)
            for item in (known[series],)
        ],
    )
