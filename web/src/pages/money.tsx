// Money: what waits for a second person, the accounts, and payments as they happen.
import { useEffect, useState } from "preact/hooks";
import { useCell } from "../cell";
import type { Account, Approval, Bank, CreditLine, Currency, Deal, Escrow, Movements } from "../money_types";
import { useParties } from "../parts/act";
import { AccountForm, Asked, Banks, DepositForm, isBank } from "../parts/banks";
import { Loading, ProblemNote, Section, Time, useAnswer, useWhole } from "../parts/basics";
import { StateMark, Sum, Ways, useAct, useEvery } from "../parts/money";
import { EscrowActs, HoldForm, Lines } from "../parts/money_acts";
import { PaymentOrders } from "../parts/payment_orders";
import { type Column, Table, columnsOf } from "../parts/table";
import { session } from "../session";
import { list, named, t } from "../words";

export default function MoneyPage() {
  useEffect(() => void (document.title = t("money.document_title")), []);
  // An operator keeps no accounts and sees nobody's: who may keep them is what it decides.
  return useCell(session)?.role === "operator" ? <OfOperator /> : <OfParty />;
}

function OfOperator() {
  const [banks, readBanks] = useWhole<Bank>("banks");
  const parties = useParties();
  if (banks.state === "failed") return <ProblemNote problem={banks.problem} again={readBanks} />;
  if (banks.state === "loading") return <Loading what={t("money.reading")} />;
  return (
    <div class="page">
      <h1>{t("money.title")}</h1>
      <Ways at="" />
      <Banks banks={banks.value} parties={parties} done={readBanks} />
    </div>
  );
}

function OfParty() {
  const [accounts, readAccounts] = useWhole<Account>("accounts");
  const [approvals, readApprovals] = useWhole<Approval>("approvals");
  const [lines, readLines] = useWhole<CreditLine>("credit-lines");
  const [banks, readBanks] = useWhole<Bank>("banks");
  const [currencies] = useAnswer<Currency[]>("/v1/finance/currencies");
  const parties = useParties();
  const party = useCell(session)?.party ?? "";
  const [acts, setActs] = useState(0);
  const acted = () => setActs((n) => n + 1);
  useEvery(4, readApprovals);
  const all = [accounts, approvals, lines, banks, currencies];
  const failed = all.find((each) => each.state === "failed");
  if (failed?.state === "failed") return <ProblemNote problem={failed.problem} again={() => location.reload()} />;
  if (accounts.state !== "here" || approvals.state !== "here" || lines.state !== "here" || banks.state !== "here" || currencies.state !== "here") return <Loading what={t("money.reading")} />;
  const mine = parties.rows.find((row) => row.party === party);
  const actsAsBank = session.value?.role === "party" && (banks.value.some((each) => each.bank === party) || isBank(mine));
  const others = [...new Map([...parties.rows.filter(isBank).map((row) => [row.party, row.name] as const), ...banks.value.map((row) => [row.bank, row.name] as const)])];
  const waiting = approvals.value.filter((each) => each.state === "waits");
  return (
    <div class="page">
      <h1>{t("money.title")}</h1>
      <Ways at="" />
      {waiting.length > 0 && (
        <Section id="approvals-title" title={t("approvals.title")}>
          <Table
            list="approvals"
            title={t("approvals.title")}
            columns={columnsOf("act", "subject", "amount_minor", "asked_at")}
            id={(row: Approval) => row.approval}
            only={["state:waits"]}
            follows={`${acts} ${JSON.stringify(waiting)}`}
            line={(row) => (
              <Waiting
                key={row.approval}
                row={row}
                done={() => {
                  readApprovals();
                  readAccounts();
                  readLines();
                  acted();
                }}
              />
            )}
          />
        </Section>
      )}
      <Section id="accounts-title" title={t("accounts.title")}>
        <Accounts follows={acts} name={parties.name} />
        {actsAsBank && <AccountForm parties={parties} currencies={currencies.value} done={() => (readAccounts(), acted())} />}
        {actsAsBank && <DepositForm accounts={accounts.value} parties={parties} done={() => (readAccounts(), acted())} />}
      </Section>
      {accounts.value.length > 0 && <Latest rows={accounts.value} party={party} name={parties.name} />}
      {accounts.value.length > 0 && <PaymentOrders name={parties.name} follows={acts} done={acted} />}
      <div class="two">
        <Section id="deals-title" title={t("deals.title")} aside={<a href="/deals">{t("deal.all")}</a>}>
          <Table list="deals" title={t("deals.title")} columns={dealColumns()} id={(deal: Deal) => deal.deal} none={t("deals.none")} follows={acts} every={4} line={(deal) => <DealLine key={deal.deal} deal={deal} name={parties.name} />} />
        </Section>
        <Section id="escrows-title" title={t("escrows.title")}>
          <Table list="escrows" title={t("escrows.title")} columns={escrowColumns()} id={(row: Escrow) => row.key} none={t("escrows.none")} follows={acts} every={4} line={(row) => <Held key={row.key} row={row} done={acted} />} />
          {actsAsBank && <HoldForm accounts={accounts.value} bank={party} done={acted} />}
        </Section>
      </div>
      {actsAsBank && <Lines lines={lines.value} banks={others.map(([value, words]) => ({ value, words: words || value }))} currencies={currencies.value} bank={party} name={parties.name} done={readLines} />}
      {actsAsBank && <Asked />}
      <Banks banks={banks.value} parties={parties} done={readBanks} />
    </div>
  );
}

