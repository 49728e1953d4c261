"""A place of arrival as a command takes it: a GeoJSON file, or three numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from zhidao.cli.console.outputs import take
from zhidao.core.errors import MalformedInput


def site_of(text: str, name: str) -> dict[str, Any]:
    """The place that a file or three numbers name. Raises MalformedInput."""
    import msgspec

    from zhidao.positioning.events import Site
    from zhidao.positioning.wire.geojson import GEOJSON_BYTES_MAX, read_site

    parts = text.split(",")
    if len(parts) == 3:
        try:
            latitude, longitude, radius = (float(part) for part in parts)
        except ValueError as error:
            raise MalformedInput(
                f"not LAT,LON,RADIUS_M: {text[:40]!r}", remedy="such as 43.2567,76.9286,500"
            ) from error
        site = Site(
            name=name,
            latitude_ndeg=round(latitude * 1e9),
            longitude_ndeg=round(longitude * 1e9),
            radius_mm=round(radius * 1e3),
        )
        return dict(msgspec.to_builtins(site))
    site = read_site(take(Path(text), bytes_max=GEOJSON_BYTES_MAX), name=name)
    return dict(msgspec.to_builtins(msgspec.structs.replace(site, name=name)))
