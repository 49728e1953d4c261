// One account: what moved on it, down to its first movement, and what stood on it at a moment.
import { useEffect, useState } from "preact/hooks";
import { get } from "../api";
import type { Account, Movement } from "../money_types";
import { Loading, ProblemNote, Section, Time, asProblem, useAnswer } from "../parts/basics";
import { StateMark, Sum, Ways } from "../parts/money";
import { type Column, Table } from "../parts/table";
import type { Problem } from "../api";
import { named, t } from "../words";

export default function AccountPage({ id }: { id: string }) {
  useEffect(() => void (document.title = t("account.document_title")), []);
  const [told, read] = useAnswer<Account>(`/v1/finance/accounts/${encodeURIComponent(id)}`);
  if (told.state === "failed") return <ProblemNote problem={told.problem} again={read} />;
  if (told.state === "loading") return <Loading what={t("money.reading")} />;
  const account = told.value;
  return (
    <div class="page">
      <h1>{t("account.title", { name: account.name })}</h1>
      <Ways at="/account" />
      <dl class="facts">
        <dt>{t("accounts.number")}</dt>
        <dd>
          <code>{account.number}</code>
        </dd>
        <dt>{t("accounts.bank")}</dt>
        <dd>{account.bank}</dd>
        <dt>{t("accounts.purpose")}</dt>
        <dd>{named("purpose", account.purpose)}</dd>
        <dt>{t("accounts.balance")}</dt>
        <dd>
          <Sum minor={account.balance_minor} currency={account.currency} exponent={account.exponent} /> {account.closed && <strong class="stop">{t("accounts.closed")}</strong>}
        </dd>
      </dl>
      <AtMoment account={account} />
      <Section id="movements-title" title={t("movements.title")}>
        <Table list="movements" title={t("movements.title")} columns={columns(account)} id={(row) => row.position} only={[`account=${account.account}`]} none={t("latest.none")} every={8} />
      </Section>
    </div>
  );
}

const columns = (account: Account): Column<Movement>[] => [
  { name: "at", title: t("table.of.at"), cell: (row) => <Time at={row.at} /> },
  { name: "state", title: t("table.of.state"), cell: (row) => <StateMark state={row.state} /> },
  { name: "amount_minor", title: t("table.of.amount_minor"), cell: (row) => <Sum minor={row.amount_minor} currency={account.currency} exponent={account.exponent} />, n: true },
  { name: "counterparty", title: t("table.of.counterparty") },
  { name: "end_to_end", title: t("table.of.end_to_end") },
  { name: "remittance", title: t("table.of.remittance") },
  { name: "uetr", title: "UETR", cell: (row) => <code>{row.uetr}</code>, spare: true },
  { name: "transfer", title: t("table.of.transfer"), cell: (row) => <code>{row.transfer}</code>, spare: true },
];

/** What stood on the account at a moment, in UTC. */
function AtMoment({ account }: { account: Account }) {
  const [at, setAt] = useState("");
  const [found, setFound] = useState<{ at: string; balance_minor: number } | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const ask = (event: Event) => {
    event.preventDefault();
    setProblem(null);
    const moment = `${at.length === 16 ? `${at}:00` : at}Z`;
    get<{ at: string; balance_minor: number }>(`/v1/finance/accounts/${account.account}/balance?at=${encodeURIComponent(moment)}`).then(setFound, (error: unknown) => setProblem(asProblem(error)));
  };
  return (
    <Section id="at-moment-title" title={t("at_moment.title")}>
      <form class="form" onSubmit={ask}>
        <label class="field">
          <span>{t("at_moment.at")}</span>
          <input type="datetime-local" step="1" required value={at} onInput={(event) => setAt(event.currentTarget.value)} />
        </label>
        <button type="submit" class="button">
          {t("at_moment.ask")}
        </button>
      </form>
      {problem && <ProblemNote problem={problem} />}
      {found && (
        <p role="status">
          <Sum minor={found.balance_minor} currency={account.currency} exponent={account.exponent} /> <Time at={found.at} />
        </p>
      )}
    </Section>
  );
}
