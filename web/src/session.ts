// Who is looking.
import { get, send } from "./api";
import { Cell } from "./cell";
import { readChoices } from "./choices";
import { closeStream, openStream } from "./live";
import type { Session } from "./types";

/** The least letters of a password: what the node itself takes. */
export const PASSWORD_LETTERS_MIN = 12;

export const session = new Cell<Session | null>(null);

export async function readSession(): Promise<Session> {
  session.value = await get<Session>("/v1/session");
  if (session.value.signed_in) openStream();
  // Nothing waits for it: what this browser remembers is shown until the node has answered.
  void readChoices(session.value.signed_in ? session.value.name : "");
  return session.value;
}

export async function leave(): Promise<void> {
  await send("DELETE", "/v1/session");
  // What was kept for a cut line belonged to who has left.
  navigator.serviceWorker?.controller?.postMessage("forget");
  closeStream();
  await readSession();
}
