"""Sections 1 to 3, for who leads: the target, where villages are lost on the way, and every region.

Law: the first page answers four questions without a term that needs explaining: how far are we, is
it getting better, when are we there, what is left.
"""

from collections.abc import Sequence
from datetime import timedelta

from maps.coverage import RegionCoverage, Tally
from maps.forecast import Outlook
from maps.look import STATES
from maps.report import charts
from maps.report.document import (
    Block,
    Cell,
    Chart,
    Column,
    Fact,
    Facts,
    Form,
    Hero,
    Paragraph,
    Section,
    Table,
)
from maps.report.weekly import WeeklyReport
from maps.words import Words
from model.definition import State
from model.region import VillageKind
from model.week import Week

STRIP_WEEKS = 8


def target(report: WeeklyReport, words: Words) -> Section:
    """Section 1, the first page."""
    result, now = report.coverage, report.coverage.total.now
    left = now.registered - now.meets_target
    rule = result.definition
    sentence = words.plural(
        "report.target_says",
        left,
        met=words.number(now.meets_target),
        total=words.number(now.registered),
        left=words.number(left),
    )
    said = words("both.target_rule", weeks=rule.target_weeks, window=rule.target_window_weeks)
    if not result.window_known(len(result.weeks) - 1):
        known = words.plural("report.target_early", len(result.weeks),
                             known=len(result.weeks), window=rule.target_window_weeks)  # fmt: skip
        said = f"{said} {known}"
    blocks: list[Block] = [
        Hero(now.meets_target, now.registered, sentence if left else words("report.target_all")),
        Paragraph(forecast_says(report, words)),
        Paragraph(said, soft=True),
        Facts(tuple(_facts(report, words))),
    ]
    if now.population_share is None:
        partial = words(
            "report.by_people_partial",
            known=words.number(now.population_known),
            total=words.number(now.registered),
        )
        blocks.append(Paragraph(partial, soft=True))
    if len(result.weeks) > 1:
        blocks.append(_progress(report, words))
    blocks.append(_states(report, words))
    return Section(1, words("report.target"), tuple(blocks))


def forecast_says(report: WeeklyReport, words: Words) -> str:
    """The forecast in a sentence, or why there is none."""
    found, last = report.forecast, report.coverage.week

    def month(ahead: int) -> str:
        return words.month((last.sunday + timedelta(weeks=ahead)).replace(day=1))

    if found.early is not None and found.middle is not None and found.late is not None:
        return words(
            "report.forecast_dated",
            early=month(found.early),
            middle=month(found.middle),
            late=month(found.late),
            weeks=found.weeks,
        )
    return {
        Outlook.REACHED: words("report.forecast_reached"),
        Outlook.TOO_FEW: words.plural("report.forecast_too_few", found.weeks, weeks=found.weeks),
        Outlook.NO_PROGRESS: words("report.forecast_no_progress", weeks=found.weeks),
        Outlook.TOO_FAR: words("report.forecast_too_far", weeks=found.weeks),
    }[found.outlook]


def _facts(report: WeeklyReport, words: Words) -> list[Fact]:
    result, now = report.coverage, report.coverage.total.now
    stable = Cell(now.states[State.STABLE], Form.COUNT)
    facts = [Fact(words("report.stable_now"), stable, now.registered, words("meaning.stable"))]
    for back, key in ((1, "report.since_week"), (4, "report.since_month")):
        change = result.change(back)
        target_change = change.meets_target if change else None
        facts += [
            Fact(f"{words(key)}, {words('report.of_target')}", _change(target_change, words)),
            Fact(
                f"{words(key)}, {words('report.of_stable')}",
                _change(change.stable if change else None, words),
            ),
        ]
    for kind in (VillageKind.DESA, VillageKind.DESA_ADAT, VillageKind.KELURAHAN):
        if (tallies := result.total.by_kind.get(kind)) is not None:
            label = words("report.kind_on_target", kind=words(f"kind.{kind}"))
            facts.append(
                Fact(label, Cell(tallies[-1].meets_target, Form.COUNT), tallies[-1].registered)
            )
    if now.population_share is not None:
        people = Cell(now.population_meets_target, Form.COUNT)
        facts.append(Fact(words("report.by_people"), people, now.population))
    return facts


def _change(value: int | None, words: Words) -> Cell:
    return Cell(words("report.not_known_yet")) if value is None else Cell(value, Form.SIGNED)


def _progress(report: WeeklyReport, words: Words) -> Chart:
    result = report.coverage
    says = words("report.target_chart")
    path = report.forecast.path
    if path:
        says = f"{says} {words('report.target_chart_band')}"
    weeks = [str(week) for week in result.weeks]
    stable = [tally.states[State.STABLE] for tally in result.total.weeks]
    met = [
        tally.meets_target if result.window_known(at) else None
        for at, tally in enumerate(result.total.weeks)
    ]
    total = result.total.now.registered
    return Chart(
        says,
        lambda width: charts.progress(words, width, says, weeks, stable, met, total, path),
    )


