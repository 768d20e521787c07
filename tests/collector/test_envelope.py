"""What of a body is kept as it came; times that cannot be, and that a repair can be read back."""

import gzip
from pathlib import Path

import pytest

from collector.credentials import Key
from collector.envelope import AHEAD_MS, EARLIEST_MS, SHIFT_MAX_MS, Envelope, read, settle
from collector.journal import Journal, JournalReader
from collector.line_protocol import LineError, decode
from collector.receipts import Batch, keep
from model.timeline import Interval

NOW_MS = 1_790_000_000_000
SENT = Envelope("p", "0" * 16, Interval(1, 2), "b1", 10_000)
HEAD = "ping,site=a,target=site,vantage=centre outcome=1i"
ENDS = [-(10**19) + 1, -(2**63), -(2**63) + NOW_MS, -(10**18), 10**18, 2**63 - 1, 10**19 - 1]


@pytest.mark.parametrize("precision", ["ms", "s", "us", "ns"])
@pytest.mark.parametrize("at", ENDS)
def test_a_stamp_at_the_end_of_64_bits_is_repaired_and_flagged(at: int, precision: str) -> None:
    """A look with an absurd stamp and a sound age keeps its place in time, never the latest, with a
    shift that can be read back (T-04); without an age it is refused."""
    line = settle(decode(f"{HEAD},monotonic_ms=4000i {at}", precision), SENT, NOW_MS)
    assert line.at_ms == NOW_MS - 6000
    kept = decode(line.text())
    assert kept.at_ms == line.at_ms
    stamp_ms = decode(f"{HEAD} {at}", precision).at_ms
    assert stamp_ms is not None
    shift = kept.values()[0]["clock_shift_ms"]
    assert shift == max(-SHIFT_MAX_MS, min(NOW_MS - 6000 - stamp_ms, SHIFT_MAX_MS))
    with pytest.raises(LineError, match="time"):
        settle(decode(f"{HEAD} {at}", precision), SENT, NOW_MS)


def arrived(*lines: str, first: int = 1, key: Key | None = None) -> Batch:
    """A body of lines as an enveloped request brings it, in gzip."""
    body = "\n".join(lines).encode()
    return read(
        body,
        packed=gzip.compress(body),
        precision="ms",
        envelope=Envelope("p", "0" * 16, Interval(first, first + len(lines)), "b1", 10_000),
        key=key or Key("k", "p", "", ("a",), 1),
        received_ms=NOW_MS,
        points_max=10,
    )


@pytest.mark.parametrize(
    ("line", "lines", "refused"),
    [
        (f"{HEAD} {NOW_MS}", 0, 0),
        (f"{HEAD} {EARLIEST_MS}", 0, 0),
        (f"{HEAD} {NOW_MS + AHEAD_MS}", 0, 0),
        (f"{HEAD} {NOW_MS + AHEAD_MS + 1}", 1, 1),
        (f"{HEAD} {EARLIEST_MS - 1}", 1, 1),
        (f"{HEAD},monotonic_ms=10000i 5", 2, 0),
        (HEAD, 2, 0),
        (f"{HEAD.replace('site=a', 'site=b')} {NOW_MS}", 1, 1),
        ("bad", 1, 1),
    ],
)
def test_only_a_body_without_fault_is_kept_as_it_came(line: str, lines: int, refused: int) -> None:
    """One line that is refused or repaired, and every line is looked at; otherwise none."""
    batch = arrived(f"{HEAD} {NOW_MS}", line)
    assert (len(batch.lines), len(batch.refused)) == (lines, refused)
    assert (batch.packed is None) == bool(lines)


def test_what_is_kept_as_it_came_is_known_again(tmp_path: Path) -> None:
    """The bytes of the request lie in the journal; a later body that overlaps adds what is new."""
    texts = [f"{HEAD},sent={n}i {NOW_MS - n}" for n in range(6)]
    first, second = arrived(*texts[:4]), arrived(*texts[2:], first=3)
    journal = Journal(tmp_path)
    try:
        for batch, new, known in ((first, [(1, 5)], []), (second, [(5, 7)], [(3, 5)])):
            receipt = journal.submit(lambda db, batch=batch: keep(db, batch)).result(10)  # type: ignore[misc]  # bound in this round
            assert (receipt.kept, receipt.duplicate) == (new, known)
        with JournalReader(tmp_path) as reader:
            stored = list(reader.batches(0))
    finally:
        journal.close()
    assert stored[0].packed == first.packed
    assert [line.text() for batch in stored for line in batch.lines()] == texts


@pytest.mark.parametrize("held_ms", [NOW_MS - 86_400_000, NOW_MS - 12_000, NOW_MS - 9_999])
def test_a_look_of_an_earlier_start_says_how_far_off_it_may_be(held_ms: int) -> None:
    """Its clock was held at the newest known time, so it lies between that and the start of the
    boot that sends it, which is 10 s old: true whatever the true time was (requirement 6)."""
    line = decode(f'{HEAD},clock_clamped=1i,monotonic_ms=4000i,boot="b0" {held_ms}')
    kept = decode(settle(line, SENT, NOW_MS).text())
    assert kept.at_ms == held_ms
    error = kept.values()[0].get("clock_error_seconds", 0.0)
    assert error * 1000 >= NOW_MS - 10_000 - held_ms
    assert error * 1000 < max(0, NOW_MS - 10_000 - held_ms) + 1000
    sure = decode(f'{HEAD},monotonic_ms=4000i,boot="b0" {held_ms}')
    assert settle(sure, SENT, NOW_MS) == sure  # a clock that was set is believed
