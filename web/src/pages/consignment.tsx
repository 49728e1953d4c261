// One consignment: where it is and what waits on top, the road, and what stands behind it in folds.
import { useCallback, useEffect } from "preact/hooks";
import { money } from "../format";
import { Loading, ProblemNote, useAnswer } from "../parts/basics";
import { Contents } from "../parts/fold";
import { MapView } from "../parts/map";
import { isMine } from "../parts/moves";
import { MyMoves, RoadLine, SimulatedBand, StateWord, isOver, moveSentence, playing, reasonSentence } from "../parts/road";
import { SealPart } from "../parts/seal_part";
import { ContainersPart, containersOf } from "../parts/carried";
import { TellCrossing } from "../parts/crossing";
import { toldNumbers } from "../parts/told";
import { whereWords } from "../parts/where";
import { ArrivalPart } from "./consignment_arrival";
import { ConditionsPart, MoneyPart, PapersPart, PartiesPart, TitlePart } from "./consignment_parts";
import { ProofPart } from "./consignment_proof";
import { SaidPart } from "./consignment_said";
import { roadChanges } from "../seen";
import type { Road } from "../types";
import { sentences, t } from "../words";

const CONTAINERS = "containers-title";

/** The sections below the road, in the order in which people ask for them. */
const SECTIONS: [id: string, words: string][] = [
  ["conditions-title", "conditions"],
  ["papers-title", "papers"],
  ["seal-title", "seal_part"],
  [CONTAINERS, "containers"],
  ["arrival-title", "arrival"],
  ["money-title", "money"],
  ["goods-title", "title"],
  ["parties-title", "parties"],
  ["proof-title", "proof"],
  ["said-title", "said"],
];

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
      <article class="page consignment">
        {answer.problem && <ProblemNote problem={answer.problem} again={again} />}
        <Head road={road} />
        <div class="consignment-top">
          <MyMoves road={road} />
          <RoadLine road={road} />
          <section class="where" aria-labelledby="map-title">
            <h2 id="map-title">{t("journey")}</h2>
            <p>{whereWords(road)}</p>
            <MapView roads={[road]} whole={road} />
            <TellCrossing road={road} />
          </section>
        </div>
        <div class="with-contents">
          <Contents label={t("contents")} ways={SECTIONS.filter(([section]) => section !== CONTAINERS || containersOf(road).length > 0).map(([section, words]) => [section, t(words)])} />
          <div class="folds">
            <ConditionsPart road={road} />
            <PapersPart road={road} />
            <SealPart road={road} />
            <ContainersPart road={road} />
            <ArrivalPart road={road} />
            <MoneyPart road={road} />
            <TitlePart road={road} />
            <PartiesPart road={road} />
            <ProofPart road={road} />
            <SaidPart road={road} />
          </div>
        </div>
      </article>
    </>
  );
}

/** Whose move it is besides the reader's, or how it ended. */
function nowWords(road: Road): string {
  if (road.state === "refused") return reasonSentence(road);
  if (road.state === "paid") return t("consignment.paid");
  if (isOver(road)) return t("home.seen");
  return sentences(road.moves.filter((move) => !isMine(move)).map((move) => moveSentence(road, move)));
}

function Head({ road }: { road: Road }) {
  return (
    <header class="consignment-head">
      <div>
        <p class="quiet">
          <a href="/">{t("nav.home")}</a> <span class="digits">{road.consignment}</span>
        </p>
        <h1>{road.label}</h1>
        <p>{t("home.from_to", { from: playing(road, "exporter"), to: playing(road, "importer") })}</p>
      </div>
      <div class="consignment-now">
        <p>
          <span class="amount amount-large">{money(road.amount)}</span>
        </p>
        <p>
          {(road.state !== "under_way" || !isOver(road)) && <StateWord road={road} alone={nowWords(road) === ""} />} {nowWords(road)}
        </p>
        {road.state === "refused" && <p class="quiet">{toldNumbers(road.told)}</p>}
      </div>
    </header>
  );
}
