// Charts of a window of positions, drawn by us: each says one thing, and a table says the same.
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { metres, number, time, whole } from "../format";
import { Field, around } from "../map/labels";
import type { SkySatellite, TrackFix } from "../types";
import { t } from "../words";

/** The width that a chart has, so that its letters keep their size on every screen. */
export function useWidth(first: number): [{ current: HTMLDivElement | null }, number] {
  const box = useRef<HTMLDivElement>(null);
  const [width, set] = useState(first);
  useEffect(() => {
    const watch = new ResizeObserver(([entry]) => entry && set(Math.max(240, Math.round(entry.contentRect.width))));
    if (box.current) watch.observe(box.current);
    return () => watch.disconnect();
  }, []);
  return [box, width];
}

/** Round steps that divide a length into at most `most` parts. */
export function steps(reach: number, most: number): number[] {
  const power = 10 ** Math.floor(Math.log10(reach / most));
  const step = ([1, 2, 5, 10].find((factor) => (factor * power * most) >= reach) ?? 10) * power;
  return Array.from({ length: Math.floor(reach / step + 1e-9) + 1 }, (_, i) => i * step);
}

/** A length on an axis: no more digits than its step needs. */
const tick = (value: number): string => (Number.isInteger(value) ? whole(value) : metres(value));

export function Chart({ title, label, children, legend, table }: { title: string; label: string; children: ComponentChildren; legend?: ComponentChildren; table: ComponentChildren }) {
  return (
    <figure class="chart" aria-label={label}>
      <h3>{title}</h3>
      {children}
      {legend && <figcaption>{legend}</figcaption>}
      <details class="map-table">
        <summary>{t("chart.table")}</summary>
        <div class="table-box" tabIndex={0} role="group" aria-label={label}>
          {table}
        </div>
      </details>
    </figure>
  );
}

const EDGE = { left: 52, right: 12, top: 14, bottom: 40 };
const HEIGHT = 260;

/** The protection level over time against the room that each position has to the edge of the site. */
export function BoundChart({ fixes, at, stretch, holds }: { fixes: TrackFix[]; at: number; stretch: [string, string]; holds: boolean }) {
  const [box, width] = useWidth(640);
  const placed = fixes.filter((fix) => fix.reason === "ok");
  const rooms = placed.map((fix) => fix.room_mm / 1000);
  const bounds = placed.map((fix) => fix.protection_mm / 1000);
  // A bound of a thousand kilometres means none: the picture ends a little above the rest.
  const usual = [...bounds].sort((a, b) => a - b)[Math.floor(bounds.length * 0.9)] ?? 1;
  const top = Math.max(1, Math.min(Math.max(...bounds, 1), usual * 3), ...rooms.filter((room) => room < usual * 20)) * 1.15;
  const instants = fixes.map((fix) => Date.parse(fix.at));
  const [from, until] = [instants[0] ?? 0, instants.at(-1) ?? 1];
  const across = width - EDGE.left - EDGE.right;
  const x = (instant: number) => EDGE.left + ((instant - from) / Math.max(1, until - from)) * across;
  const y = (value: number) => EDGE.top + (1 - Math.min(Math.max(value, 0), top) / top) * (HEIGHT - EDGE.top - EDGE.bottom);
  const path = (value: (fix: TrackFix) => number) =>
    fixes.map((fix, i) => (fix.reason === "ok" ? `${fixes[i - 1]?.reason === "ok" ? "L" : "M"}${x(instants[i] as number).toFixed(1)} ${y(value(fix)).toFixed(1)}` : "")).join("");
  const base = HEIGHT - EDGE.bottom;
  const ticks = width < 480 ? 2 : 4;
  const lastRoom = y(rooms.at(-1) ?? 0);
  const lastBound = y(bounds.at(-1) ?? 0);
  return (
    <div ref={box} class="chart-box">
      <svg viewBox={`0 0 ${width} ${HEIGHT}`} width={width} height={HEIGHT} aria-hidden="true">
        {stretch[0] && <rect x={x(Date.parse(stretch[0]))} y={EDGE.top} width={Math.max(2, x(Date.parse(stretch[1])) - x(Date.parse(stretch[0])))} height={base - EDGE.top} class="c-stretch" />}
        {steps(top, 4).map((value) => (
          <g key={value}>
            <path d={`M${EDGE.left} ${y(value)}h${across}`} class="c-grid" />
            <text x={EDGE.left - 6} y={y(value) + 4} class="c-text c-data c-end">
              {tick(value)}
            </text>
          </g>
        ))}
        {Array.from({ length: ticks + 1 }, (_, i) => (
          <text key={i} x={EDGE.left + (across * i) / ticks} y={base + 18} class={`c-text c-data ${i === 0 ? "" : i === ticks ? "c-end" : "c-middle"}`}>
            {time(new Date(from + ((until - from) * i) / ticks), "seconds")}
          </text>
        ))}
        <path d={path((fix) => fix.room_mm / 1000)} class="c-room" />
        <path d={path((fix) => fix.protection_mm / 1000)} class={holds ? "c-bound" : "c-bound c-bound-alone"} />
        {placed.length > 0 && (
          <>
            <text x={width - EDGE.right - 2} y={lastRoom < EDGE.top + 16 ? lastRoom + 16 : lastRoom - 6} class="c-text c-end">
              {t("chart.room")}
            </text>
            <text x={width - EDGE.right - 2} y={Math.abs(lastBound - lastRoom) < 34 && lastBound > lastRoom ? lastBound + 18 : lastBound - 8} class="c-text c-end">
              {t("chart.bound")}
            </text>
          </>
        )}
        {fixes[at] && <path d={`M${x(instants[at] as number)} ${EDGE.top}V${base}`} class="c-now" />}
      </svg>
    </div>
  );
}

