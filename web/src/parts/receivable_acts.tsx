// What the two parties of a receivable do about it: name what paid it, dispute it, withdraw that.
import type { Receivable } from "../money_types";
import { t } from "../words";
import { ProblemNote } from "./basics";
import { useAct } from "./money";
import { ActForm, Trouble } from "./money_form";

type Props = { row: Receivable; party: string; done: () => void };

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Nothing for other parties, and nothing once it is paid: the node judges anew. */
export function ReceivableActs({ row, party, done }: Props) {
  if (row.paid_on || ![row.obligor_party, row.supplier_party].includes(party)) return null;
  const at = `/v1/finance/receivables/${row.token}`;
  return (
    <>
      <ActForm
        title={t("receivables.pay")}
        submit={t("receivables.pay_submit")}
        means={t("receivables.pay_means")}
        fields={[
          {
            name: "by",
            label: t("receivables.pay_by"),
            kind: "choice",
            choices: ["uetr", "transfer"].map((value) => ({ value, words: t(`receivables.by_${value}`) })),
          },
          { name: "number", label: t("receivables.pay_number") },
          { name: "bank", label: t("receivables.pay_bank"), optional: true },
        ]}
        send={(typed, act) => {
          const number = (typed.number ?? "").toLowerCase();
          if (!UUID.test(number)) throw new Trouble(t("receivables.no_number"));
          if (typed.by === "uetr" && !typed.bank) throw new Trouble(t("receivables.no_bank"));
          act(`${at}/payment`, typed.by === "uetr" ? { uetr: number, bank: typed.bank } : { transfer: number });
        }}
        done={done}
      />
      {party === row.obligor_party && (row.disputed ? <Withdraw at={at} done={done} /> : <Dispute at={at} done={done} />)}
    </>
  );
}

function Dispute({ at, done }: { at: string; done: () => void }) {
  return (
    <ActForm
      title={t("receivables.dispute")}
      submit={t("receivables.dispute_submit")}
      means={t("receivables.dispute_means")}
      fields={[{ name: "reason", label: t("receivables.dispute_reason") }]}
      send={(typed, act) => act(`${at}/dispute`, { reason: typed.reason })}
      done={done}
    />
  );
}

function Withdraw({ at, done }: { at: string; done: () => void }) {
  const [problem, act, busy] = useAct(done);
  return (
    <>
      <p class="money-buttons">
        <button type="button" class="button" disabled={busy} onClick={() => act(`${at}/dispute`, { reason: "" })}>
          {t("receivables.withdraw")}
        </button>
      </p>
      {problem && <ProblemNote problem={problem} />}
    </>
  );
}
