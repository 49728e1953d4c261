// Entering a consignment: every fact once, checked as one types, and the documents that it makes.
import { useEffect, useRef, useState } from "preact/hooks";
import { Problem, get, made, send } from "../api";
import { useCell } from "../cell";
import { Loading, ProblemNote, Section, Time, asProblem } from "../parts/basics";
import { EQUIPMENT, type Fields, GROUPS, type Group, ITEM, entryFile, groupOf, labelled, named, otherwiseOf, partyOf, pathAt, sizeOf, without } from "../parts/entry";
import { Drop, type Given, base64, save } from "../parts/files";
import { Findings } from "../parts/findings";
import { go } from "../route";
import { session } from "../session";
import type { Draft, EntryField, EntryProgress, MadeDocument, NeededPaper, Trouble } from "../types";
import { t, tongue, tryWords } from "../words";

const BASE = "/v1/trade/entries";
const KEPT = "zhidao.entry";
const QUIET_MS = 500;
const SAVE_MS = 3000;
const LACKS_SHOWN = 12;

export default function PapersPage() {
  const [known, setKnown] = useState<EntryField[] | null>(null);
  const [fields, setFields] = useState<Fields>(() => JSON.parse(sessionStorage.getItem(KEPT) ?? "{}") as Fields);
  const [told, setTold] = useState<EntryProgress | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const asked = useRef(0);
  const failed = (error: unknown) => setProblem(asProblem(error));
  useEffect(() => {
    document.title = t("papers.document_title");
    get<EntryField[]>(`${BASE}/fields`).then(setKnown, failed);
  }, []);
  useEffect(() => {
    sessionStorage.setItem(KEPT, JSON.stringify(fields));
    const timer = setTimeout(() => {
      const mine = ++asked.current;
      send<EntryProgress>("POST", `${BASE}/check`, { fields }).then((now) => {
        // An answer about older texts must not stand beside newer ones.
        if (mine === asked.current) setTold(now);
      }, failed);
    }, QUIET_MS);
    return () => clearTimeout(timer);
  }, [fields]);
  if (problem && !known) return <ProblemNote problem={problem} />;
  if (!known) return <Loading what={t("papers.reading")} />;
  const put = (path: string, text: string) => setFields((old) => ({ ...old, [path]: text }));
  const whole = told !== null && told.missing.length === 0 && told.troubles.length === 0;
  return (
    <div class="page">
      <h1>{t("papers.title")}</h1>
      <p class="quiet">
        {t("papers.once")} <a href="/papers/folder">{t("papers.to_folder")}</a>
      </p>
      {problem && <ProblemNote problem={problem} />}
      <Drafts fields={fields} take={setFields} />
      <div class="entry-grid">
        <form onSubmit={(event) => event.preventDefault()} aria-label={t("papers.form")}>
          {GROUPS.map((group, n) => (
            <FieldGroup key={group} group={group} known={known} fields={fields} told={told} put={put} change={setFields} open={n === 0} />
          ))}
        </form>
        <div class="entry-side">
          <Section id="state-title" title={t("papers.state")}>
            {!told && <p role="status">{t("papers.checking")}</p>}
            {told && !whole && (
              <p role="status">
                {t("papers.filled", { done: told.needed - told.missing.length, needed: told.needed })}
                {told.troubles.length > 0 && <span class="stop"> {t("papers.troubles", { n: told.troubles.length })}</span>}
              </p>
            )}
            {told && whole && (
              <>
                <p role="status" class="good">
                  {t("papers.makes", { n: told.documents.length })}
                </p>
                <MadeSet documents={told.documents} fields={fields} />
              </>
            )}
            {told && <Needed told={told} />}
          </Section>
          <OpenRoad fields={fields} lacks={told?.road ?? null} known={known} />
          {told && whole && (
            <>
              <Section id="said-title" title={t("papers.compared")}>
                <Findings findings={told.findings} agree={told.agree} unasked={told.unasked} />
              </Section>
              <SendOn fields={fields} />
            </>
          )}
        </div>
      </div>
    </div>
  );
}

