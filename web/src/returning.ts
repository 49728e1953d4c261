// Where somebody wanted to be who has to sign in first: kept in this tab alone, for one sign-in.
const KEY = "zhidao-wanted";

/** `name`: who alone is brought back there, "" for whoever signs in; `ended`: a session ended. */
interface Wanted {
  to: string;
  name: string;
  ended: boolean;
}

// Who left on purpose wants nothing back: the next may be somebody else.
let left = false;

/** Keeps the address of this page, for `ended` whose session ended here or for whoever comes. */
export function want(ended = ""): void {
  if (left) return;
  const wanted: Wanted = { to: location.pathname + location.search + location.hash, name: ended, ended: ended !== "" };
  try {
    sessionStorage.setItem(KEY, JSON.stringify(wanted));
  } catch {
    // A browser that keeps nothing opens the first page.
  }
}

/** What was kept, or null; an address of another host is never one. */
export function wanted(): Wanted | null {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEY) ?? "null") as Wanted | null;
    return kept && kept.to.startsWith("/") && new URL(kept.to, location.origin).origin === location.origin ? kept : null;
  } catch {
    return null;
  }
}

/** Where `name` goes after the sign-in; it counts once. */
export function wantedBy(name: string): string {
  const kept = wanted();
  forget();
  left = false;
  return kept && (!kept.name || kept.name === name) ? kept.to : "/";
}

/** Somebody leaves on purpose. */
export function leftForGood(): void {
  forget();
  left = true;
}

function forget(): void {
  try {
    sessionStorage.removeItem(KEY);
  } catch {
    // Nothing was kept.
  }
}
