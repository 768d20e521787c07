"""The worst sites of a period: those whose downtime in service hours cost the most people most.

Law: people weigh only where they are known of every village that a site stands in; a site is
chronic by the outages that began, so that one across a week's end is one.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from maps.report.obstacles import main_cause
from maps.report.outages import continuations
from model.definition import State
from model.outage import Cause
from model.region import Register, Village
from model.site import Site
from model.summary import SiteWeek, Summary, WeekRecord

WORST_SITES = 10
CHRONIC_OUTAGES = 3
"""Chronic: at least so many outages in the weeks given to ``worst_sites`` (four in a report)."""


@dataclass(frozen=True, slots=True)
class WorstSite:
    """A site that was down in its service hours; ``outages`` counts the last four weeks."""

    site: Site
    village: Village
    service: Summary
    state: State
    cause: Cause | None
    outages: int

    @property
    def chronic(self) -> bool:
        return self.outages >= CHRONIC_OUTAGES


def worst_sites(
    register: Register,
    sites: Mapping[str, Site],
    items: Sequence[SiteWeek],
    records: Sequence[WeekRecord],
) -> tuple[tuple[WorstSite, ...], bool]:
    """The sites with the most service-hours downtime times people, and whether people counted:
    only where they are known of every village that a site stands in, for half a list of them would
    rank by luck. ``records`` are the weeks in which outages are counted as repeats."""
    people = {site.village: register.by_code[site.village].population for site in sites.values()}
    weighted = bool(people) and all(number is not None for number in people.values())
    # An outage across a week's end comes once a week: count its first part.
    begun = {
        (item.site, outage.start_ms)
        for record in records
        for item in record.site_weeks
        for outage in item.outages
        if outage.cause is not Cause.MAINTENANCE
    } - continuations(records)
    repeats = Counter(site for site, _ in begun)
    found = [
        WorstSite(
            sites[item.site],
            register.by_code[sites[item.site].village],
            item.service,
            item.state,
            main_cause(item),
            repeats[item.site],
        )
        for item in items
        if item.service.down_ms
    ]
    found.sort(
        key=lambda worst: (
            -worst.service.down_ms * ((worst.village.population or 0) if weighted else 1),
            worst.site.id,
        )
    )
    return tuple(found[:WORST_SITES]), weighted
