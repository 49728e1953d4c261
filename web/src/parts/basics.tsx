// Small parts of every page: times, states of reading, notes about problems.
import type { ComponentChildren } from "preact";
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { Problem, get } from "../api";
import { useCell } from "../cell";
import { type TimeStyle, time, utc } from "../format";
import { onRoad } from "../live";
import { type Change, type Shown, changedSince, isWatching, show } from "../seen";
import { settings } from "../settings";
import type { Scale } from "../types";
import { list, t, tongue, tryWords } from "../words";

/** An instant in the reader's zone; its UTC form is the title, or the text if the reader chose so.
 *
 * `scale` names what it counts by; an instant that stands beside others always has it. */
export function Time({ at, style = "short", scale }: { at: string; style?: TimeStyle; scale?: Scale }) {
  useCell(settings);
  if (!at) return null;
  const words = (
    <time dateTime={at} title={utc(at)}>
      {time(at, style)}
    </time>
  );
  if (!scale) return words;
  return (
    <span class="instant">
      <span class={`scale scale-${scale}`}>{t(`scale.${scale}`)}</span> {words}
    </span>
  );
}

/** When something happened and when the node wrote it down, each by the name of its scale. */
export function Times({ at, scale, recorded }: { at: string; scale: Scale; recorded: string }) {
  return (
    <>
      {scale !== "clock" && <Time at={at} scale={scale} />}
      <Time at={recorded} scale="clock" />
    </>
  );
}

export type Answer<T> =
  | { state: "loading" }
  | { state: "failed"; problem: Problem }
  | { state: "here"; value: T; problem: Problem | null };

/** Reads an address, again when `follows` says that a road in it changed; keeps the last good answer. */
export function useAnswer<T>(
  path: string,
  follows?: (consignment: string) => boolean,
  ask: (path: string) => Promise<T> = get,
  changes?: (before: T, now: T) => Change[],
): [Answer<T>, () => void] {
  const [answer, set] = useState<Answer<T>>({ state: "loading" });
  const watched = useRef<Shown<T> | null>(null);
  useEffect(() => {
    if (!changes || answer.state !== "here") return;
    watched.current = { path, at: new Date(), value: answer.value, changes, take: (value) => set({ state: "here", value, problem: null }), reading: null };
    return show(watched.current);
  }, [answer]);
  const read = useCallback(() => {
    const reading = ask(path);
    if (watched.current) watched.current.reading = reading;
    reading.then(
      (value) => {
        // At once, not when it is drawn: an act may come in between.
        if (watched.current) watched.current.value = value;
        set({ state: "here", value, problem: null });
      },
      (error: unknown) => {
        const problem = asProblem(error);
        set((old) => (old.state === "here" ? { ...old, problem } : { state: "failed", problem }));
      },
    );
  }, [path]);
  useEffect(() => {
    set({ state: "loading" });
    read();
    if (!follows) return;
    // Many events may come at once: one reading a quarter of a second after the first is enough.
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stop = onRoad((consignment) => {
      if (consignment !== "" && !follows(consignment)) return;
      timer ??= setTimeout(() => {
        timer = undefined;
        read();
      }, 250);
    });
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, [read]);
  return [answer, read];
}

// As many as one can choose from; a form that needs more asks by search.
const WHOLE_PAGES = 20;

/** The rows of a list from its first on, as many pages of it at most. */
export async function whole<T>(path: string, pages = WHOLE_PAGES): Promise<T[]> {
  const rows: T[] = [];
  let after = "";
  for (let n = 0; n < pages; n += 1) {
    const page = await get<{ rows: T[]; next: string }>(`${path}?limit=100${after && `&after=${encodeURIComponent(after)}`}`);
    rows.push(...page.rows);
    after = page.next;
    if (!after) break;
  }
  return rows;
}

/** All rows of a list that forms choose from, as far as a page holds them. */
export function useWhole<T>(list: string): [Answer<T[]>, () => void] {
  return useAnswer<T[]>(`/v1/lists/${list}`, undefined, (path) => whole<T>(path));
}

export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  return new Problem(0, "page", error instanceof Error ? error.message : String(error), "", "");
}

export function Loading({ what }: { what: string }) {
  return (
    <p class="state" role="status">
      {what}
    </p>
  );
}

export function ProblemNote({ problem, again }: { problem: Problem; again?: () => void }) {
  const words = tryWords(`problem.${problem.code}`) ?? t("problem.title");
  // A sentence of the node that only begins as the words do stands in their place: nothing is said twice.
  const same = bare(problem.message).startsWith(bare(words));
  // With no more to say, the words of the reader's page, which end as sentences do.
  const more = bare(problem.message) !== bare(words);
  const title = same && more ? capital(problem.message) : words;
  return (
    <div class="note note-stop" role="alert">
      <p class="note-title">{title}</p>
      {!same && <English text={problem.message} />}
      {problem.code === "invalid" ? problem.where && <p>{t("problem.field", { field: problem.where.replace(/^body\./, "") })}</p> : problem.remedy && <English text={problem.remedy} />}
      {["timeout", "offline"].includes(problem.code) && isWatching() && <WhatBecame />}
      {again && (
        <button type="button" class="button" onClick={again}>
          {t("again")}
        </button>
      )}
    </div>
  );
}

const bare = (sentence: string) => sentence.toLowerCase().replace(/[.:!]\s*$/, "");
const capital = (sentence: string) => sentence.charAt(0).toUpperCase() + sentence.slice(1);

/** After an act without an answer: whether it was done after all, as the object itself says. */
function WhatBecame() {
  const [told, set] = useState("");
  const look = () =>
    void changedSince().then(
      ({ changes }) => set(changes.length ? t("seen.became", { what: list(changes) }) : t("seen.nothing_yet")),
      (error: unknown) => set(asProblem(error).message),
    );
  return (
    <>
      <button type="button" class="button" onClick={look}>
        {t("seen.look")}
      </button>
      <div role="status">{told && <p>{told}</p>}</div>
    </>
  );
}

/** A sentence of the node that no catalogue has: marked as what it is, English. */
export function English({ text }: { text: string }) {
  return (
    <p lang="en" dir="ltr" class={tongue.value === "en" ? undefined : "quiet"}>
      {text}
    </p>
  );
}

export function Section({ id, title, aside, children }: { id: string; title: string; aside?: ComponentChildren; children: ComponentChildren }) {
  return (
    <section class="section" aria-labelledby={id}>
      <div class="section-head">
        <h2 id={id}>{title}</h2>
        {aside}
      </div>
      {children}
    </section>
  );
}

/** Pairs of a name and a value, as people read them in a ledger. */
export function Facts({ rows }: { rows: [string, ComponentChildren][] }) {
  return (
    <dl class="facts">
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** Digits that nobody reads aloud: shown short, whole on demand, copied whole. */
export function Digits({ value }: { value: string }) {
  if (!value) return <span class="quiet">{t("none")}</span>;
  if (value.length <= 20) return <code class="digits">{value}</code>;
  return (
    <details class="digits-long">
      <summary>
        <code class="digits">
          {value.slice(0, 10)}
          {"\u2026"}
          {value.slice(-6)}
        </code>
        <span class="sr-only">{t("digits.whole")}</span>
      </summary>
      <code class="digits">{value}</code>
    </details>
  );
}
