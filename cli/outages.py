"""``jangkau outages``: what failed in a week, since when, why, and what says so."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from cli import options, rows, wording
from cli.concluded import conclude
from cli.options import AsCsv, AsJson, DataFolder, InventoryFile, RegionText, WeekText
from model.outage import Outage
from model.site import Site


def outages(
    site_id: Annotated[str | None, typer.Option("--site", help="Only this site.")] = None,
    cause: Annotated[str | None, typer.Option(help="Only this cause, such as power.")] = None,
    parents: Annotated[
        bool, typer.Option("--parents", help="One row per failure that several sites share.")
    ] = False,
    region: RegionText = None,
    week: WeekText = None,
    inventory: InventoryFile = options.INVENTORY,
    data: DataFolder = options.DATA,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """List the outages of a week with their causes and the evidence that decided."""
    asked = conclude(inventory, data, week, region=region, site_id=site_id)
    chosen, record = asked.week, asked.record
    found = [
        _row(asked.sites[outage.site], outage)
        for one in asked.site_weeks
        for outage in one.outages
        if cause in (None, outage.cause.value)
    ]
    found.sort(key=lambda row: (row["start"], row["site"]))
    if parents:
        rows.show(
            _parents(found),
            {
                "shared failure": lambda row: row["parent"].partition("@")[0],
                "since": lambda row: row["since"],
                "sites": lambda row: str(row["sites"]),
                "time lost, all sites": lambda row: wording.duration(row["site_seconds"]),
                "cause": lambda row: row["cause"],
            },
            title=f"Shared failures {chosen} (revision {record.revision})",
            as_json=as_json,
            as_csv=as_csv,
        )
        return
    rows.show(
        found,
        rows.OUTAGE_COLUMNS,
        title=f"Outages {chosen} (revision {record.revision}); + goes on beyond the week",
        as_json=as_json,
        as_csv=as_csv,
        wrapped=("evidence",),
    )


def _parents(found: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """One row per shared failure: the node, its children and from when to when."""
    children: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in found:
        if row["parent"] is not None:
            children[row["parent"]].append(row)
    return [
        {
            "parent": parent,
            "cause": rows_below[0]["cause"],
            "start": min(row["start"] for row in rows_below),
            "end": max(row["end"] for row in rows_below),
            "since": min(rows_below, key=lambda row: str(row["start"]))["since"],
            "sites": len({row["site"] for row in rows_below}),
            "site_seconds": sum(row["seconds"] for row in rows_below),
            "evidence": rows_below[0]["evidence"],
        }
        for parent, rows_below in sorted(children.items(), key=lambda item: item[1][0]["start"])
    ]


def _row(site: Site, outage: Outage) -> dict[str, Any]:
    deciding = [one for one in outage.evidence if one.cause is outage.cause]
    return {
        "site": site.id,
        "village": site.village,
        "start": wording.iso_time(outage.start_ms, site.timezone),
        "end": wording.iso_time(outage.end_ms, site.timezone),
        "since": wording.local_time(outage.start_ms, site.timezone),
        "open": outage.open,
        "seconds": (outage.end_ms - outage.start_ms) / 1000,
        "cause": outage.cause.value,
        "confidence": outage.confidence,
        "parent": outage.parent,
        "provider": site.provider,
        "evidence": [one.text for one in deciding],
    }
