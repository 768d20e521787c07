"""The audit office's case: a contract from the 2nd is judged over 30 days, in every form."""

import csv
import io
import re
from collections.abc import Callable
from datetime import UTC, date, datetime

import openpyxl
import pypdf
import pytest

from collector.accounting import account, window_of
from collector.settings import AccountingSettings
from maps.coverage import coverage
from maps.report import evidence_csv, html, pdf, xlsx
from maps.report.compose import compose
from maps.report.month import Month
from maps.report.seal import seal
from maps.report.weekly import weekly_report
from maps.words import load
from model.definition import Quality
from model.inventory import Inventory
from model.measurement import Outcome
from model.outage import Cause, Outage
from model.region import Register
from model.timeline import Interval, Run
from tests.maps.made import HOUR_MS, make_record, make_site


@pytest.mark.filterwarnings("ignore:.* extension is not supported")
def test_a_contract_from_the_second_in_every_form(
    register: Register, make_inventory: Callable[..., Inventory]
) -> None:
    """In service from 2 October, 36 hours down on the 14th: 684 of 720 hours are 95.0 %, and not
    95.2 % of 744, in HTML, PDF, XLSX and in the evidence, whose rows give it again."""
    site = make_site("a", "61.01.01.1001", in_service_from=date(2026, 10, 2))
    inventory = make_inventory(site)
    month = Month.parse("2026-10")
    begun = round(datetime(2026, 10, 14, tzinfo=UTC).timestamp() * 1000)
    down = Interval(begun, begun + 36 * HOUR_MS)
    outage = Outage("a", *down, open=False, cause=Cause.LINK, confidence=0.9)
    records = []
    for week in month.weeks:
        window = window_of(site, week, 10**15)
        assert window is not None
        runs = [
            Run(window.start_ms, down.start_ms, Outcome.UP),
            Run(*down, Outcome.DOWN),
            Run(down.end_ms, window.end_ms, Outcome.UP),
        ]
        if down.clip(window) is None:
            runs = [Run(*window, Outcome.UP)]
        outages = [outage] if down.clip(window) else []
        item = account(site, week, window, runs, outages, Quality(), inventory,
                       inventory.definition, AccountingSettings())  # fmt: skip
        records.append(make_record(week, [item], inventory.definition))
    known = [one for one in records if one.week <= month.last_whole_week]
    report = weekly_report(
        register, inventory, records, coverage(register, inventory, known), month=month
    )
    [score] = report.providers
    assert score.outages.sla.window_ms == 30 * 24 * HOUR_MS
    assert score.outages.sla.availability == pytest.approx(0.95)

    words, mark = load("id"), seal(report, "id")
    document = compose(report, words, mark)
    page = re.sub(r"<[^>]+>", " ", html.page(document, words, mark))
    read = pypdf.PdfReader(io.BytesIO(pdf.pages(document, words, mark)))
    paper = " ".join(each.extract_text() for each in read.pages)
    # Provider, lines, contract, reached, observed, verdict, lines below, hours down, excluded.
    row = re.sub(r"\s", "", "Satu Net 1 99,0 % 95,0 % 100,0 % tidak tercapai 1 36,0 0,0")
    for text in (page, paper):
        assert row in re.sub(r"\s", "", text)
        assert "Oktober2026" in re.sub(r"\s", "", text)
    book = openpyxl.load_workbook(io.BytesIO(xlsx.workbook(report, document, words, mark)))
    sheet = book[words("sheet.providers")]
    assert [cell.value for cell in sheet[4]] == [
        "Satu Net", 1, 0.99, 0.95, 1, words("report.sla_missed"), 1, 36, 0
    ]  # fmt: skip
    rows = list(csv.DictReader(io.StringIO(evidence_csv.text(report).removeprefix("\ufeff"))))
    assert [(one["counts"], float(one["seconds"])) for one in rows] == [
        ("period", 30 * 86_400),
        ("down", 36 * 3600),
    ]
    assert rows[0]["start"] == "2026-10-02T00:00:00.000+07:00"
    assert rows[0]["end"] == "2026-11-01T00:00:00.000+07:00"
    assert rows[1]["cause"] == "link"
