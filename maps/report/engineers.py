"""Sections 4 to 8, for who repairs, buys and answers for services.

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
from maps.report.outages import REPAIR_STEPS_SECONDS
from maps.report.places import CHRONIC_OUTAGES
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
    table = Table(
        "worst",
        "",
        (
            Column(words("report.site")),
            Column(words("report.village"), wide=True),
            Column(words("report.down_service"), Form.DURATION),
            Column(words("report.people"), Form.COUNT, wide=True),
            Column(words("both.availability"), Form.SHARE),
            Column(words("both.observed_share"), Form.SHARE),
            Column(words("report.main_cause")),
            Column(words("report.outages_in_window", weeks=WINDOW_WEEKS), Form.COUNT),
        ),
        tuple(
            (
                Cell(item.site.name),
                Cell(place(item.village)),
                Cell(item.service.down_ms / 1000, Form.DURATION),
                Cell(item.village.population, Form.COUNT),
                Cell(item.service.availability, Form.SHARE),
                Cell(item.service.observed_share, Form.SHARE),
                Cell(words(f"cause.{item.cause}") if item.cause else None),
                Cell(
                    item.outages,
                    Form.COUNT,
                    tag=words("report.chronic") if item.chronic else "",
                ),
            )
            for item in report.worst
        ),
    )
    return Section(4, title, (Paragraph(f"{says} {chronic}"), table), new_page=True)


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
    table = Table(
        "causes",
        "",
        (
            Column(words("report.main_cause")),
            Column(words("report.count"), Form.COUNT),
            Column(words("report.sites"), Form.COUNT),
            Column(words("report.down_hours"), Form.HOURS),
            Column(words("report.share"), Form.SHARE),
        ),
        tuple(
            (
                Cell(words(f"cause.{item.cause}")),
                Cell(item.count, Form.COUNT),
                Cell(item.sites, Form.COUNT),
                Cell(item.seconds, Form.HOURS),
                Cell(item.seconds / lost if lost else None, Form.SHARE),
            )
            for item in report.by_cause
        ),
    )
    chart = Chart(says, lambda width: charts.bars(width, says, rows))
    blocks: tuple[Block, ...] = (facts, chart, table)
    blocks += (_by_provider(report, words),)
    if total.ended:
        blocks += (_repairs(report, words),)
    return Section(6, words("report.outages"), blocks, new_page=True)


def _by_provider(report: WeeklyReport, words: Words) -> Table:
    return Table(
        "outages",
        words("report.by_provider"),
        (
            Column(words("report.provider")),
            Column(words("report.lines"), Form.COUNT),
            Column(words("report.count"), Form.COUNT),
            Column(words("report.still_open"), Form.COUNT, wide=True),
            Column(words("report.down_hours"), Form.HOURS),
            Column(words("report.mttr_median_short"), Form.DURATION),
            Column(words("report.mttr_p90_short"), Form.DURATION, wide=True),
            Column(words("report.mtbf_short"), Form.DURATION, wide=True),
        ),
        tuple(
            (
                Cell(one.provider.name),
                Cell(one.outages.sites, Form.COUNT),
                Cell(one.outages.count, Form.COUNT),
                Cell(one.outages.open, Form.COUNT),
                Cell(one.outages.down_seconds, Form.HOURS),
                Cell(one.outages.mttr_median_seconds, Form.DURATION),
                Cell(one.outages.mttr_p90_seconds, Form.DURATION),
                Cell(one.outages.mtbf_seconds, Form.DURATION),
            )
            for one in report.providers
        ),
    )


def _repairs(report: WeeklyReport, words: Words) -> Chart:
    total = report.outages.ended
    says = words.plural("report.repairs_says", total,
                        ended=words.number(total))  # fmt: skip
    names = [
        *(words("report.up_to", length=words.duration(step)) for step in REPAIR_STEPS_SECONDS),
        words("report.beyond", length=words.duration(REPAIR_STEPS_SECONDS[-1])),
    ]
    rows = [
        (name, float(count), f"{words.number(count)} ({words.percent(count / total)})")
        for name, count in zip(names, report.outages.repairs, strict=True)
    ]  # fmt: skip
    return Chart(says, lambda width: charts.bars(width, says, rows))


def providers(report: WeeklyReport, words: Words) -> Section:
    """Section 7."""
    title = words("report.providers")
    if not report.providers:
        return Section(7, title, (Paragraph(words("report.providers_none")),))
    columns = (
        Column(words("report.provider")),
        Column(words("report.lines"), Form.COUNT),
        Column(words("report.sla"), Form.SHARE),
        Column(words("report.sla_reached"), Form.SHARE),
        Column(words("both.observed_share"), Form.SHARE),
        Column(words("report.verdict")),
        Column(words("report.sites_below"), Form.COUNT, wide=True),
        Column(words("report.down_counted"), Form.HOURS, wide=True),
        Column(words("report.excluded"), Form.HOURS, wide=True),
    )
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
            Table("providers", "", columns, tuple(_score(one, words) for one in report.providers)),
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


def _score(one: ProviderScore, words: Words) -> tuple[Cell, ...]:
    verdict = {
        None: words("report.sla_unknown"),
        True: words("report.sla_met"),
        False: words("report.sla_missed"),
    }[one.met]
    return (
        Cell(one.provider.name),
        Cell(one.outages.sites, Form.COUNT),
        Cell(one.provider.sla_availability, Form.SHARE),
        Cell(one.outages.sla.availability, Form.SHARE),
        Cell(one.outages.sla.observed_share, Form.SHARE),
        Cell(verdict),
        Cell(one.sites_below, Form.COUNT),
        Cell(one.outages.sla.down_ms / 1000, Form.HOURS),
        Cell(one.outages.sla.excluded_ms / 1000, Form.HOURS),
    )


def services(report: WeeklyReport, words: Words) -> Section:
    """Section 8."""
    title = words("report.services")
    if not report.readiness:
        return Section(8, title, (Paragraph(words("report.services_none")),))
    blocks: list[Block] = []
    mpp = next((one for one in report.readiness if one.kind.id == "mpp"), None)
    if mpp is not None and report.coverage.province.count(".") == 0:
        wanted = words(
            "report.mpp_says",
            have=words.number(len(mpp.kabupaten)),
            ready=words.number(len(mpp.kabupaten_ready)),
            total=words.number(len(report.register.kabupaten)),
        )
        blocks.append(Paragraph(wanted))
    blocks += [
        Heading(words("report.services_table")),
        Table(
            "services",
            "",
            (
                Column(words("report.service")),
                Column(words("report.ready"), Form.COUNT),
                Column(words("report.places"), Form.COUNT),
                Column(words("report.seen"), Form.COUNT, wide=True),
                Column(words("report.share_ready"), Form.SHARE),
                Column(words("both.availability"), Form.SHARE),
                Column(words("both.observed_share"), Form.SHARE),
            ),
            tuple(
                (
                    Cell(one.kind.name_id if words.lang == "id" else one.kind.name_en),
                    Cell(one.ready, Form.COUNT),
                    Cell(one.places, Form.COUNT),
                    Cell(one.seen, Form.COUNT),
                    Cell(one.ready / one.places, Form.SHARE),
                    Cell(one.service.availability, Form.SHARE),
                    Cell(one.service.observed_share, Form.SHARE),
                )
                for one in report.readiness
            ),
        ),
        Paragraph(words("report.services_says"), soft=True),
    ]
    return Section(8, title, tuple(blocks))
