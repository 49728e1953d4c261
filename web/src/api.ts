// Talking to the node: answers, problems in words, and whether what came is fresh.
import { Cell } from "./cell";
import { t } from "./words";

/** What the node refuses, as RFC 9457 says it. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly where: string,
    readonly remedy: string,
  ) {
    super(message);
  }
}

/** Since when the answers come from this browser's memory, or null while the node answers. */
export const keptFrom = new Cell<Date | null>(null);

export function csrfToken(): string {
  const match = /(?:^|;\s*)zhidao_csrf=([^;]*)/.exec(document.cookie);
  return match ? decodeURIComponent(match[1] as string) : "";
}

const PATIENCE_MS = 15_000;

async function ask(path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(path, {
      credentials: "same-origin",
      signal: AbortSignal.timeout(PATIENCE_MS),
      ...init,
    });
  } catch (error) {
    const late = error instanceof DOMException && error.name === "TimeoutError";
    throw new Problem(0, late ? "timeout" : "offline", t(late ? "problem.timeout" : "problem.offline"), path, "");
  }
}

export async function get<T>(path: string): Promise<T> {
  const answer = await ask(path, { headers: { accept: "application/json" } });
  if (!answer.ok) throw await problem(answer);
  const kept = answer.headers.get("x-from-cache") ? answer.headers.get("x-kept-at") : null;
  if (path !== "/v1/session") keptFrom.value = kept ? new Date(kept) : null;
  return (await answer.json()) as T;
}

/** What the node itself answers just now: never what was kept, and null where it does not answer. */
export async function getNow<T>(path: string): Promise<T | null> {
  try {
    const answer = await ask(path, { headers: { accept: "application/json" } });
    return answer.ok && !answer.headers.get("x-from-cache") ? ((await answer.json()) as T) : null;
  } catch {
    return null;
  }
}

/** Called where the node does not know who asks: the session may have ended. */
export const whenUnknown: { look: () => void } = { look: () => undefined };

/** An answer as the bytes of its text, for what is signed as it stands. */
export async function text(path: string): Promise<string> {
  const answer = await ask(path, {});
  if (!answer.ok) throw await problem(answer);
  return answer.text();
}

/** Asked before each act; throws where the page that acts shows what is no longer so. */
export const beforeActs: { refuse: (act: string) => Promise<void> } = { refuse: async () => undefined };

/** Nothing was sent, and nothing waits to be: acts are never queued. */
const notSent = (path: string) => new Problem(0, "not_sent", t("seen.offline"), path, "");

export async function send<T>(method: "POST" | "PUT" | "DELETE", path: string, body?: object): Promise<T | null> {
  const headers: Record<string, string> = { accept: "application/json", "X-CSRF-Token": csrfToken() };
  if (body) headers["content-type"] = "application/json";
  if (!navigator.onLine) throw notSent(path);
  try {
    await beforeActs.refuse(decodeURIComponent(path) + JSON.stringify(body ?? {}));
  } catch (error) {
    // What cannot even be read cannot be acted on: nothing went out.
    throw error instanceof Problem && error.status === 0 ? notSent(path) : error;
  }
  const answer = await ask(path, { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) });
  if (!answer.ok) throw await problem(answer);
  const said = await answer.text();
  return said ? (JSON.parse(said) as T) : null;
}

/** Keeps a choice about the pages themselves: no act, so nothing is looked at before, and a cut
 * line loses it without a word. */
export async function keep(path: string, body: object): Promise<void> {
  const headers = { accept: "application/json", "X-CSRF-Token": csrfToken(), "content-type": "application/json" };
  await ask(path, { method: "PUT", headers, body: JSON.stringify(body), keepalive: true }).catch(() => undefined);
}

/** Gives the node a file as it stands. */
export async function sendBytes<T>(path: string, bytes: BodyInit, type = "application/octet-stream"): Promise<T> {
  const headers = { accept: "application/json", "X-CSRF-Token": csrfToken(), "content-type": type };
  const answer = await ask(path, { method: "POST", headers, body: bytes });
  if (!answer.ok) throw await problem(answer);
  return (await answer.json()) as T;
}

/** A file that the node makes of a body, as bytes. */
export async function made(path: string, body: object): Promise<ArrayBuffer> {
  const headers = { "X-CSRF-Token": csrfToken(), "content-type": "application/json" };
  const answer = await ask(path, { method: "POST", headers, body: JSON.stringify(body) });
  if (!answer.ok) throw await problem(answer);
  return answer.arrayBuffer();
}

async function problem(answer: Response): Promise<Problem> {
  if (answer.status === 401) whenUnknown.look();
  let plain: Record<string, unknown> = {};
  try {
    plain = (await answer.json()) as Record<string, unknown>;
  } catch {
    // Something between us and the node answered in another form: the status still tells.
  }
  const word = (name: string) => (typeof plain[name] === "string" ? (plain[name] as string) : "");
  const message = word("detail") || word("title") || t("problem.status", { status: answer.status });
  return new Problem(answer.status, word("code"), message, word("where"), word("remedy"));
}
