// The journal of administration: who did what to whose access, each act a leaf of the public log.
import { useEffect, useState } from "preact/hooks";
import { type Problem, get } from "../api";
import type { AdministrationAct } from "../types";
import { t, tryWords } from "../words";
import { ProblemNote, Section, Time, asProblem } from "./basics";

const PAGE = 100;

/** `follows` changes when somebody acted on the page: the journal is read again. */
export function Journal({ follows }: { follows: unknown }) {
  const [acts, set] = useState<AdministrationAct[]>([]);
  const [whole, setWhole] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const more = (from: AdministrationAct[]) => {
    const after = from.at(-1)?.id ?? "";
    get<AdministrationAct[]>(`/v1/administration?limit=${PAGE}${after ? `&after=${after}` : ""}`).then(
      (next) => {
        set([...from, ...next]);
        setWhole(next.length < PAGE);
      },
      (error: unknown) => setProblem(asProblem(error)),
    );
  };
  useEffect(() => more([]), [follows]);
  return (
    <Section id="journal-title" title={t("journal.title")}>
      <p class="quiet">{t("journal.means")}</p>
      {problem && <ProblemNote problem={problem} again={() => more(acts)} />}
      <div class="table-box journal" tabIndex={0} role="region" aria-label={t("journal.acts")}>
        <table>
          <thead>
            <tr>
              {["at", "act", "subject", "by", "leaf"].map((name) => (
                <th key={name} scope="col">
                  {t(`journal.${name}`)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {acts.map((each) => (
              <tr key={each.id}>
                <td>
                  <Time at={each.at} />
                </td>
                <td>{tryWords(`act_of.${each.act}`) ?? each.act}</td>
                <td>{[each.subject, each.party !== each.subject && each.party].filter(Boolean).join(" · ")}</td>
                <td>{each.person || each.by}</td>
                <td class="n">{each.leaf ?? t("journal.leaf_later")}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {!whole && !problem && acts.length > 0 && (
        <button type="button" class="button" onClick={() => more(acts)}>
          {t("journal.more")}
        </button>
      )}
    </Section>
  );
}
