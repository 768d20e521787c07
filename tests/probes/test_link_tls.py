"""TLS is verified, always: also by a device whose clock starts in 1970 (T-03)."""

import ipaddress
import os
import shutil
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from probes.link import Link

ROOT = Path(__file__).parents[2]
NOW = datetime.now(UTC)
DAY = timedelta(days=1)


class Authority:
    """A certificate authority of the test's own."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.file = folder / f"{name}.pem"
        certificate = self._built(
            self.name, self.key, NOW - 900 * DAY, NOW + 900 * DAY
        ).add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        self._write(self.file, certificate)

    def server(self, name: str, begins: datetime, ends: datetime, host: str) -> Path:
        """A file with a key and a certificate for a host."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        path = self.folder / f"{name}.pem"
        alternative = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(host))])
        built = self._built(subject, key, begins, ends).add_extension(alternative, critical=False)
        self._write(path, built)
        text = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        path.write_bytes(path.read_bytes() + text)
        return path

    def _built(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, begins: datetime, ends: datetime
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begins)
            .not_valid_after(ends)
        )

    def _write(self, path: Path, builder: x509.CertificateBuilder) -> None:
        certificate = builder.sign(self.key, hashes.SHA256())
        path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "Server"

    def do_POST(self) -> None:
        self.server.keys.append(self.headers["Authorization"])
        assert isinstance(self.connection, ssl.SSLSocket)
        self.server.resumed.append(bool(self.connection.session_reused))
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Silence: the test says what it expects."""


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, certificate: Path) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate)
        self.keys: list[str] = []
        self.resumed: list[bool] = []

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.server_address[1]}"

    def finish_request(self, request: object, client_address: object) -> None:
        with self.context.wrap_socket(request, server_side=True) as secured:  # type: ignore[call-overload]  # a socket, though typeshed allows a tuple
            super().finish_request(secured, client_address)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that breaks the handshake off is what most of these tests are about."""


@contextmanager
def serving(certificate: Path) -> Iterator[Server]:
    server = Server(certificate)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"), "ours")


def certificate(authority: Authority, kind: str) -> Path:
    """A server's certificate: one good one, and every bad one."""
    begins, ends, host = NOW - DAY, NOW + 90 * DAY, "127.0.0.1"
    if kind == "expired":
        begins, ends = NOW - 800 * DAY, NOW - 500 * DAY
    if kind == "other name":
        host = "127.0.0.2"
    if kind == "wrong CA":
        authority = Authority(authority.folder, "theirs")
    return authority.server(kind.replace(" ", "-"), begins, ends, host)


IN_1970 = """
import sys
from pathlib import Path
from probes.clock import SystemClock
from probes.known_time import KnownTime
from probes.link import Link
clock = SystemClock()
assert clock.wall_ms() < 10**12, clock.wall_ms()
known = KnownTime(Path(sys.argv[1]), clock)
link = Link(sys.argv[2], "k", version="1", ca_file=Path(sys.argv[3]), clamp_ms=known.clamp_ms)
try:
    print(link.post(b"x", {}).status)
except OSError as error:
    print(type(error).__name__)
"""


@pytest.mark.skipif(not shutil.which("faketime"), reason="needs Debian's faketime")
@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        ("good", "204"),
        ("wrong CA", "SSLCertVerificationError"),
        ("other name", "SSLCertVerificationError"),
        ("expired", "SSLCertVerificationError"),
    ],
)
def test_a_device_in_1970(tmp_path: Path, authority: Authority, kind: str, answer: str) -> None:
    """The first handshake of a clock at zero succeeds at once, and no wrong certificate does."""
    with serving(certificate(authority, kind)) as server:
        arguments = [str(tmp_path / "time"), server.url, str(authority.file)]
        command = ["faketime", "-f", "@1970-01-01 00:00:10", sys.executable, "-c", IN_1970]
        done = subprocess.run(
            [*command, *arguments],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=30,
            env={**os.environ, "FAKETIME_DONT_FAKE_MONOTONIC": "1"},
            check=False,
        )
    assert done.stdout.strip() == answer, done.stderr
    assert server.keys == (["Token k"] if kind == "good" else []), "a wrong server saw the key"


@pytest.mark.parametrize("kind", ["wrong CA", "other name", "expired"])
def test_wrong_certificates_get_no_key(authority: Authority, kind: str) -> None:
    """With a clock that is right, the same."""
    with serving(certificate(authority, kind)) as server:
        link = Link(server.url, "k", version="1", ca_file=authority.file)
        with pytest.raises(ssl.SSLCertVerificationError):
            link.post(b"x", {})
    assert server.keys == []


def test_a_second_connection_resumes_the_session(authority: Authority) -> None:
    """After the connection was closed the handshake is a short one: it costs half the bytes."""
    with serving(certificate(authority, "good")) as server:
        link = Link(server.url, "k", version="1", ca_file=authority.file)
        costs = []
        for _ in range(2):
            before = link.wire_bytes
            assert link.post(b"x", {}).status == 204
            costs.append(link.wire_bytes - before)
            link.close()
    assert server.resumed == [False, True]
    assert 500 < costs[1] < 0.8 * costs[0]