function Drafts({ fields, take }: { fields: Fields; take: (fields: Fields) => void }) {
  const who = useCell(session);
  const [drafts, setDrafts] = useState<Draft[]>([]);
  const [name, setName] = useState(() => decodeURIComponent(location.hash.slice(1)));
  const [saved, setSaved] = useState("");
  const [problem, setProblem] = useState<Problem | null>(null);
  const [told, tell] = useState("");
  const speaks = who?.role === "party";
  // Which opening counts: an answer that comes after another choice is thrown away.
  const turn = useRef(0);
  const failed = (error: unknown) => setProblem(asProblem(error));
  const list = () => {
    if (speaks) get<Draft[]>(`${BASE}/drafts`).then(setDrafts, failed);
  };
  const open = (wanted: string) => {
    const mine = ++turn.current;
    get<Draft>(`${BASE}/drafts/${wanted}`).then((draft) => {
      if (mine !== turn.current) return;
      setName(draft.name);
      setSaved("");
      history.replaceState(null, "", `#${draft.name}`);
      take(draft.fields);
    }, failed);
  };
  const empty = () => {
    // Whoever empties the form means the form, not the draft that was saved.
    turn.current += 1;
    setSaved("");
    setName("");
    history.replaceState(null, "", "/papers");
    take({});
  };
  const keep = () => {
    setProblem(null);
    const mine = turn.current;
    send<Draft>("POST", `${BASE}/drafts/${encodeURIComponent(name)}`, { fields }).then((draft) => {
      list();
      if (mine !== turn.current) return;
      history.replaceState(null, "", `#${name}`);
      setSaved(draft?.saved_at ?? "");
    }, failed);
  };
  useEffect(() => {
    list();
    if (name && speaks) open(name);
  }, []);
  useEffect(() => {
    // A draft that has been saved once goes on being saved.
    if (!saved) return;
    const timer = setTimeout(keep, SAVE_MS);
    return () => clearTimeout(timer);
  }, [fields]);
  const bring = (files: Given[]) => {
    setProblem(null);
    const file = files[0];
    if (!file) return;
    send<{ fields: Fields; unmapped: string[] }>("POST", `${BASE}/import`, file).then((found) => {
      if (!found) return;
      take({ ...fields, ...found.fields });
      tell(t("papers.imported", { n: Object.keys(found.fields).length, rest: found.unmapped.length }));
    }, failed);
  };
  return (
    <>
      {speaks && (
        <div class="row-buttons">
          <label class="field">
            <span>{t("papers.draft_name")}</span>
            <input type="text" maxLength={64} pattern="[A-Za-z0-9][A-Za-z0-9._\-]*" value={name} onInput={(event) => setName(event.currentTarget.value)} />
          </label>
          <button type="button" class="button" disabled={!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name)} onClick={keep}>
            {t("papers.keep")}
          </button>
          {drafts.length > 0 && (
            <label class="field">
              <span>{t("papers.drafts")}</span>
              <select value="" onChange={(event) => event.currentTarget.value && open(event.currentTarget.value)}>
                <option value="">{t("papers.choose")}</option>
                {drafts.map((draft) => (
                  <option key={draft.name} value={draft.name}>
                    {draft.name}
                  </option>
                ))}
              </select>
            </label>
          )}
          <button type="button" class="button" onClick={empty}>
            {t("papers.empty")}
          </button>
        </div>
      )}
      {saved && (
        <p class="quiet" role="status">
          {t("papers.saved")} <Time at={saved} />
        </p>
      )}
      <Drop take={bring} refused={() => setProblem(null)} label={t("papers.import")}>
        {told && <p role="status">{told}</p>}
      </Drop>
      {problem && <ProblemNote problem={problem} />}
    </>
  );
}

interface GroupProps {
  group: Group;
  known: EntryField[];
  fields: Fields;
  told: EntryProgress | null;
  put: (path: string, text: string) => void;
  change: (fields: Fields) => void;
  open: boolean;
}

