// Who may act here: people, parties and the tokens of programs; what waits for whose word; the journal of it.
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { type Problem, send } from "../api";
import { useCell } from "../cell";
import { Digits, Loading, ProblemNote, Section, asProblem, useAnswer } from "../parts/basics";
import { InviteAgain, InvitePerson } from "../parts/invitation";
import { Journal } from "../parts/journal";
import { AddParty, AddPerson, AddToken, ChangeRole, NewPasswordForm } from "../parts/people_forms";
import { Sessions } from "../parts/sessions";
import { MilestoneMark, type Shape } from "../parts/shapes";
import { Table, columnsOf } from "../parts/table";
import { rowsBy } from "../seen";
import { session } from "../session";
import type { PartyRow, PersonRow, TokenRow } from "../types";
import { list, named, t, tryWords } from "../words";

// The word by which the operator agreed for a party that has no person of its own.
const OPERATOR = "operator";

const PEOPLE = rowsBy<PersonRow>(
  (row) => row.name,
  (row) => `${row.role} ${row.state} ${row.agreed}`,
);

export default function PeoplePage() {
  const [people, readPeople] = useAnswer<PersonRow[]>("/v1/people", undefined, undefined, PEOPLE);
  const [tokens, readTokens] = useAnswer<TokenRow[]>("/v1/tokens");
  const [parties, readParties] = useAnswer<PartyRow[]>("/v1/parties");
  const who = useCell(session);
  useEffect(() => {
    document.title = t("people.document_title");
  }, []);
  for (const [answer, again] of [[people, readPeople], [tokens, readTokens], [parties, readParties]] as const) {
    if (answer.state === "failed") return <ProblemNote problem={answer.problem} again={again} />;
    if (answer.state === "loading") return <Loading what={t("people.reading")} />;
  }
  if (people.state !== "here" || tokens.state !== "here" || parties.state !== "here") return null;
  const admin = who?.role === "admin";
  const names = [...new Set([who?.party ?? "", ...parties.value.map((each) => each.party)])].filter(Boolean);
  const mine = (party: string) => party === who?.party && who.role === "party";
  // Whoever the operator agreed to waits for the party's own word as well, though it may enter.
  const asked = (each: { party: string; agreed: string }) => each.agreed === OPERATOR && mine(each.party);
  const waiting = [
    ...people.value.filter((each) => each.waits || (asked(each) && each.state !== "withdrawn")),
    ...tokens.value.filter((each) => !each.revoked && (!each.agreed || asked(each))),
  ];
  const may = (party: string) => mine(party) || who?.role === "operator";
  return (
    <div class="page">
      <h1>{t("people.title")}</h1>
      <p class="lead">{t("people.text")}</p>
      {waiting.length > 0 && (
        <Section id="waiting-title" title={t("people.waiting")}>
          <p class="quiet">{t("people.waiting_means")}</p>
          <ul class="services">
            {waiting.map((each) => ("name" in each ? <WaitingPerson key={`p ${each.name}`} row={each} may={may(each.party)} done={readPeople} /> : <WaitingToken key={each.id} row={each} may={may(each.party)} done={readTokens} />))}
          </ul>
        </Section>
      )}
      <Section id="people-title" title={t("people.people")}>
        <Table
          list="people"
          title={t("people.people")}
          columns={columnsOf("name", "party", "role", "state", "agreed")}
          id={(each: PersonRow) => each.name}
          follows={people.value}
          line={(each) => <PersonLine key={each.name} row={each} tokens={admin ? tokens.value.filter((token) => token.made_by === each.name && !token.revoked) : []} admin={admin} self={each.name === who?.name} done={() => (readPeople(), readTokens())} />}
        />
        {admin && <InvitePerson parties={names} done={readPeople} />}
        {admin && <AddPerson parties={names} done={readPeople} />}
      </Section>
      <Section id="parties-title" title={t("people.parties")}>
        <Table
          list="parties"
          title={t("people.parties")}
          columns={columnsOf("party", "name", "trade_role", "country")}
          id={(each: PartyRow) => each.party}
          follows={parties.value}
          line={(each) => (
            <li key={each.party}>
              <MilestoneMark state={byOperator(people.value, each.party) ? "next" : "done"} />
              <div>
                <strong>{each.name || partyName(each.party)}</strong> <code>{each.party}</code>
                <p class="quiet">
                  {each.trade_role && (tryWords(`trade_role.${each.trade_role}`) ?? each.trade_role)} {each.country}
                </p>
                {byOperator(people.value, each.party) && <p>{t("people.by_operator")}</p>}
              </div>
            </li>
          )}
        />
        {admin && <AddParty done={readParties} />}
      </Section>
      <Section id="tokens-title" title={t("people.tokens")}>
        <p class="quiet">{t("people.tokens_means")}</p>
        <Table list="tokens" title={t("people.tokens")} columns={columnsOf("label", "party", "role", "made_by", "created_at", "revoked")} id={(each: TokenRow) => each.id} none={t("people.tokens_none")} follows={tokens.value} line={(each) => <TokenLine key={each.id} row={each} done={readTokens} />} />
        {admin && <AddToken parties={names} done={readTokens} />}
      </Section>
      <Journal follows={`${JSON.stringify(people.value)}${JSON.stringify(tokens.value)}${names.join()}`} />
    </div>
  );
}

