// The single window: what was lodged, why it has its channel, and what each side may do next.
import { useEffect, useState } from "preact/hooks";
import { type Problem, get, send } from "../api";
import { useCell } from "../cell";
import { mayOpen } from "../doors";
import { English, Facts, Loading, ProblemNote, Section, asProblem } from "../parts/basics";
import { Drop, type Given } from "../parts/files";
import { Table, columnsOf } from "../parts/table";
import { rowsBy } from "../seen";
import { session } from "../session";
import type { Declaration, Rerun } from "../types";
import { named, t, tongue } from "../words";

const BASE = "/v1/trade/declarations";
const ENDED = ["released", "refused", "cancelled"];

const LODGED = rowsBy<Declaration>(
  (row) => row.declaration,
  (row) => `${row.version} ${row.status} ${row.answers.map((each) => each.agency + each.answer).join(" ")}`,
);

export default function DeclarationsPage() {
  const [acts, setActs] = useState(0);
  const [chosen, choose] = useState(() => decodeURIComponent(location.hash.slice(1)));
  useEffect(() => {
    document.title = t("window.document_title");
  }, []);
  const open = (id: string) => {
    history.replaceState(null, "", `#${encodeURIComponent(id)}`);
    choose(id);
  };
  return (
    <div class="page">
      <h1>{t("window.title")}</h1>
      <div class="two">
        <Table
          list="declarations"
          title={t("window.title")}
          columns={columnsOf("declaration", "status", "kind", "declarant")}
          id={(row: Declaration) => row.declaration}
          none={
            <>
              {t("window.none")} {mayOpen("/papers") && <a href="/papers">{t("window.none_yet")}</a>}
            </>
          }
          follows={acts}
          changes={LODGED}
          line={(row) => (
            <li key={row.declaration}>
              <button type="button" class="window-row c-data" aria-current={row.declaration === chosen} onClick={() => open(row.declaration)}>
                <strong>{row.declaration}</strong> <span>{named("window.status", row.status)}</span>
                <span class="quiet">
                  {" "}
                  {named("window.kind", row.kind)} · {t("window.by", { party: row.declarant })}
                </span>
              </button>
            </li>
          )}
        />
        {chosen && <Case key={chosen} id={chosen} changed={() => setActs((n) => n + 1)} />}
      </div>
    </div>
  );
}

