// One act of a person: a sentence before, a button that has one effect however often it is pressed,
// a sentence after, and a refusal in words beside the button.
import type { ComponentChildren } from "preact";
import { useRef, useState } from "preact/hooks";
import type { Problem } from "../api";
import type { PartyRow } from "../types";
import { named, t } from "../words";
import { ProblemNote, asProblem, useAnswer } from "./basics";

/** Runs an act; while it runs, no second press starts another. */
export function useOnce<T>(act: () => Promise<T>, done: (answer: T) => void): { go: () => void; busy: boolean; problem: Problem | null } {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const running = useRef(false);
  const go = () => {
    if (running.current) return;
    running.current = true;
    setBusy(true);
    setProblem(null);
    act()
      .then(done, (error: unknown) => setProblem(asProblem(error)))
      .finally(() => {
        running.current = false;
        setBusy(false);
      });
  };
  return { go, busy, problem };
}

interface Props<T> {
  button: string;
  /** What it does, and whether it can be undone. */
  means: ComponentChildren;
  act: () => Promise<T>;
  /** What happened, once it did. */
  after: (answer: T) => ComponentChildren;
  done?: (answer: T) => void;
  disabled?: boolean;
  /** It is what waits for the reader: nobody has to open it. */
  open?: boolean;
  children?: ComponentChildren;
}

/** The act behind a button that first says what it does. */
export function ActButton<T>({ button, means, act, after, done, disabled, open, children }: Props<T>) {
  const [told, setTold] = useState<ComponentChildren>(null);
  const { go, busy, problem } = useOnce(act, (answer) => {
    setTold(after(answer));
    done?.(answer);
  });
  return (
    <div class="act">
      <details class="act-form" open={open}>
        <summary>{button}</summary>
        <form
          class="look-up"
          onSubmit={(event) => {
            event.preventDefault();
            setTold(null);
            go();
          }}
        >
          <p>{means}</p>
          {children}
          <button type="submit" class="button button-main" disabled={busy || disabled}>
            {button}
          </button>
          {problem && <ProblemNote problem={problem} />}
        </form>
      </details>
      <div role="status">{told && <p class="good">{told}</p>}</div>
    </div>
  );
}

/** Whose move it is, for whoever may only wait. */
export function TheirMove({ party, what }: { party: string; what: string }) {
  return <p class="quiet">{t("act.theirs", { party, what })}</p>;
}

/** The parties of this node and of its peers: their names, and rows to choose from. */
export function useParties(): { rows: PartyRow[]; name: (party: string) => string } {
  const [answer] = useAnswer<PartyRow[]>("/v1/parties");
  const rows = answer.state === "here" ? answer.value : [];
  const name = (party: string) => rows.find((row) => row.party === party)?.name || named("party", party);
  return { rows, name };
}
