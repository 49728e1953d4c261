// The part of proof_check.mjs about titles: who signed a transaction of the chain, and what the calls of the
// TradeTrust title contracts do by their rules (token-registry 5.5.1, contracts/TitleEscrow.sol).
import { N, big, bytes64, hex, jcs, keyOf, need, same, sha, verifies } from "./proof_log.mjs";
export const bin = (text) => Buffer.from(text.replace(/^0x/, ""), "hex");
// Keccak-256 (the original padding, as Ethereum uses it).
const M = (1n << 64n) - 1n, rotl = (v, n) => ((v << BigInt(n)) | (v >> BigInt(64 - n))) & M;
export function keccak(...parts) {
  const data = Buffer.concat(parts), block = Buffer.alloc(136 * (Math.floor(data.length / 136) + 1)), a = Array(25).fill(0n);
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
      for (let y = 0; y < 25; y += 5) { const r = a.slice(y, y + 5);
        for (let x = 0; x < 5; x++) a[y + x] = r[x] ^ (~r[(x + 1) % 5] & M & r[(x + 2) % 5]); }
      for (let j = 0; j < 7; j++) { if (lfsr & 1) a[0] ^= 1n << BigInt((1 << j) - 1); lfsr = (lfsr << 1) ^ (lfsr >> 7 ? 0x171 : 0); }
    }
  }
  const out = Buffer.alloc(32);
  for (let i = 0; i < 4; i++) out.writeBigUInt64LE(a[i], 8 * i);
  return out;
}
// secp256k1: who signed a digest (SEC 1 section 4.1.6).
const P = (1n << 256n) - (1n << 32n) - 977n, mod = (v, m) => ((v % m) + m) % m;
const G = [0x79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798n,
  0x483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8n];
function power(b, e, m) { let r = 1n; for (b = mod(b, m); e; e >>= 1n, b = (b * b) % m) if (e & 1n) r = (r * b) % m; return r; }
function add([x, y, z], [u, v, w]) { // Jacobian coordinates; z = 0 is the point at infinity
  if (!z) return [u, v, w];
  if (!w) return [x, y, z];
  const zz = (z * z) % P, ww = (w * w) % P, a = (x * ww) % P, b = mod(u * zz - a, P), c = (y * ww * w) % P, r = mod(v * zz * z - c, P);
  if (!b) return r ? [1n, 1n, 0n] : twice([x, y, z]);
  const bb = (b * b) % P, bbb = (b * bb) % P, t = (a * bb) % P, o = mod(r * r - bbb - 2n * t, P);
  return [o, mod(r * (t - o) - c * bbb, P), (z * w * b) % P];
}
function twice([x, y, z]) {
  const yy = (y * y) % P, s = (4n * x * yy) % P, m = (3n * x * x) % P, o = mod(m * m - 2n * s, P);
  return [o, mod(m * (s - o) - 8n * yy * yy, P), (2n * y * z) % P];
}
function times(k, [x, y]) {
  let r = [1n, 1n, 0n];
  for (let p = [x, y, 1n]; k; k >>= 1n, p = twice(p)) if (k & 1n) r = add(r, p);
  return r;
}
export const word = (v) => Buffer.from(v.toString(16).padStart(64, "0"), "hex");
function signer(digest, parity, r, s) {
  need(parity <= 1n && r > 0n && r < N && s > 0n && s < N, "malformed", "a signature out of range");
  need(s <= N / 2n, "malleated_signature");
  const y = power(r ** 3n + 7n, (P + 1n) / 4n, P), i = power(r, N - 2n, N);
  need(mod(y * y - r ** 3n - 7n, P) === 0n, "malformed", "no key made this signature");
  const q = add(times(mod(s * i, N), [r, (y & 1n) === parity ? y : P - y]), times(mod(-big(digest) * i, N), G));
  const z = power(q[2], P - 2n, P), zz = (z * z) % P;
  return keccak(word((q[0] * zz) % P), word((q[1] * zz * z) % P)).subarray(12);
}
function rlp(data) { // one item and what follows it
  const head = data[0], long = (base) => (head - base <= 55 ? [1, head - base] : [head - base - 54,
    Number(big(data.subarray(1, head - base - 54)))]);
  if (head < 0x80) return [data.subarray(0, 1), data.subarray(1)];
  const [from, size] = long(head < 0xc0 ? 0x80 : 0xc0), body = data.subarray(from, from + size), rest = data.subarray(from + size);
  need(body.length === size, "malformed", "RLP ends early");
  if (head < 0xc0) return [body, rest];
  const items = [];
  for (let left = body; left.length; ) { const [item, more] = rlp(left); items.push(item); left = more; }
  return [items, rest];
}
function unrlp(item) {
  const body = Array.isArray(item) ? Buffer.concat(item.map(unrlp)) : Buffer.from(item), base = Array.isArray(item) ? 0xc0 : 0x80;
  if (base === 0x80 && body.length === 1 && body[0] < 0x80) return body;
  const size = body.length.toString(16), bytes = bin(size.padStart(size.length + (size.length % 2), "0"));
  return Buffer.concat([body.length < 56 ? Buffer.from([base + body.length]) : Buffer.concat([Buffer.from([base + 55 + bytes.length]),
    bytes]), body]);
}
export function transaction(raw) { // EIP-1559
  const [items, rest] = rlp(raw.subarray(1));
  need(raw[0] === 2 && items.length === 12 && !rest.length && raw.subarray(1).equals(unrlp(items)) && !items[8].length, "malformed",
    "not a transaction");
  const [chain, nonce, tip, fee, gas, to, value, data, , parity, r, s] = items;
  need(!tip.length && !fee.length && !value.length, "fee_not_zero");
  const from = signer(keccak(Buffer.from([2]), unrlp(items.slice(0, 9))), big(parity), big(r), big(s));
  return { chain: Number(big(chain)), nonce: big(nonce), gas: big(gas), to: hex(to), data, from: hex(from), hash: `0x${hex(keccak(raw))}` };
}
// The title contracts: where they stand, and what their calls do (TradeTrust token-registry 5.5.1).
const created = (by, nonce) => hex(keccak(unrlp([bin(by), nonce ? Buffer.from([nonce]) : Buffer.alloc(0)])).subarray(12));
export const CODES = ["13c6d3522d627873e542914f4363ad93ebd255cf622f2a4eaff2686e6a24857d",
  "2de53831c6c4da831f76e087512514e0189567f4ca0a7ec3a8c811be584e3e6d"];
