"""``jangkau reach``: how much of each village lies within reach of a working access point."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from cli import options, rows, wording
from cli.coverage import gather
from cli.map_page import CodeProperty, fitted
from cli.options import AsCsv, AsJson, DataFolder, InventoryFile, WeekText
from cli.rows import Row
from model.region import Level


def reach(
    boundaries: Annotated[
        Path, typer.Option("--boundaries", help="Village polygons (GeoJSON, GPKG, Shapefile).")
    ],
    week: WeekText = None,
    radius: Annotated[
        list[str] | None,
        typer.Option(help="KIND=METRES or KIND/ACCESS=METRES, repeatable; else public_wifi=150."),
    ] = None,
    footprints: Annotated[
        Path | None, typer.Option(help="Drawn areas (property 'site'), in place of radii.")
    ] = None,
    level: Annotated[Level, typer.Option(help="One row for each region of this level.")] = (
        Level.KABUPATEN
    ),
    code_property: CodeProperty = "code",
    inventory: InventoryFile = options.INVENTORY,
    data: DataFolder = options.DATA,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """Measure the reach of working access points, and set the Sanggau rule beside it."""
    from maps import reach as reaching

    found = gather(inventory, data, week, 1)
    borders = fitted(boundaries, found.register, code_property)
    radii = dict(map(reaching.parse_radius, radius)) if radius else reaching.DEFAULT_RADII
    drawn = reaching.load_footprints(footprints, found.inventory) if footprints else None
    result = reaching.reach(
        found.register, found.inventory, found.records[-1], borders, radii, drawn
    )
    length = {Level.PROVINCE: 2, Level.KABUPATEN: 5, Level.KECAMATAN: 8, Level.VILLAGE: 13}[level]
    groups: dict[str, list[Any]] = {}
    for village in result.villages:
        groups.setdefault(village.code[:length], []).append(village)
    listed: list[Row] = []
    for code, members in groups.items():
        area, reached = (
            sum(getattr(one, name) for one in members) for name in ("area_km2", "reached_km2")
        )
        people = [one.population_reached for one in members]
        known = [count for count in people if count is not None]
        listed.append(
            {
                "code": code,
                "name": found.register.name(code),
                "area_km2": area,
                "reached_km2": reached,
                "share": reached / area if area else None,
                # Of a region whose people are known in part, a sum would say too little.
                "population_reached": round(sum(known)) if len(known) == len(people) else None,
                "villages": len(members),
                "villages_by_sanggau_rule": sum(one.own_point for one in members),
            }
        )
    rule = ", ".join(
        f"{kind}{'/' + access if access else ''} {metres:g} m"
        for (kind, access), metres in radii.items()
    )
    columns: dict[str, Callable[[Row], str]] = {
        "code": lambda row: row["code"],
        "name": lambda row: row["name"],
        "km²": lambda row: f"{row['area_km2']:,.1f}",
        "reached km²": lambda row: f"{row['reached_km2']:,.2f}",
        "share": lambda row: wording.share(row["share"]),
        "people": lambda row: (
            "–" if row["population_reached"] is None else f"{row['population_reached']:,}"
        ),
        "Sanggau": lambda row: f"{row['villages_by_sanggau_rule']} / {row['villages']}",
    }
    rows.show(
        listed,
        columns,
        title=(
            f"Reach {found.coverage.week}: {result.points} working access points "
            f"(stable or fair; {len(result.unplaced)} without a place)\n"
            f"rule: {rule}{'; drawn footprints' if drawn else ''}; overlaps once, inside village "
            "polygons only, people spread evenly\n"
            f"Sanggau rule (one access point counts the whole village): {result.by_sanggau} of "
            f"{result.registered} villages; {result.without_polygon} have no polygon"
        ),
        as_json=as_json,
        as_csv=as_csv,
    )
