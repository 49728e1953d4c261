// Checks a proof (.zdproof, full or compact) by itself: node proof_check.mjs FILE --trust LIST [--trust LIST]
// Shares no code with the node, needs nothing but node 18 and the files beside it. Prints a JSON object:
// verdict, reason (the codes of `zhidao verify`), what the entry promised, what is shown, what is missing of
// it (or of --require arrival,title,payment,papers,witnessed), and in `not_checked` what it leaves to others:
// above all the fix itself. Titles are followed by the rules of their contracts, not executed. What it can
// neither check nor leave to others (ML-DSA-44 of a fact, titles in a guard) is `not_verified`.
// Status: 0 holds, 1 does not hold or is not verified, 2 bad input, 4 holds in part.
import { No, base58, big, bin, bytes64, canonical, fields, fingerprint16, hex, jcs, join, judged, keyOf, main,
  need, notChecked, ns, omit, same, sha, verifies } from "./proof_log.mjs";
import { CONDITIONS, TERMS, VERSIONS, dashed, invoice, invoices, made, once, own, payment, several, uuid }
  from "./proof_payments.mjs";
import { followed, holderOf, registration, transaction } from "./proof_titles.mjs";
// What is being read: the proof, the list, whose log it is and its key, the entry, the titles' chain.
let proof, trust, node, log, entered, chain, shown;
const as = (code, work) => { try { return work(); } catch (error) { throw new No(code, error.message); } };
function every(type, where = {}, before = Infinity) { // the events of a type with these fields
  const types = Array.from({ length: VERSIONS[type] ?? 1 }, (_, n) => `${type}.v${n + 1}`);
  return proof.events.filter(({ event: e, fact, index }) => types.includes(e.type) && index < before
    && Object.entries(where).every(([name, value]) => fact[name] === value));
}
const facts = (...asked) => every(...asked).map((t) => t.fact);
function whole(aggregate) { // whether the proof opens its history from the beginning without a gap
  const all = proof.events.filter((e) => e.event.aggregate === aggregate);
  return all.length > 0 && all.every((e, i) => e.event.version === i + 1);
}
const holder = (title, address) => holderOf(every, trust.parties, title, address);
const place = (move) => every("trust.ChainTransaction", { hash: move.transaction })[0].index;
// Who may say what: the node itself, or whoever the entry or the fact names.
const NODES = `devices.TerminalRegistered devices.WindowReceived devices.SubmissionRefused
  devices.PositionsRecorded devices.EnrolmentChanged devices.MessageIncomplete positioning.ArrivalProven
  positioning.ArrivalNotProven connectivity.NetworkChecked trust.TitleMoved trade.Delivered
  trade.ContainerArrived finance.ConditionMet finance.ConditionLapsed finance.ObstacleNoted
  finance.Decided finance.Settled exchange.FactsAdopted`.split(/\s+/);
const CARRIERS = `devices.Sealed trust.TitleAsked trust.MediumChanged trust.TitleRegistered
  trust.TitleTagOpened`.split(/\s+/);
