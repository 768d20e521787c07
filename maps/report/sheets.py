"""The sheets of a workbook: typed cells, frozen heads, filters, colours.

Law: every cell is written by its type and nothing is guessed from how a text looks; a text that a
spreadsheet could take for a formula is marked as text.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

from maps.look import STATES
from maps.report.document import (
    Cell,
    Column,
    Document,
    Facts,
    Form,
    Hero,
    Paragraph,
    Table,
    stable_share,
)
from maps.spreadsheet import looks_like_formula
from maps.words import Words

_FORMATS: dict[Form, str] = {
    Form.COUNT: "#,##0",
    Form.SIGNED: "+#,##0;-#,##0;0",
    Form.SHARE: "0.0%",
    Form.DURATION: "[h]:mm",
    Form.HOURS: "#,##0.0",
    Form.STRIP: "0%",
}
_SECONDS_A_DAY = 86_400
_LINE_POINTS = 15
_LETTERS_A_LINE = 100
"""Of the definitions: their column is 110 letters wide."""


class Sheets:
    """Sheets in the order of the calls; formats are made once."""

    def __init__(self, book: Any, words: Words) -> None:
        self._book, self._words = book, words
        self._formats: dict[tuple[tuple[str, Any], ...], Any] = {}

    def _sheet(self, name: str, head: int | None = None) -> Any:
        """A sheet that prints on A4 across, as wide as the paper, its head on every page."""
        sheet = self._book.add_worksheet(name)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        if head is not None:
            sheet.freeze_panes(head + 1, 0)
            sheet.repeat_rows(head)
        return sheet

    def _format(self, **wanted: Any) -> Any:
        key = tuple(sorted(wanted.items()))
        if key not in self._formats:
            self._formats[key] = self._book.add_format({"valign": "top", **wanted})
        return self._formats[key]

    def _text(self, sheet: Any, row: int, column: int, text: str, **wanted: Any) -> None:
        if looks_like_formula(text):
            wanted["quote_prefix"] = True
        sheet.write_string(row, column, text, self._format(**wanted))

    def summary(self, document: Document) -> None:
        """The first page: every figure with its numerator and denominator in cells of their own."""
        sheet = self._sheet(self._words("report.sheet_summary"))
        sheet.set_column(0, 0, 52)
        sheet.set_column(1, 3, 16)
        sheet.set_column(4, 4, 60)
        self._text(sheet, 0, 0, document.title, bold=True, font_size=14)
        for at, line in enumerate((document.subtitle, *document.notes, *document.head), 1):
            self._text(sheet, at, 0, line)
        row = 3 + len(document.notes) + len(document.head)
        heads = ("report.figure", "report.part", "report.whole", "report.share", "report.meaning")
        for column, name in enumerate(heads):
            self._text(sheet, row, column, self._words(name), bold=True, bottom=1)
        for section in document.sections:
            for block in section.blocks:
                if isinstance(block, Hero):
                    row += 1
                    share = block.part / block.whole if block.whole else None
                    self._text(sheet, row, 0, section.title)
                    self._write(sheet, row, 1, Cell(block.part, Form.COUNT))
                    self._write(sheet, row, 2, Cell(block.whole, Form.COUNT))
                    self._write(sheet, row, 3, Cell(share, Form.SHARE))
                    self._text(sheet, row, 4, block.sentence)
                elif isinstance(block, Facts):
                    for fact in block.rows:
                        row += 1
                        self._text(sheet, row, 0, fact.label)
                        self._write(sheet, row, 1, fact.cell)
                        if fact.whole is not None:
                            self._write(sheet, row, 2, Cell(fact.whole, Form.COUNT))
                            self._write(sheet, row, 3, Cell(fact.share, Form.SHARE))
                        self._text(sheet, row, 4, fact.meaning)

    def table(self, heading: str, table: Table) -> None:
        """One table, its head frozen, with filters; states and shares bear their colours."""
        name = self._words(f"sheet.{table.key}")
        sheet = self._sheet(name, head=2)
        self._text(sheet, 0, 0, heading, bold=True, font_size=12)
        spread = [(column, part) for column in table.columns for part in column.parts or ("",)]
        for at, (column, part) in enumerate(spread):
            look = STATES[column.state] if column.state else None
            fill = {"bg_color": look.colour, "font_color": look.ink} if look else {}
            side = {"align": "right"} if column.number or part else _beside(at)
            head = {"bold": True, "bottom": 1, "text_wrap": True, "valign": "bottom"}
            self._text(sheet, 2, at, part or column.heading, **head, **fill, **side)
            place = table.columns.index(column)
            lengths = [len(row[place].text(self._words)) for row in table.rows if not part]
            widest = max(lengths, default=6)
            sheet.set_column(at, at, min(60, max(12, widest + 2)))
        sheet.set_row(2, 45)
        for at, row in enumerate(table.rows):
            self._row(sheet, 3 + at, table.columns, row)
        if table.foot:
            self._row(sheet, 3 + len(table.rows), table.columns, table.foot, bold=True, top=1)
        if table.rows:
            last = 2 + len(table.rows)
            sheet.autofilter(2, 0, last, len(spread) - 1)
            self._colours(sheet, spread, last)
            self._chart(sheet, name, table, spread, last)

    def _row(
        self, sheet: Any, at: int, columns: Sequence[Column], row: Sequence[Cell], **wanted: Any
    ) -> None:
        place = 0
        for column, cell in zip(columns, row, strict=True):
            if column.form is Form.STRIP and cell.form is Form.STRIP:
                for week in cell.value:
                    self._write(sheet, at, place, Cell(stable_share(week), Form.SHARE), **wanted)
                    place += 1
            else:
                self._write(sheet, at, place, cell, **wanted)
                place += 1

    def _write(self, sheet: Any, row: int, column: int, cell: Cell, **wanted: Any) -> None:
        if cell.value is None:
            # Blank, not a dash: a chart draws a gap there, and a sum skips it.
            sheet.write_blank(row, column, None, self._format(**wanted))
        elif cell.form in {Form.TEXT, Form.CODE}:
            self._text(sheet, row, column, str(cell.value), **_beside(column), **wanted)
        elif cell.form is Form.STATE:
            look = STATES[cell.value]
            fill = {"bg_color": look.colour, "font_color": look.ink}
            self._text(sheet, row, column, cell.text(self._words), **fill, **wanted)
        else:
            scale: dict[Form, Callable[[float], float]] = {
                Form.DURATION: lambda seconds: seconds / _SECONDS_A_DAY,
                Form.HOURS: lambda seconds: seconds / 3600,
            }
            value = scale.get(cell.form, float)(cell.value)
            style = self._format(num_format=_FORMATS[cell.form], **wanted)
            sheet.write_number(row, column, value, style)

    def _colours(self, sheet: Any, spread: Sequence[tuple[Column, str]], last: int) -> None:
        for at, (column, part) in enumerate(spread):
            if column.form is Form.SHARE or part:
                bar = {"type": "data_bar", "bar_solid": True, "bar_color": "#b9d6e6"}
                ends = {"min_type": "num", "min_value": 0, "max_type": "num", "max_value": 1}
                sheet.conditional_format(3, at, last, at, bar | ends)
            elif column.state is not None and STATES[column.state].colour != "#ffffff":
                bar = {"type": "data_bar", "bar_solid": True, "min_type": "num", "min_value": 0}
                colour = {"bar_color": STATES[column.state].colour}
                sheet.conditional_format(3, at, last, at, bar | colour)

    def _chart(
        self, sheet: Any, name: str, table: Table, spread: Sequence[tuple[Column, str]], last: int
    ) -> None:
        """Bars beside the tables whose rows are parts of one thing."""
        kinds = {"funnel": ("bar", Form.COUNT), "causes": ("bar", Form.HOURS),
                 "regions": ("bar", Form.SHARE), "weekly": ("line", Form.COUNT)}  # fmt: skip
        if table.key not in kinds:
            return
        kind, value = kinds[table.key]
        drawn = [at for at, (column, _) in enumerate(spread) if column.form is value]
        label = 1 if table.key == "regions" else 0
        chart = self._book.add_chart({"type": kind})
        colours = ("#58b1dd", "#0a5f8a", "#5b6168") if kind == "line" else ("#0a5f8a",)
        for colour, at in zip(colours, drawn, strict=False):
            series = {
                "name": [name, 2, at],
                "categories": [name, 3, label, last, label],
                "values": [name, 3, at, last, at],
                "gap": 60,
            }
            style = {"line": {"color": colour}} if kind == "line" else {"fill": {"color": colour}}
            chart.add_series(series | style)
        grid = {"min": 0, "major_gridlines": {"visible": True, "line": {"color": "#dcdad5"}}}
        if kind == "bar":
            heading = spread[drawn[0]][0].heading
            chart.set_title({"name": heading, "name_font": {"size": 11, "bold": False}})
            chart.set_legend({"none": True})
            chart.set_y_axis({"reverse": True})
            chart.set_x_axis(grid)
        else:
            chart.set_legend({"position": "bottom"})
            chart.set_y_axis(grid)
        chart.set_size({"width": 620, "height": 160 + 24 * min(len(table.rows), 20)})
        sheet.insert_chart(last + 4, 0, chart)

    def listed(self, name: str, rows: Iterator[dict[str, Any]]) -> None:
        """A long list under the names that the CSV file has."""
        sheet = self._sheet(name, head=0)
        moment, day = (self._format(num_format=f"dd-mm-yyyy{more}") for more in (" hh:mm:ss", ""))
        plain, share = self._format(), self._format(num_format="0.0%")
        marked = self._format(quote_prefix=True)
        shares = {"availability", "observed_share", "sla_availability", "confidence"}
        last = at = 0
        for at, row in enumerate(rows, 1):
            if at == 1:
                last = len(row) - 1
                for column, heading in enumerate(row):
                    self._text(sheet, 0, column, heading, bold=True, bottom=1)
            for column, (heading, value) in enumerate(row.items()):
                if isinstance(value, bool):
                    sheet.write_boolean(at, column, value, plain)
                elif isinstance(value, int | float):
                    sheet.write_number(at, column, value, share if heading in shares else plain)
                elif isinstance(value, datetime):
                    style = day if heading == "in_service_from" else moment
                    sheet.write_datetime(at, column, value, style)
                elif value is not None:
                    style = marked if looks_like_formula(value) else plain
                    sheet.write_string(at, column, value, style)
        sheet.set_column(0, last, 16)
        if at:
            sheet.autofilter(0, 0, at, last)

    def note(self, name: str, text: str) -> None:
        """A sheet that only says something."""
        self._text(self._sheet(name), 0, 0, text)

    def definitions(self, document: Document) -> None:
        """The rules in words, and what every column of the lists means."""
        sheet = self._sheet(self._words("report.sheet_definitions"))
        sheet.set_column(0, 0, 110)
        rules = [b.text for b in document.sections[-1].blocks if isinstance(b, Paragraph)]
        keys = ("column.availability", "column.state", "column.counts", "column.sum", "column.time")
        columns = [self._words(key) for key in keys]
        for at, text in enumerate([*rules, "", *columns]):
            # Not every program makes room for wrapped text by itself.
            sheet.set_row(at, _LINE_POINTS * max(1, -(-len(text) // _LETTERS_A_LINE)))
            self._text(sheet, at, 0, text, text_wrap=True)


def _beside(column: int) -> dict[str, Any]:
    """How a text stands away from the figures of the column before it."""
    return {"align": "left", "indent": 1} if column else {}
