"""Boundaries: what fits the register, what does not, and borders that stay shared."""

import json
import os
from pathlib import Path

import geopandas  # noqa: TID251 - makes files of other formats
import pytest

from maps.boundaries import Polygon, check_boundaries, load_boundaries
from maps.topology import Grid, share
from model.errors import InputError
from model.region import Register, Village

SHARED = Path(os.environ.get("JANGKAU_SHARED", Path(__file__).parents[3] / "shared"))


def feature(code: str | None, *ring: tuple[float, float]) -> dict[str, object]:
    return {
        "type": "Feature",
        "properties": {"code": code},
        "geometry": {"type": "Polygon", "coordinates": [[*ring, ring[0]]]} if ring else None,
    }


def square(lon: float, lat: float, size: float = 0.1) -> list[tuple[float, float]]:
    return [(lon, lat), (lon + size, lat), (lon + size, lat + size), (lon, lat + size)]


def write(folder: Path, *features: dict[str, object]) -> Path:
    path = folder / "desa.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path


def points(polygons: tuple[Polygon, ...]) -> set[tuple[float, float]]:
    return {(round(x, 6), round(y, 6)) for part in polygons for ring in part for x, y in ring}


def test_neighbours_keep_one_border(tmp_path: Path, register: Register) -> None:
    """After simplification the points of a common border are the same on both sides."""
    wave = [(109.1, 1 + i / 400 + 0.0) for i in range(41)]
    wave = [(x + (0.002 if i % 2 else 0), y) for i, (x, y) in enumerate(wave)]
    left = [(109.0, 1.0), *wave, (109.0, 1.1)]
    right = [(109.2, 1.0), (109.2, 1.1), *reversed(wave)]
    path = write(tmp_path, feature("61.01.01.1001", *left), feature("61.01.01.2002", *right))
    found = load_boundaries(path, register, tolerance_metres=300)
    common = points(found.polygons["61.01.01.1001"]) & points(found.polygons["61.01.01.2002"])
    assert 2 <= len(common) < len(wave)
    only_left = points(found.polygons["61.01.01.1001"]) - common
    assert all(x == pytest.approx(109.0) for x, _ in only_left)


def test_areas_and_labels_go_up_to_the_province(tmp_path: Path, register: Register) -> None:
    """Areas are equal-area square kilometres, summed upward; labels lie inside their region."""
    path = write(
        tmp_path,
        feature("61.01.01.1001", *square(109.0, 0.0)),
        feature("61.01.02.2001", *square(109.1, 0.0)),
    )
    found = load_boundaries(path, register)
    side_km = 0.1 * 111.3195
    assert found.area_km2["61.01.01.1001"] == pytest.approx(side_km**2, rel=0.01)
    assert found.area_km2["61"] == pytest.approx(2 * found.area_km2["61.01.01"], rel=0.001)
    lon, lat = found.label_points["61.01"]
    assert 109.0 < lon < 109.2
    assert 0.0 < lat < 0.1


def test_what_does_not_fit_is_said(tmp_path: Path, register: Register) -> None:
    """Missing, unknown, repeated, broken and overlapping polygons each appear in the report."""
    bow = [(109.3, 1.0), (109.4, 1.1), (109.4, 1.0), (109.3, 1.1)]
    path = write(
        tmp_path,
        feature("61.01.01.1001", *square(109.0, 1.0)),
        feature("61.01.01.1001", *square(109.9, 1.0)),
        feature("61.01.01.2002", *square(109.05, 1.0)),
        feature("61.01.02.2001", *bow),
        feature("61.01.02.2002"),
        feature("99.01.01.2001", *square(110.0, 1.0)),
    )
    fit = check_boundaries(path, register)
    assert fit.matched == 3
    assert fit.twice == ("61.01.01.1001",)
    assert fit.repaired == ("61.01.02.2001",)
    assert fit.not_polygons == ("61.01.02.2002",)
    assert fit.not_in_register == ("99.01.01.2001",)
    assert fit.without_polygon == ("61.01.02.2002", "61.06.01.2001")
    [pair] = fit.overlaps
    assert (pair.one, pair.other) == ("61.01.01.1001", "61.01.01.2002")
    assert pair.km2 == pytest.approx(0.05 * 0.1 * 111.3**2, rel=0.01)


@pytest.mark.parametrize(
    ("features", "message"),
    [
        ([feature("99.01.01.2001", *square(1, 1))], r"no polygon has the code .*\d$"),
        ([feature("6101012001", *square(1, 1))], "dotted Kemendagri codes .* BPS"),
        (
            [{"type": "Feature", "properties": {"kode": "1"}, "geometry": None}],
            "no property 'code'",
        ),
    ],
)
def test_a_file_that_fits_nothing_is_refused(
    features: list[dict[str, object]], message: str, tmp_path: Path, register: Register
) -> None:
    """The mistake names the file and what each polygon needs."""
    with pytest.raises(InputError, match=message):
        load_boundaries(write(tmp_path, *features), register)


