// The page of the verifier: takes a proof and trust lists, shows what was found. Nothing is sent anywhere.
const words = JSON.parse(document.getElementById("words").textContent);
const workerSource = JSON.parse(document.getElementById("worker").textContent);
const PARTS = ["arrival", "papers", "payment", "title", "witnessed"];
const FILE_BYTES_MAX = 64 << 20;
const LISTS_MAX = 16;
const SECONDS_MAX = 120;
const NAMES = { en: "English", zh: "中文", ru: "Русский", kk: "Қазақша" };
const COLOURS = { holds: "good", holds_in_part: "part" };
// Under which heading a reason is explained; the code itself stands beside it.
const ABOUT = [
  ["log", /^(wrong_origin|not_in_log|wrong_salt|wrong_order|unknown_signature|quorum_not_met|future_cosignature|wrong_log_key)$/],
  ["key", /^(bad_signature|bad_key_event|unknown_speaker|revoked_key|retired_key|early_key|wrong_speaker)$/],
  ["file", /^(malformed|wrong_digest|leftover|wrong_consignment)$/],
  ["arrival", /^(not_reproduced|false_mark)$/],
  ["papers", /^(quality_mismatch|invoice_mismatch|bad_credential)$/],
  ["payment", /^(decision_not_reproduced|payment_mismatch)$/],
  ["list", /^untrusted_root$/],
  ["open", /^(ml_dsa_44_signatures|guarded_titles)$/],
];

let language = navigator.languages.map((tag) => tag.toLowerCase().split("-")[0]).find((tag) => tag in words) ?? "en";
let proof = null;
let lists = [];
let required = new Set();
let found = null;
let running = null;
let problem = "";

const t = (key) => words[language][key] ?? words.en[key] ?? key;

/** An element with attributes, handlers (on…) and children; texts are texts, never markup. */
function h(name, given = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(given)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value !== false) element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== undefined && child !== null && child !== false));
  return element;
}

async function take(files) {
  problem = "";
  for (const file of files) {
    if (file.size > FILE_BYTES_MAX) {
      problem = `${file.name}: ${t("too_large")}`;
      continue;
    }
    const bytes = new Uint8Array(await file.arrayBuffer());
    if (isList(bytes)) lists = [...lists.filter((each) => each.name !== file.name), { name: file.name, bytes }].slice(-LISTS_MAX);
    else proof = { name: file.name, bytes };
  }
  found = null;
  if (proof && lists.length > 0) check();
  draw();
}

/** A trust list says so itself; all else is taken for a proof, which then says what is wrong with it. */
function isList(bytes) {
  try {
    return JSON.parse(new TextDecoder().decode(bytes)).format === "zhidao.trust";
  } catch {
    return false;
  }
}

function check() {
  running?.terminate();
  const source = new Blob([workerSource], { type: "text/javascript" });
  const address = URL.createObjectURL(source);
  const worker = new Worker(address);
  const late = setTimeout(() => end({ verdict: "malformed", reason: "malformed", sentence: t("too_long"), not_checked: [] }), SECONDS_MAX * 1000);
  const end = (answer) => {
    clearTimeout(late);
    worker.terminate();
    URL.revokeObjectURL(address);
    if (running !== worker) return;
    running = null;
    found = answer;
    draw();
    document.getElementById("verdict")?.focus();
  };
  running = worker;
  worker.onmessage = ({ data }) => end(data);
  worker.onerror = (event) => end({ verdict: "malformed", reason: "malformed", sentence: event.message ?? "", not_checked: [] });
  worker.postMessage({ file: proof.bytes, lists: lists.map((list) => list.bytes), required: [...required] });
}

const list = (parts) => (parts.length > 0 ? parts.map((part) => (PARTS.includes(part) ? t(`part.${part}`) : part)).join(", ") : t("nothing"));

function explained(reason) {
  const about = ABOUT.find(([, form]) => form.test(reason))?.[0] ?? (reason ? "title" : "");
  return about ? t(`about.${about}`) : "";
}

