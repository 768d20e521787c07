"""Sections 9 and 10 and the rules: what is wrong with the data, every village, how it is counted.

Law: whoever doubts a figure finds its rule here in words, with the numbers of the definition that
was used and not of another one.
"""

from maps.limits import limits
from maps.look import STATES
from maps.report.document import (
    Block,
    Cell,
    Column,
    Fact,
    Facts,
    Form,
    Heading,
    Names,
    Paragraph,
    Section,
    Table,
)
from maps.report.engineers import place
from maps.report.weekly import WeeklyReport
from maps.words import Words
from model.definition import State

CHANGES_SHOWN = 40
"""Rows of the list of changes; the evidence of a revision is whole in the collector's ledger."""


def quality(report: WeeklyReport, words: Words) -> Section:
    """Section 9: completeness, what is missing, and what a revision changed."""
    found, service = report.quality, report.service
    seen_ms = service.up_ms + service.down_ms
    facts = Facts(
        (
            Fact(
                words("report.completeness"),
                Cell(service.observed_share, Form.SHARE),
                meaning=words("report.completeness_says"),
            ),
            Fact(words("report.hours_observed"), Cell(seen_ms / 1000, Form.HOURS)),
            Fact(words("report.hours_unknown"), Cell(service.unknown_ms / 1000, Form.HOURS)),
        )
    )
    lists = (
        (words("report.quality_silent"), [site.name for site in found.silent]),
        (words("report.quality_coordinates"), [site.name for site in found.without_coordinates]),
        (words("report.quality_outside"), list(found.outside_register)),
        (words("report.quality_critical"), [*map(place, found.villages_without_critical_site)]),
        (
            words("report.quality_definition"),
            [str(week) for week in report.coverage.weeks_of_other_definition],
        ),
    )
    blocks: list[Block] = [facts, *(Names(title, tuple(items)) for title, items in lists)]
    return Section(9, words("report.quality"), (*blocks, *_changes(report, words)))


def _changes(report: WeeklyReport, words: Words) -> list[Block]:
    """What late data changed: one row for each site, week and kind of change, longest first."""
    rows = [(one, moved) for one in report.revised if one.revision > 1 for moved in one.moved]
    if not rows:
        return []
    rows.sort(key=lambda row: -row[1].seconds)
    table = Table(
        "changes",
        "",
        (
            Column(words("report.week")),
            Column(words("report.revision_number"), Form.COUNT),
            Column(words("report.site")),
            Column(words("report.was")),
            Column(words("report.is_now")),
            Column(words("report.how_long"), Form.DURATION),
        ),
        tuple(
            (
                Cell(str(one.week)),
                Cell(one.revision, Form.COUNT),
                Cell(_site_name(report, moved.site)),
                Cell(_label(moved.before, words)),
                Cell(_label(moved.after, words)),
                Cell(moved.seconds, Form.DURATION),
            )
            for one, moved in rows[:CHANGES_SHOWN]
        ),
    )
    says = words.plural("report.changes_says", len(rows), count=words.number(len(rows)),
                        shown=min(len(rows), CHANGES_SHOWN))  # fmt: skip
    return [Heading(words("report.changes")), Paragraph(says), table]


def _site_name(report: WeeklyReport, site: str) -> str:
    known = report.inventory.by_id.get(site)
    return known.name if known else site


def _label(label: str, words: Words) -> str:
    outcomes = {
        "up": words("report.label_up"),
        "down": words("report.label_down"),
        "unknown": words("state.not_observed"),
        "absent": words("report.label_absent"),
    }
    return outcomes[label] if label in outcomes else words(f"cause.{label}")


def annex(report: WeeklyReport, words: Words) -> Section:
    """Section 10: every village of the register stands in one of these lists."""
    lists = [
        Names(
            words(f"state.{state}"),
            tuple(place(item.village) for item in report.coverage.villages if item.state is state),
            state,
        )
        for state in STATES
    ]
    return Section(10, words("report.annex"), (_weekly(report, words), *lists), new_page=True)


def _weekly(report: WeeklyReport, words: Words) -> Table:
    """The figures of the first page's chart, week by week."""
    result = report.coverage
    return Table(
        "weekly",
        words("report.weekly"),
        (
            Column(words("report.week")),
            Column(words("report.line_stable"), Form.COUNT),
            Column(words("report.line_target"), Form.COUNT),
            Column(words("report.registered"), Form.COUNT),
            Column(words("report.share"), Form.SHARE),
        ),
        tuple(
            (
                Cell(str(week)),
                Cell(tally.states[State.STABLE], Form.COUNT),
                Cell(tally.meets_target if result.window_known(at) else None, Form.COUNT),
                Cell(tally.registered, Form.COUNT),
                Cell(tally.share if result.window_known(at) else None, Form.SHARE),
            )
            for at, (week, tally) in enumerate(zip(result.weeks, result.total.weeks, strict=True))
        ),
    )


def rules(report: WeeklyReport, words: Words) -> Section:
    """The page of rules, the last one."""
    rule = report.coverage.definition
    table = limits(rule, words)
    head, rows = table["head"], table["rows"]
    causes = ", ".join(words(f"cause.{cause}").lower() for cause in sorted(report.exempt_causes))
    paragraphs = [
        words("report.definition_availability"),
        words("report.definition_three"),
        words("report.definition_sla", causes=causes or words("report.no_cause")),
        words("report.definition_outage"),
        words("report.definition_weeks"),
        words("report.definition_village"),
        words("both.target_rule", weeks=rule.target_weeks, window=rule.target_window_weeks),
        words(
            "report.definition_observed",
            observed=words.percent(rule.observed_share_min, 0),
            cut_off=words.percent(rule.cut_off_below_availability, 0),
            hours=words.number(rule.cut_off_open_outage_seconds / 3600),
        ),
        words("report.definition_worse"),
        words("report.definition_forecast"),
    ]
    thresholds = Table(
        "limits",
        words("report.thresholds"),
        tuple(Column(str(text)) for text in head),
        tuple(tuple(Cell(text) for text in row) for row in rows),
    )
    return Section(
        None,
        words("report.definition"),
        (*(Paragraph(text) for text in paragraphs), thresholds),
        new_page=True,
    )
