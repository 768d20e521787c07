"""The RouterOS script: hostile names stay text, and what it sends is what the collector reads."""

import re
import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.probe import app
from collector.line_protocol import decode
from model.check import Check
from model.errors import InputError
from probes.routeros import quoted, script

ROOT = Path(__file__).parents[2]
KEY = "0123abcd." + "f" * 64
HOSTILE = [
    'a"; /system reset-configuration; "',
    "$(x) $body [/user print] {}",
    "ends \\ with",
    "desa Ngabang, é ✗ `backtick`",
    "?;#/*",
]


def unquoted(literal: str) -> str:
    """What RouterOS makes of a literal, by its documentation."""
    assert literal[0] == literal[-1] == '"'
    inner = literal[1:-1]
    assert not re.search(r'["$\n\[\]{}]', inner), "something could end the literal or be replaced"
    data = re.sub(
        rb"\\([0-9A-F]{2})", lambda match: bytes([int(match[1], 16)]), inner.encode("latin-1")
    )
    return data.decode()


def check(target: str, address: str = "192.0.2.1") -> Check:
    return Check("v-1", "village", "ping", target, address, 60, count=5)


def source(text: str) -> str:
    """The script inside the script."""
    (literal,) = re.findall(r'source=("(?:[^"\\]|\\..)*")', text)
    return unquoted(literal)


@pytest.mark.parametrize("text", [*HOSTILE, "", "plain", "\n\r\t\x00"])
def test_literals(text: str) -> None:
    """A literal holds nothing that RouterOS would act on, and means what it should."""
    assert unquoted(quoted(text)) == text


def test_hostile_names_stay_text() -> None:
    """Names full of quotes, variables and commands appear in the script as data alone."""
    made = script("v-1", [check(f"application:{name}") for name in HOSTILE], "https://c", KEY)
    body = source(made)
    plain = source(script("v-1", [check("national")], "https://c", KEY))
    (targets,) = re.findall(r"in=\{(.*)\} do=\{\n  :local head", body)
    for found in re.findall(r'\{("[^"]*");("[^"]*")\}', targets):
        assert unquoted(found[1]) == "192.0.2.1"
    rest = body.replace(targets, "")
    (plain_targets,) = re.findall(r"in=\{(.*)\} do=\{\n  :local head", plain)
    assert rest == plain.replace(plain_targets, "")
    assert made.isascii()


def test_what_it_sends_is_read_by_the_collector() -> None:
    """Every line that the script can put together is one that the collector takes, as meant."""
    names = ["national", *(f"application:{name}" for name in HOSTILE[:2])]
    body = source(script("v-1", [check(name) for name in names], "https://c", KEY))
    heads = [unquoted(text) for text in re.findall(r'\{("[^"]*");"', body)]
    assert len(heads) == 3
    lines = []
    for literal in re.findall(r'"([^"]* outcome=[^"]*)"', body):
        for first in heads:
            values = {"head": first, "got": "4", "low": "12", "high": "1034", "up": "86400"}
            values |= {"more": ",supply_volts=23.9,clients=7i", "at": " 1800000000000"}
            text = re.sub(r"\$(\w+)", lambda match, v=values: v[match[1]], literal)
            lines.append(re.sub(r"\\([0-9A-F]{2})", lambda match: chr(int(match[1], 16)), text))
    assert len(lines) == 12
    assert all(line.endswith("\n") and line.count("\n") == 1 for line in lines)
    read = [decode(line[:-1].encode()) for line in lines]
    assert {item.series.target for item in read} == {*names, "device"}
    assert {item.at_ms for item in read} == {1_800_000_000_000}
    numbers = [item.values()[0] for item in read]
    assert {int(item.outcome) for item in read} == {0, 1, 2}
    assert {item["rtt_max_seconds"] for item in numbers if "rtt_max_seconds" in item} == {1.034}
    assert {item["clients"] for item in numbers if "clients" in item} == {7}
    reasons = {item.values()[1].get("reason", "") for item in read}
    assert reasons == {"", "no answer", "not looked"}


def test_fetch_verifies_and_writes_no_file() -> None:
    """The two defaults that would harm (no verification, a file on flash) are both overruled."""
    body = source(script("v-1", [check("national")], "https://c.example/", KEY))
    (fetch,) = [line for line in body.splitlines() if "/tool fetch" in line]
    assert "check-certificate=yes" in fetch
    assert "output=none" in fetch
    url = re.search(r'url=("[^"]*")', fetch)
    assert url is not None
    assert unquoted(url[1]).startswith("https://c.example/api/v2/write?")
    header = re.search(r'http-header-field=("[^"]*")', fetch)
    assert header is not None
    assert unquoted(header[1]) == f"Authorization: Token {KEY},Content-Type: text/plain"


def test_every_command_s_page_is_named() -> None:
    """A command that the script uses stands in its head with the page that documents it."""
    text = script("v-1", [check("national")], "https://c", KEY)
    head = "\n".join(line for line in text.splitlines() if line.startswith("#"))
    used = set(re.findall(r"(/(?:tool|system|interface) [a-z-]+)", source(text)))
    assert used
    for command in used:
        assert command.replace("wireless", "wifi") in head.replace("|wireless", ""), command


@pytest.mark.parametrize(
    ("checks", "collector", "key", "message"),
    [
        ([check("national")], "http://c", KEY, "https"),
        ([check("national")], "https://c", "a,b", "key"),
        ([], "https://c", KEY, "1 to 20 targets"),
        ([check("two\nlines")], "https://c", KEY, "rename it"),
    ],
)
def test_what_cannot_be_written(
    checks: list[Check], collector: str, key: str, message: str
) -> None:
    """What would make a script that harms or does nothing is refused."""
    with pytest.raises(InputError, match=message):
        script("v-1", checks, collector, key)


def test_the_command(tmp_path: Path) -> None:
    """``jangkau probe routeros`` writes a file that only its owner can read."""
    (tmp_path / "key").write_text(KEY + "\n")
    words = [
        "routeros",
        "semparuk-kd",
        "--collector",
        "https://c",
        "--out",
        str(tmp_path / "x.rsc"),
    ]
    words += ["--key-file", str(tmp_path / "key"), "--inventory", str(ROOT / "inventory.yaml")]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    assert stat.S_IMODE((tmp_path / "x.rsc").stat().st_mode) == 0o600
    assert "site\\3Dsemparuk\\2Dkd" in source((tmp_path / "x.rsc").read_text())
    assert KEY not in result.output
