// Whoever holds an invitation sees whom it is for, and sets the own password.
import { useEffect, useState } from "preact/hooks";
import { type Problem, send } from "../api";
import { Facts, Loading, ProblemNote, Time, asProblem } from "../parts/basics";
import { useOnce } from "../parts/act";
import { NewPassword } from "../parts/form";
import { showPasskey } from "../passkeys";
import { go } from "../route";
import { readSession } from "../session";
import type { InvitationSeen, Session } from "../types";
import { named, t, tryWords } from "../words";

/** The code behind the link's #, which no server sees; the address forgets it. */
function codeOfLink(): string {
  const code = location.hash.slice(1);
  if (code) history.replaceState(null, "", location.pathname);
  return code;
}

export default function JoinPage() {
  const [code] = useState(codeOfLink);
  const [seen, setSeen] = useState<InvitationSeen | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [waits, setWaits] = useState<Waiting | null>(null);
  useEffect(() => {
    document.title = t("join.document_title");
    send<InvitationSeen>("POST", "/v1/invitations/look", { code: code || "-" }).then(setSeen, (error: unknown) => setProblem(asProblem(error)));
  }, []);
  if (waits) return <Waits {...waits} />;
  if (problem) {
    return (
      <div class="page narrow">
        <h1>{t("join.title")}</h1>
        <ProblemNote problem={problem} />
        <a class="button" href="/login">
          {t("login.title")}
        </a>
      </div>
    );
  }
  return seen ? <Join code={code} seen={seen} waits={setWaits} /> : <Loading what={t("join.reading")} />;
}

/** Who set a password that counts once the party agrees; this page alone remembers it, until it is left. */
interface Waiting {
  name: string;
  party: string;
  password: string;
}

function Waits({ name, party, password }: Waiting) {
  const { go: enter, busy, problem } = useOnce(
    async () => {
      const answer = await send<Session>("POST", "/v1/session", { name, password });
      if (answer?.passkey) await showPasskey(answer.passkey);
      await readSession();
    },
    () => go("/", true),
  );
  return (
    <div class="page narrow">
      <h1>{t("join.set")}</h1>
      <p class="verdict verdict-good" role="status">
        {t("join.waits", { party: tryWords(`party.${party}`) ?? party })}
      </p>
      {problem && <ProblemNote problem={problem} />}
      <button type="button" class="button button-main" disabled={busy} onClick={enter}>
        {t("join.enter")}
      </button>
    </div>
  );
}

function Join({ code, seen, waits }: { code: string; seen: InvitationSeen; waits: (waiting: Waiting) => void }) {
  const [password, setPassword] = useState("");
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  const submit = async (event: Event) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setProblem(null);
    try {
      const answer = await send<Session>("POST", "/v1/invitations/join", { code, password });
      if (answer?.passkey) await showPasskey(answer.passkey);
      else if (!answer?.signed_in) {
        waits({ name: seen.name, party: seen.party, password });
        return;
      }
      await readSession();
      go("/", true);
    } catch (error) {
      setProblem(asProblem(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <form class="page narrow" onSubmit={(event) => void submit(event)}>
      <h1>{t("join.title")}</h1>
      <p class="lead">{t("join.text", { organisation: seen.organisation })}</p>
      {problem && <ProblemNote problem={problem} />}
      <Facts
        rows={[
          [t("login.name"), <strong>{seen.name}</strong>],
          [t("people.party"), tryWords(`party.${seen.party}`) ?? seen.party],
          [t("people.role"), t("told.with", { what: named("role", seen.role), more: t(`role_means.${seen.role}`) })],
          [t("invite.until"), <Time at={seen.expires_at} />],
        ]}
      />
      <NewPassword label={t("join.password")} value={password} set={setPassword} />
      <button class="button button-main" disabled={busy}>
        {t(busy ? "login.busy" : "join.go")}
      </button>
    </form>
  );
}
