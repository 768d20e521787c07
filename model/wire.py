"""What probe and collector know beforehand: the packed batch's dictionary, the SOS's words.

Law: what was once released never changes, it is only added to. A better dictionary takes its place
at the head; a packed batch names its own by the check sum that RFC 1950 section 2.2 puts there.
"""

import zlib
from typing import Literal, get_args

MARK = b"\x01"
"""Stands in a packed line's text where a number was taken out; no line holds control characters."""

_FIRST = b"""\
reason="spool overflow",gap_looks=\x01i,gap_seconds=\x01
captive,site=http,site=tcp,site=tls,site=rtsp,site=path,site=snmp,site=throughput,site=
 target=site,target=dns,target=wan,target=power,clock_error_seconds=\x01
,monotonic_ms=\x01i,boot="snmp,boot_reason=0i,supply_volts=\x01,clients=\x01i,clock_clamped=1i
outcome=1i,dns_seconds=\x01,dns_answers=\x01i outcome=1i,connect_seconds=\x01 \x01
http_status=200i,body_bytes=\x01i,first_byte_seconds=\x01,transfer_seconds=\x01,resolve_seconds=
device,site=,target=device,vantage=village outcome=1i,uptime_seconds=\x01,boot_id=
ping,site=,vantage=centre outcome=0i,duplicates=0i,late=0i,sent=10i,received=0i,reason="no answer"
outcome=2i,reason="budget" \x01 outcome=2i,reason="not looked" reason="no permission" \x01
ping,site=,target=lan,target=isp_gateway,target=international,target=application:,target=national,\
vantage=village outcome=1i,duplicates=0i,late=0i,sent=5i,received=5i,rtt_min_seconds=\x01,\
rtt_median_seconds=\x01,rtt_p95_seconds=\x01,rtt_max_seconds=\x01,jitter_seconds=\x01 \x01
"""

DICTIONARIES = {zlib.adler32(text): text for text in (_FIRST,)}
"""By check sum, the newest first."""

Trouble = Literal[
    "other",
    "no name",
    "no connection",
    "certificate",
    "not the collector",
    "key refused",
    "busy",
    "budget",
]
"""Why a probe cannot deliver."""
TROUBLES: tuple[Trouble, ...] = get_args(Trouble)
"""By the number that an SOS carries: only ever added to."""
