"""Runs in a namespace with a small tmpfs of its own (see test_full_disk.py): fills it by a foreign
file and by data, over and over, and judges what the collector did. Usage: FOLDER ROUNDS SEED."""

import asyncio
import errno
import json
import random
import subprocess
import sys
import time
from pathlib import Path

import httpx

from collector.admission import Limits
from collector.credentials import Keys
from collector.ingest import Ingest
from collector.journal import Journal, JournalReader, sound
from collector.web import application

NOW_MS = 1_790_000_000_000


def fill(path: Path) -> None:
    """A foreign file that takes all that is left."""
    with path.open("wb", buffering=0) as file:
        for size in (1024 * 1024, 4096):
            while True:
                try:
                    file.write(b"x" * size)
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
                    break


async def play(folder: Path, rounds: int, draw: random.Random) -> dict[str, float]:
    """Send until it is full, by turns because of a file and because of the data."""
    key = Keys(folder).add("p", None, 1)
    journal = Journal(folder / "data")
    generous = Limits(requests_per_second=1e6, request_burst=10**6)
    ingest = Ingest(journal, Keys(folder), generous, lambda: NOW_MS)
    transport = httpx.ASGITransport(application(ingest.routes()))
    acked = refused = 0
    slowest = 0.0

    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://c") as client:

            async def post(lines: int) -> int:
                nonlocal acked, refused
                body = "\n".join(
                    f"ping,site=a,target=site,vantage=centre outcome=1i,x={draw.random()} {n}"
                    for n in range(NOW_MS - acked - lines, NOW_MS - acked)
                )
                answer = await client.post(
                    "/api/v2/write?precision=ms", content=body,
                    headers={
                        "Authorization": f"Token {key}", "X-Jangkau-Probe": "p",
                        "X-Jangkau-Epoch": "00000000000000aa", "X-Jangkau-First": str(acked),
                        "X-Jangkau-Last": str(acked + lines - 1),
                    },
                )  # fmt: skip
                if answer.status_code == 200:
                    acked += lines
                else:
                    assert answer.status_code in (503, 507), answer.text
                    assert int(answer.headers["Retry-After"]) > 0
                    refused += 1
                return answer.status_code

            for _ in range(rounds):
                assert await post(draw.randrange(1, 50)) == 200
                fill(folder / "foreign")
                assert await post(50) == 507
                (folder / "foreign").unlink()
                began = time.monotonic()
                assert await post(10) == 200
                slowest = max(slowest, time.monotonic() - began)
            (folder / "foreign").write_bytes(bytes(14 * 1024 * 1024))  # so that data fill it sooner
            while await post(2000) == 200:
                pass
    finally:
        journal.close()
    with JournalReader(folder / "data") as reader:
        times = [line.at_ms for batch in reader.batches(0) for line in batch.lines()]
    assert len(times) == len(set(times)) == acked, (len(times), acked)
    assert sound(folder / "data" / "journal.sqlite") is None
    Journal(folder / "data").close()
    return {"acked": acked, "refused": refused, "slowest_recovery_seconds": slowest}


if __name__ == "__main__":
    where = Path(sys.argv[1])
    subprocess.run(["/bin/mount", "-t", "tmpfs", "-o", "size=24m", "none", str(where)], check=True)
    told = asyncio.run(play(where, int(sys.argv[2]), random.Random(int(sys.argv[3]))))  # noqa: S311 - no secret
    print(json.dumps(told))  # noqa: T201 - for the parent
