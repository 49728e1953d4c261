// A folder of documents, dropped to be checked: what each is, and what they say of each other.
import { labelled } from "../parts/entry";
import { useEffect, useState } from "preact/hooks";
import { type Problem, send } from "../api";
import { English, ProblemNote, Section, asProblem } from "../parts/basics";
import { Drop, type Given } from "../parts/files";
import { Findings } from "../parts/findings";
import { MilestoneMark } from "../parts/shapes";
import type { LookedFile, LookedFolder } from "../types";
import { t, tryWords } from "../words";

export default function FolderPage() {
  const [told, setTold] = useState<LookedFolder | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    document.title = t("folder.document_title");
  }, []);
  const check = (files: Given[]) => {
    if (files.length === 0) return;
    setBusy(true);
    setProblem(null);
    send<LookedFolder>("POST", "/v1/trade/entries/folder", { files })
      .then(setTold, (error: unknown) => setProblem(asProblem(error)))
      .finally(() => setBusy(false));
  };
  return (
    <div class="page">
      <h1>{t("folder.title")}</h1>
      <Drop take={check} refused={() => setProblem(null)} folder label={t("folder.drop")}>
        <p class="quiet">{t("folder.kept_nowhere")}</p>
      </Drop>
      {busy && <p role="status">{t("folder.reading")}</p>}
      {problem && <ProblemNote problem={problem} />}
      {told && (
        <div class="two">
          <Section id="files-title" title={t("folder.files")}>
            <ul class="services">
              {told.files.map((file, n) => (
                <File key={`${file.name}${n}`} file={file} />
              ))}
            </ul>
          </Section>
          <Section id="said-title" title={t("papers.compared")}>
            <Findings findings={told.findings} agree={told.agree} unasked={told.unasked} />
          </Section>
        </div>
      )}
    </div>
  );
}

function File({ file }: { file: LookedFile }) {
  const whole = !file.trouble && file.unmapped.length === 0 && file.misfits.length === 0;
  return (
    <li>
      <MilestoneMark state={whole ? "done" : file.kind ? "next" : "refused"} />
      <div class="c-data">
        <strong>{file.kind ? labelled(file) : t("folder.unknown")}</strong> <span>{file.number}</span>
        <p class="quiet">{file.name}</p>
        {file.trouble && <Trouble told={file.trouble} />}
        {file.unmapped.length > 0 && (
          <details>
            <summary>{t("folder.unmapped", { n: file.unmapped.length })}</summary>
            <code>{file.unmapped.slice(0, 50).join(", ")}</code>
          </details>
        )}
        {file.misfits.map((each) => (
          <p key={each.place} class="stop">
            {t("folder.misfit", { seen: each.seen, wanted: each.wanted })} <code>{each.place}</code>
          </p>
        ))}
      </div>
    </li>
  );
}

// What is wrong with a field has words of its own; what is wrong with a whole file mostly has none.
function Trouble({ told }: { told: { code: string; sentence: string } }) {
  const words = told.code === "malformed_input" ? null : tryWords(`field_problem.${told.code}`);
  if (words) return <p>{words}</p>;
  return (
    <>
      <p>{t("folder.unreadable")}</p>
      <English text={told.sentence} />
    </>
  );
}
