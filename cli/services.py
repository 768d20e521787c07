"""``jangkau services``: could public services be used, and what stopped them."""

from collections import defaultdict
from enum import StrEnum
from typing import Annotated, Any

import typer

from cli import options, rows, wording
from cli.options import AsCsv, AsJson, DataFolder, InventoryFile, RegionText, WeekText
from model.inventory import Inventory
from model.outage import Outage
from model.region import kabupaten_of
from model.service import MALL, ServiceWeek, is_ready, places
from model.site import Site


class GroupBy(StrEnum):
    """One row per place, per kind of site, or per stop."""

    KIND = "kind"
    SITE = "site"
    STOP = "stop"


def services(
    by: Annotated[GroupBy, typer.Option("--by", help="One row per ...")] = GroupBy.KIND,
    region: RegionText = None,
    week: WeekText = None,
    inventory: InventoryFile = options.INVENTORY,
    data: DataFolder = options.DATA,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """Hours of service in which each service could be used, and what stopped it.

    A place with several lines is one place: it is ready while one of them is. Ready are the places
    whose share reaches the availability that the definition asks of their line.
    """
    from collector.services import service_weeks
    from inventory.read import load

    watched = load(inventory)
    sites = {site.id: site for site in options.chosen_sites(watched, region)}
    chosen = options.chosen_week(week, watched)
    found = [one for one in service_weeks(data, watched, chosen) if one.site in sites]
    if by is GroupBy.STOP:
        _show_stops(found, sites, f"Stops of services, {chosen}; + goes on", as_json, as_csv)
        return
    several = places(found, sites)
    if by is GroupBy.SITE:
        listed = [_place_row(one, sites[one.site], watched) for one in several]
    else:
        listed = _kind_rows(several, sites, watched)
    if as_csv:  # a cell holds no table
        listed = [
            {
                **row,
                "stopped": [f"{one['what']} ({one['seconds']:.0f} s)" for one in row["stopped"]],
            }
            for row in listed
        ]
    rows.show(
        listed,
        {
            by.value: lambda row: row[by.value],
            "ready": lambda row: f"{row['ready']}/{row['places']}",
            "hours": lambda row: f"{row['service_seconds'] / 3600:.1f}",
            "ready h": lambda row: f"{row['ready_seconds'] / 3600:.1f}",
            "share": lambda row: wording.share(row["ready_share"]),
            "unknown h": lambda row: f"{row['unknown_seconds'] / 3600:.1f}",
            "unused h": lambda row: _hours(row["unused_seconds"]),
            "stopped by": lambda row: ", ".join(
                f"{one['what']} {wording.duration(one['seconds'])}" for one in row["stopped"][:3]
            ),
        },
        title=f"Services, {chosen}",
        as_json=as_json,
        as_csv=as_csv,
        wrapped=("stopped by",),
    )


def _show_stops(
    found: list[ServiceWeek], sites: dict[str, Site], title: str, as_json: bool, as_csv: bool
) -> None:
    """When services failed although their lines worked, and what says so."""
    listed = [_stop_row(sites[one.site], stop) for one in found for stop in one.stops]
    listed.sort(key=lambda row: (row["start"], row["site"]))
    rows.show(
        listed,
        rows.OUTAGE_COLUMNS,
        title=title,
        as_json=as_json,
        as_csv=as_csv,
        wrapped=("evidence",),
    )


def _stop_row(site: Site, stop: Outage) -> dict[str, Any]:
    return {
        "site": site.id,
        "kind": site.kind,
        "start": wording.iso_time(stop.start_ms, site.timezone),
        "end": wording.iso_time(stop.end_ms, site.timezone),
        "since": wording.local_time(stop.start_ms, site.timezone),
        "open": stop.open,
        "seconds": stop.interval.length_ms / 1000,
        "cause": stop.cause.value,
        "confidence": stop.confidence,
        "evidence": [one.text for one in stop.evidence if one.cause is stop.cause],
    }


def _hours(seconds: float | None) -> str:
    return "–" if seconds is None else f"{seconds / 3600:.1f}"


def _figures(some: list[ServiceWeek]) -> dict[str, Any]:
    ready = sum(one.ready_ms for one in some)
    seen = ready + sum(one.stopped_ms for one in some)
    by_what: dict[str, float] = defaultdict(float)
    for one in some:
        for what, intervals in one.stopped.items():
            by_what[what] += sum(item.length_ms for item in intervals) / 1000
    counted = [one.unused_ms for one in some if one.unused_ms is not None]
    ordered = sorted(by_what.items(), key=lambda item: (-item[1], item[0]))
    return {
        "service_seconds": sum(one.window_ms for one in some) / 1000,
        "ready_seconds": ready / 1000,
        "stopped_seconds": (seen - ready) / 1000,
        "unknown_seconds": sum(one.unknown_ms for one in some) / 1000,
        "unused_seconds": sum(counted) / 1000 if counted else None,
        "ready_share": ready / seen if seen else None,
        "stopped": [{"what": what, "seconds": seconds} for what, seconds in ordered],
    }


def _place_row(one: ServiceWeek, site: Site, watched: Inventory) -> dict[str, Any]:
    row = {"site": one.site, "name": site.name, "kind": site.kind}
    return {
        **row,
        "ready": int(is_ready(one, site, watched.definition)),
        "places": 1,
        **_figures([one]),
    }


def _kind_rows(
    several: list[ServiceWeek], sites: dict[str, Site], watched: Inventory
) -> list[dict[str, Any]]:
    groups: dict[str, list[ServiceWeek]] = defaultdict(list)
    for one in several:
        groups[sites[one.site].kind].append(one)
    listed = []
    for kind, some in sorted(groups.items()):
        ready = [one for one in some if is_ready(one, sites[one.site], watched.definition)]
        count, wanted = len(ready), len(some)
        if kind == MALL:  # the target is one in every kabupaten and kota of the province
            own = {
                item.code for item in watched.kabupaten if item.code[:2] == watched.province.code
            }
            count = len({kabupaten_of(sites[one.site].village) for one in ready} & own)
            wanted = len(own)
        listed.append({"kind": kind, "ready": count, "places": wanted, **_figures(some)})
    return listed
