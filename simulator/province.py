"""A province in a box: its register, its sites, their lines and devices; all from one seed.

Law: the same arguments give the same province, on every machine and on every day. Nothing here
reads a clock.
"""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np

from model.definition import Definition
from model.inventory import Anchor, Inventory, Kabupaten, Province
from model.measurement import Rung
from model.region import RegionCode, Register, Village
from model.site import PowerSource, ServiceHours, Site, SiteKind
from simulator.connections import (
    PROVIDERS,
    Network,
    Supply,
    draw_access,
    draw_supplies,
    point_in,
    remoteness,
)
from simulator.geography import Ring
from simulator.land import PROVINCE_CODE, PROVINCE_NAME, TIMEZONE, make_land
from simulator.line import Line, draw_line
from simulator.offers import SERVED, offers

NETWORK = "10.61.0.0/16"
END = date(2026, 11, 16)
"""The day until which a history usually runs, where nothing else is said (a Monday)."""

_OFFICE = ServiceHours.parse("Mon-Fri 07:30-15:30")
_OPEN_LONG = ServiceHours.parse("Mon-Sun 06:00-22:00")
_ALWAYS = ServiceHours.parse("Mon-Sun 00:00-24:00")
_KINDS = (
    ("kantor_desa", "Kantor desa", "Village office", _OFFICE, True, "kd"),
    ("pos_layanan_desa_digital", "Pos Layanan Desa Digital", "Digital post", _OFFICE, True, "pl"),
    ("public_wifi", "Layanan Internet Publik", "Public Wi-Fi", _OPEN_LONG, False, "wifi"),
    ("health_post", "Pos kesehatan", "Health post", _OFFICE, False, "hp"),
    ("disdukcapil", "Disdukcapil", "Civil registry", _OFFICE, True, "dk"),
    ("kantor_camat", "Kantor camat", "Subdistrict office", _OFFICE, True, "kc"),
    ("cctv", "CCTV layanan publik", "Public service camera", _ALWAYS, False, "cctv"),
    ("mpp", "Mal Pelayanan Publik", "Public service mall", _OFFICE, True, "mpp"),
)
_PREFIX = {kind: prefix for kind, *_, prefix in _KINDS}
_NOT_CONNECTED = 0.03
_PROBE_SHARE = 0.70
_TUNNEL_SHARE = 0.40
_BATTERY_SHARE = 0.35
_NEW_SHARE = 0.01
_FIRST_HOST = 256
_MALL = "mpp"
_MALL_LINES = ("a", "b")
_SITES_PER_MALL = 8
"""So many second sites make room for the two lines of one mall."""


@dataclass(frozen=True, slots=True)
class Device:
    """The router of a site. ``battery_seconds`` is how long it lives without power (0: not at all);
    a tunnel lets the centre read its uptime; ``starts_hour`` is when its generator starts."""

    battery_seconds: int
    boot_seconds: int
    has_tunnel: bool
    starts_hour: float


@dataclass(frozen=True)
class SimulatedProvince:
    """What is watched, and what nobody who watches can see: the lines and the devices."""

    seed: int
    inventory: Inventory
    register: Register
    polygons: Mapping[RegionCode, Ring]
    lines: Mapping[str, Line] = field(repr=False)
    devices: Mapping[str, Device] = field(repr=False)
    network: str = NETWORK


def make_province(
    seed: int,
    villages: int = 2145,
    kabupaten: int = 14,
    *,
    end: date = END,
    network: str = NETWORK,
    interval_seconds: int = 300,
    loss_range: tuple[float, float] | None = None,
) -> SimulatedProvince:
    """A fictional province with as many sites as villages (some villages have two, some none).

    ``end`` is the last day of the history it is meant for: a few sites came into service in the
    four weeks before. ``loss_range`` (shares) overrides the background loss of all lines.
    Raises ValueError when the network is too small or the numbers do not fit.
    """
    rng = np.random.default_rng([seed, 1])
    land = make_land(rng, villages, kabupaten, version=f"SIMULASI-{seed}")
    return _furnish(
        rng,
        seed,
        Province(PROVINCE_CODE, PROVINCE_NAME, TIMEZONE),
        land.kabupaten,
        land.register,
        land.polygons,
        (end, network, interval_seconds, loss_range),
    )


def from_register(
    register: Register,
    seed: int,
    *,
    timezone: str = TIMEZONE,
    end: date = END,
    network: str = NETWORK,
    interval_seconds: int = 300,
    loss_range: tuple[float, float] | None = None,
) -> SimulatedProvince:
    """Invented sites and lines in the villages of a given register (of one province).

    The polygons stay with whoever has them. Raises ValueError when the network is too small.
    """
    code = register.villages[0].code[:2]
    return _furnish(
        np.random.default_rng([seed, 1]),
        seed,
        Province(code, register.name(code), timezone),
        tuple(Kabupaten(part, register.name(part)) for part in register.kabupaten),
        register,
        {},
        (end, network, interval_seconds, loss_range),
    )


