// Banks by hand: the operator admits them, they open accounts and take deposits, here or on the
// ledger of a peer.
import { useRef, useState } from "preact/hooks";
import { get } from "../api";
import { money } from "../format";
import type { Account, Bank, Currency } from "../money_types";
import { session } from "../session";
import type { Dispatch, PartyRow } from "../types";
import { named, t } from "../words";
import { Section, useAnswer } from "./basics";
import { StateMark } from "./money";
import { Table, columnsOf } from "./table";
import { ActForm, type Choice, Trouble, minorOf } from "./money_form";

type Done = { done: () => void };
type Named = { rows: PartyRow[]; name: (party: string) => string };

const HERE = "";
/** What people of a corridor pay in; all others follow by code. */
const USUAL = ["CNY", "KZT", "USD", "EUR"];

const asChoices = (rows: PartyRow[]): Choice[] => rows.map((row) => ({ value: row.party, words: row.name || row.party }));

export function currencyChoices(all: Currency[]): Choice[] {
  const codes = all.map((each) => each.currency);
  return [...USUAL.filter((code) => codes.includes(code)), ...codes.filter((code) => !USUAL.includes(code))].map((value) => ({ value, words: value }));
}

/** The peers on whose ledgers a bank may ask for something, this node first. */
export function usePlaces(): Choice[] {
  const [peers] = useAnswer<{ node: string; organisation: string }[]>("/v1/exchange/peers");
  const others = peers.state === "here" ? peers.value : [];
  return [{ value: HERE, words: t("bank.here") }, ...others.map((peer) => ({ value: peer.node, words: peer.organisation || peer.node }))];
}

/** All admitted banks, and for the operator the form that admits one. */
export function Banks({ banks, parties, done }: { banks: Bank[]; parties: Named } & Done) {
  const operator = session.value?.role === "operator";
  const known = new Set(banks.map((bank) => bank.bank));
  const asking = parties.rows.filter((row) => !known.has(row.party));
  const ranked = [...asking].sort((one, other) => Number(isBank(other)) - Number(isBank(one)));
  return (
    <Section id="banks-title" title={t("bank.title")}>
      <Table
        list="banks"
        title={t("bank.title")}
        columns={columnsOf("name", "bank", "bic", "town", "country")}
        id={(bank: Bank) => bank.bank}
        none={t("bank.none")}
        follows={banks}
        line={(bank) => (
          <li key={bank.bank}>
            <div>
              <strong>{bank.name}</strong> <code>{bank.bic}</code>
              <p class="quiet">{t("bank.at", { town: bank.town, country: bank.country })}</p>
            </div>
          </li>
        )}
      />
      {operator && ranked.length > 0 && (
        <ActForm
          title={t("bank.admit")}
          submit={t("bank.admit_go")}
          means={t("bank.admit_means")}
          fields={[
            { name: "bank", label: t("bank.party"), kind: "choice", choices: asChoices(ranked) },
            { name: "name", label: t("bank.name"), value: (of) => nameOf(ranked, of("bank")) },
            { name: "bic", label: t("bank.bic") },
            { name: "town", label: t("bank.town") },
            { name: "country", label: t("bank.country"), value: (of) => ranked.find((row) => row.party === of("bank"))?.country ?? "" },
          ]}
          send={(typed, act) => act("/v1/finance/banks", { ...typed, bic: (typed.bic ?? "").toUpperCase(), country: (typed.country ?? "").toUpperCase() })}
          after={(answer) => t("bank.admitted", { name: (answer as Bank).name })}
          done={done}
        />
      )}
    </Section>
  );
}

const nameOf = (rows: PartyRow[], party: string) => rows.find((row) => row.party === party)?.name ?? "";

/** A party that the registry calls a bank. */
export const isBank = (row: PartyRow | undefined): boolean => /\bbank\b|_bank/i.test(row?.trade_role ?? "");

/** Opens a customer's account at the reader's bank, on this ledger or by asking a peer. */
export function AccountForm({ parties, currencies, done }: { parties: Named; currencies: Currency[] } & Done) {
  const places = usePlaces();
  const own = session.value?.party;
  const holders = parties.rows.filter((row) => row.party !== own && !isBank(row));
  if (holders.length === 0) return null;
  return (
    <ActForm
      title={t("account.open")}
      submit={t("account.open_go")}
      means={t("account.means")}
      fields={[
        { name: "holder", label: t("account.holder"), kind: "choice", choices: asChoices(holders) },
        { name: "currency", label: t("form.currency"), kind: "choice", choices: currencyChoices(currencies) },
        { name: "name", label: t("account.name"), value: (of) => nameOf(holders, of("holder")) },
        { name: "town", label: t("bank.town") },
        { name: "country", label: t("bank.country"), value: (of) => holders.find((row) => row.party === of("holder"))?.country ?? "" },
        ...(places.length > 1 ? [{ name: "node", label: t("bank.where"), kind: "choice" as const, choices: places }] : []),
      ]}
      send={(typed, act) => {
        const { node, ...account } = typed;
        if (node) act("/v1/federation/accounts", { node, ...account });
        else act("/v1/finance/accounts", account);
      }}
      after={(answer) => ("document" in (answer as object) ? t("bank.asked") : t("account.opened", { holder: parties.name((answer as Account).holder) }))}
      done={done}
    />
  );
}

