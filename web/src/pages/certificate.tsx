// How a device comes to trust this node: the authority's certificate, what it may vouch for, the steps.
import { useEffect } from "preact/hooks";
import { Loading, ProblemNote, Time, useAnswer } from "../parts/basics";
import { list, t } from "../words";

interface Authority {
  made: boolean;
  names: string[];
  fingerprint: string;
  ends_at: string;
}

// Names of systems stay as their makers write them.
const SYSTEMS: [string, string][] = [
  ["windows", "Windows"],
  ["macos", "macOS"],
  ["ios", "iPhone, iPad"],
  ["android", "Android"],
  ["linux", "Linux"],
  ["firefox", "Firefox"],
];

export default function CertificatePage() {
  const [answer, again] = useAnswer<Authority>("/v1/node/authority");
  useEffect(() => void (document.title = t("certificate.document_title")), []);
  if (answer.state === "loading") return <Loading what={t("certificate.reading")} />;
  if (answer.state === "failed") return <ProblemNote problem={answer.problem} again={again} />;
  const told = answer.value;
  return (
    <div class="page">
      <h1>{t("certificate.title")}</h1>
      {told.made ? <Steps told={told} /> : <p class="state">{t("certificate.none")}</p>}
    </div>
  );
}

function Steps({ told }: { told: Authority }) {
  return (
    <>
      <p>{t("certificate.what", { names: list(told.names) })}</p>
      <p>
        <a class="button button-main" href="/authority.crt" download="zhidao-authority.crt">
          {t("certificate.download")}
        </a>
      </p>
      <h2>{t("certificate.compare")}</h2>
      <p>{t("certificate.compare_means")}</p>
      <p>
        <code class="digits">{told.fingerprint}</code>
      </p>
      <p class="quiet">
        {t("certificate.ends")} <Time at={told.ends_at} />
      </p>
      {SYSTEMS.map(([name, system]) => (
        <section key={name} aria-labelledby={`certificate-${name}`}>
          <h2 id={`certificate-${name}`} lang="en" dir="ltr">
            {system}
          </h2>
          <p>{t(`certificate.${name}`)}</p>
        </section>
      ))}
      <h2>{t("certificate.install")}</h2>
      <p>{t("certificate.install_means")}</p>
    </>
  );
}
