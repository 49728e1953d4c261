// The part of proof_check.mjs about titles: who signed a transaction of the chain, and what the calls of the
// TradeTrust title contracts do by their rules (token-registry 5.5.1, contracts/TitleEscrow.sol).
import { createECDH, ECDH } from "node:crypto";
import { N, big, bin, hex, jcs, join, keyOf, need, notChecked, same, sha, verifies } from "./proof_log.mjs";
// Keccak-256 (the original padding, as Ethereum uses it).
const M = (1n << 64n) - 1n, rotl = (v, n) => ((v << BigInt(n)) | (v >> BigInt(64 - n))) & M;
export function keccak(...parts) {
  const data = join(...parts), a = Array(25).fill(0n);
  const block = Buffer.alloc(data.length + 136 - (data.length % 136));
  data.copy(block); block[data.length] ^= 1; block[block.length - 1] ^= 0x80;
  for (let at = 0; at < block.length; at += 136) {
    for (let i = 0; i < 17; i++) a[i] ^= block.readBigUInt64LE(at + 8 * i);
    for (let round = 0, lfsr = 1; round < 24; round++) {
      const c = [0, 1, 2, 3, 4].map((x) => a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20]);
      for (let i = 0; i < 25; i++) a[i] ^= c[(i + 4) % 5] ^ rotl(c[(i + 1) % 5], 1);
      for (let x = 1, y = 0, t = 1, held = a[1]; t <= 24; t++) {
        [x, y] = [y, (2 * x + 3 * y) % 5];
        [held, a[x + 5 * y]] = [a[x + 5 * y], rotl(held, ((t * (t + 1)) / 2) % 64)];
      }
      const b = [...a], next = (i, n) => b[i - (i % 5) + ((i + n) % 5)];
      for (let i = 0; i < 25; i++) a[i] = b[i] ^ (~next(i, 1) & M & next(i, 2));
      for (let j = 0; j < 7; j++) { // the round's constant, bit by bit
        if (lfsr & 1) a[0] ^= 1n << BigInt((1 << j) - 1);
        lfsr = (lfsr << 1) ^ (lfsr >> 7 ? 0x171 : 0);
      }
    }
  }
  return join(...a.slice(0, 4).map((lane) => word(lane).subarray(24).reverse()));
}
// secp256k1: who signed a digest (SEC 1 section 4.1.6). OpenSSL multiplies points; of kR it tells only x.
const P = (1n << 256n) - (1n << 32n) - 977n, mod = (v, m) => ((v % m) + m) % m;
const word = (v) => bin(v.toString(16).padStart(64, "0")), bytes = ([x, y]) => join([4], word(x), word(y));
const point = (data) => [big(data.subarray(1, 33)), big(data.subarray(33))];
const whole = (short) => ECDH.convertKey(short, "secp256k1", null, null, "uncompressed");
const lift = (x, odd) => point(whole(join([2 + odd], word(x))));
const addressOf = (key) => keccak(key.subarray(1)).subarray(12);
function inverse(b, m) { // Fermat: m is prime
  let r = 1n;
  for (let e = m - 2n; e; e >>= 1n, b = (b * b) % m) if (e & 1n) r = (r * b) % m;
  return r;
}
function plus([x, y], [u, v]) { // of points with two different x
  need(x !== u, "malformed", "a signature of a point that nobody draws");
  const slope = mod((v - y) * inverse(mod(u - x, P), P), P), sum = mod(slope * slope - x - u, P);
  return [sum, mod(slope * (x - sum) - y, P)];
}
function scalar(k) {
  const ecdh = createECDH("secp256k1");
  ecdh.setPrivateKey(word(k));
  return ecdh;
}
function times(k, r) { // of the two points with that x, the one that leads to the x of (k + 1)R
  const x = (n) => big(scalar(n).computeSecret(bytes(r))), after = x(k + 1n);
  return [0, 1].map((odd) => lift(x(k), odd)).find((q) => plus(q, r)[0] === after);
}
function signer(digest, parity, r, s) {
  need(parity <= 1n && r > 0n && r < N && s > 0n && s < N, "malformed", "a signature out of range");
  need(s <= N / 2n, "malleated_signature");
  const i = inverse(r, N), generated = point(scalar(mod(-big(digest) * i, N)).getPublicKey());
  return addressOf(bytes(plus(times(mod(s * i, N), lift(r, Number(parity))), generated)));
}
// RLP of a flat list; an empty list inside it is null. What has another form would encode to other bytes.
function rlp(items) {
  const octets = (size) => bin(size.toString(16).padStart(size > 255 ? 4 + 2 * (size > 65535) : 2, "0"));
  const head = (base, n) => (n < 56 ? [base + n] : [base + 55 + octets(n).length, ...octets(n)]);
  const one = (data) => (data.length === 1 && data[0] < 0x80 ? data : join(head(0x80, data.length), data));
  const body = join(...items.map((item) => (item === null ? [0xc0] : one(item))));
  return join(head(0xc0, body.length), body);
}
function unrlp(data) {
  const after = (at, base) => { // where the content of the item at `at` begins, and where it ends
    const more = Math.max(0, data[at] - base - 55), from = at + 1 + more;
    return [from, from + (more ? Number(big(data.subarray(at + 1, from))) : data[at] - base)];
  };
  const items = [];
  for (let [at, end] = after(0, 0xc0); at < end; ) {
    const [from, to] = data[at] < 0x80 ? [at, at + 1] : data[at] === 0xc0 ? [at, at + 1] : after(at, 0x80);
    items.push(data[at] === 0xc0 ? null : data.subarray(from, to));
    at = to;
  }
  return items;
}
export function transaction(raw) { // EIP-1559
  const items = unrlp(raw.subarray(1));
  const [chain, nonce, tip, fee, gas, to, value, data, access, parity, r, s] = items;
  const form = raw[0] === 2 && items.length === 12 && access === null && raw.subarray(1).equals(rlp(items));
  need(form, "malformed", "not a transaction");
  need(!tip.length && !fee.length && !value.length, "fee_not_zero");
  const from = hex(signer(keccak([2], rlp(items.slice(0, 9))), big(parity), big(r), big(s)));
  const hash = `0x${hex(keccak(raw))}`;
  return { chain: Number(big(chain)), nonce: big(nonce), gas: big(gas), to: hex(to), data, from, hash };
}
// The title contracts: the digests of their code, where they stand, and what their calls do.
const CODES = ["13c6d3522d627873e542914f4363ad93ebd255cf622f2a4eaff2686e6a24857d",
  "2de53831c6c4da831f76e087512514e0189567f4ca0a7ec3a8c811be584e3e6d"];
