"""``jangkau probe``: the probe as a service, from its enrolment to its health.

Law: the key comes from a file, never from the command line, where every user of the machine could
read it. Runs until SIGTERM or SIGINT, and then ends within five seconds with all it saw saved.
"""

import logging
import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cli.options import INVENTORY, InventoryFile, one_site
from model.check import Check
from model.errors import InputError
from model.inventory import CENTRE_SITE, Inventory
from model.measurement import Vantage

app = typer.Typer(help="Look, keep what was seen, carry it home.", no_args_is_help=True)

HOME = Path("/var/lib/jangkau")
HomeFolder = Annotated[Path, typer.Option(help="Folder of the enrolled probe.")]


class VantageOption(StrEnum):
    """From where the probe looks."""

    CENTRE = Vantage.CENTRE.value
    VILLAGE = Vantage.VILLAGE.value


@app.callback()
def probe() -> None:
    """Look, keep what was seen, carry it home."""


@app.command()
def run(
    home: Annotated[
        Path | None, typer.Option(help="Folder of an enrolled probe; then nothing else is needed.")
    ] = None,
    vantage: Annotated[
        VantageOption | None, typer.Option(help="From where this probe looks.")
    ] = None,
    collector: Annotated[str | None, typer.Option(help="https://host of the collector.")] = None,
    key_file: Annotated[
        Path | None, typer.Option(help="File with the probe's key.", envvar="JANGKAU_KEY_FILE")
    ] = None,
    spool: Annotated[
        Path | None, typer.Option(help="Folder for what is not delivered yet.")
    ] = None,
    name: Annotated[
        str | None, typer.Option("--probe", help="Name that the key belongs to.")
    ] = None,
    inventory: InventoryFile = INVENTORY,
    site: Annotated[str | None, typer.Option(help="The site this probe is at (village).")] = None,
    ca_file: Annotated[
        Path | None, typer.Option(help="Trust only this certificate authority (PEM).")
    ] = None,
    flush: Annotated[
        float | None,
        typer.Option(min=0.1, help="Seconds between writes [centre: 5, village: 180]."),
    ] = None,
    every: Annotated[
        float, typer.Option(min=0, help="Least seconds between deliveries (metered lines: 300).")
    ] = 0.0,
    spool_megabytes: Annotated[
        int | None, typer.Option(min=1, help="Size of the spool [centre: 256, village: 8].")
    ] = None,
    budget: Annotated[
        int | None,
        typer.Option(
            min=0, help="Bytes a day [metered: 1 MB, other: 10 MB, centre: 0 = no limit]."
        ),
    ] = None,
    sos: Annotated[
        str | None,
        typer.Option(help="Say it by DNS under this name when HTTPS fails for long [off]."),
    ] = None,
    user: Annotated[
        str | None, typer.Option(help="Become this user once the folders are his (as root).")
    ] = None,
) -> None:
    """Look at what the collector (``--home``) or the inventory says, until SIGTERM."""
    from cli.probe_service import Plan, default_budget, drop_privileges, plan_of_home, serve
    from inventory.read import load
    from probes.enrol import PROBE_NAME, read_key

    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    if home is not None:
        plan = plan_of_home(home, flush or 180.0, every, sos)
    else:
        if vantage is None or collector is None or key_file is None or spool is None or not name:
            raise InputError(
                "give --home of an enrolled probe ('jangkau probe enrol'), or all of --vantage,"
                " --collector, --key-file, --spool and --probe"
            )
        if not PROBE_NAME.fullmatch(name):
            raise InputError(f"--probe {name!r}: use letters, digits, '.', '_' and '-'")
        centre = vantage is VantageOption.CENTRE
        watched = load(inventory)
        checks, own_site = what_to_look_at(watched, centre, site)
        own = watched.by_id.get(own_site)
        plan = Plan(
            name=name,
            site=own_site,
            vantage=vantage.value,
            collector=collector,
            key=read_key(key_file),
            state=spool,
            spool=spool,
            ca_file=ca_file,
            checks=checks,
            spool_bytes=(spool_megabytes or (256 if centre else 8)) * 2**20,
            flush_seconds=flush or (5.0 if centre else 180.0),
            every_seconds=every,
            budget_bytes_a_day=_budget(budget, own.metered if own else None, default_budget),
            fleet=not centre,
            sos_zone=sos,
        )
    if user is not None:
        drop_privileges(user, [plan.state, plan.spool])
    serve(plan)


