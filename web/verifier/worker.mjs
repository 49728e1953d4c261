// One proof, checked once, beside the page: a file that takes too long is ended with its worker.
import { verdict } from "../../docs/checks/proof_check.mjs";
import { hex, notChecked, readProof, sha } from "../../docs/checks/proof_log.mjs";
import { Buffer } from "./node_bytes.mjs";
import { inflate } from "./node_zlib.mjs";

const INFLATED_MAX = 8 << 20;

/** What the command prints of a proof (docs/checks/proof_check.mjs), and whose it is. */
export async function told(file, lists, required) {
  const bytes = Buffer.from(file);
  let found;
  try {
    await inflate(bytes, INFLATED_MAX);
    found = { ...about(readProof(bytes)), ...verdict(bytes, lists.map((list) => Buffer.from(list)), required) };
  } catch (error) {
    found = { verdict: "malformed", reason: "malformed", sentence: error.message };
  }
  return { ...found, lists: lists.map(fingerprint), not_checked: [...notChecked].sort() };
}

/** As `zhidao trust` shows it: the first half of SHA-256, in groups. */
const fingerprint = (list) => hex(sha(list).subarray(0, 16)).replace(/(.{4})(?!$)/g, "$1-");

/** What a person compares with what was expected. What is simulated says so wherever it stands. */
function about({ consignment, origin, events }) {
  const facts = events.map(({ event }) => event);
  return { consignment, origin, simulated: facts.filter(({ payload }) => isSimulated(payload)).map(({ type }) => type) };
}

function isSimulated(value) {
  if (value === null || typeof value !== "object") return false;
  return value.simulated === true || Object.values(value).some(isSimulated);
}

if (typeof WorkerGlobalScope !== "undefined") {
  globalThis.onmessage = async ({ data: { file, lists, required } }) => {
    globalThis.postMessage(await told(new Uint8Array(file), lists.map((list) => new Uint8Array(list)), required));
  };
}
