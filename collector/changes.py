"""What a revision of a week changed, site by site, in time.

Law: late truth replaces early guess, and says so: so many minutes of this are now that.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from model.measurement import Outcome
from model.outage import Outage
from model.summary import SiteWeek
from model.timeline import Interval, intersect, subtract, total_ms


@dataclass(frozen=True, slots=True)
class Change:
    """``ms`` milliseconds of a site's week that were ``before`` and are ``after``: ``up``,
    ``unknown``, ``absent`` (not in the record), or the cause of the outage that they lie in."""

    site: str
    week: str
    before: str
    after: str
    ms: int


def changes(before: Iterable[SiteWeek], after: Iterable[SiteWeek]) -> list[Change]:
    """All differences between two revisions of a week, longest first."""
    old = {record.site: record for record in before}
    new = {record.site: record for record in after}
    found: list[Change] = []
    for site in sorted(old.keys() | new.keys()):
        week = str((new.get(site) or old[site]).week)
        moved = _moved(_labels(old.get(site)), _labels(new.get(site)))
        found += [Change(site, week, was, now, ms) for (was, now), ms in sorted(moved.items())]
    found.sort(key=lambda change: -change.ms)
    return found


def _moved(
    before: Sequence[tuple[str, Interval]], after: Sequence[tuple[str, Interval]]
) -> Counter[tuple[str, str]]:
    """Milliseconds by (label before, label after), where the two differ."""
    moved: Counter[tuple[str, str]] = Counter()
    rest = [interval for _, interval in after]
    for was, interval in before:
        left = [interval]
        for now, other in after:
            common = total_ms(intersect([interval], [other]))
            if common:
                left = subtract(left, [other])
                if was != now:
                    moved[was, now] += common
        moved[was, "absent"] += total_ms(left)
        rest = subtract(rest, [interval])
    for now, other in after:
        moved["absent", now] += total_ms(intersect(rest, [other]))
    return +moved


def _labels(record: SiteWeek | None) -> list[tuple[str, Interval]]:
    """The week as labelled stretches in order; downtime bears its outage's cause."""
    if record is None:
        return []
    return [
        (_label(run.outcome, run.interval, record.outages), run.interval) for run in record.runs
    ]


def _label(outcome: Outcome, interval: Interval, outages: Sequence[Outage]) -> str:
    if outcome is not Outcome.DOWN:
        return outcome.name.lower()
    for outage in outages:
        if outage.interval.clip(interval) is not None:
            return outage.cause.value
    return "down"
