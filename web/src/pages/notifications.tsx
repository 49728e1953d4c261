// One's own notifications: where one is told of what waits, what of, and when; and what was sent.
import { useEffect, useState } from "preact/hooks";
import { send } from "../api";
import { useCell } from "../cell";
import { ActButton } from "../parts/act";
import { Loading, ProblemNote, Section, Time, useAnswer } from "../parts/basics";
import { Form } from "../parts/form";
import { MilestoneMark, type Shape } from "../parts/shapes";
import { ended, endpointOf, subscribe } from "../push";
import { session } from "../session";
import { LANGUAGES, language } from "../settings";
import type { NotificationAddress, NotificationMessage, Notifications, NotificationWishes } from "../types";
import { named, t } from "../words";

const GUEST = "guest";
const STATES: Record<string, Shape> = { live: "done", unconfirmed: "next", ended: "refused", sent: "done", waiting: "next", dropped: "next", dead: "refused" };
const BASE = "/v1/notifications";

export default function NotificationsPage() {
  const who = useCell(session);
  useEffect(() => void (document.title = t("notify.document_title")), []);
  if (!who?.signed_in) return null;
  return (
    <div class="page">
      <h1>{t("notify.title")}</h1>
      <p class="lead">{t("notify.text")}</p>
      {who.name === GUEST ? <p class="quiet">{t("access.by_link")}</p> : <Own />}
    </div>
  );
}

function Own() {
  const [answer, again] = useAnswer<Notifications>(BASE);
  if (answer.state === "loading") return <Loading what={t("notify.reading")} />;
  if (answer.state === "failed") return <ProblemNote problem={answer.problem} again={again} />;
  const own = answer.value;
  // Whoever is told for the first time is told in the language and the hours of this browser.
  const first = async () => {
    if (own.addresses.length > 0 || own.wishes.zone !== "UTC") return;
    await send("PUT", BASE, { ...own.wishes, zone: here(), language: own.languages.includes(language()) ? language() : "en" });
  };
  return (
    <>
      <Addresses own={own} first={first} again={again} />
      <Wishes key={JSON.stringify(own.wishes)} own={own} again={again} />
      <Sent follows={JSON.stringify(own.addresses)} />
    </>
  );
}

function Addresses({ own, first, again }: { own: Notifications; first: () => Promise<void>; again: () => void }) {
  const [mail, setMail] = useState("");
  const [hook, setHook] = useState("");
  const add = async (channel: string, target: string, more: object = {}) => {
    await first();
    await send("POST", `${BASE}/addresses`, { channel, target, ...more });
  };
  const browser = async () => {
    const made = await subscribe(own.push_key);
    await add("push", made.target, { public_key: made.public_key, shared: made.shared });
  };
  return (
    <Section id="addresses-title" title={t("notify.addresses")}>
      {own.addresses.length === 0 && <p class="quiet">{t("notify.addresses_none")}</p>}
      <ul class="services">
        {own.addresses.map((each) => (
          <AddressLine key={each.address} row={each} again={again} />
        ))}
      </ul>
      <Browser mine={own.addresses} subscribe={browser} again={again} />
      {own.mail ? (
        <Form title={t("notify.add_mail")} submit={t("notify.add_mail_go")} said={t("notify.code_sent")} send={() => add("mail", mail)} done={again} after={() => setMail("")}>
          <label class="field">
            <span>{t("notify.mail")}</span>
            <input required type="email" autocomplete="email" value={mail} onInput={(event) => setMail(event.currentTarget.value)} />
          </label>
        </Form>
      ) : (
        <p class="quiet">{t("notify.no_mail")}</p>
      )}
      <Form title={t("notify.add_webhook")} submit={t("notify.add_webhook_go")} send={() => add("webhook", hook)} done={again} after={() => setHook("")}>
        <label class="field">
          <span>{t("notify.webhook")}</span>
          <input required type="url" value={hook} onInput={(event) => setHook(event.currentTarget.value)} />
          <span class="hint">{t("notify.webhook_hint")}</span>
        </label>
      </Form>
    </Section>
  );
}

