// A new deal: the money of a consignment under conditions, proposed as far as anything is known.
import { useEffect, useState } from "preact/hooks";
import { send } from "../api";
import { money } from "../format";
import type { DealTerms, DealWhole } from "../money_types";
import { ActButton, useParties } from "../parts/act";
import { Loading, ProblemNote, Section, useAnswer, whole } from "../parts/basics";
import { DealStanding } from "../parts/deal";
import { type Terminals, TerminalFields, containersOf, proposedTerminals, ridersOf } from "../parts/carried";
import { MARKS, NEEDS, paragraph } from "../parts/deal_words";
import { Trouble, minorOf, momentOf } from "../parts/money_form";
import { SiteFields } from "../parts/site";
import { NO_SITE, type Site, type SiteDraft, draftOf, siteOf } from "../parts/site_draft";
import { session } from "../session";
import { roadChanges } from "../seen";
import type { Road, RoadSummary } from "../types";
import { named, t } from "../words";

/** What trade knows of a consignment, as far as a deal takes it over. */
interface Entered {
  consignment: string;
  exporter: string;
  importer: string;
  importer_bank: string;
  exporter_bank: string;
  amount_minor: number;
  currency: string;
  discharge: string;
}

/** What somebody awaits of the consignment already: a deal asks for the same. */
interface Awaited {
  terminal: string;
  site: Site;
  not_before: string;
  not_after: string;
  risk_ppb: number;
}

const RISKS_PPB = [100, 1_000, 10_000, 100_000];
const NAME_MAX = 35;
const HOUR_MS = 3_600_000;
const DAYS = 45;
const USUAL = ["signed_by_terminal", "bound_to_goods", "recomputed", "inside_open_sky_model"];

export default function NewDealPage({ id }: { id: string }) {
  useEffect(() => void (document.title = t("deal.new_document_title")), []);
  return (
    <div class="page">
      <h1>{t("deal.new_title")}</h1>
      <p class="lead">{t("deal.new_lead")}</p>
      {id ? <ForConsignment key={id} id={id} /> : <Choose />}
    </div>
  );
}

/** Which consignment the deal is to be of, where no link said it. */
function Choose() {
  const [answer, again] = useAnswer<{ roads: RoadSummary[] }>("/v1/roads");
  if (answer.state === "loading") return <Loading what={t("deal.reading")} />;
  if (answer.state === "failed") return <ProblemNote problem={answer.problem} again={again} />;
  const open = answer.value.roads.filter((road) => road.state === "under_way");
  return (
    <Section id="choose-title" title={t("deal.choose")}>
      {open.length === 0 && <p class="quiet">{t("deal.choose_none")}</p>}
      <ul class="services">
        {open.map((road) => (
          <li key={road.consignment}>
            <a href={`/deals/new/${encodeURIComponent(road.consignment)}`}>{road.label}</a> <span class="amount">{money(road.amount)}</span>
          </li>
        ))}
      </ul>
    </Section>
  );
}

function ForConsignment({ id }: { id: string }) {
  const at = encodeURIComponent(id);
  const [consignment, again] = useAnswer<{ entered: Entered }>(`/v1/trade/consignments/${at}`);
  const [road, readRoad] = useAnswer<Road>(`/v1/consignments/${at}/road`, undefined, undefined, roadChanges);
  const [awaited] = useAnswer<{ expected: Awaited }>(`/v1/positioning/arrivals/${at}`);
  const [deals, setDeals] = useState<DealWhole[] | null>(null);
  useEffect(() => {
    whole<DealWhole>("/v1/lists/deals", Number.POSITIVE_INFINITY).then(setDeals, () => setDeals([]));
  }, []);
  for (const [answer, read] of [[consignment, again], [road, readRoad]] as const) {
    if (answer.state === "failed") return <ProblemNote problem={answer.problem} again={read} />;
  }
  if (consignment.state !== "here" || road.state !== "here" || awaited.state === "loading" || !deals) return <Loading what={t("deal.reading")} />;
  const standing = deals.find((deal) => deal.consignment === id && deal.state !== "refused");
  if (standing) {
    return (
      <>
        <p>{t("deal.stands")}</p>
        <DealStanding deal={standing.deal} />
      </>
    );
  }
  return <DealForm entered={consignment.value.entered} road={road.value} awaited={awaited.state === "here" ? awaited.value.expected : null} known={sites(deals)} tried={deals.filter((deal) => deal.consignment === id).length} />;
}

