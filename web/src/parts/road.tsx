// The road: one straight line of milestones, whole on a consignment's page, short in a list.
import type { ComponentChildren } from "preact";
import { Time } from "./basics";
import { isMine, movesTo, placeOf } from "./moves";
import { Seal } from "./seal";
import { MilestoneMark } from "./shapes";
import { money, time, zoneWords } from "../format";
import type { Args, Milestone, MilestoneKey, Move, Road, RoadSummary, Said, Scale } from "../types";
import { list, named, sentences, t, tryWords } from "../words";

/** There is a deal, and it is between others. */
export function isDealWithheld(road: Road): boolean {
  return road.milestones.some(({ key, state }) => key === "payment" && state === "withheld");
}

/** Whether a road is over for its reader: decided, or done as far as a reader without its money sees. */
export function isOver(road: RoadSummary): boolean {
  if (road.state !== "under_way") return true;
  const states = road.milestones.map(({ state }) => state);
  return states.includes("withheld") && states.every((state) => state === "done" || state === "withheld");
}

/** A part in the trade as the catalogues spell it: `importer's bank` is importer_bank. */
export function plainRole(role: string): string {
  return role.toLowerCase().replace(/['\u2019]s\b/g, "").replace(/[^a-z]+/g, "_");
}

/** The name of who plays a part in the trade (exporter, importer_bank). */
export function playing(road: RoadSummary, role: string): string {
  const found = road.parties.find((info) => plainRole(info.trade_role) === role || plainRole(info.party) === role);
  return found ? partyName(road, found.party) : named("trade_role", role);
}

/** A party's name for people: what the road calls it, else its identifier in words. */
export function partyName(road: RoadSummary, party: string): string {
  if (!party) return t("nobody");
  return road.parties.find((info) => info.party === party)?.name || named("party", party);
}

/** What a road waits for, a sentence for each who must move. */
export function waitSentence(road: RoadSummary): string {
  return sentences(road.moves.map((move) => moveSentence(road, move)));
}

/** Why a road ended where it ended: our words for the reason, else the node's sentence. */
export function reasonSentence(road: { reason: string; sentence: string }): string {
  return tryWords(`reason.${road.reason}`) ?? (road.sentence || named("reason", road.reason));
}

function sentence(road: RoadSummary, milestone: Milestone): string {
  if (milestone.state === "refused") return reasonSentence(road);
  if (milestone.state === "next") return t(`milestone.${milestone.key}.next`);
  const args: Args = { ...milestone.sentence_args };
  for (const name of ["party", "holder", "payer", "payee", "bank", "carrier"]) {
    if (typeof args[name] === "string") args[name] = partyName(road, args[name] as string);
  }
  args["amount"] = money(road.amount);
  return (
    tryWords(milestone.sentence_key, args) ??
    t(`milestone.${milestone.key}.${milestone.state}`, args)
  );
}

/** Where on the page a milestone that does not move yet is explained. */
const PLACES: Partial<Record<MilestoneKey, string>> = {
  papers: "papers-title",
  arrival: "arrival-title",
  border: "conditions-title",
  title: "goods-title",
  payment: "money-title",
};

export function RoadLine({ road }: { road: Road }) {
  const said = new Map<string, Said>(road.said.map((item) => [item.id, item]));
  const first = road.milestones.find((milestone) => milestone.state === "next");
  const years = new Set(road.milestones.flatMap((milestone) => (milestone.recorded_at ? [time(milestone.recorded_at, "year")] : [])));
  return (
    <section aria-labelledby="road-title">
      <h2 id="road-title" class="sr-only">
        {t("road.label")}
      </h2>
      <p class="quiet zone">{[t("scale.road", { zone: zoneWords() }), ...years].join(" ")}</p>
      <ol class={`road road-${road.state}`}>
      {road.milestones.map((milestone) => {
        const fact = said.get(milestone.event);
        return (
          <li key={milestone.key} class={`stone stone-${milestone.state}`} aria-current={milestone === first ? "step" : undefined}>
            <MilestoneMark state={milestone.state} />
            <div class="stone-words">
              <h3>
                {named("milestone", milestone.key)}
                <span class="stone-state">{named("state", milestone.state)}</span>
              </h3>
              <p>{sentence(road, milestone)}</p>
              {milestone.of > 0 && <p class="stone-count">{t("road.there_of", { there: milestone.there, of: milestone.of })}</p>}
              {milestone.state === "next" && movesTo(road, milestone.key).map((move) => <MoveLine key={move.key} road={road} move={move} />)}
              {milestone.at && (
                <div class="stone-foot">
                  <span class="quiet">
                    <Time at={milestone.recorded_at} style="in_year" />
                  </span>
                  {fact && <Seal said={fact} />}
                </div>
              )}
              {(milestone.state === "refused" || (milestone.state === "next" && !movesTo(road, milestone.key).some(isMine))) && PLACES[milestone.key] && (
                <a class="button stone-way" href={`#${PLACES[milestone.key]}`}>
                  {t(`see.${milestone.key}`)}
                </a>
              )}
            </div>
          </li>
        );
      })}
      </ol>
    </section>
  );
}

/** One act that waits: with whose move it is, or, to whom it is, with the way there. */
export function moveSentence(road: RoadSummary, move: Move): string {
  const what = named("waits", move.key);
  return isMine(move) ? t("waits.mine", { what }) : t("waits.by", { what, party: partyName(road, move.party) });
}

export function MoveLine({ road, move }: { road: RoadSummary; move: Move }) {
  return (
    <>
      <p>{moveSentence(road, move)}</p>
      {isMine(move) && (
        <a class="button button-main stone-way" href={placeOf(move.key, road.consignment)}>
          {named("do", move.key)}
        </a>
      )}
    </>
  );
}

/** What waits for the reader on a consignment, on top of its page. */
export function MyMoves({ road }: { road: RoadSummary }) {
  const mine = road.moves.filter(isMine);
  if (mine.length === 0) return null;
  return (
    <section class="note note-wait my-moves" aria-label={t("home.waits")}>
      <p class="note-title">{t("home.waits")}</p>
      {mine.map((move) => (
        <a key={move.key} class="button button-main" href={placeOf(move.key, road.consignment)}>
          {named("do", move.key)}
        </a>
      ))}
    </section>
  );
}

/** Seven marks on a line and the words of the place where the road stands now. */
export function ShortRoad({ road }: { road: RoadSummary }) {
  const done = road.milestones.filter((milestone) => milestone.state === "done").length;
  return (
    <div
      class={`short-road road-${road.state}`}
      role="img"
      aria-label={t("road.progress", { done, all: road.milestones.length })}
    >
      {road.milestones.map((milestone) => (
        <span key={milestone.key} class={`pebble pebble-${milestone.state}`} />
      ))}
    </div>
  );
}

export function StateWord({ road, alone = false }: { road: RoadSummary; alone?: boolean }) {
  const tone = road.state === "paid" ? "good" : road.state === "refused" ? "stop" : "plain";
  return <span class={`word word-${tone} ${alone ? "word-alone" : ""}`}>{named("road_state", road.state)}</span>;
}

/** Which zone the instants of a page are in, where no band says it. */
export function ZoneLine({ scale }: { scale: Scale }) {
  if (scale === "scenario") return null;
  return <p class="quiet zone">{t("scale.zone", { zone: zoneWords() })}</p>;
}

/** The band across the page wherever something is not from the world but from a simulation. */
export function SimulatedBand({ parts, scale, children }: { parts: string[]; scale?: Scale; children?: ComponentChildren }) {
  if (parts.length === 0) return null;
  return (
    <p class="band">
      <strong>{t("simulated.title")}</strong>{" "}
      {t("simulated.parts", { parts: list(parts.map((part) => named("part", part))) })}
      {scale === "scenario" && <> {t("scale.two", { zone: zoneWords() })}</>}
      {children}
    </p>
  );
}
