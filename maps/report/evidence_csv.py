"""The evidence as CSV: one row for each stretch, and one that opens each line with its period.

Law: whoever adds up the seconds of a line by ``counts`` and takes them from its period has its SLA
figure. Times are ISO 8601 with the zone's offset; text cannot become a formula.
"""

import csv
import io
from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from maps.report.evidence import EvidenceRow
from maps.report.weekly import WeeklyReport
from maps.spreadsheet import guarded
from model.inventory import Provider
from model.site import Site
from model.timeline import Interval

PERIOD = "period"
"""In ``counts``: the row of a line's whole period, from its in-service date on."""

Value = str | float | bool | datetime | None


def rows(report: WeeklyReport) -> Iterator[dict[str, Value]]:
    """The columns, the same in CSV and XLSX; times bear the site's zone."""
    zones: dict[str, ZoneInfo] = {}
    of_site: dict[str, list[EvidenceRow]] = {}
    for row in report.evidence.rows:
        of_site.setdefault(row.site.id, []).append(row)
    for site_id, period in report.evidence.periods.items():
        site = report.inventory.by_id[site_id]
        zone = zones.setdefault(site.timezone, ZoneInfo(site.timezone))
        provider = report.inventory.providers.get(site.provider)
        yield _row(report, site, provider, zone, period, None)
        for row in of_site.get(site_id, ()):
            yield _row(report, site, provider, zone, row.interval, row)


def text(report: WeeklyReport) -> str:
    """The whole file (RFC 4180, with the byte order mark that spreadsheets need)."""
    made = io.StringIO()
    made.write("\ufeff")
    writer = csv.writer(made, lineterminator="\r\n")
    for at, row in enumerate(rows(report)):
        if at == 0:
            writer.writerow(row)
        writer.writerow(_cell(value) for value in row.values())
    return made.getvalue()


def _row(
    report: WeeklyReport,
    site: Site,
    provider: Provider | None,
    zone: ZoneInfo,
    interval: Interval,
    row: EvidenceRow | None,
) -> dict[str, Value]:
    outage = row.outage if row else None
    return {
        "provider": site.provider,
        "provider_name": provider.name if provider else None,
        "sla_availability": provider.sla_availability if provider else None,
        "site": site.id,
        "site_name": site.name,
        "village_code": site.village,
        "in_service_from": site.in_service_from.isoformat(),
        "counts": row.counts.value if row else PERIOD,
        "start": datetime.fromtimestamp(interval.start_ms / 1000, zone),
        "end": datetime.fromtimestamp(interval.end_ms / 1000, zone),
        "seconds": interval.length_ms / 1000,
        "days": round(interval.length_ms / 86_400_000, 6),
        "cause": outage.cause.value if outage else None,
        "confidence": round(outage.confidence, 4) if outage else None,
        "outage": outage.id if outage else None,
        "parent": outage.parent if outage else None,
        "open": outage.open if outage else None,
        "evidence": " | ".join(item.text for item in outage.evidence if item.cause is outage.cause)
        if outage
        else None,
        "definition": report.coverage.definition.hash,
        "revision": report.coverage.revision,
    }


def _cell(value: Value) -> str | float | None:
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds")
    return guarded(value)
