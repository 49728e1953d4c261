// Deals: money that waits for facts of a consignment; the list by pages, and one with its terms.
import { useEffect, useState } from "preact/hooks";
import type { DealWhole } from "../money_types";
import { useParties } from "../parts/act";
import { Loading, ProblemNote, Section, useAnswer } from "../parts/basics";
import { DealStanding } from "../parts/deal";
import { StateMark, Sum } from "../parts/money";
import { t } from "../words";

const PAGE = 50;

export default function DealsPage({ id }: { id: string }) {
  useEffect(() => void (document.title = t("deal.list_document_title")), []);
  return (
    <div class="page">
      <h1>{t("deal.list_title")}</h1>
      {id ? <DealStanding key={id} deal={id} /> : <List />}
    </div>
  );
}

function List() {
  const [marks, setMarks] = useState<string[]>([""]);
  const after = marks.at(-1) ?? "";
  const [answer, again] = useAnswer<DealWhole[]>(`/v1/finance/deals?limit=${PAGE}&after=${encodeURIComponent(after)}`);
  const { name } = useParties();
  if (answer.state === "failed") return <ProblemNote problem={answer.problem} again={again} />;
  if (answer.state === "loading") return <Loading what={t("deal.reading")} />;
  const rows = answer.value;
  return (
    <Section
      id="deals-title"
      title={t("deals.title")}
      aside={
        <a class="button" href="/deals/new">
          {t("deal.open")}
        </a>
      }
    >
      {rows.length === 0 && <p class="quiet">{t("deals.none")}</p>}
      <ul class="services">
        {rows.map((deal) => (
          <li key={deal.deal} class="money-row">
            <StateMark state={deal.state} />
            <div>
              <p>
                <a href={`/deals/${encodeURIComponent(deal.deal)}`}>{deal.deal}</a> <Sum minor={deal.amount_minor} currency={deal.currency} exponent={deal.exponent} />
              </p>
              <p class="quiet">{t("money.from_to", { payer: name(deal.payer), payee: name(deal.payee) })}</p>
            </div>
          </li>
        ))}
      </ul>
      <p class="money-buttons">
        {marks.length > 1 && (
          <button type="button" class="button" onClick={() => setMarks(marks.slice(0, -1))}>
            {t("page.back")}
          </button>
        )}
        {rows.length === PAGE && (
          <button type="button" class="button" onClick={() => setMarks([...marks, rows.at(-1)?.deal ?? ""])}>
            {t("page.more")}
          </button>
        )}
      </p>
    </Section>
  );
}
