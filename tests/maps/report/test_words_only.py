"""No text of a report stands outside the locale files: shown with a language that has no words."""

import io
import re
from html.parser import HTMLParser

import openpyxl
import pypdf
import pytest
from babel import Locale

from maps.report import html, pdf, xlsx
from maps.report.compose import compose
from maps.report.seal import seal
from maps.words import Words, load
from tests.maps.report.province import random_report

SIGNS = {"ms", "Mbit", "s", "W", "r", "GMT", "WIB", "Desa", "Titik", "Satu", "Dua", "Net", "desa"}
"""Units, week names, zones, and the names that the made province gives its villages and sites."""


def wordless() -> Words:
    """Indonesian with every text emptied of its words; values stay where they were."""
    tables = {
        table: {
            name: "|".join(
                "¤" + "¤".join(re.findall(r"\{\w+\}", form)) + "¤" for form in text.split("|")
            )
            for name, text in texts.items()
        }
        for table, texts in load("id").tables.items()
    }
    return Words("id", tables)


def known_words() -> set[str]:
    """What a date needs, and the province's own names."""
    locale = Locale("id", "ID")
    names = {*locale.months["format"]["wide"].values(), *locale.days["format"]["wide"].values()}
    report = random_report(8)
    names |= set(report.register.region_names.values()) | {report.register.version}
    names |= {site.name for site in report.inventory.sites}
    names |= {kind.name_id for kind in report.inventory.kinds.values()}
    return SIGNS | {word for name in names for word in re.findall(r"[^\W\d_]+", name)}


class Text(HTMLParser):
    """What a reader sees or hears of a page, without its style sheet."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []
        self._style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._style = tag == "style"
        self.seen += [value or "" for name, value in attrs if name in {"aria-label", "title"}]

    def handle_data(self, data: str) -> None:
        if not self._style:
            self.seen.append(data)


@pytest.mark.filterwarnings("ignore:.* extension is not supported")
def test_no_text_stands_outside_the_locale_files() -> None:
    """With the words taken out of the locale files, page, paper and workbook hold none but names,
    dates and units; with them, the same pages do hold some."""
    report, known = random_report(8), known_words()

    def strangers(words: Words) -> set[str]:
        mark = seal(report, "id")
        document = compose(report, words, mark)
        reader = Text()
        reader.feed(html.page(document, words, mark))
        paper = pypdf.PdfReader(io.BytesIO(pdf.pages(document, words, mark)))
        texts = [*reader.seen, *(page.extract_text() for page in paper.pages)]
        return {
            word
            for text in texts
            # A line's end may part a name: parts of known words are known.
            for word in re.findall(r"[^\W\d_]{2,}", re.sub(r"[0-9a-f]{12}", "", text))
            if not any(word in name for name in known)
        }

    assert strangers(wordless()) == set()
    assert "Ketersediaan" in strangers(load("id"))


@pytest.mark.filterwarnings("ignore:.* extension is not supported")
def test_the_workbook_has_no_words_of_its_own() -> None:
    """The same of its tables; the two long lists bear the names of the CSV's columns."""
    report, known, words = random_report(8), known_words(), load("id")
    mark = seal(report, "id")
    empty = wordless()
    # Sheets need names that differ.
    empty.tables["sheet"] = words.tables["sheet"]
    empty.tables["report"] |= {
        name: words.tables["report"][name] for name in words.tables["report"] if "sheet_" in name
    }
    book = openpyxl.load_workbook(
        io.BytesIO(xlsx.workbook(report, compose(report, empty, mark), empty, mark))
    )
    lists = {words("report.sheet_villages"), words("report.sheet_evidence")}
    strangers = {
        word
        for sheet in book
        if sheet.title not in lists
        for row in sheet.iter_rows()
        for cell in row
        if isinstance(cell.value, str)
        for word in re.findall(r"[^\W\d_]{2,}", re.sub(r"[0-9a-f]{12}", "", cell.value))
        if word not in known
    }
    assert strangers == set()
