// Currencies against each other between two nodes, and netting cycles with what they save.
import { useEffect, useState } from "preact/hooks";
import { useCell } from "../cell";
import { number } from "../format";
import type { Account, Currency, Cycle, Pvp, Quote } from "../money_types";
import { English, ProblemNote, Section, Time, useAnswer, useWhole } from "../parts/basics";
import { StateMark, Sum, Ways, useAct, useEvery } from "../parts/money";
import { AcceptForm, CycleForm, OweForm, QuoteForm } from "../parts/money_acts";
import { LiquidityChart, PositionChart } from "../parts/money_charts";
import { Table, columnsOf } from "../parts/table";
import { session } from "../session";
import { t } from "../words";

export default function MoneyExchangePage() {
  // The deals themselves are a table; here is only what stopped them.
  const [held, readHeld] = useAnswer<{ stopped: string[] }>("/v1/finance/pvp/deals");
  const [accounts] = useWhole<Account>("accounts");
  const [currencies] = useAnswer<Currency[]>("/v1/finance/currencies");
  const [acts, setActs] = useState(0);
  const acted = () => setActs((n) => n + 1);
  const party = useCell(session)?.party ?? "";
  useEffect(() => void (document.title = t("fx.document_title")), []);
  useEvery(3, readHeld);
  // Forms wait for the accounts; what is known already is shown without them.
  const kept = accounts.state === "here" && accounts.value.some((each) => each.bank === party) ? accounts.value : null;
  return (
    <div class="page">
      <h1>{t("money.title")}</h1>
      <Ways at="/exchange" />
      {held.state === "failed" && <ProblemNote problem={held.problem} again={readHeld} />}
      {held.state === "here" &&
        held.value.stopped.map((each) => (
          <div key={each} class="note note-stop" role="alert">
            <p class="note-title">{t("fx.stopped")}</p>
            <English text={each} />
          </div>
        ))}
      <div class="two">
        <Section id="pvp-title" title={t("fx.deals")}>
          <p class="quiet">{t("fx.means")}</p>
          <Table list="exchanges-of-currency" title={t("fx.deals")} columns={columnsOf("reference", "state", "side", "peer_party", "deadline")} id={(row: Pvp) => row.reference} none={t("fx.deals_none")} follows={acts} every={3} line={(deal) => <OneDeal key={deal.reference} deal={deal} />} />
        </Section>
        <Section id="quotes-title" title={t("fx.quotes")}>
          <Table list="quotes" title={t("fx.quotes")} columns={columnsOf("quote", "dealer", "client", "sold", "bought", "valid_until")} id={(row: Quote) => `${row.dealer_node} ${row.dealer} ${row.quote}`} none={t("fx.quotes_none")} follows={acts} every={3} line={(quote) => <OneQuote key={`${quote.dealer_node} ${quote.dealer} ${quote.quote}`} quote={quote} accounts={kept} bank={party} done={acted} />} />
          {kept && currencies.state === "here" && <QuoteForm accounts={kept} currencies={currencies.value} bank={party} done={acted} />}
        </Section>
      </div>
      <Section id="netting-title" title={t("netting.title")}>
        <Table list="netting" title={t("netting.title")} columns={columnsOf("cycle", "bank", "state", "currency", "gross_minor")} id={(row: Cycle) => row.key} none={t("netting.none")} follows={acts} every={3} line={(cycle) => <OneCycle key={cycle.key} cycle={cycle} done={acted} />} />
        {kept && <CycleForm accounts={kept} bank={party} done={acted} />}
      </Section>
    </div>
  );
}

function OneDeal({ deal }: { deal: Pvp }) {
  return (
    <li class="money-row">
      <StateMark state={deal.state} />
      <div>
        <p class="legs">
          <Sum minor={deal.first.amount_minor} currency={deal.first.currency} exponent={deal.first.exponent} />
          <span aria-hidden="true">{"\u21c4"}</span>
          <span class="sr-only">{t("fx.against")}</span>
          <Sum minor={deal.second.amount_minor} currency={deal.second.currency} exponent={deal.second.exponent} />
        </p>
        <p class="quiet">{t(deal.side === "first" ? "fx.we_sell" : "fx.we_buy", { party: deal.peer_party, node: deal.peer_node })}</p>
        <p class="quiet">
          <code>{deal.reference}</code> {deal.decision > 0 ? t("fx.decision", { number: deal.decision }) : t("fx.until")} {deal.decision === 0 && <Time at={deal.deadline} />}
        </p>
      </div>
    </li>
  );
}

function OneQuote({ quote, accounts, bank, done }: { quote: Quote; accounts: Account[] | null; bank: string; done: () => void }) {
  return (
    <li class="money-row">
      <div>
        <p>
          <code>{quote.quote}</code> <span class="c-data">{rate(quote)}</span>
        </p>
        <p class="quiet">{t(quote.given ? "fx.given" : "fx.got", { party: quote.given ? quote.client : quote.dealer, node: quote.given ? quote.client_node : quote.dealer_node })}</p>
        <p class="quiet">
          {t("fx.up_to")} <Sum minor={quote.sold_minor_max} currency={quote.sold} exponent={quote.sold_exponent} />, {t("fx.good_until")} <Time at={quote.valid_until} />
        </p>
        {accounts && !quote.given && <AcceptForm quote={quote} accounts={accounts} bank={bank} done={done} />}
      </div>
    </li>
  );
}

/** Whole units of the bought currency for one of the sold one, as far as six digits tell. */
function rate(quote: Quote): string {
  const value = (quote.numerator / quote.denominator) * 10 ** (quote.sold_exponent - quote.bought_exponent);
  return `1 ${quote.sold} = ${number(value, value < 10 ? 6 : 4)} ${quote.bought}`;
}

function OneCycle({ cycle, done }: { cycle: Cycle; done: () => void }) {
  const who = useCell(session);
  const [problem, act, busy] = useAct(done);
  const waiting = cycle.obligations.filter((each) => each.waits);
  return (
    <li>
      <div class="cycle">
      <p class="money-row">
        <StateMark state={cycle.state} />
        <span>
          <code>{cycle.cycle}</code> <span class="quiet">{t("netting.obligations", { n: cycle.count })}</span>
        </span>
      </p>
      {cycle.state === "settled" && (
        <p>
          {t("netting.settled")} <Sum minor={cycle.settled_minor} currency={cycle.currency} exponent={cycle.exponent} /> {t("netting.by")} <Sum minor={cycle.moved_minor} currency={cycle.currency} exponent={cycle.exponent} />
        </p>
      )}
      {waiting.length > 0 && <p class="stop">{t("netting.waiting", { n: waiting.length })}</p>}
      {who?.party === cycle.bank && cycle.state !== "settled" && cycle.count > 0 && (
        <p class="money-buttons">
          <button type="button" class="button" disabled={busy} onClick={() => act(`/v1/finance/netting/${encodeURIComponent(cycle.cycle)}/settlement?of=${encodeURIComponent(cycle.bank)}`)}>
            {t("netting.settle")}
          </button>
        </p>
      )}
      {who && cycle.state === "open" && cycle.participants.includes(who.party) && <OweForm cycle={cycle} party={who.party} done={done} />}
      {problem && <ProblemNote problem={problem} />}
      {cycle.count > 0 && (
        <div class="two charts">
          <PositionChart cycle={cycle} />
          {cycle.liquidity.length > 0 && <LiquidityChart cycle={cycle} />}
        </div>
      )}
      </div>
    </li>
  );
}
