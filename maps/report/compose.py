"""The report in words: sections in the order of their readers.

Law: page 1 is for who leads, sections 2 to 8 for who works, the rest for who checks; every form of
the report shows this document and nothing else.
"""

from maps.report import appendix, engineers, leader, overview, readiness
from maps.report.document import Document
from maps.report.seal import Seal
from maps.report.weekly import WeeklyReport
from maps.words import Words


def compose(report: WeeklyReport, words: Words, seal: Seal, *, fictional: bool = False) -> Document:
    """The whole document in the language of ``words``."""
    result, week = report.coverage, report.coverage.week
    if report.month is None:
        subtitle = words(
            "report.subtitle", number=week.number, year=week.year, days=words.week_days(week)
        )
        title = words("report.title")
    else:
        subtitle = words("report.subtitle_month", month=words.month(report.first_day), week=week)
        title = words("report.title_month")
    zone = words.zone(week, report.timezone)
    data = words("both.no_data")
    if result.data_until_ms is not None:
        data = words("both.data_until", moment=words.moment(result.data_until_ms, report.timezone))
    notes = [words("both.fictional")] if fictional else []
    if any(one.revision > 1 for one in report.revised if one.week == week):
        notes.append(words("report.is_revision", number=result.revision))
    revision = words("both.revision", number=result.revision)
    head = (
        words("both.footer_register", version=result.register_version),
        words("both.footer_definition", hash=result.definition.hash),
        revision,
        words("report.completeness_short", share=words.percent(report.service.observed_share)),
        data,
        words("report.generated", moment=words.moment(result.generated_at_ms, report.timezone)),
        words("report.previous", week=week.plus(-1)),
        words("report.digest", digest=seal.evidence[:12]),
    )
    name = words("report.of_region", title=title, region=report.region)
    return Document(
        lang=words.lang,
        title=name,
        subtitle=f"{subtitle} ({zone})",
        notes=tuple(notes),
        head=head,
        footer=f"{name} · {report.month or week} · {revision}",
        sections=(
            leader.target(report, words),
            overview.funnel(report, words),
            overview.regions(report, words),
            engineers.worst(report, words),
            engineers.moves(report, words),
            engineers.outages(report, words),
            engineers.providers(report, words),
            readiness.services(report, words),
            appendix.quality(report, words),
            appendix.annex(report, words),
            appendix.rules(report, words),
        ),
    )
