// Builds the pages into one folder of files whose names carry their hash, with no foreign address
// in them. Run by hatch_build.py; by hand: node build.mjs OUTPUT_FOLDER.
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { feature, mesh } from "topojson-client";
import { allCompiled, namedIn, problems } from "./messages.mjs";
import { verifierPage } from "./verifier/build.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const out = resolve(process.argv[2] ?? join(here, "dist"));
const modules = join(here, "node_modules");

const OPTIONS = { bundle: true, format: "esm", splitting: true, jsx: "automatic", jsxImportSource: "preact", metafile: true };

/** The text of each of our sources that the first page loads; pages that are opened later are not among them. */
async function firstSources() {
  const { metafile } = await build({ ...OPTIONS, entryPoints: [join(here, "src", "main.tsx")], outdir: out, write: false, define: { ADDRESSES: "{}" }, logLevel: "error" });
  const start = Object.keys(metafile.outputs).find((path) => metafile.outputs[path].entryPoint?.endsWith("main.tsx"));
  const loaded = new Set([start]);
  // Set visits what is added on the way.
  for (const path of loaded) for (const each of metafile.outputs[path].imports) if (each.kind === "import-statement") loaded.add(each.path);
  const ours = new Set([...loaded].flatMap((path) => Object.keys(metafile.outputs[path].inputs)).filter((path) => /^src\/.*\.tsx?$/.test(path)));
  return [...ours].map((path) => readFileSync(join(here, path), "utf8"));
}

/** Writes a file under a name that carries its content's hash; returns the address. */
function put(stem, extension, content) {
  const hash = createHash("sha256").update(content).digest("hex").slice(0, 10);
  const name = `${stem}-${hash}.${extension}`;
  writeFileSync(join(out, name), content);
  return `/assets/${name}`;
}

/** Land and borders of Natural Earth as GeoJSON, in degrees rounded to 0.01.
 *
 * scale: "110m" (coarse, for whole continents) or "50m". slack: how far in degrees a line may leave
 * the original, which at 1:50 million is itself known to about that. */
function worldMap(scale, slack) {
  const topology = JSON.parse(readFileSync(join(modules, "world-atlas", `countries-${scale}.json`), "utf8"));
  const round = (point) => point.map((value) => Math.round(value * 100) / 100);
  const thinned = (part) =>
    typeof part[0][0] === "number" ? straightened(part, slack).map(round) : part.map(thinned);
  const thin = ({ type, coordinates }) => ({
    type: "Feature",
    properties: {},
    geometry: { type, coordinates: coordinates.map(thinned) },
  });
  const land = feature(topology, topology.objects.land);
  const lands = land.type === "FeatureCollection" ? land.features : [land];
  // A border that only one country has is a coast, which the land already shows.
  const borders = mesh(topology, topology.objects.countries, (a, b) => a !== b);
  return {
    land: JSON.stringify({ type: "FeatureCollection", features: lands.map((f) => thin(f.geometry)) }),
    borders: JSON.stringify(thin(borders)),
  };
}

/** Ramer-Douglas-Peucker: drops points that lie within `slack` of the line through their neighbours. */
function straightened(points, slack) {
  if (points.length < 5) return points;
  const keep = new Set([0, points.length - 1]);
  // A ring starts and ends in one point: a third one in the middle gives it two sides to straighten.
  const middle = points.length >> 1;
  keep.add(middle);
  const open = [[0, middle], [middle, points.length - 1]];
  while (open.length > 0) {
    const [first, last] = open.pop();
    const [x1, y1] = points[first];
    const [x2, y2] = points[last];
    const length = Math.hypot(x2 - x1, y2 - y1);
    let farthest = -1;
    let most = slack;
    for (let i = first + 1; i < last; i += 1) {
      const [x, y] = points[i];
      const away = length
        ? Math.abs((x2 - x1) * (y1 - y) - (x1 - x) * (y2 - y1)) / length
        : Math.hypot(x - x1, y - y1);
      if (away > most) [most, farthest] = [away, i];
    }
    if (farthest >= 0) {
      keep.add(farthest);
      open.push([first, farthest], [farthest, last]);
    }
  }
  return points.filter((_, i) => keep.has(i));
}

