"""Profiles: which objects a family of devices has, and what they mean. Data, read and checked.

Law: a profile says only what to read and how to understand it. It names objects of the list in
``probes/snmp_allowed.py``; one that names another is refused whole, with its place.
"""

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from model.errors import InputError
from model.measurement import METRICS
from probes.snmp_allowed import may_get, may_walk

FOLDER = Path(__file__).with_name("snmp_profiles")


class Kind(StrEnum):
    """What the numbers are. The profile decides, not the MIB's type: some vendors type a number of
    clients as a counter."""

    GAUGE = "gauge"
    COUNTER32 = "counter32"
    COUNTER64 = "counter64"
    TIMETICKS = "timeticks"
    """Hundredths of a second; read as seconds."""
    TEXT_NUMBER = "text_number"
    """A number written as text (``-97`` or ``-97 dBm``)."""
    CHANGE_TIME = "change_time"
    """A TimeStamp: sysUpTime at the moment of a change; read as seconds since."""


class Fold(StrEnum):
    """How the rows of a column become one number; ``jangkau snmp`` shows the rows too."""

    SUM = "sum"
    MIN = "min"
    MAX = "max"
    MEAN = "mean"
    COUNT = "count"
    UPLINK = "uplink"
    """The row of the uplink port (``probes/snmp_interfaces.py``)."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One object, or one column of objects, and what it means.

    ``value * scale`` is in ``unit``. ``only`` keeps these raw values, ``skip`` drops these.
    ``where``: keep the rows whose object in this column is among ``where_in``. ``over``: the
    column (or object) that a value is divided by. ``by_port``: the rows are named by ifIndex.
    ``least`` and ``most``: beyond these (in ``unit``) a value is no reading but a vendor's way to
    say "not known". ``mib``: the object's name in its MIB.
    """

    name: str
    unit: str
    oid: str
    mib: str
    column: bool
    kind: Kind = Kind.GAUGE
    scale: float = 1.0
    fold: Fold = Fold.SUM
    only: frozenset[int] | None = None
    skip: frozenset[int] = frozenset()
    where: str | None = None
    where_in: frozenset[int | str] = frozenset()
    over: str | None = None
    by_port: bool = False
    least: float = -math.inf
    most: float = math.inf

    @property
    def oids(self) -> tuple[str, ...]:
        """The objects or columns that it needs."""
        return tuple(oid for oid in (self.oid, self.where, self.over) if oid is not None)


@dataclass(frozen=True, slots=True)
class Profile:
    """A family of devices. It is a candidate when sysObjectID begins with one of
    ``sys_object_ids`` (empty: always), and chosen when one of ``confirm`` answers."""

    id: str
    title: str
    sys_object_ids: tuple[str, ...]
    confirm: tuple[str, ...]
    readings: tuple[Reading, ...]

    def candidate(self, sys_object_id: str) -> bool:
        """Whether a device with this sysObjectID may be one of the family."""
        if not self.sys_object_ids:
            return True
        return any(f"{sys_object_id}.".startswith(f"{one}.") for one in self.sys_object_ids)


_PROFILE_KEYS = {"title", "sys_object_ids", "confirm", "reading"}
_READING_KEYS = {
    *("name", "oid", "column", "mib", "kind", "scale", "fold"),
    *("only", "skip", "where", "where_in", "over", "by_port", "least", "most"),
}


def read_profile(text: str, id_: str, place: str) -> Profile:
    """A profile from TOML. Raises InputError that names ``place`` and the remedy."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{place}: this is not TOML ({error}): correct it there") from None
    _known(table, _PROFILE_KEYS, place)
    confirm = _texts(table.get("confirm", []), f"{place}: confirm")
    for oid in confirm:
        _allowed(oid, False, f"{place}: confirm")
    if not isinstance(table.get("title"), str) or not confirm:
        raise InputError(f"{place}: 'title' and 'confirm' are needed: see docs/snmp.md")
    given = table.get("reading", [])
    if not isinstance(given, list) or not all(isinstance(item, dict) for item in given):
        raise InputError(f"{place}: write each reading under [[reading]]")
    return Profile(
        id=id_,
        title=table["title"],
        sys_object_ids=_texts(table.get("sys_object_ids", []), f"{place}: sys_object_ids"),
        confirm=confirm,
        readings=tuple(
            _reading(item, f"{place}: reading {number}") for number, item in enumerate(given, 1)
        ),
    )


def _reading(item: Mapping[str, Any], place: str) -> Reading:
    _known(item, _READING_KEYS, place)
    name = item.get("name")
    if not isinstance(name, str) or name not in METRICS:
        raise InputError(f"{place}: name {name!r} is no metric: see docs/snmp.md for those there")
    if ("oid" in item) == ("column" in item):
        raise InputError(f"{place}: give either 'oid' or 'column'")
    column = "column" in item
    oid = item["column"] if column else item["oid"]
    for other in (oid, item.get("where", oid), item.get("over", oid)):
        _allowed(other, column, place)
    try:
        kind, fold = Kind(item.get("kind", "gauge")), Fold(item.get("fold", "sum"))
    except ValueError as error:
        raise InputError(f"{place}: {error}: see docs/snmp.md") from None
    return Reading(
        name=name,
        unit=METRICS[name].unit,
        oid=oid,
        mib=str(item.get("mib", "")),
        column=column,
        kind=kind,
        scale=_number(item, "scale", 1.0, place),
        fold=fold,
        only=frozenset(item["only"]) if "only" in item else None,
        skip=frozenset(item.get("skip", ())),
        where=item.get("where"),
        where_in=frozenset(item.get("where_in", ())),
        over=item.get("over"),
        by_port=item.get("by_port") is True,
        least=_number(item, "least", -math.inf, place),
        most=_number(item, "most", math.inf, place),
    )


def _number(item: Mapping[str, Any], key: str, usual: float, place: str) -> float:
    value = item.get(key, usual)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(f"{place}: {key} {value!r} is not a number: write one, such as 0.1")
    return float(value)


def _known(table: Mapping[str, Any], keys: set[str], place: str) -> None:
    for name in table:
        if name not in keys:
            raise InputError(f"{place}: {name!r} is not a key: use {', '.join(sorted(keys))}")


def _texts(value: object, place: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise InputError(f"{place}: is not a list of texts: write it as ['1.3.6...']")
    return tuple(value)


def _allowed(oid: object, column: bool, place: str) -> None:
    if not isinstance(oid, str) or not (may_walk(oid) if column else may_get(oid)):
        raise InputError(
            f"{place}: {oid!r} is not on the list of objects that may be asked: "
            "see docs/snmp.md on how one gets there"
        )


@cache
def standard_profiles() -> tuple[Profile, ...]:
    """The profiles that come with us; a vendor's first, then those of standard MIBs (they have no
    sysObjectID), each by name: where two know a reading, the vendor's counts."""
    profiles = [
        read_profile(path.read_text(encoding="utf-8"), path.stem, path.name)
        for path in sorted(FOLDER.glob("*.toml"))
    ]
    return tuple(sorted(profiles, key=lambda profile: (not profile.sys_object_ids, profile.id)))
