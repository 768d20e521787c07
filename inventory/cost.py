"""What a day of looking costs each line, in packets and bytes, by kind of look.

Law: counted as the line counts: every IP packet whole, both ways, of looks that succeed. What lies
below IP (Ethernet 18, PPPoE 8, cellular tunnels more) comes on top. What only the other side knows,
the size of its answers, is a usual figure here until ``answer_bytes`` says it. A namespace with a
cable holds these figures to what the cable carries (tests/inventory/test_cost.py).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from model.check import Check
from model.inventory import CENTRE_SITE, Inventory
from model.kinds import Captive, Dns, Http, Rtsp, Throughput
from model.measurement import Rung, Vantage
from model.site import Site

DAY_SECONDS = 86_400
_MONTH_DAYS = 30
_SEGMENT_BYTES = 1448
"""Payload of a full TCP segment on Ethernet, time stamps on (RFC 7323)."""
_IP_BYTES = {4: 20, 6: 40}
_UDP_BYTES, _ICMP_BYTES, _TCP_BYTES = 8, 8, 32
_ECHO_BYTES = 16
"""What our echoes carry."""
_OPENING_BYTES = 16
"""The options of SYN and SYN-ACK beyond the time stamps."""
_TLS_ASKS_BYTES = 600
_USUAL_ANSWER_BYTES = {"tls": 4000, "http": 3000, "captive": 200, "rtsp": 700, "starlink": 800}
"""With its headers, in one look. A handshake: two certificates of a chain."""
_USUAL_HOPS, _TRACE_BYTES, _TRACE_ANSWER_BYTES = 12, 40, 68
_MTU_ECHOES_BYTES = (576, 1500)
_SNMP_PAIRS, _SNMP_ASKS_BYTES, _SNMP_ANSWER_BYTES = 3, 800, 1500
_INSIDE = frozenset({Rung.POWER, Rung.DEVICE, Rung.LAN, Rung.WAN})
"""What a village's probe reaches without its line."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Packets and bytes, both directions together. ``reserved_bytes``: what throughput tests may
    take besides, at most; how much they do, only the line's speed decides."""

    packets: int = 0
    bytes: int = 0
    reserved_bytes: int = 0

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(
            self.packets + other.packets,
            self.bytes + other.bytes,
            self.reserved_bytes + other.reserved_bytes,
        )

    def times(self, looks: int) -> "Cost":
        """Of so many looks."""
        return Cost(self.packets * looks, self.bytes * looks, self.reserved_bytes * looks)


def look_cost(check: Check) -> Cost:
    """The cost of one look; nothing for what the device knows of itself."""
    settings = check.settings
    match check.kind:
        case "ping":
            size = _ip_bytes(check.address) + _ICMP_BYTES + _ECHO_BYTES
            return _packets(2 * check.count, size)
        case "dns" if isinstance(settings, Dns):
            return _dns(settings, _ip_bytes(check.address))
        case "path":
            traced = Cost(2 * _USUAL_HOPS, _USUAL_HOPS * (_TRACE_BYTES + _TRACE_ANSWER_BYTES))
            return traced + Cost(2 * len(_MTU_ECHOES_BYTES), 2 * sum(_MTU_ECHOES_BYTES))
        case "device":
            return Cost() if settings is None else _snmp(check)
        case "throughput" if isinstance(settings, Throughput):
            return Cost(reserved_bytes=int(2e6 * settings.test_megabytes))
    return _conversation(check)


