"""Ports: which count, and which of them is the way out of the village.

Law: what is named as the uplink is the uplink; without such a name it is the busiest port.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

OPER_STATUS = "1.3.6.1.2.1.2.2.1.8"
TYPE = "1.3.6.1.2.1.2.2.1.3"
ADMIN_STATUS = "1.3.6.1.2.1.2.2.1.7"
DESCRIPTION = "1.3.6.1.2.1.2.2.1.2"
NAME = "1.3.6.1.2.1.31.1.1.1.1"
ALIAS = "1.3.6.1.2.1.31.1.1.1.18"
SPEED = "1.3.6.1.2.1.2.2.1.5"
HIGH_SPEED = "1.3.6.1.2.1.31.1.1.1.15"
DISCONTINUITY = "1.3.6.1.2.1.31.1.1.1.19"
IF_TABLES = ("1.3.6.1.2.1.2.2.1", "1.3.6.1.2.1.31.1.1.1")
"""ifTable and its augmentation ifXTable: the same rows (RFC 2863)."""

ONCE = (TYPE, ADMIN_STATUS, NAME, ALIAS, DESCRIPTION, HIGH_SPEED, SPEED)
"""What is asked when a device is met, and hourly."""

MOST_PORTS = 64
"""A device with more is a carrier's; its ports are not read, for a part of them would mislead."""
_LOOPBACK, _ADMIN_UP = 24, 1
_AGGREGATES = (53, 131, 135, 136, 161, 209)
"""propVirtual, tunnel, l2vlan, l3ipvlan, ieee8023adLag, bridge: their traffic is another port's."""

_UPLINK = re.compile(r"(?:^|[^a-z])(?:wan|uplink|upstream|internet|pppoe-out|lte|wwan)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Port:
    """One row of ifTable. ``label`` is what people call it."""

    instance: str
    label: str
    counts: bool
    named_uplink: bool
    carries: bool
    speed_bits: float


def ports(instances: Sequence[str], values: Mapping[str, object]) -> dict[str, Port]:
    """The ports by instance, from what ``ONCE`` gave."""
    found = {}
    for instance in instances:
        texts = [_text(values.get(f"{column}.{instance}")) for column in (NAME, ALIAS, DESCRIPTION)]
        kind = values.get(f"{TYPE}.{instance}")
        admin = values.get(f"{ADMIN_STATUS}.{instance}", _ADMIN_UP)
        found[instance] = Port(
            instance=instance,
            label=texts[0] or texts[2] or instance,
            counts=kind != _LOOPBACK and admin == _ADMIN_UP,
            named_uplink=any(_UPLINK.search(text.lower()) for text in texts),
            carries=kind not in _AGGREGATES,
            speed_bits=_speed_bits(instance, values),
        )
    return found


def uplink(found: Mapping[str, Port], bits_per_second: Mapping[str, float]) -> str | None:
    """The instance of the uplink, of those with a rate: one named so, or the busiest port."""
    running = [found[one] for one in bits_per_second if one in found and found[one].counts]
    named = [port for port in running if port.named_uplink]
    choice = named or [port for port in running if port.carries]
    if not choice:
        return None
    return max(choice, key=lambda port: bits_per_second[port.instance]).instance


def _speed_bits(instance: str, values: Mapping[str, object]) -> float:
    """ifHighSpeed, else ifSpeed below its largest number (RFC 2863, 3.1.6); 0: neither is told."""
    megabits, bits = (values.get(f"{column}.{instance}") for column in (HIGH_SPEED, SPEED))
    if isinstance(megabits, int) and megabits > 0:
        return megabits * 1e6
    return float(bits) if isinstance(bits, int) and 0 < bits < 2**32 - 1 else 0.0


def _text(value: object) -> str:
    return value.decode("utf-8", "replace").strip() if isinstance(value, bytes) else ""
