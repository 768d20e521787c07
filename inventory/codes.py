"""Which scheme a village code is written in: told by the user, never guessed.

Law: a BPS code becomes a Kemendagri code through a list of pairs and in no other way. The two
schemes number the same places differently: BPS 6101030005 is Serindang (61.01.04.2017), while
61.01.03.2005 is Sarang Burung Kuala.
"""

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path

from inventory.mistakes import Source, shown
from inventory.rows import open_rows
from model.region import parse_code

_BPS = re.compile(r"\d{2}(\d{2}(\d{3}(\d{3})?)?)?", re.ASCII)
_UNDOTTED = re.compile(r"(\d{2})(\d{2})(\d{2})(\d{4})", re.ASCII)
_OUR_COLUMNS = ("kemendagri_code", "code")


class Scheme(StrEnum):
    """Who numbered the villages."""

    KEMENDAGRI = "kemendagri"
    BPS = "bps"


CodeReader = Callable[[str], str]
"""A code as it stands in a table into a Kemendagri code; raises ValueError with the remedy."""


def kemendagri(value: str) -> str:
    """A Kemendagri code; ten digits without dots are taken for one, since the user said so."""
    if match := _UNDOTTED.fullmatch(value):
        return parse_code(".".join(match.groups()))
    return parse_code(value)


def bps(pairs: Mapping[str, str]) -> CodeReader:
    """A reader of BPS codes that knows the codes in ``pairs`` and no other."""

    def read(value: str) -> str:
        if not _BPS.fullmatch(value):
            raise ValueError(
                f"{shown(value)} is not a BPS code: write ten digits without dots, "
                "or use --scheme kemendagri"
            )
        if value not in pairs:
            raise ValueError(f"BPS code {value} is not in the mapping: add its pair, or correct it")
        return pairs[value]

    return read


def read_pairs(path: Path, source: Source) -> dict[str, str]:
    """BPS code to Kemendagri code from a table with the columns ``bps_code`` and
    ``kemendagri_code`` (or ``code``). A code that has two partners is a mistake."""
    pairs: dict[str, str] = {}
    partners: dict[str, str] = {}
    with open_rows(path, source) as table:
        ours = next((name for name in _OUR_COLUMNS if name in table.columns), None)
        if ours is None or "bps_code" not in table.columns:
            raise source.stop(
                table.header_line, "the mapping needs the columns bps_code and kemendagri_code"
            )
        bps_at, our_at = table.columns.index("bps_code"), table.columns.index(ours)
        for line, cells in table.rows:
            theirs, text = cells[bps_at], cells[our_at]
            if not _BPS.fullmatch(theirs):
                source.wrong(line, f"{shown(theirs)} is not a BPS code: write digits without dots")
                continue
            try:
                code = parse_code(text)
            except ValueError as error:
                source.wrong(line, str(error))
                continue
            if (
                pairs.setdefault(theirs, code) != code
                or partners.setdefault(code, theirs) != theirs
            ):
                source.wrong(
                    line, f"{theirs} and {code} are already paired otherwise: keep one pair each"
                )
    return pairs
