"""Section 1, the first page, for who leads.

Law: the first page answers five questions without a term that needs explaining: how far are we, is
it getting better, when are we there, what stands in the way, what is to be decided.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from maps.coverage import Tally
from maps.forecast import BAND, WEEKS_MIN, Outlook
from maps.report import charts
from maps.report.document import Block, Cell, Chart, Form, Hero, Paragraph, Section, Table
from maps.report.fields import Field, table
from maps.report.obstacles import Standing
from maps.report.weekly import WeeklyReport
from maps.words import Words
from model.definition import State
from model.region import VillageKind


def target(report: WeeklyReport, words: Words) -> Section:
    """Section 1, the first page."""
    result, now = report.coverage, report.coverage.total.now
    left = now.registered - now.meets_target
    sentence = words.plural(
        "report.target_says",
        left,
        met=words.number(now.meets_target),
        total=words.number(now.registered),
        left=words.number(left),
    )
    blocks: list[Block] = [
        Hero(now.meets_target, now.registered, sentence if left else words("report.target_all")),
        Paragraph(_change_says(report, words)),
        Paragraph(forecast_says(report, words)),
        Paragraph(_rule_says(report, words), soft=True),
    ]
    if len(result.weeks) > 1:
        blocks.append(_progress(report, words))
    if left:
        blocks.append(_obstacles(report, words))
    blocks.append(_figures(report, words))
    if now.population_share is None:
        partial = words(
            "report.by_people_partial",
            known=words.number(now.population_known),
            total=words.number(now.registered),
        )
        blocks.append(Paragraph(partial, soft=True))
    return Section(1, words("report.target"), tuple(blocks))


def _rule_says(report: WeeklyReport, words: Words) -> str:
    """What the target is, and how much of its window is known."""
    result, rule = report.coverage, report.coverage.definition
    said = words("report.rule_says", weeks=rule.target_weeks, window=rule.target_window_weeks)
    if result.window_known(len(result.weeks) - 1):
        return said
    known = words.plural("report.target_early", len(result.weeks),
                         known=len(result.weeks), window=rule.target_window_weeks)  # fmt: skip
    return f"{said} {known}"


def _change_says(report: WeeklyReport, words: Words) -> str:
    """What moved since a week ago and since four, as far as that is known."""
    week, month = (
        change.meets_target if (change := report.coverage.change(back)) else None for back in (1, 4)
    )
    if week is None:
        return words("report.change_unknown")
    if month is None:
        return words("report.change_week", week=words.signed(week))
    return words("report.change_both", week=words.signed(week), month=words.signed(month))


def forecast_says(report: WeeklyReport, words: Words) -> str:
    """The forecast in a sentence, or why there is none."""
    found, last = report.forecast, report.coverage.week

    def month(ahead: int) -> str:
        return words.month((last.sunday + timedelta(weeks=ahead)).replace(day=1))

    if found.early is not None and found.middle is not None and found.late is not None:
        waiting = report.coverage.total.now.states[State.NOT_CONNECTED]
        unbuilt = words.plural("report.forecast_unbuilt", waiting, count=words.number(waiting))
        dated = words(
            "report.forecast_dated",
            early=month(found.early),
            middle=month(found.middle),
            late=month(found.late),
            weeks=found.weeks,
        )
        return f"{dated} {unbuilt}" if waiting else dated
    return {
        Outlook.REACHED: words("report.forecast_reached"),
        Outlook.TOO_FEW: words.plural(
            "report.forecast_too_few", found.weeks, weeks=found.weeks, needed=WEEKS_MIN
        ),
        Outlook.NO_PROGRESS: words("report.forecast_no_progress", weeks=found.weeks),
        Outlook.TOO_FAR: words("report.forecast_too_far", weeks=found.weeks),
    }[found.outlook]


@dataclass(frozen=True, slots=True)
class _Figure:
    """One row of the first page's figures: ``part`` of ``whole``, and its changes."""

    label: str
    part: int
    whole: int
    week: int | None
    month: int | None


