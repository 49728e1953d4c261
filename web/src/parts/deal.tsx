// How a deal stands: its paragraph, what waits for whom, and the giving of the title into its custody.
import { Term } from "./term";
import { useEffect, useState } from "preact/hooks";
import { type Problem, get, send } from "../api";
import type { DealWhole } from "../money_types";
import { session } from "../session";
import type { Road } from "../types";
import { t } from "../words";
import { ActButton, TheirMove, useParties } from "./act";
import { Loading, ProblemNote, Section, Time, useAnswer, whole } from "./basics";
import { conditionWords, oneStop, paragraph } from "./deal_words";
import { StateMark, Sum, useEvery } from "./money";
import { MilestoneMark } from "./shapes";

const POLL_S = 4;

/** One deal, read again every few seconds while it is looked at. */
export function DealStanding({ deal }: { deal: string }) {
  const [answer, read] = useAnswer<DealWhole>(`/v1/finance/deals/${encodeURIComponent(deal)}`);
  const { name } = useParties();
  useEvery(POLL_S, read);
  if (answer.state === "loading") return <Loading what={t("deal.reading")} />;
  if (answer.state === "failed") return <ProblemNote problem={answer.problem} again={read} />;
  const found = answer.value;
  return (
    <Section id="deal-title" title={t("deal.title", { deal: found.deal })} aside={<Term name="custody" />}>
      <p>
        <StateMark state={found.state} /> <Sum minor={found.amount_minor} currency={found.currency} exponent={found.exponent} />{" "}
        <a href={`/consignments/${encodeURIComponent(found.consignment)}`}>{found.consignment}</a>
      </p>
      <p class="deal-paragraph">{paragraph(found, name)}</p>
      <Waits deal={found} name={name} />
      <GiveTitle deal={found} done={read} />
    </Section>
  );
}

/** What holds already, and whose move the rest is. */
export function Waits({ deal, name }: { deal: DealWhole; name: (party: string) => string }) {
  const open = ["opened", "reserved"].includes(deal.state);
  return (
    <>
      <ul class="conditions">
        {deal.conditions.map((each) => (
          <li key={each.name} class={`condition condition-${each.met ? "met" : "waits"}`}>
            <MilestoneMark state={each.met ? "done" : open ? "next" : "refused"} />
            <div>
              <strong>{conditionWords(each.name)}</strong> <span class="condition-state">{t(each.met ? "condition_state.met" : open ? "condition_state.waits" : "condition_state.failed")}</span>
              {each.waits_for && <p class="quiet">{oneStop(t("deal.waits_for", { who: waiter(each.waits_for, name) }))}</p>}
            </div>
          </li>
        ))}
      </ul>
      {open && (
        <p class="quiet">
          {t("deal.until_when")} <Time at={deal.deadline} />
        </p>
      )}
    </>
  );
}

function waiter(who: string, name: (party: string) => string): string {
  return who.startsWith("terminal ") ? t("deal.terminal_of", { terminal: who.slice("terminal ".length) }) : name(who);
}

/** The payee's act: its title goes into the deal's custody, from here or from its own node. */
export function GiveTitle({ deal, done }: { deal: DealWhole; done: () => void }) {
  const { name } = useParties();
  const party = session.value?.party ?? "";
  const awaits = deal.title && !deal.title_reserved && ["opened", "reserved"].includes(deal.state);
  if (!awaits) return null;
  if (deal.payee !== party) return <TheirMove party={name(deal.payee)} what={t("deal.gives_title")} />;
  return (
    <ActButton
      open
      button={t("deal.give_title")}
      means={t("deal.give_title_means", { bank: name(deal.payer_bank) })}
      act={() => give(deal)}
      after={(told) => t(`deal.given.${told}`)}
      done={done}
    />
  );
}

/** Signs at this node; where the deal is another node's, that one gets the signature. */
async function give(deal: DealWhole): Promise<"here" | "there"> {
  const shared = await get<{ home: string }>(`/v1/federation/consignments/${encodeURIComponent(deal.consignment)}`);
  const here = shared.home === (await get<{ node: string }>("/exchange/card")).node;
  const room = here ? "finance" : "federation";
  await send("POST", `/v1/${room}/deals/${encodeURIComponent(deal.deal)}/title`);
  return here ? "here" : "there";
}

/** The newest deal of a consignment; null where there is none, undefined while it is looked for. */
export function useDealOf(consignment: string, follows: string): [DealWhole | null | undefined, Problem | null, () => void] {
  const [found, set] = useState<DealWhole | null | undefined>(undefined);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    whole<DealWhole>("/v1/lists/deals", Number.POSITIVE_INFINITY).then(
      (rows) => {
        const own = rows.filter((row) => row.consignment === consignment);
        set(own.find((row) => row.state !== "refused") ?? own.at(-1) ?? null);
        setProblem(null);
      },
      (error: Problem) => {
        set(null);
        setProblem(error);
      },
    );
  }, [consignment, follows, turn]);
  return [found, problem, () => setTurn((old) => old + 1)];
}

/** On a consignment: the deal, or whose move it is to open one. */
export function DealOfRoad({ road }: { road: Road }) {
  const [deal, problem, again] = useDealOf(road.consignment, road.said.length.toString());
  const [seen] = useAnswer<{ entered: { importer_bank: string } }>(`/v1/trade/consignments/${encodeURIComponent(road.consignment)}`);
  const { name } = useParties();
  const who = session.value;
  if (deal === undefined || !who || who.role === "admin") return null;
  // Whose move it is nobody knows where the question was not answered.
  if (problem) return <ProblemNote problem={problem} />;
  if (deal && !(deal.state === "refused" && road.state === "under_way")) {
    return (
      <div class="deal-of-road">
        <p>
          <a href={`/deals/${encodeURIComponent(deal.deal)}`}>{t("deal.see", { deal: deal.deal })}</a>
        </p>
        <GiveTitle deal={deal} done={again} />
      </div>
    );
  }
  if (seen.state !== "here" || road.state !== "under_way") return null;
  const bank = seen.value.entered.importer_bank;
  if (who.party !== bank) return <TheirMove party={name(bank)} what={t("deal.opens")} />;
  return (
    <p>
      <a class="button" href={`/deals/new/${encodeURIComponent(road.consignment)}`}>
        {t("deal.open")}
      </a>
    </p>
  );
}
