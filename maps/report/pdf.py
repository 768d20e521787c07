"""The report as PDF: A4, PDF/UA-1, with bookmarks, page numbers and its fonts inside.

Law: the words travel as JSON beside a fixed template, so that no name can become markup. A letter
that no font can show never costs the report: it is shown as U+FFFD, and the first page says so.
"""

import html
import json
import re
import unicodedata
from pathlib import Path
from typing import Any

from maps.look import STATES
from maps.report.document import Document, shown
from maps.report.seal import Seal
from maps.typeset import UndisplayableError, compile_pdf
from maps.words import Words

_TEMPLATE = Path(__file__).parent / "report.typ"
_REPLACEMENT = "\ufffd"


def pages(document: Document, words: Words, mark: Seal, picture: bytes | None = None) -> bytes:
    """The PDF. ``picture`` is the map as PNG."""
    read: dict[str, bytes] = {}

    def draw(svg: str) -> str:
        name = f"drawing-{len(read)}.svg"
        read[name] = svg.encode()
        return name

    content = shown(document, words, draw) | {
        "author": words("report.author"),
        "seal": mark.text(),
        "page": words("report.page"),
        "looks": {
            state.value: {
                "colour": look.colour,
                "ink": look.ink,
                "letter": look.letter,
                "pattern": look.pattern.value,
            }
            for state, look in STATES.items()
        },
        "picture": "map.png" if picture else None,
        "picture_says": words("report.picture"),
    }
    if picture:
        read["map.png"] = picture
    strange = _without_a_shape(json.dumps(content, ensure_ascii=False))
    while True:
        text = json.dumps(_said(content, strange, words), ensure_ascii=False)
        read["report.json"] = text.encode()
        try:
            return compile_pdf(_TEMPLATE.read_text("utf-8"), read)
        except UndisplayableError as error:
            if error.characters <= strange:
                raise
            strange |= error.characters


def _without_a_shape(text: str) -> frozenset[str]:
    """Characters that no font has: controls, marks of direction (they would turn the text around
    them), private and unassigned ones, halves of pairs."""
    return frozenset(
        letter for letter in {*text} if unicodedata.category(letter)[0] == "C"
    ) | frozenset(map(chr, range(32)))


def _said(content: dict[str, Any], strange: frozenset[str], words: Words) -> dict[str, Any]:
    """The content with a sign for each strange character, and a note that says so."""
    replaced: dict[str, Any] = _replaced(content, dict.fromkeys(map(ord, strange), _REPLACEMENT))
    if replaced != content:
        says = words("report.undisplayable", sign=_REPLACEMENT)
        replaced["notes"] = [*replaced["notes"], says]
    return replaced


def _replaced(value: Any, strange: dict[int, str]) -> Any:
    """Every text in ``value``, however deep, with the strange letters replaced."""
    match value:
        case str():
            return value.translate(strange)
        case list():
            return [_replaced(item, strange) for item in value]
        case dict():
            return {key: _replaced(item, strange) for key, item in value.items()}
        case _:
            return value


def read_seal(content: bytes) -> str | None:
    """The seal in a PDF of ours: it stands in the metadata (XMP), which is never compressed."""
    match = re.search(rb"<pdf:Keywords>(.*?)</pdf:Keywords>", content, re.DOTALL)
    return html.unescape(match[1].decode("utf-8", "replace")) if match else None
