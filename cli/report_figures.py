"""The figures of a report, for those who write one and for those who check one."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from cli.coverage import gather
from model.errors import InputError

if TYPE_CHECKING:
    from maps.map_data import MapInput
    from maps.report.month import Month
    from maps.report.weekly import Revised, WeeklyReport


@dataclass(frozen=True)
class Asked:
    """What a report is asked for: the last of ``weeks`` weeks or a month, and one kabupaten or
    (None) the province."""

    inventory: Path
    data: Path
    week: str | None
    month: str | None
    weeks: int
    kabupaten: str | None = None
    boundaries: Path | None = None
    code_property: str = "code"


@dataclass(frozen=True)
class Made:
    """A report, and the same figures as the map takes them."""

    model: "WeeklyReport"
    given: "MapInput"


def make(asked: Asked) -> Made:
    """The report's figures. Raises InputError for a week, month or region that is none."""
    from cli.map_page import fitted
    from collector.clocks import clock_troubles
    from collector.services import service_weeks
    from collector.settings import AccountingSettings
    from maps.coverage import coverage
    from maps.map_data import MapInput, within
    from maps.report.weekly import weekly_report

    chosen = _month(asked.month)
    if chosen is not None and asked.week is not None:
        raise InputError("--week and --month: give one of them")
    last = str(chosen.weeks[-1]) if chosen else asked.week
    reach = asked.weeks
    if chosen is not None:
        beyond = chosen.last_whole_week != chosen.weeks[-1]
        reach = max(asked.weeks + beyond, len(chosen.weeks))
    found = gather(asked.inventory, asked.data, last, reach)
    borders = None
    if asked.boundaries is not None:
        borders = fitted(asked.boundaries, found.register, asked.code_property)
    given = MapInput(found.register, found.inventory, found.coverage, found.records, borders)
    if asked.kabupaten is not None:
        given = within(given, asked.kabupaten)
        named = replace(
            given.inventory.province,
            code=asked.kabupaten,
            name=given.register.name(asked.kabupaten),
        )
        given = replace(given, inventory=replace(given.inventory, province=named))
    known = given.records
    if chosen is not None:
        known = tuple(one for one in given.records if one.week <= chosen.last_whole_week)
        if not known:
            raise InputError(f"--month {chosen}: there is no whole week of data in it yet")
    if asked.kabupaten is not None or len(known) < len(given.records):
        given = replace(given, coverage=coverage(given.register, given.inventory, known))
    told = {record.week for record in given.records}
    weeks = [week for week in chosen.weeks if week in told] if chosen else [known[-1].week]
    model = weekly_report(
        given.register,
        given.inventory,
        given.records,
        given.coverage,
        month=chosen,
        exempt_causes=frozenset(AccountingSettings().exempt_causes),
        revised=_revised(asked.data, given),
        # The whole inventory: a week is concluded of all its sites, and kept by that.
        service_weeks=[
            one for week in weeks for one in service_weeks(asked.data, found.inventory, week)
        ],
        clocks=clock_troubles(asked.data, given.inventory, known[-1].week),
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
    shown = set(given.coverage.weeks)
    for record in given.records:
        if record.week not in shown:
            continue
        # A first revision changed nothing, and reading a week takes its time.
        entry = ledger.newest(record.week) if record.revision > 1 else None
        moved = tuple(
            Moved(change.site, change.before, change.after, change.ms / 1000)
            for change in (entry.changes if entry else ())
            if change.site in given.inventory.by_id
        )
        found.append(Revised(record.week, record.revision, moved))
    return tuple(found)
