// The arrival: where, how surely, and by whose word; each mark with its own shape and sentence.
import { Term } from "../parts/term";
import { bound, distance, metres, number, odds } from "../format";
import { Facts, Time, Times } from "../parts/basics";
import { AwaitArrival, ChangeAwaited } from "../parts/await_arrival";
import { containersOf } from "../parts/carried";
import { ArrivalFigure } from "../parts/figure";
import { Fold } from "../parts/fold";
import { waitsHere } from "../parts/moves";
import { partyName } from "../parts/road";
import { Seal } from "../parts/seal";
import { Reason } from "../parts/told";
import { ArrivalMark, type MarkName } from "../parts/shapes";
import type { ArrivalInfo, Road } from "../types";
import { list, named, t } from "../words";

export function ArrivalPart({ road }: { road: Road }) {
  const { arrival, site, network } = road;
  if (!arrival) {
    return (
      <Fold id="arrival-title" title={t("arrival")} waits={waitsHere(road, "arrival-title")} says={<p class="quiet">{site ? t("arrival.none_at", { place: site.name }) : t("arrival.none")}</p>}>
        {site ? <Changeable road={road} /> : <AwaitArrival road={road} done={() => undefined} />}
      </Fold>
    );
  }
  const fact = road.said.find((item) => item.id === arrival.event);
  const proven = arrival.state === "proven";
  const away = site ? distance([site.lon, site.lat], [arrival.lon, arrival.lat]) : null;
  const placed = arrival.protection_m > 0;
  return (
    <Fold
      id="arrival-title"
      title={t("arrival")}
      waits={waitsHere(road, "arrival-title")}
      aside={<><Term name="mark" /> {fact && <Seal said={fact} />}</>}
      says={
        <p class={`arrival-word ${proven ? "good" : "stop"}`}>
          <ArrivalMark name={proven ? strongest(arrival) : "claimed"} />
          <strong>{t(proven ? "arrival.proven" : "arrival.not_proven")}</strong>
        </p>
      }
    >
      <div class="arrival">
        <div>
          {proven && <p class="quiet">{t(`strength.${strongest(arrival)}`)}</p>}
          {!proven && <Reason told={arrival.told} />}
          {placed && away !== null && site && (
            <p class="arrival-figure-words">{t(proven ? "arrival.within" : "arrival.computed", { away: metres(away), place: site.name, bound: bound(arrival.protection_m) })}</p>
          )}
          <Facts
            rows={[
              [t("arrival.observed"), <span class="instants">{fact ? <Times at={arrival.observed_at} scale={arrival.scale} recorded={fact.recorded_at} /> : <Time at={arrival.observed_at} scale={arrival.scale} />}</span>],
              ...(placed ? ([[t("arrival.place"), `${number(arrival.lat, 6)}\u00b0, ${number(arrival.lon, 6)}\u00b0`]] as [string, string][]) : []),
              ...(arrival.satellites ? ([[t("arrival.satellites"), t("arrival.satellites_epochs", { satellites: arrival.satellites, epochs: arrival.epochs })]] as [string, string][]) : []),
              ...(arrival.risk_ppb ? ([[t("arrival.risk"), odds(arrival.risk_ppb)]] as [string, string][]) : []),
              [t("arrival.network"), networkWords(road)],
            ]}
          />
          {road.network && <Reason told={road.network.told} quiet />}
          <p class="arrival-way">
            <a class="button" href={`/consignments/${encodeURIComponent(road.consignment)}/position`}>
              {t("position.open")}
            </a>
          </p>
        </div>
        {placed && site && <ArrivalFigure arrival={arrival} site={site} network={network} />}
      </div>
      <Marks road={road} arrival={arrival} />
      {!proven && (site ? <Changeable road={road} /> : <AwaitArrival road={road} done={() => undefined} />)}
    </Fold>
  );
}

/** Nothing of it is proven and no deal waits for it: what is awaited may still be changed. */
function Changeable({ road }: { road: Road }) {
  const decided = containersOf(road).some((each) => each.state === "arrived");
  if (decided || (road.money && !["paid", "released_back"].includes(road.money.state))) return null;
  return <ChangeAwaited road={road} />;
}

function strongest({ marks }: ArrivalInfo): MarkName {
  if (marks.inside_risk_ppb > 0) return "inside";
  if (marks.inside_open_sky_model_ppb > 0) return "inside_open_sky_model";
  if (marks.recomputed) return "recomputed";
  return marks.corroborated_by.length > 0 ? "corroborated" : "claimed";
}

function networkWords(road: Road): string {
  const seen = road.network;
  if (!seen) return t("network.not_asked");
  const words = named("network", seen.verdict);
  return seen.radius_m > 0 ? t("network.within", { words, radius: metres(seen.radius_m) }) : words;
}

function Marks({ road, arrival }: { road: Road; arrival: ArrivalInfo }) {
  const { marks } = arrival;
  const by = (parties: string[]) => list(parties.map((party) => partyName(road, party)));
  const rows: [MarkName, boolean, string][] = [
    ["signed_by_terminal", marks.signed_by_terminal, ""],
    ["bound_to_goods", marks.bound_to_goods, ""],
    ["recomputed", marks.recomputed, ""],
    ["corroborated", marks.corroborated_by.length > 0, by(marks.corroborated_by)],
    // One of the two: the weaker one stands where nobody measured the terminal's surroundings.
    marks.inside_open_sky_model_ppb > 0
      ? ["inside_open_sky_model", true, odds(marks.inside_open_sky_model_ppb)]
      : ["inside", marks.inside_risk_ppb > 0, marks.inside_risk_ppb > 0 ? odds(marks.inside_risk_ppb) : ""],
  ];
  return (
    <>
      <ul class="marks">
        {rows.map(([name, present, more]) => (
          <li key={name} class={present ? "mark-row" : "mark-row mark-absent"}>
            <ArrivalMark name={name} />
            <div>
              <strong>{named("mark", name)}</strong> <span class="mark-state">{t(present ? "mark.present" : "mark.absent")}</span>
              <p class="quiet">
                {t(`mark.${name}.means`)} {more}
              </p>
            </div>
          </li>
        ))}
      </ul>
      {marks.disagreed_by.length > 0 && <p class="note note-stop">{t("mark.disagreed", { who: by(marks.disagreed_by) })}</p>}
    </>
  );
}
