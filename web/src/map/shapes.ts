// GeoJSON made from what the node tells.
import type { Feature, FeatureCollection, Geometry } from "geojson";
import type { LonLat, SiteInfo } from "../types";

export function collection(features: Feature[]): FeatureCollection<Geometry> {
  return { type: "FeatureCollection", features };
}

export function lineOf(points: LonLat[], kind: string): Feature {
  return { type: "Feature", properties: { kind }, geometry: { type: "LineString", coordinates: points } };
}

/** A place of arrival: its outline, or its circle. */
export function place(site: SiteInfo, kind: string): Feature {
  if (site.outline.length < 3) return circle([site.lon, site.lat], site.radius_m, kind);
  // Across the date line corners go on beyond 180 degrees, as the map wants them.
  const ring = site.outline.map(([lon, lat]): LonLat => [site.lon + ((((lon - site.lon + 180) % 360) + 360) % 360) - 180, lat]);
  return { type: "Feature", properties: { kind }, geometry: { type: "Polygon", coordinates: [[...ring, ring[0] as LonLat]] } };
}

const METRES_PER_DEGREE = 111_195; // One degree of a great circle on the mean sphere.

/** A circle on the ground as a polygon of 64 corners. */
export function circle([lon, lat]: LonLat, radius_m: number, kind: string): Feature {
  const corners = Array.from({ length: 65 }, (_, i) => {
    const angle = (i / 64) * 2 * Math.PI;
    const north = (radius_m * Math.sin(angle)) / METRES_PER_DEGREE;
    const east = (radius_m * Math.cos(angle)) / (METRES_PER_DEGREE * Math.cos((lat * Math.PI) / 180));
    return [lon + east, lat + north];
  });
  return { type: "Feature", properties: { kind }, geometry: { type: "Polygon", coordinates: [corners] } };
}
