"""Enrolment, rotation and configuration over HTTP: once, for one site, and never after."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from collector.admission import Limits
from collector.credentials import OVERLAP_MS, Keys, TooSoonError
from collector.enrolment import Enrolment
from collector.web import application
from inventory.read import load
from model.errors import InputError
from model.inventory import Inventory

NOW_MS = 1_790_000_000_000
INVENTORY = Path(__file__).parents[2] / "inventory.yaml"


class Rig:
    """The endpoints without a socket; ``now_ms`` is their clock."""

    def __init__(self, folder: Path, inventory: Inventory | None) -> None:
        self.now_ms = NOW_MS
        self.keys = Keys(folder)
        enrolment = Enrolment(self.keys, folder, inventory, Limits(), lambda: self.now_ms)
        self._app = application(enrolment.routes())

    def ask(self, verb: str, path: str, **more: object) -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self._app)
            async with httpx.AsyncClient(transport=transport, base_url="http://c") as client:
                return await client.request(verb, path, **more)  # type: ignore[arg-type]  # as httpx has them

        return asyncio.run(send())

    def enrol(self, token: str, probe: str | None = None) -> httpx.Response:
        return self.ask("POST", "/api/v1/enrol", json={"token": token, "probe": probe})

    def config(self, key: str, **headers: str) -> httpx.Response:
        headers = {name.replace("_", "-"): text for name, text in headers.items()}
        headers["Authorization"] = f"Token {key}"
        return self.ask("GET", "/api/v1/config", headers=headers)


@pytest.fixture(scope="module")
def watched() -> Inventory:
    """The example inventory of the repository."""
    return load(INVENTORY)


@pytest.fixture
def rig(tmp_path: Path, watched: Inventory) -> Rig:
    return Rig(tmp_path, watched)


def test_a_token_buys_one_key_for_its_site(rig: Rig, watched: Inventory) -> None:
    """The key writes its own site and no other; the second who comes with the token gets none."""
    site = watched.sites[0].id
    token = rig.keys.add_token("probe-1", site, 3600, NOW_MS)
    answer = rig.enrol(token)
    assert answer.status_code == 200
    assert (answer.json()["probe"], answer.json()["site"]) == ("probe-1", site)
    assert answer.headers["Cache-Control"] == "no-store"
    key = rig.keys.verify(answer.json()["key"], now_ms=NOW_MS)
    assert key is not None
    assert key.may_write(site)
    assert not key.may_write("another")
    assert rig.enrol(token).status_code == 401


@pytest.mark.parametrize(
    "spoil",
    [
        lambda rig, _token: rig.keys.revoke("probe-1", NOW_MS),
        lambda rig, _token: setattr(rig, "now_ms", NOW_MS + 3_600_000),
        lambda rig, token: rig.enrol(token),
    ],
    ids=["revoked", "too old", "spent"],
)
def test_a_token_that_is_over_buys_nothing(rig: Rig, spoil: Callable[[Rig, str], object]) -> None:
    """Revoked, too old or spent: the same answer as for one that never was, and no key is made."""
    token = rig.keys.add_token("probe-1", "a", 3600, NOW_MS)
    spoil(rig, token)
    before = rig.keys.all()
    never = rig.enrol("00000000." + "0" * 64)
    assert (rig.enrol(token).status_code, rig.enrol(token).content) == (401, never.content)
    assert rig.keys.all() == before


def test_a_token_is_for_the_probe_it_names(rig: Rig) -> None:
    """Another probe's name is refused and does not spend the token."""
    token = rig.keys.add_token("probe-1", "a", 3600, NOW_MS)
    assert rig.enrol(token, "probe-2").status_code == 401
    assert rig.enrol(token, "probe-1").status_code == 200


def test_a_token_opens_nothing_else_and_a_key_is_no_token(rig: Rig) -> None:
    """Roles do not mix: a token cannot rotate, a writing or reading key cannot enrol."""
    token = rig.keys.add_token("probe-1", "a", 3600, NOW_MS)
    reader = rig.keys.add_reader("r", None, NOW_MS)
    for secret in (token, reader):
        assert rig.config(secret).status_code == 401
    for secret in (reader, rig.keys.add("p", ("a",), NOW_MS)):
        assert rig.enrol(secret).status_code == 401


def test_twenty_at_once_one_key(rig: Rig) -> None:
    """Of many who redeem a token in the same moment one is served."""
    token = rig.keys.add_token("probe-1", "a", 3600, NOW_MS)

    async def all_at_once() -> list[object]:
        others = [Keys(rig.keys.path.parent) for _ in range(20)]
        return await asyncio.gather(
            *(asyncio.to_thread(one.enrol, token, None, NOW_MS) for one in others)
        )

    assert sum(one is not None for one in asyncio.run(all_at_once())) == 1


