"""``jangkau paths``: when the way to a target changed, or the packets that it carries."""

from cli import options, rows, wording
from cli.options import AsCsv, AsJson, DataFolder, InventoryFile, RegionText, WeekText


def paths(
    region: RegionText = None,
    week: WeekText = None,
    inventory: InventoryFile = options.INVENTORY,
    data: DataFolder = options.DATA,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """Every change that the looks of kind path saw in a week: another way, another packet size,
    large packets that vanish without a word. Times are the site's own."""
    from collector.paths import path_events
    from inventory.read import load

    watched = load(inventory)
    zones = {site.id: site.timezone for site in options.chosen_sites(watched, region)}
    chosen = options.chosen_week(week, watched)
    interval = chosen.interval(watched.province.timezone)
    found = [
        {
            **event._asdict(),
            "at": wording.iso_time(event.at_ms, zones[event.site]),
            "what": event.words,
        }
        for event in path_events(data, interval)
        if event.site in zones
    ]
    rows.show(
        found,
        {
            "at": lambda row: row["at"][:16].replace("T", " "),
            "site": lambda row: row["site"],
            "from": lambda row: row["vantage"],
            "target": lambda row: row["target"],
            "what changed": lambda row: row["what"],
        },
        title=f"Ways that changed in {chosen}: {len(found)}",
        as_json=as_json,
        as_csv=as_csv,
        wrapped=("target", "what changed"),
    )
