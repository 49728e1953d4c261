// Signing in: name and password, and a passkey after them or alone.
import { useEffect, useState } from "preact/hooks";
import { type Problem, send } from "../api";
import { useCell } from "../cell";
import { ProblemNote, asProblem } from "../parts/basics";
import { goToProvider } from "../parts/identities";
import { enterByPasskey, hasPasskeys, showPasskey } from "../passkeys";
import { wanted } from "../returning";
import { readSession, session } from "../session";
import type { Session } from "../types";
import { t } from "../words";

export function LoginPage() {
  const who = useCell(session);
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  const [showing, setShowing] = useState(false);
  const [ended] = useState(() => wanted()?.ended);
  useEffect(() => {
    document.title = t("login.document_title");
  }, []);
  const enter = async (way: () => Promise<unknown>) => {
    if (busy) return;
    setBusy(true);
    setProblem(null);
    try {
      await way();
      await readSession();
    } catch (error) {
      setProblem(asProblem(error));
    } finally {
      setBusy(false);
      setShowing(false);
    }
  };
  const byPassword = async () => {
    const answer = await send<Session>("POST", "/v1/session", { name, password });
    if (!answer?.passkey) return;
    setShowing(true);
    await showPasskey(answer.passkey);
  };
  const submit = (event: Event) => {
    event.preventDefault();
    void enter(byPassword);
  };
  return (
    <form class="page narrow" onSubmit={submit}>
      <h1>{t("login.title")}</h1>
      {ended && (
        <p class="note" role="status">
          {t("login.ended")}
        </p>
      )}
      <p>{t("login.text")}</p>
      {problem && <ProblemNote problem={problem} />}
      <p role="status">{showing ? t("login.passkey_now") : ""}</p>
      <label class="field">
        <span>{t("login.name")}</span>
        <input required autocomplete="username" value={name} onInput={(event) => setName(event.currentTarget.value)} />
      </label>
      <label class="field">
        <span>{t("login.password")}</span>
        <input required type="password" autocomplete="current-password" value={password} onInput={(event) => setPassword(event.currentTarget.value)} />
      </label>
      <button class="button button-main" disabled={busy}>
        {t(busy ? "login.busy" : "login.go")}
      </button>
      {hasPasskeys && (
        <button type="button" class="button" disabled={busy} onClick={() => void enter(enterByPasskey)}>
          {t("login.by_passkey")}
        </button>
      )}
      {who?.provider && (
        <button type="button" class="button" disabled={busy} onClick={() => void enter(() => goToProvider("/v1/session/provider"))}>
          {t("login.by_provider", { provider: who.provider })}
        </button>
      )}
    </form>
  );
}
