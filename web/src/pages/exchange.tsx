// Outbox and inbox of the exchange with other nodes: what came, what was sent, what waits for a person.
import { useEffect, useState } from "preact/hooks";
import type { Problem } from "../api";
import { get, send } from "../api";
import { useCell } from "../cell";
import { Digits, English, ProblemNote, Section, Time, asProblem } from "../parts/basics";
import { MilestoneMark, type Shape } from "../parts/shapes";
import { Table, columnsOf } from "../parts/table";
import { session } from "../session";
import { labelled } from "../parts/entry";
import type { Delivery, Dispatch, DocumentLook } from "../types";
import { named, t, tryWords } from "../words";

const WITHDRAWAL = "zhidao.withdrawal";
// What belongs to no consignment is ordered among itself under these names.
const NO_CONSIGNMENT = ["accounts", "keys", "subscriptions"];
// What a person refused by hand; programs give codes of their own.
const BY_PERSON = "refused_by_person";

export default function ExchangePage() {
  const [came, setCame] = useState(0);
  const [went, setWent] = useState(0);
  const [dead, setDead] = useState(false);
  const who = useCell(session);
  useEffect(() => {
    document.title = t("exchange.document_title");
    const source = new EventSource("/v1/exchange/stream");
    source.addEventListener("arrived", () => setCame((n) => n + 1));
    return () => source.close();
  }, []);
  const speaks = who?.role === "party";
  const gone = () => setWent((n) => n + 1);
  const sent = (row: Dispatch) => <Sent key={row.document} row={row} speaks={speaks} done={gone} />;
  const outbox = columnsOf("created_at", "state", "kind", "consignment", "to_party", "recipient", "document");
  const inbox = columnsOf("received_at", "state", "kind", "consignment", "from_party", "sender", "document");
  return (
    <div class="page">
      <h1>{t("exchange.title")}</h1>
      <div hidden={!dead}>
        <Section id="dead-title" title={t("exchange.dead")}>
          <Table list="outbox" title={t("exchange.dead")} columns={outbox} id={(row: Dispatch) => row.document} only={["state=dead"]} follows={went} every={5} told={(rows) => setDead(rows.length > 0)} line={sent} />
        </Section>
      </div>
      <div class="two">
        <Section id="inbox-title" title={t("exchange.inbox")}>
          <Table list="inbox" title={t("exchange.inbox")} columns={inbox} id={(row: Delivery) => `${row.sender}/${row.document}`} none={t("exchange.inbox_none")} follows={came} line={(row) => <Got key={`${row.sender}/${row.document}`} row={row} speaks={speaks} done={() => setCame((n) => n + 1)} />} />
        </Section>
        <Section id="outbox-title" title={t("exchange.outbox")}>
          {/* Receipts are not told; a look now and then finds them. */}
          <Table list="outbox" title={t("exchange.outbox")} columns={outbox} id={(row: Dispatch) => row.document} none={t("exchange.outbox_none")} follows={went} every={5} line={sent} />
        </Section>
      </div>
    </div>
  );
}

function Sent({ row, speaks, done }: { row: Dispatch; speaks: boolean; done: () => void }) {
  const [problem, act] = useAct(done);
  return (
    <li>
      <MilestoneMark state={shape(row)} />
      <div>
        <Title row={row} other={t("exchange.to", { party: row.to_party, node: row.recipient })} at={row.created_at} />
        {row.content && speaks && <Look at={`/v1/exchange/outbox/${row.document}`} kind={row.kind} />}
        {row.attempts > 0 && row.state === "waiting" && <p class="quiet">{t("exchange.attempts", { n: row.attempts })}</p>}
        {row.state === "dead" && (
          <button type="button" class="button" onClick={() => act("POST", `/v1/exchange/outbox/${row.document}/resend`)}>
            {t("exchange.resend")}
          </button>
        )}
        {speaks && ["waiting", "received", "accepted"].includes(row.state) && row.kind !== WITHDRAWAL && (
          <button type="button" class="button" onClick={() => act("POST", `/v1/exchange/outbox/${row.document}/withdrawal`, { reason: "" })}>
            {t("exchange.withdraw")}
          </button>
        )}
        {problem && <ProblemNote problem={problem} />}
      </div>
    </li>
  );
}

