"""``jangkau ping`` on loopback addresses: selection, table, JSON, exit codes."""

import errno
import json
import socket
import subprocess
import sys
from datetime import date
from functools import partial
from pathlib import Path

import pytest
import typer

from cli.ping import ping, select
from model.definition import Definition
from model.errors import InputError, UnavailableError
from model.inventory import Inventory, Province
from model.site import Access, ServiceHours, Site
from probes.echo_socket import EchoSocket
from probes.icmp import EchoEngine


@pytest.fixture
def icmp() -> None:
    """For tests that need an ICMP socket."""
    try:
        EchoSocket(socket.AF_INET).close()
    except UnavailableError as error:
        pytest.skip(f"no ICMP socket here: {error}")


def run(*arguments: str) -> int:
    """The exit code of ``jangkau ping`` with these arguments, in this process."""
    app = typer.Typer()
    app.command()(ping)
    return app(list(arguments), standalone_mode=False) or 0


def site(site_id: str, village: str, address: str | None) -> Site:
    return Site(
        id=site_id,
        name=site_id,
        kind="kantor_desa",
        village=village,
        access=Access.FIBRE,
        provider="p",
        timezone="Asia/Pontianak",
        service_hours=ServiceHours.parse("Mon-Fri 07:30-15:30"),
        service_critical=False,
        interval_seconds=60,
        in_service_from=date(2026, 1, 1),
        address=address,
    )


INVENTORY = Inventory(
    province=Province("61", "Kalimantan Barat", "Asia/Pontianak"),
    kabupaten=(),
    providers={},
    upstreams={},
    kinds={},
    sites=(
        site("a-office", "61.01.13.2002", "127.61.0.1"),
        site("a-wifi", "61.01.13.2002", "127.61.0.2"),
        site("b-office", "61.01.13.2003", None),
        site("c-office", "61.11.01.2001", "127.61.0.4"),
    ),
    definition=Definition(),
)


@pytest.mark.parametrize(
    ("ids", "codes", "every", "names"),
    [
        (["c-office", "a-wifi"], [], False, ["a-wifi", "c-office"]),
        ([], ["61.01.13.2002"], False, ["a-office", "a-wifi"]),
        ([], ["61.01"], False, ["a-office", "a-wifi"]),
        (["c-office"], ["61.01.13.2002"], False, ["a-office", "a-wifi", "c-office"]),
        ([], [], True, ["a-office", "a-wifi", "c-office"]),
    ],
)
def test_selection(ids: list[str], codes: list[str], every: bool, names: list[str]) -> None:
    """Sites are chosen by id, village, kabupaten or all; each once, those with an address."""
    assert [target.name for target in select(INVENTORY, ids, codes, every)] == names


@pytest.mark.parametrize(
    ("ids", "codes", "message"),
    [
        (["d-office"], [], "there is no site 'd-office' in the inventory"),
        (["b-office"], [], "site b-office has no address"),
        ([], ["6101"], "has no dots"),
        ([], ["61.02"], "no site of the inventory lies in 61.02"),
    ],
)
def test_what_cannot_be_selected(ids: list[str], codes: list[str], message: str) -> None:
    """A wrong id or code is named; nothing is silently left out."""
    with pytest.raises(InputError, match=message):
        select(INVENTORY, ids, codes, False)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "nothing to look at"),
        (["--address", "kantor.example"], "write an IP address"),
        (["--address", "0.0.0.0"], "no single host"),  # noqa: S104 - nothing is bound, it is refused
        (["--address", "ff02::1"], "no single host"),
    ],
)
def test_wrong_arguments(arguments: list[str], message: str) -> None:
    """What the user gave wrongly is said with its remedy."""
    with pytest.raises(InputError, match=message):
        run(*arguments)


def test_table(icmp: None, capsys: pytest.CaptureFixture[str]) -> None:
    """A line for each target and a sum below; at most 100 columns; nothing on standard error."""
    assert run("--address", "127.61.0.1", "--address", "127.61.0.2", "--spacing", "0.01") == 0
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert [line.split()[:4] for line in lines if line.startswith("127.")] == [
        ["127.61.0.1", "5", "5", "0"],
        ["127.61.0.2", "5", "5", "0"],
    ]
    assert "2 targets: 2 up, 0 down, 0 unknown" in lines[-1]
    assert max(map(len, lines)) <= 100
    assert err == ""


def test_json_names_readings_with_their_units(
    icmp: None, capsys: pytest.CaptureFixture[str]
) -> None:
    """One document, targets in the order asked, readings named as the metrics are."""
    asked = ["127.61.0.9", "127.61.0.1"]
    assert run("--json", "--count", "2", "--spacing", "0", *[f"--address={a}" for a in asked]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [target["address"] for target in document["targets"]] == asked
    target = document["targets"][0]
    assert (target["outcome"], target["sent"], target["received"]) == ("UP", 2, 2)
    assert 0 < target["rtt_min_seconds"] <= target["rtt_median_seconds"] < 0.01


def test_trouble_is_exit_1(
    icmp: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A target that could not be looked at is UNKNOWN with its reason, and the exit code is 1."""
    monkeypatch.setattr("cli.ping.EchoEngine", partial(EchoEngine, open_socket=Roadless))
    assert run("--address", "127.61.0.1", "--count", "1") == 1
    out, _ = capsys.readouterr()
    assert "UNKNOWN no route" in out
    assert "0 up, 0 down, 1 unknown" in out


class Roadless(EchoSocket):
    """A socket on a machine without any route."""

    def __init__(self, family: socket.AddressFamily) -> None:
        super().__init__(family)
        self.send = self.refuse

    def refuse(self, *_: object) -> int:
        raise OSError(errno.ENETUNREACH, "Network is unreachable")


def test_start_up_is_light() -> None:
    """The command imports no heavy library, and for addresses alone neither YAML nor asyncio."""
    script = (
        "import sys; before = set(sys.modules); import cli.ping;"
        "print(*{name.partition('.')[0] for name in set(sys.modules) - before})"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    ).stdout.split()
    heavy = {"asyncio", "yaml", "numpy", "geopandas", "folium", "duckdb", "starlette", "apsw"}
    assert not heavy & set(loaded)
