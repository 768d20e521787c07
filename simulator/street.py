"""A street of services: real servers on loopback addresses, each in one state that is known.

Law: every stall answers real packets with the real protocol, and its truth, what a look at it has
to find, stands beside it. Nothing here is asked twice whether it is well: it is as it was made.
"""

import secrets
import ssl
from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from model.check import ServiceCheck
from model.kinds import NO_ADDRESS, Captive, Dns, Http, Rtsp, Settings, Starlink, Throughput, Tls
from model.measurement import Outcome, Reason, Rung, Vantage
from model.site import Site
from simulator.dish import Dish
from simulator.services import (
    Handler,
    Resolver,
    camera,
    free_internet,
    page,
    portal,
    resolving,
    serving,
)
from simulator.shaper import shaped

TRUTH = "services.jsonl"
_FIRST = IPv4Address("127.62.0.1")
PORT = 18_080
_NAME, _TRUE, _FALSE = "siap.khayal.example", "192.0.2.80", "198.51.100.66"
_SLOW_SECONDS = 2.0
_TIMEOUT_SECONDS = 4.0
_TEST_SECONDS = 15.0
_USER = "jangkau"
_UP = Outcome.UP
NARROW_MBIT_S = 4.0
_OBSTRUCTED = 6  # DishOutage.Cause

Server = Handler | Resolver | None
"""A TCP server's handler, a resolver on UDP, or nobody at all."""


@dataclass(frozen=True)
class Stall:
    """One server and the truth about it. ``certificate`` is the file of its certificate and key."""

    id: str
    kind: str
    settings: Settings
    server: Server
    outcome: Outcome
    reason: str = ""
    address: str = ""
    port: int = PORT
    certificate: Path | None = None

    @property
    def says(self) -> str:
        """What a look at it says, in words."""
        return f"{self.outcome.name} {self.reason}".rstrip()


def street(
    folder: Path, port: int = PORT, collector: tuple[str, int, Path] | None = None
) -> tuple[Stall, ...]:
    """All stalls, one for each state, all on one port of their own addresses; certificates and a
    camera's password are written into ``folder``, which must exist. With the host, the port and the
    key file of a ``collector`` there is a narrow line to it, to be measured."""
    made = _Maker(folder, datetime.now(UTC), port)
    up, down = _UP, Outcome.DOWN
    body = b"siap\n"
    lying = {_NAME: _FALSE}
    names = {_NAME: _TRUE}
    page_of_502 = page(b"rusak", status="502 Bad Gateway")
    dish = Dish(outage_cause=_OBSTRUCTED, obstructed=True, obstructed_share=0.3)
    made.http("page-good", page(body), up)
    made.http("page-slow", page(body, first_byte_seconds=_SLOW_SECONDS), up)
    made.http("page-half-dead", page(body, stalls_after_bytes=2), down, Reason.NO_ANSWER)
    made.http("page-error", page_of_502, down, f"{Reason.WRONG_STATUS} 502")
    made.http("page-wrong", page(b"lain"), down, Reason.WRONG_BODY)
    made.http("page-refused", None, down, Reason.REFUSED)
    made.tls("certificate-good", 60, up)
    made.tls("certificate-ends-soon", 5, up)
    made.tls("certificate-expired", -1, down, Reason.CERTIFICATE_EXPIRED)
    made.captive("hotspot-free", free_internet(), up)
    made.captive("hotspot-portal", portal(), down, Reason.CAPTIVE_PORTAL)
    made.captive("hotspot-quota", portal(quota=True), down, Reason.QUOTA)
    made.dns("resolver-honest", Resolver(names), up)
    made.dns("resolver-lies", Resolver(names, lies=lying), down, Reason.TAMPERED)
    made.dns("resolver-rewrites", Resolver(names, rewrites_to=_FALSE), up)
    made.rtsp("camera-good", camera(_USER, made.password), up)
    made.rtsp("camera-wrong-password", camera(_USER, "lain"), down, Reason.WRONG_PASSWORD)
    made.rtsp("camera-off", None, down, Reason.REFUSED)
    made.stall("dish-good", "starlink", Starlink(port), Dish().handler(), up)
    made.stall(
        "dish-obstructed",
        "starlink",
        Starlink(port),
        dish.handler(),
        down,
        f"dish: {Reason.OBSTRUCTED}",
    )
    if collector is not None:
        made.narrow(*collector)
    return tuple(made.stalls)


