// Where a provider of identities sends the browser back: what it brought counts once.
import { useEffect, useState } from "preact/hooks";
import { Problem, send } from "../api";
import { ProblemNote, asProblem } from "../parts/basics";
import { showPasskey } from "../passkeys";
import { wantedBy } from "../returning";
import { go } from "../route";
import { readSession, session } from "../session";
import type { Session } from "../types";
import { t } from "../words";

/** What stands in the address, which forgets it at once. */
function broughtBack(): URLSearchParams {
  const brought = new URLSearchParams(location.search);
  history.replaceState(null, "", location.pathname);
  return brought;
}

async function finish(brought: URLSearchParams): Promise<void> {
  const code = brought.get("code");
  if (!code) throw new Problem(0, "provider_refused", t("back.refused"), "", "");
  const answer = await send<Session>("POST", "/v1/session/provider/finish", { code, state: brought.get("state") || "-", issuer: brought.get("iss") ?? "" });
  if (answer?.passkey) await showPasskey(answer.passkey);
}

export default function BackPage() {
  const [problem, setProblem] = useState<Problem | null>(null);
  const [brought] = useState(broughtBack);
  useEffect(() => {
    document.title = t("login.document_title");
    const linking = !!session.value?.signed_in;
    finish(brought)
      .then(readSession)
      .then(
        () => go(linking ? "/access" : wantedBy(session.value?.name ?? ""), true),
        (error: unknown) => setProblem(asProblem(error)),
      );
  }, []);
  if (!problem) return <p class="state">{t("back.reading")}</p>;
  const inside = !!session.value?.signed_in;
  return (
    <div class="page narrow">
      <h1>{t("login.title")}</h1>
      <ProblemNote problem={problem} />
      <a class="button" href={inside ? "/access" : "/login"}>
        {t(inside ? "access.title" : "login.title")}
      </a>
    </div>
  );
}
