// Keeps the shell and the last state that was read, so that the page still says something when the
// line is cut. What comes from here is marked, and the page shows its age. No answer to a check
// (events/…/proof) is ever kept: a check is made now or not at all.
const SHELL = "zhidao-shell-1";
const STATE = "zhidao-state-1";

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("message", (event) => {
  if (event.data === "forget") event.waitUntil(caches.delete(STATE));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  if (url.pathname.startsWith("/assets/")) event.respondWith(shellFirst(request));
  else if (request.mode === "navigate") event.respondWith(page(request));
  else if (keeps(url.pathname)) event.respondWith(networkFirst(request));
});

// What the node sealed for this browser: the same message shows once, however often it comes.
self.addEventListener("push", (event) => {
  const told = event.data ? event.data.json() : { id: "", title: "Zhidao", body: "", page: "/waiting" };
  const shown = { body: told.body, tag: told.id, data: told.page, icon: "/favicon.svg" };
  event.waitUntil(self.registration.showNotification(told.title, shown));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(opened(new URL(event.notification.data || "/waiting", self.location.origin)));
});

async function opened(page) {
  // Only pages of this node: what a message names is no reason to go elsewhere.
  if (page.origin !== self.location.origin) return;
  for (const open of await self.clients.matchAll({ type: "window" })) {
    if (new URL(open.url).pathname === page.pathname) return open.focus();
  }
  return self.clients.openWindow(page.href);
}

function keeps(path) {
  return (
    path === "/v1/session" ||
    path === "/v1/roads" ||
    path === "/v1/corridor" ||
    /^\/v1\/consignments\/[^/]+\/road$/.test(path) ||
    /^\/v1\/positioning\/arrivals\/[^/]+\/track$/.test(path)
  );
}

async function shellFirst(request) {
  const cache = await caches.open(SHELL);
  const kept = await cache.match(request);
  if (kept) return kept;
  const answer = await fetch(request);
  if (answer.ok) await cache.put(request, answer.clone());
  return answer;
}

async function page(request) {
  const cache = await caches.open(SHELL);
  try {
    const answer = await fetch(request);
    if (answer.ok) await cache.put("/", answer.clone());
    return answer;
  } catch (error) {
    const kept = await cache.match("/");
    if (kept) return kept;
    throw error;
  }
}

async function networkFirst(request) {
  const cache = await caches.open(STATE);
  // It asks since midnight: yesterday's answer is the last state, too, and only one is kept.
  const { pathname } = new URL(request.url);
  const key = pathname === "/v1/corridor" ? pathname : request;
  try {
    const answer = await fetch(request);
    if (answer.ok) {
      const headers = new Headers(answer.headers);
      headers.set("x-kept-at", new Date().toISOString());
      const body = await answer.clone().arrayBuffer();
      await cache.put(key, new Response(body, { headers }));
    }
    return answer;
  } catch (error) {
    const kept = await cache.match(key);
    if (kept) {
      const headers = new Headers(kept.headers);
      headers.set("x-from-cache", "1");
      return new Response(await kept.arrayBuffer(), { headers });
    }
    throw error;
  }
}
