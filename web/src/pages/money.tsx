// Money: what waits for a second person, the accounts, and payments as they happen.
import { useEffect, useState } from "preact/hooks";
import { useCell } from "../cell";
import type { Account, Approval, Bank, CreditLine, Currency, Deal, Escrow, Movements } from "../money_types";
import { useParties } from "../parts/act";
import { AccountForm, Asked, Banks, DepositForm, isBank } from "../parts/banks";
import { Loading, ProblemNote, Section, Time, useAnswer } from "../parts/basics";
import { StateMark, Sum, Ways, useAct, useEvery } from "../parts/money";
import { EscrowActs, HoldForm, Lines } from "../parts/money_acts";
import { session } from "../session";
import { list, named, t } from "../words";

export default function MoneyPage() {
  useEffect(() => void (document.title = t("money.document_title")), []);
  // An operator keeps no accounts and sees nobody's: who may keep them is what it decides.
  return useCell(session)?.role === "operator" ? <OfOperator /> : <OfParty />;
}

function OfOperator() {
  const [banks, readBanks] = useAnswer<Bank[]>("/v1/finance/banks?limit=100");
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
  const [accounts, readAccounts] = useAnswer<Account[]>("/v1/finance/accounts?limit=100");
  const [deals, readDeals] = useAnswer<Deal[]>("/v1/finance/deals?limit=100");
  const [escrows, readEscrows] = useAnswer<Escrow[]>("/v1/finance/escrows?limit=100");
  const [approvals, readApprovals] = useAnswer<Approval[]>("/v1/finance/approvals?limit=100");
  const [lines, readLines] = useAnswer<CreditLine[]>("/v1/finance/credit-lines?limit=100");
  const [banks, readBanks] = useAnswer<Bank[]>("/v1/finance/banks?limit=100");
  const [currencies] = useAnswer<Currency[]>("/v1/finance/currencies");
  const parties = useParties();
  const party = useCell(session)?.party ?? "";
  useEvery(4, readAccounts, readDeals, readEscrows, readApprovals, readLines);
  const all = [accounts, deals, escrows, approvals, lines, banks, currencies];
  const failed = all.find((each) => each.state === "failed");
  if (failed?.state === "failed") return <ProblemNote problem={failed.problem} again={() => location.reload()} />;
  if (accounts.state !== "here" || deals.state !== "here" || escrows.state !== "here" || approvals.state !== "here" || lines.state !== "here" || banks.state !== "here" || currencies.state !== "here") return <Loading what={t("money.reading")} />;
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
          <ul class="services">
            {waiting.map((each) => (
              <Waiting
                key={each.approval}
                row={each}
                done={() => {
                  readApprovals();
                  readAccounts();
                  readDeals();
                  readEscrows();
                  readLines();
                }}
              />
            ))}
          </ul>
        </Section>
      )}
      <Section id="accounts-title" title={t("accounts.title")}>
        {accounts.value.length === 0 ? <p class="quiet">{t("accounts.none")}</p> : <Accounts rows={accounts.value} name={parties.name} />}
        {actsAsBank && <AccountForm parties={parties} currencies={currencies.value} done={readAccounts} />}
        {actsAsBank && <DepositForm accounts={accounts.value} parties={parties} done={readAccounts} />}
      </Section>
      {accounts.value.length > 0 && <Latest rows={accounts.value} party={party} name={parties.name} />}
      <div class="two">
        <Section id="deals-title" title={t("deals.title")} aside={<a href="/deals">{t("deal.all")}</a>}>
          {deals.value.length === 0 && <p class="quiet">{t("deals.none")}</p>}
          <ul class="services">
            {deals.value.map((deal) => (
              <li key={deal.deal} class="money-row">
                <StateMark state={deal.state} />
                <div>
                  <p>
                    <Sum minor={deal.amount_minor} currency={deal.currency} exponent={deal.exponent} />{" "}
                    <a href={`/consignments/${encodeURIComponent(deal.consignment)}`} class="c-data">
                      {deal.consignment}
                    </a>
                  </p>
                  <p class="quiet">{t("money.from_to", { payer: parties.name(deal.payer), payee: parties.name(deal.payee) })}</p>
                </div>
              </li>
            ))}
          </ul>
        </Section>
        <Section id="escrows-title" title={t("escrows.title")}>
          {escrows.value.length === 0 && <p class="quiet">{t("escrows.none")}</p>}
          <ul class="services">
            {escrows.value.map((row) => (
              <Held key={row.key} row={row} done={readEscrows} />
            ))}
          </ul>
          {actsAsBank && <HoldForm accounts={accounts.value} bank={party} done={readEscrows} />}
        </Section>
      </div>
      {actsAsBank && <Lines lines={lines.value} banks={others.map(([value, words]) => ({ value, words: words || value }))} currencies={currencies.value} bank={party} name={parties.name} done={readLines} />}
      {actsAsBank && <Asked />}
      <Banks banks={banks.value} parties={parties} done={readBanks} />
    </div>
  );
}

