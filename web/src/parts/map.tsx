// The quiet map. The heavy library is loaded when a map first comes into view, never before.
import { useEffect, useRef, useState } from "preact/hooks";
import { useCell } from "../cell";
import { number } from "../format";
import { positions } from "../live";
import { settings } from "../settings";
import type { Road, RoadSummary } from "../types";
import { t, tongue } from "../words";
import type { LiveMap } from "../map/live_map";
import { Time } from "./basics";

export function MapView({ roads, whole }: { roads: RoadSummary[]; whole?: Road }) {
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
  const placed = roads.map((road) => ({ road, place: now.get(road.consignment) ?? road.position }));
  return (
    <div class="map-part">
      <div ref={box} class="map">
        {state !== "here" && <p class="state">{t(`map.${state}`)}</p>}
      </div>
      <details class="map-table">
        <summary>{t("map.table")}</summary>
        <table>
          <thead>
            <tr>
              <th scope="col">{t("consignment")}</th>
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
            {placed.map(({ road, place }) => (
              <tr key={road.consignment}>
                <th scope="row">{road.label}</th>
                <td class="n">{place ? number(place.lat, 5) : t("none")}</td>
                <td class="n">{place ? number(place.lon, 5) : t("none")}</td>
                <td>{place && <Time at={place.at} scale={road.time_scale} />}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </div>
  );
}
