"""A site's week in numbers: availability three ways, repair times, the weekly state.

Law: milliseconds are counted once and add up to the window exactly. An outage that crosses a
week's end counts its minutes in each week, and once, by its end, for the repair times. Time before
a site's in-service date does not exist.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from statistics import mean, median

from collector.settings import AccountingSettings
from model.definition import Definition, Quality, grade
from model.inventory import Inventory
from model.measurement import Outcome
from model.outage import Cause, Outage
from model.site import Site
from model.summary import Repair, SiteWeek, Summary
from model.timeline import Interval, Run, intersect, subtract, total_ms, union
from model.week import Week, local_midnight_ms


def window_of(site: Site, week: Week, until_ms: int) -> Interval | None:
    """The part of a week in which the site was in service and that is not in the future; None when
    there is none."""
    bounds = week.interval(site.timezone)
    start = max(bounds.start_ms, local_midnight_ms(site.in_service_from, site.timezone))
    end = min(bounds.end_ms, until_ms)
    return Interval(start, end) if start < end else None


def account(
    site: Site,
    week: Week,
    window: Interval,
    runs: Sequence[Run],
    outages: Sequence[Outage],
    quality: Quality,
    inventory: Inventory,
    definition: Definition,
    settings: AccountingSettings,
) -> SiteWeek:
    """Everything that a week's report says of one site. ``runs`` cover ``window`` without holes;
    ``outages`` are all that touch it, uncut."""
    clipped = _clip_runs(runs, window)
    maintenance = _maintenance(site, inventory, window)
    hours = site.service_hours.intervals(window, site.timezone, week.monday)
    exempt = union(
        [
            *maintenance,
            *(
                piece
                for outage in outages
                if outage.cause.value in settings.exempt_causes
                and (piece := outage.interval.clip(window)) is not None
            ),
        ]
    )
    raw = _summary(clipped, [window], ())
    service = _summary(clipped, hours, maintenance)
    sla = _summary(clipped, [window], exempt)
    touching = [outage for outage in outages if outage.interval.clip(window) is not None]
    open_seconds = max(
        (
            (window.end_ms - outage.start_ms) / 1000
            for outage in touching
            if outage.end_ms >= window.end_ms
        ),
        default=0.0,
    )
    return SiteWeek(
        site=site.id,
        week=week,
        raw=raw,
        service=service,
        sla=sla,
        repair=repair(touching, window, raw),
        quality=quality,
        state=grade(
            definition,
            site.access,
            availability=service.availability,
            observed_share=service.observed_share,
            open_outage_seconds=open_seconds,
            quality=quality,
        ),
        outages=tuple(cut for outage in outages if (cut := outage.cut(window)) is not None),
        runs=tuple(clipped),
    )


def repair(outages: Iterable[Outage], window: Interval, raw: Summary) -> Repair:
    """MTTR over the outages that ended in ``window`` with their full length, MTBF over those that
    began in it (GEANT: MTTR = sum/n, MTBF = (T - sum)/n). Maintenance is not a failure."""
    failures = [outage for outage in outages if outage.cause is not Cause.MAINTENANCE]
    ended = sorted(
        (outage.end_ms - outage.start_ms) / 1000
        for outage in failures
        if not outage.open and window.start_ms < outage.end_ms <= window.end_ms
    )
    began = sum(window.start_ms <= outage.start_ms < window.end_ms for outage in failures)
    return Repair(
        count=len(failures),
        mttr_mean_seconds=mean(ended) if ended else None,
        mttr_median_seconds=median(ended) if ended else None,
        mttr_p90_seconds=ended[math.ceil(0.9 * len(ended)) - 1] if ended else None,
        mtbf_seconds=(raw.up_ms / 1000 / began) if began else None,
    )


def _summary(
    runs: Sequence[Run], counted: Sequence[Interval], excluded: Sequence[Interval]
) -> Summary:
    """Milliseconds by outcome of the runs in ``counted``, less ``excluded``."""
    kept = subtract(counted, excluded)
    by_outcome = {
        outcome: total_ms(intersect([run.interval for run in runs if run.outcome is outcome], kept))
        for outcome in Outcome
    }
    return Summary(
        up_ms=by_outcome[Outcome.UP],
        down_ms=by_outcome[Outcome.DOWN],
        unknown_ms=by_outcome[Outcome.UNKNOWN],
        excluded_ms=total_ms(counted) - total_ms(kept),
    )


def _maintenance(site: Site, inventory: Inventory, window: Interval) -> list[Interval]:
    return union(
        piece
        for work in inventory.maintenance_of(site)
        if (piece := work.interval.clip(window)) is not None
    )


def _clip_runs(runs: Sequence[Run], window: Interval) -> list[Run]:
    return [
        replace(run, start_ms=piece.start_ms, end_ms=piece.end_ms)
        for run in runs
        if (piece := run.interval.clip(window)) is not None
    ]
