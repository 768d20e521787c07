"""Keys: stored as hashes, valid until revoked, for their own sites."""

import asyncio
import math
import random
import stat
import statistics
import time
from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import pytest
from starlette.types import Message  # noqa: TID251 - the judge asks without a socket

from collector.admission import Limits
from collector.credentials import Keys, write_private
from collector.ingest import Ingest
from collector.journal import Journal
from collector.web import application
from model.errors import InputError, UnavailableError

NOW = 1_790_000_000_000


def test_a_key_opens_until_it_is_revoked(tmp_path: Path) -> None:
    """A new key is valid at once, and invalid at once when another process revoked it."""
    keys, elsewhere = Keys(tmp_path), Keys(tmp_path)
    text = keys.add("probe-1", ("a", "b"), 1)
    key = elsewhere.verify(text, now_ms=NOW)
    assert key is not None
    assert (key.probe, key.may_write("a"), key.may_write("c")) == ("probe-1", True, False)
    keys.revoke("probe-1", 2)
    assert elsewhere.verify(text, now_ms=NOW) is None
    assert [key.revoked_ms for key in elsewhere.all()] == [2]


def test_two_keys_of_a_probe_overlap(tmp_path: Path) -> None:
    """A new key can be brought out while the old one still works; one is revoked by its id."""
    keys = Keys(tmp_path)
    old, new = keys.add("p", None, 1), keys.add("p", None, 2)
    keys.revoke(old.partition(".")[0], 3)
    assert keys.verify(old, now_ms=NOW) is None
    found = keys.verify(new, now_ms=NOW)
    assert found is not None
    assert found.may_write("anything")


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t[:-1],
        lambda t: t + "0",
        lambda t: t[::-1],
        lambda t: t.upper(),
        lambda t: t[:0],
        lambda t: t[:9] + "0" * 64,
        lambda t: "00000000" + t[8:],
        lambda t: t + "\n",
    ],
)
def test_anything_else_is_refused(tmp_path: Path, change: object) -> None:
    """No text but the key itself is accepted."""
    keys = Keys(tmp_path)
    text = keys.add("p", None, 1)
    assert keys.verify(change(text), now_ms=NOW) is None  # type: ignore[operator]  # a function of the table


def test_no_secret_is_stored(tmp_path: Path) -> None:
    """The files of the folder hold no part of the secret and are not readable for others."""
    secret = Keys(tmp_path).add("p", None, 1).partition(".")[2]
    path = tmp_path / "keys.json"
    assert secret[:8] not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_private_file_stays_private(tmp_path: Path) -> None:
    """A file that was open to all is closed before the key stands in it."""
    path = tmp_path / "key"
    path.write_text("old")
    path.chmod(0o644)
    write_private(path, "new")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text() == "new"


def test_mistakes_are_named(tmp_path: Path) -> None:
    """Bad names, unknown keys and a damaged file are said with their remedy."""
    keys = Keys(tmp_path)
    with pytest.raises(InputError, match="cannot name a probe"):
        keys.add("../p", None, 1)
    with pytest.raises(InputError, match="not a site id"):
        keys.add("p", ("A B",), 1)
    with pytest.raises(InputError, match="no valid key"):
        keys.revoke("nobody", 1)
    (tmp_path / "keys.json").write_text("{")
    with pytest.raises(UnavailableError, match="restore it"):
        keys.verify("x", now_ms=NOW)


def separable(left: Sequence[float], right: Sequence[float]) -> bool:
    """Welch's t-test at p < 0.01 (so many samples are as good as normal)."""
    spread = statistics.variance(left) / len(left) + statistics.variance(right) / len(right)
    t = (statistics.fmean(left) - statistics.fmean(right)) / math.sqrt(spread)
    return math.erfc(abs(t) / math.sqrt(2)) < 0.01


def test_how_long_an_answer_takes_tells_nothing(tmp_path: Path) -> None:
    """Unknown, revoked, expired and wrong keys, wrong early or late, are refused in the same time:
    over 20,000 requests of each no two can be told apart in each of three rounds, and the medians
    differ by less than a hash takes (S-11)."""
    keys = Keys(tmp_path)
    text, revoked = keys.add("p", None, 1), keys.add("q", None, 1)
    kinds = {
        "unknown": "00000000" + text[8:],
        "wrong early": text[:9] + ("1" if text[9] == "0" else "0") + text[10:],
        "wrong late": text[:-1] + ("1" if text[-1] == "0" else "0"),
        "revoked": revoked,
        "expired": keys.add_token("r", "a", 1, 1),
    }
    keys.revoke("q", 2)
    journal = Journal(tmp_path)
    app = application(Ingest(journal, keys, Limits(), lambda: NOW).routes())

    async def seconds(key: str) -> float:
        statuses = []

        async def receive() -> Message:
            pytest.fail("the body was asked for")

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])

        scope = {
            "type": "http", "method": "POST", "path": "/api/v2/write", "query_string": b"",
            "headers": [(b"authorization", b"Token " + key.encode())],
        }  # fmt: skip
        began = time.perf_counter()
        await app(scope, receive, send)
        took = time.perf_counter() - began
        assert statuses == [401]
        return took

    async def one_round() -> dict[str, list[float]]:
        took: dict[str, list[float]] = {kind: [] for kind in kinds}
        order = list(kinds)
        for _ in range(20_000 // 3):
            random.shuffle(order)  # so that nobody always comes after the same other
            for kind in order:
                took[kind].append(await seconds(kinds[kind]))
        return took

    pairs = list(combinations(kinds, 2))
    apart = Counter[tuple[str, str]]()
    medians: dict[str, list[float]] = {kind: [] for kind in kinds}
    try:
        for _ in range(3):
            took = asyncio.run(one_round())
            apart.update(pair for pair in pairs if separable(took[pair[0]], took[pair[1]]))
            for kind, times in took.items():
                medians[kind].append(statistics.median(times))
    finally:
        journal.close()
    middle = {kind: statistics.median(found) for kind, found in medians.items()}
    print(dict(apart), middle)  # noqa: T201 - figures to see
    assert 3 not in apart.values()
    # What interrupted us hides small differences from the test above: a hash that is not reckoned
    # would be two microseconds.
    assert max(middle.values()) - min(middle.values()) < 1e-6
