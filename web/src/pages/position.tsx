// Why an arrival is or is not proven: the checks in order, the bound over time, the sky, the residuals.
import { Term } from "../parts/term";
import { useCallback, useEffect, useMemo, useState } from "preact/hooks";
import { bound, metres, number, odds, time } from "../format";
import { Digits, Facts, Loading, ProblemNote, Section, Time, useAnswer } from "../parts/basics";
import { BoundChart, Chart, ResidualChart, SkyChart } from "../parts/charts";
import { SimulatedBand, ZoneLine, partyName } from "../parts/road";
import { MilestoneMark } from "../parts/shapes";
import { Reason } from "../parts/told";
import type { Road, SkySatellite, Track, TrackFix } from "../types";
import { list, named, sentences, t } from "../words";

export default function PositionPage({ id }: { id: string }) {
  const follows = useCallback((consignment: string) => consignment === id, [id]);
  const name = encodeURIComponent(id);
  const [road, again] = useAnswer<Road>(`/v1/consignments/${name}/road`, follows);
  const [track, askAgain] = useAnswer<Track>(`/v1/positioning/arrivals/${name}/track`, follows);
  const label = road.state === "here" ? road.value.label : id;
  useEffect(() => {
    document.title = t("position.document_title", { label });
  }, [label]);
  if (road.state === "loading" || track.state === "loading") return <Loading what={t("position.reading")} />;
  if (road.state === "failed") return <ProblemNote problem={road.problem} again={again} />;
  return (
    <>
      <SimulatedBand parts={road.value.simulated} scale={road.value.time_scale} />
      <article class="page">
        <Head road={road.value} />
        <ZoneLine scale={road.value.time_scale} />
        {track.state === "here" && (
          <>
            <Checks road={road.value} track={track.value} />
            <Window key={track.value.evidence} road={road.value} track={track.value} />
            <Evidence road={road.value} track={track.value} />
          </>
        )}
        {track.state === "failed" && (track.problem.status === 404 ? <p class="state">{absence(road.value)}</p> : <ProblemNote problem={track.problem} again={askAgain} />)}
      </article>
    </>
  );
}

/** Why there is no window here: none was examined yet, or another node did. */
function absence(road: Road): string {
  const said = road.said.find((each) => each.id === road.arrival?.event);
  return said ? t("position.elsewhere", { node: said.recorded_by.name }) : t("position.none");
}

function Head({ road }: { road: Road }) {
  const { arrival, site } = road;
  const proven = arrival?.state === "proven";
  return (
    <header class="position-head">
      <p class="quiet">
        <a href={`/consignments/${encodeURIComponent(road.consignment)}`}>{road.label}</a>
      </p>
      <h1>{t("position.title")}</h1>
      {arrival && (
        <p class={`arrival-word ${proven ? "good" : "stop"}`}>
          <MilestoneMark state={proven ? "done" : "refused"} />
          <strong>{t(proven ? "position.proven" : "position.not_proven", { place: site?.name ?? "" })}</strong>
        </p>
      )}
      {arrival && !proven && <Reason told={arrival.told} />}
    </header>
  );
}

type State = "done" | "refused" | "later";

/** Each thing that had to hold, whether it does, and by which numbers. */
function Checks({ road, track }: { road: Road; track: Track }) {
  const marks = road.arrival?.marks;
  const deciding = track.fixes[epochOf(track)];
  const inTime = track.decision !== "too_early" && track.decision !== "too_late";
  const inside = track.decision === "inside";
  const disagreed = (marks?.disagreed_by.length ?? 0) > 0;
  const agreed = (marks?.corroborated_by.length ?? 0) > 0;
  const who = list([...(marks?.disagreed_by ?? []), ...(marks?.corroborated_by ?? [])].map((party) => partyName(road, party)));
  const state = (holds: boolean): State => (holds ? "done" : "refused");
  const rows: [string, State, string][] = [
    ["signed", state(!!marks?.signed_by_terminal), t("why.signed.text")],
    ["computed", state(track.positions > 0), t("why.computed.text", { positions: number(track.positions), epochs: number(track.epochs) })],
    ["in_time", state(inTime), t("why.in_time.text", { from: time(track.not_before), until: time(track.not_after), scale: named("scale", road.time_scale) })],
    [
      "inside",
      state(inside),
      deciding && deciding.reason === "ok" ? insideText(track, deciding) : named("epoch", deciding?.reason ?? "no_navigation"),
    ],
    ["bound_to_goods", state(!!marks?.bound_to_goods), t("mark.bound_to_goods.means")],
    ["network", disagreed ? "refused" : agreed ? "done" : "later", t(disagreed ? "why.network.against" : agreed ? "why.network.with" : "why.network.none", { who })],
  ];
  return (
    <Section id="why-title" title={t("why")} aside={<Term name="protection_level" />}>
      <ol class="why">
        {rows.map(([name, holds, text]) => (
          <li key={name} class={`condition condition-${holds === "done" ? "met" : holds === "refused" ? "failed" : "open"}`}>
            <MilestoneMark state={holds} />
            <div>
              <strong>{t(`why.${name}`)}</strong> <span class="condition-state">{t(`why.state.${holds}`)}</span>
              <p class="quiet">{text}</p>
            </div>
          </li>
        ))}
      </ol>
    </Section>
  );
}

