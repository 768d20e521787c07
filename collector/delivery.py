"""Sending a message with files to people: by e-mail and chat, through Apprise.

Law: where to send is a secret. It stands in a file that only its owner can read, and no message,
log or error of ours repeats it.
"""

import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from model.errors import InputError, UnavailableError


@dataclass(frozen=True, repr=False)
class Targets:
    """Where to send: Apprise URLs (``mailtos://...``, ``tgram://...``), one each. They hold
    passwords, so they are never shown; a target is named by its line in the file."""

    urls: tuple[tuple[int, str], ...]


def read_targets(path: Path) -> Targets:
    """Read a file of targets: one Apprise URL a line, ``#`` begins a comment line.

    Raises InputError when it cannot be read, when others than its owner may read it, or when a
    line names no service that there is; the line is named by its number only.
    """
    import apprise  # noqa: PLC0415, TID251 - the one file

    try:
        mode = path.stat().st_mode
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read ({type(error).__name__})") from None
    if stat.S_IMODE(mode) & 0o077:
        raise InputError(f"{path}: others can read the secrets in it; run 'chmod 600 {path}'")
    found = []
    for number, line in enumerate(lines, 1):
        url = line.strip()
        if not url or url.startswith("#"):
            continue
        if apprise.Apprise.instantiate(url) is None:
            raise InputError(
                f"{path}:{number}: not a target that Apprise knows; write one such as "
                "mailtos://user:password@example.org?to=diskominfo@example.org"
            )
        found.append((number, url))
    if not found:
        raise InputError(f"{path}: no target in it; write one Apprise URL on a line")
    return Targets(tuple(found))


def deliver(targets: Targets, title: str, body: str, files: Sequence[Path]) -> int:
    """Send to every target, and to the next one where one fails; returns how many were reached.

    ``body`` is plain text. Raises UnavailableError when one was not reached, naming its line.
    """
    import apprise  # noqa: PLC0415, TID251 - the one file

    attached = [str(path) for path in files]
    failed = []
    for number, url in targets.urls:
        sender = apprise.Apprise()
        sender.add(url)
        reached = sender.notify(
            title=title,
            body=body,
            body_format=apprise.NotifyFormat.TEXT,
            attach=attached or None,
        )
        if not reached:
            failed.append(number)
    if failed:
        lines = ", ".join(map(str, failed))
        raise UnavailableError(
            f"{len(failed)} of {len(targets.urls)} targets were not reached (lines {lines} of the "
            "targets' file): check the line and its password, then send again"
        )
    return len(targets.urls)
