"""A word by DNS when HTTPS fails for long: that this device lives, since when, and what fails.

Law: nothing is asked, nothing is believed, nothing is deleted for it. Whoever reads the query on
its way learns a random number, an uptime and a word; nobody without the key can write another one.

A resolver often answers where nothing else goes through (a portal, a blocked port, a certificate
that ran out). The name is ``KEYID-BOOT-UPTIME-TROUBLE.PROOF.ZONE``: the public part of the key, the
boot id and the uptime in seconds in hexadecimal, a code of ``TROUBLES``, and 80 bits of an HMAC
(RFC 2104) with the key's hash, which is what the collector has of it. The answer is a TXT with a
proof of its own. Messages: RFC 1035 section 4.
"""

import base64
import hashlib
import hmac
import logging
import os
import socket
import struct
from collections.abc import Callable, Sequence
from pathlib import Path

from model.errors import InputError
from model.wire import TROUBLES, Trouble
from probes.clock import Clock

log = logging.getLogger(__name__)

SILENT_SECONDS = 1800.0
"""How long HTTPS must have failed."""
EVERY_SECONDS = 1800.0
PORT = 53
TIMEOUT_SECONDS = 5.0
TXT = 16
_HEADER = struct.Struct(">HHHHHH")
_LABELS_MAX = 253


def name_of(key: str, boot_id: int, uptime_seconds: float, trouble: Trouble, zone: str) -> str:
    """The name that says it."""
    key_id, _, secret = key.partition(".")
    word = f"{key_id}-{boot_id:012x}-{int(uptime_seconds):x}-{TROUBLES.index(trouble)}"
    return f"{word}.{proof(secret, f'{word}.{zone}')}.{zone}"


def proof(secret: str, text: str) -> str:
    """80 bits of an HMAC-SHA256 with the hash of the secret, in base 32."""
    hashed = hashlib.sha256(secret.encode()).hexdigest().encode()
    code = hmac.digest(hashed, b"jangkau sos " + text.encode(), "sha256")
    return base64.b32encode(code[:10]).decode().lower()


def query(name: str, number: int) -> bytes:
    """A question for a TXT record. Raises InputError for a name that DNS cannot carry."""
    labels = name.encode("ascii", "replace").split(b".")
    if len(name) > _LABELS_MAX or any(not 0 < len(label) < 64 for label in labels):
        raise InputError(f"--sos: {name!r} is no name that DNS can carry")
    question = b"".join(bytes([len(label)]) + label for label in labels)
    return _HEADER.pack(number, 0x0100, 1, 0, 0, 0) + question + struct.pack(">BHH", 0, TXT, 1)


def resolvers(path: Path = Path("/etc/resolv.conf")) -> list[str]:
    """The device's own resolvers (resolv.conf(5)); none where the file cannot be read."""
    try:
        lines = path.read_text(errors="replace").splitlines()
    except OSError:
        return []
    words = [line.split() for line in lines]
    return [word[1] for word in words if word[:1] == ["nameserver"] and len(word) > 1]


class Sos:
    """Sends it when it is due. ``key`` is the key of today (it is rotated); ``ask`` sends a query
    to a resolver and returns the answer."""

    def __init__(
        self,
        key: Callable[[], str],
        zone: str,
        clock: Clock,
        ask: Callable[[str, bytes], bytes] | None = None,
        servers: Callable[[], Sequence[str]] = resolvers,
    ) -> None:
        self._key, self._zone, self._clock = key, zone.strip(".").lower(), clock
        self._ask, self._servers = ask or ask_by_udp, servers
        self._since_ms: int | None = None
        self._last_ms: int | None = None
        query(name_of("0" * 8 + "." + "0" * 64, 0, 2**32, TROUBLES[0], self._zone), 0)

    def due(self, trouble: Trouble | None) -> bool:
        """Whether to call now, told what fails (None: nothing) every now and then."""
        now_ms = self._clock.monotonic_ms()
        if trouble is None:
            self._since_ms = self._last_ms = None
            return False
        if self._since_ms is None:
            self._since_ms = now_ms
        if now_ms - self._since_ms < SILENT_SECONDS * 1000:
            return False
        return self._last_ms is None or now_ms - self._last_ms >= EVERY_SECONDS * 1000

    def call(self, trouble: Trouble) -> bool:
        """Call once; whether the collector heard it."""
        self._last_ms = self._clock.monotonic_ms()
        uptime = self._clock.uptime_seconds()
        key = self._key()
        name = name_of(key, self._clock.boot_id, uptime, trouble, self._zone)
        heard = f"heard {proof(key.partition('.')[2], 'heard ' + name)}".encode()
        for server in self._servers():
            number = int.from_bytes(os.urandom(2), "big")
            try:
                answer = self._ask(server, query(name, number))
            except OSError as error:
                log.info("sos: the resolver %s: %s", server, error)
                continue
            if answer[:2] == number.to_bytes(2, "big") and heard in answer:
                log.info("sos: the collector has heard us by DNS (%s)", trouble)
                return True
        log.info("sos: not heard by DNS either (%s)", trouble)
        return False


def ask_by_udp(server: str, question: bytes) -> bytes:
    """One answer of a resolver. Raises OSError when there is none in time."""
    family = socket.AF_INET6 if ":" in server else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.settimeout(TIMEOUT_SECONDS)
        sock.connect((server, PORT))
        sock.send(question)
        return sock.recv(4096)
