"""The front door: every command opens, errors become exit codes, help is quick to import."""

import subprocess
import sys

import pytest
import typer

from cli import main as door
from model.errors import InputError, UnavailableError


@pytest.mark.parametrize("name", door.COMMANDS)
def test_every_command_of_the_table_opens(name: str) -> None:
    """Its help is printed, by the command's own module."""
    result = subprocess.run(
        [sys.executable, "-c", "from cli.main import main; main()", name, "--help"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert f"jangkau {name}" in result.stdout.replace("-c", "jangkau")
    assert door._not_asked_for.__doc__ not in result.stdout


def test_the_overview_names_every_command() -> None:
    """And imports none of them."""
    code = (
        "import sys; from cli.main import main\n"
        "try: main(['--help'])\n"
        "except SystemExit as end: assert end.code == 0\n"
        "rooms = ('cli.', 'probes', 'collector', 'maps')\n"
        "loaded = [name for name in sys.modules if name.startswith(rooms)]\n"
        "assert sorted(loaded) == ['cli.main', 'cli.terminal'], loaded"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    assert all(name in result.stdout for name in door.COMMANDS)


@pytest.mark.parametrize(
    ("error", "code"),
    [(InputError("x.yaml:3: wrong"), 2), (UnavailableError("disk full"), 1), (ValueError("?"), 3)],
)
def test_errors_become_exit_codes(
    error: Exception, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """2 for the input, 1 for trouble outside, 3 for a bug; the message reaches standard error."""

    def fail() -> None:
        raise error

    def broken(_wanted: str | None) -> typer.Typer:
        app = typer.Typer(pretty_exceptions_enable=False)
        app.command()(fail)
        return app

    monkeypatch.setattr(door, "application", broken)
    with pytest.raises(SystemExit) as end:
        door.main([])
    assert end.value.code == code


@pytest.mark.parametrize("command", ["ping", "status"])
def test_light_commands_load_nothing_heavy(command: str) -> None:
    """No geometry, SNMP, archive or array library for a look or a glance."""
    code = (
        f"import sys; from cli.main import application; application('{command}')\n"
        "heavy = {'geopandas', 'folium', 'pysnmp', 'gufo', 'scapy', 'duckdb', 'pyarrow', 'numpy'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
