"""``jangkau keys``: which probe may write what. A key goes to one file, once; we keep its hash."""

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from cli import terminal
from collector.credentials import Key, Keys, write_private
from model.errors import InputError

app = typer.Typer(help="Enrol probes; give, rotate, list and revoke keys.", no_args_is_help=True)

Data = Annotated[Path, typer.Option(help="The collector's folder.")]
Out = Annotated[Path, typer.Option(help="File for the secret; made readable for you alone.")]


@app.command()
def add(
    probe: Annotated[str, typer.Argument(help="Name of the probe that gets the key.")],
    out: Out,
    site: Annotated[
        list[str] | None, typer.Option(help="A site it may write (repeatable); none given: all.")
    ] = None,
    data: Data = Path("data"),
) -> None:
    """Make a key for a probe. An older key of the probe stays valid until it is revoked."""
    _must_be_new(out)
    key = Keys(data).add(probe, tuple(site) if site else None, _now_ms())
    _written(out, key, f"key of probe {probe}")


@app.command()
def enrol(
    site: Annotated[str, typer.Argument(help="The site that the probe will stand at.")],
    out: Out,
    probe: Annotated[
        str | None, typer.Option(help="Name of the probe; default: its site's.")
    ] = None,
    hours: Annotated[float, typer.Option(help="How long the token is good.", min=0.01)] = 72.0,
    data: Data = Path("data"),
) -> None:
    """Make an enrolment token: it buys one key, once, for that site."""
    _must_be_new(out)
    token = Keys(data).add_token(probe or site, site, hours * 3600, _now_ms())
    _written(out, token, f"enrolment token of probe {probe or site} (good for {hours:g} h)")


@app.command()
def reader(
    name: Annotated[str, typer.Argument(help="Who or what reads.")],
    out: Out,
    region: Annotated[
        str | None, typer.Option(help="Only below this Kemendagri code, such as 61.06.")
    ] = None,
    data: Data = Path("data"),
) -> None:
    """Make a key for the read API."""
    _must_be_new(out)
    key = Keys(data).add_reader(name, region, _now_ms())
    _written(out, key, f"key of reader {name}")


@app.command()
def rotate(
    key_id: Annotated[str, typer.Argument(help="The key that gets a successor (its id).")],
    out: Out,
    data: Data = Path("data"),
) -> None:
    """Make a successor for a key; the old one stays valid for seven days."""
    from collector.credentials import TooSoonError  # only this command meets it

    _must_be_new(out)
    try:
        text = Keys(data).rotate(key_id, _now_ms())
    except TooSoonError as error:
        raise InputError(str(error)) from error
    _written(out, text, f"successor of key {key_id}")


@app.command("list")
def list_keys(
    data: Data = Path("data"),
    json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Show every key that was ever made (not the secrets: nobody has them)."""
    keys = Keys(data).all()
    now_ms = _now_ms()
    if json:
        terminal.print_json([_document(key, now_ms) for key in keys])
        return
    table = Table("key", "role", "holder", "opens", "made", "state")
    for key in keys:
        opens = key.region or "all" if key.role == "read" else " ".join(key.sites or ("all",))
        table.add_row(key.id, key.role, key.probe, opens, _utc(key.created_ms), _state(key, now_ms))
    terminal.stdout.print(table)


@app.command()
def revoke(
    name: Annotated[str, typer.Argument(help="A key's id, or a probe: all its keys.")],
    data: Data = Path("data"),
) -> None:
    """Refuse a key from the next request on."""
    for key in Keys(data).revoke(name, _now_ms()):
        terminal.stderr.print(f"key {key.id} of {key.probe} revoked", markup=False)


def _must_be_new(out: Path) -> None:
    if out.exists():
        raise InputError(f"{out} exists already: name a new file, or remove it first")


def _written(out: Path, secret: str, what: str) -> None:
    write_private(out, secret + "\n")
    terminal.stderr.print(f"{what} written to {out}", markup=False)


def _state(key: Key, now_ms: int) -> str:
    if key.revoked_ms is not None:
        return f"revoked {_utc(key.revoked_ms)}"
    if key.used_ms is not None:
        return f"spent {_utc(key.used_ms)}"
    if key.expires_ms is not None:
        return f"{'until' if key.valid(now_ms) else 'expired'} {_utc(key.expires_ms)}"
    return "valid"


def _document(key: Key, now_ms: int) -> dict[str, object]:
    return {
        "key": key.id,
        "role": key.role,
        "probe": key.probe,
        "sites": key.sites,
        "region": key.region,
        "created_ms": key.created_ms,
        "expires_ms": key.expires_ms,
        "revoked_ms": key.revoked_ms,
        "used_ms": key.used_ms,
        "valid": key.valid(now_ms),
    }


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _utc(at_ms: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime(at_ms / 1000))
