"""Options that several commands share, so that a word means the same everywhere."""

import time
from pathlib import Path
from typing import Annotated

import typer

from model.errors import InputError
from model.inventory import Inventory
from model.site import Site
from model.week import Week

InventoryFile = Annotated[
    Path, typer.Option("--inventory", help="What is watched.", show_default=True)
]
DataFolder = Annotated[
    Path, typer.Option("--data", help="The collector's folder.", envvar="JANGKAU_DATA")
]
WeekText = Annotated[
    str | None,
    typer.Option("--week", help="ISO week such as 2026-W46; default: the last complete one."),
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document instead of a table.")]
AsCsv = Annotated[bool, typer.Option("--csv", help="CSV instead of a table.")]
RegionText = Annotated[
    str | None, typer.Option("--region", help="Only below this Kemendagri code, such as 61.06.")
]

INVENTORY = Path("inventory.yaml")
DATA = Path("data")


def chosen_week(text: str | None, inventory: Inventory) -> Week:
    """The week asked for; without one the last that is over in the province's zone."""
    if text is not None:
        try:
            return Week.parse(text)
        except ValueError as error:
            raise InputError(f"--week: {error}") from None
    now_ms = time.time_ns() // 1_000_000
    return Week.containing(now_ms, inventory.province.timezone).plus(-1)


def chosen_sites(inventory: Inventory, region: str | None) -> tuple[Site, ...]:
    """The sites at or below a region code; all without one. None found is an input mistake."""
    if region is None:
        return inventory.sites
    sites = tuple(
        site
        for site in inventory.sites
        if site.village == region or site.village.startswith(region + ".")
    )
    if not sites:
        raise InputError(
            f"--region: no site lies in {region!r}; write a code such as 61.06 or 61.01.13.2002"
        )
    return sites


def one_site(inventory: Inventory, site_id: str) -> Site:
    """The site of that id; else an input mistake that names near ones."""
    site = inventory.by_id.get(site_id)
    if site is not None:
        return site
    near = [one for one in inventory.by_id if site_id in one or one in site_id][:5]
    hint = f"; did you mean {', '.join(near)}?" if near else ""
    raise InputError(f"there is no site {site_id!r} in the inventory{hint}")