/** The number of the next deposit into an account on a day of UTC, by what came into it that day. */
function useNumbers(day: string): { next: (account: string) => number; came: (account: string) => void; again: (account: string) => void } {
  const known = useRef(new Map<string, number>());
  const [, draw] = useState(0);
  return {
    next: (account) => {
      const came = known.current.get(account);
      if (came === undefined) {
        known.current.set(account, 0);
        get<{ movements: { at: string; amount_minor: number }[] }>(`/v1/finance/accounts/${account}/movements?limit=100`).then(
          ({ movements }) => {
            known.current.set(account, movements.filter((each) => each.amount_minor > 0 && each.at.startsWith(day)).length);
            draw((n) => n + 1);
          },
          // The first name of the day is proposed; if it stands already, the node says so.
          () => undefined,
        );
      }
      return (came ?? 0) + 1;
    },
    came: (account) => known.current.set(account, (known.current.get(account) ?? 0) + 1),
    again: (account) => known.current.delete(account),
  };
}

/** Brings money in for a customer, and tells the balance before and after. */
export function DepositForm({ accounts, parties, done }: { accounts: Account[]; parties: Named } & Done) {
  const own = accounts.filter((row) => row.bank === session.value?.party && row.purpose === "customer");
  const before = useRef<Account | null>(null);
  const day = new Date().toISOString().slice(0, 10);
  const numbers = useNumbers(day);
  if (own.length === 0) return null;
  const picked = (account: string) => own.find((row) => row.account === account);
  const proposed = (row: Account | undefined) => {
    const number = row ? numbers.next(row.account) : 1;
    const end = number > 1 ? `-${number}` : "";
    return `${row?.holder ?? ""}-${day}`.slice(end.length - 64) + end;
  };
  const sum = (row: Account, minor: number) => money({ minor, currency: row.currency, exponent: row.exponent });
  return (
    <ActForm
      title={t("deposit.title")}
      submit={t("deposit.submit")}
      means={t("deposit.means")}
      fields={[
        { name: "account", label: t("deposit.account"), kind: "choice", choices: own.map((row) => ({ value: row.account, words: t("deposit.of", { holder: parties.name(row.holder), balance: sum(row, row.balance_minor) }) })) },
        { name: "amount", label: t("form.amount"), kind: "amount" },
        // The name makes it one deposit: proposed alike in every tab until one is credited.
        { name: "deposit", label: t("deposit.name"), value: (of) => proposed(picked(of("account"))) },
      ]}
      send={(typed, act) => {
        const row = picked(typed.account ?? "");
        if (!row) throw new Trouble(t("form.no_account"));
        before.current = row;
        act("/v1/finance/deposits", { deposit: typed.deposit, holder: row.holder, amount_minor: minorOf(typed.amount ?? "", row.exponent), currency: row.currency });
      }}
      after={(answer) => {
        const [row, then] = [answer as Account, before.current];
        if (!then || row.balance_minor === then.balance_minor) {
          // Another tab brought it in: what came today is asked for anew.
          numbers.again(row.account);
          return t("deposit.stood", { balance: sum(row, row.balance_minor) });
        }
        numbers.came(row.account);
        return t("deposit.done", { holder: parties.name(row.holder), before: sum(row, then.balance_minor), after: sum(row, row.balance_minor) });
      }}
      done={done}
    />
  );
}

/** What the reader's bank asked of peers' ledgers, and what they decided. */
export function Asked() {
  const [any, setAny] = useState(false);
  return (
    <div hidden={!any}>
    <Section id="asked-title" title={t("bank.asked_title")}>
      <Table
        list="outbox"
        title={t("bank.asked_title")}
        columns={columnsOf("created_at", "kind", "recipient", "outcome")}
        id={(row: Dispatch) => row.document}
        only={["consignment=accounts"]}
        told={(rows) => setAny(rows.length > 0)}
        line={(row) => (
          <li key={row.document} class="money-row">
            <StateMark state={row.outcome || "waits"} />
            <div>
              <p>
                {named("asked", row.kind)} <span class="quiet">{row.recipient}</span>
              </p>
              {row.reason && (
                <p class="quiet" lang="en">
                  {row.reason}
                </p>
              )}
            </div>
          </li>
        )}
      />
    </Section>
    </div>
  );
}
