// MapLibre with our own quiet style: land, thin borders, roads in ink, moving things alive.
import { LngLatBounds, Map as LibreMap, Marker, AttributionControl, setWorkerUrl, type ExpressionSpecification, type GeoJSONSource, type StyleSpecification } from "maplibre-gl";
import { country } from "../format";
import type { LonLat, Position, Road, RoadSummary, SiteInfo } from "../types";
import { addresses, t, tryWords } from "../words";
import { CROSSINGS, crossingsOn, drawnWay, townAt } from "./corridors";
import { COUNTRIES } from "./countries";
import { Field, type Spot, around, isNearest, put } from "./labels";
import { circle, collection, lineOf, place } from "./shapes";

setWorkerUrl(addresses.worker);

const EMPTY = collection([]);
const still = matchMedia("(prefers-reduced-motion: reduce)");
const dark = matchMedia("(prefers-color-scheme: dark)");
// A place is told about once a second: the mark glides until the next word, and no longer.
const GLIDE_MS = 900;
const FINE_FROM_ZOOM = 4.2;
const LINE_PX = 20;
const BESIDE_PX = 14;
const BELOW_PX = 13;
const DOT_PX = 20;
const NARROW_PX = 500;
const COUNTRIES_FROM_ZOOM = 2.4;
const COUNTRIES_TO_ZOOM = 8;
const LINES = [0, -1, 1, -2, 2];
// Of more vehicles than these only the dots are drawn: each has its name, for ears and on the list.
const CROWD = 8;
// Where a country of the corridor may be named, in pixels from its middle.
const STEPS = [[0, 0], [0, -24], [0, 24], [-40, 0], [40, 0], [0, -48], [0, 48], [-64, -32], [64, -32], [-64, 32], [64, 32], [0, -96], [0, 96], [-128, 0], [128, 0]] as const;
// A lone place is shown in its country: nearer, our coast and borders have nothing to tell.
const LONE_ZOOM = 4.5;

export class LiveMap {
  readonly #map: LibreMap;
  readonly #marks = new Map<string, Marker>();
  readonly #labels: Marker[] = [];
  readonly #places: Marker[] = [];
  readonly #corners: Marker[] = [];
  #routes: LonLat[][] = [];
  readonly #glides = new Map<string, number>();
  #crowded = false;
  #countries = new Set<string>();
  #borders = true;
  #fine = false;
  #fitted = "";
  readonly #repaint = () => this.paint(this.#borders);

