// By which identities of a provider somebody signs in: listed, linked by their holder, unlinked.
import { useState } from "preact/hooks";
import { send } from "../api";
import type { IdentityRow } from "../types";
import { t } from "../words";
import { ActButton } from "./act";
import { Loading, ProblemNote, Section, Time, useAnswer } from "./basics";
import { Form } from "./form";

// So long the page that is being left says that it is on the way.
const LEAVING_MS = 10_000;

/** Goes to the provider; the browser comes back to the page /login/back. */
export async function goToProvider(path: string, body?: object): Promise<void> {
  const answer = await send<{ url: string }>("POST", path, body);
  if (answer) location.assign(answer.url);
  await new Promise((done) => setTimeout(done, LEAVING_MS));
}

export function Identities({ name, provider }: { name: string; provider: string }) {
  const at = `/v1/people/${encodeURIComponent(name)}/identities`;
  const [answer, again] = useAnswer<IdentityRow[]>(at);
  const rows = answer.state === "here" ? answer.value : [];
  if (!provider && rows.length === 0) return null;
  return (
    <Section id="identities-title" title={t("identities.title")}>
      <p class="quiet">{t("identities.means")}</p>
      {answer.state === "loading" && <Loading what={t("identities.reading")} />}
      {answer.state === "failed" && <ProblemNote problem={answer.problem} again={again} />}
      <ul class="services">
        {rows.map((each) => (
          <li key={each.identity}>
            <div>
              <p>
                <strong>{each.value}</strong> {t("identities.at", { issuer: each.issuer })}
              </p>
              <p class="quiet">
                {t("identities.since")} <Time at={each.linked_at} />
              </p>
              <ActButton button={t("identities.unlink")} means={t("identities.unlink_means")} act={() => send("DELETE", `${at}/${each.identity}`)} after={() => ""} done={again} />
            </div>
          </li>
        ))}
      </ul>
      {provider && answer.state === "here" && rows.length === 0 && <Link provider={provider} />}
    </Section>
  );
}

function Link({ provider }: { provider: string }) {
  const [password, set] = useState("");
  return (
    <Form title={t("identities.link", { provider })} submit={t("identities.link_go")} send={() => goToProvider("/v1/session/provider/link", { password })} done={() => undefined} after={() => set("")}>
      <p class="hint">{t("identities.link_means", { provider })}</p>
      <label class="field">
        <span>{t("access.old")}</span>
        <input required type="password" autocomplete="current-password" value={password} onInput={(event) => set(event.currentTarget.value)} />
      </label>
    </Form>
  );
}