def checks(stalls: Iterable[Stall], sites: Sequence[Site], seconds: int) -> list[ServiceCheck]:
    """The centre's looks at the stalls every so many seconds, each as the service of a site of its
    own. Raises IndexError with fewer sites than stalls."""
    return [
        ServiceCheck(
            id=stall.id,
            kind=stall.kind,
            rung=Rung.APPLICATION,
            vantage=Vantage.CENTRE,
            address=None if stall.kind in NO_ADDRESS else stall.address,
            settings=stall.settings,
            sites=frozenset({sites[number].id}),
            interval_seconds=seconds,
            timeout_seconds=_TEST_SECONDS if stall.kind == "throughput" else _TIMEOUT_SECONDS,
        )
        for number, stall in enumerate(stalls)
    ]


async def open_street(stalls: Iterable[Stall], stack: AsyncExitStack) -> None:
    """Open every stall that has somebody in it, until the stack is closed. Raises OSError for an
    address that is taken."""
    for stall in stalls:
        if isinstance(stall.server, Resolver):
            await stack.enter_async_context(resolving(stall.server, stall.address, stall.port))
        elif stall.server is not None:
            context = None
            if stall.certificate is not None:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(stall.certificate)
            await stack.enter_async_context(
                serving(stall.server, stall.address, stall.port, context)
            )


class _Maker:
    """Puts stalls side by side, each on the next address."""

    def __init__(self, folder: Path, now: datetime, port: int) -> None:
        self._folder, self._port = folder, port
        self._now = now
        self.stalls: list[Stall] = []
        self.password = secrets.token_urlsafe(12)
        self._password_file = folder / "camera.password"
        self._password_file.write_text(self.password, encoding="ascii")
        self._password_file.chmod(0o600)

    def stall(
        self,
        name: str,
        kind: str,
        settings: Settings,
        server: Server,
        outcome: Outcome,
        reason: str = "",
        certificate: Path | None = None,
    ) -> None:
        address = str(self._address)
        self.stalls.append(
            Stall(name, kind, settings, server, outcome, reason, address, self._port, certificate)
        )

    @property
    def _address(self) -> IPv4Address:
        return _FIRST + len(self.stalls)

    def http(self, name: str, server: Server, outcome: Outcome, reason: str = "") -> None:
        settings = Http(f"http://{self._address}:{self._port}/health", body_contains="siap")
        self.stall(name, "http", settings, server, outcome, reason)

    def captive(self, name: str, server: Server, outcome: Outcome, reason: str = "") -> None:
        settings = Captive(f"http://{self._address}:{self._port}/generate_204")
        self.stall(name, "captive", settings, server, outcome, reason)

    def dns(self, name: str, server: Server, outcome: Outcome, reason: str = "") -> None:
        settings = Dns(_NAME, port=self._port, expected=(_TRUE,))
        self.stall(name, "dns", settings, server, outcome, reason)

    def rtsp(self, name: str, server: Server, outcome: Outcome, reason: str = "") -> None:
        settings = Rtsp(self._port, "/loket", _USER, str(self._password_file.absolute()))
        self.stall(name, "rtsp", settings, server, outcome, reason)

    def tls(self, name: str, days: int, outcome: Outcome, reason: str = "") -> None:
        file = self._certificate(name, self._now + timedelta(days=days))
        settings = Tls(self._port, ca_file=str(file.absolute()))
        self.stall(name, "tls", settings, page(b"siap\n"), outcome, reason, file)

    def narrow(self, host: str, port: int, key_file: Path) -> None:
        """A shaped line to a collector, whose other end measures it."""
        settings = Throughput(
            f"http://{self._address}:{self._port}/api/v1/throughput",
            test_megabytes=2.0,
            busy_mbit_s=1000.0,  # the looks at everybody else are no users of this line
            key_file=str(key_file.absolute()),
            budget_file=str((self._folder / "throughput.json").absolute()),
        )
        self.stall("line-shaped", "throughput", settings, shaped(host, port, NARROW_MBIT_S), _UP)

    def _certificate(self, name: str, ends: datetime) -> Path:
        """A certificate of an authority of its own, for the stall's address, with its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        signed = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(ends - timedelta(days=90))
            .not_valid_after(ends)
            .add_extension(
                x509.SubjectAlternativeName([x509.IPAddress(self._address)]), critical=False
            )
            .sign(key, hashes.SHA256())
        )
        file = self._folder / f"{name}.pem"
        pem = serialization.Encoding.PEM
        plain = serialization.NoEncryption()
        file.write_bytes(
            key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
            + signed.public_bytes(pem)
        )
        file.chmod(0o600)
        return file
