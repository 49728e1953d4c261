// The catalogues and how a sentence is made from them. Messages are ICU MessageFormat; the build
// compiles them (messages.mjs). An argument's kind says how it reads: as a number, a time, a length,
// or another catalogue entry (kind.value).
import { Cell } from "./cell";
import { type Language, isRightToLeft, language, settings } from "./settings";
import type { Args } from "./types";

/** Where the built files lie; the build puts the real addresses here. */
declare const ADDRESSES: Record<"land" | "borders" | "landFine" | "bordersFine" | "verifier" | "worker", string> & {
  words: Record<Language, [first: string, others: string]>;
};
export const addresses = ADDRESSES;

/** Text with {argument} or {argument:kind}; where it depends on one, the argument, whether it counts, and each case. */
type Message = string | (string | [name: string, counts: 0 | 1, cases: Record<string, Message>])[];
/** What a language that only has the pages of a party lacks is there in English. */
type Catalogue = Record<string, Message | { en: Message }>;

/** The language in force; a page that reads it is drawn again when it changes. */
export const tongue = new Cell<Language | "">("");
let words: Catalogue = {};
let plural = new Intl.PluralRules("en");
const englishPlural = plural;

// Left to right inside a line that may run the other way: U+2066 to U+2069.
const IN_ENGLISH = "\u2066[en] ";
const ISOLATED = "\u2068";
const END = "\u2069";

/** The tag for Intl: with the reader's region where the browser names one for this language.
 *
 * Figures and days are compared with papers: digits and calendar are the ones that papers have. */
export function locale(): string {
  const spoken = tongue.value || "en";
  const wish = navigator.languages.find((tag) => tag.toLowerCase().split("-")[0] === spoken);
  const tag = wish ?? { zh: "zh-CN", en: "en-GB" }[spoken as string] ?? spoken;
  return new Intl.Locale(tag, { numberingSystem: "latn", calendar: "gregory" }).toString();
}

export async function loadWords(): Promise<void> {
  const wanted = language();
  if (wanted === tongue.value) return;
  const whole = others !== null;
  const parts = await Promise.all(whole ? [catalogue(wanted, 0), catalogue(wanted, 1)] : [catalogue(wanted, 0)]);
  // Whoever chose twice in a hurry has the last one.
  if (wanted !== language()) return;
  // A page that needs them all was opened meanwhile.
  if (!whole && others !== null) return loadWords();
  words = Object.assign({}, ...parts) as Catalogue;
  plural = new Intl.PluralRules(wanted);
  document.documentElement.lang = wanted === "zh" ? "zh-CN" : wanted;
  document.documentElement.dir = isRightToLeft(wanted) ? "rtl" : "ltr";
  tongue.value = wanted;
}

// The first page has its words in a file of their own; the others' come with the first of those that is opened.
let others: Promise<void> | null = null;

/** The words of all pages; asked for once. */
function otherWords(): Promise<void> {
  others ??= addOthers().catch((error: unknown) => {
    others = null;
    throw error;
  });
  return others;
}

/** Code that is fetched when somebody needs it, with the words that it may say. */
export async function withWords<T>(module: Promise<T>): Promise<T> {
  const [here] = await Promise.all([module, otherWords()]);
  return here;
}

async function addOthers(): Promise<void> {
  const wanted = language();
  const more = await catalogue(wanted, 1);
  // A language that was chosen meanwhile came whole.
  if (wanted !== language()) return;
  words = { ...words, ...more };
}

const catalogue = async (wanted: Language, part: 0 | 1) => (await (await fetch(addresses.words[wanted][part])).json()) as Catalogue;

settings.watch(() => void loadWords());

export const has = (key: string): boolean => key in words;

/** The words for a key with its arguments; the key itself where a word is missing, so that it is seen. */
export function t(key: string, args: Args = {}): string {
  return said(key, args, true) ?? key;
}

/** The words, or null if the catalogue has none or an argument that they need is not there. */
export function tryWords(key: string, args: Args = {}): string | null {
  const message = words[key];
  if (message === undefined) return null;
  if (names(isEnglish(message) ? message.en : message).some((name) => args[name] === undefined || args[name] === "")) return null;
  return said(key, args, false);
}

/** A code of the node in words: kind.value of the catalogue, else the code with blanks. */
export function named(kind: string, value: string): string {
  return said(`${kind}.${value}`, {}, true) ?? value.replaceAll("_", " ");
}

/** Every code of a family with its words, in the order of these: what a reader chooses from. */
export function familyOf(kind: string): [code: string, words: string][] {
  const codes = Object.keys(words).filter((key) => key.startsWith(`${kind}.`)).map((key) => key.slice(kind.length + 1));
  return codes.map((code): [string, string] => [code, named(kind, code)]).sort(([, one], [, other]) => one.localeCompare(other, locale()));
}

/** English words of the node that no catalogue has, with the mark of what they are. */
export const inEnglish = (text: string): string => `${IN_ENGLISH}${text}${END}`;

/** Several things in a row, as the language joins them: a, b and c. */
export function list(parts: string[], type: "conjunction" | "unit" = "conjunction"): string {
  return new Intl.ListFormat(locale(), { type, style: type === "unit" ? "narrow" : "long" }).format(parts);
}

/** Sentences in a row, as the language sets them apart. */
export function sentences(parts: string[]): string {
  return parts.filter(Boolean).join(tongue.value === "zh" ? "" : " ");
}

type Printer = (value: string | number | boolean) => string;
const printers: Record<string, Printer> = {};

/** Formats (numbers, times, lengths) register here, so that words know them without a circle. */
export function printAs(kind: string, printer: Printer): void {
  printers[kind] = printer;
}

function said(key: string, args: Args, keep: boolean): string | null {
  const message = words[key];
  if (message === undefined) return null;
  return isEnglish(message) ? inEnglish(filled(message.en, args, keep, englishPlural)) : filled(message, args, keep, plural);
}

const isEnglish = (message: Message | { en: Message }): message is { en: Message } => typeof message === "object" && "en" in message;

function names(message: Message): string[] {
  if (typeof message === "string") return [...message.matchAll(/\{(\w+)(?::\w+)?\}/g)].map((match) => match[1] as string);
  return message.flatMap((part) => (typeof part === "string" ? names(part) : [part[0], ...Object.values(part[2]).flatMap(names)]));
}

function filled(message: Message, args: Args, keep: boolean, rules: Intl.PluralRules): string {
  if (typeof message === "string") {
    return message.replace(/\{(\w+)(?::(\w+))?\}/g, (whole, name: string, kind: string | undefined, at: number) => {
      const value = args[name];
      if (value === undefined) return keep ? whole : "";
      const text = kind ? printed(kind, value) : String(value);
      // A name such as "Pumps Ltd." ends the sentence with its own full stop.
      const doubled = text.endsWith(".") && message[at + whole.length] === ".";
      return isolated(doubled ? text.slice(0, -1) : text);
    });
  }
  return message
    .map((part) => {
      if (typeof part === "string") return filled(part, args, keep, rules);
      const [name, counts, cases] = part;
      const value = args[name] ?? "";
      const chosen = counts ? (cases[`=${value}`] ?? cases[rules.select(Number(value))]) : cases[String(value)];
      return filled(chosen ?? cases["other"] ?? "", args, keep, rules);
    })
    .join("");
}

function printed(kind: string, value: string | number | boolean): string {
  const printer = printers[kind];
  return printer ? printer(value) : named(kind, String(value));
}

// A name or a number in a line from right to left keeps its own direction.
const isolated = (text: string) => (document.documentElement.dir === "rtl" ? `${ISOLATED}${text}${END}` : text);
