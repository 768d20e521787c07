"""Looks of a server's archive brought here hour by hour, so that they can be concluded.

Law: an hour is copied whole or not at all, under a name of its own, and the server says how many
looks it has: an hour that is here with as many is not asked for again, one with more is replaced.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from collector.archive.base import Archive
from collector.archive.parquet import ParquetArchive
from model.errors import UnavailableError
from model.timeline import Interval

HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Copied:
    """One hour: when it began, how many looks it has, and whether they had to be fetched."""

    start_ms: int
    looks: int
    fetched: bool


def copied_hours(source: Archive, target: ParquetArchive, interval: Interval) -> Iterator[Copied]:
    """Bring the UTC hours that touch ``interval`` from ``source`` into ``target``, one a step.

    Raises UnavailableError when an archive cannot, and when an hour has other looks than the
    server counted (somebody is writing into it: ask again).
    """
    first = interval.start_ms // HOUR_MS * HOUR_MS
    for start_ms in range(first, interval.end_ms, HOUR_MS):
        hour = Interval(start_ms, start_ms + HOUR_MS)
        at = datetime.fromtimestamp(start_ms / 1000, UTC)
        name = f"fetched-{at:%Y%m%dT%H}"
        looks = source.rows(hour)
        fetched = looks != target.kept(name)
        if fetched:
            block = source.looks(hour)
            if block.rows != looks:
                raise UnavailableError(
                    f"{at:%Y-%m-%d %H:00} UTC: the archive counts {looks} looks and gives "
                    f"{block.rows}: is it being written to? Fetch again"
                )
            target.append(name, block)
        yield Copied(start_ms, looks, fetched)
