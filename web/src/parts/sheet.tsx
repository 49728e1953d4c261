// A consignment on paper: two pages that say what is so, who says it, and where anybody checks it.
// It is made when somebody prints, so that on the screen nothing is said twice.
import { render } from "preact";
import { Facts } from "./basics";
import { isDealWithheld, partyName, plainRole } from "./road";
import { Reason } from "./told";
import { bound, country, money, time, zoneWords } from "../format";
import type { Road, Said } from "../types";
import { named, t } from "../words";

/** The page on which a stranger checks the proof of this consignment. */
export function verifyAddress(consignment: string): string {
  return `${location.origin}/verify/${encodeURIComponent(consignment)}`;
}

let whole = false;
// What draws the code is fetched while the page is read: nobody prints before.
let Qr: typeof import("./qr").Qr | null = null;

/** Prints the page itself with every fold open, instead of the sheet. */
export function printWhole(): void {
  whole = true;
  const shut = [...document.querySelectorAll<HTMLDetailsElement>(".consignment details:not([open])")];
  for (const each of shut) each.open = true;
  print();
  for (const each of shut) each.open = false;
  whole = false;
}

/** Puts the sheet on paper whenever this consignment is printed, by whatever way; the returned ends that. */
export function onPrint(road: () => Road): () => void {
  void import("./qr").then((module) => (Qr = module.Qr), () => undefined);
  const box = document.createElement("div");
  box.className = "sheet-box";
  const before = () => {
    if (whole) return;
    document.body.append(box);
    document.documentElement.dataset["print"] = "sheet";
    render(<Sheet road={road()} />, box);
  };
  const after = () => {
    render(null, box);
    box.remove();
    delete document.documentElement.dataset["print"];
  };
  addEventListener("beforeprint", before);
  addEventListener("afterprint", after);
  return () => {
    removeEventListener("beforeprint", before);
    removeEventListener("afterprint", after);
    after();
  };
}

function Sheet({ road }: { road: Road }) {
  const address = verifyAddress(road.consignment);
  const newest = road.said.at(-1);
  return (
    <div class="sheet">
      <header class="sheet-head">
        <div>
          <p>{t("sheet.title")}</p>
          <h1>{road.label}</h1>
          <p class="sheet-id">
            {road.consignment} · {named("road_state", road.state)} · {money(road.amount)}
          </p>
          {road.simulated.length > 0 && <p class="sheet-simulated">{t("sheet.simulated")}</p>}
        </div>
        <figure class="sheet-code">
          {Qr && <Qr text={address} label={t("sheet.code")} />}
        </figure>
      </header>
      <p class="sheet-check">
        {t("sheet.check")} <span class="digits">{address}</span>
      </p>
      <p class="quiet">{t("sheet.made", { at: time(new Date(), "full"), zone: zoneWords() })}</p>
      <h2>{t("parties")}</h2>
      <ul class="sheet-parties">
        {road.parties.map((party) => (
          <li key={`${party.party} ${party.trade_role}`}>
            <span class="quiet">{named("trade_role", plainRole(party.trade_role || party.party))}</span> {party.name}, {country(party.country)}
          </li>
        ))}
      </ul>
      <h2>{t("sheet.goods")}</h2>
      <Facts rows={goods(road)} />
      <h2>{t("road.label")}</h2>
      <Milestones road={road} />
      <h2>{t("conditions")}</h2>
      <ul class="sheet-conditions">
        {road.conditions.map(({ name, state, told }) => (
          <li key={name}>
            <strong>{named("condition", name)}</strong>: {named("condition_state", state)}
            <Reason told={told} quiet />
          </li>
        ))}
      </ul>
      <h2>{t("papers")}</h2>
      <table>
        <tbody>
          {road.documents.map((paper) => (
            <tr key={paper.digest}>
              <th scope="row">{named("document", paper.kind)}</th>
              <td>{paper.number}</td>
              <td>{t(paper.valid ? "document.valid" : "document.invalid")}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <h2>{t("sheet.held")}</h2>
      <Facts
        rows={[
          [t("money"), road.money ? `${money({ minor: road.money.amount_minor, currency: road.money.currency, exponent: road.money.exponent })} · ${named("money_state", road.money.state)}` : t(isDealWithheld(road) ? "milestone.payment.withheld" : "money.none")],
          [t("title"), !road.title ? t("title.none") : road.title.custody ? t("title.in_custody") : partyName(road, road.title.holder_party)],
          [t("arrival"), arrivalWords(road)],
        ]}
      />
      <h2>{t("proof")}</h2>
      <p>{t("sheet.proof", { n: road.said.length })}</p>
      {newest && <p class="quiet">{t("sheet.newest", { what: named("event", newest.type), at: time(newest.recorded_at, "full") })}</p>}
    </div>
  );
}

function goods(road: Road): [string, string][] {
  const entered = road.said.find((said) => said.type.startsWith("trade.ConsignmentEntered."));
  const sealed = road.said.find((said) => said.type === "devices.Sealed.v1");
  const word = (said: Said | undefined, name: string) => String(said?.args[name] ?? "");
  const rows: [string, string][] = [
    [t("sheet.goods"), word(entered, "goods") || road.label],
    [t("seal_part.container"), word(entered, "container") || word(sealed, "container")],
    [t("seal_part"), word(sealed, "seal")],
    [t("sheet.site"), road.site?.name ?? ""],
  ];
  return rows.filter(([, value]) => value !== "");
}

function arrivalWords({ arrival, site }: Road): string {
  if (!arrival) return t("arrival.none");
  if (arrival.state !== "proven") return t("arrival.not_proven");
  return t("where.proven", { place: site?.name ?? "", bound: bound(arrival.protection_m) });
}

/** Each milestone with its time and who said it; of the arrival, which marks it has. */
function Milestones({ road }: { road: Road }) {
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">{t("sheet.milestone")}</th>
          <th scope="col">{t("sheet.recorded", { zone: zoneWords() })}</th>
          <th scope="col">{t("sheet.said_by")}</th>
        </tr>
      </thead>
      <tbody>
        {road.milestones.map((milestone) => {
          const said = road.said.find((each) => each.id === milestone.event);
          return (
            <tr key={milestone.key}>
              <th scope="row">
                {named("milestone", milestone.key)}: {named("state", milestone.state)}
                {milestone.key === "arrival" && road.arrival && <span class="sheet-marks"> {marks(road)}</span>}
              </th>
              <td>{milestone.recorded_at && time(milestone.recorded_at, "full")}</td>
              <td>
                {said && (
                  <>
                    {said.asserted_by.name || said.asserted_by.party}
                    {said.index !== null && <span class="quiet">{" \u00b7 "}{t(said.open ? "said.leaf_open" : "said.leaf_commitment", { index: said.index })}</span>}
                  </>
                )}
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

function marks({ arrival }: Road): string {
  if (!arrival) return "";
  const { marks: found } = arrival;
  const present: [string, boolean][] = [
    ["signed_by_terminal", found.signed_by_terminal],
    ["bound_to_goods", found.bound_to_goods],
    ["recomputed", found.recomputed],
    ["corroborated", found.corroborated_by.length > 0],
    ["inside", found.inside_risk_ppb > 0],
    ["inside_open_sky_model", found.inside_open_sky_model_ppb > 0],
  ];
  return present
    .filter(([, is]) => is)
    .map(([name]) => named("mark", name))
    .join(t("list.comma"));
}
