// Customs let the goods of a consignment go: the act that its border waits for.
import type { Road } from "../types";
import { t } from "../words";
import { ActForm } from "./money_form";
import { isMine } from "./moves";

const DECLARATIONS = new Set(["import_declaration", "export_declaration"]);

export function CustomsRelease({ road }: { road: Road }) {
  if (!road.moves.some((move) => move.key === "border" && isMine(move))) return null;
  const declared = road.documents.find((paper) => DECLARATIONS.has(paper.kind));
  return (
    <ActForm
      open
      title={t("release.title")}
      submit={t("release.go")}
      means={t("release.means")}
      fields={[{ name: "declaration", label: t("release.declaration"), value: declared?.number ?? "" }, { name: "reason", label: t("release.reason"), optional: true }]}
      send={({ declaration, reason }, act) => act(`/v1/trade/consignments/${encodeURIComponent(road.consignment)}/customs-release`, { declaration, decision: "released", reason })}
      after={() => t("release.after")}
      done={() => undefined}
    />
  );
}
