# ruff: noqa: F811 - fixtures of the browser are taken from tests.maps.browser by their names
"""Pictures of the pages, to be looked at: every view on a phone and a desk, light and dark.

They lie in the folder that JANGKAU_SCREENSHOTS names, else in pytest's cache (``.pytest_cache/d``).
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

from maps.map_data import MapInput
from maps.words import load
from maps.worklist import work_list
from maps.worklist_page import render as render_worklist
from tests.maps.browser import (  # noqa: F401 - fixtures
    SIZES,
    driver,
    given,
    open_page,
    page,
    pixels,
    requests,
)
from tests.maps.made import ZONE


@pytest.fixture
def folder(request: pytest.FixtureRequest) -> Path:
    """Where the pictures stay after the run."""
    named = os.environ.get("JANGKAU_SCREENSHOTS")
    if named:
        Path(named).mkdir(parents=True, exist_ok=True)
        return Path(named)
    return Path(request.config.cache.mkdir("screenshots"))  # type: ignore[union-attr] # the cache is never switched off here


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_every_view_has_its_picture(
    size: str, scheme: str, page: Path, given: MapInput, open_page: Callable[..., Any], folder: Path
) -> None:
    """Views, layers, search, panel, legend and the work list are drawn, differ, fit the width, ask
    nobody and complain of nothing."""
    browser = open_page(page, size)
    dark = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": dark})
    seen: dict[str, bytes] = {}

    def keep(name: str) -> None:
        pixels(browser)  # the canvas has drawn
        seen[name] = browser.get_screenshot_as_png()
        (folder / f"{size}-{scheme}-{name}.png").write_bytes(seen[name])
        assert (
            browser.execute_script("return document.documentElement.scrollWidth")
            <= (SIZES[size][0])
        )

    keep("areas")
    for view in ("dots", "tiles"):
        Select(browser.find_element(By.ID, "view")).select_by_value(view)
        keep(view)
    for layer in ("access", "provider", "cause", "people"):
        Select(browser.find_element(By.ID, "layer")).select_by_value(layer)
        keep(f"layer-{layer}")
    search = browser.find_element(By.ID, "search")
    search.send_keys("pa")
    keep("search")
    search.send_keys("sar", Keys.ENTER)
    keep("panel")
    browser.execute_script("document.getElementById('legend').open = true")
    search.send_keys(Keys.ESCAPE)
    browser.execute_script("document.getElementById('legend').scrollIntoView()")
    keep("legend")
    assert browser.get_log("browser") == []
    assert requests(browser) == []
    listed = work_list(given.register, given.inventory, given.records, "61")
    browser = open_page(render_worklist(listed, load("id"), ZONE), size)
    (folder / f"{size}-{scheme}-worklist.png").write_bytes(browser.get_screenshot_as_png())
    assert browser.get_log("browser") == []
    assert len(set(seen.values())) == len(seen)
