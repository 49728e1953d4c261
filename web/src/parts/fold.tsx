// Parts of a long page that open and close: by hand, by a link to them, by a search on the page, by
// print of the whole. What the reader opened stays open while the page refreshes itself and after a reload.
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";

const KEPT = "folds";

function kept(): Record<string, boolean> {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT) ?? "{}") as Record<string, boolean>;
  } catch {
    // A browser that keeps nothing folds as if it were new.
    return {};
  }
}

function keep(name: string, open: boolean): void {
  try {
    sessionStorage.setItem(KEPT, JSON.stringify({ ...kept(), [name]: open }));
  } catch {
    // As above.
  }
}

interface Props {
  id: string;
  title: string;
  /** What it says while it is closed: the answer, not the way to it. */
  says?: ComponentChildren;
  /** What waits in it for the reader: it opens by itself when that begins, and never closes by itself. */
  waits?: boolean;
  aside?: ComponentChildren;
  children: ComponentChildren;
}

/** A section that opens on demand. Its heading is where links to it lead. */
export function Fold({ id, title, says, waits = false, aside, children }: Props) {
  const name = `${location.pathname}#${id}`;
  const [open, set] = useState(waits || (kept()[name] ?? location.hash === `#${id}`));
  useEffect(() => {
    if (waits) set(true);
  }, [waits]);
  return (
    <section class="section fold" aria-labelledby={id}>
      <details
        open={open}
        onToggle={(event) => {
          const now = event.currentTarget.open;
          set(now);
          keep(name, now);
        }}
      >
        <summary>
          <h2 id={id}>{title}</h2>
          {says && <div class="fold-says">{says}</div>}
        </summary>
        <div class="fold-body">
          {aside && <div class="fold-aside">{aside}</div>}
          {children}
        </div>
      </details>
    </section>
  );
}

/** Opens whatever folds the place away, and what the place itself is the heading of. */
export function unfold(place: Element): void {
  for (let box = place.closest("details"); box; box = box.parentElement?.closest("details") ?? null) box.open = true;
}

/** The ways to the sections of a page: beside them on a desk, one row above them on a phone. */
export function Contents({ label, ways }: { label: string; ways: [id: string, title: string][] }) {
  return (
    <nav class="contents" aria-label={label}>
      {ways.map(([id, title]) => (
        <a key={id} href={`#${id}`}>
          {title}
        </a>
      ))}
    </nav>
  );
}
