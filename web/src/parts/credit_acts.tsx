// Documentary credits by hand: issue one from a file of its terms, ask for another transport
// document, present papers.
import type { Bank, BankingCalendar, Credit } from "../money_types";
import { named, t } from "../words";
import { useParties } from "./act";
import { useAnswer, useWhole } from "./basics";
import { ActForm, type Choice, Trouble } from "./money_form";

type Done = { done: () => void };
type Terms = Record<string, unknown> & { shipment: Record<string, unknown>; version?: number };

/** The papers that UCP 600 articles 19 to 25 know, by the way the goods go. */
export const FORMS = ["bill_of_lading", "sea_waybill", "charter_party_bill", "multimodal", "air", "road", "rail", "inland_waterway", "courier", "post"];

const forms = (): Choice[] => FORMS.map((form) => ({ value: form, words: named("transport_form", form) }));

/** A JSON object that somebody's file holds. Raises Trouble. */
function read(text: string): Record<string, unknown> {
  try {
    const found: unknown = JSON.parse(text);
    if (found !== null && typeof found === "object" && !Array.isArray(found)) return found as Record<string, unknown>;
  } catch {
    // Told below.
  }
  throw new Trouble(t("credit.no_json"));
}

/** Terms as a file has them, with the transport document that was chosen. Raises Trouble. */
function termsOf(text: string, form: string): Terms {
  const found = read(text);
  const shipment = found["shipment"];
  if (shipment === null || typeof shipment !== "object" || Array.isArray(shipment)) throw new Trouble(t("credit.no_terms"));
  return { ...found, shipment: form ? { ...shipment, document: form } : (shipment as Record<string, unknown>) };
}

/** The form of a bank that issues a credit. */
export function IssueCredit({ bank, done }: { bank: string } & Done) {
  const parties = useParties();
  const [banks] = useWhole<Bank>("banks");
  const [calendars] = useAnswer<BankingCalendar[]>("/v1/finance/calendars");
  if (banks.state !== "here" || calendars.state !== "here") return null;
  const known = banks.value.map((each): Choice => ({ value: each.bank, words: each.name }));
  const traders = parties.rows.filter((row) => !known.some((each) => each.value === row.party));
  // Who buys is offered first as the applicant, who sells as the beneficiary.
  const offered = (role: string): Choice[] => [...traders].sort((one, other) => Number(other.trade_role === role) - Number(one.trade_role === role)).map((row) => ({ value: row.party, words: row.name || row.party }));
  return (
    <ActForm
      title={t("credit.issue")}
      submit={t("credit.issue_submit")}
      means={t("credit.issue_means")}
      fields={[
        { name: "terms", label: t("credit.terms_file"), kind: "file" },
        { name: "document", label: t("credit.document"), kind: "choice", choices: [{ value: "", words: t("credit.document_of_file") }, ...forms()] },
        { name: "applicant", label: t("credit.applicant"), kind: "choice", choices: offered("importer") },
        { name: "beneficiary", label: t("credit.beneficiary"), kind: "choice", choices: offered("exporter") },
        { name: "adviser", label: t("credit.adviser"), kind: "choice", choices: known.filter((each) => each.value !== bank).concat(known.filter((each) => each.value === bank)) },
        { name: "confirmer", label: t("credit.confirmer"), kind: "choice", choices: [{ value: "", words: t("none") }, ...known.filter((each) => each.value !== bank)] },
        { name: "calendar", label: t("credit.calendar"), kind: "choice", choices: calendars.value.map((each) => ({ value: each.calendar, words: each.calendar })) },
      ]}
      send={({ terms, document, ...who }, act) => act("/v1/finance/credits", { ...who, terms: termsOf(terms ?? "", document ?? "") })}
      after={(answer) => t("credit.issued", { credit: (answer as Credit).credit })}
      done={done}
    />
  );
}

/** The issuer asks for another transport document; the beneficiary has to agree. */
export function OtherDocument({ credit, path, of, done }: { credit: Credit; path: string; of: string } & Done) {
  return (
    <ActForm
      title={t("credit.other_document")}
      submit={t("credit.offer")}
      means={t("credit.other_means")}
      fields={[{ name: "document", label: t("credit.document"), kind: "choice", choices: forms().filter((each) => each.value !== credit.terms.shipment.document) }]}
      send={({ document }, act) => act(`${path}/amendments${of}`, { ...credit.terms, version: credit.terms.version + 1, shipment: { ...credit.terms.shipment, document } })}
      after={() => t("credit.offered")}
      done={done}
    />
  );
}

/** The beneficiary presents its papers, as a file has them. */
export function Present({ path, of, done }: { path: string; of: string } & Done) {
  return (
    <ActForm
      title={t("credit.present")}
      submit={t("credit.present_submit")}
      means={t("credit.present_means")}
      fields={[
        { name: "drawing", label: t("credit.drawing_name") },
        { name: "papers", label: t("credit.papers_file"), kind: "file" },
      ]}
      send={({ drawing, papers }, act) => act(`${path}/drawings/${encodeURIComponent(drawing ?? "")}${of}`, read(papers ?? ""))}
      done={done}
    />
  );
}
