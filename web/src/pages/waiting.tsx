// Everything that waits for the reader, over all kinds of act, each with the way to where it is done.
import { useEffect } from "preact/hooks";
import { Loading, ProblemNote, useAnswer } from "../parts/basics";
import { itemWords, placeOfItem } from "../parts/moves";
import type { WorkItem, Worklist } from "../types";
import { named, t } from "../words";

const anything = () => true;

export default function WaitingPage() {
  const [answer, again] = useAnswer<Worklist>("/v1/worklist", anything);
  useEffect(() => {
    document.title = t("waiting.document_title");
  }, []);
  if (answer.state === "loading") return <Loading what={t("waiting.reading")} />;
  if (answer.state === "failed") return <ProblemNote problem={answer.problem} again={again} />;
  const { items, more } = answer.value;
  const kinds = [...new Set(items.map((item) => item.kind))];
  return (
    <article class="page">
      <h1>{t("home.waits")}</h1>
      {answer.problem && <ProblemNote problem={answer.problem} again={again} />}
      {items.length === 0 && <p class="state">{t("home.waits_none")}</p>}
      {kinds.map((kind) => (
        <section key={kind} aria-labelledby={`work-${kind}`}>
          <h2 id={`work-${kind}`}>{named("work_kind", kind)}</h2>
          <ul class="rows">
            {items
              .filter((item) => item.kind === kind)
              .map((item) => (
                <Item key={`${item.act} ${item.subject}`} item={item} />
              ))}
          </ul>
        </section>
      ))}
      {more && <p class="quiet">{t("waiting.more")}</p>}
    </article>
  );
}

function Item({ item }: { item: WorkItem }) {
  return (
    <li class="row">
      <span class="row-top">
        <strong class="row-label">{item.label}</strong>
        <a class="button" href={placeOfItem(item)}>
          {item.kind === "move" ? named("do", item.act) : t("work_go")}
        </a>
      </span>
      <span class="row-now">
        {item.kind === "move" && item.subject !== item.label && <code>{item.subject} </code>}
        {itemWords(item)}
      </span>
    </li>
  );
}
