// Trust: the log and who watches it, titles and how they came there, frauds, and a file checked in this browser.
import { Term } from "../parts/term";
import { Witnesses } from "../parts/witnesses";
import { useEffect, useState } from "preact/hooks";
import { get } from "../api";
import { number } from "../format";
import { Digits, Facts, Loading, ProblemNote, Section, Time, asProblem, useAnswer } from "../parts/basics";
import { FileCheck } from "../parts/file_check";
import { Table, columnsOf } from "../parts/table";
import { MilestoneMark } from "../parts/shapes";
import type { Endorsement, LeafAnswer, TitleRow, WitnessState } from "../types";
import { fromEitherBase64, hex, text } from "../verify/bytes";
import { climb, leafHash, readCheckpoint } from "../verify/log";
import { named, t, tryWords } from "../words";

const AGAIN_MS = 5_000;
const ED25519_WITH_TIME = 72;

export default function TrustPage() {
  const [watch, readWatch] = useAnswer<WitnessState>("/v1/trust/witness");
  useEffect(() => {
    document.title = t("trust.document_title");
    const timer = setInterval(readWatch, AGAIN_MS);
    return () => clearInterval(timer);
  }, []);
  return (
    <div class="page">
      <h1>{t("trust.title")}</h1>
      {watch.state === "loading" && <Loading what={t("trust.reading")} />}
      {watch.state === "failed" && <ProblemNote problem={watch.problem} again={readWatch} />}
      {watch.state === "here" && <Frauds state={watch.value} />}
      <FileCheck />
      <div class="two">
        <LogHead />
        {watch.state === "here" && <Witnesses state={watch.value} />}
      </div>
      <Titles />
    </div>
  );
}

