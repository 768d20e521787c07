"""``checks:`` of an inventory: what is looked at beyond the echoes, and for whom.

Law: a kind of look has its own keys and no others; what the look itself could only find out at run
time (a URL that is none, a port that cannot be) is a mistake of the file, with its line.
"""

import ipaddress
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import fields
from typing import Any

from inventory import values
from inventory.keys import Key, as_entries, as_table, check_names, read_keys
from inventory.mistakes import Source, guess, shown
from inventory.nodes import Node, Scalar, Table
from model.check import SITE_ADDRESS, Check, ServiceCheck
from model.errors import InputError
from model.kinds import (
    NO_ADDRESS,
    SETTINGS,
    TIMEOUT_SECONDS,
    USUAL_TIMEOUT_SECONDS,
    PathMethod,
)
from model.ladder import LADDER
from model.measurement import Rung, Vantage

_HOST = re.compile(r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.?)+", re.ASCII)
_URL_FORM = re.compile(
    r"https?://([a-z0-9.-]+|\[[0-9a-f:.]+\])(:(?P<port>\d{1,5}))?([/?][!-~]*)?", re.ASCII | re.I
)
"""RFC 3986 without user and fragment; the look itself is as strict once more."""
_RECORD = re.compile(r"A|AAAA|CNAME|MX|NS|TXT|SOA|PTR|SRV", re.ASCII)
KINDS = ("ping", *SETTINGS)
"""The kinds of look that may stand here."""


def rungs(value: str) -> tuple[Rung, ...]:
    """Rungs of the ladder by name, with spaces between, from the inside outward."""
    known = {rung.value: rung for rung in LADDER}
    names = value.split()
    for name in names:
        if name not in known:
            raise ValueError(f"{shown(name)} is not a rung: {guess(name, known)}")
    return tuple(rung for rung in LADDER if rung in names)


def url(value: str) -> str:
    """An http or https address; ``{address}`` stands for the site's own."""
    found = _URL_FORM.fullmatch(value.replace(SITE_ADDRESS, "192.0.2.1"))
    if found is None or len(value) > 2000 or not 0 < int(found["port"] or 80) < 65_536:
        raise ValueError(
            f"{shown(value)} is not an http or https address: write one like https://siap.example/"
        )
    return value


def host(value: str) -> str:
    """An IP address, a name, or ``{address}``: the site's own."""
    if value == SITE_ADDRESS or (_HOST.fullmatch(value.lower()) and not value[-1:].isdigit()):
        return value
    try:
        return values.address(value)
    except ValueError as error:
        raise ValueError(f"{error}; or a name, or '{SITE_ADDRESS}'") from None


def _record(value: str) -> str:
    if not _RECORD.fullmatch(value):
        raise ValueError(f"{shown(value)} is not a type of record: write A or AAAA")
    return value


def _domain(value: str) -> str:
    if not _HOST.fullmatch(value.lower()):
        raise ValueError(f"{shown(value)} is not a domain name: write one like example.com")
    return value


_PORT = values.whole(1, 65_535)
_URL = Key(url, needed=True)

CHECK: Mapping[str, Key] = {
    "kind": Key(values.text, needed=True),
    "from": Key(values.one_of(Vantage)),
    "rung": Key(values.one_of(Rung)),
    "address": Key(host),
    "site_kinds": Key(values.kind_id, many=True),
    "sites": Key(values.site_id, many=True),
    "interval_seconds": Key(values.whole(10, 7 * 86_400)),
    "timeout_seconds": Key(values.number(0.1, 300)),
    "answer_bytes": Key(values.whole(0, 1_000_000)),
}
"""The keys of every check."""

KIND_KEYS: Mapping[str, Mapping[str, Key]] = {
    "ping": {},
    "tcp": {"port": Key(_PORT, needed=True)},
    "tls": {
        "port": Key(_PORT),
        "server_name": Key(_domain),
        "ca_file": Key(values.file_name),
    },
    "http": {
        "url": _URL,
        "status": Key(values.whole(200, 599)),
        "body_contains": Key(values.text),
        "redirects": Key(values.whole(0, 10)),
        "ca_file": Key(values.file_name),
    },
    "dns": {
        "name": Key(_domain, needed=True),
        "record": Key(_record),
        "port": Key(_PORT),
        "trusted": Key(values.address),
        "trusted_port": Key(_PORT),
        "trusted_name": Key(_domain),
        "expected": Key(values.address, many=True),
        "missing_below": Key(_domain),
    },
    "captive": {"url": _URL, "quota_words": Key(values.text, many=True)},
    "rtsp": {
        "port": Key(_PORT),
        "path": Key(values.file_name),
        "user": Key(values.text),
        "password_file": Key(values.file_name),
    },
    "path": {
        "method": Key(values.one_of(PathMethod)),
        "port": Key(_PORT),
        "hops_max": Key(values.whole(1, 64)),
        "mtu_max_bytes": Key(values.whole(576, 9000)),
    },
    "throughput": {
        "url": _URL,
        "month_megabytes": Key(values.number(0, 1e6)),
        "test_megabytes": Key(values.number(0.1, 50)),
        "busy_mbit_s": Key(values.number(0, 10_000)),
        "upstream": Key(values.node_id),
        "key_file": Key(values.file_name),
        "ca_file": Key(values.file_name),
        "budget_file": Key(values.file_name),
    },
    "starlink": {"port": Key(_PORT)},
    "snmp": {
        "credentials": Key(values.node_id, needed=True),
        "secrets_file": Key(values.file_name),
    },
}
"""And those of each kind of look."""


