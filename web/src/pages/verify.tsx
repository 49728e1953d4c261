// Where the code on a printed sheet leads: the proof of one consignment is checked in this browser, by
// whoever holds it. Nobody has to be signed in; to take the proof from this node, one has.
import { useEffect } from "preact/hooks";
import { useCell } from "../cell";
import { FileCheck } from "../parts/file_check";
import { session } from "../session";
import { t } from "../words";

export default function VerifyPage({ id }: { id: string }) {
  const who = useCell(session);
  useEffect(() => {
    document.title = t("verify.document_title", { consignment: id });
  }, [id]);
  const own = `/consignments/${encodeURIComponent(id)}`;
  return (
    <div class="page">
      <h1>{t("verify.title")}</h1>
      <p class="sheet-id">{id}</p>
      <p>{t("verify.means")}</p>
      <p class="row-buttons">
        {who?.signed_in ? (
          <>
            <a class="button" href={`/v1${own}/proof`} download="consignment.zdproof">
              {t("said.export")}
            </a>
            <a class="button" href={own}>
              {t("verify.road")}
            </a>
          </>
        ) : (
          <a class="button" href="/login">
            {t("login.title")}
          </a>
        )}
      </p>
      <FileCheck expects={id} />
    </div>
  );
}
