// Nodes that this one exchanges with: an invitation to give away, and one to take, with the fingerprints that two people compare.
import { useEffect, useState } from "preact/hooks";
import { type Problem, send, text } from "../api";
import { ActButton } from "../parts/act";
import { Facts, ProblemNote, Section, Time, asProblem, useAnswer } from "../parts/basics";
import { Drop, save } from "../parts/files";
import { Qr } from "../parts/qr";
import { Table, columnsOf } from "../parts/table";
import { rowsBy } from "../seen";
import type { PeerLink, PeerRow } from "../types";
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

const PEERS = rowsBy<PeerRow>(
  (row) => row.node,
  (row) => row.url,
);

export default function PeersPage() {
  useEffect(() => void (document.title = t("peers.document_title")), []);
  const [acts, setActs] = useState(0);
  const again = () => setActs((n) => n + 1);
  return (
    <div class="page">
      <h1>{t("peers")}</h1>
      <Section id="peers-title" title={t("peers.known")}>
        <Table list="peers" title={t("peers.known")} columns={columnsOf("organisation", "node", "url")} id={(peer: PeerRow) => peer.node} none={t("peers.none")} follows={acts} changes={PEERS} line={(peer) => <Peer key={peer.node} peer={peer} done={again} />} />
      </Section>
      <Section id="invite-title" title={t("peers.invite")}>
        <Links done={again} />
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

/** Links that this node made: a new one is shown this once; who took one is looked at, and admitted. */
function Links({ done }: { done: () => void }) {
  const [answer, again] = useAnswer<PeerLink[]>("/v1/exchange/invitations");
  const [made, set] = useState("");
  const links = answer.state === "here" ? answer.value : [];
  return (
    <>
      <ActButton
        button={t("peers.link_go")}
        means={t("peers.link_means")}
        act={async () => (await send<{ link: string }>("POST", "/v1/exchange/invitations"))?.link ?? ""}
        after={() => ""}
        done={(one) => {
          set(one);
          again();
        }}
      />
      {made && (
        <div class="note note-good" role="status">
          <p>{t("peers.link_made")}</p>
          <code class="token-made">{made}</code>
          <Qr text={made} label={t("peers.link_qr")} />
          <OwnPrint />
        </div>
      )}
      {links.length > 0 && (
        <>
          <h3>{t("peers.links")}</h3>
          <ul class="services">
            {links.map((link) => (
              <OneLink
                key={link.name}
                link={link}
                done={() => {
                  again();
                  done();
                }}
              />
            ))}
          </ul>
        </>
      )}
    </>
  );
}

function OneLink({ link, done }: { link: PeerLink; done: () => void }) {
  const [taker, set] = useState<Read | null>(null);
  const [admitted, setAdmitted] = useState("");
  useEffect(() => {
    if (link.invitation) read(link.invitation).then(set, () => set(null));
  }, [link.invitation]);
  return (
    <li>
      <div>
        <p>
          {t(`peers.${link.state}`, { node: link.organisation || link.node })}{" "}
          <span class="quiet">
            {t("invite.until")} <Time at={link.expires_at} />
          </span>
        </p>
        {link.state === "open" && (
          <ActButton button={t("peers.withdraw")} means={t("peers.withdraw_means")} act={() => send("DELETE", `/v1/exchange/invitations/${link.name}`)} after={() => ""} done={done} />
        )}
        {taker && (
          <>
            <Compared read={taker} />
            <OwnPrint />
            <Admit
              read={taker}
              done={() => {
                setAdmitted(t("peers.admitted", { node: taker.organisation || taker.node }));
                done();
              }}
            />
          </>
        )}
        <div role="status">{admitted && <p class="good">{admitted}</p>}</div>
      </div>
    </li>
  );
}

/** This node's own fingerprint, which the other side must see. */
function OwnPrint() {
  const [print, set] = useState("");
  useEffect(() => {
    text("/exchange/card")
      .then((card) => fingerprint(fromMultikey(String((JSON.parse(card) as Record<string, unknown>)["key"]))))
      .then(set, () => set(""));
  }, []);
  return print ? <Facts rows={[[t("peers.own"), <code>{print}</code>]]} /> : null;
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
  const [words, setWords] = useState("");
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  const link = /^https?:/.test(words.trim()) ? words.trim() : "";
  const look = (said: string) => {
    setTrouble("");
    setAdmitted("");
    setProblem(null);
    set(null);
    if (said.trim()) read(said).then(set, () => setTrouble(t("peers.not_one")));
  };
  const ask = () => {
    setProblem(null);
    setBusy(true);
    send<Invitation>("POST", "/v1/exchange/invitations/look", { link })
      .then((found) => read(JSON.stringify(found)))
      .then(set, (error: unknown) => setProblem(asProblem(error)))
      .finally(() => setBusy(false));
  };
  return (
    <>
      <p>{t("peers.take_means")}</p>
      <Drop label={t("peers.drop")} take={(files) => files[0] && look(new TextDecoder().decode(Uint8Array.from(atob(files[0].content), (each) => each.charCodeAt(0))))} />
      <label class="field">
        <span>{t("peers.link")}</span>
        <textarea
          rows={3}
          value={words}
          onInput={(event) => {
            const said = event.currentTarget.value;
            setWords(said);
            look(/^https?:/.test(said.trim()) ? "" : said);
          }}
        />
      </label>
      {link && (
        <div class="row-buttons">
          <button type="button" class="button" disabled={busy} onClick={ask}>
            {t(busy ? "peers.looking" : "peers.look")}
          </button>
        </div>
      )}
      {problem && <ProblemNote problem={problem} />}
      {trouble && (
        <p class="stop" role="alert">
          {trouble}
        </p>
      )}
      {found && (
        <>
          <Compared read={found} />
          <OwnPrint />
          <Admit
            read={found}
            first={async () => {
              // The other side first: a link that somebody else used up meanwhile admits nobody.
              if (link) await send("POST", "/v1/exchange/invitations/take", { link });
            }}
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

/** Admits a node; where a peer of its name stands with another key, it shows that, and asks whether to replace it. */
function Admit({ read: one, first, done }: { read: Read; first?: () => Promise<void>; done: () => void }) {
  const [answer] = useAnswer<PeerRow[]>("/v1/exchange/peers");
  const standing = answer.state === "here" ? answer.value.find((peer) => peer.node === one.node) : undefined;
  const keys = standing?.keys.join(" ") ?? "";
  const [prints, setPrints] = useState<string[] | null>(null);
  useEffect(() => {
    if (answer.state !== "here") return;
    Promise.all((keys ? keys.split(" ") : []).map((key) => fingerprint(fromMultikey(key)))).then(setPrints, () => setPrints([]));
  }, [answer.state, keys]);
  const replaces = prints && prints.length > 0 && !prints.includes(one.print) ? (prints.at(-1) as string) : "";
  return (
    <ActButton
      button={t(replaces ? "peers.replace" : "peers.admit", { node: one.node })}
      means={t(replaces ? "peers.replace_means" : "peers.admit_means", { node: one.node })}
      disabled={answer.state === "here" && prints === null}
      act={async () => {
        await first?.();
        await send("POST", "/v1/exchange/peers", { card: one.invitation.card, trust: one.invitation.trust, ...(replaces && { replace: replaces }) });
      }}
      after={() => ""}
      done={done}
    >
      {replaces && (
        <Facts
          rows={[
            [t("peers.standing"), <strong><code>{prints?.join(", ")}</code></strong>],
            [t("peers.fingerprint"), <strong><code>{one.print}</code></strong>],
          ]}
        />
      )}
    </ActButton>
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
