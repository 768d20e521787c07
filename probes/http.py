"""The kind ``http``: does the page come, how long does each part take, and is it the right page?

Law: phases are measured where they happen, on our own connection. A redirect is followed only to
http and https, never to a link-local address, and from a public server never to a private one; the
address that was checked is the address that is connected to.
"""

import ipaddress
import ssl
import time
from dataclasses import dataclass
from urllib.parse import SplitResult, urljoin, urlsplit

import h11

from model.check import Check
from model.kinds import Http
from model.measurement import Reason
from probes.connect import (
    BODY_BYTES_MAX,
    STREAM_BYTES,
    LookError,
    Readings,
    Resolve,
    Stream,
    bounded,
    connected,
    find,
    plain,
    tls_reason,
    trust,
)
from probes.look import Look

_PORTS = {"http": 80, "https": 443}
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True)
class Answer:
    """The last answer of a fetch; ``location`` is where it points, resolved, or empty."""

    status: int
    location: str
    body: bytes


@dataclass(slots=True)
class _Bytes:
    """How many may still be read in this look, all answers together."""

    left: int = BODY_BYTES_MAX


class HttpProbe:
    """Readings: ``resolve_``, ``connect_``, ``tls_``, ``first_byte_`` and ``transfer_seconds``
    (sums over redirects), ``http_status``, ``http_redirects``, ``body_bytes``."""

    def __init__(self, resolve: Resolve) -> None:
        self._resolve = resolve

    async def __call__(self, check: Check) -> Look:
        settings = check.settings
        if not isinstance(settings, Http):
            raise TypeError(f"{check.key}: an http check carries Http settings")

        async def look(readings: Readings) -> None:
            answer = await fetch(settings, self._resolve, readings)
            if answer.status in _REDIRECTS and answer.location and settings.redirects:
                raise LookError(Reason.BAD_REDIRECT)
            wanted_status = settings.status or answer.status
            if answer.status != wanted_status or not (settings.status or answer.status // 100 == 2):
                raise LookError(f"{Reason.WRONG_STATUS} {answer.status}")
            wanted = settings.body_contains
            if wanted is not None and wanted.encode() not in answer.body:
                raise LookError(Reason.WRONG_BODY)

        return await bounded(check, look)


async def fetch(
    settings: Http, resolve: Resolve, readings: Readings, trail: list[Answer] | None = None
) -> Answer:
    """GET the page and follow its redirects as far as the settings allow; an answer that redirects
    still is given back. ``trail`` gets every answer on the way. Raises LookError, and what
    ``probes.connect.bounded`` knows."""
    url, first_address, public = settings.url, settings.address, False
    budget = _Bytes()
    for hop in range(settings.redirects + 1):
        parts = _split(url)
        address = await find(first_address or parts.hostname or "", resolve, readings)
        if hop:
            _admit(address, from_public=public)
        first_address = None
        public = public or plain(ipaddress.ip_address(address)).is_global
        answer = await _get(parts, address, settings.ca_file, readings, budget)
        if trail is not None:
            trail.append(answer)
        readings["http_status"] = answer.status
        readings["http_redirects"] = hop
        readings["body_bytes"] = len(answer.body)
        if answer.status not in _REDIRECTS or not answer.location:
            break
        url = answer.location
    return answer


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        good = parts.scheme in _PORTS and parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        good = False
    if not good or len(url) > 4096 or not url.isascii() or not url.isprintable() or " " in url:
        raise LookError(Reason.BAD_REDIRECT)
    return parts


def _admit(address: str, *, from_public: bool) -> None:
    """Refuse where a redirect must not lead: RFC 3927, RFC 4291 section 2.5.6, RFC 1918."""
    found = plain(ipaddress.ip_address(address))
    never = found.is_link_local or found.is_multicast or found.is_unspecified
    if never or (from_public and not found.is_global):
        raise LookError(Reason.BAD_REDIRECT)


async def _get(
    parts: SplitResult, address: str, ca_file: str | None, readings: Readings, budget: _Bytes
) -> Answer:
    secure = parts.scheme == "https"
    port = parts.port or _PORTS[parts.scheme]
    context = trust(ca_file) if secure else None
    try:
        async with connected(address, port, readings, context, parts.hostname) as stream:
            return await _exchange(stream, parts, readings, budget)
    except ssl.SSLError as error:
        raise LookError(tls_reason(error)) from None
    except h11.RemoteProtocolError:
        raise LookError(Reason.BAD_ANSWER) from None


async def _exchange(
    stream: Stream, parts: SplitResult, readings: Readings, budget: _Bytes
) -> Answer:
    talk = h11.Connection(h11.CLIENT, max_incomplete_event_size=STREAM_BYTES)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    host = parts.netloc.rpartition("@")[2]
    headers = [("Host", host), ("User-Agent", "jangkau"), ("Connection", "close")]
    request = talk.send(h11.Request(method="GET", target=target, headers=headers))
    begun = time.perf_counter()
    stream.writer.write((request or b"") + (talk.send(h11.EndOfMessage()) or b""))
    first: float | None = None
    head: h11.Response | None = None
    body = bytearray()
    try:
        while True:
            event = talk.next_event()
            if event is h11.NEED_DATA:
                data = await stream.reader.read(min(STREAM_BYTES, budget.left))
                first = time.perf_counter() if first is None else first
                budget.left -= len(data)
                talk.receive_data(data)
            elif isinstance(event, h11.Response):
                head = event
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage):
                break
            if budget.left <= 0:
                break  # enough for every match; what follows is not ours to carry
    finally:
        if first is not None:
            _add(readings, "first_byte_seconds", first - begun)
            _add(readings, "transfer_seconds", time.perf_counter() - first)
    if head is None:
        raise LookError(Reason.BAD_ANSWER)
    found = dict(head.headers)
    location = found.get(b"location", b"").decode("ascii", "replace")
    return Answer(head.status_code, _joined(parts, location), bytes(body))


def _joined(parts: SplitResult, location: str) -> str:
    if not location:
        return ""
    try:
        return urljoin(parts.geturl(), location)
    except ValueError:
        raise LookError(Reason.BAD_REDIRECT) from None


def _add(readings: Readings, name: str, seconds: float) -> None:
    readings[name] = readings.get(name, 0.0) + seconds
