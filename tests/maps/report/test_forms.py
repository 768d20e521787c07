"""One report in every form: HTML, PDF and XLSX show the same numbers, and text stays text."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import openpyxl
import pypdf
import pytest

from maps.coverage import coverage
from maps.look import STATES
from maps.report import evidence_csv, html, pdf, xlsx
from maps.report.compose import compose
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
from maps.report.weekly import WeeklyReport, weekly_report
from maps.report.write import write_report
from maps.spreadsheet import looks_like_formula
from maps.words import LANGUAGES, Words, load
from model.definition import State
from model.errors import InputError
from model.inventory import Provider
from model.region import Register
from tests.maps.report.province import random_province, random_records, random_report


class Reader(HTMLParser):
    """The text of a page, cell by cell, and the shape of its tags."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.shape: list[tuple[str, tuple[str, ...]]] = []
        self._open = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.shape.append((tag, tuple(name for name, _ in attrs)))
        if tag in {"td", "th", "dd", "dt", "p", "li", "h1", "h2", "h3", "strong"}:
            self.texts.append("")

    def handle_data(self, data: str) -> None:
        if self.texts:
            self.texts[-1] += data


def made(report: WeeklyReport, lang: str) -> tuple[Words, Document, str]:
    words = load(lang)
    mark = seal(report, lang)
    document = compose(report, words, mark)
    return words, document, html.page(document, words, mark)


def squeezed(text: str) -> str:
    """Without spaces and line ends, which typesetting moves about."""
    return re.sub(r"[\s\u00ad\u00a0]+", "", text)


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


# openpyxl reads data bars, but not their newer half, and says so.
DATA_BARS = pytest.mark.filterwarnings("ignore:.* extension is not supported")


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


PAYLOADS = [
    wrap.format(core)
    for core in (
        "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<svg/onload=alert(1)>",
        "javascript:alert(1)", "' onmouseover='alert(1)", '" autofocus onfocus="alert(1)',
        "${alert(1)}", "`-alert(1)-`", "{{ 7*7 }}", "{% raw %}", "\\u003cscript\\u003e", "]]>",
        "--><b>", "</style><b>", "</title><b>", "\u2028alert(1)", "\u202egnp.exe", "#set page()",
        "#read(\"x\")", "$ x $", "= Judul", "\\ \\", "url(javascript:alert(1))", "&lt;b&gt;",
        "\x00\x07", "=cmd|' /C calc'!A0",
    )
    for wrap in ("{}", "a{}b", '">{}', "'>{}", "\\{}", "`{}", "</td>{}", "<!--{}")
]  # fmt: skip


def hostile_report(text: str) -> WeeklyReport:
    """A small report with one text in every place that a text from outside can take."""
    register, inventory = random_province(6, villages=6)
    named = Register(
        text,
        tuple(replace(village, name=text) for village in register.villages),
        dict.fromkeys(register.region_names, text),
    )
    inventory = replace(
        inventory,
        sites=tuple(replace(site, name=text) for site in inventory.sites),
        providers={key: replace(one, name=text) for key, one in inventory.providers.items()},
        province=replace(inventory.province, name=text),
        kinds={k: replace(v, name_id=text, name_en=text) for k, v in inventory.kinds.items()},
    )
    records = random_records(inventory, 6, 2)
    return weekly_report(named, inventory, records, coverage(named, inventory, records))


def test_no_text_changes_the_page() -> None:
    """Over 200 hostile texts in every place: the page keeps exactly the tags and attributes that
    it has with a harmless text."""
    assert len(PAYLOADS) >= 200

    def shape(text: str) -> list[tuple[str, tuple[str, ...]]]:
        reader = Reader()
        reader.feed(made(hostile_report(text), "id")[2])
        return reader.shape

    calm = shape("Semparuk")
    for payload in PAYLOADS:
        assert shape(payload) == calm, payload


def test_no_text_is_markup_on_paper() -> None:
    """A name that is typst code, or looks like it, is printed as it is and reads no file."""
    text = '#read("report.json") *tebal* $x$ = Judul @rujuk <label> https://a.example'
    report = hostile_report(text)
    words, document, _ = made(report, "id")
    read = pypdf.PdfReader(io.BytesIO(pdf.pages(document, words, seal(report, "id"))))
    assert squeezed(text) in squeezed(read.pages[0].extract_text())
    assert not any("/Annots" in page for page in read.pages)


STRANGE = [
    "\u6f22\u5b57", "\U0001f600", "\u202egnp", "\x00\x07\x7f", "\ue000",
    "\ufeff", "\U0001f468\u200d\U0001f469", "\ufffe", "\ua98f\ua9ae",
]  # fmt: skip


@pytest.mark.parametrize("strange", STRANGE)
def test_no_letter_costs_the_report(strange: str) -> None:
    """A name in letters that no font has, or in none at all: the PDF is written all the same, as
    PDF/UA-1, with a sign in their place and a sentence that says so; the seal is untouched."""
    report = hostile_report(f"Desa {strange} Hulu")
    words, document, _ = made(report, "id")
    mark = seal(report, "id")
    content = pdf.pages(document, words, mark)
    assert b"<pdfuaid:part>1</pdfuaid:part>" in content
    assert pdf.read_seal(content) == mark.text()
    first = squeezed(pypdf.PdfReader(io.BytesIO(content)).pages[0].extract_text())
    assert "Hulu" in first
    assert "Hurufyangtidakdapatdicetakditulis\ufffd" in first


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


FORMULAS = ["=1+1", "+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1+1", "|cmd", "%0A=1"]


@DATA_BARS
@pytest.mark.parametrize("text", FORMULAS)
def test_no_text_is_a_formula(text: str) -> None:
    """In the workbook it is a string; in CSV it has an apostrophe; numbers stay numbers."""
    assert looks_like_formula(text)
    report = hostile_report(text)
    words, document, _ = made(report, "id")
    book = openpyxl.load_workbook(
        io.BytesIO(xlsx.workbook(report, document, words, seal(report, "id")))
    )
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert not [cell for cell in cells if cell.data_type == "f"]
    assert any(cell.data_type == "n" and cell.value is not None for cell in cells)
    for row in csv.DictReader(io.StringIO(evidence_csv.text(report).removeprefix("\ufeff"))):
        assert row["site_name"] == "'" + text
        assert float(row["seconds"]) > 0
        assert not looks_like_formula(row["evidence"])


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


def test_files_stay_in_their_folder(tmp_path: Path) -> None:
    """Names come from the week and the code alone, whatever the province is called; a link that
    waits in the folder is replaced, and what it points to stays as it was (S-07)."""
    secret = tmp_path / "secret"
    secret.write_text("mine")
    out = tmp_path / "out"
    out.mkdir()
    for name in ("laporan-2026-W46.html", "laporan-2026-W46.xlsx", "bukti-laporan-2026-W46.csv"):
        (out / name).symlink_to(secret)
    written = write_report(hostile_report("../../....//CON\x00" + "é" * 300), out, load("id"))
    assert secret.read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "secret"]
    assert sorted(path.name for path in out.iterdir()) == sorted(p.name for p in written.values())
    assert all(re.fullmatch(r"[a-z-]+2026-W46\.[a-z]+", path.name) for path in out.iterdir())
    assert not any(path.is_symlink() for path in out.iterdir())
    for code in ("../61", "61.01/..", "61.01\n", "61.01.13.2002"):
        with pytest.raises(InputError, match="write a code"):
            write_report(random_report(9, weeks=1), out, load("id"), kabupaten=code)