def read_checks(
    node: Node, kinds: Collection[str], sites: Collection[str], source: Source
) -> tuple[ServiceCheck, ...]:
    """``checks``: a mapping by id; the wrong ones are noted and left out."""
    found = (
        _read(name, entry, kinds, sites, source)
        for name, entry in as_entries(node, "checks", values.node_id, source)
    )
    return tuple(check for check in found if check is not None)


def _read(
    name: str, node: Node, kinds: Collection[str], sites: Collection[str], source: Source
) -> ServiceCheck | None:
    where = f"checks.{name}"
    before = len(source.mistakes.found)
    table = as_table(node, where, source)
    if table is None:
        return None
    named = table.entries.get("kind")
    kind = named.text if isinstance(named, Scalar) else ""
    if kind and kind not in KIND_KEYS:
        source.wrong(
            table.entries["kind"].line,
            f"{where}.kind: {shown(kind)} is not a kind of look: {guess(kind, KINDS)}",
        )
        return None
    own = KIND_KEYS.get(kind, {})
    check_names(table, (*CHECK, *own), where, source)
    told = read_keys(_part(table, CHECK), CHECK, where, source)
    settings = read_keys(_part(table, own), own, where, source)
    for key, known in (("site_kinds", kinds), ("sites", sites)):
        for one in told.get(key, ()):
            if one not in known:
                source.wrong(
                    table.line, f"{where}.{key}: {one!r} is not known: {guess(one, known)}"
                )
    if not {"site_kinds", "sites"} & set(table.entries):
        source.wrong(table.line, f"{where}: is for nobody: list its site_kinds or sites")
    if "address" not in table.entries and kind not in NO_ADDRESS:
        source.wrong(table.line, f"{where}: 'address' is missing: add it")
    if kind == "snmp" and (one := told.get("address", SITE_ADDRESS)) != SITE_ADDRESS:
        try:
            ipaddress.ip_address(one)
        except ValueError:
            source.wrong(
                table.entries["address"].line,
                f"{where}.address: {shown(one)} is a name: SNMP devices are asked by IP address",
            )
    if len(source.mistakes.found) > before:
        return None
    return _service_check(name, kind, told, settings)


def _part(table: Table, keys: Collection[str]) -> Table:
    return Table(table.line, {key: one for key, one in table.entries.items() if key in keys})


def _service_check(
    name: str, kind: str, told: dict[str, Any], settings: dict[str, Any]
) -> ServiceCheck:
    made = None
    if kind in SETTINGS:
        lists = {key: tuple(one) for key, one in settings.items() if isinstance(one, list)}
        made = SETTINGS[kind](**(settings | lists))
    return ServiceCheck(
        id=name,
        kind=kind,
        rung=told.get("rung", Rung.DEVICE if kind == "snmp" else Rung.APPLICATION),
        vantage=told.get("from", Vantage.CENTRE if kind == "snmp" else Vantage.VILLAGE),
        address=told.get("address"),
        settings=made,
        site_kinds=frozenset(told.get("site_kinds", ())),
        sites=frozenset(told.get("sites", ())),
        interval_seconds=told.get("interval_seconds"),
        timeout_seconds=told.get("timeout_seconds"),
        answer_bytes=told.get("answer_bytes"),
    )


def check_entries(check: ServiceCheck) -> list[tuple[str, object]]:
    """The keys of a check with what is not usual, in the order of the tables above: what
    ``read_checks`` reads again."""
    pairs: list[tuple[str, object]] = [
        ("kind", check.kind),
        ("from", check.vantage),
        ("rung", check.rung),
        ("address", check.address),
        ("site_kinds", sorted(check.site_kinds) or None),
        ("sites", sorted(check.sites) or None),
        ("interval_seconds", check.interval_seconds),
        ("timeout_seconds", check.timeout_seconds),
        ("answer_bytes", check.answer_bytes),
    ]
    if check.settings is not None:
        usual = {key.name: key.default for key in fields(check.settings)}
        known = KIND_KEYS[check.kind]
        for name in known:
            value = getattr(check.settings, name)
            if value != usual[name]:
                pairs.append((name, list(value) if isinstance(value, tuple) else value))
    return [(name, value) for name, value in pairs if value is not None]


def adhoc(kind: str, target: str, options: Iterable[str], timeout_seconds: float | None) -> Check:
    """A check of a single look, from ``key=value`` texts under the keys of its kind; ``target`` is
    its address or URL. Raises InputError."""
    if kind not in SETTINGS:
        raise InputError(f"{shown(kind)} is not a kind of look: {guess(kind, SETTINGS)}")
    keys, told = KIND_KEYS[kind], {"url": target} if "url" in KIND_KEYS[kind] else {}
    for option in options:
        name, _, text = option.partition("=")
        if name not in keys:
            raise InputError(f"--set {shown(name)}: {guess(name, keys)}")
        told[name] = text
    settings: dict[str, Any] = {}
    try:
        address = "" if "url" in keys else str(host(target))
        for name, key in keys.items():
            if name in told:
                parts = told[name].split(",") if key.many else [told[name]]
                values_read = [key.read(part) for part in parts]
                settings[name] = tuple(values_read) if key.many else values_read[0]
            elif key.needed:
                raise InputError(f"--set {name}=... is missing: a look of kind {kind} needs it")
    except ValueError as error:
        raise InputError(str(error)) from None
    usual = TIMEOUT_SECONDS.get(kind, USUAL_TIMEOUT_SECONDS)
    made = SETTINGS[kind](**settings)
    return Check(
        "look",
        Vantage.CENTRE,
        kind,
        Rung.APPLICATION,
        address,
        60,
        timeout_seconds or usual,
        1,
        made,
    )
