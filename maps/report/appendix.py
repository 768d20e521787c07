"""Sections 9 and 10 and the rules: what is wrong with the data, every village, how it is counted.

Law: whoever doubts a figure finds its rule here in words, with the numbers of the definition that
was used and not of another one.
"""

from dataclasses import replace

from maps.coverage import Tally
from maps.forecast import BAND, WEEKS_MIN
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
from maps.report.fields import Field, table
from maps.report.weekly import Moved, Revised, WeeklyReport
from maps.words import Words
from model.clock import ClockTrouble
from model.definition import State
from model.week import Week

ROWS_SHOWN = 40
"""Rows of the lists of changes and of clocks; a revision's changes are whole in the ledger."""


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
    more = (*_clocks(report, words), *_changes(report, words))
    return Section(9, words("report.quality"), (*blocks, *more))


def _clocks(report: WeeklyReport, words: Words) -> list[Block]:
    """The probes whose looks may be dated wrongly, the worst first."""
    found = report.quality.clocks
    if not found:
        return [Names(words("report.clocks"), ())]
    says = words.plural("report.clocks_says", len(found), count=words.number(len(found)),
                        shown=min(len(found), ROWS_SHOWN))  # fmt: skip
    made = table(
        "clocks",
        "",
        (
            Field[ClockTrouble](words("report.site"), lambda one: _site_name(report, one.site)),
            Field(words("report.doubtful"), lambda one: one.doubtful, Form.COUNT),
            Field(words("report.of_looks"), lambda one: one.looks, Form.COUNT),
            Field(words("report.share"), lambda one: one.doubtful / one.looks, Form.SHARE),
            Field(words("report.clock_error"), lambda one: one.error_max_seconds, Form.DURATION),
        ),
        found[:ROWS_SHOWN],
    )
    return [Heading(words("report.clocks")), Paragraph(says), made]


_Changed = tuple[Revised, Moved]


def _changes(report: WeeklyReport, words: Words) -> list[Block]:
    """What late data changed: one row for each site, week and kind of change, longest first."""
    rows = [(one, moved) for one in report.revised if one.revision > 1 for moved in one.moved]
    if not rows:
        return []
    rows.sort(key=lambda row: -row[1].seconds)
    made = table(
        "changes",
        "",
        (
            Field[_Changed](words("report.week"), lambda row: str(row[0].week)),
            Field(words("report.revision_number"), lambda row: row[0].revision, Form.COUNT),
            Field(words("report.site"), lambda row: _site_name(report, row[1].site)),
            Field(words("report.was"), lambda row: _label(row[1].before, words)),
            Field(words("report.is_now"), lambda row: _label(row[1].after, words)),
            Field(words("report.how_long"), lambda row: row[1].seconds, Form.DURATION),
        ),
        rows[:ROWS_SHOWN],
    )
    says = words.plural("report.changes_says", len(rows), count=words.number(len(rows)),
                        shown=min(len(rows), ROWS_SHOWN))  # fmt: skip
    return [Heading(words("report.changes")), Paragraph(says), made]


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
    return Section(
        10,
        words("report.annex"),
        (_states(report, words), _weekly(report, words), *lists),
        new_page=True,
    )


def _states(report: WeeklyReport, words: Words) -> Table:
    """What each state means, and how many villages are in it."""
    now, total = report.coverage.total.now, report.coverage.total.now.registered
    made = table(
        "states",
        words("report.states_says", total=words.number(total)),
        (
            Field[State](words("report.state"), lambda state: state, Form.STATE),
            Field(words("report.meaning"), lambda state: words(f"meaning.{state}"), wide=True),
            Field(words("report.villages"), lambda state: now.states[state], Form.COUNT),
            Field(
                words("report.share"),
                lambda state: now.states[state] / total if total else None,
                Form.SHARE,
            ),
        ),
        STATES,
    )
    foot = (Cell(words("report.registered")), Cell(""), Cell(total, Form.COUNT), Cell(""))
    return replace(made, foot=foot)


_Week = tuple[Week, Tally, bool]


def _weekly(report: WeeklyReport, words: Words) -> Table:
    """The figures of the first page's chart, week by week; no target where its window is not
    known."""
    result = report.coverage
    known = [result.window_known(at) for at in range(len(result.weeks))]
    return table(
        "weekly",
        words("report.weekly"),
        (
            Field[_Week](words("report.week"), lambda row: str(row[0])),
            Field(words("report.line_stable"), lambda row: row[1].states[State.STABLE], Form.COUNT),
            Field(
                words("report.line_target"),
                lambda row: row[1].meets_target if row[2] else None,
                Form.COUNT,
            ),
            Field(words("report.registered"), lambda row: row[1].registered, Form.COUNT),
            Field(words("report.share"), lambda row: row[1].share if row[2] else None, Form.SHARE),
        ),
        zip(result.weeks, result.total.weeks, known, strict=True),
    )


def rules(report: WeeklyReport, words: Words) -> Section:
    """The page of rules, the last one."""
    rule = report.coverage.definition
    found = limits(rule, words)
    head, rows = found["head"], found["rows"]
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
        words("report.definition_forecast", share=words.percent(BAND, 0), needed=WEEKS_MIN),
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
