// What stands around every page: name, ways, the state of the line, and the reader's preferences.
import type { ComponentChildren } from "preact";
import { useCell, useNow } from "../cell";
import { keptFrom } from "../api";
import { ago, time } from "../format";
import { line } from "../live";
import { path } from "../route";
import { leave, session } from "../session";
import { type Settings, change, settings } from "../settings";
import { named, t, tongue } from "../words";

export function Shell({ children }: { children: ComponentChildren }) {
  useCell(tongue);
  useCell(settings);
  const who = useCell(session);
  const where = useCell(path);
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
          <nav aria-label={t("nav.label")}>
            <a href="/" aria-current={where === "/" ? "page" : undefined}>
              {t("nav.home")}
            </a>
            <a href="/papers" aria-current={where.startsWith("/papers") ? "page" : undefined}>
              {t("nav.papers")}
            </a>
            <a href="/declarations" aria-current={where === "/declarations" ? "page" : undefined}>
              {t("nav.declarations")}
            </a>
            <a href="/money" aria-current={where.startsWith("/money") ? "page" : undefined}>
              {t("nav.money")}
            </a>
            <a href="/exchange" aria-current={where === "/exchange" ? "page" : undefined}>
              {t("nav.exchange")}
            </a>
            <a href="/trust" aria-current={where === "/trust" ? "page" : undefined}>
              {t("nav.trust")}
            </a>
            <a href="/node" aria-current={where === "/node" ? "page" : undefined}>
              {t("nav.node")}
            </a>
          </nav>
        )}
        <div class="top-end">
          {who?.signed_in && <LineState />}
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
            <span class="quiet"> {named("role", who.role)}</span>
          </p>
        )}
        <Choice name="language" value={now.language} options={["auto", "en", "zh"]} />
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

function Choice<K extends keyof Settings>({ name, value, options }: { name: K; value: Settings[K]; options: Settings[K][] }) {
  return (
    <label class="field">
      <span>{t(`set.${name}`)}</span>
      <select value={value} onChange={(event) => change({ [name]: event.currentTarget.value } as Partial<Settings>)}>
        {options.map((option) => (
          <option key={option} value={option} selected={option === value}>
            {t(`set.${name}.${option}`)}
          </option>
        ))}
      </select>
    </label>
  );
}
