// The passkeys of a person: listed, added by their holder, removed.
import { useState } from "preact/hooks";
import { send } from "../api";
import { addPasskey, hasPasskeys } from "../passkeys";
import type { PasskeyRow } from "../types";
import { t } from "../words";
import { ActButton } from "./act";
import { Loading, ProblemNote, Section, Time, useAnswer } from "./basics";
import { Form } from "./form";

export function Passkeys({ name }: { name: string }) {
  const at = `/v1/people/${encodeURIComponent(name)}/passkeys`;
  const [answer, again] = useAnswer<PasskeyRow[]>(at);
  return (
    <Section id="passkeys-title" title={t("passkeys.title")}>
      <p class="quiet">{t("passkeys.means")}</p>
      {answer.state === "loading" && <Loading what={t("passkeys.reading")} />}
      {answer.state === "failed" && <ProblemNote problem={answer.problem} again={again} />}
      {answer.state === "here" && (
        <>
          {answer.value.length === 0 && <p>{t("passkeys.none")}</p>}
          <ul class="services">
            {answer.value.map((each) => (
              <li key={each.passkey}>
                <div>
                  <p>
                    <strong>{each.label}</strong> {t("passkeys.at", { host: each.host })}
                  </p>
                  <p class="quiet">
                    {t("passkeys.since")} <Time at={each.created_at} /> · {each.used_at ? t("passkeys.used") : t("passkeys.unused")} <Time at={each.used_at} />
                  </p>
                  <ActButton button={t("passkeys.remove")} means={t("passkeys.remove_means")} act={() => send("DELETE", `${at}/${each.passkey}`)} after={() => ""} done={again} />
                </div>
              </li>
            ))}
          </ul>
        </>
      )}
      {hasPasskeys ? <AddPasskey done={again} /> : <p class="quiet">{t("problem.passkey_unable")}</p>}
    </Section>
  );
}

function AddPasskey({ done }: { done: () => void }) {
  const [form, set] = useState({ label: "", password: "" });
  return (
    <Form title={t("passkeys.add")} submit={t("passkeys.add_go")} said={t("passkeys.added")} send={() => addPasskey(form.label.trim(), form.password)} done={done} after={() => set({ label: "", password: "" })}>
      <label class="field">
        <span>{t("passkeys.label")}</span>
        <input required maxLength={64} autocomplete="off" placeholder={t("passkeys.label_such_as")} value={form.label} onInput={(event) => set({ ...form, label: event.currentTarget.value })} />
      </label>
      <label class="field">
        <span>{t("access.old")}</span>
        <input required type="password" autocomplete="current-password" value={form.password} onInput={(event) => set({ ...form, password: event.currentTarget.value })} />
      </label>
    </Form>
  );
}