def day_cost(check: Check) -> Cost:
    """The cost of a day; a look that begins within the day counts whole. Throughput tests keep a
    month's budget: a day's share of it is all they may take."""
    cost = look_cost(check).times(-(-DAY_SECONDS // check.interval_seconds))
    if isinstance(check.settings, Throughput):
        month = int(check.settings.month_megabytes * 1e6 / _MONTH_DAYS)
        return Cost(reserved_bytes=min(cost.reserved_bytes, month))
    return cost


def day_costs(inventory: Inventory) -> dict[str, dict[str, Cost]]:
    """By the id of the site whose line it is, and by kind of look; every site is there. Under the
    reserved id of the centre stands what is looked at from there and at no site's address."""
    costs: dict[str, defaultdict[str, Cost]] = {
        name: defaultdict(Cost) for name in (CENTRE_SITE, *(site.id for site in inventory.sites))
    }
    for check in inventory.centre_checks():
        site = inventory.by_id.get(check.site)
        line = check.site if site is not None and _aims_at(check, site) else CENTRE_SITE
        costs[line][check.kind] += day_cost(check)
    for site in inventory.sites:
        for check in inventory.village_checks(site) if site.has_probe else ():
            if check.kind != "starlink" and check.target.partition(":")[0] not in _INSIDE:
                costs[site.id][check.kind] += day_cost(check)
    return {name: dict(kinds) for name, kinds in costs.items()}


def total(costs: Iterable[Cost]) -> Cost:
    """The sum."""
    return sum(costs, Cost())


def by_kind(costs: Iterable[Mapping[str, Cost]]) -> dict[str, Cost]:
    """The sums over lines, by kind of look, the dearest first."""
    sums: defaultdict[str, Cost] = defaultdict(Cost)
    for kinds in costs:
        for kind, cost in kinds.items():
            sums[kind] += cost
    return dict(sorted(sums.items(), key=lambda item: (-item[1].bytes, item[0])))


def _aims_at(check: Check, site: Site) -> bool:
    if site.address is None or check.vantage != Vantage.CENTRE:
        return False
    return site.address in (check.address, _host(check))


def _host(check: Check) -> str:
    if isinstance(check.settings, Http | Captive):
        return urlsplit(check.settings.url).hostname or ""
    return check.address


def _conversation(check: Check) -> Cost:
    """Over TCP: opened, answered, closed. Each segment beyond the first of an answer is
    acknowledged by itself, as Linux does at the beginning of a connection."""
    settings, host = check.settings, _host(check)
    asks: list[int] = []
    answer = _USUAL_ANSWER_BYTES.get(check.kind, 0)
    if check.kind == "tls":
        asks = [_TLS_ASKS_BYTES - 80, 80]
    elif isinstance(settings, Http | Captive):
        parts = urlsplit(settings.url)
        asks = [len(f"GET {parts.path or '/'} HTTP/1.1Host: {parts.netloc}") + 52]
        if parts.scheme == "https":
            asks += [_TLS_ASKS_BYTES]
            answer += _USUAL_ANSWER_BYTES["tls"]
    elif isinstance(settings, Rtsp):
        url = f"rtsp://{host}:{settings.port}{settings.path}"
        asks = [len(url) + 51, len(url) + 77] + ([2 * len(url) + 270] if settings.user else [])
    elif check.kind == "starlink":
        asks = [220]
    if check.answer_bytes is not None:
        answer = check.answer_bytes
    return _tcp(_ip_bytes(host), asks, answer) + _resolved(host)


def _tcp(ip_bytes: int, asks: list[int], answer_bytes: int) -> Cost:
    segments = -(-answer_bytes // _SEGMENT_BYTES)
    packets = 6 + (2 if asks else 0) + len(asks) + max(len(asks), segments) + max(0, segments - 1)
    payload = sum(asks) + answer_bytes + _OPENING_BYTES
    return Cost(packets, packets * (ip_bytes + _TCP_BYTES) + payload)


def _resolved(host: str) -> Cost:
    """What finding the address of a name takes: one question to the resolver, one answer."""
    if not host or _version(host):
        return Cost()
    return _question(host, _IP_BYTES[4], answered=True)


def _snmp(check: Check) -> Cost:
    headers = 2 * _SNMP_PAIRS * (_ip_bytes(check.address) + _UDP_BYTES)
    answer = _SNMP_ANSWER_BYTES if check.answer_bytes is None else check.answer_bytes
    return Cost(2 * _SNMP_PAIRS, headers + _SNMP_ASKS_BYTES + answer)


def _dns(settings: Dns, ip_bytes: int) -> Cost:
    """The question, the name that cannot exist, and the trusted resolver."""
    cost = _question(settings.name, ip_bytes, answered=True)
    if settings.missing_below:
        random = f"jangkau-{'0' * 16}.{settings.missing_below}"
        cost += _question(random, ip_bytes, answered=False)
    if settings.trusted is None:
        return cost
    ip_bytes = _ip_bytes(settings.trusted)
    if settings.trusted_name is None:
        return cost + _question(settings.name, ip_bytes, answered=True)
    return cost + _tcp(ip_bytes, [_TLS_ASKS_BYTES, 100], _USUAL_ANSWER_BYTES["tls"] + 100)


def _question(name: str, ip_bytes: int, *, answered: bool) -> Cost:
    """RFC 1035: a header of 12 bytes, the name with its lengths, type and class; an address in the
    answer takes 16 more."""
    message = 12 + len(name) + 2 + 4
    return Cost(2, 2 * (ip_bytes + _UDP_BYTES + message) + (16 if answered else 0))


def _packets(count: int, size: int) -> Cost:
    return Cost(count, count * size)


def _ip_bytes(host: str) -> int:
    """Of the IP header to an address; a name is taken for IPv4 (RFC 791, RFC 8200)."""
    return _IP_BYTES[_version(host) or 4]


def _version(host: str) -> int:
    try:
        return ip_address(host.strip("[]")).version
    except ValueError:
        return 0