def test_rotation_overlaps_for_seven_days(rig: Rig) -> None:
    """Both keys open for the overlap; then the old one is refused and the new one lives on."""
    old = rig.keys.add("p", ("a",), NOW_MS - 1)
    answer = rig.ask("POST", "/api/v1/rotate", headers={"Authorization": f"Token {old}"})
    new = answer.json()["key"]
    for at_ms, valid in ((NOW_MS, True), (NOW_MS + OVERLAP_MS - 1, True)):
        assert (rig.keys.verify(old, now_ms=at_ms) is not None) is valid
    assert rig.keys.verify(old, now_ms=NOW_MS + OVERLAP_MS) is None
    assert rig.keys.verify(new, now_ms=NOW_MS + 100 * OVERLAP_MS) is not None


def test_a_lost_answer_to_a_rotation_is_repaired(rig: Rig) -> None:
    """Rotated again with the old key, the successor that nobody got is taken back: no key is left
    lying about, and the overlap does not grow. At once it is too soon."""
    old = rig.keys.add("p", ("a",), NOW_MS - 1)
    key_id = old.partition(".")[0]
    lost = rig.keys.rotate(key_id, NOW_MS)
    with pytest.raises(TooSoonError):
        rig.keys.rotate(key_id, NOW_MS + 59_000)
    new = rig.keys.rotate(key_id, NOW_MS + 60_000)
    assert rig.keys.verify(lost, now_ms=NOW_MS + 60_000) is None
    assert rig.keys.verify(new, now_ms=NOW_MS + 60_000) is not None
    assert rig.keys.verify(old, now_ms=NOW_MS + OVERLAP_MS) is None
    rig.keys.revoke("p", NOW_MS + 60_001)
    with pytest.raises(InputError, match="not valid"):
        rig.keys.rotate(key_id, NOW_MS + 200_000)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b"[" * 4000, b'{"token": 1}', b'{"token": "x", "probe": 1}', b"\xff"]
)
def test_orders_that_are_none(rig: Rig, body: bytes) -> None:
    """What is no order is answered 400 in the usual shape; too much of it 413."""
    answer = rig.ask("POST", "/api/v1/enrol", content=body)
    assert (answer.status_code, set(answer.json())) == (400, {"code", "message"})
    assert rig.ask("POST", "/api/v1/enrol", content=b"x" * 5000).status_code == 413


def test_guessing_is_slowed_down(rig: Rig) -> None:
    """Strangers together get 50 tries and five a second from then on."""
    statuses = [rig.enrol("x").status_code for _ in range(60)]
    assert statuses[:50] == [401] * 50
    assert 429 in statuses[50:]


def test_a_probe_is_told_its_own_part(rig: Rig, watched: Inventory) -> None:
    """A village's probe gets its site's checks and no neighbour's address, the centre's all; who
    knows it already gets 304."""
    site = watched.sites[0]
    key = rig.keys.add("v", (site.id,), NOW_MS)
    answer = rig.config(key)
    document = answer.json()
    assert (document["site"], document["version"]) == (site.id, 1)
    assert [check["address"] for check in document["checks"]] == [
        check.address for check in watched.village_checks(site)
    ]
    assert {check["site"] for check in document["checks"]} <= {site.id}
    assert document["budget_bytes_a_day"] == (1_000_000 if site.metered else None)
    again = rig.config(key, If_None_Match=answer.headers["ETag"])
    assert (again.status_code, again.content) == (304, b"")
    centre = rig.config(rig.keys.add("c", None, NOW_MS)).json()
    assert len(centre["checks"]) == len(watched.centre_checks())
    assert rig.config(rig.keys.add("g", ("gone",), NOW_MS)).status_code == 404


def test_the_version_grows_with_every_change_and_only_then(
    tmp_path: Path, watched: Inventory
) -> None:
    """Over restarts the number stays; after a change it is higher, also after going back."""
    slow = tuple(replace(site, interval_seconds=599) for site in watched.sites)
    changed = replace(watched, sites=slow)
    versions = []
    for inventory in (watched, watched, changed, watched):
        rig = Rig(tmp_path, inventory)
        versions.append(rig.config(rig.keys.add("c", None, NOW_MS)).json()["version"])
    assert versions == [1, 1, 2, 3]
    assert json.loads((tmp_path / "configuration.json").read_text())["version"] == 3


def test_without_an_inventory_nothing_is_told(tmp_path: Path) -> None:
    """A collector that was given none says so."""
    rig = Rig(tmp_path, None)
    assert rig.config(rig.keys.add("c", None, NOW_MS)).status_code == 404


def test_a_stranger_who_takes_his_time_is_sent_away(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A body that never ends holds a place for as long as it may and no longer."""
    monkeypatch.setattr("collector.web.BODY_SECONDS", 0.05)

    async def never_ends() -> AsyncIterator[bytes]:
        yield b'{"token": '
        await asyncio.Event().wait()

    assert rig.ask("POST", "/api/v1/enrol", content=never_ends()).status_code == 408
