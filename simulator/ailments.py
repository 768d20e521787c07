"""What ails a service while its line works: names, portals, the village's own network, a server.

Law: as in ``fate.py``, an event becomes a consequence here and nowhere else; truth (``stopped``)
and looks (``ailing``) are read off the same list. What leaves the service usable (a slow page,
another path, a resolver that makes up what does not exist, nobody who comes) stops nothing.
"""

from collections.abc import Iterable
from typing import NamedTuple

from model.check import ServiceCheck
from model.measurement import Rung
from model.outage import Cause
from model.site import Site
from model.timeline import Interval
from simulator.scenario import Event

KINDS = frozenset(
    {
        "lan_cut",
        "dns_trouble",
        "portal",
        "quota",
        "service_trouble",
        "deserted",
        "path_change",
        "mtu_black_hole",
        "shaped",
        "obstruction",
    }
)
"""The kinds of event that this file knows."""

FRONT = frozenset({"http", "tls", "tcp", "rtsp"})
"""Kinds of look at a service itself."""


class Ailing(NamedTuple):
    """One ailment: the event's kind, how (its word, where it has one), the check that it is about
    (empty: all of the site's), and its number: bytes, Mbit/s or a share, where it has one."""

    interval: Interval
    kind: str
    how: str = ""
    check: str = ""
    amount: float = 0.0


_AMOUNTS = {"mtu_black_hole": "mtu_bytes", "shaped": "mbit_s", "obstruction": "share"}


def ailment(event: Event) -> Ailing:
    """What an event of one of KINDS does to every site that it meets."""
    how = event.word("how") if event.kind in ("dns_trouble", "service_trouble") else ""
    check = event.target if event.on == "service" else ""
    amount = event.number(_AMOUNTS[event.kind]) if event.kind in _AMOUNTS else 0.0
    return Ailing(event.interval, event.kind, how, check, amount)


def stops(ailing: Ailing, site: Site, checks: Iterable[ServiceCheck]) -> Cause | None:
    """Why the service of a site cannot be used while this lasts; None where it can, and where
    nobody looks at what is ill. (What cuts the line as well is an outage, and counts as that.)"""
    own = [one for one in checks if one.concerns(site)]
    fronts = [one for one in own if one.rung is Rung.APPLICATION and one.kind in FRONT]
    kinds = {one.kind for one in own}
    match ailing.kind:
        case "lan_cut" if any(one.rung is Rung.LAN for one in own):
            return Cause.LAN
        case "dns_trouble" if "dns" in kinds and ailing.how != "rewrites":
            return Cause.DNS
        case "portal" | "quota" if "captive" in kinds:
            return Cause.CAPTIVE_PORTAL
        case "service_trouble" if ailing.how != "slow" and any(
            befalls(ailing, one) for one in fronts
        ):
            return Cause.SERVICE
        case "mtu_black_hole" if "path" in kinds and any(one.kind == "http" for one in fronts):
            return Cause.UPSTREAM
    return None


def befalls(ailing: Ailing, check: ServiceCheck) -> bool:
    """Whether trouble of a service shows in a look at it. A certificate is seen only where there is
    one; a service that answers wrongly still has its certificate and its open port."""
    if ailing.check not in ("", check.id):
        return False
    encrypted = check.kind == "tls" or getattr(check.settings, "url", "").startswith("https:")
    match ailing.how:
        case "certificate":
            return encrypted
        case "refused":
            return check.kind in FRONT
        case _:
            return check.kind in ("http", "rtsp")
