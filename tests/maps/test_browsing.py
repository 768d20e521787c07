"""The map used as a person uses it, in a real browser from a file: nothing is asked for, nothing is
complained of, and what is shown equals what was calculated. Screenshots stay with the test run."""

import base64
import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

from maps.base_map import base_map
from maps.boundaries import Boundaries
from maps.coverage import coverage
from maps.fit import Fit
from maps.folium_map import write_map
from maps.map_data import MapInput, within
from maps.words import load
from model.definition import State
from model.inventory import Inventory
from model.outage import Cause
from model.region import Register
from model.site import Access
from model.summary import WeekRecord
from tests.maps.made import LAST_WEEK, make_record, make_site, make_site_week

PASAR, KAUM, SEMPARUK = "61.01.01.1001", "61.01.01.2002", "61.01.02.2002"
SIZES = {"phone": (360, 740), "desk": (1440, 900)}
S, T, X = State.STABLE, State.UNSTABLE, State.CUT_OFF


@pytest.fixture(scope="module")
def driver() -> Iterator[webdriver.Chrome]:
    """One headless Chromium in which no name resolves and the network is off."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    chromedriver = shutil.which("chromedriver")
    if chromium is None or chromedriver is None:
        pytest.skip("no chromium or chromedriver here (apt install chromium chromium-driver)")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--hide-scrollbars",
        "--host-resolver-rules=MAP * ~NOTFOUND",
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    browser = webdriver.Chrome(options, webdriver.ChromeService(chromedriver))
    yield browser
    browser.quit()


@pytest.fixture
def given(register: Register, make_inventory: Callable[..., Inventory]) -> MapInput:
    """Two villages with borders, two dots, one that is nowhere; twelve weeks; causes; contacts."""
    inventory = make_inventory(
        make_site("a", PASAR, contact_name="Bu Ani", contact_phone="+62 812-3456-789"),
        make_site("b", KAUM, access=Access.GEO),
        make_site("c", SEMPARUK),
    )
    records: list[WeekRecord] = []
    for back in range(11, -1, -1):
        week = LAST_WEEK.plus(-back)
        sites = [
            make_site_week("a", week, X if back == 0 else S, [(3, 50, Cause.POWER)]),
            make_site_week("b", week, S, [(3, 1, Cause.LINK)]),
            make_site_week("c", week, T),
        ]
        records.append(make_record(week, sites, inventory.definition))
    borders = Boundaries(
        {PASAR: (_square(109.2),), KAUM: (_square(109.3),)},
        {},
        {"61.01": (109.3, 1.3)},
        Fit(2),
    )
    result = coverage(register, inventory, records)
    return MapInput(register, inventory, result, tuple(records), borders)


def _square(lon: float) -> tuple[tuple[tuple[float, float], ...], ...]:
    return (((lon, 1.3), (lon + 0.1, 1.3), (lon + 0.1, 1.4), (lon, 1.4), (lon, 1.3)),)


@pytest.fixture
def open_page(driver: webdriver.Chrome, tmp_path: Path) -> Callable[..., webdriver.Chrome]:
    """Opens a page from a file at a size, after forgetting what was logged before."""

    def open_(page: Path | str, size: str = "desk") -> webdriver.Chrome:
        wide, high = SIZES[size]
        driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": wide, "height": high, "deviceScaleFactor": 1, "mobile": False},
        )
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
        if isinstance(page, str):
            (tmp_path / "page.html").write_text(page, encoding="utf-8")
            page = tmp_path / "page.html"
        driver.get("about:blank")
        driver.get_log("browser")
        driver.get_log("performance")
        driver.get(page.as_uri())
        if "whenReady" in driver.page_source:
            WebDriverWait(driver, 10).until(lambda d: d.find_element(By.ID, "stable").text)
        return driver

    return open_


@pytest.fixture
def page(given: MapInput, tmp_path: Path) -> Path:
    return write_map(given, tmp_path / "peta.html", load("id"))


def requests(driver: webdriver.Chrome) -> list[str]:
    """What the page asked for since it was opened, besides itself and what it holds inline."""
    events = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    urls = [
        event["params"]["request"]["url"]
        for event in events
        if event["method"] == "Network.requestWillBeSent"
    ]
    own = driver.current_url
    return [url for url in urls if url not in {own, "about:blank"} and url[:5] != "data:"]


def text(driver: webdriver.Chrome, id_: str) -> str:
    return str(driver.find_element(By.ID, id_).text)


def entries(driver: webdriver.Chrome) -> dict[str, str]:
    """The legend: word and number of each entry."""
    rows = driver.find_elements(By.CSS_SELECTOR, "#entries li")
    return {
        row.find_element(By.CSS_SELECTOR, "span:nth-child(2)").text.split("\n")[
            0
        ]: row.find_element(By.CSS_SELECTOR, ".number").text
        for row in rows
    }


def pixels(driver: webdriver.Chrome) -> str:
    """What the canvas shows, as one comparable text."""
    script = "return document.querySelector('.folium-map > canvas').toDataURL()"
    drawn = "return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
    driver.execute_script(drawn)
    return str(driver.execute_script(script))


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
