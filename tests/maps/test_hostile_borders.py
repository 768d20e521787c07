"""Files of borders as careless or hostile hands make them: whatever GDAL reads ends in borders or
in an input mistake, never in a trace, and never with a warning in a programmer's words."""

import json
import math
import os
import random
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from maps.boundaries import check_boundaries, import_boundaries, load_boundaries
from model.errors import InputError
from model.region import Register, Village

CODES = [f"61.01.01.2{number:03d}" for number in range(1, 7)]
REGISTER = Register(
    "test",
    tuple(Village(code, code, 1 + at / 10, 109.0) for at, code in enumerate(CODES)),
)
RUNS = 40 + int(os.environ.get("JANGKAU_FAULTS", "0"))


def place(rng: random.Random) -> list[float]:
    """Mostly in the province, at times at an edge of the world or far beyond it."""
    lon, lat = rng.uniform(108, 110), rng.uniform(0, 2)
    if rng.random() < 0.1:
        lon = rng.choice([rng.uniform(-200, 500), 1e20, 180.0, 1e-300, -180.0])
    if rng.random() < 0.05:
        lat = rng.choice([95.0, -95.0, 1e20, 90.0, -90.0, 1e308])
    return [lon, lat]


def ring(rng: random.Random) -> list[list[float]]:
    """Too few positions, crossing itself, open, or sound."""
    places = [place(rng) for _ in range(rng.choice([0, 1, 2, 3, 4, 5, 8]))]
    return [*places, places[0]] if places and rng.random() < 0.9 else places


def shape(rng: random.Random) -> dict[str, Any] | None:
    inside = {"type": "Polygon", "coordinates": [ring(rng)]}
    return rng.choice(
        [
            None,
            inside,
            inside,
            inside,
            {"type": "Polygon", "coordinates": []},
            {"type": "Polygon", "coordinates": [ring(rng), ring(rng)]},
            {"type": "MultiPolygon", "coordinates": [[ring(rng)], [ring(rng)]]},
            {"type": "Point", "coordinates": place(rng)},
            {"type": "LineString", "coordinates": ring(rng)},
            {
                "type": "GeometryCollection",
                "geometries": [inside, {"type": "Point", "coordinates": [109, 1]}],
            },
        ]
    )


@pytest.mark.faults
def test_no_file_of_borders_is_a_bug_of_ours(tmp_path: Path) -> None:
    """Checked, loaded and imported: each time borders of the register, or an InputError."""
    begin = int(os.environ.get("JANGKAU_SEED", "0"))
    path, out = tmp_path / "desa.geojson", tmp_path / "out.gpkg"
    loaded = 0
    for seed in range(begin, begin + RUNS):
        rng = random.Random(seed)  # noqa: S311 - the same files on every run
        codes = [*CODES, *CODES, None, 5, "", ["x"], f" {CODES[0]}"]
        features = [
            {"type": "Feature", "properties": {"code": rng.choice(codes)}, "geometry": shape(rng)}
            for _ in range(rng.randrange(9))
        ]
        path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
        print(f"seed {seed}")  # noqa: T201 - the last one is shown when a test fails
        try:
            borders = load_boundaries(path, REGISTER)
        except InputError:
            with pytest.raises(InputError):
                check_boundaries(path, REGISTER)
            continue
        loaded += 1
        assert set(borders.polygons) <= set(CODES)
        assert all(map(math.isfinite, chain.from_iterable(borders.label_points.values())))
        assert check_boundaries(path, REGISTER).matched == len(borders.polygons)
        assert import_boundaries(path, REGISTER, out).matched == len(borders.polygons)
    assert 0 < loaded < RUNS
