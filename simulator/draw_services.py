"""What befalls services while their lines work, drawn like the rest.

Law: each state that a service can be in comes at least once, however short the history, where a
site can be in it and anything goes wrong at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from model.inventory import Inventory
from model.site import Site
from simulator.dice import Dice, Rate
from simulator.scenario import Event, Parameter


@dataclass(frozen=True, slots=True)
class _Trouble:
    """A kind of event and how it shows (empty: in one way only), the looks that a site must have to
    be met by it, and how often it is."""

    kind: str
    how: str
    looks: frozenset[str]
    rate: Rate


_PAGE = frozenset({"http"})
_CAMERA = frozenset({"rtsp"})
_TROUBLES = (
    _Trouble("lan_cut", "", frozenset({"ping"}), Rate(0.05, 150, 0.8, 24 * 60)),
    _Trouble("dns_trouble", "dead", frozenset({"dns"}), Rate(0.03, 90, 0.8, 12 * 60)),
    _Trouble("dns_trouble", "lies", frozenset({"dns"}), Rate(0.02, 300, 0.8, 24 * 60)),
    _Trouble("dns_trouble", "rewrites", frozenset({"dns"}), Rate(0.02, 600, 0.8, 48 * 60)),
    _Trouble("portal", "", frozenset({"captive"}), Rate(0.15, 240, 0.8, 24 * 60)),
    _Trouble("quota", "", frozenset({"captive"}), Rate(0.15, 600, 0.8, 72 * 60)),
    _Trouble("service_trouble", "error", _PAGE, Rate(0.03, 90, 0.9, 12 * 60)),
    _Trouble("service_trouble", "refused", _PAGE, Rate(0.02, 60, 0.9, 12 * 60)),
    _Trouble("service_trouble", "half_dead", _PAGE, Rate(0.02, 120, 0.9, 12 * 60)),
    _Trouble("service_trouble", "slow", _PAGE, Rate(0.05, 240, 0.9, 24 * 60)),
    # A certificate is looked at once an hour, and it takes somebody to renew it.
    _Trouble("service_trouble", "certificate", frozenset({"tls"}), Rate(0.01, 900, 0.4, 48 * 60)),
    _Trouble("service_trouble", "error", _CAMERA, Rate(0.05, 120, 0.9, 24 * 60)),
    _Trouble("service_trouble", "refused", _CAMERA, Rate(0.10, 600, 0.9, 48 * 60)),
    _Trouble("service_trouble", "half_dead", _CAMERA, Rate(0.05, 300, 0.9, 24 * 60)),
    _Trouble("deserted", "", frozenset({"captive"}), Rate(0.10, 4000, 0.5, 168 * 60)),
    _Trouble("path_change", "", frozenset({"path"}), Rate(0.20, 900, 0.8, 96 * 60)),
    _Trouble("mtu_black_hole", "", frozenset({"path", "http"}), Rate(0.05, 400, 0.5, 24 * 60)),
    _Trouble("shaped", "", frozenset({"throughput"}), Rate(0.08, 2000, 0.5, 96 * 60)),
    _Trouble("obstruction", "", frozenset({"starlink"}), Rate(0.05, 500, 0.8, 72 * 60)),
)
_OF_ALL = Rate(0.15, 45, 0.7, 4 * 60)
"""Of a page that many sites use: all of them meet it at once, by each of these troubles."""
_HOWS_OF_ALL = ("error", "refused", "half_dead")


def draw_services(dice: Dice, inventory: Inventory) -> list[Event]:
    """The events that befall sites' services, and those that befall a service for all."""
    places = [
        (site, {one.kind for one in inventory.checks if one.concerns(site)})
        for site in inventory.sites
    ]
    events: list[Event] = []
    for trouble in _TROUBLES:
        able = [site for site, looks in places if trouble.looks <= looks]
        drawn = [event for site in able for event in _several(dice, trouble, site.id, "site")]
        if able and not drawn and dice.weeks:
            drawn = [_once(dice, trouble, able)]
        events += drawn
    for check in inventory.checks:
        for how in _HOWS_OF_ALL if check.kind in _PAGE else ():
            events += _several(dice, _Trouble("service_trouble", how, _PAGE, _OF_ALL), check.id)
    return events


def _several(dice: Dice, trouble: _Trouble, target: str, on: str = "service") -> list[Event]:
    drawn = (_one(dice, trouble, target, on) for _ in range(dice.count(trouble.rate.a_week)))
    return [event for event in drawn if event is not None]


def _once(dice: Dice, trouble: _Trouble, able: Sequence[Site]) -> Event:
    """One event, at the first moment drawn that leaves it long enough."""
    event = None
    while event is None:
        event = _one(dice, trouble, able[int(dice.rng.integers(len(able)))].id, "site")
    return event


def _one(dice: Dice, trouble: _Trouble, target: str, on: str) -> Event | None:
    rng = dice.rng
    parameters: dict[str, Parameter] = {"how": trouble.how} if trouble.how else {}
    match trouble.kind:
        case "mtu_black_hole":
            parameters["mtu_bytes"] = float(rng.integers(1200, 1493))
        case "shaped":
            parameters["mbit_s"] = round(float(rng.uniform(0.3, 2)), 2)
        case "obstruction":
            parameters["share"] = round(float(rng.uniform(0.02, 0.15)), 3)
    return dice.event(trouble.kind, on, target, trouble.rate, parameters)
