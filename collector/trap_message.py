"""What a datagram claims, read without decoding it, and whether an SNMPv3 message proves it.

Law: what nobody vouches for costs a hash. pysnmp needs a user for every engine that sends traps
(RFC 3414, 3.1: they are signed by their own), and making one takes tens of milliseconds: too much
for whoever can forge an address and name engine after engine.
"""

import hashlib
import hmac
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from model.snmp import Credentials

_SEQUENCE, _OCTETS = 0x30, 0x04
_PASSWORD_BYTES = 2**20
"""RFC 3414, A.2: a password is repeated to this length and hashed."""
_DIGESTS: Mapping[str, tuple[str, int]] = {
    "md5": ("md5", 12),
    "sha1": ("sha1", 12),
    "sha224": ("sha224", 16),
    "sha256": ("sha256", 24),
    "sha384": ("sha384", 32),
    "sha512": ("sha512", 48),
}
"""Hash and octets of msgAuthenticationParameters: RFC 3414, 6 and 7; RFC 7860, 4.2."""


class Claim(NamedTuple):
    """An SNMPv3 message: who says it, and the place of its digest (``start`` to ``end``)."""

    message: bytes
    engine_id: bytes
    start: int
    end: int


def require_whole(datagram: bytes) -> None:
    """Raise ValueError for what is no SNMP message or promises more than it holds: the cheapest
    thing to send, and the dearest for a decoder to find out."""
    _element(datagram, 0, _SEQUENCE)


def claim_of(datagram: bytes) -> Claim:
    """What an SNMPv3 message says of itself (RFC 3412, 6; RFC 3414, 2.4). Raises ValueError for
    what is none."""
    at, end = _element(datagram, 0, _SEQUENCE)
    message = datagram[:end]
    _, at = _element(message, at)  # msgVersion
    _, at = _element(message, at)  # msgGlobalData
    at, _ = _element(message, at, _OCTETS)  # msgSecurityParameters
    at, _ = _element(message, at, _SEQUENCE)
    first, at = _element(message, at, _OCTETS)  # msgAuthoritativeEngineID
    engine_id = message[first:at]
    for _ in ("msgAuthoritativeEngineBoots", "msgAuthoritativeEngineTime", "msgUserName"):
        _, at = _element(message, at)
    start, end = _element(message, at, _OCTETS)  # msgAuthenticationParameters
    return Claim(message, engine_id, start, end)


def proves(claim: Claim, credentials: Credentials) -> bool:
    """Whether the message was made by one who knows the user's password for that engine. Without
    authentication nothing can be proven: True."""
    if not credentials.authentication:
        return True
    name, size = _DIGESTS[credentials.authentication]
    if claim.end - claim.start != size:
        return False
    master = master_key(credentials.authentication_password, name)
    key = hashlib.new(name, master + claim.engine_id + master).digest()
    blank = claim.message[: claim.start] + bytes(size) + claim.message[claim.end :]
    return hmac.compare_digest(
        hmac.digest(key, blank, name)[:size], claim.message[claim.start : claim.end]
    )


@lru_cache(maxsize=4096)
def master_key(password: str, name: str) -> bytes:
    """What a password becomes before it is made an engine's own (RFC 3414, A.2)."""
    octets = password.encode()
    repeated = octets * (_PASSWORD_BYTES // len(octets) + 1)
    return hashlib.new(name, repeated[:_PASSWORD_BYTES]).digest()


def _element(data: bytes, at: int, tag: int | None = None) -> tuple[int, int]:
    """Where the content of the BER element at ``at`` begins and ends."""
    if len(data) < at + 2 or tag not in (None, data[at]):
        raise ValueError("this is no such message")
    size, start = data[at + 1], at + 2
    if size & 0x80:
        octets = size & 0x7F
        if not 1 <= octets <= 4:  # some agents always write four
            raise ValueError("a length that no trap has")
        size, start = int.from_bytes(data[start : start + octets], "big"), start + octets
    if start + size > len(data):
        raise ValueError("a message that ends early")
    return start, start + size
