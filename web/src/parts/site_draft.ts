// A place to arrive at, as people set it: corners or a circle, typed or pressed; as the node takes it.
import type { LonLat, SiteInfo } from "../types";
import { t } from "../words";
import { Trouble } from "./money_form";

/** A place as the node takes and tells it: nanodegrees on WGS 84, millimetres. */
export interface Site {
  name: string;
  latitude_ndeg: number;
  longitude_ndeg: number;
  radius_mm: number;
  corners?: { latitude_ndeg: number; longitude_ndeg: number }[];
}

export type SiteWay = "corners" | "circle";

/** What stands in the fields, as typed. `corners`: latitude and longitude a line. */
export interface SiteDraft {
  way: SiteWay;
  name: string;
  corners: string;
  centre: string;
  radius: string;
}

export const NO_SITE: SiteDraft = { way: "corners", name: "", corners: "", centre: "", radius: "" };

const NDEG = 1e9;
export const RADIUS_M_MAX = 100_000;

/** Latitude, then longitude, as one types them; null while it is no place. */
export function placeOf(text: string): LonLat | null {
  const match = /^\s*(-?\d{1,2}(?:\.\d+)?)\s*[,;\s]\s*(-?\d{1,3}(?:\.\d+)?)\s*$/.exec(text);
  if (!match) return null;
  const [lat, lon] = [Number(match[1]), Number(match[2])];
  return Math.abs(lat) <= 90 && Math.abs(lon) <= 180 ? [lon, lat] : null;
}

export const typedPlace = ([lon, lat]: LonLat): string => `${lat.toFixed(6)}, ${lon.toFixed(6)}`;

const lines = (text: string) => text.split("\n").filter((line) => line.trim());

/** The corners that can be read already, for the drawing. */
export const cornersOf = (draft: SiteDraft): LonLat[] =>
  lines(draft.corners).flatMap((line) => {
    const at = placeOf(line);
    return at ? [at] : [];
  });

/** The place of a draft, as the map draws it; null while it is none. */
export function drawn(draft: SiteDraft): SiteInfo | null {
  try {
    const site = siteOf({ ...draft, name: draft.name || "-" });
    const outline = (site.corners ?? []).map((c): LonLat => [c.longitude_ndeg / NDEG, c.latitude_ndeg / NDEG]);
    return { name: site.name, lon: site.longitude_ndeg / NDEG, lat: site.latitude_ndeg / NDEG, radius_m: site.radius_mm / 1000, outline };
  } catch {
    return null;
  }
}

/** The place that a draft stands for. Raises Trouble, in words. */
export function siteOf(draft: SiteDraft): Site {
  const name = draft.name.trim();
  if (!name) throw new Trouble(t("site.no_name"));
  if (draft.way === "circle") {
    const centre = placeOf(draft.centre);
    if (!centre) throw new Trouble(t("site.no_place", { text: draft.centre }));
    const radius = Number(draft.radius.replace(",", "."));
    if (!(radius > 0 && radius <= RADIUS_M_MAX)) throw new Trouble(t("site.no_radius", { n: RADIUS_M_MAX }));
    return { name, ...ndeg(centre), radius_mm: Math.round(radius * 1000) };
  }
  const corners = lines(draft.corners).map((line) => {
    const at = placeOf(line);
    if (!at) throw new Trouble(t("site.no_place", { text: line.trim() }));
    return at;
  });
  if (corners.length < 3) throw new Trouble(t("site.few_corners"));
  return { name, ...ndeg(inside(corners)), radius_mm: 0, corners: corners.map(ndeg) };
}

/** A known place as a draft that can be changed. */
export function draftOf(site: Site): SiteDraft {
  const at = (c: { latitude_ndeg: number; longitude_ndeg: number }) => typedPlace([c.longitude_ndeg / NDEG, c.latitude_ndeg / NDEG]);
  const corners = site.corners ?? [];
  if (corners.length) return { ...NO_SITE, name: site.name, way: "corners", corners: corners.map(at).join("\n") };
  return { ...NO_SITE, name: site.name, way: "circle", centre: at(site), radius: String(site.radius_mm / 1000) };
}

const ndeg = ([lon, lat]: LonLat) => ({ latitude_ndeg: Math.round(lat * NDEG), longitude_ndeg: Math.round(lon * NDEG) });

/** A point inside of an outline: in the middle of the widest stretch of a line across it. */
export function inside(outline: LonLat[]): LonLat {
  const lats = outline.map(([, lat]) => lat);
  const heights = [...new Set(lats)].sort((a, b) => a - b);
  let best: [number, LonLat] = [-1, outline[0] as LonLat];
  for (let i = 1; i < heights.length; i++) {
    const lat = ((heights[i - 1] as number) + (heights[i] as number)) / 2;
    const cuts = outline
      .flatMap((one, k) => {
        const next = outline[(k + 1) % outline.length] as LonLat;
        return one[1] > lat === next[1] > lat ? [] : [one[0] + ((lat - one[1]) / (next[1] - one[1])) * (next[0] - one[0])];
      })
      .sort((a, b) => a - b);
    for (let k = 1; k < cuts.length; k += 2) {
      const [west, east] = [cuts[k - 1] as number, cuts[k] as number];
      if (east - west > best[0]) best = [east - west, [(west + east) / 2, lat]];
    }
  }
  return best[1];
}
