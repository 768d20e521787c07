"""Sites and weeks made by hand, whose states a test names."""

from collections.abc import Sequence
from datetime import date

from model.definition import Definition, Quality, State
from model.outage import Cause, Outage
from model.region import RegionCode
from model.site import Access, ServiceHours, Site
from model.summary import Repair, SiteWeek, Summary, WeekRecord
from model.week import Week

ZONE = "Asia/Pontianak"
HOUR_MS = 3_600_000
LAST_WEEK = Week(2026, 46)
OFFICE_HOURS = ServiceHours.parse("Mon-Fri 07:30-15:30")
HOURS_UP = {
    State.STABLE: 40,
    State.FAIR: 40,
    State.UNSTABLE: 30,
    State.CUT_OFF: 10,
    State.NOT_OBSERVED: 0,
}


def make_site(site_id: str, village: RegionCode, *, critical: bool = True, **more: object) -> Site:
    """A village office on fibre, in service since long ago."""
    fields: dict[str, object] = {
        "id": site_id,
        "name": f"Kantor Desa {site_id}",
        "kind": "kantor_desa",
        "village": village,
        "access": Access.FIBRE,
        "provider": "satu",
        "timezone": ZONE,
        "service_hours": OFFICE_HOURS,
        "service_critical": critical,
        "interval_seconds": 300,
        "in_service_from": date(2026, 1, 1),
        "address": "127.61.0.1",
        "lat": 1.0,
        "lon": 109.0,
    }
    return Site(**(fields | more))  # type: ignore[arg-type] # the fields are Site's own


def make_site_week(
    site: str,
    week: Week,
    state: State,
    outages: Sequence[tuple[float, float, Cause]] = (),
    *,
    open_at_end: bool = False,
) -> SiteWeek:
    """A week of 40 service hours in which a site had ``state``. ``outages`` are (hours after the
    week began, hours long, cause)."""
    up = HOURS_UP[state] * HOUR_MS
    unknown = 40 * HOUR_MS if state is State.NOT_OBSERVED else 0
    service = Summary(up_ms=up, down_ms=40 * HOUR_MS - up - unknown, unknown_ms=unknown)
    start = week.interval(ZONE).start_ms
    return SiteWeek(
        site=site,
        week=week,
        raw=service,
        service=service,
        sla=service,
        repair=Repair(count=len(outages)),
        quality=Quality(),
        state=state,
        outages=tuple(
            Outage(
                site,
                start + round(begin * HOUR_MS),
                start + round((begin + hours) * HOUR_MS),
                open_at_end,
                cause,
                0.9,
            )
            for begin, hours, cause in outages
        ),
    )


def make_record(week: Week, site_weeks: Sequence[SiteWeek], definition: Definition) -> WeekRecord:
    """A week as the collector hands it over."""
    end = week.interval(ZONE).end_ms
    return WeekRecord(
        week,
        0,
        end + HOUR_MS,
        end,
        definition.hash,
        tuple(sorted(site_weeks, key=lambda s: s.site)),
    )
