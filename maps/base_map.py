"""The online base map, which a page has only when it was asked for.

Law: off by default. With it the page's policy opens for the pictures of exactly one host, named on
the page; what is drawn on top stays as readable without a network as before.
"""

import re
from dataclasses import dataclass

from model.errors import InputError

_URL = re.compile(r"https://([a-z0-9.-]+(?::[0-9]{1,5})?)/[A-Za-z0-9._~/{}?=&%-]*", re.ASCII)
_NEEDED = ("{z}", "{x}", "{y}")


@dataclass(frozen=True, slots=True)
class BaseMap:
    """``url`` of the tiles with ``{z}``, ``{x}`` and ``{y}`` (Web Mercator, 256 pixels) and its
    ``host``; ``credit`` is what the provider asks to be named as."""

    url: str
    host: str
    credit: str


def base_map(url: str, credit: str | None = None) -> BaseMap:
    """The base map at a tile address. Raises InputError for anything but one https host and path.

    Without ``credit`` the host is named.
    """
    match = _URL.fullmatch(url)
    unknown = set(re.findall(r"\{[^}]*\}|[{}]", url)) - set(_NEEDED)
    if match is None or unknown or not all(part in url for part in _NEEDED):
        raise InputError(
            f"--base-map {url}: write the address of one host's tiles, such as "
            "https://tiles.example/{z}/{x}/{y}.png"
        )
    return BaseMap(url, match[1], credit or match[1])
