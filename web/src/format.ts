// Numbers, amounts, times and lengths as the reader's language writes them.
import { settings } from "./settings";
import type { Amount, LonLat } from "./types";
import { list, locale, printAs, t } from "./words";

/** An exact amount with its currency and all its minor units. */
export function money(amount: Amount): string {
  const exponent = amount.exponent;
  const format = new Intl.NumberFormat(locale(), {
    style: "currency",
    currency: amount.currency,
    currencyDisplay: "code",
    minimumFractionDigits: exponent,
    maximumFractionDigits: exponent,
  });
  // A decimal text keeps every digit; a float would not beyond 2^53.
  return format.format(decimal(amount.minor, exponent) as unknown as number);
}

function decimal(minor: number, exponent: number): string {
  const digits = String(Math.abs(minor)).padStart(exponent + 1, "0");
  const whole = digits.slice(0, digits.length - exponent);
  const part = exponent ? `.${digits.slice(-exponent)}` : "";
  return `${minor < 0 ? "-" : ""}${whole}${part}`;
}

export function number(value: number, digits = 0): string {
  return new Intl.NumberFormat(locale(), {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  }).format(value);
}

/** Metres as a person says them: 4.2 m, 850 m, 12.4 km. */
export function metres(value: number): string {
  const [shown, unit, digits] =
    value >= 10_000
      ? [value / 1000, "kilometer", 0]
      : value >= 1000
        ? [value / 1000, "kilometer", 1]
        : [value, "meter", value < 100 ? 1 : 0];
  return new Intl.NumberFormat(locale(), {
    style: "unit",
    unit: unit as string,
    minimumFractionDigits: digits as number,
    maximumFractionDigits: digits as number,
  }).format(shown as number);
}

/** A bound, rounded up: what is surely within 17.2 m is surely within 18 m. */
export function bound(value: number): string {
  return value >= 1000 ? metres(Math.ceil(value / 100) * 100) : whole(Math.ceil(value));
}

/** Metres without digits behind the point. */
export const whole = (value: number): string =>
  new Intl.NumberFormat(locale(), { style: "unit", unit: "meter" }).format(value);

const zone = (): { timeZone?: string } => (settings.value.times === "utc" ? { timeZone: "UTC" } : {});

export type TimeStyle = "full" | "short" | "in_year" | "year" | "clock" | "seconds" | "day";
const STYLES: Record<TimeStyle, Intl.DateTimeFormatOptions> = {
  full: { year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", timeZoneName: "short", hourCycle: "h23" },
  short: { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", timeZoneName: "short", hourCycle: "h23" },
  // Where the year stands above a list of instants.
  in_year: { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", timeZoneName: "short", hourCycle: "h23" },
  year: { year: "numeric" },
  clock: { hour: "2-digit", minute: "2-digit", timeZoneName: "short", hourCycle: "h23" },
  seconds: { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" },
  day: { year: "numeric", month: "short", day: "numeric" },
};

// A day without its year is read as the nearest one of that name: beyond four months it says which.
const YEARLESS_MS = 120 * 86_400_000;

export function time(instant: string | Date, style: TimeStyle = "short"): string {
  const date = typeof instant === "string" ? new Date(instant) : instant;
  if (Number.isNaN(date.getTime())) return String(instant);
  const year = style === "short" && Math.abs(date.getTime() - Date.now()) > YEARLESS_MS ? ({ year: "numeric" } as const) : {};
  return new Intl.DateTimeFormat(locale(), { ...STYLES[style], ...year, ...zone() }).format(date);
}

export function utc(instant: string): string {
  const date = new Date(instant);
  if (Number.isNaN(date.getTime())) return instant;
  return new Intl.DateTimeFormat(locale(), { ...STYLES.full, timeZone: "UTC" }).format(date);
}

/** How long ago, in words, in the largest unit that is not zero. */
export function ago(from: Date, now: Date): string {
  const seconds = Math.max(0, Math.round((now.getTime() - from.getTime()) / 1000));
  const format = new Intl.RelativeTimeFormat(locale(), { numeric: "auto" });
  if (seconds < 60) return format.format(-seconds, "second");
  if (seconds < 3600) return format.format(-Math.floor(seconds / 60), "minute");
  if (seconds < 86400) return format.format(-Math.floor(seconds / 3600), "hour");
  return format.format(-Math.floor(seconds / 86400), "day");
}

/** A length of time: 3 h 12 min, 45 s. */
export function lasting(seconds: number): string {
  const part = (value: number, unitName: string) =>
    new Intl.NumberFormat(locale(), { style: "unit", unit: unitName, unitDisplay: "short" }).format(value);
  const days = Math.floor(seconds / 86400);
  const hours = Math.floor((seconds % 86400) / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  if (days) return list([part(days, "day"), part(hours, "hour")], "unit");
  if (hours) return list([part(hours, "hour"), part(minutes, "minute")], "unit");
  return minutes ? part(minutes, "minute") : part(Math.floor(seconds), "second");
}

/** The reader's zone by its place and its distance from UTC: Asia/Almaty, UTC+5. */
export function zoneWords(): string {
  const { timeZone } = new Intl.DateTimeFormat().resolvedOptions();
  if (settings.value.times === "utc" || timeZone === "UTC") return "UTC";
  const parts = new Intl.DateTimeFormat("en", { timeZone, timeZoneName: "shortOffset" }).formatToParts(new Date());
  const offset = parts.find((part) => part.type === "timeZoneName")?.value.replace("GMT", "UTC") ?? "";
  return `${timeZone.replaceAll("_", " ")} (${offset})`;
}

export function country(code: string): string {
  if (!/^[A-Z]{2}$/.test(code)) return code;
  return new Intl.DisplayNames(locale(), { type: "region" }).of(code) ?? code;
}

/** One in so many, from parts per billion: 100 ppb is one in 10,000,000. */
export function odds(partsPerBillion: number): string {
  return t("odds", { n: number(Math.round(1e9 / partsPerBillion)) });
}

const RADIUS_M = 6_371_008.8; // Mean radius of the Earth (IUGG), enough for a figure on a page.

/** Metres between two places along a great circle. */
export function distance(from: LonLat, to: LonLat): number {
  const rad = Math.PI / 180;
  const [lon1, lat1, lon2, lat2] = [from[0] * rad, from[1] * rad, to[0] * rad, to[1] * rad];
  const h =
    Math.sin((lat2 - lat1) / 2) ** 2 +
    Math.cos(lat1) * Math.cos(lat2) * Math.sin((lon2 - lon1) / 2) ** 2;
  return 2 * RADIUS_M * Math.asin(Math.sqrt(h));
}

/** A sentence whose long digests are cut, so that people can read it; the proof has them whole. */
export function shortDigests(sentence: string): string {
  return sentence.replace(/\b[0-9a-f]{24,}\b/g, (digest) => `${digest.slice(0, 8)}\u2026`);
}

printAs("number", (value) => number(Number(value)));
printAs("time", (value) => time(String(value)));
printAs("clock", (value) => time(String(value), "seconds"));
printAs("mm", (value) => metres(Number(value) / 1000));
printAs("metres", (value) => metres(Number(value)));
printAs("bound", (value) => bound(Number(value)));
printAs("bound_mm", (value) => bound(Number(value) / 1000));
printAs("country", (value) => country(String(value)));
