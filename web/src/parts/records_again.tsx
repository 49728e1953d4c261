// Records that a bank wants again, corrected by their fields or taken from files.
import { useState } from "preact/hooks";
import type { Drawing, Paper } from "../money_types";
import { named, t } from "../words";
import { ProblemNote } from "./basics";
import { useAct } from "./money";

const FILE_BYTES_MAX = 256 * 1024;

/** One place for each record, in the order of the request; all go together. */
export function RecordsAgain({ drawing, at, done }: { drawing: Drawing; at: string; done: () => void }) {
  const papers = drawing.papers.documents ?? [];
  const [texts, setTexts] = useState<Record<number, string>>({});
  const [trouble, setTrouble] = useState("");
  const [problem, act, busy] = useAct(done);
  const put = (place: number, text: string) => setTexts((before) => ({ ...before, [place]: text }));
  return (
    <details class="act-form">
      <summary>{t("records.again")}</summary>
      <form
        class="look-up"
        onSubmit={(event) => {
          event.preventDefault();
          const documents = drawing.records_asked.map((place) => paperOf(texts[place] ?? "", papers[place]));
          const bad = documents.indexOf(null);
          setTrouble(bad < 0 ? "" : t("records.not_that", { paper: nameOf(papers[drawing.records_asked[bad] ?? 0]) }));
          if (bad < 0) act(at, { documents });
        }}
      >
        <p class="quiet">{t("records.means")}</p>
        {drawing.records_asked.map((place) => (
          <div key={place} class="field">
            <label for={`record-${place}`}>{t("records.place", { n: place + 1, paper: nameOf(papers[place]) })}</label>
            <input
              type="file"
              accept="application/json,.json"
              aria-label={t("records.file", { n: place + 1 })}
              onChange={(event) => {
                const file = event.currentTarget.files?.[0];
                if (!file) return;
                if (file.size > FILE_BYTES_MAX) setTrouble(t("records.too_large"));
                else void file.text().then((text) => put(place, text));
              }}
            />
            <textarea id={`record-${place}`} required rows={6} value={texts[place] ?? ""} onInput={(event) => put(place, event.currentTarget.value)} />
          </div>
        ))}
        <button type="submit" class="button" disabled={busy}>
          {t("records.send")}
        </button>
        {trouble && (
          <p class="stop" role="alert">
            {trouble}
          </p>
        )}
        {problem && <ProblemNote problem={problem} />}
      </form>
    </details>
  );
}

const nameOf = (paper: Paper | undefined): string => (paper ? named("paper", paper.kind) : "");

/** The record that a text holds, if it is one of the kind that was asked for. */
function paperOf(text: string, asked: Paper | undefined): object | null {
  try {
    const read: unknown = JSON.parse(text);
    if (read === null || typeof read !== "object" || Array.isArray(read)) return null;
    return (read as { kind?: unknown }).kind === asked?.kind ? read : null;
  } catch {
    return null;
  }
}
