// The node's health: alarms first, then services and the log.
import { useEffect } from "preact/hooks";
import { lasting, number } from "../format";
import { Digits, Facts, Loading, ProblemNote, Section, Time, useAnswer } from "../parts/basics";
import { MilestoneMark } from "../parts/shapes";
import type { Health } from "../types";
import { named, t, tryWords } from "../words";

const AGAIN_MS = 10_000;
const WELL = new Set(["ready", "ok", "running", "up", "live"]);

export function NodePage() {
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
                <p class="note-title">{tryWords(`alarm.${alarm.code}`) ?? alarm.sentence}</p>
                {tryWords(`alarm.${alarm.code}`) && <p>{alarm.sentence}</p>}
                <p>{alarm.remedy}</p>
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
                  <p class="quiet">{service.detail}</p>
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
            ]}
          />
        </Section>
      </div>
    </div>
  );
}
