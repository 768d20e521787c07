"""Who brings the internet and the power to a village: providers, upstream trees, feeders, devices.

Law: remoteness decides. It is drawn per kecamatan, so that neighbours are alike: fibre and grid in
the plains, satellites and generators upriver.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from model.inventory import Provider, Upstream
from model.region import RegionCode, Register, Village
from model.site import Access, PowerSource

PROVIDERS: Mapping[str, Provider] = {
    provider.id: provider
    for provider in (
        Provider("pita-nusa", "Pita Nusa (fiktif)", 0.99),
        Provider("serat-khayal", "Serat Khayal (fiktif)", 0.985),
        Provider("menara-maya", "Menara Maya (fiktif)", 0.97),
        Provider("orbit-rendah", "Orbit Rendah (fiktif)", 0.98),
        Provider("satelit-tinggi", "Satelit Tinggi (fiktif)", 0.95),
    )
}

_CHOICES: Mapping[Access, tuple[str, ...]] = {
    Access.FIBRE: ("pita-nusa", "serat-khayal"),
    Access.FWA: ("serat-khayal", "menara-maya"),
    Access.CELLULAR: ("menara-maya", "pita-nusa"),
    Access.LEO: ("orbit-rendah",),
    Access.GEO: ("satelit-tinggi",),
}
_NEAR = {
    Access.FIBRE: 0.62,
    Access.FWA: 0.16,
    Access.CELLULAR: 0.18,
    Access.LEO: 0.03,
    Access.GEO: 0.01,
}
_FAR = {
    Access.FIBRE: 0.06,
    Access.FWA: 0.04,
    Access.CELLULAR: 0.40,
    Access.LEO: 0.18,
    Access.GEO: 0.32,
}
_SITES_PER_TOWER = 9
_SITES_PER_GATEWAY = 45
_FEEDER_VILLAGES = (5, 30)
_GENERATOR_SHARE = 0.15
_SOLAR_SHARE = 0.04
_GENERATOR_PLANS = ((6.0, 17.5), (8.0, 7.5), (12.0, 17.5), (14.0, 16.0), (18.0, 6.0))
"""Hours of power a day, and the local hour at which the generator starts."""


@dataclass(frozen=True, slots=True)
class Supply:
    """What feeds a village; the start hour is local and matters below 24 hours a day."""

    power: PowerSource
    hours_a_day: float = 24.0
    starts_hour: float = 0.0
    feeder: str | None = None


@dataclass(slots=True)
class Network:
    """The upstream tree as it grows: a core per provider, below it POPs, gateways and towers."""

    upstreams: dict[str, Upstream] = field(default_factory=dict)
    _sites: dict[str, int] = field(default_factory=dict)

    def attach(self, access: Access, provider: str, kabupaten: RegionCode) -> str:
        """The node that the next site of this kind hangs on; made where it is missing."""
        core = self._node(f"{provider}-core", f"{PROVIDERS[provider].name}: inti", provider, None)
        place = kabupaten.replace(".", "-")
        if access in (Access.LEO, Access.GEO):
            word = "gateway" if access is Access.LEO else "beam"
            return self._shared(f"{provider}-{word}", provider, core, _SITES_PER_GATEWAY)
        pop = self._node(
            f"{provider}-pop-{place}", f"POP {kabupaten} {PROVIDERS[provider].name}", provider, core
        )
        if access is Access.FIBRE:
            return pop
        return self._shared(f"{provider}-tower-{place}", provider, pop, _SITES_PER_TOWER)

    def _shared(self, stem: str, provider: str, parent: str, size: int) -> str:
        served = self._sites[stem] = self._sites.get(stem, 0) + 1
        number = (served - 1) // size + 1
        return self._node(f"{stem}-{number}", f"{stem} {number}", provider, parent)

    def _node(self, node: str, name: str, provider: str, parent: str | None) -> str:
        self.upstreams.setdefault(node, Upstream(node, name, provider, parent))
        return node


def remoteness(rng: np.random.Generator, register: Register) -> Mapping[RegionCode, float]:
    """How far from everything each kecamatan is, 0 to 1; a kota is near."""
    return {
        kecamatan: float(rng.uniform(0, 0.15) if int(kecamatan[3:5]) >= 71 else rng.beta(1.1, 1.2))
        for kecamatan in register.kecamatan
    }


def draw_access(rng: np.random.Generator, far: float) -> tuple[Access, str]:
    """Access technology and provider for a site so remote."""
    kinds = list(_NEAR)
    weights = np.array([_NEAR[kind] * (1 - far) + _FAR[kind] * far for kind in kinds])
    access = kinds[int(rng.choice(len(kinds), p=weights / weights.sum()))]
    options = _CHOICES[access]
    return access, options[int(rng.integers(len(options)))]


def draw_supplies(
    rng: np.random.Generator, register: Register, far: Mapping[RegionCode, float]
) -> Mapping[RegionCode, Supply]:
    """What feeds every village. Feeders run through neighbouring villages of one kabupaten."""
    weights = np.array([far[village.kecamatan] ** 2 + 1e-6 for village in register.villages])
    chance = np.minimum(weights / weights.mean() * _GENERATOR_SHARE, 0.9)
    supplies: dict[RegionCode, Supply] = {}
    feeder, left, before = "", 0, ""
    number = 0
    for village, generator in zip(register.villages, chance.tolist(), strict=True):
        luck = rng.random()
        if luck < generator:
            hours, starts = _GENERATOR_PLANS[int(rng.integers(len(_GENERATOR_PLANS)))]
            supplies[village.code] = Supply(PowerSource.GENERATOR, hours, starts)
            continue
        if luck < generator + _SOLAR_SHARE:
            supplies[village.code] = Supply(PowerSource.SOLAR)
            continue
        if left == 0 or village.kabupaten != before:
            number = 1 if village.kabupaten != before else number + 1
            left = int(rng.integers(_FEEDER_VILLAGES[0], _FEEDER_VILLAGES[1] + 1))
            before = village.kabupaten
            feeder = f"feeder-{before.replace('.', '-')}-{number}"
        left -= 1
        supplies[village.code] = Supply(PowerSource.GRID, feeder=feeder)
    return supplies


def point_in(rng: np.random.Generator, village: Village) -> tuple[float | None, float | None]:
    """Where an office may stand: near the village's point, but not on it."""
    if village.lat is None or village.lon is None:
        return None, None
    step = rng.uniform(-0.01, 0.01, 2)
    return round(village.lat + float(step[0]), 5), round(village.lon + float(step[1]), 5)