def _furnish(
    rng: np.random.Generator,
    seed: int,
    province: Province,
    kabupaten: tuple[Kabupaten, ...],
    register: Register,
    polygons: Mapping[RegionCode, Ring],
    settings: tuple[date, str, int, tuple[float, float] | None],
) -> SimulatedProvince:
    end, network, interval_seconds, loss_range = settings
    kinds = {
        kind: SiteKind(kind, name_id, name_en, hours, critical, interval_seconds)
        for kind, name_id, name_en, hours, critical, _ in _KINDS
    }
    hosts = ipaddress.IPv4Network(network)
    if hosts.num_addresses < _FIRST_HOST + len(register.villages) + 256:
        raise ValueError(f"{network} is too small for {len(register.villages)} sites: widen it")
    far = remoteness(rng, register)
    supplies = draw_supplies(rng, register, far)
    tree = Network()
    sites: list[Site] = []
    lines: dict[str, Line] = {}
    devices: dict[str, Device] = {}
    for number, (village, kind, line) in enumerate(_places(rng, register)):
        access, provider = draw_access(rng, far[village.kecamatan])
        supply = supplies[village.code]
        lat, lon = point_in(rng, village)
        site = Site(
            id="-".join([_PREFIX[kind], *village.code.split("."), *line]),
            name=f"{kinds[kind].name_id} {village.name}",
            kind=kind,
            village=village.code,
            access=access,
            provider=provider,
            timezone=province.timezone,
            service_hours=kinds[kind].service_hours,
            service_critical=kinds[kind].service_critical,
            interval_seconds=interval_seconds,
            in_service_from=_in_service_from(rng, end),
            address=str(hosts[_FIRST_HOST + number]),
            upstream=tree.attach(access, provider, village.kabupaten),
            feeder=supply.feeder,
            power=supply.power,
            power_hours_a_day=supply.hours_a_day,
            has_probe=bool(rng.random() < _PROBE_SHARE) or kind in SERVED,
            metered=access.value in ("4g", "leo", "geo"),
            lat=lat,
            lon=lon,
        )
        sites.append(site)
        lines[site.id] = draw_line(rng, access, loss_range)
        devices[site.id] = _draw_device(rng, supply)
    inventory = Inventory(
        province=province,
        kabupaten=kabupaten,
        providers=PROVIDERS,
        upstreams=tree.upstreams,
        kinds=kinds,
        sites=tuple(sorted(sites, key=lambda site: site.id)),
        definition=Definition(),
        centre_anchors=(
            Anchor("national-1", Rung.NATIONAL, str(hosts[-255])),
            Anchor("national-2", Rung.NATIONAL, str(hosts[-254])),
        ),
        village_targets=(Anchor("national-1", Rung.NATIONAL, str(hosts[-255])),),
        checks=offers(sites, str(hosts[-253]), str(hosts[-252]), str(hosts[-254])),
    )
    return SimulatedProvince(seed, inventory, register, polygons, lines, devices, network)


def _places(rng: np.random.Generator, register: Register) -> list[tuple[Village, str, str]]:
    """Which village has which kind of site, with a letter where a place has several lines: as many
    sites as villages, whatever the luck, and of every kind of service some, where there is room."""
    count = len(register.villages)
    bare = set(rng.choice(count, round(count * _NOT_CONNECTED), replace=False).tolist())
    connected = [v for index, v in enumerate(register.villages) if index not in bare]
    places = [(village, "kantor_desa", "") for village in connected]
    second = [connected[i] for i in rng.choice(len(connected), len(bare), replace=False).tolist()]
    first_of = {village.kabupaten: village for village in reversed(second)}  # a mall in each
    malls = list(first_of.values())[: len(second) // _SITES_PER_MALL]
    places += [(village, _MALL, line) for village in malls for line in _MALL_LINES]
    others = [kind for kind, *_ in _KINDS if kind not in ("kantor_desa", _MALL)]
    left = [village for village in second if village not in malls][: len(bare) - 2 * len(malls)]
    places += [(village, others[number % len(others)], "") for number, village in enumerate(left)]
    return places


def _in_service_from(rng: np.random.Generator, end: date) -> date:
    days = rng.integers(1, 29) if rng.random() < _NEW_SHARE else rng.integers(60, 900)
    return end - timedelta(days=int(days))


def _draw_device(rng: np.random.Generator, supply: Supply) -> Device:
    battery = supply.power is PowerSource.SOLAR or (
        supply.power is PowerSource.GRID and rng.random() < _BATTERY_SHARE
    )
    return Device(
        battery_seconds=int(rng.uniform(3600, 4 * 3600)) if battery else 0,
        boot_seconds=int(rng.uniform(45, 150)),
        has_tunnel=bool(rng.random() < _TUNNEL_SHARE),
        starts_hour=supply.starts_hour,
    )
