// Forms that send one act about money: fields as data, exact amounts, a refusal beside the button.
import { useState } from "preact/hooks";
import { t } from "../words";
import { ProblemNote } from "./basics";
import { type Act, useAct } from "./money";

export interface Choice {
  value: string;
  words: string;
}

export interface Field {
  name: string;
  label: string;
  /** Of a file its text is the value. */
  kind?: "text" | "amount" | "moment" | "choice" | "file";
  choices?: Choice[];
  /** What is known already and may be picked; another may be typed as well. */
  offers?: Choice[];
  /** What is proposed; a function makes it of what the other fields hold. */
  value?: string | ((of: (name: string) => string) => string);
  optional?: boolean;
}

export type Values = Record<string, string>;

/** What is wrong with a field before anything is sent, in the reader's words. */
export class Trouble extends Error {}

interface Props {
  title: string;
  submit: string;
  means?: string;
  fields: Field[];
  /** It is what waits for the reader: nobody has to open it. */
  open?: boolean;
  /** Turns what was typed into an act; raises Trouble for what cannot be one. */
  send: (values: Values, act: Act) => void;
  /** What happened, of the node's answer; without it the form says only that it is done. */
  after?: (answer: unknown) => string;
  done: () => void;
}

/** A form that opens on demand and sends one act. It stays filled when the node refuses. */
export function ActForm({ title, submit, means, fields, open, send, after, done }: Props) {
  const [typed, setTyped] = useState<Values>({});
  const [trouble, setTrouble] = useState("");
  const [sent, setSent] = useState("");
  const [problem, act, busy] = useAct((answer) => {
    setTyped({});
    setSent(after ? after(answer) : t("form.done"));
    done();
  });
  const of = (name: string): string => {
    const field = fields.find((each) => each.name === name);
    return field ? value(field) : "";
  };
  const value = (field: Field): string => typed[field.name] ?? (typeof field.value === "function" ? field.value(of) : field.value) ?? field.choices?.[0]?.value ?? "";
  const change = (field: Field, text: string) => {
    setSent("");
    setTyped({ ...typed, [field.name]: text });
  };
  return (
    <details class="act-form" open={open}>
      <summary>{title}</summary>
      <form
        class="look-up"
        onSubmit={(event) => {
          event.preventDefault();
          setTrouble("");
          try {
            send(Object.fromEntries(fields.map((field) => [field.name, value(field).trim()])), act);
          } catch (error) {
            if (!(error instanceof Trouble)) throw error;
            setTrouble(error.message);
          }
        }}
      >
        {means && <p class="quiet">{means}</p>}
        {fields.map((field) => (
          <label key={field.name} class="field">
            <span>{field.label}</span>
            {field.kind === "choice" ? (
              <select value={value(field)} onChange={(event) => change(field, event.currentTarget.value)}>
                {field.choices?.map((choice) => (
                  <option key={choice.value} value={choice.value}>
                    {choice.words}
                  </option>
                ))}
              </select>
            ) : (
              <Typed field={field} value={value(field)} change={(text) => change(field, text)} />
            )}
          </label>
        ))}
        <button type="submit" class="button" disabled={busy}>
          {submit}
        </button>
        <div role="status">{sent && <p class="good">{sent}</p>}</div>
        {trouble && (
          <p class="stop" role="alert">
            {trouble}
          </p>
        )}
        {problem && <ProblemNote problem={problem} />}
      </form>
    </details>
  );
}

function Typed({ field, value, change }: { field: Field; value: string; change: (text: string) => void }) {
  const shared = { required: !field.optional, value, onInput: (event: { currentTarget: HTMLInputElement }) => change(event.currentTarget.value) };
  if (field.kind === "file") return <TextFile required={!field.optional} given={value !== ""} change={change} />;
  if (field.kind === "moment") return <input type="datetime-local" {...shared} />;
  const list = field.offers ? `offers-${field.name}` : undefined;
  return (
    <>
      <input type="text" inputMode={field.kind === "amount" ? "decimal" : "text"} maxLength={140} list={list} {...shared} />
      {field.offers && (
        <datalist id={list}>
          {field.offers.map((each) => (
            <option key={each.value} value={each.value}>
              {each.words}
            </option>
          ))}
        </datalist>
      )}
    </>
  );
}

const FILE_BYTES_MAX = 1024 * 1024;

/** A file is read when it is picked; once its text was sent, another has to be. */
function TextFile({ required, given, change }: { required: boolean; given: boolean; change: (text: string) => void }) {
  const [trouble, setTrouble] = useState("");
  return (
    <>
      <input
        type="file"
        accept="application/json,.json"
        required={required && !given}
        onChange={(event) => {
          const file = event.currentTarget.files?.[0];
          setTrouble(file && file.size > FILE_BYTES_MAX ? t("records.too_large") : "");
          if (!file || file.size > FILE_BYTES_MAX) change("");
          else void file.text().then(change);
        }}
      />
      {trouble && (
        <span class="stop" role="alert">
          {trouble}
        </span>
      )}
    </>
  );
}

/** Minor units from a decimal as people type it, exactly. Raises Trouble. */
export function minorOf(text: string, exponent: number): number {
  const match = /^(\d{1,16})(?:[.,](\d*))?$/.exec(text.replace(/[\s']/g, ""));
  const part = match?.[2] ?? "";
  if (!match || part.length > exponent) throw new Trouble(t("form.no_amount", { text, n: exponent }));
  const minor = Number(match[1] + part.padEnd(exponent, "0"));
  if (!Number.isSafeInteger(minor)) throw new Trouble(t("form.no_amount", { text, n: exponent }));
  return minor;
}

/** A decimal rate as a fraction of minor units: so many bought for so many sold. Raises Trouble. */
export function rateOf(text: string, sold: number, bought: number): { numerator: number; denominator: number } {
  const match = /^(\d{1,9})(?:[.,](\d{1,9}))?$/.exec(text);
  if (!match) throw new Trouble(t("form.no_rate", { text }));
  const part = match[2] ?? "";
  let numerator = BigInt(match[1] + part) * 10n ** BigInt(bought);
  let denominator = 10n ** BigInt(part.length + sold);
  let [a, b] = [numerator, denominator];
  while (b) [a, b] = [b, a % b];
  if (numerator === 0n) throw new Trouble(t("form.no_rate", { text }));
  [numerator, denominator] = [numerator / a, denominator / a];
  return { numerator: Number(numerator), denominator: Number(denominator) };
}

/** A moment of the reader's zone in UTC, as the node takes it. Raises Trouble. */
export function momentOf(text: string): string {
  const at = new Date(text);
  if (Number.isNaN(at.getTime())) throw new Trouble(t("form.no_moment"));
  return at.toISOString().replace(/\.\d+Z$/, "Z");
}
