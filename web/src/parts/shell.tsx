// What stands around every page: name, ways, the state of the line, and the reader's preferences.
import type { ComponentChildren, ComponentType } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { useCell, useNow } from "../cell";
import { keptFrom } from "../api";
import { mayOpen } from "../doors";
import { ago, time } from "../format";
import { chapterOf } from "../help";
import { line } from "../live";
import { path } from "../route";
import { leave, session } from "../session";
import { LANGUAGES, type Settings, change, settings } from "../settings";
import type { Worklist } from "../types";
import { named, t, tongue, withWords } from "../words";
import { useAnswer } from "./basics";

const anyRoad = () => true;
// Not every act that waits moves a road; of the others the head hears so often.
const LOOK_MS = 30_000;
// The pages of the head, each for those whom the node offers it.
export const PAGES = ["home", "papers", "factory", "devices", "declarations", "money", "exchange", "trust", "people", "peers", "node"];
export const addressOf = (name: string) => (name === "home" ? "/" : `/${name}`);

export function Shell({ children }: { children: ComponentChildren }) {
  useCell(tongue);
  useCell(settings);
  const who = useCell(session);
  const where = useCell(path);
  const ways = useRef<HTMLElement>(null);
  useEffect(() => {
    // Sideways only: the page itself stays where it is.
    const [row, open] = [ways.current, ways.current?.querySelector<HTMLElement>("[aria-current]")];
    if (row && open) row.scrollLeft = open.offsetLeft - (row.clientWidth - open.offsetWidth) / 2;
  }, [where, who?.signed_in]);
  return (
    <>
      <a class="skip" href="#content">
        {t("skip")}
      </a>
      <header class="top">
        <a class="brand" href="/">
          <span class="brand-mark" aria-hidden="true" />
          <span lang="zh-CN" class="brand-zh">
            {t("brand.zh")}
          </span>
          <span class="brand-en">{t("brand.en")}</span>
        </a>
        {who?.signed_in && (
          <nav aria-label={t("nav.label")} ref={ways}>
            {PAGES.filter((name) => mayOpen(addressOf(name))).map((name) => {
              const to = addressOf(name);
              return (
                <a key={name} href={to} aria-current={(to === "/" ? where === to : where.startsWith(to)) ? "page" : undefined}>
                  {t(`nav.${name}`)}
                </a>
              );
            })}
          </nav>
        )}
        <div class="top-end">
          {who?.signed_in && <FindButton />}
          {who?.signed_in && <Waiting />}
          {who?.signed_in && <LineState />}
          <a class="help-link" href={chapterOf(where)} aria-label={t("help.of_page")} title={t("help.of_page")}>
            ?
          </a>
          <Preferences />
        </div>
      </header>
      <KeptBand />
      <main id="content" tabIndex={-1}>
        {children}
      </main>
      <footer class="bottom">
        <p>{t("footer")}</p>
      </footer>
    </>
  );
}

/** Opens the search: by itself, by / where nobody types, and by Ctrl-K anywhere. */
function FindButton() {
  const [Dialog, setDialog] = useState<ComponentType<{ close: () => void }> | null>(null);
  const open = () => void withWords(import("./find")).then((module) => setDialog(() => module.FindDialog));
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      const typing = event.target instanceof Element && event.target.closest("input, textarea, select, [contenteditable]") !== null;
      const palette = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k";
      if (!palette && (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey)) return;
      event.preventDefault();
      open();
    };
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  }, []);
  return (
    <>
      <button type="button" class="button find-button" aria-keyshortcuts="/ Control+K" onClick={open}>
        {t("find.open")} <kbd aria-hidden="true">/</kbd>
      </button>
      {Dialog && <Dialog close={() => setDialog(null)} />}
    </>
  );
}

/** How much waits for the reader, on every page, with the way to the list of it. */
function Waiting() {
  const where = useCell(path);
  const [answer, again] = useAnswer<Worklist>("/v1/worklist", anyRoad);
  useEffect(() => {
    const timer = setInterval(again, LOOK_MS);
    return () => clearInterval(timer);
  }, [again]);
  // The first look is the answer's own; each page after it asks anew.
  const looked = useRef(where);
  useEffect(() => {
    if (looked.current !== where) again();
    looked.current = where;
  }, [where]);
  const n = answer.state === "here" ? answer.value.items.length : 0;
  return (
    <a class={`waiting ${n ? "waiting-some" : ""}`} href="/waiting" aria-current={where === "/waiting" ? "page" : undefined}>
      {t("home.waits")} <span class="n">{answer.state === "here" && answer.value.more ? t("waiting.n_more", { n }) : n}</span>
    </a>
  );
}

function LineState() {
  const { state, since } = useCell(line);
  useNow(30);
  const words = {
    live: t("line.live", { since: time(since, "clock") }),
    connecting: t("line.connecting"),
    cut: t("line.cut", { since: time(since, "clock") }),
  }[state];
  return (
    <p class={`line line-${state}`} role="status">
      <span class="line-dot" aria-hidden="true" />
      {words}
    </p>
  );
}

/** Says when what stands on the page is remembered and not told just now. */
function KeptBand() {
  const kept = useCell(keptFrom);
  const now = useNow(30);
  if (!kept) return null;
  return (
    <p class="band" role="status">
      <strong>{t("kept.title")}</strong> {t("kept.text", { at: time(kept, "short"), ago: ago(kept, now) })}
    </p>
  );
}

function Preferences() {
  const now = useCell(settings);
  const who = useCell(session);
  return (
    <details class="preferences">
      <summary>{t("preferences")}</summary>
      <div class="preferences-box">
        {who?.signed_in && (
          <p class="who">
            <strong>{who.name}</strong>
            <span class="quiet"> {named("role", who.role)}</span> <a href="/access">{t("access.title")}</a> <a href="/notifications">{t("notify.title")}</a>
          </p>
        )}
        <Choice name="language" value={now.language} options={["auto", ...LANGUAGES.map(([tag]) => tag)]} words={OWN_NAMES} />
        <Choice name="theme" value={now.theme} options={["auto", "light", "dark"]} />
        <Choice name="times" value={now.times} options={["local", "utc"]} />
        <Choice name="borders" value={now.borders} options={["thin", "none"]} />
        {who?.signed_in && (
          <button type="button" class="button" onClick={() => void leave()}>
            {t("leave")}
          </button>
        )}
      </div>
    </details>
  );
}

// A reader who does not read the language in force finds the own one by its own name.
const OWN_NAMES: Record<string, string> = Object.fromEntries(LANGUAGES);

function Choice<K extends keyof Settings>({ name, value, options, words }: { name: K; value: Settings[K]; options: Settings[K][]; words?: Record<string, string> }) {
  return (
    <label class="field">
      <span>{t(`set.${name}`)}</span>
      <select value={value} onChange={(event) => change({ [name]: event.currentTarget.value } as Partial<Settings>)}>
        {options.map((option) => (
          <option key={option} value={option} selected={option === value} lang={words?.[option] && option}>
            {words?.[option] ?? t(`set.${name}.${option}`)}
          </option>
        ))}
      </select>
    </label>
  );
}
