// Terminals and seals: what each last said, why it was refused, and the form that adds one.
import { useEffect, useState } from "preact/hooks";
import { mayDo } from "../doors";
import { useParties } from "../parts/act";
import { Section, Time, useAnswer } from "../parts/basics";
import { useEvery } from "../parts/money";
import { ActForm } from "../parts/money_form";
import { OrbitsPart } from "../parts/orbits";
import { SealLine } from "../parts/seal_part";
import { Table, columnsOf } from "../parts/table";
import { TerminalCommands } from "../parts/terminal_commands";
import type { SealRow, TerminalRow } from "../types";
import { named, t, tryWords } from "../words";

const READERS_MAX = 32;

export default function DevicesPage() {
  useEffect(() => void (document.title = t("devices.document_title")), []);
  return (
    <div class="page">
      <h1>{t("devices")}</h1>
      <Terminals />
      <Seals />
      {mayDo("navigation") && <OrbitsPart />}
    </div>
  );
}

function Terminals() {
  const [acts, setActs] = useState(0);
  const { name } = useParties();
  return (
    <Section id="terminals-title" title={t("devices.terminals")}>
      <Table list="terminals" title={t("devices.terminals")} columns={columnsOf("terminal", "phone", "owner", "connected", "state", "heard_at")} id={(row: TerminalRow) => row.terminal} none={t("devices.none")} follows={acts} every={5} line={(row) => <Terminal key={row.terminal} row={row} owner={name(row.owner)} done={() => setActs((n) => n + 1)} />} />
      {mayDo("terminal") ? <AddTerminal done={() => setActs((n) => n + 1)} /> : <p class="quiet">{t("devices.operator_adds")}</p>}
    </Section>
  );
}

function Terminal({ row, owner, done }: { row: TerminalRow; owner: string; done: () => void }) {
  return (
    <li>
      <div>
        <p>
          <strong>{row.terminal}</strong> <span class="quiet">{row.phone}</span> {t("devices.of", { owner })}
        </p>
        <p class="quiet">{t(row.keyed ? "devices.keyed" : "devices.claimed_only")}</p>
        <Standing row={row} />
        {row.heard_at ? (
          <p>
            {t(row.connected ? "devices.heard_live" : "devices.heard")} <Time at={row.heard_at} scale="clock" />
            {row.point && <> {t("devices.at", { lat: (row.point.latitude_udeg / 1e6).toFixed(5), lon: (row.point.longitude_udeg / 1e6).toFixed(5) })}</>}
          </p>
        ) : (
          <p class="quiet">{t(row.connected ? "devices.connected" : "devices.never_heard")}</p>
        )}
        {row.refused && (
          <p class="stop">
            {t("devices.refused", { why: tryWords(`reason.${row.refused.reason}`) ?? row.refused.sentence })} <Time at={row.refused.at} scale="clock" />
          </p>
        )}
        {mayDo("terminal") && row.state !== "retired" && <Change row={row} done={done} />}
        {mayDo("terminal") && (row.state === "enrolled" || row.state === "invited") && <TerminalCommands terminal={row.terminal} />}
      </div>
    </li>
  );
}

/** Whether the terminal may come in, and until when it may register. */
function Standing({ row }: { row: TerminalRow }) {
  const over = row.state === "invited" && Date.parse(row.invited_until) < Date.now();
  const words = named("terminal_state", over ? "lapsed" : row.state);
  return (
    <p class={over || row.state === "suspended" ? "stop" : "quiet"}>
      {words}
      {row.state === "invited" && !over && (
        <>
          {" "}
          {t("devices.until")} <Time at={row.invited_until} scale="clock" />
        </>
      )}
    </p>
  );
}

const ACTS: Record<string, { path: string; body: object }> = {
  invite: { path: "invitation", body: {} },
  void: { path: "invitation", body: { void: true } },
  suspend: { path: "suspension", body: {} },
  retire: { path: "retirement", body: {} },
};

function Change({ row, done }: { row: TerminalRow; done: () => void }) {
  const acts = Object.keys(ACTS).filter((act) => act !== "suspend" || ["invited", "enrolled"].includes(row.state));
  return (
    <ActForm
      title={t("devices.change")}
      submit={t("devices.change_go")}
      means={t("devices.change_means")}
      fields={[{ name: "what", label: t("devices.do"), kind: "choice", choices: acts.map((value) => ({ value, words: t(`devices.do_${value}`) })) }]}
      send={({ what }, act) => {
        const chosen = ACTS[what ?? ""];
        if (chosen) act(`/v1/devices/terminals/${encodeURIComponent(row.terminal)}/${chosen.path}`, chosen.body);
      }}
      after={(answer) => t("devices.changed", { state: named("terminal_state", (answer as { state: string }).state) })}
      done={done}
    />
  );
}

interface Gateway {
  host: string;
  port: number;
  strangers: { number: string; at: string }[];
}

function AddTerminal({ done }: { done: () => void }) {
  const { rows } = useParties();
  const [gateway, again] = useAnswer<Gateway>("/v1/devices/gateway");
  useEvery(5, again);
  const around = ["vehicle", "open_sky", "phone"];
  // The node keeps a list of at most so many readers of one terminal.
  const readers = (owner: string) => rows.map((row) => row.party).filter((party) => party !== owner).slice(0, READERS_MAX);
  return (
    <>
      {gateway.state === "here" && <p class="quiet">{t("devices.connect_to", { host: gateway.value.host, port: gateway.value.port })}</p>}
      <ActForm
        title={t("devices.add")}
        submit={t("devices.add_go")}
        means={t("devices.add_means")}
        fields={[
          { name: "terminal", label: t("devices.plate") },
          { name: "phone", label: t("devices.phone") },
          { name: "number", label: t("devices.number"), optional: true },
          { name: "owner", label: t("devices.owner"), kind: "choice", choices: rows.map((row) => ({ value: row.party, words: row.name || row.party })) },
          { name: "surroundings", label: t("devices.around"), kind: "choice", choices: around.map((value) => ({ value, words: named("surroundings", value) })) },
          { name: "seen", label: t("devices.seen"), kind: "choice", choices: ["owner", "all"].map((value) => ({ value, words: t(`devices.seen_${value}`) })) },
          { name: "key", label: t("devices.key"), optional: true },
        ]}
        send={({ seen, number, ...typed }, act) => act("/v1/devices/terminals", { ...typed, number: (number ?? "").replace(/\D/g, ""), readers: seen === "all" ? readers(typed["owner"] ?? "") : [] })}
        after={() => t("devices.added")}
        done={done}
      />
      {gateway.state === "here" && gateway.value.strangers.length > 0 && (
        <details open>
          <summary>{t("devices.strangers")}</summary>
          <p class="quiet">{t("devices.strangers_means")}</p>
          <ul class="plain">
            {gateway.value.strangers.map((each) => (
              <li key={each.number}>
                <code>{each.number}</code> <Time at={each.at} scale="clock" />
              </li>
            ))}
          </ul>
        </details>
      )}
    </>
  );
}

function Seals() {
  return (
    <Section id="seals-title" title={t("devices.seals")}>
      <p class="quiet">{t("devices.seals_where")}</p>
      <Table list="seals" title={t("devices.seals")} columns={columnsOf("seal", "container", "consignment", "terminal", "bound")} id={(row: SealRow) => row.seal} none={t("devices.no_seals")} live line={(row) => <SealLine key={row.seal} row={row} />} />
    </Section>
  );
}
