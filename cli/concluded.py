"""A week as it was concluded, for the commands that tell of it: what was asked for, once."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cli import options
from model.inventory import Inventory
from model.site import Site
from model.summary import SiteWeek, WeekRecord
from model.week import Week

if TYPE_CHECKING:
    from collector.ledger import Entry


@dataclass(frozen=True)
class Concluded:
    """The inventory, the sites asked for by id, and the newest revision of the week."""

    inventory: Inventory
    sites: Mapping[str, Site]
    entry: "Entry"

    @property
    def record(self) -> WeekRecord:
        return self.entry.record

    @property
    def week(self) -> Week:
        return self.entry.record.week

    @property
    def site_weeks(self) -> list[SiteWeek]:
        """The weeks of the sites that were asked for."""
        return [one for one in self.record.site_weeks if one.site in self.sites]


def conclude(
    inventory: Path,
    data: Path,
    week: str | None,
    *,
    region: str | None = None,
    site_id: str | None = None,
) -> Concluded:
    """Read the inventory and conclude the week (or take it from the book of weeks). Raises
    InputError for a week, region or site that does not exist, before any work is done."""
    from collector.weeks import week_entry
    from inventory.read import load

    watched = load(inventory)
    sites = {site.id: site for site in options.chosen_sites(watched, region)}
    if site_id is not None:
        sites = {site_id: options.one_site(watched, site_id)}
    chosen = options.chosen_week(week, watched)
    return Concluded(watched, sites, week_entry(data, watched, chosen))
