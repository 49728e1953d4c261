// Sets a place to arrive at: corners pressed on the map or typed, a centre with a radius, or a place
// that is known already. Whoever uses it keeps the draft and asks `siteOf` for the place.
import { useEffect, useRef, useState } from "preact/hooks";
import type { LiveMap } from "../map/live_map";
import type { LonLat } from "../types";
import { t } from "../words";
import { NO_SITE, type Site, type SiteDraft, type SiteWay, cornersOf, draftOf, drawn, placeOf, typedPlace } from "./site_draft";

const WAYS: SiteWay[] = ["corners", "circle"];
const NEAR_ZOOM = 13;

interface Props {
  draft: SiteDraft;
  change: (draft: SiteDraft) => void;
  /** Places that were used before; one press takes such a place over. */
  known?: Site[];
  /** What the map shows first, where nothing is set yet. */
  near?: LonLat | null;
}

export function SiteFields({ draft, change, known = [], near = null }: Props) {
  const set = (part: Partial<SiteDraft>) => change({ ...draft, ...part });
  const latest = useRef({ draft, change });
  latest.current = { draft, change };
  const press = (at: LonLat) => {
    const { draft: now, change: told } = latest.current;
    if (now.way === "circle") told({ ...now, centre: typedPlace(at) });
    else told({ ...now, corners: [...now.corners.split("\n").filter((line) => line.trim()), typedPlace(at)].join("\n") });
  };
  return (
    <fieldset class="site-fields">
      <legend>{t("site.legend")}</legend>
      {known.length > 0 && (
        <label class="field">
          <span>{t("site.known")}</span>
          <select
            value=""
            onChange={(event) => {
              const site = known[Number(event.currentTarget.value)];
              change(site && event.currentTarget.value ? draftOf(site) : NO_SITE);
            }}
          >
            <option value="">{t("site.known_none")}</option>
            {known.map((site, i) => (
              <option key={i} value={String(i)} selected={site.name === draft.name}>
                {site.name}
              </option>
            ))}
          </select>
        </label>
      )}
      <label class="field">
        <span>{t("site.name")}</span>
        <input maxLength={120} value={draft.name} onInput={(event) => set({ name: event.currentTarget.value })} />
      </label>
      <div class="site-ways" role="radiogroup" aria-label={t("site.way")}>
        {WAYS.map((way) => (
          <label key={way} class="choice">
            <input type="radio" name="site-way" checked={draft.way === way} onChange={() => set({ way })} />
            <span>{t(`site.way.${way}`)}</span>
          </label>
        ))}
      </div>
      <SiteMap draft={draft} press={press} near={near} />
      {draft.way === "corners" ? (
        <>
          <label class="field">
            <span>{t("site.corners")}</span>
            <textarea rows={6} spellcheck={false} value={draft.corners} onInput={(event) => set({ corners: event.currentTarget.value })} />
            <span class="hint">{t("site.corners_hint")}</span>
          </label>
          <p class="money-buttons">
            <button type="button" class="button" disabled={!draft.corners.trim()} onClick={() => set({ corners: draft.corners.trim().split("\n").slice(0, -1).join("\n") })}>
              {t("site.undo")}
            </button>
          </p>
        </>
      ) : (
        <>
          <label class="field">
            <span>{t("site.centre")}</span>
            <input value={draft.centre} onInput={(event) => set({ centre: event.currentTarget.value })} />
            <span class="hint">{t("site.centre_hint")}</span>
          </label>
          <label class="field">
            <span>{t("site.radius")}</span>
            <input inputMode="decimal" value={draft.radius} onInput={(event) => set({ radius: event.currentTarget.value })} />
          </label>
        </>
      )}
    </fieldset>
  );
}

/** The map that takes presses. The fields below say the same: no hand needs it, nor any eye. */
function SiteMap({ draft, press, near }: { draft: SiteDraft; press: (at: LonLat) => void; near: LonLat | null }) {
  const box = useRef<HTMLDivElement>(null);
  const map = useRef<LiveMap | null>(null);
  const [state, setState] = useState<"loading" | "here" | "failed">("loading");
  const looked = useRef("");
  const pressed = useRef(press);
  pressed.current = press;
  useEffect(() => {
    let gone = false;
    import("../map/live_map").then(
      async ({ LiveMap: Drawn }) => {
        if (gone || !box.current) return;
        try {
          map.current = await Drawn.open(box.current);
          map.current.onPress((at) => {
            // What the reader pressed is in view already: a map that jumps would spoil the next press.
            looked.current = "set";
            pressed.current(at);
          });
          setState("here");
        } catch {
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
  const area = drawn(draft);
  const corners = draft.way === "corners" ? cornersOf(draft) : [placeOf(draft.centre)].flatMap((at) => (at ? [at] : []));
  const first = corners[0] ?? near;
  useEffect(() => {
    if (state !== "here") return;
    map.current?.sketch(corners, area);
    // Once something is set the map stays where the reader put it.
    const where = corners.length ? "set" : near ? "near" : "";
    if (first && where && looked.current !== where && looked.current !== "set") {
      map.current?.lookAt(first, NEAR_ZOOM);
      looked.current = where;
    }
  }, [state, JSON.stringify(draft), near?.join()]);
  return (
    <div class="map-part">
      <div ref={box} class="map" role="group" aria-label={t("site.map")}>
        {state !== "here" && <p class="state">{t(`map.${state}`)}</p>}
      </div>
    </div>
  );
}