function Got({ row, speaks, done }: { row: Delivery; speaks: boolean; done: () => void }) {
  const [problem, act] = useAct(done);
  const [reason, setReason] = useState("");
  const at = `/v1/exchange/inbox/${row.sender}/${row.document}`;
  const decide = (outcome: string, code: string) => act("POST", `${at}/decision`, { outcome, code, reason: code && reason });
  return (
    <li>
      <MilestoneMark state={shape(row)} />
      <div>
        <Title row={row} other={t("exchange.from", { party: row.from_party, node: row.sender })} at={row.received_at} />
        {row.content && speaks && <Look at={at} kind={row.kind} />}
        {row.content && speaks && (
          <p>
            <a href={`${at}/content`} download={row.document}>
              {t("exchange.content")}
            </a>
          </p>
        )}
        {row.state === "accepted" && speaks && (
          <form
            onSubmit={(event) => {
              event.preventDefault();
              decide("refused", BY_PERSON);
            }}
          >
            <label class="field">
              <span>{t("exchange.reason")}</span>
              <input type="text" required maxLength={500} value={reason} onInput={(event) => setReason(event.currentTarget.value)} />
            </label>
            <button type="button" class="button" onClick={() => decide("accepted", "")}>
              {t("exchange.accept")}
            </button>{" "}
            <button type="submit" class="button">
              {t("exchange.refuse")}
            </button>
          </form>
        )}
        {problem && <ProblemNote problem={problem} />}
      </div>
    </li>
  );
}

/** What a document is by its bytes: name, number, type, and what this node's rules say of it. */
function Look({ at, kind }: { at: string; kind: string }) {
  const [look, setLook] = useState<DocumentLook | null>(null);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    // The document stands and can be decided about without the look.
    get<DocumentLook>(`${at}/look`).then(setLook, () => setFailed(true));
  }, [at]);
  if (failed) return <p class="quiet">{t("exchange.not_looked")}</p>;
  if (!look) return <p class="quiet">{t("exchange.looking")}</p>;
  const size = `${look.media_type}, ${t("exchange.bytes", { n: look.size })}`;
  // What nodes send each other of themselves is named above, and no rule of papers is for it.
  if (look.verdict === "none" && tryWords(`exchange_kind.${kind}`)) return <p class="quiet">{size}</p>;
  const name = look.en ? labelled(look) : t("exchange.unknown_document");
  return (
    <p class="carried-look">
      <span>
        {name} {look.number && <strong>{look.number}</strong>}
      </span>{" "}
      <span class="quiet">{size}</span>
      {" · "}
      <span class={look.verdict === "valid" ? "good" : look.verdict === "invalid" ? "stop" : "quiet"}>{t(`document_verdict.${look.verdict}`)}</span>
      {["invalid", "undecided", "partly_judged"].includes(look.verdict) && (
        <span class="c-data">
          {" "}
          <English text={look.summary} />
        </span>
      )}
    </p>
  );
}

function Title({ row, other, at }: { row: Dispatch | Delivery; other: string; at: string }) {
  const refused = row.outcome === "refused";
  return (
    <>
      <strong>{tryWords(`exchange_kind.${row.kind}`) ?? row.kind}</strong> <span>{refused ? t("exchange.refused") : named("exchange_state", row.state)}</span>
      <p class="quiet">
        {other} · <Time at={at} />
      </p>
      <p class="quiet">{NO_CONSIGNMENT.includes(row.consignment) ? t("exchange.between", { number: row.sequence }) : t("exchange.place", { consignment: row.consignment, number: row.sequence })}</p>
      {row.reason && (
        <div class="c-data">
          <English text={row.code && row.code !== BY_PERSON ? `${row.code}: ${row.reason}` : row.reason} />
        </div>
      )}
      <Digits value={row.document} />
    </>
  );
}

function shape(row: Dispatch | Delivery): Shape {
  if (row.outcome === "refused" || row.state === "dead") return "refused";
  return row.state === "decided" || row.state === "accepted" ? "done" : "next";
}

function useAct(done: () => void): [Problem | null, (method: "POST", path: string, body?: object) => void] {
  const [problem, set] = useState<Problem | null>(null);
  const act = (method: "POST", path: string, body?: object) => {
    set(null);
    send(method, path, body).then(done, (error: unknown) => set(asProblem(error)));
  };
  return [problem, act];
}
