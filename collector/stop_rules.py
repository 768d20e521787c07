"""Why a service stopped while its line worked: one small pure function per kind of evidence.

Law: as in ``rules.py``, a rule reads one case and finds its evidence or says nothing; what that is
worth stands in the settings.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from collector.rules import Together
from collector.rungs import NAME_REASONS, PORTAL_REASONS
from collector.settings import BlameSettings
from model.ladder import rung_of
from model.measurement import Rung
from model.outage import Cause, Evidence
from model.timeline import Interval


@dataclass(frozen=True, slots=True)
class Failure:
    """A look that the service needs, and what it said when it failed."""

    target: str
    reason: str

    @property
    def rung(self) -> Rung | None:
        return rung_of(self.target)


@dataclass(frozen=True, slots=True)
class StopCase:
    """One stop and what is known around it."""

    site: str
    interval: Interval
    failures: tuple[Failure, ...]
    """What failed in it, from the inside outward."""
    together: Together | None
    """Of its targets the one that most others failed at too, within the same time."""
    large_packets_vanish: bool
    """A look at the path found a hole for large packets (RFC 2923)."""


StopRule = Callable[[StopCase, BlameSettings], Iterator[Evidence]]


def own_network(case: StopCase, settings: BlameSettings) -> Iterator[Evidence]:
    """The line lives, seen from outside, and the probe cannot even reach the site's own router."""
    for failure in case.failures:
        if failure.rung is Rung.LAN:
            text = f"the site's own network failed: {failure.target}: {failure.reason}"
            yield Evidence("lan", Cause.LAN, settings.weight_lan_failed, text)


def names(case: StopCase, settings: BlameSettings) -> Iterator[Evidence]:
    """Its resolver is silent, lies, or does not know the name that the service bears."""
    for failure in case.failures:
        if failure.rung is Rung.DNS or failure.reason in NAME_REASONS:
            text = f"names failed: {failure.target}: {failure.reason}"
            yield Evidence("names", Cause.DNS, settings.weight_names_failed, text)


def portal(case: StopCase, settings: BlameSettings) -> Iterator[Evidence]:
    """A page stood in the way of the page that was asked for."""
    for failure in case.failures:
        if failure.reason in PORTAL_REASONS:
            text = f"a page stood in the way: {failure.target}: {failure.reason}"
            yield Evidence("portal", Cause.CAPTIVE_PORTAL, settings.weight_portal, text)


def large_packets(case: StopCase, settings: BlameSettings) -> Iterator[Evidence]:
    """Small packets pass and large ones vanish: pages begin and never end."""
    if case.large_packets_vanish and _application(case):
        text = "large packets vanish on its path without a word, so that pages never end"
        yield Evidence("path", Cause.UPSTREAM, settings.weight_large_packets_vanish, text)


def failed_for_many(case: StopCase, settings: BlameSettings) -> Iterator[Evidence]:
    """Many who need the same service could not use it at the same time."""
    group = case.together
    if (
        group is not None
        and group.fell >= settings.service_sites_min
        and group.share >= settings.service_share_min
    ):
        text = f"{group.fell} of {group.sites} sites could not use {group.node} at the same time"
        yield Evidence("together", Cause.SERVICE, settings.weight_service_together, text)


def application(case: StopCase, settings: BlameSettings) -> Iterator[Evidence]:
    """Internet works, the service does not, and nothing nearer explains it."""
    for failure in _application(case):
        text = f"internet works, the service does not: {failure.target}: {failure.reason}"
        yield Evidence("application", Cause.SERVICE, settings.weight_service_alone, text)


def _application(case: StopCase) -> list[Failure]:
    """What failed of the application itself, for a reason of its own."""
    elsewhere = NAME_REASONS | PORTAL_REASONS
    return [
        failure
        for failure in case.failures
        if failure.rung is Rung.APPLICATION and failure.reason not in elsewhere
    ]


STOP_RULES: tuple[StopRule, ...] = (
    own_network,
    names,
    portal,
    large_packets,
    failed_for_many,
    application,
)
"""All rules, from the inside outward."""
