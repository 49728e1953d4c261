// What proof_check.mjs needs of amounts, names of transfers, payment messages (pacs.008, camt.054), the
// conditions of a payment, and the versions of facts, the newest of which are of several containers.
import { big, fields, need, ns, same, sha } from "./proof_log.mjs";
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
// A lot's record is sifted and judged again. Version 1 has no status, so all its samples count.
export function made(record, order, f) {
  const no = "quality_mismatch", seen = new Map(), doubtful = new Set(), slack = 2000000000n;
  if (record.v === 2) fields(record, "v order lot begun_at ended_at readings judgements");
  else need(fields(record, "v order lot samples judgements").v === 1, no);
  const samples = record.samples ?? record.readings.filter((r) => {
    const at = r.source_at && ns(r.source_at), key = `${r.name} ${at}`;
    const early = at && at < ns(record.begun_at) - slack, late = at && at > ns(record.ended_at) + slack;
    if (r.status !== "Good" || !r.value || !at || early || late) return doubtful.add(r.name), false;
    if (seen.has(key) && seen.get(key) !== Number(r.value)) doubtful.add(r.name);
    return !seen.has(key) && seen.set(key, Number(r.value));
  });
  const outside = order.limits.flatMap(({ name, low, high }) => samples.filter((s) => s.name === name)
    .filter(({ type, value }) => { // a Float of 32 bits cannot say every limit
      const [least, most] = [low, high].map((n) => type === "Float" ? Math.fround(Number(n)) : Number(n));
      return Number(value) < least || Number(value) > most;
    }));
  const names = order.limits.map((l) => l.name);
  const unseen = names.filter((name) => doubtful.has(name) || !samples.some((s) => s.name === name));
  need(record.v === 2 || !unseen.length, no);
  need(same([record.order, record.lot, samples.length, !outside.length && !unseen.length,
    outside.length ? [] : unseen], [f.order, f.lot, f.samples, f.within_limits, f.not_shown ?? []]), no);
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
export const VERSIONS = { "finance.Settled": 2, "trust.TitleRegistered": 2, "positioning.ArrivalProven": 3,
  "devices.TerminalRegistered": 2, "positioning.ArrivalNotProven": 3, "positioning.ArrivalExpected": 2,
  "finance.DealOpened": 2, "industry.LotFinished": 2, "industry.OrderOpened": 2 };
const LATER = [["trade.ConsignmentEntered", 3, "containers", "lots"], ["finance.DealOpened", 2, "carried"],
  ["trade.ConsignmentEntered", 4, "invoices"],
  ["positioning.ArrivalExpected", 2, "container"], ["positioning.ArrivalProven", 3, "container"],
  ["industry.LotFinished", 2, "not_shown"], ["industry.OrderOpened", 2, "excess"],
  ["positioning.ArrivalNotProven", 3, "container"]]; // of several containers: only these have such fields
export const once = (values) => new Set(values).size === values.length;
export function several(events) { // a later version says more than the one before, and only it has the fields
  for (const [type, version, ...names] of LATER)
    for (const { event, fact } of events.filter((e) => e.event.type.startsWith(`${type}.v`))) {
      const said = names.filter((name) => fact[name]?.length || fact[name] > 0);
      const told = Number(event.type.split(".v").at(-1)), none = names.every((name) => !(name in fact));
      need(told > version || (told === version ? said.length : none), "malformed");
    }
}
// Of several invoices each is recorded once, and together they ask for what the consignment says.
export function invoices(entered, told) {
  const named = entered.invoices ?? [], numbers = named.map((each) => each.number);
  const total = named.reduce((sum, each) => sum + BigInt(each.amount_minor), 0n);
  need(named.length ? once(numbers) && once(told) && told.every((each) => numbers.includes(each))
    && total === BigInt(entered.amount_minor) : told.length <= 1, "invoice_mismatch");
}
export function invoice(data, f, entered) { // one of them is over its amount, as its lines and its total say
  const form = (tag) => new RegExp(`<cbc:${tag} currencyID="([A-Z]+)">([0-9.]+)<`, "g"), text = xml(data);
  const amounts = (tag) => [...text.matchAll(form(tag))].map(([, code, sum]) => [code, minor(sum, code)]);
  const [payable, ...others] = amounts("PayableAmount"), [total, ...lines] = amounts("LineExtensionAmount");
  const one = entered.invoices?.find((each) => each.number === f.number);
  need(payable && !others.length && payable[0] === entered.currency
    && payable[1] === BigInt((one ?? entered).amount_minor)
    && (!one || inside(text, "cbc:ID") === f.number)
    && lines.reduce((sum, line) => sum + line[1], 0n) === total?.[1], "invoice_mismatch");
}
export const own = (o, name) => Object.hasOwn(o, name) && o[name]; // never what every object inherits
export const TERMS = {
  marks: "signed_by_terminal bound_to_goods recomputed corroborated inside inside_open_sky_model".split(" "),
  needs: "papers_agree title_in_custody customs_released".split(" ") };
export const CONDITIONS = { // what each condition of a release needs, by its name
  arrival: ({ o: { conditions: c, consignment, terminal: one, carried = [] }, before, which }) => {
    const terminal = which ? carried.find((each) => each.container === which)?.terminal : one;
    const risk_ppb = Math.floor(c.risk_ppb / Math.max(1, carried.length)); // each has its share
    return before("positioning.ArrivalProven", { consignment, terminal }).some((told) => {
      const { marks: m, observed_at, site, container = "" } = told;
      const at = ns(observed_at), inside = m.inside_risk_ppb > 0 && m.inside_risk_ppb <= risk_ppb;
      const { signed_by_terminal, bound_to_goods, recomputed, corroborated_by: { length: corroborated } } = m;
      const any = m.inside_risk_ppb || (m.inside_open_sky_model_ppb ?? 0);
      const inside_open_sky_model = any > 0 && any <= risk_ppb;
      const bears = { corroborated, inside, inside_open_sky_model, recomputed, signed_by_terminal,
        bound_to_goods };
      return !m.disagreed_by.length && container === which && c.marks.every((mark) => own(bears, mark))
        && same(site, c.site) && ns(c.not_before) <= at && at <= ns(c.not_after);
    });
  },
  papers_agree: ({ before }) => before("trade.PapersChecked").at(-1)?.agree,
  customs_released: ({ before }) => before("trade.CustomsReleased", { decision: "released" }).length,
  title_in_custody: ({ o, d, move, holder }) => move && holder(d.title, `0x${move.from}`).deal === o.deal,
};
