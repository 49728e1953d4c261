// The stream of what changes, and since when it has been open.
import { Cell } from "./cell";
import type { Position } from "./types";

export interface Line {
  state: "connecting" | "live" | "cut";
  since: Date;
}

export const line = new Cell<Line>({ state: "connecting", since: new Date() });

/** The newest place of each consignment that the stream told since the page was opened. */
export const positions = new Cell<ReadonlyMap<string, Position>>(new Map());

type Reader = (consignment: string) => void;
const readers = new Set<Reader>();

/** Calls the reader when a road changed, with "" when any may have (after a gap). */
export function onRoad(reader: Reader): () => void {
  readers.add(reader);
  return () => readers.delete(reader);
}

let source: EventSource | null = null;
let soon: ReturnType<typeof setTimeout> | undefined;
let later: ReturnType<typeof setTimeout> | undefined;

/** A place that names no consignment: everybody reads again, at most once in two seconds. */
function readSoon(): void {
  soon ??= setTimeout(() => {
    soon = undefined;
    for (const reader of readers) reader("");
  }, 2000);
}

/** `cut` is called each time that the line is cut: the node is away, or the session ended. */
export function openStream(cut: () => void): void {
  if (source) return;
  source = new EventSource("/v1/stream");
  let gap = false;
  source.onopen = () => {
    line.value = { state: "live", since: new Date() };
    // What happened while the line was cut was not told: everybody reads again.
    if (gap) for (const reader of readers) reader("");
    gap = false;
  };
  source.onerror = () => {
    gap = true;
    if (line.value.state !== "cut") line.value = { state: "cut", since: new Date() };
    if (source?.readyState === EventSource.CLOSED) {
      source = null;
      later = setTimeout(() => openStream(cut), 5000);
    }
    cut();
  };
  source.addEventListener("road", (event) => {
    const { consignment } = JSON.parse((event as MessageEvent<string>).data) as { consignment: string };
    for (const reader of readers) reader(consignment);
  });
  source.addEventListener("position", (event) => {
    const told = JSON.parse((event as MessageEvent<string>).data) as Position & { consignment?: string };
    if (told.consignment) positions.value = new Map(positions.value).set(told.consignment, told);
    else readSoon();
  });
}

export function closeStream(): void {
  clearTimeout(later);
  source?.close();
  source = null;
  line.value = { state: "connecting", since: new Date() };
}
