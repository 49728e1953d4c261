// The half of proof_check.mjs that needs no knowledge of trade: the file's one form, the log's signed head and
// its witnesses, each event's place and signatures, whose keys they are and when they count, enclosed files.
import { createHash, createPublicKey, ECDH, verify as check } from "node:crypto";
import { gunzipSync } from "node:zlib";
export class No extends Error { constructor(code, why) { super(why ?? code); this.code = code; } }
export const need = (holds, code, why) => { if (!holds) throw new No(code, why); };
export const sha = (...parts) => parts.reduce((h, p) => h.update(p), createHash("sha256")).digest();
export const hex = (bytes) => Buffer.from(bytes).toString("hex");
export const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
const own = (o, k) => Object.prototype.hasOwnProperty.call(o, k);
export const notChecked = new Set(["fix", "papers_compared", "epcis_hashes"]);
// Amounts in minor units (ISO 4217), and XML without what no reader sees.
const EXPONENTS = Object.fromEntries([..."BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(" ").map((c) => [c, 0]),
  ..."BHD IQD JOD KWD LYD OMR TND".split(" ").map((c) => [c, 3]), ["CLF", 4], ["UYW", 4]]);
export function minor(text, currency) {
  const exponent = EXPONENTS[currency] ?? 2, [, whole, part = ""] = text.match(/^(\d+)(?:\.(\d+))?$/) ?? [];
  need(whole && /^0*$/.test(part.slice(exponent)), "malformed", "not an amount");
  return BigInt(whole + part.slice(0, exponent).padEnd(exponent, "0"));
}
export const xml = (data) => data.toString().replace(/<!--[^]*?-->|<!\[CDATA\[[^]*?\]\]>|<\?[^]*?\?>/g, "");
export const sha256s = (...texts) => Buffer.concat(texts.map((t) => sha(t)));
export function uuid(...words) { // version 8; a last BigInt is the time in milliseconds
  const at = typeof words.at(-1) === "bigint" ? words.pop() : null;
  let n = big(sha(words.join("\0")).subarray(0, 16));
  if (at !== null) n = (at << 80n) | (n & ((1n << 80n) - 1n));
  n = (n & ~((0xfn << 76n) | (3n << 62n))) | (8n << 76n) | (2n << 62n);
  return n.toString(16).padStart(32, "0").replace(/(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
// JSON with one byte form (RFC 8785): sorted by UTF-16 units, which is what sort() does.
export function jcs(v) {
  if (typeof v === "string") need(v.isWellFormed?.() ?? true, "malformed", "lone surrogate");
  if (typeof v === "number") need(Number.isFinite(v) && (!Number.isInteger(v) || Number.isSafeInteger(v)), "malformed");
  if (v === null || typeof v !== "object") return JSON.stringify(v);
  if (Array.isArray(v)) return `[${v.map(jcs).join(",")}]`;
  return `{${Object.keys(v).sort().map((k) => `${jcs(k)}:${jcs(v[k])}`).join(",")}}`;
}
export function canonical(bytes) {
  try { var text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes), value = JSON.parse(text); }
  catch (error) { throw new No("malformed", error.message); }
  need(jcs(value) === text, "malformed", "not in its canonical form");
  return value;
}
export function fields(o, names) { need(o && same(Object.keys(o).sort(), [...names].sort()), "malformed", "other fields"); return o; }
export function bytes64(text, coding = "base64url") {
  const data = Buffer.from(text, coding);
  need(data.toString(coding) === text, "malformed", "another spelling of base64");
  return data;
}
const B58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
export function base58(text) {
  let n = 0n;
  for (const c of text) { need(B58.includes(c), "malformed", "not base58"); n = n * 58n + BigInt(B58.indexOf(c)); }
  const h = n.toString(16), zeros = text.match(/^1*/)[0].length;
  return Buffer.concat([Buffer.alloc(zeros), n ? Buffer.from(h.length % 2 ? `0${h}` : h, "hex") : Buffer.alloc(0)]);
}
const KINDS = { ed01: ["ed25519", 32, 64], "8024": ["P-256", 33, 64], e701: ["secp256k1", 33, 64], "9024": ["ml-dsa-44", 1312, 2420],
  "8124": ["P-384", 49, 96] };
const keys = new Map();
export function keyOf(multikey) {
  if (keys.has(multikey)) return keys.get(multikey);
  need(multikey[0] === "z", "malformed", "not a Multikey");
  const data = base58(multikey.slice(1)), [kind, size, signature] = KINDS[hex(data.subarray(0, 2))] ?? [];
  need(kind && data.length === size + 2, "malformed", "unknown key");
  keys.set(multikey, rawKey(kind, data.subarray(2), signature));
  return keys.get(multikey);
}
function rawKey(kind, raw, size = 64) {
  let jwk = { kty: "OKP", crv: "Ed25519", x: raw.toString("base64url") };
  if (kind.startsWith("P-") || kind === "secp256k1") {
    const curve = { "P-256": "prime256v1", "P-384": "secp384r1" }[kind] ?? kind;
    const whole = ECDH.convertKey(raw, curve, undefined, undefined, "uncompressed"), half = (whole.length - 1) / 2;
    jwk = { kty: "EC", crv: kind, x: whole.subarray(1, half + 1).toString("base64url"), y: whole.subarray(half + 1).toString("base64url") };
  }
  return { kind, raw, size, key: kind === "ml-dsa-44" ? null : createPublicKey({ key: jwk, format: "jwk" }) };
}
export const N = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
export const big = (bytes) => BigInt(`0x${hex(bytes) || "0"}`);
export function verifies({ kind, size, key }, signature, message) {
  if (signature.length !== size) return false;
  // node 20 has no ML-DSA: said, never counted towards a quorum, and no word of a speaker.
  if (!key) { notChecked.add("ml_dsa_44_signatures"); return null; }
  if (kind === "ed25519") return check(null, message, key, signature);
  if (kind === "secp256k1" && big(signature.subarray(32)) > N / 2n) return false;
  return check(kind === "P-384" ? "sha384" : "sha256", message, { key, dsaEncoding: "ieee-p1363" }, signature);
}
// Signed notes, checkpoints, policies (C2SP).
function vkey(text) {
  const [, name, id, data] = text.match(/^([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+=*)$/) ?? [];
  need(name, "malformed", "not a verifier key");
  const raw = bytes64(data, "base64"), kind = { 1: "ed25519", 4: "ed25519", 6: "ml-dsa-44" }[raw[0]];
  need(kind && hex(sha(`${name}\n`, raw).subarray(0, 4)) === id, "malformed", "a key id is not its key's");
  return { name, id, type: raw[0], ...rawKey(kind, raw.subarray(1), raw[0] === 6 ? 2420 : 64) };
}
function readNote(text) {
  const cut = text.lastIndexOf("\n\n"), body = text.slice(0, cut + 1);
  need(cut > 0 && text.endsWith("\n") && !/[\0-\x09\x0b-\x1f]/.test(text), "malformed", "not a note");
  const lines = text.slice(cut + 2, -1).split("\n").map((line) => {
    const [, name, data] = line.match(/^\u2014 (\S+) (\S+)$/) ?? [];
    need(name, "malformed", "not a signature line");
    const all = bytes64(data, "base64");
    need(all.length > 4, "malformed", "not a signature line");
    return { name, id: hex(all.subarray(0, 4)), signature: all.subarray(4) };
  });
  const [origin, size, root] = body.split("\n");
  need(lines.length <= 64 && origin && /^(0|[1-9]\d{0,15})$/.test(size) && bytes64(root, "base64").length === 32, "malformed",
    "not a checkpoint");
  return { text: body, lines, origin, size: Number(size), root: bytes64(root, "base64") };
}
function signedBy(note, known) { // [key, time] of every line of a known key; a wrong one spoils the note
  const found = [];
  for (const line of note.lines) {
    const key = known.find((k) => k.name === line.name && k.id === line.id);
    if (!key) continue;
    const timed = key.type !== 1, at = timed ? big(line.signature.subarray(0, 8)) : 0n;
    const message = timed && key.type === 4 ? `cosignature/v1\ntime ${at}\n${note.text}` : note.text;
    const holds = verifies(key, timed ? line.signature.subarray(8) : line.signature, Buffer.from(message));
    need(holds !== false && (!timed || at > 0n), "bad_signature", `the signature of ${line.name} is wrong`);
    if (holds) found.push([key, at]);
  }
  return found;
}
function readPolicy(text) {
  const policy = { witnesses: [], groups: [], quorum: "" };
  for (const line of text.split("\n").map((l) => l.trim().split(/[ \t]+/)).filter(([w]) => w && !w.startsWith("#"))) {
    const [word, name, ...rest] = line;
    if (word === "witness") policy.witnesses.push({ name, key: vkey(rest[0]) });
    else if (word === "group") policy.groups.push({ name, least: { any: 1, all: rest.length - 1 }[rest[0]] ?? Number(rest[0]),
      members: rest.slice(1) });
    else if (word === "quorum") policy.quorum = name;
    else need(word === "log", "malformed", "not a line of a policy");
  }
  return policy;
}
function isMet(policy, ids) {
  const met = Object.fromEntries(policy.witnesses.map((w) => [w.name, ids.has(w.key.id)]));
  for (const g of policy.groups) met[g.name] = g.members.filter((m) => met[m]).length >= g.least;
  return policy.quorum === "none" || met[policy.quorum];
}
export const fingerprint16 = (raw) => hex(sha(Buffer.from("ed01", "hex"), raw)).slice(0, 16);
export function readTrust(bytes) {
  const file = canonical(bytes), trust = fields(file, ["v", "format", "name", "created", "nodes", "parties",
    ...(file.v === 2 ? ["policy"] : [])]);
  need([1, 2].includes(trust.v) && trust.format === "zhidao.trust", "malformed", "not a trust list");
  for (const node of trust.nodes) {
    node.logs = [vkey(node.log)];
    for (const key of node.keys.map(keyOf).filter((k) => k.kind === "ed25519")) {
      const name = `zhidao-log/${node.party}/${fingerprint16(key.raw)}`, head = Buffer.concat([Buffer.from([1]), key.raw]);
      node.logs.push({ ...key, name, type: 1, id: hex(sha(`${name}\n`, head).subarray(0, 4)) });
    }
  }
  trust.records = (party, key) => trust.nodes.some((n) => n.party === party && n.keys.includes(key));
  trust.speaks = (party, key) => trust.records(party, key) || trust.parties.some((p) => p.party === party && p.keys.includes(key));
  trust.policy &&= readPolicy(trust.policy);
  return trust;
}
// The file: version 1 and 2 are JSON, 3 is JSON inside gzip.
const EVENT = ["v", "id", "type", "aggregate", "version", "owner", "visible", "occurred_at", "recorded_at", "payload", "open", "custodian",
  "asserted_by", "recorded_by", "assertion", "record"];
export function readProof(data) {
  const packed = data[0] === 0x1f;
  if (packed) {
    need(hex(data.subarray(0, 10)) === "1f8b08000000000002ff", "malformed", "not a packed proof");
    try { // gunzip compares check sum and size; what follows the stream it would pass over
      const { buffer, engine } = gunzipSync(data, { maxOutputLength: 8 << 20, info: true });
      need(engine.bytesWritten === data.length, "malformed", "bytes after the end");
      data = buffer;
    } catch (error) { throw new No("malformed", error.message); }
  }
  const raw = canonical(data), file = fields(raw, ["v", "format", "consignment", "origin", "checkpoint", "events", "blobs",
    ...(raw.v === 1 ? [] : ["policy"])]);
  need(file.format === "zhidao.proof" && (packed ? file.v === 3 : [1, 2].includes(file.v)), "malformed", "not a proof");
  const events = file.events.map((item) => {
    fields(item, ["event", "salt", "index", "inclusion"]);
    const event = packed ? item.event : canonical(bytes64(item.event)), bytes = Buffer.from(jcs(event));
    fields(event, EVENT);
    need(event.v === 1, "malformed", "an event of another version");
    return { ...item, event, bytes, salt: bytes64(item.salt), inclusion: item.inclusion.map((h) => bytes64(h)) };
  });
  const blobs = new Map(file.blobs.map((b) => [b.digest, own(b, "text") ? Buffer.from(b.text) : bytes64(b.data)]));
  need(same([...blobs.keys()], [...blobs.keys()].sort()) && blobs.size === file.blobs.length, "malformed", "files out of order");
  return { ...file, packed, note: readNote(file.checkpoint), events, blobs, policy: file.policy ? readPolicy(file.policy) : null };
}
function inTree(leaf, index, size, path) { // RFC 9162 section 2.1.3.2; null if the path does not fit
  let fn = BigInt(index), sn = BigInt(size) - 1n, r = leaf;
  if (fn > sn) return null;
  for (const p of path) {
    if (sn === 0n || p.length !== 32) return null;
    if (fn & 1n || fn === sn) {
      r = sha(Buffer.from([1]), p, r);
      while (!(fn & 1n) && fn) { fn >>= 1n; sn >>= 1n; }
    } else r = sha(Buffer.from([1]), r, p);
    fn >>= 1n; sn >>= 1n;
  }
  return sn === 0n ? r : null;
}
export const omit = (o, ...names) => Object.fromEntries(Object.entries(o).filter(([k]) => !names.includes(k)));
export const ns = (t) => { const [, s, f = ""] = t.match(/^([^.]*?)(?:\.(\d+))?Z$/) ?? [];
  return BigInt(Date.parse(`${s}Z`)) * 1000000n + BigInt(f.padEnd(9, "0")); };
function checkEvent({ event, bytes, salt, index, inclusion }, note) {
  need(salt.length === (event.open ? 0 : 32), "wrong_salt");
  const leaf = event.open ? { event, kind: "open", v: 1 } : { commitment: sha(salt, bytes).toString("base64url"), kind: "commitment",
    v: 1 };
  need(inTree(sha(Buffer.from([0]), jcs(leaf)), index, note.size, inclusion)?.equals(note.root), "not_in_log", `${event.type} at ${index}`);
  const said = jcs(omit(event, "assertion", "custodian", "record", "recorded_at", "recorded_by", "version"));
  const signed = (by, field, text) => { // null: what cannot be checked here is no proof
    const holds = verifies(keyOf(by.key), bytes64(event[field]), Buffer.from(text));
    need(holds, holds === null ? "ml_dsa_44_signatures" : "bad_signature", `${event.type}: ${field}`);
  };
  signed(event.asserted_by, "assertion", said);
  signed(event.recorded_by, "record", jcs(omit(event, "record")));
}
class KeyHistory { // rotations and revocations: which key of a party counts when
  constructor(trust, events) {
    Object.assign(this, { trust, since: new Map(), until: new Map(), revoked: new Map(), recording: new Map() });
    const turns = [], drops = [];
    for (const { event: e } of events) {
      const p = e.payload, at = ns(e.recorded_at);
      if (e.type === "trust.KeyRotated.v1") {
        const shown = jcs(["zhidao key rotation v1", p.party, p.former, p.key]);
        need(p.key !== p.former && e.owner === p.party && same([e.asserted_by.party, e.asserted_by.key], [e.owner, p.former])
          && verifies(keyOf(p.key), bytes64(p.possession), Buffer.from(shown)), "bad_key_event");
        turns.push({ ...p, at });
      } else if (e.type === "trust.KeyRevoked.v1") {
        need(ns(p.since) <= at, "bad_key_event");
        this.build(turns, drops);
        const own = e.asserted_by.party === p.party && e.asserted_by.key !== p.key && !this.fault(p.party, e.asserted_by.key, at);
        if (trust.records(e.asserted_by.party, e.asserted_by.key) || own) drops.push({ ...p, at: ns(p.since) });
      }
    }
    this.build(turns, drops);
  }
  build(turns, drops) {
    for (const m of [this.since, this.until, this.revoked, this.recording]) m.clear();
    for (const d of drops) { const n = d.party + d.key, b = this.revoked.get(n);
      this.revoked.set(n, b === undefined || d.at < b ? d.at : b); }
    for (const t of turns) if (!this.fault(t.party, t.former, t.at)) {
      this.until.set(t.party + t.former, t.at);
      if (!this.since.has(t.party + t.key)) this.since.set(t.party + t.key, t.at);
      if (this.records(t.party, t.former)) this.recording.set(t.party + t.key, true);
    }
  }
  records(party, key) { return this.recording.has(party + key) || this.trust.records(party, key); }
  fault(party, key, at) {
    const n = party + key, since = this.since.get(n);
    if (since === undefined && !this.trust.speaks(party, key)) return "unknown_speaker";
    if (at >= this.revoked.get(n)) return "revoked_key";
    if (at > this.until.get(n)) return "retired_key";
    return at < since ? "early_key" : "";
  }
}
export function checkLog(proof, trust) {
  const { note, events } = proof, logs = trust.nodes.flatMap((n) => n.logs);
  need(note.origin === proof.origin, "wrong_origin");
  const signed = signedBy(note, logs).find(([k]) => k.name === proof.origin);
  need(signed, "untrusted_root", "the trust list knows no key of this log");
  const asked = proof.policy?.witnesses.map((w) => w.key) ?? [], own = trust.policy?.witnesses.map((w) => w.key) ?? [];
  signedBy(note, [...logs, ...own, ...asked]);
  need(note.lines.every((l) => [...logs, ...own, ...asked].some((k) => k.name === l.name && k.id === l.id)), "unknown_signature");
  if (trust.policy) need(isMet(trust.policy, new Set(signedBy(note, own).map(([k]) => k.id))), "quorum_not_met");
  for (const one of events) checkEvent(one, note);
  const history = new KeyHistory(trust, events);
  for (const { event: e } of events) {
    const at = ns(e.recorded_at), said = history.fault(e.asserted_by.party, e.asserted_by.key, at), { party, key } = e.recorded_by;
    const recorded = history.fault(party, key, at) || (history.records(party, key) ? "" : "unknown_speaker");
    need(!said && !recorded, said || recorded, `${e.type} of ${e.asserted_by.party}`);
  }
  const newest = {}, mine = `consignment/${proof.consignment}`;
  need(events.every((e, i) => !i || events[i - 1].index < e.index), "wrong_order");
  for (const { event: e } of events) { need(e.version > (newest[e.aggregate] ?? 0), "wrong_order"); newest[e.aggregate] = e.version; }
  const count = events.filter((e) => e.event.aggregate === mine).length;
  need(count && newest[mine] === count, "wrong_consignment");
  const named = new Set(), digests = (text) => text.match(/(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])/g) ?? [];
  for (let next = events.flatMap((e) => digests(jcs(e.event.payload))); next.length; ) {
    const d = next.pop(), data = proof.blobs.get(d);
    if (named.has(d)) continue;
    named.add(d);
    if (data && (data[0] === 0x7b || data[0] === 0x5b) && data.length <= 1 << 20) next.push(...digests(data.toString("latin1")));
  }
  for (const [digest, data] of proof.blobs) { need(hex(sha(data)) === digest, "wrong_digest"); need(named.has(digest), "leftover"); }
  return { node: trust.nodes.find((n) => n.logs.includes(signed[0])), log: signed[0] };
}
