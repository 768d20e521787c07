"""Section 8, for who answers for public services: which could be used, and what stopped them.

Law: ready, of how many, and how much of the service hours was seen stand side by side.
"""

from collections.abc import Sequence

from maps.report.document import Block, Form, Heading, Paragraph, Section
from maps.report.engineers import place
from maps.report.fields import Field, table
from maps.report.services import PUBLIC_KINDS, Readiness, StoppedPlace
from maps.report.weekly import WeeklyReport
from maps.words import Words
from model.outage import Cause
from model.service import MALL
from model.site import SiteKind

CAUSES_NAMED = 3


def services(report: WeeklyReport, words: Words) -> Section:
    """Section 8."""
    title, found = words("report.services"), report.services
    if not found.kinds:
        return Section(8, title, (Paragraph(words("report.services_none")),))
    blocks: list[Block] = []
    mall = next((one for one in found.kinds if one.kind.id == MALL), None)
    if mall is not None:
        said = words(
            "report.mpp_says",
            have=words.number(mall.existing),
            ready=words.number(mall.ready),
            total=words.number(mall.wanted),
        )
        blocks.append(Paragraph(said))
    blocks += [
        Heading(words("report.services_table")),
        table("services", "", _kind_fields(words), found.kinds),
        Paragraph(words("report.services_says"), soft=True),
    ]
    shown = {one.kind.id for one in found.kinds}
    missing = [
        _name(kind, words)
        for key, kind in report.inventory.kinds.items()
        if key in PUBLIC_KINDS and key not in shown
    ]
    if missing:
        said = words("report.services_missing", kinds=", ".join(missing))
        blocks.append(Paragraph(said, soft=True))
    if found.stopped:
        blocks += [
            Heading(words("report.stopped")),
            table("stopped", "", _place_fields(words), found.stopped),
        ]
    return Section(8, title, tuple(blocks))


def _kind_fields(words: Words) -> list[Field[Readiness]]:
    return [
        Field(words("report.service"), lambda one: _name(one.kind, words)),
        Field(words("report.ready"), lambda one: one.ready, Form.COUNT),
        Field(words("report.places"), lambda one: one.wanted, Form.COUNT),
        Field(words("report.seen"), lambda one: one.seen, Form.COUNT, wide=True),
        Field(
            words("report.share_ready"),
            lambda one: one.ready / one.wanted if one.wanted else None,
            Form.SHARE,
        ),
        Field(words("report.hours_ready"), lambda one: one.ready_share, Form.SHARE),
        Field(words("both.observed_share"), lambda one: one.observed_share, Form.SHARE),
        Field(words("report.stopped_by"), lambda one: _causes(one.stopped, words), wide=True),
    ]


def _place_fields(words: Words) -> list[Field[StoppedPlace]]:
    return [
        Field(words("report.site"), lambda one: one.site.name),
        Field(words("report.village"), lambda one: place(one.village), wide=True),
        Field(
            words("report.verdict"),
            lambda one: words("report.is_ready" if one.ready else "report.not_ready"),
        ),
        Field(words("report.hours_ready"), lambda one: one.place.ready_share, Form.SHARE),
        Field(words("both.observed_share"), lambda one: one.observed_share, Form.SHARE),
        Field(
            words("report.hours_stopped"), lambda one: one.place.stopped_ms / 1000, Form.DURATION
        ),
        Field(words("report.stopped_by"), lambda one: _causes(one.stopped, words)),
    ]


def _name(kind: SiteKind, words: Words) -> str:
    return kind.name_id if words.lang == "id" else kind.name_en


def _causes(stopped: Sequence[tuple[Cause, int]], words: Words) -> str | None:
    """The causes of most of the time, the longest first, each with its time."""
    named = [
        f"{words(f'cause.{cause}')} {words.duration(ms / 1000)}"
        for cause, ms in stopped[:CAUSES_NAMED]
    ]
    return ", ".join(named) or None
