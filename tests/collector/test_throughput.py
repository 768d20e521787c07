"""The collector's end of throughput tests: one at a time on a line, few in all, none for ever."""

import asyncio
import json
from collections.abc import MutableMapping
from typing import Any

from collector.throughput import TESTS_AT_ONCE, Throughput

Message = MutableMapping[str, Any]


class Client:
    """One request without a server between: what it sends, and what it was answered."""

    def __init__(self, method: str, query: str, *bodies: bytes, key: str = "k") -> None:
        self.scope: Message = {
            "type": "http",
            "method": method,
            "query_string": query.encode(),
            "headers": [(b"authorization", key.encode())],
        }
        self.bodies = list(bodies)
        self.answered: list[Message] = []
        self.takes = asyncio.Event()
        self.takes.set()

    async def receive(self) -> Message:
        if not self.bodies:
            await asyncio.Event().wait()  # it has stalled
        body = self.bodies.pop(0)
        return {"type": "http.request", "body": body, "more_body": bool(self.bodies)}

    async def send(self, message: Message) -> None:
        await self.takes.wait()
        self.answered.append(message)

    async def ask(self, endpoint: Throughput) -> int:
        await endpoint(self.scope, self.receive, self.send)
        return int(self.answered[0]["status"]) if self.answered else 0

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.answered)


def test_bytes_both_ways() -> None:
    """GET gives as many bytes as were asked for; POST says how fast its own arrived."""

    async def run() -> None:
        endpoint = Throughput(lambda key: key == "k")
        down = Client("GET", "bytes=100000")
        assert await down.ask(endpoint) == 200
        assert len(down.body) == 100_000
        up = Client("POST", "bytes=1000000&least=60", *[bytes(1000)] * 100)
        assert await up.ask(endpoint) == 200
        assert json.loads(up.body)["bytes"] == 100_000
        assert json.loads(up.body)["mbit_s"] > 0

    asyncio.run(run())


def test_refused() -> None:
    """A wrong key or amount, another method, and too little to tell each have their answer."""

    async def run() -> None:
        endpoint = Throughput(lambda key: key == "k")
        assert await Client("GET", "bytes=10", key="x").ask(endpoint) == 401
        for query in ("", "bytes=", "bytes=-1", "bytes=1e3", "bytes=10&least=x"):
            assert await Client("GET", query).ask(endpoint) == 400
        assert await Client("PUT", "bytes=10").ask(endpoint) == 405
        assert await Client("POST", "bytes=10", b"0123456789").ask(endpoint) == 422

    asyncio.run(run())


def test_one_at_a_time() -> None:
    """A second test on an upstream, or with a key where no upstream is named, waits for its turn;
    so does one too many in all."""

    async def run() -> None:
        endpoint = Throughput(lambda _: True)
        running = [Client("GET", f"bytes=10&upstream=u-{n}") for n in range(TESTS_AT_ONCE - 1)]
        running.append(Client("GET", "bytes=10", key="without"))
        for client in running:
            client.takes.clear()
        tasks = [asyncio.create_task(client.ask(endpoint)) for client in running]
        await asyncio.sleep(0)  # all have begun
        same = Client("GET", "bytes=10&upstream=u-0", key="other")
        assert await same.ask(endpoint) == 503
        headers = dict(same.answered[0]["headers"])
        assert headers[b"retry-after"] == b"30"
        assert await Client("GET", "bytes=10", key="without").ask(endpoint) == 503
        assert await Client("GET", "bytes=10&upstream=one-too-many").ask(endpoint) == 503
        for client in running:
            client.takes.set()
        assert await asyncio.gather(*tasks) == [200] * TESTS_AT_ONCE
        assert await Client("GET", "bytes=10&upstream=u-0").ask(endpoint) == 200

    asyncio.run(run())


def test_a_stalled_client_holds_nobody_up() -> None:
    """Whoever neither sends nor takes is given up, both ways, and the upstream is free again."""

    async def run() -> None:
        endpoint = Throughput(lambda _: True, longest_seconds=0.05)
        silent = Client("POST", "bytes=100&upstream=u")
        assert await silent.ask(endpoint) == 0
        deaf = Client("GET", "bytes=100&upstream=u")
        deaf.takes.clear()
        assert await deaf.ask(endpoint) == 0
        assert await Client("GET", "bytes=100&upstream=u").ask(endpoint) == 200

    asyncio.run(run())


def test_whoever_has_gone() -> None:
    """A client that hangs up in the middle of its bytes gets no answer, and leaves no trace."""

    async def run() -> None:
        endpoint = Throughput(lambda _: True)
        gone = Client("POST", "bytes=100&upstream=u")

        async def disconnected() -> Message:
            return {"type": "http.disconnect"}

        gone.receive = disconnected  # type: ignore[method-assign] - the server's word for it
        assert await gone.ask(endpoint) == 0
        assert await Client("GET", "bytes=100&upstream=u").ask(endpoint) == 200

    asyncio.run(run())
