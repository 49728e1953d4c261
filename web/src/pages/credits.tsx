// Documentary credits: all of them, and one with each discrepancy beside the line it is about.
import { useEffect, useState } from "preact/hooks";
import { useCell } from "../cell";
import type { Bank, BankingCalendar, Credit, Discrepancy, Drawing, Paper } from "../money_types";
import { IssueCredit, OtherDocument, Present } from "../parts/credit_acts";
import { English, Facts, Loading, ProblemNote, Section, Time, useAnswer, useWhole } from "../parts/basics";
import { StateMark, Sum, Ways, useAct, useEvery } from "../parts/money";
import { RecordsAgain } from "../parts/records_again";
import { session } from "../session";
import { Table, columnsOf } from "../parts/table";
import { named, t } from "../words";

export default function CreditsPage({ id }: { id: string }) {
  return id ? <One id={id} /> : <All />;
}

const columns = () => columnsOf("credit", "issuer", "beneficiary", "applicant", "drawn_minor", "may_be_drawn_minor");

function All() {
  const who = useCell(session);
  const [banks] = useWhole<Bank>("banks");
  const [acts, setActs] = useState(0);
  const isBank = who?.role === "party" && banks.state === "here" && banks.value.some((each) => each.bank === who.party);
  useEffect(() => void (document.title = t("credits.document_title")), []);
  return (
    <div class="page">
      <h1>{t("money.title")}</h1>
      <Ways at="/credits" />
      <Section id="credits-title" title={t("credits.title")}>
        <Table
          list="credits"
          title={t("credits.title")}
          columns={columns()}
          id={(credit: Credit) => credit.key}
          none={t("credits.none")}
          every={6}
          follows={acts}
          line={(credit) => (
            <li key={credit.key} class="money-row">
              <StateMark state={credit.drawings.at(-1)?.state ?? "issued"} />
              <div>
                <p>
                  <a href={`/money/credits/${credit.key.split("/").map(encodeURIComponent).join("/")}`}>
                    <code>{credit.credit}</code>
                  </a>{" "}
                  <Sum minor={credit.terms.amount_minor} currency={credit.terms.currency} exponent={credit.exponent} />
                </p>
                <p class="quiet">{t("credits.who", { applicant: credit.applicant, issuer: credit.issuer, beneficiary: credit.beneficiary })}</p>
              </div>
            </li>
          )}
        />
        {isBank && <IssueCredit bank={who.party} done={() => setActs(acts + 1)} />}
      </Section>
      <Calendars />
    </div>
  );
}

/** On which days the banks of a place rest, and up to which year that is known. */
function Calendars() {
  const [answer] = useAnswer<BankingCalendar[]>("/v1/finance/calendars");
  if (answer.state !== "here") return null;
  return (
    <Section id="calendars-title" title={t("calendars.title")}>
      <ul class="services">
        {answer.value.map((each) => (
          <li key={each.calendar} class="calendar">
            <h3>{each.calendar}</h3>
            <Facts
              rows={[
                [t("calendars.known"), each.years.map(([first, last]) => (first === last ? String(first) : `${first} - ${last}`)).join(t("list.comma"))],
                [t("calendars.closed"), each.next_closed.join(t("list.comma")) || t("none")],
              ]}
            />
            {each.missing_year > 0 && <p>{t("calendars.missing", { year: String(each.missing_year) })}</p>}
          </li>
        ))}
      </ul>
    </Section>
  );
}

