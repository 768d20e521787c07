"""The connection, against real sockets that misbehave (R-05)."""

import gzip
import json
import os
import random
import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from collector.admission import Limits as Admitted
from collector.unpacking import unpack
from model.errors import InputError
from probes.backoff import Backoff
from probes.clock import SystemClock
from probes.http_answer import BODY_MAX_BYTES
from probes.link import PACKED_PATH, Link
from probes.segment import Gap
from probes.spool import Limits, Spool
from probes.uplink import Uplink

FAULTS = int(os.environ.get("JANGKAU_FAULTS", "0"))
KINDS = (
    "none",
    "drop after commit",
    "drop before commit",
    "reset",
    "reset inside the answer",
    "portal",
    "redirect",
    "no content",
    "truncated",
    "rubbish",
    "huge",
    "503",
)


class Handler(BaseHTTPRequestHandler):
    """Keeps what it is sent, and answers as ``server.faults`` says."""

    protocol_version = "HTTP/1.1"
    server: "Server"

    def do_POST(self) -> None:
        fault = self.server.next_fault()
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if fault in ("drop before commit", "reset", "portal", "redirect", "503"):
            self.misbehave(fault, b"")
        elif self.path == PACKED_PATH:
            self.packed(fault, body)
        else:
            named = {name.lower(): value for name, value in self.headers.items()}
            answer = self.server.keep(named, gzip.decompress(body).split(b"\n"))
            if fault == "none":
                self.reply(200, "application/json", answer)
            else:
                self.misbehave(fault, answer)

    def packed(self, fault: str, body: bytes) -> None:
        headers, lines = unpack(body, Admitted())
        answer = self.server.keep(headers, lines)
        short = "{x-jangkau-epoch} {x-jangkau-first}-{x-jangkau-last}".format_map(headers)
        if fault == "none":
            self.reply(200, None, b"", ("Receipt", short))
        elif fault == "truncated":
            self.close_connection = True
            head = f"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nReceipt: {short}"
            self.wfile.write(head[: -1 - len(lines) % len(short)].encode())
        else:
            self.misbehave(fault, answer)

    def misbehave(self, fault: str, answer: bytes) -> None:
        if fault == "portal":
            self.reply(200, "text/html", b"<html>Please log in</html>")
        elif fault == "redirect":
            self.send_response(302)
            self.send_header("Location", "/login")
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif fault == "no content":
            self.send_response(204)
            self.end_headers()
        elif fault == "503":
            self.reply(503, "text/plain", b"later")
        elif fault == "huge":
            self.reply(200, "application/json", b" " * (BODY_MAX_BYTES + 1) + answer)
        else:
            self.close_connection = True
            if fault == "rubbish":
                self.wfile.write(b"\x00\x01nonsense\r\n\r\n")
            if fault in ("truncated", "reset inside the answer"):
                head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                head += f"Content-Length: {len(answer)}\r\n\r\n"
                self.wfile.write(head.encode() + answer[:-1])
            if fault.startswith("reset"):
                linger = struct.pack("ii", 1, 0)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                self.connection.close()

    def reply(
        self, status: int, content_type: str | None, body: bytes, *more: tuple[str, str]
    ) -> None:
        self.send_response(status)
        if content_type:
            self.send_header("Content-Type", content_type)
        for name, value in (("Content-Length", str(len(body))), *more):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def finish(self) -> None:
        if self.connection.fileno() >= 0:  # a reset has closed it already
            super().finish()

    def log_message(self, *_: object) -> None:
        """Silence: the tests say what they expect."""


