// Who is looking.
import { get, getNow, send, whenUnknown } from "./api";
import { Cell } from "./cell";
import { readChoices } from "./choices";
import { closeStream, openStream } from "./live";
import { leftForGood, want } from "./returning";
import { isOpen, path } from "./route";
import type { Session } from "./types";

/** The least letters of a password: what the node itself takes. */
export const PASSWORD_LETTERS_MIN = 12;

export const session = new Cell<Session | null>(null);

export async function readSession(): Promise<Session> {
  session.value = await get<Session>("/v1/session");
  if (session.value.signed_in) openStream(checkSession);
  // Nothing waits for it: what this browser remembers is shown until the node has answered.
  void readChoices(session.value.signed_in ? session.value.name : "");
  return session.value;
}

let looks = false;

export async function leave(): Promise<void> {
  // The line is cut at once: that this session ended is no news here.
  looks = true;
  try {
    await send("DELETE", "/v1/session");
    leftForGood();
    putAway();
    await readSession();
  } finally {
    looks = false;
  }
}

/** Asks the node whether the session still stands, and puts the page away where it does not. Where
 * the node does not answer, everything stays as it is. */
export function checkSession(): void {
  if (looks || !session.value?.signed_in) return;
  looks = true;
  void look(session.value).finally(() => (looks = false));
}

async function look(before: Session): Promise<void> {
  const now = await getNow<Session>("/v1/session");
  if (!now || session.value !== before || isSame(before, now)) return;
  putAway();
  if (isOpen(path.value)) session.value = now;
  else if (now.signed_in) location.reload();
  else {
    want(before.name);
    // A page that is loaded anew remembers nothing of what this one showed.
    location.replace("/login");
  }
}

const isSame = (one: Session, other: Session) => (["signed_in", "name", "role", "party"] as const).every((each) => one[each] === other[each]);

/** What was kept for a cut line belonged to who has left. */
function putAway(): void {
  navigator.serviceWorker?.controller?.postMessage("forget");
  closeStream();
}

whenUnknown.look = checkSession;
