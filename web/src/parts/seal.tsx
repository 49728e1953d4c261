// The seal on every statement, and the dialog in which the reader checks it with the own browser.
import { useEffect, useRef, useState } from "preact/hooks";
import { asProblem, Facts, ProblemNote, Time } from "./basics";
import { Stamp } from "./shapes";
import { type Problem, get } from "../api";
import { Cell, useCell, useNow } from "../cell";
import { ago, number, time } from "../format";
import type { Said } from "../types";
import { type Checked, type ProofAnswer, type Step, check } from "../verify/proof";
import { named, t, tongue, tryWords } from "../words";

/** What was checked in this window, by event. Never kept longer: a check is worth its moment. */
const checks = new Cell<ReadonlyMap<string, Checked>>(new Map());
const opened = new Cell<Said | null>(null);

// After a minute a check is no longer "just now": the seal says when instead of being green.
const FRESH_MS = 60_000;

export function Seal({ said }: { said: Said }) {
  const done = useCell(checks).get(said.id);
  const now = useNow(15);
  useCell(tongue);
  const fresh = done !== undefined && now.getTime() - done.at.getTime() < FRESH_MS;
  const outcome = !done ? "unchecked" : done.outcome === "holds" ? (fresh ? "holds" : "old") : done.outcome === "fails" ? "fails" : "unchecked";
  const words = !done
    ? said.index === null
      ? t("seal.waiting")
      : t("seal.press")
    : t(fresh ? `seal.${done.outcome}.now` : `seal.${done.outcome}.then`, {
        at: time(done.at, "clock"),
        ago: ago(done.at, now),
      });
  return (
    <button type="button" class={`seal seal-${outcome}`} onClick={() => (opened.value = said)} aria-haspopup="dialog">
      <Stamp outcome={outcome} />
      <span>{words}</span>
    </button>
  );
}

/** The one dialog of the page; it opens when a seal is pressed. */
export function CheckDialog() {
  const said = useCell(opened);
  const box = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (said) box.current?.showModal();
  }, [said]);
  return (
    <dialog ref={box} class="check" aria-labelledby="check-title" onClose={() => (opened.value = null)}>
      {said && <CheckBody key={said.id} said={said} close={() => box.current?.close()} />}
    </dialog>
  );
}

function CheckBody({ said, close }: { said: Said; close: () => void }) {
  const [checked, setChecked] = useState<Checked | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const run = () => {
    setChecked(null);
    setProblem(null);
    verify(said).then(setChecked, (error: unknown) => setProblem(asProblem(error)));
  };
  useEffect(run, []);
  return (
    <>
      <header class="check-head">
        <h2 id="check-title">{t("check.title")}</h2>
        <button type="button" class="button" onClick={close}>
          {t("close")}
        </button>
      </header>
      <p class="check-what">{tryWords(`event.${said.type}`) ?? said.type}</p>
      <Facts
        rows={[
          [t("check.said_by"), `${said.asserted_by.name || said.asserted_by.party}, ${said.asserted_by.fingerprint}`],
          [t("check.happened"), <Time at={said.occurred_at} style="full" scale={said.scale} />],
          [t("check.recorded"), <Time at={said.recorded_at} style="full" scale="clock" />],
          [t("check.node"), `${said.recorded_by.name || said.recorded_by.party}, ${said.recorded_by.fingerprint}`],
          [t("check.witnessed"), said.witnessed_at ? <Time at={said.witnessed_at} style="full" /> : t("check.no_witness")],
        ]}
      />
      <div aria-live="polite">
        {!checked && !problem && <p class="state">{t("check.running")}</p>}
        {problem && <ProblemNote problem={problem} again={run} />}
        {checked && <Outcome checked={checked} />}
      </div>
      {checked && (
        <>
          <ol class="check-steps">
            {checked.steps.map((step) => (
              <StepRow key={step.key} step={step} />
            ))}
          </ol>
          <details class="check-event">
            <summary>{t("check.event")}</summary>
            <pre tabIndex={0}>{JSON.stringify(checked.event, null, 2)}</pre>
          </details>
          <p class="quiet">{t("check.limits")}</p>
          <button type="button" class="button" onClick={run}>
            {t("check.again")}
          </button>
        </>
      )}
    </>
  );
}

async function verify(said: Said): Promise<Checked> {
  const proof = await get<ProofAnswer>(`/v1/events/${encodeURIComponent(said.id)}/proof`);
  const shown = {
    id: said.id,
    type: said.type,
    party: said.asserted_by.party,
    fingerprint: said.asserted_by.fingerprint,
  };
  const checked = await check(proof, shown, () => new Date());
  checks.value = new Map(checks.value).set(said.id, checked);
  return checked;
}

function Outcome({ checked }: { checked: Checked }) {
  return (
    <p class={`check-outcome check-${checked.outcome}`}>
      <Stamp outcome={checked.outcome} />
      <strong>{t(`check.${checked.outcome}`)}</strong>{" "}
      <span>{t("check.at", { at: time(checked.at, "full") })}</span>
    </p>
  );
}

function StepRow({ step }: { step: Step }) {
  const open = step.args?.["open"];
  const words = open === 1 ? "step.leaf_open" : `step.${step.key}`;
  return (
    <li class={`check-step check-${step.outcome}`}>
      <Stamp outcome={step.outcome} />
      <div>
        <h3>
          {t(`${words}.title`)} <span class="outcome-word">{named("outcome", step.outcome)}</span>
        </h3>
        <p>{t(`${words}.text`, printed(step.args))}</p>
        {step.numbers.length > 0 && (
          <dl class="numbers">
            {step.numbers.map(({ label, value }, i) => (
              <div key={i}>
                <dt>{named("number", label)}</dt>
                <dd>
                  <code>{value}</code>
                </dd>
              </div>
            ))}
          </dl>
        )}
      </div>
    </li>
  );
}

function printed(args: Step["args"] = {}): Record<string, string> {
  return Object.fromEntries(
    Object.entries(args).map(([name, value]) => [
      name,
      typeof value === "number" ? number(value) : name === "algorithm" ? named("algorithm", value) : value,
    ]),
  );
}
