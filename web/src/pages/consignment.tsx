// One consignment: the road, and everything that stands behind it.
import { useCallback, useEffect } from "preact/hooks";
import { money } from "../format";
import { Loading, ProblemNote, Section, useAnswer } from "../parts/basics";
import { MapView } from "../parts/map";
import { MyMoves, RoadLine, SimulatedBand, StateWord, ZoneLine, playing, reasonSentence, waitSentence } from "../parts/road";
import { SealPart } from "../parts/seal_part";
import { ContainersPart } from "../parts/carried";
import { toldNumbers } from "../parts/told";
import { ArrivalPart } from "./consignment_arrival";
import { ConditionsPart, MoneyPart, PapersPart, PartiesPart, TitlePart } from "./consignment_parts";
import { SaidPart } from "./consignment_said";
import { roadChanges } from "../seen";
import type { Road } from "../types";
import { t } from "../words";

export function ConsignmentPage({ id }: { id: string }) {
  const follows = useCallback((consignment: string) => consignment === id, [id]);
  const [answer, again] = useAnswer<Road>(`/v1/consignments/${encodeURIComponent(id)}/road`, follows, undefined, roadChanges);
  const label = answer.state === "here" ? answer.value.label : id;
  useEffect(() => {
    document.title = t("consignment.document_title", { label });
  }, [label]);
  if (answer.state === "loading") return <Loading what={t("consignment.reading")} />;
  if (answer.state === "failed") return <ProblemNote problem={answer.problem} again={again} />;
  const road = answer.value;
  return (
    <>
      <SimulatedBand parts={road.simulated} scale={road.time_scale} />
      <article class="page">
        {answer.problem && <ProblemNote problem={answer.problem} again={again} />}
        <Head road={road} />
        <MyMoves road={road} />
        <ZoneLine scale={road.time_scale} />
        <RoadLine road={road} />
        <div class="two">
          <div>
            <ConditionsPart road={road} />
            <SealPart road={road} />
            <ContainersPart road={road} />
            <MoneyPart road={road} />
            <TitlePart road={road} />
          </div>
          <div>
            <Section id="map-title" title={t("journey")}>
              <MapView roads={[road]} whole={road} />
            </Section>
          </div>
        </div>
        <ArrivalPart road={road} />
        <PapersPart road={road} />
        <PartiesPart road={road} />
        <SaidPart road={road} />
      </article>
    </>
  );
}

function Head({ road }: { road: Road }) {
  const now = road.state === "refused" ? reasonSentence(road) : road.state === "paid" ? t("consignment.paid") : waitSentence(road);
  return (
    <header class="consignment-head">
      <div>
        <p class="quiet">
          <a href="/">{t("nav.home")}</a>
        </p>
        <h1>{road.label}</h1>
        <p>{t("home.from_to", { from: playing(road, "exporter"), to: playing(road, "importer") })}</p>
      </div>
      <div class="consignment-now">
        <p class="amount amount-large">{money(road.amount)}</p>
        <p>
          <StateWord road={road} /> {now}
        </p>
        {road.state === "refused" && <p class="quiet">{toldNumbers(road.told)}</p>}
      </div>
    </header>
  );
}
