// Commands that are copied from a page run on another machine: they name this node's address as the reader
// reached it, and the certificate of its own authority where that vouches for it.
import { useEffect, useState } from "preact/hooks";
import { get } from "../api";
import { t } from "../words";

export const AUTHORITY_FILE = "zhidao-authority.crt";

/** Whether this page came under the node's own authority, which no other machine knows yet. */
export function useOwnAuthority(): boolean {
  const [own, set] = useState(false);
  useEffect(() => {
    if (location.protocol !== "https:") return;
    get<{ made: boolean }>("/v1/node/authority").then(
      ({ made }) => set(made),
      () => set(false),
    );
  }, []);
  return own;
}

/** Where the file comes from that such a command names. */
export function AuthorityHint() {
  return (
    <p class="hint">
      {t("authority.file")} <a href="/certificate">{t("certificate.title")}</a>
    </p>
  );
}
