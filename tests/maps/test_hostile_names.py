"""S-01: two hundred hostile texts in every field that comes from outside, on every page, with the
page's policy taken away: none runs, none breaks the page, none asks for anything."""

import itertools
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cli.map_page import region_code
from maps.base_map import base_map
from maps.coverage import coverage
from maps.folium_map import render, write_map
from maps.map_data import MapInput
from maps.report.html import render as render_report
from maps.report.weekly import weekly_report
from maps.words import load
from maps.worklist import work_list
from maps.worklist_page import render as render_worklist
from model.definition import State
from model.errors import InputError
from model.inventory import Inventory, Provider
from model.outage import Cause, Evidence
from model.region import Register, Village
from model.site import SiteKind
from tests.maps.browser import driver, open_page, requests  # noqa: F401 - fixtures
from tests.maps.made import LAST_WEEK, OFFICE_HOURS, ZONE, make_record, make_site, make_site_week

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


def made(make_inventory: Callable[..., Inventory], payloads: Sequence[str] = PAYLOADS) -> MapInput:
    """A province with a village for each payload, which has it in every field of text that a page
    could show; what there is only one of (province, version, credit, kinds) has all of them."""
    everything = "".join(payloads)
    villages = []
    names = {"61": everything}
    for at, text in enumerate(payloads):
        kabupaten, kecamatan = f"61.{1 + at // 90:02d}", f"61.{1 + at // 90:02d}.{1 + at % 90:02d}"
        names[kabupaten] = names.get(kabupaten, "") + text
        names[kecamatan] = text
        villages.append(Village(f"{kecamatan}.2001", text, 1 + at / 100, 109 + at % 15 / 100, 100))
    register = Register(everything, tuple(villages), names)
    sites = [
        make_site(
            f"s{at}", villages[at].code, name=text, contact_name=text, contact_phone=text,
            kind=f"k{at}", provider=f"p{at}", lat=villages[at].lat, lon=villages[at].lon,
        )
        for at, text in enumerate(payloads)
    ]  # fmt: skip
    inventory = make_inventory(*sites)
    inventory = replace(
        inventory,
        providers={f"p{at}": Provider(f"p{at}", text, 0.99) for at, text in enumerate(payloads)},
        province=replace(inventory.province, name=everything),
        kinds={
            f"k{at}": SiteKind(f"k{at}", text, text, OFFICE_HOURS, True, 300)
            for at, text in enumerate(payloads)
        },
    )
    weeks = []
    for at, text in enumerate(payloads):
        week = make_site_week(f"s{at}", LAST_WEEK, State.CUT_OFF, [(1, 2, Cause.POWER)])
        signs = (Evidence(text, Cause.POWER, 0.9, text),)
        weeks.append(replace(week, outages=tuple(replace(o, evidence=signs) for o in week.outages)))
    records = (make_record(LAST_WEEK, weeks, inventory.definition),)
    return MapInput(
        register, inventory, coverage(register, inventory, records), records, credit=everything,
        base_map=replace(base_map("https://a.invalid/{z}/{x}/{y}"), credit=everything),
    )  # fmt: skip


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


def written(page: str, given: MapInput) -> str:
    """One of the pages as text."""
    words = load("id")
    if page == "worklist":
        listed = work_list(given.register, given.inventory, given.records, "61")
        return render_worklist(listed, words, ZONE)
    if page == "report":
        model = weekly_report(given.register, given.inventory, given.records, given.coverage)
        return render_report(model, words)
    return render(given, words, packed=page == "packed")


@pytest.mark.parametrize("policy", ["with", "without"])
@pytest.mark.parametrize("page", ["map", "packed", "worklist", "report"])
def test_no_payload_runs_in_any_field(
    page: str, policy: str, make_inventory: Callable[..., Inventory],
    open_page: Callable[..., Any],  # noqa: F811 - the fixture
) -> None:  # fmt: skip
    """Every payload in every field of every page: none runs, with the page's policy and without it;
    nothing is asked for, and every village's panel, every layer and every region still opens."""
    given = replace(made(make_inventory), base_map=None)
    text = written(page, given)
    browser = open_page(text if policy == "with" else bare(text))
    assert_harmless(browser, page)
    if page in {"worklist", "report"}:
        shown = browser.find_element("tag name", "body").get_property("textContent")
        assert "<script>document" in shown
    else:
        assert browser.execute_async_script(OPEN_ALL) == [
            len(given.register.villages),
            len(given.register.kabupaten),
            5,
        ]
    assert_harmless(browser, page)
    assert requests(browser) == []


OPEN_ALL = """
const done = arguments[0], data = JSON.parse(document.getElementById('data').textContent);
const search = document.getElementById('search'), panel = document.getElementById('panel');
const codes = [...document.querySelectorAll('#regions button')], counts = [0, 0, 0];
const seek = (text) => {
  search.value = text; search.dispatchEvent(new Event('input'));
  search.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter' }));
};
const names = data.villages.names;
data.kecamatan.forEach(([, code], at) => {
  seek(code + '.2001');
  counts[0] += panel.querySelector('h2').textContent === names[at] && panel.textContent.split(names[at]).length > 5;
});
data.kabupaten.forEach(([code, name]) => { seek(code); counts[1] += document.getElementById('trail').textContent.includes(name); });
const layer = document.getElementById('layer');
for (const option of layer.options) { layer.value = option.value; layer.dispatchEvent(new Event('change')); counts[2]++; }
requestAnimationFrame(() => requestAnimationFrame(() => done(counts)));
"""  # noqa: E501 - a script's lines


def test_the_credit_of_a_base_map_is_text(
    make_inventory: Callable[..., Inventory],
    open_page: Callable[..., Any],  # noqa: F811 - the fixture
) -> None:
    """What stands on the map as the credit of its tiles is set as text, without the policy too."""
    given = made(make_inventory)
    browser = open_page(bare(written("map", given)))
    shown = browser.find_element("id", "base").get_property("textContent")
    assert shown == "".join(PAYLOADS)
    assert browser.execute_script("return document.documentElement.dataset.ran") is None


def test_a_careless_page_would_run_them(open_page: Callable[..., Any]) -> None:  # noqa: F811 - the fixture
    """The control: the same payloads parsed as HTML leave their mark."""
    browser = open_page(f"<!DOCTYPE html><html><body>{CARRIERS[0].format(run=RUN)}</body></html>")
    assert browser.execute_script("return document.documentElement.dataset.ran") == "1"


@pytest.mark.parametrize(
    "code",
    [
        "../61",
        "....//61",
        "/etc/61",
        "61.01/..",
        "61.01\x00",
        "CON",
        "61.06/../../x",
        "é" * 150,
        "",
    ],
)
def test_no_code_leads_out_of_the_folder(code: str) -> None:
    """S-07: file names are made of checked codes; what is none is an input mistake."""
    with pytest.raises(InputError, match="--kabupaten"):
        region_code(code, "--kabupaten")


def test_a_link_in_the_way_is_replaced_not_followed(
    make_inventory: Callable[..., Inventory], tmp_path: Path
) -> None:
    """S-07: a symbolic link under the name of an export does not lead the writing elsewhere."""
    outside = tmp_path / "outside.txt"
    outside.write_text("untouched")
    link = tmp_path / "out" / "peta.html"
    link.parent.mkdir()
    link.symlink_to(outside)
    write_map(made(make_inventory, ["x"]), link, load("id"))
    assert outside.read_text() == "untouched"
    assert not link.is_symlink()