const SYSTEM_NAMES: Record<string, string> = { C: "BeiDou", E: "Galileo", G: "GPS", J: "QZSS", R: "GLONASS" };

/** Why the deciding position counts as inside, or not; and what one constellation alone cannot show. */
function insideText(track: Track, fix: TrackFix): string {
  const inside = track.decision === "inside";
  const words = { bound: bound(fix.protection_mm / 1000), room: metres(Math.max(0, fix.room_mm / 1000)), seconds: number(track.stretch_s_min), risk: odds(track.risk_ppb) };
  const text = fix.outside_ppb < 0 ? t(inside ? "why.inside.text" : "why.inside.not", words) : t(inside ? "why.inside.chance" : "why.inside.chance_not", { ...words, chance: chance(fix.outside_ppb) });
  const systems = [...new Set(fix.sky.filter((each) => each.used).map((each) => each.satellite[0] ?? ""))];
  const alone = systems.length === 1 ? (systems[0] as string) : "";
  return alone ? sentences([text, t("why.inside.alone", { system: SYSTEM_NAMES[alone] ?? alone })]) : text;
}

/** A chance in words: less than one in a million, more than one in ten. */
function chance(outside_ppb: number): string {
  return outside_ppb > 1e8 ? t("odds.large", { n: number(10) }) : odds(Math.max(1, outside_ppb));
}

/** The epoch that decided, else the last one with a position. */
function epochOf(track: Track): number {
  const decided = track.fixes.findIndex((fix) => fix.at === track.observed_at);
  if (decided >= 0) return decided;
  const placed = track.fixes.map((fix) => fix.reason === "ok").lastIndexOf(true);
  return Math.max(0, placed);
}

function Window({ road, track }: { road: Road; track: Track }) {
  const [at, setAt] = useState(() => epochOf(track));
  const spread = useMemo(() => spreads(track.fixes), [track]);
  const fix = track.fixes[at];
  const holds = track.decision === "inside";
  const used = fix?.sky.filter((each) => each.used).length ?? 0;
  const most = Math.max(0, ...(fix?.sky.filter((each) => each.used).map((each) => Math.abs(each.residual_mm)) ?? [])) / 1000;
  const byChance = (fix?.outside_ppb ?? -1) >= 0;
  const boundLabel = t(`chart.${byChance ? "chance" : "bound"}_${holds ? "holds" : "fails"}`);
  const skyLabel = t("chart.sky", { n: used });
  const missLabel = t("chart.residuals", { most: metres(most) });
  if (!fix) return null;
  return (
    <Section id="window-title" title={t("position.window")}>
      <Chart title={boundLabel} label={boundLabel} legend={<BoundLegend track={track} holds={holds} />} table={<FixTable fixes={track.fixes} scale={t(`scale.${road.time_scale}`)} />}>
        <BoundChart fixes={track.fixes} at={at} stretch={[track.stretch_from, track.stretch_until]} holds={holds} />
      </Chart>
      <label class="field epoch">
        <span>
          {t("position.epoch", { n: at + 1, all: track.fixes.length })} <Time at={fix.at} style="full" scale={road.time_scale} />
        </span>
        <input type="range" min={0} max={track.fixes.length - 1} value={at} aria-valuetext={time(fix.at, "full")} onInput={(event) => setAt(Number(event.currentTarget.value))} />
      </label>
      {fix.reason !== "ok" && <p class="stop">{t("position.no_fix", { why: named("epoch", fix.reason) })}</p>}
      <div class="two charts">
        <Chart title={skyLabel} label={skyLabel} legend={<SkyLegend mask_mdeg={track.mask_mdeg} />} table={<SkyTable sky={fix.sky} />}>
          <SkyChart sky={fix.sky} mask_mdeg={track.mask_mdeg} />
        </Chart>
        <Chart title={missLabel} label={missLabel} legend={<p class="quiet">{t("chart.residuals_means")}</p>} table={<SkyTable sky={fix.sky} />}>
          <ResidualChart sky={fix.sky} spread={spread} />
        </Chart>
      </div>
    </Section>
  );
}

