"""HTTP: the routes' table served, requests counted, errors in InfluxDB's shape.

Law: the one file that knows the HTTP library. Everybody else sees a ``Request`` and gives an
``Answer``; whatever a handler raises becomes an answer here, in one place.
"""

import asyncio
import json
import logging
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from starlette.applications import Starlette  # noqa: TID251 - the one file that speaks HTTP
from starlette.requests import ClientDisconnect  # noqa: TID251 - as above
from starlette.requests import Request as StarletteRequest  # noqa: TID251 - as above
from starlette.responses import Response  # noqa: TID251 - as above
from starlette.routing import Route as StarletteRoute  # noqa: TID251 - as above
from starlette.types import ASGIApp, Message, Receive, Scope, Send  # noqa: TID251 - as above

from model.errors import InputError, UnavailableError

RETRY_SECONDS = 5
"""Retry-After where nothing better is known; probes add their own jitter."""

BODY_SECONDS = 10.0
"""For the small bodies of strangers, who are few at a time: none keeps others out for long."""

TOO_OFTEN = "jangkau.too_often"
"""In the scope of a request that was answered 429: who serves may stop listening for a while."""

_log = logging.getLogger(__name__)
_ENCODE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


class Request(Protocol):
    """What a handler may know of a request."""

    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def query_params(self) -> Mapping[str, str]: ...
    @property
    def path_params(self) -> Mapping[str, Any]: ...
    def stream(self) -> AsyncIterator[bytes]:
        """The body in pieces, as they come."""
        ...


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent back."""

    status: int = 200
    body: bytes = b""
    media_type: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Refused(Exception):  # noqa: N818 - an answer, not a fault of ours
    """A request that is answered with an error, in InfluxDB's words."""

    def __init__(
        self, status: int, code: str, message: str, retry_seconds: float | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.retry_seconds = status, code, retry_seconds

    def answer(self) -> Answer:
        """The error as InfluxDB v2 words it."""
        headers = {}
        if self.retry_seconds is not None:
            headers["Retry-After"] = str(max(1, math.ceil(self.retry_seconds)))
        if self.status == 401:
            headers["WWW-Authenticate"] = "Token"  # RFC 9110, 11.6.1
        document = {"code": self.code, "message": str(self)}
        return json_answer(document, self.status, headers)


class Handled(NamedTuple):
    """One line of the table of routes."""

    verb: str
    path: str
    call: Callable[[Request], Awaitable[Answer]]


def json_answer(
    document: Any, status: int = 200, headers: Mapping[str, str] | None = None
) -> Answer:
    """A JSON document as an answer."""
    return Answer(status, _ENCODE(document).encode(), "application/json", headers or {})


async def limited_body(request: Request, bytes_max: int) -> bytes:
    """The whole body. Raises Refused: 413 as soon as it is too large, declared or sent; 408 when it
    comes too slowly."""
    too_large = Refused(413, "request too large", f"a body has at most {bytes_max} bytes")
    declared = request.headers.get("content-length", "0")
    if not (declared.isascii() and declared.isdecimal()) or int(declared) > bytes_max:
        raise too_large
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > bytes_max:
                    raise too_large
    except TimeoutError:
        raise Refused(408, "invalid", "the body came too slowly", RETRY_SECONDS) from None
    return bytes(body)


async def health(_request: Request) -> Answer:
    """That the process lives, in InfluxDB's words."""
    return json_answer({"name": "jangkau", "status": "pass"})


async def ping(_request: Request) -> Answer:
    """What InfluxDB clients ask first."""
    return Answer(204)


LIVENESS = (
    Handled("GET", "/healthz", health),
    Handled("GET", "/health", health),
    Handled("GET", "/ping", ping),
)


def application(
    routes: Sequence[Handled],
    count: Callable[[str, int], None] = lambda _path, _status: None,
    mounts: Mapping[str, ASGIApp] | None = None,
) -> Starlette:
    """An ASGI application of the routes, and of whole applications (``mounts``) at paths of their
    own. ``count`` hears of every answer: route and status."""
    handled = [
        StarletteRoute(route.path, _endpoint(route, count), methods=[route.verb])
        for route in (*routes, *LIVENESS)  # looked through in order; writes come most often
    ]
    # Not a starlette Mount, which answers PATH with a redirect to PATH/: probes follow none.
    mounted = [
        StarletteRoute(path, _Mounted(path, app, count)) for path, app in (mounts or {}).items()
    ]
    return Starlette(routes=[*handled, *mounted])


@dataclass(frozen=True, slots=True)
class _Mounted:
    """An application that speaks ASGI itself: its answers are counted, its keys may be unreadable
    as everybody's."""

    path: str
    app: ASGIApp
    count: Callable[[str, int], None]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def counted(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                self.count(self.path, message["status"])
            await send(message)

        try:
            await self.app(scope, receive, counted)
        except UnavailableError as error:
            if begun:
                raise
            answer = Refused(507, "unavailable", str(error), RETRY_SECONDS).answer()
            response = Response(answer.body, answer.status, dict(answer.headers), answer.media_type)
            await response(scope, receive, counted)


def _endpoint(
    route: Handled, count: Callable[[str, int], None]
) -> Callable[[StarletteRequest], Awaitable[Response]]:
    async def endpoint(request: StarletteRequest) -> Response:
        try:
            answer = await route.call(request)
        except Refused as refused:
            answer = refused.answer()
        except InputError as error:
            answer = Refused(400, "invalid", str(error)).answer()
        except UnavailableError as error:
            answer = Refused(507, "unavailable", str(error), RETRY_SECONDS).answer()
        except ClientDisconnect:
            answer = Refused(400, "invalid", "the body was cut off").answer()
        except Exception:  # noqa: BLE001 - logged with its trace; the others are served on
            _log.exception("a bug of ours in %s %s", route.verb, route.path)
            answer = Refused(500, "internal error", "a bug of ours; it is logged").answer()
        count(route.path, answer.status)
        request.scope[TOO_OFTEN] = answer.status == 429
        headers = dict(answer.headers)
        if answer.status in (401, 413, 503):
            headers["Connection"] = "close"  # the rest of a body is not worth reading
        return Response(answer.body, answer.status, headers, answer.media_type)

    return endpoint
