// What the page of the API reads in the node's OpenAPI description.

export interface Schema {
  $ref?: string;
  type?: string | string[];
  description?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  enum?: unknown[];
  const?: unknown;
  format?: string;
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
  additionalProperties?: Schema | boolean;
  minimum?: number;
  maximum?: number;
  maxLength?: number;
}

export interface Parameter {
  name: string;
  in: string;
  required?: boolean;
  description?: string;
  example?: string;
  schema: Schema;
}

interface Content {
  schema?: Schema;
  examples?: Record<string, { value: unknown }>;
}

interface Told {
  operationId: string;
  summary: string;
  description: string;
  tags?: string[];
  parameters?: Parameter[];
  requestBody?: { content: Record<string, Content> };
  responses: Record<string, { content?: Record<string, Content> }>;
  "x-zhidao-access"?: { roles: string[]; relation: string; of?: string };
  "x-zhidao-command"?: string;
}

export interface Description {
  tags: { name: string; description: string }[];
  paths: Record<string, Record<string, Told>>;
  components: { schemas: Record<string, Schema> };
}

export interface Operation {
  id: string;
  method: string;
  path: string;
  tag: string;
  told: Told;
  roles: string[];
  relation: string;
  parameters: Parameter[];
  body: { kind: string; schema: Schema } | null;
  example: unknown;
  answer: [string, Schema | null];
  refusals: string[];
  /** Whether it only reads, and ends. */
  reads: boolean;
  /** By what it is found. */
  text: string;
}

const known = new WeakMap<Description, Operation[]>();

/** Every operation of the description, in the order of its paths; read once. */
export function operationsOf(told: Description): Operation[] {
  const kept = known.get(told);
  if (kept) return kept;
  const found = Object.entries(told.paths)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([path, item]) => Object.entries(item).filter(([, each]) => each.operationId).map(([method, each]) => one(method, path, each)));
  known.set(told, found);
  return found;
}

function one(method: string, path: string, told: Told): Operation {
  const access = told["x-zhidao-access"];
  const [kind, content] = Object.entries(told.requestBody?.content ?? {})[0] ?? ["", {} as Content];
  const good = Object.entries(told.responses).find(([status]) => status < "3");
  const answers = Object.entries(good?.[1].content ?? {});
  const tag = told.tags?.[0] ?? "node";
  return {
    id: told.operationId,
    method,
    path,
    tag,
    told,
    roles: access?.roles ?? [],
    relation: access ? access.relation + (access.of ? ` of ${access.of}` : "") : "anybody",
    parameters: told.parameters ?? [],
    body: kind ? { kind, schema: content.schema ?? {} } : null,
    example: Object.values(content.examples ?? {})[0]?.value,
    answer: [good?.[0] ?? "", answers[0]?.[1].schema ?? null],
    refusals: Object.keys(told.responses).filter((status) => status >= "4"),
    reads: method === "get" && !answers.some(([type]) => type === "text/event-stream"),
    text: `${method} ${path} ${told.operationId} ${told.summary} ${tag} ${told["x-zhidao-command"] ?? ""}`.toLowerCase(),
  };
}

export const commandOf = (operation: Operation): string => (operation.told["x-zhidao-command"] ? `zhidao ${operation.told["x-zhidao-command"]}` : "");

const resolved = (schema: Schema, told: Description): Schema => (schema.$ref ? { ...told.components.schemas[schema.$ref.split("/").pop() as string], ...(schema.description ? { description: schema.description } : {}) } : schema);

/** What lies in a schema: its own properties, those of each alternative, or of its elements. */
export function propertiesOf(schema: Schema, told: Description): { name: string; schema: Schema; required: boolean }[] {
  const whole = resolved(schema, told);
  if (whole.properties) {
    const needed = new Set(whole.required ?? []);
    return Object.entries(whole.properties).map(([name, inner]) => ({ name, schema: inner, required: needed.has(name) }));
  }
  if (whole.items) return propertiesOf(whole.items, told);
  const parts = [...(whole.allOf ?? []), ...(whole.anyOf ?? []), ...(whole.oneOf ?? [])];
  const found = new Map<string, { name: string; schema: Schema; required: boolean }>();
  for (const part of parts) for (const each of propertiesOf(part, told)) if (!found.has(each.name)) found.set(each.name, { ...each, required: false });
  return [...found.values()];
}

/** A schema's type in a few letters, as JSON Schema names it. */
export function typeOf(schema: Schema): string {
  if (schema.$ref) return schema.$ref.split("/").pop() as string;
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((each) => JSON.stringify(each)).join(" | ");
  const parts = schema.anyOf ?? schema.oneOf ?? schema.allOf;
  if (parts) return [...new Set(parts.map(typeOf))].join(schema.allOf ? " & " : " | ");
  if (schema.type === "array") return `${typeOf(schema.items ?? {})}[]`;
  const kind = Array.isArray(schema.type) ? schema.type.join(" | ") : (schema.type ?? "any");
  const from = schema.minimum !== undefined ? ` ≥ ${schema.minimum}` : "";
  const to = schema.maximum !== undefined ? ` ≤ ${schema.maximum}` : "";
  return kind + (schema.format ? ` (${schema.format})` : "") + from + to;
}

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** The request as curl asks it, with the example's values where there are some; `authority`: the file
 * of whoever vouches for the node, if no machine knows it. */
export function curlOf(operation: Operation, origin: string, authority = ""): string {
  const examples = new Map(operation.parameters.map((each) => [each.name, each.example]));
  const path = operation.path.replace(/\{(\w+)[^}]*\}/g, (_, name: string) => encodeURIComponent(examples.get(name) ?? name.toUpperCase()));
  const lines = [`curl -X ${operation.method.toUpperCase()} ${quoted(origin + path)}`];
  if (authority) lines.push(`--cacert ${authority}`);
  if (operation.roles.length > 0) lines.push('-H "Authorization: Bearer $ZHIDAO_TOKEN"');
  if (operation.body) {
    lines.push(`-H ${quoted(`Content-Type: ${operation.body.kind}`)}`);
    const json = operation.body.kind === "application/json";
    lines.push(json ? `-d ${quoted(JSON.stringify(operation.example ?? {}))}` : "--data-binary @FILE");
  }
  return lines.join(" \\\n  ");
}
