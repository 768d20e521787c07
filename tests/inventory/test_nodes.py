"""YAML nodes: lines, refusals, and hostile files within bounds of time and memory."""

from collections.abc import Callable
from pathlib import Path

import pytest

from inventory.mistakes import Mistakes
from inventory.nodes import MAX_BYTES, Listing, Scalar, Table, parse_nodes, read_nodes
from model.errors import InputError


def bomb() -> str:
    """Nine levels of nine aliases: 9^9 values when expanded."""
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    return "\n".join(levels)


HOSTILE = {
    "alias bomb": (bomb(), "anchor"),
    "flow depth": ("[" * 4_000_000, "nested more than 32 deep"),
    "block depth": ("\n".join(" " * n + "a:" for n in range(2_000)), "nested more than 32 deep"),
    "list of nothing": ("a: [" + "," * 4_000_000, "not YAML"),
    "millions of values": ("- a\n" * 2_000_000, "more than 150000 values"),
    "millions of keys": (
        "".join(f"k{n}: 1\n" for n in range(600_000)),
        "more than 150000 values",
    ),
    "one huge scalar": ("a: " + "x" * (MAX_BYTES - 100), "'a' is not a key"),
    "one huge key": ("x" * (MAX_BYTES - 100) + ": 1", "YAML"),
    "unclosed quote": ('a: "' + "x" * (MAX_BYTES - 100), "not YAML"),
    "tag": ("!!python/object/apply:os.system ['id']", "tag"),
    "NUL": ("a: \0", "control character"),
    "wide characters": ("a: " + "\U0001f600" * (MAX_BYTES // 4 - 100), "'a' is not a key"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_file(tmp_path: Path, refused: Callable[[str, str, Path], str], name: str) -> None:
    """Refused with its reason, within the bounds."""
    content, message = HOSTILE[name]
    path = tmp_path / "inventory.yaml"
    path.write_text(content, encoding="utf-8")
    assert message in refused("from inventory.read import load", "load(path)", path)


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        (b"a: 1\nb: \xff\n", 2, "is not UTF-8 text"),
        (b"a: 1\r\nb: \x1b[2J\r\n", 2, "control character"),
        ("a: 1\n".encode("utf-16"), 1, "is not UTF-8 text"),
    ],
)
def test_not_plain_text(tmp_path: Path, content: bytes, line: int, message: str) -> None:
    """A file that is not plain UTF-8 is refused with the line."""
    path = tmp_path / "inventory.yaml"
    path.write_bytes(content)
    with pytest.raises(InputError, match=f":{line}: .*{message}"):
        read_nodes(path, Mistakes().source(path))


def parse(text: str) -> tuple[Table, Mistakes]:
    """A root table and what was wrong with it."""
    mistakes = Mistakes()
    return parse_nodes(text, mistakes.source(Path("x.yaml"))), mistakes


def test_lines() -> None:
    """What stands under a key bears the key's line; items of a list bear their own."""
    root, mistakes = parse("a: 1\nb:\n  c: 2\n\n  d:\n    - x\n    - y\n")
    inner = root.entries["b"]
    assert isinstance(inner, Table)
    assert [node.line for node in (root.entries["a"], inner, inner.entries["d"])] == [1, 2, 5]
    listing = inner.entries["d"]
    assert isinstance(listing, Listing)
    assert listing.items == [Scalar(6, "x"), Scalar(7, "y")]
    assert not mistakes.found


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("", ""),
        ("~", ""),
        ("null", ""),
        ("'null'", "null"),
        ('"~"', "~"),
        ("''", ""),
        ("61.10", "61.10"),
    ],
)
def test_scalars(written: str, text: str) -> None:
    """Nothing, ~ and null say nothing; in quotes, and everywhere else, the text is the text."""
    root, _ = parse(f"a: {written}\n")
    assert root.entries["a"] == Scalar(1, text)


def test_refusals_are_collected() -> None:
    """Tags, anchors and aliases are all named before reading ends."""
    with pytest.raises(InputError) as caught:
        parse("a: !x 1\nb: &y 2\nc: *y\na: 3\n")
    assert [line.split(":")[1] for line in str(caught.value).splitlines()] == ["1", "2", "3", "4"]