function Frauds({ state }: { state: WitnessState }) {
  const convicted = state.logs.filter((log) => log.convicted);
  return (
    <Section id="frauds-title" title={t("trust.frauds")}>
      {state.frauds.length === 0 && convicted.length === 0 ? (
        <p class="good">{t("trust.no_frauds")}</p>
      ) : (
        <ul class="alarms">
          {state.frauds.map((name) => (
            <li key={name} class="note note-stop">
              <p class="note-title">{t("trust.fraud", { name })}</p>
              <p>{t("trust.fraud_means")}</p>
              <a class="button" href={`/v1/trust/frauds/${name}`} download={`${name}.zdfraud`}>
                {t("trust.fraud_file")}
              </a>
            </li>
          ))}
          {convicted.map((log) => (
            <li key={log.origin} class="note note-stop">
              <p class="note-title">{t("trust.convicted", { log: log.origin })}</p>
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}

/** The log's newest head, read again and again, and any of its leaves with the way to that head. */
function LogHead() {
  const [note, setNote] = useState("");
  const [problem, setProblem] = useState<ReturnType<typeof asProblem> | null>(null);
  const read = () => {
    fetch("/log/checkpoint")
      .then((answer) => (answer.ok ? answer.text() : Promise.reject(new Error(`${answer.status}`))))
      .then(
        (found) => {
          setNote(found);
          setProblem(null);
        },
        (error: unknown) => setProblem(asProblem(error)),
      );
  };
  useEffect(() => {
    read();
    const timer = setInterval(read, AGAIN_MS);
    return () => clearInterval(timer);
  }, []);
  const head = note ? readCheckpoint(note) : null;
  return (
    <Section id="head-title" title={t("trust.log")} aside={<Term name="log_head" />}>
      {problem && <ProblemNote problem={problem} again={read} />}
      {head && (
        <Facts
          rows={[
            [t("trust.origin"), <span class="break">{head.origin}</span>],
            [t("trust.size"), <span class="n">{number(head.size)}</span>],
            [t("trust.root"), <Digits value={hex(head.root)} />],
            [t("trust.signers"), head.signatures.map((line) => <Signer name={line.name} bytes={line.signature.length} />)],
          ]}
        />
      )}
      {head && <Leaf size={head.size} />}
    </Section>
  );
}

/** Who signed, and how: a line of a signed note does not name its algorithm, its length does. */
function Signer({ name, bytes }: { name: string; bytes: number }) {
  return (
    <div class="break">
      {name} <span class="quiet">{bytes > ED25519_WITH_TIME ? "ML-DSA-44" : "Ed25519"}</span>
    </div>
  );
}

interface Shown {
  index: number;
  size: number;
  holds: boolean;
  kind: string;
  event: { type: string; party: string; at: string } | null;
  hash: string;
}

function Leaf({ size }: { size: number }) {
  const [index, setIndex] = useState(String(Math.max(size - 1, 0)));
  const [shown, set] = useState<Shown | null>(null);
  const [problem, setProblem] = useState<ReturnType<typeof asProblem> | null>(null);
  const look = async (event: Event) => {
    event.preventDefault();
    try {
      set(await readLeaf(Number(index)));
      setProblem(null);
    } catch (error) {
      set(null);
      setProblem(asProblem(error));
    }
  };
  return (
    <form class="leaf-form" onSubmit={(event) => void look(event)}>
      <label>
        {t("trust.leaf_number")}{" "}
        <input type="number" min="0" max={size - 1} value={index} onInput={(event) => setIndex(event.currentTarget.value)} />
      </label>{" "}
      <button type="submit" class="button">
        {t("trust.leaf_show")}
      </button>
      {problem && <ProblemNote problem={problem} />}
      {shown && (
        <div role="status">
          <p>
            <MilestoneMark state={shown.holds ? "done" : "refused"} />{" "}
            {t(shown.holds ? "trust.leaf_in" : "trust.leaf_out", { index: shown.index, size: shown.size })}
          </p>
          {shown.event ? (
            <p>
              {tryWords(`event.${shown.event.type}`) ?? shown.event.type}, {named("party", shown.event.party)}{" "}
              <Time at={shown.event.at} />
            </p>
          ) : (
            <p>{t("trust.leaf_commitment")}</p>
          )}
          <Digits value={shown.hash} />
        </div>
      )}
    </form>
  );
}

async function readLeaf(index: number): Promise<Shown> {
  const found = await get<LeafAnswer>(`/v1/trust/log/${index}`);
  const leaf = fromEitherBase64(found.leaf);
  const head = readCheckpoint(found.checkpoint);
  const hash = await leafHash(leaf);
  const steps = await climb(hash, index, head.size, found.inclusion.map(fromEitherBase64));
  const entry = JSON.parse(text(leaf)) as { kind: string; event?: { type: string; recorded_at: string; asserted_by: { party: string } } };
  return {
    index,
    size: head.size,
    holds: hex(steps.at(-1)?.above ?? hash) === hex(head.root),
    kind: entry.kind,
    event: entry.event ? { type: entry.event.type, party: entry.event.asserted_by.party, at: entry.event.recorded_at } : null,
    hash: hex(hash),
  };
}

function Titles() {
  return (
    <Section id="titles-title" title={t("trust.titles")}>
      <Table
        list="titles"
        title={t("trust.titles")}
        columns={columnsOf("consignment", "holder_party", "beneficiary_party", "active")}
        id={(row: TitleRow) => row.title}
        none={t("trust.titles_none")}
        line={(title) => (
          <li key={title.title}>
            <TitleStory title={title} />
          </li>
        )}
      />
    </Section>
  );
}

function TitleStory({ title }: { title: TitleRow }) {
  const [links, set] = useState<Endorsement[] | null>(null);
  const [problem, setProblem] = useState<ReturnType<typeof asProblem> | null>(null);
  const open = (event: Event) => {
    if (!(event.currentTarget as HTMLDetailsElement).open || links) return;
    get<Endorsement[]>(`/v1/trust/titles/${title.title}/endorsements`).then(set, (error: unknown) => setProblem(asProblem(error)));
  };
  const held = title.active ? named("party", title.holder_party || title.holder) : t("trust.title_ended");
  return (
    <details class="title-story" onToggle={open}>
      <summary>
        <span class="c-data">{title.consignment}</span>: {held}
      </summary>
      <p>
        <a href={`/consignments/${encodeURIComponent(title.consignment)}`}>{t("trust.title_road")}</a>
      </p>
      <Digits value={title.title} />
      {problem && <ProblemNote problem={problem} />}
      {links && (
        <ol class="told-list">
          {links.map((link) => (
            <li key={link.number}>
              {named("action", link.action)}: {named("party", link.signer_party || link.signer)}
              {link.holder && ` \u2192 ${named("party", link.holder_party || link.holder)}`} <Time at={link.at} />
              {link.remark && <span class="quiet"> {link.remark}</span>}
            </li>
          ))}
        </ol>
      )}
    </details>
  );
}
