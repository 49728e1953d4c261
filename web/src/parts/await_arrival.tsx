// Waiting for a consignment without a deal: place, terminal, time and risk, by its importer or the bank;
// until something of it is proven, whoever waits may change that or take it back.
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
import { NO_SITE, type Site, type SiteDraft, draftOf, siteOf } from "./site_draft";

const RISKS_PPB = [100, 1_000, 10_000, 100_000];
const USUAL_PPB = 10_000;
const DAYS = 45;
const MINUTE_MS = 60_000;

interface Entered {
  importer: string;
  importer_bank: string;
  discharge: string;
}

interface Awaited {
  state: string;
  expected: { terminal: string; site: Site; not_before: string; not_after: string; risk_ppb: number };
  containers: { container: string; terminal: string }[];
  awaited_by: string;
  version: number;
}

const pathOf = (road: Road) => `/v1/positioning/arrivals/${encodeURIComponent(road.consignment)}`;

export function AwaitArrival({ road, done }: { road: Road; done: () => void }) {
  const [seen] = useAnswer<{ entered: Entered }>(`/v1/trade/consignments/${encodeURIComponent(road.consignment)}`);
  if (seen.state !== "here") return null;
  const { entered } = seen.value;
  const own = session.value?.party ?? "";
  if (![entered.importer, entered.importer_bank].includes(own)) return null;
  const act = (body: object) => send("POST", "/v1/positioning/arrivals", { consignment: road.consignment, ...body });
  return (
    <Fields
      road={road}
      start={{ ...NO_START, site: { ...NO_SITE, name: entered.discharge }, terminal: terminalsOf(road).at(-1) ?? "", each: proposedTerminals(road) }}
      button={t("await.go")}
      means={t("await.means")}
      after={t("await.after")}
      open={waitsHere(road, "arrival-title")}
      act={act}
      done={done}
    />
  );
}

/** What is awaited, for whoever waits: to change, or to take back. */
export function ChangeAwaited({ road }: { road: Road }) {
  // Read again whenever the road moves; what is typed stays until what is awaited changed itself.
  const [seen, again] = useAnswer<Awaited>(pathOf(road), (consignment) => consignment === road.consignment);
  if (seen.state !== "here") return null;
  const { expected, containers, awaited_by, version } = seen.value;
  if (awaited_by !== session.value?.party) return null;
  const act = (body: object) => send("POST", `${pathOf(road)}/change`, { ...body, seen_version: version });
  const start = {
    site: draftOf(expected.site),
    terminal: expected.terminal,
    each: Object.fromEntries(containers.map((each) => [each.container, each.terminal])),
    from: localAt(new Date(expected.not_before)),
    until: localAt(new Date(expected.not_after)),
    risk: expected.risk_ppb * Math.max(1, containers.length),
    exact: expected,
  };
  return (
    <>
      <Fields key={`change-${version}`} road={road} start={start} button={t("await.change")} means={t("await.change_means")} after={t("await.changed")} act={act} done={again} />
      <ActButton button={t("await.withdraw")} means={t("await.withdraw_means")} act={() => send("POST", `${pathOf(road)}/withdrawal`, { seen_version: version })} after={() => t("await.withdrawn")} done={again} />
    </>
  );
}

interface Start {
  site: SiteDraft;
  terminal: string;
  each: Record<string, string>;
  from: string;
  until: string;
  risk: number;
  /** What the node knows more exactly than fields show; it stands until a field is touched. */
  exact?: { site: Site; not_before: string; not_after: string };
}

const NO_START: Pick<Start, "from" | "until" | "risk"> = { from: "", until: "", risk: USUAL_PPB };

const terminalsOf = (road: Road) => road.said.flatMap((said) => (typeof said.args["terminal"] === "string" ? [said.args["terminal"] as string] : []));

interface FieldsProps {
  road: Road;
  start: Start;
  button: string;
  means: string;
  after: string;
  open?: boolean;
  act: (body: object) => Promise<unknown>;
  done: () => void;
}

function Fields({ road, start, button, means, after, open, act, done }: FieldsProps) {
  const [terminal, setTerminal] = useState(start.terminal);
  const [each, setEach] = useState(start.each);
  const [site, setSite] = useState<SiteDraft>(start.site);
  const [from, setFrom] = useState(start.from || local(-60 * MINUTE_MS));
  const [until, setUntil] = useState(start.until || local(DAYS * 24 * 60 * MINUTE_MS));
  const [risk, setRisk] = useState(start.risk);
  let body: object | null = null;
  let trouble = "";
  try {
    const { exact } = start;
    body = {
      ...ridersOf(road, terminal, each),
      site: exact && site === start.site ? exact.site : siteOf(site),
      not_before: exact && from === start.from ? exact.not_before : momentOf(from),
      not_after: exact && until === start.until ? exact.not_after : momentOf(until),
      risk_ppb: risk,
    };
  } catch (error) {
    if (!(error instanceof Trouble)) throw error;
    trouble = error.message;
  }
  const risks = [...new Set([...RISKS_PPB, risk])].sort((one, two) => one - two);
  return (
    <ActButton open={open ?? false} button={button} means={means} disabled={!body} act={() => act(body ?? {})} after={() => after} done={done}>
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
          {risks.map((each) => (
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
const local = (away_ms: number) => localAt(new Date(Date.now() + away_ms));

function localAt(at: Date): string {
  const part = (value: number) => String(value).padStart(2, "0");
  return `${at.getFullYear()}-${part(at.getMonth() + 1)}-${part(at.getDate())}T${part(at.getHours())}:${part(at.getMinutes())}`;
}