const created = (by, nonce) => hex(keccak(rlp([bin(by), Buffer.from(nonce ? [nonce] : [])])).subarray(12));
const ZERO = "0".repeat(40), roleOf = (name) => hex(keccak(name));
const zero = (address, code = "no_receiver") => need(address !== ZERO, code);
function act(one, me, parts) { // what each call of a holder or beneficiary asks first
  need(one.active, "title_inactive");
  need(!parts.includes("beneficiary") || one.beneficiary === me, "not_beneficiary");
  need(!parts.includes("holder") || one.holder === me, "not_holder");
  need(!one.surrendered, "title_surrendered");
}
const alone = (one) => one.beneficiary === one.holder;
function endorse(one, me, to) {
  act(one, me, "holder"); zero(to);
  need(alone(one) || one.nominee === to, "not_nominated");
  Object.assign(one, { beforeB: one.beneficiary, beforeH: ZERO, beneficiary: to, nominee: ZERO });
}
function hand(one, me, to) {
  zero(to); need(one.holder !== to, "already_holder");
  Object.assign(one, { beforeB: alone(one) ? ZERO : one.beforeB, beforeH: me, holder: to });
}
function admin(registry, me) { need(me === registry.admin, "not_allowed"); }
function may(registry, me, role) { if (!registry.roles.has(roleOf(role) + me)) admin(registry, me); }
// Signature, the action that people read, what it does to the registry or the title `one`, sent by `me`.
const CALLS = [
  ["grantRole(bytes32,address)", "role", (registry, one, me, role, who) => {
    admin(registry, me); registry.roles.add(role + who.slice(24)); }],
  ["revokeRole(bytes32,address)", "role", (registry, one, me, role, who) => {
    admin(registry, me); need(who.slice(24) !== me, "contract_refused");
    registry.roles.delete(role + who.slice(24)); }],
  ["mint(address,address,uint256,bytes)", "mint", (registry, one, me, first, second, title) => {
    const [beneficiary, holder] = [first, second].map((a) => a.slice(24));
    may(registry, me, "MINTER_ROLE"); need(!one, "title_exists");
    zero(beneficiary, "contract_refused"); zero(holder, "contract_refused");
    registry.titles.set(title, { title, escrow: registry.escrow(title), beneficiary, holder, nominee: ZERO,
      beforeB: ZERO, beforeH: ZERO, active: true, surrendered: false });
  }],
  ["restore(uint256,bytes)", "restore", (registry, one, me) => {
    may(registry, me, "RESTORER_ROLE"); need(one, "no_title"); need(one.surrendered, "not_surrendered");
    one.surrendered = false;
  }],
  ["burn(uint256,bytes)", "burn", (registry, one, me) => {
    may(registry, me, "ACCEPTER_ROLE"); need(one, "contract_refused"); need(one.active, "title_inactive");
    need(one.surrendered, "not_surrendered");
    Object.assign(one, { active: false, surrendered: false, holder: ZERO, beneficiary: ZERO });
  }],
  ["transferOwners(address,address,bytes)", "transfer", (_, one, me, owner, holder) => {
    endorse(one, me, owner.slice(24)); hand(one, me, holder.slice(24)); }],
  ["transferHolder(address,bytes)", "transfer", (_, one, me, to) => {
    act(one, me, "holder"); hand(one, me, to.slice(24)); }],
  ["transferBeneficiary(address,bytes)", "endorse", (_, one, me, to) => endorse(one, me, to.slice(24))],
  ["nominate(address,bytes)", "nominate", (_, one, me, to) => {
    const nominee = to.slice(24);
    act(one, me, "beneficiary"); need(one.beneficiary !== nominee, "already_beneficiary");
    need(one.nominee !== nominee, "already_nominated");
    Object.assign(one, { beforeB: ZERO, beforeH: alone(one) ? ZERO : one.beforeH, nominee });
  }],
  ["rejectTransferOwners(bytes)", "reject", (_, one, me) => {
    act(one, me, "beneficiary holder"); zero(one.beforeB); zero(one.beforeH);
    Object.assign(one, { beneficiary: one.beforeB, holder: one.beforeH });
    Object.assign(one, { nominee: ZERO, beforeB: ZERO, beforeH: ZERO });
  }],
  ["rejectTransferHolder(bytes)", "reject", (_, one, me) => {
    act(one, me, "holder"); zero(one.beforeH); need(!alone(one), "dual_role");
    Object.assign(one, { holder: one.beforeH, beforeH: ZERO });
  }],
  ["rejectTransferBeneficiary(bytes)", "reject", (_, one, me) => {
    act(one, me, "beneficiary"); zero(one.beforeB); need(!alone(one), "dual_role");
    Object.assign(one, { beneficiary: one.beforeB, nominee: ZERO, beforeB: ZERO });
  }],
  ["returnToIssuer(bytes)", "surrender", (_, one, me) => {
    act(one, me, "beneficiary holder");
    Object.assign(one, { nominee: ZERO, beforeB: ZERO, beforeH: ZERO, surrendered: true });
  }],
].map(([signature, action, does]) => {
  const [name, types] = signature.slice(0, -1).split("(");
  return { name, action, does, types: types.split(","), selector: hex(keccak(signature).subarray(0, 4)) };
});
// Arguments have one form, the one that abi.encode writes: what a contract might stop at is not followed.
function remarkOf(types, data) { // the length of the remark at their end, if there is one
  const n = 32 * types.length, has = types.at(-1) === "bytes";
  const at = (i) => big(data.subarray(32 * i, 32 * i + 32));
  const size = has ? Number(at(types.length)) : 0, end = n + (has ? 32 + 32 * Math.ceil(size / 32) : 0);
  const fits = { address: (i) => at(i) >> 160n === 0n, bytes: (i) => at(i) === BigInt(n) };
  const good = types.every((type, i) => fits[type]?.(i) ?? true);
  const padded = data.subarray(n + 32 + size).every((byte) => !byte);
  need(good && data.length === end && padded, "no_effect", "arguments in another form");
  return size;
}
export class Registry {
  constructor(by) {
    const factory = created(by, 0), implementation = created(factory, 1);
    Object.assign(this, { admin: by, factory, token: created(by, 1), titles: new Map(), roles: new Set() });
    const [before, after] = ["3d602d80600a3d3981f3363d3d373d3d3d363d73", "5af43d82803e903d91602b57fd5bf3"];
    const code = keccak(bin(before + implementation + after));
    const salt = (title) => keccak(bin(this.token), bin(title));
    this.escrow = (title) => hex(keccak([255], bin(factory), salt(title), code).subarray(12));
  }
  follow(t) { // the move of a title that a transaction makes, or null; raises what the contract would
    const call = CALLS.find((c) => c.selector === hex(t.data.subarray(0, 4)));
    need(call, "no_effect");
    const words = call.types.map((_, i) => hex(t.data.subarray(4 + 32 * i, 36 + 32 * i)));
    const isOfRegistry = ["mint", "restore", "burn", "grantRole", "revokeRole"].includes(call.name);
    const title = isOfRegistry && words[call.name === "mint" ? 2 : 0];
    const ofEscrow = () => [...this.titles.values()].find((each) => each.escrow === t.to);
    const one = isOfRegistry ? this.titles.get(title) : ofEscrow();
    need(isOfRegistry ? t.to === this.token : one, "no_effect");
    need(t.gas >= (call.name === "mint" ? 550000n : 400000n), "gas_too_low");
    need(remarkOf(call.types, t.data.subarray(4)) <= 120, "remark_too_long");
    call.does(this, one, t.from, ...words);
    if (call.action === "role") return null;
    const { title: id, holder, beneficiary } = one ?? this.titles.get(title);
    return { title: id, action: call.action, transaction: t.hash, signer: `0x${t.from}`,
      holder: `0x${holder}`, beneficiary: `0x${beneficiary}` };
  }
}
// The chain as the facts tell it. `every` finds events; `logs` are those of the node that keeps the chain.
export function followed(every, packed, logs) { // the moves of all titles, by the rules
  const parsed = every("trust.ChainTransaction").map(({ fact: f, event }) => {
    const t = transaction(bin(f.raw)), holds = f.hash === t.hash && f.chain_id === t.chain;
    need(holds && event.aggregate === `chain/${t.chain}` && event.open, "wrong_chain");
    return t;
  });
  if (!parsed.length) return {};
  // Titles in a guard move through its own contract, which only a machine follows: never a plain yes.
  const guarded = parsed.filter((t) => t.to === "").length > 2;
  if (guarded) { notChecked.add("guarded_titles"); return { guarded }; }
  const registry = new Registry(parsed[0].from), counts = new Map(), [{ chain: chainId }] = parsed;
  const isCompact = packed && parsed.every((t) => t.to !== "");
  if (!isCompact) need(isCreation(registry, parsed.slice(0, 2)), "foreign_contracts");
  for (const t of parsed) {
    need(t.chain === chainId, "wrong_chain");
    need(t.nonce >= (counts.get(t.from) ?? 0n), "replayed_nonce");
    counts.set(t.from, t.nonce + 1n);
  }
  const moves = parsed.filter((t) => t.to).map((t) => registry.follow(t)).filter(Boolean);
  const ids = logs.map(({ raw }) => { // an embedded chain's id comes from its log's key
    const print = hex(sha(bin("ed01"), raw)).slice(0, 32).match(/.{4}/g).join("-");
    return Number(big(sha("zhidao chain v1\n", print).subarray(0, 6)) | (1n << 40n));
  });
  need(ids.includes(chainId), "wrong_chain");
  return { moves, registry: `0x${registry.token}`, chainId, isCompact };
}
function isCreation(registry, made) { // of the published contracts, with our arguments, by the first account
  const ours = (t, i) => t.to === "" && t.nonce === BigInt(i) && t.from === registry.admin;
  if (made.length < 2 || !made.every(ours)) return false;
  const cut = 19464, token = made[1].data, codes = [made[0].data, token.subarray(0, cut)];
  const text = (s) => join(word(BigInt(s.length)), s.padEnd(32, "\0"));
  const names = [text("Zhidao bills of lading"), text("ZHBL")];
  const ending = join(word(96n), word(160n), word(big(bin(registry.factory))), ...names);
  return codes.every((code, i) => hex(sha(code)) === CODES[i]) && token.subarray(cut).equals(ending);
}
export function holderOf(every, parties, title, address) { // whose account: a party's, or a deal's custody
  const isOf = (key) => key.kind === "secp256k1" && `0x${hex(addressOf(whole(key.raw)))}` === address;
  const listed = parties.findLast((p) => p.keys.map(keyOf).some(isOf));
  const named = every("trust.AccountNamed", { account: address })
    .findLast((t) => t.event.asserted_by.party === t.fact.party);
  const party = listed?.party ?? named?.fact.party ?? "";
  const custody = party ? [] : every("trust.CustodyOpened", { title, account: address });
  return { party, deal: custody[0]?.fact.deal ?? "" };
}
// Whether a title stands alone under its bill's tag, written before it was minted (`minted`: that leaf).
const plain = (text) => text.normalize("NFKC").toUpperCase()
  .replace(/[\t-\r\x1c-\x20\x85\p{Zs}\u2028\u2029]/gu, "");
