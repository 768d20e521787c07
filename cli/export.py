"""``jangkau export``: the village week for other programs, and the package for the public."""

from pathlib import Path
from typing import Annotated

import typer

from cli import options, terminal
from cli.coverage import Weeks, gather
from cli.map_page import BoundariesFile, CodeProperty, Lang, fitted
from cli.options import DataFolder, InventoryFile, WeekText


def export(
    week: WeekText = None,
    weeks: Weeks = 8,
    boundaries: BoundariesFile = None,
    code_property: CodeProperty = "code",
    out: Annotated[Path, typer.Option("--out", help="The folder to write to.")] = Path("export"),
    public: Annotated[
        bool,
        typer.Option(
            "--public", help="The open-data package: coarsened, without sites, with metadata."
        ),
    ] = False,
    licence: Annotated[
        str | None, typer.Option(help="With --public: the address of its licence.")
    ] = None,
    publisher: Annotated[str | None, typer.Option(help="With --public: who publishes it.")] = None,
    credit: Annotated[str, typer.Option(help="Who is the source of the boundaries.")] = "BIG",
    lang: Lang = "id",
    inventory: InventoryFile = options.INVENTORY,
    data: DataFolder = options.DATA,
) -> None:
    """Write every village's week as CSV, GeoJSON, GeoPackage, KML and Parquet."""
    from maps.exports import village_table, write_all
    from maps.opendata import Publication, write_package
    from maps.words import load

    words = load(lang)
    found = gather(inventory, data, week, weeks)
    borders = fitted(boundaries, found.register, code_property) if boundaries else None
    table = village_table(found.register, found.coverage, borders)
    chosen = found.coverage.week
    if public:
        province, made_ms = found.inventory.province, found.coverage.generated_at_ms
        publication = Publication(licence, publisher, credit if borders else None)
        written = write_package(table, out, words, province, chosen, made_ms, publication)
    else:
        written = write_all(table, out, f"{words('map.export_file')}-{chosen}")
    for path in written:
        terminal.stdout.print(str(path), markup=False)
