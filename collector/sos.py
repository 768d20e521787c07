"""The responder for probes whose HTTPS fails: a name in DNS that says a device lives, and why.

Law: what no key vouches for changes nothing, and a query heard again is no news. What is kept is a
look of kind ``sos``, dated by us: that the device had power, since when, and what it says fails.
It never says that a line is up.

The name and its proof are described in ``probes/sos.py`` and docs/probe.md. Messages: RFC 1035
section 4; empty names above ours are answered so that query name minimisation (RFC 9156) arrives.
"""

import base64
import hmac
import json
import logging
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from collector.credentials import WRITE, Key, Keys
from collector.journal import Journal
from collector.line_protocol import LineError, decode
from collector.receipts import Batch, keep
from model.errors import InputError, UnavailableError
from model.timeline import Interval
from model.wire import TROUBLES

EVERY_MS = 60_000
"""At most one look of a probe in this time is kept, whatever it sends."""
BOOTS_KEPT = 16
QUERY_BYTES_MAX = 512
A_SECOND = 500
"""Queries that are looked at in a second; what is more is dropped unread."""
TXT = 16
_HEADER = struct.Struct(">HHHHHH")
_WORD = re.compile(r"([0-9a-f]{8})-([0-9a-f]{12})-([0-9a-f]{1,9})-(\d{1,2})", re.ASCII)
_ZONE = re.compile(r"(?:[a-z0-9-]{1,63}\.)+[a-z0-9-]{2,63}", re.ASCII)
_OK, _REFUSED = 0, 5
_SOA = b"\0\0" + struct.pack(">5I", 1, 3600, 600, 86_400, 0)

_log = logging.getLogger(__name__)


def proof(key: Key, text: str) -> str:
    """80 bits of an HMAC-SHA256 (RFC 2104) with the key's hash, in base 32."""
    code = hmac.digest(key.sha256.encode(), b"jangkau sos " + text.encode(), "sha256")
    return base64.b32encode(code[:10]).decode().lower()


