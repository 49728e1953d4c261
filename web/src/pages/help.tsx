// The documentation, served by this node and read without any other host, in the reader's language
// where it is translated.
import { useEffect, useState } from "preact/hooks";
import { type Problem, get } from "../api";
import { Loading, ProblemNote, asProblem } from "../parts/basics";
import { language } from "../settings";
import { t } from "../words";

interface Page {
  title: string;
  body: string;
}
interface Listed {
  name: string;
  title: string;
  headings: string[];
}

const FILES = "/help-files";
const GROUPS = ["tutorials", "how-to", "reference", "explanation"];

export default function HelpPage({ id }: { id: string }) {
  const [contents, setContents] = useState<Listed[] | null>(null);
  const [page, setPage] = useState<Page | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  useEffect(() => {
    document.title = t("help.document_title");
    read(id).then(
      ([listed, found]) => {
        setContents(listed);
        setPage(found);
        if (found) document.title = `${found.title} · Zhidao`;
      },
      (error: unknown) => setProblem(asProblem(error)),
    );
  }, [id]);
  if (problem?.status === 404) {
    return (
      <div class="page">
        <h1>{t("help.title")}</h1>
        <p class="state">{t("help.not_built")}</p>
      </div>
    );
  }
  if (problem) return <ProblemNote problem={problem} />;
  if (!contents) return <Loading what={t("help.reading")} />;
  return (
    <div class="page help">
      <Contents every={contents} here={id} />
      {page ? <Body page={page} translated={own(contents, id).startsWith("zh/")} /> : <p class="state">{t("page.missing")}</p>}
    </div>
  );
}

/** Made from the node's own documentation when it was built, never from what anybody sent. */
function Body({ page, translated }: { page: Page; translated: boolean }) {
  return <article class="help-body" lang={translated ? "zh-CN" : "en"} dir="ltr" dangerouslySetInnerHTML={{ __html: page.body }} />;
}

function Contents({ every, here }: { every: Listed[]; here: string }) {
  const [wish, setWish] = useState("");
  const mine = chosen(every);
  const words = wish.trim().toLowerCase();
  const fits = (each: Listed) => [each.title, ...each.headings].some((line) => line.toLowerCase().includes(words));
  return (
    <details class="help-contents" open={here === ""}>
      <summary class="button">{t("help.contents")}</summary>
      <label class="field">
        <span>{t("help.find")}</span>
        <input type="search" value={wish} onInput={(event) => setWish(event.currentTarget.value)} />
      </label>
      <nav aria-label={t("help.contents")}>
        {GROUPS.map((group) => {
          const rows = mine.filter((each) => base(each.name).startsWith(`${group}/`) && !each.name.endsWith("/index") && fits(each));
          return rows.length === 0 ? null : (
            <section key={group}>
              <h2>{t(`help_group.${group}`)}</h2>
              <ul>
                {rows.map((each) => (
                  <li key={each.name}>
                    <a href={`/help/${base(each.name)}`} aria-current={base(each.name) === here ? "page" : undefined}>
                      {each.title}
                    </a>
                  </li>
                ))}
              </ul>
            </section>
          );
        })}
      </nav>
    </details>
  );
}

const base = (name: string) => name.replace(/^zh\//, "");

/** Each page once, in the reader's language where there is a translation. */
function chosen(every: Listed[]): Listed[] {
  const translated = language() === "zh" ? every.filter((each) => each.name.startsWith("zh/")) : [];
  const have = new Set(translated.map((each) => base(each.name)));
  return [...translated, ...every.filter((each) => !each.name.startsWith("zh/") && !have.has(each.name))];
}

/** The name of a page by its address: a folder stands for its index. */
function plainName(id: string): string {
  return id === "" ? "index" : id;
}

function own(every: Listed[], id: string): string {
  const names = new Set(every.map((each) => each.name));
  const plain = names.has(plainName(id)) ? plainName(id) : `${id}/index`;
  return language() === "zh" && names.has(`zh/${plain}`) ? `zh/${plain}` : plain;
}

async function read(id: string): Promise<[Listed[], Page | null]> {
  const contents = await get<Listed[]>(`${FILES}/contents.json`);
  const name = own(contents, id);
  if (!contents.some((each) => each.name === name)) return [contents, null];
  return [contents, await get<Page>(`${FILES}/pages/${name}.json`)];
}
