"""``jangkau map``: the weeks of a province as one HTML file that needs no network."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli import options, terminal
from cli.coverage import Weeks, gather
from cli.options import DataFolder, InventoryFile, WeekText
from model.region import Register

if TYPE_CHECKING:
    from maps.boundaries import Boundaries

BoundariesFile = Annotated[
    Path | None,
    typer.Option("--boundaries", help="Village polygons (GeoJSON); without them, dots."),
]
Lang = Annotated[str, typer.Option("--lang", help="id or en.")]
Fictional = Annotated[bool, typer.Option("--fictional", help="Say that the province is made up.")]


def map_(
    week: WeekText = None,
    weeks: Weeks = 12,
    boundaries: BoundariesFile = None,
    credit: Annotated[str, typer.Option(help="Who is the source of the boundaries.")] = "BIG",
    out: Annotated[Path, typer.Option("--out", help="The file to write.")] = Path("peta.html"),
    lang: Lang = "id",
    fictional: Fictional = False,
    geojson: Annotated[Path | None, typer.Option(help="Write the week as GeoJSON too.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Write the week as CSV too.")] = None,
    inventory: InventoryFile = options.INVENTORY,
    data: DataFolder = options.DATA,
) -> None:
    """Draw the villages by weekly state: one HTML file, opens from a disk, asks nobody."""
    from maps.exports import write_csv, write_geojson
    from maps.folium_map import write_map
    from maps.map_data import MapInput
    from maps.words import load

    words = load(lang)
    found = gather(inventory, data, week, weeks)
    borders = fitted(boundaries, found.register) if boundaries else None
    given = MapInput(
        found.register,
        found.inventory,
        found.coverage,
        found.records,
        borders,
        credit=credit,
        fictional=fictional,
    )
    written = [write_map(given, out, words)]
    if geojson is not None:
        written.append(write_geojson(found.register, found.coverage, geojson, borders))
    if csv is not None:
        written.append(write_csv(found.register, found.coverage, csv))
    for path in written:
        terminal.stdout.print(str(path), markup=False)


def fitted(path: Path, register: Register) -> "Boundaries":
    """The boundaries in a file; what does not fit the register is said on standard error."""
    from maps.boundaries import load_boundaries

    borders = load_boundaries(path, register)
    fit = borders.fit
    findings = (
        ("villages have no polygon and are drawn as hollow points", fit.without_polygon),
        ("codes are not in the register and are left out", fit.not_in_register),
        ("codes come twice, the first polygon counts", fit.twice),
        ("invalid polygons were repaired", fit.repaired),
        ("features are not polygons", fit.not_polygons),
    )
    for what, codes in findings:
        if codes:
            some = ", ".join(codes[:5]) + (" ..." if len(codes) > 5 else "")
            terminal.stderr.print(f"{path}: {len(codes)} {what}: {some}", markup=False)
    if fit.overlap_km2 >= 1:
        terminal.stderr.print(f"{path}: {fit.overlap_km2:.1f} km² lie in two villages")
    return borders
