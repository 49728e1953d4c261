// Asks @trustvc/w3c-vc: one JSON command a line on standard input, one JSON answer a line.
// No network: did:key is answered here, every other identifier is an error.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

// The package's module form does not load in node 20 (it imports folders); its other form does.
const require = createRequire(import.meta.url);
const { deriveCredential, getDocumentLoader, signCredential, verifyCredential } =
  require("@trustvc/w3c-vc");

const bundled = await getDocumentLoader();

async function documentLoader(url) {
  if (!url.startsWith("did:")) return bundled(url);
  if (!url.startsWith("did:key:")) throw new Error(`offline: ${url}`);
  const [did, fragment] = url.split("#");
  const method = {
    "@context": "https://w3id.org/security/multikey/v1",
    id: `${did}#${did.slice("did:key:".length)}`,
    type: "Multikey",
    controller: did,
    publicKeyMultibase: did.slice("did:key:".length),
  };
  const whole = {
    "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"],
    id: did,
    verificationMethod: [method],
    assertionMethod: [method.id],
  };
  return { contextUrl: null, documentUrl: url, document: fragment ? method : whole };
}

async function answer(command) {
  if (command.op === "verify") return verifyCredential(command.document, { documentLoader });
  if (command.op === "sign") {
    const options = { documentLoader, mandatoryPointers: command.mandatory };
    return signCredential(command.document, command.key, "ecdsa-sd-2023", options);
  }
  if (command.op === "derive") {
    return deriveCredential(command.document, command.pointers, { documentLoader });
  }
  const speeds = [];
  for (let run = 0; run < command.runs; run += 1) {
    const started = process.hrtime.bigint();
    for (let done = 0; done < command.count; done += 1) {
      await verifyCredential(structuredClone(command.document), { documentLoader });
    }
    speeds.push((command.count * 1e9) / Number(process.hrtime.bigint() - started));
  }
  return { speeds };
}

console.warn = () => {};
console.log = () => {};
for await (const line of createInterface({ input: process.stdin })) {
  let told;
  try {
    told = await answer(JSON.parse(line));
  } catch (error) {
    told = { error: String(error?.message ?? error) };
  }
  process.stdout.write(`${JSON.stringify(told)}\n`);
}
