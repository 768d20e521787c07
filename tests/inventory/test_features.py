"""GeoJSON features: points and areas told apart, hostile files refused within bounds."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from inventory.features import Feature, read_features
from inventory.mistakes import Mistakes

AREA = {"type": "Polygon", "coordinates": [[[109, 1], [110, 1], [110, 2], [109, 1]]]}


def read(tmp_path: Path, *features: dict[str, Any]) -> tuple[list[Feature], Mistakes]:
    """The features of a collection, and what was wrong."""
    path = tmp_path / "f.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    mistakes = Mistakes()
    return list(read_features(path, mistakes.source(path))), mistakes


def test_kinds_of_features(tmp_path: Path) -> None:
    """A point gives its coordinates, an area only that it is one; properties become text."""
    found, mistakes = read(
        tmp_path,
        {"geometry": {"type": "Point", "coordinates": [109.08, 1.19, 3]}, "properties": {"a": 1}},
        {"geometry": AREA, "properties": {"a": True, "b": None}, "id": "x"},
        {"geometry": None, "properties": {"a": "t"}},
    )
    assert found == [
        Feature(1, {"lon": "109.08", "lat": "1.19", "a": "1"}, is_area=False),
        Feature(2, {"id": "x", "a": "true"}, is_area=True),
        Feature(3, {"a": "t"}, is_area=False),
    ]
    assert not mistakes.found


def test_mistakes_bear_the_number_of_the_feature(tmp_path: Path) -> None:
    """A feature without properties, or with a nested one, is named by its number."""
    _, mistakes = read(tmp_path, {}, {"properties": {"a": [1]}}, {"properties": {}})
    assert [line for _, line, _ in mistakes.found] == [1, 2]


HOSTILE = {
    "deep": ("[" * 400_000, "nested too deep"),
    "many lists": ("[" + "[]," * 2_000_000 + "[]]", "too many values"),
    "many numbers": ('{"features": [' + "1.5," * 1_900_000 + "1]}", "too many values"),
    "many objects": ('{"features": [' + "{}," * 1_400_000 + "{}]}", "too many values"),
    "empty features": ('{"features": [' + "{}," * 290_000 + "{}]}", "has no properties"),
    "not a number": ('{"features": [{"properties": {"a": NaN}}]}', "NaN is no number"),
    "a huge number": ('{"a": ' + "9" * 1_000_000 + "}", "is not GeoJSON"),
    "a key twice": ('{"features": [], "features": []}', "stands twice"),
    "cut off": ('{"features": [\n{"properties":', ":2: is not GeoJSON"),
    "something else": ('{"type": "Point"}', "no FeatureCollection"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_file(tmp_path: Path, refused: Callable[[str, str, Path], str], name: str) -> None:
    """Refused with its reason, within the bounds."""
    content, message = HOSTILE[name]
    path = tmp_path / "hostile.geojson"
    path.write_text(content)
    said = refused(
        "from inventory.imports import import_register", "import_register(path, 'v', None)", path
    )
    assert message in said
