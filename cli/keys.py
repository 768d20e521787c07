"""``jangkau keys``: which probe may write what. A key goes to one file, once; we keep its hash."""

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from cli import terminal
from collector.credentials import Key, Keys, write_private
from model.errors import InputError

app = typer.Typer(help="Give, list and revoke the keys of probes.", no_args_is_help=True)

Data = Annotated[Path, typer.Option(help="The collector's folder.")]


@app.command()
def add(
    probe: Annotated[str, typer.Argument(help="Name of the probe that gets the key.")],
    out: Annotated[Path, typer.Option(help="File for the key; made readable for you alone.")],
    site: Annotated[
        list[str] | None, typer.Option(help="A site it may write (repeatable); none given: all.")
    ] = None,
    data: Data = Path("data"),
) -> None:
    """Make a key for a probe. An older key of the probe stays valid until it is revoked."""
    if out.exists():
        raise InputError(f"{out} exists already: name a new file, or remove it first")
    key = Keys(data).add(probe, tuple(site) if site else None, time.time_ns() // 1_000_000)
    write_private(out, key + "\n")
    terminal.stderr.print(f"key of probe {probe} written to {out}", markup=False)


@app.command("list")
def list_keys(
    data: Data = Path("data"),
    json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Show every key that was ever made (not the secrets: nobody has them)."""
    keys = Keys(data).all()
    if json:
        terminal.print_json([_document(key) for key in keys])
        return
    table = Table("key", "probe", "sites", "made", "revoked")
    for key in keys:
        sites = "all" if key.sites is None else " ".join(key.sites)
        revoked = "" if key.revoked_ms is None else _utc(key.revoked_ms)
        table.add_row(key.id, key.probe, sites, _utc(key.created_ms), revoked)
    terminal.stdout.print(table)


@app.command()
def revoke(
    name: Annotated[str, typer.Argument(help="A key's id, or a probe: all its keys.")],
    data: Data = Path("data"),
) -> None:
    """Refuse a key from the next request on."""
    for key in Keys(data).revoke(name, time.time_ns() // 1_000_000):
        terminal.stderr.print(f"key {key.id} of probe {key.probe} revoked", markup=False)


def _document(key: Key) -> dict[str, object]:
    return {
        "key": key.id,
        "probe": key.probe,
        "sites": key.sites,
        "created_ms": key.created_ms,
        "revoked_ms": key.revoked_ms,
    }


def _utc(at_ms: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime(at_ms / 1000))
