"""One list of rows, shown as a table, as JSON or as CSV.

Law: the three show the same rows under the same names. Text in CSV cannot become a formula.
"""

import csv
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from cli import terminal, wording

Row = Mapping[str, Any]
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")

OUTAGE_COLUMNS: Mapping[str, Callable[[Row], str]] = {
    "site": lambda row: row["site"],
    "since": lambda row: row["since"],
    "lasted": lambda row: wording.duration(row["seconds"]) + (" +" if row["open"] else ""),
    "cause": lambda row: row["cause"],
    "sure": lambda row: wording.share(row["confidence"], 0),
    "evidence": lambda row: row["evidence"][0] if row["evidence"] else "",
}
"""For people: an outage, of a line or of a service."""


def show(
    rows: Sequence[Row],
    columns: Mapping[str, Callable[[Row], str]],
    *,
    title: str,
    as_json: bool,
    as_csv: bool,
    wrapped: Collection[str] = (),
) -> None:
    """Print ``rows``: all fields for machines, ``columns`` (heading -> text) for people; the text
    of the ``wrapped`` ones may take several lines."""
    if as_json:
        terminal.print_json(list(rows))
    elif as_csv:
        write_csv(rows)
    else:
        table = Table(title=title, title_justify="left", box=None, padding=(0, 1, 0, 0))
        for heading in columns:
            table.add_column(heading, overflow="fold", no_wrap=heading not in wrapped)
        for row in rows:
            # Text, not markup: names come from outside.
            table.add_row(*(Text(text(row)) for text in columns.values()))
        terminal.stdout.print(table)


def write_csv(rows: Sequence[Row]) -> None:
    """All fields of all rows; lists are joined with a bar."""
    if not rows:
        return
    writer = csv.DictWriter(terminal.stdout.file, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: _cell(value) for name, value in row.items()})


def _cell(value: Any) -> Any:
    if isinstance(value, list | tuple):
        value = " | ".join(str(item) for item in value)
    if isinstance(value, str) and value.startswith(_FORMULA):
        return "'" + value
    return value
