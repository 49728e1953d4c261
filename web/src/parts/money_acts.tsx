// What a bank and its customers do about money: lines, conditions, quotes, netting.
import { useRef } from "preact/hooks";
import { money } from "../format";
import type { Account, CreditLine, Currency, Cycle, Escrow, Quote } from "../money_types";
import type { PeerRow, RoadSummary } from "../types";
import { t } from "../words";
import { useParties } from "./act";
import { currencyChoices, usePlaces } from "./banks";
import { Section, useAnswer } from "./basics";
import { Sum } from "./money";
import { Table, columnsOf } from "./table";
import { ActForm, type Choice, type Field, Trouble, minorOf, momentOf, rateOf } from "./money_form";

type Done = { done: () => void };

const named = (value: string): Choice => ({ value, words: value });
const path = (text: string) => encodeURIComponent(text);

/** The accounts that a party's bank keeps for customers. */
const customers = (rows: Account[], bank: string) => rows.filter((row) => row.bank === bank && row.purpose === "customer");
const asChoices = (rows: Account[]): Choice[] => rows.map((row) => ({ value: row.account, words: `${row.holder} ${row.currency}` }));

function picked(rows: Account[], account: string): Account {
  const row = rows.find((each) => each.account === account);
  if (!row) throw new Trouble(t("form.no_account"));
  return row;
}

export function Lines({ lines, banks, currencies, bank, name, done }: { lines: CreditLine[]; banks: Choice[]; currencies: Currency[]; bank: string; name: (party: string) => string } & Done) {
  const exponents = new Map(currencies.map((row) => [row.currency, row.exponent]));
  const places = usePlaces();
  // One setting is one request, however often it is sent; the next one is another.
  const request = useRef(crypto.randomUUID());
  return (
    <Section id="lines-title" title={t("lines.title")}>
      <Table
        list="credit-lines"
        title={t("lines.title")}
        columns={columnsOf("peer", "currency", "limit_minor", "used_minor")}
        id={(line: CreditLine) => `${line.peer} ${line.currency}`}
        none={t("lines.none")}
        follows={lines}
        line={(line) => (
          <li key={`${line.peer} ${line.currency}`} class="money-row">
            <div>
              <p>
                <strong>{name(line.peer)}</strong> {t("lines.up_to")} <Sum minor={line.limit_minor} currency={line.currency} exponent={line.exponent} />
              </p>
              <p class="quiet">
                {t("lines.owes")} <Sum minor={line.used_minor} currency={line.currency} exponent={line.exponent} />
              </p>
            </div>
          </li>
        )}
      />
      <ActForm
        title={t("lines.set")}
        submit={t("lines.submit")}
        means={t("lines.means")}
        fields={[
          { name: "peer", label: t("lines.peer"), kind: "choice", choices: banks.filter((each) => each.value !== bank) },
          { name: "currency", label: t("form.currency"), kind: "choice", choices: currencyChoices(currencies) },
          { name: "amount", label: t("lines.amount"), kind: "amount" },
          ...(places.length > 1 ? [{ name: "node", label: t("bank.where"), kind: "choice" as const, choices: places }] : []),
        ]}
        send={(typed, act) => {
          const exponent = exponents.get(typed.currency ?? "");
          if (exponent === undefined) throw new Trouble(t("form.no_account"));
          const line = { peer: typed.peer, currency: typed.currency, limit_minor: minorOf(typed.amount ?? "", exponent) };
          if (typed.node) act("/v1/federation/credit-lines", { node: typed.node, request: request.current, ...line });
          else act("/v1/finance/credit-lines", line);
        }}
        after={(answer) => {
          request.current = crypto.randomUUID();
          const line = answer as CreditLine;
          if ("document" in line) return t("bank.asked");
          return t("lines.done", { peer: name(line.peer), limit: money({ minor: line.limit_minor, currency: line.currency, exponent: line.exponent }) });
        }}
        done={done}
      />
    </Section>
  );
}

/** What the forms of money offer instead of asking for names by heart. */
function useOffers(): { parties: Choice[]; nodes: Choice[]; roads: Choice[] } {
  const { rows } = useParties();
  const [peers] = useAnswer<PeerRow[]>("/v1/exchange/peers");
  const [roads] = useAnswer<{ roads: RoadSummary[] }>("/v1/roads");
  return {
    parties: rows.map((row) => ({ value: row.party, words: row.name || row.party })),
    nodes: peers.state === "here" ? peers.value.map((row) => ({ value: row.node, words: row.organisation || row.node })) : [],
    roads: roads.state === "here" ? roads.value.roads.map((row) => ({ value: row.consignment, words: row.label })) : [],
  };
}

