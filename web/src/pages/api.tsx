// The API of this node for people who write programs: every operation as the node itself describes
// it, found by room, word or role; what only reads can be asked here as the signed-in person.
import type { ComponentChildren } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { AUTHORITY_FILE, AuthorityHint, useOwnAuthority } from "../parts/own_authority";
import { Loading, ProblemNote, useAnswer } from "../parts/basics";
import { type Operation, type Schema, type Description, commandOf, curlOf, operationsOf, propertiesOf, typeOf } from "../parts/api_shape";
import { session } from "../session";
import { named, t } from "../words";

const DESCRIPTION = "/schema/openapi.json";
const ROLES = ["admin", "operator", "party", "auditor", "node"];
const SHOWN_CHARACTERS = 20_000;

export default function ApiPage() {
  const [answer, again] = useAnswer<Description>(DESCRIPTION);
  const [wish, setWish] = useState("");
  const [role, setRole] = useState("");
  useEffect(() => void (document.title = t("api.document_title")), []);
  if (answer.state === "loading") return <Loading what={t("api.reading")} />;
  if (answer.state === "failed") return <ProblemNote problem={answer.problem} again={again} />;
  const told = answer.value;
  const words = wish.trim().toLowerCase().split(/\s+/);
  const fits = (each: Operation) =>
    (role === "" || (role === "anybody" ? each.roles.length === 0 : each.roles.includes(role) || each.roles.length === 0)) &&
    words.every((word) => each.text.includes(word));
  const found = operationsOf(told).filter(fits);
  const filtered = wish !== "" || role !== "";
  return (
    <div class="page api">
      <h1>{t("api.title")}</h1>
      <p>{t("api.what")}</p>
      <p class="row-buttons">
        <a class="button" href={DESCRIPTION} download="openapi.json">
          OpenAPI 3.1
        </a>
        <a class="button" href="/schema/asyncapi.json" download="asyncapi.json">
          AsyncAPI 3.0
        </a>
        <a class="button" href="/help/reference/http-api">
          {t("api.rules")}
        </a>
      </p>
      <div class="two">
        <label class="field">
          <span>{t("api.find")}</span>
          <input type="search" value={wish} onInput={(event) => setWish(event.currentTarget.value)} />
        </label>
        <label class="field">
          <span>{t("api.who")}</span>
          <select value={role} onChange={(event) => setRole(event.currentTarget.value)}>
            <option value="">{t("api.whoever")}</option>
            {ROLES.map((each) => (
              <option key={each} value={each}>
                {named("role", each)}
              </option>
            ))}
            <option value="anybody">{t("api.strangers")}</option>
          </select>
        </label>
      </div>
      <p role="status">{t("api.found", { n: found.length })}</p>
      {told.tags.map((tag) => {
        const rows = found.filter((each) => each.tag === tag.name);
        return rows.length === 0 ? null : (
          <details key={tag.name} class="api-room" open={filtered && found.length <= 12}>
            <summary>
              <h2 lang="en" dir="ltr">
                {tag.name} <span class="quiet n">{rows.length}</span>
              </h2>
              <span class="quiet" lang="en" dir="ltr">
                {tag.description}
              </span>
            </summary>
            <ul>
              {rows.map((each) => (
                <li key={each.id}>
                  <Row operation={each} told={told} />
                </li>
              ))}
            </ul>
          </details>
        );
      })}
    </div>
  );
}

function Row({ operation, told }: { operation: Operation; told: Description }) {
  const [open, setOpen] = useState(false);
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary class="api-row">
        <code class={`api-method api-${operation.method}`}>{operation.method.toUpperCase()}</code> <code>{operation.path}</code>
        <span lang="en" dir="ltr" class="api-summary">
          {operation.told.summary}
        </span>
      </summary>
      {open && <Detail operation={operation} told={told} />}
    </details>
  );
}

function Detail({ operation, told }: { operation: Operation; told: Description }) {
  const [status, answer] = operation.answer;
  const own = useOwnAuthority();
  return (
    <div class="api-detail">
      <p lang="en" dir="ltr">
        {operation.told.description}
      </p>
      <dl class="facts">
        <dt>{t("api.id")}</dt>
        <dd>
          <code>{operation.id}</code>
        </dd>
        <dt>{t("api.who")}</dt>
        <dd>{operation.roles.length === 0 ? t("api.strangers") : operation.roles.map((each) => named("role", each)).join(" · ")}</dd>
        {operation.relation !== "anybody" && (
          <>
            <dt>{t("api.relation")}</dt>
            <dd>
              <code>{operation.relation}</code>
            </dd>
          </>
        )}
        {commandOf(operation) && (
          <>
            <dt>{t("api.command")}</dt>
            <dd>
              <code>{commandOf(operation)}</code>
            </dd>
          </>
        )}
      </dl>
      {operation.parameters.length > 0 && (
        <Part title={t("api.parameters")}>
          <Properties rows={operation.parameters.map((each) => ({ name: each.name, schema: each.description ? { ...each.schema, description: each.description } : each.schema, required: each.required ?? false, where: each.in }))} told={told} />
        </Part>
      )}
      {operation.body && (
        <Part title={t("api.body")}>
          <p>
            <code>{operation.body.kind}</code>
          </p>
          <Shape schema={operation.body.schema} told={told} />
        </Part>
      )}
      {operation.example !== undefined && (
        <Part title={t("api.example")}>
          <Text text={JSON.stringify(operation.example, null, 2)} />
        </Part>
      )}
      <Part title={t("api.answer", { status })}>{answer ? <Shape schema={answer} told={told} /> : <p class="quiet">{t("api.empty")}</p>}</Part>
      <Part title={t("api.refusals")}>
        <p class="quiet" lang="en" dir="ltr">
          {operation.refusals.join(", ")}: Problem (RFC 9457)
        </p>
      </Part>
      <Part title={t("api.curl")}>
        <Text text={curlOf(operation, location.origin, own ? AUTHORITY_FILE : "")} />
        {own && <AuthorityHint />}
      </Part>
      {operation.reads && <Try operation={operation} />}
    </div>
  );
}

