"""What is looked at beyond the line in a simulated province: services, resolvers, portals, cameras.

Law: these are checks as any inventory may have them (docs/inventory.md); what they would find
follows from the misfortune alone.
"""

from collections.abc import Iterable

from model.check import SITE_ADDRESS, ServiceCheck
from model.kinds import Captive, Dns, Http, Path, PathMethod, Rtsp, Starlink, Throughput, Tls
from model.measurement import Rung, Vantage
from model.site import Access, Site

SERVED = frozenset(
    {"pos_layanan_desa_digital", "disdukcapil", "kantor_camat", "mpp", "public_wifi", "cctv"}
)
"""Kinds of site whose service is looked at; every one of these sites has a probe of its own."""

_ROUTER = "192.168.1.1"
_DISH = "192.168.100.1"
_DISH_SECONDS = 900
_OFFICES = frozenset({"disdukcapil", "kantor_camat"})
_POSTS = frozenset({"pos_layanan_desa_digital"})
_COUNTERS = frozenset({"mpp"})


def offers(
    sites: Iterable[Site], data_centre: str, resolver: str, exchange: str
) -> tuple[ServiceCheck, ...]:
    """The checks of a province, in order of their ids; the three are addresses. Only satellite
    sites in low orbit with a probe have a dish to ask."""
    dishes = frozenset(site.id for site in sites if site.access is Access.LEO and site.has_probe)
    village, centre = Vantage.VILLAGE, Vantage.CENTRE
    found = [
        ServiceCheck("router", "ping", Rung.LAN, village, _ROUTER, None, SERVED),
        ServiceCheck(
            "resolver",
            "dns",
            Rung.DNS,
            village,
            resolver,
            Dns("siap.khayal.example", expected=(data_centre,)),
            SERVED - {"cctv"},
        ),
        _page("siap", "https://siap.khayal.example/health", _POSTS),
        _page("rekam", "https://rekam.khayal.example/health", _OFFICES),
        _page("antrean", "http://antrean.khayal.example/", _COUNTERS),
        ServiceCheck(
            "sertifikat",
            "tls",
            Rung.APPLICATION,
            village,
            data_centre,
            Tls(server_name="siap.khayal.example"),
            _POSTS | _OFFICES,
        ),
        ServiceCheck(
            "hotspot",
            "captive",
            Rung.NATIONAL,  # a portal lets nothing through: a look above it would not be made
            village,
            None,
            Captive("http://cek.khayal.example/generate_204"),
            frozenset({"public_wifi"}),
        ),
        ServiceCheck(
            "kamera",
            "rtsp",
            Rung.APPLICATION,
            centre,
            SITE_ADDRESS,
            Rtsp(path="/loket"),
            frozenset({"cctv"}),
        ),
        ServiceCheck(
            "jalur",
            "path",
            Rung.APPLICATION,
            village,
            exchange,
            Path(PathMethod.ICMP),
            _POSTS | _OFFICES | _COUNTERS,
        ),
        ServiceCheck(
            "laju",
            "throughput",
            Rung.APPLICATION,
            village,
            None,
            Throughput("https://pusat.khayal.example/api/v1/throughput"),
            _POSTS | _OFFICES | _COUNTERS,
        ),
    ]
    if dishes:
        found.append(
            ServiceCheck(
                "parabola",
                "starlink",
                Rung.WAN,
                village,
                _DISH,
                Starlink(),
                sites=dishes,
                interval_seconds=_DISH_SECONDS,
            )
        )
    return tuple(sorted(found, key=lambda one: one.id))


def _page(name: str, url: str, kinds: frozenset[str]) -> ServiceCheck:
    settings = Http(url, body_contains="siap")
    return ServiceCheck(name, "http", Rung.APPLICATION, Vantage.VILLAGE, None, settings, kinds)
