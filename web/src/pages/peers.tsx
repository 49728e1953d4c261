// Nodes that this one exchanges with: an invitation to give away, and one to take, with the fingerprints that two people compare.
import { useEffect, useState } from "preact/hooks";
import { send, text } from "../api";
import { ActButton } from "../parts/act";
import { Facts, Loading, ProblemNote, Section, useAnswer } from "../parts/basics";
import { Drop, save } from "../parts/files";
import type { PeerRow } from "../types";
import { fingerprint, fromMultikey } from "../verify/keys";
import { t } from "../words";

/** What one node gives the other: its signed card, and the list that says whose key signed it. */
interface Invitation {
  format: "zhidao.invitation";
  v: 1;
  card: string;
  trust: string;
}

/** An invitation with what people compare of it. */
interface Read {
  invitation: Invitation;
  node: string;
  organisation: string;
  url: string;
  print: string;
}

export default function PeersPage() {
  useEffect(() => void (document.title = t("peers.document_title")), []);
  const [answer, again] = useAnswer<PeerRow[]>("/v1/exchange/peers");
  if (answer.state === "loading") return <Loading what={t("peers.reading")} />;
  if (answer.state === "failed") return <ProblemNote problem={answer.problem} again={again} />;
  return (
    <div class="page">
      <h1>{t("peers")}</h1>
      <Section id="peers-title" title={t("peers.known")}>
        {answer.value.length === 0 && <p class="quiet">{t("peers.none")}</p>}
        <ul class="services">
          {answer.value.map((peer) => (
            <Peer key={peer.node} peer={peer} done={again} />
          ))}
        </ul>
      </Section>
      <Section id="invite-title" title={t("peers.invite")}>
        <Invite />
      </Section>
      <Section id="take-title" title={t("peers.take")}>
        <Take done={again} />
      </Section>
    </div>
  );
}

function Peer({ peer, done }: { peer: PeerRow; done: () => void }) {
  const print = usePrint(peer.keys[0] ?? "");
  return (
    <li>
      <div>
        <p>
          <strong>{peer.organisation || peer.node}</strong> <span class="quiet">{peer.node}</span>
        </p>
        <Facts
          rows={[
            [t("peers.address"), peer.url],
            [t("peers.fingerprint"), <code>{print}</code>],
          ]}
        />
        <ActButton button={t("peers.end")} means={t("peers.end_means", { node: peer.node })} act={() => send("DELETE", `/v1/exchange/peers/${encodeURIComponent(peer.node)}`)} after={() => ""} done={done} />
      </div>
    </li>
  );
}

function Invite() {
  const [own, set] = useState<Read | null>(null);
  return (
    <>
      <ActButton
        button={t("peers.make")}
        means={t("peers.make_means")}
        act={async () => read(JSON.stringify({ format: "zhidao.invitation", v: 1, card: await text("/exchange/card"), trust: await text("/v1/trust-list") }))}
        after={() => ""}
        done={(made) => {
          set(made);
          save(JSON.stringify(made.invitation), `${made.node}.invitation.json`, "application/json");
        }}
      />
      {own && (
        <div class="note note-good" role="status">
          <p>{t("peers.made", { file: `${own.node}.invitation.json` })}</p>
          <Compared read={own} />
          <p>{t("peers.read_out")}</p>
        </div>
      )}
    </>
  );
}

function Take({ done }: { done: () => void }) {
  const [found, set] = useState<Read | null>(null);
  const [trouble, setTrouble] = useState("");
  const [admitted, setAdmitted] = useState("");
  const look = (words: string) => {
    setTrouble("");
    setAdmitted("");
    set(null);
    read(words).then(set, () => setTrouble(t("peers.not_one")));
  };
  return (
    <>
      <p>{t("peers.take_means")}</p>
      <Drop label={t("peers.drop")} take={(files) => files[0] && look(new TextDecoder().decode(Uint8Array.from(atob(files[0].content), (each) => each.charCodeAt(0))))} />
      <label class="field">
        <span>{t("peers.paste")}</span>
        <textarea rows={3} onInput={(event) => event.currentTarget.value.trim() && look(event.currentTarget.value)} />
      </label>
      {trouble && (
        <p class="stop" role="alert">
          {trouble}
        </p>
      )}
      {found && (
        <>
          <Compared read={found} />
          <ActButton
            button={t("peers.admit", { node: found.node })}
            means={t("peers.admit_means")}
            act={() => send("POST", "/v1/exchange/peers", { card: found.invitation.card, trust: found.invitation.trust })}
            after={() => ""}
            done={() => {
              setAdmitted(t("peers.admitted", { node: found.organisation || found.node }));
              set(null);
              done();
            }}
          />
        </>
      )}
      <div role="status">{admitted && <p class="good">{admitted}</p>}</div>
    </>
  );
}

function Compared({ read: one }: { read: Read }) {
  return (
    <Facts
      rows={[
        [t("peers.node"), `${one.organisation || one.node} (${one.node})`],
        [t("peers.address"), one.url],
        [t("peers.fingerprint"), <strong><code>{one.print}</code></strong>],
      ]}
    />
  );
}

/** Reads an invitation; the node itself checks the card's signature and the list. Throws for anything else. */
async function read(words: string): Promise<Read> {
  const invitation = JSON.parse(words) as Invitation;
  if (invitation.format !== "zhidao.invitation" || invitation.v !== 1) throw new Error("not an invitation");
  const card = JSON.parse(invitation.card) as Record<string, unknown>;
  const word = (name: string) => String(card[name] ?? "");
  return { invitation, node: word("node"), organisation: word("organisation"), url: word("url"), print: await fingerprint(fromMultikey(word("key"))) };
}

function usePrint(key: string): string {
  const [print, set] = useState("");
  useEffect(() => {
    if (key) fingerprint(fromMultikey(key)).then(set, () => set(t("none")));
  }, [key]);
  return print;
}