def _figures(report: WeeklyReport, words: Words) -> Table:
    """Desa and kelurahan apart, the villages that are stable, and the people."""
    total = report.coverage.total
    listed = [
        _figure(report, words("report.on_target"), total.weeks, _met, by_window=True),
        *(
            _figure(
                report,
                words("report.kind_on_target", kind=words(f"kind.{kind}")),
                total.by_kind[kind],
                _met,
                by_window=True,
            )
            for kind in (VillageKind.DESA, VillageKind.DESA_ADAT, VillageKind.KELURAHAN)
            if kind in total.by_kind and len(total.by_kind) > 1
        ),
        _figure(report, words("report.stable_now"), total.weeks, _stable, by_window=False),
    ]
    if total.now.population_share is not None:
        people = _figure(report, words("report.by_people"), total.weeks, _people, by_window=True)
        listed.append(replace(people, whole=total.now.population))
    return table(
        "target",
        words("report.figures"),
        (
            Field[_Figure](words("report.figure"), lambda one: one.label),
            Field(words("report.part"), lambda one: one.part, Form.COUNT),
            Field(words("report.of_registered"), lambda one: one.whole, Form.COUNT),
            Field(
                words("report.share"),
                lambda one: one.part / one.whole if one.whole else None,
                Form.SHARE,
            ),
            Field(words("report.since_week"), lambda one: one.week, Form.SIGNED, wide=True),
            Field(words("report.since_month"), lambda one: one.month, Form.SIGNED, wide=True),
        ),
        listed,
    )


def _met(tally: Tally) -> int:
    return tally.meets_target


def _stable(tally: Tally) -> int:
    return tally.states[State.STABLE]


def _people(tally: Tally) -> int:
    return tally.population_meets_target


def _figure(
    report: WeeklyReport,
    label: str,
    weeks: Sequence[Tally],
    count: Callable[[Tally], int],
    *,
    by_window: bool,
) -> _Figure:
    """``by_window``: the figure looks back, so an earlier one counts only with a known window."""

    def since(back: int) -> int | None:
        then = len(weeks) - 1 - back
        if then < 0 or (by_window and not report.coverage.window_known(then)):
            return None
        return count(weeks[-1]) - count(weeks[then])

    return _Figure(label, count(weeks[-1]), weeks[-1].registered, since(1), since(4))


def _obstacles(report: WeeklyReport, words: Words) -> Table:
    """What stands in the way of the villages to go, and what is to be decided."""
    now, rule = report.coverage.total.now, report.coverage.definition
    left = now.registered - now.meets_target

    def name(one: Standing) -> str:
        values = {"weeks": rule.target_weeks, "window": rule.target_window_weeks}
        return words(f"obstacle.{one.obstacle}", **values)

    made = table(
        "obstacles",
        words.plural("report.obstacles", left, left=words.number(left)),
        (
            Field[Standing](words("report.obstacle"), name),
            Field(words("report.count"), lambda one: one.villages, Form.COUNT),
            Field(words("report.decision"), lambda one: words(f"decision.{one.obstacle}")),
        ),
        report.obstacles,
    )
    foot = (Cell(words("report.to_go")), Cell(left, Form.COUNT), Cell(""))
    return replace(made, foot=foot)


def _progress(report: WeeklyReport, words: Words) -> Chart:
    result = report.coverage
    says = words("report.target_chart")
    path = report.forecast.path
    if path:
        says = f"{says} {words('report.target_chart_band', share=words.percent(BAND, 0))}"
    weeks = [str(week) for week in result.weeks]
    stable = [tally.states[State.STABLE] for tally in result.total.weeks]
    met = [
        tally.meets_target if result.window_known(at) else None
        for at, tally in enumerate(result.total.weeks)
    ]
    total = result.total.now.registered
    tells = _progress_tells(weeks, stable, met, words)
    return Chart(
        says,
        tells,
        lambda width: charts.progress(
            words, width, f"{says} {tells}", weeks, stable, met, total, path
        ),
    )


def _progress_tells(
    weeks: Sequence[str], stable: Sequence[int], met: Sequence[int | None], words: Words
) -> str:
    """The chart's first and last week in words."""
    told = []
    for at in dict.fromkeys((0, len(weeks) - 1)):
        said = [f"{words('report.line_stable')} {words.number(stable[at])}"]
        if (known := met[at]) is not None:
            said.append(f"{words('report.line_target')} {words.number(known)}")
        told.append(f"{weeks[at]}: {', '.join(said)}")
    return "; ".join(told) + "."
