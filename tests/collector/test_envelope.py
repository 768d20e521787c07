"""Times that cannot be: what is repaired can be read back."""

import pytest

from collector.envelope import SHIFT_MAX_MS, Envelope, settle
from collector.line_protocol import LineError, decode
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
