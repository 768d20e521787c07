"""``jangkau look``: look once at one target, with any kind of look, and say all that was seen; or
at all rungs of a site's ladder.

Law: it looks exactly as the probe would; only the keys of the inventory are given as options.
"""

import asyncio
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated

import typer

from cli import ladder, options, terminal
from cli.map_page import Lang
from cli.options import InventoryFile
from model.errors import InputError
from model.measurement import METRICS, Outcome

if TYPE_CHECKING:  # imported by the command, when it runs
    from pathlib import Path

    from model.check import Check
    from probes.look import Look


def look(
    kind: Annotated[
        str, typer.Argument(help="tcp, tls, http, dns, captive, rtsp, path ...; or ladder")
    ],
    target: Annotated[str, typer.Argument(help="Address, name or URL; a ladder's site.")],
    option: Annotated[
        list[str] | None,
        typer.Option("--set", help="A key of this kind, as key=value; lists with commas."),
    ] = None,
    timeout: Annotated[
        float | None, typer.Option(min=0.1, max=300, help="Seconds [default: the kind's].")
    ] = None,
    inventory: InventoryFile = options.INVENTORY,
    lang: Lang = "id",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Look once. Ends with 0 when the target is UP, else with 1.

    The keys are those of `checks:` in docs/inventory.md, such as --set port=443. With `ladder` and
    a site's id: all that the site's own probe looks at (but no throughput test), and what it
    amounts to in words; 1 when a rung is broken.
    """
    if kind == "ladder":
        _ladder(target, inventory, lang, as_json=as_json)
        return
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
        terminal.print_json(_document(check, seen) | {"seconds": seconds})
    else:
        _print(check, seen, seconds)
    if seen.outcome is not Outcome.UP:
        raise typer.Exit(1)


def _document(check: "Check", seen: "Look") -> dict[str, object]:
    return {
        "kind": check.kind,
        "target": check.address or getattr(check.settings, "url", ""),
        "outcome": seen.outcome.name,
        "reason": seen.reason,
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


def _ladder(site_id: str, file: "Path", lang: str, *, as_json: bool) -> None:
    from inventory.read import load
    from probes.clock import SystemClock
    from probes.kinds import open_probes

    watched = load(file)
    site = options.one_site(watched, site_id)
    checks = [check for check in watched.village_checks(site) if check.kind != "throughput"]
    if not checks:
        raise InputError(
            f"{file}: nothing is looked at from {site.id}: name village_targets, or checks for it"
        )

    async def once() -> "list[Look]":
        with ExitStack() as stack:
            probes = open_probes(checks, SystemClock(), stack)
            return await asyncio.gather(*(probes[check.kind](check) for check in checks))

    seen = list(zip(checks, asyncio.run(once()), strict=True))
    found = ladder.ladder_state((check.target, look.outcome) for check, look in seen)
    said = ladder.sentence(found, lang)
    if as_json:
        looks = [{"look": check.target} | _document(check, look) for check, look in seen]
        document = {"site": site.id, "broken": found.broken, "works": found.works, "state": said}
        terminal.print_json(document | {"looks": looks})
    else:
        _print_ladder(seen, f"{site.id}: {said}")
    if found.broken is not None:
        raise typer.Exit(1)


def _print_ladder(seen: "list[tuple[Check, Look]]", said: str) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table("look", "kind", "outcome", "reason", box=None, pad_edge=False)
    for check, look in seen:
        table.add_row(Text(check.target), check.kind, look.outcome.name, Text(look.reason))
    terminal.stdout.print(table)
    terminal.stdout.print(said, markup=False, soft_wrap=True)
