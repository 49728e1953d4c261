// Bytes and their strict text forms: one text for one value, everything else is refused.

export type Bytes = Uint8Array<ArrayBuffer>;

const BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

export const utf8 = (text: string): Bytes => new TextEncoder().encode(text) as Bytes;

export function text(bytes: Bytes): string {
  return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
}

export function hex(bytes: Bytes): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Padded standard base64 (RFC 4648 section 4). Throws for every other spelling. */
export function fromBase64(value: string): Bytes {
  const bytes = Uint8Array.from(atob(value), (letter) => letter.charCodeAt(0));
  if (toBase64(bytes) !== value) throw new Error("base64 is not canonical");
  return bytes;
}

export function toBase64(bytes: Bytes): string {
  let letters = "";
  for (const byte of bytes) letters += String.fromCharCode(byte);
  return btoa(letters);
}

/** A hash in either base64 spelling. Throws for anything that is neither. */
export function fromEitherBase64(value: string): Bytes {
  return /[-_]/.test(value) || value.length % 4 !== 0 ? fromBase64url(value) : fromBase64(value);
}

/** base64url without padding (RFC 4648 section 5). Throws for every other spelling. */
export function fromBase64url(value: string): Bytes {
  if (!/^[A-Za-z0-9_-]*$/.test(value)) throw new Error("not base64url without padding");
  const standard = value.replaceAll("-", "+").replaceAll("_", "/");
  return fromBase64(standard + "=".repeat((4 - (standard.length % 4)) % 4));
}

export function toBase64url(bytes: Bytes): string {
  return toBase64(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

export function fromBase58(value: string): Bytes {
  let number = 0n;
  for (const letter of value) {
    const digit = BASE58.indexOf(letter);
    if (digit < 0) throw new Error(`not base58: ${letter}`);
    number = number * 58n + BigInt(digit);
  }
  const body: number[] = [];
  for (; number > 0n; number >>= 8n) body.unshift(Number(number & 255n));
  const zeros = value.length - value.replace(/^1+/, "").length;
  return Uint8Array.from([...new Array<number>(zeros).fill(0), ...body]);
}

export function join(...parts: Bytes[]): Bytes {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export function same(left: Bytes, right: Bytes): boolean {
  return left.length === right.length && left.every((byte, i) => byte === right[i]);
}

export async function sha256(...parts: Bytes[]): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", join(...parts)));
}
