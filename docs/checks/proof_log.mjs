// Checks what a proof (.zdproof) owes to the log, and runs by itself: node proof_log.mjs FILE --trust LIST
// The file's one form, the signed head and its witnesses, each event's place, signatures and keys, enclosed
// files. Needs node 18 only. What the events say it leaves to proof_check.mjs, and says `log_holds`.
import { createHash, createPublicKey, verify as check } from "node:crypto";
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
export class No extends Error { constructor(code, why) { super(why ?? code); this.code = code; } }
export const need = (holds, code = "malformed", why) => { if (!holds) throw new No(code, why); };
export const notChecked = new Set(["fix", "papers_compared", "epcis_hashes"]);
// Bytes, and JSON with one byte form (RFC 8785): sorted by UTF-16 units, which is what sort() does.
export const bin = (text) => Buffer.from(text.replace(/^0x/, ""), "hex");
export const hex = (bytes) => Buffer.from(bytes).toString("hex");
export const big = (bytes) => BigInt(`0x${hex(bytes) || "0"}`);
export const join = (...parts) => Buffer.concat(parts.map((p) => Buffer.from(p)));
export const sha = (...parts) => createHash("sha256").update(join(...parts)).digest();
export const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
export const omit = (o, ...out) => Object.fromEntries(Object.entries(o).filter(([k]) => !out.includes(k)));
export function jcs(v) {
  need(typeof v !== "string" || (v.isWellFormed?.() ?? true), "malformed", "lone surrogate");
  need(typeof v !== "number" || (Number.isFinite(v) && (!Number.isInteger(v) || Number.isSafeInteger(v))));
  if (v === null || typeof v !== "object") return JSON.stringify(v);
  if (Array.isArray(v)) return `[${v.map(jcs)}]`;
  return `{${Object.keys(v).sort().map((k) => `${jcs(k)}:${jcs(v[k])}`)}}`;
}
export function canonical(bytes) {
  const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const text = utf8.decode(bytes), value = JSON.parse(text);
  need(jcs(value) === text, "malformed", "not in its canonical form");
  return value;
}
export function fields(o, names) {
  need(same(Object.keys(o).sort(), names.split(" ").sort()), "malformed", "other fields");
  return o;
}
export function bytes64(text, coding = "base64url") {
  const data = Buffer.from(text, coding);
  need(data.toString(coding) === text, "malformed", "another spelling of base64");
  return data;
}
export function base58(text) {
  const digits = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
  need([...text].every((c) => digits.includes(c)), "malformed", "not base58");
  const n = [...text].reduce((sum, c) => sum * 58n + BigInt(digits.indexOf(c)), 0n);
  const h = n ? n.toString(16) : "";
  return join(Buffer.alloc(text.match(/^1*/)[0].length), bin(h.length % 2 ? `0${h}` : h));
}
export function ns(time) { // nanoseconds since 1970
  const [, seconds, part = ""] = time.match(/^([^.]*?)(?:\.(\d+))?Z$/);
  return BigInt(Date.parse(`${seconds}Z`)) * 1000000n + BigInt(part.padEnd(9, "0"));
}
// Keys and signatures. By Multikey code: kind, bytes of a key and of a signature, how its SPKI file begins.
const KINDS = {
  ed01: ["ed25519", 32, 64, "302a300506032b6570032100"],
  8024: ["P-256", 33, 64, "3039301306072a8648ce3d020106082a8648ce3d030107032200"],
  8124: ["P-384", 49, 96, "3046301006072a8648ce3d020106052b81040022033200"],
  e701: ["secp256k1", 33, 64, "3036301006072a8648ce3d020106052b8104000a032200"],
  9024: ["ml-dsa-44", 1312, 2420, ""],
};
export const N = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n; // order of secp256k1
const keys = new Map();
function rawKey(code, raw) {
  const [kind, bytes, size, start] = KINDS[code], spki = join(bin(start), raw);
  need(raw.length === bytes, "malformed", "a key of another length");
  return { kind, raw, size, key: start && createPublicKey({ key: spki, format: "der", type: "spki" }) };
}
export function keyOf(multikey) {
  if (!keys.has(multikey)) {
    need(multikey[0] === "z", "malformed", "not a Multikey");
    const data = base58(multikey.slice(1));
    keys.set(multikey, rawKey(hex(data.subarray(0, 2)), data.subarray(2)));
  }
  return keys.get(multikey);
}
export function verifies({ kind, size, key }, signature, text) {
  if (signature.length !== size) return false;
  // node 20 has no ML-DSA: said, never counted towards a quorum, and no word of a speaker.
  if (!key) { notChecked.add("ml_dsa_44_signatures"); return null; }
  if (kind === "ed25519") return check(null, Buffer.from(text), key, signature);
  if (kind === "secp256k1" && big(signature.subarray(32)) > N / 2n) return false;
  const hash = kind === "P-384" ? "sha384" : "sha256";
  return check(hash, Buffer.from(text), { key, dsaEncoding: "ieee-p1363" }, signature);
}
// Signed notes, checkpoints, policies (C2SP).
function vkey(text) {
  const [, name, id, data] = text.match(/^([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+=*)$/);
  const raw = bytes64(data, "base64"), code = { 1: "ed01", 4: "ed01", 6: "9024" }[raw[0]];
  need(hex(sha(`${name}\n`, raw)).startsWith(id), "malformed", "a key id is not its key's");
  return { name, id, type: raw[0], ...rawKey(code, raw.subarray(1)) };
}
function readNote(text) {
  const cut = text.lastIndexOf("\n\n"), body = text.slice(0, cut + 1);
  need(cut > 0 && text.endsWith("\n") && !/[\0-\x09\x0b-\x1f]/.test(text), "malformed", "not a note");
  const lines = text.slice(cut + 2, -1).split("\n").map((line) => {
    const [, name, data] = line.match(/^\u2014 (\S+) (\S+)$/), all = bytes64(data, "base64");
    need(all.length > 4, "malformed", "not a signature line");
    return { name, id: hex(all.subarray(0, 4)), signature: all.subarray(4) };
  });
  const [origin, size, hash] = body.split("\n"), root = bytes64(hash, "base64");
  need(origin && /^(0|[1-9]\d{0,15})$/.test(size) && root.length === 32 && lines.length <= 64);
  return { text: body, lines, origin, size: Number(size), root };
}
function signedBy(note, known) { // the keys whose lines hold; a wrong line of a known key spoils the note
  return note.lines.flatMap((line) => {
    const key = known.find((k) => k.name === line.name && k.id === line.id);
    if (!key) return [];
    const timed = key.type !== 1, at = timed ? big(line.signature.subarray(0, 8)) : 1n;
    const text = key.type === 4 ? `cosignature/v1\ntime ${at}\n${note.text}` : note.text;
    const holds = verifies(key, line.signature.subarray(timed ? 8 : 0), text);
    need(holds !== false && at > 0n, "bad_signature", `the signature of ${line.name} is wrong`);
    return holds ? [key] : [];
  });
}
function readPolicy(text) { // the keys of its witnesses, and whether some signers meet its quorum
  const lines = text.split("\n").map((line) => line.trim().split(/[ \t]+/)).filter(([w]) => /^[^#]/.test(w));
  need(lines.every(([word]) => ["log", "witness", "group", "quorum"].includes(word)));
  const keys = lines.map(([word, , key]) => word === "witness" && vkey(key)), met = {};
  const isMet = (signers) => lines.some(([word, name, least, ...members], i) => {
    if (word === "quorum") return name === "none" || met[name];
    if (word === "witness") met[name] = signers.some((key) => key.id === keys[i].id);
    const count = members.filter((member) => met[member]).length;
    if (word === "group") met[name] = count >= ({ any: 1, all: members.length }[least] ?? Number(least));
    return false;
  });
  return { keys: keys.filter(Boolean), isMet, asks: lines.some(([w, n]) => w === "quorum" && n !== "none") };
}
// The two files. A proof of version 1 or 2 is JSON, of version 3 JSON inside gzip.
export const fingerprint16 = (raw) => hex(sha(bin("ed01"), raw)).slice(0, 16);
export function readTrust(bytes) {
  const trust = canonical(bytes);
  fields(trust, `v format name created nodes parties${trust.v === 2 ? " policy" : ""}`);
  need([1, 2].includes(trust.v) && trust.format === "zhidao.trust", "malformed", "not a trust list");
  for (const node of trust.nodes) { // a log goes by its key, or by one derived from a key of its node
    node.logs = [vkey(node.log), ...node.keys.map(keyOf).filter((k) => k.kind === "ed25519").map((key) => {
      const name = `zhidao-log/${node.party}/${fingerprint16(key.raw)}`;
      return { ...key, name, type: 1, id: hex(sha(`${name}\n`, [1], key.raw)).slice(0, 8) };
    })];
  }
  const listed = (list) => (party, key) => list.some((one) => one.party === party && one.keys.includes(key));
  trust.records = listed(trust.nodes);
  trust.speaks = listed([...trust.nodes, ...trust.parties]);
  trust.policy &&= readPolicy(trust.policy);
  return trust;
}
const EVENT = "v id type aggregate version owner visible occurred_at recorded_at payload open custodian "
  + "asserted_by recorded_by assertion record";
function unpacked(data) { // gunzip compares check sum and size; what follows the stream it would pass over
  const { buffer, engine } = gunzipSync(data, { maxOutputLength: 8 << 20, info: true });
  need(data.subarray(0, 10).equals(bin("1f8b08000000000002ff")) && engine.bytesWritten === data.length);
  return buffer;
}
export function readProof(data) {
  const packed = data[0] === 0x1f, file = canonical(packed ? unpacked(data) : data);
  fields(file, `v format consignment origin checkpoint events blobs${file.v === 1 ? "" : " policy"}`);
  need(file.format === "zhidao.proof" && (packed ? [3] : [1, 2]).includes(file.v), "malformed", "no proof");
  const events = file.events.map((item) => {
    const { index, inclusion, salt } = fields(item, "event salt index inclusion");
    const event = packed ? item.event : canonical(bytes64(item.event));
    need(fields(event, EVENT).v === 1, "malformed", "an event of another version");
    return { event, fact: event.payload, index, salt: bytes64(salt), path: inclusion.map((h) => bytes64(h)) };
  });
  const content = (blob) => ("text" in blob ? Buffer.from(blob.text) : bytes64(blob.data));
  const blobs = new Map(file.blobs.map((blob) => [blob.digest, content(blob)])), names = [...blobs.keys()];
  need(names.length === file.blobs.length && same(names, [...names].sort()), "malformed", "unsorted files");
  const note = readNote(file.checkpoint), policy = file.policy ? readPolicy(file.policy) : null;
  return { ...file, packed, note, events, blobs, policy };
}
// One event: its place in the tree (RFC 9162 section 2.1.3.2) and both its signatures.
function rootOver(leaf, index, size, path) { // null if the path does not fit
  let fn = BigInt(index), sn = BigInt(size) - 1n, r = leaf;
  if (fn > sn) return null;
  for (const p of path) {
    if (sn === 0n || p.length !== 32) return null; // hashes of another length have fooled verifiers
    if (fn & 1n || fn === sn) {
      r = sha([1], p, r);
      while (!(fn & 1n) && fn) { fn >>= 1n; sn >>= 1n; }
    } else r = sha([1], r, p);
    fn >>= 1n; sn >>= 1n;
  }
  return sn === 0n ? r : null;
}
function checkEvent({ event, salt, index, path }, note) {
  need(salt.length === (event.open ? 0 : 32), "wrong_salt");
  const commitment = sha(salt, jcs(event)).toString("base64url");
  const leaf = event.open ? { event, kind: "open", v: 1 } : { commitment, kind: "commitment", v: 1 };
  const root = rootOver(sha([0], jcs(leaf)), index, note.size, path);
  need(root?.equals(note.root), "not_in_log", `${event.type} at ${index}`);
  // A signature that cannot be checked here (null) is no proof.
  const signed = (by, field, text, holds = verifies(keyOf(by.key), bytes64(event[field]), text)) =>
    need(holds, holds === null ? "ml_dsa_44_signatures" : "bad_signature", `${event.type}: ${field}`);
  const asserted = omit(event, "assertion", "custodian", "record", "recorded_at", "recorded_by", "version");
  signed(event.asserted_by, "assertion", jcs(asserted));
  signed(event.recorded_by, "record", jcs(omit(event, "record")));
}
class KeyHistory { // rotations and revocations: which key of a party counts when
  constructor(trust, events) {
    Object.assign(this, { trust, turns: [], drops: [] });
    this.build();
    for (const { event: e, fact: p } of events) {
      const at = ns(e.recorded_at), by = e.asserted_by;
      if (e.type === "trust.KeyRotated.v1") {
        const shown = jcs(["zhidao key rotation v1", p.party, p.former, p.key]);
        need(p.key !== p.former && e.owner === p.party && same([by.party, by.key], [e.owner, p.former])
          && verifies(keyOf(p.key), bytes64(p.possession), shown), "bad_key_event");
        this.turns.push({ ...p, at });
      } else if (e.type === "trust.KeyRevoked.v1") {
        need(ns(p.since) <= at, "bad_key_event");
        const own = by.party === p.party && by.key !== p.key && !this.fault(p.party, by.key, at);
        if (trust.records(by.party, by.key) || own) this.drops.push({ ...p, at: ns(p.since) });
      } else continue;
      this.build();
    }
  }
  build() { // anew from all that was said so far, since a revocation may undo a rotation
    Object.assign(this, { since: new Map(), until: new Map(), revoked: new Map(), recording: new Set() });
    const latestFirst = [...this.drops].sort((a, b) => (a.at < b.at ? 1 : -1)); // so that the earliest stays
    for (const { party, key, at } of latestFirst) this.revoked.set(party + key, at);
    for (const { party, former, key, at } of this.turns) {
      if (this.fault(party, former, at)) continue;
      this.until.set(party + former, at);
      if (!this.since.has(party + key)) this.since.set(party + key, at);
      if (this.records(party, former)) this.recording.add(party + key);
    }
  }
  records(party, key) { return this.recording.has(party + key) || this.trust.records(party, key); }
  fault(party, key, at) {
    const name = party + key, since = this.since.get(name);
    if (since === undefined && !this.trust.speaks(party, key)) return "unknown_speaker";
    if (at >= this.revoked.get(name)) return "revoked_key";
    if (at > this.until.get(name)) return "retired_key";
    return at < since ? "early_key" : "";
  }
}
function checkFiles({ events, blobs }) { // each enclosed file is named by something proven, or by such a file
  const named = new Set(), digests = (text) => text.match(/(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])/g) ?? [];
  for (let next = events.flatMap((e) => digests(jcs(e.fact))); next.length; ) {
    const digest = next.pop(), data = blobs.get(digest), isJson = [0x7b, 0x5b].includes(data?.[0]);
    if (isJson && data.length <= 1 << 20 && !named.has(digest)) next.push(...digests(data.toString()));
    named.add(digest);
  }
  for (const [digest, data] of blobs) {
    need(hex(sha(data)) === digest, "wrong_digest"); need(named.has(digest), "leftover");
  }
}
export function checkLog(proof, trust) { // whose log it is, and its key
  const { note, events } = proof, logs = trust.nodes.flatMap((n) => n.logs);
  need(note.origin === proof.origin, "wrong_origin");
  const log = signedBy(note, logs).find((k) => k.name === proof.origin);
  need(log, "untrusted_root", "the trust list knows no key of this log");
  const own = trust.policy?.keys ?? [], known = [...logs, ...own, ...(proof.policy?.keys ?? [])];
  signedBy(note, known);
  need(note.lines.every((l) => known.some((k) => k.name === l.name && k.id === l.id)), "unknown_signature");
  need(!trust.policy || trust.policy.isMet(signedBy(note, own)), "quorum_not_met");
  events.forEach((one) => checkEvent(one, note));
  const history = new KeyHistory(trust, events);
  for (const { event: { type, recorded_at, asserted_by: said, recorded_by: { party, key } } } of events) {
    const fault = [said, { party, key }].map((by) => history.fault(by.party, by.key, ns(recorded_at)))
      .find(Boolean) ?? (history.records(party, key) ? "" : "unknown_speaker");
    need(!fault, fault, `${type} of ${said.party}`);
  }
  const newest = {}, mine = `consignment/${proof.consignment}`;
  need(events.every((e, i) => !i || events[i - 1].index < e.index), "wrong_order");
  for (const { event: { aggregate, version } } of events) {
    need(version > (newest[aggregate] ?? 0), "wrong_order");
    newest[aggregate] = version;
  }
  const count = events.filter((e) => e.event.aggregate === mine).length;
  need(count && newest[mine] === count, "wrong_consignment");
  checkFiles(proof);
  return { node: trust.nodes.find((n) => n.logs.includes(log)), log, isWitnessed: trust.policy?.asks };
}
// The verdict by the first list that knows the log; `facts` reads what the events say, and may throw No.
export function judged(file, lists, required, facts = () => ({ verdict: "log_holds" })) {
  const proof = readProof(file), rank = ({ verdict: v }) => ({ holds_in_part: 0, [untrusted]: 2 })[v] ?? 1;
  const untrusted = "untrusted_root", open = ["ml_dsa_44_signatures", "guarded_titles"];
  const said = (code) => (code === untrusted ? code : open.includes(code) ? "not_verified" : "refused");
  const others = lists.length ? [] : [{ verdict: untrusted, reason: untrusted, sentence: "no trust list" }];
  for (const list of lists) {
    try {
      const trust = readTrust(list), told = facts(proof, trust, checkLog(proof, trust), required);
      others.push({ ...told, reason: "", sentence: "", opened: proof.events.length, of: proof.note.size });
      if (told.verdict !== "holds_in_part") return others.at(-1); // another list may show more
    } catch (error) {
      const code = error instanceof No ? error.code : "malformed";
      others.push({ verdict: said(code), reason: code, sentence: error.message });
    }
  }
  return others.sort((a, b) => rank(a) - rank(b))[0];
}
export function main(verdict) { // status: 0 holds, 1 not or not verified, 2 bad input, 4 holds in part
  const [file, ...rest] = process.argv.slice(2), of = (name) => rest.filter((_, i) => rest[i - 1] === name);
  let told = { verdict: "malformed", reason: "malformed" };
  try {
    const lists = of("--trust").map((list) => readFileSync(list));
    told = verdict(readFileSync(file), lists, of("--require").flatMap((parts) => parts.split(",")));
  } catch (error) { told.sentence = error.message; }
  const left = told.verdict === "log_holds" ? ["facts", ...notChecked] : [...notChecked];
  console.log(JSON.stringify({ ...told, not_checked: left.sort() }));
  process.exitCode = { holds: 0, log_holds: 0, malformed: 2, holds_in_part: 4 }[told.verdict] ?? 1;
}
if (process.argv[1]?.endsWith("proof_log.mjs")) main(judged);
