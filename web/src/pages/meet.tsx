// What whoever opens another node's link sees: whose it is, and that the own node takes it.
import { useEffect, useState } from "preact/hooks";
import { text } from "../api";
import { Facts } from "../parts/basics";
import { Qr } from "../parts/qr";
import { fingerprint, fromMultikey } from "../verify/keys";
import { t } from "../words";

export default function MeetPage() {
  const [link] = useState(location.href);
  const [rows, set] = useState<[string, string][]>([]);
  const whole = /#[\w-]{32}\.z\w+$/.test(link);
  useEffect(() => {
    document.title = t("meet.document_title");
    if (whole) void text("/exchange/card").then(card).then(set, () => undefined);
  }, []);
  return (
    <div class="page narrow">
      <h1>{t("meet.title")}</h1>
      <Facts rows={rows} />
      <p class="lead">{t(whole ? "meet.how" : "meet.none")}</p>
      {whole && (
        <>
          <code class="token-made">{link}</code>
          <Qr text={link} label={t("peers.link_qr")} />
        </>
      )}
    </div>
  );
}

async function card(words: string): Promise<[string, string][]> {
  const said = JSON.parse(words) as Record<string, unknown>;
  const word = (name: string) => String(said[name] ?? "");
  return [
    [t("peers.node"), `${word("organisation")} (${word("node")})`],
    [t("peers.fingerprint"), await fingerprint(fromMultikey(word("key")))],
  ];
}