function One({ id }: { id: string }) {
  // A key names its issuer before the slash: two banks may issue credits of one number.
  const cut = id.lastIndexOf("/");
  const path = `/v1/finance/credits/${encodeURIComponent(id.slice(cut + 1))}`;
  const of = cut < 0 ? "" : `?of=${encodeURIComponent(id.slice(0, cut))}`;
  const [answer, read] = useAnswer<Credit>(path + of);
  useEffect(() => void (document.title = t("credits.one_document_title", { credit: id })), [id]);
  useEvery(6, read);
  if (answer.state === "loading") return <Loading what={t("credits.reading")} />;
  if (answer.state === "failed") return <ProblemNote problem={answer.problem} again={read} />;
  const credit = answer.value;
  const party = session.value?.role === "party" ? session.value.party : "";
  const sum = (minor: number) => <Sum minor={minor} currency={credit.terms.currency} exponent={credit.exponent} />;
  return (
    <div class="page">
      <h1>{credit.credit}</h1>
      <Ways at="/credits" />
      <div class="two">
        <Section id="terms-title" title={t("credit.terms")}>
          <Facts
            rows={[
              [t("credit.amount"), sum(credit.terms.amount_minor)],
              [t("credit.drawn"), sum(credit.drawn_minor)],
              [t("credit.available_by"), named("available_by", credit.terms.available_by)],
              [t("credit.rules"), credit.regime],
              [t("credit.document"), named("transport_form", credit.terms.shipment.document)],
              [t("credit.way"), `${credit.terms.shipment.loading} – ${credit.terms.shipment.discharge}`],
              ...credit.banking_days.map((each): [string, string] => [
                t("credit.banking_days", { of: each.of }),
                each.calendar ? t("credit.days_known", { calendar: each.calendar, year: String(each.last_year) }) : t("credit.days_listed"),
              ]),
              [t("credit.expires"), `${credit.terms.expires_on}, ${credit.terms.expiry_place}`],
              [t("credit.issuer"), credit.issuer],
              [t("credit.applicant"), credit.applicant],
              [t("credit.beneficiary"), credit.beneficiary],
              [t("credit.adviser"), credit.adviser],
              [t("credit.confirmer"), credit.confirmer || t("none")],
            ]}
          />
        </Section>
        <Section id="steps-title" title={t("credit.steps")}>
          <ol class="moves">
            {credit.steps.map((step, i) => (
              <li key={i}>
                <span>
                  {named("credit_act", step.act)} <strong>{step.by}</strong> {step.drawing && <code>{step.drawing}</code>}
                </span>
                <span class="quiet">
                  <Time at={step.at} />
                </span>
              </li>
            ))}
          </ol>
          <CreditSteps credit={credit} path={path} of={of} done={read} />
          {party === credit.issuer && !credit.offered && <OtherDocument credit={credit} path={path} of={of} done={read} />}
          {party === credit.beneficiary && <Present path={path} of={of} done={read} />}
        </Section>
      </div>
      {credit.drawings.length === 0 && <p class="quiet">{t("credit.no_drawing")}</p>}
      {credit.drawings.map((drawing) => (
        <Presented key={drawing.drawing} credit={credit} drawing={drawing} path={path} of={of} done={read} />
      ))}
    </div>
  );
}

function CreditSteps({ credit, path, of, done }: { credit: Credit; path: string; of: string; done: () => void }) {
  const who = useCell(session);
  const [problem, act, busy] = useAct(done);
  const party = who?.party;
  const steps = [
    party === credit.adviser && !credit.advised && "advise",
    party === credit.confirmer && !credit.confirmed && "confirm",
    party === credit.beneficiary && credit.offered && "accept_amendment",
    party === credit.beneficiary && credit.offered && "reject_amendment",
  ].filter((step): step is string => !!step);
  return <Buttons steps={steps} busy={busy} problem={problem} act={(step) => act(`${path}/steps${of}`, { step })} />;
}

function Buttons({ steps, busy, problem, act }: { steps: string[]; busy: boolean; problem: Parameters<typeof ProblemNote>[0]["problem"] | null; act: (step: string) => void }) {
  if (steps.length === 0 && !problem) return null;
  return (
    <>
      <p class="money-buttons">
        {steps.map((step) => (
          <button key={step} type="button" class="button" disabled={busy} onClick={() => act(step)}>
            {t(`credit_do.${step}`)}
          </button>
        ))}
      </p>
      {problem && <ProblemNote problem={problem} />}
    </>
  );
}