class Server(ThreadingHTTPServer):
    """A collector on loopback that remembers."""

    daemon_threads = True

    def __init__(self, faults: Iterator[str]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.faults = faults
        self.kept: dict[tuple[str, int], bytes] = {}
        self.seen: list[dict[str, str]] = []
        self.duplicates = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def next_fault(self) -> str:
        return next(self.faults, "none")

    def keep(self, named: dict[str, str], lines: list[bytes]) -> bytes:
        self.seen.append(named)
        first, last = int(named["x-jangkau-first"]), int(named["x-jangkau-last"])
        assert len(lines) == last - first + 1
        for seq, line in enumerate(lines, first):
            self.duplicates += (named["x-jangkau-epoch"], seq) in self.kept
            assert self.kept.setdefault((named["x-jangkau-epoch"], seq), line) == line
        receipt = {
            "probe": named["x-jangkau-probe"],
            "epoch": named["x-jangkau-epoch"],
            "kept": [[first, last]],
            "duplicate": [],
            "rejected": [],
        }
        return json.dumps({"receipt": receipt}).encode()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that we reset is no news."""


@contextmanager
def serving(faults: Iterator[str]) -> Iterator[Server]:
    server = Server(faults)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class SteppedClock(SystemClock):
    """Real clocks; its monotonic one leaps over every wait."""

    leap_ms = 0

    def monotonic_ms(self) -> int:
        return super().monotonic_ms() + SteppedClock.leap_ms


def gap_line(gap: Gap) -> bytes:
    return b"gap"


@pytest.mark.faults
@pytest.mark.parametrize("form", ["plain", "packed"])
def test_faults_on_the_way(tmp_path: Path, form: str) -> None:
    """Some hundred faults of every kind in both forms (2 x 5,000 in the long run): nothing is
    lost, nothing deleted without a receipt."""
    draws = random.Random(11)  # noqa: S311 - which fault comes next, the same at each run
    faults = iter([draws.choice(KINDS) for _ in range(10 * FAULTS or 200)])
    spool = Spool(tmp_path, gap_line, Limits(segment_bytes=3000))
    clock = SteppedClock()
    number = 0
    with serving(faults) as server:
        link = Link(server.url, "secret", version="1")
        packed = link.post_packed if form == "packed" else None
        uplink = Uplink(
            spool,
            link.post,
            clock,
            draws.uniform,
            probe="p-1",
            max_records=20,
            post_packed=packed,
        )
        looks = 38 * FAULTS // 5 * 5 or 750
        for _ in range(50 * FAULTS or 1000):
            if number < looks:
                number += 5
                spool.append([(n, b"line %d" % n) for n in range(number - 4, number + 1)], number)
            known = len(server.kept)
            wait = uplink.step()
            assert spool.pending_records + len(server.kept) >= number >= known
            if wait is None and number == looks:
                break
            SteppedClock.leap_ms += round((wait or 0) * 1000) + 1
        link.close()
    assert next(faults, None) is None, "all faults were met"
    assert sorted(server.kept.values()) == sorted(b"line %d" % n for n in range(1, looks + 1))
    assert server.duplicates > 0
    assert spool.pending_records == 0
    spool.close()


def test_a_connection_too_long_idle_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the collector or a NAT has given up is replaced before something is sent into it."""
    monkeypatch.setattr("probes.link.IDLE_SECONDS_MAX", 0.0)
    with serving(iter(["503"] * 2)) as server:
        link = Link(server.url, "secret", version="1")
        link.post(b"", {})
        first = link._connection.sock
        assert first is not None
        link.post(b"", {})
        assert link._connection.sock is not first
        link.close()


def test_one_connection_is_kept_and_renewed() -> None:
    """Requests share a connection; one that the server closed meanwhile is no failure."""
    with serving(iter(())) as server:
        link = Link(server.url, "secret", version="1.2")
        headers = {"X-Jangkau-Probe": "p", "X-Jangkau-Epoch": "e"}
        numbers = {"X-Jangkau-First": "1", "X-Jangkau-Last": "1"}
        body = gzip.compress(b"x")
        assert link.post(body, headers | numbers).status == 200
        first = link._connection.sock
        assert link.post(body, headers | numbers).status == 200
        assert link._connection.sock is first
        assert first is not None
        first.shutdown(socket.SHUT_RDWR)
        assert link.post(body, headers | numbers).status == 200
        link.close()
    assert server.seen[0]["authorization"] == "Token secret"
    assert server.seen[0]["user-agent"] == "jangkau/1.2"


def test_abort_ends_a_hanging_exchange() -> None:
    """A server that never answers does not hold up the stop."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        link = Link(f"http://127.0.0.1:{listener.getsockname()[1]}", "k", version="1")
        errors: list[Exception] = []

        def hang() -> None:
            try:
                link.post(b"x", {})
            except OSError as error:
                errors.append(error)

        thread = threading.Thread(target=hang)
        thread.start()
        peer, _ = listener.accept()
        with peer:
            peer.recv(1)
            link.abort()
            thread.join(5)
        assert not thread.is_alive()
        assert len(errors) == 1
        with pytest.raises(ConnectionAbortedError):
            link.post(b"x", {})


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("http://collector.example", "plain http is for this machine alone"),
        ("http://192.0.2.1", "plain http is for this machine alone"),
        ("http://localhost.example", "plain http is for this machine alone"),
        ("ftp://127.0.0.1", "write it as https://"),
        ("collector.example", "write it as https://"),
        ("https://", "write it as https://"),
        ("https://x?db=1", "write it as https://"),
        ("https://x:99999", "the port"),
        ("https://me:secret@x", "the key belongs in a file"),
    ],
)
def test_urls_that_are_refused(url: str, message: str) -> None:
    """What would send a key in the open, or nowhere, is refused, without showing a password."""
    with pytest.raises(InputError, match=message) as caught:
        Link(url, "k", version="1")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("url", ["http://127.61.0.1:8086", "http://[::1]:8086", "http://localhost"])
def test_loopback_may_be_plain(url: str) -> None:
    """On this machine plain HTTP is fine."""
    Link(url, "k", version="1")


def test_tls_is_always_verified() -> None:
    """There is no way to an unverified connection, and a file that is no CA is the user's input."""
    context = Link("https://collector.example", "k", version="1")._connection.strict  # type: ignore[attr-defined]  # no public way to it
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    with pytest.raises(InputError, match="CA file"):
        Link("https://collector.example", "k", version="1", ca_file=Path(__file__))


def test_backoff_starts_small() -> None:
    """The first wait of an outage is at most two seconds: a blip costs no liveness."""
    assert Backoff(lambda _, high: high).failed() == 2
