"""A week small enough for paper and pencil, and every figure of it in every form."""

import io
import re
from collections.abc import Callable

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
from tests.maps.made import LAST_WEEK, make_record, make_site, make_site_week

S, U, X = State.STABLE, State.UNSTABLE, State.CUT_OFF

# Five villages. a is stable four weeks long and meets the target: 1 / 5 = 20 %. b was stable three
# weeks and is unstable now, which meets it too: 2 / 5 = 40 %. c is cut off. Two have no site.
# Down this week: b 3 h power and 1 h link, c 6 h power: 3 outages, 10 h; power 9 h = 90 %.
# Repairs 1, 3 and 6 h: median 3 h, nine in ten within 6 h, mean 3 h 20 min.
# Up: 40 + 30 + 10 h of 120 h of service: 66.7 %; three outages began: MTBF 80 h / 3 = 26 h 40 min.
GOLDEN = {
    "id": [
        "40,0 %", "2 / 5",
        "2 dari 5 desa dan kelurahan sudah mencapai target; 3 lagi menuju 100 %.",
        "1 / 5 (20,0 %)", "3 / 3 (100,0 %)", "3 jam", "6 jam", "3 jam 20 menit", "1 hari 3 jam",
        "90,0 %", "66,7 %", "100,0 %",
        "9–15 November 2026 (WIB)", "Definisi " + Definition().hash,
    ],
    "en": [
        "40.0 %", "2 / 5", "2 of 5 villages meet the target; 3 villages to go to 100 %.",
        "1 / 5 (20.0 %)", "3 / 3 (100.0 %)", "3 h", "6 h", "3 h 20 min", "1 d 3 h",
        "90.0 %", "66.7 %", "100.0 %",
        "9–15 November 2026 (WIB)", "Definition " + Definition().hash,
    ],
}  # fmt: skip


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
    report = weekly_report(register, inventory, records, coverage(register, inventory, records))
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
    first = {row[0].value: row for row in book[words("report.sheet_summary")].iter_rows(min_row=8)}
    target = [cell.value for cell in first[words("report.target")]][1:4]
    assert target == [2, 5, 0.4]
    stable = [cell.value for cell in first[words("report.stable_now")]][1:4]
    assert stable == [1, 5, 0.2]
    causes = [
        [cell.value for cell in row] for row in book[words("sheet.causes")].iter_rows(min_row=4)
    ]
    assert causes == [
        [words("cause.power"), 2, 2, 9, 0.9],
        [words("cause.link"), 1, 1, 1, 0.1],
    ]
    [provider] = book[words("sheet.outages")].iter_rows(min_row=4, values_only=True)
    assert provider[:5] == ("Satu Net", 3, 3, 0, 10)
