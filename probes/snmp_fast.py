"""SNMP through gufo-snmp: the only file that knows it.

Law: one exchange has one deadline. An answer from elsewhere never arrives (the socket is
connected), one with another request id is ignored by the library, one that is no SNMP is ignored
here; none of them gives whoever sends it another second of our time.

gufo-snmp's ``SnmpSession`` begins its time-out anew with every datagram and ends at the first bad
one, so its sockets are driven directly; they do all encoding, decoding and cryptography.
"""

import asyncio
import errno
import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from functools import lru_cache
from typing import TypeVar

from gufo.snmp import (  # noqa: TID251 - this is the one file that polls with gufo-snmp
    Aes128Key,
    DesKey,
    Md5Key,
    Sha1Key,
    Sha224Key,
    Sha256Key,
    Sha384Key,
    Sha512Key,
    SnmpDecodeError,
    SnmpError,
    User,
)
from gufo.snmp._fast import (  # noqa: TID251 - the same
    GetIter,
    SnmpV1ClientSocket,
    SnmpV2cClientSocket,
    SnmpV3ClientSocket,
)
from gufo.snmp.user import (  # noqa: TID251 - the same
    Aes192Key,
    Aes256Key,
    BaseAuthKey,
    BasePrivKey,
    KeyType,
)

from model.snmp import Credentials, Version
from probes.snmp_allowed import require_all, require_walk
from probes.snmp_session import RefusedError, Row, Value

# gufo-snmp panics on some malformed datagrams (see ``_exchange``); a trace of each, where somebody
# asked for traces, would let whoever sends them cost us milliseconds and a hundred lines of log.
os.environ["RUST_BACKTRACE"] = "0"

AUTHENTICATIONS: Mapping[str, type[BaseAuthKey]] = {
    "md5": Md5Key,
    "sha1": Sha1Key,
    "sha224": Sha224Key,
    "sha256": Sha256Key,
    "sha384": Sha384Key,
    "sha512": Sha512Key,
}
PRIVACIES: Mapping[str, type[BasePrivKey]] = {
    "des": DesKey,
    "aes128": Aes128Key,
    "aes192": Aes192Key,
    "aes256": Aes256Key,
}
MOST_DATAGRAMS = 1000
"""What is looked at for one answer: a flood of forgeries costs us no more than that."""
_Socket = SnmpV1ClientSocket | SnmpV2cClientSocket | SnmpV3ClientSocket
_T = TypeVar("_T")


async def open_session(
    address: str, credentials: Credentials, timeout_seconds: float
) -> "FastSession":
    """Open a session (``probes.snmp_session.Opener``)."""
    host = f"[{address}]" if ":" in address else address
    place = f"{host}:{credentials.port}"
    if credentials.version is not Version.V3:
        kind = SnmpV1ClientSocket if credentials.version is Version.V1 else SnmpV2cClientSocket
        plain = kind(place, credentials.community, 0, 0, 0, 0)
        return FastSession(plain, timeout_seconds, bulk=kind is SnmpV2cClientSocket)
    nobody = User.default()
    secure = SnmpV3ClientSocket(place, b"", nobody.name, 0, b"", 0, b"", 0, 0, 0, 0)
    session = FastSession(secure, timeout_seconds, bulk=True)
    await session.refresh(secure)  # discovers the engine (RFC 3414, 4)
    user = _user(credentials)
    secure.set_keys(
        user.name,
        user.get_auth_alg(),
        user.get_auth_key(),
        user.get_priv_alg(),
        user.get_priv_key(),
    )
    if user.require_auth():
        await session.refresh(secure)  # and its boots and time
    return session


