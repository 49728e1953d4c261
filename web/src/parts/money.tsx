// Small parts of the pages about money: amounts, states, acts that may be refused, ways between them.
import { useEffect, useRef, useState } from "preact/hooks";
import { Problem, send } from "../api";
import { money } from "../format";
import { t, named } from "../words";
import { asProblem } from "./basics";
import { MilestoneMark, type Shape } from "./shapes";

export function Sum({ minor, currency, exponent }: { minor: number; currency: string; exponent: number }) {
  return <span class="amount">{money({ minor, currency, exponent })}</span>;
}

const WAYS = ["", "/credits", "/exchange", "/receivables"] as const;

/** The ways between the pages of money. */
export function Ways({ at }: { at: string }) {
  return (
    <nav class="ways" aria-label={t("money.ways")}>
      {WAYS.map((way) => (
        <a key={way} href={`/money${way}`} aria-current={at === way ? "page" : undefined}>
          {t(`money.way${way.replace("/", ".")}`)}
        </a>
      ))}
    </nav>
  );
}

const SHAPES: Record<string, Shape> = {
  ...Object.fromEntries(["paid", "released", "committed", "settled", "honoured", "reimbursed", "complies", "approved", "confirmed", "booked", "executed"].map((s) => [s, "done"])),
  ...Object.fromEntries(["refused", "refunded", "aborted", "discrepant", "disputed", "cancelled"].map((s) => [s, "refused"])),
  freed: "later",
  was_reserved: "later",
};

/** A state as a mark and a word, never by colour alone. */
export function StateMark({ state }: { state: string }) {
  const shape = SHAPES[state] ?? "next";
  return (
    <span class={`money-word money-word-${shape}`}>
      <MilestoneMark state={shape} /> <span>{named("money_is", state)}</span>
    </span>
  );
}

export type Act = (path: string, body?: object) => void;

/** Sends an act and reads anew when it is done; a refusal is kept to be shown. */
export function useAct(done: (answer: unknown) => void): [Problem | null, Act, boolean] {
  const [problem, set] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  // A second press in the same moment sends nothing: the state of the page may be drawn too late.
  const running = useRef(false);
  const act = (path: string, body?: object) => {
    if (running.current) return;
    running.current = true;
    set(null);
    setBusy(true);
    send("POST", path, body ?? {})
      .then(done, (error: unknown) => set(asProblem(error)))
      .finally(() => {
        running.current = false;
        setBusy(false);
      });
  };
  return [problem, act, busy];
}

/** Reads again every few seconds while the page is looked at. */
export function useEvery(seconds: number, ...reads: (() => void)[]): void {
  useEffect(() => {
    const timer = setInterval(() => document.visibilityState === "visible" && reads.forEach((read) => read()), seconds * 1000);
    return () => clearInterval(timer);
  }, reads);
}
