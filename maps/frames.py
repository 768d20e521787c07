"""Tables with shapes: the only file that works with geopandas.

Law: a layer is read in the CRS that it states and written in WGS 84, whole or not at all.
"""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from maps.files import write_bytes
from model.errors import InputError

WGS84 = "EPSG:4326"


def read_layer(path: Path) -> Any:
    """A layer of GeoJSON, GPKG, Shapefile or whatever else GDAL reads. Raises InputError."""
    # In here because it takes a second that others need not pay.
    import geopandas  # noqa: PLC0415, TID251 - the one file

    try:
        frame = geopandas.read_file(path)
    except Exception as error:
        raise InputError(f"{path}: not readable as polygons: {error}") from error
    if "geometry" not in frame.columns:
        raise InputError(f"{path}: a table without shapes; name the layer of village polygons")
    # RFC 7946: GeoJSON that names no CRS is WGS 84.
    return frame.set_crs(WGS84) if frame.crs is None else frame


def make_frame(
    rows: Sequence[Mapping[str, Any]], shapes: Sequence[Mapping[str, Any] | None]
) -> Any:
    """A frame of rows, each with its GeoJSON geometry (None: no place), in WGS 84."""
    import geopandas  # noqa: PLC0415, TID251 - the one file
    from shapely.geometry import shape  # noqa: PLC0415 - comes with geopandas, as slow

    return geopandas.GeoDataFrame(
        list(rows), geometry=[shape(one) if one else None for one in shapes], crs=WGS84
    )


def equal_area_around(frame: Any) -> str:
    """Lambert's azimuthal equal-area projection in metres, around the middle of a frame: areas are
    true, and over a province lengths and shapes are within 0.2 % (Snyder 1987, p. 182)."""
    west, south, east, north = frame.to_crs(WGS84).total_bounds
    return (
        f"+proj=laea +lat_0={(south + north) / 2:.4f} +lon_0={(west + east) / 2:.4f} "
        "+datum=WGS84 +units=m +no_defs"
    )


def points(places: Sequence[tuple[float, float]]) -> Any:
    """Longitudes and latitudes in degrees as a series of points in WGS 84."""
    import geopandas  # noqa: PLC0415, TID251 - the one file

    return geopandas.GeoSeries.from_xy(
        [lon for lon, _ in places], [lat for _, lat in places], crs=WGS84
    )


def write_gpkg(frame: Any, path: Path, layer: str) -> Path:
    """Write as GeoPackage (OGC 12-128). Raises UnavailableError when it cannot be written."""
    return _written(frame, path, driver="GPKG", layer=layer)


def write_kml(frame: Any, path: Path, layer: str) -> Path:
    """Write as KML (OGC 12-007); the column ``name`` names the placemarks. As ``write_gpkg``."""
    return _written(frame, path, driver="LIBKML", layer=layer)


def write_parquet(frame: Any, path: Path) -> Path:
    """Write as GeoParquet 1.1 (WKB), which readers of plain Parquet read too. As ``write_gpkg``."""
    with tempfile.TemporaryDirectory(prefix="jangkau-export-") as folder:
        made = Path(folder) / path.name
        frame.to_parquet(made, index=False, compression="zstd")
        write_bytes(path, made.read_bytes())
    return path


def _written(frame: Any, path: Path, **how: str) -> Path:
    # GDAL writes in steps: elsewhere first, so that nobody sees half a file.
    with tempfile.TemporaryDirectory(prefix="jangkau-export-") as folder:
        made = Path(folder) / path.name
        frame.to_file(made, **how)
        write_bytes(path, made.read_bytes())
    return path
