"""One report in every form: HTML, PDF and XLSX show the same numbers, and text stays text."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import openpyxl
import pypdf
import pytest

from maps.coverage import coverage
from maps.look import STATES
from maps.report import evidence_csv, html, pdf, xlsx
from maps.report.document import (
    Cell,
    Chart,
    Document,
    Facts,
    Form,
    Hero,
    Paragraph,
    Table,
    stable_share,
)
from maps.report.seal import seal
from maps.report.weekly import weekly_report
from maps.words import LANGUAGES, Words
from model.definition import State
from model.inventory import Provider
from tests.maps.report.province import random_province, random_records, random_report
from tests.maps.report.reading import DATA_BARS, Reader, made, squeezed


def said(document: Document, words: Words) -> list[str]:
    """Every number and name that a reader must find, as the forms write it."""
    found = [document.title, document.subtitle, *document.head]
    for section in document.sections:
        found.append(section.heading)
        for block in section.blocks:
            if isinstance(block, Hero):
                found += [words.number(block.part), words.number(block.whole), block.sentence]
            elif isinstance(block, Paragraph):
                found.append(block.text)
            elif isinstance(block, Facts):
                found += [fact.text(words) for fact in block.rows]
            elif isinstance(block, Chart):
                found.append(block.says)
            elif isinstance(block, Table):
                rows = [*block.rows, *([block.foot] if block.foot else [])]
                found += [row_text(row, words) for row in rows]
    return found


def row_text(row: Sequence[Cell], words: Words) -> str:
    """A table's row from left to right: a figure in another row or column is another text."""
    return "".join(
        (STATES[cell.value].letter if cell.form is Form.STATE else "") + cell.text(words) + cell.tag
        for cell in row
        if cell.form is not Form.STRIP
    )


@pytest.mark.parametrize(("lang", "seed"), [("id", 1), ("en", 1), ("id", 21), ("id", 31)])
def test_html_and_pdf_say_the_same(lang: str, seed: int) -> None:
    """Every sentence of the document and every row of its tables, figure by figure, stand in the
    page and in the PDF's own text; the PDF has its pages numbered, its sections as bookmarks, its
    structure tagged, its language and its fonts inside."""
    report = random_report(seed)
    words, document, page = made(report, lang)
    reader = Reader()
    reader.feed(page)
    on_page = squeezed(" ".join(reader.texts))
    made_pdf = pdf.pages(document, words, seal(report, lang))
    read = pypdf.PdfReader(io.BytesIO(made_pdf))
    on_paper = squeezed(" ".join(each.extract_text() for each in read.pages))
    for text in said(document, words):
        assert squeezed(text) in on_page
        # A word that is broken at a line's end has its hyphen in the PDF's text.
        assert squeezed(text).replace("-", "") in on_paper.replace("-", "").replace("‐", "")
    last = words("report.page", page=len(read.pages), pages=len(read.pages))
    assert squeezed(last) in on_paper
    titles = [str(item.title) for item in read.outline if not isinstance(item, list)]
    assert titles == [section.heading for section in document.sections]
    root: Any = read.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert str(root["/Lang"]).startswith(lang)
    assert abs(float(read.pages[0].mediabox.height) - 841.89) < 0.1
    embedded = {
        str(font.get_object()["/BaseFont"])
        for each in read.pages
        for font in each["/Resources"]["/Font"].values()  # type: ignore[index] # pypdf: any object
    }
    assert embedded
    assert all(re.fullmatch(r"/[A-Z]{6}\+SourceSansPro-\w+", name) for name in embedded)


@DATA_BARS
@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_workbook_holds_the_same_numbers(lang: str) -> None:
    """Read back, every cell of every table has the document's value as a number: a share as a
    share, a duration in days; the villages and the evidence are whole."""
    report = random_report(2)
    words, document, _ = made(report, lang)
    made_book = xlsx.workbook(report, document, words, seal(report, lang))
    book = openpyxl.load_workbook(io.BytesIO(made_book))
    for _, table in document.tables():
        sheet = book[words(f"sheet.{table.key}")]
        assert sheet.freeze_panes == "A4"
        for at, row in enumerate([*table.rows, *([table.foot] if table.foot else [])], 4):
            expected: list[Any] = []
            for cell in row:
                if cell.form is Form.STRIP:
                    expected += [stable_share(week) for week in cell.value]
                elif cell.form is Form.DURATION:
                    expected.append(None if cell.value is None else cell.value / 86400)
                elif cell.form is Form.HOURS:
                    expected.append(cell.value / 3600)
                elif cell.form is Form.STATE:
                    expected.append(cell.text(words))
                else:
                    expected.append(cell.value)
            found = [cell.value for cell in sheet[at]][: len(expected)]
            for was, wanted in zip(found, expected, strict=True):
                if isinstance(wanted, int | float) and wanted is not None:
                    seconds = was.total_seconds() / 86400 if hasattr(was, "total_seconds") else was
                    assert seconds == pytest.approx(wanted, rel=1e-6, abs=1e-5)
                else:
                    assert (was or None) == (wanted or None)
    villages = book[words("report.sheet_villages")]
    assert villages.max_row == 1 + len(report.register.villages)
    assert villages.auto_filter.ref
    proof = book[words("report.sheet_evidence")]
    assert proof.max_row == 1 + len(report.evidence.rows) + len(report.evidence.periods)
    heads = [cell.value for cell in proof[1]]
    assert proof.cell(2, heads.index("start") + 1).is_date
    assert words("report.sheet_definitions") in book.sheetnames


