// What the second verifier uses of node's Buffer, for a browser: bytes that read and write texts.
const DIGITS = { base64: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", base64url: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_" };
const VALUES = new Map([...DIGITS.base64, "-", "_"].map((digit, i) => [digit, i < 64 ? i : i - 2]));

/** Like node's, it passes over what is no digit: whoever asks compares what comes back with what was given. */
function fromBase64(text) {
  const out = [];
  let held = 0;
  let bits = 0;
  for (const each of text) {
    if (each === "=") break;
    const value = VALUES.get(each);
    if (value === undefined) continue;
    held = ((held << 6) | value) & 0xffff;
    bits += 6;
    if (bits >= 8) out.push((held >> (bits -= 8)) & 0xff);
  }
  return out;
}

function toBase64(bytes, coding) {
  let out = "";
  for (let i = 0; i < bytes.length; i += 3) {
    const part = bytes.subarray(i, i + 3);
    const held = (part[0] << 16) | ((part[1] ?? 0) << 8) | (part[2] ?? 0);
    for (let j = 0; j <= part.length; j += 1) out += DIGITS[coding][(held >> (18 - 6 * j)) & 63];
  }
  return coding === "base64" ? out.padEnd(Math.ceil(out.length / 4) * 4, "=") : out;
}

function fromHex(text) {
  const pairs = /^(?:[0-9a-f]{2})*/i.exec(text)[0];
  return Array.from({ length: pairs.length / 2 }, (_, i) => Number.parseInt(pairs.slice(2 * i, 2 * i + 2), 16));
}

export class Buffer extends Uint8Array {
  static from(given, coding = "utf8") {
    if (typeof given !== "string") return new Buffer(given);
    if (coding === "hex") return new Buffer(fromHex(given));
    return new Buffer(coding === "utf8" ? new TextEncoder().encode(given) : fromBase64(given));
  }

  static alloc(length) {
    return new Buffer(length);
  }

  static concat(parts) {
    const whole = new Buffer(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  }

  toString(coding = "utf8") {
    if (coding === "hex") return Array.from(this, (byte) => byte.toString(16).padStart(2, "0")).join("");
    return coding === "utf8" ? new TextDecoder("utf-8", { ignoreBOM: true }).decode(this) : toBase64(this, coding);
  }

  equals(other) {
    return this.length === other.length && this.every((byte, i) => byte === other[i]);
  }

  copy(target) {
    target.set(this);
  }

  readUInt32BE(at) {
    return new DataView(this.buffer, this.byteOffset).getUint32(at);
  }

  readBigUInt64LE(at) {
    return new DataView(this.buffer, this.byteOffset).getBigUint64(at, true);
  }
}
