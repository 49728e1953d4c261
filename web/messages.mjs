// The catalogues of the pages: ICU MessageFormat in src/i18n/LANGUAGE.json, checked and compiled here.
//
//   node messages.mjs             says what is wrong, with what to write where; 1 if anything is
//   node messages.mjs missing ru  the keys that a language lacks, as lines to fill in
//
// A message is text with {argument}, {argument, kind}, plural and select. A kind is a printer of
// format.ts (number, time, metres …) or a family of the catalogue ({state, condition_state}).
import { parse } from "@messageformat/parser";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const sources = join(dirname(fileURLToPath(import.meta.url)), "src");
const readJson = (...path) => JSON.parse(readFileSync(join(sources, ...path), "utf8"));

/** Each language with its name, whether it must be complete, whether it runs from right to left (rtl),
 * and whether its nouns stay as they are after a number (invariant). */
export const languages = readJson("languages.json");
const PRINTERS = new Set(readFileSync(join(sources, "format.ts"), "utf8").match(/(?<=printAs\(")\w+/g));

export function catalogues() {
  return Object.fromEntries(Object.keys(languages).map((language) => [language, readJson("i18n", `${language}.json`)]));
}

/** A message as the pages read it: text with {argument} or {argument:kind}, or, where it depends on an
 * argument, a list of such texts and [argument, is it a plural, the cases]. */
export function compiled(template) {
  return joined(tokensOf(template), "");
}

// The parser takes a millisecond; most messages are text, and each is asked for twice.
const kept = new Map();

function tokensOf(template) {
  if (!/['{}]/.test(template)) return [{ type: "content", value: template }];
  if (!kept.has(template)) kept.set(template, parse(template));
  return kept.get(template);
}

function joined(tokens, counted) {
  const parts = [];
  const say = (text) => (typeof parts.at(-1) === "string" ? parts.push(parts.pop() + text) : parts.push(text));
  for (const token of tokens) {
    if (token.type === "content") say(plain(token.value));
    else if (token.type === "argument") say(`{${token.arg}}`);
    else if (token.type === "function") say(`{${token.arg}:${token.key}}`);
    else if (token.type === "octothorpe") say(`{${counted}:number}`);
    else if (token.type === "selectordinal") throw new Error("the pages know no selectordinal");
    else {
      const isPlural = token.type === "plural";
      const cases = token.cases.map(({ key, tokens: inner }) => [key, joined(inner, isPlural ? token.arg : counted)]);
      parts.push([token.arg, isPlural ? 1 : 0, Object.fromEntries(cases)]);
    }
  }
  return parts.length === 1 && typeof parts[0] === "string" ? parts[0] : parts;
}

function plain(text) {
  if (/[{}]/.test(text)) throw new Error("a brace stands for an argument only (an apostrophe before it hides it: write ’)");
  return text;
}

/** Every argument of a message with how it is used; a plural with its cases. */
function uses(tokens, found = new Map()) {
  const note = (name, use) => found.set(name, [...(found.get(name) ?? []), use]);
  for (const token of tokens) {
    if (token.type === "argument") note(token.arg, { kind: "" });
    if (token.type === "function") note(token.arg, { kind: token.key });
    if (!token.cases) continue;
    note(token.arg, { kind: token.type, cases: token.cases.map(({ key }) => key) });
    for (const each of token.cases) uses(each.tokens, found);
  }
  return found;
}

/** Everything that is wrong, as sentences that say what to write. */
export function problems(books = catalogues(), known = languages) {
  const { found, read } = parsed(books);
  const families = new Set(Object.keys(books.en).map((key) => key.split(".")[0]));
  for (const language of Object.keys(books)) {
    found.push(...keyProblems(language, books, known[language]));
    for (const [key, arguments_] of read[language]) {
      const english = read["en"].get(key);
      if (!english) continue;
      const wrong = [...kindProblems(arguments_, families), ...(language === "en" ? [] : argumentProblems(english, arguments_)), ...pluralProblems(language, english, arguments_, known[language])];
      found.push(...wrong.map((words) => `${language}.json, ${key}: ${words}`));
    }
  }
  return found;
}

function parsed(books) {
  const found = [];
  const read = {};
  for (const [language, book] of Object.entries(books)) {
    read[language] = new Map();
    for (const [key, template] of Object.entries(book)) {
      const old = /\{(\w+):(\w+)\}/.exec(template);
      try {
        if (old) throw new Error(`write {${old[1]}, ${old[2]}} instead of ${old[0]}`);
        if (!template.trim()) throw new Error("it is empty");
        compiled(template);
        read[language].set(key, uses(tokensOf(template)));
      } catch (error) {
        found.push(`${language}.json, ${key}: ${error.message.split("\n")[0]}`);
      }
    }
  }
  return { found, read };
}

function keyProblems(language, books, { complete }) {
  const book = books[language];
  const keys = Object.keys(book);
  const found = keys.filter((key) => !(key in books.en)).map((key) => `${language}.json, ${key}: English does not have it; take it out or add it to en.json`);
  if (complete) found.push(...missing(language, books).map((key) => `${language}.json lacks ${key}; add a line for: ${JSON.stringify(books.en[key])}`));
  for (const key of keys) {
    const stem = key.replace(/\.(one|two|few|many)$/, "");
    if (stem !== key && `${stem}.other` in book) found.push(`${language}.json, ${key}: a plural by hand; write ${stem}: "{n, plural, one {…} other {…}}"`);
  }
  const at = keys.findIndex((key, i) => i > 0 && key < keys[i - 1]);
  if (at > 0) found.push(`${language}.json, ${keys[at]}: stands behind ${keys[at - 1]}; keys are sorted`);
  return found;
}

export const missing = (language, books = catalogues()) => Object.keys(books.en).filter((key) => !(key in books[language]));

function kindProblems(arguments_, families) {
  return [...arguments_].flatMap(([name, all]) =>
    all.filter(({ kind, cases }) => kind && !cases && !PRINTERS.has(kind) && !families.has(kind)).map(({ kind }) => `{${name}, ${kind}}: no printer and no family of keys is called ${kind}`),
  );
}

const counts = (kind) => kind === "plural" || kind === "number" || kind === "";
const sortOf = (all) => [...new Set(all.map(({ kind, cases }) => (counts(kind) ? "" : kind === "select" ? `select ${[...cases].sort().join(" ")}` : kind)))].filter(Boolean).join();

function argumentProblems(english, arguments_) {
  const found = [];
  for (const name of english.keys()) if (!arguments_.has(name)) found.push(`{${name}} of the English message is not in it`);
  for (const [name, all] of arguments_) {
    const theirs = english.get(name);
    if (!theirs) found.push(`{${name}} is not in the English message`);
    else if (sortOf(theirs) !== sortOf(all)) found.push(`{${name}} is used as ${sortOf(all) || "itself"}, in English as ${sortOf(theirs) || "itself"}`);
  }
  return found;
}

const CATEGORIES = ["zero", "one", "two", "few", "many", "other"];

function pluralProblems(language, english, arguments_, { invariant }) {
  const spoken = new Intl.PluralRules(language).resolvedOptions().pluralCategories;
  const categories = CATEGORIES.filter((each) => spoken.includes(each));
  const found = [];
  for (const [name, theirs] of english) {
    const own = arguments_.get(name) ?? [];
    const plurals = own.filter(({ kind }) => kind === "plural");
    const needs = theirs.some(({ kind }) => kind === "plural") && !invariant;
    if (needs && plurals.length === 0) found.push(`{${name}} counts; write {${name}, plural, ${categories.map((each) => `${each} {…}`).join(" ")}}`);
    for (const { cases } of plurals) {
      const lacks = categories.filter((each) => !cases.includes(each));
      const strange = cases.filter((each) => !each.startsWith("=") && !categories.includes(each));
      if (lacks.length > 0 || strange.length > 0) found.push(`the plural of {${name}} has ${cases.join(" ")}; this language has ${categories.join(" ")}`);
    }
  }
  return found;
}

// Families whose keys the node says whole, as codes: no source names them.
const SAID_BY_THE_NODE = ["because", "crosscheck", "finding", "reason", "recovering"];

/** Whether a key may be asked for by sources with these texts: they, or messages of theirs, name it or its family.
 *
 * A family is asked for whole by named("family", …) and by t(`family.${…}`); else the keys that begin with what is
 * written out are asked for, and no others of their family. A kind of an argument is a family that is asked for. */
export function namedIn(texts, english = catalogues().en) {
  const familyOf = (key) => key.split(".")[0];
  const spoken = new Set(texts.flatMap((text) => [...text.matchAll(/["'`]([a-z][\w-]*(?:\.[\w-]+)*\.?)(?=["'`]|\$\{)/g)].map(([, words]) => words)));
  const begun = [...spoken].filter((words) => words.includes("."));
  const asked = new Set([...SAID_BY_THE_NODE, ...texts.flatMap((text) => [...text.matchAll(/\bnamed\(["'`](\w+)["'`]/g)].map(([, family]) => family))]);
  const takes = (key) => asked.has(familyOf(key)) || spoken.has(key) || begun.some((words) => key.startsWith(words));
  for (let known = -1; known !== asked.size; ) {
    known = asked.size;
    for (const key of Object.keys(english).filter(takes)) for (const [, kind] of english[key].matchAll(/\{\w+, (\w+)\}/g)) asked.add(kind);
  }
  return takes;
}

/** Each language's messages as the pages fetch them: those of the first page, and those of the others.
 * What a language lacks stands there as { en: the English message }. */
export function allCompiled(isFirst, books = catalogues()) {
  const message = (book, key) => (key in book ? compiled(book[key]) : { en: compiled(books.en[key]) });
  const part = (book, takes) => Object.fromEntries(Object.keys(books.en).filter(takes).map((key) => [key, message(book, key)]));
  return Object.fromEntries(Object.entries(books).map(([language, book]) => [language, [part(book, isFirst), part(book, (key) => !isFirst(key))]]));
}

function main([task, language]) {
  if (task === "missing") {
    const books = catalogues();
    for (const key of missing(language, books)) console.log(` ${JSON.stringify(key)}: ${JSON.stringify(books.en[key])},`);
    return 0;
  }
  const found = problems();
  for (const each of found) console.log(each);
  return found.length > 0 ? 1 : 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = main(process.argv.slice(2));
