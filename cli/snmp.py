"""``jangkau snmp``: what the boxes themselves know.

Law: it asks only devices of the inventory, only objects of the allow-list, as gently as the probe
does; no secret is shown.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from cli import rows, terminal
from cli.options import INVENTORY, AsJson, InventoryFile, one_site
from model.check import Check
from model.errors import InputError
from model.inventory import Inventory
from model.kinds import Snmp
from model.measurement import Outcome, Rung, Vantage

if TYPE_CHECKING:
    from probes.snmp import SnmpProbe
    from probes.snmp_device import Poll

AT_ONCE = 50


class _SiteOrCommand(TyperGroup):
    """``jangkau snmp SITE`` is short for ``jangkau snmp show SITE``."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """typer's hook."""
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            args = ["show", *args]
        return super().resolve_command(ctx, args)


app = typer.Typer(cls=_SiteOrCommand, no_args_is_help=True)
SecretsFile = Annotated[
    Path | None,
    typer.Option("--secrets", help="File of SNMP credentials.", envvar="JANGKAU_SNMP_SECRETS"),
]


@app.callback()
def snmp() -> None:
    """Ask devices through SNMP: jangkau snmp SITE, or a command below."""


@app.command()
def show(
    site: Annotated[str, typer.Argument(help="Site id of the inventory.")],
    inventory: InventoryFile = INVENTORY,
    twice: Annotated[
        float, typer.Option(min=0, max=60, help="Seconds to a second poll, for rates; 0: none.")
    ] = 2.0,
    as_json: AsJson = False,
) -> None:
    """What the device of a site is, which profiles fit, and every reading with its unit."""
    from inventory.read import load

    checks = _checks(load(inventory), site)
    answered = [asyncio.run(_poll(check, twice)) for check in checks]
    for check, poll in zip(checks, answered, strict=True):
        if as_json:
            terminal.print_json(_document(check, poll))
        else:
            _print(check, poll)
    if not all(answered):
        raise typer.Exit(1)


@app.command()
def record(
    site: Annotated[str, typer.Argument(help="Site id of the inventory.")],
    inventory: InventoryFile = INVENTORY,
    out: Annotated[Path | None, typer.Option(help="File to write; default: SITE.snmprec.")] = None,
) -> None:
    """Record the device of a site in snmpsim's format, without personal data, for a bug report."""
    from inventory.files import write_text
    from inventory.read import load
    from probes.snmp_record import recording

    poll = asyncio.run(_poll(_checks(load(inventory), site)[0], 0.0))
    if poll is None:
        raise typer.Exit(1)
    path = out or Path(f"{site}.snmprec")
    lines = recording(poll.plan, poll.values, poll.plan.once)
    write_text(path, "\n".join(lines) + "\n")
    terminal.stdout.print(f"{path}: {len(lines)} objects; look through it before you send it")