/** Whether nobody of the party itself has said yes yet: the operator did in its place. */
function byOperator(people: PersonRow[], party: string): boolean {
  const own = people.filter((each) => each.party === party && each.state !== "withdrawn");
  return own.length > 0 && own.every((each) => each.agreed === OPERATOR);
}

function partyName(party: string): string {
  return tryWords(`party.${party}`) ?? party;
}

function stateShape(state: string): Shape {
  return state === "enters" ? "done" : state === "withdrawn" ? "refused" : "next";
}

function Line({ state, title, told, children }: { state: Shape; title: ComponentChildren; told: string; children?: ComponentChildren }) {
  return (
    <li>
      <MilestoneMark state={state} />
      <div>
        <strong>{title}</strong> <span>{told}</span>
        {children}
      </div>
    </li>
  );
}

function WaitingPerson({ row, may, done }: { row: PersonRow; may: boolean; done: () => void }) {
  const [problem, act] = useAct(done);
  return (
    <Line state="next" title={row.name} told={t("people.waits_person", { party: partyName(row.party), role: named("role", row.role) })}>
      {may && (
        <div class="acts">
          <button type="button" class="button" onClick={() => act("POST", `/v1/people/${encodeURIComponent(row.name)}/agreement`)}>
            {t("people.agree", { party: partyName(row.party) })}
          </button>
        </div>
      )}
      {problem && <ProblemNote problem={problem} />}
    </Line>
  );
}

function WaitingToken({ row, may, done }: { row: TokenRow; may: boolean; done: () => void }) {
  const [problem, act] = useAct(done);
  return (
    <Line state="next" title={row.label || row.id} told={t("people.waits_token", { party: partyName(row.party), role: named("role", row.role) })}>
      {may && (
        <div class="acts">
          <button type="button" class="button" onClick={() => act("POST", `/v1/tokens/${row.id}/agreement`)}>
            {t("people.agree", { party: partyName(row.party) })}
          </button>
        </div>
      )}
      {problem && <ProblemNote problem={problem} />}
    </Line>
  );
}

function PersonLine({ row, tokens, admin, self, done }: { row: PersonRow; tokens: TokenRow[]; admin: boolean; self: boolean; done: () => void }) {
  const [problem, act] = useAct(done);
  const [too, setToo] = useState(true);
  const at = `/v1/people/${encodeURIComponent(row.name)}`;
  const here = row.state !== "withdrawn";
  return (
    <Line state={stateShape(row.state)} title={row.name} told={named("person_state", row.state)}>
      <p class="quiet">
        {named("role", row.role)} · {partyName(row.party)}
        {row.agreed === OPERATOR && ` · ${t("people.agreed_by_operator")}`}
        {!!row.passkeys && ` · ${t("people.passkeys", { n: row.passkeys })}`}
      </p>
      {here && (admin || self) && (
        <div class="acts">
          <Sessions name={row.name} done={done} />
          {admin && !self && <InviteAgain name={row.name} done={done} />}
          {admin && !self && <NewPasswordForm name={row.name} done={done} />}
          {admin && !self && <ChangeRole name={row.name} now={row.role} done={done} />}
          {self && <a href="/access">{t("access.title")}</a>}
          {!self && (
            <Confirmed button={t("people.withdraw")} means={t("people.withdraw_means", { name: row.name })} act={() => act("DELETE", tokens.length && too ? `${at}?tokens=true` : at)}>
              {tokens.length > 0 && (
                <label class="choice">
                  <input type="checkbox" checked={too} onChange={(event) => setToo(event.currentTarget.checked)} />
                  <span>{t("people.withdraw_tokens", { name: row.name, tokens: list(tokens.map((each) => each.label || each.id)) })}</span>
                </label>
              )}
            </Confirmed>
          )}
        </div>
      )}
      {problem && <ProblemNote problem={problem} />}
    </Line>
  );
}

function TokenLine({ row, done }: { row: TokenRow; done: () => void }) {
  const [problem, act] = useAct(done);
  const state = row.revoked ? "withdrawn" : row.agreed ? "enters" : "waits";
  return (
    <Line state={stateShape(state)} title={row.label || t("people.token_unnamed")} told={named("token_state", state)}>
      <p class="quiet">
        {named("role", row.role)} · {partyName(row.party)}
      </p>
      <Digits value={row.id} />
      {!row.revoked && <Confirmed button={t("people.withdraw")} means={t("people.withdraw_token_means")} act={() => act("DELETE", `/v1/tokens/${row.id}`)} />}
      {problem && <ProblemNote problem={problem} />}
    </Line>
  );
}

/** An act that is said before it is done. */
function Confirmed({ button, means, act, children }: { button: string; means: string; act: () => void; children?: ComponentChildren }) {
  return (
    <details class="confirmed">
      <summary class="button">{button}</summary>
      <p>{means}</p>
      {children}
      <button type="button" class="button button-main" onClick={act}>
        {button}
      </button>
    </details>
  );
}

function useAct(done: () => void): [Problem | null, (method: "POST" | "DELETE", path: string) => void] {
  const [problem, set] = useState<Problem | null>(null);
  const act = (method: "POST" | "DELETE", path: string) => {
    set(null);
    send(method, path).then(done, (error: unknown) => set(asProblem(error)));
  };
  return [problem, act];
}
