"""The report as a workbook: the same tables, with numbers, times and shares as numbers.

Law: what is a number can be added up, what is text can never run as a formula. One sheet holds the
definitions, one every village, one the evidence; the seal stands in the workbook's properties.
"""

import io
import re
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from maps.exports import village_rows
from maps.report import evidence_csv
from maps.report.document import Document
from maps.report.seal import Seal
from maps.report.sheets import Sheets
from maps.report.weekly import WeeklyReport
from maps.words import Words

EVIDENCE_ROWS_MAX = 200_000
"""A sheet holds 1,048,576 rows, but a workbook of that size opens on few machines: beyond this the
sheet says that the CSV file has the evidence, whole."""


def workbook(report: WeeklyReport, document: Document, words: Words, mark: Seal) -> bytes:
    """The .xlsx file. The same report makes the same bytes."""
    import xlsxwriter  # type: ignore[import-untyped] # noqa: PLC0415, TID251 - the one file

    made = io.BytesIO()
    # Every cell is written by its type; nothing is guessed from how a text looks.
    book = xlsxwriter.Workbook(made, {"in_memory": True})  # fmt: skip
    at = datetime.fromtimestamp(mark.generated_at_ms / 1000, UTC).replace(tzinfo=None)
    book.set_properties({"title": document.title, "subject": document.subtitle,
                         "author": words("report.author"), "created": at})  # fmt: skip
    text = mark.text()
    # A property holds 255 characters.
    for number in range(0, len(text), 250):
        book.set_custom_property(f"jangkau-seal-{number // 250:02d}", text[number : number + 250])
    writer = Sheets(book, words)
    writer.summary(document)
    for section, table in document.tables():
        writer.table(section.heading, table)
    writer.listed(
        words("report.sheet_villages"),
        ({**row, "state": words(f"state.{row['state']}"), "state_code": row["state"]}
         for row in village_rows(report.register, report.coverage)),
    )  # fmt: skip
    if len(report.evidence.rows) <= EVIDENCE_ROWS_MAX:
        writer.listed(words("report.sheet_evidence"), _timed(evidence_csv.rows(report)))
    else:
        writer.note(words("report.sheet_evidence"), words("report.evidence_too_long"))
    writer.definitions(document)
    book.close()
    return made.getvalue()


def _timed(rows: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Times as a spreadsheet's own: local, for its times know no zone; the zone has a column."""
    for row in rows:
        start: datetime = row["start"]
        yield {
            **row,
            "in_service_from": datetime.fromisoformat(row["in_service_from"]),
            "start": start.replace(tzinfo=None),
            "end": row["end"].replace(tzinfo=None),
            "utc_offset": start.isoformat()[-6:],
        }


def read_seal(content: bytes) -> str | None:
    """The seal in a workbook of ours."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as folder:
            properties = folder.read("docProps/custom.xml").decode("utf-8")
    except (zipfile.BadZipFile, KeyError):
        return None
    from html import unescape  # noqa: PLC0415 - only a check needs it

    parts = re.findall(
        r'name="jangkau-seal-(\d+)".*?<vt:lpwstr>(.*?)</vt:lpwstr>', properties, re.DOTALL
    )
    return unescape("".join(text for _, text in sorted(parts))) or None