def test_the_csv_evidence_gives_the_providers_figures() -> None:
    """An auditor's way: add the rows of each line up, and each provider's SLA figure comes out."""
    report = random_report(3)
    rows = list(csv.DictReader(io.StringIO(evidence_csv.text(report).removeprefix("\ufeff"))))
    for score in report.providers:
        theirs = [row for row in rows if row["provider"] == score.provider.id]
        sums: dict[str, float] = {}
        for row in theirs:
            sums[row["counts"]] = sums.get(row["counts"], 0) + float(row["seconds"])
        up = 2 * sums["period"] - sum(sums.values())
        availability = up / (up + sums.get("down", 0))
        assert availability == pytest.approx(score.outages.sla.availability, abs=1e-9)
        assert sums["period"] == pytest.approx(score.outages.sla.window_ms / 1000)


def test_all_forms_bear_the_same_seal_and_are_the_same_every_time() -> None:
    """The seal comes back from HTML, PDF and XLSX; the same report makes the same bytes."""
    report = random_report(4)
    words, document, page = made(report, "id")
    mark = seal(report, "id")
    paper, book = (
        pdf.pages(document, words, mark),
        xlsx.workbook(report, document, words, mark),
    )
    assert pdf.read_seal(paper) == xlsx.read_seal(book) == mark.text()
    assert paper == pdf.pages(document, words, mark)
    assert book == xlsx.workbook(report, document, words, mark)
    assert page == html.page(document, words, mark)


@pytest.mark.parametrize(
    "change",
    [
        lambda r: replace(r, items=r.items[1:]),
        lambda r: replace(r, register=replace(r.register, villages=r.register.villages[1:])),
        lambda r: replace(r, exempt_causes=frozenset()),
        lambda r: replace(r, records=r.records[1:]),
        lambda r: replace(
            r,
            inventory=replace(
                r.inventory, providers={"satu": Provider("satu", "Satu Net", 0.98)}
            ),
        ),
    ],
)  # fmt: skip
def test_the_digest_notices_every_change(change: Any) -> None:
    """Another site, village, contract, week or rule is another digest."""
    report = random_report(5, weeks=3)
    assert seal(report, "id").evidence == seal(report, "en").evidence
    assert seal(change(report), "id").evidence != seal(report, "id").evidence


def test_fonts_are_inside_and_pictures_have_words() -> None:
    """Every font of every page is in the file, the document names its language and title, and each
    chart's figures stand in its alternative text."""
    report = random_report(5)
    words, document, _ = made(report, "id")
    read = pypdf.PdfReader(io.BytesIO(pdf.pages(document, words, seal(report, "id"))))
    fonts = {
        str(font["/BaseFont"]): descendant["/FontDescriptor"]
        for page in read.pages
        for font in (each.get_object() for each in page["/Resources"]["/Font"].values())
        for descendant in (each.get_object() for each in font.get("/DescendantFonts", [font]))
    }
    assert len(fonts) >= 2
    assert all({"/FontFile", "/FontFile2", "/FontFile3"} & {*fonts[name]} for name in fonts)
    assert read.root_object["/Lang"] == "id"
    assert read.root_object["/MarkInfo"]["/Marked"]
    told = set(_alternatives(read.root_object["/StructTreeRoot"]))
    charts = [b for s in document.sections for b in s.blocks if isinstance(b, Chart)]
    assert len(charts) == 4
    assert {chart.alt for chart in charts} <= told


def _alternatives(node: Any) -> Iterator[str]:
    """The alternative texts of a structure tree."""
    node = node.get_object()
    if isinstance(node, list):
        for child in node:
            yield from _alternatives(child)
    elif isinstance(node, dict):
        if "/Alt" in node:
            yield str(node["/Alt"])
        if "/K" in node:
            yield from _alternatives(node["/K"])


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("weeks", [1, 2])
def test_an_empty_province_reads_well(lang: str, weeks: int) -> None:
    """No site at all, or none yet in service: every form is made and says why it is empty."""
    register, inventory = random_province(7, villages=3)
    bare = replace(inventory, sites=(), providers={})
    records = random_records(bare, 7, weeks)
    report = weekly_report(register, bare, records, coverage(register, bare, records))
    words, document, page = made(report, lang)
    assert words("report.worst_none") in page
    assert words("report.outages_none") in page
    assert words("report.providers_none") in page
    assert report.coverage.total.now.states[State.NOT_CONNECTED] == 3
    assert len(pypdf.PdfReader(io.BytesIO(pdf.pages(document, words, seal(report, lang)))).pages)
    assert xlsx.workbook(report, document, words, seal(report, lang))
