"""A calendar month, made of the weeks that it touches.

Law: the month's bounds are local midnights, its weeks are cut there, and a line's first day is its
in-service date: a contract that started on the 2nd is judged over 30 days and not over 31.
"""

import calendar
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from maps.report.evidence import add_up, evidence, maintenance
from model.inventory import Inventory
from model.measurement import Outcome
from model.outage import Outage
from model.site import Site
from model.summary import SiteWeek, Summary, WeekRecord
from model.timeline import Interval, Run, clip, intersect, subtract, total_ms
from model.week import Week, local_midnight_ms

_MONTH = re.compile(r"(\d{4})-(\d{2})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Month:
    """A calendar month, for example ``2026-10``."""

    year: int
    number: int

    @classmethod
    def parse(cls, text: str) -> "Month":
        """Read ``2026-10``. Raises ValueError with the remedy."""
        match = _MONTH.fullmatch(text)
        if match is None or not 1 <= int(match[2]) <= 12 or not 2000 <= int(match[1]) <= 9998:
            raise ValueError(f"{text!r} is not a month: write it as 2026-10")
        return cls(int(match[1]), int(match[2]))

    @property
    def first(self) -> date:
        return date(self.year, self.number, 1)

    @property
    def last(self) -> date:
        return date(self.year, self.number, calendar.monthrange(self.year, self.number)[1])

    @property
    def weeks(self) -> tuple[Week, ...]:
        """The ISO weeks that it touches, in order."""
        week = Week(*self.first.isocalendar()[:2])
        found = [week]
        while found[-1].sunday < self.last:
            found.append(found[-1].plus(1))
        return tuple(found)

    @property
    def last_whole_week(self) -> Week:
        """The last week that ends in it: the one whose states its report shows."""
        return [week for week in self.weeks if week.sunday <= self.last][-1]

    def interval(self, zone: str) -> Interval:
        """Its bounds in ``zone``."""
        return Interval(
            local_midnight_ms(self.first, zone),
            local_midnight_ms(self.last + timedelta(days=1), zone),
        )

    def __str__(self) -> str:
        return f"{self.year}-{self.number:02d}"


def site_months(
    inventory: Inventory,
    records: Iterable[WeekRecord],
    periods: Mapping[str, Interval],
    exempt_causes: frozenset[str],
) -> list[SiteWeek]:
    """Each site's weeks as one stretch cut to its period, counted anew. The week it bears is its
    last one; sites that have no time in the period are left out."""
    parts: dict[str, list[SiteWeek]] = {}
    for record in records:
        for item in record.site_weeks:
            if item.site in periods:
                parts.setdefault(item.site, []).append(item)
    return [
        _counted(inventory, site, _joined(items, periods[site]), periods[site], exempt_causes)
        for site, items in sorted(parts.items())
    ]


def _joined(items: Sequence[SiteWeek], period: Interval) -> SiteWeek:
    runs: list[Run] = []
    outages: list[Outage] = []
    for item in items:
        runs += clip(item.runs, period)
        for outage in item.outages:
            if (piece := outage.interval.clip(period)) is None:
                continue
            cut = outage.open or piece.end_ms < outage.end_ms
            last = outages[-1] if outages else None
            if last is not None and last.end_ms == piece.start_ms and last.cause is outage.cause:
                outages[-1] = replace(last, end_ms=piece.end_ms, open=cut)
            else:
                outages.append(
                    replace(outage, start_ms=piece.start_ms, end_ms=piece.end_ms, open=cut)
                )
    return replace(items[-1], runs=tuple(runs), outages=tuple(outages))


def _counted(
    inventory: Inventory,
    site_id: str,
    item: SiteWeek,
    period: Interval,
    exempt_causes: frozenset[str],
) -> SiteWeek:
    site: Site = inventory.by_id[site_id]
    first_day = item.week.monday
    while local_midnight_ms(first_day, site.timezone) > period.start_ms:
        first_day -= timedelta(days=1)
    hours = site.service_hours.intervals(period, site.timezone, first_day)
    works = maintenance(inventory, site, period)
    rows = evidence(inventory, [item], {site_id: period}, exempt_causes).rows
    return replace(
        item,
        raw=_summary(item.runs, [period], ()),
        service=_summary(item.runs, hours, works),
        sla=add_up(rows, period),
    )


def _summary(
    runs: Sequence[Run], counted: Sequence[Interval], excluded: Sequence[Interval]
) -> Summary:
    kept = subtract(counted, excluded)
    length = {
        outcome: total_ms(intersect([run.interval for run in runs if run.outcome is outcome], kept))
        for outcome in Outcome
    }
    return Summary(
        length[Outcome.UP],
        length[Outcome.DOWN],
        length[Outcome.UNKNOWN],
        total_ms(counted) - total_ms(kept),
    )
