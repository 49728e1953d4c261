// Which pages and acts the reader is offered: the node says so, from what its routes declare.
import { session } from "./session";

/** By what name the node tells of the page at an address; empty for what everybody opens. */
export function entryOf(where: string): string {
  const [room = "", part = "", more = ""] = where.split("/").slice(1);
  if (room === "") return "home";
  if (room === "consignments") return more === "position" ? "consignments.position" : "consignments";
  return ["folder", "credits", "exchange", "receivables", "new"].includes(part) ? `${room}.${part}` : room;
}

/** The roles that may what this reader may not; null for what the reader may. */
export const whose = (entry: string): string[] | null => session.value?.closed?.[entry] ?? null;

export const mayOpen = (where: string) => whose(entryOf(where)) === null;
export const mayDo = (act: string) => whose(`act.${act}`) === null;
