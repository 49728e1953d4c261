// Who watches this node's log, whose logs it watches, and what the witnesses of each corridor signed.
import { number } from "../format";
import type { WitnessState } from "../types";
import { list, t } from "../words";
import { English, Section, Time } from "./basics";
import { MilestoneMark } from "./shapes";
import { Term } from "./term";

export function Witnesses({ state }: { state: WitnessState }) {
  return (
    <Section id="witnesses-title" title={t("trust.witnesses")} aside={<Term name="witness" />}>
      <p class="quiet">{t("trust.nodes_word")}</p>
      {state.corridors.length === 0 && <p class="quiet">{t("trust.no_corridor")}</p>}
      <ul class="services">
        {state.corridors.map((each) => (
          <li key={each.name}>
            <MilestoneMark state="next" />
            <div>
              <strong>{each.name}</strong>
              {each.witnessed ? (
                <p>
                  {t("trust.witnessed_by", { by: list(each.by) })} <Time at={new Date(each.witnessed_at_s * 1000).toISOString()} />
                </p>
              ) : (
                <English text={each.reason} />
              )}
            </div>
          </li>
        ))}
        {state.logs.map((log) => (
          <li key={log.origin}>
            <MilestoneMark state={log.convicted ? "refused" : "next"} />
            <div>
              <strong class="break">{log.origin}</strong>
              <p>{t("trust.watches", { size: number(log.size), mirrored: number(log.mirrored) })}</p>
              {log.unresolved && <English text={log.unresolved} />}
            </div>
          </li>
        ))}
        {state.brought.map((mirror) => (
          <li key={mirror.url}>
            <MilestoneMark state={mirror.problem ? "refused" : "next"} />
            <div>
              <code class="break">{mirror.url}</code>
              <p>{t("trust.brought", { corridors: list(mirror.corridors), leaves: number(mirror.leaves) })}</p>
              {mirror.cosigned > 0 && (
                <p>
                  {t("trust.brought_signed", { size: number(mirror.cosigned) })} <Time at={new Date(mirror.cosigned_at_s * 1000).toISOString()} />
                </p>
              )}
              {mirror.problem && <English text={mirror.problem} />}
            </div>
          </li>
        ))}
      </ul>
      {Object.entries(state.problems).map(([name, why]) => (
        <p key={name} class="quiet">
          {name}: <English text={why} />
        </p>
      ))}
    </Section>
  );
}
