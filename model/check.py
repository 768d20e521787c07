"""A check: what is looked at, from where, how and how often."""

from dataclasses import dataclass, replace

from model.kinds import (
    INTERVAL_SECONDS,
    MEASURED_AS,
    METERED_FACTOR,
    TIMEOUT_SECONDS,
    USUAL_TIMEOUT_SECONDS,
    Captive,
    Http,
    Settings,
    Throughput,
)
from model.measurement import Rung, Vantage
from model.site import Site


@dataclass(frozen=True, slots=True)
class Check:
    """One line of a probe's work. ``address``: an IP literal or, for kinds that resolve, a name;
    ``settings``: what a kind beyond ``ping`` and ``device`` must be told."""

    site: str
    vantage: str
    kind: str
    target: str
    address: str
    interval_seconds: int
    timeout_seconds: float = 1.0
    count: int = 5
    settings: Settings | None = None
    answer_bytes: int | None = None
    """What the other side says in one look, where it is known: for the traffic to expect."""

    @property
    def key(self) -> str:
        """Stable and unique in an inventory; the schedule's jitter hangs on it."""
        return f"{self.site}/{self.vantage}/{self.kind}/{self.target}"


SITE_ADDRESS = "{address}"
"""In the address or URL of a ``ServiceCheck``: the address of the site that is looked at."""


@dataclass(frozen=True, slots=True)
class ServiceCheck:
    """A look at what a site's service needs, for one site or for all of a kind.

    ``address`` is what the look is aimed at (None: it stands in the settings);
    ``site_kinds`` and ``sites`` say whose service needs it; ``interval_seconds`` and
    ``timeout_seconds`` are None where the kind of look or the site decides.
    """

    id: str
    kind: str
    rung: Rung
    vantage: Vantage
    address: str | None = None
    settings: Settings | None = None
    site_kinds: frozenset[str] = frozenset()
    sites: frozenset[str] = frozenset()
    interval_seconds: int | None = None
    timeout_seconds: float | None = None
    answer_bytes: int | None = None

    def concerns(self, site: Site) -> bool:
        """Whether this look is one of the site's, and can be made: from the village by its own
        probe, at the site's address only where it has one."""
        wanted = site.kind in self.site_kinds or site.id in self.sites
        possible = self.vantage is not Vantage.VILLAGE or site.has_probe
        return wanted and possible and (site.address is not None or not self._templated)

    def check(self, site: Site, *, echoes: int, echo_timeout_seconds: float) -> Check:
        """The check of one site that it concerns. Throughput tests learn the site's upstream."""
        settings = self.settings
        if isinstance(settings, Http | Captive):
            host = site.address or ""
            settings = replace(
                settings,
                url=settings.url.replace(SITE_ADDRESS, f"[{host}]" if ":" in host else host),
            )
        if isinstance(settings, Throughput) and settings.upstream is None:
            settings = replace(settings, upstream=site.upstream)
        ping = self.kind == "ping"
        usual = TIMEOUT_SECONDS.get(self.kind, USUAL_TIMEOUT_SECONDS)
        return Check(
            site=site.id,
            vantage=self.vantage,
            kind=MEASURED_AS.get(self.kind, self.kind),
            target=f"{self.rung}:{self.id}",
            address=(self.address or "").replace(SITE_ADDRESS, site.address or ""),
            interval_seconds=self.interval_seconds
            or INTERVAL_SECONDS.get(self.kind, site.interval_seconds)
            * (METERED_FACTOR.get(self.kind, 1) if site.metered else 1),
            timeout_seconds=self.timeout_seconds or (echo_timeout_seconds if ping else usual),
            count=echoes if ping else 1,
            settings=settings,
            answer_bytes=self.answer_bytes,
        )

    @property
    def _templated(self) -> bool:
        url = self.settings.url if isinstance(self.settings, Http | Captive) else ""
        return SITE_ADDRESS in (self.address or "") or SITE_ADDRESS in url
