"""YAML as plain text with line numbers: the only file that knows YAML.

Law: what a scalar means is decided by the key it stands under, never by how it looks. So ``61.10``
stays the text ``61.10`` (and not the number 61.1), ``no`` stays ``no``; quoting changes nothing.
Tags, anchors and aliases are refused: an inventory needs none, and they carry the two classic
attacks (objects made while reading, and bombs of nested aliases).
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import yaml  # noqa: TID251 - this is the one file that reads YAML

from inventory.files import read_text
from inventory.mistakes import Source, shown

MAX_BYTES = 8 * 2**20
MAX_DEPTH = 32
MAX_NODES = 150_000
"""Some 3,000 sites; keeps the worst file below 128 MiB. More sites belong into a sites_file."""

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml where the wheel has it
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]")
_NOTHING = ("", "~", "null")


@dataclass(slots=True)
class Scalar:
    """A piece of text; empty where the file says nothing (``key:``, ``~``, ``null``)."""

    line: int
    text: str


@dataclass(slots=True)
class Listing:
    """A sequence."""

    line: int
    items: list["Node"]


@dataclass(slots=True)
class Table:
    """A mapping. What stands under a key bears the line of the key."""

    line: int
    entries: dict[str, "Node"]


Node = Scalar | Listing | Table


def read_nodes(path: Path, source: Source) -> Table:
    """The one mapping that a YAML file holds.

    Notes duplicate keys, tags, anchors and aliases in ``source`` and reads on. Raises InputError
    where reading on makes no sense: no YAML, no mapping, too large, too deep, several documents.
    """
    return parse_nodes(read_text(path, MAX_BYTES, source), source)


def parse_nodes(text: str, source: Source) -> Table:
    """The same from text."""
    if (control := _CONTROL.search(text)) is not None:
        line = text.count("\n", 0, control.start()) + 1
        raise source.stop(line, f"holds the control character {control[0]!r}: remove it")
    builder = _Builder(source)
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            builder.take(event)
    except yaml.YAMLError as error:
        mark: Any = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        problem = getattr(error, "problem", None) or getattr(error, "reason", "unreadable")
        raise source.stop(
            mark.line + 1 if mark else 1,
            f"this is not YAML ({problem}): check indentation, quotes and brackets here",
        ) from None
    if builder.refused:  # what such a node stood for is not known, so later mistakes would mislead
        raise source.mistakes.error()
    if not isinstance(builder.root, Table):
        raise source.stop(
            1, "the file holds no keys: write 'key: value' lines (see docs/inventory.md)"
        )
    return builder.root


class _Builder:
    """Puts events together to nodes, without recursion."""

    def __init__(self, source: Source) -> None:
        self.root: Node | None = None
        self.refused = False
        self._source = source
        self._open: list[Table | Listing] = []
        self._keys: list[Scalar | None] = []
        self._documents = 0
        self._nodes = 0

    def take(self, event: yaml.Event) -> None:
        """Take one event. Raises InputError at the limits."""
        line = 1 + (event.start_mark.line if event.start_mark else 0)
        if isinstance(event, yaml.ScalarEvent):
            plain = not event.style  # None from the parser in Python, "" from libyaml
            nothing = plain and event.value in _NOTHING
            self._check(event, line)
            self._place(Scalar(line, "" if nothing else event.value))
        elif isinstance(event, yaml.MappingStartEvent):
            self._check(event, line)
            self._enter(Table(line, {}))
        elif isinstance(event, yaml.SequenceStartEvent):
            self._check(event, line)
            self._enter(Listing(line, []))
        elif isinstance(event, yaml.CollectionEndEvent):
            self._open.pop()
            self._keys.pop()
        elif isinstance(event, yaml.AliasEvent):
            self._refuse(line, f"the alias *{event.anchor} is not read: write the value out")
            self._place(Scalar(line, ""))
        elif isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                self._stop(line, "a second document begins here: keep one document in a file")

    def _check(self, event: yaml.NodeEvent, line: int) -> None:
        tag = getattr(event, "tag", None)
        if tag is not None:
            self._refuse(line, f"the tag {shown(tag)} is not read: write the plain value")
        if event.anchor is not None:
            self._refuse(line, f"the anchor &{event.anchor} is not read: write the value out")

    def _refuse(self, line: int, what: str) -> None:
        self.refused = True
        self._source.wrong(line, what)

    def _stop(self, line: int, what: str) -> NoReturn:
        self._source.wrong(line, what)
        raise self._source.mistakes.error()

    def _enter(self, node: Table | Listing) -> None:
        self._place(node)
        self._open.append(node)
        self._keys.append(None)
        if len(self._open) > MAX_DEPTH:
            self._stop(node.line, f"nested more than {MAX_DEPTH} deep: an inventory needs 5")

    def _place(self, node: Node) -> None:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            self._stop(node.line, f"more than {MAX_NODES} values: put the sites into a sites_file")
        if not self._open:
            self.root = node
            return
        holder = self._open[-1]
        if isinstance(holder, Listing):
            holder.items.append(node)
            return
        key = self._keys[-1]
        if key is None:
            if not isinstance(node, Scalar):
                self._stop(node.line, "a key is a list or a mapping: write a plain name as key")
            self._keys[-1] = node
            return
        self._keys[-1] = None
        node.line = key.line
        if (first := holder.entries.get(key.text)) is not None:
            self._source.wrong(
                key.line,
                f"{shown(key.text)} stands here twice (first in line {first.line}): keep one",
            )
        else:
            holder.entries[key.text] = node
