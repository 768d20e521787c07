"""Lists that others keep (CSV, GeoJSON) into our register and our table of sites.

Law: all or nothing. Every mistake is named with the line (or feature) of the list; as long as there
is one, nothing is written. What was left aside is said.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from inventory.codes import CodeReader
from inventory.features import read_features
from inventory.files import read_text, write_text
from inventory.mistakes import Mistakes, Source, shown
from inventory.nodes import MAX_BYTES as MAX_YAML_BYTES
from inventory.nodes import Scalar, Table, parse_nodes, read_nodes
from inventory.read import load
from inventory.register import REGISTER, read_row
from inventory.rows import Rows, open_rows
from inventory.sites import SiteReader
from inventory.write import sites_csv
from model.inventory import Inventory
from model.region import Level, Register, Village, level
from model.site import Site

_GEOJSON = (".geojson", ".json")
_FLAGS = {"1": "true", "0": "false"}
_ABOVE = {"kecamatan_code": "kecamatan", "kabupaten_code": "kabupaten"}
"""Columns of a list of villages that give the code and the name of the region above."""


@dataclass(frozen=True)
class RegisterImport:
    """A register, and what did not fit: columns that were not used, polygons that belong to no
    village, and (code, name in the list, name at the polygon) where the two differ."""

    register: Register
    unused_columns: tuple[str, ...]
    stray_polygons: tuple[str, ...]
    other_names: tuple[tuple[str, str, str], ...]


def import_register(path: Path, version: str, polygons: Path | None) -> RegisterImport:
    """Read a list of villages with dotted Kemendagri codes.

    Needs ``code`` and ``name``; takes the other columns of a register and the names of the regions
    above where they are there. ``polygons`` (GeoJSON with ``code``) decides which village has one.
    Raises InputError with every mistake.
    """
    mistakes = Mistakes()
    source = mistakes.source(path)
    borders: dict[str, str] | None = None
    if polygons is not None:
        borders = _read_borders(polygons, mistakes.source(polygons))
    villages: dict[str, Village] = {}
    names: dict[str, str] = {}
    columns: dict[str, None] = {}
    for line, cells, is_area in _cells(path, source):
        columns.update(dict.fromkeys(cells))
        flag = cells.get("has_polygon", "")
        wanted = {name: cells.get(name, "") for name in REGISTER}
        wanted["has_polygon"] = {"1": "true", "0": "false", "": str(is_area).lower()}.get(
            flag, flag
        )
        row = read_row(wanted, line, source)
        if row is None:
            continue
        code = row["code"]
        _name_above(code, cells, names, line, source)
        if level(code) is not Level.VILLAGE:
            _name(code, row["name"], names, line, source)
        elif code in villages:
            source.wrong(line, f"{code} stands here twice: keep one")
        else:
            if borders is not None:
                row["has_polygon"] = code in borders
            villages[code] = Village(**row)
    if not villages and not mistakes.found:
        source.wrong(1, "holds no village: name a list with the columns code and name")
    mistakes.raise_if_any()
    in_order = tuple(villages[code] for code in sorted(villages))
    known = {*REGISTER, *_ABOVE, *_ABOVE.values()}
    at_borders = borders or {}
    return RegisterImport(
        Register(version, in_order, dict(sorted(names.items()))),
        unused_columns=tuple(name for name in columns if name not in known),
        stray_polygons=tuple(sorted(set(at_borders) - set(villages))),
        other_names=tuple(
            (village.code, village.name, at_borders[village.code])
            for village in in_order
            if at_borders.get(village.code, village.name) != village.name
        ),
    )


def _read_borders(path: Path, source: Source) -> dict[str, str]:
    """Code to name of every feature that is an area."""
    borders: dict[str, str] = {}
    for feature in read_features(path, source):
        code = feature.cells.get("code")
        if code is None:
            source.wrong(feature.number, "the feature has no property 'code': add the village code")
            continue
        try:
            REGISTER["code"].read(code)
        except ValueError as error:
            source.wrong(feature.number, str(error))
        if feature.is_area:
            borders[code] = feature.cells.get("name", "")
    return borders


def _name_above(
    code: str, cells: Mapping[str, str], names: dict[str, str], line: int, source: Source
) -> None:
    """Take the names of the regions above a village from the columns that give them."""
    for code_column, name_column in _ABOVE.items():
        above, name = cells.get(code_column), cells.get(name_column)
        if not above or not name:
            continue
        if not code.startswith(above + "."):
            source.wrong(line, f"{code} does not lie in {shown(above)}: correct one of the codes")
        else:
            _name(above, name, names, line, source)


def _name(code: str, name: str, names: dict[str, str], line: int, source: Source) -> None:
    if names.setdefault(code, name) != name:
        source.wrong(
            line, f"{code} is {shown(name)} here and {shown(names[code])} above: keep one name"
        )


def _cells(path: Path, source: Source) -> Iterator[tuple[int, Mapping[str, str], bool]]:
    """(line, cells by column, whether an area comes with them) of a CSV or GeoJSON file."""
    if path.suffix.lower() in _GEOJSON:
        for feature in read_features(path, source):
            yield feature.number, feature.cells, feature.is_area
        return
    with open_rows(path, source) as table:
        for line, cells in table.rows:
            yield line, dict(zip(table.columns, cells, strict=True)), False


@dataclass(frozen=True)
class SitesImport:
    """The inventory as it would be, and the sites in it that are new."""

    inventory: Inventory
    new: tuple[Site, ...]


def import_sites(
    path: Path, inventory_path: Path, village_code: CodeReader, ignore: frozenset[str]
) -> SitesImport:
    """Read sites and check them as if they stood in the inventory already.

    ``village_code`` reads the column ``village``; ``ignore`` names columns to leave aside. Raises
    InputError with every mistake.
    """
    new: list[str] = []

    def add(reader: SiteReader, mistakes: Mistakes) -> None:
        source = mistakes.source(path)
        own = set(reader.ids)
        with _table(path, source) as table:
            reader.take_rows(table, source, village_code, ignore)
        new.extend(name for name in reader.ids if name not in own)

    inventory = load(inventory_path, add)
    return SitesImport(inventory, tuple(inventory.by_id[name] for name in sorted(new)))


@contextmanager
def _table(path: Path, source: Source) -> Iterator[Rows]:
    if path.suffix.lower() not in _GEOJSON:
        with open_rows(path, source) as table:
            yield table
        return
    found = list(read_features(path, source))
    columns = list(dict.fromkeys(name for feature in found for name in feature.cells))
    rows = ((f.number, [f.cells.get(name, "") for name in columns]) for f in found)
    yield Rows([], 1, columns, rows)


def add_sites(found: SitesImport, inventory_path: Path) -> Path:
    """Write the new sites into the table that the inventory names; one that names none gets a
    ``sites.csv`` beside it. The table is written anew in id order; comments in the inventory stay.

    Returns the table's path. Raises InputError when the inventory cannot be extended by a line.
    """
    mistakes = Mistakes()
    source = mistakes.source(inventory_path)
    root = read_nodes(inventory_path, source)
    inside = root.entries.get("sites")
    listed = inside.entries.keys() if isinstance(inside, Table) else ()
    in_table = [site for site in found.inventory.sites if site.id not in listed]
    content = sites_csv(in_table, found.inventory)
    named = root.entries.get("sites_file")
    if isinstance(named, Scalar) and named.text:
        table = inventory_path.parent / named.text
        write_text(table, content)
        return table
    table = inventory_path.parent / "sites.csv"
    if table.exists():
        raise source.stop(
            1, f"{table} is there but not named: add 'sites_file: sites.csv' or move it"
        )
    text = read_text(inventory_path, MAX_YAML_BYTES, source).rstrip("\n")
    text += "\n\nsites_file: sites.csv\n"
    extended = parse_nodes(text, source).entries.get("sites_file")
    if not isinstance(extended, Scalar) or extended.text != table.name or mistakes.found:
        raise source.stop(1, "cannot be extended at its end: add 'sites_file: sites.csv' yourself")
    write_text(table, content)
    write_text(inventory_path, text)
    return table
