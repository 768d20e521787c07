"""Real servers, and Debian's prometheus-blackbox-exporter that looks at them beside us.

Used by tests/probes/test_blackbox.py (do both see the same?) and bench/ladder.py (times and CPU).
"""

import re
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from model.kinds import Captive, Dns, Http, Settings, Tcp, Tls

ADDRESS, NAME = "127.0.0.1", "siap.example"
NEEDED = ("nginx", "dnsmasq", "openssl", "prometheus-blackbox-exporter")
_WAIT_SECONDS = 10.0
_NGINX = """
daemon off; master_process off; user root; pid {folder}/pid; error_log {folder}/log; events {{}}
http {{ access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p;
fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
server {{ listen 127.0.0.1:{http}; listen 127.0.0.1:{https} ssl;
ssl_certificate {folder}/pem; ssl_certificate_key {folder}/key;
location / {{ return 200 "halo\\n"; }} location /gone {{ return 502; }}
location /moved {{ return 302 /; }} location /generate_204 {{ return 204; }} }} }}
"""
_BLACKBOX = """
modules:
  http: {{prober: http, timeout: 5s, http: {{tls_config: {{ca_file: {folder}/pem}}}}}}
  siap: {{prober: http, timeout: 5s, http: {{fail_if_body_not_matches_regexp: [siap]}}}}
  captive: {{prober: http, timeout: 5s, http: {{valid_status_codes: [204]}}}}
  tcp: {{prober: tcp, timeout: 5s}}
  tls: {{prober: tcp, timeout: 5s, tcp: {{tls: true, tls_config: {{ca_file: {folder}/pem}}}}}}
  other: {{prober: tcp, timeout: 5s, tcp: {{tls: true,
           tls_config: {{ca_file: {folder}/pem, server_name: other.example}}}}}}
  ping: {{prober: icmp, timeout: 5s}}
  dns: {{prober: dns, timeout: 5s, dns: {{query_name: siap.example, query_type: A}}}}
  missing: {{prober: dns, timeout: 5s, dns: {{query_name: tidak-ada.example, query_type: A}}}}
"""


@dataclass(frozen=True)
class Servers:
    """Where everything listens, on loopback; ``judge_pid`` is blackbox_exporter's process."""

    folder: Path
    http: int
    https: int
    dns: int
    closed: int
    judge: int
    judge_pid: int

    def ask(self, module: str, target: str) -> dict[str, float]:
        """One look by blackbox_exporter: its metrics by name, with their labels."""
        page = f"http://{ADDRESS}:{self.judge}/probe?module={module}&target={quote(target)}"
        with urllib.request.urlopen(page, timeout=_WAIT_SECONDS) as answer:
            said = answer.read().decode()
        lines = re.findall(r"^(probe_\S+) (\S+)$", said, re.MULTILINE)
        return {name: float(value) for name, value in lines}

    def looks(self) -> dict[str, tuple[Settings | None, str]]:
        """Of each rung of the bench, by blackbox's module: our settings and its target."""
        url, pem = f"http://{ADDRESS}:{self.http}", str(self.folder / "pem")
        return {
            "ping": (None, ADDRESS),
            "tcp": (Tcp(self.http), f"{ADDRESS}:{self.http}"),
            "http": (Http(f"{url}/"), f"{url}/"),
            "tls": (Tls(self.https, ca_file=pem), f"{ADDRESS}:{self.https}"),
            "dns": (Dns(NAME, port=self.dns, missing_below=""), f"{ADDRESS}:{self.dns}"),
            "captive": (Captive(f"{url}/generate_204"), f"{url}/generate_204"),
        }


def missing() -> list[str]:
    """What is not installed."""
    return [name for name in NEEDED if shutil.which(name) is None]


@contextmanager
def serving(folder: Path) -> Iterator[Servers]:
    """All of them, listening, as long as the block lasts. Raises TimeoutError."""
    ports = _free_ports(5)
    http, https, dns, closed, judge = ports
    names = f"subjectAltName=DNS:{NAME},IP:{ADDRESS}"
    request = f"openssl req -x509 -nodes -newkey rsa:2048 -days 9 -subj /CN={NAME} -addext {names}"
    files = ["-keyout", str(folder / "key"), "-out", str(folder / "pem")]
    subprocess.run([*request.split(), *files], check=True, capture_output=True)
    (folder / "nginx.conf").write_text(_NGINX.format(folder=folder, http=http, https=https))
    (folder / "blackbox.yml").write_text(_BLACKBOX.format(folder=folder))
    resolver = f"dnsmasq --no-daemon --no-resolv --no-hosts --bind-interfaces --port={dns}"
    commands = (
        ["nginx", "-c", str(folder / "nginx.conf")],
        [*resolver.split(), f"--listen-address={ADDRESS}", f"--address=/{NAME}/10.61.0.1",
         "--local=/#/"],
        ["prometheus-blackbox-exporter", f"--config.file={folder}/blackbox.yml",
         f"--web.listen-address={ADDRESS}:{judge}"],
    )  # fmt: skip
    children = [subprocess.Popen(words, stderr=subprocess.DEVNULL) for words in commands]
    try:
        for port in (http, https, dns, judge):
            _wait_for(port)
        yield Servers(folder, http, https, dns, closed, judge, children[-1].pid)
    finally:
        for child in children:
            child.terminate()
            child.wait()


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server((ADDRESS, 0)) for _ in range(count)]
    ports = [sock.getsockname()[1] for sock in sockets]
    for sock in sockets:
        sock.close()
    return ports


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + _WAIT_SECONDS
    while True:
        try:
            socket.create_connection((ADDRESS, port), timeout=1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise TimeoutError(f"nobody listens on port {port}") from None
            time.sleep(0.01)
        else:
            return