function Presented({ credit, drawing, path, of, done }: { credit: Credit; drawing: Drawing; path: string; of: string; done: () => void }) {
  const who = useCell(session);
  const [problem, act, busy] = useAct(done);
  const papers = drawing.papers.documents ?? [];
  const { beside, rest } = placed(papers, drawing.discrepancies);
  const mayAsk = !busy && isBank(credit, who?.party ?? "") && ["presented", "incomplete"].includes(drawing.state);
  const at = `${path}/drawings/${encodeURIComponent(drawing.drawing)}/steps${of}`;
  return (
    <Section
      id={`drawing-${drawing.drawing}`}
      title={t("credit.drawing", { drawing: drawing.drawing })}
      aside={<StateMark state={drawing.state} />}
    >
      <Facts
        rows={[
          [t("credit.claimed"), <Sum minor={drawing.claimed_minor} currency={credit.terms.currency} exponent={credit.exponent} />],
          [t("credit.presented"), drawing.presented_on],
          ...(drawing.examine_until ? ([[t("credit.examine_until"), drawing.examine_until]] as [string, string][]) : []),
          ...(drawing.due_on ? ([[t("credit.due"), drawing.due_on]] as [string, string][]) : []),
        ]}
      />
      {drawing.checks > 0 && (
        <p class={`verdict ${drawing.discrepancies.length ? "verdict-stop" : "verdict-good"}`}>
          <span>{drawing.discrepancies.length ? t("credit.discrepancies", { n: drawing.discrepancies.length, checks: drawing.checks }) : t("credit.no_discrepancies", { checks: drawing.checks })}</span>
        </p>
      )}
      <Buttons steps={nextSteps(credit, drawing, who?.party ?? "")} busy={busy} problem={problem} act={(step) => act(at, { step })} />
      {who?.party === credit.beneficiary && drawing.records_asked.length > 0 && (
        <RecordsAgain drawing={drawing} at={`${path}/drawings/${encodeURIComponent(drawing.drawing)}/records${of}`} done={done} />
      )}
      {rest.length > 0 && (
        <ul class="findings">
          {rest.map((each, i) => (
            <li key={i} class="finding">
              <Told discrepancy={each} />
            </li>
          ))}
        </ul>
      )}
      <div class="papers-grid">
        {papers.map((paper, i) => (
          <Document
            key={i}
            credit={credit}
            paper={paper}
            beside={beside.get(i) ?? []}
            examined={drawing.checks > 0}
            note={drawing.records_asked.includes(i) ? t("credit.asked_again", { until: drawing.records_until }) : ""}
            askAgain={mayAsk && paper["record"] === true && !paper["corruption"] ? () => act(`${path}/drawings/${encodeURIComponent(drawing.drawing)}/records/asked${of}`, { records: [i] }) : null}
          />
        ))}
      </div>
      {drawing.disregarded.length > 0 && (
        <details>
          <summary>{t("credit.disregarded", { n: drawing.disregarded.length })}</summary>
          {drawing.disregarded.map((each, i) => (
            <English key={i} text={each} />
          ))}
        </details>
      )}
    </Section>
  );
}

const isBank = (credit: Credit, party: string): boolean => party !== "" && [credit.issuer, credit.adviser, credit.confirmer].includes(party);

/** The steps that the reader's party may take now; the node judges anew. */
function nextSteps(credit: Credit, drawing: Drawing, party: string): string[] {
  const bank = isBank(credit, party);
  const { state } = drawing;
  const acceptance = credit.terms.available_by === "acceptance";
  const pays = ["complies", "waived"].includes(state) || state === "accepted";
  return [
    party === credit.beneficiary && state === "incomplete" && "complete",
    bank && state === "presented" && "examine",
    party === credit.applicant && ["discrepant", "refused"].includes(state) && "waive",
    bank && state === "discrepant" && "refuse",
    bank && acceptance && ["complies", "waived"].includes(state) && "accept",
    bank && pays && !(acceptance && state !== "accepted") && "honour",
    party === credit.issuer && state === "honoured" && "reimburse",
  ].filter((step): step is string => !!step);
}

