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

from cli import terminal
from cli.options import INVENTORY, AsJson, InventoryFile, one_site
from cli.snmp_show import Answer, document, print_answer, print_found, waiting, why_not
from model.check import Check
from model.errors import InputError
from model.inventory import Inventory
from model.kinds import Snmp
from model.measurement import Outcome, Rung, Vantage

if TYPE_CHECKING:
    from probes.snmp import SnmpProbe
    from probes.snmp_session import Value

AT_ONCE = 1000
"""Devices that are asked at the same time; most of those that do not answer cost six seconds."""
RECORD_SECONDS = 300.0


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
CheckName = Annotated[
    str | None, typer.Option("--check", help="Of a site with several devices the one to ask.")
]


@app.callback()
def snmp() -> None:
    """Ask devices through SNMP: jangkau snmp SITE, or a command below."""


@app.command()
def show(
    site: Annotated[str, typer.Argument(help="Site id of the inventory.")],
    inventory: InventoryFile = INVENTORY,
    check: CheckName = None,
    twice: Annotated[
        float, typer.Option(min=0, max=60, help="Seconds to a second poll, for rates; 0: none.")
    ] = 2.0,
    as_json: AsJson = False,
) -> None:
    """What the devices of a site are, which profiles fit, and every reading with its unit."""
    from inventory.read import load

    checks = _checks(load(inventory), site, check)
    answers = asyncio.run(_poll(checks, twice))
    if as_json:
        terminal.print_json({"site": site, "devices": [document(one) for one in answers]})
    else:
        for answer in answers:
            print_answer(answer)
    if any(answer.poll is None for answer in answers):
        raise typer.Exit(1)


@app.command()
def record(
    site: Annotated[str, typer.Argument(help="Site id of the inventory.")],
    inventory: InventoryFile = INVENTORY,
    check: CheckName = None,
    out: Annotated[Path | None, typer.Option(help="File to write; default: SITE.snmprec.")] = None,
) -> None:
    """Record the device of a site in snmpsim's format, without personal data, for a bug report."""
    from inventory.files import write_text
    from inventory.read import load
    from probes.snmp_record import recording

    checks = _checks(load(inventory), site, check)
    if len(checks) > 1:
        raise InputError(f"{site} has several devices: add --check, one of {_names(checks)}")
    path = out or Path(f"{site}.snmprec")
    lines = recording(asyncio.run(_record(checks[0])))
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
    print_found(found, len(checks), as_json=as_json)
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


def _checks(inventory: Inventory, site_id: str, name: str | None) -> list[Check]:
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
    chosen = [check for check in checks if name in (None, _name(check))]
    if not chosen:
        raise InputError(f"--check {name}: {site_id} has {_names(checks)}")
    return chosen


def _name(check: Check) -> str:
    return check.target.partition(":")[2]


def _names(checks: Sequence[Check]) -> str:
    return ", ".join(map(_name, checks))


def _probe() -> "SnmpProbe":
    from probes.snmp import SnmpProbe, raise_descriptor_limit
    from probes.snmp_fast import open_session

    raise_descriptor_limit()
    return SnmpProbe(open_session)


async def _poll(checks: Sequence[Check], again_after_seconds: float) -> list[Answer]:
    from probes.snmp_session import RefusedError

    probe = _probe()
    devices = [probe.device(check) for check in checks]  # what is wrong with one is told at once

    async def ask(number: int) -> Answer:
        check, device = checks[number], devices[number]
        try:
            async with asyncio.timeout(check.timeout_seconds + again_after_seconds):
                poll = await device.poll()
                if again_after_seconds:
                    await asyncio.sleep(again_after_seconds)
                    poll = await device.poll()
        except (OSError, RefusedError) as error:
            return Answer(check, None, why_not(error, device.heard))
        finally:
            told()
        return Answer(check, poll)

    with waiting(f"asking {len(checks)} devices", len(checks)) as told:
        return await asyncio.gather(*map(ask, range(len(checks))))


async def _record(check: Check) -> "dict[str, Value]":
    from probes.snmp_record import everything
    from probes.snmp_session import RefusedError

    device = _probe().device(check)
    with waiting(f"recording {check.address}") as told:
        try:
            async with asyncio.timeout(RECORD_SECONDS):
                return await everything(device.asker, told)
        except (OSError, RefusedError) as error:
            said = why_not(error, device.heard)
    terminal.stderr.print(f"{check.site} {check.address}: {said}", markup=False)
    raise typer.Exit(1)


async def _discover(checks: Sequence[Check]) -> list[dict[str, Any]]:
    probe, room = _probe(), asyncio.Semaphore(AT_ONCE)

    async def ask(check: Check) -> dict[str, Any] | None:
        async with room:
            look = await probe(check)
        told()
        plan = probe.device(check).plan
        if look.outcome is not Outcome.UP or plan is None or not isinstance(check.settings, Snmp):
            return None
        return {
            "site": check.site,
            "address": check.address,
            "credentials": check.settings.credentials,
            "profiles": [profile.id for profile in plan.profiles],
            "sys_object_id": plan.sys_object_id,
            "description": plan.description,
        }

    with waiting("asking", len(checks)) as told:
        return [row for row in await asyncio.gather(*map(ask, checks)) if row is not None]
