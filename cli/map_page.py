"""``jangkau map``: the weeks of a province as one HTML file that needs no network."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli import options, terminal
from cli.coverage import Weeks, gather
from cli.options import DataFolder, InventoryFile, WeekText
from model.errors import InputError
from model.region import RegionCode, RegionCodeError, Register, parse_code

if TYPE_CHECKING:
    from maps.boundaries import Boundaries
    from maps.fit import Fit

BoundariesFile = Annotated[
    Path | None,
    typer.Option("--boundaries", help="Village polygons (GeoJSON, GPKG, Shapefile); else dots."),
]
CodeProperty = Annotated[
    str, typer.Option(help="The property of the polygons that holds the Kemendagri code.")
]
Lang = Annotated[str, typer.Option("--lang", help="id or en.")]
Fictional = Annotated[bool, typer.Option("--fictional", help="Say that the province is made up.")]


def map_(
    week: WeekText = None,
    weeks: Weeks = 12,
    kabupaten: Annotated[
        str | None, typer.Option(help="Only this part: a pocket map (peta saku), such as 61.06.")
    ] = None,
    boundaries: BoundariesFile = None,
    code_property: CodeProperty = "code",
    credit: Annotated[str, typer.Option(help="Who is the source of the boundaries.")] = "BIG",
    out: Annotated[Path, typer.Option("--out", help="The file to write.")] = Path("peta.html"),
    lang: Lang = "id",
    fictional: Fictional = False,
    public: Annotated[
        bool, typer.Option("--public", help="Leave out the sites' contacts.")
    ] = False,
    base_map: Annotated[
        str | None,
        typer.Option(help="Online tiles (https, {z}/{x}/{y}): the page then asks that host."),
    ] = None,
    base_map_credit: Annotated[
        str | None, typer.Option(help="Who is named for the base map; default: its host.")
    ] = None,
    png: Annotated[Path | None, typer.Option(help="Draw it as a picture of 300 kB too.")] = None,
    geojson: Annotated[Path | None, typer.Option(help="Write the week as GeoJSON too.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Write the week as CSV too.")] = None,
    inventory: InventoryFile = options.INVENTORY,
    data: DataFolder = options.DATA,
) -> None:
    """Draw the villages by weekly state: one HTML file, opens from a disk, asks nobody."""
    from maps import base_map as tiles
    from maps.exports import write_csv, write_geojson
    from maps.folium_map import write_map
    from maps.map_data import MapInput, within
    from maps.picture import write_picture
    from maps.words import load

    words = load(lang)
    found = gather(inventory, data, week, weeks)
    borders = fitted(boundaries, found.register, code_property) if boundaries else None
    given = MapInput(
        found.register,
        found.inventory,
        found.coverage,
        found.records,
        borders,
        credit=credit,
        fictional=fictional,
        public=public,
        base_map=tiles.base_map(base_map, base_map_credit) if base_map else None,
    )
    if kabupaten is not None:
        given = within(given, region_code(kabupaten, "--kabupaten"))
    written = [write_map(given, out, words, packed=kabupaten is not None)]
    if png is not None:
        written.append(write_picture(given, png, words))
    if geojson is not None:
        written.append(write_geojson(given.register, given.coverage, geojson, borders))
    if csv is not None:
        written.append(write_csv(given.register, given.coverage, csv))
    for path in written:
        terminal.stdout.print(str(path), markup=False)


def region_code(text: str, option: str) -> RegionCode:
    """A well-formed code of any level. Raises InputError with the remedy."""
    try:
        return parse_code(text)
    except RegionCodeError as error:
        raise InputError(f"{option}: {error}") from None


def fitted(path: Path, register: Register, code_property: str) -> "Boundaries":
    """The boundaries in a file; what does not fit the register is said on standard error."""
    from maps.boundaries import load_boundaries
    from maps.fit import Fit

    borders = load_boundaries(path, register, code_property=code_property)
    fit = borders.fit
    if fit != Fit(matched=fit.matched):
        said = f"{summary(path, fit, register)} (jangkau boundaries check names them)"
        terminal.stderr.print(said, markup=False, soft_wrap=True)
    return borders


def summary(file: Path, fit: "Fit", register: Register) -> str:
    """One sentence: how many villages have a polygon, and what else was found."""
    counts = [
        (len(fit.not_in_register), "codes not in the register"),
        (len(fit.twice), "codes twice"),
        (len(fit.repaired), "invalid, repaired"),
        (len(fit.not_polygons), "no polygons"),
        (len(fit.elsewhere), "points in another village"),
    ]
    said = [f"{count:,} {what}" for count, what in counts if count]
    twice_km2 = sum(pair.km2 for pair in fit.overlaps)
    if twice_km2 >= 0.05:  # less would be printed as nothing
        said.append(f"{twice_km2:,.1f} km² claimed twice")
    return (
        f"{file}: {fit.matched:,} of {len(register.villages):,} villages of register "
        f"{register.version} have a polygon" + "".join(f"; {one}" for one in said)
    )