@app.command()
def discover(
    inventory: InventoryFile = INVENTORY,
    secrets: SecretsFile = None,
    credentials: Annotated[
        str | None, typer.Option(help="Try only this entry of the file of credentials.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Which devices of the inventory answer SNMP, with which credentials. Asks no other address."""
    from inventory.read import load
    from probes.snmp_secrets import load_secrets

    known = load_secrets(secrets)
    if credentials is not None and credentials not in known:
        raise InputError(f"--credentials: the file has no [{credentials}]")
    names = [credentials] if credentials else list(known)
    checks = [
        Check(
            site.id,
            Vantage.CENTRE,
            "device",
            f"{Rung.DEVICE}:{name}",
            site.address,
            site.interval_seconds,
            timeout_seconds=20.0,
            count=1,
            settings=Snmp(name, None if secrets is None else str(secrets)),
        )
        for site in load(inventory).sites
        if site.address is not None
        for name in names
    ]
    found = asyncio.run(_discover(checks))
    rows.show(
        found,
        {name: lambda row, name=name: str(row[name]) for name in found[0]} if found else {},  # type: ignore[misc] # a lambda with a default
        title=f"{len(found)} of {len(checks)} questions were answered",
        as_json=as_json,
        as_csv=False,
    )
    if not found:
        raise typer.Exit(1)


@app.command()
def traps(
    collector: Annotated[str, typer.Option(help="https://host of the collector.")],
    key_file: Annotated[Path, typer.Option(help="File with the key.", envvar="JANGKAU_KEY_FILE")],
    spool: Annotated[Path, typer.Option(help="Folder for what is not delivered yet.")],
    name: Annotated[str, typer.Option("--probe", help="Name that the key belongs to.")],
    inventory: InventoryFile = INVENTORY,
    listen: Annotated[str, typer.Option(help="HOST:PORT for traps.")] = "0.0.0.0:162",
) -> None:
    """Receive traps and informs from devices of the inventory until SIGTERM."""
    from cli.snmp_traps import listen_to, senders, serve
    from inventory.read import load

    known = senders(load(inventory))
    asyncio.run(serve(known, listen_to(listen), collector, key_file, spool, name))


def _checks(inventory: Inventory, site_id: str) -> list[Check]:
    site = one_site(inventory, site_id)
    checks = [
        check
        for check in (*inventory.centre_checks(), *inventory.village_checks(site))
        if check.site == site.id and isinstance(check.settings, Snmp)
    ]
    if not checks:
        raise InputError(
            f"no check of kind snmp looks at {site_id}: write one under 'checks' (docs/snmp.md)"
        )
    return checks


def _probe() -> "SnmpProbe":
    from probes.snmp import SnmpProbe, raise_descriptor_limit
    from probes.snmp_fast import open_session

    raise_descriptor_limit()
    return SnmpProbe(open_session)


async def _poll(check: Check, again_after_seconds: float) -> "Poll | None":
    """What the device says; None when it does not answer, which is told on standard error."""
    from probes.snmp_session import RefusedError

    device = _probe().device(check)
    try:
        async with asyncio.timeout(check.timeout_seconds + again_after_seconds):
            poll = await device.poll()
            if again_after_seconds:
                await asyncio.sleep(again_after_seconds)
                poll = await device.poll()
    except TimeoutError:
        terminal.stderr.print(f"{check.site} {check.address}: no answer")
    except RefusedError as error:
        terminal.stderr.print(f"{check.site} {check.address}: does not let us in: {error}")
    else:
        return poll
    return None


async def _discover(checks: Sequence[Check]) -> list[dict[str, Any]]:
    probe, room = _probe(), asyncio.Semaphore(AT_ONCE)

    async def ask(check: Check) -> dict[str, Any] | None:
        async with room:
            look = await probe(check)
        plan = probe.device(check).plan
        if look.outcome is not Outcome.UP or plan is None or not isinstance(check.settings, Snmp):
            return None
        return {
            "site": check.site,
            "address": check.address,
            "credentials": check.settings.credentials,
            "profiles": " ".join(profile.id for profile in plan.profiles),
            "description": plan.description,
        }

    return [row for row in await asyncio.gather(*map(ask, checks)) if row is not None]


def _document(check: Check, poll: "Poll | None") -> dict[str, Any]:
    if poll is None:
        return {"site": check.site, "address": check.address, "answered": False}
    return {
        "site": check.site,
        "address": check.address,
        "answered": True,
        "description": poll.plan.description,
        "sys_object_id": poll.plan.sys_object_id,
        "profiles": [profile.id for profile in poll.plan.profiles],
        "readings": poll.readings,
        "rows": [row._asdict() for row in poll.rows],
    }


def _print(check: Check, poll: "Poll | None") -> None:
    if poll is None:
        return
    titles = ", ".join(profile.title for profile in poll.plan.profiles)
    terminal.stdout.print(f"{check.site} {check.address}", markup=False)
    terminal.stdout.print(_plain(poll.plan.description), markup=False)
    terminal.stdout.print(f"{poll.plan.sys_object_id}: {titles}\n", markup=False)
    table = [
        {
            "reading": row.name,
            "row": row.row,
            "value": row.value,
            "unit": row.unit,
            "object": row.mib,
        }
        for row in poll.rows
    ]
    columns = {
        "reading": lambda row: str(row["reading"]),
        "of": lambda row: _plain(str(row["row"])),
        "value": lambda row: f"{row['value']:,.6g}",
        "unit": lambda row: str(row["unit"]),
        "object": lambda row: str(row["object"]),
    }
    rows.show(table, columns, title="", as_json=False, as_csv=False)


def _plain(text: str) -> str:
    """What a device says of itself, without what would command a terminal."""
    return "".join(sign if sign.isprintable() else "?" for sign in text)
