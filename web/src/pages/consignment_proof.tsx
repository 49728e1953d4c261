// What a reader takes along of a consignment: the proof, its sheet on paper, and where both are checked.
import { useEffect, useRef } from "preact/hooks";
import { Section } from "../parts/basics";
import { onPrint, printWhole } from "../parts/sheet";
import type { Road } from "../types";
import { t } from "../words";

export function ProofPart({ road }: { road: Road }) {
  const newest = useRef(road);
  newest.current = road;
  useEffect(() => onPrint(() => newest.current), []);
  return (
    <Section id="proof-title" title={t("proof")}>
      <p class="quiet">{t("proof.means")}</p>
      <div class="row-buttons">
        <a class="button" href={`/v1/consignments/${encodeURIComponent(road.consignment)}/proof`} download="consignment.zdproof">
          {t("said.export")}
        </a>
        <button type="button" class="button" onClick={() => print()}>
          {t("sheet.print")}
        </button>
        <button type="button" class="button" onClick={printWhole}>
          {t("sheet.print_whole")}
        </button>
        <a class="button" href={`/verify/${encodeURIComponent(road.consignment)}`}>
          {t("verify.way")}
        </a>
      </div>
    </Section>
  );
}
