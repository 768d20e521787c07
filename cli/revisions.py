"""``jangkau revisions``: what late truth changed in a week, and when."""

from typing import Any

from cli import options, rows, wording
from cli.concluded import conclude
from cli.options import AsCsv, AsJson, DataFolder, InventoryFile, RegionText, WeekText


def revisions(
    region: RegionText = None,
    week: WeekText = None,
    inventory: InventoryFile = options.INVENTORY,
    data: DataFolder = options.DATA,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """Show every revision of a week and what it changed against the one before, site by site."""
    from collector.ledger import Ledger

    asked = conclude(inventory, data, week, region=region)
    chosen, newest, zone = asked.week, asked.record.revision, asked.inventory.province.timezone
    ledger = Ledger(data / "weeks")
    found: list[dict[str, Any]] = []
    for revision in range(2, newest + 1):
        entry = ledger.entry(chosen, revision)
        if entry is None:
            continue
        made = wording.iso_time(entry.record.generated_at_ms, zone)
        found += [
            {
                "revision": revision,
                "made": made,
                "site": change.site,
                "before": change.before,
                "after": change.after,
                "seconds": change.ms / 1000,
            }
            for change in entry.changes
            if change.site in asked.sites
        ]
    rows.show(
        found,
        {
            "rev": lambda row: str(row["revision"]),
            "made": lambda row: row["made"][:16].replace("T", " "),
            "site": lambda row: row["site"],
            "how long": lambda row: wording.duration(row["seconds"]),
            "what changed": lambda row: f"{row['before']} → {row['after']}",
        },
        title=f"Revisions of {chosen}: {newest} so far, {len(found)} changes",
        as_json=as_json,
        as_csv=as_csv,
    )