def test_a_missing_or_broken_file_is_an_input_mistake(tmp_path: Path, register: Register) -> None:
    """Neither becomes a trace from a geometry library."""
    with pytest.raises(InputError, match="no such file"):
        load_boundaries(tmp_path / "none.geojson", register)
    broken = tmp_path / "broken.geojson"
    broken.write_text("{")
    with pytest.raises(InputError, match="not readable"):
        load_boundaries(broken, register)


def test_ground_is_in_one_village_only(tmp_path: Path, register: Register) -> None:
    """Of ground that two claim one gets it; corners 22 m apart are one; a village that another
    covers whole keeps its polygon; the areas of the villages add up to that of the province."""
    path = write(
        tmp_path,
        feature("61.01.01.1001", *square(109.0, 1.0)),
        feature("61.01.01.2002", *square(109.05, 1.0)),
        feature("61.01.02.2001", *square(109.1502, 1.0)),
    )
    found = load_boundaries(path, register)
    east = 109.1502 + 0.1
    whole_km2 = (east - 109.0) * 0.1 * 111.3195 * 110.574
    villages = [km2 for code, km2 in found.area_km2.items() if len(code) == 13]
    assert sum(villages) == pytest.approx(whole_km2, rel=1e-3)
    assert found.area_km2["61"] == pytest.approx(sum(villages))
    middle, right = (points(found.polygons[c]) for c in ("61.01.01.2002", "61.01.02.2001"))
    assert len(middle & right) == 2
    inner = write(
        tmp_path,
        feature("61.01.01.1001", *square(109.0, 1.0)),
        feature("61.01.01.2002", *square(109.0, 1.0)),
    )
    both = load_boundaries(inner, register)
    assert set(both.polygons) == {"61.01.01.1001", "61.01.01.2002"}
    assert len(check_boundaries(inner, register).overlaps) == 1


def test_the_real_province(real_register: Register) -> None:
    """Kalimantan Barat: 2,130 of 2,145 villages have a polygon, 147,027 km² in all."""
    found = load_boundaries(SHARED / "geo" / "kalbar_villages_lite.geojson", real_register)
    assert found.fit.matched == 2130
    assert len(found.fit.without_polygon) == 15
    assert "61.12.02.2006" in found.fit.without_polygon
    assert found.fit.not_in_register == found.fit.twice == ()
    assert found.area_km2["61"] == pytest.approx(147_018, rel=0.001)
    assert {code for code in found.label_points if len(code) == 5} == set(real_register.kabupaten)
    # In the file four points of ten lie on borders that do not meet; here only coasts do not.
    corners = [p for parts in found.polygons.values() for part in parts for r in part for p in r]
    topology = share(Grid.around(corners, 75.0).rings(found.polygons))
    alone = sum(len(arc) for arc, users in zip(topology.arcs, topology.users, strict=True)
                if len(users) == 1)  # fmt: skip
    assert alone < 0.15 * sum(map(len, topology.arcs))


@pytest.fixture
def real_register() -> Register:
    """The codes of the real province; the test is skipped where the data are not beside us."""
    path = SHARED / "geo" / "kalbar_villages.csv"
    if not path.is_file():
        pytest.skip("the geodata of Kalimantan Barat are not here (JANGKAU_SHARED)")
    rows = [line.split(",") for line in path.read_text("utf-8").splitlines()[1:]]
    return Register(
        "test", tuple(sorted((Village(row[0], row[1]) for row in rows), key=lambda v: v.code))
    )


@pytest.mark.parametrize("suffix", [".gpkg", ".shp"])
def test_other_formats_and_other_projections(
    suffix: str, tmp_path: Path, register: Register
) -> None:
    """GeoPackage and Shapefile in UTM, with the code in a column of another name, give the same."""
    source = write(tmp_path, feature("61.01.01.1001", *square(109.0, 0.1)))
    frame = geopandas.read_file(source).rename(columns={"code": "KDEPUM"}).to_crs("EPSG:32649")
    path = tmp_path / f"desa{suffix}"
    frame.to_file(path)
    found = load_boundaries(path, register, code_property="KDEPUM")
    expected = load_boundaries(source, register)
    assert found.fit.matched == 1
    assert found.area_km2["61"] == pytest.approx(expected.area_km2["61"], rel=1e-6)
    assert points(found.polygons["61.01.01.1001"]) == points(expected.polygons["61.01.01.1001"])
