// An invitation: a one-time link and its QR code, shown this once to the admin who made it.
import { useState } from "preact/hooks";
import { send } from "../api";
import type { InvitationMade } from "../types";
import { t } from "../words";
import { ActButton } from "./act";
import { Time } from "./basics";
import { Form } from "./form";
import { Party, Role, Text } from "./people_fields";
import { Qr } from "./qr";

export function InvitePerson({ parties, done }: { parties: string[]; done: () => void }) {
  const [form, setForm] = useState({ name: "", party: "", role: "party" });
  const [made, setMade] = useState<InvitationMade | null>(null);
  const set = (part: Partial<typeof form>) => setForm({ ...form, ...part });
  return (
    <>
      {made && <Made made={made} />}
      <Form title={t("invite.title")} submit={t("invite.go")} send={async () => setMade(await send<InvitationMade>("POST", "/v1/invitations", form))} done={done} after={() => set({ name: "" })}>
        <p>{t("invite.means")}</p>
        <Text label={t("login.name")} value={form.name} set={(name) => set({ name })} max={64} />
        <Party value={form.party} parties={parties} set={(party) => set({ party })} />
        <Role value={form.role} set={(role) => set({ role })} />
      </Form>
    </>
  );
}

export function InviteAgain({ name, done }: { name: string; done: () => void }) {
  const [made, setMade] = useState<InvitationMade | null>(null);
  return (
    <>
      <ActButton
        button={t("invite.again")}
        means={t("invite.again_means", { name })}
        act={() => send<InvitationMade>("POST", `/v1/people/${encodeURIComponent(name)}/invitation`)}
        after={() => ""}
        done={(answer) => {
          setMade(answer);
          done();
        }}
      />
      {made && <Made made={made} />}
    </>
  );
}

function Made({ made }: { made: InvitationMade }) {
  const link = new URL(made.path, location.origin).href;
  return (
    <div class="note note-good" role="status">
      <p class="note-title">{t("invite.made", { name: made.name })}</p>
      <p>
        {t("invite.made_means")} {t("invite.until")} <Time at={made.expires_at} />
      </p>
      <code class="token-made">{link}</code>
      <Qr text={link} label={t("invite.qr", { name: made.name })} />
    </div>
  );
}
