// The verifier as one file for any browser, offline: script, style and words stand inside it.
// node verifier/build.mjs FILE
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { catalogues } from "../messages.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const TARGET = ["chrome111", "firefox115", "safari16.4"];
const COMMON = { bundle: true, minify: true, write: false, legalComments: "inline", target: TARGET, logLevel: "warning", charset: "utf8" };

/** The script of a file of this folder, with node's modules by what stands here for them. */
export async function script(name, format = "iife") {
  const stand = (module) => join(here, `node_${module}.mjs`);
  const alias = { "node:crypto": stand("crypto"), "node:fs": stand("fs"), "node:zlib": stand("zlib") };
  const made = await build({ ...COMMON, format, alias, inject: [stand("globals")], entryPoints: [join(here, name)] });
  return made.outputFiles[0].text;
}

/** The words of each complete language, by their keys without "verifier.". */
function words() {
  const books = catalogues();
  const named = Object.keys(books.en).filter((key) => key.startsWith("verifier."));
  const complete = Object.entries(books).filter(([, book]) => named.every((key) => key in book));
  return Object.fromEntries(complete.map(([language, book]) => [language, Object.fromEntries(named.map((key) => [key.slice(9), book[key]]))]));
}

/** What may stand inside of a script element. */
const inside = (text) => text.replaceAll("<", "\\u003c");
const digest = (text) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

export async function verifierPage() {
  const page = (await script("page.mjs")).replaceAll("</script", "<\\/script");
  const style = readFileSync(join(here, "page.css"), "utf8");
  const fill = { SCRIPT: page, STYLE: style, WORDS: inside(JSON.stringify(words())), WORKER: inside(JSON.stringify(await script("worker.mjs"))), POLICY: `default-src 'none'; script-src ${digest(page)} blob:; worker-src blob:; style-src ${digest(style)}; base-uri 'none'; form-action 'none'` };
  return readFileSync(join(here, "page.html"), "utf8").replace(/%([A-Z]+)%/g, (_, name) => fill[name]);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(process.argv[2], await verifierPage());
