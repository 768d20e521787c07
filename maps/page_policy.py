"""The Content-Security-Policy of our pages: nothing from anywhere, and of inline scripts and styles
exactly those that we wrote, by their hashes (CSP Level 3, "hash-source")."""

import base64
import hashlib
import re
from collections.abc import Sequence


def page_policy(page: str, scripts: Sequence[str] = (), picture_host: str | None = None) -> str:
    """For a page with inline scripts and styles, without attributes on their tags; ``scripts`` are
    those that it puts in later, ``picture_host`` the one host that it may ask for pictures."""

    def hashes(tag: str) -> str:
        found = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        return " ".join(_source(text) for text in found)

    allowed = " ".join([hashes("script"), *map(_source, scripts)])
    pictures = f"data: https://{picture_host}" if picture_host else "data:"
    return (
        f"default-src 'none'; script-src {allowed}; style-src {hashes('style')}; "
        f"img-src {pictures}; base-uri 'none'; form-action 'none'"
    )


def style_policy(style: str) -> str:
    """For a page without any script."""
    return (
        f"default-src 'none'; style-src {_source(style)}; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def _source(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
