"""What goes out with a report: the figures of its first page in words, and its files."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from cli import terminal
from collector.delivery import Targets, deliver, read_targets

if TYPE_CHECKING:
    from maps.report.document import Table
    from maps.report.weekly import WeeklyReport
    from maps.words import Words

FORMS_SENT = ("pdf", "png", "xlsx")
ROWS_SENT = 10
"""Of each table in the message; the files have them all."""


def recipients(path: Path) -> Targets:
    """The targets in a file, read before anything is made: a typing mistake shows at once."""
    return read_targets(path)


def send_report(
    targets: Targets,
    model: "WeeklyReport",
    written: Mapping[str, Path],
    words: "Words",
    *,
    fictional: bool,
) -> None:
    """Send the report. Raises UnavailableError when a target was not reached."""
    from maps.report.compose import compose
    from maps.report.document import Hero, Paragraph
    from maps.report.seal import seal

    document = compose(model, words, seal(model, words.lang), fictional=fictional)
    first = document.sections[0].blocks
    said = [block.sentence for block in first if isinstance(block, Hero)]
    said += [block.text for block in first if isinstance(block, Paragraph)]
    tables = {table.key: table for _, table in document.tables()}
    said += _rows(tables.get("obstacles"), words)
    moved = _rows(tables.get("changes"), words)
    if moved:
        said += ["", words("report.changes"), *moved]
    body = "\n".join([document.subtitle, *document.notes, "", *said, "", *document.head])
    files = [written[form] for form in FORMS_SENT if form in written]
    reached = deliver(targets, document.title, body, files)
    terminal.stdout.print(f"sent to {reached} targets")


def _rows(table: "Table | None", words: "Words") -> list[str]:
    """The first rows of a table as lines."""
    if table is None:
        return []
    return ["- " + " · ".join(cell.text(words) for cell in row) for row in table.rows[:ROWS_SENT]]
