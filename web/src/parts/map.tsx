// The quiet map. The heavy library is loaded when a map first comes into view, never before.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { useCell } from "../cell";
import { country, number } from "../format";
import { positions } from "../live";
import { settings } from "../settings";
import { CROSSINGS, crossingsOn, drawnWay, townAt } from "../map/corridors";
import type { LonLat, Road, RoadSummary } from "../types";
import { list, t, tongue } from "../words";
import type { LiveMap } from "../map/live_map";
import { Time } from "./basics";

/** Where a road leads, in words: the same that its line on the map tells. */
function wayOf(road: RoadSummary): { words: string; countries: string[] } {
  const [first, last] = [road.route[0], road.route.at(-1)];
  const crossings = crossingsOn(drawnWay(road.route));
  const name = (at: LonLat | undefined) => {
    const town = at && townAt(at);
    return town ? t(`town.${town}`) : at ? `${number(at[1], 2)}, ${number(at[0], 2)}` : t("map.no_way");
  };
  const ends = { from: name(first), to: road.site?.name ?? name(last) };
  const countries = [...new Set([...crossings.flatMap((each) => CROSSINGS[each]?.countries ?? []), ...road.parties.map((party) => party.country)])].filter((code) => /^[A-Z]{2}$/.test(code));
  if (!first || !last) return { words: t("map.no_way"), countries };
  if (road.route.length === 1) return { words: name(first), countries };
  return { words: crossings.length > 0 ? t("map.leads_by", { ...ends, crossings: list(crossings.map((each) => t(`crossing.${each}`))) }) : t("map.leads", ends), countries };
}

export function MapView({ roads: told, whole }: { roads: RoadSummary[]; whole?: Road }) {
  // A consignment's own page knows the arrival itself.
  const roads = useMemo(() => (whole ? told.map((road) => ({ ...road, is_proven: whole.arrival?.state === "proven" })) : told), [told, whole]);
  const box = useRef<HTMLDivElement>(null);
  const map = useRef<LiveMap | null>(null);
  const [state, setState] = useState<"loading" | "here" | "failed">("loading");
  const now = useCell(positions);
  const { borders, theme } = useCell(settings);
  const spoken = useCell(tongue);
  useEffect(() => {
    let gone = false;
    import("../map/live_map").then(
      async ({ LiveMap: Drawn }) => {
        if (gone || !box.current) return;
        try {
          map.current = await Drawn.open(box.current);
          setState("here");
        } catch {
          // No WebGL, or no memory for it: the table below says the same.
          setState("failed");
        }
      },
      () => setState("failed"),
    );
    return () => {
      gone = true;
      map.current?.close();
      map.current = null;
    };
  }, []);
  useEffect(() => {
    if (state === "here") map.current?.show(roads, whole ?? null);
  }, [state, roads, whole, spoken]);
  useEffect(() => {
    if (state === "here") map.current?.paint(borders === "thin");
  }, [state, borders, theme]);
  useEffect(() => {
    if (state === "here") map.current?.move(now);
  }, [state, now]);
  const placed = roads.map((road) => ({ road, place: now.get(road.consignment) ?? road.position, way: wayOf(road) }));
  const countries = [...new Set(placed.flatMap(({ way }) => way.countries))];
  return (
    <div class="map-part">
      <div ref={box} class="map">
        {state !== "here" && <p class="state">{t(`map.${state}`)}</p>}
      </div>
      <p class="quiet">{t("map.shapes")}</p>
      {/* Where nothing is drawn the list is all there is: it stands open. */}
      <details class="map-table" open={state === "failed"}>
        <summary>{t("map.table")}</summary>
        {countries.length > 0 && <p class="quiet">{t("map.countries", { countries: list(countries.map(country)) })}</p>}
        <div class="map-rows" role="region" aria-label={t("map.table")} tabIndex={0}>
        <table>
          <thead>
            <tr>
              <th scope="col">{t("consignment")}</th>
              <th scope="col">{t("map.way")}</th>
              <th scope="col">{t("map.how")}</th>
              <th scope="col" class="n">
                {t("map.latitude")}
              </th>
              <th scope="col" class="n">
                {t("map.longitude")}
              </th>
              <th scope="col">{t("map.at")}</th>
            </tr>
          </thead>
          <tbody>
            {placed.map(({ road, place, way }) => (
              <tr key={road.consignment}>
                <th scope="row">
                  <a href={`/consignments/${encodeURIComponent(road.consignment)}`}>{road.label}</a>
                </th>
                <td>{way.words}</td>
                <td>{t(road.is_proven ? "map.proven" : place ? "map.claimed" : "map.unknown")}</td>
                <td class="n">{place ? number(place.lat, 5) : t("map.no_way")}</td>
                <td class="n">{place ? number(place.lon, 5) : t("map.no_way")}</td>
                <td>{place && <Time at={place.at} scale={road.time_scale} />}</td>
              </tr>
            ))}
          </tbody>
        </table>
        </div>
      </details>
    </div>
  );
}
