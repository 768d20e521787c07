"""SNMP notifications come in: the only file that knows pysnmp.

Law: no datagram stops the receiver. What is refused, malformed or not proven to come from a device
of the inventory is counted; an inform is acknowledged only after it was kept.

pysnmp acknowledges an inform before it hands it over, so what it sends is held back until then.

SNMPv3 traps are signed by the sender's own engine (RFC 3414, 3.1), of which we learn from the first
one that proves its password: a user is then made for that engine, a few per address.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

# pysnmp ships no types; this is the one file that uses it.
from pysnmp.carrier.asyncio.dgram import (  # type: ignore[import-untyped]  # noqa: TID251 - above
    udp,
    udp6,
)
from pysnmp.entity import (  # type: ignore[import-untyped]  # noqa: TID251 - above
    config,
    engine,
)
from pysnmp.entity.rfc3413 import ntfrcv  # type: ignore[import-untyped]  # noqa: TID251 - above
from pysnmp.proto.api import v2c  # type: ignore[import-untyped]  # noqa: TID251 - above

from collector.trap_facts import fact
from collector.trap_gate import Gate, Sender
from collector.trap_message import claim_of, proves, require_whole
from model.errors import UnavailableError
from model.measurement import Measurement
from model.snmp import Credentials, Version

log = logging.getLogger(__name__)

TRAP_PORT = 162
_TRAP_OID = "1.3.6.1.6.3.1.1.4.1.0"
_ENGINES_PER_ADDRESS = 4
_AUTHENTICATIONS: Mapping[str, Any] = {
    "": config.USM_AUTH_NONE,
    "md5": config.USM_AUTH_HMAC96_MD5,
    "sha1": config.USM_AUTH_HMAC96_SHA,
    "sha224": config.USM_AUTH_HMAC128_SHA224,
    "sha256": config.USM_AUTH_HMAC192_SHA256,
    "sha384": config.USM_AUTH_HMAC256_SHA384,
    "sha512": config.USM_AUTH_HMAC384_SHA512,
}
_PRIVACIES: Mapping[str, Any] = {
    "": config.USM_PRIV_NONE,
    "des": config.USM_PRIV_CBC56_DES,
    "aes128": config.USM_PRIV_CFB128_AES,
    "aes192": config.USM_PRIV_CFB192_AES_BLUMENTHAL,
    "aes256": config.USM_PRIV_CFB256_AES_BLUMENTHAL,
}
Receive = Callable[[Any, bytes, tuple[Any, ...]], None]


class TrapReceiver:
    """Listens on UDP and gives every believed notification to ``keep`` as a measurement; when that
    returns it is durable, and when it raises OSError it is not.

    ``senders``: by address; ``wall_ms``: Unix milliseconds; ``monotonic``: seconds. ``counts`` says
    how many were ``kept``, and how many were refused and why.
    """

    def __init__(
        self,
        senders: Mapping[str, Sender],
        keep: Callable[[Measurement], None],
        *,
        wall_ms: Callable[[], int],
        monotonic: Callable[[], float],
    ) -> None:
        self._gate = Gate(senders)
        self._keep = keep
        self._wall_ms = wall_ms
        self._monotonic = monotonic
        self._sender: Sender | None = None
        self._told: Measurement | None = None
        self._notified = False
        self._answers: list[Callable[[], None]] = []
        self._engines: dict[str, list[bytes]] = {}
        self._engine = engine.SnmpEngine()
        self._transport: Any = None
        ntfrcv.NotificationReceiver(self._engine, self._notification)
        for number, credentials in enumerate(_distinct(senders)):
            if credentials.version is Version.V3:
                self._add_user(credentials, None)  # for informs: they are signed by our engine
            else:
                config.add_v1_system(self._engine, f"c{number}", credentials.community)

    @property
    def counts(self) -> Counter[str]:
        """``kept``, ``stranger``, ``size``, ``rate``, ``malformed``, ``refused``, ``not kept``."""
        return self._gate.counts

    async def open(self, host: str, port: int) -> int:
        """Bind, and return the port. Raises UnavailableError when it is taken or not allowed."""
        family = udp6 if ":" in host else udp
        base = family.Udp6AsyncioTransport if ":" in host else family.UdpAsyncioTransport
        receive, answers = self._datagram, self._answers

        class GatedTransport(base):  # type: ignore[misc, valid-type] # pysnmp's own class
            """pysnmp's transport with our gate before its decoder."""

            def datagram_received(self, datagram: bytes, address: tuple[Any, ...]) -> None:
                receive(self, datagram, address)

            def send_message(self, message: bytes, address: tuple[Any, ...]) -> None:
                answers.append(lambda: super(GatedTransport, self).send_message(message, address))

        transport = GatedTransport()
        loop = asyncio.get_running_loop()
        try:
            bound, _ = await loop.create_datagram_endpoint(
                lambda: transport, local_addr=(host, port)
            )
        except OSError as error:
            raise UnavailableError(
                f"traps on {host} port {port}: {error.strerror}; choose another port, or give the "
                "service CAP_NET_BIND_SERVICE"
            ) from None
        self._transport = transport
        domain = family.DOMAIN_NAME
        config.add_transport(self._engine, domain, transport)
        return int(bound.get_extra_info("sockname")[1])

    def close(self) -> None:
        """Stop listening."""
        self._engine.close_dispatcher()
        if self._transport is not None and self._transport.transport is not None:
            self._transport.transport.close()

    def _datagram(self, transport: Any, datagram: bytes, address: tuple[Any, ...]) -> None:
        sender = self._gate.admit(address[0], len(datagram), self._monotonic())
        if sender is None:
            return
        self._sender, self._told, self._notified = sender, None, False
        self._answers.clear()
        try:
            require_whole(datagram)
            if sender.credentials.version is Version.V3:
                self._introduce(address[0], datagram, sender.credentials)
            transport._callback_function(transport, address, datagram)
            self.counts[self._kept()] += 1
        except OSError as error:
            self.counts["not kept"] += 1
            log.error("a notification of %s is not kept: %s", sender.site, error.strerror)
        # pysnmp's transport would call it later, from the loop, where what a hostile datagram
        # raises (RecursionError and the like) is nobody's.
        except Exception as error:  # noqa: BLE001 - no datagram stops the receiver
            self.counts["malformed"] += 1
            log.debug("a datagram from %s: %s", address[0], type(error).__name__)
        finally:
            self._sender = None

    def _kept(self) -> str:
        """Keep what was told, then say so to its sender; what came of it, as a count. What is no
        notification (an engine's question who we are, RFC 3414, 4) is answered at once."""
        if self._told is not None:
            self._keep(self._told)
        if self._told is not None or not self._notified:
            for answer in self._answers:
                answer()
        return "refused" if self._told is None else "kept"

    def _introduce(self, address: str, datagram: bytes, credentials: Credentials) -> None:
        """Make the sender's user known for the engine that the message names and proves."""
        claim = claim_of(datagram)
        known = self._engines.setdefault(address, [])
        if not 5 <= len(claim.engine_id) <= 32 or claim.engine_id in known:  # RFC 3411
            return
        if not proves(claim, credentials):
            return
        if len(known) >= _ENGINES_PER_ADDRESS:  # the device was exchanged, and again
            if not credentials.authentication:  # or anybody says so
                return
            old = v2c.OctetString(known.pop(0))
            config.delete_v3_user(self._engine, credentials.user, old)
        known.append(claim.engine_id)
        self._add_user(credentials, claim.engine_id)

    def _add_user(self, credentials: Credentials, engine_id: bytes | None) -> None:
        config.add_v3_user(
            self._engine,
            credentials.user,
            _AUTHENTICATIONS[credentials.authentication],
            credentials.authentication_password or None,
            _PRIVACIES[credentials.privacy],
            credentials.privacy_password or None,
            securityEngineId=None if engine_id is None else v2c.OctetString(engine_id),
        )

    def _notification(
        self,
        snmp: Any,
        state: Any,
        _context_engine: Any,
        _context_name: Any,
        binds: Sequence[tuple[Any, Any]],
        _context: Any,
    ) -> None:
        """pysnmp's callback, within ``_datagram``."""
        sender, self._notified = self._sender, True
        if sender is None:
            return
        _, model, level, name, *_ = _execution(snmp, state)
        if not _proven(sender.credentials, model, level, name, self._community_of(name)):
            return
        values: dict[str, int | str] = {}
        for oid, value in binds:
            if isinstance(value, v2c.ObjectIdentifier):
                values[str(oid)] = str(value)
            elif isinstance(value, v2c.Integer | v2c.Integer32 | v2c.TimeTicks | v2c.Gauge32):
                values[str(oid)] = int(value)
        trap_oid = str(values.get(_TRAP_OID, ""))
        self._told = fact(sender.site, self._wall_ms(), trap_oid, values)

    def _community_of(self, name: str) -> str:
        for number, credentials in enumerate(_distinct(self._gate.senders)):
            if name in (f"c{number}", credentials.community):
                return credentials.community
        return ""


def _execution(snmp: Any, state: Any) -> tuple[Any, int, int, str]:
    """Who sent it: security model (1, 2, 3), level (1 to 3) and name."""
    context = snmp.observer.get_execution_context("rfc3412.receiveMessage:request")
    return (
        state,
        int(context["securityModel"]),
        int(context["securityLevel"]),
        str(context["securityName"]),
    )


def _proven(credentials: Credentials, model: int, level: int, name: str, community: str) -> bool:
    """Whether a notification was made with this device's own credentials, at their full level: a
    user with a password is not believed without it (RFC 3414, 1.5.1)."""
    if credentials.version is not Version.V3:
        return model in (1, 2) and community == credentials.community
    wanted = 3 if credentials.privacy else 2 if credentials.authentication else 1
    return model == 3 and level >= wanted and name == credentials.user


def _distinct(senders: Mapping[str, Sender]) -> list[Credentials]:
    return list(dict.fromkeys(sender.credentials for sender in senders.values()))