const Part = ({ title, children }: { title: string; children: ComponentChildren }) => (
  <section class="api-part">
    <h3>{title}</h3>
    {children}
  </section>
);

function Text({ text }: { text: string }) {
  const [copied, setCopied] = useState(false);
  return (
    <div class="api-text">
      <pre tabIndex={0}>{text}</pre>
      <button type="button" class="button" onClick={() => void navigator.clipboard?.writeText(text).then(() => setCopied(true))}>
        {t(copied ? "api.copied" : "api.copy")}
      </button>
    </div>
  );
}

/** The properties of a schema, each with what it means; what lies in them opens when asked for. */
function Shape({ schema, told }: { schema: Schema; told: Description }) {
  const rows = propertiesOf(schema, told);
  if (rows.length === 0) {
    return (
      <p>
        <code>{typeOf(schema)}</code>
      </p>
    );
  }
  return <Properties rows={rows} told={told} />;
}

interface Property {
  name: string;
  schema: Schema;
  required: boolean;
  where?: string;
}

function Properties({ rows, told }: { rows: Property[]; told: Description }) {
  return (
    <ul class="api-properties">
      {rows.map((each) => (
        <li key={each.name}>
          <PropertyRow property={each} told={told} />
        </li>
      ))}
    </ul>
  );
}

function PropertyRow({ property, told }: { property: Property; told: Description }) {
  const [open, setOpen] = useState(false);
  const inside = useMemo(() => propertiesOf(property.schema, told).length > 0, [property, told]);
  const line = (
    <>
      <code class="api-name">{property.name}</code> <span class="quiet">{typeOf(property.schema)}</span>
      {property.where && <span class="quiet"> · {property.where}</span>}
      {property.required && <span class="quiet"> · {t("api.required")}</span>}
    </>
  );
  return (
    <>
      {inside ? (
        <details onToggle={(event) => setOpen(event.currentTarget.open)}>
          <summary>{line}</summary>
          {open && <Shape schema={property.schema} told={told} />}
        </details>
      ) : (
        <p>{line}</p>
      )}
      {property.schema.description && (
        <p lang="en" dir="ltr" class="api-means">
          {property.schema.description}
        </p>
      )}
    </>
  );
}

/** Asks the node as the signed-in person; of what only reads. */
function Try({ operation }: { operation: Operation }) {
  const [values, setValues] = useState<Record<string, string>>({});
  const [said, setSaid] = useState("");
  const asked = operation.parameters.filter((each) => each.in === "path" || each.in === "query");
  const ask = async (event: Event) => {
    event.preventDefault();
    setSaid(t("api.asking"));
    const path = operation.path.replace(/\{(\w+)[^}]*\}/g, (_, name: string) => encodeURIComponent(values[name] ?? ""));
    const query = new URLSearchParams(asked.filter((each) => each.in === "query" && values[each.name]).map((each) => [each.name, values[each.name] as string]));
    try {
      const answer = await fetch(path + (query.size ? `?${query}` : ""), { headers: { accept: "application/json, */*" }, credentials: "same-origin" });
      setSaid(`${answer.status} ${answer.headers.get("content-type") ?? ""}\n\n${pretty(await answer.text())}`);
    } catch {
      setSaid(t("problem.offline"));
    }
  };
  return (
    <Part title={t("api.try")}>
      <p class="quiet">{t("api.try_as", { name: session.value?.name ?? "" })}</p>
      <form class="api-try" onSubmit={(event) => void ask(event)}>
        {asked.map((each) => (
          <label class="field" key={each.name}>
            <span>
              <code>{each.name}</code>
            </span>
            <input required={each.required ?? false} value={values[each.name] ?? ""} onInput={(event) => setValues({ ...values, [each.name]: event.currentTarget.value })} />
          </label>
        ))}
        <button type="submit" class="button button-main">
          {t("api.ask")}
        </button>
      </form>
      <div role="status">{said && <Text text={said} />}</div>
    </Part>
  );
}

function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2).slice(0, SHOWN_CHARACTERS);
  } catch {
    return text.slice(0, SHOWN_CHARACTERS);
  }
}
