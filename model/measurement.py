"""One look and what came of it.

Law: a look has three outcomes. UP: the target answered. DOWN: we looked properly and it did not
answer. UNKNOWN: we could not look, and ``reason`` says why. No default ever invents an outcome.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum


class Outcome(IntEnum):
    """The three outcomes; the numbers are what files and the wire carry."""

    DOWN = 0
    UP = 1
    UNKNOWN = 2


class Vantage(StrEnum):
    """From where we looked."""

    CENTRE = "centre"
    """The operations centre (or another central probe)."""
    VILLAGE = "village"
    """The site's own probe, looking outward."""


class Rung(StrEnum):
    """What a look was aimed at: the check ladder of a site, from the inside outward.

    ``SITE`` is the site itself as the centre sees it; ``ANCHOR`` is a target by which a vantage
    tells that its *own* line works.
    """

    SITE = "site"
    ANCHOR = "anchor"
    POWER = "power"
    DEVICE = "device"
    LAN = "lan"
    WAN = "wan"
    ISP_GATEWAY = "isp_gateway"
    DNS = "dns"
    NATIONAL = "national"
    INTERNATIONAL = "international"
    APPLICATION = "application"


class Reason:
    """Standard reasons. Text, because probes may report others; these have a meaning to us."""

    NO_ANSWER = "no answer"
    NO_ROUTE = "no route"
    NO_PERMISSION = "no permission"
    SEND_BUFFER_FULL = "send buffer full"
    UNREACHABLE = "host unreachable"
    OWN_LINE_DOWN = "own line down"
    NOT_LOOKED = "not looked"
    DEADLINE = "deadline"
    BUDGET = "budget"
    BUG = "bug"
    SPOOL_OVERFLOW = "spool overflow"
    PROBE_SILENT = "probe silent"
    PROBE_WITHOUT_POWER = "probe without power"
    COLLECTOR_BLIND = "collector blind"
    NOT_IN_SERVICE = "not in service"


@dataclass(frozen=True, slots=True)
class Metric:
    """What a reading means: its unit and a sentence."""

    unit: str
    description: str
    whole: bool = False


METRICS: Mapping[str, Metric] = {
    "sent": Metric("1", "echo requests sent in this look", whole=True),
    "received": Metric("1", "of these, answered in time", whole=True),
    "duplicates": Metric("1", "answers that came twice", whole=True),
    "late": Metric("1", "answers that came after the time-out", whole=True),
    "rtt_min_seconds": Metric("s", "shortest round-trip time"),
    "rtt_median_seconds": Metric("s", "median round-trip time"),
    "rtt_p95_seconds": Metric("s", "95th percentile of the round-trip times"),
    "rtt_max_seconds": Metric("s", "longest round-trip time"),
    "jitter_seconds": Metric("s", "mean difference of consecutive round-trip times"),
    "uptime_seconds": Metric("s", "time since the device started"),
    "boot_id": Metric("1", "random number drawn at each start of the device", whole=True),
    "boot_reason": Metric(
        "1", "0 not known, 1 power returned, 2 watchdog or crash, 3 planned restart", whole=True
    ),
    "supply_volts": Metric("V", "supply voltage of the device"),
    "on_battery": Metric("1", "1 while a UPS or battery carries the load", whole=True),
    "gap_seconds": Metric("s", "length of a stretch that was measured but dropped from a spool"),
    "gap_looks": Metric("1", "number of looks in such a stretch", whole=True),
    "clients": Metric("1", "Wi-Fi clients, counted and never listed", whole=True),
}
"""Every reading that the archive keeps in a column of its own, by name. A name carries its unit."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """One look: who (site), from where (vantage), how (kind), at what (target), when and what.

    ``at_ms`` is the time at which the look began, in milliseconds since the Unix epoch.
    ``kind`` is a key of the probe's table of looks (``ping``, ``device``, ``dns`` ...);
    ``target`` is a Rung, or a Rung and a name where a site has several (``application:siap``).
    """

    site: str
    vantage: str
    kind: str
    target: str
    at_ms: int
    outcome: Outcome
    readings: Mapping[str, float] = field(default_factory=dict)
    reason: str = ""
