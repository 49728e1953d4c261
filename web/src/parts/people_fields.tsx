// Fields of who may act: a name, the party acted for, the role with the sentence that says what it may do.
import { named, t, tryWords } from "../words";

const ROLES = ["party", "auditor", "operator", "admin"];

export function Text({ label, value, set, max, pattern, hint }: { label: string; value: string; set: (value: string) => void; max: number; pattern?: string; hint?: string }) {
  return (
    <label class="field">
      <span>{label}</span>
      <input required maxLength={max} pattern={pattern} title={hint} value={value} onInput={(event) => set(event.currentTarget.value)} />
      {hint && <span class="hint">{hint}</span>}
    </label>
  );
}

export function Party({ value, parties, set }: { value: string; parties: string[]; set: (value: string) => void }) {
  return (
    <label class="field">
      <span>{t("people.party")}</span>
      <select required value={value} onChange={(event) => set(event.currentTarget.value)}>
        <option value="" />
        {parties.map((each) => (
          <option key={each} value={each}>
            {tryWords(`party.${each}`) ?? each}
          </option>
        ))}
      </select>
    </label>
  );
}

/** Roles, each with the sentence that says what it may do. */
export function Role({ value, set }: { value: string; set: (value: string) => void }) {
  return (
    <fieldset class="roles">
      <legend>{t("people.role")}</legend>
      {ROLES.map((each) => (
        <label key={each} class="choice">
          <input type="radio" name="role" value={each} checked={value === each} onChange={() => set(each)} />
          <span>
            <strong>{named("role", each)}</strong> {t(`role_means.${each}`)}
          </span>
        </label>
      ))}
    </fieldset>
  );
}
