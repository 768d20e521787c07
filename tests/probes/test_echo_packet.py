"""The bytes of an echo: written, read back, and never taken from a stranger."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.echo_packet import ECHO_BYTES, EchoCodec, IcmpError, Quote, Stray

SECRET = b"\x01\x02\x03\x04\x05\x06\x07\x08"
SERIALS = st.integers(min_value=0, max_value=2**64 - 1)


def codec(*, ipv6: bool = False, identifier: int = 0x1234) -> EchoCodec:
    return EchoCodec(ipv6=ipv6, identifier=identifier, secret=SECRET)


def answer(request: bytes, *, ipv6: bool = False) -> bytes:
    """What a host makes of a request: another type, the checksum made anew (word by word, RFC 1071,
    unlike the codec's own arithmetic)."""
    body = bytes([129 if ipv6 else 0, 0, 0, 0]) + request[4:]
    total = sum(struct.unpack(f"!{len(body) // 2}H", body))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return body[:2] + struct.pack("!H", total ^ 0xFFFF) + body[4:]


@pytest.mark.parametrize("ipv6", [False, True])
@given(serial=SERIALS)
def test_an_answer_names_its_serial(ipv6: bool, serial: int) -> None:
    """What a request carries out, its answer brings home, for every serial number."""
    coder = codec(ipv6=ipv6)
    assert coder.read_reply(answer(coder.request(serial), ipv6=ipv6)) == serial


@given(serial=SERIALS)
def test_the_checksum_is_the_internets(serial: int) -> None:
    """The one's complement sum over a request, checksum included, is all ones (RFC 1071)."""
    total = sum(struct.unpack("!12H", codec().request(serial)))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    assert total == 0xFFFF


@given(data=st.binary(max_size=200), ipv6=st.booleans())
def test_any_bytes_are_read_without_an_error(data: bytes, ipv6: bool) -> None:
    """Whatever a network sends is a stray or (with our secret only) a serial number."""
    coder = codec(ipv6=ipv6)
    assert isinstance(coder.read_reply(data), Stray) or SECRET in data
    quote = coder.read_quote(data)
    assert quote is None or data[:1] == bytes([128 if ipv6 else 8])


@given(serial=SERIALS, bit=st.integers(min_value=0, max_value=ECHO_BYTES * 8 - 1))
def test_no_flipped_bit_passes(serial: int, bit: int) -> None:
    """Damage to any single bit of an answer makes it a stray."""
    coder = codec()
    damaged = bytearray(answer(coder.request(serial)))
    damaged[bit // 8] ^= 1 << bit % 8
    assert coder.read_reply(bytes(damaged)) is Stray.FOREIGN


@pytest.mark.parametrize("length", range(ECHO_BYTES))
def test_a_cut_answer_is_truncated(length: int) -> None:
    """An answer that lost its end is told from a stranger's."""
    coder = codec()
    assert coder.read_reply(answer(coder.request(7))[:length]) is Stray.TRUNCATED


def test_strangers_are_foreign() -> None:
    """Another identifier, another secret, a longer answer and our own request are not answers."""
    coder, good = codec(), answer(codec().request(7))
    other_secret = EchoCodec(ipv6=False, identifier=0x1234, secret=bytes(8)).request(7)
    for data in (
        answer(codec(identifier=0x4321).request(7)),
        answer(codec(identifier=0x4321).request(7))[:12],
        answer(other_secret),
        good + b"\0\0",
        coder.request(7),
    ):
        assert coder.read_reply(data) is Stray.FOREIGN


@given(serial=SERIALS)
def test_a_quote_is_recognised(serial: int) -> None:
    """An ICMP error that quotes all of a request gives its serial; one that quotes the least that
    RFC 792 asks for gives the sequence number; a stranger's quote gives nothing."""
    coder, request = codec(), codec().request(serial)
    assert coder.read_quote(request) == Quote(serial & 0xFFFF, serial)
    assert coder.read_quote(request[:8]) == Quote(serial & 0xFFFF, None)
    assert coder.read_quote(request[:7]) is None
    assert coder.read_quote(codec(identifier=1).request(serial)) is None
    assert coder.read_quote(request[:8] + bytes(16)) is None


@pytest.mark.parametrize(
    ("ipv6", "kind", "code", "unreachable"),
    [
        (False, 3, 1, True),
        (False, 3, 4, False),
        (False, 5, 0, False),
        (False, 11, 0, True),
        (True, 1, 3, True),
        (True, 2, 0, False),
        (True, 3, 0, True),
    ],
)
def test_which_errors_mean_unreachable(ipv6: bool, kind: int, code: int, unreachable: bool) -> None:
    """Unreachable and time exceeded say so; redirects and packet sizes do not."""
    error = IcmpError("127.0.0.1", b"", kind, code, "127.0.0.1")
    assert codec(ipv6=ipv6).says_unreachable(error) is unreachable
