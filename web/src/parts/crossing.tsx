// A border crossing told by whoever saw the goods there: the carrier, or customs. On arrival first, on
// leaving later; it stays their word, and is written beside what positions prove.
import { useState } from "preact/hooks";
import { send } from "../api";
import { country } from "../format";
import { CROSSINGS, crossingsOn, drawnWay } from "../map/corridors";
import { session } from "../session";
import type { Road, Said } from "../types";
import { t } from "../words";
import { ActButton } from "./act";
import { useAnswer } from "./basics";
import { crossingName } from "./glance";
import { Trouble, momentOf } from "./money_form";

const MINUTE_MS = 60_000;

interface Entered {
  carrier: string;
  customs: string;
}

interface Told {
  entered_from: string;
  entered_to: string;
  left_to: string;
}

/** The form, for the parties whose word it is; nothing for others, and once all is told and paid. */
export function TellCrossing({ road }: { road: Road }) {
  const [seen] = useAnswer<{ entered: Entered }>(`/v1/trade/consignments/${encodeURIComponent(road.consignment)}`);
  if (seen.state !== "here" || road.state !== "under_way") return null;
  const { carrier, customs } = seen.value.entered;
  const own = session.value?.party ?? "";
  if (session.value?.role !== "party" || ![carrier, customs].includes(own)) return null;
  // Begun anew when a crossing was told; what else is said throws away nothing that is typed.
  return <Fields key={road.said.filter(isCrossing).length} road={road} />;
}

const isCrossing = (said: Said) => said.type.startsWith("trade.CrossingObserved.");

/** What was told of a side last: who left is told with when they came. */
function toldOf(road: Road, crossing: string, side: string): Told | null {
  const found = road.said.filter((said) => isCrossing(said) && said.args["crossing"] === crossing && said.args["side"] === side).at(-1);
  if (!found) return null;
  const text = (name: string) => String(found.args[name] ?? "");
  return { entered_from: text("entered_from"), entered_to: text("entered_to"), left_to: text("left_to") };
}

function Fields({ road }: { road: Road }) {
  const ways = crossingsOn(drawnWay(road.route));
  const [crossing, setCrossing] = useState(ways[0] ?? Object.keys(CROSSINGS)[0] ?? "");
  const sides = CROSSINGS[crossing]?.countries ?? [];
  const [side, setSide] = useState<string>(sides[0] ?? "");
  const [came, setCame] = useState("");
  const [left, setLeft] = useState("");
  const told = toldOf(road, crossing, side);
  let body: object | null = null;
  let trouble = "";
  try {
    if (told?.left_to) throw new Trouble(t("crossing.told"));
    const entered = told ? { entered_from: told.entered_from, entered_to: told.entered_to } : { entered_from: momentOf(came), entered_to: minuteAfter(came) };
    body = { crossing, side, ...entered, ...(left ? { left_from: momentOf(left), left_to: minuteAfter(left) } : {}) };
    if (told && !left) body = null;
  } catch (error) {
    if (!(error instanceof Trouble)) throw error;
    trouble = came || told ? error.message : "";
  }
  return (
    <ActButton
      button={t("crossing.go")}
      means={t("crossing.means")}
      disabled={!body}
      act={() => send("POST", `/v1/trade/consignments/${encodeURIComponent(road.consignment)}/crossings`, body ?? {})}
      after={() => t("crossing.after")}
    >
      <div class="two">
        <label class="field">
          <span>{t("crossing.which")}</span>
          <select
            value={crossing}
            onChange={(event) => {
              setCrossing(event.currentTarget.value);
              setSide(CROSSINGS[event.currentTarget.value]?.countries[0] ?? "");
            }}
          >
            {[...new Set([...ways, ...Object.keys(CROSSINGS)])].map((each) => (
              <option key={each} value={each}>
                {crossingName(each)}
              </option>
            ))}
          </select>
        </label>
        <label class="field">
          <span>{t("crossing.side")}</span>
          <select value={side} onChange={(event) => setSide(event.currentTarget.value)}>
            {sides.map((each) => (
              <option key={each} value={each}>
                {country(each)}
              </option>
            ))}
          </select>
        </label>
      </div>
      <div class="two">
        {told ? (
          <p class="quiet">{t("crossing.since", { at: told.entered_to })}</p>
        ) : (
          <label class="field">
            <span>{t("crossing.came")}</span>
            <input type="datetime-local" value={came} onInput={(event) => setCame(event.currentTarget.value)} />
          </label>
        )}
        <label class="field">
          <span>{t("crossing.left")}</span>
          <input type="datetime-local" value={left} onInput={(event) => setLeft(event.currentTarget.value)} />
        </label>
      </div>
      {trouble && <p class="quiet">{trouble}</p>}
    </ActButton>
  );
}

/** The end of the minute that was given: a gate's book has no seconds. */
function minuteAfter(text: string): string {
  return momentOf(new Date(new Date(momentOf(text)).getTime() + MINUTE_MS).toISOString());
}
