// Commands to one terminal: a form that gives one, and what came of the last.
import { useState } from "preact/hooks";
import { t, named } from "../words";
import { Time, useAnswer } from "./basics";
import { useEvery } from "./money";
import { ActForm } from "./money_form";

interface CommandRow {
  command: string;
  kind: string;
  state: string;
  asked_at: string;
  answer: { name: string; value: string }[];
}

const KINDS = ["ask_position", "ask_attributes", "ask_parameters", "check_link", "follow", "text"];

/** Opens on demand: most lines of the list are only read. */
export function TerminalCommands({ terminal }: { terminal: string }) {
  const [open, setOpen] = useState(false);
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{t("commands.title")}</summary>
      {open && <Commands terminal={terminal} />}
    </details>
  );
}

function Commands({ terminal }: { terminal: string }) {
  const path = `/v1/devices/terminals/${encodeURIComponent(terminal)}/commands`;
  const [rows, again] = useAnswer<CommandRow[]>(path);
  useEvery(3, again);
  return (
    <>
      <ActForm
        title={t("commands.give")}
        submit={t("commands.give_go")}
        means={t("commands.give_means")}
        open
        fields={[
          { name: "kind", label: t("commands.kind"), kind: "choice", choices: KINDS.map((value) => ({ value, words: named("command", value) })) },
          { name: "text", label: t("commands.text"), optional: true },
          { name: "interval", label: t("commands.interval"), optional: true },
          { name: "valid", label: t("commands.valid"), optional: true },
        ]}
        send={({ kind, text, interval, valid }, act) => act(path, { kind, text: text ?? "", interval_s: Number(interval || 0), valid_s: Number(valid || 0) })}
        done={again}
      />
      {rows.state === "here" && rows.value.length === 0 && <p class="quiet">{t("commands.none")}</p>}
      {rows.state === "here" && (
        <ul class="plain">
          {rows.value.map((row) => (
            <li key={row.command}>
              <p>
                <Time at={row.asked_at} scale="clock" /> {named("command", row.kind)}: {named("command_state", row.state)}
              </p>
              {row.answer.length > 0 && (
                <details>
                  <summary>{t("commands.answer")}</summary>
                  <dl class="facts">
                    {row.answer.map((field, place) => (
                      <div key={place}>
                        <dt>{field.name}</dt>
                        <dd>{field.value}</dd>
                      </div>
                    ))}
                  </dl>
                </details>
              )}
            </li>
          ))}
        </ul>
      )}
    </>
  );
}
