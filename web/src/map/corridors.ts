// Where roads and rails between towns run, for drawing: a few bends between the ends, so that a way
// is not a ruler's line. Bends are towns on the line, read by hand from Natural Earth's public-domain
// places (1:10 million), each to a tenth of a degree; they say which way, not where the track lies.
import type { LonLat } from "../types";

/** Border crossings: by their name at the node, where, and the two countries. */
export const CROSSINGS: Readonly<Record<string, { at: LonLat; countries: readonly [string, string] }>> = {
  khorgos: { at: [80.41, 44.21], countries: ["CN", "KZ"] },
  dostyk: { at: [82.49, 45.25], countries: ["CN", "KZ"] },
  "saryagash": { at: [69.17, 41.46], countries: ["KZ", "UZ"] },
};

/** Lines of towns, each from one end to the other; a line says by its name which crossing it uses. */
const LINES: readonly { crossing: string; bends: LonLat[] }[] = [
  {
    // Xi'an, Baoji, Lanzhou, Jiayuguan, Hami, Turpan, Urumqi, Kuytun, Jinghe, Yining, Khorgos,
    // Zharkent, Almaty, Bishkek's north, Taraz, Shymkent, Tashkent.
    crossing: "khorgos",
    bends: [
      [108.9, 34.3], [107.2, 34.4], [103.8, 36.1], [98.3, 39.8], [93.5, 42.8], [89.2, 43.0], [87.6, 43.8],
      [84.9, 44.4], [82.9, 44.6], [81.3, 43.9], [80.4, 44.2], [80.0, 44.2], [77.0, 43.3], [74.6, 43.0],
      [71.4, 42.9], [69.6, 42.3], [69.2, 41.3],
    ],
  },
];
const NEAR_DEGREES = 1.5;

const away = (a: LonLat, b: LonLat) => Math.hypot((a[0] - b[0]) * Math.cos(((a[1] + b[1]) / 2) * (Math.PI / 180)), a[1] - b[1]);

/** The place on a line that is nearest: which leg, how far along it, and how far away. */
function nearest(line: LonLat[], to: LonLat): { along: number; far: number } {
  let best = { along: 0, far: Infinity };
  for (let i = 1; i < line.length; i += 1) {
    const [a, b] = [line[i - 1] as LonLat, line[i] as LonLat];
    const part = partOf(a, b, to);
    const far = away([a[0] + (b[0] - a[0]) * part, a[1] + (b[1] - a[1]) * part], to);
    if (far < best.far) best = { along: i - 1 + part, far };
  }
  return best;
}

/** How far along a leg the place lies that is nearest, from 0 to 1. */
function partOf(a: LonLat, b: LonLat, to: LonLat): number {
  const [dx, dy] = [b[0] - a[0], b[1] - a[1]];
  const square = dx * dx + dy * dy;
  return square === 0 ? 0 : Math.min(1, Math.max(0, ((to[0] - a[0]) * dx + (to[1] - a[1]) * dy) / square));
}

/** The bends between two places along a known line; none where the line does not lead by both. */
export function bendsBetween(from: LonLat, to: LonLat): LonLat[] {
  for (const { bends } of LINES) {
    const [first, last] = [nearest(bends, from), nearest(bends, to)];
    if (first.far > NEAR_DEGREES || last.far > NEAR_DEGREES) continue;
    // Those that lie strictly between the two, in the direction of travel.
    const [low, high] = [Math.min(first.along, last.along), Math.max(first.along, last.along)];
    const between = bends.filter((_, i) => i > low + 0.01 && i < high - 0.01);
    return first.along <= last.along ? between : between.reverse();
  }
  return [];
}

/** A way as it was told, with the bends of the line it follows where it leaps over a country. */
export function drawnWay(route: LonLat[]): LonLat[] {
  return route.flatMap((point, i) => {
    const next = route[i + 1];
    return next ? [point, ...bendsBetween(point, next)] : [point];
  });
}

/** Crossings that a way leads by, for naming them. */
export function crossingsOn(way: LonLat[]): string[] {
  return Object.entries(CROSSINGS)
    .filter(([, { at }]) => way.some((point, i) => i > 0 && nearSegment(way[i - 1] as LonLat, point, at)))
    .map(([name]) => name);
}

function nearSegment(a: LonLat, b: LonLat, at: LonLat): boolean {
  const part = partOf(a, b, at);
  return away([a[0] + (b[0] - a[0]) * part, a[1] + (b[1] - a[1]) * part], at) < 0.3;
}

/** Where the known corridor begins and ends, for a way's ends that have no name of their own. */
export const TOWNS: readonly [string, LonLat][] = [
  ["xian", [108.94, 34.34]],
  ["almaty", [76.95, 43.25]],
  ["tashkent", [69.24, 41.31]],
  ["urumqi", [87.6, 43.82]],
  ["lanzhou", [103.83, 36.06]],
];

/** The town at a place, or an empty text. */
export function townAt(place: LonLat): string {
  const found = TOWNS.find(([, at]) => away(at, place) < 0.6);
  return found ? found[0] : "";
}