/** The places of earlier deals, each once. */
function sites(deals: DealWhole[]): Site[] {
  return [...new Map(deals.map((deal) => [JSON.stringify(deal.terms.site), deal.terms.site])).values()];
}

interface Form {
  amount: string;
  terminal: string;
  each: Terminals;
  marks: string[];
  needs: string[];
  from: string;
  until: string;
  risk: number;
}

function DealForm({ entered, road, awaited, known, tried }: { entered: Entered; road: Road; awaited: Awaited | null; known: Site[]; tried: number }) {
  const { name } = useParties();
  const exponent = road.amount.exponent;
  const [form, setForm] = useState<Form>(() => proposed(entered, road, awaited));
  const [site, setSite] = useState<SiteDraft>(() => (awaited ? draftOf(awaited.site) : { ...NO_SITE, name: road.site?.name ?? entered.discharge }));
  const [opened, setOpened] = useState("");
  const set = (part: Partial<Form>) => setForm({ ...form, ...part });
  const mine = session.value?.party === entered.importer_bank;
  const near = road.route.at(-1) ?? null;
  let body: ReturnType<typeof bodyOf> | null = null;
  let trouble = "";
  try {
    body = bodyOf(entered, road, form, site, tried);
  } catch (error) {
    if (!(error instanceof Trouble)) throw error;
    trouble = error.message;
  }
  if (opened) return <DealStanding deal={opened} />;
  return (
    <form class="deal-form" onSubmit={(event) => event.preventDefault()}>
      {!mine && <p class="note">{t("deal.only_bank", { bank: name(entered.importer_bank) })}</p>}
      <Section id="deal-money-title" title={t("deal.money")}>
        <p>{t("deal.pays", { payer: name(entered.importer), payer_bank: name(entered.importer_bank), payee: name(entered.exporter), payee_bank: name(entered.exporter_bank) })}</p>
        <label class="field">
          <span>{t("deal.amount", { currency: entered.currency })}</span>
          <input inputMode="decimal" value={form.amount} onInput={(event) => set({ amount: event.currentTarget.value })} />
          <span class="hint">{t("deal.amount_hint")}</span>
        </label>
      </Section>
      <Section id="deal-arrival-title" title={t("deal.arrives")}>
        {awaited && <p class="quiet">{t("deal.awaited")}</p>}
        <TerminalFields road={road} one={form.terminal} setOne={(terminal) => set({ terminal })} each={form.each} setEach={(each) => set({ each })} hint />
        <SiteFields draft={site} change={setSite} known={known} near={near} />
        <div class="two">
          <label class="field">
            <span>{t("deal.from")}</span>
            <input type="datetime-local" value={form.from} onInput={(event) => set({ from: event.currentTarget.value })} />
          </label>
          <label class="field">
            <span>{t("deal.until")}</span>
            <input type="datetime-local" value={form.until} onInput={(event) => set({ until: event.currentTarget.value })} />
          </label>
        </div>
        <label class="field">
          <span>{t("deal.risk")}</span>
          <select value={String(form.risk)} onChange={(event) => set({ risk: Number(event.currentTarget.value) })}>
            {[...new Set([...RISKS_PPB, form.risk])].map((risk) => (
              <option key={risk} value={String(risk)}>
                {t("deal.risk_odds", { n: Math.round(1e9 / risk) })}
              </option>
            ))}
          </select>
        </label>
      </Section>
      <Ticks legend={t("deal.marks_asked")} kind="condition" all={[...MARKS]} chosen={form.marks} set={(marks) => set({ marks })} />
      <Ticks legend={t("deal.needs_asked")} kind="condition" all={NEEDS.filter((need) => need !== "title_in_custody" || road.title)} chosen={form.needs} set={(needs) => set({ needs })} />
      {!road.title && <p class="quiet">{t("deal.no_title")}</p>}
      <Section id="deal-says-title" title={t("deal.says")}>
        {body ? <p class="deal-paragraph">{paragraph({ ...body, exponent, terms: body.conditions }, name)}</p> : <p class="quiet">{trouble}</p>}
        {mine && (
          <ActButton
            button={t("deal.open")}
            means={t("deal.open_means", { payer: name(entered.importer) })}
            disabled={!body}
            act={() => send<DealWhole>("POST", "/v1/finance/deals", body ?? {})}
            after={() => t("deal.opened")}
            done={(answer) => answer && setOpened(answer.deal)}
          />
        )}
      </Section>
    </form>
  );
}

