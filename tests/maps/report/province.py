"""A random province with random weeks, concluded by the collector's own accounting."""

import random
from dataclasses import replace
from datetime import date
from typing import Any

from collector.accounting import account, window_of
from collector.settings import AccountingSettings
from maps.coverage import coverage
from maps.report.weekly import WeeklyReport, weekly_report
from model.clock import ClockTrouble
from model.definition import Definition, Quality
from model.inventory import Inventory, Kabupaten, Provider, Province
from model.measurement import Outcome
from model.outage import Cause, Evidence, Outage
from model.region import Register, Village
from model.service import ServiceWeek
from model.site import Access, ServiceHours, Site, SiteKind
from model.summary import WeekRecord
from model.timeline import Interval, Run, intersect, subtract
from tests.maps.made import HOUR_MS, LAST_WEEK, OFFICE_HOURS, ZONE, make_record, make_site

SETTINGS = AccountingSettings()
KINDS = ("kantor_desa", "mpp", "public_wifi")


def random_province(seed: int, villages: int = 40) -> tuple[Register, Inventory]:
    """Villages in three kabupaten, most with a site or two, two providers, one without an SLA."""
    rng = random.Random(seed)  # noqa: S311 - data of a test
    listed = [
        Village(
            f"61.{kab:02d}.{1 + at % 2:02d}.{1 if at % 7 == 0 else 2}{at:03d}",
            f"Desa {kab}-{at}",
            1.0,
            109.0,
            rng.randrange(100, 9000),
        )
        for kab in (1, 6, 71)
        for at in range(1, villages // 3 + 2)
    ][:villages]
    register = Register(
        "300.2.2-2430/2025",
        tuple(sorted(listed, key=lambda village: village.code)),
        {"61": "Kalimantan Barat", "61.01": "Kabupaten Sambas", "61.06": "Kabupaten Kapuas Hulu",
         "61.71": "Kota Pontianak"},
    )  # fmt: skip
    sites: list[Site] = []
    for at, village in enumerate(register.villages):
        for line in range(rng.choice([0, 1, 1, 1, 2])):
            kind = "kantor_desa" if line == 0 else rng.choice(KINDS)
            more: dict[str, Any] = {
                "kind": kind,
                "name": f"Titik {at}-{line}",
                "access": rng.choice(list(Access)),
                "provider": rng.choice(["satu", "dua"]),
                "service_critical": kind != "public_wifi",
                "in_service_from": rng.choice([date(2026, 1, 1), date(2026, 11, 11)]),
            }
            sites.append(make_site(f"s{at:03d}-{line}", village.code, **more))
    all_day = ServiceHours.parse("Mon-Sun 06:00-22:00")
    inventory = Inventory(
        province=Province("61", "Kalimantan Barat", ZONE),
        kabupaten=(Kabupaten("61.01", "Kabupaten Sambas"),),
        providers={"satu": Provider("satu", "Satu Net", 0.97), "dua": Provider("dua", "Dua Net")},
        upstreams={},
        kinds={
            kind: SiteKind(kind, f"Jenis {kind}", f"Kind {kind}",
                           all_day if kind == "public_wifi" else OFFICE_HOURS, True, 300)
            for kind in KINDS
        },
        sites=tuple(sites),
        definition=Definition(),
    )  # fmt: skip
    return register, inventory


def random_records(inventory: Inventory, seed: int, weeks: int) -> list[WeekRecord]:
    """Weeks up to LAST_WEEK: mostly up, some hours down or unseen."""
    rng = random.Random(seed)  # noqa: S311 - data of a test
    found = []
    for back in range(1 - weeks, 1):
        week = LAST_WEEK.plus(back)
        items = []
        for site in inventory.sites:
            window = window_of(site, week, 10**15)
            if window is None:
                continue
            runs: list[Run] = []
            outages: list[Outage] = []
            at, bad = window.start_ms, rng.random() < 0.3
            while at < window.end_ms:
                up = not runs or runs[-1].outcome is not Outcome.UP
                hours = rng.uniform(10, 90) if up else rng.uniform(0.1, 30 if bad else 1.5)
                end = min(window.end_ms, at + round(hours * HOUR_MS))
                outcome = Outcome.UP if up else rng.choice([Outcome.DOWN, Outcome.UNKNOWN])
                runs.append(Run(at, end, outcome))
                if outcome is Outcome.DOWN:
                    cause = rng.choice([Cause.POWER, Cause.LINK, Cause.UPSTREAM, Cause.DEVICE])
                    told = (Evidence("rule", cause, 0.9, "=told()"),)
                    outages.append(Outage(site.id, at, end, end == window.end_ms, cause, 0.9, told))
                at = end
            quality = Quality(rtt_median_seconds=rng.choice([0.02, 0.5]), loss_p95=0.0)
            items.append(account(site, week, window, runs, outages, quality, inventory,
                                 inventory.definition, SETTINGS))  # fmt: skip
        found.append(replace(make_record(week, items, inventory.definition), revision=1))
    return found


def random_report(seed: int, weeks: int = 12, villages: int = 40) -> WeeklyReport:
    """The report on such a province."""
    register, inventory = random_province(seed, villages)
    records = random_records(inventory, seed, weeks)
    return weekly_report(
        register,
        inventory,
        records,
        coverage(register, inventory, records),
        exempt_causes=frozenset(SETTINGS.exempt_causes),
        service_weeks=random_services(inventory, records[-1], seed),
        clocks=[ClockTrouble(site.id, 2016, 40, 3 * 3600.0) for site in inventory.sites[:2]],
    )


def random_services(inventory: Inventory, record: WeekRecord, seed: int) -> list[ServiceWeek]:
    """Readiness by the lines' timelines; at one site in four the application fails for a day."""
    rng = random.Random(seed)  # noqa: S311 - data of a test
    found = []
    for item in record.site_weeks:
        site = inventory.by_id[item.site]
        whole = Interval(item.runs[0].start_ms, item.runs[-1].end_ms)
        window = site.service_hours.intervals(whole, site.timezone, record.week.monday)
        up = [run.interval for run in item.runs if run.outcome is Outcome.UP]
        stopped: dict[str, tuple[Interval, ...]] = {}
        for cause in sorted({outage.cause for outage in item.outages}):
            down = [outage.interval for outage in item.outages if outage.cause is cause]
            stopped[cause] = tuple(intersect(window, down))
        if rng.random() < 0.25:
            begin = whole.start_ms + rng.randrange(24 * HOUR_MS)
            failed = intersect(intersect(window, up), [Interval(begin, begin + 24 * HOUR_MS)])
            stopped["application: wrong status 502"] = tuple(failed)
            up = subtract(up, failed)
        ready = tuple(intersect(window, up))
        found.append(ServiceWeek(site.id, record.week, tuple(window), ready, stopped))
    return found