@lru_cache(maxsize=4096)
def _user(credentials: Credentials) -> User:
    """The user with its passwords already stretched to master keys: RFC 3414, A.2 hashes 1 MiB for
    each, which is a millisecond or two that no poll should pay again."""
    if not credentials.authentication:
        return User(credentials.user)
    kind = AUTHENTICATIONS[credentials.authentication]
    master = kind.get_master_key(credentials.authentication_password.encode())
    authentication = kind(master, KeyType.Master)
    if not credentials.privacy:
        return User(credentials.user, auth_key=authentication)
    # The privacy key is made with the authentication's hash, so its master key is too.
    privacy = PRIVACIES[credentials.privacy](
        kind.get_master_key(credentials.privacy_password.encode()), KeyType.Master
    )
    return User(credentials.user, auth_key=authentication, priv_key=privacy)


class FastSession:
    """``probes.snmp_session.Session`` over one connected socket."""

    def __init__(self, socket: _Socket, timeout_seconds: float, *, bulk: bool) -> None:
        self._socket = socket
        self._timeout_seconds = timeout_seconds
        self._bulk = bulk
        self._descriptor = socket.get_fd()

    async def get(self, oids: Sequence[str]) -> Mapping[str, Value]:
        """One GET; rows that were not asked for are left out of the answer."""
        require_all(tuple(oids))
        wanted = list(oids)
        answer = await self._exchange(
            lambda: self._socket.send_get_many(wanted), self._socket.recv_get_many
        )
        if len(answer) <= len(wanted) and all(map(answer.__contains__, wanted)):
            return answer
        return {oid: answer[oid] for oid in wanted if oid in answer}

    async def walk(self, column: str, repetitions: int) -> AsyncIterator[Sequence[Row]]:
        """GETBULK with ``repetitions`` (GETNEXT for a v1 device), a request a step."""
        require_walk(column)
        socket = self._socket
        if self._bulk and repetitions > 1:
            place = GetIter(column, repetitions)
            while True:
                try:
                    rows = await self._exchange(
                        lambda: socket.send_get_bulk(place),
                        lambda: socket.recv_get_bulk(place),
                    )
                except StopAsyncIteration:
                    return
                yield [row for row in rows if row is not None]
                if not rows or rows[-1] is None:
                    return
        place = GetIter(column)
        while True:
            try:
                row = await self._exchange(
                    lambda: socket.send_get_next(place), lambda: socket.recv_get_next(place)
                )
            except StopAsyncIteration:
                return
            yield [row]

    async def refresh(self, socket: SnmpV3ClientSocket) -> None:
        """Ask a v3 device for its engine, boots and time."""
        await self._exchange(socket.send_refresh, socket.recv_refresh)

    async def _exchange(self, send: Callable[[], None], receive: Callable[[], _T]) -> _T:
        loop = asyncio.get_running_loop()
        end = loop.time() + self._timeout_seconds
        try:
            send()
        except BlockingIOError:
            raise TimeoutError from None  # the send buffer is full: as if the network had lost it
        # Raised at the end, not before: anybody can forge a refusal, and the true answer may come
        # behind it.
        refused: Exception = TimeoutError()
        for _ in range(MOST_DATAGRAMS):
            if not await self._readable(loop, end):
                break
            try:
                return receive()
            except BlockingIOError:
                continue  # not for us: another request's id
            except SnmpDecodeError:
                continue
            except TimeoutError as error:  # gufo-snmp's word for ECONNREFUSED: a closed port
                refused = ConnectionRefusedError(errno.ECONNREFUSED, str(error))
            except SnmpError as error:
                refused = RefusedError(str(error))
            except BaseException as error:
                # gufo-snmp 0.13 panics on some malformed datagrams, and a panic of Rust's is no
                # Exception; the datagram is gone and the socket sound, so it was one bad datagram.
                if type(error).__module__ != "pyo3_runtime":
                    raise
        raise refused

    async def _readable(self, loop: asyncio.AbstractEventLoop, end: float) -> bool:
        """Whether a datagram came before ``end``."""
        ready: asyncio.Future[bool] = loop.create_future()

        def settle(value: bool) -> None:
            if not ready.done():
                ready.set_result(value)

        loop.add_reader(self._descriptor, settle, True)
        alarm = loop.call_at(end, settle, False)
        try:
            return await ready
        finally:
            alarm.cancel()
            loop.remove_reader(self._descriptor)
