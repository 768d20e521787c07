"""A scenario file -> an inventory and measurements in an archive, and what must be concluded.

Law: the player knows nothing of the rules it tests. It turns stretches of local time into looks,
one every interval from Monday 00:00 on, and durations in words into milliseconds; that is all.
The format is described in tests/scenarios/README.md.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from collector.archive.parquet import ParquetArchive
from model.columns import Block
from model.definition import Definition
from model.inventory import CENTRE_SITE, Inventory, Maintenance, Provider, Province, Upstream
from model.measurement import METRICS, Outcome
from model.region import parse_code
from model.site import DAY_NAMES, Access, PowerSource, ServiceHours, Site
from model.summary import Summary
from model.timeline import Interval
from model.week import Week

_MOMENT = r"(?:(?:last |next )?(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)|\d{4}-\d\d-\d\d) \d\d:\d\d"
_ENTRY = re.compile(
    rf"(?:(?P<start>{_MOMENT}|every day \d\d:\d\d) - (?P<end>{_MOMENT}|\d\d:\d\d) )?"
    r"(?P<what>up|down|silent|unknown|[\d.]+ V)"
    r"(?: because (?P<reason>[a-z0-9_: ]+?))?(?: loss (?P<loss>\d+) %)?(?: rtt (?P<rtt>\d+) ms)?"
    r"(?: shifted (?P<shift>\d+) s)?"
)
_BOOT_REASONS = {"unsaid": 0, "power": 1, "watchdog": 2, "planned": 3}
_BEYOND_PINGS = {
    "lan": ("ping", "lan:router"),
    "dns": ("dns", "dns:resolver"),
    "by_name": ("http", "national:page"),
    "captive": ("captive", "national:hotspot"),
    "application": ("http", "application:siap"),
}
"""The keys of further looks of a site's own probe, with their kinds and targets."""
_SITE_KEYS = {
    *_BEYOND_PINGS, "kind", "traps", "port_changed", "black_hole",
    "id", "copies", "access", "feeder", "upstream", "zone", "hours", "in_service_from",
    "power_hours", "kabupaten", "centre", "village", "isp_gateway", "boots", "volts", "gaps",
    "late",
}  # fmt: skip
_ECHOES = 5

Row = dict[str, Any]


