"""In a network namespace: a share of a day of one site's looks over a cable, counted on the cable.

``python namespace_cost.py FOLDER SHARE``: one JSON object: by check the looks made, how many were
UP, and packets and bytes, each beside what ``inventory check`` predicts for as many looks.
"""

import asyncio
import json
import subprocess
import sys
import time
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path

from inventory.cost import DAY_SECONDS, look_cost
from inventory.read import load
from model.check import Check
from model.measurement import Outcome
from probes.clock import SystemClock
from probes.kinds import open_probes
from simulator.services import camera, serving
from tests.probes.netns import Carried, Place, carried, line

AT_ONCE = 20
QUIET_SECONDS = 0.2
"""More than a delayed acknowledgement takes (RFC 1122, 4.2.3.2; Linux: 40 ms)."""
NGINX = """
daemon off; master_process off; user root; events {{}}
pid {folder}/pid; error_log {folder}/log;
http {{ access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p;
fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
server {{ listen 80; listen 443 ssl; ssl_certificate {folder}/pem; ssl_certificate_key {folder}/key;
root {folder}; location /generate_204 {{ return 204; }} }} }}
"""
DNSMASQ = ["dnsmasq", "--no-daemon", "--no-resolv", "--no-hosts", "--port=53", "--local=/#/"]
CERTIFICATE = "openssl req -x509 -nodes -newkey rsa:2048 -subj /CN=siap.example -days 9 -addext"


def certificate(folder: Path) -> None:
    """One that its own ``ca_file`` trusts."""
    words = [*CERTIFICATE.split(), "subjectAltName=DNS:siap.example,IP:10.9.1.2"]
    out = ["-keyout", str(folder / "key"), "-out", str(folder / "pem")]
    subprocess.run([*words, *out], check=True, capture_output=True)


async def serve(folder: Path) -> None:
    """The far end: nginx, dnsmasq and a camera; says a line when all of them listen."""
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder))
    (folder / "page").write_bytes(b"siap " * 500)
    children = [
        await asyncio.create_subprocess_exec(*words, stderr=subprocess.DEVNULL)
        for words in (
            ["nginx", "-c", str(folder / "nginx.conf")],
            [*DNSMASQ, "--address=/siap.example/10.61.0.1"],
        )
    ]
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(serving(camera("loket", "rahasia"), "0.0.0.0", 554))  # noqa: S104 - in a namespace of its own
        for port in (80, 443, 53):
            async with asyncio.timeout(10):
                while True:
                    try:
                        _, writer = await asyncio.open_connection("127.0.0.1", port)
                    except ConnectionRefusedError:
                        await asyncio.sleep(0.01)
                    else:
                        writer.close()
                        break
        print("listening", flush=True)  # noqa: T201 - to whoever started us
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
        for child in children:
            child.terminate()
            await child.wait()


def settled(home: Place) -> Carried:
    """What was carried when the last connection has been closed on both sides."""
    before, now = None, carried(home, 1)
    while before != now:
        time.sleep(QUIET_SECONDS)
        before, now = now, carried(home, 1)
    return now


async def look_so_often(checks: list[Check], looks: int) -> list[Outcome]:
    room = asyncio.Semaphore(AT_ONCE)
    with ExitStack() as stack:
        probes = open_probes(checks, SystemClock(), stack)

        async def once(check: Check) -> Outcome:
            async with room:
                return (await probes[check.kind](check)).outcome

        return await asyncio.gather(*(once(check) for check in checks for _ in range(looks)))


def main(folder: Path, share: float) -> dict[str, object]:
    home, away = Place(held=False), Place()
    line(home, away, 1)
    certificate(folder)
    (folder / "password").write_text("rahasia")
    server = away.start(sys.executable, str(Path(__file__)), "serve", str(folder))
    inventory = load(folder / "inventory.yaml")
    found: dict[str, object] = {}
    try:
        for check in (
            *inventory.village_checks(inventory.sites[0])[1:],
            *inventory.centre_checks(),
        ):
            looks = max(1, round(share * DAY_SECONDS / check.interval_seconds))
            before = carried(home, 1)
            outcomes = asyncio.run(look_so_often([check], looks))
            after = settled(home)
            predicted = look_cost(check)
            found[check.target] = {
                "looks": looks,
                "looks_a_day": -(-DAY_SECONDS // check.interval_seconds),
                "up": outcomes.count(Outcome.UP),
                "packets": after.packets - before.packets,
                "bytes": after.bytes - before.bytes,
                "predicted_packets": looks * predicted.packets,
                "predicted_bytes": looks * predicted.bytes,
            }
    finally:
        assert server.stdin is not None
        server.stdin.close()
        server.wait()
    return found


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        asyncio.run(serve(Path(sys.argv[2])))
    else:
        print(json.dumps(main(Path(sys.argv[1]), float(sys.argv[2]))))  # noqa: T201 - the answer
