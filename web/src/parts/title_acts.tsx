// What may be done with a title now: by the reader, each act with a sentence before and after, or by whom.
import { useState } from "preact/hooks";
import { send } from "../api";
import { session } from "../session";
import type { Road, PossibleActs } from "../types";
import { list, t } from "../words";
import { ActButton, TheirMove, useParties } from "./act";
import { ProblemNote, useAnswer } from "./basics";

/** The acts that name who receives; the others give back, or end something. */
const TO_SOMEBODY = new Set(["transfer", "transfer_holder", "nominate", "endorse"]);
const REMARK_BYTES_MAX = 104;

export function TitleActs({ road }: { road: Road }) {
  const title = road.title;
  if (!title) return <IssueTitle road={road} />;
  // Read again whenever the title moved.
  return <Acts key={`${title.title} ${title.moves.length}`} title={title.title} road={road} />;
}

function Acts({ title, road }: { title: string; road: Road }) {
  const at = `/v1/trust/titles/${title}`;
  const [answer, again] = useAnswer<PossibleActs>(`${at}/acts`);
  const { rows, name } = useParties();
  const [told, setTold] = useState("");
  const role = session.value?.role;
  if (role !== "party") return null;
  // A title of another node's registry is not known here, and a cut line knows of no act.
  if (answer.state === "failed") return [0, 404].includes(answer.problem.status) ? null : <ProblemNote problem={answer.problem} again={again} />;
  if (answer.state === "loading") return null;
  const turn = answer.value;
  if (turn.acts.length === 0) {
    const movers = turn.movers.filter((party) => party !== session.value?.party);
    if (movers.length === 0) return null;
    return <TheirMove party={list(movers.map(name))} what={t(`title.state.${turn.state}`)} />;
  }
  const others = rows.filter((row) => row.party !== session.value?.party).map((row) => row.party);
  const first = road.parties.map((info) => info.party).filter((party) => others.includes(party));
  const receivers = [...first, ...others.filter((party) => !first.includes(party))];
  return (
    <div class="title-acts">
      <div role="status">{told && <p class="good">{told}</p>}</div>
      {!turn.key_here && <Elsewhere at={at} />}
      {turn.key_here &&
        turn.acts.map((action) => (
          <TitleAct
            key={action}
            action={action}
            turn={turn}
            receivers={action === "endorse" && turn.state === "divided" ? [turn.nominee] : receivers}
            name={name}
            done={(words) => {
              setTold(words);
              again();
            }}
          />
        ))}
    </div>
  );
}

function TitleAct({ action, turn, receivers, name, done }: { action: string; turn: PossibleActs; receivers: string[]; name: (party: string) => string; done: (told: string) => void }) {
  const [to, setTo] = useState(receivers[0] ?? "");
  const [remark, setRemark] = useState("");
  const receiver = TO_SOMEBODY.has(action) ? to : "";
  return (
    <ActButton
      button={t(`title.do.${action}`)}
      means={t(`title.means.${action}`)}
      disabled={TO_SOMEBODY.has(action) && !to}
      // What the act rests on: the same press again, here or in another tab, does nothing more.
      act={() => send<{ holder_party: string }>("POST", `/v1/trust/titles/${turn.title}/acts`, { action, seen: turn.seen, to: receiver, remark })}
      after={() => ""}
      done={(answer) => done(t(`title.done.${action}`, { holder: name(answer?.holder_party ?? ""), to: name(receiver) }))}
    >
      {TO_SOMEBODY.has(action) && (
        <label class="field">
          <span>{t("title.to")}</span>
          <select value={to} onChange={(event) => setTo(event.currentTarget.value)}>
            {receivers.map((party) => (
              <option key={party} value={party}>
                {receivers.some((each) => each !== party && name(each) === name(party)) ? `${name(party)} (${party})` : name(party)}
              </option>
            ))}
          </select>
        </label>
      )}
      <label class="field">
        <span>{t("title.remark")}</span>
        <input maxLength={REMARK_BYTES_MAX} value={remark} onInput={(event) => setRemark(event.currentTarget.value)} />
      </label>
    </ActButton>
  );
}

/** For whoever keeps the key on a device of its own: the node takes the signed transaction. */
function Elsewhere({ at }: { at: string }) {
  const [raw, setRaw] = useState("");
  return (
    <>
      <p class="quiet">{t("title.elsewhere")}</p>
      <ActButton button={t("title.send")} means={t("title.send_means")} disabled={!raw.trim()} act={() => send("POST", `${at}/transactions`, { raw: raw.trim().replace(/^0x/, "") })} after={() => t("title.sent")}>
        <label class="field">
          <span>{t("title.raw")}</span>
          <textarea rows={4} value={raw} onInput={(event) => setRaw(event.currentTarget.value)} />
        </label>
      </ActButton>
    </>
  );
}

