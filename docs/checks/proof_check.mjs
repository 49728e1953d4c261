// Checks a proof (.zdproof, full or compact) by itself: node proof_check.mjs FILE --trust LIST [--trust LIST]
// Shares no code with the node, needs nothing but node 18 and the two files beside it. Prints one JSON object:
// the verdict, its reason (the same codes as `zhidao verify`), and in `not_checked` what it leaves to others:
// above all the fix itself. Titles are followed by the rules of their contracts, not executed.
// What it can neither check nor leave to others (ML-DSA-44 of a fact, titles in a guard) is `not_verified`.
// Status: 0 holds, 1 does not hold or is not verified, 2 bad input.
import { ECDH } from "node:crypto";
import { readFileSync } from "node:fs";
import { No, base58, big, bytes64, canonical, checkLog, fields, fingerprint16, hex, jcs, keyOf, minor, need, notChecked, ns,
  omit, readProof, readTrust, same, sha, sha256s, uuid, verifies, xml } from "./proof_log.mjs";
import { CODES, Registry, bin, keccak, registration, transaction, word } from "./proof_titles.mjs";
// What the facts say: who may say them, and whether they follow from each other.
const NODES = "devices.TerminalRegistered devices.WindowReceived devices.SubmissionRefused devices.PositionsRecorded positioning.ArrivalProven "
  + "positioning.ArrivalNotProven connectivity.NetworkChecked trust.TitleMoved trade.Delivered finance.ConditionMet finance.ConditionLapsed "
  + "finance.ObstacleNoted finance.Decided finance.Settled exchange.FactsAdopted";
