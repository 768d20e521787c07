"""``jangkau ping``: look once at sites or addresses, now and from here.

Law: 0 when every target is up, 1 when one is down or could not be looked at, 2 for the user's
input. It imports nothing heavier than the table it draws.
"""

import ipaddress
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from cli import terminal
from model.errors import InputError
from model.inventory import Inventory
from model.measurement import Outcome
from model.region import parse_code
from model.site import Site
from probes.echo import EchoRequest, EchoResult
from probes.icmp import EchoEngine
from probes.look import Look
from probes.ping import look_of

_STEP_SECONDS = 0.25
_QUIET_SECONDS = 1.0
_PIPE_COLUMNS = 100


class Target(NamedTuple):
    """What is looked at: a site of the inventory, or an address under its own name."""

    name: str
    address: str


def ping(
    sites: Annotated[
        list[str] | None, typer.Argument(metavar="[SITE]...", help="Site ids of the inventory.")
    ] = None,
    village: Annotated[
        list[str] | None, typer.Option(help="All sites of a village: 61.01.13.2002.")
    ] = None,
    kabupaten: Annotated[
        list[str] | None, typer.Option(help="All sites of a kabupaten or kota: 61.01.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All sites of the inventory.")] = False,
    address: Annotated[
        list[str] | None, typer.Option(help="An IP address; may be repeated.")
    ] = None,
    inventory: Annotated[Path, typer.Option(help="The inventory file.")] = Path("inventory.yaml"),
    count: Annotated[int, typer.Option(min=1, max=1000, help="Echoes for each target.")] = 5,
    timeout: Annotated[
        float, typer.Option(min=0.001, max=60, help="Seconds in which an answer counts.")
    ] = 2.0,
    spacing: Annotated[
        float, typer.Option(min=0, max=60, help="Seconds between echoes to one target.")
    ] = 0.2,
    rate: Annotated[
        float, typer.Option(min=1, max=20000, help="Echoes a second, over all targets.")
    ] = 1000.0,
    json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Look at sites once: loss, round-trip times and jitter of a few echoes each."""
    targets = [_address_target(text) for text in address or ()]
    if sites or village or kabupaten or every:
        from inventory.read import load  # an address alone needs no YAML reader

        targets += select(
            load(inventory), sites or (), [*(village or ()), *(kabupaten or ())], every
        )
    if not targets:
        raise InputError(
            "nothing to look at: name a SITE, --village, --kabupaten, --all or --address"
        )
    requests = [
        EchoRequest(target.name, target.address, count, spacing, timeout) for target in targets
    ]
    begun = time.monotonic()
    rows = [(result, look_of(result)) for result in _ask(requests, rate)]
    seconds = time.monotonic() - begun
    if json:
        terminal.print_json(document(rows, seconds))
    else:
        _print_table(rows, seconds)
    if any(look.outcome != Outcome.UP for _, look in rows):
        raise typer.Exit(1)


def _address_target(text: str) -> Target:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        raise InputError(f"--address {text}: write an IP address, like 10.61.1.2") from None
    if address.is_unspecified or address.is_multicast:
        raise InputError(f"--address {text}: no single host answers there; write a host's address")
    return Target(text, text)


def select(
    inventory: Inventory, ids: Sequence[str], codes: Sequence[str], every: bool
) -> list[Target]:
    """The targets of the named sites and of those in the coded regions, in the inventory's order.
    Raises InputError for what the inventory does not have or what has no address."""
    for site_id in ids:
        site = inventory.by_id.get(site_id)
        if site is None:
            raise InputError(
                f"there is no site {site_id!r} in the inventory: see its ids, or use --address"
            )
        if site.address is None:
            raise InputError(f"site {site_id} has no address: only its own probe reports about it")
    for code in codes:
        try:
            parse_code(code)
        except ValueError as error:
            raise InputError(str(error)) from None
        if not any(_lies_in(site, code) for site in inventory.sites):
            raise InputError(f"no site of the inventory lies in {code}: see the code in its sites")
    chosen = [
        site
        for site in inventory.sites
        if every or site.id in ids or any(_lies_in(site, code) for code in codes)
    ]
    without = sum(site.address is None for site in chosen)
    if without:
        terminal.stderr.print(f"{without} of {len(chosen)} sites have no address: not looked at")
    return [Target(site.id, site.address) for site in chosen if site.address is not None]


def _lies_in(site: Site, code: str) -> bool:
    return f"{site.village}.".startswith(f"{code}.")


def _ask(requests: Sequence[EchoRequest], rate: float) -> list[EchoResult]:
    """The results in the order of the requests, with a progress bar where somebody watches."""
    from rich.progress import Progress  # most looks end before a bar is drawn

    engine = EchoEngine(rate)
    bar = Progress(console=terminal.stderr, transient=True, disable=not terminal.stderr.is_terminal)
    task = bar.add_task("looking", total=len(requests))
    results: dict[int, EchoResult] = {}
    try:
        for number, request in enumerate(requests):
            engine.add(request._replace(key=str(number)))
        show_at = time.monotonic() + _QUIET_SECONDS
        while engine.pending:
            for result in engine.step(_STEP_SECONDS):
                number = int(result.request.key)
                results[number] = result._replace(request=requests[number])
            if time.monotonic() > show_at:
                bar.start()  # again and again does no harm
                bar.update(task, completed=len(results))
    finally:
        bar.stop()
        engine.close()
    return [results[number] for number in range(len(requests))]


def document(rows: Sequence[tuple[EchoResult, Look]], seconds: float) -> dict[str, Any]:
    """What ``--json`` prints; readings bear the names and units of the metrics."""
    return {
        "seconds": round(seconds, 3),
        "targets": [
            {
                "site": result.request.key,
                "address": result.request.address,
                "outcome": look.outcome.name,
                "reason": look.reason,
                "at_ms": result.started_at_ms,
                **look.readings,
            }
            for result, look in rows
        ],
    }


def _print_table(rows: Sequence[tuple[EchoResult, Look]], seconds: float) -> None:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    table.add_column("site", overflow="fold")
    for heading in ("sent", "recv", "loss %", "min ms", "median", "p95", "max", "jitter"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("outcome")
    for result, look in rows:
        times = [
            _milliseconds(look.readings.get(f"{name}_seconds"))
            for name in ("rtt_min", "rtt_median", "rtt_p95", "rtt_max", "jitter")
        ]
        loss = (
            f"{100 * (1 - result.received / result.sent):.0f}"
            if result.sent and not result.answers_dropped
            else "–"
        )
        words = f"{look.outcome.name} {look.reason}".rstrip()
        style = "" if look.outcome == Outcome.UP else "bold"
        table.add_row(
            result.request.key,
            str(result.sent),
            str(result.received),
            loss,
            *times,
            words,
            style=style,
        )
    console = terminal.stdout
    if not console.is_terminal:  # a pipe or a file is as wide as the widest table we print
        console = Console(width=_PIPE_COLUMNS, highlight=False)
    console.print(table)
    counts = {outcome: sum(look.outcome == outcome for _, look in rows) for outcome in Outcome}
    terminal.stdout.print(
        f"{len(rows)} targets: {counts[Outcome.UP]} up, {counts[Outcome.DOWN]} down, "
        f"{counts[Outcome.UNKNOWN]} unknown; {seconds:.1f} s"
    )


def _milliseconds(seconds: float | None) -> str:
    """Three digits that matter, no more: 0.003, 1.25, 48.2, 612."""
    if seconds is None:
        return "–"
    value = seconds * 1000
    decimals = 3 if value < 1 else 2 if value < 10 else 1 if value < 100 else 0
    return f"{value:.{decimals}f}"
