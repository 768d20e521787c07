"""The kind ``dns``: does the resolver answer, how fast, and does it tell the truth?

Law: the resolver is accused only by evidence: an answer that shares no network with a trusted one
that came by another path, or an address for a name that does not exist. Where the trusted path is
silent nothing is said.
"""

import asyncio
import ipaddress
import secrets
import time
from collections.abc import Collection, Coroutine
from typing import Any, TypeVar

import dns.asyncquery  # noqa: TID251 - this is the one file that speaks DNS with dnspython
import dns.asyncresolver  # noqa: TID251 - the same
import dns.exception  # noqa: TID251 - the same
import dns.message  # noqa: TID251 - the same
import dns.rcode  # noqa: TID251 - the same
import dns.rdatatype  # noqa: TID251 - the same
import dns.resolver  # noqa: TID251 - the same

from model.check import Check
from model.kinds import Dns
from model.measurement import Outcome, Reason
from probes.connect import LookError, Readings, bounded, literal, trust
from probes.look import Look

T = TypeVar("T")

TRIES = 2
"""A datagram may be lost: it is asked twice before a resolver counts as silent (RFC 1035, 7.2)."""
_SHARE_OF_TIME = 0.9 / TRIES
_NETWORK_BITS = {4: 24, 6: 48}
"""Answers in one network count as the same: large services answer with one neighbour or another."""


class DnsProbe:
    """Readings: ``dns_seconds``, ``dns_answers``; ``dns_tampered`` and ``dns_nxdomain_rewritten``
    where that could be judged. A tampered answer is DOWN; rewriting alone is a reading."""

    async def __call__(self, check: Check) -> Look:
        settings = check.settings
        if not isinstance(settings, Dns):
            raise TypeError(f"{check.key}: a dns check carries Dns settings")
        patience = check.timeout_seconds * _SHARE_OF_TIME

        async def look(readings: Readings) -> None:
            async with asyncio.TaskGroup() as group:  # by different paths, at one time
                rewrites = group.create_task(_if_told(_rewrites(check, settings, patience)))
                trusted = group.create_task(_if_told(_trusted(settings, patience)))
                asked = group.create_task(_answered(check, settings, patience))
            answer, seconds = asked.result()
            if isinstance(answer, Exception):
                raise answer
            readings["dns_seconds"] = seconds
            if answer.rcode() != dns.rcode.NOERROR:
                raise LookError(dns.rcode.to_text(answer.rcode()).lower())
            found = _values(answer, settings.record)
            readings["dns_answers"] = len(found)
            if not found:
                raise LookError("no records")
            if (lies := rewrites.result()) is not None:
                readings["dns_nxdomain_rewritten"] = int(lies)
            if truth := set(settings.expected) or trusted.result():
                readings["dns_tampered"] = int(not agree(found, truth))
                if readings["dns_tampered"]:
                    raise LookError(Reason.TAMPERED)

        return await bounded(check, look)


async def resolve(host: str) -> str:
    """An address of a name, from the resolvers of this machine (RFC 6761: localhost is nobody's
    question). Raises LookError."""
    if host == "localhost":
        return "127.0.0.1"
    try:
        resolver = dns.asyncresolver.Resolver()
        for record in ("A", "AAAA"):
            found = await resolver.resolve(host, record, raise_on_no_answer=False)
            if values := _values(found.response, record):
                return values[0]
    except dns.resolver.NoResolverConfiguration:
        raise LookError("no resolver is set", Outcome.UNKNOWN) from None
    except dns.resolver.NXDOMAIN:
        raise LookError(Reason.NAME_NOT_FOUND) from None
    except (dns.exception.DNSException, ValueError):
        raise LookError(Reason.NAME_NOT_RESOLVED) from None
    raise LookError(Reason.NAME_NOT_FOUND)


def agree(found: Collection[str], truth: Collection[str]) -> bool:
    """Whether two answers have a value, or a network of their addresses, in common."""
    return not {_network(value) for value in found}.isdisjoint(map(_network, truth))


def _network(value: str) -> str:
    address = literal(value)
    if address is None:
        return value.lower()
    return str(ipaddress.ip_network((address, _NETWORK_BITS[address.version]), strict=False))


async def _answered(
    check: Check, settings: Dns, patience: float
) -> tuple[dns.message.Message | LookError | OSError, float]:
    """The answer and its time; the failure as a value, so that the other questions end by
    themselves."""
    query = dns.message.make_query(settings.name, settings.record)
    for _ in range(TRIES):
        begun = time.perf_counter()
        try:
            answer = await _ask(query, check.address, settings.port, patience)
            return answer, time.perf_counter() - begun
        except dns.exception.Timeout:
            continue
        except (dns.exception.DNSException, ValueError, EOFError):
            return LookError(Reason.BAD_ANSWER), 0.0
        except OSError as error:  # no way there, or TCP refused after an answer that was cut
            return error, 0.0
    return LookError(Reason.NO_ANSWER), 0.0


async def _ask(
    query: dns.message.Message, where: str, port: int, patience: float
) -> dns.message.Message:
    """By UDP, and by TCP where the answer was cut (RFC 7766). What is no answer to the question, or
    comes from elsewhere, is passed over: it may be forged."""
    answer, _ = await dns.asyncquery.udp_with_fallback(
        query, where, patience, port, ignore_unexpected=True, ignore_errors=True
    )
    return answer


async def _rewrites(check: Check, settings: Dns, patience: float) -> bool | None:
    """Whether a name that cannot exist has an address; None when it is not to be asked."""
    if not settings.missing_below:
        return None
    name = f"jangkau-{secrets.token_hex(8)}.{settings.missing_below}"
    query = dns.message.make_query(name, "A")
    answer = await _ask(query, check.address, settings.port, patience)
    return bool(_values(answer, "A"))


async def _trusted(settings: Dns, patience: float) -> set[str] | None:
    """What the trusted resolver says; None without one, or when it says nothing."""
    if settings.trusted is None:
        return None
    query = dns.message.make_query(settings.name, settings.record)
    if settings.trusted_name is None:
        answer = await _ask(query, settings.trusted, settings.trusted_port or 53, patience)
    else:
        answer = await dns.asyncquery.tls(
            query,
            settings.trusted,
            patience,
            settings.trusted_port or 853,
            ssl_context=trust(None),
            server_hostname=settings.trusted_name,
        )
    return set(_values(answer, settings.record)) or None


async def _if_told(question: Coroutine[Any, Any, T | None]) -> T | None:
    """The answer to a question that decides nothing by its silence."""
    try:
        return await question
    except (dns.exception.DNSException, OSError, ValueError, EOFError):
        return None


def _values(answer: dns.message.Message, record: str) -> list[str]:
    wanted = dns.rdatatype.from_text(record)
    return [item.to_text() for rrset in answer.answer if rrset.rdtype == wanted for item in rrset]
