// Where a thing went, or what it came from: what the captured events say, and where nobody told more.
import { useEffect, useState } from "preact/hooks";
import { get, type Problem, sendBytes } from "../api";
import { mayDo } from "../doors";
import { asProblem, Facts, ProblemNote, Section, Time } from "../parts/basics";
import { Form } from "../parts/form";
import { number } from "../format";
import type { TraceView } from "../types";
import { t } from "../words";

// More rows than this are told by their number: nobody reads twenty thousand.
const ROWS_MAX = 200;

export default function TracePage() {
  useEffect(() => void (document.title = t("trace.document_title")), []);
  const given = new URLSearchParams(location.search).get("thing") ?? "";
  const [thing, setThing] = useState(given);
  const [direction, setDirection] = useState<"forward" | "backward">("forward");
  const [found, setFound] = useState<TraceView | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  const ask = async (event?: Event) => {
    event?.preventDefault();
    if (!thing.trim() || busy) return;
    setBusy(true);
    setProblem(null);
    try {
      setFound(await get<TraceView>(`/v1/epcis/trace?${new URLSearchParams({ thing: thing.trim(), direction })}`));
    } catch (error) {
      setFound(null);
      setProblem(asProblem(error));
    } finally {
      setBusy(false);
    }
  };
  useEffect(() => void (given && ask()), []);
  return (
    <div class="page">
      <h1>{t("trace.title")}</h1>
      <p class="quiet">{t("trace.means")}</p>
      <form onSubmit={(event) => void ask(event)}>
        <label class="field">
          <span>{t("trace.thing")}</span>
          <input required maxLength={512} value={thing} onInput={(event) => setThing(event.currentTarget.value)} />
        </label>
        <label class="field">
          <span>{t("trace.direction")}</span>
          <select value={direction} onChange={(event) => setDirection(event.currentTarget.value as "forward" | "backward")}>
            <option value="forward">{t("trace.forward")}</option>
            <option value="backward">{t("trace.backward")}</option>
          </select>
        </label>
        <button class="button button-main" disabled={busy}>
          {t("trace.go")}
        </button>
      </form>
      {problem && <ProblemNote problem={problem} />}
      {found && <Found found={found} />}
      {mayDo("capture") && <Capture />}
    </div>
  );
}

function Found({ found }: { found: TraceView }) {
  const steps = found.steps.filter((step) => step.before);
  return (
    <Section id="trace-title" title={t(found.direction === "forward" ? "trace.went" : "trace.came")}>
      <p class={found.complete ? "verdict verdict-good" : "verdict verdict-stop"} role="status">
        {t(found.complete ? "trace.complete" : found.cut_short ? "trace.cut_short" : "trace.not_complete")}
      </p>
      <Facts
        rows={[
          [t(found.direction === "forward" ? "trace.made" : "trace.made_of"), number(found.made)],
          [t("trace.carried"), number(found.carried)],
          ...(found.direction === "forward" ? [[t("trace.beside"), number(found.beside)] as [string, string]] : []),
        ]}
      />
      <ol class="plain">
        {steps.slice(0, ROWS_MAX).map((step) => (
          <li key={`${step.thing} ${step.from_time} ${step.role}`}>
            <p>
              <span class="quiet break-words">{step.before}</span> → <strong class="break-words">{step.thing}</strong>
              <br />
              <span class="quiet">
                {t(`trace.role_${step.role}`)} · {t("trace.says", { by: step.by })}
                {step.from_time && (
                  <>
                    {" · "}
                    <Time at={step.from_time} />
                  </>
                )}
              </span>
            </p>
          </li>
        ))}
      </ol>
      {steps.length > ROWS_MAX && <p class="quiet">{t("trace.more", { n: steps.length - ROWS_MAX })}</p>}
      <h3>{t("trace.ends")}</h3>
      <ul class="plain">
        {found.ends.slice(0, ROWS_MAX).map((end) => (
          <li key={end.thing} class={end.why === "not_told" ? "verdict verdict-stop" : ""}>
            <span class="break-words">{t("trace.end", { thing: end.thing, why: t(`trace.why_${end.why}`) })}</span>
          </li>
        ))}
        {found.cycles.map((cycle) => (
          <li key={cycle.join(" ")} class="verdict verdict-stop">
            {t("trace.cycle", { things: cycle.join(" → ") })}
          </li>
        ))}
        {found.contradictions.map(([thing, one, first, other, second]) => (
          <li key={`${first} ${second}`} class="verdict verdict-stop">
            {t("trace.contradiction", { thing: thing ?? "", one: one ?? "", other: other ?? "" })}
          </li>
        ))}
      </ul>
    </Section>
  );
}

function Capture() {
  const [file, setFile] = useState<File | null>(null);
  const [readers, setReaders] = useState("");
  const capture = async () => {
    if (!file) return;
    const query = readers.trim() ? `?${new URLSearchParams({ readers: readers.trim() })}` : "";
    // Its bytes are kept as evidence, so they go as they are.
    await sendBytes(`/v1/epcis/capture${query}`, file, "application/json");
  };
  return (
    <Form title={t("trace.capture")} submit={t("trace.capture_go")} said={t("trace.captured")} send={capture} done={() => undefined}>
      <p class="quiet">{t("trace.capture_means")}</p>
      <label class="field">
        <span>{t("trace.file")}</span>
        <input required type="file" accept=".json,.jsonld,application/json" onChange={(event) => setFile(event.currentTarget.files?.[0] ?? null)} />
      </label>
      <label class="field">
        <span>{t("trace.readers")}</span>
        <input value={readers} onInput={(event) => setReaders(event.currentTarget.value)} />
      </label>
    </Form>
  );
}