class Facts {
  constructor(proof, trust, { node, log }) {
    Object.assign(this, { proof, trust, node, log });
    const entered = proof.events.find((e) => e.event.aggregate === `consignment/${proof.consignment}`).event;
    need(entered.type === "trade.ConsignmentEntered.v1" && entered.payload.consignment === proof.consignment, "wrong_consignment");
    this.entered = entered.payload;
  }
  every(type) { return this.proof.events.filter((e) => e.event.type === `${type}.v1`).map((e) => ({ ...e, fact: e.event.payload })); }
  of(aggregate) { return this.proof.events.filter((e) => e.event.aggregate === aggregate).map((e) => e.event); }
  whole(aggregate) { const all = this.of(aggregate); return all.length > 0 && all.every((e, i) => e.version === i + 1); }
  speakers() {
    const { carrier, exporter, customs } = this.entered;
    for (const { event: { type, payload: p, asserted_by: by, recorded_by: node } } of this.proof.events) {
      const wanted = NODES.split(" ").includes(type.slice(0, -3)) ? node.party : {
        "trade.ConsignmentEntered": p.exporter, "trade.DocumentAdded": p.kind === "bill_of_lading" ? carrier : exporter,
        "trade.CustomsReleased": customs, "devices.Sealed": carrier, "trust.TitleAsked": carrier, "trust.MediumChanged": carrier,
        "trust.TitleRegistered": carrier, "trust.TitleTagOpened": carrier, "finance.DealOpened": p.payer_bank,
        "trust.AccountNamed": p.party }[type.endsWith(".v1") && type.slice(0, -3)];
      need(!wanted || wanted === by.party, "wrong_speaker", `${type} is ${wanted}'s to say, not ${by.party}'s`);
    }
  }
  logKeys() {
    for (const { event: e, fact: f, index } of this.every("trust.LogKeyDeclared").filter((t) => t.fact.origin === this.proof.origin)) {
      const former = this.node.logs.find((l) => l.name === f.former_origin), own = same(e.asserted_by, e.recorded_by) && !e.custodian
        && e.open;
      const message = Buffer.from(`zhidao log key declaration v1\n${jcs(omit(f, "possession"))}`), { name, raw } = this.log;
      need(former && own && e.recorded_by.party === this.node.party && e.aggregate === `log/${name}` && index >= f.carried_leaves
        && keyOf(f.key).raw.equals(raw) && keyOf(f.former_key).raw.equals(former.raw) && verifies(this.log, bytes64(f.possession), message),
          "wrong_log_key");
    }
  }
  lots() {
    for (const { fact: f } of this.every("industry.LotFinished").filter((t) => t.fact.lot === this.entered.lot
      && t.fact.order === this.entered.order).slice(0, 1)) {
      const data = this.proof.blobs.get(f.quality), order = this.every("industry.OrderOpened").find((t) => t.fact.order === f.order)?.fact;
      if (!data || !order) continue;
      let outside = 0, record;
      try { record = canonical(data); fields(record, ["v", "order", "lot", "samples", "judgements"]);
        } catch (error) { throw new No("quality_mismatch", error.message); }
      for (const b of order.limits) {
        const values = record.samples.filter((s) => s.name === b.name).map((s) => Number(s.value));
        need(values.length, "quality_mismatch");
        outside += values.filter((v) => v < Number(b.low) || v > Number(b.high)).length;
      }
      need(same([record.order, record.lot, record.samples.length, !outside], [f.order, f.lot, f.samples, f.within_limits]),
        "quality_mismatch");
    }
  }
  documents() {
    for (const { fact: f, event } of this.every("trade.DocumentAdded").filter((t) => t.fact.consignment === this.proof.consignment)) {
      const data = this.proof.blobs.get(f.digest), credential = this.proof.blobs.get(f.credential);
      if (data && f.kind === "invoice") {
        const amounts = (tag) => [...xml(data).matchAll(new RegExp(`<cbc:${tag} currencyID="([A-Z]+)">([0-9.]+)<`, "g"))];
        const [[, code, payable] = [], ...others] = amounts("PayableAmount"),
          [total, ...lines] = amounts("LineExtensionAmount").map((a) => minor(a[2], a[1]));
        need(payable && !others.length && code === this.entered.currency && minor(payable, code) === BigInt(this.entered.amount_minor)
          && lines.reduce((a, b) => a + b, 0n) === total, "invoice_mismatch");
      }
      if (credential) try { this.credential(canonical(credential), f, event);
        } catch (error) { throw new No("bad_credential", error.message); }
    }
  }
  credential(c, f, event) { // eddsa-jcs-2022 by a did:key of the asserting party
    const { proof, ...document } = c, { proofValue, ...options } = proof, at = ns(event.recorded_at);
    const [did, multikey] = proof.verificationMethod.split("#"),
      kind = f.kind.split("_").map((w) => w[0].toUpperCase() + w.slice(1)).join("");
    need(proof.cryptosuite === "eddsa-jcs-2022" && proof.proofPurpose === "assertionMethod" && did === `did:key:${multikey}`
      && (c.issuer.id ?? c.issuer) === did);
    need(verifies(keyOf(multikey), base58(proofValue.slice(1)), sha256s(jcs(options), jcs(document)))
      && this.trust.speaks(event.asserted_by.party, multikey));
    need(!c.credentialStatus && c.type.includes(`${kind}Credential`) && ns(proof.created ?? event.recorded_at) <= at
      && ns(c.validFrom ?? event.recorded_at) <= at);
    const { digestSHA256, documentNumber } = c.credentialSubject, sri = `sha256-${Buffer.from(f.digest, "hex").toString("base64")}`;
    need(digestSHA256 === f.digest && documentNumber === f.number && same(c.relatedResource.map((r) => r.digestSRI), [sri]));
  }
  arrivals() {
    for (const told of this.every("positioning.ArrivalProven").filter((t) => t.fact.consignment === this.proof.consignment)) {
      const { fact: f, index } = told, no = "not_reproduced",
        asked = this.every("positioning.ArrivalExpected").filter((w) => w.fact.consignment === f.consignment
        && w.index < index).at(-1)?.fact;
      need(asked?.terminal === f.terminal, no);
      const data = this.proof.blobs.get(f.evidence);
      if (!data) continue;
      let e; try { e = canonical(data); } catch (error) { throw new No(no, error.message); }
      const r = e.result, place = ["observed_at", "latitude_ndeg", "longitude_ndeg", "height_mm", "protection_mm", "satellites"];
      need(e.window === f.window && e.navigation === f.navigation && same(e.question, asked) && same(f.site, asked.site), no);
      need(same([...place.map((n) => r[n]), r.stretch_epochs], [...place, "epochs"].map((n) => f[n])) && r.decision === "inside", no);
      need(f.marks.inside_risk_ppb === asked.risk_ppb && (!r.simulated || f.simulated), no);
      this.marks(told);
    }
  }
  marks({ fact: f, index }) {
    const no = "false_mark", seals = this.every("devices.Sealed").filter((s) => s.fact.consignment === f.consignment
      && s.fact.terminal === f.terminal && s.fact.container === this.entered.container && s.index < index);
    const known = new Set([...this.every("devices.TerminalRegistered").filter((t) => t.fact.terminal === f.terminal).map((t) => t.fact.key),
      ...seals.map((s) => s.fact.terminal_key)]);
    need(known.size < 2, no);
    const [key] = known, window = this.proof.blobs.get(f.window),
      received = this.every("devices.WindowReceived").filter((t) => t.fact.terminal === f.terminal && t.fact.digest === f.window
      && t.index < index).at(-1)?.fact;
    const chunks = received?.chunk_digests.map((d) => this.proof.blobs.get(d)) ?? [];
    if (key && window && chunks.length && chunks.every(Boolean)) {
      const payloads = chunks.map((c, i) => { // version 1, id 16, sequence 4, total 4, nonce 16, flags 1, size 4, payload, algorithm 1, key id 8, signature
        const k = keyOf(key), cut = c.length - k.size;
        need(c[0] === 1 && c.readUInt32BE(17) === i + 1 && c.readUInt32BE(21) === chunks.length
          && hex(c.subarray(25, 41)) === received.nonce && c[41] === Number(received.simulated) && c.readUInt32BE(42) === cut - 55
          && hex(c.subarray(cut - 8, cut)) === fingerprint16(k.raw)
            && verifies(k, c.subarray(cut), Buffer.concat([Buffer.from("zhidao devices chunk v1\n"), c.subarray(0, cut)])), no);
        return c.subarray(46, cut - 9);
      });
      need(Buffer.concat(payloads).equals(window) && received.key === key, no);
    }
    const whole = seals.filter((s) => this.whole(s.event.aggregate)),
      looks = (s) => this.every("devices.SealChecked").filter((c) => c.event.aggregate === s.event.aggregate
      && c.index < index).map((c) => c.fact);
    const bound = whole.some((s) => s.fact.terminal_key === (key ?? s.fact.terminal_key) && looks(s).length
      && looks(s).every((c) => c.intact && c.container === s.fact.container && c.terminal === s.fact.terminal));
    need(bound || !whole.length || !f.marks.bound_to_goods || whole.length < seals.length, no);
    for (const { fact: n } of this.every("connectivity.NetworkChecked").filter(({ fact: n }) =>
      same([n.fix_latitude_ndeg, n.fix_longitude_ndeg, n.fix_bound_mm, n.observed_at],
      [f.latitude_ndeg, f.longitude_ndeg, f.protection_mm, f.observed_at]))) {
      const rad = (v) => v * Math.PI / 180e9, [a, b, c, d] = [n.network_latitude_ndeg, n.fix_latitude_ndeg, n.network_longitude_ndeg,
        n.fix_longitude_ndeg].map(rad);
      const apart = 12742e6 * Math.asin(Math.sqrt(Math.sin((b - a) / 2) ** 2 + Math.cos(a) * Math.cos(b) * Math.sin((d - c) / 2) ** 2)),
        room = n.network_radius_mm;
      need(n.verdict !== "match" || apart < (room + f.protection_mm) * 1.01, no);
      need(n.verdict !== "mismatch" || (apart + f.protection_mm > room * 0.99 && f.marks.disagreed_by.length), no);
      need(n.verdict === "match" || !f.marks.corroborated_by.length, no);
    }
  }
  chain() { // the moves of all titles, by the rules
    const told = this.every("trust.ChainTransaction"), parsed = told.map(({ fact: f, event }) => {
      const t = transaction(bin(f.raw));
      need(f.hash === t.hash && f.chain_id === t.chain && event.aggregate === `chain/${t.chain}` && event.open, "wrong_chain");
      return t;
    });
    if (!parsed.length) return;
    // Titles in a guard move through its own contract, which only a machine follows: never a plain yes.
    if (parsed.filter((t) => t.to === "").length > 2) { notChecked.add("guarded_titles"); this.guarded = true; return; }
    const registry = new Registry(parsed[0].from), counts = new Map(), [factory, token] = parsed;
    this.followed = this.proof.packed && !parsed.some((t) => t.to === "");
    if (!this.followed) {
      const made = parsed.length > 1 && [factory, token].every((t, i) => t.to === "" && t.nonce === BigInt(i || 0)
        && t.from === registry.admin);
      need(made && [factory.data, token.data.subarray(0, 19464)].every((d, i) => hex(sha(d)) === CODES[i]), "foreign_contracts");
      const text = (s) => [word(BigInt(s.length)), Buffer.from(s.padEnd(32, "\0"))];
      const ending = Buffer.concat([...[96n, 160n, big(bin(registry.factory))].map(word), ...text("Zhidao bills of lading"),
        ...text("ZHBL")]);
      need(token.data.subarray(19464).equals(ending), "foreign_contracts");
    }
    for (const t of parsed) {
      need(t.chain === parsed[0].chain, "wrong_chain");
      need(t.nonce >= (counts.get(t.from) ?? 0n), "replayed_nonce");
      counts.set(t.from, t.nonce + 1n);
    }
    this.moves = parsed.filter((t) => t.to).map((t) => registry.follow(t)).filter(Boolean);
    this.registry = `0x${registry.token}`;
    const ids = this.node.logs.map(({ raw }) => { const print = hex(sha(bin("ed01"), raw)).slice(0, 32).match(/.{4}/g).join("-");
      return Number(big(sha("zhidao chain v1\n", print).subarray(0, 6)) | (1n << 40n)); });
    need(ids.includes(parsed[0].chain), "wrong_chain");
    this.chainId = parsed[0].chain;
  }
  holder(title, address) { // whose account it is: a party's, or a deal's custody
    this.accounts ??= new Map([...this.every("trust.AccountNamed").filter((t) => t.event.asserted_by.party === t.fact.party).map((t) =>
      [t.fact.account, t.fact.party]),
      ...this.trust.parties.flatMap((p) => p.keys.filter((k) => keyOf(k).kind === "secp256k1").map((k) =>
        [`0x${hex(keccak(ECDH.convertKey(keyOf(k).raw, "secp256k1", undefined, undefined, "uncompressed").subarray(1)).subarray(12))}`,
        p.party]))]);
    if (this.accounts.has(address)) return { party: this.accounts.get(address), deal: "" };
    return { party: "", deal: this.every("trust.CustodyOpened").find((t) => t.fact.title === title
      && t.fact.account === address)?.fact.deal ?? "" };
  }
  titles() {
    const no = "title_mismatch", asked = this.every("trust.TitleAsked");
    if (asked.length) this.chain();
    for (const { fact: { title, consignment } } of asked) {
      need(consignment === this.proof.consignment, no);
      const told = this.every("trust.TitleMoved").map((t) => t.fact).filter((f) => f.title === title),
        moves = (this.moves ?? []).filter((m) => m.title === title);
      if (!this.moves || (!moves.length && !told.length)) continue;
      if (this.whole(`title/${title}`)) told.forEach((f, i) => {
        need(moves[i] && ["action", "transaction", "holder", "beneficiary"].every((n) => moves[i][n] === f[n])
          && f.registry === this.registry && f.chain_id === this.chainId, no);
        for (const part of ["holder", "beneficiary"]) { const { party, deal } = this.holder(title, f[part]),
          wanted = deal ? this.node.party : party; need(!wanted || wanted === f[`${part}_party`], no); }
      });
      need(moves.length && moves[0].action === "mint" && [this.entered.carrier, ""].includes(this.holder(title, moves[0].signer).party), no);
      const place = (m) => this.every("trust.ChainTransaction").find((t) => t.fact.hash === m.transaction).index;
      registration(title, this, place(moves[0]));
      for (const { fact: f, event, index } of this.every("trust.MediumChanged").filter((t) => t.fact.title === title)) {
        const after = moves.filter((m) => place(m) > index).map((m) => m.action);
        const good = { to_token: after.length === moves.length, to_paper: same(after, []) || same(after, ["burn"]) }[f.change];
        need(good && event.open && event.aggregate === `medium/${title}`, "medium_changed");
      }
      need(this.every("trade.DocumentAdded").some((t) => t.fact.kind === "bill_of_lading" && t.fact.digest === title), no);
    }
  }
  deals() {
    for (const { fact: o, event } of this.every("finance.DealOpened").filter((t) => t.fact.consignment === this.proof.consignment)) {
      if (!this.whole(`deal/${o.deal}`) || event.aggregate !== `deal/${o.deal}`) continue;
      const of = (kind) => this.every(`finance.${kind}`).filter((t) => t.fact.deal === o.deal), decided = of("Decided").at(0),
        last = (kind) => of(kind).at(-1)?.fact;
      const pending = uuid("transfer", o.deal, "reserve", ns(event.recorded_at) / 1000000n), settled = last("Settled");
      if (decided && last("Decided") === decided.fact) this.decision(o, decided, last, of, pending);
      if (settled) this.payment(o, settled, decided?.fact, pending);
    }
  }
  decision(o, { fact: d, event, index }, last, of, pending) {
    const no = "decision_not_reproduced", money = last("MoneyReserved"), c = o.conditions;
    need(["release", "abort"].includes(d.outcome) && event.open && d.transfer === pending && d.title === o.title, no);
    need(!money || same([money.transfer, money.amount_minor, money.currency], [d.transfer, o.amount_minor, o.currency]), no);
    const move = d.title_transaction && transaction(bin(d.title_transaction)),
      before = (type) => this.every(type).filter((t) => t.index < index).map((t) => t.fact);
    if (d.outcome === "release") {
      need(money, no);
      const gone = new Set(of("ConditionLapsed").map((t) => t.fact.name)),
        met = new Set(before("finance.ConditionMet").filter((f) => f.deal === o.deal && !gone.has(f.name)).map((f) => f.name));
      const bears = (m) => ({ corroborated: m.corroborated_by.length > 0, inside: m.inside_risk_ppb > 0 && m.inside_risk_ppb <= c.risk_ppb,
        signed_by_terminal: m.signed_by_terminal, bound_to_goods: m.bound_to_goods, recomputed: m.recomputed });
      const holds = {
        arrival: () => before("positioning.ArrivalProven").some((f) => f.consignment === o.consignment && f.terminal === o.terminal
          && !f.marks.disagreed_by.length && c.marks.every((m) => bears(f.marks)[m]) && ns(c.not_before) <= ns(f.observed_at)
          && ns(f.observed_at) <= ns(c.not_after) && same(f.site, c.site)),
        papers_agree: () => before("trade.PapersChecked").at(-1)?.agree,
        customs_released: () => before("trade.CustomsReleased").some((f) => f.decision === "released"),
        title_in_custody: () => move && this.holder(d.title, `0x${move.from}`).deal === o.deal,
      };
      for (const name of ["arrival", ...c.needs]) need(met.has(name) && holds[name](), no, `paid without ${name}`);
    }
    const moves = (this.moves ?? []).filter((m) => m.title === d.title && d.title), settled = last("Settled"),
      done = moves.find((m) => move && m.transaction === move.hash);
    if (!move) return need(!last("TitleReserved") || !settled, "title_mismatch");
    if (!done) return need(!settled || this.guarded, "title_mismatch");
    const to = this.holder(d.title, done.holder), wanted = d.outcome === "release" ? o.payer : o.payee;
    need(this.holder(d.title, done.signer).deal === o.deal && (!(to.party || to.deal) || to.party === wanted)
      && done.holder === done.beneficiary, "title_mismatch");
  }
  payment(o, s, d, pending) {
    const no = "payment_mismatch", [pacs, camt] = [s.pacs008, s.camt054].map((n) => this.proof.blobs.get(n)).map((data) => data && xml(data));
    need(d && s.paid === (d.outcome === "release") && s.reason === d.reason, no);
    if (!s.paid) return need(!s.pacs008 && !s.camt054, no);
    if (!pacs || !camt) return;
    const account = (bank, holder) => uuid("account", bank, "CUSTOMER", holder, o.currency).replaceAll("-", "");
    const inside = (text, path) => path.split("/").reduce((t, tag) => t?.match(new RegExp(`<${tag}(?: [^>]*)?>([^]*?)</${tag}>`))?.[1],
      text)?.trim();
    const bic = (bank) => this.every("finance.BankAdmitted").findLast((t) => t.fact.bank === bank)?.fact.bic;
    for (const [text, amount] of [[pacs, "IntrBkSttlmAmt"], [camt,
      "Amt"]]) for (const found of text.matchAll(new RegExp(`<${amount} Ccy="([A-Z]{3})">([0-9.]+)<`, "g")))
      need(found[1] === o.currency && minor(found[2], found[1]) === BigInt(o.amount_minor), no);
    for (const [text, payee] of [[pacs, "CdtrAcct/Othr/Id"], [camt, "Ntfctn/Acct/Othr/Id"]]) {
      need(same(["EndToEndId", "InstrId", "DbtrAcct/Othr/Id", payee].map((p) => inside(text, p)),
        [o.deal, pending.replaceAll("-", ""), account(o.payer_bank, o.payer), account(o.payee_bank, o.payee)]), no);
      for (const [bank, path] of [[o.payer_bank, "DbtrAgt"], [o.payee_bank, "CdtrAgt"]]) need((bic(bank) ?? inside(text,
        `${path}/FinInstnId/BICFI`)) === inside(text, `${path}/FinInstnId/BICFI`), no);
    }
    need(["GrpHdr/MsgId", "UETR", "Ustrd", "Dbtr/Nm", "Cdtr/Nm"].every((p) => inside(pacs, p) === inside(camt, p)), no);
  }
}
export function verdict(file, lists) {
  const proof = readProof(file), refused = [];
  for (const list of lists) {
    try {
      const trust = readTrust(list), facts = new Facts(proof, trust, checkLog(proof, trust));
      for (const part of ["speakers", "logKeys", "lots", "documents", "arrivals", "titles", "deals"]) facts[part]();
      need(!facts.guarded, "guarded_titles", "titles were not followed: a guard has some, as it seems");
      if (facts.followed) notChecked.add("contracts");
      if (facts.every("exchange.FactsAdopted").length) notChecked.add("other_logs");
      return { verdict: "holds", reason: "", sentence: "", opened: proof.events.length, of: proof.note.size };
    } catch (error) {
      const code = error.code && error instanceof No ? error.code : "malformed";
      const said = { untrusted_root: code, ml_dsa_44_signatures: "not_verified", guarded_titles: "not_verified" }[code] ?? "refused";
      refused.push({ verdict: said, reason: code, sentence: error.message });
    }
  }
  return refused.find((r) => r.verdict !== "untrusted_root") ?? refused[0] ?? { verdict: "untrusted_root", reason: "untrusted_root",
    sentence: "no trust list is given" };
}
if (process.argv[1]?.endsWith("proof_check.mjs")) {
  const [file, ...rest] = process.argv.slice(2), lists = rest.filter((_, i) => i % 2 === 1);
  let told; try { told = verdict(readFileSync(file), lists.map((l) => readFileSync(l))); }
  catch (error) { told = { verdict: "malformed", reason: "malformed", sentence: error.message }; }
  console.log(JSON.stringify({ ...told, not_checked: [...notChecked].sort() }));
  process.exitCode = { holds: 0, malformed: 2 }[told.verdict] ?? 1;
}
