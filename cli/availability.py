"""``jangkau availability``: a week's availability that can be defended, by site or by group."""

from collections import defaultdict
from enum import StrEnum
from typing import Annotated, Any

import typer

from cli import options, rows, wording
from cli.concluded import conclude
from cli.options import AsCsv, AsJson, DataFolder, InventoryFile, RegionText, WeekText
from model.inventory import Inventory
from model.region import kabupaten_of
from model.site import Site
from model.summary import SiteWeek, Summary


class GroupBy(StrEnum):
    """By what rows are gathered; milliseconds are added, percentages never averaged."""

    SITE = "site"
    PROVIDER = "provider"
    ACCESS = "access"
    KABUPATEN = "kabupaten"
    CAUSE = "cause"


def availability(
    by: Annotated[GroupBy, typer.Option("--by", help="One row per ...")] = GroupBy.SITE,
    region: RegionText = None,
    week: WeekText = None,
    inventory: InventoryFile = options.INVENTORY,
    data: DataFolder = options.DATA,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """Availability raw, in service hours and SLA-adjusted, with its bounds and observed share."""
    asked = conclude(inventory, data, week, region=region)
    record, records = asked.record, asked.site_weeks
    title = f"{asked.week}, % (revision {record.revision}, definition {record.definition_hash})"
    if by is GroupBy.CAUSE:
        _show_causes(records, title, as_json=as_json, as_csv=as_csv)
        return
    groups: dict[str, list[SiteWeek]] = defaultdict(list)
    for one in records:
        groups[_group(by, asked.sites[one.site], asked.inventory)].append(one)
    rows.show(
        [_row(by, name, members) for name, members in sorted(groups.items())],
        {
            by.value: lambda row: row[by.value],
            "service": lambda row: wording.percent(row["service_availability"]),
            "raw": lambda row: wording.percent(row["raw_availability"]),
            "bounds": lambda row: (
                f"{wording.percent(row['raw_lower'])}-{wording.percent(row['raw_upper'])}"
            ),
            "SLA": lambda row: wording.percent(row["sla_availability"]),
            "seen": lambda row: wording.percent(row["observed_share"]),
            "no.": lambda row: str(row["outages"]),
            "MTTR": lambda row: _optional_duration(row["mttr_median_seconds"]),
            "state": lambda row: row["state"] or "",
        },
        title=title,
        as_json=as_json,
        as_csv=as_csv,
    )


def _group(by: GroupBy, site: Site, watched: Inventory) -> str:
    if by is GroupBy.SITE:
        return site.id
    if by is GroupBy.PROVIDER:
        return site.provider
    if by is GroupBy.ACCESS:
        return site.access.value
    code = kabupaten_of(site.village)
    names = {one.code: one.name for one in watched.kabupaten}
    return f"{code} {names.get(code, '')}".rstrip()


def _row(by: GroupBy, name: str, members: list[SiteWeek]) -> dict[str, Any]:
    raw = sum((one.raw for one in members), Summary())
    service = sum((one.service for one in members), Summary())
    sla = sum((one.sla for one in members), Summary())
    bounds = raw.availability_bounds or (None, None)
    single = members[0] if by is GroupBy.SITE else None
    return {
        by.value: name,
        "sites": len(members),
        "service_availability": service.availability,
        "raw_availability": raw.availability,
        "raw_lower": bounds[0],
        "raw_upper": bounds[1],
        "sla_availability": sla.availability,
        "observed_share": raw.observed_share,
        "up_seconds": raw.up_ms / 1000,
        "down_seconds": raw.down_ms / 1000,
        "unknown_seconds": raw.unknown_ms / 1000,
        "outages": sum(one.repair.count for one in members),
        "mttr_mean_seconds": single.repair.mttr_mean_seconds if single else None,
        "mttr_median_seconds": single.repair.mttr_median_seconds if single else None,
        "mttr_p90_seconds": single.repair.mttr_p90_seconds if single else None,
        "mtbf_seconds": single.repair.mtbf_seconds if single else None,
        "state": single.state.value if single else None,
    }


def _show_causes(records: list[SiteWeek], title: str, *, as_json: bool, as_csv: bool) -> None:
    """Downtime of the week by cause: what was lost to what."""
    seconds: dict[str, float] = defaultdict(float)
    count: dict[str, int] = defaultdict(int)
    sites: dict[str, set[str]] = defaultdict(set)
    for one in records:
        for outage in one.outages:
            seconds[outage.cause.value] += (outage.end_ms - outage.start_ms) / 1000
            count[outage.cause.value] += 1
            sites[outage.cause.value].add(one.site)
    whole = sum(seconds.values())
    rows.show(
        [
            {
                "cause": cause,
                "outages": count[cause],
                "sites": len(sites[cause]),
                "seconds": lost,
                "share": lost / whole,
            }
            for cause, lost in sorted(seconds.items(), key=lambda item: -item[1])
        ],
        {
            "cause": lambda row: row["cause"],
            "no.": lambda row: str(row["outages"]),
            "sites": lambda row: str(row["sites"]),
            "time lost": lambda row: wording.duration(row["seconds"]),
            "share": lambda row: wording.share(row["share"], 1),
        },
        title="Time lost by cause, " + title.replace(", %", ""),
        as_json=as_json,
        as_csv=as_csv,
    )


def _optional_duration(seconds: float | None) -> str:
    return "–" if seconds is None else wording.duration(seconds)
