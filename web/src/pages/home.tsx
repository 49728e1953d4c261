// Overview: the corridor at a glance, what waits for the reader, the roads on a quiet map, the node in a line.
import { useEffect, useState } from "preact/hooks";
import { get } from "../api";
import { useCell } from "../cell";
import { mayOpen } from "../doors";
import { money } from "../format";
import { Loading, ProblemNote, useAnswer } from "../parts/basics";
import { Glance, type Of, crossingName, ofAddress, picked } from "../parts/glance";
import { MapView } from "../parts/map";
import { isMine } from "../parts/moves";
import { ShortRoad, SimulatedBand, StateWord, isOver, playing, reasonSentence, waitSentence } from "../parts/road";
import { session } from "../session";
import type { Corridor, CorridorRoad, Health, PartyInfo } from "../types";
import { t } from "../words";

const anyRoad = () => true;
// So many rows of a list before the reader asks for the rest.
const SHOWN = 12;

/** Since when a payment is one of today, by the reader's own day. */
function midnight(): string {
  const day = new Date();
  day.setHours(0, 0, 0, 0);
  return day.toISOString();
}

export function HomePage() {
  const [answer, again] = useAnswer<Corridor>(`/v1/corridor?since=${encodeURIComponent(midnight())}`, anyRoad, asked);
  const [wish, setWish] = useState("");
  const [of, setOf] = useState<Of | null>(ofAddress);
  const who = useCell(session);
  useEffect(() => {
    document.title = t("home.document_title");
  }, []);
  if (answer.state === "loading") return <Loading what={t("home.reading")} />;
  if (answer.state === "failed") return <ProblemNote problem={answer.problem} again={again} />;
  const corridor = answer.value;
  const { roads } = corridor;
  const shown = roads.filter((road) => matches(road, wish) && (!of || picked(road, of)));
  const mine = (road: CorridorRoad) => road.moves.some(isMine);
  const parts = [...new Set(roads.flatMap((road) => road.simulated))];
  const scale = roads.some((road) => road.time_scale === "scenario") ? "scenario" : "clock";
  const choose = (next: Of | null) => {
    setOf(next);
    history.replaceState(null, "", next ? `/?of=${encodeURIComponent(next.join("."))}` : "/");
  };
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
          <>
            <Glance corridor={corridor} of={of} choose={choose} />
            <div class="home-grid">
              <div class="home-first">
                <label class="field search">
                  <span>{t("home.search")}</span>
                  <input type="search" value={wish} onInput={(event) => setWish(event.currentTarget.value)} placeholder={t("home.search_hint")} />
                </label>
                <List title={t("home.waits")} roads={shown.filter(mine)} {...(of ? {} : { empty: t("home.waits_none") })} tone="wait" />
              </div>
              <div class="home-rest">
                <List title={t("home.under_way")} roads={shown.filter((road) => !isOver(road) && !mine(road))} />
                <List title={t("home.ended")} roads={shown.filter((road) => isOver(road) && !mine(road))} />
                {shown.length === 0 && <p class="state">{wish ? t("home.no_match", { wish }) : t("glance.none")}</p>}
              </div>
              <div class="home-map">
                <MapView roads={roads} />
              </div>
            </div>
          </>
        )}
      </div>
    </>
  );
}

/** The overview, its roads in the shape that lines and map draw from. */
async function asked(path: string): Promise<Corridor> {
  const corridor = await get<Omit<Corridor, "roads"> & { parties: PartyInfo[]; roads: (Omit<CorridorRoad, "parties"> & { parties: string[] })[] }>(path);
  const named = (parties: string[]) => corridor.parties.filter((each) => parties.includes(each.party));
  const roads = corridor.roads.map((road) => ({ ...road, parties: named(road.parties), sentence: "", told: null, waits_for: road.moves[0] ?? null, route: road.ends, milestones: road.stones.map(([key, state]) => ({ key, state })) }));
  return { ...corridor, roads: roads as unknown as CorridorRoad[] };
}

function matches(road: CorridorRoad, wish: string): boolean {
  const text = [road.label, road.consignment, road.site?.name ?? "", ...road.parties.map((party) => party.name)].join(" ");
  return text.toLowerCase().includes(wish.trim().toLowerCase());
}

function List({ title, roads, empty, tone }: { title: string; roads: CorridorRoad[]; empty?: string; tone?: string }) {
  const [all, setAll] = useState(false);
  if (roads.length === 0 && !empty) return null;
  return (
    <section class={`road-list ${tone ? `road-list-${tone}` : ""}`} aria-label={title}>
      <h2>
        {title} <span class="n quiet">{roads.length}</span>
      </h2>
      {roads.length === 0 && <p class="quiet">{empty}</p>}
      <ul>
        {roads.slice(0, all ? roads.length : SHOWN).map((road) => (
          <Row key={road.consignment} road={road} />
        ))}
      </ul>
      {!all && roads.length > SHOWN && (
        <button type="button" class="button" onClick={() => setAll(true)}>
          {t("home.show_all", { n: roads.length })}
        </button>
      )}
    </section>
  );
}

function Row({ road }: { road: CorridorRoad }) {
  const now = road.state === "refused" ? reasonSentence(road) : road.state === "paid" ? t("home.paid") : isOver(road) ? t("home.seen") : waitSentence(road);
  const words = (
    <>
      <span class="row-top">
        <strong class="row-label">{road.label}</strong>
        <span class="amount">{money(road.amount)}</span>
      </span>
      <span class="row-who quiet">
        <span class="c-data">{road.consignment}</span> ·{" "}
        {road.simulated.includes("parties") && <span class="simulated-word">{t("home.simulated")}</span>} {t("home.from_to", { from: playing(road, "exporter"), to: playing(road, "importer") })}
        {road.at && <> · {t("glance.at", { crossing: crossingName(road.at) })}</>}
      </span>
      <ShortRoad road={road} />
      <span class="row-now">
        {road.state !== "under_way" && <StateWord road={road} />} {now}
      </span>
    </>
  );
  return <li>{mayOpen(`/consignments/${road.consignment}`) ? <a class="row" href={`/consignments/${encodeURIComponent(road.consignment)}`}>{words}</a> : <div class="row">{words}</div>}</li>;
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
