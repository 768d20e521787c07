"""The rules of blame: one small pure function per kind of evidence.

Law: a rule reads one case and either finds its evidence or says nothing. It names what it found in
words that an engineer can check; what that is worth stands in the settings.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeGuard

from collector.facts import Boot, Loss, Volts
from collector.rungs import Rungs
from collector.settings import BlameSettings
from model.outage import Cause, Evidence
from model.site import Access, Site
from model.timeline import Interval


@dataclass(frozen=True, slots=True)
class Together:
    """How many of the sites on a shared node fell within the window of this outage's start."""

    node: str
    fell: int
    sites: int

    @property
    def share(self) -> float:
        return self.fell / self.sites if self.sites else 0.0


@dataclass(frozen=True, slots=True)
class Case:
    """One outage and everything known around it. None means: not looked, nobody knows."""

    site: Site
    interval: Interval
    open: bool
    maintenance: str | None
    """The reason of announced work that covers it."""
    rungs: Rungs
    """What the site's own probe saw meanwhile."""
    booted: Boot | None
    """The device's start that falls into the outage."""
    survived: bool
    """The same life of the device was heard before and after."""
    feeder: Together | None
    feeder_out_already: bool
    """Neighbours on the feeder were without power when it began."""
    upstream: Together | None
    provider: Together | None
    """The same provider's sites in the same kabupaten."""
    region: Together | None
    """All sites of the kabupaten, whoever serves them."""
    volts: Volts | None
    on_battery: bool
    """A UPS said that it carried the load, shortly before the outage or in it."""
    port_changed: bool
    """Its device says that one of its ports went down or up at that time."""
    same_hour_days: int
    """On how many days an outage of this site began at the same local hour."""
    loss: Loss | None
    fading_neighbours: int
    """Satellite sites nearby that failed at about the same time."""


Rule = Callable[[Case, BlameSettings], Iterator[Evidence]]


def announced_maintenance(case: Case, settings: BlameSettings) -> Iterator[Evidence]:
    """Work was announced for this time."""
    if case.maintenance is not None:
        yield Evidence(
            "maintenance",
            Cause.MAINTENANCE,
            settings.weight_maintenance,
            f"announced work covers it: {case.maintenance}",
        )


def probe_measured_on(case: Case, settings: BlameSettings) -> Iterator[Evidence]:
    """The village's own probe lived: power and device were there, the rungs say what was not. It
    says nothing of the way where something nearer explains the silence."""
    rungs = case.rungs
    nearer = rungs.lan_answered is False or rungs.portal is not None or rungs.names_failed
    if not rungs.lived or rungs.isp_answered is None or (nearer and rungs.isp_answered):
        return
    if rungs.isp_answered:
        text = "its own probe measured on: the provider's first hop answered, nothing beyond did"
        yield Evidence("rungs", Cause.UPSTREAM, settings.weight_probe_lived_isp_up, text)
    elif rungs.lan_answered is not False:
        text = "its own probe measured on: not even the provider's first hop answered"
        yield Evidence("rungs", Cause.LINK, settings.weight_probe_lived_isp_down, text)


def own_network_failed(case: Case, settings: BlameSettings) -> Iterator[Evidence]:
    """The probe lived and could not even reach the site's own router: a cable, a switch, a port."""
    if case.rungs.lived and case.rungs.lan_answered is False:
        text = "its own probe measured on: not even the site's own router answered"
        yield Evidence("lan", Cause.LAN, settings.weight_lan_failed, text)


def portal_in_the_way(case: Case, settings: BlameSettings) -> Iterator[Evidence]:
    """The line carries one page only: somebody wants to be paid, or logged in to."""
    if case.rungs.portal is not None:
        text = f"its own probe met a page that stands in the way: {case.rungs.portal}"
        yield Evidence("portal", Cause.CAPTIVE_PORTAL, settings.weight_portal, text)


def names_failed(case: Case, settings: BlameSettings) -> Iterator[Evidence]:
    """All that was tried failed for want of a name, while the way to the provider was there."""
    if case.rungs.names_failed and case.rungs.isp_answered is not False:
        text = "its own probe measured on: no name was resolved, so that nothing could be tried"
        yield Evidence("names", Cause.DNS, settings.weight_names_failed, text)


def device_started(case: Case, settings: BlameSettings) -> Iterator[Evidence]:
    """The device started anew during the outage; some devices say why. A planned restart tells
    nothing: people restart a router whatever is wrong."""
    boot = case.booted
    if boot is None:
        return
    after = (boot.started_ms - case.interval.start_ms) / 60_000
    when = f"its device started {after:.0f} min after the outage began"
    if boot.reason == 1:
        text = f"{when} and reports a power failure"
        yield Evidence("boot", Cause.POWER, settings.weight_boot_power, text)
    elif boot.reason == 2:
        text = f"{when} and reports a watchdog reset or crash"
        yield Evidence("boot", Cause.DEVICE, settings.weight_boot_watchdog, text)
    elif boot.reason == 0:
        yield Evidence("boot", Cause.POWER, settings.weight_boot_unsaid, f"{when}: it had no power")


def device_survived(case: Case, settings: BlameSettings) -> Iterator[Evidence]:
    """The uptime is longer than the outage: the device lived, so it was the line."""
    if case.survived and not case.rungs.lived:
        text = "its device's uptime is longer than the outage: it lived, the line did not"
        yield Evidence("uptime", Cause.LINK, settings.weight_device_survived, text)


