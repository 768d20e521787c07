"""Kemendagri codes: text with dots, never a number, never a BPS code."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.region import (
    Level,
    RegionCodeError,
    Register,
    Village,
    VillageKind,
    is_kota,
    kabupaten_of,
    kecamatan_of,
    level,
    parent,
    parse_code,
)

SEMPARUK = "61.01.13.2002"


@pytest.mark.parametrize(
    ("code", "expected", "above"),
    [
        ("61", Level.PROVINCE, None),
        ("61.01", Level.KABUPATEN, "61"),
        ("61.01.13", Level.KECAMATAN, "61.01"),
        (SEMPARUK, Level.VILLAGE, "61.01.13"),
    ],
)
def test_levels_and_parents(code: str, expected: Level, above: str | None) -> None:
    """Each level has the one above it."""
    assert parse_code(code) == code
    assert level(code) is expected
    assert parent(code) == above


@pytest.mark.parametrize(
    "text",
    [
        "",
        "6",
        "61.",
        "61.1",
        "61.01.13.",
        "61.01.13.0002",  # the village part begins with 1, 2 or 3
        "61.01.13.4002",
        "61.01.13.2002.1",
        " 61.01",
        "61.01\n",
        "61-01",
        "६१.०१",  # digits, but not ASCII
        "61.01.13.200२",
    ],
)
def test_malformed_codes_are_refused(text: str) -> None:
    """What is not a code is refused with the form to write."""
    with pytest.raises(RegionCodeError, match=r"PP\.KK\.CC\.VVVV"):
        parse_code(text)


@pytest.mark.parametrize("text", ["6101", "610113", "6101132002", "6101030005"])
def test_undotted_codes_are_refused_as_ambiguous(text: str) -> None:
    """Ten digits may be a BPS code: 6101030005 (BPS) is not 61.01.03.0005."""
    with pytest.raises(RegionCodeError, match=r"has no dots.*BPS"):
        parse_code(text)


@given(st.from_regex(r"[0-9.]{0,14}", fullmatch=True))
def test_what_is_accepted_has_the_form(text: str) -> None:
    """Whatever is accepted has 2, 5, 8 or 13 characters and dots at the right places."""
    try:
        code = parse_code(text)
    except RegionCodeError:
        return
    parts = code.split(".")
    assert [len(part) for part in parts] == [2, 2, 2, 4][: len(parts)]
    assert len(code) in (2, 5, 8, 13)


@pytest.mark.parametrize(
    ("code", "kota", "kind"),
    [
        (SEMPARUK, False, VillageKind.DESA),
        ("61.71.01.1001", True, VillageKind.KELURAHAN),
        ("91.03.01.3001", False, VillageKind.DESA_ADAT),
        ("61.69.01.2001", False, VillageKind.DESA),
    ],
)
def test_kinds_of_places(code: str, kota: bool, kind: VillageKind) -> None:
    """71 and above is a kota; the village's first digit tells kelurahan, desa and desa adat."""
    assert is_kota(code) is kota
    assert Village(code, "x").kind is kind
    assert code.startswith(kabupaten_of(code))
    assert code.startswith(kecamatan_of(code))
    assert (len(kabupaten_of(code)), len(kecamatan_of(code))) == (5, 8)


def test_within_stops_at_dots() -> None:
    """The villages within 61.1 are not those within 61.10; a village lies within itself."""
    codes = ["61.01.01.2001", "61.01.10.2001", "61.10.01.2001"]
    register = Register("v", tuple(Village(code, code) for code in codes), {"61.01": "Sambas"})
    assert [v.code for v in register.within("61.01")] == codes[:2]
    assert [v.code for v in register.within("61.01.1")] == []
    assert [v.code for v in register.within(codes[2])] == codes[2:]
    assert register.kabupaten == ("61.01", "61.10")
    assert register.kecamatan == ("61.01.01", "61.01.10", "61.10.01")
    assert (register.name("61.01"), register.name("61.99")) == ("Sambas", "61.99")
