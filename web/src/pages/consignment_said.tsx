// Everything that was said, in order, under the ten steps of the road; each word with its seal.
import type { ComponentChildren } from "preact";
import { Times } from "../parts/basics";
import { Fold } from "../parts/fold";
import { partyName } from "../parts/road";
import { Seal } from "../parts/seal";
import { MilestoneMark } from "../parts/shapes";
import type { Args, Road, RoadStep, Said } from "../types";
import { named, t, tryWords } from "../words";

const ROOMY = matchMedia("(min-width: 1024px)");

/** Arguments that name a party although the consignment may not count it among its own. */
const PARTY_ARGUMENTS = new Set(["holder_party", "beneficiary_party", "payer", "payee", "payer_bank", "payee_bank"]);

export function SaidPart({ road }: { road: Road }) {
  const inStep = new Set(road.steps.flatMap((step) => step.events));
  const byId = new Map(road.said.map((item) => [item.id, item]));
  const others = road.said.filter((item) => !inStep.has(item.id));
  return (
    <Fold id="said-title" title={t("said")} says={<p class="quiet">{t("said.count", { n: road.said.length })}</p>}>
      <p class="quiet">{t("said.intro")}</p>
      <ol class="steps">
        {road.steps.map((step) => (
          <Step key={step.n} road={road} step={step} said={step.events.flatMap((id) => byId.get(id) ?? [])} />
        ))}
      </ol>
      {others.length > 0 && (
        <div class="step">
          <Group title={t("said.others")} road={road} said={others} shut />
        </div>
      )}
    </Fold>
  );
}

function Step({ road, step, said }: { road: Road; step: RoadStep; said: Said[] }) {
  return (
    <li class={`step step-${step.state}`}>
      <Group mark={<MilestoneMark state={step.state} />} title={t("step.numbered", { n: step.n, name: named("step_name", step.key) })} state={named("state", step.state)} road={road} said={said} />
    </li>
  );
}

/** Statements under a heading that opens and closes; open at first where there is room. */
function Group({ mark, title, state, road, said, shut }: { mark?: ComponentChildren; title: string; state?: string; road: Road; said: Said[]; shut?: boolean }) {
  const heading = (
    <h3>
      {mark}
      <span>{title}</span>
      {state && <span class="step-state quiet">{state}</span>}
      {said.length > 0 && <span class="step-count quiet">{t("said.count", { n: said.length })}</span>}
    </h3>
  );
  if (said.length === 0) return heading;
  return (
    <details open={ROOMY.matches && !shut}>
      <summary>{heading}</summary>
      <ul class="said-list">
        {said.map((item) => (
          <Word key={item.id} road={road} said={item} />
        ))}
      </ul>
    </details>
  );
}

function Word({ road, said }: { road: Road; said: Said }) {
  // Nothing follows where no reason was given.
  const more = said.args.reason === "" ? null : tryWords(`event.${said.summary_key || said.type}.with`, forPeople(road, said.args));
  return (
    <li class="said">
      <div class="said-what">
        <strong>{named("event", said.type)}</strong>
        {more && <p>{more}</p>}
      </div>
      <div class="said-who">
        <p>
          {speakerName(road, said)}{" "}
          {said.custodian && <span class="quiet">{t("said.custodian")}</span>}
        </p>
        <p class="quiet instants">
          <Times at={said.occurred_at} scale={said.scale} recorded={said.recorded_at} />
        </p>
        <p class="quiet">{t("said.node", { node: said.recorded_by.name || said.recorded_by.party })}</p>
        <p class="quiet">{leafWords(said)}</p>
      </div>
      <Seal said={said} />
    </li>
  );
}

/** The speaker's name; a party that has none but its identifier is named in words. */
function speakerName(road: Road, { asserted_by: { party, name } }: Said): string {
  return name && name !== party ? name : partyName(road, party);
}

function leafWords(said: Said): string {
  if (said.index === null) return t("said.no_leaf");
  return t(said.open ? "said.leaf_open" : "said.leaf_commitment", { index: said.index });
}

/** Party identifiers among the arguments become names. */
function forPeople(road: Road, args: Args): Args {
  const known = new Set(road.parties.map((info) => info.party));
  // Times among the arguments are what was observed or agreed: they have the scale of the road.
  return Object.fromEntries(
    Object.entries({ ...args, scale: road.time_scale } as Args).map(([name, value]) => {
      const isParty = typeof value === "string" && value !== "" && (known.has(value) || PARTY_ARGUMENTS.has(name));
      return [name, isParty ? partyName(road, value) : value];
    }),
  );
}
