// node's gunzipSync for a browser, whose own inflating is not synchronous: a file is inflated before it is read.
import { Buffer } from "./node_bytes.mjs";

let made = null;

/** Inflates a gzip file, at most `bytesMax` of content. What is no gzip file, damaged, or has more behind it, gives null. */
export async function inflate(data, bytesMax) {
  made = null;
  if (data[0] !== 0x1f) return;
  const parts = [];
  let size = 0;
  try {
    for await (const part of read(new Blob([data]).stream().pipeThrough(new DecompressionStream("gzip")))) {
      size += part.length;
      if (size > bytesMax) return;
      parts.push(part);
    }
  } catch {
    return;
  }
  made = { data, buffer: Buffer.concat(parts) };
}

// Streams of Safari are not iterable by themselves.
async function* read(stream) {
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield value;
  }
}

export function gunzipSync(data) {
  if (made === null || made.data !== data) throw new Error("the file is damaged, or larger than a proof may be");
  return { buffer: made.buffer, engine: { bytesWritten: data.length } };
}
