"""Map and report in a real browser: they ask nobody for anything, complain of nothing, and run
nothing that came from outside. Without Chromium these tests are skipped, saying so."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from maps.base_map import base_map
from maps.coverage import coverage
from maps.folium_map import render as render_map
from maps.folium_map import write_map
from maps.map_data import MapInput, document
from maps.report.html import render as render_report
from maps.report.weekly import weekly_report
from maps.words import LANGUAGES, load
from model.definition import State
from model.errors import InputError
from model.inventory import Inventory, Provider
from model.region import Register
from model.summary import WeekRecord
from tests.maps.made import make_site

PASAR = "61.01.01.1001"
S, X = State.STABLE, State.CUT_OFF
HOSTILE = [
    "<img src=x onerror=\"document.documentElement.dataset.ran=1\">",
    "</script><script>document.documentElement.dataset.ran=1</script>",
    "${document.documentElement.dataset.ran=1}`'\"\\",
    "{{ ''.__class__ }}<!--<script>",
    "\u2028&lt;svg onload=alert(1)&gt;",
]  # fmt: skip

POLICY = """<meta http-equiv="Content-Security-Policy" content="default-src 'none'">"""


@pytest.fixture
def given(
    register: Register,
    make_inventory: Callable[..., Inventory],
    make_records: Callable[..., tuple[WeekRecord, ...]],
) -> Callable[[str], MapInput]:
    """Makes the input of both pages with one text put wherever a text from outside can stand."""

    def make(text: str) -> MapInput:
        villages = tuple(replace(village, name=text) for village in register.villages)
        named = Register(text, villages, dict.fromkeys(register.region_names, text))
        inventory = make_inventory(
            make_site("a", PASAR, name=text), make_site("b", "61.01.01.2002", name=text, kind=text)
        )
        inventory = replace(
            inventory,
            providers={"satu": Provider("satu", text)},
            province=replace(inventory.province, name=text),
        )
        records = make_records({"a": [S, S, S], "b": [S, X, X]})
        return MapInput(named, inventory, coverage(named, inventory, records), records, credit=text)

    return make


def report_page(given: MapInput, lang: str) -> str:
    model = weekly_report(given.register, given.inventory, given.records, given.coverage)
    return render_report(model, load(lang))


@pytest.fixture
def browse(tmp_path: Path) -> Callable[[str], tuple[str, list[str]]]:
    """Opens a page from a file: (the document after its scripts, the lines on the console).

    The pages' policy forbids every request, and a breach of it is a line on the console. No name
    resolves in this browser, so that nothing leaves the machine in any case.
    """
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("no chromium here: pages are not opened (apt install chromium)")

    def open_page(page: str) -> tuple[str, list[str]]:
        file = tmp_path / "page.html"
        file.write_text(page, encoding="utf-8")
        run = subprocess.run(
            [
                chromium,
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-background-networking",
                "--disable-component-update",
                "--enable-logging=stderr",
                f"--user-data-dir={tmp_path / 'profile'}",
                "--host-resolver-rules=MAP * ~NOTFOUND",
                "--virtual-time-budget=2000",
                "--dump-dom",
                file.as_uri(),
            ],
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=True,
        )
        console = [line for line in run.stderr.splitlines() if "CONSOLE" in line]
        return run.stdout, console

    return open_page


Browse = Callable[[str], tuple[str, list[str]]]


@pytest.mark.parametrize(
    "page",
    [
        f'{POLICY}<img src="http://example.invalid/x.png">',
        f"{POLICY}<script>1</script>",
        "<script>nothing.there()</script>",
    ],
)
def test_the_console_tells_of_requests_and_faults(page: str, browse: Browse) -> None:
    """The control: a request, a breach of the policy and a broken script each leave a line."""
    assert browse(page)[1]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_map_opens_and_asks_nobody(
    lang: str, given: Callable[[str], MapInput], browse: Browse
) -> None:
    """The headline is drawn from the data, with no request and not one line on the console."""
    document, console = browse(render_map(given("Semparuk"), load(lang)))
    assert console == []
    assert '<span id="stable">1</span>' in document
    assert load(lang)("map.legend") in document


def test_the_report_opens_and_asks_nobody(given: Callable[[str], MapInput], browse: Browse) -> None:
    """Its own policy admits its style sheet, and there is nothing else to load or to run."""
    page = report_page(given("Semparuk"), "id")
    document, console = browse(page)
    assert console == []
    assert "<script" not in page
    assert "Laporan mingguan internet desa, Semparuk" in document


@pytest.mark.parametrize("name", [*HOSTILE, "{{ 7 * 7 }}", "{% raw %}", "@PART:js@ @POLICY@"])
def test_the_data_block_is_inert_and_whole(name: str, given: Callable[[str], MapInput]) -> None:
    """The block is JSON without a single "<", and names come back from it as they went in: no
    template is run on them, neither by us nor by what composes the page."""
    page = render_map(given(name), load("id"))
    block = page.split('<script type="application/json" id="data">')[1].split("</script>")[0]
    assert "<" not in block
    data = json.loads(block)
    assert set(data["villages"]["names"]) == {name}
    assert data["weeks"][-1]["states"] == "03555"


def test_the_policy_names_every_script_and_style(given: Callable[[str], MapInput]) -> None:
    """Nothing is allowed but hashes; no address of another machine stands in a loading place."""
    page = render_map(given("Semparuk"), load("id"))
    policy = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)[0]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy
    assert policy.count("sha256-") == len(re.findall(r"<(?:script|style)>", page))
    assert not re.search(r"<(?:link|script|img|iframe)[^>]*(?:src|href)=\"(?!data:,)", page)
    assert not re.search(r"url\((?!#)", page)


def test_a_base_map_opens_the_policy_for_one_host(given: Callable[[str], MapInput]) -> None:
    """Without one no address stands in the policy; with one exactly its host, for pictures only,
    and the page names it in its notes."""
    plain = given("Semparuk")
    with_tiles = replace(plain, base_map=base_map("https://tiles.example:8443/{z}/{x}/{y}.png?k=1"))
    policies = [
        re.findall(r'Content-Security-Policy" content="([^"]*)"', render_map(one, load("id")))[0]
        for one in (plain, with_tiles)
    ]
    assert "https:" not in policies[0]
    assert re.findall(r"https://[^ ;]*", policies[1]) == ["https://tiles.example:8443"]
    assert "img-src data: https://tiles.example:8443;" in policies[1]
    assert "tiles.example:8443" in document(with_tiles, load("id"))["notes"][-1]


@pytest.mark.parametrize(
    "url",
    [
        "http://tiles.example/{z}/{x}/{y}.png", "https://tiles.example/{z}/{x}.png", "",
        "https://{s}.tiles.example/{z}/{x}/{y}.png", "https://a.example/{z}/{x}/{y}'; script-src *",
        "https://*/{z}/{x}/{y}", "https://tiles.example {z}/{x}/{y}", "//a.example/{z}/{x}/{y}",
        "https://user@a.example/{z}/{x}/{y}", "https://tiles.example/{z}/{x}/{y}/{k}",
    ],
)  # fmt: skip
def test_what_is_no_tile_address_is_an_input_mistake(url: str) -> None:
    """One https host with places for zoom, column and row, or a message how to write it."""
    with pytest.raises(InputError, match="--base-map"):
        base_map(url)


def test_the_same_weeks_make_the_same_file(
    given: Callable[[str], MapInput], tmp_path: Path
) -> None:
    """Nothing random stands in the page, and an older file is replaced as a whole."""
    first, second = tmp_path / "a" / "peta.html", tmp_path / "b.html"
    write_map(given("Semparuk"), first, load("id"))
    write_map(given("Semparuk"), second, load("id"))
    write_map(given("Semparuk"), first, load("id"))
    assert first.read_bytes() == second.read_bytes()
    assert [path.name for path in first.parent.iterdir()] == ["peta.html"]
