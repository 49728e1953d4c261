// A proof file (.zdproof) checked in this browser: its form, the log, every event, enclosed files, whose keys.
// What facts say (positions, titles, decisions) is not computed here; `zhidao verify` does that.
import { type Bytes, fromBase64, fromBase64url, hex, same, sha256, text, utf8 } from "./bytes";
import { type Json, canonical, jcs } from "./jcs";
import { type PublicKey, fingerprint, fromMultikey, verifies } from "./keys";
import { type Checkpoint, climb, leafHash, readCheckpoint } from "./log";
import { toBase64url } from "./bytes";

type Plain = { [key: string]: Json };
/** `untrusted`: all that can be seen is sound, and no list that the reader goes by knows the log. */
export type Outcome = "holds" | "fails" | "unchecked" | "untrusted";

export interface FileStep {
  key: "form" | "head" | "places" | "signatures" | "speakers" | "files" | "promise";
  outcome: Outcome;
  args: Record<string, string | number>;
  why: string;
}

export interface CheckedFile {
  consignment: string;
  origin: string;
  size: number;
  opened: number;
  outcome: Outcome;
  steps: FileStep[];
  /** What is told by whom, in the order of the log. */
  told: { index: number; type: string; party: string; at: string }[];
}

interface Opened {
  event: Plain;
  bytes: Bytes;
  salt: string;
  index: number;
  inclusion: string[];
}

interface Trusted {
  name: string;
  bytes: Bytes;
  logs: { name: string; key: PublicKey }[];
  keys: Map<string, Set<string>>;
  /** With which nodes record; a party's key does not. */
  recording: Map<string, Set<string>>;
  /** It asks for witnesses, which the command counts. */
  asksWitnesses: boolean;
}

const WORST_FIRST: Outcome[] = ["fails", "untrusted", "unchecked"];
const INFLATED_MAX = 64 * 1024 * 1024;
const KEY_FACTS = ["trust.KeyRotated.v1", "trust.KeyRevoked.v1"];
// By which fact of the consignment a promised part would be seen; witnesses are the command's to count.
const PARTS = new Map<string, (type: string, fact: Plain) => boolean>([
  ["arrival", (type) => /^positioning\.ArrivalProven\.v[12]$/.test(type)],
  ["papers", (type, fact) => type === "trade.PapersChecked.v1" && fact["agree"] === true],
  ["payment", (type, fact) => /^finance\.Settled\.v[12]$/.test(type) && fact["paid"] === true],
  ["title", (type) => type === "trust.TitleAsked.v1"],
]);
const ASSERTED = ["aggregate", "asserted_by", "id", "occurred_at", "open", "owner", "payload", "type", "v", "visible"];
const NAMED = /(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])/g;

/** The list's logs and keys; only plain lists, for a governed one is the command's. */
export function readTrust(bytes: Bytes): Trusted {
  const list = JSON.parse(text(bytes)) as Plain;
  if (list["format"] !== "zhidao.trust") throw new Error("not a trust list");
  const keys = new Map<string, Set<string>>();
  const recording = new Map<string, Set<string>>();
  const logs: Trusted["logs"] = [];
  for (const node of list["nodes"] as Plain[]) {
    keys.set(String(node["party"]), new Set(node["keys"] as string[]));
    recording.set(String(node["party"]), new Set(node["keys"] as string[]));
    const [name, , data] = String(node["log"]).split("+", 3);
    const raw = fromBase64(String(node["log"]).slice(`${name}+`.length + 9));
    if (!data || raw[0] !== 1) throw new Error("not a log key");
    const key = raw.slice(1);
    logs.push({ name: name as string, key: { algorithm: "ed25519", raw: key, prefixed: key } });
  }
  for (const party of list["parties"] as Plain[]) {
    const known = keys.get(String(party["party"])) ?? new Set();
    keys.set(String(party["party"]), new Set([...known, ...(party["keys"] as string[])]));
  }
  return { name: String(list["name"]), bytes, logs, keys, recording, asksWitnesses: Boolean(list["policy"]) };
}

