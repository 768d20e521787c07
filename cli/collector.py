"""``jangkau collector``: the service that keeps what probes report, its certificate, and the read
API as a process of its own."""

import logging
import sys
import threading
import time
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from cli import terminal
from cli.options import DATA, INVENTORY, DataFolder, InventoryFile, WeekText, chosen_week
from model.errors import InputError

app = typer.Typer(
    help="Keep what probes report; make its certificate; let others read.", no_args_is_help=True
)

ARCHIVE_FOLDER = "archive"

Listen = Annotated[str, typer.Option(help="HOST:PORT; port 0 takes any.")]
Certificate = Annotated[
    Path | None, typer.Option(help="TLS certificate chain (PEM); needed off loopback.")
]
PrivateKey = Annotated[Path | None, typer.Option(help="TLS private key (PEM).")]


@app.command()
def run(
    data: Annotated[Path, typer.Option(help="Folder for the journal, the keys and the archive.")],
    listen: Listen = "127.0.0.1:8086",
    inventory: Annotated[
        Path | None, typer.Option(help="What is watched: enrolled probes are told their part.")
    ] = None,
    feed_seconds: Annotated[
        float, typer.Option(help="How often the journal is moved to the archive.", min=0.1)
    ] = 300.0,
    archive: Annotated[
        str, typer.Option(help="parquet, influxdb:FILE or victoriametrics:FILE (its settings).")
    ] = "parquet",
    keep_days: Annotated[
        int | None, typer.Option(help="Forget older day folders of the archive.", min=35)
    ] = None,
    requests_per_second: Annotated[
        float, typer.Option(help="Of one probe, lasting.", min=0.1)
    ] = 20.0,
    heartbeat_url_file: Annotated[
        Path | None, typer.Option(help="File with the address that is told that all is well.")
    ] = None,
    heartbeat_seconds: Annotated[float, typer.Option(help="How often.", min=0.1)] = 60.0,
    sos: Annotated[
        str | None, typer.Option(help="Name of the zone under which probes call for help [off].")
    ] = None,
    sos_listen: Annotated[str, typer.Option(help="HOST:PORT of its responder, by UDP.")] = (
        "127.0.0.1:5353"
    ),
    certificate: Certificate = None,
    private_key: PrivateKey = None,
) -> None:
    """Take measurements over HTTP until SIGTERM. Says on standard error where it listens."""
    from cli.archives import open_archive
    from collector import server, web  # not for other commands
    from collector.admission import Limits
    from collector.credentials import Keys
    from collector.enrolment import Enrolment
    from collector.feeder import Feeder
    from collector.ingest import Ingest
    from collector.salvage import open_journal
    from collector.sos import responding
    from collector.throughput import Throughput
    from collector.vitals import Heartbeat
    from collector.watch import Watch
    from inventory.read import load

    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    store = open_archive(archive, data / ARCHIVE_FOLDER, keep_days)
    watched = None if inventory is None else load(inventory)
    beat_url = None if heartbeat_url_file is None else _read(heartbeat_url_file)
    limits = Limits(
        requests_per_second=requests_per_second, request_burst=max(100, round(requests_per_second))
    )
    keys = Keys(data)
    bound = server.listen(listen, encrypted=certificate is not None)
    url = server.url_of(bound, encrypted=certificate is not None)
    journal = open_journal(data)
    feeder = Feeder(journal, store)
    feeding = threading.Thread(target=feeder.run, args=(feed_seconds,), name="feeder")
    watch = Watch(
        journal,
        keys,
        limits,
        archive_late_seconds=3600 + 2 * feed_seconds,
        feeding=feeding.is_alive,
    )
    vitals = watch.vitals(url, certificate)
    ingest = Ingest(journal, keys, limits, stored=watch.stored)
    heartbeat = Heartbeat(
        vitals,
        beat_url,
        heartbeat_seconds,
        lambda result: watch.tally.add("jangkau_heartbeats_total", result=result),
    )
    beating = threading.Thread(target=heartbeat.run, name="heartbeat")
    enrolment = Enrolment(keys, data, watched, limits)
    routes = [*ingest.routes(), *enrolment.routes(), *watch.routes(ingest, vitals)]
    mounts = {"/api/v1/throughput": Throughput(ingest.opens)}
    # The journal's thread asks for the interpreter several times a batch; the usual 5 ms each would
    # make a commit wait for the busy loop longer than for the disk.
    sys.setswitchinterval(0.0005)
    responder = responding(sos, sos_listen, journal, keys) if sos is not None else nullcontext()
    feeding.start()
    beating.start()
    try:
        endpoint = web.application(routes, watch.tally.answered, mounts)
        with responder:
            server.serve(
                endpoint,
                bound,
                certificate,
                private_key,
                lambda: _say("collector", url),
                partial(watch.tally.answered, "*"),  # whatever was asked for: it was not looked at
            )
    finally:
        heartbeat.stop()
        feeder.stop()
        feeding.join()
        beating.join()
        journal.close()


