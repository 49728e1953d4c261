// Where the goods are, in one sentence, and by whose word.
import { bound, distance, metres, time } from "../format";
import type { Road } from "../types";
import { t } from "../words";

export function whereWords(road: Road): string {
  const { arrival, site, position } = road;
  if (arrival?.state === "proven" && site) return t("where.proven", { place: site.name, bound: bound(arrival.protection_m) });
  if (!position) return t("where.unknown");
  const left = site ? distance([site.lon, site.lat], [position.lon, position.lat]) : null;
  const where = site && left !== null ? t("where.before", { away: metres(left), place: site.name }) : t("where.somewhere");
  // A play has a time of its own, which does not stand beside the road's: the map's table names it.
  return road.time_scale === "scenario" ? where : t("where.at", { where, at: time(position.at) });
}
