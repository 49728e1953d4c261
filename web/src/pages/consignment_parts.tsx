// What the bank waits for, the money, the title, the papers and the parties of a consignment.
import { Term } from "../parts/term";
import { country, money } from "../format";
import { Digits, Facts, Time } from "../parts/basics";
import { CustomsRelease } from "../parts/customs_release";
import { DealOfRoad } from "../parts/deal";
import { conditionWords } from "../parts/deal_words";
import { Fold } from "../parts/fold";
import { waitsHere } from "../parts/moves";
import { PapersActs } from "../parts/papers_acts";
import { isDealWithheld, partyName, plainRole } from "../parts/road";
import { Seal } from "../parts/seal";
import { MilestoneMark } from "../parts/shapes";
import { TitleActs } from "../parts/title_acts";
import { Reason } from "../parts/told";
import type { DocumentInfo, FindingInfo, Road, SideInfo } from "../types";
import { has, list, named, t, tryWords } from "../words";

const saidOf = (road: Road, id: string) => road.said.find((item) => item.id === id);

export function ConditionsPart({ road }: { road: Road }) {
  return (
    <Fold id="conditions-title" title={t("conditions")} waits={waitsHere(road, "conditions-title")} says={<Held road={road} />}>
      <ul class="conditions">
        {road.conditions.map(({ name, state, told }) => (
          <li key={name} class={`condition condition-${state}`}>
            <MilestoneMark state={state === "met" ? "done" : state === "failed" ? "refused" : "next"} />
            <div>
              <strong>{conditionWords(name)}</strong> <span class="condition-state">{named("condition_state", state)}</span>
              <Reason told={told} quiet />
            </div>
          </li>
        ))}
      </ul>
      <CustomsRelease road={road} />
    </Fold>
  );
}

/** How many of the conditions hold, as long as none of them failed. */
function Held({ road }: { road: Road }) {
  const { conditions } = road;
  if (conditions.length === 0) return <p class="quiet">{t(isDealWithheld(road) ? "milestone.payment.withheld" : "conditions.none")}</p>;
  const failed = conditions.filter(({ state }) => state === "failed");
  const held = conditions.filter(({ state }) => state === "met").length;
  if (failed.length > 0) return <p class="stop">{list(failed.map(({ name }) => conditionWords(name)))}</p>;
  return <p>{t("conditions.held", { held, all: conditions.length })}</p>;
}

export function MoneyPart({ road }: { road: Road }) {
  const held = road.money;
  const minor = (amount: number) => (held ? money({ minor: amount, currency: held.currency, exponent: held.exponent }) : "");
  return (
    <Fold
      id="money-title"
      title={t("money")}
      waits={waitsHere(road, "money-title")}
      says={
        !held || held.state === "none" ? (
          <p class="quiet">{t(isDealWithheld(road) ? "milestone.payment.withheld" : "money.none")}</p>
        ) : (
          <p class={`money-state money-${held.state}`}>
            <span class="amount">{minor(held.amount_minor)}</span> <strong>{named("money_state", held.state)}</strong>
          </p>
        )
      }
    >
      {held && held.state !== "none" && (
          <Facts
            rows={[
              [t("money.payer"), t("money.party_at_bank", { party: partyName(road, held.payer), bank: partyName(road, held.payer_bank) })],
              [t("money.payee"), t("money.party_at_bank", { party: partyName(road, held.payee), bank: partyName(road, held.payee_bank) })],
            ]}
          />
      )}
      <DealOfRoad road={road} />
    </Fold>
  );
}

export function TitlePart({ road }: { road: Road }) {
  const title = road.title;
  return (
    <Fold
      id="goods-title"
      title={t("title")}
      waits={waitsHere(road, "goods-title")}
      aside={<Term name="title" />}
      says={<p class={title ? undefined : "quiet"}>{!title ? t("title.none") : title.custody ? t("title.in_custody") : partyName(road, title.holder_party)}</p>}
    >
      {title && (
        <>
          <Facts
            rows={[
              [t("title.holder"), <strong>{title.custody ? t("title.in_custody") : partyName(road, title.holder_party)}</strong>],
              [t("title.beneficiary"), partyName(road, title.beneficiary_party)],
              [t("title.number"), <Digits value={title.title} />],
              [t("title.registry"), <Digits value={title.registry} />],
              [t("title.chain"), String(title.chain_id)],
            ]}
          />
          <ol class="moves">
            {title.moves.map((move, i) => {
              const fact = saidOf(road, move.event);
              return (
                <li key={i}>
                  <span>
                    {t("title.move", { action: named("action", move.action), party: partyName(road, move.holder_party) })}{" "}
                    <span class="quiet">
                      <Time at={move.at} scale="clock" />
                    </span>
                  </span>
                  {fact && <Seal said={fact} />}
                </li>
              );
            })}
          </ol>
        </>
      )}
      <TitleActs road={road} />
    </Fold>
  );
}