const SKY = 340;
const MIDDLE = SKY / 2;
const HORIZON = MIDDLE - 26;

/** The sky over the antenna: north up, the zenith in the middle, the horizon at the edge. */
export function SkyChart({ sky, mask_mdeg }: { sky: SkySatellite[]; mask_mdeg: number }) {
  const out = (elevation_mdeg: number) => ((90_000 - elevation_mdeg) / 90_000) * HORIZON;
  const placed = sky
    .filter((each) => each.elevation_mdeg > 0)
    .map((each) => {
      const angle = (each.azimuth_mdeg / 180_000) * Math.PI;
      return { each, x: MIDDLE + Math.sin(angle) * out(each.elevation_mdeg), y: MIDDLE - Math.cos(angle) * out(each.elevation_mdeg) };
    });
  const field = new Field({ left: 0, top: 0, width: SKY, height: SKY }, placed.map((spot) => around(spot, 15, 15)), []);
  return (
    <svg class="sky" viewBox={`0 0 ${SKY} ${SKY}`} aria-hidden="true">
      {[0, 30_000, 60_000].map((elevation) => (
        <circle key={elevation} cx={MIDDLE} cy={MIDDLE} r={out(elevation)} class={elevation ? "c-ring" : "c-horizon"} />
      ))}
      <circle cx={MIDDLE} cy={MIDDLE} r={out(mask_mdeg)} class="c-mask" />
      <path d={`M${MIDDLE} ${MIDDLE - HORIZON}v${2 * HORIZON}M${MIDDLE - HORIZON} ${MIDDLE}h${2 * HORIZON}`} class="c-grid" />
      {[30_000, 60_000].map((elevation) => (
        <text key={elevation} x={MIDDLE + 4} y={MIDDLE + out(elevation) - 4} class="c-text c-data c-faint">
          {`${elevation / 1000}\u00b0`}
        </text>
      ))}
      {(["north", "east", "south", "west"] as const).map((way, i) => (
        <text key={way} x={MIDDLE + [0, 1, 0, -1][i]! * (HORIZON + 14)} y={MIDDLE - [1, 0, -1, 0][i]! * (HORIZON + 14) + 5} class="c-text c-middle">
          {t(`sky.${way}`)}
        </text>
      ))}
      {placed.map(({ each, x, y }) => {
        const word = field.take([
          { left: x + 10, top: y - 8, width: 28, height: 14 },
          { left: x - 38, top: y - 8, width: 28, height: 14 },
          { left: x - 14, top: y + 9, width: 28, height: 14 },
          { left: x - 14, top: y - 24, width: 28, height: 14 },
        ]);
        return (
          <g key={each.satellite} class={each.excluded ? "s-out" : each.used ? "s-used" : "s-unused"}>
            {each.excluded ? <path d={`M${x - 6} ${y - 6}l12 12M${x + 6} ${y - 6}l-12 12`} /> : <circle cx={x} cy={y} r={6.5} />}
            {word && (
              <text x={word.left + 14} y={word.top + 12} class="c-text c-data c-middle">
                {each.satellite}
              </text>
            )}
          </g>
        );
      })}
    </svg>
  );
}

const ROW = 24;

/** By how much each range misses the position: now as a mark, over the whole window as a line. */
export function ResidualChart({ sky, spread }: { sky: SkySatellite[]; spread: ReadonlyMap<string, [number, number]> }) {
  const [box, width] = useWidth(480);
  const rows = sky.filter((each) => each.used || each.excluded);
  const most = Math.max(1, ...rows.map((each) => Math.abs(each.residual_mm)), ...rows.flatMap((each) => (spread.get(each.satellite) ?? []).map(Math.abs))) / 1000;
  const ticks = steps(most, 3);
  const reach = most * 1.08;
  const [left, right] = [44, 104];
  const x = (value_m: number) => left + ((value_m + reach) / (2 * reach)) * (width - left - right);
  const height = rows.length * ROW + 34;
  return (
    <div ref={box} class="chart-box">
      <svg viewBox={`0 0 ${width} ${height}`} width={width} height={height} aria-hidden="true">
        {[...ticks.slice(1).map((value) => -value).reverse(), ...ticks].map((value) => (
          <g key={value}>
            <path d={`M${x(value)} 4V${rows.length * ROW + 8}`} class={value === 0 ? "c-axis" : "c-grid"} />
            <text x={x(value)} y={rows.length * ROW + 26} class="c-text c-data c-middle">
              {tick(value)}
            </text>
          </g>
        ))}
        {rows.map((each, i) => {
          const y = i * ROW + ROW / 2 + 4;
          const [low, high] = spread.get(each.satellite) ?? [each.residual_mm, each.residual_mm];
          const now = x(each.residual_mm / 1000);
          return (
            <g key={each.satellite} class={each.excluded ? "s-out" : "s-used"}>
              <text x={left - 8} y={y + 4} class="c-text c-data c-end">
                {each.satellite}
              </text>
              <path d={`M${x(low / 1000)} ${y}H${x(high / 1000)}`} class="c-spread" />
              {each.excluded ? <path d={`M${now - 5} ${y - 5}l10 10M${now + 5} ${y - 5}l-10 10`} /> : <circle cx={now} cy={y} r={5} />}
              <text x={width - 4} y={y + 4} class="c-text c-end">
                {each.strength_mdbhz ? t("chart.strength", { value: number(each.strength_mdbhz / 1000, 1) }) : t("none")}
              </text>
            </g>
          );
        })}
      </svg>
    </div>
  );
}
