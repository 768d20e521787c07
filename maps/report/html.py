"""The report as one self-contained HTML page.

Law: no script at all and no request; every text goes through Jinja's autoescape, and the
Content-Security-Policy admits the page's own style sheet and nothing else.
"""

import base64
import hashlib
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from maps.look import STATES
from maps.report.compose import compose
from maps.report.document import Document, shown
from maps.report.seal import Seal, seal
from maps.report.weekly import WeeklyReport
from maps.words import Words

_HERE = Path(__file__).parent


def render(report: WeeklyReport, words: Words, *, fictional: bool = False) -> str:
    """The page of a report as text."""
    mark = seal(report, words.lang, fictional=fictional)
    return page(compose(report, words, mark, fictional=fictional), words, mark)


def page(document: Document, words: Words, mark: Seal, picture: bytes | None = None) -> str:
    """The page as text. ``picture`` is the map as PNG."""
    style = (_HERE / "weekly.css").read_text("utf-8") + _state_styles()
    return _template().render(
        # A drawing is ours: its words were escaped when it was made.
        d=shown(document, words, Markup),
        w=words,
        looks=STATES,
        picture=base64.b64encode(picture).decode() if picture else None,
        seal=mark.text(),
        style=Markup(style),  # noqa: S704 - our own files, hashed into the page's policy
        style_hash=_hash(style),
    )


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("weekly.html.j2")


def _state_styles() -> str:
    return "".join(
        f".s-{state} {{ background-color: {look.colour}; color: {look.ink}; }}\n"
        for state, look in STATES.items()
    )


def _hash(style: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
