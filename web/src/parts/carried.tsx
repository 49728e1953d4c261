// Several containers of one consignment: which terminal rides in which, and how each of them stands.
import type { ContainerInfo, Road } from "../types";
import { named, t } from "../words";
import { Time } from "./basics";
import { Fold } from "./fold";
import { Trouble } from "./money_form";
import { Seal } from "./seal";
import { Reason } from "./told";

/** The containers where there are several; a page that was kept from before knows of none. */
export const containersOf = (road: Road): ContainerInfo[] => (road.containers as ContainerInfo[] | undefined) ?? [];

export interface Carried {
  container: string;
  terminal: string;
}

/** The terminal of each container by its number; what is sealed in is proposed. */
export type Terminals = Record<string, string>;

export function proposedTerminals(road: Road): Terminals {
  return Object.fromEntries(containersOf(road).map(({ container, terminal }) => [container, terminal]));
}

/** What the node takes: one terminal, or one for each container. Raises Trouble, in words. */
export function ridersOf(road: Road, one: string, each: Terminals): { terminal: string; carried: Carried[] } {
  const carried = containersOf(road).map(({ container }) => ({ container, terminal: each[container] ?? "" }));
  if (!(carried.length ? carried.every((ride) => ride.terminal) : one)) throw new Trouble(t("deal.no_terminal"));
  return carried.length ? { terminal: "", carried } : { terminal: one, carried };
}

interface TerminalProps {
  road: Road;
  one: string;
  setOne: (terminal: string) => void;
  each: Terminals;
  setEach: (each: Terminals) => void;
  hint?: boolean;
}

/** Which terminal is on the goods; where there are several containers, which is in each of them. */
export function TerminalFields({ road, one, setOne, each, setEach, hint }: TerminalProps) {
  const known = [...new Set(road.said.flatMap((said) => (typeof said.args["terminal"] === "string" ? [said.args["terminal"] as string] : [])))];
  const rows: [string, string, (terminal: string) => void][] = containersOf(road).length
    ? containersOf(road).map(({ container }) => [t("deal.terminal_in", { container }), each[container] ?? "", (terminal) => setEach({ ...each, [container]: terminal })])
    : [[t("deal.terminal"), one, setOne]];
  return (
    <>
      {rows.map(([label, value, set]) => (
        <label key={label} class="field">
          <span>{label}</span>
          <input list="goods-terminals" maxLength={64} value={value} onInput={(event) => set(event.currentTarget.value.trim())} />
          {hint && <span class="hint">{t("deal.terminal_hint")}</span>}
        </label>
      ))}
      <datalist id="goods-terminals">
        {known.map((terminal) => (
          <option key={terminal} value={terminal} />
        ))}
      </datalist>
    </>
  );
}

/** Each of several containers with its seal and terminal; nothing where there is one. */
export function ContainersPart({ road }: { road: Road }) {
  if (containersOf(road).length === 0) return null;
  const there = containersOf(road).filter((each) => each.state === "arrived").length;
  return (
    <Fold id="containers-title" title={t("containers")} says={<p class="quiet">{t("containers.arrived", { there, of: containersOf(road).length })}</p>}>
      <ul class="plain containers">
        {containersOf(road).map((each) => (
          <Container key={each.container} road={road} each={each} />
        ))}
      </ul>
    </Fold>
  );
}

function Container({ road, each }: { road: Road; each: ContainerInfo }) {
  const fact = road.said.find((said) => said.id === each.event);
  return (
    <li>
      <strong>{each.container}</strong> {named("container_state", each.state)}{" "}
      {each.observed_at && <Time at={each.observed_at} style="full" scale={road.time_scale} />}{" "}
      {each.terminal && <span class="quiet">{t("containers.with", { terminal: each.terminal, seal: each.seal })}</span>}
      {each.told && <Reason told={each.told} />}
      {fact && <Seal said={fact} />}
    </li>
  );
}
