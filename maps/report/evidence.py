"""What a provider's figure is made of: every stretch of every line that was not simply up.

Law: the rows of a site and the length of its period give its SLA figure again, by adding up; each
stretch stands in exactly one row, counted or excluded, with the reason. Time before a line's
in-service date is in no row and in no period.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from model.inventory import Inventory
from model.measurement import Outcome
from model.outage import Outage
from model.site import Site
from model.summary import SiteWeek, Summary
from model.timeline import Interval, intersect, subtract, union


class Counts(StrEnum):
    """How a stretch enters the SLA figure."""

    DOWN = "down"
    """Counted against the provider."""
    EXEMPT = "exempt"
    """Down, but by a cause that the contract exempts."""
    MAINTENANCE = "maintenance"
    """Announced work, whether the line was up or not."""
    UNKNOWN = "unknown"
    """Nobody could look: neither for nor against."""


@dataclass(frozen=True, slots=True)
class EvidenceRow:
    """One stretch of one line. ``outage`` is the one it is a part of, if any."""

    site: Site
    interval: Interval
    counts: Counts
    outage: Outage | None = None

    @property
    def cause(self) -> str:
        """The cause of the outage, or nothing."""
        return self.outage.cause.value if self.outage else ""


@dataclass(frozen=True)
class Evidence:
    """All rows, by provider and site, and each site's period (cut at its in-service date)."""

    rows: tuple[EvidenceRow, ...]
    periods: Mapping[str, Interval]


def evidence(
    inventory: Inventory,
    items: Iterable[SiteWeek],
    periods: Mapping[str, Interval],
    exempt_causes: frozenset[str],
) -> Evidence:
    """The evidence of all ``items``, ordered by provider, site and time."""
    sites = inventory.by_id
    ordered = sorted(items, key=lambda item: (sites[item.site].provider, item.site))
    rows = (
        row
        for item in ordered
        for row in _rows(
            sites[item.site],
            item,
            maintenance(inventory, sites[item.site], periods[item.site]),
            exempt_causes,
        )
    )
    return Evidence(tuple(rows), {item.site: periods[item.site] for item in ordered})


def add_up(rows: Iterable[EvidenceRow], period: Interval) -> Summary:
    """The SLA summary of one site from its rows: what an auditor does with the file."""
    length = dict.fromkeys(Counts, 0)
    for row in rows:
        length[row.counts] += row.interval.length_ms
    return Summary(
        up_ms=period.length_ms - sum(length.values()),
        down_ms=length[Counts.DOWN],
        unknown_ms=length[Counts.UNKNOWN],
        excluded_ms=length[Counts.EXEMPT] + length[Counts.MAINTENANCE],
    )


def maintenance(inventory: Inventory, site: Site, period: Interval) -> list[Interval]:
    """The announced work on a site or on what it hangs on, within a period."""
    return union(
        piece
        for work in inventory.maintenance_of(site)
        if (piece := work.interval.clip(period)) is not None
    )


def _rows(
    site: Site, item: SiteWeek, works: Sequence[Interval], exempt_causes: frozenset[str]
) -> Iterator[EvidenceRow]:
    """Maintenance first, then exempt outages, then what is left of the runs: the order in which
    the accounting excludes, so that overlapping reasons count once."""
    rows = [EvidenceRow(site, piece, Counts.MAINTENANCE) for piece in works]
    taken = list(works)
    for outage in item.outages:
        if outage.cause.value in exempt_causes:
            pieces = subtract([outage.interval], taken)
            rows += [EvidenceRow(site, piece, Counts.EXEMPT, outage) for piece in pieces]
            taken = union([*taken, *pieces])
    for run in item.runs:
        if run.outcome is Outcome.UP:
            continue
        counts = Counts.DOWN if run.outcome is Outcome.DOWN else Counts.UNKNOWN
        for piece in subtract([run.interval], taken):
            rows += _by_outage(site, piece, counts, item.outages)
    yield from sorted(rows, key=lambda row: row.interval)


def _by_outage(
    site: Site, piece: Interval, counts: Counts, outages: Sequence[Outage]
) -> list[EvidenceRow]:
    """A stretch cut at the bounds of the outages that it lies in."""
    if counts is Counts.UNKNOWN:
        return [EvidenceRow(site, piece, counts)]
    rows = []
    left = [piece]
    for outage in outages:
        inside = intersect(left, [outage.interval])
        if inside:
            rows += [EvidenceRow(site, part, counts, outage) for part in inside]
            left = subtract(left, [outage.interval])
    return rows + [EvidenceRow(site, part, counts) for part in left]