export function PapersPart({ road }: { road: Road }) {
  const { documents, papers } = road;
  return (
    <Fold
      id="papers-title"
      title={t("papers")}
      waits={waitsHere(road, "papers-title")}
      says={
        papers ? (
          <p class={papers.agree ? "verdict verdict-good" : "verdict verdict-stop"}>
            <MilestoneMark state={papers.agree ? "done" : "refused"} />
            <span>
              {papers.agree ? t("papers.agree", { n: papers.checks }) : t("papers.conflict", { n: papers.findings.length })}
            </span>
          </p>
        ) : (
          <p class="quiet">{documents.length === 0 ? t("papers.none") : t("papers.count", { n: documents.length })}</p>
        )
      }
    >
      {papers && papers.findings.length > 0 && (
        <ul class="findings">
          {papers.findings.map((finding, i) => (
            <Finding key={i} finding={finding} />
          ))}
        </ul>
      )}
      <ul class="documents">
        {documents.map((paper) => (
          <Paper key={paper.digest} road={road} paper={paper} />
        ))}
      </ul>
      <PapersActs road={road} />
    </Fold>
  );
}

/** A conflict with its two places side by side, so that the reader sees the difference at once. */
function Finding({ finding }: { finding: FindingInfo }) {
  return (
    <li class="finding">
      <p>
        <FindingWords finding={finding} /> <code>{finding.rule}</code>
      </p>
      <div class="sides">
        <Side side={finding.left} />
        <Side side={finding.right} />
      </div>
    </li>
  );
}

/** What differs, in words; a rule of somebody else that we have no wording for speaks English. */
function FindingWords({ finding }: { finding: FindingInfo }) {
  const { told, rule, verdict } = finding;
  const ours = tryWords(`rule.${rule}`);
  if (ours) return <strong>{ours}</strong>;
  if (!has(told.code)) {
    return (
      <strong>
        {named("verdict", verdict)} <span lang="en">{told.text}</span>
      </strong>
    );
  }
  const what = t(told.code, told.args);
  return <strong>{told.code.endsWith(".absent") ? what : t(`finding.${verdict}`, { what })}</strong>;
}

function Side({ side }: { side: SideInfo }) {
  const field = side.field && named("field", side.field);
  const where = side.line ? t("field.at_line", { field, line: side.line }) : side.part ? t("field.at_part", { field, part: side.part }) : field;
  return (
    <p class="side">
      <span class="quiet">
        {side.paper && named("document", side.paper)} {where}
      </span>
      <strong>{tryWords(`value.${side.value}`) ?? side.value}</strong>
    </p>
  );
}

function Paper({ road, paper }: { road: Road; paper: DocumentInfo }) {
  const fact = saidOf(road, paper.event);
  return (
    <li class="document">
      <div class="document-words">
        <h3>
          {named("document", paper.kind)} <span class="document-number">{paper.number}</span>
        </h3>
        <p class={paper.valid ? "good" : "stop"}>{t(paper.valid ? "document.valid" : "document.invalid")}</p>
        <p class="quiet instants">
          <Time at={paper.recorded_at} scale="clock" />
        </p>
        <details>
          <summary>{t("document.more")}</summary>
          <Facts
            rows={[
              [t("document.digest"), <Digits value={paper.digest} />],
              [t("document.form"), paper.media_type],
              [t("document.rules"), paper.rules.length ? <span class="breaks">{paper.rules.join(t("list.comma"))}</span> : t("none")],
              [t("document.credential"), paper.credential ? <Digits value={paper.credential} /> : t("document.no_credential")],
            ]}
          />
        </details>
      </div>
      {fact && <Seal said={fact} />}
    </li>
  );
}

export function PartiesPart({ road }: { road: Road }) {
  return (
    <Fold id="parties-title" title={t("parties")} says={<p class="quiet">{t("parties.count", { n: new Set(road.parties.map((party) => party.party)).size })}</p>}>
      <ul class="parties">
        {road.parties.map((party) => (
          <li key={`${party.party} ${party.trade_role}`}>
            <span class="quiet">{named("trade_role", plainRole(party.trade_role || party.party))}</span>
            <strong>{party.name}</strong>
            <span class="quiet">{country(party.country)}</span>
          </li>
        ))}
      </ul>
    </Fold>
  );
}