/** This browser: its push service is asked for an address, which only the node may then use. */
function Browser({ mine, subscribe: act, again }: { mine: NotificationAddress[]; subscribe: () => Promise<void>; again: () => void }) {
  const [here, set] = useState<string | null>(null);
  useEffect(() => void endpointOf().then(set), [mine.length]);
  if (!("PushManager" in window)) return <p class="quiet">{t("notify.no_push")}</p>;
  const told = mine.some((each) => each.channel === "push" && each.state === "live" && here !== null && here.startsWith(`${each.target}/`));
  if (told) return <p class="quiet">{t("notify.push_here")}</p>;
  return <ActButton button={t("notify.add_push")} means={t("notify.add_push_means")} act={act} after={() => t("notify.push_here")} done={again} />;
}

function AddressLine({ row, again }: { row: NotificationAddress; again: () => void }) {
  const [code, setCode] = useState("");
  const at = `${BASE}/addresses/${row.address}`;
  const remove = async () => {
    await send("DELETE", at);
    if (row.channel === "push") await ended(row.target);
  };
  return (
    <li>
      <MilestoneMark state={STATES[row.state] ?? "next"} />
      <div>
        <strong>{row.target}</strong> <span>{named("notify_state", row.state)}</span>
        <p class="quiet">
          {named("notify_channel", row.channel)} · <Time at={row.made_at} />
        </p>
        {row.state === "ended" && <p>{named("notify_end", row.reason)}</p>}
        {row.state === "unconfirmed" && (
          <Form title={t("notify.say_code")} submit={t("notify.say_code_go")} send={() => send("POST", `${at}/code`, { code })} done={again}>
            <label class="field">
              <span>{t("notify.code")}</span>
              <input required inputMode="numeric" autocomplete="one-time-code" value={code} onInput={(event) => setCode(event.currentTarget.value)} />
            </label>
          </Form>
        )}
        <div class="acts">
          {row.state === "live" && <ActButton button={t("notify.test")} means={t("notify.test_means")} act={() => send("POST", `${at}/test`)} after={() => t("notify.test_sent")} />}
          <ActButton button={t("notify.remove")} means={t("notify.remove_means")} act={remove} after={() => ""} done={again} />
        </div>
      </div>
    </li>
  );
}

function Wishes({ own, again }: { own: Notifications; again: () => void }) {
  const [wishes, set] = useState<NotificationWishes>(own.wishes);
  const put = (more: Partial<NotificationWishes>) => set({ ...wishes, ...more });
  const quiet = wishes.quiet_from !== wishes.quiet_to;
  const toggle = (kind: string, on: boolean) => put({ kinds: on ? [...wishes.kinds, kind] : wishes.kinds.filter((each) => each !== kind) });
  return (
    <Section id="wishes-title" title={t("notify.wishes")}>
      <p>{wishesWords(own.wishes)}</p>
      <Form title={t("notify.change")} submit={t("notify.change_go")} send={() => send("PUT", BASE, wishes)} done={again}>
        <fieldset class="field">
          <legend>{t("notify.kinds")}</legend>
          {own.kinds.map((kind) => (
            <label class="choice" key={kind}>
              <input type="checkbox" checked={wishes.kinds.includes(kind)} onChange={(event) => toggle(kind, event.currentTarget.checked)} />
              <span>{named("work_kind", kind)}</span>
            </label>
          ))}
        </fieldset>
        <label class="field">
          <span>{t("notify.pace")}</span>
          <select value={wishes.pace} onChange={(event) => put({ pace: event.currentTarget.value })}>
            {["at_once", "digest"].map((pace) => (
              <option key={pace} value={pace} selected={pace === wishes.pace}>
                {named("notify_pace", pace)}
              </option>
            ))}
          </select>
        </label>
        {wishes.pace === "digest" && <Minute label={t("notify.digest_at")} value={wishes.digest_minute} set={(minute) => put({ digest_minute: minute })} />}
        <label class="choice">
          <input type="checkbox" checked={quiet} onChange={(event) => put(event.currentTarget.checked ? { quiet_from: 22 * 60, quiet_to: 7 * 60 } : { quiet_from: 0, quiet_to: 0 })} />
          <span>{t("notify.quiet")}</span>
        </label>
        {quiet && (
          <>
            <Minute label={t("notify.quiet_from")} value={wishes.quiet_from} set={(minute) => put({ quiet_from: minute })} />
            <Minute label={t("notify.quiet_to")} value={wishes.quiet_to} set={(minute) => put({ quiet_to: minute })} />
          </>
        )}
        <label class="field">
          <span>{t("notify.zone")}</span>
          <select value={wishes.zone} onChange={(event) => put({ zone: event.currentTarget.value })}>
            {zones(wishes.zone).map((zone) => (
              <option key={zone} value={zone} selected={zone === wishes.zone}>
                {zone}
              </option>
            ))}
          </select>
        </label>
        <label class="field">
          <span>{t("set.language")}</span>
          <select value={wishes.language} onChange={(event) => put({ language: event.currentTarget.value })}>
            {own.languages.map((each) => (
              <option key={each} value={each} selected={each === wishes.language}>
                {LANGUAGES.find(([tag]) => tag === each)?.[1] ?? each}
              </option>
            ))}
          </select>
        </label>
      </Form>
    </Section>
  );
}

