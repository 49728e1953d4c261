// Waiting for a consignment without a deal: place, terminal, time and risk, by its importer or the bank.
import { useState } from "preact/hooks";
import { send } from "../api";
import { session } from "../session";
import type { Road } from "../types";
import { t } from "../words";
import { ActButton } from "./act";
import { useAnswer } from "./basics";
import { TerminalFields, proposedTerminals, ridersOf } from "./carried";
import { waitsHere } from "./moves";
import { Trouble, momentOf } from "./money_form";
import { SiteFields } from "./site";
import { NO_SITE, type SiteDraft, siteOf } from "./site_draft";

const RISKS_PPB = [100, 1_000, 10_000, 100_000];
const USUAL_PPB = 10_000;
const DAYS = 45;
const MINUTE_MS = 60_000;

interface Entered {
  importer: string;
  importer_bank: string;
  discharge: string;
}

export function AwaitArrival({ road, done }: { road: Road; done: () => void }) {
  const [seen] = useAnswer<{ entered: Entered }>(`/v1/trade/consignments/${encodeURIComponent(road.consignment)}`);
  if (seen.state !== "here") return null;
  const { entered } = seen.value;
  const own = session.value?.party ?? "";
  if (![entered.importer, entered.importer_bank].includes(own)) return null;
  return <Fields road={road} place={entered.discharge} done={done} />;
}

function Fields({ road, place, done }: { road: Road; place: string; done: () => void }) {
  const terminals = road.said.flatMap((said) => (typeof said.args["terminal"] === "string" ? [said.args["terminal"] as string] : []));
  const [terminal, setTerminal] = useState(terminals.at(-1) ?? "");
  const [each, setEach] = useState(() => proposedTerminals(road));
  const [site, setSite] = useState<SiteDraft>({ ...NO_SITE, name: place });
  const [from, setFrom] = useState(local(-60 * MINUTE_MS));
  const [until, setUntil] = useState(local(DAYS * 24 * 60 * MINUTE_MS));
  const [risk, setRisk] = useState(USUAL_PPB);
  let body: object | null = null;
  let trouble = "";
  try {
    body = { consignment: road.consignment, ...ridersOf(road, terminal, each), site: siteOf(site), not_before: momentOf(from), not_after: momentOf(until), risk_ppb: risk };
  } catch (error) {
    if (!(error instanceof Trouble)) throw error;
    trouble = error.message;
  }
  return (
    <ActButton
      open={waitsHere(road, "arrival-title")}
      button={t("await.go")}
      means={t("await.means")}
      disabled={!body}
      act={() => send("POST", "/v1/positioning/arrivals", body ?? {})}
      after={() => t("await.after")}
      done={done}
    >
      <TerminalFields road={road} one={terminal} setOne={setTerminal} each={each} setEach={setEach} />
      <SiteFields draft={site} change={setSite} known={[]} near={road.route.at(-1) ?? null} />
      <div class="two">
        <label class="field">
          <span>{t("deal.from")}</span>
          <input type="datetime-local" value={from} onInput={(event) => setFrom(event.currentTarget.value)} />
        </label>
        <label class="field">
          <span>{t("deal.until")}</span>
          <input type="datetime-local" value={until} onInput={(event) => setUntil(event.currentTarget.value)} />
        </label>
      </div>
      <label class="field">
        <span>{t("deal.risk")}</span>
        <select value={String(risk)} onChange={(event) => setRisk(Number(event.currentTarget.value))}>
          {RISKS_PPB.map((each) => (
            <option key={each} value={String(each)}>
              {t("deal.risk_odds", { n: Math.round(1e9 / each) })}
            </option>
          ))}
        </select>
      </label>
      {trouble && <p class="quiet">{trouble}</p>}
    </ActButton>
  );
}

/** So far from now, as a field for day and hour takes it. */
function local(away_ms: number): string {
  const at = new Date(Date.now() + away_ms);
  const part = (value: number) => String(value).padStart(2, "0");
  return `${at.getFullYear()}-${part(at.getMonth() + 1)}-${part(at.getDate())}T${part(at.getHours())}:${part(at.getMinutes())}`;
}