const CONDITIONS = ["word", "papers", "customs", "both"] as const;

/** Holds a customer's money: on a party's word, on what trade says, or on both facts. */
export function HoldForm({ accounts, bank, done }: { accounts: Account[]; bank: string } & Done) {
  const own = customers(accounts, bank);
  const { parties, roads } = useOffers();
  const fields: Field[] = [
    { name: "escrow", label: t("form.name") },
    { name: "payer", label: t("hold.payer"), kind: "choice", choices: asChoices(own) },
    { name: "amount", label: t("form.amount"), kind: "amount" },
    { name: "payee", label: t("hold.payee"), offers: parties },
    { name: "payee_bank", label: t("hold.payee_bank"), value: bank, offers: parties },
    { name: "kind", label: t("hold.condition"), kind: "choice", choices: CONDITIONS.map((kind) => ({ value: kind, words: t(`hold.on_${kind}`) })) },
    { name: "subject", label: t("hold.subject"), offers: [...roads, ...parties] },
    { name: "word", label: t("hold.word"), value: "goods_ok", optional: true },
    { name: "refund_after", label: t("hold.refund_after"), kind: "moment" },
    { name: "arbiter", label: t("hold.arbiter"), optional: true, offers: parties },
  ];
  return (
    <ActForm
      title={t("hold.title")}
      submit={t("hold.submit")}
      means={t("hold.means")}
      fields={fields}
      send={(typed, act) => {
        const payer = picked(own, typed.payer ?? "");
        act("/v1/finance/escrows", {
          escrow: typed.escrow,
          payer: payer.holder,
          payee: typed.payee,
          payee_bank: typed.payee_bank,
          amount_minor: minorOf(typed.amount ?? "", payer.exponent),
          currency: payer.currency,
          condition: condition(typed.kind ?? "", typed.subject ?? "", typed.word ?? ""),
          refund_after: momentOf(typed.refund_after ?? ""),
          arbiter: typed.arbiter,
        });
      }}
      done={done}
    />
  );
}

function condition(kind: string, subject: string, word: string): object {
  const papers = { kind: "fact", fact: "trade.PapersChecked.v1", consignment: subject, says: { agree: true } };
  const customs = { kind: "fact", fact: "trade.CustomsReleased.v1", consignment: subject, says: { decision: "released" } };
  if (kind === "papers") return papers;
  if (kind === "customs") return customs;
  if (kind === "both") return { kind: "all", of: [papers, customs] };
  return { kind: "word", by: subject, word };
}

/** Payer and payee dispute; with the arbiter they sign how the money is shared. */
export function EscrowActs({ row, party, done }: { row: Escrow; party: string } & Done) {
  const at = `/v1/finance/escrows/${path(row.escrow)}`;
  const of = `?of=${path(row.payer_bank)}`;
  const disputes = [row.payer, row.payee].includes(party);
  if (!disputes && party !== row.arbiter) return null;
  return (
    <>
      {disputes && (
        <ActForm
          title={t("escrows.dispute_title")}
          submit={t("escrows.dispute_submit")}
          means={t("escrows.dispute_means")}
          fields={[{ name: "reason", label: t("form.reason") }]}
          send={(typed, act) => act(`${at}/disputes${of}`, { reason: typed.reason })}
          done={done}
        />
      )}
      <ActForm
        title={t("escrows.share_title")}
        submit={t("escrows.share_submit")}
        means={t("escrows.share_means")}
        fields={[
          { name: "amount", label: t("escrows.share_amount", { currency: row.currency }), kind: "amount" },
          { name: "reason", label: t("form.reason") },
        ]}
        send={(typed, act) => act(`${at}/resolutions${of}`, { to_payee_minor: minorOf(typed.amount ?? "", row.exponent), reason: typed.reason })}
        done={done}
      />
    </>
  );
}