function FieldGroup({ group, known, fields, told, put, change, open }: GroupProps) {
  const mine = known.filter((field) => groupOf(field.path) === group);
  const missing = told?.missing.filter((path) => groupOf(path) === group).length ?? 0;
  const wrong = told?.troubles.filter((each) => groupOf(each.path) === group).length ?? 0;
  // Fields of papers that this consignment does not need stand folded below the others.
  const apart = new Set(told?.apart);
  const nearer = mine.filter((field) => !apart.has(field.path));
  const folded = mine.filter((field) => apart.has(field.path));
  const repeated = group === "goods" ? ITEM : group === "boxes" ? EQUIPMENT : "";
  const size = repeated ? sizeOf(repeated, fields) : 1;
  const state = wrong ? t("papers.troubles", { n: wrong }) : missing ? t("papers.missing", { n: missing }) : told ? t("papers.full") : "";
  return (
    <details class="entry-group" open={open}>
      <summary>
        <span>{t(`papers.group.${group}`)}</span>
        <span class={wrong ? "stop" : missing ? "quiet" : "good"}>{state}</span>
      </summary>
      {repeated
        ? Array.from({ length: size }, (_, member) => (
            <fieldset key={member} class="entry-fields">
              <legend>
                {t(`papers.member.${group}`, { n: member + 1 })}{" "}
                {size > 1 && (
                  <button type="button" class="link-button" onClick={() => change(without(repeated, member, fields))}>
                    {t("papers.take_out")}
                  </button>
                )}
              </legend>
              {nearer.map((field) => (
                <Field key={field.path} field={field} path={pathAt(field.path, member)} fields={fields} told={told} put={put} />
              ))}
            </fieldset>
          ))
        : byParty(nearer).map(([party, some]) => (
            <fieldset key={party} class="entry-fields">
              <legend class={party ? "c-data" : "sr-only"}>{party || t(`papers.group.${group}`)}</legend>
              {some.map((field) => (
                <Field key={field.path} field={field} path={field.path} fields={fields} told={told} put={put} />
              ))}
            </fieldset>
          ))}
      {folded.length > 0 && (
        <details class="entry-apart">
          <summary class="quiet">{t("papers.apart")}</summary>
          {Array.from({ length: size }, (_, member) => (
            <div key={member} class="entry-fields">
              {folded.map((field) => (
                <Field key={field.path} field={field} path={pathAt(field.path, member)} fields={fields} told={told} put={put} />
              ))}
            </div>
          ))}
        </details>
      )}
      {group === "goods" && told?.papers.some((paper) => paper.cause === "agreement") && <Bills size={size} fields={fields} put={put} />}
      {repeated && (
        <p class="row-buttons">
          <button type="button" class="button" onClick={() => put(`${repeated}[${size}].id`, group === "goods" ? String(size + 1) : "")}>
            {t(`papers.add.${group}`)}
          </button>
        </p>
      )}
    </details>
  );
}

interface OriginBasis {
  agreement: string;
  criterion: string;
  share_percent: string;
}