def _budget(given: int | None, metered: bool | None, default: Callable[[bool], int]) -> int:
    """Bytes a day; 0 for the centre, whose line nobody counts."""
    if given is not None:
        return given
    return 0 if metered is None else default(metered)


def what_to_look_at(
    inventory: Inventory, centre: bool, site_id: str | None
) -> tuple[tuple[Check, ...], str]:
    """The checks of this probe, and the site that it reports for. Raises InputError."""
    from probes.agent import device_check

    if centre:
        if site_id is not None:
            raise InputError("--site is for --vantage village: the centre looks at all sites")
        return inventory.centre_checks(), CENTRE_SITE
    if site_id is None:
        raise InputError("--vantage village needs --site: the id of the site this probe is at")
    site = one_site(inventory, site_id)
    report = device_check(site.id, Vantage.VILLAGE, site.interval_seconds)
    return (*inventory.village_checks(site), report), site.id


@app.command("enrol")
def enrol_(
    collector: Annotated[str, typer.Argument(help="https://host of the collector.")],
    home: HomeFolder = HOME,
    name: Annotated[
        str | None, typer.Option("--probe", help="Only as this probe [what the token says].")
    ] = None,
    ca_file: Annotated[
        Path | None, typer.Option(help="Trust only this certificate authority (PEM).")
    ] = None,
) -> None:
    """Spend a single-use token, asked for or read from standard input, for a key of its own."""
    from getpass import getpass

    from cli.probe_service import enrol_home

    token = getpass("Token: ") if sys.stdin.isatty() else sys.stdin.readline()
    found = enrol_home(home, collector, token.strip(), name, ca_file)
    typer.echo(f"{found.probe} is enrolled for {found.site}: jangkau probe run --home {home}")


@app.command()
def status(home: HomeFolder = HOME, json_: Annotated[bool, typer.Option("--json")] = False) -> None:
    """What the probe did last: receipts, spool, clock, budget."""
    from cli.probe_health import shown_status

    typer.echo(shown_status(home, as_json=json_))


@app.command()
def doctor(
    home: HomeFolder = HOME,
    collector: Annotated[str | None, typer.Option(help="Also ask this collector.")] = None,
    ca_file: Annotated[
        Path | None, typer.Option(help="Trust only this certificate authority (PEM).")
    ] = None,
) -> None:
    """Examine the device: echoes, disk, clock, name resolution, the way to the collector."""
    from cli.probe_health import examine

    findings = examine(home, collector, ca_file)
    for finding in findings:
        typer.echo(f"{'ok  ' if finding.good else 'BAD '} {finding.what}: {finding.detail}")
    if not all(finding.good for finding in findings):
        raise typer.Exit(1)


@app.command()
def routeros(
    site: Annotated[str, typer.Argument(help="The id of the site.")],
    collector: Annotated[str, typer.Option(help="https://host of the collector.")],
    key_file: Annotated[Path, typer.Option(help="File with the probe's key.")],
    out: Annotated[Path, typer.Option(help="The .rsc file to write (0600: it holds the key).")],
    inventory: InventoryFile = INVENTORY,
) -> None:
    """Write a script for a MikroTik router that makes it a probe of one site."""
    from inventory.read import load
    from probes.enrol import read_key, write_private
    from probes.routeros import script

    watched = load(inventory)
    place = one_site(watched, site)
    text = script(place.id, watched.village_checks(place), collector, read_key(key_file))
    write_private(out, text)
    typer.echo(f"{out}: copy it to the router, /import it, delete it (it holds the key)")
