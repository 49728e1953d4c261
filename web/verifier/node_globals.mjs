// What the second verifier takes for granted at node.
export { Buffer } from "./node_bytes.mjs";
export const process = { argv: [] };
