// A list as people read it: a page at a time from the node, which sorts, filters and counts on; its
// file; and what this person chose of it before. The rows are a table, or lines of the page's own.
import type { ComponentChildren } from "preact";
import { useCallback, useEffect, useId, useRef, useState } from "preact/hooks";
import { Problem, get } from "../api";
import { useCell } from "../cell";
import { type TableChoice, keepTable, tableChoice, tables } from "../choices";
import { onRoad } from "../live";
import { type Change, type Shown, show } from "../seen";
import { t } from "../words";
import { ProblemNote, asProblem } from "./basics";

/** A column: `name` is the node's, by which it sorts. `n`: of numbers. `spare`: hidden at first. */
export interface Column<T> {
  name: string;
  title: string;
  cell?: (row: T) => ComponentChildren;
  n?: boolean;
  spare?: boolean;
  unsorted?: boolean;
  /** The node's codes with the words that the cells show: the reader chooses among them. */
  choices?: [code: string, words: string][];
}

interface Page<T> {
  rows: T[];
  next: string;
}

interface Props<T> {
  /** The list's name at the node: /v1/lists/NAME. */
  list: string;
  /** What the list is called, for those who hear the page. */
  title: string;
  columns: Column<T>[];
  id: (row: T) => string;
  /** Draws a row as a line of its own instead of cells; the columns then only sort. */
  line?: (row: T) => ComponentChildren;
  none?: ComponentChildren;
  /** Read again when this changes, and every so many seconds. */
  follows?: unknown;
  every?: number;
  /** Read again when a consignment's road changed. */
  live?: boolean;
  /** The order until the reader chooses one; without: the list's own. */
  order?: string;
  /** What narrows the list from the page's side, as the node takes it: column:text. */
  only?: string[];
  /** Told the rows that are shown. */
  told?: (rows: T[]) => void;
  /** What of the shown rows is news to whoever acts on one: it is looked at before each act. */
  changes?: (before: T[], now: T[]) => Change[];
}

/** Columns that have no cell of their own, by the names that the node gives them. */
export const columnsOf = (...names: string[]) => names.map((name) => ({ name, title: t(`table.of.${name}`) }));

const ROWS = 25;
// A list that one looks through at a glance needs no tools.
const TOOLS_FROM = 8;
const TYPED_MS = 300;

export function Table<T>(props: Props<T>) {
  const { list, columns, only = [] } = props;
  const all = useCell(tables);
  const [choice, choose] = useState(() => tableChoice(list));
  // Another browser's choice, once the node told it.
  useEffect(() => choose(tableChoice(list)), [all]);
  const [typed, type] = useState("");
  const [filter, setFilter] = useState("");
  const [chosen, setChosen] = useState<Record<string, string>>({});
  // The cursors of the pages up to this one; the first page has none.
  const [way, setWay] = useState<string[]>([""]);
  const [page, setPage] = useState<Page<T> | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const asked = useRef("");
  const watched = useRef<Shown<Page<T>> | null>(null);
  // A column that a page of today does not have is no order.
  const sort = columns.some((each) => each.name === choice.sort.replace(/^-/, "")) ? choice.sort : (props.order ?? "");
  const query = new URLSearchParams();
  if (sort) query.set("sort", sort);
  for (const each of [...only, filter].filter(Boolean)) query.append("filter", each);
  for (const [name, code] of Object.entries(chosen)) if (code) query.append("where", `${name}=${code}`);
  const isNarrowed = filter !== "" || query.has("where");
  const after = way.at(-1) as string;
  const path = `/v1/lists/${list}?limit=${ROWS}&${query}${after ? `&after=${encodeURIComponent(after)}` : ""}`;
  const read = useCallback(() => {
    asked.current = path;
    const reading = get<Page<T>>(path);
    if (watched.current) watched.current.reading = reading;
    reading.then(
      (next) => {
        if (asked.current !== path) return;
        // At once, not when it is drawn: an act may come in between.
        if (watched.current) watched.current.value = next;
        setPage(next);
        setProblem(null);
        props.told?.(next.rows);
      },
      (error: unknown) => {
        if (asked.current !== path) return;
        const found = asProblem(error);
        // The node began anew, and its cursors with it.
        if (found.code === "stale_cursor") setWay([""]);
        else setProblem(found);
      },
    );
  }, [path]);
  const { changes } = props;
  useEffect(() => {
    if (!changes || !page) return;
    watched.current = { path: asked.current, at: new Date(), value: page, changes: (before, now) => changes(before.rows, now.rows), take: setPage, reading: null };
    return show(watched.current);
  }, [page]);
  useEffect(read, [read, props.follows]);
  useEffect(() => {
    const timer = props.every ? setInterval(read, props.every * 1000) : undefined;
    return () => clearInterval(timer);
  }, [read, props.every]);
  useEffect(() => (props.live ? onRoad(read) : undefined), [read, props.live]);
  useEffect(() => {
    if (typed === filter) return;
    const timer = setTimeout(() => {
      setFilter(typed);
      setWay([""]);
    }, TYPED_MS);
    return () => clearTimeout(timer);
  }, [typed]);
  const change = (part: Partial<TableChoice>) => {
    const next = { ...choice, sort, ...part };
    choose(next);
    keepTable(list, next);
    if (part.sort !== undefined) setWay([""]);
  };
  const pick = (name: string, code: string) => {
    setChosen({ ...chosen, [name]: code });
    setWay([""]);
  };
  const shown = columns.filter((each) => (choice.shown ? choice.shown.includes(each.name) : !each.spare));
  if (problem && !page) return <ProblemNote problem={problem} again={read} />;
  if (!page) {
    return (
      <p class="state" role="status">
        {t("reading")}
      </p>
    );
  }
  const number = way.length;
  const hasTools = page.rows.length >= TOOLS_FROM || page.next !== "" || number > 1 || typed !== "" || isNarrowed || sort !== (props.order ?? "");
  return (
    <div class="list">
      {hasTools && <Tools props={props} sort={sort} shown={shown} typed={typed} type={type} chosen={chosen} pick={pick} change={change} file={`/v1/lists/${list}/csv?${query}`} />}
      {problem && <ProblemNote problem={problem} again={read} />}
      {page.rows.length === 0 ? <p class="quiet">{isNarrowed || number > 1 ? t("table.none_found") : (props.none ?? t("table.none"))}</p> : props.line ? <ul class="services">{page.rows.map((row) => props.line?.(row))}</ul> : <Cells props={props} rows={page.rows} shown={shown} sort={sort} change={change} />}
      {(page.next !== "" || number > 1) && (
        <nav class="pager" aria-label={t("table.pages", { list: props.title })}>
          <button type="button" class="button" disabled={number === 1} onClick={() => setWay(way.slice(0, -1))}>
            {t("table.back")}
          </button>
          <span role="status">{t("table.page", { n: number })}</span>
          <button type="button" class="button" disabled={page.next === ""} onClick={() => setWay([...way, page.next])}>
            {t("table.next")}
          </button>
        </nav>
      )}
    </div>
  );
}

