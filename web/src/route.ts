// Addresses of the pages; links inside the node change the page without loading it anew.
import { Cell } from "./cell";
import { unfold } from "./parts/fold";

export const path = new Cell(location.pathname);

// What a one-time link opens, whoever is signed in.
const BY_LINK = new Set(["/enter", "/join", "/meet", "/login/back", "/certificate"]);

// Nor do the documentation and the check of a proof ask who reads.
export const isHelp = (where: string) => where === "/help" || where.startsWith("/help/");
export const isVerify = (where: string) => where.startsWith("/verify/");
export const isOpen = (where: string) => BY_LINK.has(where) || isHelp(where) || isVerify(where);

export function go(to: string, replace = false): void {
  if (replace) history.replaceState(null, "", to);
  else history.pushState(null, "", to);
  path.value = location.pathname;
  if (location.hash) reach(location.hash);
  else scrollTo(0, 0);
}

const REACH_MS = 5_000;

/** Brings the place of a page into view that its address names, as soon as the page has it. */
export function reach(hash: string): void {
  const found = () => document.getElementById(decodeURIComponent(hash.slice(1)));
  const show = () => {
    const place = found();
    if (place) unfold(place);
    place?.scrollIntoView();
    return place !== null;
  };
  if (show()) return;
  const watch = new MutationObserver(() => {
    if (show()) watch.disconnect();
  });
  watch.observe(document.body, { childList: true, subtree: true });
  setTimeout(() => watch.disconnect(), REACH_MS);
}

const OURS = /^\/($|consignments\/|node$|exchange$|deals(?:$|\/)|money(?:$|\/)|trust$|papers$|papers\/folder$|declarations$|peers$|devices$|factory$|trace$|waiting$|people$|access$|notifications$|api$|certificate$|verify\/|help(?:$|\/)|start$|login$)/;

export function followLinks(): void {
  addEventListener("popstate", () => {
    path.value = location.pathname;
    if (location.hash) reach(location.hash);
  });
  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
    const link = (event.target as Element).closest("a");
    if (!link || link.target || link.hasAttribute("download") || link.origin !== location.origin) return;
    if (link.hash && link.pathname === location.pathname) {
      // The browser goes there; what is folded away there it finds open, also the second time.
      reach(link.hash);
      return;
    }
    if (!OURS.test(link.pathname)) return;
    event.preventDefault();
    go(link.pathname + link.search + link.hash);
  });
}
