"""The walker: a mapping of text against a table of the keys that may stand in it.

Law: a misspelt key is a mistake, never a default. Every table of keys in this package is data, so
that the documentation can be checked against them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from inventory.mistakes import Source, guess, shown
from inventory.nodes import Listing, Node, Scalar, Table
from inventory.values import Reader


@dataclass(frozen=True, slots=True)
class Key:
    """What stands under a key: how its text is read, whether it must be there, and whether it is a
    list of such texts."""

    read: Reader
    needed: bool = False
    many: bool = False


Keys = Mapping[str, Key]


def read_keys(node: Node, keys: Keys, where: str, source: Source) -> dict[str, Any]:
    """The values that could be read, by key. Everything else is noted in ``source``.

    A key with nothing behind it counts as not given.
    """
    table = as_table(node, where, source)
    if table is None:
        return {}
    check_names(table, keys, where, source)
    values: dict[str, Any] = {}
    for name, key in keys.items():
        entry = table.entries.get(name)
        if entry is None or (isinstance(entry, Scalar) and not entry.text):
            if key.needed:
                source.wrong(
                    entry.line if entry else table.line, f"{where}: {name!r} is missing: add it"
                )
        elif key.many:
            values[name] = _many(entry, key, f"{where}.{name}", source)
        elif not isinstance(entry, Scalar):
            source.wrong(
                entry.line, f"{where}.{name}: holds several values: write one value, or quote it"
            )
        else:
            try:
                values[name] = key.read(entry.text)
            except ValueError as error:
                source.wrong(entry.line, f"{where}.{name}: {error}")
    return values


def _many(entry: Node, key: Key, where: str, source: Source) -> list[Any]:
    if not isinstance(entry, Listing):
        source.wrong(entry.line, f"{where}: is not a list: write it in brackets, as [one, two]")
        return []
    values = []
    for item in entry.items:
        if not isinstance(item, Scalar) or not item.text:
            source.wrong(item.line, f"{where}: an entry is not a plain value: write its name")
            continue
        try:
            values.append(key.read(item.text))
        except ValueError as error:
            source.wrong(item.line, f"{where}: {error}")
    return values


def check_names(table: Table, known: Iterable[str], where: str, source: Source) -> None:
    """Note every key that is not known here."""
    names = tuple(known)
    for name, entry in table.entries.items():
        if name not in names:
            at = f"{where}: " if where else ""
            source.wrong(entry.line, f"{at}{shown(name)} is not a key: {guess(name, names)}")


def as_table(node: Node, where: str, source: Source) -> Table | None:
    """The node when it is a mapping; else a mistake and None."""
    if isinstance(node, Table):
        return node
    source.wrong(node.line, f"{where}: is not a mapping: write 'key: value' lines below it")
    return None


def as_items(node: Node, where: str, source: Source) -> list[Node]:
    """The items when the node is a list; else a mistake and nothing."""
    if isinstance(node, Listing):
        return node.items
    source.wrong(node.line, f"{where}: is not a list: begin each entry with '- '")
    return []


def as_entries(node: Node, where: str, read_id: Reader, source: Source) -> list[tuple[str, Node]]:
    """The (id, node) pairs of a mapping by id; an id that is not well formed is noted."""
    table = as_table(node, where, source)
    for name, entry in table.entries.items() if table else ():
        try:
            read_id(name)
        except ValueError as error:
            source.wrong(entry.line, f"{where}: {error}")
    return list(table.entries.items()) if table else []
