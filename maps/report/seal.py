"""The seal of a report: what it was made of, in every file of it, so that anybody can check.

Law: the digest covers everything that a figure hangs on (register, definition, sites, and the
states, sums and outages of every week used) and nothing that does not change a figure.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from maps.report.weekly import WeeklyReport
from model.definition import State
from model.errors import InputError

_FORMAT = 2
"""Another number for every change of what the digest covers: an old one is refused, not misread."""


@dataclass(frozen=True)
class Seal:
    """``weeks``: each week used with its revision, oldest first; ``figures``: the ones of the first
    page, so that a difference can be said in numbers; ``kabupaten``: empty for the province."""

    province: str
    kabupaten: str
    week: str
    month: str
    lang: str
    fictional: bool
    weeks: tuple[tuple[str, int], ...]
    register: str
    definition: str
    generated_at_ms: int
    evidence: str
    figures: dict[str, int | float | None]

    def text(self) -> str:
        """One line of JSON."""
        document = {"jangkau_report": _FORMAT, **asdict(self)}
        return json.dumps(document, separators=(",", ":"), sort_keys=True)

    @classmethod
    def parse(cls, text: str) -> "Seal":
        """Read ``text``. Raises InputError when it is no seal of ours."""
        try:
            document = json.loads(text)
            if document.pop("jangkau_report") != _FORMAT:
                raise InputError("the seal is of another format: use the Jangkau that wrote it")
            weeks = tuple((str(week), int(number)) for week, number in document.pop("weeks"))
            return cls(weeks=weeks, **document)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise InputError(f"the seal cannot be read: {error}") from None


def seal(
    report: WeeklyReport, lang: str, *, kabupaten: str | None = None, fictional: bool = False
) -> Seal:
    """The seal of ``report``."""
    result, now = report.coverage, report.coverage.total.now
    return Seal(
        province=report.register.villages[0].code[:2] if report.register.villages else "",
        kabupaten=kabupaten or "",
        week=str(result.week),
        month=str(report.month or ""),
        lang=lang,
        fictional=fictional,
        weeks=tuple((str(one.week), one.revision) for one in report.revised),
        register=result.register_version,
        definition=result.definition.hash,
        generated_at_ms=result.generated_at_ms,
        evidence=_digest(report),
        figures={
            "registered": now.registered,
            "meets_target": now.meets_target,
            **{state.value: now.states[state] for state in State},
            "outages": report.outages.count,
            "down_seconds": report.outages.down_seconds,
            "availability": report.service.availability,
            "observed_share": report.service.observed_share,
        },
    )


def _digest(report: WeeklyReport) -> str:
    digest = hashlib.sha256()
    for line in _lines(report):
        digest.update(line.encode("utf-8", "surrogatepass") + b"\n")
    return digest.hexdigest()


def _lines(report: WeeklyReport) -> Iterator[str]:
    yield f"{report.coverage.register_version} {report.coverage.definition.hash}"
    yield f"{report.coverage.province} {report.month} {sorted(report.exempt_causes)}"
    for village in report.register.villages:
        yield repr((village.code, village.name, village.population))
    for site in report.inventory.sites:
        yield repr(
            (site.id, site.name, site.kind, site.village, site.provider, site.upstream,
             site.service_critical, site.in_service_from.isoformat(), site.timezone)
        )  # fmt: skip
    for provider in report.inventory.providers.values():
        yield repr((provider.id, provider.name, provider.sla_availability))
    for record in report.records:
        yield str(record.week)
        for item in record.site_weeks:
            yield repr(
                (item.site, item.state.value,
                 [(s.up_ms, s.down_ms, s.unknown_ms, s.excluded_ms)
                  for s in (item.raw, item.service, item.sla)],
                 [(o.start_ms, o.end_ms, o.cause.value, o.open) for o in item.outages])
            )  # fmt: skip
    for item in report.items:  # a month's sums, which are cut out of its weeks
        yield repr((item.site, item.raw, item.service, item.sla))
    for kind in report.services.kinds:
        yield repr((kind.kind.id, kind.wanted, kind.seen, kind.ready, kind.ready_ms, kind.stopped))
    for clock in report.quality.clocks:
        yield repr(clock)
    for row in report.evidence.rows:
        yield repr((row.site.id, tuple(row.interval), row.counts.value, row.cause))
