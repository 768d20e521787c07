"""The report as a document: sections of blocks, with typed values in the tables.

Law: what a form of the report shows stands here before it is drawn, so HTML, PDF and XLSX cannot
disagree. A value keeps its type: a share is a number of 0 to 1 and becomes text only in the form
that needs text.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from maps.look import STATES
from maps.words import Words
from model.definition import State


class Form(StrEnum):
    """How a value is written."""

    TEXT = "text"
    CODE = "code"
    """A region's code: text that is never a number."""
    COUNT = "count"
    """A whole number."""
    SIGNED = "signed"
    """A change, with its sign."""
    SHARE = "share"
    """0 to 1."""
    DURATION = "duration"
    """Seconds."""
    HOURS = "hours"
    """Seconds, written as hours with one decimal."""
    STATE = "state"
    STRIP = "strip"
    """Weeks, oldest first, each a mapping of state to villages."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One value; None where there is none. ``tag`` is a short word beside it."""

    value: Any
    form: Form = Form.TEXT
    tag: str = ""

    def text(self, words: Words) -> str:
        """As people read it; a dash for None."""
        if self.value is None:
            return "–"
        write: Mapping[Form, Callable[[Any], str]] = {
            Form.TEXT: str,
            Form.CODE: str,
            Form.COUNT: words.number,
            Form.SIGNED: words.signed,
            Form.SHARE: words.percent,
            Form.DURATION: words.duration,
            Form.HOURS: lambda seconds: words.number(seconds / 3600, 1),
            Form.STATE: lambda state: words(f"state.{state}"),
            Form.STRIP: lambda weeks: " ".join(words.percent(stable_share(w), 0) for w in weeks),
        }
        return write[self.form](self.value)


def stable_share(states: Mapping[State, int]) -> float | None:
    """Stable villages / villages of one week of a strip."""
    total = sum(states.values())
    return states[State.STABLE] / total if total else None


@dataclass(frozen=True, slots=True)
class Column:
    """``wide``: left out on a phone's narrow screen (print and spreadsheets keep it). ``parts``
    are the headings under which a spreadsheet spreads a strip."""

    heading: str
    form: Form = Form.TEXT
    wide: bool = False
    state: State | None = None
    parts: tuple[str, ...] = ()

    @property
    def number(self) -> bool:
        return self.form not in {Form.TEXT, Form.CODE, Form.STATE, Form.STRIP}


@dataclass(frozen=True, slots=True)
class Paragraph:
    text: str
    soft: bool = False


@dataclass(frozen=True, slots=True)
class Hero:
    """The most important number: ``part`` of ``whole``, and the sentence that says it."""

    part: int
    whole: int
    sentence: str


@dataclass(frozen=True, slots=True)
class Fact:
    """A figure with its numerator and denominator, where it has them, and its definition."""

    label: str
    cell: Cell
    whole: int | None = None
    meaning: str = ""

    @property
    def share(self) -> float | None:
        return self.cell.value / self.whole if self.whole and self.cell.value is not None else None

    def text(self, words: Words) -> str:
        """``190 / 300 (63,3 %)``, or the value alone."""
        shown = self.cell.text(words)
        if self.whole is None:
            return shown
        return f"{shown} / {words.number(self.whole)} ({words.percent(self.share)})"


@dataclass(frozen=True, slots=True)
class Facts:
    rows: tuple[Fact, ...]


SHEETS = (
    "target",
    "obstacles",
    "funnel",
    "regions",
    "worst",
    "causes",
    "outages",
    "repairs",
    "providers",
    "services",
    "stopped",
    "clocks",
    "changes",
    "states",
    "weekly",
    "limits",
)
"""The keys of all tables; each has the name of its sheet among the words."""


@dataclass(frozen=True, slots=True)
class Table:
    """``key`` names its sheet; ``title`` stands above it; ``foot`` is its last row, in bold."""

    key: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    foot: tuple[Cell, ...] | None = None


@dataclass(frozen=True)
class Chart:
    """``says`` is the sentence that says what it shows, ``tells`` its figures in words for who
    cannot see it; ``draw`` makes the SVG for a width."""

    says: str
    tells: str
    draw: Callable[[int], str] = field(repr=False)

    @property
    def alt(self) -> str:
        """What stands for the drawing."""
        return f"{self.says} {self.tells}"


