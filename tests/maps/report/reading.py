"""How tests read the forms of a report back."""

import re
from html.parser import HTMLParser

import pytest

from maps.report import html
from maps.report.compose import compose
from maps.report.document import Document
from maps.report.seal import seal
from maps.report.weekly import WeeklyReport
from maps.words import Words, load

# openpyxl reads data bars, but not their newer half, and says so.
DATA_BARS = pytest.mark.filterwarnings("ignore:.* extension is not supported")


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