function Minute({ label, value, set }: { label: string; value: number; set: (minute: number) => void }) {
  return (
    <label class="field">
      <span>{label}</span>
      <input
        required
        type="time"
        value={clock(value)}
        onInput={(event) => {
          const [hours, minutes] = event.currentTarget.value.split(":").map(Number);
          if (hours !== undefined && minutes !== undefined && !Number.isNaN(hours + minutes)) set(hours * 60 + minutes);
        }}
      />
    </label>
  );
}

function Sent({ follows }: { follows: string }) {
  const [answer, again] = useAnswer<NotificationMessage[]>(`${BASE}/messages`);
  useEffect(again, [follows]);
  if (answer.state !== "here") return null;
  return (
    <Section id="sent-title" title={t("notify.sent")}>
      {answer.value.length === 0 ? <p class="quiet">{t("notify.sent_none")}</p> : <MessageList rows={answer.value} />}
    </Section>
  );
}

/** Messages as lines: what for, what became of each, and why. */
export function MessageList({ rows, whose = false, act }: { rows: NotificationMessage[]; whose?: boolean; act?: (row: NotificationMessage) => preact.ComponentChildren }) {
  return (
    <ul class="services">
      {rows.map((row) => (
        <li key={row.message}>
          <MilestoneMark state={STATES[row.state] ?? "next"} />
          <div>
            <strong>{named("notify_about", row.about)}</strong> <span>{named("notify_message", row.state)}</span>
            <p class="quiet">
              {whose && `${row.person} · `}
              {row.items > 0 && `${t("notify.items", { n: row.items })} · `}
              <Time at={row.done_at || row.due_at} />
              {row.attempts > 1 && ` · ${t("notify.attempts", { n: row.attempts })}`}
            </p>
            {row.code && <p>{named("notify_end", row.code)}</p>}
            {act?.(row)}
          </div>
        </li>
      ))}
    </ul>
  );
}

function wishesWords(wishes: NotificationWishes): string {
  const kinds = wishes.kinds.map((kind) => named("work_kind", kind)).join(" · ") || t("notify.nothing");
  const when = wishes.pace === "digest" ? t("notify.told_digest", { at: clock(wishes.digest_minute) }) : t("notify.told_at_once");
  const quiet = wishes.quiet_from === wishes.quiet_to ? "" : ` ${t("notify.told_quiet", { from: clock(wishes.quiet_from), to: clock(wishes.quiet_to) })}`;
  return `${kinds}. ${when}${quiet} (${wishes.zone})`;
}

const clock = (minute: number) => `${String(Math.floor(minute / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`;
const here = () => Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";

function zones(now: string): string[] {
  const every = Intl.supportedValuesOf?.("timeZone") ?? [];
  return [...new Set([now, here(), "UTC", ...every])];
}
