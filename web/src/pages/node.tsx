// The node's health: alarms first, then services and the log.
import type { ComponentChildren, ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Problem } from "../api";
import { mayDo } from "../doors";
import { lasting, number, zoneWords } from "../format";
import { Digits, English, Facts, Loading, ProblemNote, Section, Time, asProblem, useAnswer } from "../parts/basics";
import { MilestoneMark } from "../parts/shapes";
import type { Health } from "../types";
import { named, t, tryWords, withWords } from "../words";

const AGAIN_MS = 10_000;
const WELL = new Set(["ready", "ok", "running", "up", "live"]);

export default function NodePage() {
  const [answer, again] = useAnswer<Health>("/v1/node/health");
  useEffect(() => {
    document.title = t("node.document_title");
    const timer = setInterval(again, AGAIN_MS);
    return () => clearInterval(timer);
  }, []);
  if (answer.state === "loading") return <Loading what={t("node.reading")} />;
  if (answer.state === "failed") return <ProblemNote problem={answer.problem} again={again} />;
  const health = answer.value;
  return (
    <div class="page">
      <h1>{t("node.title")}</h1>
      {answer.problem && <ProblemNote problem={answer.problem} again={again} />}
      <Section id="alarms-title" title={t("node.alarms")}>
        {health.alarms.length === 0 ? (
          <p class="good">{t("node.no_alarms")}</p>
        ) : (
          <ul class="alarms">
            {health.alarms.map((alarm) => (
              <li key={alarm.code} class="note note-stop">
                <AlarmWords alarm={alarm} />
              </li>
            ))}
          </ul>
        )}
      </Section>
      <div class="two">
        <Section id="services-title" title={t("node.services")}>
          <ul class="services">
            {health.services.map((service) => (
              <li key={service.name}>
                <MilestoneMark state={WELL.has(service.state) ? "done" : "refused"} />
                <div>
                  <strong>{named("service", service.name)}</strong> <span>{named("service_state", service.state)}</span>
                  <Detail service={service} />
                </div>
              </li>
            ))}
          </ul>
        </Section>
        <Section id="log-title" title={t("node.log")}>
          <p class="quiet">{t("node.log_means")}</p>
          <Facts
            rows={[
              [t("node.log_size"), <span class="n">{number(health.log.size)}</span>],
              [t("node.log_root"), <Digits value={health.log.root} />],
              [t("node.log_at"), health.log.checkpoint_at ? <Time at={health.log.checkpoint_at} style="full" /> : t("node.no_time")],
              [t("node.version"), health.version],
              [t("node.uptime"), lasting(health.uptime_s)],
              ...(health.now ? ([[t("node.now"), <Time at={health.now} style="full" />]] as [string, ComponentChildren][]) : []),
              ...(health.scenario_at ? ([[t("node.scenario_now"), <Time at={health.scenario_at} style="full" />]] as [string, ComponentChildren][]) : []),
              [t("node.zone"), zoneWords()],
            ]}
          />
        </Section>
      </div>
      {mayDo("records") && <Records />}
    </div>
  );
}

/** What only who runs the node may see, fetched when such a reader comes. */
function Records() {
  const [found, set] = useState<{ Page: ComponentType } | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  useEffect(() => {
    withWords(import("./node_records")).then(
      (module) => set({ Page: module.default }),
      (error: unknown) => setProblem(asProblem(error)),
    );
  }, []);
  if (problem) return <ProblemNote problem={problem} />;
  return found ? <found.Page /> : <Loading what={t("node.reading")} />;
}

/** An alarm in the reader's words, with its numbers and what to do; else as the node says it. */
function AlarmWords({ alarm }: { alarm: Health["alarms"][number] }) {
  const [code] = alarm.code.split(":") as [string];
  const args = alarm.args ?? {};
  const more = [
    tryWords(`alarm.${code}.with`, args),
    tryWords(`problem.${args["problem"]}`),
    tryWords(`recovering.${args["kind"]}`, args),
  ].filter((words) => words !== null);
  const remedy = tryWords(`remedy.${code}`, args);
  return (
    <>
      <p class="note-title">{tryWords(`alarm.${code}`) ?? <span lang="en">{alarm.sentence}</span>}</p>
      {more.map((words) => (
        <p key={words}>{words}</p>
      ))}
      {remedy ? <p>{remedy}</p> : <English text={alarm.remedy} />}
    </>
  );
}

/** Name and version of a part that answers; of one that does not, why, as far as words know it. */
function Detail({ service }: { service: Health["services"][number] }) {
  if (!service.code) return <p class="quiet">{service.detail}</p>;
  const words = tryWords(`problem.${service.code}`);
  return (
    <>
      {words && <p>{words}</p>}
      <p class="quiet" lang="en">
        {service.detail}
      </p>
    </>
  );
}
