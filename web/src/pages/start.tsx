// First start: the first administrator, the organisation's name, the demo, the first real device.
import { useEffect, useState } from "preact/hooks";
import { type Problem, send } from "../api";
import { useCell } from "../cell";
import { ProblemNote, asProblem } from "../parts/basics";
import { AUTHORITY_FILE, AuthorityHint, useOwnAuthority } from "../parts/own_authority";
import { PASSWORD_LETTERS_MIN, readSession, session } from "../session";
import { t } from "../words";

/** What is typed for each step: at this node's own address, and by whoever the reader names. */
function commandsAt(origin: string, own: boolean): string[] {
  const node = `--url ${origin}${own ? ` \\\n    --ca ${AUTHORITY_FILE}` : ""}`;
  return [
    `zhidao terminal add T-0001 \\\n    --phone '+86 138 0013 8000' --owner CARRIER \\\n    --as NAME ${node}`,
    t("start.device_2_command"),
    `zhidao seal put S-0001 \\\n    --container MSCU1234566 --terminal T-0001 \\\n    --consignment C-0001 \\\n    --as NAME ${node}`,
  ];
}

export default function StartPage() {
  const who = useCell(session);
  const own = useOwnAuthority();
  const commands = commandsAt(location.origin, own);
  useEffect(() => {
    document.title = t("start.document_title");
  }, []);
  return (
    <div class="page narrow start">
      <h1>{t(who?.first_start ? "start.title" : "start.title_done")}</h1>
      <p class="lead">{t(who?.first_start ? "start.text" : "start.text_done")}</p>
      {who?.first_start ? <FirstAdmin /> : <Done signedIn={!!who?.signed_in} />}
      <section aria-labelledby="demo-title">
        <h2 id="demo-title">{t("start.demo_title")}</h2>
        <p>{t("start.demo_text")}</p>
        <pre>
          <code>{t("start.demo_command")}</code>
        </pre>
      </section>
      <section aria-labelledby="device-title">
        <h2 id="device-title">{t("start.device_title")}</h2>
        <p>{t("start.device_names")}</p>
        {own && <AuthorityHint />}
        <ol class="three">
          {[1, 2, 3].map((n) => (
            <li key={n}>
              <strong>{t(`start.device_${n}_title`)}</strong>
              <p>{t(`start.device_${n}_text`)}</p>
              <pre tabIndex={0}>
                <code>{commands[n - 1]}</code>
              </pre>
            </li>
          ))}
        </ol>
      </section>
    </div>
  );
}

function Done({ signedIn }: { signedIn: boolean }) {
  return (
    <p class="verdict verdict-good">
      {t("start.done")} <a href={signedIn ? "/" : "/login"}>{t(signedIn ? "start.to_home" : "login.title")}</a>
    </p>
  );
}

/** The code that the console's link bears behind its #, which no server sees; the address forgets it. */
function codeOfLink(): string {
  const code = location.hash.slice(1);
  if (code) history.replaceState(null, "", location.pathname);
  return code;
}

function FirstAdmin() {
  const [form, setForm] = useState(() => ({ code: codeOfLink(), name: "", password: "", organisation: "" }));
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  const set = (part: Partial<typeof form>) => setForm({ ...form, ...part });
  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setProblem(null);
    try {
      await send("POST", "/v1/first-admin", form);
      await readSession();
    } catch (error) {
      setProblem(asProblem(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <form onSubmit={(event) => void submit(event)}>
      <h2>{t("start.admin_title")}</h2>
      {problem && <ProblemNote problem={problem} />}
      <label class="field">
        <span>{t("start.code")}</span>
        <input required autocomplete="one-time-code" aria-describedby="code-hint" value={form.code} onInput={(event) => set({ code: event.currentTarget.value.trim() })} />
      </label>
      <p class="hint" id="code-hint">
        {t("start.code_hint")}
      </p>
      <label class="field">
        <span>{t("start.organisation")}</span>
        <input required autocomplete="organization" value={form.organisation} onInput={(event) => set({ organisation: event.currentTarget.value })} />
      </label>
      <label class="field">
        <span>{t("login.name")}</span>
        <input required autocomplete="username" value={form.name} onInput={(event) => set({ name: event.currentTarget.value })} />
      </label>
      <label class="field">
        <span>{t("login.password")}</span>
        <input required type="password" autocomplete="new-password" minLength={PASSWORD_LETTERS_MIN} aria-describedby="password-hint" value={form.password} onInput={(event) => set({ password: event.currentTarget.value })} />
      </label>
      <p class="hint" id="password-hint">
        {t("start.password_hint", { n: PASSWORD_LETTERS_MIN })}
      </p>
      <button class="button button-main" disabled={busy}>
        {t(busy ? "login.busy" : "start.go")}
      </button>
    </form>
  );
}
