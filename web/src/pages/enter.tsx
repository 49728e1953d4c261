// A one-time link that the node printed: the code stands after # and never reaches a server's log.
import { useEffect, useState } from "preact/hooks";
import { type Problem, send } from "../api";
import { ProblemNote, asProblem } from "../parts/basics";
import { go } from "../route";
import { readSession } from "../session";
import { t } from "../words";

export function EnterPage() {
  const [problem, setProblem] = useState<Problem | null>(null);
  useEffect(() => {
    document.title = t("enter.document_title");
    const code = location.hash.slice(1);
    history.replaceState(null, "", "/enter");
    if (!code) {
      go("/", true);
      return;
    }
    send("POST", "/v1/session/link", { code })
      .then(readSession)
      .then(
        () => go("/", true),
        (error: unknown) => setProblem(asProblem(error)),
      );
  }, []);
  if (!problem) return <p class="state">{t("enter.opening")}</p>;
  return (
    <div class="page narrow">
      <ProblemNote problem={problem} />
      <p>{t("enter.used")}</p>
      <a class="button" href="/login">
        {t("login.title")}
      </a>
    </div>
  );
}
