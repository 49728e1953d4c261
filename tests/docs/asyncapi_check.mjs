// Reads an AsyncAPI document with the parser of the AsyncAPI project and prints what it finds.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const [file, tools] = process.argv.slice(2);
const { Parser } = createRequire(`${tools}/here.js`)("@asyncapi/parser");
const { document, diagnostics } = await new Parser().parse(readFileSync(file, "utf8"));
console.log(
  JSON.stringify({
    read: document !== undefined,
    operations: document?.operations().all().length ?? 0,
    found: diagnostics.map(({ code, severity, message, path }) => ({ code, severity, message, path: path.join(".") })),
  }),
);
