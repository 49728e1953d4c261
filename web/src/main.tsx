// The pages of a node: the shell, and one page by address.
import { type ComponentType, render } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Problem } from "./api";
import { useCell } from "./cell";
import { entryOf, whose } from "./doors";
import { Loading, ProblemNote, asProblem } from "./parts/basics";
import { CheckDialog } from "./parts/seal";
import { Shell } from "./parts/shell";
import { ConsignmentPage } from "./pages/consignment";
import { EnterPage } from "./pages/enter";
import { HomePage } from "./pages/home";
import { LoginPage } from "./pages/login";
import { want, wantedBy } from "./returning";
import { followLinks, go, isHelp, isOpen, isVerify, path, reach } from "./route";
import { readSession, session } from "./session";
import { applyTheme, settings } from "./settings";
import { list, loadWords, named, t, tongue, withWords } from "./words";

function App() {
  const where = useCell(path);
  const who = useCell(session);
  const spoken = useCell(tongue);
  const [problem, setProblem] = useState<Problem | null>(null);
  const read = () => {
    setProblem(null);
    readSession().catch((error: unknown) => setProblem(asProblem(error)));
  };
  useEffect(read, []);
  useEffect(() => {
    if (!who || isOpen(where)) return;
    if (who.first_start && where !== "/start") go("/start", true);
    else if (!who.first_start && !who.signed_in && where !== "/login") {
      want();
      go("/login", true);
    } else if (who.signed_in && where === "/login") go(wantedBy(who.name), true);
  }, [who, where]);
  if (!who && !isOpen(where)) {
    return <Shell>{problem ? <ProblemNote problem={problem} again={read} /> : <p class="state">{t("reading")}</p>}</Shell>;
  }
  return (
    <Shell>
      {who?.signed_in && whose(entryOf(where)) ? <NotYours where={where} /> : <Page where={where} key={`${where} ${spoken}`} />}
      <CheckDialog />
    </Shell>
  );
}

/** Whose a page is, for a reader of another role: nothing went wrong, and nothing can be filled in. */
function NotYours({ where }: { where: string }) {
  const own = session.value?.role ?? "";
  const roles = (whose(entryOf(where)) ?? []).map((role) => named("role", role));
  useEffect(() => void (document.title = t("page.not_yours_title")), []);
  return (
    <div class="page">
      <h1>{t("page.not_yours_title")}</h1>
      <p>{roles.length > 0 ? t("page.not_yours", { roles: list(roles), own: named("role", own) }) : t("page.nobodys")}</p>
      <p class="quiet">
        {named("role", own)}: {t(`role_means.${own}`)}
      </p>
      <p>
        <a class="button" href="/">
          {t("nav.home")}
        </a>
      </p>
    </div>
  );
}

