// Navigation data: the satellites' own orbits and clocks, without which no raw signals prove a place.
import { useState } from "preact/hooks";
import { type Problem, sendBytes } from "../api";
import { useCell } from "../cell";
import { time } from "../format";
import { settings } from "../settings";
import { list, t } from "../words";
import { ProblemNote, Section, asProblem } from "./basics";
import { Drop, type Given } from "./files";
import { fromBase64 } from "../verify/bytes";

interface Orbits {
  digest: string;
  systems: string;
  ephemerides: number;
  first_at: string;
  last_at: string;
}

/** The operator's: a file of a receiver or of an analysis centre, as it stands. */
export function OrbitsPart() {
  useCell(settings);
  const [added, set] = useState<Orbits | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  const take = async (files: Given[]) => {
    setProblem(null);
    set(null);
    setBusy(true);
    try {
      for (const file of files) set(await sendBytes<Orbits>("/v1/positioning/navigation", fromBase64(file.content)));
    } catch (error) {
      setProblem(asProblem(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Section id="orbits-title" title={t("orbits.title")}>
      <p class="quiet">{t("orbits.means")}</p>
      <Drop take={(files) => void take(files)} label={t("orbits.drop")} />
      <div role="status">
        {busy && <p class="quiet">{t("orbits.reading")}</p>}
        {added && <p class="good">{t("orbits.added", { n: added.ephemerides, systems: list([...added.systems].map((letter) => t(`orbits.system_${letter}`))), first: time(added.first_at), last: time(added.last_at) })}</p>}
      </div>
      {problem && <ProblemNote problem={problem} />}
    </Section>
  );
}
