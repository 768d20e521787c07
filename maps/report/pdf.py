"""The report as PDF: A4, tagged, with bookmarks, page numbers and its fonts inside.

Law: the words travel as JSON beside a fixed template, so that no name can become markup.
"""

import html
import json
import re
from pathlib import Path

from maps.look import STATES
from maps.report.document import Document, shown
from maps.report.seal import Seal
from maps.typeset import compile_pdf
from maps.words import Words

_TEMPLATE = Path(__file__).parent / "report.typ"


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
        "none": words("report.none"),
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
    read["report.json"] = json.dumps(content, ensure_ascii=False).encode("utf-8", "replace")
    return compile_pdf(_TEMPLATE.read_text("utf-8"), read)


def read_seal(content: bytes) -> str | None:
    """The seal in a PDF of ours: it stands in the metadata (XMP), which is never compressed."""
    match = re.search(rb"<pdf:Keywords>(.*?)</pdf:Keywords>", content, re.DOTALL)
    return html.unescape(match[1].decode("utf-8", "replace")) if match else None
