"""Sections 2 and 3: where villages are lost on the way to stable, and every region.

Law: each step counts a part of the villages of the one before; each region has all its villages in
its denominator, and the whole stands below them.
"""

from dataclasses import dataclass

from maps.coverage import RegionCoverage
from maps.look import STATES
from maps.report import charts
from maps.report.document import Chart, Form, Paragraph, Section
from maps.report.fields import Field, table
from maps.report.weekly import WeeklyReport
from maps.words import Words
from model.definition import State

STRIP_WEEKS = 8


def funnel(report: WeeklyReport, words: Words) -> Section:
    """Section 2: the way from the register to stable."""
    total = report.coverage.total.now.registered
    steps = _steps(report, words)
    says = words("report.funnel_says")
    rows = [
        (
            step.name,
            float(step.villages),
            words.number(step.villages) + (f" ({words.signed(-step.lost)})" if step.lost else ""),
        )
        for step in steps
    ]
    made = table(
        "funnel",
        words("report.funnel_table"),
        (
            Field[_Step](words("report.step"), lambda step: step.name),
            Field(words("report.meaning"), lambda step: step.meaning, wide=True),
            Field(words("report.villages"), lambda step: step.villages, Form.COUNT),
            Field(words("report.lost_here"), lambda step: step.lost, Form.COUNT),
            Field(
                words("report.share"),
                lambda step: step.villages / total if total else None,
                Form.SHARE,
            ),
        ),
        steps,
    )
    tells = charts.told(rows)
    chart = Chart(says, tells, lambda width: charts.bars(width, f"{says} {tells}", rows))
    return Section(2, words("report.funnel"), (chart, made), new_page=True)


@dataclass(frozen=True, slots=True)
class _Step:
    """``villages`` got as far as this; ``lost`` were still there at the step before."""

    name: str
    meaning: str
    villages: int
    lost: int


def _steps(report: WeeklyReport, words: Words) -> list[_Step]:
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
        found.append(_Step(name, meaning, count, before - count))
        before = count
    return found


def regions(report: WeeklyReport, words: Words) -> Section:
    """Section 3: one row for each kabupaten and kota (kecamatan in a kabupaten's report)."""
    result = report.coverage
    whole = result.total
    below = whole.level.name.lower() == "province"
    title = words("report.kabupaten") if below else words("report.kecamatan")
    weeks = result.weeks[-STRIP_WEEKS:]
    says = "report.kabupaten_says" if below else "report.kecamatan_says"
    letters = ", ".join(
        f"{look.letter} {words(f'state.{state}')}" for state, look in STATES.items()
    )
    made = table(
        "regions", "", _region_fields(report, words), report.regions, (report.region, whole)
    )
    return Section(
        3,
        title,
        (
            Paragraph(words(says, weeks=words.plural("unit.weeks", len(weeks)))),
            made,
            Paragraph(f"{letters}. {words('report.strip_says')}", soft=True),
        ),
    )


_Region = tuple[str, RegionCoverage]


def _region_fields(report: WeeklyReport, words: Words) -> list[Field[_Region]]:
    weeks = report.coverage.weeks[-STRIP_WEEKS:]

    def change(one: _Region) -> int | None:
        found = report.coverage.change(1, one[1].code)
        return found.meets_target if found else None

    def states(state: State) -> Field[_Region]:
        name = words(f"state.{state}")
        return Field(name, lambda one: one[1].now.states[state], Form.COUNT, wide=True, state=state)

    return [
        Field(words("report.code"), lambda one: one[1].code, Form.CODE, wide=True),
        Field(words("report.name"), lambda one: one[0]),
        Field(words("report.on_target"), lambda one: one[1].now.meets_target, Form.COUNT),
        Field(words("report.of_registered"), lambda one: one[1].now.registered, Form.COUNT),
        Field(words("report.share"), lambda one: one[1].now.share, Form.SHARE),
        Field(words("report.since_week_short"), change, Form.SIGNED, wide=True),
        *(states(state) for state in STATES),
        Field(
            words("report.strip"),
            lambda one: tuple(tally.states for tally in one[1].weeks[-len(weeks) :]),
            Form.STRIP,
            parts=tuple(words("report.strip_week", week=week) for week in weeks),
        ),
    ]
