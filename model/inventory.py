"""What is watched: the province, who brings the internet, the sites, and the settings.

These are the checked values; reading them from a file with every mistake named is the work of the
``inventory`` package.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from model.check import Check, ServiceCheck
from model.definition import Definition
from model.ladder import LADDER
from model.measurement import Rung, Vantage
from model.region import RegionCode
from model.site import Site, SiteKind
from model.timeline import Interval


@dataclass(frozen=True, slots=True)
class Province:
    """The province that the target was set for. ``timezone`` is an IANA name."""

    code: RegionCode
    name: str
    timezone: str


@dataclass(frozen=True, slots=True)
class Kabupaten:
    """A kabupaten or kota with the official figures that a report needs."""

    code: RegionCode
    name: str
    bps_code: str | None = None
    kecamatan_count: int | None = None
    desa_count: int | None = None
    kelurahan_count: int | None = None
    population: int | None = None
    area_km2: float | None = None


@dataclass(frozen=True, slots=True)
class Provider:
    """Who is paid for a line. ``sla_availability`` is the contract's share of time (0 to 1)."""

    id: str
    name: str
    sla_availability: float | None = None


@dataclass(frozen=True, slots=True)
class Upstream:
    """A node that many sites hang on (a POP, a gateway, a tower); may hang on another one."""

    id: str
    name: str
    provider: str
    parent: str | None = None


@dataclass(frozen=True, slots=True)
class Maintenance:
    """Announced work. It covers the named sites and all sites on the named upstreams."""

    interval: Interval
    reason: str
    sites: frozenset[str] = frozenset()
    upstreams: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Anchor:
    """An address that proves a vantage's own line: the centre's anchors, the villages' targets."""

    name: str
    rung: Rung
    address: str


@dataclass(frozen=True, slots=True)
class LookSettings:
    """How we look where a check says nothing else."""

    echoes: int = 5
    timeout_seconds: float = 2.0


@dataclass(frozen=True)
class Inventory:
    """Everything that is watched. Sites are in id order; ids are unique."""

    province: Province
    kabupaten: tuple[Kabupaten, ...]
    providers: Mapping[str, Provider]
    upstreams: Mapping[str, Upstream]
    kinds: Mapping[str, SiteKind]
    sites: tuple[Site, ...]
    definition: Definition
    look: LookSettings = field(default_factory=LookSettings)
    centre_anchors: tuple[Anchor, ...] = ()
    village_targets: tuple[Anchor, ...] = ()
    maintenance: tuple[Maintenance, ...] = ()
    checks: tuple[ServiceCheck, ...] = ()
    register_file: str | None = None

    @cached_property
    def by_id(self) -> Mapping[str, Site]:
        return {site.id: site for site in self.sites}

    def upstream_chain(self, site: Site) -> tuple[str, ...]:
        """The upstream nodes above a site, nearest first."""
        chain: list[str] = []
        node = site.upstream
        while node is not None and node not in chain:
            chain.append(node)
            node = self.upstreams[node].parent if node in self.upstreams else None
        return tuple(chain)

    def maintenance_of(self, site: Site) -> Iterator[Maintenance]:
        """The announced work that covers a site, itself or one of its upstreams. Work on several
        of them comes several times."""
        yield from self._works_by_site.get(site.id, ())
        for upstream in self.upstream_chain(site):
            yield from self._works_by_upstream.get(upstream, ())

    @cached_property
    def _works_by_site(self) -> Mapping[str, Sequence[Maintenance]]:
        return _works_by((work, work.sites) for work in self.maintenance)

    @cached_property
    def _works_by_upstream(self) -> Mapping[str, Sequence[Maintenance]]:
        return _works_by((work, work.upstreams) for work in self.maintenance)

    def centre_checks(self) -> tuple[Check, ...]:
        """What the operations centre's probe looks at: every site with an address, each at its
        interval, the services that are looked at from here, and the anchors that prove the
        centre's own line."""
        checks = [
            Check(
                site=site.id,
                vantage=Vantage.CENTRE,
                kind="ping",
                target=Rung.SITE,
                address=site.address,
                interval_seconds=site.interval_seconds,
                timeout_seconds=self.look.timeout_seconds,
                count=self.look.echoes,
            )
            for site in self.sites
            if site.address is not None
        ]
        shortest = min((site.interval_seconds for site in self.sites), default=60)
        checks += [
            Check(
                site=CENTRE_SITE,
                vantage=Vantage.CENTRE,
                kind="ping",
                target=f"{Rung.ANCHOR}:{anchor.name}",
                address=anchor.address,
                interval_seconds=shortest,
                timeout_seconds=self.look.timeout_seconds,
                count=self.look.echoes,
            )
            for anchor in self.centre_anchors
        ]
        for site in self.sites:
            checks += self._service_checks(site, Vantage.CENTRE)
        return tuple(checks)

    def village_checks(self, site: Site) -> tuple[Check, ...]:
        """What a site's own probe looks at, from the inside outward. The first target of a rung
        bears the rung's name alone, further ones add their own; then come the site's services."""
        rungs: set[Rung] = set()
        checks = []
        for anchor in self.village_targets:
            if not self.needs(site, anchor.rung):
                continue
            first = anchor.rung not in rungs
            rungs.add(anchor.rung)
            checks.append(
                Check(
                    site=site.id,
                    vantage=Vantage.VILLAGE,
                    kind="ping",
                    target=anchor.rung if first else f"{anchor.rung}:{anchor.name}",
                    address=anchor.address,
                    interval_seconds=site.interval_seconds,
                    timeout_seconds=self.look.timeout_seconds,
                    count=self.look.echoes,
                )
            )
        return (*checks, *self._service_checks(site, Vantage.VILLAGE))

    def needs(self, site: Site, rung: Rung) -> bool:
        """Whether a site's service stands on a rung, by its own word or its kind's."""
        kind = self.kinds.get(site.kind)
        rungs = site.rungs or (kind.rungs if kind else ())
        return not rungs or rung not in LADDER or rung in rungs

    def _service_checks(self, site: Site, vantage: Vantage) -> list[Check]:
        return [
            one.check(site, echoes=self.look.echoes, echo_timeout_seconds=self.look.timeout_seconds)
            for one in self.checks
            if one.vantage is vantage and one.concerns(site) and self.needs(site, one.rung)
        ]


CENTRE_SITE = "centre"
"""The reserved site id under which the centre reports on its own line. No site may bear it."""


def _works_by(
    works: Iterable[tuple[Maintenance, frozenset[str]]],
) -> Mapping[str, Sequence[Maintenance]]:
    found: dict[str, list[Maintenance]] = {}
    for work, names in works:
        for name in names:
            found.setdefault(name, []).append(work)
    return found
