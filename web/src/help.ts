// Which chapter of the help each page belongs to. Each page has one, and the chapter exists: a test
// holds this table to the node's pages and to the documentation.
const CHAPTERS: [RegExp, string][] = [
  [/^\/consignments\/[^/]+\/position$/, "explanation/integrity"],
  [/^\/consignments\//, "tutorials/your-own-corridor"],
  [/^\/deals\//, "how-to/payments"],
  [/^\/deals$/, "how-to/payments"],
  [/^\/money\/credits/, "how-to/document-sets"],
  [/^\/money/, "how-to/payments"],
  [/^\/exchange/, "how-to/exchange"],
  [/^\/(peers|meet)/, "how-to/exchange"],
  [/^\/papers/, "how-to/document-sets"],
  [/^\/declarations/, "how-to/document-sets"],
  [/^\/trust/, "how-to/witnesses"],
  [/^\/verify\//, "how-to/trust-lists"],
  [/^\/(people|access|start|login|enter|join)/, "how-to/tokens-and-roles"],
  [/^\/(notifications|waiting)/, "how-to/notifications"],
  [/^\/devices/, "tutorials/first-terminal"],
  [/^\/factory/, "how-to/product-passports"],
  [/^\/trace/, "how-to/trace-goods"],
  [/^\/node/, "how-to/monitor"],
  [/^\/api$/, "reference/http-api"],
  [/^\/certificate$/, "how-to/tls"],
  [/^\/$/, "tutorials/your-own-corridor"],
];

/** Where the help about a page is; the whole help for a page that nobody named. */
export function chapterOf(path: string): string {
  const found = CHAPTERS.find(([pages]) => pages.test(path));
  return found ? `/help/${found[1]}` : "/help";
}
