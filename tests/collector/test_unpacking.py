"""Packed batches from strangers: refused in time, whatever is in them."""

import os
import random
import tracemalloc
import zlib

import pytest

from collector.admission import Limits, TooLargeError
from collector.unpacking import unpack
from model.wire import DICTIONARIES
from probes.packing import pack

HEAD = "p 00000000000000aa 7"
NOW_MS = 1_790_000_000_000
LINES = [
    f"ping,site=a,target=site,vantage=centre outcome=1i,sent=5i,rtt_min_seconds=0.0{n} {NOW_MS + n}"
    .encode()
    for n in range(11, 99)
]  # fmt: skip
SEED = int(os.environ.get("JANGKAU_SEED", "1"))
CASES = 2000 + 200 * int(os.environ.get("JANGKAU_FAULTS", "0"))


def deflated(listed: bytes, bits: bytes = b"\x01") -> bytes:
    """A packed batch with whatever text."""
    (_, dictionary), *_ = DICTIONARIES.items()
    stream = zlib.compressobj(9, zdict=dictionary)
    return stream.compress(listed) + stream.flush() + bits


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "dictionary"),
        (b"ping,site=a", "dictionary"),
        (zlib.compress(b"p e 1\nx\n\n\0"), "dictionary"),
        (pack(HEAD, LINES)[:40], "cut off"),
        (pack(HEAD, LINES)[:-5], "cut off"),
        (deflated(b"p 00000000000000aa 7\n"), "no end"),
        (deflated(b"p 00000000000000aa 7\n\n\0"), "no lines"),
        (deflated(b"p 00000000000000aa\nx\n\n\0"), "head"),
        (deflated(b"p 00000000000000aa -7\nx\n\n\0"), "head"),
        (deflated(b"p 00000000000000aa 7\nx\n\n\1"), "does not hold"),
        (deflated(b"p 00000000000000aa 7\nx\xff\n\n\0"), "decode"),
        (deflated(b"p 00000000000000aa 7\nx=\1\n\n\0"), "cut off"),
        (deflated(b"p 00000000000000aa 7\nx=\1\n\n\0", b"\x06\xff"), "none before it"),
        (deflated(b"p 00000000000000aa 7\nx=\1\n\n\0", b"\x07\x00\x00"), "too large"),
        (deflated(b"p 00000000000000aa 7\nx=\1\n\n\0", b"\x04" + b"\xff" * 20), "no end"),
    ],
)
def test_what_does_not_add_up_is_refused(body: bytes, why: str) -> None:
    """Each with a word on what is wrong."""
    with pytest.raises(ValueError, match=why):
        unpack(body, Limits())


@pytest.mark.parametrize(
    "body",
    [
        deflated(b"\n" * 2**26),
        deflated(b"p e 1\n" + b"x" * 50_000 + b"\n\n" + bytes(20_000)),
        deflated(b"p e 1\n" + b"\1" * 10_000 + b"\n\n" + bytes(20_000)),
        deflated(b"p e 1\nx\n\n" + bytes(20_001)),
        deflated(b"p e 1\nx\n" + b"\1" * 200_000 + b"\n\n\0"),
    ],
    ids=["deflate", "long text", "many numbers", "many lines", "many columns"],
)
def test_bombs_are_refused_small(body: bytes) -> None:
    """S-03: what would become large is refused before it is: 16 MiB at most (a body has 1 MiB)."""
    tracemalloc.start()
    try:
        with pytest.raises(TooLargeError):
            unpack(body, Limits())
        assert tracemalloc.get_traced_memory()[1] < 16 * 2**20
    finally:
        tracemalloc.stop()


def test_damage_is_refused_or_harmless() -> None:
    """Bodies with bytes changed, cut and added end in lines or in a ValueError, nothing else."""
    print(f"seed {SEED}")  # noqa: T201 - the seed of a random test
    draws = random.Random(SEED)  # noqa: S311 - reproducible damage
    good = pack(HEAD, LINES)
    bits_at = len(good) - 60
    outcomes = {True: 0, False: 0}
    for _ in range(CASES):
        body = bytearray(good)
        for _ in range(draws.randint(1, 4)):
            at = draws.randrange(draws.choice((0, bits_at)), len(body))
            body[at : at + draws.randrange(3)] = draws.randbytes(draws.randrange(3))
        try:
            found = unpack(bytes(body), Limits())[1]
        except ValueError:
            outcomes[False] += 1
        else:
            outcomes[True] += 1
            assert len(found) == len(LINES)
    assert all(outcomes.values()), outcomes
