"""``jangkau look``: look once at one target, with any kind of look, and say all that was seen.

Law: it looks exactly as the probe would; only the keys of the inventory are given as options.
"""

import asyncio
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated

import typer

from cli import terminal
from model.measurement import METRICS, Outcome

if TYPE_CHECKING:  # imported by the command, when it runs
    from model.check import Check
    from probes.look import Look


def look(
    kind: Annotated[str, typer.Argument(help="tcp, tls, http, dns, captive, rtsp, path ...")],
    target: Annotated[str, typer.Argument(help="Address, name or URL.")],
    option: Annotated[
        list[str] | None,
        typer.Option("--set", help="A key of this kind, as key=value; lists with commas."),
    ] = None,
    timeout: Annotated[
        float | None, typer.Option(min=0.1, max=300, help="Seconds [default: the kind's].")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Look once. Ends with 0 when the target is UP, else with 1.

    The keys are those of `checks:` in docs/inventory.md, such as --set port=443.
    """
    from inventory.checks import adhoc
    from probes.clock import SystemClock
    from probes.kinds import open_probes

    check = adhoc(kind, target, option or (), timeout)

    async def once() -> "Look":
        with ExitStack() as stack:
            return await open_probes([check], SystemClock(), stack)[kind](check)

    begun = time.perf_counter()
    seen = asyncio.run(once())
    seconds = time.perf_counter() - begun
    if as_json:
        terminal.print_json(_document(check, seen, seconds))
    else:
        _print(check, seen, seconds)
    if seen.outcome is not Outcome.UP:
        raise typer.Exit(1)


def _document(check: "Check", seen: "Look", seconds: float) -> dict[str, object]:
    return {
        "kind": check.kind,
        "target": check.address or getattr(check.settings, "url", ""),
        "outcome": seen.outcome.name,
        "reason": seen.reason,
        "seconds": seconds,
        "readings": dict(seen.readings),
    }


def _print(check: "Check", seen: "Look", seconds: float) -> None:
    from rich.table import Table
    from rich.text import Text

    words = f"{seen.outcome.name} {seen.reason}".rstrip()
    where = check.address or getattr(check.settings, "url", "")
    terminal.stdout.print(Text(f"{check.kind} {where}: {words} ({seconds:.2f} s)"))
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in seen.readings.items():
        metric = METRICS[name]
        shown = f"{value:.0f}" if metric.whole else f"{value:.6g}"
        table.add_row(name, shown, Text(metric.description))
    terminal.stdout.print(table)
