"""``jangkau worklist``: where a technician has to go this week, for a phone without a network."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli import options, terminal
from cli.coverage import gather
from cli.map_page import Lang, region_code
from cli.options import DataFolder, InventoryFile, WeekText
from model.errors import InputError

if TYPE_CHECKING:
    from cli.coverage import Gathered

_POSITION = re.compile(r"(-?\d+(?:\.\d+)?),\s*(-?\d+(?:\.\d+)?)", re.ASCII)


def worklist(
    kabupaten: Annotated[str, typer.Option(help="Kemendagri code of the region: 61.06.")],
    week: WeekText = None,
    weeks: Annotated[int, typer.Option(min=1, help="How far back to look for good values.")] = 4,
    start: Annotated[
        str | None,
        typer.Option(help="Where the way begins: LAT,LON, a village code or a site id."),
    ] = None,
    out: Annotated[Path, typer.Option("--out", help="The folder to write to.")] = Path("worklist"),
    lang: Lang = "id",
    inventory: InventoryFile = options.INVENTORY,
    data: DataFolder = options.DATA,
) -> None:
    """Write the sites to see to, nearest first, as a page and as text: causes, tools, contacts."""
    from maps.words import load
    from maps.worklist import work_list
    from maps.worklist_page import write_worklist

    words = load(lang)
    region = region_code(kabupaten, "--kabupaten")
    found = gather(inventory, data, week, weeks)
    listed = work_list(found.register, found.inventory, found.records, region, _start(start, found))
    for path in write_worklist(listed, out, words, found.inventory.province.timezone):
        terminal.stdout.print(str(path), markup=False)


def _start(text: str | None, found: "Gathered") -> tuple[float, float] | None:
    """The latitude and longitude that ``--start`` means."""
    if text is None:
        return None
    if match := _POSITION.fullmatch(text.strip()):
        lat, lon = float(match[1]), float(match[2])
        if not (-90 <= lat <= 90 and -180 <= lon <= 180):
            raise InputError(f"--start {text}: no such place; write LAT,LON, such as 0.86,112.93")
        return lat, lon
    place = found.inventory.by_id.get(text) or found.register.by_code.get(text)
    if place is None or place.lat is None or place.lon is None:
        raise InputError(
            f"--start {text}: neither LAT,LON nor a village or site with known coordinates"
        )
    return place.lat, place.lon