function Accounts({ rows, name }: { rows: Account[]; name: (party: string) => string }) {
  return (
    <div class="table-box money-accounts" tabIndex={0} role="group" aria-label={t("accounts.title")}>
      <table>
        <thead>
          <tr>
            <th scope="col">{t("accounts.holder")}</th>
            <th scope="col">{t("accounts.bank")}</th>
            <th scope="col">{t("accounts.purpose")}</th>
            <th scope="col" class="n">
              {t("accounts.balance")}
            </th>
            <th scope="col" class="n">
              {t("accounts.held")}
            </th>
            <th scope="col" class="n">
              {t("accounts.available")}
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.account}>
              <th scope="row">{name(row.holder)}</th>
              <td class="kept" data-name={t("accounts.bank")}>
                {name(row.bank)}
              </td>
              <td>{named("purpose", row.purpose)}</td>
              <td class="n" data-name={t("accounts.balance")}>
                <Sum minor={row.balance_minor} currency={row.currency} exponent={row.exponent} />
              </td>
              <td class="n" data-name={t("accounts.held")}>
                <Sum minor={row.debits_pending_minor} currency={row.currency} exponent={row.exponent} />
              </td>
              <td class="n" data-name={t("accounts.available")}>
                <Sum minor={row.available_minor} currency={row.currency} exponent={row.exponent} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** The newest movements of one account, read again every few seconds. */
function Latest({ rows, party, name }: { rows: Account[]; party: string; name: (party: string) => string }) {
  // A customer has one; a bank looks at its customers' first.
  const first = rows.find((row) => row.holder === party && row.purpose === "customer") ?? rows.find((row) => row.purpose === "customer") ?? rows[0];
  const [chosen, choose] = useState(first?.account ?? "");
  const [told, read] = useAnswer<Movements>(`/v1/finance/accounts/${chosen}/movements?limit=20`);
  useEvery(4, read);
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
      {told.state === "failed" && <ProblemNote problem={told.problem} again={read} />}
      {told.state === "here" && told.value.movements.length === 0 && <p class="quiet">{t(told.value.complete ? "latest.none" : "latest.none_lately")}</p>}
      {told.state === "here" && (
        <ul class="services" aria-live="polite">
          {told.value.movements.map((one) => (
            <li key={one.transfer} class="money-row">
              <StateMark state={one.state} />
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

function Waiting({ row, done }: { row: Approval; done: () => void }) {
  const who = useCell(session);
  const [problem, act, busy] = useAct(done);
  const path = `/v1/finance/approvals/${row.approval}`;
  const mine = !!who && row.approved_by.includes(who.name);
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
        <p class="money-buttons">
          {mine ? (
            t("approvals.yours")
          ) : (
            <button type="button" class="button" disabled={busy} onClick={() => act(path, { verdict: "approve" })}>
              {t("approvals.approve")}
            </button>
          )}{" "}
          {!mine && (
            <button type="button" class="button" disabled={busy} onClick={() => act(path, { verdict: "refuse" })}>
              {t("approvals.refuse")}
            </button>
          )}
        </p>
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
