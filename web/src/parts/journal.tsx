// The journal of administration: who did what to whose access, each act a leaf of the public log.
import type { AdministrationAct } from "../types";
import { familyOf, t, tryWords } from "../words";
import { Section, Time } from "./basics";
import { type Column, Table } from "./table";

/** `follows` changes when somebody acted on the page: the journal is read again. */
export function Journal({ follows }: { follows: unknown }) {
  const columns: Column<AdministrationAct>[] = [
    { name: "at", title: t("journal.at"), cell: (row) => <Time at={row.at} /> },
    { name: "act", title: t("journal.act"), cell: (row) => tryWords(`act_of.${row.act}`) ?? row.act, choices: familyOf("act_of") },
    { name: "subject", title: t("journal.subject"), cell: (row) => [row.subject, row.party !== row.subject && row.party].filter(Boolean).join(" · ") },
    { name: "by", title: t("journal.by"), cell: (row) => row.person || row.by },
    { name: "leaf", title: t("journal.leaf"), cell: (row) => row.leaf ?? t("journal.leaf_later"), n: true },
  ];
  return (
    <Section id="journal-title" title={t("journal.title")}>
      <p class="quiet">{t("journal.means")}</p>
      <Table list="administration" title={t("journal.acts")} columns={columns} id={(row) => row.id} follows={follows} every={2} order="-at" />
    </Section>
  );
}
