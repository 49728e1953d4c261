// An address that leads nowhere: a page like the others, with the ways on.
import { useEffect } from "preact/hooks";
import { t } from "../words";

export default function MissingPage({ id }: { id: string }) {
  useEffect(() => {
    document.title = t("missing.document_title");
  }, []);
  return (
    <div class="page narrow missing">
      <h1>{t("page.missing")}</h1>
      <p>
        <code class="breaks">{id}</code>
      </p>
      <p>{t("missing.what")}</p>
      <p class="row-buttons">
        <a class="button button-main" href="/">
          {t("missing.home")}
        </a>
        <a class="button" href="/waiting">
          {t("home.waits")}
        </a>
        <a class="button" href="/help">
          {t("help.title")}
        </a>
      </p>
    </div>
  );
}
