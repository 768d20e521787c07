"""The page, its phases, and where a redirect must not lead."""

import asyncio

import pytest

from model.kinds import Http
from model.measurement import Outcome, Reason
from probes.connect import LookError, literal, plain
from probes.http import _admit
from simulator.services import page, serving
from tests.probes.looking import look, look_at


def url(port: int, path: str = "/") -> str:
    return f"http://127.0.0.1:{port}{path}"


def test_a_page() -> None:
    """A page that comes is UP, with every phase and its status."""
    seen = look_at(serving(page()), lambda port: Http(url(port), body_contains="halo"))
    assert seen.outcome is Outcome.UP
    assert seen.readings["http_status"] == 200
    assert seen.readings["body_bytes"] == 4
    assert {"connect_seconds", "first_byte_seconds", "transfer_seconds"} <= set(seen.readings)


def test_phases_are_told_apart() -> None:
    """A server that thinks is slow in its first byte, in no other phase."""
    seen = look_at(serving(page(first_byte_seconds=0.3)), lambda port: Http(url(port)))
    assert 0.3 <= seen.readings["first_byte_seconds"] < 0.5
    assert seen.readings["connect_seconds"] < 0.2
    assert seen.readings["transfer_seconds"] < 0.2


@pytest.mark.parametrize(
    ("status", "body", "settings", "reason"),
    [
        ("500 Oops", b"halo", {}, "wrong status 500"),
        ("404 Not Found", b"", {"status": 404}, ""),
        ("200 OK", b"halo", {"status": 204}, "wrong status 200"),
        ("200 OK", b"maintenance", {"body_contains": "halo"}, Reason.WRONG_BODY),
        ("302 Found", b"", {"redirects": 0}, "wrong status 302"),
    ],
)
def test_status_and_body(status: str, body: bytes, settings: dict, reason: str) -> None:  # type: ignore[type-arg] - literal rows
    """The status must be the wanted one (any 2xx unless said), and the text must be there."""
    seen = look_at(serving(page(body, status=status)), lambda port: Http(url(port), **settings))
    assert seen.reason == reason
    assert seen.outcome is (Outcome.DOWN if reason else Outcome.UP)


def test_half_dead() -> None:
    """A page that stops in the middle is DOWN after the time-out, and what was measured is kept."""
    server = serving(page(b"x" * 1000, stalls_after_bytes=100))
    seen = look_at(server, lambda port: Http(url(port)), timeout_seconds=0.5)
    assert (seen.outcome, seen.reason) == (Outcome.DOWN, Reason.NO_ANSWER)
    assert "first_byte_seconds" in seen.readings


def test_a_redirect_is_followed() -> None:
    """The way of a redirect is part of the look; its phases add up."""

    async def run() -> None:
        async with serving(page()) as last:
            moved = page(b"", status="302 Found", headers={"Location": url(last, "/x")})
            async with serving(moved) as first:
                seen = await look(Http(url(first), body_contains="halo"))
        assert seen.outcome is Outcome.UP
        assert seen.readings["http_redirects"] == 1

    asyncio.run(run())


@pytest.mark.parametrize(
    "location",
    [
        "file:///etc/passwd",
        "ftp://127.0.0.1/",
        "javascript:alert(1)",
        "http://169.254.169.254/latest/meta-data",
        "http://[fe80::1]/",
        "http://[::ffff:169.254.169.254]/",
        "http://[64:ff9b::a9fe:a9fe]/",
        "http://0.0.0.0/",
        "http://224.0.0.1/",
        "http://127.0.0.1:99999/",
        "http://[::1",
        "http://",
        "/a b",
    ],
)
def test_where_a_redirect_must_not_lead(location: str) -> None:
    """Other schemes, link-local addresses in any writing, and nonsense are refused, not visited."""
    moved = page(b"", status="302 Found", headers={"Location": location})
    seen = look_at(serving(moved), lambda port: Http(url(port)))
    assert (seen.outcome, seen.reason) == (Outcome.DOWN, Reason.BAD_REDIRECT)


@pytest.mark.parametrize("address", ["10.0.0.1", "192.168.1.1", "127.0.0.1", "::1", "fd00::1"])
def test_from_public_to_private(address: str) -> None:
    """A public server cannot send us into a private network; a private one may stay in it."""
    with pytest.raises(LookError, match=Reason.BAD_REDIRECT):
        _admit(address, from_public=True)
    _admit(address, from_public=False)


def test_loop_of_redirects() -> None:
    """A loop ends after as many redirects as the settings allow."""
    moved = page(b"", status="302 Found", headers={"Location": "/again"})
    seen = look_at(serving(moved), lambda port: Http(url(port), redirects=3))
    assert (seen.reason, seen.readings["http_redirects"]) == (Reason.BAD_REDIRECT, 3)


def test_a_page_without_end() -> None:
    """Of a page of 100 MB no more than the cap is read, and what was asked for still counts."""
    server = serving(page(b"halo" + b"x" * 10**8))
    seen = look_at(server, lambda port: Http(url(port), body_contains="halo"))
    assert seen.outcome is Outcome.UP
    assert seen.readings["body_bytes"] <= 128 * 1024


def test_plain_addresses() -> None:
    """Every way to write an IPv4 address inside an IPv6 one is seen through."""
    for text in ("::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::"):
        address = literal(text)
        assert address is not None
        assert str(plain(address)) == "10.0.0.1"
