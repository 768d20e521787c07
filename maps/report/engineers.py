"""Sections 4 to 7, for who repairs and buys.

Law: no availability without its observed share, no provider's figure without the number of lines
and the excluded time, no percentage without what it is of.
"""

from collections.abc import Sequence

from maps.coverage import VillageCoverage
from maps.report import charts
from maps.report.document import (
    Block,
    Cell,
    Chart,
    Fact,
    Facts,
    Form,
    Names,
    Paragraph,
    Section,
    Table,
)
from maps.report.fields import Field, table
from maps.report.outages import REPAIR_STEPS_SECONDS, CauseTotal
from maps.report.places import CHRONIC_OUTAGES, WorstSite
from maps.report.weekly import FLAPPING_CHANGES, WINDOW_WEEKS, ProviderScore, WeeklyReport
from maps.words import Words
from model.region import Village


def place(village: Village) -> str:
    """A village by name and code; names repeat within a province."""
    return f"{village.name} ({village.code})"


def worst(report: WeeklyReport, words: Words) -> Section:
    """Section 4."""
    title = words("report.worst")
    if not report.worst:
        return Section(4, title, (Paragraph(words("report.worst_none")),), new_page=True)
    says = words("report.worst_says_people" if report.weighted_by_people else "report.worst_says")
    chronic = words("report.chronic_rule", count=CHRONIC_OUTAGES, weeks=WINDOW_WEEKS)
    made = table(
        "worst",
        "",
        (
            Field[WorstSite](words("report.site"), lambda one: one.site.name),
            Field(words("report.village"), lambda one: place(one.village), wide=True),
            Field(
                words("report.down_service"),
                lambda one: one.service.down_ms / 1000,
                Form.DURATION,
            ),
            Field(
                words("report.people"),
                lambda one: one.village.population,
                Form.COUNT,
                wide=True,
            ),
            Field(words("both.availability"), lambda one: one.service.availability, Form.SHARE),
            Field(words("both.observed_share"), lambda one: one.service.observed_share, Form.SHARE),
            Field(
                words("report.main_cause"),
                lambda one: words(f"cause.{one.cause}") if one.cause else None,
            ),
            Field(
                words("report.outages_in_window", weeks=WINDOW_WEEKS),
                lambda one: one.outages,
                Form.COUNT,
                tag=lambda one: words("report.chronic") if one.chronic else "",
            ),
        ),
        report.worst,
    )
    return Section(4, title, (Paragraph(f"{says} {chronic}"), made), new_page=True)


def moves(report: WeeklyReport, words: Words) -> Section:
    """Section 5."""
    title, found = words("report.moves"), report.moves
    if found is None:
        return Section(5, title, (Paragraph(words("report.moves_first")),))
    rule = words("report.flapping_rule", count=FLAPPING_CHANGES, weeks=WINDOW_WEEKS)
    says = words(
        "report.moves_says",
        stable=words.number(len(found.newly_stable)),
        lost=words.number(len(found.newly_lost)),
        flapping=words.number(len(found.flapping)),
    )
    return Section(
        5,
        title,
        (
            Paragraph(says),
            _villages(words("report.newly_stable"), found.newly_stable),
            _villages(words("report.newly_lost"), found.newly_lost),
            _villages(words("report.flapping"), found.flapping),
            Paragraph(rule, soft=True),
        ),
    )


def _villages(title: str, items: Sequence[VillageCoverage]) -> Names:
    return Names(title, tuple(place(item.village) for item in items))


def outages(report: WeeklyReport, words: Words) -> Section:
    """Section 6."""
    total = report.outages
    facts = Facts(
        (
            Fact(words("report.outage_count"), Cell(total.count, Form.COUNT)),
            Fact(words("report.outage_ended"), Cell(total.ended, Form.COUNT), total.count or None),
            Fact(words("report.outage_open"), Cell(total.open, Form.COUNT), total.count or None),
            Fact(words("report.mttr_median"), Cell(total.mttr_median_seconds, Form.DURATION)),
            Fact(words("report.mttr_p90"), Cell(total.mttr_p90_seconds, Form.DURATION)),
            Fact(words("report.mttr_mean"), Cell(total.mttr_mean_seconds, Form.DURATION)),
            Fact(words("report.mtbf"), Cell(total.mtbf_seconds, Form.DURATION)),
            Fact(words("report.raw_availability"), Cell(total.raw.availability, Form.SHARE)),
            Fact(words("report.raw_observed"), Cell(total.raw.observed_share, Form.SHARE)),
        )
    )
    if not report.by_cause:
        none = Paragraph(words("report.outages_none"))
        return Section(6, words("report.outages"), (none, facts), new_page=True)
    lost = sum(item.seconds for item in report.by_cause)
    says = words("report.causes_says")
    rows = [
        (words(f"cause.{item.cause}"), item.seconds,
         f"{words.number(item.seconds / 3600, 1)} {words('unit.hours')}")
        for item in report.by_cause
    ]  # fmt: skip
    made = table(
        "causes",
        "",
        (
            Field[CauseTotal](words("report.main_cause"), lambda one: words(f"cause.{one.cause}")),
            Field(words("report.count"), lambda one: one.count, Form.COUNT),
            Field(words("report.sites"), lambda one: one.sites, Form.COUNT),
            Field(words("report.down_hours"), lambda one: one.seconds, Form.HOURS),
            Field(
                words("report.share"), lambda one: one.seconds / lost if lost else None, Form.SHARE
            ),
        ),
        report.by_cause,
    )
    tells = charts.told(rows)
    chart = Chart(says, tells, lambda width: charts.bars(width, f"{says} {tells}", rows))
    blocks: tuple[Block, ...] = (facts, chart, made)
    blocks += (_by_provider(report, words),)
    if total.ended:
        blocks += _repairs(report, words)
    return Section(6, words("report.outages"), blocks, new_page=True)


