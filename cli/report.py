"""``jangkau report``: the weekly report, from one calculation in every form that somebody needs."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from cli import options, terminal
from cli.coverage import Weeks
from cli.map_page import BoundariesFile, CodeProperty, Fictional, Lang
from cli.options import DataFolder, InventoryFile, WeekText
from cli.report_figures import Asked, make
from cli.report_verify import verify

app = typer.Typer(help="Write the weekly (or monthly) report, send it, check one.")
app.command("verify")(verify)


@app.callback(invoke_without_command=True)
def report(
    context: typer.Context,
    week: WeekText = None,
    month: Annotated[
        str | None, typer.Option("--month", help="A calendar month such as 2026-10 instead.")
    ] = None,
    weeks: Weeks = 16,
    kabupaten: Annotated[
        str | None, typer.Option("--kabupaten", help="Only this kabupaten or kota, such as 61.01.")
    ] = None,
    out: Annotated[Path, typer.Option("--out", help="The folder to write to.")] = Path("report"),
    lang: Lang = "id",
    boundaries: BoundariesFile = None,
    code_property: CodeProperty = "code",
    credit: Annotated[str, typer.Option(help="Who is the source of the boundaries.")] = "BIG",
    fictional: Fictional = False,
    send: Annotated[
        Path | None,
        typer.Option("--send", help="Send it to the targets in this file (mode 0600)."),
    ] = None,
    if_changed: Annotated[
        bool,
        typer.Option("--if-changed", help="Do nothing when it was issued with the same data."),
    ] = False,
    inventory: InventoryFile = options.INVENTORY,
    data: DataFolder = options.DATA,
) -> None:
    """Write the report: HTML, PDF, XLSX, the evidence and the villages as CSV, the map as PNG."""
    if context.invoked_subcommand is not None:
        return
    from cli.report_send import recipients, send_report
    from maps.files import write_text
    from maps.picture import picture
    from maps.report.seal import seal
    from maps.report.write import check_code, stem, write_report
    from maps.words import load

    words = load(lang)
    check_code(kabupaten)
    targets = recipients(send) if send is not None else None
    made = make(Asked(inventory, data, week, month, weeks, kabupaten, boundaries, code_property))
    evidence = seal(made.model, lang).evidence
    # Beside the report, and written last: one that was not sent is issued anew.
    issued = out / f"{stem(made.model, words, kabupaten)}.issued"
    if if_changed and issued.is_file() and issued.read_text("utf-8").strip() == evidence:
        terminal.stdout.print(
            f"{issued}: issued with the same data (evidence {evidence[:12]})",
            markup=False,
            soft_wrap=True,
        )
        return
    drawn = picture(replace(made.given, credit=credit, fictional=fictional), words)
    written = write_report(
        made.model, out, words, kabupaten=kabupaten, picture=drawn, fictional=fictional
    )
    for path in written.values():
        terminal.stdout.print(str(path), markup=False, soft_wrap=True)
    if targets is not None:
        send_report(targets, made.model, written, words, fictional=fictional)
    write_text(issued, evidence + "\n")