interface ToolsProps<T> {
  props: Props<T>;
  sort: string;
  shown: Column<T>[];
  typed: string;
  type: (text: string) => void;
  chosen: Record<string, string>;
  pick: (name: string, code: string) => void;
  change: (part: Partial<TableChoice>) => void;
  file: string;
}

function Tools<T>({ props, sort, shown, typed, type, chosen, pick, change, file }: ToolsProps<T>) {
  const { columns, list, title } = props;
  const id = useId();
  const toggle = (name: string) => {
    const names = shown.map((each) => each.name);
    const next = names.includes(name) ? names.filter((each) => each !== name) : columns.map((each) => each.name).filter((each) => each === name || names.includes(each));
    if (next.length > 0) change({ shown: next });
  };
  return (
    <div class="list-tools" role="group" aria-label={t("table.tools", { list: title })}>
      <label class="field">
        <span>{t("table.filter")}</span>
        <input type="search" id={id} value={typed} maxLength={100} onInput={(event) => type(event.currentTarget.value)} />
      </label>
      {columns.map(
        ({ name, title: words, choices }) =>
          choices && (
            <label key={name} class="field">
              <span>{words}</span>
              <select value={chosen[name] ?? ""} onChange={(event) => pick(name, event.currentTarget.value)}>
                <option value="">{t("table.any")}</option>
                {choices.map(([code, each]) => (
                  <option key={code} value={code}>
                    {each}
                  </option>
                ))}
              </select>
            </label>
          ),
      )}
      <label class="field">
        <span>{t("table.order")}</span>
        <select value={sort} onChange={(event) => change({ sort: event.currentTarget.value })}>
          <option value="">{t("table.own_order")}</option>
          {columns
            .filter((each) => !each.unsorted)
            .flatMap((each) => [each.name, `-${each.name}`].map((way) => [way, each.title] as const))
            .map(([way, words]) => (
              <option key={way} value={way} selected={way === sort}>
                {way.startsWith("-") ? t("table.falling", { column: words }) : words}
              </option>
            ))}
        </select>
      </label>
      {!props.line && (
        <details class="list-columns">
          <summary class="button">{t("table.columns")}</summary>
          <div>
            {columns.map((each) => (
              <label key={each.name} class="choice">
                <input type="checkbox" checked={shown.includes(each)} onChange={() => toggle(each.name)} />
                <span>{each.title}</span>
              </label>
            ))}
          </div>
        </details>
      )}
      <a class="button" href={file} download={`${list}.csv`}>
        {t("table.file")}
        <span class="sr-only">: {title}</span>
      </a>
    </div>
  );
}

interface CellsProps<T> {
  props: Props<T>;
  rows: T[];
  shown: Column<T>[];
  sort: string;
  change: (part: Partial<TableChoice>) => void;
}

function Cells<T>({ props, rows, shown, sort, change }: CellsProps<T>) {
  const turn = (name: string) => change({ sort: sort === name ? `-${name}` : sort === `-${name}` ? "" : name });
  const by = (name: string) => (sort === name ? "ascending" : sort === `-${name}` ? "descending" : undefined);
  return (
    <div class="list-box" tabIndex={0} role="group" aria-label={props.title}>
      <table class="cards">
        <thead>
          <tr>
            {shown.map((each) => (
              <th key={each.name} scope="col" class={each.n ? "n" : undefined} aria-sort={by(each.name)}>
                {each.unsorted ? (
                  each.title
                ) : (
                  <button type="button" class="sort" onClick={() => turn(each.name)}>
                    {each.title}
                    <span aria-hidden="true">{sort === each.name ? " \u2191" : sort === `-${each.name}` ? " \u2193" : ""}</span>
                  </button>
                )}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={props.id(row)}>
              {shown.map((each, i) => {
                const cell = each.cell ? each.cell(row) : String((row as Record<string, unknown>)[each.name] ?? "");
                return i === 0 ? (
                  <th key={each.name} scope="row">
                    {cell}
                  </th>
                ) : (
                  <td key={each.name} class={each.n ? "n" : undefined} data-name={each.title}>
                    {cell}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
