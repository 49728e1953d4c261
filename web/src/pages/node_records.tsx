// What who runs the node looks at beside its health: growth, jobs, letters given up, certificates,
// backups, notifications that wait, settings with their sources, and the journal of administration.
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { send } from "../api";
import { number, time } from "../format";
import { ActButton } from "../parts/act";
import { Digits, Loading, ProblemNote, Section, Time, useAnswer } from "../parts/basics";
import { Chart, useWidth } from "../parts/charts";
import { Journal } from "../parts/journal";
import { MilestoneMark } from "../parts/shapes";
import { Witnesses } from "../parts/witnesses";
import type { BackupRow, CertificateRow, DeadLetterRow, DrillRow, GrowthRow, JobRow, NodeProcesses, NotificationMessage, SettingRow, WitnessState } from "../types";
import { t, tryWords } from "../words";
import { MessageList } from "./notifications";

const AGAIN_MS = 15_000;
const SOON_DAYS = 30;
const MIB = 2 ** 20;

export default function NodeRecords() {
  return (
    <>
      <Growth />
      <Processes />
      <div class="two">
        <Jobs />
        <Certificates />
      </div>
      <WitnessesHere />
      <DeadLetters />
      <Queue />
      <Backups />
      <Drills />
      <Settings />
      <Journal follows="" />
    </>
  );
}

function WitnessesHere() {
  const [answer, again] = useAnswer<WitnessState>("/v1/trust/witness");
  useEffect(() => {
    const timer = setInterval(again, AGAIN_MS);
    return () => clearInterval(timer);
  }, [again]);
  if (answer.state === "failed") return <ProblemNote problem={answer.problem} again={again} />;
  return answer.state === "here" ? <Witnesses state={answer.value} /> : <Loading what={t("node.reading")} />;
}

/** A list that is read again from time to time, in its section. */
function Read<T>({ id, title, path, children }: { id: string; title: string; path: string; children: (rows: T[], again: () => void) => ComponentChildren }) {
  const [answer, again] = useAnswer<T[]>(path);
  useEffect(() => {
    const timer = setInterval(again, AGAIN_MS);
    return () => clearInterval(timer);
  }, [again]);
  return (
    <Section id={id} title={title}>
      {answer.state === "loading" && <Loading what={t("node.reading")} />}
      {answer.state === "failed" && <ProblemNote problem={answer.problem} again={again} />}
      {answer.state === "here" && children(answer.value, again)}
    </Section>
  );
}

function Growth() {
  return (
    <Read<GrowthRow> id="growth-title" title={t("records.growth")} path="/v1/node/growth">
      {(rows) => (
        <div class="two">
          <Line title={t("records.database")} unit="MiB" rows={rows} of={(row) => row.database_bytes / MIB} />
          <Line title={t("records.free")} unit="MiB" rows={rows} of={(row) => row.free_bytes / MIB} />
        </div>
      )}
    </Read>
  );
}

const EDGE = { left: 64, right: 12, top: 14, bottom: 32 };
const HEIGHT = 180;

