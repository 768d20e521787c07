"""The book of weeks: every revision of what was concluded, and why there was a new one.

Law: a week is concluded again only when something that it hangs on has changed (data that arrived,
the inventory, the definition, the settings); the new revision stands beside the old ones.
"""

import gzip
import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from collector.changes import Change, changes
from model.definition import Quality, State
from model.errors import UnavailableError
from model.measurement import Outcome
from model.outage import Cause, Evidence, Outage
from model.summary import Repair, SiteWeek, Summary, WeekRecord
from model.timeline import Run
from model.week import Week

_FORMAT = 1


@dataclass(frozen=True)
class Entry:
    """One revision: the record, the fingerprint of what it was concluded from, and what it changed
    against the revision before (empty for the first)."""

    record: WeekRecord
    fingerprint: str
    changes: tuple[Change, ...]


class Ledger:
    """Files ``FOLDER/2026-W46.r1.json.gz``, one per revision, never changed once written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def newest(self, week: Week) -> Entry | None:
        """The last revision of a week; None when it was never concluded."""
        revisions = self._revisions(week)
        return self._read(week, revisions[-1]) if revisions else None

    def entry(self, week: Week, revision: int) -> Entry | None:
        """A certain revision; None when there is none of that number."""
        return self._read(week, revision) if revision in self._revisions(week) else None

    def add(self, record: WeekRecord, fingerprint: str) -> Entry:
        """Write ``record`` as the next revision of its week.

        Where nothing that is concluded differs from the newest revision, that one stays, under the
        new fingerprint: a revision number always means that something changed.
        """
        last = self.newest(record.week)
        if last is None:
            entry = Entry(_numbered(record, 1), fingerprint, ())
        else:
            moved = tuple(changes(last.record.site_weeks, record.site_weeks))
            same = not moved and _states(last.record) == _states(record)
            number = last.record.revision + (0 if same else 1)
            kept = last.changes if same else moved
            entry = Entry(_numbered(record, number), fingerprint, kept)
        self._write(entry)
        return entry

    def _revisions(self, week: Week) -> list[int]:
        names = self.folder.glob(f"{week}.r*.json.gz")
        return sorted(int(path.name.split(".")[1][1:]) for path in names)

    def _path(self, week: Week, revision: int) -> Path:
        return self.folder / f"{week}.r{revision}.json.gz"

    def _read(self, week: Week, revision: int) -> Entry | None:
        path = self._path(week, revision)
        try:
            document = json.loads(gzip.decompress(path.read_bytes()))
        except (OSError, EOFError, ValueError) as error:
            raise UnavailableError(
                f"{path} is damaged ({error}): move it away; the week is then concluded again"
            ) from error
        # Another format is no damage: it says nothing to us, and the week is concluded again.
        return _entry_from(document) if document.get("format") == _FORMAT else None

    def _write(self, entry: Entry) -> None:
        path = self._path(entry.record.week, entry.record.revision)
        self.folder.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        with part.open("wb") as file:
            file.write(gzip.compress(json.dumps(_document(entry)).encode(), 5, mtime=0))
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)


def fingerprint(parts: Iterable[Path], *others: str) -> str:
    """Of the archive's part files (a part never changes under its name, except by being written
    whole again) and of whatever else the conclusion hangs on."""
    digest = hashlib.sha256()
    for path in sorted(parts):
        digest.update(f"{path.parent.name}/{path.name} {path.stat().st_size}\n".encode())
    for other in others:
        digest.update(other.encode() + b"\n")
    return digest.hexdigest()


def _numbered(record: WeekRecord, revision: int) -> WeekRecord:
    return WeekRecord(
        record.week,
        revision,
        record.generated_at_ms,
        record.data_until_ms,
        record.definition_hash,
        record.site_weeks,
    )


def _states(record: WeekRecord) -> list[tuple[str, State]]:
    return [(one.site, one.state) for one in record.site_weeks]


def _document(entry: Entry) -> dict[str, Any]:
    record = entry.record
    return {
        "format": _FORMAT,
        "week": str(record.week),
        "revision": record.revision,
        "generated_at_ms": record.generated_at_ms,
        "data_until_ms": record.data_until_ms,
        "definition_hash": record.definition_hash,
        "fingerprint": entry.fingerprint,
        "changes": [asdict(change) for change in entry.changes],
        "sites": [_site_document(one) for one in record.site_weeks],
    }


def _site_document(one: SiteWeek) -> dict[str, Any]:
    return {
        "site": one.site,
        "state": one.state.value,
        "summaries": [
            [s.up_ms, s.down_ms, s.unknown_ms, s.excluded_ms]
            for s in (one.raw, one.service, one.sla)
        ],
        "repair": [getattr(one.repair, name) for name in Repair.__slots__],
        "quality": [getattr(one.quality, name) for name in Quality.__slots__],
        "outages": [_outage_document(outage) for outage in one.outages],
        "runs": [[r.start_ms, r.end_ms, r.outcome.value, r.reason, r.looks] for r in one.runs],
    }


def _outage_document(outage: Outage) -> dict[str, Any]:
    return {
        "start_ms": outage.start_ms,
        "end_ms": outage.end_ms,
        "open": outage.open,
        "cause": outage.cause.value,
        "confidence": outage.confidence,
        "evidence": [[e.rule, e.cause.value, e.weight, e.text] for e in outage.evidence],
        "parent": outage.parent,
        "began_ms": outage.began_ms,
    }


def _entry_from(document: dict[str, Any]) -> Entry:
    week = Week.parse(document["week"])
    record = WeekRecord(
        week=week,
        revision=document["revision"],
        generated_at_ms=document["generated_at_ms"],
        data_until_ms=document["data_until_ms"],
        definition_hash=document["definition_hash"],
        site_weeks=tuple(_site_from(one, week) for one in document["sites"]),
    )
    moved = tuple(Change(**change) for change in document["changes"])
    return Entry(record, document["fingerprint"], moved)


def _site_from(one: dict[str, Any], week: Week) -> SiteWeek:
    raw, service, sla = (Summary(*numbers) for numbers in one["summaries"])
    return SiteWeek(
        site=one["site"],
        week=week,
        raw=raw,
        service=service,
        sla=sla,
        repair=Repair(*one["repair"]),
        quality=Quality(*one["quality"]),
        state=State(one["state"]),
        outages=tuple(_outage_from(one["site"], outage) for outage in one["outages"]),
        runs=tuple(
            Run(start, end, Outcome(outcome), reason, looks)
            for start, end, outcome, reason, looks in one["runs"]
        ),
    )


def _outage_from(site: str, one: dict[str, Any]) -> Outage:
    evidence: Sequence[list[Any]] = one["evidence"]
    return Outage(
        site=site,
        start_ms=one["start_ms"],
        end_ms=one["end_ms"],
        open=one["open"],
        cause=Cause(one["cause"]),
        confidence=one["confidence"],
        evidence=tuple(
            Evidence(rule, Cause(cause), weight, text) for rule, cause, weight, text in evidence
        ),
        parent=one["parent"],
        began_ms=one.get("began_ms"),  # revisions of before there was such a thing have none
    )