/** Bills of materials: by one the origin of its item is determined, and the criterion filled in. */
function Bills({ size, fields, put }: { size: number; fields: Fields; put: (path: string, text: string) => void }) {
  const [item, setItem] = useState(0);
  const [told, tell] = useState("");
  // By item, which criterion a bill led to here; another one is what the exporter says.
  const [led, setLed] = useState<Record<string, string>>({});
  const [problem, setProblem] = useState<Problem | null>(null);
  const nameOf = (member: number) => fields[`${ITEM}[${member}].id`] || String(member + 1);
  const criterionOf = (member: number) => fields[`${ITEM}[${member}].originCriterionCode`] ?? "";
  const stated = Array.from({ length: size }, (_, member) => member).filter((member) => criterionOf(member) && led[nameOf(member)] !== criterionOf(member));
  const number = nameOf(item);
  const take = (files: Given[]) => {
    setProblem(null);
    tell("");
    const file = files[0];
    if (!file) return;
    send<OriginBasis[]>("POST", "/v1/trade/origin", { fields, item: number, content: file.content }).then(
      (found) => {
        const criteria = new Set(found?.map((basis) => basis.criterion));
        const [only] = [...criteria];
        if (criteria.size === 1 && only) {
          put(`${ITEM}[${item}].originCriterionCode`, only);
          setLed({ ...led, [number]: only });
        }
        tell((found ?? []).map((basis) => t("papers.determined", { agreement: basis.agreement, criterion: basis.criterion, share: basis.share_percent })).join(" "));
      },
      (error: unknown) => setProblem(asProblem(error)),
    );
  };
  return (
    <Drop take={take} label={t("papers.bill")}>
      {size > 1 && (
        <label class="field">
          <span>{t("papers.bill_of")}</span>
          <select value={item} onChange={(event) => setItem(Number(event.currentTarget.value))}>
            {Array.from({ length: size }, (_, member) => (
              <option key={member} value={member}>
                {t("papers.member.goods", { n: member + 1 })}
              </option>
            ))}
          </select>
        </label>
      )}
      {stated.map((member) => (
        <p key={member} class="quiet">
          {t("papers.stated", { item: nameOf(member), criterion: criterionOf(member) })}
        </p>
      ))}
      {told && <p role="status">{told}</p>}
      {problem && <ProblemNote problem={problem} />}
    </Drop>
  );
}

function byParty(fields: EntryField[]): [string, EntryField[]][] {
  const found = new Map<string, EntryField[]>();
  for (const field of fields) found.set(partyOf(field), [...(found.get(partyOf(field)) ?? []), field]);
  return [...found];
}

interface FieldProps {
  field: EntryField;
  path: string;
  fields: Fields;
  told: EntryProgress | null;
  put: (path: string, text: string) => void;
}

function Field({ field, path, fields, told, put }: FieldProps) {
  const trouble = told?.troubles.find((each) => each.path === path);
  const value = fields[path] ?? "";
  const common = {
    id: path,
    value,
    "aria-invalid": trouble ? ("true" as const) : undefined,
    "aria-describedby": trouble ? `${path}-trouble` : undefined,
  };
  return (
    <div class="field">
      <label for={path} class="quiet">
        {named(field)}
        {otherwiseOf(field) ? ` (${t("papers.otherwise", { what: otherwiseOf(field) })})` : !field.needed && ` (${t("papers.optional")})`}
      </label>
      {field.choices.length > 0 ? (
        <select {...common} onChange={(event) => put(path, event.currentTarget.value)}>
          <option value="">{t("papers.choose")}</option>
          {field.choices.map((choice) => (
            <option key={choice} value={choice} selected={choice === value}>
              {choice}
            </option>
          ))}
        </select>
      ) : path.endsWith("Date") ? (
        <input {...common} type="date" onInput={(event) => put(path, event.currentTarget.value)} />
      ) : field.suggested ? (
        <Suggested common={common} kind={field.suggested} put={(text) => put(path, text)} />
      ) : (
        <input {...common} type="text" maxLength={300} onInput={(event) => put(path, event.currentTarget.value)} />
      )}
      {trouble && (
        <span id={`${path}-trouble`} class="field-trouble">
          <TroubleWords trouble={trouble} />
        </span>
      )}
    </div>
  );
}

interface Common {
  id: string;
  value: string;
  "aria-invalid": "true" | undefined;
  "aria-describedby": string | undefined;
}