export function registration(title, every, { registry, chainId }, minted, speaks) { // whether it is alone
  const opened = every("trust.TitleTagOpened", { title });
  for (const { fact: o, event } of opened) {
    const { aggregate, asserted_by: { key, party } } = event, { issuer } = o;
    const no = "bad_title_tag", of = ({ fact: f }) => [f.title, f.registry, f.chain_id];
    for (const t of [o.carrier_code, o.number]) need(t && [...t].length <= 64 && t === plain(t), no);
    const opening = Buffer.from(o.opening, "base64url"), tag = hex(sha(opening));
    need(opening.toString("base64url") === o.opening && (issuer === key || speaks(party, issuer)), no);
    need(aggregate === `registration/${title}`, no);
    need(verifies(keyOf(issuer), opening, jcs(["zhidao title tag v1", o.carrier_code, o.number])), no);
    const claim = (f) => jcs(["zhidao title claim v1", f.tag, f.title, f.registry, f.chain_id]);
    const claimed = ({ fact: f, event: e }) => (e.type.endsWith(".v1") ? e.asserted_by.key === issuer
      : f.issuer === issuer && verifies(keyOf(issuer), Buffer.from(f.claim, "base64url"), claim(f)));
    const leaves = every("trust.TitleRegistered", { tag }).filter((leaf) => claimed(leaf)
      && leaf.event.open && leaf.event.aggregate === `titletag/${tag}`);
    need(leaves.every((l) => same(of(l), of(leaves[0]))), "double_title");
    need(leaves.length && leaves[0].fact.title === title, "unregistered_title");
    need(o.tag === tag, no);
    need(same(of(leaves[0]), [title, registry, chainId]), "wrong_registry");
    need(leaves[0].index < minted, "unregistered_title");
    const bills = every("trade.DocumentAdded", { kind: "bill_of_lading", digest: title });
    need(bills.some(({ fact: f }) => plain(f.number) === o.number), "bill_mismatch");
  }
  const isPlain = (text) => /^[A-Z0-9][A-Z0-9/-]*$/.test(text); // or it could be read as another's
  return opened.length > 0 && opened.every(({ fact: o }) => [o.carrier_code, o.number].every(isPlain));
}
