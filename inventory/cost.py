"""What a day of looking costs a site's line, in packets and bytes.

Law: counted as the line counts: IP header, ICMP header and payload, both ways, every echo answered.
What lies below IP (Ethernet 18, PPPoE 8, cellular tunnels more) comes on top; so do looks of other
kinds than ping, whose size the other side decides.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from model.check import Check
from model.inventory import Inventory

IPV4_HEADER_BYTES = 20
"""RFC 791, without options."""
IPV6_HEADER_BYTES = 40
"""RFC 8200."""
ICMP_HEADER_BYTES = 8
"""RFC 792, RFC 4443."""
PAYLOAD_BYTES = 56
"""What probes put into an echo where nothing else is said."""

_DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class DayCost:
    """Of one site, or of all: packets and bytes a day, both directions together."""

    packets: int = 0
    bytes: int = 0

    def __add__(self, other: "DayCost") -> "DayCost":
        return DayCost(self.packets + other.packets, self.bytes + other.bytes)


def check_cost(check: Check) -> DayCost:
    """The cost of one ping check: ``count`` echoes and their answers every ``interval_seconds``;
    a look that begins within the day counts whole."""
    looks = -(-_DAY_SECONDS // check.interval_seconds)
    header = IPV6_HEADER_BYTES if ":" in check.address else IPV4_HEADER_BYTES
    packets = 2 * looks * check.count
    return DayCost(packets, packets * (header + ICMP_HEADER_BYTES + PAYLOAD_BYTES))


def day_costs(inventory: Inventory) -> dict[str, DayCost]:
    """The cost of the operations centre's pings by site id; every site is there, those that
    nothing looks at with nothing. The centre's own anchors are under its reserved id."""
    costs = {site.id: DayCost() for site in inventory.sites}
    for check in inventory.centre_checks():
        if check.kind != "ping":
            continue
        costs[check.site] = costs.get(check.site, DayCost()) + check_cost(check)
    return costs


def total(costs: Iterable[DayCost]) -> DayCost:
    """The sum."""
    return sum(costs, DayCost())