/** Every check that a browser can do; without a trust list nobody vouches for the keys. */
export async function checkFile(file: Bytes, trust: Trusted | null): Promise<CheckedFile> {
  const steps: FileStep[] = [];
  const plain = await inflated(file);
  const whole = JSON.parse(text(plain)) as Plain;
  if (whole["format"] !== "zhidao.proof") throw new Error("not a proof file");
  const step = async (key: FileStep["key"], work: () => Promise<[Outcome, Record<string, string | number>]>) => {
    try {
      const [outcome, args] = await work();
      steps.push({ key, outcome, args, why: "" });
    } catch (error) {
      steps.push({ key, outcome: "fails", args: {}, why: error instanceof Error ? error.message : String(error) });
    }
  };
  const packed = whole["v"] === 3;
  const opened = (whole["events"] as Plain[]).map((item) => readEvent(item, packed));
  const checkpoint = readCheckpoint(String(whole["checkpoint"]));
  await step("form", async () => {
    const one = canonical(whole) === text(plain) && opened.every((each) => same(jcs(each.event), each.bytes));
    return [one ? "holds" : "fails", { v: Number(whole["v"]), bytes: file.length }];
  });
  await step("head", () => head(checkpoint, String(whole["origin"]), trust));
  await step("places", async () => {
    for (const each of opened) await place(each, checkpoint);
    return ["holds", { n: opened.length, size: checkpoint.size }];
  });
  await step("signatures", async () => {
    let unsupported = 0;
    for (const each of opened) unsupported += await signatures(each.event);
    return [unsupported ? "unchecked" : "holds", { n: 2 * opened.length, unsupported }];
  });
  await step("speakers", async () => {
    if (!trust) return ["unchecked", { n: 0, list: "" }];
    const strangers = opened.flatMap(({ event }) =>
      (["asserted_by", "recorded_by"] as const).filter((by) => {
        const speaker = event[by] as Plain;
        const known = by === "recorded_by" ? trust.recording : trust.keys;
        return !known.get(String(speaker["party"]))?.has(String(speaker["key"]));
      }),
    );
    // A key that was gone over to may be right, and a listed one may have been revoked: which key
    // counted when is the command's to follow.
    const turned = opened.some(({ event }) => KEY_FACTS.includes(String(event["type"])));
    return [strangers.length || turned ? "unchecked" : "holds", { n: strangers.length, list: trust.name }];
  });
  await step("files", () => files(whole["blobs"] as Plain[], opened));
  await step("promise", async () => promise(opened, String(whole["consignment"])));
  const outcome = WORST_FIRST.find((each) => steps.some((step) => step.outcome === each)) ?? "holds";
  return {
    consignment: String(whole["consignment"]),
    origin: checkpoint.origin,
    size: checkpoint.size,
    opened: opened.length,
    outcome,
    steps,
    told: opened.map(({ index, event }) => ({
      index,
      type: String(event["type"]),
      party: String((event["asserted_by"] as Plain)["party"]),
      at: String(event["recorded_at"]),
    })),
  };
}

/** What the entry promised, and which of it no fact of the file could show. Whether one does, the command says. */
function promise(opened: Opened[], consignment: string): [Outcome, Record<string, string>] {
  const entry = opened.find(({ event }) => event["aggregate"] === `consignment/${consignment}`)?.event;
  if (!String(entry?.["type"]).startsWith("trade.ConsignmentEntered.")) throw new Error("no entry of the consignment");
  const promised = (entry?.["payload"] as Plain)["promised"];
  if (!Array.isArray(promised)) return ["holds", { promised: "not_stated", lacking: "" }];
  const parts = promised.map(String);
  const several = ((entry?.["payload"] as Plain)["containers"] ?? []) as string[];
  const lacking = parts.filter((part) =>
    part === "arrival" && several.length
      ? !several.every((each) => opened.some(({ event }) => event["type"] === "positioning.ArrivalProven.v3" && (event["payload"] as Plain)["container"] === each))
      : !opened.some(({ event }) => PARTS.get(part)?.(String(event["type"]), event["payload"] as Plain)),
  );
  return [lacking.length ? "unchecked" : "holds", { promised: parts.join() || "nothing", lacking: lacking.join() }];
}

