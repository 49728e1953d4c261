// Signing in with name and password.
import { useEffect, useState } from "preact/hooks";
import { type Problem, send } from "../api";
import { ProblemNote, asProblem } from "../parts/basics";
import { readSession } from "../session";
import { t } from "../words";

export function LoginPage() {
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    document.title = t("login.document_title");
  }, []);
  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setProblem(null);
    try {
      await send("POST", "/v1/session", { name, password });
      await readSession();
    } catch (error) {
      setProblem(asProblem(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <form class="page narrow" onSubmit={(event) => void submit(event)}>
      <h1>{t("login.title")}</h1>
      <p>{t("login.text")}</p>
      {problem && <ProblemNote problem={problem} />}
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
    </form>
  );
}
