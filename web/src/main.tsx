// The pages of a node: the shell, and one page by address.
import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Problem } from "./api";
import { useCell } from "./cell";
import { ProblemNote, asProblem } from "./parts/basics";
import { CheckDialog } from "./parts/seal";
import { Shell } from "./parts/shell";
import { ConsignmentPage } from "./pages/consignment";
import { EnterPage } from "./pages/enter";
import { HomePage } from "./pages/home";
import { LoginPage } from "./pages/login";
import { NodePage } from "./pages/node";
import { StartPage } from "./pages/start";
import { followLinks, go, path } from "./route";
import { readSession, session } from "./session";
import { applyTheme, settings } from "./settings";
import { loadWords, t, tongue } from "./words";

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
    if (!who || where === "/enter") return;
    if (who.first_start && where !== "/start") go("/start", true);
    else if (!who.first_start && !who.signed_in && where !== "/login") go("/login", true);
    else if (who.signed_in && where === "/login") go("/", true);
  }, [who, where]);
  if (!who && where !== "/enter") {
    return <Shell>{problem ? <ProblemNote problem={problem} again={read} /> : <p class="state">{t("reading")}</p>}</Shell>;
  }
  return (
    <Shell>
      <Page where={where} key={`${where} ${spoken}`} />
      <CheckDialog />
    </Shell>
  );
}

function Page({ where }: { where: string }) {
  const consignment = /^\/consignments\/([^/]+)$/.exec(where);
  if (consignment) return <ConsignmentPage id={decodeURIComponent(consignment[1] as string)} />;
  switch (where) {
    case "/":
      return session.value?.signed_in ? <HomePage /> : null;
    case "/node":
      return <NodePage />;
    case "/start":
      return <StartPage />;
    case "/login":
      return <LoginPage />;
    case "/enter":
      return <EnterPage />;
    default:
      return <p class="state">{t("page.missing")}</p>;
  }
}

settings.watch(applyTheme);
applyTheme();
followLinks();
navigator.serviceWorker?.register("/worker-offline.js").catch(() => undefined);
void loadWords().then(() => {
  const box = document.getElementById("app") as HTMLElement;
  box.replaceChildren();
  render(<App />, box);
});
