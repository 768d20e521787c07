"""The map: one HTML file that opens from a disk, without any network, on any phone.

Law: the page asks nobody for anything, and no text from outside is ever parsed as HTML or script.
folium composes the page; its popups, tooltips, layer names and icons, which execute hostile names,
are not used. Data stand in one inert block, and a Content-Security-Policy admits our scripts only.
"""

import base64
import html
import json
import re
import zlib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

import folium  # noqa: TID251 - the one file
from folium.template import Template  # noqa: TID251 - the one file

from maps.files import write_text
from maps.map_data import MapInput, document
from maps.page_policy import page_policy
from maps.words import Words

_ASSETS = Path(__file__).parent / "assets"
_SCRIPTS = (
    *("unpack.js", "layers.js", "shapes.js", "dots.js", "draw.js"),
    *("panel.js", "side.js", "search.js", "map.js"),
)
_LEAFLET = "static/js_lib_leaflet"  # in the package that ships Leaflet's release files

_PAGE = """<!DOCTYPE html>
<html lang="@LANG@">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="@POLICY@">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ this.title|e }}</title>
<link rel="icon" href="data:,">
{{ this.header.render(**kwargs) }}
</head>
<body>
{{ this.html.render(**kwargs) }}
<script>
{{ this.script.render(**kwargs) }}
</script>
</body>
</html>
"""


class _Map(folium.Map):
    """folium's map with the frame of our page around it. What stands as ``@PART:...@`` is put in
    when folium is done: folium renders what it has rendered once more, so that a name with braces
    in it would be run as a template."""

    _template = Template(
        """
        {% macro header(this, kwargs) %}
        <style>@PART:leaflet_css@</style>
        <style>@PART:css@</style>
        {% endmacro %}
        {% macro html(this, kwargs) %}
        @PART:frame@
        <main id="stage">
          <div class="folium-map" id="{{ this.get_name() }}"></div>
          <p id="base" class="small" hidden></p>
          <noscript>@PART:no_script@</noscript>
        </main>
        <script type="application/json" id="data">@PART:data@</script>
        {% if this.packed %}
        <script type="text/plain" id="packed">@PART:packed@</script>
        {% else %}
        <script>@PART:leaflet_js@</script>
        {% endif %}
        <script>@PART:js@</script>
        {% endmacro %}
        {% macro script(this, kwargs) %}
        whenReady(() => drawMap(L.map("{{ this.get_name() }}", {
          center: {{ this.location|tojson }}, crs: L.CRS.{{ this.crs }}, ...{{ this.options|tojavascript }}
        })));
        {% endmacro %}
        """  # noqa: E501 - a template's lines are as long as its HTML
    )
    packed: bool


def write_map(given: MapInput, path: Path, words: Words, *, packed: bool = False) -> Path:
    """Write the map of the weeks in ``given`` as one file and return its path.

    ``packed`` makes a pocket page of about half the size, which asks for a browser of 2023 or newer
    (DecompressionStream). Raises UnavailableError when the file cannot be written.
    """
    write_text(path, render(given, words, packed=packed))
    return path


def render(given: MapInput, words: Words, *, packed: bool = False) -> str:
    """The page as text; ``packed`` as in ``write_map``."""
    data = document(given, words)
    # "<" only ever stands inside JSON strings, where the escape means the same to JSON and
    # nothing to HTML: neither "</script" nor "<!--" can appear.
    block = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    block = block.replace("<", "\\u003c")
    release = files("js_lib_leaflet").joinpath(_LEAFLET)
    leaflet = _without_source_map(release.joinpath("leaflet.js").read_text("utf-8"))
    scripts = ("start_packed.js" if packed else "start.js", *_SCRIPTS)
    province = _Map(
        location=[0.0, 0.0],
        tiles=None,
        zoom_start=6,
        zoom_control=False,
        attribution_control=False,
        zoom_animation=False,  # our canvas is drawn anew at each step
        fade_animation=False,
        zoom_snap=0.25,
        min_zoom=4,
        max_zoom=16,
    )
    province._id = "province"  # folium's random names would make every run another file
    province.default_js, province.default_css = [], []  # no links to jQuery, Bootstrap, icon fonts
    province.packed = packed
    parts = {
        "leaflet_css": _without_images(release.joinpath("leaflet.css").read_text("utf-8")),
        "leaflet_js": leaflet,
        "css": (_ASSETS / "map.css").read_text("utf-8"),
        "js": _unindented("".join((_ASSETS / name).read_text("utf-8") for name in scripts)),
        "frame": (_ASSETS / "map.html").read_text("utf-8"),
        "no_script": html.escape(words("map.no_script")),
        "title": html.escape(data["title"]),
        "data": "" if packed else block,
        "packed": _packed({"leaflet": leaflet, "data": block}) if packed else "",
    }
    figure = folium.Figure(title="@PART:title@")
    figure._template = Template(_PAGE.replace("@LANG@", words.lang))
    figure.add_child(province)
    # In one pass: what is put in is not looked through again.
    page = re.sub(r"@PART:(\w+)@", lambda found: parts[found[1]], str(figure.render()))
    host = given.base_map.host if given.base_map else None
    return page.replace("@POLICY@", page_policy(page, [leaflet] if packed else [], host), 1)


def _packed(texts: Mapping[str, str]) -> str:
    """Deflated JSON (RFC 1951, without a header) in base64."""
    squeeze = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    content = json.dumps(texts, ensure_ascii=False).encode()
    return base64.b64encode(squeeze.compress(content) + squeeze.flush()).decode()


def _without_images(css: str) -> str:
    """Leaflet's markers and layer switch, which we do not use, would be fetched beside the file."""
    return re.sub(r"url\(images/[^)]*\)", "none", css)


def _unindented(script: str) -> str:
    """Our scripts without what only their authors need: indents and lines of comment."""
    return re.sub(r"(?m)^\s+|^\s*//.*\n", "", script)


def _without_source_map(script: str) -> str:
    """Developer tools would ask for the source map."""
    return re.sub(r"\n//# sourceMappingURL=\S+\s*$", "\n", script)
