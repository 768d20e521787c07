"""The connection to the collector: HTTP/1.1 kept open, over TLS that is always verified.

Law: plain HTTP goes to this machine alone; verification cannot be turned off, only narrowed to an
authority of one's own; redirects are not followed and proxies not asked, so the key goes nowhere
else.
"""

import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from model.errors import InputError
from probes.http_answer import Answers
from probes.meter import CLOSING_BYTES, tcp_bytes
from probes.receipt import Reply

WRITE_PATH = "/api/v2/write?precision=ms"
PACKED_PATH = "/api/v1/batch"
IDLE_SECONDS_MAX = 330
"""The collector closes a connection that was idle so long, and many a carrier's NAT has forgotten
it by then: a new one with a resumed session costs less than finding that out."""
_NO_CHECK_TIME = 0x200000
"""X509_V_FLAG_NO_CHECK_TIME of OpenSSL: chain and name are verified, the dates are left to us."""


class Link:
    """``post`` is what ``Uplink`` sends with. Raises InputError for a URL that is not allowed.

    ``clamp_ms`` says the earliest that it can be while the system's clock is before that (see
    ``KnownTime``), otherwise None.
    """

    def __init__(
        self,
        url: str,
        key: str,
        *,
        version: str,
        ca_file: Path | None = None,
        timeout_seconds: float = 30.0,
        clamp_ms: Callable[[], int | None] = lambda: None,
    ) -> None:
        parts = urlsplit(url)
        try:
            port = parts.port
        except ValueError:
            raise InputError(f"collector {url!r}: the port must be a number up to 65535") from None
        plain = all("!" <= character <= "~" for character in url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or not plain:
            raise InputError(f"collector {url!r}: write it as https://host or https://host:port")
        if parts.username is not None:
            raise InputError("collector: the URL holds a user name; the key belongs in a file")
        if parts.scheme == "http" and not _is_loopback(parts.hostname):
            raise InputError(
                f"collector {url!r}: plain http is for this machine alone, use https:// (a key and"
                " a village's data would travel in the open)"
            )
        self._base = parts.path.rstrip("/")
        self._version = version
        self.use_key(key)
        self._connection: _Plain
        if parts.scheme == "https":
            self._connection = _Verified(parts.hostname, port, timeout_seconds, ca_file, clamp_ms)
        else:
            self._connection = _Plain(parts.hostname, port, timeout_seconds)
        self._used_at = 0.0
        self._aborted = False
        self._counted: tuple[socket.socket | None, int] = (None, 0)
        self.wire_bytes = 0

    def use_key(self, key: str) -> None:
        """Send this key from now on (rotation); an empty one: none, for the enrolment."""
        self._key = {"Authorization": f"Token {key}"} if key else {}

    def post(self, body: bytes, headers: Mapping[str, str]) -> Reply:
        """Send a write request. Raises OSError when no whole answer came back."""
        return self.ask("POST", WRITE_PATH, body, headers)

    def post_packed(self, body: bytes) -> Reply:
        """Send a packed batch (``probes/packing.py``), with no header that it can do without."""
        return self._ask("POST", PACKED_PATH, body, self._key)

    def ask(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        """Send a request. Raises OSError when no whole answer came back."""
        about = {"User-Agent": f"jangkau/{self._version}"}
        return self._ask(method, path, body, {**headers, **about, **self._key})

    def _ask(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        """A kept connection that the server has closed in the meantime is no failure: one more try
        is made on a new one."""
        if time.monotonic() - self._used_at > IDLE_SECONDS_MAX:
            self.close()
        kept = self._connection.sock is not None
        try:
            return self._exchange(method, path, body, headers)
        except ConnectionError:
            if not kept or self._aborted:
                raise
        return self._exchange(method, path, body, headers)

    def abort(self) -> None:
        """End the exchange that another thread is in; later ones fail at once."""
        self._aborted = True
        sock = self._connection.sock
        if sock is not None:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:  # it is down already: what we wanted
                return

    def reopen(self) -> None:
        """Allow exchanges again after ``abort``; call it when no thread is in one."""
        self.close()
        self._aborted = False

    def close(self) -> None:
        """Close the connection; call it from the thread that posts, or when none does."""
        if self._connection.sock is not None:
            self.wire_bytes += CLOSING_BYTES
        self._connection.close()

    def _exchange(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        if self._aborted:
            raise ConnectionAbortedError("the probe is stopping")
        connection = self._connection
        request = _request(method, connection.name, self._base + path, headers, body)
        try:
            reply, keep = connection.exchange(request)
        except BaseException:
            self._count(len(request))
            connection.close()
            raise
        self._count(len(request))
        self._used_at = time.monotonic()
        connection.keep_session()
        if not keep:
            self.close()
        return reply

    def _count(self, sent_bytes: int) -> None:
        """Add what the exchange cost. Where the kernel does not tell, what we sent is what counts:
        a server that closed the connection has taken the numbers with it."""
        sock = self._connection.sock
        if sock is None:
            return
        before = self._counted[1] if self._counted[0] is sock else 0
        try:
            now = tcp_bytes(sock)
        except OSError:
            now = before + sent_bytes
        self.wire_bytes += now - before
        self._counted = (sock, now)


class _Plain:
    """A connection to one host. Head and body leave in one write: one TLS record, and one packet
    if they fit."""

    scheme_port = 80

    def __init__(self, host: str, port: int | None, timeout_seconds: float) -> None:
        self.host, self.port = host, port or self.scheme_port
        self.timeout_seconds = timeout_seconds
        self.sock: socket.socket | None = None
        self._answers: Answers | None = None
        shown = f"[{host}]" if ":" in host else host
        self.name = shown if self.port == self.scheme_port else f"{shown}:{self.port}"

    def exchange(self, request: bytes) -> tuple[Reply, bool]:
        """Send a request; its answer, and whether the connection can be kept. Raises OSError."""
        if self.sock is None or self._answers is None:
            self.sock = self.connect()
            self._answers = Answers(self.sock, self.timeout_seconds)
        self.sock.settimeout(self.timeout_seconds)
        self.sock.sendall(request)
        return self._answers.read()

    def connect(self) -> socket.socket:
        """A new connection."""
        sock = socket.create_connection((self.host, self.port), self.timeout_seconds)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock

    def keep_session(self) -> None:
        """There is none."""

    def close(self) -> None:
        """Let go of the connection, if there is one."""
        sock, self.sock, self._answers = self.sock, None, None
        if sock is not None:
            sock.close()


class _Verified(_Plain):
    """TLS that resumes its session, and that a clock in 1970 does not keep out."""

    scheme_port = 443

    def __init__(
        self,
        host: str,
        port: int | None,
        timeout_seconds: float,
        ca_file: Path | None,
        clamp_ms: Callable[[], int | None],
    ) -> None:
        self.strict = _context(ca_file)
        self._ca_file = ca_file
        self._clamp_ms = clamp_ms
        self._session: ssl.SSLSession | None = None
        super().__init__(host, port, timeout_seconds)

    def connect(self) -> ssl.SSLSocket:
        """Connect and verify: the chain, the name, and that the certificate has not expired by the
        newest known time. "Not yet valid" says nothing while our clock is only a lower bound: the
        authority that signed the certificate lived when it did."""
        plain = super().connect()
        try:
            return self._verified(plain)
        except BaseException:
            plain.close()
            raise

    def _verified(self, plain: socket.socket) -> ssl.SSLSocket:
        earliest_ms = self._clamp_ms()
        context = self.strict
        if earliest_ms is not None:  # made when needed: the authorities take megabytes
            context = _context(self._ca_file)
            context.verify_flags |= ssl.VerifyFlags(_NO_CHECK_TIME)
        session = self._session if earliest_ms is None else None
        sock = context.wrap_socket(plain, server_hostname=self.host, session=session)
        if earliest_ms is not None:
            certificate = sock.getpeercert() or {}
            ends_seconds = ssl.cert_time_to_seconds(str(certificate["notAfter"]))
            if ends_seconds * 1000 < earliest_ms:
                sock.close()
                raise ssl.SSLCertVerificationError(
                    "the certificate expired before the newest time that this device knows"
                )
        return sock

    def keep_session(self) -> None:
        """Remember the session, so that the next handshake is a short one (RFC 8446 2.2). The
        ticket comes with the first answer at the latest."""
        if isinstance(self.sock, ssl.SSLSocket) and self.sock.context is self.strict:
            self._session = self.sock.session


def _request(method: str, host: str, path: str, headers: Mapping[str, str], body: bytes) -> bytes:
    """A whole request. Raises ValueError for a value that would be a line of its own."""
    fields = {"Host": host, **headers}
    if body or method != "GET":
        fields["Content-Length"] = str(len(body))
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
    if any(not line.isprintable() for line in lines):
        raise ValueError("a header that is not printable")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def _context(ca_file: Path | None) -> ssl.SSLContext:
    """One that verifies chain, name and dates."""
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        raise InputError(f"CA file {ca_file}: {error}; it must be PEM") from None


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
