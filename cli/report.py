"""``jangkau report``: the weekly coverage report."""

from pathlib import Path
from typing import Annotated

import typer

from cli import options, terminal
from cli.coverage import Weeks, gather
from cli.map_page import Fictional, Lang
from cli.options import DataFolder, InventoryFile, WeekText


def report(
    week: WeekText = None,
    weeks: Weeks = 12,
    out: Annotated[Path, typer.Option("--out", help="The folder to write to.")] = Path("report"),
    lang: Lang = "id",
    fictional: Fictional = False,
    inventory: InventoryFile = options.INVENTORY,
    data: DataFolder = options.DATA,
) -> None:
    """Write the weekly report: HTML, and the week of every village as CSV."""
    from maps.exports import write_csv
    from maps.report.html import write_html
    from maps.report.weekly import weekly_report
    from maps.words import load

    words = load(lang)
    found = gather(inventory, data, week, weeks)
    model = weekly_report(found.register, found.inventory, found.records, found.coverage)
    name = f"{words('report.file')}-{found.coverage.week}"
    for path in (
        write_html(model, out / f"{name}.html", words, fictional=fictional),
        write_csv(found.register, found.coverage, out / f"{name}.csv"),
    ):
        terminal.stdout.print(str(path), markup=False)
