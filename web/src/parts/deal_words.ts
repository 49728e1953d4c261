// A deal in words that both sides read: what is paid by whom, on what, and what happens otherwise.
import { metres, money, odds, time } from "../format";
import type { DealTerms, DealWhole } from "../money_types";
import { list, named, sentences, t } from "../words";

export const MARKS = ["signed_by_terminal", "bound_to_goods", "recomputed", "corroborated", "inside_open_sky_model", "inside"] as const;
export const NEEDS = ["papers_agree", "title_in_custody", "customs_released"] as const;

/** A sentence that ends with a name, which may have a full stop of its own. */
export const oneStop = (text: string): string => text.replaceAll("..", ".");

/** Day with its year, and hour with its zone: a deal may stand over a new year. */
const moment = (at: string) => t("deal.moment", { day: time(at, "day"), hour: time(at, "clock") });

/** A condition in words: of several containers each arrival is one of its own. */
export function conditionWords(name: string): string {
  const [word = "", container] = name.split(":");
  return container ? t("condition.arrival_of", { container }) : named("condition", word);
}

/** How large a place is and where. */
function placeWords(site: DealTerms["site"]): string {
  if (site.corners?.length) return t("deal.place_area", { name: site.name, n: site.corners.length });
  return t("deal.place_circle", { name: site.name, radius: metres(site.radius_mm / 1000) });
}

/** The deal as one paragraph. `name` tells a party's name. */
export function paragraph(deal: Omit<DealWhole, "state" | "conditions" | "decision" | "reason" | "title_reserved" | "obstacles" | "deadline">, name: (party: string) => string): string {
  const { terms } = deal;
  const needs = terms.needs.map((need) => t(`deal.need.${need}`));
  return oneStop(sentences([
    t("deal.holds", {
      bank: name(deal.payer_bank),
      amount: money({ minor: deal.amount_minor, currency: deal.currency, exponent: deal.exponent }),
      payer: name(deal.payer),
      payee: name(deal.payee),
      payee_bank: name(deal.payee_bank),
      consignment: deal.consignment,
    }),
    t(deal.carried.length ? "deal.arrival_several" : "deal.arrival", {
      terminal: deal.terminal,
      carried: list(deal.carried.map((each) => t("deal.carried", { container: each.container, terminal: each.terminal }))),
      place: placeWords(terms.site),
      from: moment(terms.not_before),
      until: moment(terms.not_after),
      odds: odds(terms.risk_ppb),
    }),
    terms.marks.length ? t("deal.marks", { marks: list(terms.marks.map((mark) => t(`deal.mark.${mark}`))) }) : t("deal.no_marks"),
    needs.length ? t("deal.needs", { needs: list(needs) }) : "",
    t("deal.then", { payee: name(deal.payee), bank: name(deal.payer_bank), payer: name(deal.payer) }),
  ]));
}