const dealColumns = () => columnsOf("deal", "consignment", "state", "amount_minor", "deadline");
const escrowColumns = () => columnsOf("escrow", "state", "amount_minor", "payer", "payee", "refund_after");

function DealLine({ deal, name }: { deal: Deal; name: (party: string) => string }) {
  return (
    <li class="money-row">
      <StateMark state={deal.state} />
      <div>
        <p>
          <Sum minor={deal.amount_minor} currency={deal.currency} exponent={deal.exponent} />{" "}
          <a href={`/consignments/${encodeURIComponent(deal.consignment)}`} class="c-data">
            {deal.consignment}
          </a>
        </p>
        <p class="quiet">{t("money.from_to", { payer: name(deal.payer), payee: name(deal.payee) })}</p>
      </div>
    </li>
  );
}

function Accounts({ follows, name }: { follows: number; name: (party: string) => string }) {
  const sum = (minor: (row: Account) => number) => (row: Account) => <Sum minor={minor(row)} currency={row.currency} exponent={row.exponent} />;
  const columns: Column<Account>[] = [
    { name: "holder", title: t("accounts.holder"), cell: (row) => <a href={`/money/accounts/${row.account}`}>{name(row.holder)}</a> },
    { name: "bank", title: t("accounts.bank"), cell: (row) => name(row.bank) },
    { name: "purpose", title: t("accounts.purpose"), cell: (row) => named("purpose", row.purpose) },
    { name: "currency", title: t("table.of.currency"), spare: true },
    { name: "number", title: t("accounts.number"), cell: (row) => <code>{row.number}</code>, spare: true },
    { name: "closed", title: t("table.of.closed"), cell: (row) => (row.closed ? t("accounts.closed") : ""), spare: true },
    { name: "balance_minor", title: t("accounts.balance"), cell: sum((row) => row.balance_minor), n: true },
    { name: "debits_pending_minor", title: t("accounts.held"), cell: sum((row) => row.debits_pending_minor), n: true },
    { name: "available_minor", title: t("accounts.available"), cell: sum((row) => row.available_minor), n: true },
  ];
  return <Table list="accounts" title={t("accounts.title")} columns={columns} id={(row) => row.account} none={t("accounts.none")} follows={follows} every={4} />;
}

