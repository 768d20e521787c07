"""S-01: two hundred hostile texts in every field that comes from outside, on every page, with the
page's policy taken away: none runs, none breaks the page, none asks for anything."""

import itertools
import os
import random
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cli.map_page import region_code
from maps.coverage import coverage
from maps.folium_map import render, write_map
from maps.map_data import MapInput
from maps.words import load
from maps.worklist import work_list
from maps.worklist_page import render as render_worklist
from model.definition import State
from model.errors import InputError
from model.inventory import Inventory, Provider
from model.outage import Cause, Evidence
from model.region import Register
from model.site import SiteKind
from tests.maps.made import LAST_WEEK, OFFICE_HOURS, ZONE, make_record, make_site, make_site_week
from tests.maps.test_browsing import driver, open_page  # noqa: F401 - fixtures

RUN = "document.documentElement.dataset.ran=1"
CARRIERS = (
    "<script>{run}</script>",
    "</script><script>{run}</script>",
    "<img src=x onerror={run}>",
    '"><svg onload="{run}">',
    "'><body onpageshow='{run}'>",
    "<iframe srcdoc='<script>parent.{run}</script>'>",
    "<style>@import 'https://example.invalid/x'</style>",
    "<a href=javascript:{run}>x",
    "javascript:{run}",
    "${{{run}}}",
    "`+({run})+`",
    "\\\\`;{run};//",
    "'-({run})-'",
    '"-({run})-"',
    "\\u003cscript>{run}</script>",
    "&lt;script&gt;{run}&lt;/script&gt;",
    "&#60;script&#62;{run}&#60;/script&#62;",
    "<!--<script>{run}",
    "]]><script>{run}</script>",
    "{{{{ ''.__class__ }}}}{{% raw %}}<script>{run}</script>",
    "<math><mi//xlink:href='data:x,<script>{run}</script>'>",
    "<details open ontoggle={run}>",
    "<meta http-equiv=refresh content='0;url=https://example.invalid/'>",
    "<base href='https://example.invalid/'>",
    "url(https://example.invalid/x)",
)
AROUND = ("", "\u2028", "\u202e", "\x00", "\r\n", "\ufeff", "\\", "%3C", "😀")
PAYLOADS = tuple(
    before + carrier.format(run=RUN)
    for carrier, before in itertools.product(CARRIERS, AROUND)
)  # fmt: skip
ROUNDS = int(os.environ.get("JANGKAU_FAULTS", "0"))


def made(
    register: Register, make_inventory: Callable[..., Inventory], text: Callable[[], str]
) -> MapInput:
    """A province in which every field of text that a page could show comes from ``text``."""
    villages = tuple(replace(village, name=text()) for village in register.villages)
    names = {code: text() for code in register.region_names}
    named = Register(text(), villages, names)
    sites = [
        make_site(
            f"s{at}", village.code, name=text(), contact_name=text(), contact_phone=text(),
            kind=text(), provider="satu" if at % 2 else text(),
        )
        for at, village in enumerate(villages)
    ]  # fmt: skip
    inventory = make_inventory(*sites)
    inventory = replace(
        inventory,
        providers={"satu": Provider("satu", text())},
        province=replace(inventory.province, name=text()),
        kinds={sites[0].kind: SiteKind(sites[0].kind, text(), text(), OFFICE_HOURS, True, 300)},
    )
    weeks = []
    for site in inventory.sites:
        week = make_site_week(site.id, LAST_WEEK, State.CUT_OFF, [(1, 2, Cause.POWER)])
        signs = (Evidence(text(), Cause.POWER, 0.9, text()),)
        weeks.append(replace(week, outages=tuple(replace(o, evidence=signs) for o in week.outages)))
    records = (make_record(LAST_WEEK, weeks, inventory.definition),)
    return MapInput(named, inventory, coverage(named, inventory, records), records, credit=text())


def bare(page: str) -> str:
    """The page without its policy, so that nothing but our own care is left."""
    without = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page)
    assert without != page
    return without


def assert_harmless(browser: Any, name: str) -> None:
    assert browser.execute_script("return document.documentElement.dataset.ran") is None, name
    log = [line for line in browser.get_log("browser") if "favicon" not in line["message"]]
    assert log == [], name
    assert "example.invalid" not in str(browser.current_url)


def test_there_are_two_hundred() -> None:
    """The payloads are many and differ."""
    assert len(set(PAYLOADS)) == len(PAYLOADS) >= 200


@pytest.mark.parametrize("page", ["map", "packed", "worklist"])
def test_no_payload_runs_in_any_field(
    page: str, register: Register, make_inventory: Callable[..., Inventory],
    open_page: Callable[..., Any],  # noqa: F811 - the fixture
) -> None:  # fmt: skip
    """Each round deals the payloads out over all fields until every one was used; the panel of each
    village is opened; with JANGKAU_FAULTS every payload reaches many more places."""
    seed = int(os.environ.get("JANGKAU_SEED", "61"))
    rng = random.Random(seed)  # noqa: S311 - the same deal on every run
    left: list[str] = []

    def deal() -> str:
        if not left:
            left.extend(rng.sample(PAYLOADS, len(PAYLOADS)))
        return left.pop()

    for number in range(5 + ROUNDS):
        given = made(register, make_inventory, deal)
        if page == "worklist":
            listed = work_list(given.register, given.inventory, given.records, "61")
            text = render_worklist(listed, load("id"), ZONE)
        else:
            text = render(given, load("id"), packed=page == "packed")
        browser = open_page(bare(text))
        name = f"seed {seed}, round {number}"
        assert_harmless(browser, name)
        if page == "worklist":
            assert len(browser.find_elements("css selector", "main li")) == 5, name
            continue
        for village in given.register.villages:
            search = browser.find_element("id", "search")
            browser.execute_script(
                "const box = arguments[0]; box.value = arguments[1];"
                "box.dispatchEvent(new Event('input'));"
                "box.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter'}));",
                search,
                village.code,
            )
            shown = browser.find_element("css selector", "#panel h2")
            assert shown.get_property("textContent") == village.name
        assert_harmless(browser, name)


def test_a_careless_page_would_run_them(open_page: Callable[..., Any]) -> None:  # noqa: F811 - the fixture
    """The control: the same payloads parsed as HTML leave their mark."""
    browser = open_page(f"<!DOCTYPE html><html><body>{CARRIERS[0].format(run=RUN)}</body></html>")
    assert browser.execute_script("return document.documentElement.dataset.ran") == "1"


@pytest.mark.parametrize("code", ["../61", "61.01/..", "61.01\x00", "CON", "61.06/../../x", ""])
def test_no_code_leads_out_of_the_folder(code: str) -> None:
    """S-07: file names are made of checked codes; what is none is an input mistake."""
    with pytest.raises(InputError, match="--kabupaten"):
        region_code(code, "--kabupaten")


def test_a_link_in_the_way_is_replaced_not_followed(
    register: Register, make_inventory: Callable[..., Inventory], tmp_path: Path
) -> None:
    """S-07: a symbolic link under the name of an export does not lead the writing elsewhere."""
    outside = tmp_path / "outside.txt"
    outside.write_text("untouched")
    link = tmp_path / "out" / "peta.html"
    link.parent.mkdir()
    link.symlink_to(outside)
    write_map(made(register, make_inventory, lambda: "x"), link, load("id"))
    assert outside.read_text() == "untouched"
    assert not link.is_symlink()