def port_changed(case: Case, settings: BlameSettings) -> Iterator[Evidence]:
    """A port of the device went down or up (IF-MIB linkDown, linkUp, ifLastChange) while the device
    itself lived: the line fell, or what it hangs on. One that starts anew takes its ports up."""
    if case.port_changed and case.booted is None:
        text = "its device lived and says that one of its ports went down or up at that time"
        yield Evidence("port", Cause.LINK, settings.weight_port_changed, text)


def fell_with_upstream(case: Case, settings: BlameSettings) -> Iterator[Evidence]:
    """Most of what hangs on one upstream node fell silent together."""
    group = case.upstream
    if _whole(group, settings.upstream_sites_min, settings.upstream_share_min):
        text = f"{group.fell} of {group.sites} sites on upstream {group.node} fell together"
        yield Evidence("upstream", Cause.UPSTREAM, settings.weight_upstream_together, text)


def fell_with_feeder(case: Case, settings: BlameSettings) -> Iterator[Evidence]:
    """Its neighbours on the same electricity feeder fell with it, or were out already."""
    group = case.feeder
    if _whole(group, settings.feeder_sites_min, settings.feeder_share_min):
        text = f"{group.fell} of {group.sites} sites on feeder {group.node} fell together"
        yield Evidence("feeder", Cause.POWER, settings.weight_feeder_together, text)
    elif case.feeder_out_already and group is not None:
        text = f"feeder {group.node} was already out when it began (a battery ran down)"
        yield Evidence("feeder", Cause.POWER, settings.weight_feeder_out_already, text)


def fell_with_region(case: Case, settings: BlameSettings) -> Iterator[Evidence]:
    """Most of a kabupaten fell together: of one provider, its network; of all, their power."""
    least, share = settings.region_sites_min, settings.region_share_min
    region, provider = case.region, case.provider
    if _whole(region, least, share):
        text = f"{region.fell} of {region.sites} sites of kabupaten {region.node} fell together"
        yield Evidence("region", Cause.POWER, settings.weight_region_together, text)
    elif _whole(provider, least, share):
        text = f"{provider.fell} of {provider.sites} sites of {provider.node} fell together"
        yield Evidence("provider", Cause.UPSTREAM, settings.weight_provider_together, text)


def _whole(group: Together | None, sites_min: int, share_min: float) -> TypeGuard[Together]:
    """Whether so many of a group fell together that it fell as one."""
    return group is not None and group.fell >= sites_min and group.share >= share_min


def ups_carried(case: Case, settings: BlameSettings) -> Iterator[Evidence]:
    """A UPS said that the mains had failed."""
    if case.on_battery:
        text = "its UPS was on battery shortly before it went silent"
        yield Evidence("ups", Cause.POWER, settings.weight_ups_on_battery, text)


def supply_fell(case: Case, settings: BlameSettings) -> Iterator[Evidence]:
    """The supply voltage fell before the device went silent."""
    volts = case.volts
    if volts is not None and volts.before < volts.usual * (1 - settings.volts_drop_share):
        text = f"supply fell to {volts.before:.1f} V (usually {volts.usual:.1f} V)"
        yield Evidence("supply", Cause.POWER, settings.weight_volts_fell, text)


def power_by_the_hour(case: Case, settings: BlameSettings) -> Iterator[Evidence]:
    """A site that has power for part of the day fell at the hour at which it always does."""
    hours = case.site.power_hours_a_day
    if hours < 24 and case.same_hour_days >= settings.power_hour_days_min:
        text = f"it has power {hours:g} h a day and fell at this hour on {case.same_hour_days} days"
        yield Evidence("power hours", Cause.POWER, settings.weight_power_hours, text)


def rain_fade(case: Case, settings: BlameSettings) -> Iterator[Evidence]:
    """A satellite line lost more and more before it failed, perhaps with its neighbours."""
    if case.site.access is not Access.GEO or case.booted is not None:
        return
    if case.interval.length_ms > settings.fade_max_seconds * 1000:
        return
    loss = case.loss
    if loss is not None and loss_climbed(loss, settings):
        text = f"loss climbed to {loss.share:.0%} around it (usually {loss.usual:.1%})"
        cause = Cause.SATELLITE_FADE
        yield Evidence("fade", cause, settings.weight_fade_loss_climbed, text)
    if case.fading_neighbours >= settings.fade_neighbours_min:
        text = f"{case.fading_neighbours} satellite sites nearby lost more and more at the time"
        yield Evidence("fade", Cause.SATELLITE_FADE, settings.weight_fade_neighbours, text)


def loss_climbed(loss: Loss, settings: BlameSettings) -> bool:
    """Whether much more than usual was lost shortly before or after an outage."""
    return (
        loss.lost >= settings.fade_lost_min
        and loss.share > loss.usual + settings.fade_loss_over_usual
    )


def what_is_usual(_case: Case, settings: BlameSettings) -> Iterator[Evidence]:
    """With nothing else to go by: a lone site that fails has most often lost its line or power."""
    text = "nothing speaks against it; a lone failure is most often the access line"
    yield Evidence("prior", Cause.LINK, settings.weight_prior_link, text)
    text = "nothing speaks against it; a lone failure is often the power"
    yield Evidence("prior", Cause.POWER, settings.weight_prior_power, text)


RULES: tuple[Rule, ...] = (
    announced_maintenance,
    probe_measured_on,
    own_network_failed,
    portal_in_the_way,
    names_failed,
    device_started,
    device_survived,
    port_changed,
    fell_with_upstream,
    fell_with_feeder,
    fell_with_region,
    ups_carried,
    supply_fell,
    power_by_the_hour,
    rain_fade,
    what_is_usual,
)
"""All rules, in the order in which an engineer would ask."""