/** The carrier's: the bill of lading, then the one title of it. */
function IssueTitle({ road }: { road: Road }) {
  const at = `/v1/trade/consignments/${encodeURIComponent(road.consignment)}`;
  const [seen] = useAnswer<{ entered: { carrier: string; exporter: string; customs: string } }>(at);
  const { name } = useParties();
  const who = session.value;
  if (seen.state !== "here" || who?.role !== "party" || road.state !== "under_way") return null;
  const { carrier, exporter } = seen.value.entered;
  if (who.party !== carrier) return <TheirMove party={name(carrier)} what={t("title.issues")} />;
  const bill = road.documents.find((paper) => paper.kind === "bill_of_lading");
  return bill ? <Mint road={road} document={bill.digest} exporter={exporter} name={name} /> : <AddBill at={at} />;
}

function AddBill({ at }: { at: string }) {
  const [number, setNumber] = useState("");
  const [code, setCode] = useState("");
  const [day, setDay] = useState(today());
  const [own, setOwn] = useState<{ number: string; content: string } | null>(null);
  const act = async () => {
    const made = own ?? { number, content: encoded(await send("POST", `${at}/proposed-bill`, { number, carrier_code: code, on_board: day })) };
    return send("POST", `${at}/documents`, { kind: "bill_of_lading", number: made.number, media_type: "application/json", content: made.content });
  };
  return (
    <ActButton open button={t("bill.add")} means={t("bill.means")} disabled={!own && !(number && code && day)} act={act} after={() => t("bill.added")}>
      {!own && (
        <>
          <label class="field">
            <span>{t("bill.number")}</span>
            <input maxLength={20} pattern="[A-Z0-9]{1,20}" title={t("bill.number_hint")} value={number} onInput={(event) => setNumber(event.currentTarget.value.toUpperCase())} />
            <span class="hint">{t("bill.number_hint")}</span>
          </label>
          <label class="field">
            <span>{t("bill.code")}</span>
            <input maxLength={4} pattern="[A-Z]{2,4}" title={t("bill.code_hint")} value={code} onInput={(event) => setCode(event.currentTarget.value.toUpperCase())} />
            <span class="hint">{t("bill.code_hint")}</span>
          </label>
          <label class="field">
            <span>{t("bill.day")}</span>
            <input type="date" value={day} onInput={(event) => setDay(event.currentTarget.value)} />
          </label>
        </>
      )}
      <label class="field">
        <span>{t("bill.file")}</span>
        <input type="file" accept=".json,application/json" onChange={(event) => void read(event.currentTarget.files?.[0]).then(setOwn)} />
        <span class="hint">{t("bill.file_hint")}</span>
      </label>
    </ActButton>
  );
}

function Mint({ road, document, exporter, name }: { road: Road; document: string; exporter: string; name: (party: string) => string }) {
  const [holder, setHolder] = useState(exporter);
  const parties = [...new Set(road.parties.map((info) => info.party))];
  return (
    <ActButton
      open
      button={t("title.mint")}
      means={t("title.mint_means")}
      act={() => send<{ holder_party: string }>("POST", "/v1/trust/titles", { consignment: road.consignment, document, holder, readers: parties })}
      after={(answer) => t("title.minted", { holder: name(answer?.holder_party ?? holder) })}
    >
      <label class="field">
        <span>{t("title.first_holder")}</span>
        <select value={holder} onChange={(event) => setHolder(event.currentTarget.value)}>
          {parties
            .filter((party) => party !== session.value?.party)
            .map((party) => (
              <option key={party} value={party} selected={party === holder}>
                {name(party)}
              </option>
            ))}
        </select>
      </label>
      <p class="quiet">{t("title.readers", { names: list(parties.map(name)) })}</p>
    </ActButton>
  );
}

function today(): string {
  const now = new Date();
  const part = (value: number) => String(value).padStart(2, "0");
  return `${now.getFullYear()}-${part(now.getMonth() + 1)}-${part(now.getDate())}`;
}

/** A document as base64 of its canonical text; the node keeps just these bytes. */
function encoded(document: unknown): string {
  return base64(new TextEncoder().encode(JSON.stringify(document)));
}

function base64(bytes: Uint8Array): string {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}

/** A carrier's own file, byte for byte, with the number that stands in it. */
async function read(file: File | undefined): Promise<{ number: string; content: string } | null> {
  if (!file) return null;
  const bytes = new Uint8Array(await file.arrayBuffer());
  try {
    const plain = JSON.parse(new TextDecoder().decode(bytes)) as { transportDocumentReference?: unknown };
    return { number: String(plain.transportDocumentReference ?? ""), content: base64(bytes) };
  } catch {
    // The node says what is wrong with it, beside the button.
    return { number: "-", content: base64(bytes) };
  }
}