/** A code with those of the node's lists that begin so, or whose names do. */
function Suggested({ common, kind, put }: { common: Common; kind: string; put: (text: string) => void }) {
  const [found, setFound] = useState<{ code: string; name: string }[]>([]);
  const turn = useRef(0);
  const ask = (text: string) => {
    put(text);
    const mine = ++turn.current;
    if (text.length < 2) return setFound([]);
    // Without suggestions the field is as good as any other.
    get<{ code: string; name: string }[]>(`/v1/trade/codes?kind=${kind}&text=${encodeURIComponent(text)}`).then(
      (codes) => mine === turn.current && setFound(codes),
      () => setFound([]),
    );
  };
  return (
    <>
      <input {...common} type="text" maxLength={70} list={`${common.id}-codes`} autocomplete="off" onInput={(event) => ask(event.currentTarget.value)} />
      <datalist id={`${common.id}-codes`}>
        {found.map((each) => (
          <option key={each.code} value={each.code}>
            {each.name}
          </option>
        ))}
      </datalist>
    </>
  );
}

function TroubleWords({ trouble }: { trouble: Trouble }) {
  const words = tryWords(`field_problem.${trouble.code}`);
  return (
    <>
      {words}{" "}
      <span lang="en" class="c-data">
        {[trouble.sentence, trouble.remedy].filter(Boolean).join("; ")}
      </span>
    </>
  );
}

function MadeSet({ documents, fields }: { documents: MadeDocument[]; fields: Fields }) {
  const [problem, setProblem] = useState<Problem | null>(null);
  const fetchOne = (path: string, name: string, type: string) => {
    setProblem(null);
    made(path, { fields }).then(
      (bytes) => save(bytes, name, type),
      (error: unknown) => setProblem(asProblem(error)),
    );
  };
  const language = tongue.value === "zh" ? "zh" : "both";
  return (
    <>
      <ul class="set-list">
        {documents.map((each) => (
          <li key={each.kind} class="c-data">
            <span>
              {labelled(each)} <strong>{each.number}</strong>
            </span>
            <span>
              <button type="button" class="link-button" aria-label={t("papers.machine_of", { number: each.number })} onClick={() => fetchOne(`${BASE}/documents/${each.kind}`, `${each.kind}.${each.kind.startsWith("invoice") ? "xml" : "json"}`, "application/octet-stream")}>
                {t("papers.machine")}
              </button>{" "}
              <button type="button" class="link-button" aria-label={t("papers.print_of", { number: each.number })} onClick={() => fetchOne(`${BASE}/prints/${each.kind}?language=${language}`, `${each.kind}.pdf`, "application/pdf")}>
                {t("papers.print")}
              </button>
            </span>
          </li>
        ))}
      </ul>
      <p class="row-buttons">
        <button type="button" class="button" onClick={() => save(entryFile(fields), "entry.json", "application/json")}>
          {t("papers.entry_file")}
        </button>
      </p>
      {problem && <ProblemNote problem={problem} />}
    </>
  );
}

/** The papers that the way of the goods, the border and the agreement ask for, each with the reason. */
function Needed({ told }: { told: EntryProgress }) {
  // What is not entered yet is no reason to show a question mark.
  const why = (paper: NeededPaper) => (paper.cause_of.includes("?") ? t(paper.cause === "credit" ? "papers.why.credit_open" : "papers.why.border_open") : t(`papers.why.${paper.cause}`, { of: paper.cause_of }));
  return (
    <>
      <h3>{t("papers.needs")}</h3>
      <ul class="needed-list">
        {[...told.papers, ...told.left_out].map((paper) => (
          <li key={paper.kind} data-cause={paper.cause}>
            {labelled(paper)} <span class="quiet">{why(paper)}</span>
          </li>
        ))}
      </ul>
      {told.possible.length > 0 && <p class="quiet">{t("papers.possible", { agreements: told.possible.join(", ") })}</p>}
    </>
  );
}

