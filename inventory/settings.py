"""The parts of an inventory that are not sites: the keys of each, and how it is read.

Law: where the file says nothing, the model's default holds, and docs/inventory.md prints it.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from inventory import values
from inventory.checks import rungs
from inventory.keys import Key, as_entries, as_items, as_table, check_names, read_keys
from inventory.mistakes import Mistakes, Source
from inventory.nodes import Node, Table, read_nodes
from model.definition import Definition
from model.inventory import Anchor, Kabupaten, LookSettings, Maintenance, Province
from model.measurement import Rung
from model.region import Level
from model.site import Access, SiteKind
from model.timeline import Interval

PROVINCE: Mapping[str, Key] = {
    "code": Key(values.code(Level.PROVINCE), needed=True),
    "name": Key(values.text, needed=True),
    "timezone": Key(values.zone, needed=True),
}
KABUPATEN: Mapping[str, Key] = {
    "code": Key(values.code(Level.KABUPATEN), needed=True),
    "name": Key(values.text, needed=True),
    "bps_code": Key(values.bps_kabupaten),
    "kecamatan_count": Key(values.whole(0, 1_000)),
    "desa_count": Key(values.whole(0, 10_000)),
    "kelurahan_count": Key(values.whole(0, 10_000)),
    "population": Key(values.whole(0, 100_000_000)),
    "area_km2": Key(values.number(0, 1_000_000)),
}
PROVIDER: Mapping[str, Key] = {
    "name": Key(values.text, needed=True),
    "sla_availability": Key(values.share),
}
UPSTREAM: Mapping[str, Key] = {
    "name": Key(values.text, needed=True),
    "provider": Key(values.node_id, needed=True),
    "parent": Key(values.node_id),
}
KIND: Mapping[str, Key] = {
    "name_id": Key(values.text),
    "name_en": Key(values.text),
    "service_hours": Key(values.service_hours),
    "service_critical": Key(values.truth),
    "interval_seconds": Key(values.whole(10, 86_400)),
    "rungs": Key(rungs),
}
_NEEDED_OF_A_NEW_KIND = tuple(name for name in KIND if name != "rungs")
LOOK: Mapping[str, Key] = {
    "echoes": Key(values.whole(1, 20)),
    "timeout_seconds": Key(values.number(0.1, 10)),
}
CENTRE_ANCHOR: Mapping[str, Key] = {
    "name": Key(values.node_id, needed=True),
    "address": Key(values.address, needed=True),
    "rung": Key(values.one_of(Rung)),
}
VILLAGE_TARGET: Mapping[str, Key] = {
    **CENTRE_ANCHOR,
    "rung": Key(values.one_of(Rung), needed=True),
}
MAINTENANCE: Mapping[str, Key] = {
    "from": Key(values.moment, needed=True),
    "to": Key(values.moment, needed=True),
    "reason": Key(values.text, needed=True),
    "sites": Key(values.site_id, many=True),
    "upstreams": Key(values.node_id, many=True),
}
THRESHOLDS: Mapping[str, Key] = {
    "availability_min": Key(values.share),
    "rtt_median_max_seconds": Key(values.number(0.001, 10, " seconds")),
    "loss_p95_max": Key(values.share),
    "download_min_mbit_s": Key(values.number(0, 10_000)),
    "upload_min_mbit_s": Key(values.number(0, 10_000)),
}
DEFINITION: Mapping[str, Key] = {
    "cut_off_below_availability": Key(values.share),
    "cut_off_open_outage_seconds": Key(values.whole(60, 7 * 86_400)),
    "observed_share_min": Key(values.share),
    "target_weeks": Key(values.whole(1, 52)),
    "target_window_weeks": Key(values.whole(1, 52)),
}
"""And ``thresholds``: a mapping of access technologies."""

_KINDS_FILE = Path(__file__).with_name("site_kinds.yaml")


def standard_kinds() -> Mapping[str, SiteKind]:
    """The kinds of sites that need not be spelled out."""
    mistakes = Mistakes()
    source = mistakes.source(_KINDS_FILE)
    kinds = read_kinds(read_nodes(_KINDS_FILE, source), {}, source)
    mistakes.raise_if_any()
    return kinds


def read_kinds(node: Node, standard: Mapping[str, SiteKind], source: Source) -> dict[str, SiteKind]:
    """``kinds``: a standard kind may be changed key by key; a new one needs every key."""
    kinds: dict[str, SiteKind] = {}
    for name, entry in as_entries(node, "kinds", values.kind_id, source):
        found = read_keys(entry, KIND, f"kinds.{name}", source)
        if name in standard:
            kinds[name] = replace(standard[name], **found)
            continue
        table = entry.entries if isinstance(entry, Table) else {}
        for key in _NEEDED_OF_A_NEW_KIND:
            if key not in table:
                source.wrong(entry.line, f"kinds.{name}: {key!r} is missing: add it")
        if found.keys() >= set(_NEEDED_OF_A_NEW_KIND):
            kinds[name] = SiteKind(id=name, **found)
    return kinds


def read_province(node: Node, source: Source) -> Province | None:
    """``province``; None when anything in it is wrong."""
    found = read_keys(node, PROVINCE, "province", source)
    return Province(**found) if len(found) == len(PROVINCE) else None


def read_kabupaten(node: Node, source: Source) -> tuple[Kabupaten, ...]:
    """``kabupaten``: a list, in the order in which reports show it."""
    listed: dict[str, Kabupaten] = {}
    bps: dict[str, str] = {}
    for item in as_items(node, "kabupaten", source):
        found = read_keys(item, KABUPATEN, "kabupaten", source)
        code, bps_code = found.get("code"), found.get("bps_code")
        if bps_code is not None and bps.setdefault(bps_code, code or "") != code:
            source.wrong(
                item.line,
                f"kabupaten: BPS code {bps_code} is also that of {bps[bps_code]}: look "
                "it up (it often differs from the Kemendagri code)",
            )
        if code is None:
            continue
        if code in listed:
            source.wrong(item.line, f"kabupaten: {code} stands here twice: keep one")
        listed[code] = Kabupaten(**({"name": ""} | found))
    return tuple(listed.values())


def read_anchors(node: Node, section: str, source: Source) -> tuple[Anchor, ...]:
    """``centre_anchors`` or ``village_targets``."""
    keys = CENTRE_ANCHOR if section == "centre_anchors" else VILLAGE_TARGET
    anchors: dict[str, Anchor] = {}
    for item in as_items(node, section, source):
        found = {"rung": Rung.ANCHOR} | read_keys(item, keys, section, source)
        if (name := found.get("name")) in anchors:
            source.wrong(item.line, f"{section}: {name!r} stands here twice: rename one")
        if len(found) == len(keys):
            anchors[found["name"]] = Anchor(**found)
    return tuple(anchors.values())


def read_look(node: Node, source: Source) -> LookSettings:
    """``look``."""
    return LookSettings(**read_keys(node, LOOK, "look", source))


def read_definition(node: Node, source: Source) -> Definition:
    """``definition``: what is not said keeps its default."""
    standard = Definition()
    table = as_table(node, "definition", source)
    if table is None:
        return standard
    check_names(table, ("thresholds", *DEFINITION), "definition", source)
    rest = Table(table.line, {k: v for k, v in table.entries.items() if k in DEFINITION})
    found = read_keys(rest, DEFINITION, "definition", source)
    thresholds = dict(standard.thresholds)
    where = "definition.thresholds"
    if "thresholds" in table.entries and (
        given := as_table(table.entries["thresholds"], where, source)
    ):
        check_names(given, [access.value for access in Access], where, source)
        for access in Access:
            if (entry := given.entries.get(access.value)) is not None:
                changed = read_keys(entry, THRESHOLDS, f"{where}.{access}", source)
                thresholds[access] = replace(thresholds[access], **changed)
    definition = replace(standard, thresholds=thresholds, **found)
    lowest = min(limits.availability_min for limits in thresholds.values())
    if definition.cut_off_below_availability > lowest:
        source.wrong(
            table.line,
            f"definition: cut_off_below_availability {definition.cut_off_below_availability:g} is "
            f"above an availability_min ({lowest:g}): a stable line would be cut off, lower it",
        )
    if definition.target_weeks > definition.target_window_weeks:
        source.wrong(
            table.line,
            f"definition: target_weeks {definition.target_weeks} of "
            f"{definition.target_window_weeks} weeks can never be reached: "
            "lower it or widen target_window_weeks",
        )
    return definition


def read_maintenance(
    node: Node, zone: str, source: Source
) -> list[tuple[int, dict[str, Any], Maintenance | None]]:
    """``maintenance``: (line, what was read, the value); None where anything is missing.

    A moment that names no zone is local time in ``zone``.
    """
    announced: list[tuple[int, dict[str, Any], Maintenance | None]] = []
    for item in as_items(node, "maintenance", source):
        found = read_keys(item, MAINTENANCE, "maintenance", source)
        sites, upstreams = found.get("sites", ()), found.get("upstreams", ())
        if isinstance(item, Table) and not {"sites", "upstreams"} & set(item.entries):
            source.wrong(item.line, "maintenance: names nothing: list its sites or upstreams")
        if not {"from", "to", "reason"} <= set(found):
            announced.append((item.line, found, None))
            continue
        interval = Interval(_ms(found["from"], zone), _ms(found["to"], zone))
        if interval.length_ms <= 0:
            source.wrong(item.line, "maintenance: ends before it begins: correct 'from' or 'to'")
        work = Maintenance(interval, found["reason"], frozenset(sites), frozenset(upstreams))
        announced.append((item.line, found, work))
    return announced


def _ms(moment: datetime, zone: str) -> int:
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZoneInfo(zone))
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return since.days * 86_400_000 + since.seconds * 1000 + since.microseconds // 1000
