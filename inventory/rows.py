"""CSV as rows of text with line numbers.

Law: whatever the file holds, reading it needs bounded time and memory, and a row is whole or it is
a mistake. Cells are text; spreadsheets' habits (a byte order mark, semicolons) are understood.
"""

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from inventory.files import open_file
from inventory.mistakes import Source, shown

MAX_BYTES = 64 * 2**20
MAX_LINES = 200_000
MAX_LINE_BYTES = 64 * 2**10
MAX_COLUMNS = 200


@dataclass(slots=True)
class Rows:
    """An open table: its comment lines, its column names, and the rows still to come.

    ``rows`` yields (line, cells); a row with too few or too many cells is noted and left out.
    """

    comments: list[str]
    header_line: int
    columns: list[str]
    rows: Iterator[tuple[int, list[str]]] = field(repr=False)


@contextmanager
def open_rows(path: Path, source: Source) -> Iterator[Rows]:
    """Open a CSV file; lines that begin with ``#`` above the header are comments.

    Raises InputError (with the mistakes found so far) where no more can be read: missing, too
    large, not UTF-8, broken quotes, no header. The size is looked up before a byte is read.
    """
    with open_file(path, MAX_BYTES, source) as file:
        yield _head(_lines(file, source), source)


def _head(lines: Iterator[tuple[int, str]], source: Source) -> Rows:
    comments: list[str] = []
    number, header = 0, ""
    for number, line in lines:  # noqa: B007 - the header's line number is wanted afterwards
        header = line
        if not line.startswith("#"):
            break
        comments.append(line[1:].strip())
        header = ""
    delimiter = ";" if ";" in header and "," not in header else ","
    columns = [name.strip() for name in next(csv.reader([header], delimiter=delimiter), [])]
    if not any(columns):
        raise source.stop(number or 1, "the table has no header: name the columns in line 1")
    if len(columns) > MAX_COLUMNS:
        raise source.stop(number, f"{len(columns)} columns: at most {MAX_COLUMNS} are read")
    for name in {name for name in columns if columns.count(name) > 1}:
        source.wrong(number, f"the column {shown(name)} stands here twice: remove one")
    return Rows(comments, number, columns, _rows(lines, number, delimiter, len(columns), source))


def _rows(
    lines: Iterator[tuple[int, str]], header: int, delimiter: str, width: int, source: Source
) -> Iterator[tuple[int, list[str]]]:
    begins = last = header

    def texts() -> Iterator[str]:
        nonlocal last
        for number, line in lines:
            last = number
            yield line

    reader = csv.reader(texts(), delimiter=delimiter, strict=True)
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise source.stop(
                begins + 1,
                f"the row cannot be read ({error}): check its quotation marks",
            ) from None
        if cells is None:
            return
        line, begins = begins + 1, last
        if not any(cells):
            continue
        if len(cells) != width:
            source.wrong(
                line,
                f"the row has {len(cells)} cells but the header {width}: "
                "quote cells that hold the separator",
            )
            continue
        yield line, cells


def _lines(file: BinaryIO, source: Source) -> Iterator[tuple[int, str]]:
    number = 0
    while line := file.readline(MAX_LINE_BYTES + 1):
        number += 1
        if number > MAX_LINES:
            raise source.stop(number, f"more than {MAX_LINES:,} lines: split the table")
        if len(line) > MAX_LINE_BYTES:
            raise source.stop(
                number, f"the line is longer than {MAX_LINE_BYTES:,} bytes: split the table"
            )
        if number == 1 and line.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise source.stop(1, "is UTF-16 text: save it as 'CSV UTF-8'")
        if b"\0" in line:
            raise source.stop(number, "holds a NUL character: export the table anew")
        try:
            yield number, line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError:
            raise source.stop(number, "is not UTF-8 text: save it as 'CSV UTF-8'") from None
