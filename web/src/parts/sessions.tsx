// Where somebody is signed in, and the ends of it: one browser, or all of them.
import { useState } from "preact/hooks";
import { send } from "../api";
import type { SessionRow } from "../types";
import { t } from "../words";
import { ActButton } from "./act";
import { Loading, ProblemNote, Time, useAnswer } from "./basics";

/** The list behind its button, read when somebody opens it. */
export function Sessions({ name, done }: { name: string; done: () => void }) {
  const [open, setOpen] = useState(false);
  return (
    <details class="confirmed" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary class="button">{t("sessions.title")}</summary>
      {open && <SessionList name={name} done={done} />}
    </details>
  );
}

export function SessionList({ name, done }: { name: string; done: () => void }) {
  const at = `/v1/people/${encodeURIComponent(name)}/sessions`;
  const [answer, again] = useAnswer<SessionRow[]>(at);
  if (answer.state === "loading") return <Loading what={t("sessions.reading")} />;
  if (answer.state === "failed") return <ProblemNote problem={answer.problem} again={again} />;
  const others = answer.value.filter((each) => !each.here);
  const ended = () => {
    again();
    done();
  };
  return (
    <>
      {answer.value.length === 0 && <p class="quiet">{t("sessions.none", { name })}</p>}
      <ul class="services">
        {answer.value.map((each) => (
          <li key={each.session}>
            <div>
              <p>
                <strong>{each.here ? t("sessions.here") : t("sessions.elsewhere")}</strong> {t("sessions.since")} <Time at={each.began_at} />
                {each.block && ` · ${t("sessions.from", { block: each.block })}`}
              </p>
              <p class="quiet">
                {t("sessions.until")} <Time at={each.ends_at} />
              </p>
              {!each.here && <ActButton button={t("sessions.end")} means={t("sessions.end_means")} act={() => send("DELETE", `${at}/${each.session}`)} after={() => ""} done={ended} />}
            </div>
          </li>
        ))}
      </ul>
      {others.length > 1 && <ActButton button={t("sessions.end_others")} means={t("sessions.end_others_means")} act={() => send("DELETE", `${at}?others=true`)} after={() => t("people.done")} done={ended} />}
    </>
  );
}
