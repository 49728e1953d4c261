// What a person chose of how pages look, kept at the node, so that another browser has it as well.
// A visitor who is not signed in, or who came by a link, keeps it in this browser only.
import { get, keep } from "./api";
import { Cell } from "./cell";
import { type Settings, adopt, whenChanged } from "./settings";

export interface TableChoice {
  sort: string;
  /** Columns that are shown; null for those that the page shows by itself. */
  shown: string[] | null;
}

interface Own {
  kept: boolean;
  look: Settings | null;
  tables: Record<string, { sort: string; shown: string[] }>;
}

/** How the tables of whoever is signed in stand; null until the node said so. */
export const tables = new Cell<Record<string, TableChoice> | null>(null);

let person = "";
let isKept = false;

/** Reads what this person chose, if the node answers; what this browser knows holds until then. */
export async function readChoices(name: string): Promise<void> {
  person = name;
  isKept = false;
  tables.value = null;
  if (!name) return;
  try {
    const own = await get<Own>("/v1/preferences");
    if (person !== name) return;
    isKept = own.kept;
    if (own.look) adopt(own.look);
    tables.value = Object.fromEntries(Object.entries(own.tables).map(([list, each]) => [list, { sort: each.sort, shown: each.shown.length > 0 ? each.shown : null }]));
  } catch {
    // The line is cut: the pages look as this browser remembers.
  }
}

whenChanged.tell = (now) => {
  if (isKept) void keep("/v1/preferences", now);
};

// By person: two who share a browser do not find each other's tables.
const place = (list: string) => `zhidao-list ${person} ${list}`;

/** How a table stands, as the node says it, else as this browser remembers. */
export function tableChoice(list: string): TableChoice {
  const said = tables.value?.[list];
  if (said) return said;
  try {
    return { sort: "", shown: null, ...(JSON.parse(localStorage.getItem(place(list)) ?? "{}") as Partial<TableChoice>) };
  } catch {
    // A browser that keeps nothing, or keeps something broken, gets the list's own order.
    return { sort: "", shown: null };
  }
}

export function keepTable(list: string, choice: TableChoice): void {
  if (tables.value) tables.value = { ...tables.value, [list]: choice };
  if (isKept) void keep(`/v1/preferences/tables/${list}`, { sort: choice.sort, shown: choice.shown ?? [] });
  try {
    localStorage.setItem(place(list), JSON.stringify(choice));
  } catch {
    // A private window may refuse: the choice then holds until the page is left.
  }
}
