"""Tables made field by field: what a column is called stands beside what it shows.

Law: a heading and its value are written once, together, so that no column can show another's value.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from maps.report.document import Cell, Column, Form, Table
from model.definition import State

Item = TypeVar("Item")


@dataclass(frozen=True)
class Field(Generic[Item]):
    """A column and how its value is read from an item; the rest is as in ``Column``."""

    heading: str
    value: Callable[[Item], Any]
    form: Form = Form.TEXT
    wide: bool = False
    state: State | None = None
    parts: tuple[str, ...] = ()
    tag: Callable[[Item], str] | None = None

    def cell(self, item: Item) -> Cell:
        """The value of ``item`` in this column."""
        tag = self.tag(item) if self.tag else ""
        return Cell(self.value(item), self.form, tag)


def table(
    key: str,
    title: str,
    fields: Iterable[Field[Item]],
    items: Iterable[Item],
    foot: Item | None = None,
) -> Table:
    """A row for each item, and one more below the line for ``foot``."""
    listed = tuple(fields)
    return Table(
        key,
        title,
        tuple(
            Column(field.heading, field.form, field.wide, field.state, field.parts)
            for field in listed
        ),
        tuple(tuple(field.cell(item) for field in listed) for item in items),
        tuple(field.cell(foot) for field in listed) if foot is not None else None,
    )
