// What proof_check.mjs needs of amounts, names of transfers and payment messages (pacs.008, camt.054).
import { big, need, same, sha } from "./proof_log.mjs";
const EXPONENTS = { 0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
  3: "BHD IQD JOD KWD LYD OMR TND", 4: "CLF UYW" }; // ISO 4217; all others have 2
export function minor(text, currency) {
  const listed = Object.keys(EXPONENTS).find((n) => EXPONENTS[n].split(" ").includes(currency));
  const exponent = Number(listed ?? 2);
  const [, units, part = ""] = text.match(/^(\d+)(?:\.(\d+))?$/);
  need(/^0*$/.test(part.slice(exponent)), "malformed", "not an amount");
  return BigInt(units + part.slice(0, exponent).padEnd(exponent, "0"));
}
export const xml = (data) => data.toString().replace(/<!--[^]*?-->|<!\[CDATA\[[^]*?\]\]>|<\?[^]*?\?>/g, "");
export function uuid(at, ...words) { // version 8; its first 48 bits are the milliseconds `at`, if given
  let n = big(sha(words.join("\0")).subarray(0, 16));
  if (at !== null) n = (at << 80n) | (n & ((1n << 80n) - 1n));
  return ((n & ~((0xfn << 76n) | (3n << 62n))) | (8n << 76n) | (2n << 62n)).toString(16).padStart(32, "0");
}
export const dashed = (id) => id.replace(/(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
function inside(text, path) { // the text of the first element on a path of tags
  const content = (t, tag) => t?.match(new RegExp(`<${tag}(?: [^>]*)?>([^]*?)</${tag}>`))?.[1];
  return path.split("/").reduce(content, text)?.trim();
}
// The messages pay what was agreed, between the accounts of the deal. `facts` finds the facts of a type.
export function payment(o, s, d, pending, blobs, facts) { // whether a payment is shown
  const no = "payment_mismatch", [pacs, camt] = [s.pacs008, s.camt054].map((n) => blobs.get(n))
    .map((data) => data && xml(data));
  need(d && s.paid === (d.outcome === "release") && s.reason === d.reason, no);
  if (!s.paid) need(!s.pacs008 && !s.camt054, no);
  if (!s.paid || !pacs || !camt) return false;
  const account = (bank, party) => uuid(null, "account", bank, "CUSTOMER", party, o.currency);
  const wanted = [o.deal, pending, account(o.payer_bank, o.payer), account(o.payee_bank, o.payee)];
  const messages = [[pacs, "IntrBkSttlmAmt", "CdtrAcct/Othr/Id"], [camt, "Amt", "Ntfctn/Acct/Othr/Id"]];
  for (const [text, amount, payee] of messages) {
    for (const [, code, sum] of text.matchAll(new RegExp(`<${amount} Ccy="([A-Z]{3})">([0-9.]+)<`, "g")))
      need(code === o.currency && minor(sum, code) === BigInt(o.amount_minor), no);
    const found = ["EndToEndId", "InstrId", "DbtrAcct/Othr/Id", payee].map((path) => inside(text, path));
    need(same(found, wanted), no);
    for (const [bank, tag] of [[o.payer_bank, "DbtrAgt"], [o.payee_bank, "CdtrAgt"]]) {
      const said = inside(text, `${tag}/FinInstnId/BICFI`);
      const admitted = facts("finance.BankAdmitted", { bank }).at(-1);
      need((admitted?.bic ?? said) === said, no);
    }
  }
  const both = ["GrpHdr/MsgId", "UETR", "Ustrd", "Dbtr/Nm", "Cdtr/Nm"];
  need(both.every((path) => inside(pacs, path) === inside(camt, path)), no);
  return true;
}