def _by_provider(report: WeeklyReport, words: Words) -> Table:
    return table(
        "outages",
        words("report.by_provider"),
        (
            Field[ProviderScore](words("report.provider"), lambda one: one.provider.name),
            Field(words("report.lines"), lambda one: one.outages.sites, Form.COUNT),
            Field(words("report.count"), lambda one: one.outages.count, Form.COUNT),
            Field(words("report.still_open"), lambda one: one.outages.open, Form.COUNT, wide=True),
            Field(words("report.down_hours"), lambda one: one.outages.down_seconds, Form.HOURS),
            Field(
                words("report.mttr_median_short"),
                lambda one: one.outages.mttr_median_seconds,
                Form.DURATION,
            ),
            Field(
                words("report.mttr_p90_short"),
                lambda one: one.outages.mttr_p90_seconds,
                Form.DURATION,
                wide=True,
            ),
            Field(
                words("report.mtbf_short"),
                lambda one: one.outages.mtbf_seconds,
                Form.DURATION,
                wide=True,
            ),
        ),
        report.providers,
    )


def _repairs(report: WeeklyReport, words: Words) -> tuple[Chart, Table]:
    """How long repairs took, by class."""
    total = report.outages.ended
    says = words.plural("report.repairs_says", total, ended=words.number(total))
    names = [
        *(words("report.up_to", length=words.duration(step)) for step in REPAIR_STEPS_SECONDS),
        words("report.beyond", length=words.duration(REPAIR_STEPS_SECONDS[-1])),
    ]
    classes = list(zip(names, report.outages.repairs, strict=True))
    rows = [
        (name, float(count), f"{words.number(count)} ({words.percent(count / total)})")
        for name, count in classes
    ]
    tells = charts.told(rows)
    made = table(
        "repairs",
        "",
        (
            Field[tuple[str, int]](words("report.repair_length"), lambda row: row[0]),
            Field(words("report.count"), lambda row: row[1], Form.COUNT),
            Field(words("report.share"), lambda row: row[1] / total, Form.SHARE),
        ),
        classes,
    )
    return Chart(says, tells, lambda width: charts.bars(width, f"{says} {tells}", rows)), made


def providers(report: WeeklyReport, words: Words) -> Section:
    """Section 7."""
    title = words("report.providers")
    if not report.providers:
        return Section(7, title, (Paragraph(words("report.providers_none")),))
    causes = ", ".join(words(f"cause.{cause}").lower() for cause in sorted(report.exempt_causes))
    excluded = words("report.excluded_says", causes=causes) if causes else ""
    return Section(
        7,
        title,
        (
            Paragraph(
                words(
                    "report.providers_says",
                    first=words.full_date(report.first_day),
                    last=words.full_date(report.last_day),
                )
            ),
            table("providers", "", _score_fields(words), report.providers),
            Paragraph(f"{excluded} {words('report.in_service_says')}".strip(), soft=True),
            Paragraph(
                words(
                    "report.evidence_says",
                    rows=words.number(len(report.evidence.rows)),
                    file=words("report.evidence_file"),
                ),
                soft=True,
            ),
        ),
    )


def _score_fields(words: Words) -> list[Field[ProviderScore]]:
    verdicts = {
        None: words("report.sla_unknown"),
        True: words("report.sla_met"),
        False: words("report.sla_missed"),
    }
    return [
        Field(words("report.provider"), lambda one: one.provider.name),
        Field(words("report.lines"), lambda one: one.outages.sites, Form.COUNT),
        Field(words("report.sla"), lambda one: one.provider.sla_availability, Form.SHARE),
        Field(words("report.sla_reached"), lambda one: one.outages.sla.availability, Form.SHARE),
        Field(words("both.observed_share"), lambda one: one.outages.sla.observed_share, Form.SHARE),
        Field(words("report.verdict"), lambda one: verdicts[one.met]),
        Field(words("report.sites_below"), lambda one: one.sites_below, Form.COUNT, wide=True),
        Field(
            words("report.down_counted"),
            lambda one: one.outages.sla.down_ms / 1000,
            Form.HOURS,
            wide=True,
        ),
        Field(
            words("report.excluded"),
            lambda one: one.outages.sla.excluded_ms / 1000,
            Form.HOURS,
            wide=True,
        ),
    ]
