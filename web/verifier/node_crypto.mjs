// What the second verifier uses of node's crypto, by the noble libraries: no secure context is needed for them.
import { ed25519 } from "@noble/curves/ed25519.js";
import { p256, p384 } from "@noble/curves/nist.js";
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { Buffer } from "./node_bytes.mjs";

// By how a SubjectPublicKeyInfo begins (RFC 5480, RFC 8410); what follows is the key.
const KINDS = [
  ["302a300506032b6570032100", ed25519],
  ["3039301306072a8648ce3d020106082a8648ce3d030107032200", p256],
  ["3046301006072a8648ce3d020106052b81040022033200", p384],
  ["3036301006072a8648ce3d020106052b8104000a032200", secp256k1],
];

export function createHash() {
  const state = sha256.create();
  const hash = { update: (data) => (state.update(Uint8Array.from(data)), hash), digest: () => Buffer.from(state.digest()) };
  return hash;
}

export function createPublicKey({ key }) {
  const all = Buffer.from(key);
  for (const [start, curve] of KINDS) {
    if (!all.toString("hex").startsWith(start)) continue;
    const raw = Uint8Array.from(all.subarray(start.length / 2));
    // A point that is not on the curve is no key; of Ed25519 that shows with the first signature.
    if (curve !== ed25519) curve.Point.fromBytes(raw);
    return { curve, raw };
  }
  throw new Error("a key of no known kind");
}

export function verify(_, data, given, signature) {
  const { curve, raw } = given.key ?? given;
  const options = curve === ed25519 ? { zip215: false } : { lowS: false };
  try {
    return curve.verify(Uint8Array.from(signature), Uint8Array.from(data), raw, options);
  } catch {
    return false;
  }
}

export function createECDH() {
  let secret = null;
  return {
    setPrivateKey: (key) => {
      secret = Uint8Array.from(key);
    },
    getPublicKey: () => Buffer.from(secp256k1.getPublicKey(secret, false)),
    computeSecret: (other) => Buffer.from(secp256k1.getSharedSecret(secret, Uint8Array.from(other), true).subarray(1)),
  };
}

export const ECDH = {
  convertKey: (key) => Buffer.from(secp256k1.Point.fromBytes(Uint8Array.from(key)).toBytes(false)),
};
