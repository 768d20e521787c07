"""What becomes of each line of a batch: kept, known already, or refused with a reason.

Law: everything here happens in the one transaction that the answer waits for. A sequence number
that is here already changes nothing; a refused line is quarantined, never lost without trace.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from collector.journal import Connection, pack, unpack
from collector.line_protocol import Line
from model.timeline import Interval, intersect, subtract, union

HOLES_MAX = 1_000
"""In the numbers of one epoch. A spool leaves a handful; whoever leaves more has the lowest closed:
below that high-water mark nothing is new any more, so that nobody's numbers grow without limit."""
DEAD_LINE_BYTES = 1024
"""Of a refused line as much is kept as a person needs to see what it was."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A line that is no look: its sequence number (or place in the body), why, and its bytes."""

    seq: int
    reason: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class Batch:
    """What one request brought. ``span`` holds the sequence numbers (half-open), for a plain client
    the places in the body; ``lines`` and ``refused`` together are all of it.

    ``epoch`` is empty for a plain client; ``digest`` then recognises the same body sent again
    (None where a repeated body is not the same data, because its lines bear no time). ``packed``,
    in place of ``lines``: all of them, as the journal keeps them.
    """

    probe: str
    received_ms: int
    span: Interval
    lines: Sequence[tuple[int, Line]]
    refused: Sequence[Refused] = ()
    epoch: str = ""
    digest: bytes | None = None
    packed: bytes | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was done: half-open spans of sequence numbers, and reasons by sequence number."""

    kept: Sequence[Interval] = ()
    duplicate: Sequence[Interval] = ()
    rejected: Sequence[tuple[int, str]] = field(default=())

    def document(self, probe: str, epoch: str) -> dict[str, Any]:
        """The receipt as it is sent: ranges with both ends included."""
        return {
            "probe": probe,
            "epoch": epoch,
            "kept": [[item.start_ms, item.end_ms - 1] for item in self.kept],
            "duplicate": [[item.start_ms, item.end_ms - 1] for item in self.duplicate],
            "rejected": [list(item) for item in self.rejected],
        }


def keep(connection: Connection, batch: Batch) -> Receipt:
    """Store what is new of a batch. Runs inside a transaction of the journal."""
    if batch.epoch:
        known, new = _merge_sequence(connection, batch)
    else:
        known, new = _merge_body(connection, batch)
    lines, refused, packed = batch.lines, batch.refused, batch.packed
    if new != [batch.span]:
        if packed is not None:
            lines, packed = list(enumerate(unpack(packed), batch.span.start_ms)), None
        lines = [(seq, line) for seq, line in lines if _holds(new, seq)]
        refused = [item for item in refused if _holds(new, item.seq)]
    kept = subtract(new, [Interval(item.seq, item.seq + 1) for item in refused])
    if lines or packed:
        connection.execute(
            "INSERT INTO batches (probe, epoch, received_ms, kept, rows, lines)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (
                batch.probe,
                batch.epoch,
                batch.received_ms,
                json.dumps([[item.start_ms, item.end_ms - 1] for item in kept]),
                len(lines) or batch.span.length_ms,
                packed or pack("\n".join(line.text() for _, line in lines).encode()),
            ),
        )
    if refused:
        connection.executemany(
            "INSERT INTO dead_letters (probe, epoch, seq, received_ms, reason, line)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            [
                (
                    batch.probe,
                    batch.epoch,
                    item.seq,
                    batch.received_ms,
                    item.reason,
                    item.raw[:DEAD_LINE_BYTES],
                )
                for item in refused
            ],
        )
    return Receipt(kept, known, [(item.seq, item.reason) for item in refused])


def _holds(spans: Sequence[Interval], seq: int) -> bool:
    return any(span.start_ms <= seq < span.end_ms for span in spans)


def _merge_sequence(
    connection: Connection, batch: Batch
) -> tuple[Sequence[Interval], Sequence[Interval]]:
    """Note the batch's numbers as received; returns what of it was known and what is new."""
    first, end = batch.span
    where = (batch.probe, batch.epoch, end, first - 1)
    rows = list(
        connection.execute(
            "SELECT first, last FROM received"
            " WHERE probe = ? AND epoch = ? AND first <= ? AND last >= ?",
            where,
        )
    )
    if len(rows) == 1 and rows[0][1] == first - 1:  # one batch after the other: the usual case
        connection.execute(
            "UPDATE received SET last = ? WHERE probe = ? AND epoch = ? AND first = ?",
            (end - 1, batch.probe, batch.epoch, rows[0][0]),
        )
        return [], [batch.span]
    touching = union(Interval(start, last + 1) for start, last in rows)
    known = intersect([batch.span], touching)
    new = subtract([batch.span], touching)
    if new:
        (merged,) = union([batch.span, *touching])
        connection.execute(
            "DELETE FROM received WHERE probe = ? AND epoch = ? AND first <= ? AND last >= ?", where
        )
        connection.execute(
            "INSERT INTO received VALUES (?, ?, ?, ?)",
            (batch.probe, batch.epoch, merged.start_ms, merged.end_ms - 1),
        )
        if not touching:
            _close_lowest_hole(connection, batch.probe, batch.epoch)
    return known, new


def _close_lowest_hole(connection: Connection, probe: str, epoch: str) -> None:
    """Unless there are no more than HOLES_MAX."""
    where, names = "WHERE probe = ? AND epoch = ?", (probe, epoch)
    number = connection.execute(f"SELECT count(*) FROM received {where}", names).get  # noqa: S608 - constant
    if number <= HOLES_MAX + 1:
        return
    lowest, next_one = connection.execute(
        f"SELECT first, last FROM received {where} ORDER BY first LIMIT 2",  # noqa: S608 - as above
        names,
    )
    connection.execute(f"DELETE FROM received {where} AND first = ?", (*names, next_one[0]))  # noqa: S608 - as above
    connection.execute(
        f"UPDATE received SET last = ? {where} AND first = ?",  # noqa: S608 - as above
        (next_one[1], *names, lowest[0]),
    )


def _merge_body(
    connection: Connection, batch: Batch
) -> tuple[Sequence[Interval], Sequence[Interval]]:
    if batch.digest is not None:
        connection.execute(
            "INSERT OR IGNORE INTO bodies VALUES (?, ?, ?)",
            (batch.probe, batch.digest, batch.received_ms),
        )
        if not connection.changes():
            return [batch.span], []
    return [], [batch.span]