const containers = () => entered.containers?.length ? entered.containers : [""]; // "": the only one
const lotsOf = () => entered.lots?.length ? entered.lots : [{ lot: entered.lot, order: entered.order }];
function speakers() {
  for (const { event: { type, asserted_by: by, recorded_by }, fact } of proof.events) {
    const name = /\.v1$|\.(TitleRegistered|DealOpened|Settled)\.v2$/.test(type) && type.slice(0, -3);
    const { carrier, exporter, customs } = entered;
    const wanted = NODES.includes(type.slice(0, -3)) ? recorded_by.party : {
      ...Object.fromEntries(CARRIERS.map((each) => [each, carrier])),
      "trade.CustomsReleased": customs,
      "trade.DocumentAdded": fact.kind === "bill_of_lading" ? carrier : exporter,
      "finance.DealOpened": fact.payer_bank, "trust.AccountNamed": fact.party }[name];
    need(!type.startsWith("trade.ConsignmentEntered.") || fact.exporter === by.party, "wrong_speaker");
    need(!wanted || wanted === by.party, "wrong_speaker", `${type} is ${wanted}'s to say, not ${by.party}'s`);
  }
}
function logKeys() {
  for (const { event: e, fact: f, index } of every("trust.LogKeyDeclared", { origin: proof.origin })) {
    const former = node.logs.find((l) => l.name === f.former_origin);
    const message = `zhidao log key declaration v1\n${jcs(omit(f, "possession"))}`;
    const own = same(e.asserted_by, e.recorded_by) && !e.custodian && e.recorded_by.party === node.party;
    need(former && own && e.open && e.aggregate === `log/${log.name}` && index >= f.carried_leaves
      && keyOf(f.key).raw.equals(log.raw) && keyOf(f.former_key).raw.equals(former.raw)
      && verifies(log, bytes64(f.possession), message), "wrong_log_key");
  }
}
function lots() {
  for (const f of lotsOf().flatMap((each) => facts("industry.LotFinished", each).slice(0, 1))) {
    const data = proof.blobs.get(f.quality), [order] = facts("industry.OrderOpened", { order: f.order });
    if (data && order) as("quality_mismatch", () => made(canonical(data), order, f));
  }
}
function documents() {
  for (const { fact: f, event } of every("trade.DocumentAdded", { consignment: proof.consignment })) {
    const data = proof.blobs.get(f.digest), credential = proof.blobs.get(f.credential);
    if (data && f.kind === "invoice") invoice(data, f, entered);
    if (credential) as("bad_credential", () => checkCredential(canonical(credential), f, event));
  }
  const { consignment } = proof, bills = facts("trade.DocumentAdded", { consignment, kind: "invoice" });
  invoices(entered, bills.map((f) => f.number));
  const checked = facts("trade.PapersChecked", { consignment }).at(-1);
  const has = (digest) => proof.blobs.has(digest);
  const papers = checked?.documents.map((digest) => facts("trade.DocumentAdded", { digest }).at(-1)) ?? [];
  const whole = papers.every((f) => f && has(f.digest) && (!f.credential || has(f.credential)));
  const billed = (entered.invoices ?? []).every((i) => papers.some((f) => f?.number === i.number));
  const made = (each) => !each.lot || facts("industry.LotFinished", each).length;
  const others = has(entered.entry) && lotsOf().every(made);
  if (checked?.agree && papers.length && whole && others && billed) shown.add("papers");
}
function checkCredential(c, f, event) { // eddsa-jcs-2022 by a did:key of the asserting party
  const { proof: { proofValue, ...options }, ...document } = c;
  const [did, multikey] = options.verificationMethod.split("#");
  need(options.cryptosuite === "eddsa-jcs-2022" && options.proofPurpose === "assertionMethod");
  need(did === `did:key:${multikey}` && (c.issuer.id ?? c.issuer) === did);
  need(verifies(keyOf(multikey), base58(proofValue.slice(1)), join(sha(jcs(options)), sha(jcs(document)))));
  need(trust.speaks(event.asserted_by.party, multikey));
  const kind = f.kind.split("_").map((w) => w[0].toUpperCase() + w.slice(1)).join("");
  need(c.type.includes(`${kind}Credential`));
  if (c.credentialStatus) notChecked.add("revocation");
  for (const since of [options.created, c.validFrom]) need(!since || ns(since) <= ns(event.recorded_at));
  const { digestSHA256, documentNumber } = c.credentialSubject;
  const sri = `sha256-${bin(f.digest).toString("base64")}`;
  need(digestSHA256 === f.digest && documentNumber === f.number);
  need(same(c.relatedResource.map((r) => r.digestSRI), [sri]));
}
function arrivals() {
  const no = "not_reproduced", { consignment } = proof;
  const point = "observed_at latitude_ndeg longitude_ndeg height_mm protection_mm satellites".split(" ");
  const there = new Set(), [asks, ends] = ["Expected", "Withdrawn"]
    .map((act) => every(`positioning.Arrival${act}`, { consignment }));
  for (const told of every("positioning.ArrivalProven", { consignment })) {
    const standing = asks.filter((w) => ends.every((e) => (e.index < w.index) === (e.index < told.index)));
    const wishes = standing.map((w) => w.fact).filter((w) => w.container);
    const pairs = [...new Map(wishes.map((w) => [`${w.container} ${w.terminal}`, w])).values()];
    const all = standing.filter((w) => w.index < told.index).map((w) => w.fact);
    const f = told.fact, container = f.container ?? "";
    const asked = all.filter((w) => w.container && w.terminal === f.terminal).at(-1) ?? all.at(-1);
    need(asked?.terminal === f.terminal && (asked.container ?? "") === container, no);
    need(containers().includes(container) && once(pairs.map((w) => w.container))
      && once(pairs.map((w) => w.terminal)), no);
    const data = proof.blobs.get(f.evidence);
    if (!data) continue;
    const e = as(no, () => canonical(data)), r = e.result;
    need(e.window === f.window && e.navigation === f.navigation, no);
    need(same(e.question, omit(asked, "container")) && same(f.site, asked.site), no);
    need(same([...point.map((n) => r[n]), r.stretch_epochs], [...point, "epochs"].map((n) => f[n])), no);
    need(r.decision === "inside" && (!r.simulated || f.simulated), no);
    const second = !told.event.type.endsWith(".v1"), weak = r.mark === "inside_open_sky_model";
    need(second === e.type.endsWith(".v2") && (!second || same(f.open_questions, r.open)), no);
    need((f.before ?? "") === (e.before ?? "") && (f.surroundings ?? "") === (e.surroundings ?? ""), no);
    const classes = facts("devices.TerminalRegistered", { terminal: f.terminal })
      .map((t) => t.surroundings ?? "vehicle");
    need(!second || !classes.length || classes.includes(f.surroundings), no);
    const [strong, other] = [f.marks.inside_risk_ppb, f.marks.inside_open_sky_model_ppb ?? 0];
    need(weak ? !strong && other === asked.risk_ppb : strong === asked.risk_ppb && !other, no);
    if (marks(told)) there.add(container);
  }
  if (containers().every((each) => there.has(each))) shown.add("arrival"); // of several, each one's
}
function marks({ fact: f, index }) { // signed by the terminal, bound to the goods, as the network saw it
  const no = "false_mark", { terminal } = f, ours = [entered.container, ...containers()];
  const seals = every("devices.Sealed", { consignment: f.consignment, terminal }, index)
    .filter((s) => ours.includes(s.fact.container));
  const [key, ...others] = new Set([...facts("devices.TerminalRegistered", { terminal }).map((t) => t.key),
    ...seals.map((s) => s.fact.terminal_key)]);
  need(!others.length, no);
  const received = facts("devices.WindowReceived", { terminal, digest: f.window }, index).at(-1);
  checkWindow(f, key, received);
  const opened = seals.filter((s) => whole(s.event.aggregate));
  const standing = opened.filter(({ event, fact: s }) => {
    const ofSeal = (look) => look.event.aggregate === event.aggregate;
    const looks = every("devices.SealChecked", {}, index).filter(ofSeal);
    const good = ({ fact: c }) => c.intact && c.container === s.container && c.terminal === s.terminal;
    return s.terminal_key === (key ?? s.terminal_key) && looks.length && looks.every(good);
  });
  const there = (s) => !f.container || s.fact.container === f.container;
  const bound = standing.length > 0 && standing.every(there);
  need(bound || !opened.length || !f.marks.bound_to_goods || opened.length < seals.length, no);
  const seen = { fix_latitude_ndeg: f.latitude_ndeg, fix_longitude_ndeg: f.longitude_ndeg,
    fix_bound_mm: f.protection_mm, observed_at: f.observed_at };
  const answers = facts("connectivity.NetworkChecked", seen);
  for (const n of answers) {
    const rad = (ndeg) => ndeg * Math.PI / 180e9;
    const [a, b] = [n.network_latitude_ndeg, f.latitude_ndeg].map(rad);
    const [c, d] = [n.network_longitude_ndeg, f.longitude_ndeg].map(rad);
    const haversine = Math.sin((b - a) / 2) ** 2 + Math.cos(a) * Math.cos(b) * Math.sin((d - c) / 2) ** 2;
    const apart_mm = 12742e6 * Math.asin(Math.sqrt(haversine)), room_mm = n.network_radius_mm;
    need(n.verdict !== "match" || apart_mm < (room_mm + f.protection_mm) * 1.01, no);
    need(n.verdict !== "mismatch" || apart_mm + f.protection_mm > room_mm * 0.99, no);
    need(n.verdict !== "mismatch" || f.marks.disagreed_by.length, no);
    need(n.verdict === "match" || !f.marks.corroborated_by.length, no);
  }
  // Whether the facts on which the claimed marks rest are opened.
  return ((key && received) || !f.marks.signed_by_terminal) && (bound || !f.marks.bound_to_goods)
    && (answers.some((n) => n.verdict === "match") || !f.marks.corroborated_by.length);
}
function checkWindow(f, key, received) { // the window is what the terminal's signed chunks carry
  const no = "false_mark", window = proof.blobs.get(f.window);
  const chunks = received?.chunk_digests.map((digest) => proof.blobs.get(digest)) ?? [];
  if (!key || !window || !chunks.length || !chunks.every(Boolean)) return;
  // version 1, id 16, sequence 4, total 4, nonce 16, flags 1, size 4, payload, algorithm 1, key id 8, signed
  const k = keyOf(key), payloads = chunks.map((c, i) => {
    const cut = c.length - k.size, signed = join("zhidao devices chunk v1\n", c.subarray(0, cut));
    need(c[0] === 1 && c.readUInt32BE(17) === i + 1 && c.readUInt32BE(21) === chunks.length, no);
    need(hex(c.subarray(25, 41)) === received.nonce && c[41] === Number(received.simulated), no);
    need(c.readUInt32BE(42) === cut - 55 && hex(c.subarray(cut - 8, cut)) === fingerprint16(k.raw), no);
    need(verifies(k, c.subarray(cut), signed), no);
    return c.subarray(46, cut - 9);
  });
  need(join(...payloads).equals(window) && received.key === key, no);
}
const follow = () => { chain ??= followed(every, proof.packed, node.logs); }; // once, and only if asked
function titles() {
  const no = "title_mismatch", asked = facts("trust.TitleAsked");
  if (asked.length) follow();
  let isShown = asked.length > 0; // of every title: its history without a gap, and its tag
  for (const { title, consignment } of asked) {
    need(consignment === proof.consignment, no);
    const told = facts("trust.TitleMoved", { title });
    const moves = (chain.moves ?? []).filter((m) => m.title === title);
    if (!chain.moves || (!moves.length && !told.length)) { isShown = false; continue; }
    if (whole(`title/${title}`)) told.forEach((f, i) => {
      need(["action", "transaction", "holder", "beneficiary"].every((n) => moves[i]?.[n] === f[n]), no);
      need(f.registry === chain.registry && f.chain_id === chain.chainId, no);
      for (const part of ["holder", "beneficiary"]) {
        const { party, deal } = holder(title, f[part]), wanted = deal ? node.party : party;
        need(!wanted || wanted === f[`${part}_party`], no);
      }
    });
    need(moves[0]?.action === "mint", no);
    need([entered.carrier, ""].includes(holder(title, moves[0].signer).party), no);
    const isAlone = registration(title, every, chain, place(moves[0]), trust.speaks);
    isShown &&= isAlone && whole(`title/${title}`);
    for (const { fact: f, event, index } of every("trust.MediumChanged", { title })) {
      const after = moves.filter((m) => place(m) > index).map((m) => m.action);
      const good = { to_token: after.length === moves.length, to_paper: ["", "burn"].includes(after.join()) };
      need(own(good, f.change) && event.open && event.aggregate === `medium/${title}`, "medium_changed");
    }
    need(facts("trade.DocumentAdded", { kind: "bill_of_lading", digest: title }).length, no);
  }
  if (isShown) shown.add("title");
}
function deals() {
  for (const { fact: o, event } of every("finance.DealOpened", { consignment: proof.consignment })) {
    if (!whole(`deal/${o.deal}`) || event.aggregate !== `deal/${o.deal}`) continue;
    const carried = o.carried ?? [], named = carried.map((c) => c.container).sort();
    need(same(named, [...(entered.containers ?? [])].sort()) && once(carried.map((c) => c.terminal))
      && !o.terminal === carried.length > 0, "decision_not_reproduced", "not every container is awaited");
    const of = (kind) => every(`finance.${kind}`, { deal: o.deal }), last = (kind) => of(kind).at(-1)?.fact;
    const pending = uuid(ns(event.recorded_at) / 1000000n, "transfer", o.deal, "reserve");
    const [decided] = of("Decided"), asked = [entered.amount_minor, entered.currency];
    need(!decided || !entered.invoices?.length || same([o.amount_minor, o.currency], asked),
      "decision_not_reproduced", "not the sum of the invoices");
    const settled = last("Settled");
    if (decided && of("Decided").length === 1) decision(o, decided, last, of, dashed(pending));
    if (settled && payment(o, settled, decided?.fact, pending, proof.blobs, facts)) shown.add("payment");
  }
}
function decision(o, { fact: d, event, index }, last, of, pending) {
  const no = "decision_not_reproduced", money = last("MoneyReserved"), settled = last("Settled");
  need(["release", "abort"].includes(d.outcome) && event.open, no);
  for (const [kind, known] of Object.entries(TERMS))
    need(o.conditions[kind].every((term) => known.includes(term)), no, `an unknown condition among ${kind}`);
  need(d.transfer === pending && d.title === o.title, no);
  need(!money || same([money.transfer, money.amount_minor, money.currency],
    [d.transfer, o.amount_minor, o.currency]), no);
  const move = d.title_transaction && transaction(bin(d.title_transaction));
  const before = (type, where) => facts(type, where, index);
  if (d.outcome === "release") {
    need(money, no);
    const lapsed = of("ConditionLapsed").map((t) => t.fact.name);
    const arrivals = o.carried?.length ? o.carried.map((c) => `arrival:${c.container}`) : ["arrival"];
    for (const name of [...arrivals, ...o.conditions.needs]) {
      const [word, which = ""] = name.split(":");
      const met = before("finance.ConditionMet", { deal: o.deal, name }).length && !lapsed.includes(name);
      need(met && own(CONDITIONS, word)({ o, d, move, before, which, holder }), no, `paid without ${name}`);
    }
  }
  if (d.title) follow();
  if (!move) return need(!last("TitleReserved") || !settled, "title_mismatch");
  const done = chain?.moves?.find((m) => d.title && m.title === d.title && m.transaction === move.hash);
  if (!done) return need(!settled || chain?.guarded, "title_mismatch");
  const to = holder(d.title, done.holder), wanted = d.outcome === "release" ? o.payer : o.payee;
  need(holder(d.title, done.signer).deal === o.deal && done.holder === done.beneficiary, "title_mismatch");
  need(!(to.party || to.deal) || to.party === wanted, "title_mismatch");
}
function promiseOf({ event: { type }, fact: { promised } }) { // null: older than promises
  if (type === "trade.ConsignmentEntered.v1") need(promised === undefined);
  else need(Array.isArray(promised) && promised.every((p) => typeof p === "string"), "wrong_consignment");
  return promised ? [...new Set(promised)].sort() : null;
}
const PARTS = ["arrival", "papers", "payment", "title", "witnessed"];
function checkFacts(given, list, of, required) {
  [proof, trust, node, log, chain] = [given, list, of.node, of.log, undefined];
  shown = new Set(of.isWitnessed ? ["witnessed"] : []);
  for (const { name, id, signature } of trust.policy ? proof.note.lines : []) // by the reader's own clock
    need(!trust.policy.keys.some((k) => k.name === name && k.id === id)
      || Number(big(signature.subarray(0, 8))) * 1000 <= Date.now() + 300_000, "future_cosignature");
  const entry = proof.events.find((e) => e.event.aggregate === `consignment/${proof.consignment}`);
  need(/^trade\.ConsignmentEntered\.v[1234]$/.test(entry.event.type), "wrong_consignment");
  entered = entry.fact;
  several(proof.events);
  need(entered.consignment === proof.consignment, "wrong_consignment");
  for (const part of [speakers, logKeys, lots, documents, arrivals, titles, deals]) part();
  need(!chain?.guarded, "guarded_titles", "titles were not followed: a guard has some, as it seems");
  if (chain?.isCompact) notChecked.add("contracts");
  if (every("exchange.FactsAdopted").length) notChecked.add("other_logs");
  const promised = promiseOf(entry), asked = required.length ? required : promised ?? [];
  const missing = [...new Set(asked)].filter((part) => !shown.has(part)).sort();
  return { verdict: missing.length ? "holds_in_part" : "holds", promised: promised ?? "not stated",
    shown: [...shown].sort(), missing };
}
export function verdict(file, lists, required = []) {
  need(required.every((part) => PARTS.includes(part)), "malformed", `--require knows ${PARTS}`);
  return judged(file, lists, required, checkFacts);
}
if (process.argv[1]?.endsWith("proof_check.mjs")) main(verdict);
