// The fields of an entry in the order in which a person knows them, and the entry as a file.
import type { EntryField } from "../types";
import { inEnglish, tongue, tryWords } from "../words";

export type Fields = Record<string, string>;
export const ITEM = "includedConsignmentItem";
export const EQUIPMENT = "utilizedTransportEquipment";
export const GROUPS = ["parties", "papers", "carriage", "goods", "boxes", "customs", "credit"] as const;
export type Group = (typeof GROUPS)[number];

export function groupOf(path: string): Group {
  const head = (path.split(/[.[]/)[0] ?? "") as string;
  if (head === ITEM) return "goods";
  if (head === EQUIPMENT) return "boxes";
  if (head.endsWith("Party")) return "parties";
  if (head === "documentaryCredit") return "credit";
  if (head === "customsValuation" || head === "hsEditionCode" || head === "originAgreementCode") return "customs";
  if (/Location|Movement|TradeDeliveryTerms|freightPaymentCode|loadTypeCode/.test(head)) return "carriage";
  return "papers";
}

/** How many members a repeated group has; at least one is asked for. */
export function sizeOf(group: string, fields: Fields): number {
  let size = 1;
  for (const path of Object.keys(fields)) {
    const match = path.startsWith(`${group}[`) ? /\[(\d+)\]/.exec(path) : null;
    if (match) size = Math.max(size, Number(match[1]) + 1);
  }
  return size;
}

/** What the node names in English and Chinese, in the reader's language: the English name is the key. */
export function labelled({ en, zh }: { en: string; zh: string }): string {
  if (tongue.value === "zh") return zh;
  // A value stands for itself.
  if (tongue.value === "en" || /^\d*$/.test(en)) return en;
  return tryWords(`label.${en}`) ?? inEnglish(en);
}

export const pathAt = (path: string, member: number): string => path.replace("[]", `[${member}]`);
export const named = (field: EntryField): string => labelled(field);
export const otherwiseOf = (field: EntryField): string => labelled({ en: field.otherwise_en, zh: field.otherwise_zh });
export const partyOf = (field: EntryField): string => labelled({ en: field.of_en, zh: field.of_zh });

/** Takes a member out of a repeated group and closes the gap. */
export function without(group: string, member: number, fields: Fields): Fields {
  const left: Fields = {};
  for (const [path, text] of Object.entries(fields)) {
    const match = path.startsWith(`${group}[`) ? /^[A-Za-z]+\[(\d+)\]/.exec(path) : null;
    const at = match ? Number(match[1]) : -1;
    if (at < member) left[path] = text;
    else if (at > member) left[path.replace(`[${at}]`, `[${at - 1}]`)] = text;
  }
  return left;
}

const OF_VERSION_5 = /^(airWaybillDocument\.|originAgreementCode$|loadTypeCode$|(pre|on)CarriageTransportMovement\.modeCode$|.*\]\.wagonId$)/;

/** The entry file of the fields, as the command line reads it too. */
export function entryFile(fields: Fields): string {
  const has = (name: string) => Object.entries(fields).some(([path, text]) => text && path.endsWith(`].${name}`));
  const later = Object.entries(fields).some(([path, text]) => text && OF_VERSION_5.test(path));
  const version = later ? 5 : has("invoiceId") ? 4 : has("productionOrderId") ? 3 : 2;
  const root: Record<string, unknown> = { type: `zhidao.ConsignmentEntry.v${version}` };
  for (const [path, text] of Object.entries(fields)) {
    if (!text) continue;
    const steps = path.split(/\.|\[|\]\.?/).filter((step) => step !== "");
    let holder = root;
    steps.forEach((step, n) => {
      if (n === steps.length - 1) {
        holder[step] = text;
        return;
      }
      holder[step] ??= /^\d+$/.test(steps[n + 1] as string) ? [] : {};
      holder = holder[step] as Record<string, unknown>;
    });
  }
  return JSON.stringify(root);
}
