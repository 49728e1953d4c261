// The arrival drawn to scale: the site, the fix, its bound, and the network's circle.
import { distance, metres, bound } from "../format";
import type { ArrivalInfo, LonLat, NetworkInfo, SiteInfo } from "../types";
import { t } from "../words";

const SIZE = 320;

export function ArrivalFigure({ arrival, site, network }: { arrival: ArrivalInfo; site: SiteInfo; network: NetworkInfo | null }) {
  const centre: LonLat = [site.lon, site.lat];
  const fix = offset(centre, [arrival.lon, arrival.lat]);
  const reach = Math.max(site.radius_m, Math.hypot(...fix) + arrival.protection_m) * 1.15;
  const outline = site.outline ?? [];
  const scale = SIZE / 2 / reach;
  const at = ([east, north]: [number, number]): [number, number] => [SIZE / 2 + east * scale, SIZE / 2 - north * scale];
  const [x, y] = at(fix);
  const away = distance(centre, [arrival.lon, arrival.lat]);
  const seen = network && network.radius_m > 0 ? network : null;
  const [nx, ny] = seen ? at(offset(centre, [seen.lon, seen.lat])) : [0, 0];
  const bar = niceLength(reach);
  const proven = arrival.state === "proven";
  const apart = seen ? distance([seen.lon, seen.lat], [arrival.lon, arrival.lat]) : 0;
  // Where the network's circle does not reach the picture, words must say how far off it lies.
  const outside = seen !== null && apart - seen.radius_m > reach;
  return (
    <figure class="arrival-figure">
      <svg viewBox={`0 0 ${SIZE} ${SIZE}`} role="img" aria-label={t(outline.length ? "figure.label_polygon" : "figure.label", { away: metres(away), bound: bound(arrival.protection_m), radius: metres(site.radius_m) })}>
        {outline.length > 2 ? (
          <polygon points={outline.map((corner) => at(offset(centre, corner)).join()).join(" ")} class="f-site" />
        ) : (
          <circle cx={SIZE / 2} cy={SIZE / 2} r={site.radius_m * scale} class="f-site" />
        )}
        {seen && <circle cx={nx} cy={ny} r={seen.radius_m * scale} class="f-network" />}
        <circle cx={x} cy={y} r={Math.max(arrival.protection_m * scale, 2)} class={proven ? "f-bound" : "f-bound f-bound-alone"} />
        <path d={`M${x - 5} ${y}h10M${x} ${y - 5}v10`} class="f-fix" />
        <path d={`M12 ${SIZE - 12}h${bar * scale}M12 ${SIZE - 16}v8M${12 + bar * scale} ${SIZE - 16}v8`} class="f-bar" />
        <text x={16 + bar * scale + 4} y={SIZE - 8} class="f-text">
          {bound(bar)}
        </text>
      </svg>
      <figcaption>
        <ul class="legend">
          <li class="l-site">{outline.length ? site.name : t("figure.site", { name: site.name, radius: metres(site.radius_m) })}</li>
          <li class={proven ? "l-bound" : "l-bound l-bound-alone"}>{t(proven ? "figure.bound" : "figure.bound_alone", { bound: bound(arrival.protection_m) })}</li>
          {seen && <li class="l-network">{t(outside ? "figure.network_outside" : "figure.network", { radius: metres(seen.radius_m), away: metres(apart) })}</li>}
        </ul>
      </figcaption>
    </figure>
  );
}

/** Metres east and north of a centre; flat, which is exact enough within a few kilometres. */
function offset(centre: LonLat, place: LonLat): [number, number] {
  const north = distance(centre, [centre[0], place[1]]) * Math.sign(place[1] - centre[1]);
  const east = distance(centre, [place[0], centre[1]]) * Math.sign(place[0] - centre[0]);
  return [east, north];
}

function niceLength(reach: number): number {
  const wish = reach / 2;
  const power = 10 ** Math.floor(Math.log10(wish));
  const step = [5, 2, 1].find((factor) => factor * power <= wish) ?? 1;
  return step * power;
}
