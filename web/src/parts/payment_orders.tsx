// Payments that wait for their day: what each instruction still has to pay, and taking it back.
import { useCell } from "../cell";
import type { PaymentOrder } from "../money_types";
import { session } from "../session";
import { t } from "../words";
import { ProblemNote, Section, Time } from "./basics";
import { StateMark, Sum, useAct } from "./money";
import { Table, columnsOf } from "./table";

export function PaymentOrders({ name, done, follows }: { name: (party: string) => string; done: () => void; follows: number }) {
  return (
    <Section id="payment-orders-title" title={t("payment_orders.title")}>
      <Table
        list="payment-orders"
        title={t("payment_orders.title")}
        columns={columnsOf("message", "state", "next_at", "payments", "waiting", "bank")}
        id={(row: PaymentOrder) => row.payment_order}
        none={t("payment_orders.none")}
        follows={follows}
        every={4}
        line={(row) => <Order key={row.payment_order} row={row} name={name} done={done} />}
      />
    </Section>
  );
}

function Order({ row, name, done }: { row: PaymentOrder; name: (party: string) => string; done: () => void }) {
  const who = useCell(session);
  const [problem, act, busy] = useAct(done);
  const path = `/v1/finance/payment-orders/${row.payment_order}/cancellation`;
  const mine = who?.role === "party" && who.party === row.sender;
  return (
    <li class="money-row">
      <StateMark state={row.state} />
      <div>
        <p>
          <code>{row.message}</code> {row.sums.map((each) => <Sum key={each.currency} minor={each.amount_minor} currency={each.currency} exponent={each.exponent} />)}
        </p>
        <p class="quiet">
          {t("payment_orders.waiting", { waiting: row.waiting, payments: row.payments, bank: name(row.bank) })}{" "}
          {row.next_at && (
            <>
              {t("payment_orders.next")} <Time at={row.next_at} />
            </>
          )}
        </p>
        <details>
          <summary>{t("payment_orders.payments")}</summary>
          <ul class="services">
            {row.first.map((each) => (
              <li key={each.uetr} class="money-row">
                <StateMark state={each.state} />
                <div>
                  <p>
                    <Sum minor={each.amount_minor} currency={each.currency} exponent={each.exponent} /> {each.payee}
                  </p>
                  <p class="quiet">
                    {t("payment_orders.of", { day: each.day, reference: each.reference })} {each.code}
                  </p>
                  {mine && each.state === "waits" && row.waiting > 1 && (
                    <button type="button" class="button" disabled={busy} onClick={() => act(path, { uetrs: [each.uetr] })}>
                      {t("payment_orders.cancel_one")}
                    </button>
                  )}
                </div>
              </li>
            ))}
          </ul>
        </details>
        {mine && row.waiting > 0 && (
          <p class="money-buttons">
            <button type="button" class="button" disabled={busy} onClick={() => act(path)}>
              {t("payment_orders.cancel")}
            </button>
          </p>
        )}
        {problem && <ProblemNote problem={problem} />}
      </div>
    </li>
  );
}
