// Whose move it is on a road: in words for everybody, with the way there for whose move it is.
import { session } from "../session";
import type { Move, RoadSummary, WorkItem } from "../types";
import { named, t, tryWords } from "../words";

/** Which milestone an act reaches; the node orders its stones by the same table. */
const STONES: Record<string, string> = {
  lot: "factory",
  papers: "papers",
  papers_mend: "papers",
  seal: "gate",
  seal_check: "gate",
  arrival: "arrival",
  border: "border",
  bill: "title",
  mint: "title",
  give_title: "title",
  deal: "payment",
  funds: "payment",
  payment: "payment",
};

/** The page, and the place on it, where an act on a consignment is done. */
export function placeOf(act: string, consignment: string): string {
  const own = `/consignments/${encodeURIComponent(consignment)}`;
  switch (act) {
    case "lot":
      return "/factory";
    case "seal":
    case "seal_check":
      return `${own}#seal-title`;
    case "border":
      return `${own}#conditions-title`;
    case "deal":
      return `/deals/new/${encodeURIComponent(consignment)}`;
    case "funds":
      return "/money";
    case "bill":
    case "mint":
      return `${own}#goods-title`;
    case "papers":
    case "papers_mend":
      return `${own}#papers-title`;
    case "arrival":
      return `${own}#arrival-title`;
    default:
      return `${own}#money-title`;
  }
}

/** Where an item of the worklist is done. */
export function placeOfItem(item: WorkItem): string {
  switch (item.kind) {
    case "move":
      return placeOf(item.act, item.subject);
    case "declaration":
      return "/declarations";
    case "agreement":
      return "/people";
    default:
      return "/money";
  }
}

/** What an item asks of its reader. */
export function itemWords(item: WorkItem): string {
  if (item.kind === "move") return named("waits", item.act);
  const what = tryWords(`act.${item.act}`) ?? item.act;
  return t(`work.${item.kind}${item.kind === "agreement" || item.kind === "declaration" ? `.${item.act}` : ""}`, { label: item.label, what });
}

export const isMine = (move: Move) => session.value?.role === "party" && move.party === session.value.party;

/** Acts of a road's stone that wait. */
export function movesTo(road: RoadSummary, stone: string): Move[] {
  return road.moves.filter((move) => STONES[move.key] === stone);
}

/** Whether something waits for the reader at this place of the consignment's page. */
export function waitsHere(road: RoadSummary, place: string): boolean {
  const leads = (move: Move) => placeOf(move.key, road.consignment).endsWith(`#${place}`);
  // A deal and its funds are done on pages of their own; the money is where a road speaks of them.
  return road.moves.some((move) => isMine(move) && (leads(move) || (place === "money-title" && STONES[move.key] === "payment")));
}
