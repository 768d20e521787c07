"""Kemendagri region codes and the register of villages.

Law: a code is text with dots (``61.01.13.2002``). It is never a number, never a name, and never
derived from a BPS code (the two schemes number the same places differently).
Source: Permendagri 72/2019 and its successors; the decree in force is named by the register.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

RegionCode = str
"""A Kemendagri code of any level, dotted: PP, PP.KK, PP.KK.CC or PP.KK.CC.VVVV."""

_CODE = re.compile(r"\d{2}(\.\d{2}(\.\d{2}(\.[123]\d{3})?)?)?", re.ASCII)


class RegionCodeError(ValueError):
    """The text is not a Kemendagri code; the message says what to write instead."""


class Level(StrEnum):
    """The four levels of a code, from the widest to the narrowest."""

    PROVINCE = "province"
    KABUPATEN = "kabupaten"
    KECAMATAN = "kecamatan"
    VILLAGE = "village"


class VillageKind(StrEnum):
    """What the first digit of the village part says: 1 kelurahan, 2 desa, 3 desa adat."""

    KELURAHAN = "kelurahan"
    DESA = "desa"
    DESA_ADAT = "desa_adat"


_LEVELS = (Level.PROVINCE, Level.KABUPATEN, Level.KECAMATAN, Level.VILLAGE)
_VILLAGE_KINDS = {"1": VillageKind.KELURAHAN, "2": VillageKind.DESA, "3": VillageKind.DESA_ADAT}


def parse_code(text: str) -> RegionCode:
    """Return ``text`` when it is a well-formed Kemendagri code of any level.

    Raises RegionCodeError with the remedy. Undotted input is refused on purpose: ten digits may be
    a BPS code, and 6101030005 (BPS) is another village than 61.01.03.2005 (Kemendagri).
    """
    if _CODE.fullmatch(text):
        return text
    if text.isdigit() and len(text) in (4, 6, 7, 10):
        raise RegionCodeError(
            f"{text!r} has no dots: write the Kemendagri code as PP.KK.CC.VVVV "
            "(ten digits may as well be a BPS code, which names other villages)"
        )
    raise RegionCodeError(
        f"{text!r} is not a Kemendagri code: write PP.KK.CC.VVVV, for example '61.01.13.2002'"
    )


def level(code: RegionCode) -> Level:
    """The level of a well-formed code."""
    return _LEVELS[code.count(".")]


def parent(code: RegionCode) -> RegionCode | None:
    """The code one level up; None for a province."""
    head, dot, _ = code.rpartition(".")
    return head if dot else None


def kabupaten_of(code: RegionCode) -> RegionCode:
    """The kabupaten or kota that a code of that level or below lies in."""
    return code[:5]


def kecamatan_of(code: RegionCode) -> RegionCode:
    """The kecamatan that a code of that level or below lies in."""
    return code[:8]


def is_kota(code: RegionCode) -> bool:
    """Whether a code lies in a kota (second part 71 to 99) and not in a kabupaten."""
    return int(code[3:5]) >= 71


def village_kind(code: RegionCode) -> VillageKind:
    """Kelurahan, desa or desa adat, from the first digit of a village's last part."""
    return _VILLAGE_KINDS[code[9]]


@dataclass(frozen=True, slots=True)
class Village:
    """One row of the register. Coordinates are WGS 84 degrees of a point *in* the village (not of
    its office); population and area are None where no source gives them."""

    code: RegionCode
    name: str
    lat: float | None = None
    lon: float | None = None
    population: int | None = None
    area_km2: float | None = None
    has_polygon: bool = False

    @property
    def kind(self) -> VillageKind:
        return village_kind(self.code)

    @property
    def kecamatan(self) -> RegionCode:
        return kecamatan_of(self.code)

    @property
    def kabupaten(self) -> RegionCode:
        return kabupaten_of(self.code)


@dataclass(frozen=True)
class Register:
    """The versioned list of all villages: the denominator of every percentage.

    ``version`` is the decree (for example ``300.2.2-2430/2025``); ``region_names`` holds the names
    of the provinces, kabupaten/kota and kecamatan by code. Villages are in code order.
    """

    version: str
    villages: tuple[Village, ...]
    region_names: Mapping[RegionCode, str] = field(default_factory=dict)

    @cached_property
    def by_code(self) -> Mapping[RegionCode, Village]:
        return {village.code: village for village in self.villages}

    @cached_property
    def kabupaten(self) -> tuple[RegionCode, ...]:
        """The codes of all kabupaten/kota that have villages, in code order."""
        return _sorted_unique(village.kabupaten for village in self.villages)

    @cached_property
    def kecamatan(self) -> tuple[RegionCode, ...]:
        """The codes of all kecamatan that have villages, in code order."""
        return _sorted_unique(village.kecamatan for village in self.villages)

    def within(self, code: RegionCode) -> tuple[Village, ...]:
        """The villages at or below a code."""
        prefix = code + "."
        return tuple(v for v in self.villages if v.code == code or v.code.startswith(prefix))

    def name(self, code: RegionCode) -> str:
        """The name of a region of any level; the code itself where no name is known."""
        if (village := self.by_code.get(code)) is not None:
            return village.name
        return self.region_names.get(code, code)


def _sorted_unique(codes: Iterable[RegionCode]) -> tuple[RegionCode, ...]:
    return tuple(sorted(set(codes)))