function Page({ where }: { where: string }) {
  if (isHelp(where)) return <Later page={() => import("./pages/help")} id={where.replace(/^\/help\/?/, "").replace(/\/$/, "")} what="help.reading" />;
  if (isVerify(where)) return <Later page={() => import("./pages/verify")} id={decodeURIComponent(where.slice("/verify/".length))} what="reading" />;
  const position = /^\/consignments\/([^/]+)\/position$/.exec(where);
  if (position) return <Later page={() => import("./pages/position")} id={decodeURIComponent(position[1] as string)} />;
  const consignment = /^\/consignments\/([^/]+)$/.exec(where);
  if (consignment) return <ConsignmentPage id={decodeURIComponent(consignment[1] as string)} />;
  const credit = /^\/money\/credits(?:\/([^/]+(?:\/[^/]+)?))?$/.exec(where);
  if (credit) return <Later page={() => import("./pages/credits")} id={decodeURIComponent(credit[1] ?? "")} what="credits.reading" />;
  const account = /^\/money\/accounts\/([^/]+)$/.exec(where);
  if (account) return <Later page={() => import("./pages/account")} id={decodeURIComponent(account[1] as string)} what="money.reading" />;
  const fresh = /^\/deals\/new(?:\/([^/]+))?$/.exec(where);
  if (fresh) return <Later page={() => import("./pages/deal_new")} id={decodeURIComponent(fresh[1] ?? "")} what="deal.reading" />;
  const deal = /^\/deals(?:\/([^/]+))?$/.exec(where);
  if (deal) return <Later page={() => import("./pages/deals")} id={decodeURIComponent(deal[1] ?? "")} what="deal.reading" />;
  switch (where) {
    case "/money":
      return <Later page={() => import("./pages/money")} id="" what="money.reading" />;
    case "/money/exchange":
      return <Later page={() => import("./pages/money_exchange")} id="" what="fx.reading" />;
    case "/money/receivables":
      return <Later page={() => import("./pages/receivables")} id="" what="receivables.reading" />;
    case "/":
      return session.value?.signed_in ? <HomePage /> : null;
    case "/node":
      return <Later page={() => import("./pages/node")} id="" what="node.reading" />;
    case "/exchange":
      return <Later page={() => import("./pages/exchange")} id="" what="exchange.reading" />;
    case "/papers":
      return <Later page={() => import("./pages/papers")} id="" what="papers.reading" />;
    case "/papers/folder":
      return <Later page={() => import("./pages/folder")} id="" what="papers.reading" />;
    case "/declarations":
      return <Later page={() => import("./pages/declarations")} id="" what="window.reading" />;
    case "/trust":
      return <Later page={() => import("./pages/trust")} id="" what="trust.reading" />;
    case "/people":
      return <Later page={() => import("./pages/people")} id="" what="people.reading" />;
    case "/access":
      return <Later page={() => import("./pages/access")} id="" what="people.reading" />;
    case "/notifications":
      return <Later page={() => import("./pages/notifications")} id="" what="notify.reading" />;
    case "/certificate":
      return <Later page={() => import("./pages/certificate")} id="" what="certificate.reading" />;
    case "/api":
      return <Later page={() => import("./pages/api")} id="" what="api.reading" />;
    case "/peers":
      return <Later page={() => import("./pages/peers")} id="" what="peers.reading" />;
    case "/devices":
      return <Later page={() => import("./pages/devices")} id="" what="devices.reading" />;
    case "/factory":
      return <Later page={() => import("./pages/factory")} id="" what="factory.reading" />;
    case "/trace":
      return <Later page={() => import("./pages/trace")} id="" what="trace.reading" />;
    case "/waiting":
      return <Later page={() => import("./pages/waiting")} id="" what="waiting.reading" />;
    case "/start":
      return <Later page={() => import("./pages/start")} id="" what="start.title" />;
    case "/join":
      return <Later page={() => import("./pages/join")} id="" what="join.reading" />;
    case "/meet":
      return <Later page={() => import("./pages/meet")} id="" what="peers.reading" />;
    case "/login/back":
      // Who is signed in is known first: then something is linked.
      return session.value ? <Later page={() => import("./pages/back")} id="" what="back.reading" /> : <Loading what={t("back.reading")} />;
    case "/login":
      return <LoginPage />;
    case "/enter":
      return <EnterPage />;
    default:
      return <Later page={() => import("./pages/missing")} id={where} what="reading" />;
  }
}

/** A page whose code is fetched when somebody first opens it. */
function Later({ page, id, what = "position.reading" }: { page: () => Promise<{ default: ComponentType<{ id: string }> }>; id: string; what?: string }) {
  const [found, set] = useState<{ Page: ComponentType<{ id: string }> } | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const fetchIt = () => {
    setProblem(null);
    withWords(page()).then(
      (module) => set({ Page: module.default }),
      // The browser's own sentence about a module that does not come is English, and names a file.
      (error: unknown) => setProblem(error instanceof Problem ? error : new Problem(0, "offline", t("page.offline"), "", "")),
    );
  };
  useEffect(fetchIt, []);
  // A module that once did not come is asked for again by a new page only.
  if (problem) return <ProblemNote problem={problem} again={() => location.reload()} />;
  return found ? <found.Page id={id} /> : <Loading what={t(what)} />;
}

settings.watch(applyTheme);
applyTheme();
followLinks();
navigator.serviceWorker?.register("/worker-offline.js").catch(() => undefined);
void loadWords().then(() => {
  const box = document.getElementById("app") as HTMLElement;
  box.replaceChildren();
  render(<App />, box);
  if (location.hash) reach(location.hash);
});
