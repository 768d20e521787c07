"""The kind ``rtsp``: does the camera speak, and would it show its picture to those who may see it?

Law: OPTIONS and DESCRIBE, nothing more. No stream is ever set up, so no frame can ever be seen.
"""

import asyncio
import hashlib
import re
import secrets
from pathlib import Path
from typing import NamedTuple

from model.check import Check
from model.kinds import Rtsp
from model.measurement import Outcome, Reason
from probes.connect import LookError, Readings, Resolve, Stream, bounded, connected, find
from probes.look import Look

_STATUS = re.compile(rb"RTSP/[12]\.\d (\d{3})(?: .*)?")
_PAIR = re.compile(r'(\w+)=(?:"([^"]*)"|([^\s,"]+))')
_LINES_MAX = 100
_BODY_BYTES_MAX = 64 * 1024
_HASHES = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}


class Said(NamedTuple):
    """An answer: its status, its challenges (WWW-Authenticate), the length of its body in bytes."""

    status: int
    challenges: tuple[str, ...]
    length: int


class RtspProbe:
    """Readings: ``connect_seconds``, ``rtsp_status``. UP when DESCRIBE succeeds; without a user in
    the settings also when the camera asks for one: it lives, and keeps strangers out."""

    def __init__(self, resolve: Resolve) -> None:
        self._resolve = resolve

    async def __call__(self, check: Check) -> Look:
        settings = check.settings
        if not isinstance(settings, Rtsp):
            raise TypeError(f"{check.key}: an rtsp check carries Rtsp settings")

        async def look(readings: Readings) -> None:
            address = await find(check.address, self._resolve, readings)
            host = f"[{address}]" if ":" in address else check.address
            url = f"rtsp://{host}:{settings.port}{settings.path}"
            async with connected(address, settings.port, readings) as stream:
                said = await _ask(stream, "OPTIONS", url, 1)
                readings["rtsp_status"] = said.status
                said = await _ask(stream, "DESCRIBE", url, 2)
                if said.status == 401 and settings.user is not None:
                    answer = authorization(
                        said.challenges, settings.user, _password(settings), "DESCRIBE", url
                    )
                    said = await _ask(stream, "DESCRIBE", url, 3, answer)
                    if said.status == 401:
                        readings["rtsp_status"] = said.status
                        raise LookError(Reason.WRONG_PASSWORD)
            readings["rtsp_status"] = said.status
            if said.status != 200 and not (said.status == 401 and settings.user is None):
                raise LookError(f"{Reason.WRONG_STATUS} {said.status}")

        return await bounded(check, look)


def _password(settings: Rtsp) -> str:
    if settings.password_file is None:
        return ""
    try:
        return Path(settings.password_file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise LookError("no password file", Outcome.UNKNOWN) from None


async def _ask(stream: Stream, method: str, url: str, number: int, answer: str = "") -> Said:
    """One request and its answer (RFC 2326, RFC 7826), the body read and dropped."""
    lines = [f"{method} {url} RTSP/1.0", f"CSeq: {number}", "User-Agent: jangkau"]
    if method == "DESCRIBE":
        lines.append("Accept: application/sdp")
    if answer:
        lines.append(f"Authorization: {answer}")
    stream.writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
    said = await _read(stream)
    if said.length > _BODY_BYTES_MAX:
        raise LookError(Reason.BAD_ANSWER)
    await stream.reader.readexactly(said.length)
    return said


async def _read(stream: Stream) -> Said:
    status, length = 0, 0
    challenges: list[str] = []
    for _ in range(_LINES_MAX):
        try:
            line = (await stream.reader.readuntil(b"\n")).rstrip(b"\r\n")
        except asyncio.LimitOverrunError:
            raise LookError(Reason.BAD_ANSWER) from None
        if not status:
            if (found := _STATUS.fullmatch(line)) is None:
                raise LookError(Reason.BAD_ANSWER)
            status = int(found[1])
        elif not line:
            return Said(status, tuple(challenges), length)
        name, _, value = line.decode("latin-1").partition(":")
        if name.lower() == "content-length" and re.fullmatch(r"\s*\d{1,9}\s*", value, re.ASCII):
            length = int(value)
        elif name.lower() == "www-authenticate":
            challenges.append(value.strip())
    raise LookError(Reason.BAD_ANSWER)


def authorization(
    challenges: tuple[str, ...], user: str, password: str, method: str, url: str
) -> str:
    """What answers a digest challenge (RFC 7616; without ``qop`` RFC 2069), the strongest that we
    know first. A password is never sent in clear: Basic is refused. Raises LookError."""
    best: dict[str, str] = {}
    for challenge in challenges:
        if challenge[:7].lower() != "digest ":
            continue
        found = {name.lower(): one or two for name, one, two in _PAIR.findall(challenge[7:])}
        algorithm = found.setdefault("algorithm", "MD5").upper()
        if algorithm in _HASHES and (not best or algorithm == "SHA-256"):
            best = found
    if not best or "nonce" not in best:
        raise LookError("no digest authentication")
    algorithm = best["algorithm"].upper()

    def digest(text: str) -> str:
        # MD5 is what the protocol prescribes; the password's own safety never hangs on it.
        return _HASHES[algorithm](text.encode()).hexdigest()

    realm, nonce = best.get("realm", ""), best["nonce"]
    one, two = digest(f"{user}:{realm}:{password}"), digest(f"{method}:{url}")
    fields = {"username": user, "realm": realm, "nonce": nonce, "uri": url}
    more = f"algorithm={algorithm}" if algorithm != "MD5" else ""
    if "auth" in [option.strip() for option in best.get("qop", "").split(",")]:
        own = secrets.token_hex(8)
        fields["response"] = digest(f"{one}:{nonce}:00000001:{own}:auth:{two}")
        more += f'{", " if more else ""}qop=auth, nc=00000001, cnonce="{own}"'
    else:
        fields["response"] = digest(f"{one}:{nonce}:{two}")
    if "opaque" in best:
        fields["opaque"] = best["opaque"]
    said = ", ".join(f'{name}="{value}"' for name, value in fields.items())
    return f"Digest {said}" + (f", {more}" if more else "")
