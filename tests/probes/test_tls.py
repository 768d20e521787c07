"""Certificates as OpenSSL's own server shows them: good, expired, of another name, self-signed."""

import asyncio
import socket
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from model.kinds import Http, Tcp, Tls
from model.measurement import Outcome, Reason
from simulator.services import page, serving
from tests.probes.looking import Look, look, look_at

Maker = Callable[..., Path]


class Authority:
    """A certificate authority of our own, which signs whatever it is asked to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Jangkau test")])
        own = self._signed(self.name, self.key.public_key(), -1, 900, names=None)
        self.file = folder / "ca.pem"
        self.file.write_bytes(own.public_bytes(serialization.Encoding.PEM))

    def _signed(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePublicKey,
        start: float,
        end: float,
        names: list[str] | None,
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + timedelta(days=start))
            .not_valid_after(now + timedelta(days=end))
            .add_extension(x509.BasicConstraints(ca=names is None, path_length=None), True)
        )
        if names is not None:
            listed = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
            builder = builder.add_extension(listed, False)
        return builder.sign(self.key, hashes.SHA256())

    def server(self, name: str, start_days: float, end_days: float) -> Path:
        """A PEM file with key and certificate of a server."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        signed = self._signed(subject, key.public_key(), start_days, end_days, [name])
        file = self.folder / f"{name}{start_days}{end_days}.pem"
        file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + signed.public_bytes(serialization.Encoding.PEM)
        )
        return file


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def s_server() -> Iterator[Callable[[Path], int]]:
    """Start ``openssl s_server`` with a certificate; gives its port."""
    running = []

    def start(pem: Path) -> int:
        command = ["openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", str(pem), "-key"]
        command += [str(pem), "-www"]
        server = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        running.append(server)
        assert server.stdout is not None
        for line in server.stdout:
            if line.startswith("ACCEPT"):
                return int(line.rpartition(":")[2])
        raise AssertionError("openssl s_server did not start")

    yield start
    for server in running:
        server.terminate()
        server.wait()
        assert server.stdout is not None
        server.stdout.close()


@pytest.mark.parametrize(
    ("name", "start", "end", "reason"),
    [
        ("siap.example", -1, 30, ""),
        ("siap.example", -30, -2, Reason.CERTIFICATE_EXPIRED),
        ("siap.example", 3, 30, Reason.CERTIFICATE_NOT_YET_VALID),
        ("other.example", -1, 30, Reason.CERTIFICATE_NAME),
    ],
)
def test_certificates(
    authority: Authority,
    s_server: Callable[[Path], int],
    name: str,
    start: int,
    end: int,
    reason: str,
) -> None:
    """Each certificate is judged as a browser would; its days are read even when it is refused."""
    port = s_server(authority.server(name, start, end))
    seen = asyncio.run(look(Tls(port, "siap.example", str(authority.file))))
    assert seen.reason == reason
    assert seen.outcome is (Outcome.DOWN if reason else Outcome.UP)
    assert seen.readings["certificate_days"] == pytest.approx(end, abs=0.01)


def test_nobody_we_trust(authority: Authority, s_server: Callable[[Path], int]) -> None:
    """A chain to an authority that is not trusted is DOWN; so is the page behind it."""
    port = s_server(authority.server("siap.example", -1, 30))
    seen = asyncio.run(look(Tls(port, "siap.example")))
    assert seen.reason == Reason.CERTIFICATE_UNTRUSTED
    page_seen = asyncio.run(look(Http(f"https://siap.example:{port}/", address="127.0.0.1")))
    assert page_seen.reason == Reason.CERTIFICATE_UNTRUSTED


def test_page_over_tls(authority: Authority, s_server: Callable[[Path], int]) -> None:
    """https goes by the same trust, to the address that the settings name, with its own phase."""
    port = s_server(authority.server("siap.example", -1, 30))
    settings = Http(
        f"https://siap.example:{port}/", address="127.0.0.1", ca_file=str(authority.file)
    )
    seen = asyncio.run(look(settings))
    assert seen.outcome is Outcome.UP
    assert seen.readings["tls_seconds"] > 0


def test_no_tls_there() -> None:
    """A server that speaks something else is DOWN: TLS failed."""

    async def ssh(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-Loket\r\n")
        await writer.drain()

    assert look_at(serving(ssh), Tls).reason == Reason.TLS_FAILED


def test_ca_file_that_is_none(tmp_path: Path) -> None:
    """An authority file that cannot be read is our trouble: UNKNOWN."""
    missing = str(tmp_path / "none.pem")
    seen: Look = look_at(serving(page()), lambda port: Tls(port, ca_file=missing))
    assert seen.outcome is Outcome.UNKNOWN


def test_tcp() -> None:
    """A port that accepts is UP with its time; one that refuses is DOWN."""
    seen = look_at(serving(page()), Tcp)
    assert seen.outcome is Outcome.UP
    assert 0 < seen.readings["connect_seconds"] < 1
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        refused = asyncio.run(look(Tcp(unused.getsockname()[1])))
    assert (refused.outcome, refused.reason) == (Outcome.DOWN, Reason.REFUSED)