const ZERO = "0".repeat(40), roleOf = (name) => hex(keccak(Buffer.from(name)));
const CALLS = Object.fromEntries(`mint(address,address,uint256,bytes) mint|restore(uint256,bytes) restore|burn(uint256,bytes) burn
  |transferOwners(address,address,bytes) transfer|transferHolder(address,bytes) transfer|transferBeneficiary(address,bytes) endorse
  |nominate(address,bytes) nominate|rejectTransferOwners(bytes) reject|rejectTransferHolder(bytes) reject|rejectTransferBeneficiary(bytes) reject
  |returnToIssuer(bytes) surrender|grantRole(bytes32,address) role|revokeRole(bytes32,address) role`.split("|").map((line) => {
  const [signature, action] = line.trim().split(" ");
  return [hex(keccak(Buffer.from(signature)).subarray(0, 4)), { name: signature.split("(")[0], action,
    types: signature.slice(0, -1).split("(")[1].split(",") }];
}));
// Arguments have one form, the one that abi.encode writes: what a contract might stop at is not followed.
function remarkOf(types, data) {
  const n = 32 * types.length, at = (i) => big(data.subarray(32 * i, 32 * i + 32)), dynamic = types.at(-1) === "bytes";
  const size = dynamic ? Number(at(types.length)) : 0, end = n + (dynamic ? 32 + 32 * Math.ceil(size / 32) : 0);
  const good = types.every((type, i) => type === "address" ? at(i) >> 160n === 0n : type !== "bytes" || at(i) === BigInt(n));
  need(good && data.length === end && data.subarray(n + 32 + size).every((b) => !b), "no_effect", "arguments in another form");
  return size;
}
export class Registry {
  constructor(admin) {
    const factory = created(admin, 0), implementation = created(factory, 1);
    Object.assign(this, { admin, factory, token: created(admin, 1), titles: new Map(), roles: new Set() });
    const code = keccak(bin(`3d602d80600a3d3981f3363d3d373d3d3d363d73${implementation}5af43d82803e903d91602b57fd5bf3`));
    this.escrow = (title) => hex(keccak(Buffer.from([255]), bin(factory), keccak(bin(this.token), bin(title)), code).subarray(12));
  }
  follow(t) {
    const call = CALLS[hex(t.data.subarray(0, 4))], at = (i) => hex(t.data.subarray(4 + 32 * i, 36 + 32 * i)), who = (i) => at(i).slice(24),
      me = t.from;
    const inRegistry = ["mint", "restore", "burn", "grantRole", "revokeRole"].includes(call?.name);
    const one = inRegistry ? this.titles.get(at(call.name === "mint" ? 2 : 0)) : [...this.titles.values()].find((x) => x.escrow === t.to);
    need(call && (inRegistry ? t.to === this.token : one), "no_effect");
    need(t.gas >= (call.name === "mint" ? 550000n : 400000n), "gas_too_low");
    need(remarkOf(call.types, t.data.subarray(4)) <= 120, "remark_too_long");
    const may = (role) => need(me === this.admin || this.roles.has(roleOf(role) + me), "not_allowed"),
      zero = (a, code = "no_receiver") => need(a !== ZERO, code);
    const act = (...parts) => {
      need(one.active, "title_inactive");
      need(!parts.includes("beneficiary") || one.beneficiary === me, "not_beneficiary");
      need(!parts.includes("holder") || one.holder === me, "not_holder");
      need(!one.surrendered, "title_surrendered");
    };
    const alone = () => one.beneficiary === one.holder, endorse = (to) => {
      act("holder"); zero(to); need(alone() || one.nominee === to, "not_nominated");
      Object.assign(one, { beforeB: one.beneficiary, beforeH: ZERO, beneficiary: to, nominee: ZERO });
    }, hand = (to) => {
      zero(to); need(one.holder !== to, "already_holder");
      Object.assign(one, { beforeB: alone() ? ZERO : one.beforeB, beforeH: me, holder: to });
    };
    const steps = {
      grantRole: () => { need(me === this.admin, "not_allowed"); this.roles.add(at(0) + who(1)); },
      revokeRole: () => { need(me === this.admin, "not_allowed"); need(who(1) !== me, "contract_refused"); this.roles.delete(at(0) + who(1)); },
      mint: () => {
        may("MINTER_ROLE"); need(!one, "title_exists"); zero(who(0), "contract_refused"); zero(who(1), "contract_refused");
        this.titles.set(at(2), { title: at(2), escrow: this.escrow(at(2)), beneficiary: who(0), holder: who(1), nominee: ZERO,
          beforeB: ZERO, beforeH: ZERO, active: true, surrendered: false });
      },
      restore: () => { may("RESTORER_ROLE"); need(one, "no_title"); need(one.surrendered, "not_surrendered"); one.surrendered = false; },
      burn: () => {
        may("ACCEPTER_ROLE"); need(one, "contract_refused"); need(one.active, "title_inactive"); need(one.surrendered, "not_surrendered");
        Object.assign(one, { active: false, surrendered: false, holder: ZERO, beneficiary: ZERO });
      },
      transferOwners: () => { endorse(who(0)); hand(who(1)); },
      transferHolder: () => { act("holder"); hand(who(0)); },
      transferBeneficiary: () => endorse(who(0)),
      nominate: () => {
        act("beneficiary"); need(one.beneficiary !== who(0), "already_beneficiary"); need(one.nominee !== who(0), "already_nominated");
        Object.assign(one, { beforeB: ZERO, beforeH: alone() ? ZERO : one.beforeH, nominee: who(0) });
      },
      rejectTransferOwners: () => { act("beneficiary", "holder"); zero(one.beforeB); zero(one.beforeH);
        Object.assign(one, { beneficiary: one.beforeB, holder: one.beforeH, nominee: ZERO, beforeB: ZERO, beforeH: ZERO }); },
      rejectTransferHolder: () => { act("holder"); zero(one.beforeH); need(!alone(), "dual_role");
        Object.assign(one, { holder: one.beforeH, beforeH: ZERO }); },
      rejectTransferBeneficiary: () => { act("beneficiary"); zero(one.beforeB); need(!alone(), "dual_role");
        Object.assign(one, { beneficiary: one.beforeB, nominee: ZERO, beforeB: ZERO }); },
      returnToIssuer: () => { act("beneficiary", "holder"); Object.assign(one,
        { nominee: ZERO, beforeB: ZERO, beforeH: ZERO, surrendered: true }); },
    };
    steps[call.name]();
    const now = call.name === "mint" ? this.titles.get(at(2)) : one;
    return call.action === "role" ? null : { title: now.title, action: call.action, transaction: t.hash, signer: `0x${me}`,
      holder: `0x${now.holder}`, beneficiary: `0x${now.beneficiary}` };
  }
}
// Whether a title stands alone under the tag of its bill, written before it was minted (`minted`: that leaf's index).
const plain = (text) => text.normalize("NFKC").toUpperCase().replace(/[\t-\r\x1c-\x20\x85\p{Zs}\u2028\u2029]/gu, "");
export function registration(title, facts, minted) {
  const opened = facts.every("trust.TitleTagOpened").filter((t) => t.fact.title === title);
  for (const { fact: o, event: { aggregate, asserted_by: { key } } } of opened) {
    const no = "bad_title_tag";
    for (const t of [o.carrier_code, o.number]) need(t && [...t].length <= 64 && t === plain(t), no);
    let opening;
    try { opening = bytes64(o.opening); } catch { need(false, no); }
    need(o.issuer === key && aggregate === `registration/${title}`, no);
    need(verifies(keyOf(key), opening, Buffer.from(jcs(["zhidao title tag v1", o.carrier_code, o.number]))), no);
    const tag = hex(sha(opening)), of = ({ fact: f }) => [f.title, f.registry, f.chain_id];
    const leaves = facts.every("trust.TitleRegistered").filter(({ fact: f, event: e }) => f.tag === tag && e.asserted_by.key === key
      && e.open && e.aggregate === `titletag/${tag}`);
    need(leaves.every((l) => same(of(l), of(leaves[0]))), "double_title");
    need(leaves.length && leaves[0].fact.title === title, "unregistered_title");
    need(o.tag === tag, no);
    need(same(of(leaves[0]), [title, facts.registry, facts.chainId]), "wrong_registry");
    need(leaves[0].index < minted, "unregistered_title");
    need(facts.every("trade.DocumentAdded").some(({ fact: f }) => f.kind === "bill_of_lading" && f.digest === title
      && plain(f.number) === o.number), "bill_mismatch");
  }
}