/** A dealer's offer to a bank at another node. */
export function QuoteForm({ accounts, currencies, bank, done }: { accounts: Account[]; currencies: Currency[]; bank: string } & Done) {
  const own = customers(accounts, bank);
  const { parties, nodes } = useOffers();
  return (
    <ActForm
      title={t("quote.title")}
      submit={t("quote.submit")}
      means={t("quote.means")}
      fields={[
        { name: "quote", label: t("form.name") },
        { name: "client", label: t("quote.client"), offers: parties },
        { name: "client_node", label: t("quote.client_node"), offers: nodes },
        { name: "sold", label: t("quote.sold"), kind: "choice", choices: currencies.map((each) => named(each.currency)) },
        { name: "pays_from", label: t("quote.pays_from"), kind: "choice", choices: asChoices(own) },
        { name: "rate", label: t("quote.rate"), kind: "amount" },
        { name: "most", label: t("quote.most"), kind: "amount" },
        { name: "receives_at", label: t("quote.receives_at"), offers: asChoices(accounts) },
        { name: "valid_until", label: t("quote.valid_until"), kind: "moment" },
      ]}
      send={(typed, act) => {
        const from = picked(own, typed.pays_from ?? "");
        const sold = currencies.find((each) => each.currency === typed.sold);
        if (!sold) throw new Trouble(t("form.no_account"));
        act("/v1/finance/pvp/quotes", {
          quote: typed.quote,
          client: typed.client,
          client_node: typed.client_node,
          sold: sold.currency,
          bought: from.currency,
          rate: rateOf(typed.rate ?? "", sold.exponent, from.exponent),
          sold_minor_max: minorOf(typed.most ?? "", sold.exponent),
          valid_until: momentOf(typed.valid_until ?? ""),
          pays_from: from.account,
          receives_at: typed.receives_at,
        });
      }}
      done={done}
    />
  );
}

/** Takes a quote that was given to the reader's bank. */
export function AcceptForm({ quote, accounts, bank, done }: { quote: Quote; accounts: Account[]; bank: string } & Done) {
  const own = customers(accounts, bank).filter((row) => row.currency === quote.sold);
  return (
    <ActForm
      title={t("quote.accept_title")}
      submit={t("quote.accept_submit")}
      means={t("quote.accept_means", { sold: quote.sold, bought: quote.bought })}
      fields={[
        { name: "reference", label: t("form.name") },
        { name: "amount", label: t("quote.sells", { currency: quote.sold }), kind: "amount" },
        { name: "pays_from", label: t("quote.pays_from"), kind: "choice", choices: asChoices(own) },
        { name: "receives_at", label: t("quote.buys_at", { currency: quote.bought }), offers: asChoices(accounts.filter((row) => row.currency === quote.bought)) },
      ]}
      send={(typed, act) =>
        act("/v1/finance/pvp/deals", {
          reference: typed.reference,
          quote: quote.quote,
          sold_minor: minorOf(typed.amount ?? "", quote.sold_exponent),
          pays_from: picked(own, typed.pays_from ?? "").account,
          receives_at: typed.receives_at,
          dealer: quote.dealer,
          dealer_node: quote.dealer_node,
        })
      }
      done={done}
    />
  );
}

/** Opens a netting cycle among customers of the reader's bank. */
export function CycleForm({ accounts, bank, done }: { accounts: Account[]; bank: string } & Done) {
  const own = customers(accounts, bank);
  const kept = [...new Set(own.map((row) => row.currency))];
  return (
    <ActForm
      title={t("netting.open_title")}
      submit={t("netting.open_submit")}
      means={t("netting.open_means")}
      fields={[
        { name: "cycle", label: t("form.name") },
        { name: "currency", label: t("form.currency"), kind: "choice", choices: kept.map(named) },
        { name: "participants", label: t("netting.participants"), value: [...new Set(own.map((row) => row.holder))].join(", ") },
      ]}
      send={(typed, act) => {
        const participants = (typed.participants ?? "").split(/[\s,;]+/).filter(Boolean);
        act("/v1/finance/netting", { cycle: typed.cycle, currency: typed.currency, participants });
      }}
      done={done}
    />
  );
}

/** Says what the reader's party owes in a cycle. */
export function OweForm({ cycle, party, done }: { cycle: Cycle; party: string } & Done) {
  const others = cycle.participants.filter((each) => each !== party);
  return (
    <ActForm
      title={t("netting.owe_title")}
      submit={t("netting.owe_submit")}
      fields={[
        { name: "creditor", label: t("netting.creditor"), kind: "choice", choices: others.map(named) },
        { name: "amount", label: t("form.amount"), kind: "amount" },
        { name: "reference", label: t("netting.reference") },
      ]}
      send={(typed, act) =>
        act(`/v1/finance/netting/${path(cycle.cycle)}/obligations?of=${path(cycle.bank)}`, {
          // The reference names the list too: sent twice, it is one.
          batch: `page-${(typed.reference ?? "").replace(/[^A-Za-z0-9._-]/g, "-").slice(0, 59)}`,
          obligations: [{ creditor: typed.creditor, amount_minor: minorOf(typed.amount ?? "", cycle.exponent), reference: typed.reference }],
        })
      }
      done={done}
    />
  );
}
