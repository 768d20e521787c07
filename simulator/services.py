"""Small real servers that behave as the services of villages do, well and badly.

Law: they speak the real protocol on a real socket, and what is wrong with each is its own argument:
the truth that a look has to find.
"""

import asyncio
import hashlib
import secrets
import ssl
import struct
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from typing import Any, cast

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]


@asynccontextmanager
async def serving(
    handler: Handler,
    address: str = "127.0.0.1",
    port: int = 0,
    context: ssl.SSLContext | None = None,
) -> AsyncIterator[int]:
    """A TCP server as long as the block lasts; gives its port. A client that goes away in the
    middle is no trouble of the server's."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handler(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            return
        finally:
            writer.close()

    server = await asyncio.start_server(answer, address, port, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def page(
    body: bytes = b"halo",
    *,
    status: str = "200 OK",
    headers: Mapping[str, str] | None = None,
    first_byte_seconds: float = 0.0,
    stalls_after_bytes: int | None = None,
) -> Handler:
    """An HTTP server with one page. ``first_byte_seconds``: how long it thinks, a slow server;
    ``stalls_after_bytes``: how much of the page comes before it stops for ever, a half-dead one."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(first_byte_seconds)  # the slowness that is simulated
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        writer.write(("\r\n".join(lines) + "\r\n\r\n").encode() + body[:stalls_after_bytes])
        await writer.drain()
        if stalls_after_bytes is not None:
            await reader.read()  # until the client gives up

    return handle


def free_internet() -> Handler:
    """The page that answers 204: nobody stands in the way."""
    return page(b"", status="204 No Content")


def portal(*, quota: bool = False) -> Handler:
    """What a hotspot answers in the place of every page: its own, or that the quota is used up."""
    text = b"<html>Kuota Anda habis. Silakan isi ulang.</html>" if quota else b"<html>Masuk</html>"
    return page(text)


def camera(user: str = "", password: str = "", *, algorithm: str = "MD5") -> Handler:
    """An RTSP camera (RFC 2326) that describes its picture, to all or to who knows the password
    (digest, RFC 7616). It has no picture: whoever asks for one hangs up on itself."""
    nonce = secrets.token_hex(8)
    hashed = hashlib.md5 if algorithm == "MD5" else hashlib.sha256

    def digest(text: str) -> str:
        return hashed(text.encode()).hexdigest()

    def admits(head: str, method: str) -> bool:
        if not user:
            return True
        given = dict(
            part.strip().split("=", 1)
            for part in head.partition("Authorization: Digest ")[2].partition("\r\n")[0].split(",")
            if "=" in part
        )
        given = {name: value.strip('"') for name, value in given.items()}
        one = digest(f"{user}:jangkau:{password}")
        two = digest(f"{method}:{given.get('uri', '')}")
        middle = ":".join(given.get(name, "") for name in ("nc", "cnonce", "qop"))
        right = digest(f"{one}:{nonce}:{middle}:{two}")
        return given.get("nonce") == nonce and given.get("response") == right

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            method = head.partition(" ")[0]
            number = head.partition("CSeq: ")[2].partition("\r\n")[0]
            lines, body = ["RTSP/1.0 200 OK", f"CSeq: {number}"], ""
            if method == "OPTIONS":
                lines.append("Public: OPTIONS, DESCRIBE")
            elif method == "DESCRIBE" and admits(head, method):
                body = "v=0\r\ns=Loket\r\nm=video 0 RTP/AVP 96\r\n"
                lines += ["Content-Type: application/sdp", f"Content-Length: {len(body)}"]
            elif method == "DESCRIBE":
                lines[0] = "RTSP/1.0 401 Unauthorized"
                lines.append(
                    f'WWW-Authenticate: Digest realm="jangkau", nonce="{nonce}", qop="auth", '
                    f"algorithm={algorithm}"
                )
            else:
                lines[0] = "RTSP/1.0 405 Method Not Allowed"
            writer.write(("\r\n".join(lines) + "\r\n\r\n" + body).encode())
            await writer.drain()

    return handle


class Resolver(asyncio.DatagramProtocol):
    """A DNS server (RFC 1035) for A records that tells the truth of ``names``, save for ``lies``;
    with ``rewrites_to`` a name that does not exist has that address."""

    def __init__(
        self,
        names: Mapping[str, str],
        *,
        lies: Mapping[str, str] | None = None,
        rewrites_to: str | None = None,
    ) -> None:
        self._names = {**names, **(lies or {})}
        self._rewrites_to = rewrites_to
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Note where to answer."""
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer one question."""
        if self._transport is not None and (said := self.answer(data)):
            self._transport.sendto(said, addr)

    def answer(self, question: bytes) -> bytes:
        """The answer to one question; empty for what is none."""
        labels, at = [], 12
        while at < len(question) and (size := question[at]):
            labels.append(question[at + 1 : at + 1 + size].decode("latin-1").lower())
            at += 1 + size
        asked = question[12 : at + 5]
        if len(question) < 17 or len(asked) < 5:
            return b""
        address = self._names.get(".".join(labels), self._rewrites_to)
        is_a = asked[-4:-2] == b"\0\1"
        answers = int(address is not None and is_a)
        flags = 0x8180 if address is not None else 0x8183  # response, recursion; NXDOMAIN
        head = question[:2] + struct.pack("!5H", flags, 1, answers, 0, 0)
        if not answers or address is None:
            return head + asked
        data = bytes(int(part) for part in address.split("."))
        return head + asked + b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 60, 4) + data


@asynccontextmanager
async def resolving(
    resolver: Resolver, address: str = "127.0.0.1", port: int = 0
) -> AsyncIterator[int]:
    """The resolver on a UDP port as long as the block lasts; gives the port."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: resolver, (address, port))
    try:
        yield transport.get_extra_info("sockname")[1]
    finally:
        transport.close()
