"""What each kind of look must be told beyond its target: one small value per kind.

Law: a setting has a default that is right almost everywhere, or none at all; a secret is never a
setting, only the name of the file that holds it on the probe.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class PathMethod(StrEnum):
    """With what a path is traced: what the network lets through differs."""

    UDP = "udp"
    ICMP = "icmp"
    TCP = "tcp"


@dataclass(frozen=True, slots=True)
class Tcp:
    """Does the port accept a connection?"""

    port: int


@dataclass(frozen=True, slots=True)
class Tls:
    """Would a browser trust what it meets there, and for how many days more?

    ``server_name`` is what the certificate must name (None: the address as it was written);
    ``ca_file`` is a PEM file of the only authorities to trust (None: the system's).
    """

    port: int = 443
    server_name: str | None = None
    ca_file: str | None = None


@dataclass(frozen=True, slots=True)
class Http:
    """Does the page come, and is it the right one?

    ``status``: the only good status (None: any 2xx); ``body_contains``: text that must stand in the
    first 128 KiB; ``redirects``: how many are followed; ``address``: connect there and not to what
    the name resolves to (a look *through* one server of several).
    """

    url: str
    status: int | None = None
    body_contains: str | None = None
    redirects: int = 5
    ca_file: str | None = None
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Dns:
    """Does the resolver answer, and does it tell the truth?

    ``trusted`` is the address of a resolver that is asked by another path (over TLS, RFC 7858, when
    ``trusted_name`` names its certificate); ``expected`` are the addresses that the name is known
    to have. Without both nothing is compared. ``missing_below``: a random name under this domain
    must not exist (NXDOMAIN rewriting); empty: not asked.
    """

    name: str
    record: str = "A"
    port: int = 53
    trusted: str | None = None
    trusted_port: int | None = None
    trusted_name: str | None = None
    expected: tuple[str, ...] = ()
    missing_below: str = "example.com"


@dataclass(frozen=True, slots=True)
class Captive:
    """Is there internet beyond the portal? ``url`` answers 204 with no body when there is;
    ``quota_words`` on a portal's page or in its address mean that a quota is used up or unpaid."""

    url: str
    quota_words: tuple[str, ...] = ("kuota", "quota", "habis", "isi ulang", "top up", "expired")


@dataclass(frozen=True, slots=True)
class Rtsp:
    """Does the camera speak? Its password stands in ``password_file`` on the probe."""

    port: int = 554
    path: str = "/"
    user: str | None = None
    password_file: str | None = None


@dataclass(frozen=True, slots=True)
class Path:
    """By which routers, and with how large a packet? ``port`` is for UDP and TCP."""

    method: PathMethod = PathMethod.UDP
    port: int = 33434
    hops_max: int = 30
    mtu_max_bytes: int = 1500


@dataclass(frozen=True, slots=True)
class Throughput:
    """How fast is the line, for how few bytes?

    ``url`` is the collector's throughput endpoint. ``month_megabytes`` is all that a calendar month
    may cost (10^6 bytes, both ways); ``test_megabytes`` bounds one direction of one test;
    ``busy_mbit_s``: when users move more than this, the test waits for another time; ``upstream``
    is what the line hangs on: one test at a time on each. ``key_file`` holds the probe's key.
    """

    url: str
    month_megabytes: float = 300.0
    test_megabytes: float = 20.0
    busy_mbit_s: float = 0.5
    upstream: str | None = None
    key_file: str | None = None
    ca_file: str | None = None
    budget_file: str = "/var/lib/jangkau/throughput.json"


@dataclass(frozen=True, slots=True)
class Starlink:
    """What does the dish say of itself? gRPC-Web is on 9201 since firmware 2026.06.08."""

    port: int = 9201


@dataclass(frozen=True, slots=True)
class Snmp:
    """What does the device itself know? ``credentials`` is the name of an entry in the file of SNMP
    credentials: ``secrets_file`` (None: what JANGKAU_SNMP_SECRETS names)."""

    credentials: str
    secrets_file: str | None = None


Settings = Tcp | Tls | Http | Dns | Captive | Rtsp | Path | Throughput | Starlink | Snmp

SETTINGS: Mapping[str, type[Settings]] = {
    "tcp": Tcp,
    "tls": Tls,
    "http": Http,
    "dns": Dns,
    "captive": Captive,
    "rtsp": Rtsp,
    "path": Path,
    "throughput": Throughput,
    "starlink": Starlink,
    "snmp": Snmp,
}
"""The settings that a check of each kind carries. ``ping`` and ``device`` have none."""

INTERVAL_SECONDS: Mapping[str, int] = {"tls": 3600, "path": 3600, "throughput": 21_600}
"""How often a kind looks where nothing is said; every other kind as often as its site."""

TIMEOUT_SECONDS: Mapping[str, float] = {"path": 40.0, "throughput": 60.0, "snmp": 20.0}
"""How long a look may take where nothing is said."""
USUAL_TIMEOUT_SECONDS = 10.0

MEASURED_AS: Mapping[str, str] = {"snmp": "device"}
"""Kinds that bring the same evidence as another kind are kept under its name: a device's uptime is
a device's uptime, whether its own probe says it or its SNMP agent."""

METERED_FACTOR: Mapping[str, int] = {"snmp": 6}
"""How much less often a kind looks by itself where the line is paid by volume."""

NO_ADDRESS = frozenset({"http", "captive", "throughput"})
"""Kinds whose target stands in their settings: their address may be left out."""
