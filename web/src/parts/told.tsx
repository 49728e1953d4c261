// Reasons in the reader's language: a code with its parameters, in the words of the catalogues.
import { shortDigests } from "../format";
import type { Told } from "../types";
import { tryWords } from "../words";

/** The sentence of a reason, or null if this catalogue does not know its code. */
export function toldWords(told: Told | null): string | null {
  return told ? tryWords(told.code, told.args) : null;
}

/** The numbers behind a reason, or null where there are none. */
export function toldNumbers(told: Told | null): string | null {
  return told ? tryWords(`${told.code}.with`, told.args) : null;
}

/** A reason with its numbers; what no catalogue knows is shown as it was signed, in English. */
export function Reason({ told, quiet }: { told: Told | null; quiet?: boolean }) {
  if (!told) return null;
  const words = toldWords(told);
  const numbers = toldNumbers(told);
  if (words === null) return told.text ? <p lang="en" class="quiet">{shortDigests(told.text)}</p> : null;
  return (
    <p class={quiet ? "quiet" : undefined}>
      {words} {numbers}
    </p>
  );
}
