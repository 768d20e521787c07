"""What may stand under a key: one small reader per kind of value.

A reader takes the text as it stands in the file and returns the checked value, or raises ValueError
whose text reads "what is wrong: what to do". Readers know nothing of files, lines or keys.
"""

import ipaddress
import re
import unicodedata
from collections.abc import Callable
from datetime import date, datetime
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

from inventory.mistakes import guess, shown
from model.inventory import CENTRE_SITE
from model.region import Level, level, parse_code
from model.site import SITE_ID, ServiceHours

Reader = Callable[[str], object]

MAX_TEXT = 200
_LOOK_ALIKE = ("LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "FULLWIDTH")
"""Scripts with letters that look like those of another."""

_YEARS = range(2000, 2100)
_NUMBER = re.compile(r"-?\d{1,15}(\.\d{1,25})?([eE][+-]?\d{1,3})?", re.ASCII)
_WHOLE = re.compile(r"-?\d{1,15}", re.ASCII)
_PHONE = re.compile(r"\+?[0-9][0-9 ()/-]{3,28}", re.ASCII)
_KIND_ID = re.compile(r"[a-z](?:[a-z0-9_]{0,38}[a-z0-9])?", re.ASCII)
_ZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,2}", re.ASCII)
_ZONE_OF = {
    "WIB": "Asia/Pontianak or Asia/Jakarta",
    "WITA": "Asia/Makassar",
    "WIT": "Asia/Jayapura",
}
_MOMENT = re.compile(
    r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(:\d{2}(\.\d{3})?)?(Z|[+-]\d{2}:\d{2})?", re.ASCII
)


def text(value: str) -> str:
    """A name or remark: at most 200 characters, nothing invisible, nothing that a spreadsheet would
    run as a formula, no look-alike letters of another script."""
    if len(value) > MAX_TEXT:
        raise ValueError(f"{shown(value)} is longer than {MAX_TEXT} characters: shorten it")
    if not value.isprintable():
        raise ValueError(f"{shown(value)} holds an invisible character: type it anew")
    if value != value.strip():
        raise ValueError(f"{shown(value)} begins or ends with a space: remove it")
    if value[0] in "=+-@":
        raise ValueError(
            f"{shown(value)} begins with {value[0]!r}, which a spreadsheet would run as a formula: "
            "begin with a letter or digit"
        )
    if not value.isascii() and len(scripts := _scripts(value)) > 1:
        raise ValueError(
            f"{shown(value)} mixes letters of {' and '.join(scripts)}: type it anew in one script"
        )
    return value


def _scripts(value: str) -> list[str]:
    heads = (unicodedata.name(letter, "").partition(" ")[0] for letter in value if letter.isalpha())
    return sorted({head.title() for head in heads if head in _LOOK_ALIKE})


def site_id(value: str) -> str:
    """The id of a site: not reserved, safe in paths, tags and URLs."""
    if value == CENTRE_SITE:
        raise ValueError(f"{value!r} is reserved for the operations centre: choose another id")
    return node_id(value)


def node_id(value: str) -> str:
    """The id of a provider, an upstream node or a feeder."""
    if not SITE_ID.fullmatch(value):
        raise ValueError(
            f"{shown(value)} is not an id: use 1 to 40 lower-case letters, digits and inner hyphens"
        )
    return value


def kind_id(value: str) -> str:
    """The id of a kind of site."""
    if not _KIND_ID.fullmatch(value):
        raise ValueError(
            f"{shown(value)} is not a kind's id: use 1 to 40 lower-case letters, digits and inner "
            "underscores, a letter first"
        )
    return value


def code(wanted: Level) -> Callable[[str], str]:
    """A reader of Kemendagri codes of one level."""
    forms = {
        Level.PROVINCE: "PP, for example '61'",
        Level.KABUPATEN: "PP.KK, for example '61.01'",
        Level.KECAMATAN: "PP.KK.CC, for example '61.01.13'",
        Level.VILLAGE: "PP.KK.CC.VVVV, for example '61.01.13.2002'",
    }

    def read(value: str) -> str:
        if len(value) > 40:
            raise ValueError(f"{shown(value)} is no code: write {forms[wanted]}")
        found = parse_code(value)
        if level(found) is not wanted:
            raise ValueError(
                f"{value!r} is the code of a {level(found)}, not of a {wanted}: "
                f"write {forms[wanted]}"
            )
        return found

    return read


def bps_kabupaten(value: str) -> str:
    """The BPS code of a kabupaten or kota: four digits, kept only to be printed beside our own."""
    if not re.fullmatch(r"\d{4}", value, re.ASCII):
        raise ValueError(
            f"{shown(value)} is not a BPS code of a kabupaten or kota: write four digits, no dots"
        )
    return value


def truth(value: str) -> bool:
    """true or false."""
    lowered = value.lower()
    if lowered not in ("true", "false"):
        raise ValueError(f"{shown(value)} is neither true nor false: write true or false")
    return lowered == "true"


