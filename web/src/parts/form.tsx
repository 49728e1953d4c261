// A form behind its title: one effect however often it is sent, the refusal in words, and that it is done.
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { type Problem } from "../api";
import { PASSWORD_LETTERS_MIN } from "../session";
import { t } from "../words";
import { ProblemNote, asProblem } from "./basics";

interface Props {
  title: string;
  submit: string;
  send: () => Promise<unknown>;
  done: () => void;
  after?: () => void;
  said?: string;
  children: ComponentChildren;
}

export function Form({ title, submit, send: act, done, after, said: words, children }: Props) {
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  const [said, setSaid] = useState(false);
  const go = async (event: Event) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setProblem(null);
    setSaid(false);
    try {
      await act();
      after?.();
      setSaid(true);
      done();
    } catch (error) {
      setProblem(asProblem(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <details class="adding">
      <summary class="button">{title}</summary>
      <form onSubmit={(event) => void go(event)}>
        {problem && <ProblemNote problem={problem} />}
        {children}
        <button class="button button-main" disabled={busy}>
          {submit}
        </button>
        <p role="status">{said ? (words ?? t("people.done")) : ""}</p>
      </form>
    </details>
  );
}

/** A password that somebody chooses, with the least that the node takes. */
export function NewPassword({ label, value, set }: { label: string; value: string; set: (value: string) => void }) {
  return (
    <label class="field">
      <span>{label}</span>
      <input required type="password" autocomplete="new-password" minLength={PASSWORD_LETTERS_MIN} value={value} onInput={(event) => set(event.currentTarget.value)} />
      <span class="hint">{t("start.password_hint", { n: PASSWORD_LETTERS_MIN })}</span>
    </label>
  );
}