/** Opens the consignment on the node, once the form has what a road asks for. */
function OpenRoad({ fields, lacks, known }: { fields: Fields; lacks: string[] | null; known: EntryField[] }) {
  const who = useCell(session);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  if (who?.role !== "party" || !fields.id) return null;
  const open = async () => {
    setProblem(null);
    setBusy(true);
    try {
      await send("POST", "/v1/trade/consignments", JSON.parse(entryFile(fields)));
      go(`/consignments/${encodeURIComponent(fields.id ?? "")}`);
    } catch (error) {
      setProblem(asProblem(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Section id="road-title" title={t("papers.road")}>
      <p class="quiet">{t("papers.road_needs")}</p>
      {lacks && lacks.length > 0 && (
        <>
          <p role="status">{t("papers.road_lacks", { n: lacks.length })}</p>
          <ul class="road-lacks">
            {lacks.slice(0, LACKS_SHOWN).map((path) => (
              <li key={path}>
                <button type="button" class="link-button" onClick={() => lead(path)}>
                  {calledAt(path, known)}
                </button>
              </li>
            ))}
            {lacks.length > LACKS_SHOWN && <li>{t("papers.road_more", { n: lacks.length - LACKS_SHOWN })}</li>}
          </ul>
        </>
      )}
      <p class="row-buttons">
        <button type="button" class="button" disabled={busy || lacks?.length !== 0} onClick={open}>
          {t("papers.open_road")}
        </button>
      </p>
      {problem && <ProblemNote problem={problem} />}
    </Section>
  );
}

/** What a field at a place is called, with the party or the member that it is of. */
function calledAt(path: string, known: EntryField[]): string {
  const field = known.find((each) => each.path === path.replace(/\[\d+\]/, "[]"));
  if (!field) return path;
  const member = /\[(\d+)\]/.exec(path);
  const group = groupOf(path);
  const of = member ? t(`papers.member.${group}`, { n: Number(member[1]) + 1 }) : partyOf(field);
  return of ? t("papers.field_of", { of, field: named(field) }) : named(field);
}

/** Opens the group of a field and puts the cursor there. */
function lead(path: string) {
  const field = document.getElementById(path);
  for (let fold = field?.closest("details"); fold; fold = fold.parentElement?.closest("details")) fold.setAttribute("open", "");
  field?.focus();
}

/** What can be done with a whole set: declare it, or present it to a bank. */
function SendOn({ fields }: { fields: Fields }) {
  const who = useCell(session);
  const [customs, setCustoms] = useState("customs");
  const [bank, setBank] = useState("");
  const [problem, setProblem] = useState<Problem | null>(null);
  const [done, tell] = useState("");
  if (who?.role !== "party") return null;
  const failed = (error: unknown) => setProblem(asProblem(error));
  const declare = async (kind: string) => {
    setProblem(null);
    const bytes = await made(`${BASE}/documents/${kind}`, { fields });
    const body = { kind, content: base64(new Uint8Array(bytes)), customs };
    const lodged = await send<{ declaration: string }>("POST", "/v1/trade/declarations", body);
    go(`/declarations#${encodeURIComponent(lodged?.declaration ?? "")}`);
  };
  const present = async () => {
    setProblem(null);
    const entry = base64(new TextEncoder().encode(entryFile(fields)));
    const set = await send<{ presentation: string }>("POST", "/v1/trade/presentations", { entry, bank });
    tell(t("papers.presented", { number: set?.presentation ?? "" }));
  };
  return (
    <Section id="send-title" title={t("papers.send")}>
      <div class="row-buttons">
        <label class="field">
          <span>{t("window.customs")}</span>
          <input type="text" maxLength={64} value={customs} onInput={(event) => setCustoms(event.currentTarget.value)} />
        </label>
        {["export_declaration", "import_declaration"].map((kind) => (
          <button key={kind} type="button" class="button" disabled={!customs} onClick={() => declare(kind).catch(failed)}>
            {t(`papers.lodge.${kind}`)}
          </button>
        ))}
      </div>
      <div class="row-buttons">
        <label class="field">
          <span>{t("papers.bank")}</span>
          <input type="text" maxLength={64} value={bank} onInput={(event) => setBank(event.currentTarget.value)} />
        </label>
        <button type="button" class="button" disabled={!bank} onClick={() => present().catch(failed)}>
          {t("papers.present")}
        </button>
      </div>
      {done && (
        <p role="status" class="good">
          {done}
        </p>
      )}
      {problem && <ProblemNote problem={problem} />}
    </Section>
  );
}
