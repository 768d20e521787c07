"""CSV rows: spreadsheets' habits are understood, hostile tables refused within bounds."""

from collections.abc import Callable
from pathlib import Path

import pytest

from inventory.mistakes import Mistakes
from inventory.rows import open_rows
from model.errors import InputError


def read(path: Path) -> tuple[list[str], list[tuple[int, list[str]]], Mistakes]:
    """The columns, the rows and the mistakes of a table."""
    mistakes = Mistakes()
    with open_rows(path, mistakes.source(path)) as table:
        return table.columns, list(table.rows), mistakes


@pytest.mark.parametrize(
    "content",
    [
        b"a,b\n1,2\n",
        b"a;b\r\n1;2\r\n",
        b"\xef\xbb\xbfa,b\n1,2\n",
        b"# a comment\n# another\na,b\n\n1,2\n,\n",
        b'a,b\n"1",2',
    ],
)
def test_habits(tmp_path: Path, content: bytes) -> None:
    """Commas, semicolons, a byte order mark, comments, blank rows, no last line end: one table."""
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    columns, rows, mistakes = read(path)
    assert (columns, [cells for _, cells in rows]) == (["a", "b"], [["1", "2"]])
    assert not mistakes.found


def test_lines(tmp_path: Path) -> None:
    """A row bears the line on which it begins, whatever stands before it."""
    path = tmp_path / "t.csv"
    path.write_text('# c\na,b\n1,"x\ny"\n\n2,z\n3\n4,w\n', encoding="utf-8")
    _, rows, mistakes = read(path)
    assert [line for line, _ in rows] == [3, 6, 8]
    assert [(line, what.split(":")[0]) for _, line, what in mistakes.found] == [
        (7, "the row has 1 cells but the header 2")
    ]


HOSTILE = {
    "a million columns": (b"," * 1_000_000, "longer than 65,536 bytes"),
    "many columns": (b"a," * 300, "301 columns"),
    "a huge field": (b"id,name\nx," + b"y" * 2_000_000 + b"\n", "longer than 65,536 bytes"),
    "an unclosed quote": (b'id,name\nx,"' + b"y\n" * 100_000, "cannot be read"),
    "NUL": (b"id,name\nx,\0\n", "NUL"),
    "mixed encodings": (b"id,name\nx,caf\xc3\xa9\ny,caf\xe9\n", ":3: is not UTF-8"),
    "UTF-16": ("id,name\nx,y\n".encode("utf-16"), "UTF-16"),
    "blank lines": (b"id,name\n" + b"\n" * 30_000_000, "more than 200,000 lines"),
    "a column twice": (b"id,id\nx,y\n", "stands here twice"),
    "nothing": (b"", "no header"),
    "a spreadsheet": (b"PK\x03\x04" + bytes(range(256)) * 10, "NUL"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_table(tmp_path: Path, refused: Callable[[str, str, Path], str], name: str) -> None:
    """Refused with its reason, within the bounds."""
    content, message = HOSTILE[name]
    path = tmp_path / "table.csv"
    path.write_bytes(content)
    imports = "from inventory.rows import open_rows; from inventory.mistakes import Mistakes"
    call = (
        "mistakes = Mistakes()\n"
        "    with open_rows(path, mistakes.source(path)) as table: list(table.rows)\n"
        "    mistakes.raise_if_any()"
    )
    assert message in refused(imports, call, path)


def test_hostile_register(tmp_path: Path, refused: Callable[[str, str, Path], str]) -> None:
    """A list of formulas is refused as a whole, within the bounds."""
    path = tmp_path / "villages.csv"
    row = "61.01.13.2002,\"=cmd|'/c calc'!A1\"\n"
    path.write_text("code,name\n" + row * 150_000, encoding="utf-8")
    call = "import_register(path, 'v', None)"
    assert "a formula" in refused("from inventory.imports import import_register", call, path)


def test_too_large(tmp_path: Path, refused: Callable[[str, str, Path], str]) -> None:
    """100 MB of YAML, CSV or GeoJSON are refused by their size."""
    for name, call in {
        "inventory.yaml": "load(path)",
        "villages.csv": "import_register(path, 'v', None)",
        "villages.geojson": "import_register(path, 'v', None)",
    }.items():
        path = tmp_path / name
        with path.open("wb") as file:
            file.truncate(100 * 10**6)
        imports = "from inventory.imports import import_register, load"
        assert "has 100,000,000 bytes" in refused(imports, call, path)


def test_pipe_is_not_opened(tmp_path: Path) -> None:
    """A file without an end or size is refused and not waited for."""
    with pytest.raises(InputError, match="is not a file"):
        read(Path("/dev/zero"))
