# ruff: noqa: F811 - fixtures of the browser are taken from tests.maps.browser by their names
"""Accessibility: axe-core, in a real browser, finds no serious fault on the pages for the field."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from maps.map_data import MapInput
from maps.words import load
from maps.worklist import work_list
from maps.worklist_page import render as render_worklist
from tests.maps.browser import SIZES, driver, given, open_page, page  # noqa: F401 - fixtures
from tests.maps.made import ZONE


@pytest.fixture(scope="session")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The script of axe-core, fetched by npm into a folder of the test run."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("no npm here: accessibility is not judged (apt install npm)")
    folder = tmp_path_factory.mktemp("axe")
    run = subprocess.run(
        [npm, "install", "--prefix", folder, "--no-audit", "--no-fund", "axe-core@4"],
        capture_output=True,
        check=False,
        timeout=120,
    )
    script = folder / "node_modules" / "axe-core" / "axe.min.js"
    if run.returncode != 0 or not script.is_file():
        pytest.skip("npm could not fetch axe-core: accessibility is not judged")
    return script.read_text("utf-8")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", ["map", "dark", "panel", "worklist"])
def test_axe_finds_no_serious_fault(
    kind: str, size: str, page: Path, given: MapInput, axe: str, open_page: Callable[..., Any]
) -> None:
    """No violation of weight "serious" or "critical" on the map, in the dark theme, with
    a panel open, on the list."""
    listed = work_list(given.register, given.inventory, given.records, "61")
    driver = open_page(
        render_worklist(listed, load("id"), ZONE) if kind == "worklist" else page, size
    )
    if kind == "dark":
        scheme = [{"name": "prefers-color-scheme", "value": "dark"}]
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": scheme})
        driver.find_element(By.CSS_SELECTOR, "#legend summary").click()
    if kind == "panel":
        driver.find_element(By.ID, "search").send_keys("pasar", Keys.ENTER)
    # Through the debugger: the page's own policy lets no script in.
    driver.execute_cdp_cmd("Runtime.evaluate", {"expression": axe})
    found = driver.execute_async_script(
        "const say = arguments[0];"
        "axe.run().then((it) => say(it.violations), (why) => say([{id: '' + why, nodes: [{}]}]))"
    )
    grave = [
        (one["id"], one["nodes"][0].get("html"))
        for one in found
        if one.get("impact", "critical") in {"serious", "critical"}
    ]
    assert grave == []


def test_axe_would_find_one(axe: str, open_page: Callable[..., Any]) -> None:
    """The control: a picture without words is a critical fault."""
    driver = open_page('<!DOCTYPE html><html lang="id"><img src="data:,"></html>')
    driver.execute_cdp_cmd("Runtime.evaluate", {"expression": axe})
    found = driver.execute_async_script("axe.run().then((it) => arguments[0](it.violations))")
    assert "image-alt" in {one["id"] for one in found}
