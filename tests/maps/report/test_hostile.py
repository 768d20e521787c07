"""Hostile names in every place that a text from outside can take: they stay text, in every form."""

import csv
import io
import re
from dataclasses import replace
from pathlib import Path

import openpyxl
import pypdf
import pytest

from maps.coverage import coverage
from maps.report import evidence_csv, pdf, xlsx
from maps.report.seal import seal
from maps.report.weekly import WeeklyReport, weekly_report
from maps.report.write import write_report
from maps.spreadsheet import looks_like_formula
from maps.words import load
from model.errors import InputError
from model.region import Register
from tests.maps.report.province import random_province, random_records, random_report
from tests.maps.report.reading import DATA_BARS, Reader, made, squeezed

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