class Responder:
    """Answers on a UDP socket until ``stop``. ``heard`` holds, by key, the boots and the uptime of
    each that were heard: a query that is sent again, by whomever, adds nothing."""

    def __init__(
        self,
        zone: str,
        journal: Journal,
        keys: Keys,
        wall_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._zone = zone.strip(".").lower()
        if _ZONE.fullmatch(self._zone) is None:
            raise InputError(f"{zone!r} is no name: write it as sos.example.id")
        self._journal, self._keys, self._wall_ms = journal, keys, wall_ms
        self._path: Path = journal.folder / "sos.json"
        self._heard = _load(self._path)
        self._kept_ms: dict[str, int] = {}
        self._second = self._in_second = 0
        self._stopping = threading.Event()

    def run(self, bound: socket.socket) -> None:
        """The body of a thread."""
        bound.settimeout(0.5)  # how long a stop may take
        while not self._stopping.is_set():
            try:
                data, sender = bound.recvfrom(QUERY_BYTES_MAX + 1)
            except TimeoutError:
                continue
            except OSError as error:  # an ICMP error about an earlier answer
                _log.info("sos: %s", error)
                continue
            try:
                answer = self.answer(data)
                if answer is not None:
                    bound.sendto(answer, sender)
            except (OSError, UnavailableError) as error:
                _log.warning("sos: %s", error)
            except Exception:  # noqa: BLE001 - logged with its trace; the others are answered on
                _log.exception("sos: a bug of ours")

    def stop(self) -> None:
        """Make ``run`` return."""
        self._stopping.set()

    def answer(self, data: bytes) -> bytes | None:
        """The answer to a datagram; None for one that deserves none. Raises UnavailableError."""
        second = self._wall_ms() // 1000
        if second != self._second:
            self._second, self._in_second = second, 0
        self._in_second += 1
        found = _question(data) if self._in_second <= A_SECOND else None
        if found is None:
            return None
        name, kind, end = found
        if name != self._zone and not name.endswith(f".{self._zone}"):
            return _reply(data, end, _REFUSED)
        key = self._vouched(name) if kind == TXT else None
        if key is None:
            return _reply(data, end, _OK, authority=_record(self._zone, data, 6, _SOA))
        self._keep(key, name)
        text = f"heard {proof(key, f'heard {name}')}".encode()
        return _reply(data, end, _OK, answer=_record("", data, TXT, bytes([len(text)]) + text))

    def _vouched(self, name: str) -> Key | None:
        """The key whose holder wrote this name."""
        word, _, rest = name.partition(".")
        said, _, zone = rest.partition(".")
        match = _WORD.fullmatch(word)
        if match is None or zone != self._zone or int(match[4]) >= len(TROUBLES):
            return None
        key = next((key for key in self._keys.all() if key.id == match[1]), None)
        if key is None or not key.valid(self._wall_ms()) or key.role != WRITE:
            return None
        if not key.sites or not hmac.compare_digest(proof(key, f"{word}.{zone}"), said):
            return None
        return key

    def _keep(self, key: Key, name: str) -> None:
        """Keep it as a look, if it is news."""
        _, boot, uptime_text, trouble = name.partition(".")[0].split("-")
        uptime, now_ms = int(uptime_text, 16), self._wall_ms()
        boots = self._heard.setdefault(key.id, {})
        if uptime <= boots.get(boot, -1) or now_ms - self._kept_ms.get(key.id, 0) < EVERY_MS:
            return
        boots[boot] = uptime
        for old in list(boots)[:-BOOTS_KEPT]:
            del boots[old]
        self._kept_ms[key.id] = now_ms
        known = {item.id for item in self._keys.all()}
        self._heard = {key_id: seen for key_id, seen in self._heard.items() if key_id in known}
        self._save()  # first: a repeat after a power cut must not become a look
        site = key.sites[0] if key.sites else ""
        text = (
            f"sos,site={site},target=device,vantage=village outcome=1i,uptime_seconds={uptime},"
            f'boot_id={int(boot, 16)}i,reason="{TROUBLES[int(trouble)]}" {now_ms}'
        )
        try:
            line = decode(text)
        except LineError:
            _log.exception("sos: a line of ours cannot be read")
            return
        batch = Batch(key.probe, now_ms, Interval(0, 1), [(0, line)])
        self._journal.submit(partial(keep, batch=batch)).result()
        _log.info("sos: %s at %s lives: %s", key.probe, site, TROUBLES[int(trouble)])

    def _save(self) -> None:
        draft = self._path.with_suffix(".tmp")
        draft.write_text(json.dumps(self._heard))
        draft.replace(self._path)


@contextmanager
def responding(zone: str, address: str, journal: Journal, keys: Keys) -> Iterator[None]:
    """A responder for ``zone`` at ``HOST:PORT`` in a thread of its own. Raises InputError, and
    UnavailableError when the address cannot be had (port 53 needs CAP_NET_BIND_SERVICE)."""
    responder = Responder(zone, journal, keys)
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    if not host or not port.isdecimal() or int(port) > 65_535:
        raise InputError(f"--sos-listen {address!r}: write HOST:PORT, for example 192.0.2.1:53")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as bound:
        try:
            bound.bind((host, int(port)))
        except OSError as error:
            raise UnavailableError(f"--sos-listen {address}: {error.strerror}") from error
        thread = threading.Thread(target=responder.run, args=(bound,), name="sos")
        thread.start()
        try:
            yield
        finally:
            responder.stop()
            thread.join()


def _load(path: Path) -> dict[str, dict[str, int]]:
    try:
        found = json.loads(path.read_bytes())
        return {
            str(key): {str(b): int(u) for b, u in boots.items()} for key, boots in found.items()
        }
    except FileNotFoundError:
        return {}
    except (ValueError, AttributeError) as error:
        _log.warning("%s is damaged (%s): what was heard before may be heard again", path, error)
        return {}


def _question(data: bytes) -> tuple[str, int, int] | None:
    """The name (lower case), the type and the end of the one question of a query."""
    if not _HEADER.size < len(data) <= QUERY_BYTES_MAX:
        return None
    _, flags, questions, answers, _, _ = _HEADER.unpack_from(data)
    if flags & 0xF800 or questions != 1 or answers:  # a response, or not a standard query
        return None
    labels, at = [], _HEADER.size
    while at < len(data) and data[at]:
        if data[at] > 63:  # a question has nothing to point to
            return None
        labels.append(data[at + 1 : at + 1 + data[at]])
        at += 1 + data[at]
    if at + 5 > len(data):
        return None
    kind, group = struct.unpack_from(">HH", data, at + 1)
    if group != 1:
        return None
    return b".".join(labels).decode("latin-1").lower(), kind, at + 5


def _record(zone: str, data: bytes, kind: int, content: bytes) -> bytes:
    """A record of the name in the question, or of its end ``zone``; it lives for no time at all."""
    labels = _question(data)
    skipped = len(labels[0]) - len(zone) if labels and zone else 0
    return (
        struct.pack(">HHHIH", 0xC000 | (_HEADER.size + skipped), kind, 1, 0, len(content)) + content
    )


def _reply(data: bytes, end: int, code: int, answer: bytes = b"", authority: bytes = b"") -> bytes:
    """A response with authority; the question is echoed as it was spelled."""
    (number, flags) = struct.unpack_from(">HH", data)
    head = _HEADER.pack(
        number, 0x8400 | (flags & 0x0100) | code, 1, bool(answer), bool(authority), 0
    )
    return head + data[_HEADER.size : end] + answer + authority