/** The newest movements of one account, read again every few seconds. */
function Latest({ rows, party, name }: { rows: Account[]; party: string; name: (party: string) => string }) {
  // A customer has one; a bank looks at its customers' first.
  const first = rows.find((row) => row.holder === party && row.purpose === "customer") ?? rows.find((row) => row.purpose === "customer") ?? rows[0];
  const [chosen, choose] = useState(first?.account ?? "");
  const [told, read] = useAnswer<Movements>(`/v1/finance/accounts/${chosen}/movements?limit=20`);
  useEvery(4, read);
  // The list begins with the newest: what booked or freed a reservation of it stands in it too.
  const resolved = new Set(told.state === "here" ? told.value.movements.map((one) => one.resolves) : []);
  return (
    <Section id="latest-title" title={t("latest.title")}>
      <label class="field latest-choice">
        <span>{t("latest.account")}</span>
        <select value={chosen} onChange={(event) => choose(event.currentTarget.value)}>
          {rows.map((row) => (
            <option key={row.account} value={row.account}>
              {t("latest.of", { holder: name(row.holder), purpose: named("purpose", row.purpose), bank: name(row.bank), currency: row.currency })}
            </option>
          ))}
        </select>
      </label>
      <p>
        <a href={`/money/accounts/${chosen}`}>{t("latest.all")}</a>
      </p>
      {told.state === "failed" && <ProblemNote problem={told.problem} again={read} />}
      {told.state === "here" && told.value.movements.length === 0 && <p class="quiet">{t(told.value.complete ? "latest.none" : "latest.none_lately")}</p>}
      {told.state === "here" && (
        <ul class="services" aria-live="polite">
          {told.value.movements.map((one) => (
            <li key={one.transfer} class="money-row">
              <StateMark state={one.state === "reserved" && resolved.has(one.transfer) ? "was_reserved" : one.state} />
              <div>
                <p>
                  <Sum minor={one.amount_minor} currency={told.value.currency} exponent={told.value.exponent} /> <Time at={one.at} />
                </p>
                {one.other && <p class="quiet">{t(one.amount_minor < 0 ? "latest.to" : "latest.from", { other: name(one.other) })}</p>}
                {one.uetr && (
                  <p class="quiet">
                    UETR <code>{one.uetr}</code>
                  </p>
                )}
              </div>
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}

/** Why everybody waits, and not somebody named. */
const HELD_WHY = ["list_too_old", "lists_unreadable", "no_screening"];

function Waiting({ row, done }: { row: Approval; done: () => void }) {
  const who = useCell(session);
  const [problem, act, busy] = useAct(done);
  const path = `/v1/finance/approvals/${row.approval}`;
  const mine = !!who && row.approved_by.includes(who.name);
  // Whoever turns a name down says why; a sum is refused without a word.
  const ofName = row.act === "release";
  const [reason, setReason] = useState("");
  return (
    <li class="money-row">
      <StateMark state="waits" />
      <div>
        <p>
          <strong>{named("act", row.act)}</strong> <code>{row.subject}</code> <Sum minor={row.amount_minor} currency={row.currency} exponent={row.exponent} />
        </p>
        <p class="quiet">
          {row.approved_by.length === 0
            ? t("approvals.nobody", { persons: row.persons })
            : t("approvals.some", { n: row.approved_by.length, persons: row.persons, names: list(row.approved_by) })}{" "}
          <Time at={row.asked_at} />
        </p>
        {row.said?.act && <p class="quiet">{t("approvals.then", { what: named("act", row.said.act) })}</p>}
        {ofName && HELD_WHY.includes(row.said?.why ?? "") && <p class="stop">{named("held_why", row.said?.why ?? "")}</p>}
        {(row.said?.first ?? []).length > 0 && (
          <ul class="quiet">
            {(row.said?.first ?? []).map((each) => (
              <li>
                {each.like ? (
                  t("approvals.like", { name: each.name ?? "", like: each.like, source: each.source ?? "" })
                ) : (
                  <>
                    {each.payee} <Sum minor={Number(each.amount_minor ?? 0)} currency={row.currency} exponent={row.exponent} />
                  </>
                )}
              </li>
            ))}
          </ul>
        )}
        <p class="money-buttons">
          {mine ? (
            t("approvals.yours")
          ) : (
            <button type="button" class="button" disabled={busy} onClick={() => act(path, { verdict: "approve" })}>
              {t("approvals.approve")}
            </button>
          )}{" "}
          {!mine && (
            <button type="button" class="button" disabled={busy || (ofName && !reason.trim())} onClick={() => act(path, { verdict: "refuse", reason: reason.trim() })}>
              {t("approvals.refuse")}
            </button>
          )}
        </p>
        {ofName && !mine && (
          <label class="field">
            <span>{t("approvals.reason")}</span>
            <input type="text" maxLength={500} value={reason} onInput={(event) => setReason(event.currentTarget.value)} />
          </label>
        )}
        {problem && <ProblemNote problem={problem} />}
      </div>
    </li>
  );
}

function Held({ row, done }: { row: Escrow; done: () => void }) {
  const who = useCell(session);
  const [problem, act, busy] = useAct(done);
  const open = ["held", "disputed"].includes(row.state);
  const words = row.leaves.filter((leaf) => leaf.kind === "word" && leaf.asserted_by === who?.party && !leaf.met);
  return (
    <li class="money-row">
      <StateMark state={row.state} />
      <div>
        <p>
          <Sum minor={row.amount_minor} currency={row.currency} exponent={row.exponent} /> <code>{row.escrow}</code>
        </p>
        <p class="quiet">{t("money.from_to", { payer: row.payer, payee: row.payee })}</p>
        <ul class="leaves">
          {row.leaves.map((leaf, i) => (
            <li key={i} class={leaf.met ? "condition-met" : "condition-waits"}>
              <span class="condition-state">{t(leaf.met ? "condition_state.met" : "condition_state.waits")}</span>{" "}
              {leaf.kind === "word" ? t("escrows.word", { party: leaf.asserted_by, word: leaf.what }) : t("escrows.fact", { fact: named("fact", leaf.what.split(".")[1] ?? leaf.what), consignment: leaf.about })}
            </li>
          ))}
        </ul>
        {row.disputes.map((each, i) => (
          <p key={i} class="stop">
            {t("escrows.dispute", { party: each.party, reason: each.reason })}
          </p>
        ))}
        {row.resolutions.length > 0 && open && (
          <p class="quiet">
            {t("escrows.signed", { names: list(row.resolutions.map((each) => each.party)) })}
          </p>
        )}
        {row.reason && <p class="quiet">{named("escrow_reason", row.reason)}</p>}
        {open && words.length > 0 && (
          <p class="money-buttons">
            {words.map((leaf) => (
              <button key={leaf.what} type="button" class="button" disabled={busy} onClick={() => act(`/v1/finance/escrows/${encodeURIComponent(row.escrow)}/words?of=${encodeURIComponent(row.payer_bank)}`, { word: leaf.what })}>
                {t("escrows.say", { word: leaf.what })}
              </button>
            ))}
          </p>
        )}
        {open && <EscrowActs row={row} party={who?.party ?? ""} done={done} />}
        {problem && <ProblemNote problem={problem} />}
      </div>
    </li>
  );
}
