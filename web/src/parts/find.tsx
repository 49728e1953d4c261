// Search and palette in one: what begins with what is typed, the pages, and the acts of this reader.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { type Problem, get } from "../api";
import { mayDo, mayOpen } from "../doors";
import { go } from "../route";
import { named, t } from "../words";
import { ProblemNote, asProblem } from "./basics";
import { PAGES, addressOf } from "./shell";

interface Found {
  kind: string;
  subject: string;
  label: string;
  consignment: string;
}

interface Way {
  key: string;
  kind: string;
  words: string;
  /** The consignment that it belongs to, where its own words do not say so. */
  of?: string;
  to: string;
}

const TYPED_MS = 150;
// Where an act is done; whose it is the node says.
const ACTS: [string, string][] = [
  ["enter", "/papers"],
  ["deal", "/deals/new"],
  ["account", "/money"],
  ["credit", "/money/credits"],
  ["order", "/factory"],
  ["terminal", "/devices"],
  ["judge", "/declarations"],
  ["check", "/trust"],
  ["invite", "/people"],
  ["peer", "/peers"],
];
const MORE: [string, string][] = [
  ["deals", "/deals"],
  ["credits", "/money/credits"],
  ["receivables", "/money/receivables"],
  ["waiting", "/waiting"],
  ["access", "/access"],
  ["api", "/api"],
];
const PLACES: Record<string, string> = { terminal: "/devices", seal: "/devices", title: "/trust", order: "/factory", lot: "/factory", party: "/people", declaration: "/declarations", receivable: "/money/receivables" };

function placeOf(found: Found): string {
  if (found.kind === "deal") return `/deals/${encodeURIComponent(found.subject)}`;
  if (found.kind === "payment") return `/deals/${encodeURIComponent(found.subject.replace(/\/[^/]*$/, ""))}`;
  if (found.kind === "credit") return `/money/credits/${found.subject.split("/").map(encodeURIComponent).join("/")}`;
  if (found.consignment) return `/consignments/${encodeURIComponent(found.consignment)}`;
  return PLACES[found.kind] ?? "/papers";
}

function waysOf(typed: string): Way[] {
  const pages: Way[] = PAGES.filter((name) => mayOpen(addressOf(name))).map((name) => ({ key: `p ${name}`, kind: t("find.page"), words: t(`nav.${name}`), to: addressOf(name) }));
  const more: Way[] = MORE.filter(([, to]) => mayOpen(to)).map(([name, to]) => ({ key: `m ${name}`, kind: t("find.page"), words: t(`find.to.${name}`), to }));
  const acts: Way[] = ACTS.filter(([name, to]) => mayDo(name) && mayOpen(to)).map(([name, to]) => ({ key: `a ${name}`, kind: t("find.act"), words: t(`find.do.${name}`), to }));
  const wanted = typed.trim().toLocaleLowerCase();
  return [...pages, ...more, ...acts].filter((each) => each.words.toLocaleLowerCase().includes(wanted));
}

export function FindDialog({ close }: { close: () => void }) {
  const box = useRef<HTMLDialogElement>(null);
  const [typed, type] = useState("");
  const [found, setFound] = useState<Found[] | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  // Before the next key: what is typed at once belongs into the field.
  useLayoutEffect(() => box.current?.showModal(), []);
  useEffect(() => {
    setProblem(null);
    if (typed.trim() === "") {
      setFound(null);
      return;
    }
    let current = true;
    const timer = setTimeout(() => {
      get<{ found: Found[] }>(`/v1/search?q=${encodeURIComponent(typed.trim().slice(0, 200))}`).then(
        (answer) => current && setFound(answer.found),
        (error: unknown) => current && setProblem(asProblem(error)),
      );
    }, TYPED_MS);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [typed]);
  const things: Way[] = (found ?? []).map((each) => ({ key: `f ${each.kind} ${each.subject}`, kind: named("find_kind", each.kind), words: each.label, of: each.label.includes(each.consignment) ? "" : each.consignment, to: placeOf(each) }));
  const ways = [...things, ...waysOf(typed)];
  const leave = (to: string) => {
    box.current?.close();
    go(to);
  };
  // Up and down walk over field and links; Enter in the field takes the first; Escape leaves.
  const walk = (event: KeyboardEvent) => {
    const stops = [...(box.current?.querySelectorAll<HTMLElement>("input, li a") ?? [])];
    const at = stops.indexOf(document.activeElement as HTMLElement);
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (event.key === "Escape") {
      // In a field of search the key would only empty it.
      event.preventDefault();
      box.current?.close();
    } else if (step !== 0) {
      event.preventDefault();
      stops[Math.min(Math.max(at + step, 0), stops.length - 1)]?.focus();
    } else if (event.key === "Enter" && at === 0 && ways[0]) {
      event.preventDefault();
      leave(ways[0].to);
    }
  };
  return (
    <dialog ref={box} class="find" aria-label={t("find.title")} onClose={close} onKeyDown={walk}>
      <label class="field">
        <span>{t("find.field")}</span>
        <input type="search" value={typed} maxLength={200} autoComplete="off" spellcheck={false} onInput={(event) => type(event.currentTarget.value)} />
      </label>
      {problem && <ProblemNote problem={problem} />}
      <p class="quiet" role="status">
        {found && found.length === 0 && !problem ? t("find.nothing") : ""}
      </p>
      <ul class="find-list">
        {ways.map((each) => (
          <li key={each.key}>
            <a
              href={each.to}
              onClick={(event) => {
                event.preventDefault();
                leave(each.to);
              }}
            >
              <span>{each.words}</span> <span class="quiet">
                {each.kind}
                {each.of && <> · {each.of}</>}
              </span>
            </a>
          </li>
        ))}
      </ul>
      <form method="dialog">
        <button type="submit" class="button">
          {t("find.close")}
        </button>
      </form>
    </dialog>
  );
}
