"""The command ``jangkau``: one line per command, and what becomes of errors.

Law: 0 fine, 1 found trouble, 2 your input, 3 our bug. Command modules import only light things at
their top; what is heavy is imported inside the command that needs it.
"""

import sys
import traceback

import typer

from cli import terminal
from model.errors import InputError, UnavailableError

app = typer.Typer(
    name="jangkau",
    help="Watch the internet of villages: look, keep, explain, show.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def main() -> None:
    """Run the command line; every exit code is decided here."""
    try:
        app()
    except InputError as error:
        terminal.stderr.print(str(error), markup=False, highlight=False)
        sys.exit(2)
    except UnavailableError as error:
        terminal.stderr.print(str(error), markup=False, highlight=False)
        sys.exit(1)
    except Exception:  # noqa: BLE001 - the last net: whatever lands here is our bug
        traceback.print_exc()
        terminal.stderr.print("This is a bug in Jangkau, not in your input. Please report it.")
        sys.exit(3)
