"""A real browser for the tests of pages: fixtures that open a page from a file in a Chromium where
no name resolves, a small province to show, and what is to be read off a page."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from maps.boundaries import Boundaries
from maps.coverage import coverage
from maps.fit import Fit
from maps.folium_map import write_map
from maps.map_data import MapInput
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