  private constructor(map: LibreMap) {
    this.#map = map;
    dark.addEventListener("change", this.#repaint);
    map.on("zoom", () => this.#sharpen());
    for (const change of ["move", "resize"] as const) map.on(change, () => this.#spread());
  }

  /** Opens a map in a box; fails where the browser cannot draw one or its lines cannot be read.
   *
   * Once it is open, a line that cannot be read (the line to the node is cut) leaves the coarser one. */
  static open(box: HTMLElement): Promise<LiveMap> {
    return new Promise((resolve, reject) => {
      const map = new LibreMap({
        container: box,
        style: style(),
        center: [75, 43],
        zoom: 3,
        maxZoom: 17,
        attributionControl: false,
        dragRotate: false,
        pitchWithRotate: false,
        touchPitch: false,
        cooperativeGestures: false,
        fadeDuration: 0,
        // Two maps of one page are told apart by what each is for.
        locale: { "Map.Title": box.getAttribute("aria-label") ?? t("map.label"), "Marker.Title": t("map.marker"), "AttributionControl.ToggleAttribution": t("map.toggle_source") },
      });
      map.touchZoomRotate.disableRotation();
      map.keyboard.disableRotation();
      map.addControl(new AttributionControl({ compact: false, customAttribution: t("map.source") }), "bottom-right");
      let live: LiveMap | null = null;
      map.once("load", () => {
        live = new LiveMap(map);
        live.paint(true);
        live.#labelCountries();
        resolve(live);
      });
      // Heard to the end: a map that nobody listens to puts each later error on the console.
      map.on("error", (event) => {
        if (live) return;
        map.remove();
        reject(event.error);
      });
    });
  }

  close(): void {
    dark.removeEventListener("change", this.#repaint);
    for (const glide of this.#glides.values()) cancelAnimationFrame(glide);
    this.#map.remove();
  }

  /** Draws roads; `whole` adds one consignment's track, site, bound and network circle. */
  show(roads: RoadSummary[], whole: Road | null): void {
    const ways = roads.map((road) => drawnWay(road.route));
    this.#set("roads", collection(ways.flatMap((way, i) => (way.length > 1 ? [lineOf(way, (roads[i] as RoadSummary).state)] : []))));
    // Of several containers each has its own; the road bears that of one of them.
    const tracks = whole ? (whole.containers.length ? whole.containers.map((each) => each.track) : [whole.track]) : [];
    this.#set("track", collection(tracks.flatMap((each) => (each.length > 1 ? [lineOf(each, "track")] : []))));
    const sites = roads.flatMap((road) => (road.site ? [place(road.site, "site")] : []));
    if (whole?.arrival?.protection_m) sites.push(circle([whole.arrival.lon, whole.arrival.lat], whole.arrival.protection_m, "bound"));
    if (whole?.network && whole.network.radius_m > 0) sites.push(circle([whole.network.lon, whole.network.lat], whole.network.radius_m, "network"));
    this.#set("circles", collection(sites));
    this.#routes = ways;
    this.#crowded = roads.filter((road) => road.position).length > CROWD;
    this.#countries = new Set([...ways.flatMap(crossingsOn).flatMap((each) => CROSSINGS[each]?.countries ?? []), ...roads.flatMap((road) => road.parties.map((party) => party.country))]);
    this.#markPlaces(roads, ways);
    for (const road of roads) {
      if (!road.position) continue;
      this.#mark(road, road.position);
      this.#glide(road.consignment, [road.position.lon, road.position.lat]);
    }
    for (const [id, mark] of this.#marks) {
      if (roads.some((road) => road.consignment === id)) continue;
      mark.remove();
      this.#marks.delete(id);
    }
    this.#fit(roads, whole);
    this.#spread();
  }

  /** Tells each place on which the reader presses, who is setting corners there. */
  onPress(told: (at: LonLat) => void): void {
    this.#map.getCanvas().style.cursor = "crosshair";
    this.#map.on("click", (event) => told([event.lngLat.lng, event.lngLat.lat]));
  }

  /** Draws a place that is being set, as far as it goes: corners, their line, the area. */
  sketch(corners: LonLat[], area: SiteInfo | null): void {
    this.#set("track", corners.length === 2 ? collection([lineOf(corners, "track")]) : EMPTY);
    this.#set("circles", area ? collection([place(area, "site")]) : EMPTY);
    for (const mark of this.#corners.splice(0)) mark.remove();
    for (const corner of corners) {
      const dot = document.createElement("span");
      dot.className = "map-corner";
      this.#corners.push(new Marker({ element: dot }).setLngLat(corner).addTo(this.#map));
    }
  }

  /** Shows the surroundings of a place. */
  lookAt(at: LonLat, zoom: number): void {
    this.#map.jumpTo({ center: at, zoom });
  }

  /** Moves the marks to where the stream says that things are. */
  move(places: ReadonlyMap<string, Position>): void {
    for (const [id, place] of places) this.#glide(id, [place.lon, place.lat]);
  }

  /** Takes the colours of the theme in force and shows or hides borders. */
  paint(borders: boolean): void {
    this.#borders = borders;
    const map = this.#map;
    const ink = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    map.setPaintProperty("water", "background-color", ink("--water"));
    map.setPaintProperty("land", "fill-color", ink("--land"));
    map.setPaintProperty("coast", "line-color", ink("--coast"));
    map.setPaintProperty("borders", "line-color", ink("--border-line"));
    map.setLayoutProperty("borders", "visibility", borders ? "visible" : "none");
    if (borders) (map.getSource("borders") as GeoJSONSource).setData(this.#fine ? addresses.bordersFine : addresses.borders);
    map.setPaintProperty("roads", "line-color", ["match", ["get", "kind"], "refused", ink("--cinnabar"), ink("--ink")] as ExpressionSpecification);
    map.setPaintProperty("roads-done", "line-color", ink("--jade"));
    map.setPaintProperty("track", "line-color", ink("--ink"));
    const tone = ["match", ["get", "kind"], "site", ink("--ink"), "bound", ink("--jade"), ink("--network")] as ExpressionSpecification;
    map.setPaintProperty("circle-fill", "fill-color", tone);
    map.setPaintProperty("circle-line", "line-color", tone);
  }

  #set(source: string, data: ReturnType<typeof collection>): void {
    (this.#map.getSource(source) as GeoJSONSource).setData(data);
  }

  #mark(road: RoadSummary, place: Position): void {
    const known = this.#marks.get(road.consignment);
    if (known) {
      this.#name(known.getElement() as HTMLAnchorElement, road);
      return;
    }
    const link = document.createElement("a");
    link.href = `/consignments/${encodeURIComponent(road.consignment)}`;
    this.#name(link, road);
    this.#marks.set(road.consignment, new Marker({ element: link, anchor: "left", offset: [-7, 0] }).setLngLat([place.lon, place.lat]).addTo(this.#map));
  }

  /** Keeps all words on the map apart: places, countries of the corridor, goods, then other countries. */
  #spread(): void {
    const { clientWidth: width, clientHeight: height } = this.#map.getContainer();
    // What is under way is named first, and among equals what lies farther north.
    const moves = (mark: Marker) => Number(mark.getElement().classList.contains("moving-under_way"));
    const marks = [...this.#marks.values()].sort((a, b) => moves(b) - moves(a) || b.getLngLat().lat - a.getLngLat().lat);
    const spotsOfMarks = marks.map((mark) => this.#map.project(mark.getLngLat()));
    const dots = marks.map((mark) => around(this.#map.project(mark.getLngLat()), DOT_PX, DOT_PX));
    const field = new Field({ left: 0, top: 0, width, height }, dots, this.#ways);
    for (const place of this.#places) {
      const label = place.getElement().firstElementChild as HTMLElement;
      const { x, y } = this.#map.project(place.getLngLat());
      const spots = [y + BELOW_PX, y - BELOW_PX - label.offsetHeight].flatMap((top) =>
        [0.5, 0.1, 0.9].map((part) => ({ left: x - label.offsetWidth * part, top, width: label.offsetWidth, height: label.offsetHeight })),
      );
      put(label, field.take(spots), x, y);
    }
    this.#nameCountries(field, this.#labels.filter((label) => this.#isOfCorridor(label)));
    for (const mark of marks) {
      const name = mark.getElement().lastElementChild as HTMLElement;
      const { x, y } = this.#map.project(mark.getLngLat());
      const { offsetWidth: wide, offsetHeight: high } = name;
      const beside = [x + BESIDE_PX, x - BESIDE_PX - wide].flatMap((left) => LINES.map((line) => ({ left, top: y + (line - 0.5) * LINE_PX, width: wide, height: high })));
      const over = [-1, 1].flatMap((side) => [0.5, 0.15, 0.85].map((part) => ({ left: x - wide * part, top: y + side * 2 * LINE_PX - high / 2, width: wide, height: high })));
      // A crowded name is not drawn; the mark stays, bears it for ears, and the table tells it.
      if (this.#crowded) {
        put(name, null, x, y);
        continue;
      }
      put(name, field.take([...beside, ...over].filter((box) => isNearest({ x, y }, box, spotsOfMarks))), x + BESIDE_PX, y - high / 2);
    }
    this.#nameCountries(field, this.#labels.filter((label) => !this.#isOfCorridor(label)));
  }

  /** Names countries where room is left; those of the corridor beside their middle or under a road too. */
  #nameCountries(field: Field, labels: Marker[]): void {
    const zoom = this.#map.getZoom();
    for (const country of labels) {
      const label = country.getElement();
      const named = this.#isOfCorridor(country);
      label.hidden = !((zoom >= COUNTRIES_FROM_ZOOM || named) && zoom < COUNTRIES_TO_ZOOM);
      if (label.hidden) continue;
      const spot = this.#map.project(country.getLngLat());
      const boxes = (named ? STEPS : STEPS.slice(0, 1)).map(([x, y]) => around({ x: spot.x + x, y: spot.y + y }, label.offsetWidth, label.offsetHeight));
      const box = boxes.find((each) => field.takeClear(each)) ?? (named ? field.take(boxes) : null);
      label.style.visibility = box ? "visible" : "hidden";
      country.setOffset(box ? [box.left + box.width / 2 - spot.x, box.top + box.height / 2 - spot.y] : [0, 0]);
    }
  }

  #isOfCorridor(label: Marker): boolean {
    return this.#countries.has(label.getElement().dataset["code"] ?? "");
  }

  /** The roads as they lie on the screen now. */
  get #ways(): Spot[][] {
    return this.#routes.map((route) => route.map((point) => this.#map.project(point)));
  }

  #name(link: HTMLAnchorElement, road: RoadSummary): void {
    const known = road.is_proven ? "proven" : "claimed";
    link.className = `${link.className.replace(/\bmoving(-\w+)?\b/g, "").trim()} moving moving-${road.state} moving-${known} ${this.#crowded ? "moving-small" : ""}`.trim();
    link.setAttribute("aria-label", `${road.label}: ${t(`map.${known}`)}`);
    const dot = document.createElement("span");
    dot.className = "moving-dot";
    const name = document.createElement("span");
    name.className = "moving-name";
    name.textContent = road.label;
    if (link.textContent !== road.label) link.replaceChildren(dot, name);
  }

  #glide(id: string, to: LonLat): void {
    const mark = this.#marks.get(id);
    if (!mark) return;
    const from = mark.getLngLat();
    const running = this.#glides.get(id);
    if (running !== undefined) cancelAnimationFrame(running);
    if (still.matches || document.hidden) {
      mark.setLngLat(to);
      return;
    }
    const start = performance.now();
    const step = (now: number) => {
      const part = Math.min(1, (now - start) / GLIDE_MS);
      mark.setLngLat([from.lng + (to[0] - from.lng) * part, from.lat + (to[1] - from.lat) * part]);
      if (part < 1) this.#glides.set(id, requestAnimationFrame(step));
      else {
        this.#glides.delete(id);
        this.#spread();
      }
    };
    this.#glides.set(id, requestAnimationFrame(step));
  }

  /** Names places of arrival, the towns where ways begin and end, and the crossings that they lead by. */
  #markPlaces(roads: RoadSummary[], ways: LonLat[][]): void {
    for (const mark of this.#places.splice(0)) mark.remove();
    const seen = new Set<string>();
    const called = (name: string, at: LonLat, kind: string) => {
      if (!name || seen.has(name)) return;
      seen.add(name);
      const label = document.createElement("span");
      label.className = kind;
      const words = document.createElement("span");
      words.textContent = name;
      label.append(words);
      this.#places.push(new Marker({ element: label, anchor: "top-left" }).setLngLat(at).addTo(this.#map));
    };
    for (const crossing of new Set(ways.flatMap(crossingsOn))) called(tryWords(`crossing.${crossing}`) ?? crossing, (CROSSINGS[crossing] as { at: LonLat }).at, "map-place map-crossing");
    for (const road of roads) if (road.site) called(road.site.name, [road.site.lon, road.site.lat], "map-place");
    for (const way of ways)
      for (const end of [way[0], way.at(-1)]) {
        const town = end && townAt(end);
        if (end && town) called(t(`town.${town}`), end, "map-place");
      }
  }

  /** Takes the finer coast once the reader comes near enough to see the difference. */
  #sharpen(): void {
    if (this.#fine || this.#map.getZoom() < FINE_FROM_ZOOM) return;
    this.#fine = true;
    (this.#map.getSource("land") as GeoJSONSource).setData(addresses.landFine);
    if (this.#borders) (this.#map.getSource("borders") as GeoJSONSource).setData(addresses.bordersFine);
  }

  #labelCountries(): void {
    for (const [code, lon, lat] of COUNTRIES) {
      const label = document.createElement("span");
      label.className = "map-country";
      label.textContent = country(code);
      label.dataset["code"] = code;
      label.setAttribute("aria-hidden", "true");
      this.#labels.push(new Marker({ element: label }).setLngLat([lon, lat]).addTo(this.#map));
    }
  }

  #fit(roads: RoadSummary[], whole: Road | null): void {
    const points: LonLat[] = roads.flatMap((road) => [
      ...road.route,
      ...(road.site ? [[road.site.lon, road.site.lat] as LonLat] : []),
      ...(road.position ? [[road.position.lon, road.position.lat] as LonLat] : []),
    ]);
    const first = points[0];
    // Once the reader has moved the map it is theirs: it is fitted again only for other roads.
    const key = roads.map((road) => `${road.consignment}:${road.route.length}`).join();
    if (!first || key === this.#fitted) return;
    this.#fitted = key;
    const box = points.reduce((bounds, point) => bounds.extend(point), new LngLatBounds(first, first));
    this.#map.fitBounds(box, { padding: this.#map.getContainer().clientWidth < NARROW_PX ? { top: 40, bottom: 48, left: 72, right: 56 } : { top: 64, bottom: 72, left: 120, right: 120 }, maxZoom: points.length < 2 ? LONE_ZOOM : whole ? 14 : 9, animate: false });
  }
}

function style(): StyleSpecification {
  const geojson = (data: string | typeof EMPTY) => ({ type: "geojson" as const, data });
  return {
    version: 8,
    sources: {
      land: geojson(addresses.land),
      borders: geojson(EMPTY),
      roads: geojson(EMPTY),
      track: geojson(EMPTY),
      circles: geojson(EMPTY),
    },
    layers: [
      { id: "water", type: "background", paint: { "background-color": "#dfe3df" } },
      { id: "land", type: "fill", source: "land", paint: { "fill-color": "#f3eee1", "fill-antialias": true } },
      { id: "coast", type: "line", source: "land", paint: { "line-color": "#b9b5a6", "line-width": 0.7 } },
      { id: "borders", type: "line", source: "borders", paint: { "line-color": "#cbc4b1", "line-width": 0.6 } },
      { id: "circle-fill", type: "fill", source: "circles", paint: { "fill-color": "#000", "fill-opacity": 0.08 } },
      { id: "circle-line", type: "line", source: "circles", paint: { "line-color": "#000", "line-width": 1.5 } },
      { id: "roads", type: "line", source: "roads", filter: ["!=", ["get", "kind"], "paid"], layout: { "line-cap": "round", "line-join": "round" }, paint: { "line-color": "#000", "line-width": 1.6, "line-dasharray": [1, 2] } },
      { id: "roads-done", type: "line", source: "roads", filter: ["==", ["get", "kind"], "paid"], layout: { "line-cap": "round", "line-join": "round" }, paint: { "line-color": "#000", "line-width": 2 } },
      { id: "track", type: "line", source: "track", layout: { "line-cap": "round", "line-join": "round" }, paint: { "line-color": "#000", "line-width": 3 } },
    ],
  };
}