function verdictPart() {
  if (running) return h("p", { role: "status" }, t("running"));
  if (!found) return h("p", { class: "quiet" }, proof ? t("no_list") : lists.length > 0 ? t("no_proof") : t("nothing_yet"));
  const stands = found.verdict in COLOURS;
  const left = (found.not_checked ?? []).map((code) => h("li", {}, t(`left.${code}`) === `left.${code}` ? code : t(`left.${code}`)));
  const rows = [
    [t("consignment"), found.consignment],
    [t("promised"), stands && (found.promised === "not stated" ? t("not_stated") : list(found.promised))],
    [t("shown"), stands && list(found.shown)],
    [t("missing"), stands && found.missing.length > 0 && list(found.missing)],
    [t("opened"), stands && `${found.opened} / ${found.of}`],
    [t("log"), found.origin],
  ].filter(([, value]) => value);
  return h(
    "section",
    { "aria-labelledby": "verdict" },
    h(
      "div",
      { class: `verdict ${COLOURS[found.verdict] ?? "bad"}` },
      h("h2", { id: "verdict", tabindex: "-1" }, t(`verdict.${found.verdict}`)),
      h("p", {}, t(`means.${found.verdict}`)),
      found.simulated?.length > 0 && stands && h("p", {}, h("strong", {}, t("simulated"))),
      found.reason && h("p", {}, explained(found.reason), " ", h("code", {}, found.reason)),
      found.sentence && found.sentence !== found.reason && h("p", { class: "quiet", lang: "en" }, found.sentence),
    ),
    h("dl", {}, rows.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)])),
    stands && left.length > 0 && [h("h2", {}, t("not_checked")), h("ul", {}, left)],
  );
}

function draw() {
  document.documentElement.lang = language === "zh" ? "zh-CN" : language;
  document.title = t("title");
  const picks = h("select", { "aria-label": t("language"), onchange: (event) => { language = event.target.value; draw(); } }, Object.keys(words).map((each) => h("option", { value: each, selected: each === language }, NAMES[each] ?? each)));
  const drop = h(
    "div",
    {
      class: "drop",
      ondragover: (event) => { event.preventDefault(); drop.classList.add("over"); },
      ondragleave: () => drop.classList.remove("over"),
      ondrop: (event) => { event.preventDefault(); void take([...event.dataTransfer.files]); },
    },
    h("p", {}, t("drop")),
    h("label", { class: "file" }, t("choose"), h("input", { type: "file", multiple: true, onchange: (event) => void take([...event.target.files]) })),
  );
  const asked = h(
    "fieldset",
    {},
    h("legend", {}, t("require")),
    PARTS.map((part) => h("label", {}, h("input", { type: "checkbox", checked: required.has(part), onchange: (event) => { event.target.checked ? required.add(part) : required.delete(part); found = null; if (proof && lists.length > 0) check(); draw(); } }), t(`part.${part}`))),
    h("p", { class: "quiet" }, t("require_why")),
  );
  const given = [
    proof && h("li", {}, t("proof"), ": ", proof.name),
    lists.map((each, i) => h("li", {}, t("list"), ": ", each.name, found?.lists?.[i] && [h("br"), h("code", {}, found.lists[i])])),
  ];
  document.getElementById("page").replaceChildren(
    h("header", {}, h("h1", {}, t("title")), picks),
    h(
      "main",
      {},
      h("p", {}, t("what")),
      drop,
      problem && h("p", { role: "alert" }, problem),
      (proof || lists.length > 0) && h("ul", {}, given),
      found?.lists && h("p", { class: "quiet" }, t("compare")),
      verdictPart(),
      h("h2", {}, t("more")),
      asked,
    ),
  );
}

// A file that misses the place is not opened instead of this page.
addEventListener("dragover", (event) => event.preventDefault());
addEventListener("drop", (event) => event.preventDefault());
draw();
