"""The kind ``tls``: would a browser trust this server, and for how many days more?

Law: OpenSSL judges the chain and the name, as it does for every client; a certificate that was
refused is read all the same, so that the look says by how much it is too old.
"""

import ssl
import time
from datetime import UTC, datetime

from cryptography import x509

from model.check import Check
from model.kinds import Tls
from model.measurement import Reason
from probes.connect import (
    LookError,
    Readings,
    Resolve,
    Stream,
    bounded,
    connected,
    find,
    tls_reason,
    trust,
)
from probes.look import Look

_DAY_SECONDS = 86_400


class TlsProbe:
    """Readings: ``certificate_days`` (of the server's own certificate), ``tls_seconds``,
    ``connect_seconds``. A chain that no client would accept is DOWN, with the reason."""

    def __init__(self, resolve: Resolve) -> None:
        self._resolve = resolve
        self._anyone = ssl.create_default_context()
        self._anyone.check_hostname = False
        self._anyone.verify_mode = ssl.CERT_NONE  # to read what was refused; nothing is sent to it

    async def __call__(self, check: Check) -> Look:
        settings = check.settings
        if not isinstance(settings, Tls):
            raise TypeError(f"{check.key}: a tls check carries Tls settings")
        name = settings.server_name or check.address

        async def look(readings: Readings) -> None:
            address = await find(check.address, self._resolve, readings)
            port, context = settings.port, trust(settings.ca_file)
            try:
                async with connected(address, port, readings, context, name) as stream:
                    readings["certificate_days"] = _days_left(stream)
            except ssl.SSLCertVerificationError as refused:
                async with connected(address, port, {}, self._anyone, name) as stream:
                    readings["certificate_days"] = _days_left(stream)
                raise LookError(tls_reason(refused)) from None
            except ssl.SSLError as error:
                raise LookError(tls_reason(error)) from None

        return await bounded(check, look)


def _days_left(stream: Stream) -> float:
    connection = stream.writer.get_extra_info("ssl_object")
    encoded = connection.getpeercert(binary_form=True)
    try:
        expires = x509.load_der_x509_certificate(encoded).not_valid_after_utc
    except ValueError:  # OpenSSL is more patient with odd encodings than cryptography is
        raise LookError(Reason.BAD_ANSWER) from None
    return (expires - datetime.fromtimestamp(time.time(), UTC)).total_seconds() / _DAY_SECONDS