@dataclass(frozen=True)
class Scenario:
    """One file, read. ``expect`` and its kin are the tables as they stand in the file."""

    path: Path
    raw: Mapping[str, Any]

    @cached_property
    def week(self) -> Week:
        return Week.parse(self.raw["week"])

    @cached_property
    def zone(self) -> str:
        return str(self.raw.get("zone", "Asia/Pontianak"))

    def moment(self, text: str, zone: str | None = None) -> int:
        """``Tue 08:10``, ``last Sun 23:00``, ``next Mon 00:00``, ``2026-11-09 07:00`` in ms."""
        day_text, _, clock = text.rpartition(" ")
        which, _, day = day_text.rpartition(" ")
        if day in DAY_NAMES:
            weeks = {"last": -1, "": 0, "next": 1}[which]
            at = self.week.monday + timedelta(days=DAY_NAMES.index(day), weeks=weeks)
        else:
            at = date.fromisoformat(day)
        hour, minute = (int(part) for part in clock.split(":"))
        at += timedelta(days=hour // 24)
        local = datetime(
            at.year, at.month, at.day, hour % 24, minute, tzinfo=ZoneInfo(zone or self.zone)
        )
        return round(local.timestamp() * 1000)

    @property
    def now_ms(self) -> int:
        return self.moment(self.raw.get("now", "next Mon 00:00"))

    def interval_ms(self, vantage: str) -> int:
        return int(self.raw.get("interval_seconds", {}).get(vantage, 300)) * 1000

    @cached_property
    def site_tables(self) -> list[Mapping[str, Any]]:
        """The tables of all sites; one with ``copies`` stands for several."""
        tables: list[Mapping[str, Any]] = []
        for table in self.raw["site"]:
            unknown = set(table) - _SITE_KEYS
            if unknown:
                raise ValueError(f"{self.path.name}: site keys that nobody reads: {unknown}")
            copies = table.get("copies")
            ids = [f"{table['id']}-{n:02d}" for n in range(1, copies + 1)] if copies else None
            tables += [{**table, "id": one} for one in ids or [table["id"]]]
        return tables

    def expected(self, table: str) -> dict[str, Mapping[str, Any]]:
        """What is expected of each site, copies included, in one of the expectation tables."""
        found: dict[str, Mapping[str, Any]] = {}
        for site, content in self.raw.get(table, {}).items():
            ids = [
                one["id"] for one in self.site_tables if re.fullmatch(rf"{site}(-\d\d)?", one["id"])
            ]
            if not ids:
                raise ValueError(f"{self.path.name}: [{table}.{site}] is no site of the scenario")
            found |= dict.fromkeys(ids, content)
        return found

    # --- the inventory -------------------------------------------------------------------------

    @cached_property
    def inventory(self) -> Inventory:
        nodes = {t["upstream"] for t in self.site_tables if "upstream" in t}
        parents: Mapping[str, str] = self.raw.get("upstream_of", {})
        nodes |= set(parents) | set(parents.values())
        return Inventory(
            province=Province("61", "Kalimantan Barat", self.zone),
            kabupaten=(),
            providers={"isp": Provider("isp", "ISP")},
            upstreams={n: Upstream(n, n, "isp", parents.get(n)) for n in sorted(nodes)},
            kinds={},
            sites=tuple(sorted(map(self._site, self.site_tables), key=lambda site: site.id)),
            definition=Definition(),
            maintenance=tuple(
                Maintenance(
                    Interval(self.moment(one["from"]), self.moment(one["to"])),
                    one["reason"],
                    frozenset(one.get("sites", ())),
                    frozenset(one.get("upstreams", ())),
                )
                for one in self.raw.get("maintenance", ())
            ),
        )

    def _site(self, table: Mapping[str, Any]) -> Site:
        hours = float(table.get("power_hours", 24))
        return Site(
            id=table["id"],
            name=table["id"],
            kind=table.get("kind", "kantor_desa"),
            village=parse_code(f"{table.get('kabupaten', '61.01')}.13.2002"),
            access=Access(table.get("access", "4g")),
            provider="isp",
            timezone=table.get("zone", self.zone),
            service_hours=ServiceHours.parse(table.get("hours", "Mon-Fri 07:30-15:30")),
            service_critical=True,
            interval_seconds=self.interval_ms("centre") // 1000,
            in_service_from=table.get("in_service_from", date(2020, 1, 1)),
            address="192.0.2.1" if "centre" in table else None,
            upstream=table.get("upstream"),
            feeder=table.get("feeder"),
            power=PowerSource.GRID if hours >= 24 else PowerSource.GENERATOR,
            power_hours_a_day=hours,
            has_probe="village" in table,
        )

    # --- the measurements ----------------------------------------------------------------------

    def rows(self, *, late: bool) -> list[Row]:
        """All looks that came in time, or all that came late."""
        rows: list[Row] = []
        if not late:
            for name, entries in self.raw.get("anchors", {}).items():
                rows += self._pings(CENTRE_SITE, "centre", f"anchor:{name}", entries, self.zone)
        for table in self.site_tables:
            site, zone = table["id"], table.get("zone", self.zone)
            if "centre" in table and not late:
                rows += self._pings(site, "centre", "site", table["centre"], zone)
            if "village" in table and table.get("late", False) == late:
                rows += self._pings(site, "village", "national", table["village"], zone)
                gateway = table.get("isp_gateway", table["village"])
                rows += self._pings(site, "village", "isp_gateway", gateway, zone)
                for key, (kind, target) in _BEYOND_PINGS.items():
                    rows += self._pings(site, "village", target, table.get(key, ()), zone, kind)
                rows += self._device(table, zone)
                rows += self._told(table, zone)
        return rows

    def _told(self, table: Mapping[str, Any], zone: str) -> Iterator[Row]:
        """Notifications of the device, and what looks at its path found."""
        for text in table.get("traps", ()):
            when, _, name = text.rpartition(" ")
            yield {"site": table["id"], "vantage": "centre", "kind": "trap",
                   "target": f"device:{name}", "at_ms": self.moment(when, zone),
                   "outcome": Outcome.UP, "reason": "",
                   **({"on_battery": 1.0} if name == "upsOnBattery" else {})}  # fmt: skip
        for text in table.get("black_hole", ()):
            yield {"site": table["id"], "vantage": "village", "kind": "path",
                   "target": "application:way", "at_ms": self.moment(text, zone),
                   "outcome": Outcome.UP, "reason": "", "mtu_black_hole": 1.0}  # fmt: skip

    def _pings(
        self,
        site: str,
        vantage: str,
        target: str,
        entries: Iterable[str],
        zone: str,
        kind: str = "ping",
    ) -> Iterator[Row]:
        owed = 0.0
        for at_ms, entry in self._grid(vantage, entries, zone):
            if entry["what"] == "silent":
                continue
            outcome = Outcome[entry["what"].upper()]
            row = {"site": site, "vantage": vantage, "kind": kind, "target": target,
                   "at_ms": at_ms, "outcome": outcome, "reason": entry["reason"] or ""}  # fmt: skip
            if outcome is Outcome.DOWN:
                row["reason"] = entry["reason"] or "no answer"
            if kind != "ping":
                yield row
                continue
            if outcome is Outcome.UP:
                owed += _ECHOES * int(entry["loss"] or 0) / 100
                missing = int(owed + 1e-9)
                owed -= missing
                row |= {"sent": _ECHOES, "received": _ECHOES - missing,
                        "rtt_median_seconds": int(entry["rtt"] or 50) / 1000}  # fmt: skip
            elif outcome is Outcome.DOWN:
                row |= {"sent": _ECHOES, "received": 0}
            yield row

    def _device(self, table: Mapping[str, Any], zone: str) -> Iterator[Row]:
        """What the device says of itself at every look, and the gap records of its spool."""
        boots = [(self.moment("last Mon 00:00") - 10**9, 0)]
        for text in table.get("boots", ()):
            when, _, reason = text.rpartition(" ")
            boots.append((self.moment(when, zone), _BOOT_REASONS[reason]))
        volts = dict(self._grid("village", table.get("volts", ()), zone))
        base = {"site": table["id"], "vantage": "village", "kind": "device", "target": "device"}
        for at_ms, entry in self._grid("village", table["village"], zone):
            if entry["what"] == "silent" or at_ms < boots[0][0]:
                continue
            number = max(n for n, (started, _) in enumerate(boots) if started <= at_ms)
            started, reason = boots[number]
            row = base | {"at_ms": at_ms, "outcome": Outcome.UP, "reason": ""}
            row |= {"boot_id": number, "boot_reason": reason}
            row["uptime_seconds"] = (at_ms - started) / 1000
            if "port_changed" in table and at_ms >= (
                changed := self.moment(table["port_changed"], zone)
            ):
                row["interface_change_seconds"] = (at_ms - changed) / 1000
            if at_ms in volts:
                row["supply_volts"] = float(volts[at_ms]["what"].removesuffix(" V"))
            yield row
        for text in table.get("gaps", ()):
            start, end = self._bounds(*text.split(" - "), zone)
            row = base | {"kind": "gap", "target": "spool", "at_ms": start}
            row |= {"outcome": Outcome.UNKNOWN, "reason": "spool overflow"}
            yield row | {"gap_seconds": (end - start) / 1000}

    def _grid(
        self, vantage: str, entries: Iterable[str], zone: str
    ) -> list[tuple[int, Mapping[str, str | None]]]:
        """Times and what was seen: a later entry overrules an earlier one."""
        step = self.interval_ms(vantage)
        monday = self.moment("Mon 00:00", zone)
        seen: dict[int, Mapping[str, str | None]] = {}
        for text in entries:
            match = _ENTRY.fullmatch(text)
            if match is None:
                raise ValueError(f"{self.path.name}: {text!r} cannot be read")
            entry = match.groupdict()
            for start, end in self._spans(entry["start"], entry["end"], zone):
                first = start + (monday - start) % step
                shift = int(entry["shift"] or 0) * 1000
                seen |= {at + shift: entry for at in range(first, end, step)}
        return sorted(seen.items())

    def _spans(self, start: str | None, end: str | None, zone: str) -> list[tuple[int, int]]:
        if start is None or end is None:
            return [self._bounds("Mon 00:00", "Sun 24:00", zone)]
        if start.startswith("every day"):
            clock = start.removeprefix("every day ")
            return [self._bounds(f"{day} {clock}", end, zone) for day in DAY_NAMES]
        return [self._bounds(start, end, zone)]

    def _bounds(self, start: str, end: str, zone: str) -> tuple[int, int]:
        """An end without a day is on the day of the start."""
        if " " not in end:
            end = f"{start.rpartition(' ')[0]} {end}"
        return self.moment(start, zone), self.moment(end, zone)

    def write(self, data: Path, *, late: bool) -> None:
        """Append the looks to the archive under ``data``, as one part that says when it came."""
        rows = self.rows(late=late)
        archive = ParquetArchive(data / "archive")
        archive.append("late" if late else "in-time", block_of(rows))


def block_of(rows: list[Row]) -> Block:
    """Rows as columns; a metric that no row has is left out, one that a row lacks is NaN."""
    names = ("site", "vantage", "kind", "target", "reason", "at_ms", "outcome")
    columns: dict[str, Any] = {name: [row[name] for row in rows] for name in names}
    for name in METRICS:
        if any(name in row for row in rows):
            columns[name] = [float(row.get(name, "nan")) for row in rows]
    return Block(columns, len(rows))


def read_scenario(path: Path) -> Scenario:
    """Read one file of tests/scenarios."""
    return Scenario(path, tomllib.loads(path.read_text(encoding="utf-8")))


def duration_ms(text: str) -> int:
    """``161 h 50 min 30 s`` in milliseconds."""
    parts = re.fullmatch(r"(?:(\d+) h)? ?(?:(\d+) min)? ?(?:(\d+) s)?", text)
    if parts is None or not text:
        raise ValueError(f"{text!r} is not a duration")
    hours, minutes, seconds = (int(part or 0) for part in parts.groups())
    return ((hours * 60 + minutes) * 60 + seconds) * 1000


def summary_of(text: str) -> Summary:
    """``up 161 h 50 min, down 6 h 10 min``: what is not named is nothing."""
    total = Summary()
    for part in text.split(", "):
        outcome, _, duration = part.partition(" ")
        total = replace(total, **{f"{outcome}_ms": duration_ms(duration)})
    return total
