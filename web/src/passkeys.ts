// What the browser's authenticator is asked, and what it answers; each part travels in base64url.
import { Problem, send } from "./api";
import type { PasskeyAsk, PasskeyRow, Session } from "./types";
import { t } from "./words";

interface Described {
  id: string;
  type: "public-key";
}

/** Whether this browser can show a passkey at all. */
export const hasPasskeys = typeof PublicKeyCredential === "function" && !!navigator.credentials;

function bytes(text: string): Uint8Array<ArrayBuffer> {
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
}

function text(buffer: ArrayBuffer | null): string {
  if (!buffer) return "";
  const letters = Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join("");
  return btoa(letters).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function described(list: unknown): PublicKeyCredentialDescriptor[] {
  return ((list ?? []) as Described[]).map(({ id, type }) => ({ id: bytes(id), type }));
}

/** Asks for a passkey and signs in with it. */
export async function showPasskey({ ticket, options }: PasskeyAsk): Promise<Session | null> {
  const publicKey = { ...options, challenge: bytes(String(options.challenge)), allowCredentials: described(options.allowCredentials) } as PublicKeyCredentialRequestOptions;
  const found = await asked(() => navigator.credentials.get({ publicKey }));
  const answer = found.response as AuthenticatorAssertionResponse;
  return send<Session>("POST", "/v1/session/passkey", {
    ticket,
    id: text(found.rawId),
    client_data: text(answer.clientDataJSON),
    authenticator_data: text(answer.authenticatorData),
    signature: text(answer.signature),
    user_handle: text(answer.userHandle),
  });
}

/** Signs in with a passkey alone. */
export async function enterByPasskey(): Promise<Session | null> {
  return showPasskey((await send<PasskeyAsk>("POST", "/v1/session/passkey/begin")) as PasskeyAsk);
}

/** Makes a passkey of one's own. */
export async function addPasskey(label: string, password: string): Promise<PasskeyRow | null> {
  const { ticket, options } = (await send<PasskeyAsk>("POST", "/v1/session/passkeys/begin", { password })) as PasskeyAsk;
  const user = options.user as { id: string; name: string; displayName: string };
  const publicKey = { ...options, challenge: bytes(String(options.challenge)), user: { ...user, id: bytes(user.id) }, excludeCredentials: described(options.excludeCredentials) } as unknown as PublicKeyCredentialCreationOptions;
  const made = await asked(() => navigator.credentials.create({ publicKey }));
  const answer = made.response as AuthenticatorAttestationResponse;
  return send<PasskeyRow>("POST", "/v1/session/passkeys", {
    ticket,
    label,
    id: text(made.rawId),
    client_data: text(answer.clientDataJSON),
    attestation: text(answer.attestationObject),
  });
}

/** The browser's dialog; what it says of a refusal is for programmers, so it is said in words. */
async function asked(ask: () => Promise<Credential | null>): Promise<PublicKeyCredential> {
  if (!hasPasskeys) throw new Problem(0, "passkey_unable", t("problem.passkey_unable"), "", "");
  try {
    const found = await ask();
    if (found) return found as PublicKeyCredential;
  } catch (error) {
    const known = error instanceof DOMException && error.name === "InvalidStateError";
    if (known) throw new Problem(0, "passkey_known", t("problem.passkey_known"), "", "");
  }
  throw new Problem(0, "passkey_not_shown", t("problem.passkey_not_shown"), "", "");
}
