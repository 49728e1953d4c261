// Two charts about netting, drawn by us: who pays and receives in the end, and what netting saves.
import { money } from "../format";
import type { Cycle } from "../money_types";
import { t } from "../words";
import { Chart, useWidth } from "./charts";

const ROW = 28;

/** What each party receives in all: to the right; what it pays: to the left. */
export function PositionChart({ cycle }: { cycle: Cycle }) {
  const [box, width] = useWidth(480);
  const rows = [...cycle.positions].sort((a, b) => b.net_minor - a.net_minor).slice(0, 24);
  const most = Math.max(1, ...rows.map((row) => Math.abs(row.net_minor)));
  const name = Math.min(140, width * 0.28);
  const sum = Math.min(150, width * 0.34);
  const middle = name + (width - name - sum) / 2;
  const reach = (width - name - sum) / 2 - 4;
  const words = (minor: number) => money({ minor, currency: cycle.currency, exponent: cycle.exponent });
  return (
    <Chart
      title={t("netting.positions", { needed: words(cycle.needed_minor), gross: words(cycle.gross_minor) })}
      label={t("netting.positions_label", { cycle: cycle.cycle })}
      legend={<p class="quiet">{t("netting.positions_means")}</p>}
      table={
        <table>
          <thead>
            <tr>
              <th scope="col">{t("netting.party")}</th>
              <th scope="col">{t("netting.net")}</th>
            </tr>
          </thead>
          <tbody>
            {cycle.positions.map((row) => (
              <tr key={row.party}>
                <th scope="row">{row.party}</th>
                <td class="amount">{words(row.net_minor)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      }
    >
      <div ref={box} class="chart-box">
        <svg viewBox={`0 0 ${width} ${rows.length * ROW + 8}`} width={width} height={rows.length * ROW + 8} aria-hidden="true">
          <path d={`M${middle} 0V${rows.length * ROW + 8}`} class="c-axis" />
          {rows.map((row, i) => {
            const long = Math.max(1, (Math.abs(row.net_minor) / most) * reach);
            const y = i * ROW + 4;
            return (
              <g key={row.party}>
                <text x={name - 8} y={y + 16} class="c-text c-data c-end">
                  {row.party}
                </text>
                <rect x={row.net_minor < 0 ? middle - long : middle} y={y + 3} width={long} height={ROW - 12} class={row.net_minor < 0 ? "c-pays" : "c-receives"} />
                <text x={width - 2} y={y + 16} class="c-text c-data c-end">
                  {words(row.net_minor)}
                </text>
              </g>
            );
          })}
        </svg>
      </div>
    </Chart>
  );
}

/** The money that must be there beforehand, by how often the day is settled. */
export function LiquidityChart({ cycle }: { cycle: Cycle }) {
  const [box, width] = useWidth(480);
  const rows = cycle.liquidity;
  const most = Math.max(1, ...rows.map((row) => row.needed_minor));
  const label = Math.min(150, width * 0.34);
  const sum = Math.min(150, width * 0.34);
  const words = (minor: number) => money({ minor, currency: cycle.currency, exponent: cycle.exponent });
  const name = (cycles: number) => (cycles === rows.at(-1)?.cycles && rows.length > 1 ? t("netting.one_by_one") : t("netting.cycles", { n: cycles }));
  const saving = most - (rows[0]?.needed_minor ?? 0);
  return (
    <Chart
      title={t("netting.saves", { saved: words(saving) })}
      label={t("netting.saves_label", { cycle: cycle.cycle })}
      legend={<p class="quiet">{t("netting.saves_means")}</p>}
      table={
        <table>
          <thead>
            <tr>
              <th scope="col">{t("netting.how")}</th>
              <th scope="col">{t("netting.needed")}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.cycles}>
                <th scope="row">{name(row.cycles)}</th>
                <td class="amount">{words(row.needed_minor)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      }
    >
      <div ref={box} class="chart-box">
        <svg viewBox={`0 0 ${width} ${rows.length * ROW + 8}`} width={width} height={rows.length * ROW + 8} aria-hidden="true">
          <path d={`M${label} 0V${rows.length * ROW + 8}`} class="c-axis" />
          {rows.map((row, i) => (
            <g key={row.cycles}>
              <text x={label - 8} y={i * ROW + 20} class="c-text c-end">
                {name(row.cycles)}
              </text>
              <rect x={label} y={i * ROW + 7} width={Math.max(1, (row.needed_minor / most) * (width - label - sum))} height={ROW - 12} class={i === 0 ? "c-receives" : "c-money"} />
              <text x={width - 2} y={i * ROW + 20} class="c-text c-data c-end">
                {words(row.needed_minor)}
              </text>
            </g>
          ))}
        </svg>
      </div>
    </Chart>
  );
}
