# ruff: noqa: F811 - fixtures of the browser are taken from tests.maps.browser by their names
"""The map used as a person uses it, in a real browser from a file: nothing is asked for, nothing is
complained of, and what is shown equals what was calculated."""

import base64
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

from maps.base_map import base_map
from maps.coverage import coverage
from maps.folium_map import write_map
from maps.map_data import MapInput, within
from maps.words import load
from tests.maps.browser import (  # noqa: F401 - fixtures
    KAUM,
    PASAR,
    SEMPARUK,
    SIZES,
    S,
    driver,
    entries,
    given,
    open_page,
    page,
    pixels,
    requests,
    text,
)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("packed", [False, True])
def test_it_opens_without_a_network_or_a_complaint(
    size: str, packed: bool, given: MapInput, open_page: Callable[..., Any], tmp_path: Path
) -> None:
    """No request, not a line on the console, at a phone's and a desk's size, packed or not; nothing
    is wider than the screen."""
    shown = within(given, "61.01") if packed else given
    path = write_map(shown, tmp_path / "peta.html", load("id"), packed=packed)
    driver = open_page(path, size)
    assert text(driver, "stable") == "1"
    driver.save_screenshot(str(tmp_path / f"{size}-{packed}.png"))
    assert driver.get_log("browser") == []
    assert requests(driver) == []
    wide = driver.execute_script("return document.documentElement.scrollWidth")
    assert wide <= SIZES[size][0]


def test_the_log_of_requests_sees_one(open_page: Callable[..., Any]) -> None:
    """The control: a picture from elsewhere is in the log."""
    driver = open_page('<!DOCTYPE html><img src="https://example.invalid/x.png">')
    assert requests(driver) == ["https://example.invalid/x.png"]


def test_a_base_map_asks_its_host_and_nobody_else(
    given: MapInput, open_page: Callable[..., Any], tmp_path: Path
) -> None:
    """Tiles of the view are asked of the one host, their credit stands on the map, and the map is
    drawn although none comes."""
    tiles = base_map("https://tiles.invalid/{z}/{x}/{y}.png", "© Tiles")
    path = write_map(replace(given, base_map=tiles), tmp_path / "peta.html", load("id"))
    driver = open_page(path)
    asked = requests(driver)
    assert asked
    assert all(re.fullmatch(r"https://tiles\.invalid/\d+/\d+/\d+\.png", url) for url in asked)
    assert text(driver, "base") == "© Tiles"
    assert "Refused" not in str(driver.get_log("browser"))
    assert text(driver, "stable") == "1"


def test_search_finds_a_village_and_opens_its_panel(
    page: Path, open_page: Callable[..., Any]
) -> None:
    """By name or code; the panel has state, cause, weeks, good values and a number to dial."""
    driver = open_page(page, "phone")
    box = driver.find_element(By.ID, "search")
    box.send_keys("pasar")
    box.send_keys(Keys.ENTER)
    panel = text(driver, "panel")
    for said in ("Pasar", PASAR, "Terputus", "Penyebab utama: Listrik, 2 hari 2 jam", "25,0 %"):
        assert said in panel
    assert "Nilai baik terakhir, 2–8 November 2026" in panel
    assert len(driver.find_elements(By.CSS_SELECTOR, "#weeks .chip")) == 12
    assert len(driver.find_elements(By.CSS_SELECTOR, ".site .strip .chip")) == 4
    link = driver.find_element(By.CSS_SELECTOR, ".call")
    assert link.get_attribute("href") == "tel:+628123456789"
    driver.find_element(By.TAG_NAME, "body").send_keys(Keys.ESCAPE)
    assert not driver.find_element(By.ID, "panel").is_displayed()
    box.clear()
    box.send_keys(SEMPARUK)
    box.send_keys(Keys.ENTER)
    assert "Semparuk" in text(driver, "panel")
    assert driver.get_log("browser") == []


def test_search_finds_regions_too(page: Path, open_page: Callable[..., Any]) -> None:
    """A kabupaten without its first word, a kecamatan by its code; what is called exactly so comes
    first, a village before its kecamatan."""
    driver = open_page(page)
    box = driver.find_element(By.ID, "search")
    box.send_keys("sambas")
    found = driver.find_element(By.ID, "found").text.split("\n")
    assert found == [
        *("Sambas", "Kecamatan · Kabupaten Sambas · 61.01.01"),
        *("Kabupaten Sambas", "61.01"),
    ]
    box.send_keys(Keys.ARROW_DOWN, Keys.ENTER)
    assert "Kabupaten Sambas" in text(driver, "trail")
    box.clear()
    box.send_keys("61.01.02", Keys.ENTER)
    assert text(driver, "trail").endswith("Teluk Keramat")
    assert driver.get_log("browser") == []


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("view", ["area", "dots", "tiles"])
def test_a_touch_opens_the_village_under_it(
    view: str, size: str, page: Path, open_page: Callable[..., Any]
) -> None:
    """In each view the village that the search has moved into the middle of what is free
    is the one that a click there opens: areas, a hollow point among them, dots and tiles."""
    driver = open_page(page, size)
    Select(driver.find_element(By.ID, "view")).select_by_value(view)
    for code, name in ((PASAR, "Pasar"), (KAUM, "Dalam Kaum"), (SEMPARUK, "Semparuk")):
        box = driver.find_element(By.ID, "search")
        box.clear()
        box.send_keys(code, Keys.ENTER)
        x, y = driver.execute_script(
            "const all = document.querySelector('.folium-map').getBoundingClientRect();"
            "const over = document.getElementById('panel').getBoundingClientRect();"
            "const beside = over.width < all.width;"
            "return [(all.left + (beside ? over.left : all.right)) / 2,"
            " (all.top + (beside ? all.bottom : Math.min(over.top, all.bottom))) / 2];"
        )
        driver.find_element(By.TAG_NAME, "body").send_keys(Keys.ESCAPE)
        assert not driver.find_element(By.ID, "panel").is_displayed()
        ActionChains(driver, duration=0).move_by_offset(x, y).click().move_by_offset(
            -x, -y
        ).perform()
        assert driver.find_element(By.CSS_SELECTOR, "#panel h2").text == name
    assert driver.get_log("browser") == []