@dataclass(frozen=True, slots=True)
class Names:
    """A list of villages or sites, folded on the screen; ``state`` marks a list of one state."""

    title: str
    items: tuple[str, ...]
    state: State | None = None


@dataclass(frozen=True, slots=True)
class Heading:
    text: str


Block = Paragraph | Hero | Facts | Table | Chart | Names | Heading


@dataclass(frozen=True, slots=True)
class Section:
    """``new_page``: begins a page in print."""

    number: int | None
    title: str
    blocks: tuple[Block, ...]
    new_page: bool = False

    @property
    def heading(self) -> str:
        return f"{self.number}. {self.title}" if self.number else self.title


@dataclass(frozen=True)
class Document:
    """The whole report; ``head`` are the lines of its provenance."""

    lang: str
    title: str
    subtitle: str
    notes: tuple[str, ...]
    head: tuple[str, ...]
    footer: str
    sections: tuple[Section, ...]

    def tables(self) -> list[tuple[Section, Table]]:
        """All tables with their sections, in order."""
        return [(s, block) for s in self.sections for block in s.blocks if isinstance(block, Table)]


def shown(document: Document, words: Words, draw: Callable[[str], Any]) -> dict[str, Any]:
    """The document as text, for templates. ``draw`` takes an SVG and returns what the template
    places there; charts are given in both widths of CHART_WIDTHS."""
    return {
        "lang": document.lang,
        "title": document.title,
        "subtitle": document.subtitle,
        "notes": list(document.notes),
        "head": list(document.head),
        "footer": document.footer,
        "sections": [
            {
                "heading": section.heading,
                "new_page": section.new_page,
                "blocks": [_shown(block, words, draw) for block in section.blocks],
            }
            for section in document.sections
        ],
    }


CHART_WIDTHS = (328, 720)
"""Pixels: a phone's column, and a desk's or a page's."""


def _shown(block: Block, words: Words, draw: Callable[[str], Any]) -> dict[str, Any]:
    kind = type(block).__name__.lower()
    match block:
        case Hero():
            share = words.percent(block.part / block.whole if block.whole else None)
            fraction = f"{words.number(block.part)} / {words.number(block.whole)}"
            return {"type": kind, "share": share, "of": fraction, "text": block.sentence}
        case Facts():
            rows = [{"label": f.label, "text": f.text(words), "why": f.meaning} for f in block.rows]
            return {"type": kind, "rows": rows}
        case Table():
            return {"type": kind, **_table(block, words, draw)}
        case Chart():
            narrow, wide = (draw(block.draw(width)) for width in CHART_WIDTHS)
            shown = {"narrow": narrow, "wide": wide}
            return {"type": kind, "says": block.says, "alt": block.alt, **shown}
        case Names():
            return {
                "type": kind,
                "title": block.title,
                "count": words.number(len(block.items)),
                "items": list(block.items),
                "state": block.state.value if block.state else None,
            }
        case Paragraph() | Heading():
            soft = isinstance(block, Paragraph) and block.soft
            return {"type": kind, "text": block.text, "soft": soft}


def _table(table: Table, words: Words, draw: Callable[[str], Any]) -> dict[str, Any]:
    from maps.report.charts import strip  # noqa: PLC0415 - charts read this file's values

    def cells(row: Sequence[Cell]) -> list[dict[str, Any]]:
        return [
            {
                "text": cell.text(words),
                "tag": cell.tag,
                "state": cell.value.value if cell.form is Form.STATE and cell.value else None,
                "letter": STATES[cell.value].letter
                if cell.form is Form.STATE and cell.value
                else None,
                "strip": draw(strip(cell.value))
                if cell.form is Form.STRIP and cell.value
                else None,
                "number": column.number,
                "wide": column.wide,
            }
            for column, cell in zip(table.columns, row, strict=True)
        ]

    return {
        "title": table.title,
        "columns": [
            {
                "text": column.heading,
                "number": column.number,
                "wide": column.wide,
                "state": column.state.value if column.state else None,
                "form": column.form.value,
            }
            for column in table.columns
        ],
        "rows": [cells(row) for row in table.rows],
        "foot": cells(table.foot) if table.foot else None,
    }
