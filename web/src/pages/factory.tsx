// Orders and their lots: what a product's values must keep, and what its machine measured.
import { useEffect, useState } from "preact/hooks";
import { mayDo } from "../doors";
import { useParties } from "../parts/act";
import { Section } from "../parts/basics";
import { ActForm, Trouble } from "../parts/money_form";
import { MilestoneMark } from "../parts/shapes";
import { Table, columnsOf } from "../parts/table";
import { rowsBy } from "../seen";
import { session } from "../session";
import type { OrderRow } from "../types";
import { t } from "../words";

const SHAPES = { within: "done", outside: "refused", not_shown: "withheld" } as const;
const SERIALS_MAX = 10_000;
const READERS_MAX = 50;

const ORDERS = rowsBy<OrderRow>(
  (row) => row.order,
  (row) => row.lots.map((lot) => lot.lot).join(" "),
);

export default function FactoryPage() {
  useEffect(() => void (document.title = t("factory.document_title")), []);
  const [acts, setActs] = useState(0);
  const acted = () => setActs((n) => n + 1);
  return (
    <div class="page">
      <h1>{t("factory")}</h1>
      <p>
        <a href="/trace">{t("trace.title")}</a>
      </p>
      <Section id="orders-title" title={t("factory.orders")}>
        <Table list="orders" title={t("factory.orders")} columns={columnsOf("order", "gtin", "quantity", "mine")} id={(row: OrderRow) => row.order} none={t("factory.none")} follows={acts} changes={ORDERS} line={(order) => <Order key={order.order} order={order} done={acted} />} />
        {mayDo("order") && <AddOrder done={acted} />}
      </Section>
    </div>
  );
}

function Order({ order, done }: { order: OrderRow; done: () => void }) {
  const made = order.lots.reduce((sum, lot) => sum + lot.serials, 0);
  return (
    <li>
      <div>
        <p>
          <strong>{order.order}</strong> <span class="quiet">{t("factory.of", { gtin: order.gtin, made, quantity: order.quantity })}</span>
        </p>
        <ul class="plain">
          {order.lots.map((lot) => (
            <li key={lot.lot} class={verdictOf(lot)}>
              {lot.verdict !== "typed" && <MilestoneMark state={SHAPES[lot.verdict]} />}
              <span>
                {t(`factory.lot_${lot.verdict}`, { lot: lot.lot, pieces: lot.serials })} {lot.verdict !== "typed" && t("factory.samples", { n: lot.samples })}
                {lot.simulated && ` ${t("factory.simulated")}`}
              </span>
            </li>
          ))}
        </ul>
        {order.mine && (
          <>
            <FinishLot order={order.order} done={done} />
            <TypeLot order={order.order} done={done} />
          </>
        )}
      </div>
    </li>
  );
}

function FinishLot({ order, done }: { order: string; done: () => void }) {
  return (
    <ActForm
      title={t("factory.finish")}
      submit={t("factory.finish_go")}
      means={t("factory.finish_means")}
      fields={[
        { name: "lot", label: t("factory.lot") },
        { name: "first", label: t("factory.first_serial") },
        { name: "pieces", label: t("factory.pieces"), value: "1" },
        { name: "endpoint", label: t("factory.machine"), value: "opc.tcp://" },
      ]}
      send={({ lot, first, pieces, endpoint }, act) =>
        act(`/v1/industry/orders/${encodeURIComponent(order)}/lots`, { lot, endpoint, serials: serialsFrom(first ?? "", Number(pieces)) })
      }
      after={() => t("factory.finished")}
      done={done}
    />
  );
}

/** A claim, not a measurement, looks like neither success nor refusal. */
function verdictOf(lot: OrderRow["lots"][number]): string {
  if (lot.verdict === "typed") return "quiet";
  return lot.verdict === "within" ? "verdict verdict-good" : "verdict verdict-stop";
}

/** A lot of a factory without machine data: its owner's word, and shown as that everywhere. */
function TypeLot({ order, done }: { order: string; done: () => void }) {
  return (
    <ActForm
      title={t("factory.type")}
      submit={t("factory.type_go")}
      means={t("factory.type_means")}
      fields={[
        { name: "lot", label: t("factory.lot") },
        { name: "first", label: t("factory.first_serial") },
        { name: "pieces", label: t("factory.pieces"), value: "1" },
      ]}
      send={({ lot, first, pieces }, act) => act(`/v1/industry/orders/${encodeURIComponent(order)}/lots`, { lot, typed: true, serials: serialsFrom(first ?? "", Number(pieces)) })}
      after={() => t("factory.typed")}
      done={done}
    />
  );
}

/** Serial numbers that count up from the first. Raises Trouble for what cannot be counted. */
function serialsFrom(first: string, pieces: number): string[] {
  if (!Number.isInteger(pieces) || pieces < 1 || pieces > SERIALS_MAX) throw new Trouble(t("factory.no_pieces", { max: SERIALS_MAX }));
  if (pieces === 1) return [first];
  const match = /^(.*?)(\d{1,15})$/.exec(first);
  if (!match) throw new Trouble(t("factory.no_range"));
  const [, head = "", digits = ""] = match;
  return Array.from({ length: pieces }, (_, i) => head + String(Number(digits) + i).padStart(digits.length, "0"));
}

/** What values must keep, as people write it: `Flow 45 51 MQH; Pressure 5.9 6.5 BAR`. Raises Trouble. */
function limitsOf(text: string): { name: string; low: string; high: string; unit: string }[] {
  const parts = text.split(";").map((part) => part.trim());
  return parts.filter(Boolean).map((part) => {
    const [unit, high, low, ...name] = part.split(/\s+/).reverse();
    if (!unit || !high || !low || name.length === 0) throw new Trouble(t("factory.no_limit", { part }));
    return { name: name.reverse().join(" "), low, high, unit };
  });
}

function AddOrder({ done }: { done: () => void }) {
  const { rows } = useParties();
  const others = rows.map((row) => row.party).filter((party) => party !== session.value?.party);
  return (
    <ActForm
      title={t("factory.add")}
      submit={t("factory.add_go")}
      means={t("factory.add_means")}
      fields={[
        { name: "order", label: t("factory.order") },
        { name: "gtin", label: t("factory.gtin") },
        { name: "quantity", label: t("factory.pieces") },
        { name: "excess", label: t("factory.excess"), value: "0" },
        { name: "limits", label: t("factory.limits") },
        { name: "seen", label: t("factory.seen"), kind: "choice", choices: ["all", "owner"].map((value) => ({ value, words: t(`factory.seen_${value}`) })) },
      ]}
      send={({ order, gtin, quantity, excess, limits, seen }, act) => {
        const readers = seen === "all" ? others.slice(0, READERS_MAX) : [];
        act("/v1/industry/orders", { order, gtin, quantity: Number(quantity), excess: Number(excess), limits: limitsOf(limits ?? ""), readers });
      }}
      after={() => t("factory.added")}
      done={done}
    />
  );
}
