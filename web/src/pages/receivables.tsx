// Receivables: what is owed, whether the buyer confirmed it, and who holds how much of it.
import { useEffect, useState } from "preact/hooks";
import { useCell } from "../cell";
import type { Receivable } from "../money_types";
import { Digits, ProblemNote, Section, asProblem } from "../parts/basics";
import { Problem, send } from "../api";
import { CreditPassport } from "../parts/passport";
import { ReceivableActs } from "../parts/receivable_acts";
import { StateMark, Sum, Ways, useAct } from "../parts/money";
import { Table, columnsOf } from "../parts/table";
import { session } from "../session";
import { t } from "../words";

const columns = () => columnsOf("invoice", "obligor", "supplier", "amount_minor", "free_minor", "due_on", "paid_on");

export default function ReceivablesPage() {
  const who = useCell(session);
  const [acts, setActs] = useState(0);
  useEffect(() => void (document.title = t("receivables.document_title")), []);
  return (
    <div class="page">
      <h1>{t("money.title")}</h1>
      <Ways at="/receivables" />
      <Section id="receivables-title" title={t("receivables.title")}>
        <Table list="receivables" title={t("receivables.title")} columns={columns()} id={(row: Receivable) => row.token} none={t("receivables.none")} follows={acts} every={6} line={(row) => <One key={row.token} row={row} done={() => setActs((n) => n + 1)} />} />
      </Section>
      {who?.role === "party" && (
        <Section id="passport-title" title={t("passport.title")}>
          <CreditPassport />
        </Section>
      )}
      <Section id="look-up-title" title={t("receivables.look_up")}>
        <LookUp />
      </Section>
    </div>
  );
}

function One({ row, done }: { row: Receivable; done: () => void }) {
  const who = useCell(session);
  const [problem, act, busy] = useAct(done);
  const sum = (minor: number) => <Sum minor={minor} currency={row.currency} exponent={row.exponent} />;
  return (
    <li class="money-row">
      <StateMark state={row.confirmed ? "confirmed" : "unconfirmed"} />
      <div class="money-wide">
        <p>
          {sum(row.amount_minor)} <code>{row.invoice}</code>
        </p>
        <p class="quiet">{t("receivables.owes", { obligor: row.obligor_party, supplier: row.supplier_party, due: row.due_on })}</p>
        {row.paid_on && <p>{t("receivables.paid", { on: row.paid_on })}</p>}
        {row.disputed && <p>{t("receivables.disputed", { reason: row.disputed })}</p>}
        <Shares row={row} />
        <ul class="leaves">
          {row.shares.map((share) => (
            <li key={share.share}>
              <strong>{share.holder}</strong> {sum(share.amount_minor)} <code>{share.share}</code>
            </li>
          ))}
          <li>
            {t("receivables.free")} {sum(row.free_minor)}
          </li>
        </ul>
        {!row.confirmed && who?.party === row.obligor_party && (
          <p class="money-buttons">
            <button type="button" class="button" disabled={busy} onClick={() => act(`/v1/finance/receivables/${row.token}/confirmation`)}>
              {t("receivables.confirm")}
            </button>
          </p>
        )}
        {problem && <ProblemNote problem={problem} />}
        <ReceivableActs row={row} party={who?.party ?? ""} done={done} />
        <Digits value={row.token} />
      </div>
    </li>
  );
}

/** The shares to scale: what is held, and what is free. */
function Shares({ row }: { row: Receivable }) {
  let from = 0;
  return (
    <svg class="shares" viewBox="0 0 1000 24" preserveAspectRatio="none" aria-hidden="true">
      <rect x="0" y="0" width="1000" height="24" class="share-free" />
      {row.shares.map((share, i) => {
        const wide = (share.amount_minor / row.amount_minor) * 1000;
        const x = from;
        from += wide;
        return <rect key={share.share} x={x} y="0" width={Math.max(2, wide - 3)} height="24" class={i % 2 ? "share-other" : "share-held"} />;
      })}
    </svg>
  );
}

function LookUp() {
  const [asked, set] = useState({ obligor: "", supplier: "", invoice: "" });
  const [found, setFound] = useState<{ free: boolean } | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const fields = ["obligor", "supplier", "invoice"] as const;
  return (
    <form
      class="look-up"
      onSubmit={(event) => {
        event.preventDefault();
        setFound(null);
        setProblem(null);
        send<{ free: boolean }>("POST", "/v1/finance/receivables/look-up", asked).then(setFound, (error: unknown) => setProblem(asProblem(error)));
      }}
    >
      <p class="quiet">{t("receivables.look_up_means")}</p>
      {fields.map((field) => (
        <label key={field} class="field">
          <span>{t(`receivables.${field}`)}</span>
          <input type="text" required maxLength={120} value={asked[field]} onInput={(event) => set({ ...asked, [field]: event.currentTarget.value })} />
        </label>
      ))}
      <button type="submit" class="button">
        {t("receivables.ask")}
      </button>
      <div role="status">
        {found && <p class={`verdict ${found.free ? "verdict-good" : "verdict-stop"}`}>{t(found.free ? "receivables.is_free" : "receivables.is_taken")}</p>}
      </div>
      {problem && <ProblemNote problem={problem} />}
    </form>
  );
}