/** The JSON of a file; version 3 stands inside gzip, whose check sum the browser compares. */
async function inflated(file: Bytes): Promise<Bytes> {
  if (file[0] !== 0x1f || file[1] !== 0x8b) return file;
  const stream = new Blob([file]).stream().pipeThrough(new DecompressionStream("gzip"));
  const parts: Uint8Array[] = [];
  let size = 0;
  for (const reader = stream.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.length;
    if (size > INFLATED_MAX) throw new Error("the file inflates without end");
    parts.push(value);
  }
  const all = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function readEvent(item: Plain, packed: boolean): Opened {
  const bytes = packed ? jcs(item["event"] as Json) : fromBase64url(String(item["event"]));
  return {
    event: (packed ? item["event"] : JSON.parse(text(bytes))) as Plain,
    bytes,
    salt: String(item["salt"]),
    index: Number(item["index"]),
    inclusion: item["inclusion"] as string[],
  };
}

async function head(checkpoint: Checkpoint, origin: string, trust: Trusted | null): Promise<[Outcome, Record<string, string>]> {
  if (checkpoint.origin !== origin) throw new Error("the head is another log's");
  if (!trust) return ["untrusted", { origin }];
  for (const log of trust.logs.filter((each) => each.name === origin)) {
    const id = (await sha256(utf8(`${log.name}\n`), Uint8Array.of(1), log.key.raw)).slice(0, 4);
    const line = checkpoint.signatures.find((each) => each.name === log.name && same(each.keyHash, id));
    if (!line) continue;
    const verdict = await verifies(log.key, line.signature, checkpoint.body);
    const prefixed = Uint8Array.from([0xed, 0x01, ...log.key.raw]);
    const print = await fingerprint({ ...log.key, prefixed });
    if (verdict === "invalid") throw new Error("the log's signature is wrong");
    return [verdict === "valid" && !trust.asksWitnesses ? "holds" : "unchecked", { origin, print, list: await rooted(trust) }];
  }
  return ["untrusted", { origin }];
}

/** A list's name with its fingerprint, since the name is whatever its maker chose. */
async function rooted(trust: Trusted): Promise<string> {
  const print = hex(await sha256(trust.bytes)).slice(0, 32).match(/.{4}/g) as string[];
  return `${trust.name} (${print.join("-")})`;
}

async function place(each: Opened, checkpoint: Checkpoint): Promise<void> {
  const open = each.event["open"] === true;
  const salt = fromBase64url(each.salt);
  if (salt.length !== (open ? 0 : 32)) throw new Error(`the salt of leaf ${each.index} has a wrong length`);
  const leaf = open
    ? jcs({ event: each.event, kind: "open", v: 1 })
    : jcs({ commitment: toBase64url(await sha256(salt, each.bytes)), kind: "commitment", v: 1 });
  const hash = await leafHash(leaf);
  const steps = await climb(hash, each.index, checkpoint.size, each.inclusion.map(fromBase64url));
  if (!same(steps.at(-1)?.above ?? hash, checkpoint.root)) throw new Error(`leaf ${each.index} is not in the log`);
}

/** Both signatures of an event; the number that this browser cannot check. */
async function signatures(event: Plain): Promise<number> {
  let unsupported = 0;
  for (const [by, field] of [["asserted_by", "assertion"], ["recorded_by", "record"]] as const) {
    const keep = (name: string) => (field === "assertion" ? ASSERTED.includes(name) : name !== "record");
    const message = jcs(Object.fromEntries(Object.entries(event).filter(([name]) => keep(name))));
    const key = fromMultikey(String((event[by] as Plain)["key"]));
    const verdict = await verifies(key, fromBase64url(String(event[field])), message);
    if (verdict === "invalid") throw new Error(`${String(event["type"])}: a signature is wrong`);
    if (verdict === "unsupported") unsupported += 1;
  }
  return unsupported;
}

async function files(blobs: Plain[], opened: Opened[]): Promise<[Outcome, Record<string, number>]> {
  const found = new Map<string, Bytes>();
  for (const blob of blobs) {
    const data = "text" in blob ? utf8(String(blob["text"])) : fromBase64url(String(blob["data"]));
    if (hex(await sha256(data)) !== blob["digest"]) throw new Error("an enclosed file has other bytes");
    found.set(String(blob["digest"]), data);
  }
  const named = new Set<string>();
  const waiting = opened.flatMap(({ event }) => canonical(event["payload"] as Json).match(NAMED) ?? []);
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    if (named.has(next)) continue;
    named.add(next);
    const data = found.get(next);
    if (data && (data[0] === 0x7b || data[0] === 0x5b)) waiting.push(...(text(data).match(NAMED) ?? []));
  }
  for (const digest of found.keys()) if (!named.has(digest)) throw new Error("nothing proven names an enclosed file");
  return ["holds", { n: found.size }];
}