def test_every_number_equals_the_calculation(
    page: Path, given: MapInput, open_page: Callable[..., Any]
) -> None:
    """Week by week the headline, the target and each state's count are those of coverage."""
    driver = open_page(page)
    words = load("id")
    for index in range(len(given.records) - 1, -1, -1):
        tally = given.coverage.total.weeks[index]
        assert text(driver, "stable") == str(tally.states[S])
        assert text(driver, "meets").split()[0] == str(tally.meets_target)
        expected = {words(f"state.{state}"): str(count) for state, count in tally.states.items()}
        assert entries(driver) == expected
        if index:
            driver.find_element(By.ID, "earlier").click()
    assert not driver.find_element(By.ID, "earlier").is_enabled()


def test_the_slider_and_the_views_draw_something_else(
    page: Path, open_page: Callable[..., Any]
) -> None:
    """Another week, dots, equal tiles and each layer give another picture; so does going back."""
    driver = open_page(page)
    seen = [pixels(driver)]
    driver.find_element(By.ID, "week").send_keys(Keys.ARROW_LEFT)
    assert "2026-W45" in text(driver, "when")
    seen.append(pixels(driver))
    for view in ("dots", "tiles"):
        Select(driver.find_element(By.ID, "view")).select_by_value(view)
        seen.append(pixels(driver))
    assert len(set(seen)) == len(seen)
    Select(driver.find_element(By.ID, "view")).select_by_value("area")
    driver.find_element(By.ID, "week").send_keys(Keys.ARROW_RIGHT)
    assert pixels(driver) == seen[0]


def test_layers_have_their_own_legend(page: Path, open_page: Callable[..., Any]) -> None:
    """Technology, provider, cause and people not served: each counts what it says."""
    driver = open_page(page)
    layer = Select(driver.find_element(By.ID, "layer"))
    layer.select_by_value("access")
    assert entries(driver) == {
        "Serat optik": "2", "Satelit geostasioner": "1", "Belum tersambung": "2",
    }  # fmt: skip
    layer.select_by_value("provider")
    assert entries(driver)["Satu Net"] == "3"
    layer.select_by_value("cause")
    found = entries(driver)
    assert (found["Listrik"], found["Jaringan akses"]) == ("1", "1")
    layer.select_by_value("people")
    # Cut off: 1,000 people; unstable: 250; not connected: 250 and a village of unknown number.
    found = entries(driver)
    assert [found["1–999"], found["1.000–2.499"], found["Terlayani"]] == ["500", "1.000", "500"]
    assert driver.get_log("browser") == []


def test_the_way_leads_down_to_a_village_and_back(
    page: Path, given: MapInput, open_page: Callable[..., Any]
) -> None:
    """Province, kabupaten, kecamatan, village: the counts are those of each region."""
    driver = open_page(page)
    for code in ("61.01", "61.01.01"):
        driver.find_element(By.CSS_SELECTOR, "#regions button").click()
        tally = given.coverage.regions[code].now
        assert text(driver, "stable") == str(tally.states[S])
        assert f"dari {tally.registered} " in text(driver, "of")
    assert text(driver, "trail").split("\n") == ["Kalimantan Barat", "Kabupaten Sambas", "Sambas"]
    driver.find_element(By.CSS_SELECTOR, "#regions button").click()
    assert "Pasar" in text(driver, "panel")
    driver.find_element(By.CSS_SELECTOR, "#trail button").click()
    assert "dari 5 " in text(driver, "of")


def test_it_prints_on_a4(page: Path, open_page: Callable[..., Any], tmp_path: Path) -> None:
    """One or two A4 pages with headline and legend, without controls; then the screen is back."""
    pdftotext = shutil.which("pdftotext")
    if pdftotext is None:
        pytest.skip("no pdftotext here (apt install poppler-utils)")
    driver = open_page(page, "phone")
    made = driver.execute_cdp_cmd(
        "Page.printToPDF", {"preferCSSPageSize": True, "printBackground": True}
    )
    path = tmp_path / "peta.pdf"
    path.write_bytes(base64.b64decode(made["data"]))
    said = subprocess.run(
        [pdftotext, "-layout", path, "-"], capture_output=True, encoding="utf-8", check=True
    ).stdout
    assert 1 <= said.count("\f") <= 2
    for words in ("Internet desa Kalimantan Barat", "Tidak terpantau", "Batas indikatif", "≥ 98"):
        assert words in said
    assert "Kabupaten dan kota" not in said
    assert b"/MediaBox [0 0 594" in path.read_bytes() or b"/MediaBox [0 0 595" in path.read_bytes()
    assert driver.execute_script("return document.documentElement.className") == ""


def test_an_empty_week_is_shown_too(
    given: MapInput, open_page: Callable[..., Any], tmp_path: Path
) -> None:
    """One week only, no borders, no sites: the page still opens and says so."""
    inventory = replace(given.inventory, sites=())
    records = (replace(given.records[-1], site_weeks=()),)
    empty = MapInput(
        given.register, inventory, coverage(given.register, inventory, records), records
    )
    driver = open_page(write_map(empty, tmp_path / "leer.html", load("en")))
    assert text(driver, "stable") == "0"
    assert driver.get_log("browser") == []
