// A word of the field, explained where it stands: a button that opens a short sentence beside it, by
// mouse, keyboard or screen reader, closed by Escape, and the way to the glossary.
import { useRef } from "preact/hooks";
import { t } from "../words";

export type TermName = "protection_level" | "custody" | "mark" | "witness" | "title" | "log_head";

export function Term({ name }: { name: TermName }) {
  const box = useRef<HTMLDivElement>(null);
  const id = `term-${name}`;
  return (
    <span class="term">
      <button type="button" class="term-button" popovertarget={id} aria-label={t("term.what", { term: t(`term.${name}`) })}>
        ?
      </button>
      <div id={id} ref={box} popover="auto" role="note" class="term-box" aria-label={t(`term.${name}`)}>
        <p>
          <strong>{t(`term.${name}`)}</strong>
        </p>
        <p>{t(`term_means.${name}`)}</p>
        <p>
          <a href="/help/reference/glossary" onClick={() => box.current?.hidePopover?.()}>
            {t("term.glossary")}
          </a>
        </p>
      </div>
    </span>
  );
}
