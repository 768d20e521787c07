"""The work list: who is on it, in which order, why, and links that only dial or show."""

import math
import random
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from maps.words import LANGUAGES, load
from maps.worklist import WorkList, distance_km, work_list
from maps.worklist_page import plain, render, write_worklist
from model.definition import Definition, State
from model.errors import InputError
from model.inventory import Inventory
from model.outage import Cause, Evidence
from model.region import Register
from model.summary import WeekRecord
from tests.maps.made import LAST_WEEK, ZONE, make_record, make_site, make_site_week

PASAR, KAUM = "61.01.01.1001", "61.01.01.2002"
S, T, X, N = State.STABLE, State.UNSTABLE, State.CUT_OFF, State.NOT_OBSERVED


@pytest.fixture
def listed(
    register: Register,
    make_inventory: Callable[..., Inventory],
    make_records: Callable[..., tuple[WeekRecord, ...]],
) -> Callable[..., WorkList]:
    """Makes the list of Sambas from sites and their weeks' states."""

    def make(states: dict[str, list[State]], *sites: object, **more: object) -> WorkList:
        inventory = make_inventory(*sites)
        return work_list(register, inventory, make_records(states), "61.01", **more)  # type: ignore[arg-type] # the keyword arguments of work_list

    return make


def test_only_what_needs_somebody_is_listed(listed: Callable[..., WorkList]) -> None:
    """Cut off, unstable and silent sites are; a stable one and one of another kabupaten are not."""
    sites = [make_site(name, PASAR) for name in "abcd"] + [make_site("e", "61.06.01.2001")]
    found = listed({"a": [S], "b": [X], "c": [T], "d": [N], "e": [X]}, *sites)
    assert [stop.site.id for stop in found.stops] == ["b", "c", "d"]
    assert (found.watched, found.name) == (4, "Kabupaten Sambas")
    assert found.stops[2].cause is None
    assert load("id")("worklist.silent") in plain(found, load("id"), ZONE)


@pytest.mark.parametrize("seed", range(4))
def test_the_way_goes_to_the_nearest_next(seed: int, listed: Callable[..., WorkList]) -> None:
    """From each stop no waiting one is nearer than the next; each is visited once; a site that is
    nowhere comes last, without a distance."""
    rng = random.Random(seed)  # noqa: S311 - places of a test
    sites = [
        make_site(f"s{at}", PASAR, lat=rng.uniform(0, 2), lon=rng.uniform(108, 110))
        for at in range(12)
    ]
    sites.append(make_site("t", "61.01.02.2002", lat=None, lon=None))
    found = listed({site.id: [X] for site in sites}, *sites, start=(1.0, 109.0))
    here = (1.0, 109.0)
    places = [stop.place for stop in found.stops]
    for at, place in enumerate(places):
        assert place is not None
        legs = [distance_km(here, other) for other in places[at:] if other]
        assert found.stops[at].leg_km == pytest.approx(min(legs)) == pytest.approx(legs[0])
        here = place
    assert sorted(stop.site.id for stop in found.stops) == sorted(site.id for site in sites)
    assert [stop.site.id for stop in found.stops if not stop.exact] == ["t"]


def test_a_degree_of_the_equator_has_111_km() -> None:
    """Along the equator and along a meridian, on the mean sphere."""
    degree = math.pi * 6371.0088 / 180
    assert distance_km((0, 109), (0, 110)) == pytest.approx(degree)
    assert distance_km((1, 109), (0, 109)) == pytest.approx(degree)


def test_the_cause_is_that_of_most_time_and_its_evidence_is_said(
    register: Register, make_inventory: Callable[..., Inventory]
) -> None:
    """Two hours of power outweigh one of the line; what is usual is left out beside a real sign."""
    week = make_site_week("a", LAST_WEEK, X, [(0, 1, Cause.LINK), (5, 2, Cause.POWER)])
    signs = (
        Evidence("prior", Cause.POWER, 0.1, "often"),
        Evidence("feeder", Cause.POWER, 0.8, "together"),
        Evidence("novel rule", Cause.POWER, 0.5, "a sentence of its own"),
        Evidence("uptime", Cause.LINK, 0.7, "lived"),
    )
    week = replace(week, outages=tuple(replace(one, evidence=signs) for one in week.outages))
    good = make_site_week("a", LAST_WEEK.plus(-1), S)
    records = tuple(make_record(one.week, [one], Definition()) for one in (good, week))
    found = work_list(register, make_inventory(make_site("a", PASAR)), records, "61")
    stop = found.stops[0]
    assert (stop.cause, stop.down_minutes) == (Cause.POWER, 180)
    assert [one.rule for one in stop.evidence] == ["feeder", "novel rule"]
    assert stop.bring == ("bring_power",)
    assert stop.good is not None
    assert stop.good[0] == LAST_WEEK.plus(-1)
    text = plain(found, load("id"), ZONE)
    assert load("id")("worklist.evidence_feeder") in text
    assert "a sentence of its own" in text
    assert "Listrik (keyakinan 90 %), terputus 3 jam" in text


@pytest.mark.parametrize(
    ("phone", "link"),
    [
        ("+62 812-3456.789", "tel:+628123456789"),
        ("(0562) 123456", "tel:0562123456"),
        ("javascript:alert(1)", None),
        ("0812 or 0813", None),
        (None, None),
    ],
)
def test_links_dial_digits_and_show_places(
    phone: str | None, link: str | None, listed: Callable[..., WorkList]
) -> None:
    """A telephone link holds checked digits or is not made; the place is a geo: address."""
    site = make_site("a", PASAR, contact_name="Bu Ani", contact_phone=phone, lat=1.5, lon=109.25)
    page = render(listed({"a": [X]}, site), load("id"), ZONE)
    links = re.findall(r'href="([^"]*)"', page)
    assert links == ["data:,", *([link] if link else []), "geo:1.50000,109.25000"]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_page_and_text_are_small_and_named_by_codes(
    lang: str, listed: Callable[..., WorkList], tmp_path: Path
) -> None:
    """Forty sites are a text of some kilobytes; the files lie in the folder, whatever names say."""
    sites = [
        make_site(f"s{at}", PASAR, name="../../etc/passwd", contact_phone="0812345678")
        for at in range(40)
    ]
    found = listed({site.id: [S, X] for site in sites}, *sites)
    page, text = write_worklist(found, tmp_path / "out", load(lang), ZONE)
    assert sorted(tmp_path.rglob("*.*")) == sorted([page, text])
    assert page.name == f"{load(lang)('worklist.file')}-61.01-2026-W46.html"
    assert text.stat().st_size < 40 * 450
    assert page.stat().st_size < 40 * 900
    assert text.read_text("utf-8").count("../../etc/passwd") == 40


def test_nothing_to_do_is_said(listed: Callable[..., WorkList]) -> None:
    """A week in which all is well has a page that says so."""
    found = listed({"a": [S]}, make_site("a", PASAR))
    assert load("id")("worklist.nothing") in render(found, load("id"), ZONE)


def test_a_region_without_villages_is_an_input_mistake(
    register: Register,
    make_inventory: Callable[..., Inventory],
    make_records: Callable[..., tuple[WeekRecord, ...]],
) -> None:
    """The message names the register and how a code is written."""
    with pytest.raises(InputError, match=r"no village of register .* lies in '61\.99'"):
        work_list(register, make_inventory(), make_records({"a": [S]}), "61.99")
