"""The command ``jangkau``: one line per command, and what becomes of errors.

Law: 0 fine, 1 found trouble, 2 your input, 3 our bug. Only the module of the command that was asked
for is imported, so that help and the light commands start at once.
"""

import sys
import traceback
from collections.abc import Mapping, Sequence
from importlib import import_module

import typer

from cli import terminal
from model.errors import InputError, UnavailableError

# name: (module of cli, its function or Typer, what the overview says)
COMMANDS: Mapping[str, tuple[str, str, str]] = {
    "inventory": ("inventory", "app", "What is watched: check it, see its cost, import, compare."),
    "ping": ("ping", "ping", "Look at sites once: loss, round-trip times, jitter."),
    "look": ("look", "look", "Look once at one target: TCP, TLS, HTTP, DNS, RTSP, path ..."),
    "run": ("run", "run", "A collector and the centre's own probe, on one machine."),
    "status": ("status", "status", "How every site looked last."),
    "outages": ("outages", "outages", "What failed in a week, why, and what says so."),
    "availability": ("availability", "availability", "A week's availability that can be defended."),
    "explain": ("explain", "explain", "One site's week, drawn, with the evidence."),
    "revisions": ("revisions", "revisions", "What late truth changed in a week."),
    "paths": ("paths", "paths", "When the way to a target changed, or what it carries."),
    "services": ("services", "services", "Could public services be used, and what stopped them."),
    "coverage": ("coverage", "coverage", "How many villages have stable internet, by region."),
    "map": ("map_page", "map_", "The map: one file, no network."),
    "boundaries": ("boundaries", "app", "Village borders: check them, make them fit."),
    "worklist": ("worklist", "worklist", "Where a technician has to go, for a phone."),
    "reach": ("reach", "reach", "How much of each village a working access point reaches."),
    "export": ("export", "export", "The village week for other programs and for the public."),
    "report": ("report", "app", "The weekly report: write it, send it, check one."),
    "probe": ("probe", "app", "The probe: look, keep what was seen, carry it home."),
    "collector": ("collector", "app", "The collector: keep what probes report."),
    "keys": ("keys", "app", "The keys of probes: enrol, give, rotate, list, revoke."),
    "backup": ("backup", "backup", "Copy a collector's folder while it runs."),
    "restore": ("backup", "restore", "Make a folder from a backup, and prove it."),
    "snmp": ("snmp", "app", "Ask devices through SNMP: what the boxes themselves know."),
    "simulate": ("simulate", "app", "A province in a box, with known truth."),
    "score": ("score", "score", "Conclusions held against a simulated province's truth."),
    "demo": ("demo", "demo", "A living province in one command."),
}


def application(wanted: str | None) -> typer.Typer:
    """The command line with every command named, and ``wanted`` ready to run."""
    app = typer.Typer(
        name="jangkau",
        help="Watch the internet of villages: look, keep, explain, show.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    for name, (module, attribute, overview) in COMMANDS.items():
        if name != wanted:
            app.command(name, help=overview)(_not_asked_for)
            continue
        command = getattr(import_module(f"cli.{module}"), attribute)
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=name)
        else:
            app.command(name)(command)
    return app


def main(words: Sequence[str] | None = None) -> None:
    """Run the command line; every exit code is decided here."""
    given = list(sys.argv[1:] if words is None else words)
    try:
        application(next((word for word in given if not word.startswith("-")), None))(given)
    except InputError as error:
        terminal.stderr.print(str(error), markup=False, highlight=False, soft_wrap=True)
        sys.exit(2)
    except UnavailableError as error:
        terminal.stderr.print(str(error), markup=False, highlight=False, soft_wrap=True)
        sys.exit(1)
    except Exception:  # noqa: BLE001 - the last net: whatever lands here is our bug
        traceback.print_exc()
        terminal.stderr.print("This is a bug in Jangkau, not in your input. Please report it.")
        sys.exit(3)


def _not_asked_for() -> None:
    """Stands for a command that the overview only names."""
