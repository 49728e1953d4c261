// One's own access: who one is here, the own password, passkeys and sessions.
import { useEffect, useState } from "preact/hooks";
import { send } from "../api";
import { useCell } from "../cell";
import { Facts, Section } from "../parts/basics";
import { Form, NewPassword } from "../parts/form";
import { Identities } from "../parts/identities";
import { Passkeys } from "../parts/passkeys";
import { SessionList } from "../parts/sessions";
import { session } from "../session";
import { named, t, tryWords } from "../words";

// The name of a session that a one-time link opened: it is nobody's and has no password.
const GUEST = "guest";

export default function AccessPage() {
  const who = useCell(session);
  useEffect(() => void (document.title = t("access.document_title")), []);
  if (!who?.signed_in) return null;
  return (
    <div class="page">
      <h1>{t("access.title")}</h1>
      <Facts
        rows={[
          [t("login.name"), who.name],
          [t("people.party"), tryWords(`party.${who.party}`) ?? who.party],
          [t("people.role"), t("told.with", { what: named("role", who.role), more: t(`role_means.${who.role}`) })],
        ]}
      />
      {who.name === GUEST ? <p class="quiet">{t("access.by_link")}</p> : <Own name={who.name} provider={who.provider ?? ""} />}
    </div>
  );
}

function Own({ name, provider }: { name: string; provider: string }) {
  return (
    <>
      <p>
        <a href="/notifications">{t("notify.title")}</a> · <a href="/api">{t("api.title")}</a>
      </p>
      <OwnPassword />
      <Passkeys name={name} />
      <Identities name={name} provider={provider} />
      <Section id="sessions-title" title={t("sessions.title")}>
        <SessionList name={name} done={() => undefined} />
      </Section>
    </>
  );
}

function OwnPassword() {
  const [form, setForm] = useState({ old: "", new: "" });
  return (
    <Section id="password-title" title={t("login.password")}>
      <p class="quiet">{t("access.password_means")}</p>
      <Form title={t("access.change")} submit={t("access.change_go")} said={t("access.changed")} send={() => send("PUT", "/v1/session/password", form)} done={() => undefined} after={() => setForm({ old: "", new: "" })}>
        <label class="field">
          <span>{t("access.old")}</span>
          <input required type="password" autocomplete="current-password" value={form.old} onInput={(event) => setForm({ ...form, old: event.currentTarget.value })} />
        </label>
        <NewPassword label={t("access.new")} value={form.new} set={(password) => setForm({ ...form, new: password })} />
      </Form>
    </Section>
  );
}