const SIDE = /^(\w+):(\S+) = /;

/** Which discrepancies stand beside which document, by its place; what is about none is the rest. */
function placed(papers: Paper[], discrepancies: Discrepancy[]): { beside: Map<number, Discrepancy[]>; rest: Discrepancy[] } {
  const beside = new Map<number, Discrepancy[]>();
  const rest: Discrepancy[] = [];
  for (const each of discrepancies) {
    const place = [each.left, each.right].map((side) => SIDE.exec(side)?.[1]).map((kind) => papers.findIndex((paper) => paper.kind === kind)).find((i) => i >= 0);
    if (place === undefined) rest.push(each);
    else beside.set(place, [...(beside.get(place) ?? []), each]);
  }
  return { beside, rest };
}

interface Line {
  description: string;
  quantity: number;
  unit_price_minor: number;
}

function Document({ credit, paper, beside, examined, note, askAgain }: { credit: Credit; paper: Paper; beside: Discrepancy[]; examined: boolean; note: string; askAgain: (() => void) | null }) {
  const { currency } = credit.terms;
  const ours = (paper["currency"] ?? currency) === currency;
  const about = (field: string) => beside.filter((each) => [each.left, each.right].some((side) => {
    const match = SIDE.exec(side);
    return match?.[1] === paper.kind && (match[2] === field || match[2]?.startsWith(`${field}.`));
  }));
  // Where there are several kinds of goods, the price is theirs.
  const lines = (paper["lines"] ?? []) as Line[];
  const rows = Object.entries(paper).filter(([field, value]) => field !== "kind" && (about(field).length > 0 || !(isEmpty(value) || (field === "unit_price_minor" && lines.length > 0))));
  const named_ = new Set(rows.flatMap(([field]) => about(field)));
  const whole = beside.filter((each) => !named_.has(each));
  return (
    <article class={`paper ${beside.length ? "paper-stop" : examined ? "paper-good" : ""}`}>
      <h3>{named("paper", paper.kind)}</h3>
      {note && <p class="beside">{note}</p>}
      {askAgain && (
        <p class="money-buttons">
          <button type="button" class="button" onClick={askAgain}>
            {t("credit.ask_again")}
          </button>
        </p>
      )}
      {whole.map((each, i) => (
        <div key={i} class="beside">
          <Told discrepancy={each} />
        </div>
      ))}
      <dl class="paper-lines">
        {rows.map(([field, value]) => (
          <div key={field} class={about(field).length ? "line-stop" : ""}>
            <dt>{named("paper_field", field)}</dt>
            <dd>
              {field === "lines" ? (
                lines.map((line, i) => (
                  <div key={i}>
                    {line.quantity} × {ours ? <Sum minor={line.unit_price_minor} currency={currency} exponent={credit.exponent} /> : line.unit_price_minor} {line.description}
                  </div>
                ))
              ) : field.endsWith("_minor") && ours ? (
                <Sum minor={Number(value)} currency={currency} exponent={credit.exponent} />
              ) : (
                shown(value)
              )}
              {about(field).map((each, i) => (
                <div key={i} class="beside">
                  <Told discrepancy={each} />
                </div>
              ))}
            </dd>
          </div>
        ))}
      </dl>
    </article>
  );
}

function Told({ discrepancy }: { discrepancy: Discrepancy }) {
  return (
    <>
      <English text={discrepancy.sentence} />
      <p class="quiet c-data">{discrepancy.article}</p>
      <p class="c-data">
        <code>{discrepancy.left}</code>
        <br />
        <code>{discrepancy.right}</code>
      </p>
    </>
  );
}

const isEmpty = (value: unknown): boolean => value === "" || value === null || value === false || (Array.isArray(value) && value.length === 0);

/** A datum of a document as its face says it. */
function shown(value: unknown): string {
  if (Array.isArray(value)) return value.map(shown).join("; ");
  if (value !== null && typeof value === "object") return Object.values(value).map(shown).join(t("list.comma"));
  if (value === true) return t("yes");
  return String(value);
}
