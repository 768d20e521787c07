"""The command ``jangkau``: one line per command, and what becomes of errors.

Law: 0 fine, 1 found trouble, 2 your input, 3 our bug. Command modules import only light things at
their top; what is heavy is imported inside the command that needs it.
"""

import sys
import traceback

import typer

from cli import (
    availability,
    collector,
    coverage,
    demo,
    explain,
    inventory,
    keys,
    map_page,
    outages,
    ping,
    probe,
    report,
    run,
    score,
    simulate,
    status,
    terminal,
)
from model.errors import InputError, UnavailableError

app = typer.Typer(
    name="jangkau",
    help="Watch the internet of villages: look, keep, explain, show.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

app.add_typer(inventory.app, name="inventory")
app.command("ping")(ping.ping)
app.command("run")(run.run)
app.command("status")(status.status)
app.command("outages")(outages.outages)
app.command("availability")(availability.availability)
app.command("explain")(explain.explain)
app.command("coverage")(coverage.coverage)
app.command("map")(map_page.map_)
app.command("report")(report.report)
app.add_typer(probe.app, name="probe")
app.add_typer(collector.app, name="collector")
app.add_typer(keys.app, name="keys")
app.add_typer(simulate.app, name="simulate")
app.command("score")(score.score)
app.command("demo")(demo.demo)


def main() -> None:
    """Run the command line; every exit code is decided here."""
    try:
        app()
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
