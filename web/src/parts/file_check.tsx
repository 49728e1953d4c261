// A proof file, checked in this browser; on a page of its own consignment also whether it is that one's.
import { useState } from "preact/hooks";
import { number } from "../format";
import { type CheckedFile, type Outcome, checkFile, readTrust } from "../verify/file";
import { fromBase64 } from "../verify/bytes";
import { addresses, list, named, sentences, t, tryWords } from "../words";
import { English, Section, Time } from "./basics";
import { Drop, type Given } from "./files";
import { MilestoneMark } from "./shapes";

// Whose keys this node goes by itself: its own, its parties', and those of the nodes it exchanges with.
const NODES_LIST = "/v1/trust-list?peers=true";
// A command is the same in every language.
const ADD_LIST = "zhidao trust add TRUSTFILE";
/** Parts of a promise by their names in this language; one that no version knows as it stands. */
const inWords = (args: Record<string, string | number>) =>
  Object.fromEntries(
    Object.entries(args).map(([name, parts]) => [
      name,
      list(String(parts).split(",").map((part) => tryWords(`trust.part.${part}`) ?? part)),
    ]),
  );
const shapes: Record<Outcome, "done" | "refused" | "next"> = { holds: "done", fails: "refused", unchecked: "next", untrusted: "refused" };

/** A proof file, read and checked here; nothing of it is sent anywhere. */
export function FileCheck({ expects }: { expects?: string }) {
  const [checked, set] = useState<CheckedFile | null>(null);
  const [problem, setProblem] = useState("");
  const [trust, setTrust] = useState<{ bytes: Uint8Array<ArrayBuffer>; own: boolean } | null>(null);
  const take = async (files: Given[]) => {
    setProblem("");
    let list = trust;
    let proof: Uint8Array<ArrayBuffer> | null = null;
    for (const file of files) {
      const bytes = fromBase64(file.content);
      if (file.name.endsWith(".json")) list = { bytes, own: true };
      else proof = bytes;
    }
    try {
      // Without a list of the reader's own, this node's: it vouches for itself only, and the page says so.
      list ??= await nodesList();
      setTrust(list);
      if (proof) set(await checkFile(proof, list ? readTrust(list.bytes) : null));
    } catch (error) {
      set(null);
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <Section id="file-title" title={t("trust.file")}>
      <Drop take={(files) => void take(files)} label={t("trust.drop")} />
      <p class="quiet">
        {trust?.own ? t("trust.list_own") : t("trust.list_node")}{" "}
        <a href={NODES_LIST} download="trust.json">
          {t("trust.list_take")}
        </a>{" "}
        <a href={addresses.verifier} download="zhidao-verify.html">
          {t("trust.verifier_take")}
        </a>
      </p>
      {problem && (
        <div class="note note-stop" role="alert">
          <p class="note-title">{t("trust.not_a_proof")}</p>
          <English text={problem} />
        </div>
      )}
      {checked && expects !== undefined && checked.consignment !== expects && (
        <p class="note note-stop" role="alert">
          {t("verify.other", { expected: expects, found: checked.consignment })}
        </p>
      )}
      {checked && <FileVerdict checked={checked} own={trust?.own ?? false} />}
    </Section>
  );
}

async function nodesList(): Promise<{ bytes: Uint8Array<ArrayBuffer>; own: boolean } | null> {
  try {
    const answer = await fetch(NODES_LIST);
    return answer.ok ? { bytes: new Uint8Array(await answer.arrayBuffer()), own: false } : null;
  } catch {
    // The node is cut off: the check goes on, and says that nobody vouches for the keys.
    return null;
  }
}

function FileVerdict({ checked, own }: { checked: CheckedFile; own: boolean }) {
  return (
    <div role="status" class="file-verdict">
      <p class={checked.outcome === "fails" ? "note-title" : checked.outcome === "holds" ? "good" : checked.outcome === "untrusted" ? "stop" : ""}>
        <strong>{t(`trust.file_${checked.outcome}`, { consignment: checked.consignment })}</strong>
      </p>
      {checked.outcome === "untrusted" && (
        <p>
          {t("trust.untrusted_means")} <code>{ADD_LIST}</code>
        </p>
      )}
      <ul class="services">
        {checked.steps.map((step) => (
          <li key={step.key}>
            <MilestoneMark state={shapes[step.outcome]} />
            <div>
              <strong>{t(`trust.step.${step.key}`)}</strong>
              <p>{t(`trust.step.${step.key}.${step.outcome}`, step.key === "promise" ? inWords(step.args) : step.args)}</p>
              {step.why && <English text={step.why} />}
            </div>
          </li>
        ))}
      </ul>
      <p class="quiet">{own ? t("trust.not_computed") : sentences([t("trust.own_word"), t("trust.not_computed")])}</p>
      <details>
        <summary>{t("trust.opened", { n: checked.opened, size: checked.size })}</summary>
        <ol class="told-list">
          {checked.told.map((each) => (
            <li key={each.index}>
              <span class="n">{number(each.index)}</span> {tryWords(`event.${each.type}`) ?? each.type}
              {", "}
              {named("party", each.party)} <Time at={each.at} />
            </li>
          ))}
        </ol>
      </details>
    </div>
  );
}