@app.command()
def api(
    data: Annotated[Path, typer.Option(help="The collector's folder.")],
    inventory: Annotated[Path, typer.Option(help="What is watched.")] = Path("inventory.yaml"),
    listen: Listen = "127.0.0.1:8087",
    certificate: Certificate = None,
    private_key: PrivateKey = None,
) -> None:
    """Let others read, until SIGTERM: a process of its own, so that no question slows a probe."""
    from cli.reading import tables
    from collector import server, web  # not for other commands
    from collector.admission import Limits
    from collector.credentials import Keys
    from collector.reading import Reading
    from inventory.read import load

    reading = Reading(Keys(data), tables(data, inventory, load(inventory)), Limits())
    bound = server.listen(listen, encrypted=certificate is not None)
    url = server.url_of(bound, encrypted=certificate is not None)
    server.serve(
        web.application(reading.routes()), bound, certificate, private_key, lambda: _say("api", url)
    )


@app.command()
def fetch(
    archive: Annotated[
        str, typer.Option(help="influxdb:FILE or victoriametrics:FILE (its settings).")
    ],
    data: DataFolder = DATA,
    inventory: InventoryFile = INVENTORY,
    week: WeekText = None,
) -> None:
    """Bring a week of looks from an archive that is a server, so that outages, map and report can
    be concluded here. Again: only what is new."""
    from rich.progress import Progress

    from cli.archives import open_archive
    from collector.archive.copying import HOUR_MS, copied_hours
    from collector.archive.parquet import ParquetArchive
    from collector.journal import FILE_NAME
    from collector.weeks import week_interval
    from inventory.read import load

    if (data / FILE_NAME).exists():
        raise InputError(f"--data {data} is a collector's own folder: name another one")
    source = open_archive(archive, data / ARCHIVE_FOLDER, None)
    target = ParquetArchive(data / ARCHIVE_FOLDER)
    if isinstance(source, ParquetArchive):
        raise InputError("--archive parquet needs no fetching: copy its folder")
    watched = load(inventory)
    chosen = chosen_week(week, watched)
    interval = week_interval(watched, chosen, time.time_ns() // 1_000_000)
    looks = fetched = 0
    bar = Progress(console=terminal.stderr, transient=True, disable=not terminal.stderr.is_terminal)
    with bar:
        task = bar.add_task("hours", total=-(-interval.length_ms // HOUR_MS))
        for hour in copied_hours(source, target, interval):
            looks += hour.looks
            fetched += hour.looks if hour.fetched else 0
            bar.advance(task)
    terminal.stderr.print(
        f"{looks:,} looks of {chosen} with margins, {fetched:,} of them new",
        markup=False,
    )


@app.command()
def cert(
    name: Annotated[
        list[str], typer.Option(help="Host name or IP address of the collector (repeatable).")
    ],
    out: Annotated[Path, typer.Option(help="Folder for the keys and certificates.")] = Path("tls"),
) -> None:
    """Make (or renew) a private authority and the collector's certificate; prints the pin."""
    import datetime

    from collector import certificates  # cryptography is for this command alone

    pin = certificates.make(out, name, datetime.datetime.now(datetime.UTC))
    terminal.stderr.print(
        f"collector: --certificate {out}/server.pem --private-key {out}/server-key.pem\n"
        f"probes: bring them {out}/ca.pem, or this pin of the server's key:",
        markup=False,
    )
    terminal.stdout.print(pin, markup=False, highlight=False)


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read {path}: {error}") from error


def _say(what: str, url: str) -> None:
    sys.stderr.write(f"{what}: listening on {url}\n")
    sys.stderr.flush()