def whole(low: int, high: int) -> Callable[[str], int]:
    """A reader of whole numbers from low to high."""

    def read(value: str) -> int:
        if not _WHOLE.fullmatch(value):
            raise ValueError(
                f"{shown(value)} is not a whole number: write digits, without points or commas"
            )
        if not low <= int(value) <= high:
            raise ValueError(
                f"{shown(value)} is out of range: write a whole number from {low} to {high}"
            )
        return int(value)

    return read


def number(low: float, high: float, hint: str = "") -> Callable[[str], float]:
    """A reader of numbers from low to high; ``hint`` is added to the remedy."""

    def read(value: str) -> float:
        if not _NUMBER.fullmatch(value):
            comma = ", with a point and no comma" if "," in value else ""
            raise ValueError(f"{shown(value)} is not a number: write digits{comma}")
        if not low <= float(value) <= high:
            raise ValueError(
                f"{shown(value)} is out of range: write a number from {low:g} to {high:g}{hint}"
            )
        return float(value)

    return read


share = number(0, 1, " (0.98 means 98 %)")
"""A share from 0 to 1."""


def one_of(options: type[StrEnum]) -> Callable[[str], StrEnum]:
    """A reader of one of a few words."""
    words = {option.value: option for option in options}

    def read(value: str) -> StrEnum:
        if value not in words:
            raise ValueError(f"{shown(value)} is not known here: {guess(value, words)}")
        return words[value]

    return read


def address(value: str) -> str:
    """An IP address that may be looked at, in its shortest writing. Never a group of hosts."""
    try:
        found = ipaddress.ip_address(value) if len(value) <= 45 else None
    except ValueError:
        found = None
    if found is None or "%" in value:
        raise ValueError(
            f"{shown(value)} is not an IP address: write one like 10.61.1.13 or 2001:db8::13"
        )
    first_octet = int(found) >> 24 if found.version == 4 else None
    if found.version == 6 and found.ipv4_mapped is not None:
        raise ValueError(f"{value!r} is an IPv4 address in IPv6 writing: write {found.ipv4_mapped}")
    if value == "255.255.255.255":
        why = "is a broadcast address"
    elif found.is_multicast:
        why = "is a multicast group"
    elif found.is_unspecified or first_octet == 0 or (first_octet or 0) >= 240:
        why = "is no host's address"  # RFC 1122 3.2.1.3 (0.0.0.0/8), RFC 1112 4 (240.0.0.0/4)
    elif found.is_link_local:
        why = "is link-local (another host on every line)"
    else:
        return str(found)
    raise ValueError(f"{value!r} {why}: write the address of the one device to look at")


@lru_cache(maxsize=256)
def zone(value: str) -> str:
    """An IANA time zone that this machine knows."""
    if (meant := _ZONE_OF.get(value.upper())) is not None:
        raise ValueError(f"{value!r} is not an IANA time zone: write {meant}")
    try:
        if _ZONE.fullmatch(value):
            return str(ZoneInfo(value))
    except (KeyError, ValueError, OSError):  # unknown; malformed; a directory of zones
        pass
    raise ValueError(
        f"{shown(value)} is not an IANA time zone: write one like Asia/Pontianak or Asia/Makassar"
    )


@lru_cache(maxsize=256)
def service_hours(value: str) -> ServiceHours:
    """Service hours; the same text gives the same object."""
    try:
        return ServiceHours.parse(value[: 10 * MAX_TEXT])
    except ValueError as error:
        said = str(error)
        if ": " in said:
            raise
        raise ValueError(
            f"{shown(value)} are not service hours ({said}): write them as 'Mon-Fri 07:30-15:30'"
        ) from None


@lru_cache(maxsize=4096)
def day(value: str) -> date:
    """A calendar day."""
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", value, re.ASCII):
        try:
            found = date.fromisoformat(value)
        except ValueError:
            raise ValueError(f"{value!r} is not in the calendar: correct the day") from None
        if found.year in _YEARS:
            return found
        raise ValueError(f"{value!r} is not between 2000 and 2099: correct the year")
    raise ValueError(f"{shown(value)} is not a day: write YYYY-MM-DD, for example 2025-11-25")


def moment(value: str) -> datetime:
    """A day and time; without a zone where the text names none."""
    if _MOMENT.fullmatch(value):
        try:
            found = datetime.fromisoformat(value)
        except ValueError:
            raise ValueError(f"{value!r} is not in the calendar: correct it") from None
        if found.year in _YEARS:
            return found
        raise ValueError(f"{value!r} is not between 2000 and 2099: correct the year")
    raise ValueError(
        f"{shown(value)} is not a moment: write 'YYYY-MM-DD HH:MM' (local time of the province) "
        "or '2026-11-23T15:00Z'"
    )


def phone(value: str) -> str:
    """A telephone number."""
    if not _PHONE.fullmatch(value):
        raise ValueError(
            f"{shown(value)} is not a telephone number: write digits, for example +62 561 123456"
        )
    return value


def file_name(value: str) -> str:
    """The name of a file, relative to the file that names it or absolute."""
    if len(value) > 4 * MAX_TEXT or not value.isprintable():
        raise ValueError(f"{shown(value)} is not a file name: correct it")
    return value
