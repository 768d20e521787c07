"""Free internet, a portal and a quota page are told apart; silence is none of them."""

import asyncio

from model.kinds import Captive
from model.measurement import Outcome, Reason
from probes.captive import FREE, PORTAL, QUOTA
from simulator.services import Handler, free_internet, page, portal, serving
from tests.probes.looking import look, look_at


def settings(port: int) -> Captive:
    return Captive(f"http://127.0.0.1:{port}/generate_204")


def seen(handler: Handler) -> tuple[str, float]:
    found = look_at(serving(handler), settings, timeout_seconds=1.0)
    return found.reason, found.readings["captive_state"]


def test_states() -> None:
    """204 without a body is free; a page in its place is a portal; one about quotas says so."""
    assert seen(free_internet()) == ("", FREE)
    assert seen(portal()) == (Reason.CAPTIVE_PORTAL, PORTAL)
    assert seen(portal(quota=True)) == (Reason.QUOTA, QUOTA)


def test_portal_behind_a_redirect() -> None:
    """A redirect is a portal, even to where it must not be followed; its address may name the
    quota."""
    for location, reason in (
        ("http://169.254.1.1/login", Reason.CAPTIVE_PORTAL),
        ("ftp://x/", Reason.CAPTIVE_PORTAL),
        ("http://169.254.1.1/quota-exceeded", Reason.QUOTA),
    ):
        handler = page(b"", status="302 Found", headers={"Location": location})
        assert seen(handler)[0] == reason


def test_portal_whose_page_hangs() -> None:
    """A portal that redirects to a page that never comes is a portal all the same."""

    async def run() -> None:
        async with serving(page(b"x" * 10, stalls_after_bytes=2)) as hanging:
            to = {"Location": f"http://127.0.0.1:{hanging}/"}
            async with serving(page(b"", status="302 Found", headers=to)) as port:
                found = await look(settings(port), timeout_seconds=0.5)
        assert found.reason == Reason.CAPTIVE_PORTAL

    asyncio.run(run())


def test_no_answer_is_no_portal() -> None:
    """Where nobody answers there is no portal to speak of."""
    found = asyncio.run(look(settings(1)))
    assert (found.outcome, found.reason) == (Outcome.DOWN, Reason.REFUSED)
    assert "captive_state" not in found.readings
