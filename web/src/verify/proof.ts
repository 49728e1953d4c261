// "Check it yourself": everything that this browser can verify about one statement, step by step.
import { type Bytes, fromBase64url, fromEitherBase64, hex, same, sha256, text, toBase64url } from "./bytes";
import { type Json, jcs } from "./jcs";
import { type PublicKey, type Verdict, fingerprint, fromMultikey, verifies } from "./keys";
import { checkpointVerdict, climb, leafHash, readCheckpoint } from "./log";

export interface ProofAnswer {
  event: string;
  salt: string;
  leaf: string;
  /** Null while no signed head of the log covers the entry. */
  index: number | null;
  size: number;
  inclusion: string[];
  checkpoint: string;
  log_key: string;
  origin: string;
}

export type Outcome = "holds" | "fails" | "unchecked";

/** One step: `key` names its words in the catalogue, `numbers` are shown as they are. */
export interface Step {
  key: string;
  outcome: Outcome;
  args?: Record<string, string | number>;
  numbers: { label: string; value: string }[];
}

export interface Checked {
  at: Date;
  outcome: Outcome;
  steps: Step[];
  event: { [key: string]: Json } | null;
}

/** What the page says about the statement; the check holds the proof against it. */
export interface Shown {
  id: string;
  type: string;
  party: string;
  fingerprint: string;
}

type Plain = { [key: string]: Json };
const outcomeOf = (verdict: Verdict | "missing"): Outcome =>
  verdict === "valid" ? "holds" : verdict === "unsupported" ? "unchecked" : "fails";

/** Runs every check; a step that throws fails with what was thrown and later steps still run. */
export async function check(proof: ProofAnswer, shown: Shown, now: () => Date): Promise<Checked> {
  const steps: Step[] = [];
  const add = async (key: string, work: () => Promise<Omit<Step, "key">>) => {
    try {
      steps.push({ key, ...(await work()) });
    } catch (error) {
      const value = error instanceof Error ? error.message : String(error);
      steps.push({ key, outcome: "fails", numbers: [{ label: "because", value }] });
    }
  };
  let event: Plain | null = null;
  let bytes: Bytes = new Uint8Array();
  let leaf: Bytes = new Uint8Array();
  let leafDigest: Bytes = new Uint8Array();

  await add("bytes", async () => {
    bytes = fromBase64url(proof.event);
    event = JSON.parse(text(bytes)) as Plain;
    return {
      outcome: same(jcs(event), bytes) ? "holds" : "fails",
      args: { bytes: bytes.length },
      numbers: [{ label: "event_digest", value: hex(await sha256(bytes)) }],
    };
  });
  await add("shown", () => asShown(event, shown));
  await add("assertion", () => signed(event, "asserted_by", "assertion"));
  await add("record", () => signed(event, "recorded_by", "record"));
  await add("leaf", async () => {
    const made = await leafOf(event, bytes, proof.salt);
    leaf = made.leaf;
    return {
      outcome: same(leaf, fromBase64url(proof.leaf)) ? "holds" : "fails",
      args: { open: made.commitment ? 0 : 1 },
      numbers: made.commitment
        ? [
            { label: "salt", value: hex(fromBase64url(proof.salt)) },
            { label: "commitment", value: hex(made.commitment) },
          ]
        : [],
    };
  });
  await add("leaf_hash", async () => {
    leafDigest = await leafHash(leaf);
    return {
      outcome: leaf.length ? "holds" : "fails",
      numbers: [{ label: "leaf_hash", value: hex(leafDigest) }],
    };
  });
  const { index } = proof;
  if (index === null) steps.push({ key: "inclusion_waits", outcome: "unchecked", numbers: [] });
  else await add("inclusion", () => included(proof, index, leafDigest));
  if (proof.checkpoint) await add("checkpoint", () => signedHead(proof));
  else steps.push({ key: "checkpoint_waits", outcome: "unchecked", numbers: [] });
  const outcome: Outcome = steps.some((step) => step.outcome === "fails")
    ? "fails"
    : steps.some((step) => step.outcome === "unchecked")
      ? "unchecked"
      : "holds";
  return { at: now(), outcome, steps, event };
}

