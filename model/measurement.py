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
    TARGET_DOWN = "target down"
    NOT_LOOKED = "not looked"
    DEADLINE = "deadline"
    BUDGET = "budget"
    BUG = "bug"
    SPOOL_OVERFLOW = "spool overflow"
    PROBE_SILENT = "probe silent"
    PROBE_WITHOUT_POWER = "probe without power"
    COLLECTOR_BLIND = "collector blind"
    NOT_IN_SERVICE = "not in service"
    REFUSED = "connection refused"
    NAME_NOT_FOUND = "name not found"
    NAME_NOT_RESOLVED = "name not resolved"
    BAD_ANSWER = "bad answer"
    BAD_REDIRECT = "bad redirect"
    TLS_FAILED = "TLS failed"
    CERTIFICATE_EXPIRED = "certificate expired"
    CERTIFICATE_NOT_YET_VALID = "certificate not yet valid"
    CERTIFICATE_NAME = "certificate for another name"
    CERTIFICATE_UNTRUSTED = "certificate not trusted"
    WRONG_STATUS = "wrong status"
    WRONG_BODY = "wrong body"
    TAMPERED = "answer tampered with"
    CAPTIVE_PORTAL = "captive portal"
    QUOTA = "quota used up"
    WRONG_PASSWORD = "wrong password"  # noqa: S105 - what a camera says, no password of ours
    LINE_IN_USE = "line in use"
    OBSTRUCTED = "dish obstructed"
    BELOW = "below: "
    """And the broken rung: what lies above it proves nothing by its silence."""


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
    "clock_error_seconds": Metric(
        "s", "by how much the time of this look may be off, either way; absent: under two seconds"
    ),
    "clients": Metric("1", "Wi-Fi clients, counted and never listed", whole=True),
    "dhcp_leases": Metric("1", "addresses that the router has lent out", whole=True),
    "cpu_share": Metric("1", "load of the processor, 0 to 1"),
    "load_average": Metric("1", "processes that run or wait to run, one minute's mean"),
    "memory_used_share": Metric("1", "main memory in use, 0 to 1"),
    "temperature_celsius": Metric("°C", "temperature of the board or its processor"),
    "supply_watts": Metric("W", "power that the device takes"),
    "battery_charge_share": Metric("1", "charge of a UPS battery, 0 to 1"),
    "battery_volts": Metric("V", "voltage of a UPS battery"),
    "battery_left_seconds": Metric("s", "how long a UPS expects to carry its load"),
    "battery_celsius": Metric("°C", "temperature of a UPS battery"),
    "mains_volts": Metric("V", "mains voltage at a UPS, the highest phase"),
    "interfaces_up": Metric("1", "ports that are up", whole=True),
    "interfaces_down": Metric("1", "ports that are meant to be up and are not", whole=True),
    "interface_change_seconds": Metric("s", "time since a port last went up or down"),
    "interface_index": Metric("1", "ifIndex of the port that a trap tells of", whole=True),
    "in_bits_per_second": Metric("bit/s", "received on the uplink port"),
    "out_bits_per_second": Metric("bit/s", "sent on the uplink port"),
    "utilisation_share": Metric("1", "busier direction of the uplink, of the port's speed"),
    "in_errors_per_second": Metric("1/s", "damaged packets received, all ports"),
    "out_errors_per_second": Metric("1/s", "packets not sent because of errors, all ports"),
    "in_discards_per_second": Metric("1/s", "received packets dropped unharmed, all ports"),
    "out_discards_per_second": Metric("1/s", "packets dropped before sending, all ports"),
    "signal_dbm": Metric("dBm", "signal of a radio line, the weakest"),
    "noise_dbm": Metric("dBm", "noise floor of a radio, the highest"),
    "link_quality_share": Metric("1", "quality of a radio line, 0 to 1, the worst"),
    "channel_used_share": Metric("1", "share of air time in use, the busiest radio"),
    "lte_rssi_dbm": Metric("dBm", "received signal strength of a cellular modem"),
    "lte_rsrp_dbm": Metric("dBm", "reference signal received power"),
    "lte_rsrq_db": Metric("dB", "reference signal received quality"),
    "lte_sinr_db": Metric("dB", "signal to interference and noise ratio"),
    "optical_rx_dbm": Metric("dBm", "optical power received"),
    "poe_ports_on": Metric("1", "ports that feed a device by PoE", whole=True),
    "poe_watts": Metric("W", "power fed by PoE"),
    "resolve_seconds": Metric("s", "name resolved, all redirects together"),
    "connect_seconds": Metric("s", "TCP connection made, all redirects together"),
    "tls_seconds": Metric("s", "TLS handshake, all redirects together"),
    "first_byte_seconds": Metric("s", "from the request to the first byte of the answer"),
    "transfer_seconds": Metric("s", "from the first byte of the answer to its last"),
    "http_status": Metric("1", "status code of the last answer (RFC 9110)", whole=True),
    "http_redirects": Metric("1", "redirects that were followed", whole=True),
    "body_bytes": Metric("B", "bytes of the body that were read", whole=True),
    "certificate_days": Metric("d", "until the certificate expires; negative when it has"),
    "dns_seconds": Metric("s", "from the question to the resolver's answer"),
    "dns_answers": Metric("1", "records in the answer", whole=True),
    "dns_tampered": Metric("1", "1 when the answer contradicts the trusted one", whole=True),
    "dns_nxdomain_rewritten": Metric(
        "1", "1 when a name that does not exist was given an address", whole=True
    ),
    "captive_state": Metric("1", "0 free, 1 portal, 2 quota page", whole=True),
    "rtsp_status": Metric("1", "status code of the last RTSP answer (RFC 7826)", whole=True),
    "hop_count": Metric("1", "hops on the way, up to the last that spoke", whole=True),
    "path_id": Metric("1", "48 bits of a hash of the addresses on the way", whole=True),
    "path_changed": Metric("1", "1 when the way differs from that of the last look", whole=True),
    "path_mtu_bytes": Metric("B", "largest IP packet that reached the target", whole=True),
    "mtu_black_hole": Metric("1", "1 when larger packets vanish without a word", whole=True),
    "download_mbit_s": Metric("Mbit/s", "toward the site"),
    "upload_mbit_s": Metric("Mbit/s", "from the site"),
    "download_error_share": Metric("1", "half width of the 95 % interval, relative"),
    "upload_error_share": Metric("1", "half width of the 95 % interval, relative"),
    "test_bytes": Metric("B", "what a throughput test cost, both ways", whole=True),
    "dish_ping_drop_share": Metric("1", "pings lost between dish and point of presence, 0 to 1"),
    "dish_ping_seconds": Metric("s", "round trip between dish and point of presence"),
    "dish_obstructed_share": Metric("1", "share of the sky that is obstructed, 0 to 1"),
    "dish_obstructed": Metric("1", "1 while something is in the way", whole=True),
    "dish_alerts": Metric("1", "number of alerts that are raised", whole=True),
    "dish_firmware": Metric("1", "date of the firmware, YYYYMMDD", whole=True),
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