def _states(report: WeeklyReport, words: Words) -> Table:
    now, total = report.coverage.total.now, report.coverage.total.now.registered
    return Table(
        "states",
        words("report.states_says", total=words.number(total)),
        (
            Column(words("report.state"), Form.STATE),
            Column(words("report.meaning"), wide=True),
            Column(words("report.villages"), Form.COUNT),
            Column(words("report.share"), Form.SHARE),
        ),
        tuple(
            (
                Cell(state, Form.STATE),
                Cell(words(f"meaning.{state}")),
                Cell(now.states[state], Form.COUNT),
                Cell(now.states[state] / total if total else None, Form.SHARE),
            )
            for state in STATES
        ),
        (Cell(words("report.registered")), Cell(""), Cell(total, Form.COUNT), Cell("")),
    )


def funnel(report: WeeklyReport, words: Words) -> Section:
    """Section 2: the way from the register to stable."""
    total = report.coverage.total.now.registered
    steps = _steps(report, words)
    says = words("report.funnel_says")
    rows = [
        (name, float(count), words.number(count) + (f" ({words.signed(-lost)})" if lost else ""))
        for name, _, count, lost in steps
    ]
    table = Table(
        "funnel",
        words("report.funnel_table"),
        (
            Column(words("report.step")),
            Column(words("report.meaning"), wide=True),
            Column(words("report.villages"), Form.COUNT),
            Column(words("report.lost_here"), Form.COUNT),
            Column(words("report.share"), Form.SHARE),
        ),
        tuple(
            (
                Cell(name),
                Cell(meaning),
                Cell(count, Form.COUNT),
                Cell(lost, Form.COUNT),
                Cell(count / total if total else None, Form.SHARE),
            )
            for name, meaning, count, lost in steps
        ),
    )
    chart = Chart(says, lambda width: charts.bars(width, says, rows))
    return Section(2, words("report.funnel"), (chart, table), new_page=True)


def _steps(report: WeeklyReport, words: Words) -> list[tuple[str, str, int, int]]:
    """(name, meaning, villages, lost since the step before)."""
    steps = report.coverage.funnel
    counts = (
        (words("report.funnel_registered"), words("report.means_registered"), steps.registered),
        (words("report.funnel_connected"), words("report.means_connected"), steps.connected),
        (words("report.funnel_monitored"), words("report.means_monitored"), steps.monitored),
        (words("report.funnel_reporting"), words("report.means_reporting"), steps.reporting),
        (words("report.funnel_available"), words("report.means_available"), steps.available),
        (words("report.funnel_stable"), words("report.means_stable"), steps.stable),
    )
    before, found = steps.registered, []
    for name, meaning, count in counts:
        found.append((name, meaning, count, before - count))
        before = count
    return found


def regions(report: WeeklyReport, words: Words) -> Section:
    """Section 3: one row for each kabupaten and kota (kecamatan in a kabupaten's report)."""
    result = report.coverage
    whole = result.total
    below = whole.level.name.lower() == "province"
    title = words("report.kabupaten") if below else words("report.kecamatan")
    weeks = result.weeks[-STRIP_WEEKS:]
    columns = (
        Column(words("report.code"), Form.CODE, wide=True),
        Column(words("report.name")),
        Column(words("report.on_target"), Form.COUNT),
        Column(words("report.of_registered"), Form.COUNT),
        Column(words("report.share"), Form.SHARE),
        Column(words("report.since_week_short"), Form.SIGNED, wide=True),
        *(Column(words(f"state.{state}"), Form.COUNT, state=state, wide=True) for state in STATES),
        Column(
            words("report.strip"),
            Form.STRIP,
            parts=tuple(words("report.strip_week", week=week) for week in weeks),
        ),
    )
    listed = [(name, region) for name, region in report.regions]
    says = words("report.kabupaten_says", weeks=words.plural("unit.weeks", len(weeks)))
    if not below:
        says = words("report.kecamatan_says", weeks=words.plural("unit.weeks", len(weeks)))
    table = Table(
        "regions",
        "",
        columns,
        tuple(_region_row(report, name, region, weeks) for name, region in listed),
        _region_row(report, report.region, whole, weeks),
    )
    note = Paragraph(words("report.strip_says"), soft=True)
    return Section(3, title, (Paragraph(says), table, note))


def _region_row(
    report: WeeklyReport, name: str, region: RegionCoverage, weeks: Sequence[Week]
) -> tuple[Cell, ...]:
    now: Tally = region.now
    change = report.coverage.change(1, region.code)
    return (
        Cell(region.code, Form.CODE),
        Cell(name),
        Cell(now.meets_target, Form.COUNT),
        Cell(now.registered, Form.COUNT),
        Cell(now.share, Form.SHARE),
        Cell(change.meets_target if change else None, Form.SIGNED),
        *(Cell(now.states[state], Form.COUNT) for state in STATES),
        Cell(tuple(tally.states for tally in region.weeks[-len(weeks) :]), Form.STRIP),
    )
