"""The outages of a set of sites in a period, and how long repairs took.

Law: percentiles are taken of the outages themselves, never averaged. An outage that crosses the
period's start counts its time in each period, and once, by its end, where repairs are counted.
Announced maintenance is no failure: its time is shown, but it is neither a failure nor a repair.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import mean, median

from model.outage import Cause
from model.summary import SiteWeek, Summary, WeekRecord

REPAIR_STEPS_SECONDS = (900, 3600, 4 * 3600, 12 * 3600, 24 * 3600, 72 * 3600)
"""Upper ends of the classes of the repair times' distribution; the last class is open."""

Starts = Mapping[tuple[str, int], int]
"""The start of every known outage by its site and end: see ``starts_of``."""


@dataclass(frozen=True, slots=True)
class Outages:
    """The outages of ``sites`` sites. Durations in seconds; None where there are none.

    ``count`` touch the period, ``ended`` ended in it, ``open`` last beyond it; ``down_seconds`` is
    their time within it. MTTR figures are of the ended ones, each with its whole length as far as
    the given weeks reach; MTBF is the time up / the number that began in the period (GEANT).
    ``repairs`` counts the ended ones by the classes of REPAIR_STEPS_SECONDS.
    """

    sites: int
    count: int
    ended: int
    open: int
    down_seconds: float
    mttr_mean_seconds: float | None
    mttr_median_seconds: float | None
    mttr_p90_seconds: float | None
    mtbf_seconds: float | None
    repairs: tuple[int, ...]
    raw: Summary
    service: Summary
    sla: Summary


@dataclass(frozen=True, slots=True)
class CauseTotal:
    """What was lost to one cause, maintenance too."""

    cause: Cause
    count: int
    sites: int
    seconds: float


def starts_of(records: Iterable[WeekRecord]) -> Starts:
    """The start of every outage of the given weeks by site and end. One that begins where another
    of its site ends is the same one, cut at a week's bound."""
    return {
        (outage.site, outage.end_ms): outage.start_ms
        for record in records
        for item in record.site_weeks
        for outage in item.outages
    }


def outages_of(items: Sequence[SiteWeek], ends: Mapping[str, int], starts: Starts) -> Outages:
    """The figures of ``items``; ``ends`` is when each site's period ends."""
    lengths: list[float] = []
    count = begun = still_open = down_ms = up_ms = 0
    raw = service = sla = Summary()
    for item in items:
        raw, service, sla = raw + item.raw, service + item.service, sla + item.sla
        up_ms += item.raw.up_ms
        for outage in item.outages:
            if outage.cause is Cause.MAINTENANCE:
                continue
            count += 1
            begun += (item.site, outage.start_ms) not in starts
            down_ms += outage.interval.length_ms
            if outage.open or outage.end_ms >= ends[item.site]:
                still_open += 1
                continue
            start = outage.start_ms
            while (earlier := starts.get((item.site, start), start)) < start:
                start = earlier
            lengths.append((outage.end_ms - start) / 1000)
    return Outages(
        sites=len(items),
        count=count,
        ended=len(lengths),
        open=still_open,
        down_seconds=down_ms / 1000,
        mttr_mean_seconds=mean(lengths) if lengths else None,
        mttr_median_seconds=median(lengths) if lengths else None,
        mttr_p90_seconds=_p90(lengths) if lengths else None,
        mtbf_seconds=up_ms / 1000 / begun if begun else None,
        repairs=_classes(lengths),
        raw=raw,
        service=service,
        sla=sla,
    )


def by_cause(items: Iterable[SiteWeek]) -> tuple[CauseTotal, ...]:
    """What was lost to each cause, most first."""
    lost: Counter[Cause] = Counter()
    counts: Counter[Cause] = Counter()
    sites: dict[Cause, set[str]] = {}
    for item in items:
        for outage in item.outages:
            lost[outage.cause] += outage.interval.length_ms
            counts[outage.cause] += 1
            sites.setdefault(outage.cause, set()).add(item.site)
    return tuple(
        CauseTotal(cause, counts[cause], len(sites[cause]), ms / 1000)
        for cause, ms in sorted(lost.items(), key=lambda pair: (-pair[1], pair[0]))
    )


def continuations(records: Sequence[WeekRecord]) -> set[tuple[str, int]]:
    """Site and start of the outages that begin where another of the same site ends."""
    starts = starts_of(records)
    return {
        (item.site, outage.start_ms)
        for record in records
        for item in record.site_weeks
        for outage in item.outages
        if (item.site, outage.start_ms) in starts
    }


def _p90(lengths: Iterable[float]) -> float:
    """The shortest length that at least nine in ten do not exceed (nearest rank)."""
    ordered = sorted(lengths)
    return ordered[-(-len(ordered) * 9 // 10) - 1]


def _classes(lengths: Iterable[float]) -> tuple[int, ...]:
    found = [0] * (len(REPAIR_STEPS_SECONDS) + 1)
    for length in lengths:
        found[sum(length > step for step in REPAIR_STEPS_SECONDS)] += 1
    return tuple(found)
