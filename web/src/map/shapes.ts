// GeoJSON made from what the node tells.
import type { Feature, FeatureCollection, Geometry } from "geojson";
import type { LonLat } from "../types";

export function collection(features: Feature[]): FeatureCollection<Geometry> {
  return { type: "FeatureCollection", features };
}

export function lineOf(points: LonLat[], kind: string): Feature {
  return { type: "Feature", properties: { kind }, geometry: { type: "LineString", coordinates: points } };
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
