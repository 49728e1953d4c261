// The catalogues and how a sentence is made from them. A template's {name:kind} says how the
// argument reads: as a number, a time, a length, or another catalogue entry (kind.value).
import { Cell } from "./cell";
import { type Language, language, settings } from "./settings";
import type { Args } from "./types";

/** Where the built files lie; the build puts the real addresses here. */
declare const ADDRESSES: Record<"land" | "borders" | "landFine" | "bordersFine" | "worker", string> & {
  words: Record<Language, string>;
};
export const addresses = ADDRESSES;

type Catalogue = Record<string, string>;

/** The language in force; a page that reads it is drawn again when it changes. */
export const tongue = new Cell<Language | "">("");
let words: Catalogue = {};
let plural = new Intl.PluralRules("en");

/** The tag for Intl: with the reader's region where the browser names one for this language. */
export function locale(): string {
  const wish = navigator.languages.find((tag) => tag.toLowerCase().startsWith(tongue.value || "en"));
  return wish ?? (tongue.value === "zh" ? "zh-CN" : "en-GB");
}

export async function loadWords(): Promise<void> {
  const wanted = language();
  if (wanted === tongue.value) return;
  const answer = await fetch(addresses.words[wanted]);
  words = (await answer.json()) as Catalogue;
  plural = new Intl.PluralRules(wanted);
  document.documentElement.lang = wanted === "zh" ? "zh-CN" : "en";
  tongue.value = wanted;
}

settings.watch(() => void loadWords());

export const has = (key: string): boolean => key in words;

/** The words for a key with its arguments; the key itself where a word is missing, so that it is seen. */
export function t(key: string, args: Args = {}): string {
  const template = words[key];
  return template === undefined ? key : filled(template, args, true);
}

/** The words, or null if the catalogue has none or an argument that they need is not there. */
export function tryWords(key: string, args: Args = {}): string | null {
  const template = words[key];
  if (template === undefined) return null;
  const names = [...template.matchAll(/\{(\w+)(?::\w+)?\}/g)].map((match) => match[1] as string);
  if (names.some((name) => args[name] === undefined || args[name] === "")) return null;
  return filled(template, args, false);
}

/** Words that differ by number: key.one, key.other and what else the language asks for. */
export function count(key: string, n: number, args: Args = {}): string {
  const exact = `${key}.${plural.select(n)}`;
  return t(exact in words ? exact : `${key}.other`, { n, ...args });
}

/** A code of the node in words: kind.value of the catalogue, else the code with blanks. */
export function named(kind: string, value: string): string {
  return words[`${kind}.${value}`] ?? value.replaceAll("_", " ");
}

type Printer = (value: string | number | boolean) => string;
const printers: Record<string, Printer> = {};

/** Formats (numbers, times, lengths) register here, so that words know them without a circle. */
export function printAs(kind: string, printer: Printer): void {
  printers[kind] = printer;
}

function filled(template: string, args: Args, keep: boolean): string {
  return template.replace(/\{(\w+)(?::(\w+))?\}/g, (whole, name: string, kind?: string) => {
    const value = args[name];
    if (value === undefined) return keep ? whole : "";
    if (!kind) return String(value);
    const printer = printers[kind];
    return printer ? printer(value) : named(kind, String(value));
  });
}