function Ticks({ legend, kind, all, chosen, set }: { legend: string; kind: string; all: string[]; chosen: string[]; set: (chosen: string[]) => void }) {
  return (
    <fieldset class="ticks">
      <legend>{legend}</legend>
      {all.map((each) => (
        <label key={each} class="choice">
          <input type="checkbox" checked={chosen.includes(each)} onChange={(event) => set(event.currentTarget.checked ? [...chosen, each] : chosen.filter((one) => one !== each))} />
          <span>{named(kind, each)}</span>
        </label>
      ))}
    </fieldset>
  );
}

/** What a careful person would fill in: the same today in every tab, so that two of them open one deal. */
function proposed(entered: Entered, road: Road, awaited: Awaited | null): Form {
  // What a terminal sends tells of the minutes before, so that just after midnight a day is not over.
  const day = new Date(Date.now() - HOUR_MS);
  day.setHours(0, 0, 0, 0);
  const end = new Date(day);
  end.setDate(end.getDate() + DAYS);
  const sealed = road.said.findLast((said) => said.type === "devices.Sealed.v1");
  const exponent = road.amount.exponent;
  const digits = String(entered.amount_minor).padStart(exponent + 1, "0");
  return {
    amount: exponent ? `${digits.slice(0, -exponent)}.${digits.slice(-exponent)}` : digits,
    terminal: awaited?.terminal ?? (typeof sealed?.args["terminal"] === "string" ? (sealed.args["terminal"] as string) : ""),
    each: proposedTerminals(road),
    marks: USUAL,
    needs: NEEDS.filter((need) => need !== "title_in_custody" || road.title),
    from: local(awaited ? new Date(awaited.not_before) : day),
    until: local(awaited ? new Date(awaited.not_after) : end),
    // Each of several containers is awaited with its share.
    risk: awaited ? awaited.risk_ppb * Math.max(1, containersOf(road).length) : 10_000,
  };
}

/** An instant as a field for day and hour takes it. */
function local(at: Date): string {
  const part = (value: number) => String(value).padStart(2, "0");
  return `${at.getFullYear()}-${part(at.getMonth() + 1)}-${part(at.getDate())}T${part(at.getHours())}:${part(at.getMinutes())}`;
}

/** The deal as the node takes it. Raises Trouble, in words. */
function bodyOf(entered: Entered, road: Road, form: Form, site: SiteDraft, tried: number) {
  const riders = ridersOf(road, form.terminal, form.each);
  const conditions: DealTerms = {
    marks: MARKS.filter((mark) => form.marks.includes(mark)),
    site: siteOf(site),
    not_before: momentOf(form.from),
    not_after: momentOf(form.until),
    risk_ppb: form.risk,
    needs: NEEDS.filter((need) => form.needs.includes(need)),
  };
  if (conditions.not_before >= conditions.not_after) throw new Trouble(t("deal.no_window"));
  // One name for one deal of a consignment: the same sent twice is one deal.
  const stem = `deal-${entered.consignment.replace(/[^A-Za-z0-9.-]/g, "-")}`.slice(0, NAME_MAX - 3);
  return {
    deal: tried ? `${stem}-${tried + 1}` : stem,
    consignment: entered.consignment,
    payer: entered.importer,
    payee: entered.exporter,
    payer_bank: entered.importer_bank,
    payee_bank: entered.exporter_bank,
    amount_minor: minorOf(form.amount, road.amount.exponent),
    currency: entered.currency,
    ...riders,
    title: conditions.needs.includes("title_in_custody") ? (road.title?.title ?? "") : "",
    conditions,
  };
}
