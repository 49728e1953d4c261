// Overview: what waits for the reader, the roads under way on a quiet map, and the node in a line.
import { useEffect, useState } from "preact/hooks";
import { useCell } from "../cell";
import { money } from "../format";
import { Loading, ProblemNote, useAnswer } from "../parts/basics";
import { MapView } from "../parts/map";
import { isMine } from "../parts/moves";
import { ShortRoad, SimulatedBand, StateWord, playing, reasonSentence, waitSentence } from "../parts/road";
import { session } from "../session";
import type { Health, RoadSummary } from "../types";
import { t } from "../words";

const anyRoad = () => true;

export function HomePage() {
  const [answer, again] = useAnswer<{ roads: RoadSummary[] }>("/v1/roads", anyRoad);
  const [wish, setWish] = useState("");
  const who = useCell(session);
  useEffect(() => {
    document.title = t("home.document_title");
  }, []);
  if (answer.state === "loading") return <Loading what={t("home.reading")} />;
  if (answer.state === "failed") return <ProblemNote problem={answer.problem} again={again} />;
  const roads = answer.value.roads.map(completed);
  const shown = roads.filter((road) => matches(road, wish));
  const mine = (road: RoadSummary) => road.moves.some(isMine);
  const parts = [...new Set(roads.flatMap((road) => road.simulated))];
  const scale = roads.some((road) => road.time_scale === "scenario") ? "scenario" : "clock";
  return (
    <>
      <SimulatedBand parts={parts} scale={scale} />
      <div class="page home">
        <div class="home-head">
          <div>
            {who?.organisation && <p class="quiet">{who.organisation}</p>}
            <h1>{t("home.title")}</h1>
          </div>
          <HealthLine />
        </div>
        {answer.problem && <ProblemNote problem={answer.problem} again={again} />}
        {roads.length === 0 ? (
          <Empty />
        ) : (
          <div class="home-grid">
            <div class="home-first">
              <label class="field search">
                <span>{t("home.search")}</span>
                <input type="search" value={wish} onInput={(event) => setWish(event.currentTarget.value)} placeholder={t("home.search_hint")} />
              </label>
              <List title={t("home.waits")} roads={shown.filter(mine)} empty={t("home.waits_none")} tone="wait" />
            </div>
            <div class="home-rest">
              <List title={t("home.under_way")} roads={shown.filter((road) => road.state === "under_way" && !mine(road))} />
              <List title={t("home.ended")} roads={shown.filter((road) => road.state !== "under_way")} />
              {shown.length === 0 && <p class="state">{t("home.no_match", { wish })}</p>}
            </div>
            <div class="home-map">
              <MapView roads={roads} />
            </div>
          </div>
        )}
      </div>
    </>
  );
}

/** A list may leave out what only one road's own page needs. */
function completed(road: Partial<RoadSummary> & RoadSummary): RoadSummary {
  return { ...road, route: road.route ?? [], parties: road.parties ?? [], sentence: road.sentence ?? "" };
}

function matches(road: RoadSummary, wish: string): boolean {
  const text = [road.label, road.consignment, road.site?.name ?? "", ...road.parties.map((party) => party.name)].join(" ");
  return text.toLowerCase().includes(wish.trim().toLowerCase());
}

function List({ title, roads, empty, tone }: { title: string; roads: RoadSummary[]; empty?: string; tone?: string }) {
  if (roads.length === 0 && !empty) return null;
  return (
    <section class={`road-list ${tone ? `road-list-${tone}` : ""}`} aria-label={title}>
      <h2>
        {title} <span class="n quiet">{roads.length}</span>
      </h2>
      {roads.length === 0 && <p class="quiet">{empty}</p>}
      <ul>
        {roads.map((road) => (
          <Row key={road.consignment} road={road} />
        ))}
      </ul>
    </section>
  );
}

function Row({ road }: { road: RoadSummary }) {
  const now = road.state === "under_way" ? waitSentence(road) : road.state === "refused" ? reasonSentence(road) : t("home.paid");
  return (
    <li>
      <a class="row" href={`/consignments/${encodeURIComponent(road.consignment)}`}>
        <span class="row-top">
          <strong class="row-label">{road.label}</strong>
          <span class="amount">{money(road.amount)}</span>
        </span>
        <span class="row-who quiet">
          {t("home.from_to", { from: playing(road, "exporter"), to: playing(road, "importer") })}
        </span>
        <ShortRoad road={road} />
        <span class="row-now">
          {road.state !== "under_way" && <StateWord road={road} />} {now}
        </span>
      </a>
    </li>
  );
}

function HealthLine() {
  const [answer] = useAnswer<Health>("/v1/node/health");
  if (answer.state !== "here") return null;
  const { alarms, services, log } = answer.value;
  const well = alarms.length === 0;
  return (
    <p class={`health-line ${well ? "" : "health-line-stop"}`}>
      <a href="/node">{well ? t("home.health_well", { services: services.length }) : t("home.health_alarms", { n: alarms.length })}</a>{" "}
      <span class="quiet">{t("home.log", { n: log.size })}</span>
    </p>
  );
}

function Empty() {
  return (
    <div class="empty">
      <h2>{t("home.empty_title")}</h2>
      <p>{t("home.empty_text")}</p>
      <pre>
        <code>{t("home.empty_command")}</code>
      </pre>
    </div>
  );
}
