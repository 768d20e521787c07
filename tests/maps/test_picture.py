"""The picture of the map: right size, right colours, and no name is ever part of a source."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from maps.boundaries import Boundaries
from maps.coverage import coverage
from maps.fit import Fit
from maps.look import STATES
from maps.map_data import MapInput
from maps.picture import MOST_BYTES, map_svg, picture, write_picture
from maps.words import LANGUAGES, load
from model.definition import State
from model.inventory import Inventory
from model.region import Register
from model.summary import WeekRecord
from tests.maps.made import make_site

PASAR = "61.01.01.1001"
SQUARE = ((109.0, 1.0), (109.1, 1.0), (109.1, 1.1), (109.0, 1.1), (109.0, 1.0))


@pytest.fixture
def given(
    register: Register,
    make_inventory: Callable[..., Inventory],
    make_records: Callable[..., tuple[WeekRecord, ...]],
) -> Callable[..., MapInput]:
    """Makes a map of one polygon, three points and a village that is nowhere."""

    def make(name: str = "Sambas", *, bordered: bool = True) -> MapInput:
        named = replace(register, region_names=dict.fromkeys(register.region_names, name))
        inventory = make_inventory(make_site("a", PASAR), make_site("b", "61.01.02.2001"))
        records = make_records({"a": [State.CUT_OFF], "b": [State.STABLE]})
        borders = Boundaries({PASAR: ((SQUARE,),)}, {}, {"61.01": (109.05, 1.05)}, Fit(1))
        result = coverage(named, inventory, records)
        return MapInput(named, inventory, result, records, borders if bordered else None)

    return make


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("bordered", [True, False])
def test_the_picture_fits_a_message(
    lang: str, bordered: bool, given: Callable[..., MapInput], tmp_path: Path
) -> None:
    """A PNG of at most 300 kB, with borders and without, wide enough to be read."""
    path = write_picture(given(bordered=bordered), tmp_path / "peta.png", load(lang))
    content = path.read_bytes()
    assert content.startswith(b"\x89PNG\r\n")
    assert len(content) <= MOST_BYTES
    assert int.from_bytes(content[16:20]) >= 1000


def test_shapes_have_the_colours_of_their_states(given: Callable[..., MapInput]) -> None:
    """The polygon is filled; a village without one is a hollow point in its state's colour; the one
    that is nowhere is not drawn."""
    svg, labels = map_svg(given())
    drawn = [
        node
        for node in ET.fromstring(svg).iter()  # noqa: S314 - our own text
        if node.tag.endswith(("path", "circle"))
    ]
    assert [node.get("fill") for node in drawn] == [
        STATES[State.CUT_OFF].colour, "#ffffff", "#ffffff", "#ffffff", "none",
    ]  # fmt: skip
    assert [node.get("stroke") for node in drawn][1:4] == [
        "#8b8f93", STATES[State.STABLE].colour, "#8b8f93",
    ]  # fmt: skip
    [(x, y, name)] = labels
    assert (name, 0 < x < 1, 0 < y < 1) == ("Sambas", True, True)


def test_names_are_values_and_never_source(given: Callable[..., MapInput]) -> None:
    """What would be markup in typst, SVG or JSON changes neither shapes nor the making of a PNG."""
    hostile = '#panic("x") *_$<script>]]></svg>"\\\u2028 #import "@preview/a:1.0.0"'
    assert map_svg(given(hostile))[0] == map_svg(given())[0]
    assert picture(given(hostile), load("id")).startswith(b"\x89PNG")