function needed(event: Plain | null): Plain {
  if (!event) throw new Error("there is no event to look at");
  return event;
}

async function asShown(maybe: Plain | null, shown: Shown): Promise<Omit<Step, "key">> {
  const event = needed(maybe);
  const speaker = event["asserted_by"] as Plain;
  const print = await fingerprint(fromMultikey(String(speaker["key"])));
  const holds =
    event["id"] === shown.id &&
    event["type"] === shown.type &&
    speaker["party"] === shown.party &&
    print === shown.fingerprint;
  return {
    outcome: holds ? "holds" : "fails",
    numbers: [
      { label: "event_id", value: String(event["id"]) },
      { label: "fingerprint", value: print },
    ],
  };
}

/** What the asserting party signs: the fact, its place and its readers. */
const ASSERTED = ["aggregate", "asserted_by", "id", "occurred_at", "open", "owner", "payload", "type", "v", "visible"];

async function signed(
  maybe: Plain | null,
  by: "asserted_by" | "recorded_by",
  field: "assertion" | "record",
): Promise<Omit<Step, "key">> {
  const event = needed(maybe);
  const key: PublicKey = fromMultikey(String((event[by] as Plain)["key"]));
  const keep = (name: string) => (field === "assertion" ? ASSERTED.includes(name) : name !== "record");
  const message = jcs(Object.fromEntries(Object.entries(event).filter(([name]) => keep(name))));
  const signature = fromBase64url(String(event[field]));
  const verdict = await verifies(key, signature, message);
  return {
    outcome: outcomeOf(verdict),
    args: { party: String((event[by] as Plain)["party"]), algorithm: key.algorithm },
    numbers: [
      { label: "message_digest", value: hex(await sha256(message)) },
      { label: "signature", value: hex(signature) },
      { label: "fingerprint", value: await fingerprint(key) },
    ],
  };
}

/** The public log entry of an event: whole if open, else a commitment to salt and event. */
async function leafOf(
  maybe: Plain | null,
  bytes: Bytes,
  salt: string,
): Promise<{ leaf: Bytes; commitment: Bytes | null }> {
  const event = needed(maybe);
  if (event["open"] === true) return { leaf: jcs({ event, kind: "open", v: 1 }), commitment: null };
  const commitment = await sha256(fromBase64url(salt), bytes);
  return { leaf: jcs({ commitment: toBase64url(commitment), kind: "commitment", v: 1 }), commitment };
}

async function included(proof: ProofAnswer, index: number, leafDigest: Bytes): Promise<Omit<Step, "key">> {
  const checkpoint = readCheckpoint(proof.checkpoint);
  const path = proof.inclusion.map(fromEitherBase64);
  const climbed = await climb(leafDigest, index, checkpoint.size, path);
  const reached = climbed.at(-1)?.above ?? leafDigest;
  return {
    outcome: same(reached, checkpoint.root) && checkpoint.size === proof.size ? "holds" : "fails",
    args: { index, size: checkpoint.size, levels: climbed.length },
    numbers: [
      ...climbed.map((step, level) => ({
        label: step.side === "left" ? "with_left" : "with_right",
        value: `${level + 1}  ${hex(step.neighbour).slice(0, 16)}\u2026  \u2192  ${hex(step.above)}`,
      })),
      { label: "root", value: hex(checkpoint.root) },
    ],
  };
}

async function signedHead(proof: ProofAnswer): Promise<Omit<Step, "key">> {
  const checkpoint = readCheckpoint(proof.checkpoint);
  if (checkpoint.origin !== proof.origin) throw new Error("the checkpoint is another log's");
  const key = fromMultikey(proof.log_key);
  const { verdict, others } = await checkpointVerdict(checkpoint, proof.origin, key);
  return {
    outcome: outcomeOf(verdict),
    args: { origin: proof.origin, others: others.length },
    numbers: [
      { label: "fingerprint", value: await fingerprint(key) },
      ...others.map((value) => ({ label: "also_signed_by", value })),
    ],
  };
}
