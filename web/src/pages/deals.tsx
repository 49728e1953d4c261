// Deals: money that waits for facts of a consignment; the list by pages, and one with its terms.
import { useEffect } from "preact/hooks";
import type { DealWhole } from "../money_types";
import { mayOpen } from "../doors";
import { useParties } from "../parts/act";
import { Section } from "../parts/basics";
import { DealStanding } from "../parts/deal";
import { StateMark, Sum } from "../parts/money";
import { Table, columnsOf } from "../parts/table";
import { t } from "../words";

export default function DealsPage({ id }: { id: string }) {
  useEffect(() => void (document.title = t("deal.list_document_title")), []);
  return (
    <div class="page">
      <h1>{t("deal.list_title")}</h1>
      {id ? <DealStanding key={id} deal={id} /> : <List />}
    </div>
  );
}

const columns = () => columnsOf("deal", "consignment", "state", "amount_minor", "payer", "payee", "deadline");

function List() {
  const { name } = useParties();
  return (
    <Section
      id="deals-title"
      title={t("deals.title")}
      aside={
        mayOpen("/deals/new") && (
          <a class="button" href="/deals/new">
            {t("deal.open")}
          </a>
        )
      }
    >
      <Table
        list="deals"
        title={t("deals.title")}
        columns={columns()}
        id={(deal: DealWhole) => deal.deal}
        none={t("deals.none")}
        live
        line={(deal) => (
          <li key={deal.deal} class="money-row">
            <StateMark state={deal.state} />
            <div>
              <p>
                <a href={`/deals/${encodeURIComponent(deal.deal)}`}>{deal.deal}</a> <Sum minor={deal.amount_minor} currency={deal.currency} exponent={deal.exponent} />
              </p>
              <p class="quiet">{t("money.from_to", { payer: name(deal.payer), payee: name(deal.payee) })}</p>
            </div>
          </li>
        )}
      />
    </Section>
  );
}
