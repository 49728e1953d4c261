// The JSON Canonicalization Scheme (RFC 8785): one byte form for one value.
import { type Bytes, utf8 } from "./bytes";

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** RFC 8785 section 3.2. Numbers print as ECMAScript prints them, keys sort by UTF-16 units. */
export function canonical(value: Json): string {
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "number") {
    if (!Number.isFinite(value)) throw new Error("a number that JSON cannot hold");
    return JSON.stringify(value);
  }
  if (typeof value === "string") {
    if (!value.isWellFormed()) throw new Error("a lone surrogate is no character");
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  // The default sort of JavaScript compares UTF-16 units, which is what the RFC asks for.
  const keys = Object.keys(value).sort();
  return `{${keys.map((key) => `${canonical(key)}:${canonical(value[key] as Json)}`).join(",")}}`;
}

export const jcs = (value: Json): Bytes => utf8(canonical(value));
