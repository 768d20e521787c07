"""The tables of the read API, made by the same functions as the commands' figures."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cli import options
from cli.status import newest_looks
from collector.reading import REGION, Row, Table
from model.inventory import Inventory

if TYPE_CHECKING:
    from model.summary import WeekRecord

_NUMBER, _WHOLE, _TEXT, _TRUTH = "number", "integer", "string", "boolean"
_PLACE = {"site": _TEXT, REGION: _TEXT, "lat": _NUMBER, "lon": _NUMBER}


def tables(data: Path, inventory_file: Path, inventory: Inventory) -> list[Table]:
    """Status, outages, availability and, where there is a register of villages, coverage."""

    def record(week: str | None) -> "WeekRecord":
        from collector.weeks import week_entry  # DuckDB, once somebody asks

        return week_entry(data, inventory, options.chosen_week(week, inventory)).record

    def place(site_id: str) -> dict[str, object]:
        site = inventory.by_id[site_id]
        return {"site": site.id, REGION: site.village, "lat": site.lat, "lon": site.lon}

    def status(_week: str | None) -> Sequence[Row]:
        looks, _ = newest_looks(data)
        return [place(look["site"]) | look for look in looks if look["site"] in inventory.by_id]

    def outages(week: str | None) -> Sequence[Row]:
        return [
            place(outage.site)
            | {
                "start_ms": outage.start_ms,
                "end_ms": outage.end_ms,
                "open": outage.open,
                "cause": outage.cause.value,
                "confidence": outage.confidence,
                "evidence": [one.text for one in outage.evidence],
            }
            for one in record(week).site_weeks
            for outage in one.outages
        ]

    def availability(week: str | None) -> Sequence[Row]:
        found = record(week)
        return [
            place(one.site)
            | {
                "week": str(one.week),
                "revision": found.revision,
                "definition": found.definition_hash,
                "availability": one.raw.availability,
                "service_availability": one.service.availability,
                "sla_availability": one.sla.availability,
                "observed_share": one.raw.observed_share,
                "up_seconds": one.raw.up_ms / 1000,
                "down_seconds": one.raw.down_ms / 1000,
                "unknown_seconds": one.raw.unknown_ms / 1000,
                "outages": one.repair.count,
                "state": one.state.value,
            }
            for one in found.site_weeks
        ]

    made = [
        Table("status", "The newest look of each series.", _STATUS, status, weekly=False),
        Table("outages", "The outages of a week with their causes.", _OUTAGES, outages),
        Table("availability", "Availability by site for a week.", _AVAILABILITY, availability),
    ]
    if inventory.register_file is not None:
        made.append(_coverage(data, inventory_file))
    return made


def _coverage(data: Path, inventory_file: Path) -> Table:
    def coverage(week: str | None) -> Sequence[Row]:
        from cli.coverage import gather  # the maps, once somebody asks
        from maps.exports import village_rows

        found = gather(inventory_file, data, week, 8)
        return [{REGION: r["code"]} | r for r in village_rows(found.register, found.coverage)]

    return Table("coverage", "Every village of the register in a week.", _COVERAGE, coverage)


_STATUS = _PLACE | {
    "vantage": _TEXT,
    "kind": _TEXT,
    "target": _TEXT,
    "at_ms": _WHOLE,
    "outcome": _TEXT,
    "reason": _TEXT,
    "rtt_median_seconds": _NUMBER,
    "since_ms": _WHOLE,
}
_OUTAGES = _PLACE | {
    "start_ms": _WHOLE,
    "end_ms": _WHOLE,
    "open": _TRUTH,
    "cause": _TEXT,
    "confidence": _NUMBER,
    "evidence": "array",
}
_AVAILABILITY = _PLACE | {
    "week": _TEXT,
    "revision": _WHOLE,
    "definition": _TEXT,
    "availability": _NUMBER,
    "service_availability": _NUMBER,
    "sla_availability": _NUMBER,
    "observed_share": _NUMBER,
    "up_seconds": _NUMBER,
    "down_seconds": _NUMBER,
    "unknown_seconds": _NUMBER,
    "outages": _WHOLE,
    "state": _TEXT,
}
_COVERAGE = {
    REGION: _TEXT,
    "code": _TEXT,
    "name": _TEXT,
    "kind": _TEXT,
    "kecamatan_code": _TEXT,
    "kecamatan": _TEXT,
    "kabupaten_code": _TEXT,
    "kabupaten": _TEXT,
    "population": _WHOLE,
    "week": _TEXT,
    "state": _TEXT,
    "meets_target": _TRUTH,
    "site": _TEXT,
    "availability": _NUMBER,
    "observed_share": _NUMBER,
    "outages": _WHOLE,
    "register_version": _TEXT,
    "definition": _TEXT,
    "revision": _WHOLE,
}
