"""Tables with shapes: the only file that works with geopandas.

Law: a layer is read in the CRS that it states and written in WGS 84, whole or not at all.
"""

import tempfile
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from maps.files import write_bytes
from model.errors import InputError

WGS84 = "EPSG:4326"


def read_layer(path: Path, wanted: str) -> Any:
    """A layer of GeoJSON, GPKG, Shapefile or whatever else GDAL reads: the one named ``wanted``,
    where there is one, else the first. Raises InputError."""
    # In here because it takes a second that others need not pay.
    import geopandas  # noqa: PLC0415, TID251 - the one file

    try:
        names = list(geopandas.list_layers(path)["name"])
        with warnings.catch_warnings():
            # GDAL closes a ring that is open, and would say so in the words of a programmer.
            warnings.simplefilter("ignore", RuntimeWarning)
            frame = geopandas.read_file(path, layer=wanted if wanted in names else names[0])
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


def on_earth(frame: Any) -> Any:
    """Which shapes have all their positions between the poles and within one turn of the world;
    False for what is missing or empty, and for what its CRS cannot place."""
    box = frame.geometry.to_crs(WGS84).bounds
    low, high = box[["minx", "miny"]].to_numpy(), box[["maxx", "maxy"]].to_numpy()
    # A comparison with a position that is no number is False.
    return ((low >= (-180, -90)) & (high <= (180, 90))).all(axis=1)


def is_finite(frame: Any) -> Any:
    """Which shapes have all their positions in reach of the frame's projection."""
    return np.isfinite(frame.geometry.bounds.to_numpy()).all(axis=1)


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


def one_coverage(shapes: Any, snap_metres: float, gap_metres: float) -> tuple[Any, bool]:
    """Polygons (in metres) that meet edge to edge: corners nearer than ``snap_metres`` become one,
    gaps narrower than ``gap_metres`` and ground that two claim go to the neighbour with the longer
    common border. A polygon that others claim whole stays as it is, and the answer's second part
    is False then: they still overlap."""
    import shapely  # noqa: PLC0415 - comes with geopandas, as slow

    if shapes.is_valid_coverage():
        return shapes, True
    cleaned = shapely.coverage_clean(
        shapes.to_numpy(), snapping_distance=snap_metres, gap_width=gap_metres
    )
    lost = shapely.is_empty(cleaned)
    made = type(shapes)(cleaned, index=shapes.index, crs=shapes.crs)
    return made.where(~lost, shapes), not lost.any()


def points_inside(shapes: Any) -> Any:
    """A point inside each polygon, in WGS 84."""
    # A hole without positions, which files may hold, makes GEOS compare with what is no number.
    with np.errstate(invalid="ignore"):
        return shapes.representative_point().to_crs(WGS84)


def dissolve(frame: Any, column: str, *, overlapping: bool) -> Any:
    """One row for each value of ``column``: areas (``area_km2``) added, shapes united."""
    # Uniting along shared edges is ten times quicker, and wrong where polygons overlap.
    method = "unary" if overlapping else "coverage"
    rows = frame[[column, "area_km2", "geometry"]]
    return rows.dissolve(column, aggfunc="sum", method=method).reset_index()


def write_layers(frames: Mapping[str, Any], path: Path) -> Path:
    """Write as GeoPackage (OGC 12-128), one layer a frame, the first one first. Raises
    UnavailableError when it cannot be written."""
    with tempfile.TemporaryDirectory(prefix="jangkau-export-") as folder:
        made = Path(folder) / "layers.gpkg"
        for name, frame in frames.items():
            frame.to_file(made, driver="GPKG", layer=name)
        write_bytes(path, made.read_bytes())
    return path


def write_kml(frame: Any, path: Path, layer: str) -> Path:
    """Write as KML (OGC 12-007); the column ``name`` names the placemarks. As ``write_layers``."""
    with tempfile.TemporaryDirectory(prefix="jangkau-export-") as folder:
        made = Path(folder) / "places.kml"
        frame.to_file(made, driver="LIBKML", layer=layer)
        write_bytes(path, made.read_bytes())
    return path


def write_parquet(frame: Any, path: Path) -> Path:
    """Write as GeoParquet 1.1 (WKB), which plain Parquet readers read too. As ``write_layers``."""
    with tempfile.TemporaryDirectory(prefix="jangkau-export-") as folder:
        made = Path(folder) / path.name
        frame.to_parquet(made, index=False, compression="zstd")
        write_bytes(path, made.read_bytes())
    return path
