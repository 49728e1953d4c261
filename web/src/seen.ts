// What a page shows of the objects on which it acts. Before each act they are read again: if somebody
// changed one meanwhile, nothing is sent, and the page says since when and what. After an act without
// an answer the same reading tells what became of it.
import { Problem, beforeActs, get, keptFrom } from "./api";
import { time } from "./format";
import { list, named, t } from "./words";

/** A change in words. `of`: the row of a list that it is about; an act that names another goes on. */
export interface Change {
  words: string;
  of?: string;
}

/** `changes`: what of it is news to whoever acts, in words; `take` shows the newer state. */
export interface Shown<T> {
  path: string;
  at: Date;
  value: T;
  changes: (before: T, now: T) => Change[];
  take: (now: T) => void;
  /** A reading under way, such as after an act of this page itself. */
  reading: Promise<unknown> | null;
}

const shown = new Set<Shown<any>>();

/** Keeps an object under watch while the page shows it; what comes back ends that. */
export function show<T>(one: Shown<T>): () => void {
  shown.add(one);
  return () => shown.delete(one);
}

/** Whether this page acts on something that can be read again. */
export function isWatching(): boolean {
  return shown.size > 0;
}

/** What others changed since the page showed it; the page shows it from now on.
 *
 * `act`: what is about to be sent, so that rows which it does not name are left alone. */
export async function changedSince(act?: string): Promise<{ since: Date; changes: string[] }> {
  let since = new Date();
  const changes: string[] = [];
  for (const one of [...shown]) {
    await one.reading?.catch(() => undefined);
    const before = one.value;
    const now = await get<typeof before>(one.path);
    // An answer from this browser's own memory tells nothing of now.
    if (keptFrom.value) throw new Problem(0, "offline", t("problem.offline"), one.path, "");
    const said = one.changes(before, now).filter((each) => act === undefined || !each.of || act.includes(each.of));
    if (said.length === 0) continue;
    if (one.at < since) since = one.at;
    changes.push(...said.map((each) => each.words));
    one.take(now);
  }
  return { since, changes };
}

beforeActs.refuse = async (act) => {
  if (shown.size === 0) return;
  const { since, changes } = await changedSince(act);
  if (changes.length === 0) return;
  throw new Problem(409, "changed_since", t("seen.changed", { since: time(since), what: list(changes) }), "", "");
};

/** Rows that came, went or stand otherwise, by their name and state. */
export function rowsBy<R>(name: (row: R) => string, state: (row: R) => string): (before: R[], now: R[]) => Change[] {
  return (before, now) => {
    const [old, left] = [before, now].map((rows) => new Map(rows.map((row) => [name(row), state(row)]))) as [Map<string, string>, Map<string, string>];
    return [...new Set([...left.keys(), ...old.keys()])]
      .filter((of) => old.get(of) !== left.get(of))
      .map((of) => ({ of, words: t(!old.has(of) ? "seen.came" : left.has(of) ? "seen.other" : "seen.gone", { name: of }) }));
  };
}

interface SaidOf {
  said: { id: string; type: string; recorded_at: string; asserted_by: { party: string; name: string } }[];
}

// What terminals, networks and nodes write down by themselves asks nobody to look again.
const BY_ITSELF = /^(connectivity|exchange|node)\.|\.(WindowReceived|PositionsRecorded|SubmissionRefused|TerminalWatched|CredentialIssued|ChainTransaction|PaymentPosted|MessageMade)\.v/;

/** What was said on a road since. */
export function roadChanges(before: SaidOf, now: SaidOf): Change[] {
  const known = new Set(before.said.map((said) => said.id));
  return now.said
    .filter((said) => !known.has(said.id) && !BY_ITSELF.test(said.type))
    .map((said) => ({ words: t("seen.said", { what: named("event", said.type), who: said.asserted_by.name || said.asserted_by.party, at: time(said.recorded_at) }) }));
}
