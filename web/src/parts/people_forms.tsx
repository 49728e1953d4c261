// Forms of administration: a person, a party, a token, a new password.
import { useState } from "preact/hooks";
import { send } from "../api";
import { t, tryWords } from "../words";
import { Form, NewPassword } from "./form";
import { Party, Role, Text } from "./people_fields";

const TRADE_ROLES = ["exporter", "importer", "carrier", "customs", "exporter_bank", "importer_bank", "bank", "manufacturer", "operator"];

export function AddPerson({ parties, done }: { parties: string[]; done: () => void }) {
  const [form, setForm] = useState({ name: "", password: "", party: "", role: "party" });
  const set = (part: Partial<typeof form>) => setForm({ ...form, ...part });
  return (
    <Form title={t("people.add_person")} submit={t("people.add_person_go")} send={() => send("POST", "/v1/people", form)} done={done} after={() => set({ name: "", password: "" })}>
      <Text label={t("login.name")} value={form.name} set={(name) => set({ name })} max={64} />
      <Party value={form.party} parties={parties} set={(party) => set({ party })} />
      <Role value={form.role} set={(role) => set({ role })} />
      <NewPassword label={t("login.password")} value={form.password} set={(password) => set({ password })} />
    </Form>
  );
}

export function AddParty({ done }: { done: () => void }) {
  const [form, setForm] = useState({ party: "", name: "", trade_role: "exporter", country: "" });
  const set = (part: Partial<typeof form>) => setForm({ ...form, ...part });
  return (
    <Form title={t("people.add_party")} submit={t("people.add_party_go")} send={() => send("POST", "/v1/parties", form)} done={done} after={() => set({ party: "", name: "" })}>
      <Text label={t("people.party_name")} value={form.name} set={(name) => set({ name })} max={120} />
      <Text label={t("people.party_id")} value={form.party} set={(party) => set({ party })} max={64} pattern="[a-z0-9][a-z0-9.\-]*" hint={t("people.party_id_hint")} />
      <label class="field">
        <span>{t("people.trade_role")}</span>
        <select value={form.trade_role} onChange={(event) => set({ trade_role: event.currentTarget.value })}>
          {TRADE_ROLES.map((each) => (
            <option key={each} value={each}>
              {tryWords(`trade_role.${each}`) ?? each}
            </option>
          ))}
        </select>
      </label>
      <Text label={t("people.country")} value={form.country} set={(country) => set({ country: country.toUpperCase() })} max={2} pattern="[A-Z]{2}" hint={t("people.country_hint")} />
    </Form>
  );
}

export function AddToken({ parties, done }: { parties: string[]; done: () => void }) {
  const [form, setForm] = useState({ party: "", role: "party", label: "" });
  const [made, setMade] = useState("");
  const set = (part: Partial<typeof form>) => setForm({ ...form, ...part });
  const make = async () => {
    const answer = await send<{ token: string }>("POST", "/v1/tokens", form);
    setMade(answer?.token ?? "");
  };
  return (
    <>
      {made && (
        <div class="note note-good" role="status">
          <p class="note-title">{t("people.token_made")}</p>
          <p>{t("people.token_made_means")}</p>
          <code class="token-made">{made}</code>
        </div>
      )}
      <Form title={t("people.add_token")} submit={t("people.add_token_go")} send={make} done={done}>
        <Text label={t("people.label")} value={form.label} set={(label) => set({ label })} max={64} />
        <Party value={form.party} parties={parties} set={(party) => set({ party })} />
        <Role value={form.role} set={(role) => set({ role })} />
      </Form>
    </>
  );
}

export function NewPasswordForm({ name, done }: { name: string; done: () => void }) {
  const [password, set] = useState("");
  return (
    <Form title={t("people.reset")} submit={t("people.reset_go")} send={() => send("POST", `/v1/people/${encodeURIComponent(name)}/password`, { password })} done={done} after={() => set("")}>
      <NewPassword label={t("login.password")} value={password} set={set} />
    </Form>
  );
}

export function ChangeRole({ name, now, done }: { name: string; now: string; done: () => void }) {
  const [role, set] = useState(now);
  return (
    <Form title={t("people.change_role")} submit={t("people.change_role_go")} send={() => send("PUT", `/v1/people/${encodeURIComponent(name)}/role`, { role })} done={done}>
      <p>{t("people.change_role_means", { name })}</p>
      <Role value={role} set={set} />
    </Form>
  );
}
