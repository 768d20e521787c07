"""What a probe says of its last looks."""

from cli.probe_status import LastLooks
from model.measurement import Measurement, Outcome

AT_MS = 1_790_000_000_000


def look(at_ms: int, outcome: Outcome, reason: str = "", **readings: float) -> Measurement:
    return Measurement("v-1", "village", "ping", "national", at_ms, outcome, readings, reason)


def test_the_newest_of_each() -> None:
    """Outcome, median and echoes in words; a look that ends late does not hide a newer one."""
    last = LastLooks()
    up = {"sent": 5.0, "received": 4.0, "rtt_median_seconds": 0.02412}
    last.note(look(AT_MS, Outcome.UP, **up))
    assert last.document() == {"ping national": "UP 24.1 ms 4/5"}
    last.note(look(AT_MS - 6000, Outcome.DOWN, "no answer", sent=5.0, received=0.0))
    assert last.document() == {"ping national": "UP 24.1 ms 4/5"}
    last.note(look(AT_MS + 60_000, Outcome.DOWN, "no answer", sent=5.0, received=0.0))
    assert last.document() == {"ping national": "DOWN 0/5 no answer"}
    last.note(look(AT_MS + 120_000, Outcome.UNKNOWN, "budget"))
    assert last.document() == {"ping national": "UNKNOWN budget"}


def test_a_clock_that_was_set_back() -> None:
    """Then the newest look is the one that was made last, though its date is older."""
    last = LastLooks()
    last.note(look(AT_MS, Outcome.UP))
    last.note(look(AT_MS - 86_400_000, Outcome.DOWN))
    assert last.document() == {"ping national": "DOWN"}