const wrong = problems();
if (wrong.length > 0) throw new Error(`the catalogues are not whole:\n${wrong.join("\n")}`);

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });

const coarse = worldMap("110m", 0.05);
const fine = worldMap("50m", 0.02);
// MapLibre 6 loads its worker as a module of its own: it must lie beside the page as .mjs.
const addresses = {
  land: put("land", "json", coarse.land),
  borders: put("borders", "json", coarse.borders),
  landFine: put("land-fine", "json", fine.land),
  bordersFine: put("borders-fine", "json", fine.borders),
  worker: put("map-worker", "mjs", readFileSync(join(modules, "maplibre-gl", "dist", "maplibre-gl-worker.mjs"), "utf8").replace(/\n\/\/# sourceMappingURL=.*\s*$/, "\n")),
  // For whoever checks a proof without this node; all of it in one file.
  verifier: put("zhidao-verify", "html", await verifierPage()),
  words: Object.fromEntries(
    Object.entries(allCompiled(namedIn(await firstSources()))).map(([language, [first, others]]) => [language, [put(`words-${language}-first`, "json", JSON.stringify(first)), put(`words-${language}`, "json", JSON.stringify(others))]]),
  ),
};

const result = await build({
  ...OPTIONS,
  entryPoints: { app: join(here, "src", "main.tsx"), style: join(here, "src", "style.css") },
  outdir: out,
  minify: true,
  target: ["chrome111", "firefox115", "safari16.4"],
  entryNames: "[name]-[hash]",
  chunkNames: "[name]-[hash]",
  legalComments: "none",
  logLevel: "warning",
  define: { ADDRESSES: JSON.stringify(addresses) },
});
// A brace that is missing in a style is only a warning, and half of the styles gone.
if (result.warnings.length > 0) throw new Error("the pages do not build without a warning");

const entry = (suffix) =>
  "/assets/" +
  Object.entries(result.metafile.outputs)
    .filter(([path, info]) => info.entryPoint?.endsWith(suffix) && !path.endsWith(".map"))
    .map(([path]) => path.split("/").pop())[0];

const page = readFileSync(join(here, "src", "index.html"), "utf8")
  .replaceAll("%SCRIPT%", entry("main.tsx"))
  .replaceAll("%STYLE%", entry("style.css"));
writeFileSync(join(out, "index.html"), page);

for (const name of ["worker-offline.js", "manifest.webmanifest", "favicon.svg", "icon-192.png", "icon-512.png", "icon-maskable-512.png"]) {
  writeFileSync(join(out, name), readFileSync(join(here, "src", name)));
}

// The words of the licences of what is bundled travel with it.
const licences = ["@noble/curves", "@noble/hashes", "maplibre-gl", "preact", "topojson-client", "world-atlas"].map((name) => {
  const folder = join(modules, name);
  const file = readdirSync(folder).find((entryName) => /^licen[cs]e/i.test(entryName));
  return `${name}\n\n${file ? readFileSync(join(folder, file), "utf8").trim() : "no licence file"}\n`;
});
writeFileSync(join(out, "LICENCES.txt"), licences.join("\n----\n\n"));

let total = 0;
for (const name of readdirSync(out)) {
  const bytes = readFileSync(join(out, name));
  if (bytes.length < 1024) continue;
  const packed = gzipSync(bytes, { level: 9 });
  writeFileSync(join(out, `${name}.gz`), packed);
  const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } };
  writeFileSync(join(out, `${name}.br`), brotliCompressSync(bytes, quality));
  total += packed.length;
}
console.log(`pages built: ${readdirSync(out).length} files, ${Math.round(total / 1024)} KiB packed`);
