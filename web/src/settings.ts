// What this reader prefers: kept in this browser, and by person at the node (choices.ts).
import { Cell } from "./cell";
import languages from "./languages.json";

export type Language = keyof typeof languages;
const known: Record<Language, { name: string; complete: boolean; rtl?: boolean }> = languages;
/** Every language that we speak, by its own name. */
export const LANGUAGES = Object.entries(languages).map(([tag, { name }]) => [tag as Language, name] as const);

/** Whether its lines run from right to left. */
export const isRightToLeft = (tag: Language): boolean => known[tag].rtl ?? false;

export interface Settings {
  language: "auto" | Language;
  theme: "auto" | "light" | "dark";
  times: "local" | "utc";
  borders: "thin" | "none";
}

const KEY = "zhidao-settings";
const FIRST: Settings = { language: "auto", theme: "auto", times: "local", borders: "thin" };

function read(): Settings {
  try {
    return { ...FIRST, ...(JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<Settings>) };
  } catch {
    // A browser that keeps nothing, or keeps something broken, gets the defaults.
    return FIRST;
  }
}

export const settings = new Cell<Settings>(read());

/** Told each change that the reader makes. */
export const whenChanged: { tell: (now: Settings) => void } = { tell: () => undefined };

export function change(part: Partial<Settings>): void {
  settings.value = { ...settings.value, ...part };
  remember();
  whenChanged.tell(settings.value);
}

/** Takes what the node says of this reader; what it does not name stays. */
export function adopt(said: Settings): void {
  settings.value = { ...settings.value, ...said };
  remember();
}

function remember(): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(settings.value));
  } catch {
    // Private windows may refuse to keep settings: they then hold until the window is closed.
  }
}

/** The language that the reader chose, else the browser's first that we speak, else English. */
export function language(): Language {
  for (const wish of [settings.value.language, ...navigator.languages]) {
    const tongue = wish.toLowerCase().split("-")[0] as Language;
    if (tongue in languages) return tongue;
  }
  return "en";
}

export function applyTheme(): void {
  const { theme } = settings.value;
  if (theme === "auto") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme;
}