/** Least and greatest residual of each satellite over the window, millimetres. */
function spreads(fixes: TrackFix[]): ReadonlyMap<string, [number, number]> {
  const found = new Map<string, [number, number]>();
  for (const fix of fixes) {
    for (const { satellite, used, residual_mm } of fix.sky) {
      if (!used) continue;
      const [low, high] = found.get(satellite) ?? [residual_mm, residual_mm];
      found.set(satellite, [Math.min(low, residual_mm), Math.max(high, residual_mm)]);
    }
  }
  return found;
}

function BoundLegend({ track, holds }: { track: Track; holds: boolean }) {
  return (
    <ul class="legend">
      <li class={holds ? "l-bound" : "l-bound l-bound-alone"}>{t(track.fixes.some((fix) => fix.outside_ppb >= 0) ? "chart.chance_means" : "chart.bound_means", { risk: odds(track.risk_ppb) })}</li>
      <li>{t("chart.room_means", { place: track.site.name })}</li>
      {track.stretch_from && <li class="l-stretch">{t("chart.stretch_means", { seconds: number(track.stretch_s_min) })}</li>}
    </ul>
  );
}

function SkyLegend({ mask_mdeg }: { mask_mdeg: number }) {
  return (
    <ul class="legend legend-sky">
      <li class="l-used">{t("sky.used")}</li>
      <li class="l-unused">{t("sky.unused")}</li>
      <li class="l-out">{t("sky.out")}</li>
      <li class="l-mask">{t("sky.mask", { angle: number(mask_mdeg / 1000) })}</li>
    </ul>
  );
}

function FixTable({ fixes, scale }: { fixes: TrackFix[]; scale: string }) {
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">{scale}</th>
          <th scope="col" class="n">{t("chart.bound")}</th>
          <th scope="col" class="n">{t("chart.room")}</th>
          <th scope="col" class="n">{t("chart.chance")}</th>
          <th scope="col" class="n">{t("arrival.satellites")}</th>
          <th scope="col">{t("position.state")}</th>
        </tr>
      </thead>
      <tbody>
        {fixes.map((fix) => (
          <tr key={fix.at}>
            <th scope="row">{time(fix.at, "full")}</th>
            <td class="n">{fix.reason === "ok" ? bound(fix.protection_mm / 1000) : t("none")}</td>
            <td class="n">{fix.reason === "ok" ? metres(fix.room_mm / 1000) : t("none")}</td>
            <td class="n">{fix.reason === "ok" && fix.outside_ppb >= 0 ? chance(fix.outside_ppb) : t("none")}</td>
            <td class="n">{number(fix.satellites)}</td>
            <td>{named("epoch", fix.reason)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function SkyTable({ sky }: { sky: SkySatellite[] }) {
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">{t("sky.satellite")}</th>
          <th scope="col" class="n">{t("sky.azimuth")}</th>
          <th scope="col" class="n">{t("sky.elevation")}</th>
          <th scope="col" class="n">{t("sky.residual")}</th>
          <th scope="col" class="n">{t("sky.strength")}</th>
          <th scope="col">{t("position.state")}</th>
        </tr>
      </thead>
      <tbody>
        {sky.map((each) => (
          <tr key={each.satellite}>
            <th scope="row">{each.satellite}</th>
            <td class="n">{`${number(each.azimuth_mdeg / 1000, 1)}\u00b0`}</td>
            <td class="n">{`${number(each.elevation_mdeg / 1000, 1)}\u00b0`}</td>
            <td class="n">{each.used || each.excluded ? metres(each.residual_mm / 1000) : t("none")}</td>
            <td class="n">{each.strength_mdbhz ? t("chart.strength", { value: number(each.strength_mdbhz / 1000, 1) }) : t("none")}</td>
            <td>{t(each.excluded ? "sky.out" : each.used ? "sky.used" : "sky.unused")}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Evidence({ road, track }: { road: Road; track: Track }) {
  return (
    <Section
      id="evidence-title"
      title={t("position.evidence")}
      aside={
        <a class="button" href={`/v1/positioning/evidence/${track.evidence}`} download={`evidence-${road.consignment}.json`}>
          {t("position.take")}
        </a>
      }
    >
      <p class="quiet">{t("position.evidence_means")}</p>
      <Facts
        rows={[
          [t("position.evidence_digest"), <Digits value={track.evidence} />],
          [t("position.window_digest"), <Digits value={track.window} />],
          [t("position.orbits_digest"), <Digits value={track.navigation} />],
          [t("position.software"), track.software],
          [t("position.signals"), t(track.simulated ? "position.simulated" : "position.received")],
        ]}
      />
    </Section>
  );
}
