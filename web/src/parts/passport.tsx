// The credit passport: what the node verified of the reader's party, and showing a part of it to one reader.
import { useState } from "preact/hooks";
import { Problem, send } from "../api";
import type { Passport } from "../money_types";
import { Facts, Loading, ProblemNote, Time, asProblem, useAnswer } from "./basics";
import { useAct } from "./money";
import { named, t } from "../words";

const PATH = "/v1/finance/passport";

export function CreditPassport() {
  const [answer, read] = useAnswer<Passport[]>(PATH);
  const [problem, act, busy] = useAct(read);
  const make = (
    <p class="money-buttons">
      <button type="button" class="button" disabled={busy} onClick={() => act(PATH, {})}>
        {t("passport.issue")}
      </button>
    </p>
  );
  if (answer.state === "loading") return <Loading what={t("passport.reading")} />;
  if (answer.state === "failed") return <ProblemNote problem={answer.problem} again={read} />;
  const [passport] = answer.value;
  if (!passport)
    return (
      <>
        <p class="quiet">{t("passport.none")}</p>
        {make}
        {problem && <ProblemNote problem={problem} />}
      </>
    );
  return (
    <>
      <p>
        {t("passport.made", { until: passport.until, count: passport.claims.facts.count })} <Time at={passport.issued_at} />
      </p>
      <Facts rows={passport.may_hide.map((name) => [t(`passport.claim.${name}`), <code>{told(passport.claims[name])}</code>])} />
      {make}
      {problem && <ProblemNote problem={problem} />}
      <Show passport={passport} />
    </>
  );
}

function Show({ passport }: { passport: Passport }) {
  const [chosen, choose] = useState<string[]>([]);
  const [to, set] = useState({ audience: "", nonce: "" });
  const [shown, setShown] = useState("");
  const [problem, setProblem] = useState<Problem | null>(null);
  const fields = ["audience", "nonce"] as const;
  return (
    <form
      class="look-up"
      onSubmit={(event) => {
        event.preventDefault();
        setShown("");
        setProblem(null);
        send<{ presentation: string }>("POST", `${PATH}/presentations`, { show: chosen, ...to }).then(
          (answer) => setShown(answer?.presentation ?? ""),
          (error: unknown) => setProblem(asProblem(error)),
        );
      }}
    >
      <p class="quiet">{t("passport.is")}</p>
      <fieldset>
        <legend>{t("passport.show")}</legend>
        {passport.may_hide.map((name) => (
          <label key={name} class="choice">
            <input
              type="checkbox"
              checked={chosen.includes(name)}
              onChange={(event) => choose(event.currentTarget.checked ? [...chosen, name] : chosen.filter((each) => each !== name))}
            />{" "}
            {t(`passport.claim.${name}`)}
          </label>
        ))}
      </fieldset>
      {fields.map((field) => (
        <label key={field} class="field">
          <span>{t(`passport.${field}`)}</span>
          <input type="text" required maxLength={200} value={to[field]} onInput={(event) => set({ ...to, [field]: event.currentTarget.value })} />
        </label>
      ))}
      <button type="submit" class="button">
        {t("passport.present")}
      </button>
      <div role="status">
        {shown && (
          <label class="field">
            <span>{t("passport.copy")}</span>
            <textarea readOnly rows={4} value={shown} />
          </label>
        )}
      </div>
      {problem && <ProblemNote problem={problem} />}
    </form>
  );
}

/** A claim as it is signed, in the reader's words. */
function told(value: unknown): string {
  if (Array.isArray(value)) return value.map(told).join("; ") || t("none");
  if (value === null || typeof value !== "object") return String(value);
  const { currency, exponent, paid_minor } = value as Record<string, unknown>;
  if (typeof paid_minor === "string") return `${String(currency)} ${decimal(paid_minor, Number(exponent))}`;
  return Object.entries(value)
    .map(([name, each]) => `${named("passport_part", name)} ${told(each)}`)
    .join(t("list.comma"));
}

/** Minor units as text with their point: they may be beyond what a JavaScript number holds. */
function decimal(minor: string, exponent: number): string {
  if (exponent === 0) return minor;
  const digits = minor.padStart(exponent + 1, "0");
  return `${digits.slice(0, -exponent)}.${digits.slice(-exponent)}`;
}
