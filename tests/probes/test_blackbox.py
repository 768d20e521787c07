"""Beside Debian's prometheus-blackbox-exporter: the same outcomes for the same targets.

The times of both stand side by side in bench/ladder.py.
"""

import asyncio
import time
from collections.abc import Callable, Iterator

import pytest

from model.kinds import Dns, Http, Settings, Tcp, Tls
from model.measurement import Outcome
from tests.probes.blackbox import ADDRESS, NAME, Servers, missing, serving
from tests.probes.looking import look

Judged = Callable[[Servers], tuple[Settings, str, str]]


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    if names := missing():
        pytest.skip(f"not installed: {', '.join(names)} (./setup.sh test)")
    with serving(tmp_path_factory.mktemp("servers")) as running:
        yield running


def url(servers: Servers, path: str) -> str:
    return f"http://{ADDRESS}:{servers.http}{path}"


@pytest.mark.parametrize(
    ("made", "up"),
    [
        (lambda s: (Tcp(s.http), "tcp", f"{ADDRESS}:{s.http}"), True),
        (lambda s: (Tcp(s.closed), "tcp", f"{ADDRESS}:{s.closed}"), False),
        (lambda s: (Http(url(s, "/")), "http", url(s, "/")), True),
        (lambda s: (Http(url(s, "/moved")), "http", url(s, "/moved")), True),
        (lambda s: (Http(url(s, "/gone")), "http", url(s, "/gone")), False),
        (lambda s: (Http(url(s, "/"), body_contains="siap"), "siap", url(s, "/")), False),
        (lambda s: (Http(url(s, "/"), status=204), "captive", url(s, "/")), False),
        (lambda s: (Tls(s.https, ca_file=f"{s.folder}/pem"), "tls", f"{ADDRESS}:{s.https}"), True),
        (
            lambda s: (
                Tls(s.https, "other.example", ca_file=f"{s.folder}/pem"),
                "other",
                f"{ADDRESS}:{s.https}",
            ),
            False,
        ),
        (lambda s: (Tls(s.http), "tls", f"{ADDRESS}:{s.http}"), False),
        (lambda s: (Dns(NAME, port=s.dns), "dns", f"{ADDRESS}:{s.dns}"), True),
        (lambda s: (Dns("tidak-ada.example", port=s.dns), "missing", f"{ADDRESS}:{s.dns}"), False),
    ],
)
def test_outcomes(servers: Servers, made: Judged, up: bool) -> None:
    """Both say the same of ports, pages, certificates and resolvers, good ones and bad ones."""
    settings, module, target = made(servers)
    seen = asyncio.run(look(settings))
    assert (seen.outcome is Outcome.UP) == up == bool(servers.ask(module, target)["probe_success"])


def test_figures(servers: Servers) -> None:
    """Days to a certificate's end, status, redirects, body and answers are the same figures."""
    looks = servers.looks()
    ours = asyncio.run(look(looks["tls"][0] or Tls()))
    theirs = servers.ask("tls", looks["tls"][1])
    expires = theirs["probe_ssl_earliest_cert_expiry"] - ours.readings["certificate_days"] * 86_400
    assert expires == pytest.approx(time.time(), abs=30)
    page = asyncio.run(look(Http(url(servers, "/moved"))))
    judged = servers.ask("http", url(servers, "/moved"))
    assert page.readings["http_status"] == judged["probe_http_status_code"] == 200
    assert page.readings["http_redirects"] == judged["probe_http_redirects"] == 1
    assert page.readings["body_bytes"] == judged["probe_http_uncompressed_body_length"] == 5
    answers = asyncio.run(look(Dns(NAME, port=servers.dns))).readings["dns_answers"]
    assert answers == servers.ask("dns", looks["dns"][1])["probe_dns_answer_rrs"] == 1
