// Everything that was said, in order, under the ten steps of the road; each word with its seal.
import { Section, Time } from "../parts/basics";
import { partyName } from "../parts/road";
import { Seal } from "../parts/seal";
import { MilestoneMark } from "../parts/shapes";
import type { Args, Road, RoadStep, Said } from "../types";
import { named, t, tryWords } from "../words";

export function SaidPart({ road }: { road: Road }) {
  const inStep = new Set(road.steps.flatMap((step) => step.events));
  const byId = new Map(road.said.map((item) => [item.id, item]));
  const others = road.said.filter((item) => !inStep.has(item.id));
  return (
    <Section
      id="said-title"
      title={t("said")}
      aside={
        <a class="button" href={`/v1/consignments/${encodeURIComponent(road.consignment)}/proof`} download="consignment.zdproof">
          {t("said.export")}
        </a>
      }
    >
      <p class="quiet">{t("said.intro")}</p>
      <ol class="steps">
        {road.steps.map((step) => (
          <Step key={step.n} road={road} step={step} said={step.events.flatMap((id) => byId.get(id) ?? [])} />
        ))}
      </ol>
      {others.length > 0 && (
        <>
          <h3>{t("said.others")}</h3>
          <ul class="said-list">
            {others.map((item) => (
              <Word key={item.id} road={road} said={item} />
            ))}
          </ul>
        </>
      )}
    </Section>
  );
}

function Step({ road, step, said }: { road: Road; step: RoadStep; said: Said[] }) {
  return (
    <li class={`step step-${step.state}`}>
      <h3>
        <MilestoneMark state={step.state} />
        <span class="step-n n">{step.n}</span> {named("step_name", step.key)}
        <span class="step-state quiet">{named("state", step.state)}</span>
      </h3>
      {said.length > 0 && (
        <ul class="said-list">
          {said.map((item) => (
            <Word key={item.id} road={road} said={item} />
          ))}
        </ul>
      )}
    </li>
  );
}

function Word({ road, said }: { road: Road; said: Said }) {
  const more = tryWords(`event.${said.summary_key || said.type}.with`, forPeople(road, said.args));
  return (
    <li class="said">
      <div class="said-what">
        <strong>{named("event", said.type)}</strong>
        {more && <p>{more}</p>}
      </div>
      <div class="said-who">
        <p>
          {said.asserted_by.name || partyName(road, said.asserted_by.party)}{" "}
          {said.custodian && <span class="quiet">{t("said.custodian")}</span>}
        </p>
        <p class="quiet">
          <code class="fingerprint" title={said.asserted_by.fingerprint}>
            {said.asserted_by.fingerprint.slice(0, 9)}
          </code>{" "}
          <Time at={said.occurred_at} />
        </p>
        <p class="quiet">{leafWords(said)}</p>
      </div>
      <Seal said={said} />
    </li>
  );
}

function leafWords(said: Said): string {
  if (said.index === null) return t("said.no_leaf");
  return t(said.open ? "said.leaf_open" : "said.leaf_commitment", { index: said.index });
}

/** Party identifiers among the arguments become names. */
function forPeople(road: Road, args: Args): Args {
  const known = new Set(road.parties.map((info) => info.party));
  return Object.fromEntries(
    Object.entries(args).map(([name, value]) => [name, typeof value === "string" && known.has(value) ? partyName(road, value) : value]),
  );
}
