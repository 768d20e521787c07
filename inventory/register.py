"""The register of villages on disk: one CSV file, its version in the first line.

Law: a row's level is told by its code. Provinces, kabupaten/kota and kecamatan are rows that give
their names; villages are the denominator. The version stands in the file and nowhere else.
"""

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from inventory import values
from inventory.keys import Key
from inventory.mistakes import Mistakes, Source, shown
from inventory.rows import open_rows
from model.region import Level, Register, Village, level, parse_code

MARK = "Jangkau register 1; version:"
"""What the first line says, before the version (usually the decree's number)."""

REGISTER: Mapping[str, Key] = {
    "code": Key(parse_code, needed=True),
    "name": Key(values.text, needed=True),
    "lat": Key(values.number(-90, 90, ": latitude, north of the equator positive")),
    "lon": Key(values.number(-180, 180, ": longitude, east of Greenwich positive")),
    "population": Key(values.whole(0, 10_000_000)),
    "area_km2": Key(values.number(0, 1_000_000)),
    "has_polygon": Key(values.truth),
}
"""The columns of a register."""


def load_register(path: Path) -> Register:
    """Read a register. Raises InputError with every mistake and its line."""
    mistakes = Mistakes()
    register = read_register(path, mistakes.source(path))
    mistakes.raise_if_any()
    return register


def read_register(path: Path, source: Source) -> Register:
    """The same, for who collects the mistakes of several files: they are noted in ``source``, and
    the register holds what could be read. Raises InputError where no more can be read."""
    with open_rows(path, source) as table:
        if len(table.comments) != 1 or not table.comments[0].startswith(MARK):
            raise source.stop(1, f"is not a register: line 1 must read '# {MARK} VERSION'")
        version = table.comments[0].removeprefix(MARK).strip()
        if not version:
            source.wrong(1, "the register has no version: name the decree after 'version:'")
        if table.columns != list(REGISTER):
            raise source.stop(table.header_line, f"the columns must be: {','.join(REGISTER)}")
        villages: list[Village] = []
        names: dict[str, str] = {}
        first: dict[str, int] = {}
        for line, cells in table.rows:
            row = read_row(dict(zip(REGISTER, cells, strict=True)), line, source)
            if row is None:
                continue
            code = row["code"]
            if code in first:
                source.wrong(
                    line, f"{code} stands here twice (first in line {first[code]}): keep one"
                )
            first.setdefault(code, line)
            if level(code) is Level.VILLAGE:
                villages.append(Village(**row))
            else:
                names[code] = row["name"]
    if not villages and not source.mistakes.found:
        source.wrong(1, "the register holds no village: import one with 'jangkau inventory import'")
    villages.sort(key=lambda village: village.code)
    return Register(version, tuple(villages), names)


def read_row(cells: Mapping[str, str], line: int, source: Source) -> dict[str, Any] | None:
    """The values of one row; None (and the mistakes noted) when any is wrong."""
    row: dict[str, Any] = {}
    good = True
    for name, key in REGISTER.items():
        cell = cells.get(name, "")
        if not cell:
            if key.needed:
                source.wrong(line, f"{name!r} is missing: add it")
                good = False
            continue
        try:
            row[name] = key.read(cell)
        except ValueError as error:
            source.wrong(line, f"{shown(cells.get('code', ''))[1:-1]}.{name}: {error}")
            good = False
    if good and ("lat" in row) != ("lon" in row):
        source.wrong(line, f"{row['code']}: has only one of lat and lon: give both or neither")
        good = False
    return row if good else None


def register_csv(register: Register) -> str:
    """A register as text that ``load_register`` reads back to an equal one."""
    out = io.StringIO()
    out.write(f"# {MARK} {register.version}\n")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(REGISTER)
    rows: list[tuple[Any, ...]] = [
        (code, name, None, None, None, None, None) for code, name in register.region_names.items()
    ]
    rows += [
        (v.code, v.name, v.lat, v.lon, v.population, v.area_km2, str(v.has_polygon).lower())
        for v in register.villages
    ]
    rows.sort(key=lambda row: row[0])
    writer.writerows(rows)
    return out.getvalue()
