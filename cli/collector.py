"""``jangkau collector``: the service that keeps what probes report."""

import logging
import sys
import threading
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Keep what probes report.", no_args_is_help=True)

ARCHIVE_FOLDER = "archive"


@app.callback()
def collector() -> None:
    """Keep what probes report."""


@app.command()
def run(
    data: Annotated[Path, typer.Option(help="Folder for the journal, the keys and the archive.")],
    listen: Annotated[str, typer.Option(help="HOST:PORT; port 0 takes any.")] = "127.0.0.1:8086",
    feed_seconds: Annotated[
        float, typer.Option(help="How often the journal is moved to the archive.", min=0.1)
    ] = 300.0,
    certificate: Annotated[
        Path | None, typer.Option(help="TLS certificate chain (PEM); needed off loopback.")
    ] = None,
    private_key: Annotated[Path | None, typer.Option(help="TLS private key (PEM).")] = None,
) -> None:
    """Take measurements over HTTP until SIGTERM. Says on standard error where it listens."""
    from collector.admission import Limits  # the server is not for other commands
    from collector.archive.parquet import ParquetArchive  # pyarrow is heavy
    from collector.credentials import Keys
    from collector.feeder import Feeder
    from collector.ingest import Ingest, application, serve
    from collector.ingest import listen as bind
    from collector.salvage import open_journal

    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    bound = bind(listen, encrypted=certificate is not None)
    journal = open_journal(data)
    feeder = Feeder(journal, ParquetArchive(data / ARCHIVE_FOLDER))
    feeding = threading.Thread(target=feeder.run, args=(feed_seconds,), name="feeder")
    feeding.start()
    scheme = "https" if certificate else "http"
    host, port = bound.getsockname()[:2]
    url = f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"

    def say() -> None:
        sys.stderr.write(f"collector: listening on {url}\n")
        sys.stderr.flush()

    # The journal's thread asks for the interpreter several times a batch; the usual 5 ms each would
    # make a commit wait for the busy loop longer than for the disk.
    sys.setswitchinterval(0.0005)
    try:
        endpoint = application(Ingest(journal, Keys(data), Limits()))
        serve(endpoint, bound, certificate, private_key, say)
    finally:
        feeder.stop()
        feeding.join()
        journal.close()
