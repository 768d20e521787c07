"""The register of a fictional province: kabupaten, kecamatan, villages and their land.

Law: its province code is 99, which no real province bears, so nothing made here can be taken for a
real village.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from model.inventory import Kabupaten
from model.region import RegionCode, Register, Village
from simulator.geography import Cell, Ring, lay_out
from simulator.names import distinct_names, village_names

PROVINCE_CODE: RegionCode = "99"
PROVINCE_NAME = "Nusa Khayal"
TIMEZONE = "Asia/Pontianak"

_VILLAGES_PER_KECAMATAN = 12.3
_KECAMATAN_MAX = 99  # a kecamatan's part of the code has two digits
_WITHOUT_POLYGON = 15 / 2145


@dataclass(frozen=True)
class Land:
    """A register, the outlines of its villages, and the official figures of its kabupaten."""

    register: Register
    polygons: Mapping[RegionCode, Ring]
    kabupaten: tuple[Kabupaten, ...]


def make_land(rng: np.random.Generator, villages: int, kabupaten: int, version: str) -> Land:
    """A province of so many villages; ``kabupaten`` counts the kota (one in seven) too.

    Raises ValueError when there are fewer villages than kabupaten.
    """
    if not 1 <= kabupaten <= min(villages, 60):
        raise ValueError(f"{kabupaten} kabupaten for {villages} villages: give 1 to {villages}")
    cells = lay_out(rng, villages)
    names = village_names(rng, villages)
    kota = kabupaten // 7
    weights = np.concatenate(
        [rng.lognormal(0, 0.5, kabupaten - kota), rng.uniform(0.15, 0.25, kota)]
    )
    parts = [f"{PROVINCE_CODE}.{n + 1:02d}" for n in range(kabupaten - kota)]
    parts += [f"{PROVINCE_CODE}.{71 + n}" for n in range(kota)]
    titles = distinct_names(rng, kabupaten)
    region_names: dict[RegionCode, str] = {PROVINCE_CODE: PROVINCE_NAME}
    made: list[tuple[Village, Ring]] = []
    figures: list[Kabupaten] = []
    first = 0
    for code, title, size in zip(parts, titles, _shares(villages, weights), strict=True):
        urban = code >= f"{PROVINCE_CODE}.71"
        region_names[code] = f"{'Kota' if urban else 'Kabupaten'} {title}"
        mine = _kabupaten_villages(
            rng, code, urban, names[first : first + size], cells[first : first + size], region_names
        )
        made += mine
        figures.append(_figures(code, region_names[code], [village for village, _ in mine]))
        first += size
    missing = set(rng.choice(villages, round(villages * _WITHOUT_POLYGON), replace=False).tolist())
    polygons: dict[RegionCode, Ring] = {}
    listed: list[Village] = []
    for index, (village, ring) in enumerate(made):
        if index in missing:
            listed.append(
                Village(village.code, village.name, village.lat, village.lon, village.population)
            )
        else:
            listed.append(village)
            polygons[village.code] = ring
    listed.sort(key=lambda village: village.code)
    return Land(Register(version, tuple(listed), region_names), polygons, tuple(figures))


def _kabupaten_villages(
    rng: np.random.Generator,
    kabupaten: RegionCode,
    urban: bool,
    names: list[str],
    cells: list[Cell],
    region_names: dict[RegionCode, str],
) -> list[tuple[Village, Ring]]:
    count = max(1, min(_KECAMATAN_MAX, round(len(cells) / _VILLAGES_PER_KECAMATAN)))
    sizes = _shares(len(cells), rng.uniform(0.6, 1.4, count))
    seat = int(rng.integers(0, 4))  # so many kelurahan lie around the seat of a kabupaten
    found: list[tuple[Village, Ring]] = []
    for number, (title, size) in enumerate(
        zip(distinct_names(rng, count), sizes, strict=True), start=1
    ):
        kecamatan = f"{kabupaten}.{number:02d}"
        region_names[kecamatan] = title
        for place in range(size):
            cell = cells[len(found)]
            kelurahan = urban or (number == 1 and place < seat)
            middle = 9_000 if urban else 4_500 if kelurahan else 1_900
            village = Village(
                code=f"{kecamatan}.{1 if kelurahan else 2}{place + 1:03d}",
                name=names[len(found)],
                lat=cell.lat,
                lon=cell.lon,
                population=int(middle * rng.lognormal(0, 0.5)),
                area_km2=cell.area_km2,
                has_polygon=True,
            )
            found.append((village, cell.ring))
    return found


def _figures(code: RegionCode, name: str, villages: list[Village]) -> Kabupaten:
    kelurahan = sum(village.kind == "kelurahan" for village in villages)
    return Kabupaten(
        code=code,
        name=name,
        kecamatan_count=len({village.kecamatan for village in villages}),
        desa_count=len(villages) - kelurahan,
        kelurahan_count=kelurahan,
        population=sum(village.population or 0 for village in villages),
        area_km2=round(sum(village.area_km2 or 0 for village in villages), 1),
    )


def _shares(total: int, weights: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> list[int]:
    """Whole parts of ``total`` in proportion to the weights, at least one each."""
    bounds = np.round(np.cumsum(weights) / np.sum(weights) * (total - len(weights)))
    return [int(part) + 1 for part in np.diff(bounds, prepend=0)]
