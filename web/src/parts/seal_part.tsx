// The seal of a consignment: closed by its carrier over a terminal, looked at by somebody else.
import type { Road, Said, SealRow, TerminalRow } from "../types";
import { named, t } from "../words";
import { useParties } from "./act";
import { Facts, useAnswer, useWhole } from "./basics";
import { Fold } from "./fold";
import { ActForm } from "./money_form";
import { containersOf } from "./carried";
import { movesTo, isMine, waitsHere } from "./moves";
import { partyName } from "./road";
import { Seal } from "./seal";

export function SealPart({ road }: { road: Road }) {
  const mine = movesTo(road, "gate").filter(isMine);
  const facts = road.said.filter((said) => ["devices.Sealed.v1", "devices.SealChecked.v1"].includes(said.type));
  const waiting = uncheckedOf(road, facts);
  return (
    <Fold id="seal-title" title={t("seal_part")} waits={waitsHere(road, "seal-title")} says={<p class={facts.length === 0 ? "quiet" : undefined}>{stateWords(facts)}</p>}>
      <ol class="moves">
        {facts.map((said) => (
          <li key={said.id}>
            <span>{sentence(road, facts, said)}</span>
            <Seal said={said} />
          </li>
        ))}
      </ol>
      {mine.some((move) => move.key === "seal") && <Close road={road} />}
      {mine.some((move) => move.key === "seal_check") && waiting.map((sealed) => <Check key={sealed.id} sealed={sealed} />)}
    </Fold>
  );
}

/** Seals that nobody looked at since they were closed: one for each container, the newest. */
function uncheckedOf(road: Road, facts: Said[]): Said[] {
  const sealed = new Map(facts.filter((said) => said.type === "devices.Sealed.v1").map((said) => [containersOf(road).length ? said.args["container"] : "", said]));
  const checked = new Set(facts.filter((said) => said.type === "devices.SealChecked.v1").map((said) => said.args["seal"]));
  return [...sealed.values()].filter((said) => !checked.has(said.args["seal"]));
}

/** How the newest seal stands: one look that found it broken, or elsewhere, is never healed. */
function stateWords(facts: Said[]): string {
  const last = facts.at(-1);
  if (!last) return t("seal_part.none");
  const looks = facts.filter((said) => said.type === "devices.SealChecked.v1" && said.args["seal"] === last.args["seal"]);
  const state = looks.length === 0 ? "closed" : looks.every((look) => isWhole(facts, look)) ? "whole" : "broken";
  return t("seal_part.now", { seal: String(last.args["seal"] ?? ""), state });
}

/** Whether a look found the seal whole, and where it was closed. */
function isWhole(facts: Said[], look: Said): boolean {
  const closed = facts.find((said) => said.type === "devices.Sealed.v1" && said.args["seal"] === look.args["seal"]);
  return look.args["intact"] === true && (!closed || ["container", "terminal"].every((name) => look.args[name] === closed.args[name]));
}

function sentence(road: Road, facts: Said[], said: Said): string {
  const word = (name: string) => String(said.args[name] ?? "");
  const party = partyName(road, said.asserted_by.party);
  if (said.type === "devices.Sealed.v1") return t("seal_part.closed", { party, seal: word("seal"), container: word("container"), terminal: word("terminal") });
  return t(isWhole(facts, said) ? "seal_part.whole" : "seal_part.broken", { party, seal: word("seal"), place: word("place") });
}

/** The carrier's form: what is on the road already is not typed again. */
function Close({ road }: { road: Road }) {
  const [terminals] = useWhole<TerminalRow>("terminals");
  const [entry] = useAnswer<{ entered: { container: string } }>(`/v1/trade/consignments/${encodeURIComponent(road.consignment)}`);
  if (terminals.state !== "here" || entry.state === "loading") return null;
  if (terminals.value.length === 0) return <p class="quiet">{t("seal_part.no_terminal")}</p>;
  const readers = [...new Set(road.parties.map((info) => info.party))];
  const open = containersOf(road).filter((each) => each.state === "open").map((each) => each.container);
  // What is sealed into another container of these goods would be refused.
  const riding = new Set(containersOf(road).filter((each) => each.state !== "open").map((each) => each.terminal));
  const free = terminals.value.filter((row) => !riding.has(row.terminal));
  if (free.length === 0) return <p class="quiet">{t("seal_part.no_free_terminal")}</p>;
  const container = { name: "container", label: t("seal_part.container") };
  return (
    <ActForm
      key={open.join()}
      open
      title={t("do.seal")}
      submit={t("seal_part.close")}
      means={t("seal_part.close_means")}
      fields={[
        { name: "terminal", label: t("seal_part.terminal"), kind: "choice", choices: free.map((row) => ({ value: row.terminal, words: `${row.terminal} · ${named("terminal_kind", row.keyed ? "keyed" : "claimed")}` })) },
        containersOf(road).length
          ? { ...container, kind: "choice" as const, choices: open.map((value) => ({ value, words: value })) }
          : { ...container, value: entry.state === "here" ? entry.value.entered.container : "" },
        { name: "seal", label: t("seal_part.number") },
      ]}
      send={(typed, act) => act("/v1/devices/seals", { ...typed, seal: plain(typed["seal"]), container: plain(typed["container"]), consignment: road.consignment, readers })}
      after={() => t("seal_part.after_close")}
      done={() => undefined}
    />
  );
}

function Check({ sealed }: { sealed: Said }) {
  const seal = String(sealed.args["seal"] ?? "");
  return (
    <ActForm
      open
      title={t("do.seal_check")}
      submit={t("seal_part.check")}
      means={t("seal_part.check_means", { seal })}
      fields={[
        { name: "container", label: t("seal_part.container"), value: String(sealed.args["container"] ?? "") },
        { name: "intact", label: t("seal_part.found"), kind: "choice", choices: ["yes", "no"].map((value) => ({ value, words: t(`seal_part.found_${value}`) })) },
        { name: "place", label: t("seal_part.place") },
      ]}
      send={({ container, intact, place }, act) => act(`/v1/devices/seals/${encodeURIComponent(seal)}/checks`, { container: plain(container), terminal: sealed.args["terminal"], intact: intact === "yes", place })}
      after={() => t("seal_part.after_check")}
      done={() => undefined}
    />
  );
}

/** Numbers as seals and containers bear them: capitals, no spaces. */
function plain(text = ""): string {
  return text.replace(/\s/g, "").toUpperCase();
}

/** Seals that the reader may see, in the list of the devices. */
export function SealLine({ row }: { row: SealRow }) {
  const { name } = useParties();
  return (
    <li>
      <div>
        <p>
          <strong>{row.seal}</strong> {t(row.bound ? "seal_part.bound" : "seal_part.not_bound", { container: row.container, terminal: row.terminal })}
        </p>
        <Facts
          rows={[
            [t("seal_part.sealed_by"), name(row.sealed_by)],
            [t("seal_part.checked_by"), row.checked_by ? name(row.checked_by) : t("nobody")],
            [t("seal_part.of"), <a href={`/consignments/${encodeURIComponent(row.consignment)}`}>{row.consignment}</a>],
          ]}
        />
      </div>
    </li>
  );
}
