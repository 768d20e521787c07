"""The connection to the collector: HTTP/1.1 kept open, over TLS that is always verified.

Law: plain HTTP goes to this machine alone; verification cannot be turned off, only narrowed to an
authority of one's own; redirects are not followed and proxies not asked, so the key goes nowhere
else.
"""

import http.client
import ipaddress
import socket
import ssl
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from model.errors import InputError
from probes.receipt import Reply

WRITE_PATH = "/api/v2/write?bucket=jangkau&org=jangkau&precision=ms"
REPLY_MAX_BYTES = 1 << 20


class Link:
    """``post`` is what ``Uplink`` sends with. Raises InputError for a URL that is not allowed."""

    def __init__(
        self,
        url: str,
        key: str,
        *,
        version: str,
        ca_file: Path | None = None,
        timeout_seconds: float = 30.0,
    ) -> None:
        parts = urlsplit(url)
        try:
            port = parts.port
        except ValueError:
            raise InputError(f"collector {url!r}: the port must be a number up to 65535") from None
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query:
            raise InputError(f"collector {url!r}: write it as https://host or https://host:port")
        if parts.username is not None:
            raise InputError("collector: the URL holds a user name; the key belongs in a file")
        if parts.scheme == "http" and not _is_loopback(parts.hostname):
            raise InputError(
                f"collector {url!r}: plain http is for this machine alone, use https:// (a key and"
                " a village's data would travel in the open)"
            )
        self._path = parts.path.rstrip("/") + WRITE_PATH
        self._headers = {"Authorization": f"Token {key}", "User-Agent": f"jangkau/{version}"}
        self._connection: http.client.HTTPConnection
        if parts.scheme == "https":
            try:
                context = ssl.create_default_context(cafile=ca_file)
            except OSError as error:
                raise InputError(f"CA file {ca_file}: {error}; it must be PEM") from None
            self._connection = http.client.HTTPSConnection(
                parts.hostname,
                port,
                timeout=timeout_seconds,
                context=context,
            )
        else:
            self._connection = http.client.HTTPConnection(
                parts.hostname, port, timeout=timeout_seconds
            )
        self._aborted = False

    def post(self, body: bytes, headers: Mapping[str, str]) -> Reply:
        """Send a write request. Raises OSError or HTTPException when no whole answer came back.

        A kept connection that the server has closed in the meantime is no failure: one more try
        is made on a new one.
        """
        kept = self._connection.sock is not None
        try:
            return self._exchange(body, headers)
        except (ConnectionError, http.client.RemoteDisconnected):
            if not kept or self._aborted:
                raise
        return self._exchange(body, headers)

    def abort(self) -> None:
        """End the exchange that another thread is in; later ones fail at once."""
        self._aborted = True
        sock = self._connection.sock
        if sock is not None:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:  # it is down already: what we wanted
                return

    def close(self) -> None:
        """Close the connection; call it from the thread that posts, or when none does."""
        self._connection.close()

    def _exchange(self, body: bytes, headers: Mapping[str, str]) -> Reply:
        if self._aborted:
            raise ConnectionAbortedError("the probe is stopping")
        try:
            self._connection.request("POST", self._path, body, {**headers, **self._headers})
            response = self._connection.getresponse()
            content = response.read(REPLY_MAX_BYTES + 1)
            if len(content) > REPLY_MAX_BYTES:
                raise http.client.HTTPException("the answer is larger than any receipt")
            if response.length:  # read(n) does not complain when the rest is missing
                raise http.client.IncompleteRead(content, response.length)
        except BaseException:
            self._connection.close()
            raise
        found = {name.lower(): value for name, value in response.getheaders()}
        return Reply(response.status, found, content)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