/** One figure over time, from nothing up; the same as a table. */
function Line({ title, unit, rows, of }: { title: string; unit: string; rows: GrowthRow[]; of: (row: GrowthRow) => number }) {
  const [box, width] = useWidth(480);
  const first = rows[0];
  const last = rows.at(-1);
  if (!first || !last) return <p class="quiet">{t("records.growth_none")}</p>;
  const begin = Date.parse(first.at);
  const long = Math.max(Date.parse(last.at) - begin, 1);
  const top = Math.max(...rows.map(of), 1) * 1.1;
  const x = (row: GrowthRow) => EDGE.left + ((Date.parse(row.at) - begin) / long) * (width - EDGE.left - EDGE.right);
  const y = (value: number) => HEIGHT - EDGE.bottom - (value / top) * (HEIGHT - EDGE.top - EDGE.bottom);
  const words = (row: GrowthRow) => `${number(Math.round(of(row)))} ${unit}`;
  return (
    <div ref={box}>
      <Chart
        title={title}
        label={`${title}: ${words(last)}`}
        legend={`${words(last)} · ${time(last.at, "short")}`}
        table={
          <table>
            <tbody>
              {rows.map((row) => (
                <tr key={row.at}>
                  <td>
                    <Time at={row.at} />
                  </td>
                  <td class="n">{words(row)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        }
      >
        <svg viewBox={`0 0 ${width} ${HEIGHT}`} width={width} height={HEIGHT} aria-hidden="true" class="growth">
          {[0, top / 2.2, top / 1.1].map((value) => (
            <g key={value}>
              <line x1={EDGE.left} x2={width - EDGE.right} y1={y(value)} y2={y(value)} class="growth-rule" />
              <text x={EDGE.left - 8} y={y(value) + 4} text-anchor="end">
                {number(Math.round(value))}
              </text>
            </g>
          ))}
          <polyline points={rows.map((row) => `${x(row)},${y(of(row))}`).join(" ")} class="growth-line" />
          <circle cx={x(last)} cy={y(of(last))} r={3} class="growth-end" />
          <text x={EDGE.left} y={HEIGHT - 8}>
            {time(first.at, "short")}
          </text>
        </svg>
      </Chart>
    </div>
  );
}

function Jobs() {
  return (
    <Read<JobRow> id="jobs-title" title={t("records.jobs")} path="/v1/node/jobs">
      {(rows) => (
        <details>
          <summary>{t("records.jobs_run", { n: rows.filter((row) => row.failures === 0).length, all: rows.length })}</summary>
          <ul class="services">
            {rows.map((row) => (
              <li key={row.name}>
                <MilestoneMark state={row.failures ? "refused" : "done"} />
                <div>
                  <strong lang="en">{row.name}</strong> {row.since ? <Time at={row.since} /> : t("records.job_waits")}
                  {row.failures > 0 && (
                    <p class="quiet" lang="en">
                      {row.reason}
                    </p>
                  )}
                </div>
              </li>
            ))}
          </ul>
        </details>
      )}
    </Read>
  );
}

const ALIVE_S = 20;

/** Which processes there are, and which of them does what only one may. */
function Processes() {
  const [answer, again] = useAnswer<NodeProcesses>("/v1/node/roles");
  useEffect(() => {
    const timer = setInterval(again, AGAIN_MS);
    return () => clearInterval(timer);
  }, [again]);
  return (
    <Section id="processes-title" title={t("records.processes")}>
      {answer.state === "loading" && <Loading what={t("node.reading")} />}
      {answer.state === "failed" && <ProblemNote problem={answer.problem} again={again} />}
      {answer.state === "here" && <ProcessList {...answer.value} />}
    </Section>
  );
}

function ProcessList({ processes, leases }: NodeProcesses) {
  const vacant = leases.filter((lease) => lease.vacant).map((lease) => lease.role);
  return (
    <>
      {vacant.length > 0 && <p class="stop" role="alert">{t("records.process_vacant", { roles: vacant.join(", ") })}</p>}
      {processes.length === 0 && <p class="quiet">{t("records.processes_none")}</p>}
      <ul class="services">
        {processes.map((process) => {
          const held = leases.filter((lease) => !lease.vacant && lease.holder === process.name);
          return (
            <li key={process.name}>
              <MilestoneMark state={process.seen_s > ALIVE_S ? "refused" : held.length > 0 ? "done" : "next"} />
              <div>
                <strong>{process.name}</strong> {t(held.length > 0 ? "records.process_serves" : "records.process_stands_by")}{" "}
                <Time at={held[0]?.since ?? process.started_at} />
                <p class="quiet" lang="en">
                  {process.roles.join(", ")} · {process.url}
                </p>
              </div>
            </li>
          );
        })}
      </ul>
    </>
  );
}

function Certificates() {
  return (
    <Read<CertificateRow> id="certificates-title" title={t("records.certificates")} path="/v1/node/certificates">
      {(rows) =>
        rows.length === 0 ? (
          <p class="quiet">{t("records.certificates_none")}</p>
        ) : (
          <ul class="services">
            {rows.map((row) => (
              <li key={row.fingerprint}>
                <MilestoneMark state={row.days_left < 0 ? "refused" : row.days_left < SOON_DAYS ? "next" : "done"} />
                <div>
                  <strong>{row.names.join(", ")}</strong> {t("records.days_left", { n: row.days_left })}
                  <p class="quiet">
                    {t("sessions.until")} <Time at={row.ends_at} style="full" /> · {t(row.own ? "records.certificate_own" : "records.certificate_files")}
                  </p>
                  <Digits value={row.fingerprint} />
                </div>
              </li>
            ))}
          </ul>
        )
      }
    </Read>
  );
}

function DeadLetters() {
  return (
    <Read<DeadLetterRow> id="letters-title" title={t("records.letters")} path="/v1/node/dead-letters">
      {(rows) =>
        rows.length === 0 ? (
          <p class="good">{t("records.letters_none")}</p>
        ) : (
          <ul class="services">
            {rows.map((row) => (
              <li key={`${row.consumer} ${row.message}`}>
                <MilestoneMark state="refused" />
                <div>
                  <strong lang="en">{row.consumer}</strong> <Time at={row.at} />
                  <p class="quiet" lang="en">
                    {row.subject}: {row.reason}
                  </p>
                </div>
              </li>
            ))}
          </ul>
        )
      }
    </Read>
  );
}

function Queue() {
  return (
    <Read<NotificationMessage> id="queue-title" title={t("records.queue")} path="/v1/notifications/queue">
      {(rows, again) =>
        rows.length === 0 ? (
          <p class="quiet">{t("notify.sent_none")}</p>
        ) : (
          <MessageList
            whose
            rows={rows}
            act={(row) => row.state === "dead" && <ActButton button={t("notify.again")} means={t("notify.again_means")} act={() => send("POST", `/v1/notifications/queue/${row.message}/again`)} after={() => t("notify.again_sent")} done={again} />}
          />
        )
      }
    </Read>
  );
}

function Backups() {
  return (
    <Read<BackupRow> id="backups-title" title={t("records.backups")} path="/v1/node/backups">
      {(rows) => (
        <>
          {rows.length === 0 && <p class="quiet">{t("records.backups_none")}</p>}
          <ul class="services">
            {rows.map((row) => (
              <li key={row.number}>
                <MilestoneMark state="done" />
                <div>
                  <strong>
                    {row.number} · {row.file}
                  </strong>{" "}
                  <Time at={row.at} />
                  <p class="quiet">{t(row.sealed ? "records.backup_sealed" : "records.backup_open")}</p>
                </div>
              </li>
            ))}
          </ul>
          <p>{t("records.backup_how")}</p>
          <pre class="typed" tabIndex={0} lang="en">
            {"zhidao backup --data DATA -o FILE\nzhidao restore FILE --inspect\nzhidao restore FILE --data NEW"}
          </pre>
          <p class="quiet">
            <a href="/help/how-to/backup-and-restore">{t("records.backup_more")}</a>
          </p>
        </>
      )}
    </Read>
  );
}

function Drills() {
  return (
    <Read<DrillRow> id="drills-title" title={t("records.drills")} path="/v1/node/drills">
      {(rows) => (
        <>
          <ul class="services">
            {rows.map((row) => (
              <li key={row.id}>
                <MilestoneMark state={row.holds ? "done" : "refused"} />
                <div>
                  <strong>{t("records.drill_backup", { number: row.backup })}</strong> <Time at={row.at} />
                  {row.holds ? (
                    <p>{t("records.drill_back", { rows: row.rows, leaves: row.log_size, transfers: row.transfers, seconds: Math.ceil(row.ready_ms / 1000) })}</p>
                  ) : (
                    <>
                      <p>{t("records.drill_wrong")}</p>
                      <ul lang="en">
                        {row.wrong.map((sentence) => (
                          <li key={sentence}>{sentence}</li>
                        ))}
                      </ul>
                    </>
                  )}
                  <p class="quiet">{t("records.drill_lost", { minutes: Math.ceil(row.lost_s / 60), leaves: row.lost_leaves })}</p>
                </div>
              </li>
            ))}
          </ul>
          {rows.length === 0 && (
            <>
              <p>{t("records.drills_none")}</p>
              <pre class="typed" tabIndex={0} lang="en">
                {"zhidao drill FILE --data DATA"}
              </pre>
            </>
          )}
        </>
      )}
    </Read>
  );
}

function Settings() {
  return (
    <Read<SettingRow> id="settings-title" title={t("records.settings")} path="/v1/node/settings">
      {(rows) => (
        <>
          <SettingTable label={t("records.settings_set")} rows={rows.filter((row) => row.source !== "default")} />
          <details>
            <summary>{t("records.settings_all")}</summary>
            <SettingTable label={t("records.settings_all")} rows={rows} />
          </details>
        </>
      )}
    </Read>
  );
}

function SettingTable({ label, rows }: { label: string; rows: SettingRow[] }) {
  return (
    <div class="table-box" tabIndex={0} role="region" aria-label={label}>
      <table class="settings">
        <thead>
          <tr>
            {["name", "value", "source"].map((name) => (
              <th key={name} scope="col">
                {t(`records.setting_${name}`)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.name}>
              <td>
                <code title={row.text}>{row.name}</code>
              </td>
              <td>{row.value === "" ? t("none") : String(row.value)}</td>
              <td>{tryWords(`setting_source.${row.source}`) ?? <code>{row.source}</code>}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
