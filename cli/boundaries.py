"""``jangkau boundaries``: a file of village borders held against the register, and made fit."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli import options, rows, terminal
from cli.map_page import CodeProperty, summary
from cli.options import AsCsv, AsJson, InventoryFile
from cli.rows import Row
from model.errors import InputError
from model.region import Register

if TYPE_CHECKING:
    from maps.fit import Fit

app = typer.Typer(help="Village borders: check a file against the register, make it fit.")

_SEEN_KM2 = 0.01
"""Smaller overlaps are the noise of two surveys of one border, and are not named one by one."""

BordersFile = Annotated[Path, typer.Argument(help="Polygons: GeoJSON, GPKG, Shapefile ...")]


@app.command()
def check(
    file: BordersFile,
    code_property: CodeProperty = "code",
    inventory: InventoryFile = options.INVENTORY,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """List every village and polygon that does not fit; exit code 1 when there is one."""
    from maps.boundaries import check_boundaries

    register = _register(inventory)
    fit = check_boundaries(file, register, code_property=code_property)
    found = list(findings(fit, register))
    if not (as_json or as_csv):
        terminal.stdout.print(summary(file, fit, register), markup=False, soft_wrap=True)
    if found or as_json or as_csv:
        columns = {
            name: lambda row, name=name: str(row[name]) for name in ("code", "name", "finding")
        }
        rows.show(found, columns, title="", as_json=as_json, as_csv=as_csv, wrapped=("finding",))
    if found:
        raise typer.Exit(1)


@app.command("import")
def import_(
    file: BordersFile,
    out: Annotated[Path, typer.Option("--out", help="The GeoPackage to write.")] = Path(
        "boundaries.gpkg"
    ),
    code_property: CodeProperty = "code",
    tolerance: Annotated[
        float, typer.Option(min=0, help="Metres of detail that may go; 0 keeps all.")
    ] = 100.0,
    inventory: InventoryFile = options.INVENTORY,
) -> None:
    """Write the borders as one coverage, with those of kecamatan, kabupaten and province."""
    from maps.boundaries import import_boundaries

    register = _register(inventory)
    fit = import_boundaries(
        file, register, out, code_property=code_property, tolerance_metres=tolerance
    )
    terminal.stderr.print(summary(file, fit, register), markup=False, soft_wrap=True)
    terminal.stdout.print(str(out), markup=False, soft_wrap=True)


def findings(fit: "Fit", register: Register) -> Iterator[Row]:
    """One row for each thing that does not fit: its code, its name in the register, what is wrong
    and, for overlaps, with whom and how many square kilometres."""
    plain = (
        (fit.without_polygon, "no polygon: drawn as a hollow point"),
        (fit.not_in_register, "not in the register: left out"),
        (fit.twice, "comes twice: the first polygon counts"),
        (fit.repaired, "invalid ring: repaired"),
        (fit.not_polygons, "not a polygon on the earth: left out"),
    )
    for codes, finding in plain:
        for code in codes:
            yield _row(register, code, finding)
    for code, other in fit.elsewhere:
        finding = f"its point lies in {other} {_name(register, other)}: wrong code?"
        yield _row(register, code, finding, other)
    for pair in fit.overlaps:
        if pair.km2 < _SEEN_KM2:
            break
        finding = f"overlaps {pair.other} {_name(register, pair.other)}: {pair.km2:.2f} km²"
        yield _row(register, pair.one, finding, pair.other, pair.km2)


def _row(
    register: Register, code: str, finding: str, other: str | None = None, km2: float | None = None
) -> Row:
    return {
        "code": code,
        "name": _name(register, code),
        "finding": finding,
        "other": other,
        "overlap_km2": km2,
    }


def _name(register: Register, code: str) -> str:
    village = register.by_code.get(code)
    return village.name if village else ""


def _register(inventory: Path) -> Register:
    from inventory.read import load
    from inventory.register import load_register

    watched = load(inventory)
    if watched.register_file is None:
        raise InputError(
            f"{inventory}: no register of villages to hold borders against: import one with "
            "'jangkau inventory import' and name it as register_file"
        )
    return load_register(Path(watched.register_file))
