// What may be done with the papers of a consignment: compare them, and hand the consignment over to
// the node that goes on with it.
import { useState } from "preact/hooks";
import { send } from "../api";
import { session } from "../session";
import type { Road } from "../types";
import { t } from "../words";
import { ActButton } from "./act";
import { useAnswer } from "./basics";
import { waitsHere } from "./moves";

interface Shared {
  consignment: string;
  home: string;
  nodes: string[];
  refusals: { node: string; code: string; reason: string }[];
}

interface Peer {
  node: string;
  organisation: string;
}

export function PapersActs({ road }: { road: Road }) {
  if (session.value?.role !== "party" || road.state !== "under_way") return null;
  return (
    <>
      <Compare road={road} />
      <HandOver road={road} />
    </>
  );
}

/** Any party may ask for the comparison; the same papers again change nothing. */
function Compare({ road }: { road: Road }) {
  const at = `/v1/trade/consignments/${encodeURIComponent(road.consignment)}/check`;
  return (
    <ActButton
      open={waitsHere(road, "papers-title")}
      button={t(road.papers ? "papers.compare_again" : "papers.compare")}
      means={t("papers.compare_means")}
      act={() => send<{ agree: boolean; checks: number; findings: unknown[] }>("POST", at)}
      after={(found) => (found?.agree ? t("papers.agree", { n: found.checks }) : t("papers.conflict", { n: found?.findings.length ?? 0 }))}
    />
  );
}

/** What stands between the nodes of a consignment, and what is to be done. */
function Refused({ of, refused, node }: { of: string; refused: Shared["refusals"][number]; node: string }) {
  if (refused.code === "handing") return <p class="quiet">{t("handover.handing", { node })}</p>;
  if (refused.code === "home_is_no_peer") return <p class="note note-stop" role="alert">{t("handover.away", { node })}</p>;
  if (refused.code === "history_differs") return <p class="note note-stop" role="alert">{t("handover.parted", { reason: refused.reason })}</p>;
  return (
    <div class="note note-stop" role="alert">
      <p class="note-title">{t("alarm.not_taken")}</p>
      <p>{t("alarm.not_taken.with", { consignment: of, node, reason: refused.reason })}</p>
      <p>{t("remedy.not_taken")}</p>
    </div>
  );
}

/** The exporter's: another node writes the consignment's history from then on. */
function HandOver({ road }: { road: Road }) {
  const at = `/v1/federation/consignments/${encodeURIComponent(road.consignment)}`;
  const [shared, again] = useAnswer<Shared>(at);
  const [peers] = useAnswer<Peer[]>("/v1/exchange/peers");
  const [seen] = useAnswer<{ entered: { exporter: string } }>(`/v1/trade/consignments/${encodeURIComponent(road.consignment)}`);
  const [chosen, choose] = useState("");
  if (shared.state !== "here" || peers.state !== "here" || seen.state !== "here") return null;
  const called = (node: string) => peers.value.find((peer) => peer.node === node)?.organisation || node;
  const told = shared.value.refusals.map((each) => <Refused key={`${each.node} ${each.code}`} of={road.consignment} refused={each} node={called(each.node)} />);
  if (shared.value.nodes.length > 1) return <>{told}<p class="quiet">{t("handover.at", { node: called(shared.value.home) })}</p></>;
  if (peers.value.length === 0 || session.value?.party !== seen.value.entered.exporter) return <>{told}</>;
  const node = chosen || (peers.value[0]?.node ?? "");
  return (
    <>
    {told}
    <ActButton button={t("handover.do")} means={t("handover.means")} act={() => send<Shared>("POST", `${at}/hand-over`, { node })} after={(told) => t("handover.done", { node: called(told?.home ?? node) })} done={again}>
      <label class="field">
        <span>{t("handover.to")}</span>
        <select value={node} onChange={(event) => choose(event.currentTarget.value)}>
          {peers.value.map((peer) => (
            <option key={peer.node} value={peer.node}>
              {peer.organisation || peer.node}
            </option>
          ))}
        </select>
      </label>
    </ActButton>
    </>
  );
}
