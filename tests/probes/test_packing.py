"""The packed batch: the same lines at both ends, in a fraction of the bytes."""

import gzip
import math
import random
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.admission import Limits
from collector.unpacking import unpack
from model.measurement import Measurement, Outcome
from model.wire import DICTIONARIES
from probes.known_time import stamp
from probes.line_protocol import encode
from probes.packing import pack

HEAD = "v-1 0123456789abcdef 4294967297"
NUMBERS = st.one_of(
    st.integers(-(10**17), 10**17).map(str),
    st.decimals(-(10**9), 10**9, places=9).map(lambda value: f"{value:f}"),
    st.sampled_from(
        ["0", "-0", "0.0", "00", "5.", ".5", "1e-05", "1E9", "+1", "1.50", "t", "9" * 30]
    ),
)
NAMES = st.sampled_from(["sent", "rtt_min_seconds", "a=b", "reason", "x"])
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=12)
LINES = st.builds(
    lambda kind, pairs, said, at: (
        f'{kind},site=v-1 {",".join(f"{name}={value}i" for name, value in pairs)},s="{said}" {at}'
    ).encode(),
    st.sampled_from(["ping", "device", "dns"]),
    st.lists(st.tuples(NAMES, NUMBERS), max_size=4),
    TEXT,
    NUMBERS,
)


def look(minute: int, draws: random.Random) -> bytes:
    """A line as the agent makes it."""
    median = 0.024 * draws.lognormvariate(0, 0.1)
    readings = {
        "duplicates": 0.0,
        "late": 0.0,
        "sent": 5.0,
        "received": float(draws.choice((5, 5, 5, 4))),
        "rtt_min_seconds": median * 0.9,
        "rtt_median_seconds": median,
        "rtt_p95_seconds": median * 1.4,
        "rtt_max_seconds": median * 1.4,
    }
    at_ms = 1_793_491_200_000 + minute * 60_000
    return encode(Measurement("v-1", "village", "ping", "national", at_ms, Outcome.UP, readings))


@settings(max_examples=100, deadline=None)
@given(st.lists(LINES, min_size=1, max_size=30))
def test_the_same_lines_come_out(lines: list[bytes]) -> None:
    """Whatever the lines are, they come out byte for byte, with their envelope."""
    headers, found = unpack(pack(HEAD, lines), Limits())
    assert found == lines
    assert headers == {
        "x-jangkau-probe": "v-1",
        "x-jangkau-epoch": "0123456789abcdef",
        "x-jangkau-first": "4294967297",
        "x-jangkau-last": str(4294967297 + len(lines) - 1),
    }


def test_more_texts_than_a_byte_counts() -> None:
    """A batch of lines that are all different still comes out."""
    lines = [b'gap,site=v-1 outcome=2i,reason="%s" %d' % (b"x" * n, n) for n in range(400)]
    assert unpack(pack(HEAD, lines), Limits())[1] == lines


def test_lines_that_wait_for_their_date() -> None:
    """Monotonic times and boots travel too, and so does the clock at the sending."""
    draws = random.Random(3)  # noqa: S311 - the same lines in every run
    lines = [stamp(look(n, draws), 5_000 + n * 60_000, "00ab" * 3) for n in range(60)]
    headers, found = unpack(pack(f"{HEAD} {'00ab' * 3} 9000000", lines), Limits())
    assert found == lines
    assert headers["x-jangkau-boot"] == "00ab" * 3
    assert headers["x-jangkau-monotonic-ms"] == "9000000"


@pytest.mark.parametrize(("minutes", "share"), [(5, 0.6), (60, 0.4), (1440, 0.4)])
def test_it_is_worth_it(minutes: int, share: float) -> None:
    """Looks of a day take at most this share of what gzip makes of them."""
    draws = random.Random(minutes)  # noqa: S311 - the same looks in every run
    lines = [look(minute, draws) for minute in range(minutes)]
    packed, zipped = pack(HEAD, lines), gzip.compress(b"\n".join(lines))
    assert len(packed) <= share * len(zipped), (len(packed), len(zipped))


def test_released_dictionaries_never_change() -> None:
    """A device in a drawer must still be understood in years: its dictionary stays as it was."""
    assert list(DICTIONARIES) == [0xAADB674A]
    assert all(zlib.adler32(text) == check for check, text in DICTIONARIES.items())
    assert all(math.log2(len(text)) < 12 for text in DICTIONARIES.values()), "the window is 4 kB"
