"""A week small enough for paper and pencil, and every figure of it in every form."""

import io
import re
from collections.abc import Callable
from typing import Any

import openpyxl
import pypdf
import pytest

from maps.coverage import coverage
from maps.report import html, pdf, xlsx
from maps.report.compose import compose
from maps.report.seal import seal
from maps.report.weekly import weekly_report
from maps.words import load
from model.definition import Definition, State
from model.inventory import Inventory
from model.outage import Cause
from model.region import Register
from model.service import ServiceWeek
from model.timeline import Interval
from tests.maps.made import (
    HOUR_MS,
    LAST_WEEK,
    ZONE,
    make_record,
    make_site,
    make_site_week,
)

S, U, X = State.STABLE, State.UNSTABLE, State.CUT_OFF

# Five villages. a is stable four weeks long and meets the target: 1 / 5 = 20 %. b was stable three
# weeks and is unstable now, which meets it too: 2 / 5 = 40 %. c is cut off. Two have no site.
# Down this week: b 3 h power and 1 h link, c 6 h power: 3 outages, 10 h; power 9 h = 90 %.
# Repairs 1, 3 and 6 h: median 3 h, nine in ten within 6 h, mean 3 h 20 min.
# Up: 40 + 30 + 10 h of 120 h of service: 66.7 %; three outages began: MTBF 80 h / 3 = 26 h 40 min.
# Three to go: two have no site, c lost most time to power. Stable since last week: 1 - 2 = -1.
# Services: a usable 40 h of 40, b 36 (power 3, link 1), c 10 (power 30): one of three reaches 98 %,
# 86 h / 120 h = 71.7 %; power stopped 33 h (a day and 9 h), the link 1 h.
GOLDEN = {
    "id": [
        "40,0 %", "2 / 5",
        "2 dari 5 desa dan kelurahan sudah mencapai target; 3 lagi menuju 100 %.",
        "Stabil minggu ini 1 5 20,0 % −1 –", "Belum mencapai target 3", "Belum tersambung 2",
        "Listrik padam 1", "Kantor desa 1 3 3 33,3 % 71,7 % 100,0 % Listrik 1 hari 9 jam, "
        "Jaringan akses 1 jam", "3 / 3 (100,0 %)", "3 jam", "6 jam", "3 jam 20 menit",
        "1 hari 3 jam", "90,0 %", "66,7 %", "100,0 %",
        "9–15 November 2026 (WIB)", "Definisi " + Definition().hash,
    ],
    "en": [
        "40.0 %", "2 / 5", "2 of 5 villages meet the target; 3 villages to go to 100 %.",
        "Stable this week 1 5 20.0 % −1 –", "Short of the target 3", "Not connected 2",
        "Electricity fails 1", "Village office 1 3 3 33.3 % 71.7 % 100.0 % Power 1 d 9 h, "
        "Link 1 h", "3 / 3 (100.0 %)", "3 h", "6 h", "3 h 20 min", "1 d 3 h",
        "90.0 %", "66.7 %", "100.0 %",
        "9–15 November 2026 (WIB)", "Definition " + Definition().hash,
    ],
}  # fmt: skip


def service_week(site: str, stopped: list[tuple[str, int]]) -> ServiceWeek:
    """40 service hours, usable but for what stopped it: (what, hours), one after the other."""
    start = LAST_WEEK.interval(ZONE).start_ms
    end, at, by_what = start + 40 * HOUR_MS, start, {}
    for what, hours in stopped:
        by_what[what] = (Interval(at, at + hours * HOUR_MS),)
        at += hours * HOUR_MS
    return ServiceWeek(site, LAST_WEEK, (Interval(start, end),), (Interval(at, end),), by_what)


@pytest.mark.filterwarnings("ignore:.* extension is not supported")
@pytest.mark.parametrize("lang", sorted(GOLDEN))
def test_the_golden_week(
    lang: str, register: Register, make_inventory: Callable[..., Inventory]
) -> None:
    """The figures worked out by hand above stand in HTML, PDF and XLSX, in both languages."""
    inventory = make_inventory(
        make_site("a", "61.01.01.1001"),
        make_site("b", "61.01.01.2002"),
        make_site("c", "61.01.02.2001"),
    )
    weeks = [LAST_WEEK.plus(back) for back in (-3, -2, -1)]
    records = [
        make_record(
            week, [make_site_week(site, week, X if site == "c" else S) for site in "abc"],
            Definition(),
        )
        for week in weeks
    ]  # fmt: skip
    down_b = [(10, 3, Cause.POWER), (20, 1, Cause.LINK)]
    now = [
        make_site_week("a", LAST_WEEK, S),
        make_site_week("b", LAST_WEEK, U, down_b),
        make_site_week("c", LAST_WEEK, X, [(30, 6, Cause.POWER)]),
    ]
    records.append(make_record(LAST_WEEK, now, Definition()))
    report = weekly_report(
        register,
        inventory,
        records,
        coverage(register, inventory, records),
        service_weeks=[
            service_week("a", []),
            service_week("b", [("power", 3), ("link", 1)]),
            service_week("c", [("power", 30)]),
        ],
    )
    words, mark = load(lang), seal(report, lang)
    document = compose(report, words, mark)
    page = re.sub(r"<[^>]+>", " ", html.page(document, words, mark))
    paper = " ".join(
        each.extract_text()
        for each in pypdf.PdfReader(io.BytesIO(pdf.pages(document, words, mark))).pages
    )
    for text in GOLDEN[lang]:
        wanted = re.sub(r"\s", "", text)
        assert wanted in re.sub(r"\s", "", page), text
        assert wanted in re.sub(r"\s", "", paper), text
    book = openpyxl.load_workbook(io.BytesIO(xlsx.workbook(report, document, words, mark)))

    def rows_of(sheet: str) -> list[tuple[Any, ...]]:
        return list(book[words(f"sheet.{sheet}")].iter_rows(min_row=4, values_only=True))

    first = {row[0].value: row for row in book[words("report.sheet_summary")].iter_rows(min_row=8)}
    target = [cell.value for cell in first[words("report.target")]][1:4]
    assert target == [2, 5, 0.4]
    figures = {row[0]: row[1:] for row in rows_of("target")}
    assert figures[words("report.on_target")] == (2, 5, 0.4, None, None)
    assert figures[words("report.stable_now")] == (1, 5, 0.2, -1, None)
    assert [row[:2] for row in rows_of("obstacles")] == [
        (words("obstacle.not_connected"), 2),
        (words("obstacle.power"), 1),
        (words("report.to_go"), 3),
    ]
    [service] = rows_of("services")
    assert service[1:7] == pytest.approx((1, 3, 3, 1 / 3, 86 / 120, 1))
    assert rows_of("causes") == [
        (words("cause.power"), 2, 2, 9, 0.9),
        (words("cause.link"), 1, 1, 1, 0.1),
    ]
    [provider] = rows_of("outages")
    assert provider[:5] == ("Satu Net", 3, 3, 0, 10)
