// The corridor at a glance: a few figures, each of which leads to the roads that it counts.
import { country, lasting, money, number } from "../format";
import type { Corridor, CorridorRoad, Held } from "../types";
import { named, t, tryWords } from "../words";
import { isOver, partyName } from "./road";

/** Which roads a figure counts: its kind, and of what. */
export type Of = [kind: string, ...rest: string[]];

export const crossingName = (crossing: string) => tryWords(`crossing.${crossing}`) ?? crossing;

export function ofAddress(): Of | null {
  const told = new URLSearchParams(location.search).get("of");
  return told ? (told.split(".") as Of) : null;
}

/** Whether a road is one of those that a figure counts. */
export function picked(road: CorridorRoad, [kind, first = "", second = ""]: Of): boolean {
  switch (kind) {
    case "under_way":
      return !isOver(road);
    case "refused":
      return road.state === kind;
    case "held":
      return road.money === "reserved" && road.amount.currency === first;
    case "paid":
      return road.money === "paid" && road.amount.currency === first;
    case "at":
      return road.at === first;
    case "waits":
      return road.moves.some((move) => move.key === first && move.party === second);
    default:
      return true;
  }
}

const WAITS_SHOWN = 6;

export function Glance({ corridor, of, choose }: { corridor: Corridor; of: Of | null; choose: (of: Of | null) => void }) {
  const { roads, crossings, held, paid } = corridor;
  const under = roads.filter((road) => !isOver(road));
  const simulated = roads.filter((road) => road.simulated.includes("parties")).length;
  const chosen = of?.join(".") ?? "";
  const Figure = ({ to, figure, words, more }: { to: Of; figure: string; words: string; more?: string }) => (
    <li>
      <button type="button" class="glance-figure" aria-pressed={chosen === to.join(".")} onClick={() => choose(chosen === to.join(".") ? null : to)}>
        <strong class="n">{figure}</strong> <span>{words}</span> {more && <span class="quiet">{more}</span>}
      </button>
    </li>
  );
  const sums = (kind: string, rows: Held[], words: string) =>
    rows.map((row) => <Figure key={`${kind}${row.currency}`} to={[kind, row.currency]} figure={money(row)} words={words} more={t("glance.of", { n: row.consignments, simulated: row.simulated })} />);
  return (
    <section class="glance" aria-labelledby="glance-title">
      <h2 id="glance-title">{t("glance.title")}</h2>
      {simulated > 0 && <p class="quiet">{t("glance.simulated", { n: simulated, all: roads.length })}</p>}
      {corridor.more && <p class="quiet">{t("glance.more", { n: roads.length })}</p>}
      <ul class="glance-figures">
        <Figure to={["under_way"]} figure={number(under.length)} words={t("glance.under_way")} />
        {sums("held", held, t("glance.held"))}
        {sums("paid", paid, t("glance.paid"))}
        {crossings.map((each) => (
          <Figure
            key={each.crossing + each.side}
            to={["at", each.crossing]}
            figure={each.middle_s === null ? t("glance.few") : lasting(each.middle_s)}
            words={t("glance.crossing", { crossing: crossingName(each.crossing), country: country(each.side) })}
            more={each.slow_s === null ? t("glance.here", { n: each.here }) : t("glance.crossing_more", { slow: lasting(each.slow_s), n: each.seen, here: each.here, within: lasting(each.within_s) })}
          />
        ))}
      </ul>
      <Waits roads={under} chosen={chosen} choose={choose} />
      {of && (
        <p>
          <button type="button" class="button" onClick={() => choose(null)}>
            {t("glance.all")}
          </button>
        </p>
      )}
    </section>
  );
}

/** What waits on the corridor and whose move it is, most of it first. */
function Waits({ roads, chosen, choose }: { roads: CorridorRoad[]; chosen: string; choose: (of: Of | null) => void }) {
  const found = new Map<string, { key: string; party: string; road: CorridorRoad; n: number }>();
  for (const road of roads)
    for (const { key, party } of road.moves) {
      const known = found.get(`${key}.${party}`);
      if (known) known.n += 1;
      else found.set(`${key}.${party}`, { key, party, road, n: 1 });
    }
  const rows = [...found.values()].sort((a, b) => b.n - a.n).slice(0, WAITS_SHOWN);
  if (rows.length === 0) return null;
  return (
    <ul class="glance-waits" aria-label={t("glance.waits")}>
      {rows.map(({ key, party, road, n }) => (
        <li key={key + party}>
          <button type="button" class="glance-wait" aria-pressed={chosen === `waits.${key}.${party}`} onClick={() => choose(chosen === `waits.${key}.${party}` ? null : ["waits", key, party])}>
            {t("glance.wait", { n, what: named("waits", key), party: partyName(road, party) })}
          </button>
        </li>
      ))}
    </ul>
  );
}
