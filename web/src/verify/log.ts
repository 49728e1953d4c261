// The transparency log: Merkle inclusion (RFC 9162) and signed notes (C2SP signed-note).
import { type Bytes, fromBase64, same, sha256, utf8 } from "./bytes";
import { type PublicKey, type Verdict, verifies } from "./keys";

export const leafHash = (leaf: Bytes): Promise<Bytes> => sha256(Uint8Array.of(0), leaf);

const nodeHash = (left: Bytes, right: Bytes): Promise<Bytes> =>
  sha256(Uint8Array.of(1), left, right);

export interface Climb {
  /** The neighbour of this level and the hash above both. */
  side: "left" | "right";
  neighbour: Bytes;
  above: Bytes;
}

/** Climbs from a leaf to the root. Throws if the path has not the length that the tree has.
 * Source: RFC 9162 section 2.1.3.2. */
export async function climb(leaf: Bytes, index: number, size: number, path: Bytes[]): Promise<Climb[]> {
  if (!(index >= 0 && index < size)) throw new Error("the index lies outside the log");
  let fn = BigInt(index);
  let sn = BigInt(size) - 1n;
  let hash = leaf;
  const steps: Climb[] = [];
  for (const neighbour of path) {
    if (sn === 0n) throw new Error("the path is longer than the tree is high");
    if (fn & 1n || fn === sn) {
      hash = await nodeHash(neighbour, hash);
      steps.push({ side: "left", neighbour, above: hash });
      while (!(fn & 1n) && fn !== 0n) {
        fn >>= 1n;
        sn >>= 1n;
      }
    } else {
      hash = await nodeHash(hash, neighbour);
      steps.push({ side: "right", neighbour, above: hash });
    }
    fn >>= 1n;
    sn >>= 1n;
  }
  if (sn !== 0n) throw new Error("the path is shorter than the tree is high");
  return steps;
}

export interface Checkpoint {
  origin: string;
  size: number;
  root: Bytes;
  body: Bytes;
  signatures: { name: string; keyHash: Bytes; signature: Bytes }[];
}

/** Reads a checkpoint: origin, size, root, then an empty line and signature lines. */
export function readCheckpoint(note: string): Checkpoint {
  const split = note.lastIndexOf("\n\n");
  if (split < 0) throw new Error("the checkpoint has no signatures");
  const body = note.slice(0, split + 1);
  const [origin, size, root] = body.split("\n");
  if (!origin || !size || !root || !/^(0|[1-9][0-9]{0,15})$/.test(size)) {
    throw new Error("the checkpoint is not origin, size and root");
  }
  const signatures = note
    .slice(split + 2)
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const match = /^\u2014 (\S+) (\S+)$/.exec(line);
      if (!match) throw new Error("a signature line is malformed");
      const bytes = fromBase64(match[2] as string);
      return { name: match[1] as string, keyHash: bytes.slice(0, 4), signature: bytes.slice(4) };
    });
  return { origin, size: Number(size), root: fromBase64(root), body: utf8(body), signatures };
}

/** Whether the log's own Ed25519 key signed this checkpoint.
 * Source: C2SP signed-note: key id = SHA-256(name || 0x0A || 0x01 || key)[:4]. */
export async function checkpointVerdict(
  checkpoint: Checkpoint,
  name: string,
  key: PublicKey,
): Promise<{ verdict: Verdict | "missing"; others: string[] }> {
  const hash = await sha256(utf8(`${name}\n`), Uint8Array.of(1), key.raw);
  const mine = checkpoint.signatures.find(
    (line) => line.name === name && same(line.keyHash, hash.slice(0, 4)),
  );
  const others = checkpoint.signatures.filter((line) => line !== mine).map((line) => line.name);
  if (!mine) return { verdict: "missing", others };
  return { verdict: await verifies(key, mine.signature, checkpoint.body), others };
}

