"""``jangkau report``: the weekly report, from one calculation in every form that somebody needs."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli import options, terminal
from cli.coverage import Weeks, gather
from cli.map_page import BoundariesFile, CodeProperty, Fictional, Lang
from cli.options import DataFolder, InventoryFile, WeekText
from cli.report_verify import verify
from model.errors import InputError

if TYPE_CHECKING:
    from maps.map_data import MapInput
    from maps.report.month import Month
    from maps.report.weekly import Revised, WeeklyReport

app = typer.Typer(help="Write the weekly (or monthly) report, send it, check one.")
app.command("verify")(verify)


@dataclass(frozen=True)
class Made:
    """A report, and the same figures as the map takes them."""

    model: "WeeklyReport"
    given: "MapInput"


@app.callback(invoke_without_command=True)
def report(
    context: typer.Context,
    week: WeekText = None,
    month: Annotated[
        str | None, typer.Option("--month", help="A calendar month such as 2026-10 instead.")
    ] = None,
    weeks: Weeks = 12,
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
    inventory: InventoryFile = options.INVENTORY,
    data: DataFolder = options.DATA,
) -> None:
    """Write the report: HTML, PDF, XLSX, the evidence and the villages as CSV, the map as PNG."""
    if context.invoked_subcommand is not None:
        return
    from cli.report_send import recipients, send_report
    from maps.picture import picture
    from maps.report.write import check_code, write_report
    from maps.words import load

    words = load(lang)
    check_code(kabupaten)
    targets = recipients(send) if send is not None else None
    made = make(inventory, data, week, month, weeks, kabupaten, boundaries, code_property)
    drawn = picture(replace(made.given, credit=credit, fictional=fictional), words)
    written = write_report(
        made.model, out, words, kabupaten=kabupaten, picture=drawn, fictional=fictional
    )
    for path in written.values():
        terminal.stdout.print(str(path), markup=False, soft_wrap=True)
    if targets is not None:
        send_report(targets, made.model, written, words, fictional=fictional)


def make(
    inventory: Path,
    data: Path,
    week: str | None,
    month: str | None,
    weeks: int,
    kabupaten: str | None,
    boundaries: Path | None = None,
    code_property: str = "code",
) -> Made:
    """The report's figures. Raises InputError for a week, month or region that is none."""
    from cli.map_page import fitted
    from collector.settings import AccountingSettings
    from maps.coverage import coverage
    from maps.map_data import MapInput, within
    from maps.report.weekly import weekly_report

    chosen = _month(month)
    if chosen is not None and week is not None:
        raise InputError("--week and --month: give one of them")
    last = str(chosen.weeks[-1]) if chosen else week
    reach = weeks
    if chosen is not None:
        beyond = chosen.last_whole_week != chosen.weeks[-1]
        reach = max(weeks + beyond, len(chosen.weeks))
    found = gather(inventory, data, last, reach)
    borders = fitted(boundaries, found.register, code_property) if boundaries else None
    given = MapInput(found.register, found.inventory, found.coverage, found.records, borders)
    if kabupaten is not None:
        given = within(given, kabupaten)
        named = replace(
            given.inventory.province, code=kabupaten, name=given.register.name(kabupaten)
        )
        given = replace(given, inventory=replace(given.inventory, province=named))
    known = given.records
    if chosen is not None:
        known = tuple(one for one in given.records if one.week <= chosen.last_whole_week)
        if not known:
            raise InputError(f"--month {chosen}: there is no whole week of data in it yet")
    given = replace(given, coverage=coverage(given.register, given.inventory, known))
    model = weekly_report(
        given.register,
        given.inventory,
        given.records,
        given.coverage,
        month=chosen,
        exempt_causes=frozenset(AccountingSettings().exempt_causes),
        revised=_revised(data, given),
    )
    return Made(model, given)


def _month(text: str | None) -> "Month | None":
    from maps.report.month import Month

    if text is None:
        return None
    try:
        return Month.parse(text)
    except ValueError as error:
        raise InputError(f"--month: {error}") from None


def _revised(data: Path, given: "MapInput") -> "tuple[Revised, ...]":
    """What each week's newest revision changed, of the sites that the report is about."""
    from collector.ledger import Ledger
    from maps.report.weekly import Moved, Revised

    ledger = Ledger(data / "weeks")
    found = []
    for week in given.coverage.weeks:
        entry = ledger.newest(week)
        if entry is None:
            continue
        moved = tuple(
            Moved(change.site, change.before, change.after, change.ms / 1000)
            for change in entry.changes
            if change.site in given.inventory.by_id
        )
        found.append(Revised(week, entry.record.revision, moved))
    return tuple(found)
