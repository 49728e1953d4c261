// What papers say of each other: both values of a conflict side by side, with their places.
import { useState } from "preact/hooks";
import type { CrossFinding, PlaceName } from "../types";
import { named, t, tongue, tryWords } from "../words";
import { English } from "./basics";

export function Findings({ findings, agree, unasked }: { findings: CrossFinding[]; agree: number; unasked: string[] }) {
  const [view, setView] = useState("");
  const shown = findings.filter((each) => !view || each.asked_by.includes(view));
  return (
    <>
      <label class="field">
        <span>{t("papers.view")}</span>
        <select value={view} onChange={(event) => setView(event.currentTarget.value)}>
          {["", "bank", "customs"].map((each) => (
            <option key={each} value={each} selected={each === view}>
              {each ? named("papers.view", each) : t("papers.view.all")}
            </option>
          ))}
        </select>
      </label>
      <p role="status" class={shown.length ? "stop" : "good"}>
        {shown.length ? t("papers.findings", { n: shown.length }) : t("papers.agree", { n: agree })}
      </p>
      {shown.map((each, n) => (
        <article key={`${each.rule}${n}`} class={`pair pair-${each.answer} finding`}>
          <p>
            <strong>{named("papers.answer", each.answer)}</strong> <span class="quiet">{each.rule}</span>
          </p>
          <Sentence of={each} />
          <div class="pair-sides">
            <Side text={each.left} at={each.left_at} />
            <Side text={each.right} at={each.right_at} />
          </div>
        </article>
      ))}
      {unasked.length > 0 && <p class="quiet">{t("papers.unasked", { rules: unasked.join(" ") })}</p>}
    </>
  );
}

/** What a finding says, in the reader's words where its parts have codes that we know. */
function Sentence({ of: { answer, about, about_of, note, note_of, sentence } }: { of: CrossFinding }) {
  const topic = about && tryWords(`about.${about}`, { of: about_of });
  const beside = note ? tryWords(`note.${note}`, { of: note_of }) : "";
  if (!topic || beside === null) return <English text={sentence} />;
  return <p>{t(`about.${answer}`, { about: topic, note: beside && t("note.beside", { note: beside }) })}</p>;
}

/** `document:field = value` as the value, below it what its place is called and the place itself. */
function Side({ text, at }: { text: string; at: PlaceName }) {
  const [place, ...rest] = text.split(" = ");
  const inChinese = tongue.value === "zh";
  const name = inChinese ? at.zh : at.en;
  return (
    <div class="pair-side c-data">
      <strong class="pair-value">{rest.join(" = ") || text}</strong>
      {name && <span class="pair-place" lang={inChinese ? "zh-CN" : "en"} dir="ltr">{name}</span>}
      {rest.length > 0 && <code class="quiet">{place}</code>}
    </div>
  );
}