function Case({ id, changed }: { id: string; changed: () => void }) {
  const who = useCell(session);
  const at = `${BASE}/${encodeURIComponent(id)}`;
  const [found, setFound] = useState<Declaration | null>(null);
  const [runs, setRuns] = useState<Rerun[] | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const failed = (error: unknown) => setProblem(asProblem(error));
  useEffect(() => {
    get<Declaration>(at).then(setFound, failed);
  }, [at]);
  const act = (what: string, body: object) => {
    setProblem(null);
    send<Declaration>("POST", what ? `${at}/${what}` : BASE, body).then((now) => {
      setFound(now);
      setRuns(null);
      changed();
    }, failed);
  };
  if (problem && !found) return <ProblemNote problem={problem} />;
  if (!found) return <Loading what={t("window.reading")} />;
  const open = !ENDED.includes(found.status);
  const mine = who?.party === found.declarant;
  return (
    <div class="case">
      <Section id="case-title" title={found.declaration}>
      <Facts
        rows={[
          [t("window.status"), named("window.status", found.status)],
          [t("window.kind"), named("window.kind", found.kind)],
          [t("window.version"), found.reason ? t("told.with", { what: String(found.version), more: found.reason }) : String(found.version)],
          [t("window.declarant"), found.declarant],
          [t("window.customs"), found.customs],
          ...(found.ended_by ? [[t("window.reason"), found.ended_by] as [string, string]] : []),
        ]}
      />
      {found.risk && (
        <>
          <h3>{t("window.channel", { channel: named("window.channel", found.risk.channel), score: found.risk.score })}</h3>
          {found.risk.at_random && <p>{t("window.at_random")}</p>}
          {found.reasons.length === 0 && <p class="quiet">{t("window.no_rule")}</p>}
          <ul class="services">
            {found.reasons.map((each) => (
              <li key={each.rule + each.fact} class="c-data">
                <strong class="n">{each.weight > 0 ? `+${each.weight}` : each.weight}</strong>
                <div>
                  {each.fact === "value.notCompared" && <p>{t("window.not_compared")}</p>}
                  {each.reason_zh && tongue.value === "zh" ? <p>{each.reason_zh}</p> : <English text={each.reason || each.rule} />}
                  <code class="quiet">
                    {each.fact} = {each.value}
                  </code>
                </div>
              </li>
            ))}
          </ul>
          <p>
            <button type="button" class="button" onClick={() => send<Rerun[]>("POST", `${at}/rerun`).then(setRuns, failed)}>
              {t("window.rerun")}
            </button>
          </p>
          {runs?.map((run) => (
            <p key={run.version} role="status" class={run.same ? "good" : "stop"}>
              {t(run.same ? "window.same" : "window.other", { version: run.version, channel: named("window.channel", run.channel) })}
            </p>
          ))}
        </>
      )}
      {found.agencies.length > 0 && (
        <>
          <h3>{t("window.agencies")}</h3>
          <Facts rows={found.agencies.map((agency) => [agency, answered(found, agency)])} />
        </>
      )}
      {problem && <ProblemNote problem={problem} />}
      <div role="status">
        {(found.roads ?? []).map((road) => (
          <p key={road} class="good">
            {t("window.let_go", { consignment: road })} <a href={`/consignments/${encodeURIComponent(road)}`}>{t("window.road")}</a>
          </p>
        ))}
      </div>
      {open && who?.party === found.customs && (
        <Word
          title={t("window.decide")}
          means={t("window.decide_means")}
          choices={["released", "held", "refused"].map((each) => [each, named("window.do", each)])}
          said={(decision, reason) => act("decision", { version: found.version, decision, reason })}
        />
      )}
      {open && found.agencies.includes(who?.party ?? "") && (
        <Word
          title={t("window.answer")}
          choices={["permit", "deny"].map((each) => [each, named("window.do", each)])}
          said={(word, reason) => act("answer", { version: found.version, permit: word === "permit", reason })}
        />
      )}
      {open && mine && (
        <>
          <Word title={t("window.cancel_title")} needsReason choices={[["cancel", t("window.do.cancel")]]} said={(_, reason) => act("cancel", { version: found.version, reason })} />
          <Amend found={found} said={(content, reason) => act("", { kind: found.kind, content, customs: found.customs, agencies: found.agencies, reason })} />
        </>
      )}
      </Section>
    </div>
  );
}

function answered(found: Declaration, agency: string): string {
  const word = found.answers.find((each) => each.agency === agency);
  if (!word) return t("window.silent");
  const said = named("window.answered", word.answer);
  return word.reason ? t("told.with", { what: said, more: word.reason }) : said;
}

/** A reason and the buttons that say something with it. */
function Word({ title, means, choices, said, needsReason }: { title: string; means?: string; choices: [string, string][]; said: (choice: string, reason: string) => void; needsReason?: boolean }) {
  const [reason, setReason] = useState("");
  return (
    <form onSubmit={(event) => event.preventDefault()}>
      <h3>{title}</h3>
      {means && <p class="quiet">{means}</p>}
      <label class="field">
        <span>{t("window.reason")}</span>
        <input type="text" maxLength={500} value={reason} onInput={(event) => setReason(event.currentTarget.value)} />
      </label>
      <div class="row-buttons">
        {choices.map(([choice, words]) => (
          <button key={choice} type="button" class="button" disabled={needsReason && !reason} onClick={() => said(choice, reason)}>
            {words}
          </button>
        ))}
      </div>
    </form>
  );
}

function Amend({ found, said }: { found: Declaration; said: (content: string, reason: string) => void }) {
  const [reason, setReason] = useState("");
  const [file, setFile] = useState<Given | null>(null);
  return (
    <>
      <h3>{t("window.amend")}</h3>
      <Drop take={(files) => setFile(files[0] ?? null)} label={t("window.amend_drop", { version: found.version + 1 })}>
        {file && <p class="c-data">{file.name}</p>}
      </Drop>
      <label class="field">
        <span>{t("window.reason")}</span>
        <input type="text" maxLength={500} value={reason} onInput={(event) => setReason(event.currentTarget.value)} />
      </label>
      <div class="row-buttons">
        <button type="button" class="button" disabled={!file || !reason} onClick={() => file && said(file.content, reason)}>
          {t("window.do.amend")}
        </button>
      </div>
    </>
  );
}
