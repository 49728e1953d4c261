// Public keys as W3C Multikeys, their fingerprints, and signatures checked by WebCrypto.
import { type Bytes, fromBase58, hex, join, sha256 } from "./bytes";

export type Algorithm = "ed25519" | "p256" | "secp256k1" | "ml-dsa-44";

export interface PublicKey {
  algorithm: Algorithm;
  raw: Bytes;
  prefixed: Bytes;
}

/** What a signature check can end in: the third is the browser's limit, not the key's fault. */
export type Verdict = "valid" | "invalid" | "unsupported";

const PREFIXES: ReadonlyArray<readonly [Algorithm, number, number, number]> = [
  ["ed25519", 0xed, 0x01, 32],
  ["p256", 0x80, 0x24, 33],
  ["secp256k1", 0xe7, 0x01, 33],
  ["ml-dsa-44", 0x90, 0x24, 1312],
];

export function fromMultikey(value: string): PublicKey {
  if (!value.startsWith("z")) throw new Error("a Multikey starts with z");
  const prefixed = fromBase58(value.slice(1));
  for (const [algorithm, first, second, size] of PREFIXES) {
    if (prefixed[0] === first && prefixed[1] === second && prefixed.length === size + 2) {
      return { algorithm, raw: prefixed.slice(2), prefixed };
    }
  }
  throw new Error("an unknown kind of key");
}

/** First 16 bytes of SHA-256 over prefix and key, in groups of four hex digits. */
export async function fingerprint(key: PublicKey): Promise<string> {
  const digits = hex(await sha256(key.prefixed)).slice(0, 32);
  return (digits.match(/.{4}/g) ?? []).join("-");
}

export async function verifies(key: PublicKey, signature: Bytes, message: Bytes): Promise<Verdict> {
  if (key.algorithm === "ed25519") return ed25519(key.raw, signature, message);
  if (key.algorithm === "p256") return p256(key.raw, signature, message);
  return "unsupported";
}

async function ed25519(raw: Bytes, signature: Bytes, message: Bytes): Promise<Verdict> {
  let key: CryptoKey;
  try {
    key = await crypto.subtle.importKey("raw", raw, { name: "Ed25519" }, false, ["verify"]);
  } catch (error) {
    if (error instanceof DOMException && error.name === "NotSupportedError") return "unsupported";
    return "invalid";
  }
  return (await crypto.subtle.verify({ name: "Ed25519" }, key, signature, message))
    ? "valid"
    : "invalid";
}

async function p256(raw: Bytes, signature: Bytes, message: Bytes): Promise<Verdict> {
  const point = decompressed(raw);
  if (!point) return "invalid";
  const algorithm = { name: "ECDSA", namedCurve: "P-256" };
  const key = await crypto.subtle.importKey("raw", point, algorithm, false, ["verify"]);
  const how = { name: "ECDSA", hash: "SHA-256" };
  return (await crypto.subtle.verify(how, key, signature, message)) ? "valid" : "invalid";
}

// The curve P-256: y^2 = x^3 - 3x + b over the field of P elements (NIST SP 800-186 section 3.2.1.3).
const P = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn;
const B = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn;

/** The uncompressed form of a compressed point, which is what browsers import; null if off curve. */
function decompressed(raw: Bytes): Bytes | null {
  const sign = raw[0];
  if (sign !== 2 && sign !== 3) return null;
  const x = BigInt(`0x${hex(raw.slice(1))}`);
  const square = (((x * x * x - 3n * x + B) % P) + P) % P;
  // P leaves 3 on division by 4, so a square root is the power (P + 1) / 4.
  let y = power(square, (P + 1n) / 4n);
  if ((y * y) % P !== square) return null;
  if ((y & 1n) !== BigInt(sign & 1)) y = P - y;
  const digits = y.toString(16).padStart(64, "0");
  const yBytes = Uint8Array.from(digits.match(/../g) ?? [], (pair) => parseInt(pair, 16));
  return join(Uint8Array.of(4), raw.slice(1), yBytes);
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (; exponent > 0n; exponent >>= 1n) {
    if (exponent & 1n) result = (result * base) % P;
    base = (base * base) % P;
  }
  return result;
}
