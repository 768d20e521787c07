"""``jangkau probe``: the probe as a service.

Law: the key comes from a file, never from the command line, where every user of the machine could
read it. Runs until SIGTERM or SIGINT, and then ends within five seconds with all it saw saved.
"""

import asyncio
import logging
import random
import re
import signal
from contextlib import ExitStack, closing
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from cli.options import INVENTORY, InventoryFile, one_site
from model.check import Check
from model.errors import InputError, UnavailableError
from model.inventory import CENTRE_SITE, Inventory
from model.measurement import Vantage

app = typer.Typer(help="Look, keep what was seen, carry it home.", no_args_is_help=True)

_KEY = re.compile(r"[\x21-\x7e]{1,256}")
_PROBE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)


class VantageOption(StrEnum):
    """From where the probe looks."""

    CENTRE = Vantage.CENTRE.value
    VILLAGE = Vantage.VILLAGE.value


@app.callback()
def probe() -> None:
    """Look, keep what was seen, carry it home."""


@app.command()
def run(
    vantage: Annotated[VantageOption, typer.Option(help="From where this probe looks.")],
    collector: Annotated[str, typer.Option(help="https://host of the collector.")],
    key_file: Annotated[
        Path, typer.Option(help="File with the probe's key.", envvar="JANGKAU_KEY_FILE")
    ],
    spool: Annotated[Path, typer.Option(help="Folder for what is not delivered yet.")],
    name: Annotated[str, typer.Option("--probe", help="Name that the key belongs to.")],
    inventory: InventoryFile = INVENTORY,
    site: Annotated[str | None, typer.Option(help="The site this probe is at (village).")] = None,
    ca_file: Annotated[
        Path | None, typer.Option(help="Trust only this certificate authority (PEM).")
    ] = None,
    flush: Annotated[
        float | None,
        typer.Option(min=0.1, help="Seconds between writes [centre: 5, village: 60]."),
    ] = None,
    every: Annotated[
        float, typer.Option(min=0, help="Least seconds between deliveries (metered lines: 300).")
    ] = 0.0,
    spool_megabytes: Annotated[
        int | None, typer.Option(min=1, help="Size of the spool [centre: 256, village: 8].")
    ] = None,
) -> None:
    """Look at what the inventory says until SIGTERM."""
    from inventory.read import load

    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    if not _PROBE_NAME.fullmatch(name):
        raise InputError(f"--probe {name!r}: use letters, digits, '.', '_' and '-'")
    centre = vantage is VantageOption.CENTRE
    checks, own_site = what_to_look_at(load(inventory), centre, site)
    asyncio.run(
        _run(
            checks,
            own_site=own_site,
            centre=centre,
            collector=collector,
            key=read_key(key_file),
            ca_file=ca_file,
            spool_folder=spool,
            spool_bytes=(spool_megabytes or (256 if centre else 8)) * 2**20,
            name=name,
            flush_seconds=flush or (5.0 if centre else 60.0),
            every_seconds=every,
        )
    )


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


def read_key(path: Path) -> str:
    """The key in a file. Raises InputError; never shows the key."""
    try:
        key = path.read_text(encoding="ascii").strip()
    except UnicodeDecodeError:
        key = ""
    except OSError as error:
        raise InputError(f"--key-file {path}: {error.strerror}") from None
    if not _KEY.fullmatch(key):
        raise InputError(f"--key-file {path}: it must hold one key and nothing else")
    return key


async def _run(
    checks: tuple[Check, ...],
    *,
    own_site: str,
    centre: bool,
    collector: str,
    key: str,
    ca_file: Path | None,
    spool_folder: Path,
    spool_bytes: int,
    name: str,
    flush_seconds: float,
    every_seconds: float,
) -> None:
    from probes.agent import gap_writer, run_agent
    from probes.clock import SystemClock
    from probes.kinds import open_probes
    from probes.link import Link
    from probes.spool import Limits, Spool
    from probes.uplink import Uplink

    clock = SystemClock()
    vantage = Vantage.CENTRE if centre else Vantage.VILLAGE
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    link = Link(collector, key, version=version("jangkau"), ca_file=ca_file)
    limits = Limits(spool_bytes, segment_bytes=min(512 * 2**10, spool_bytes // 32))
    with ExitStack() as stack:
        try:
            spool = Spool(spool_folder, gap_writer(own_site, vantage), limits)
        except OSError as error:
            raise UnavailableError(
                f"--spool {spool_folder}: {error.strerror}; the probe needs a folder that it can"
                " write to"
            ) from None
        stack.enter_context(closing(spool))
        uplink = Uplink(
            spool,
            link.post,
            clock,
            random.uniform,
            probe=name,
            fleet=not centre,
            every_seconds=every_seconds,
        )
        await run_agent(
            checks,
            probes=open_probes(checks, clock, stack),
            clock=clock,
            spool=spool,
            uplink=uplink,
            stop=stop,
            flush_seconds=flush_seconds,
            abort_uplink=link.abort,
        )
